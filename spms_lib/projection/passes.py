"""The two passes over a tree as loops, for the compiler; `tree.py` says what they compute and has them in NumPy too."""

import numpy as np
from numpy.typing import NDArray

from spms_lib.projection.compiled import in_halves, kernel

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@kernel
def gains_of(first: Whole, own: Floats, gain: Floats, share: Floats, combined: Floats, below: Floats) -> None:
    """Combine variances upwards, and note what each node takes from its own estimate and from its parent's gap."""
    for node in range(len(own) - 1, -1, -1):
        start, stop = first[node], first[node + 1]
        if start == stop:
            gain[node], combined[node], below[node] = 1.0, own[node], 0.0
            continue
        total, unknown = 0.0, 0
        for child in range(start, stop):
            total += combined[child]
            unknown += np.isinf(combined[child])
        below[node] = total
        for child in range(start, stop):
            if unknown:
                share[child] = 1.0 / unknown if np.isinf(combined[child]) else 0.0
            else:
                share[child] = combined[child] / total if total > 0.0 else 0.0
        if total == 0.0 or np.isinf(own[node]):
            gain[node] = 0.0
        else:
            gain[node] = 1.0 if unknown else total / (total + own[node])
        combined[node] = total if np.isinf(own[node]) else own[node] * gain[node]
    share[0] = 0.0


@kernel
def _upwards(
    first: Whole, start: int, stop: int, inner: int, gain: Floats, own: Floats, heard: Floats, sums: Floats
) -> None:
    columns = own.shape[1]
    for node in range(stop - 1, start - 1, -1):
        for column in range(columns):
            sums[node, column] = 0.0
        for child in range(first[node], first[node + 1]):
            if child < inner:
                for column in range(columns):
                    sums[node, column] += heard[child, column]
            else:
                for column in range(columns):
                    sums[node, column] += own[child, column]
        mine, theirs = gain[node], 1.0 - gain[node]
        for column in range(columns):
            heard[node, column] = mine * own[node, column] + theirs * sums[node, column]


@kernel
def _downwards(
    first: Whole,
    start: int,
    stop: int,
    inner: int,
    share: Floats,
    own: Floats,
    heard: Floats,
    sums: Floats,
    values: Floats,
) -> None:
    columns = own.shape[1]
    for node in range(start, stop):
        for child in range(first[node], first[node + 1]):
            part = share[child]
            if child < inner:
                for column in range(columns):
                    gap = values[node, column] - sums[node, column]
                    values[child, column] = heard[child, column] + part * gap
            else:
                for column in range(columns):
                    gap = values[node, column] - sums[node, column]
                    values[child, column] = own[child, column] + part * gap


@kernel
def gains_by_column(
    first: Whole,
    start: int,
    stop: int,
    own: Floats,
    gain: Floats,
    share: Floats,
    combined: Floats,
    below: Floats,
) -> None:
    """Do what `gains_of` does for nodes of one level whose columns have variances of their own."""
    columns = own.shape[1]
    unknown = np.empty(columns)
    for node in range(start, stop):
        low, high = first[node], first[node + 1]
        for column in range(columns):
            below[node, column] = 0.0
            unknown[column] = 0.0
        if low == high:
            for column in range(columns):
                gain[node, column] = 1.0
                combined[node, column] = own[node, column]
            continue
        for child in range(low, high):
            for column in range(columns):
                below[node, column] += combined[child, column]
                unknown[column] += np.isinf(combined[child, column])
        for child in range(low, high):
            for column in range(columns):
                total = below[node, column]
                if unknown[column] > 0.0:
                    share[child, column] = 1.0 / unknown[column] if np.isinf(combined[child, column]) else 0.0
                else:
                    share[child, column] = combined[child, column] / total if total > 0.0 else 0.0
        for column in range(columns):
            total, mine = below[node, column], own[node, column]
            if total == 0.0 or np.isinf(mine):
                gain[node, column] = 0.0
            else:
                gain[node, column] = 1.0 if unknown[column] > 0.0 else total / (total + mine)
            combined[node, column] = total if np.isinf(mine) else mine * gain[node, column]


@kernel
def _upwards_by_column(
    first: Whole, start: int, stop: int, gain: Floats, heard: Floats, sums: Floats
) -> None:
    columns = heard.shape[1]
    for node in range(start, stop):
        for column in range(columns):
            sums[node, column] = 0.0
        for child in range(first[node], first[node + 1]):
            for column in range(columns):
                sums[node, column] += heard[child, column]
        for column in range(columns):
            mine = gain[node, column]
            heard[node, column] = mine * heard[node, column] + (1.0 - mine) * sums[node, column]


@kernel
def _downwards_by_column(
    first: Whole, start: int, stop: int, share: Floats, values: Floats, sums: Floats
) -> None:
    columns = values.shape[1]
    for node in range(start, stop):
        for child in range(first[node], first[node + 1]):
            for column in range(columns):
                values[child, column] += share[child, column] * (values[node, column] - sums[node, column])


def both_passes_by_column(
    first: Whole, offsets: Whole, gain: Floats, share: Floats, values: Floats, sums: Floats
) -> None:
    """Do what `both_passes` does where columns have gains of their own; `values` holds the nodes' own numbers."""
    columns = values.shape[1]
    levels = list(zip(offsets[:-2].tolist(), offsets[1:-1].tolist(), strict=True))
    for start, stop in reversed(levels):

        def up(low: int, high: int) -> None:
            _upwards_by_column(first, low, high, gain, values, sums)

        in_halves(up, start, stop, int(first[stop] - first[start]) * columns)
    for start, stop in levels:

        def down(low: int, high: int) -> None:
            _downwards_by_column(first, low, high, share, values, sums)

        in_halves(down, start, stop, int(first[stop] - first[start]) * columns)


def both_passes(
    first: Whole, offsets: Whole, gain: Floats, share: Floats, own: Floats, values: Floats, sums: Floats
) -> None:
    """Fill `values` and `sums` for gains that all columns share; levels are halved among threads where it pays.

    Parameters
    ----------
    gain, share
        Shape (n_nodes,).
    own, values
        Shape (n_nodes, n_columns).
    sums
        Shape (nodes above the deepest level, n_columns).
    """
    inner, columns = len(sums), own.shape[1]
    heard = np.empty_like(sums)
    levels = list(zip(offsets[:-2].tolist(), offsets[1:-1].tolist(), strict=True))
    for start, stop in reversed(levels):

        def up(low: int, high: int) -> None:
            _upwards(first, low, high, inner, gain, own, heard, sums)

        in_halves(up, start, stop, int(first[stop] - first[start]) * columns)
    values[0] = heard[0] if inner else own[0]
    for start, stop in levels:

        def down(low: int, high: int) -> None:
            _downwards(first, low, high, inner, share, own, heard, sums, values)

        in_halves(down, start, stop, int(first[stop] - first[start]) * columns)
