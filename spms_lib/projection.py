"""Exact weighted least squares on a tree: the one computation behind cascades, edits and reconciliation.

    minimise    sum over nodes of (x - estimate)^2 / variance
    subject to  every parent equals the sum of its children

Variance 0 holds a node at its estimate; infinite variance means that a node has
no estimate of its own. Two passes give the exact answer: children are combined
upwards, the gap to their parent is shared downwards in proportion to variance.
It is the Kalman filter and Rauch-Tung-Striebel smoother on a tree.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spms_lib.errors import InfeasibleError
from spms_lib.hierarchy import Hierarchy

Floats = NDArray[np.float64]


class Projection(NamedTuple):
    """Coherent values and how uncertain they are.

    Attributes
    ----------
    values
        Shape (n_nodes, n_columns).
    variance
        Shape (n_nodes, n_columns): posterior variance; infinite where nothing is known.
    """

    values: Floats
    variance: Floats


class Gains(NamedTuple):
    """What the upward pass learns from variances alone; the same for any estimates.

    Attributes
    ----------
    below
        Shape (n_nodes, n_columns): variance of the sum of a node's children.
    combined
        Shape (n_nodes, n_columns): variance of a node once its children are heard.
    gain
        Shape (n_nodes, n_columns): share of the gap between a node's own estimate and
        its children's sum that the node takes over.
    """

    below: Floats
    combined: Floats
    gain: Floats


def gains(hierarchy: Hierarchy, variance: Floats) -> Gains:
    """Run the upward pass over variances.

    Parameters
    ----------
    variance
        Shape (n_nodes, n_columns), in the order of `hierarchy.nodes`; 0 holds, inf is "no estimate".
    """
    below = np.zeros_like(variance)
    combined = variance.copy()
    gain = np.ones_like(variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        for here, under, step in _parents_upwards(hierarchy):
            total = step @ combined[under]
            has_children = (np.diff(step.indptr) > 0)[:, None]
            own = variance[here]
            share = 1.0 / (1.0 + own / total)
            share = np.where(np.isinf(total), np.where(np.isinf(own), 0.0, 1.0), share)
            share = np.where((total == 0) & (own == 0), 0.0, share)
            both = np.where(np.isinf(total), own, np.where(np.isinf(own), total, total * own / (total + own)))
            both = np.where((total == 0) | (own == 0), 0.0, both)
            below[here] = np.where(has_children, total, 0.0)
            gain[here] = np.where(has_children, share, 1.0)
            combined[here] = np.where(has_children, both, own)
    return Gains(below, combined, gain)


def project(hierarchy: Hierarchy, estimates: Floats, variance: Floats) -> Projection:
    """Find the coherent values closest to the estimates.

    Parameters
    ----------
    estimates
        Shape (n_nodes, n_columns); ignored where the variance is infinite.
    variance
        Same shape; 0 holds a node exactly, inf means no estimate.

    Raises
    ------
    InfeasibleError
        If a held node differs from the sum of its children, all of which are held too;
        the message names it and both numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> tree = Hierarchy.from_parent_child(pd.DataFrame({"node": ["t", "a", "b"], "parent": [None, "t", "t"]}))
    >>> answer = project(tree, np.array([[90.0], [40.0], [40.0]]), np.array([[0.0], [1.0], [3.0]]))
    >>> answer.values.ravel().tolist()
    [90.0, 42.5, 47.5]

    References
    ----------
    Chou, Willsky and Benveniste (1994), multiscale smoothing on trees.
    """
    learned = gains(hierarchy, variance)
    return Projection(solve(hierarchy, learned, estimates, variance), _posterior(hierarchy, learned))


def solve(hierarchy: Hierarchy, learned: Gains, estimates: Floats, variance: Floats) -> Floats:
    """Run both passes over estimates, for variances whose gains are known.

    Variances of one column serve all columns of the estimates.
    """
    heard = np.where(np.isinf(variance), 0.0, estimates)
    children = np.zeros_like(heard)
    for here, under, step in _parents_upwards(hierarchy):
        total = step @ heard[under]
        _refuse_contradictions(hierarchy, here, total, heard[here], learned.below[here], variance[here], step)
        has_children = (np.diff(step.indptr) > 0)[:, None]
        children[here] = total
        gain = learned.gain[here]
        blended = np.where(gain == 1.0, heard[here], total + gain * (heard[here] - total))
        heard[here] = np.where(has_children, blended, heard[here])
    values = heard
    with np.errstate(divide="ignore", invalid="ignore"):
        for here, under, counts in _children_downwards(hierarchy):
            gap = values[here] - children[here]
            per_variance = np.where(learned.below[here] > 0, gap / learned.below[here], 0.0)
            moved = np.repeat(per_variance, counts, axis=0) * learned.combined[under]
            values[under] += np.where(np.isfinite(moved), moved, 0.0)
            unknown = np.isinf(learned.combined[under])
            if unknown.any():
                values[under] += _equal_share(gap, unknown, counts)
    return values


def _equal_share(gap: Floats, unknown: NDArray[np.bool_], counts: NDArray[np.int64]) -> Floats:
    """Share a gap equally among children of whom nothing is known."""
    owners = np.repeat(np.arange(len(counts)), counts)
    silent = np.zeros((len(counts), gap.shape[1]))
    np.add.at(silent, owners, unknown)
    share = np.divide(gap, silent, out=np.zeros_like(gap), where=silent > 0)
    return np.where(unknown, share[owners], 0.0)


def _posterior(hierarchy: Hierarchy, learned: Gains) -> Floats:
    posterior = learned.combined.copy()
    with np.errstate(divide="ignore", invalid="ignore"):
        for here, under, counts in _children_downwards(hierarchy):
            below = learned.below[here]
            known = (below > 0) & np.isfinite(below)
            shrink = np.where(known, (below - posterior[here]) / below**2, 0.0)
            down = np.repeat(shrink, counts, axis=0)
            own = learned.combined[under]
            posterior[under] = np.where(np.isfinite(own), np.maximum(own - own**2 * down, 0.0), own)
    return posterior


def _refuse_contradictions(
    hierarchy: Hierarchy,
    here: slice,
    total: Floats,
    own: Floats,
    below: Floats,
    variance: Floats,
    step: sparse.csr_array,
) -> None:
    held = (below == 0) & (variance == 0) & (np.diff(step.indptr) > 0)[:, None]
    apart = held & (np.abs(total - own) > 1e-9 * np.abs(total) + 1e-6)
    if apart.any():
        row, column = np.argwhere(apart)[0]
        node = hierarchy.nodes[here][row]
        raise InfeasibleError(
            f"'{node}' is held at {own[row, column]:,.2f}, but its children are all held and sum to "
            f"{total[row, column]:,.2f} (minor units, column {column}).",
            where="holds",
            remedy=f"Change one of these holds by {total[row, column] - own[row, column]:+,.2f}, or lift one.",
        )


def _parents_upwards(hierarchy: Hierarchy) -> Iterator[tuple[slice, slice, sparse.csr_array]]:
    offsets = hierarchy.offsets
    for depth in range(len(offsets) - 3, -1, -1):
        yield (
            slice(offsets[depth], offsets[depth + 1]),
            slice(offsets[depth + 1], offsets[depth + 2]),
            hierarchy.sums[depth],
        )


def _children_downwards(hierarchy: Hierarchy) -> Iterator[tuple[slice, slice, NDArray[np.int64]]]:
    offsets = hierarchy.offsets
    for depth in range(len(offsets) - 2):
        here = slice(offsets[depth], offsets[depth + 1])
        counts = np.diff(hierarchy.first[offsets[depth] : offsets[depth + 1] + 1])
        yield here, slice(offsets[depth + 1], offsets[depth + 2]), counts
