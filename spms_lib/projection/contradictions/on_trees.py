"""Contradictions on a tree: what a node can be is an interval, and one pass from the leaves up decides."""

import math
from typing import NamedTuple

import numpy as np

from spms_lib.hierarchy import Hierarchy
from spms_lib.projection.contradictions.limits import (
    ABSOLUTE,
    HOLD,
    LOWER,
    RELATIVE,
    UPPER,
    Bools,
    Contradiction,
    Floats,
    Limit,
    Positions,
    check_limits,
    limit_at,
    own_pair,
    tolerance,
)


def tree_contradictions(hierarchy: Hierarchy, lower: Floats, upper: Floats) -> list[Contradiction]:
    """Find the limits on a tree that no plan can meet, whose parents equal the sum of their children.

    Only the deepest contradicted nodes are reported, at most one contradiction per node
    and column: what fails above them may be their doing. Limits may miss each other by
    1e-6 minor units and 1e-12 of their size.

    Parameters
    ----------
    lower, upper
        Shape (n_nodes, n_columns), in the order of `hierarchy.nodes`, minor units; -inf and +inf
        where there is no bound. Equal values are a hold.

    Returns
    -------
    list[Contradiction]
        By column, then in the order of the tree; empty if a plan exists. Of the limits
        below a node, those higher up are preferred while the contradiction stands, for they
        are fewer; the very fewest are not sought beyond that.

    Raises
    ------
    TableError
        If the shapes differ, or a bound is NaN or infinite on the wrong side.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"node": ["north", "anna", "ben"], "parent": [None, "north", "north"]})
    >>> tree = Hierarchy.from_parent_child(table)
    >>> lower, upper = np.array([[-np.inf], [40.0], [20.0]]), np.array([[50.0], [40.0], [np.inf]])
    >>> [found] = tree_contradictions(tree, lower, upper)
    >>> [(str(tree.nodes[limit.position]), limit.kind, limit.value) for limit in found.members]
    [('north', 'upper', 50.0), ('anna', 'hold', 40.0), ('ben', 'lower', 20.0)]
    >>> found.excess
    10.0
    """
    check_limits(lower, upper, (len(hierarchy), lower.shape[-1]))
    reach = _reach(hierarchy, lower, upper)
    nodes, columns = _deepest(hierarchy, reach.apart)
    return [
        _at_node(hierarchy, lower, upper, reach, node, column)
        for node, column in zip(nodes.tolist(), columns.tolist(), strict=True)
    ]


class _Reach(NamedTuple):
    """What every node can be, given the limits on it and below it.

    Attributes
    ----------
    low, high
        Shape (n_nodes, n_columns), low <= high everywhere: where the two contradict each
        other, low gives way, so that rounding never adds up to a contradiction further up.
    apart
        Shape (n_nodes, n_columns): True where they contradict each other.
    """

    low: Floats
    high: Floats
    apart: Bools


class _Side(NamedTuple):
    """Limits below a node that push it one way, mirrored so that they are always floors.

    Attributes
    ----------
    sign
        1.0 for lower bounds, -1.0 for upper bounds.
    own, implied
        One array per level below the node, sign applied: its bounds, and what they imply.
    """

    sign: float
    own: list[Floats]
    implied: list[Floats]


def _reach(hierarchy: Hierarchy, lower: Floats, upper: Floats) -> _Reach:
    """Combine bounds from the leaves up.

    No infinity needs counting: lower limits are only ever infinite downwards and upper limits
    upwards, so like is added to like, and a sparse product touches stored entries only.
    """
    low, high = np.array(lower, dtype=np.float64, order="C"), np.array(upper, dtype=np.float64, order="C")
    apart = np.zeros(low.shape, dtype=bool)
    offsets = hierarchy.offsets
    for depth in range(len(offsets) - 2, -1, -1):
        here = slice(offsets[depth], offsets[depth + 1])
        if depth < len(offsets) - 2:
            under = slice(offsets[depth + 1], offsets[depth + 2])
            leaf = hierarchy.is_leaf[here]
            for limits, silent, tighter in ((low, -np.inf, np.maximum), (high, np.inf, np.minimum)):
                total = hierarchy.sums[depth] @ limits[under]
                total[leaf] = silent
                tighter(limits[here], total, out=limits[here])
        _settle(low[here], high[here], apart[here])
    return _Reach(low, high, apart)


def _settle(low: Floats, high: Floats, apart: Bools) -> None:
    """Mark where limits miss each other, and let low give way there, both in place."""
    crossed = np.nonzero(low > high)
    if len(crossed[0]):
        one, other = low[crossed], high[crossed]
        size = np.maximum(np.abs(one), np.abs(other))
        apart[crossed] = one - other > ABSOLUTE + RELATIVE * size
        low[crossed] = other


def _deepest(hierarchy: Hierarchy, apart: Bools) -> tuple[Positions, Positions]:
    """Find contradicted nodes with none below them, by column and then in the order of the tree."""
    deepest = apart.copy()
    nodes, columns = np.nonzero(apart)
    while len(nodes):
        above = hierarchy.parent[nodes]
        nodes, columns = above[above >= 0], columns[above >= 0]
        deepest[nodes, columns] = False
    columns, nodes = np.nonzero(deepest.T)
    return nodes, columns


def _at_node(
    hierarchy: Hierarchy, lower: Floats, upper: Floats, reach: _Reach, node: int, column: int
) -> Contradiction:
    """Name the limits that meet at one node: its own two, or one of them and enough below it."""
    floor, cap = float(lower[node, column]), float(upper[node, column])
    if floor - cap > tolerance(floor, cap):
        return own_pair(node, column, floor, cap, node=node)
    levels = _levels_below(hierarchy.first, node)
    least = float(reach.low[levels[0], column].sum())
    most = float(reach.high[levels[0], column].sum())
    if least - cap > floor - most:
        side = _side(1.0, lower, reach.low, levels, column)
        own, spare = Limit(node, UPPER, cap), least - cap - tolerance(least, cap)
    else:
        side = _side(-1.0, upper, reach.high, levels, column)
        own, spare = Limit(node, LOWER, floor), floor - most - tolerance(floor, most)
    if floor == cap:
        own = Limit(node, HOLD, cap)
    cover = _cover(hierarchy.first, levels, side, spare)
    total = math.fsum((lower if side.sign > 0 else upper)[cover, column].tolist())
    return Contradiction(
        column,
        (own, *(limit_at(lower, upper, place, column, side.sign) for place in cover.tolist())),
        side.sign * (total - own.value),
        node,
        of_children=bool(len(cover) == levels[0].stop - levels[0].start and cover[-1] < levels[0].stop),
    )


def _levels_below(first: Positions, node: int) -> list[slice]:
    """Find the nodes below one node, level by level; those of one level lie side by side."""
    levels, start, stop = [], int(first[node]), int(first[node + 1])
    while start < stop:
        levels.append(slice(start, stop))
        start, stop = int(first[start]), int(first[stop])
    return levels


def _side(sign: float, bounds: Floats, implied: Floats, levels: list[slice], column: int) -> _Side:
    return _Side(
        sign,
        [sign * bounds[level, column] for level in levels],
        [sign * implied[level, column] for level in levels],
    )


def _cover(first: Positions, levels: list[slice], side: _Side, spare: float) -> Positions:
    """Choose limits that together cover everything below a node, in the order of the tree.

    Each node speaks for itself, or its children speak for it. A node's own limit is taken
    where nothing below it says more, or where what it says less (the loss) can be spared.
    Any such cover is irreducible: without one member, that branch could be anything.

    Parameters
    ----------
    spare
        Minor units by which the limits below may be weaker and still contradict the node.
    """
    sizes = _cover_sizes(first, levels, side)
    spoken: list[Positions] = []
    asked = np.ones(levels[0].stop - levels[0].start, dtype=bool)
    for level, own, implied, size in zip(levels, side.own, side.implied, sizes, strict=True):
        here = np.flatnonzero(asked)
        loss = implied[here] - own[here]
        taken = _affordable(loss, size[here] - 1, spare)
        spare -= float(np.maximum(loss[taken], 0.0).sum())
        spoken.append(level.start + here[taken])
        asked[here[taken]] = False
        asked = np.repeat(asked, np.diff(first[level.start : level.stop + 1]))
        if not asked.any():
            break
    return np.concatenate(spoken)


def _cover_sizes(first: Positions, levels: list[slice], side: _Side) -> list[Positions]:
    """Count, for each node, the limits it takes to say all that is implied of it."""
    sizes: list[Positions] = []
    below: Positions = np.zeros(0, dtype=np.int64)
    for level, own, implied in zip(levels[::-1], side.own[::-1], side.implied[::-1], strict=True):
        ends = first[level.start : level.stop + 1]
        of_children = np.diff(np.concatenate([[0], np.cumsum(below)])[ends - ends[0]])
        below = np.where(own >= implied, 1, of_children)
        sizes.append(below)
    return sizes[::-1]


def _affordable(loss: Floats, saved: Positions, spare: float) -> Bools:
    """Choose whose own limits to take: all that lose nothing, then those that save most per loss."""
    taken = loss <= 0.0
    open_to = np.flatnonzero(~taken & (loss <= spare) & (saved > 0))
    for candidate in open_to[np.argsort(loss[open_to] / saved[open_to], kind="stable")]:
        if loss[candidate] <= spare:
            taken[candidate] = True
            spare -= float(loss[candidate])
    return taken
