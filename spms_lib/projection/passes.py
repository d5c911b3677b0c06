"""The two passes over a tree as loops, for the compiler; `tree.py` says what they compute and has them in NumPy too.

Variances are combined on the way, so one reading of estimates and variances upwards and one downwards is all: the
numbers of the deepest level, which are most, are never written but once.
"""

import numpy as np
from numpy.typing import NDArray

from spms_lib.projection.compiled import in_halves, kernel

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@kernel
def _up_shared(  # noqa: C901 - loops for the compiler, kept in one piece
    first: Whole,
    start: int,
    stop: int,
    variance: Floats,
    own: Floats,
    heard: Floats,
    sums: Floats,
    known: Floats,
) -> None:
    """Combine children into their parents; `known` keeps each parent's combined variance, their sum, and who is silent."""
    columns, inner = own.shape[1], len(sums)
    total = np.empty(columns)
    for node in range(stop - 1, start - 1, -1):
        below, silent = 0.0, 0.0
        for column in range(columns):
            total[column] = 0.0
        for child in range(first[node], first[node + 1]):
            spread = known[child, 0] if child < inner else variance[child, 0]
            below += spread
            silent += np.isinf(spread)
            if child < inner:
                for column in range(columns):
                    total[column] += heard[child, column]
            elif not np.isinf(spread):
                for column in range(columns):
                    total[column] += own[child, column]
        mine, gain = variance[node, 0], 0.0
        if first[node] == first[node + 1]:
            gain = 1.0
        elif below > 0.0 and not np.isinf(mine):
            gain = 1.0 if silent > 0.0 else below / (below + mine)
        if gain == 1.0:
            known[node, 0] = mine
        else:
            known[node, 0] = below if np.isinf(mine) else mine * gain
        known[node, 1], known[node, 2] = below, silent
        for column in range(columns):
            sums[node, column] = total[column]
            kept = gain * own[node, column] if gain > 0.0 and not np.isinf(mine) else 0.0
            heard[node, column] = kept + (1.0 - gain) * total[column]


@kernel
def _down_shared(
    first: Whole,
    start: int,
    stop: int,
    variance: Floats,
    own: Floats,
    heard: Floats,
    sums: Floats,
    known: Floats,
    values: Floats,
) -> None:
    """Share each parent's gap among its children in proportion to their variances; equally among silent ones."""
    columns, inner = own.shape[1], len(sums)
    gap = np.empty(columns)
    for node in range(start, stop):
        below, silent = known[node, 1], known[node, 2]
        scale = 1.0 / silent if silent > 0.0 else (1.0 / below if below > 0.0 else 0.0)
        for column in range(columns):
            gap[column] = (values[node, column] - sums[node, column]) * scale
        for child in range(first[node], first[node + 1]):
            spread = known[child, 0] if child < inner else variance[child, 0]
            unknown = np.isinf(spread)
            part = (1.0 if unknown else 0.0) if silent > 0.0 else spread
            if child < inner:
                for column in range(columns):
                    values[child, column] = heard[child, column] + part * gap[column]
            elif unknown:
                for column in range(columns):
                    values[child, column] = part * gap[column]
            else:
                for column in range(columns):
                    values[child, column] = own[child, column] + part * gap[column]


@kernel
def _up_by_column(  # noqa: C901, PLR0912 - loops for the compiler, kept in one piece
    first: Whole,
    start: int,
    stop: int,
    variance: Floats,
    own: Floats,
    heard: Floats,
    sums: Floats,
    known: Floats,
    heard_by_all: bool,
) -> None:
    """Do what `_up_shared` does where every column has variances of its own."""
    columns, inner = own.shape[1], len(sums)
    total, below, silent = np.empty(columns), np.empty(columns), np.empty(columns)
    for node in range(stop - 1, start - 1, -1):
        for column in range(columns):
            total[column] = below[column] = silent[column] = 0.0
        for child in range(first[node], first[node + 1]):
            if child < inner:
                for column in range(columns):
                    spread = known[child, 0, column]
                    below[column] += spread
                    silent[column] += np.isinf(spread)
                    total[column] += heard[child, column]
            elif heard_by_all:
                for column in range(columns):
                    below[column] += variance[child, column]
                    total[column] += own[child, column]
            else:
                for column in range(columns):
                    spread = variance[child, column]
                    below[column] += spread
                    silent[column] += np.isinf(spread)
                    total[column] += 0.0 if np.isinf(spread) else own[child, column]
        leaf = first[node] == first[node + 1]
        for column in range(columns):
            mine, under, gain = variance[node, column], below[column], 0.0
            if leaf:
                gain = 1.0
            elif under > 0.0 and not np.isinf(mine):
                gain = 1.0 if silent[column] > 0.0 else under / (under + mine)
            if gain == 1.0:
                known[node, 0, column] = mine
            else:
                known[node, 0, column] = under if np.isinf(mine) else mine * gain
            known[node, 1, column], known[node, 2, column] = under, silent[column]
            sums[node, column] = total[column]
            kept = gain * own[node, column] if gain > 0.0 and not np.isinf(mine) else 0.0
            heard[node, column] = kept + (1.0 - gain) * total[column]


@kernel
def _down_by_column(
    first: Whole,
    start: int,
    stop: int,
    variance: Floats,
    own: Floats,
    heard: Floats,
    sums: Floats,
    known: Floats,
    values: Floats,
    heard_by_all: bool,
) -> None:
    """Do what `_down_shared` does where every column has variances of its own."""
    columns, inner = own.shape[1], len(sums)
    gap, silent = np.empty(columns), np.empty(columns)
    for node in range(start, stop):
        for column in range(columns):
            below, unknown = known[node, 1, column], known[node, 2, column]
            scale = 1.0 / unknown if unknown > 0.0 else (1.0 / below if below > 0.0 else 0.0)
            gap[column] = (values[node, column] - sums[node, column]) * scale
            silent[column] = unknown
        for child in range(first[node], first[node + 1]):
            if child < inner:
                for column in range(columns):
                    spread = known[child, 0, column]
                    part = (1.0 if np.isinf(spread) else 0.0) if silent[column] > 0.0 else spread
                    values[child, column] = heard[child, column] + part * gap[column]
            elif heard_by_all:
                for column in range(columns):
                    values[child, column] = own[child, column] + variance[child, column] * gap[column]
            else:
                for column in range(columns):
                    spread = variance[child, column]
                    part = (1.0 if np.isinf(spread) else 0.0) if silent[column] > 0.0 else spread
                    said = 0.0 if np.isinf(spread) else own[child, column]
                    values[child, column] = said + part * gap[column]


def both_passes(
    first: Whole, offsets: Whole, variance: Floats, own: Floats, values: Floats, sums: Floats
) -> None:
    """Fill `values` and `sums`; levels are halved among threads where it pays.

    Parameters
    ----------
    variance
        Shape (n_nodes, 1) or (n_nodes, n_columns).
    own, values
        Shape (n_nodes, n_columns).
    sums
        Shape (nodes above the deepest level, n_columns).
    """
    inner, columns = len(sums), own.shape[1]
    shared = variance.shape[1] == 1
    heard = np.empty_like(sums)
    known = np.empty((inner, 3)) if shared else np.empty((inner, 3, columns))
    heard_by_all = shared or bool(variance.max() < np.inf)
    levels = list(zip(offsets[:-2].tolist(), offsets[1:-1].tolist(), strict=True))
    for start, stop in reversed(levels):

        def up(low: int, high: int) -> None:
            if shared:
                _up_shared(first, low, high, variance, own, heard, sums, known)
            else:
                _up_by_column(first, low, high, variance, own, heard, sums, known, heard_by_all)

        in_halves(up, start, stop, int(first[stop] - first[start]) * columns)
    values[0] = heard[0] if inner else np.where(np.isinf(variance[0]), 0.0, own[0])
    for start, stop in levels:

        def down(low: int, high: int) -> None:
            if shared:
                _down_shared(first, low, high, variance, own, heard, sums, known, values)
            else:
                _down_by_column(first, low, high, variance, own, heard, sums, known, values, heard_by_all)

        in_halves(down, start, stop, int(first[stop] - first[start]) * columns)
