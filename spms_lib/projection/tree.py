"""Exact weighted least squares on a tree, in two passes.

Children are combined upwards, the gap to their parent is shared downwards in
proportion to variance: the Kalman filter and Rauch-Tung-Striebel smoother on a
tree. Variance 0 holds a node at its estimate; infinite variance means that a node
has no estimate of its own.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spms_lib.hierarchy import Hierarchy

Floats = NDArray[np.float64]

MAY_COMPILE = True  # False keeps to NumPy
WORTH_COMPILING = 100_000  # numbers below which NumPy is as quick, and no compiler need be loaded


class Gains(NamedTuple):
    """What the upward pass learns from variances alone; the same for any estimates.

    Attributes
    ----------
    gain
        Shape (n_nodes, n_columns): how much of a node's own estimate it takes over; the rest comes from
        its children's sum. 1 at leaves and holds, 0 where there is no estimate or all children are held.
    share
        Shape (n_nodes, n_columns): a node's part of the gap between its parent and its parent's children.
    combined
        Shape (n_nodes, n_columns): variance of a node once everything below it is heard.
    below
        Shape (n_nodes, n_columns): variance of the sum of a node's children; 0 at leaves.
    """

    gain: Floats
    share: Floats
    combined: Floats
    below: Floats


def gains(hierarchy: Hierarchy, variance: Floats) -> Gains:
    """Run the upward pass over variances.

    Parameters
    ----------
    variance
        Shape (n_nodes, n_columns), in the order of `hierarchy.nodes`; 0 holds, inf is "no estimate".
        One column serves all columns of the estimates.
    """
    plain = bool(variance.min() > 0 and variance.max() < np.inf)
    gain, share, below = np.ones_like(variance), np.zeros_like(variance), np.zeros_like(variance)
    combined = variance.copy()
    with np.errstate(divide="ignore", invalid="ignore"):
        for here, under, step in _parents_upwards(hierarchy):
            has_children = (np.diff(step.indptr) > 0)[:, None]
            own, total = variance[here], step @ combined[under]
            below[here] = total
            if plain and has_children.all():
                share[under] = combined[under] / np.repeat(total, np.diff(step.indptr), axis=0)
                gain[here] = total / (total + own)
                combined[here] = own * gain[here]
                continue
            share[under] = _shares(combined[under], total, step)
            taken = total / (total + own)
            taken = np.where(np.isinf(total), np.where(np.isinf(own), 0.0, 1.0), taken)
            taken = np.where(total == 0, 0.0, taken)
            gain[here] = np.where(has_children, taken, 1.0)
            combined[here] = np.where(has_children, np.where(np.isinf(own), total, own * taken), own)
    return Gains(gain, share, combined, below)


def _shares(combined: Floats, total: Floats, step: sparse.csr_array) -> Floats:
    """Divide each variance by its siblings' sum; siblings of whom nothing is known share a gap equally."""
    counts = np.diff(step.indptr)
    share = combined / np.repeat(total, counts, axis=0)
    unknown = np.isinf(combined)
    if unknown.any():
        silent = np.repeat(step @ unknown.astype(np.float64), counts, axis=0)
        share = np.where(silent > 0, unknown / np.maximum(silent, 1.0), share)
    return np.where(np.isnan(share), 0.0, share)


def pass_through(
    hierarchy: Hierarchy,
    variance: Floats,
    estimates: Floats,
    *,
    learned: Gains | None = None,
    out: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Run both passes over estimates.

    Parameters
    ----------
    variance
        Shape (n_nodes, n_columns) or (n_nodes, 1) for all columns: 0 holds, infinite is no estimate.
    estimates
        Shape (n_nodes, n_columns); ignored where the variance is infinite.
    learned
        Gains of these variances, if they are known already.
    out
        Where to put the values, to save the time of a fresh allocation.

    Returns
    -------
    values
        Shape (n_nodes, n_columns), coherent.
    sums
        Shape (nodes above the deepest level, n_columns): sum of each node's children before they take their
        share of its gap.
    """
    values = np.empty(estimates.shape) if out is None else out
    sums = np.empty((int(hierarchy.offsets[-2]), estimates.shape[1]))
    if _compiler_pays(estimates.size):
        from spms_lib.projection.passes import both_passes

        own = np.ascontiguousarray(estimates, dtype=np.float64)
        both_passes(hierarchy.first, hierarchy.offsets, np.ascontiguousarray(variance), own, values, sums)
        return values, sums
    silent = np.isinf(variance)
    own = np.where(silent, 0.0, estimates) if silent.any() else estimates
    learned = learned or gains(hierarchy, variance)
    levels = list(_parents_upwards(hierarchy))
    heard = own[int(hierarchy.offsets[-2]) :]
    kept = [heard]
    for here, _, step in levels:
        total = step @ heard
        sums[here] = total
        mine = learned.gain[here]
        total *= 1.0 - mine
        heard = own[here] * mine
        heard += total
        kept.append(heard)
    values[: len(heard)] = heard
    for (here, under, step), heard in zip(reversed(levels), kept[-2::-1], strict=True):
        gap = values[here] - sums[here]
        owners = np.repeat(np.arange(len(gap)), np.diff(step.indptr))
        place = values[under]
        np.take(gap, owners, axis=0, out=place, mode="clip")
        place *= learned.share[under]
        place += heard
    return values, sums


def _compiler_pays(numbers: int) -> bool:
    if not MAY_COMPILE or numbers <= WORTH_COMPILING:
        return False
    from spms_lib.projection.compiled import COMPILED

    return COMPILED


def posterior(hierarchy: Hierarchy, learned: Gains) -> Floats:
    """Run the downward pass over variances: how uncertain each reconciled value is; infinite where nothing is known."""
    variance = learned.combined.copy()
    for here, under, step in reversed(list(_parents_upwards(hierarchy))):
        share, own = learned.share[under], learned.combined[under]
        above = np.repeat(variance[here], np.diff(step.indptr), axis=0)
        with np.errstate(invalid="ignore"):
            variance[under] = np.where(np.isinf(own), own, own * (1.0 - share) + share**2 * above)
            variance[under] = np.where((share == 0) | np.isinf(own), own, variance[under])
        unknown = np.isinf(own)
        if unknown.any():  # the only silent child is what is left of its parent
            counts = np.diff(step.indptr)
            alone = np.repeat(step @ unknown.astype(np.float64), counts, axis=0) == 1
            others = np.repeat(step @ np.where(unknown, 0.0, own), counts, axis=0)
            variance[under] = np.where(unknown & alone, above + others, variance[under])
    return variance


def prices(hierarchy: Hierarchy, learned: Gains, values: Floats, sums: Floats, pull: Floats) -> Floats:
    """Find what one more unit of a parent would cost its children, in half squared standard errors.

    Where all children are held any price will do, and the parent's own pull decides it.

    Parameters
    ----------
    pull
        Shape (n_nodes, n_columns): (value - estimate) / variance of each node, 0 where it has no estimate.

    Returns
    -------
    Floats
        Shape (n_nodes, n_columns), 0 at leaves.
    """
    price = np.zeros(values.shape)
    inner = len(sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        price[:inner] = (values[:inner] - sums) / learned.below[:inner]
    stiff = (learned.below == 0) & ~hierarchy.is_leaf[:, None]
    price[:inner][~np.isfinite(price[:inner])] = 0.0
    for depth in range(len(hierarchy.offsets) - 2) if stiff.any() else []:
        here = slice(hierarchy.offsets[depth], hierarchy.offsets[depth + 1])
        above = price[hierarchy.parent[here]] if depth else 0.0
        price[here] = np.where(stiff[here], above - pull[here], price[here])
    price[hierarchy.is_leaf] = 0.0
    return price


def adjoint(hierarchy: Hierarchy, learned: Gains, weights: Floats, column: int = 0) -> Floats:
    """Say how a weighted sum of values depends on each node's own number: the passes run backwards.

    Parameters
    ----------
    weights
        Shape (n_nodes, k): k weighted sums of values.
    column
        Column of the gains; 0 where all columns share them.

    Returns
    -------
    Floats
        Shape (n_nodes, k): each sum equals these weights times the nodes' own numbers (the estimate, or what the
        node is held at).
    """
    gain, share = learned.gain[:, [column]], learned.share[:, [column]]
    of_values = weights.astype(np.float64)
    of_sums = np.zeros_like(of_values)  # weight of the sum of a node's children
    levels = list(_parents_upwards(hierarchy))
    for here, under, step in levels:
        through = step @ (share[under] * of_values[under])
        of_values[here] += through
        of_sums[here] -= through
    of_heard = of_values  # a node's number before its share of the gap; complete at the root
    own = np.empty_like(of_values)
    own[:1] = gain[:1] * of_heard[:1]
    of_sums[:1] += (1.0 - gain[:1]) * of_heard[:1]
    for here, under, step in reversed(levels):
        of_heard[under] += np.repeat(of_sums[here], np.diff(step.indptr), axis=0)
        own[under] = gain[under] * of_heard[under]
        of_sums[under] += (1.0 - gain[under]) * of_heard[under]
    return own


def _parents_upwards(hierarchy: Hierarchy) -> Iterator[tuple[slice, slice, sparse.csr_array]]:
    offsets = hierarchy.offsets
    for depth in range(len(offsets) - 3, -1, -1):
        yield (
            slice(offsets[depth], offsets[depth + 1]),
            slice(offsets[depth + 1], offsets[depth + 2]),
            hierarchy.sums[depth],
        )
