"""Waterfall: the cascade level by level, each level with its own drivers and adjusted before the next."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.errors import NoBasisError
from spms_lib.goals.cascade import Floats, gate_array, leaf_array, split, with_root
from spms_lib.goals.held import HeldCells, held_cells
from spms_lib.hierarchy import Hierarchy
from spms_lib.money import check_weights
from spms_lib.tables import NODE, PERIOD

STEPS = ["level", NODE, PERIOD, "before", "after", "held"]


def cascade_by_level(
    hierarchy: Hierarchy,
    totals: pd.Series,
    weights: pd.DataFrame | pd.Series,
    *,
    weights_by_level: Mapping[str, pd.DataFrame | pd.Series] | None = None,
    holds: pd.DataFrame | None = None,
    gates: pd.Series | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split the company's targets one level at a time, so that each level is settled before the next is looked at.

    Regions are set, adjusted by holds and fixed; then teams within each region; and so on.
    What is above never moves again. With no holds and no weights of its own at any level it
    is `cascade` but for the rounding at each level, less than a minor unit a level.

    Parameters
    ----------
    totals, weights, gates
        As in `cascade`. A level without weights of its own has those of its leaves, added up.
    weights_by_level
        Level: weights of its nodes against their siblings, as a Series or a column per period.
        Nodes whose leaves are partly excluded count with the part that is not.
    holds
        Columns node, period, value: a hold is an adjustment of its own level. Its siblings
        absorb the difference; other branches do not.

    Returns
    -------
    pd.DataFrame
        Nodes x periods, int64, as from `cascade`.
    pd.DataFrame
        Columns level, node, period, before (as the level's weights gave it), after, held: one row
        for each number that an adjustment of its level set or moved.

    Raises
    ------
    NoBasisError
        If a level or a node is unknown, or a weight is negative or missing.
    InfeasibleError
        As in `cascade`, with the level's parent in place of the company.

    Examples
    --------
    >>> tree = Hierarchy.from_parent_child(pd.DataFrame({"node": ["co", "north", "south", "anna", "ben"],
    ...     "parent": [None, "co", "co", "north", "north"], "level": ["company", "region", "region", "seat", "seat"]}))
    >>> weights = pd.Series({"south": 2, "anna": 1, "ben": 1})
    >>> held = pd.DataFrame({"node": ["north"], "period": ["p"], "value": [60]})
    >>> values, steps = cascade_by_level(tree, pd.Series({"p": 100}), weights, holds=held)
    >>> values["p"].to_dict()
    {'co': 100, 'north': 60, 'south': 40, 'anna': 30, 'ben': 30}
    >>> steps[["node", "before", "after"]].values.tolist()
    [['north', 50, 60], ['south', 50, 40]]
    """
    periods = list(totals.index)
    shares = leaf_array(hierarchy, weights, periods)
    check_weights(shares.min(axis=1), hierarchy.leaves)
    room = gate_array(hierarchy, gates)
    open_leaves = np.ones((len(shares), 1)) if room is None else room
    by_node, room_below = _node_shares(hierarchy, shares, open_leaves, weights_by_level or {}, periods)
    fixed = with_root(held_cells(hierarchy, holds, periods), totals)
    units, steps = fixed.values.copy(), [pd.DataFrame(columns=STEPS)]
    for depth in range(1, len(hierarchy.offsets) - 1):
        top = hierarchy.down_to(depth)
        known, count = int(hierarchy.offsets[depth]), len(top)
        settled = np.zeros((count, len(periods)), dtype=bool)
        settled[:known] = True
        free = HeldCells(settled, np.where(settled, units[:count], 0))
        given = by_node[:count][top.is_leaf], periods, room_below[:count][top.is_leaf]
        before = after = split(top, free, *given)
        if fixed.mask[known:count].any():
            mask = settled | fixed.mask[:count]
            after = split(top, HeldCells(mask, np.where(mask, units[:count], 0)), *given)
            steps.append(_moved(top, known, before, after, fixed.mask[:count], periods))
        units[:count] = after
    return pd.DataFrame(units, hierarchy.nodes, periods), pd.concat(steps[1:] or steps, ignore_index=True)


def _node_shares(
    hierarchy: Hierarchy,
    shares: Floats,
    room: Floats,
    own: Mapping[str, pd.DataFrame | pd.Series],
    periods: list[str],
) -> tuple[Floats, Floats]:
    """Weigh every node: the sum of its leaves, or what its level says, without what is excluded below it.

    Returns the weights, and the open leaves below each node, which count where all siblings weigh zero.
    """
    whole = hierarchy.roll_up_array(shares).astype(np.float64)
    kept = hierarchy.roll_up_array(shares * room).astype(np.float64)
    leaves = hierarchy.roll_up_array(room).astype(np.float64)
    part = np.divide(kept, whole, out=(leaves > 0).astype(np.float64) * np.ones_like(whole), where=whole > 0)
    wide = any(isinstance(weights, pd.DataFrame) for weights in own.values())
    answer = np.repeat(whole, len(periods), axis=1) if wide and whole.shape[1] == 1 else whole.copy()
    strange = [level for level in own if level not in hierarchy.level_names[1:]]
    if strange:
        raise NoBasisError(
            f"There is no level '{strange[0]}' below the company.",
            where="weights_by_level",
            remedy=f"Known levels: {', '.join(hierarchy.level_names[1:])}.",
        )
    for level, weights in own.items():
        nodes = hierarchy.at_level(level)
        answer[hierarchy.nodes.get_indexer(nodes)] = _of_level(nodes, weights, periods, level)
    return answer * part, leaves


def _of_level(
    nodes: pd.Index, weights: pd.DataFrame | pd.Series, periods: list[str], level: str
) -> NDArray[np.float64]:
    frame = weights.to_frame() if isinstance(weights, pd.Series) else weights.reindex(columns=periods)
    strange = frame.index.difference(nodes)
    if len(strange):
        raise NoBasisError(
            f"'{strange[0]}' has a weight, but is no node of the level '{level}'.",
            where="weights_by_level",
            remedy="Give every node of the level one weight, and nothing else.",
        )
    values = frame.reindex(nodes).to_numpy(dtype=np.float64)
    check_weights(values.min(axis=1), nodes)
    return values


def _moved(
    top: Hierarchy,
    known: int,
    before: NDArray[np.int64],
    after: NDArray[np.int64],
    held: NDArray[np.bool_],
    periods: list[str],
) -> pd.DataFrame:
    """List the numbers below `known` that adjustments set or moved."""
    rows, columns = np.nonzero((before != after) | held)
    rows, columns = rows[rows >= known], columns[rows >= known]
    return pd.DataFrame(
        {
            "level": top.level.to_numpy()[rows],
            NODE: top.nodes[rows],
            PERIOD: np.array(periods, dtype=object)[columns],
            "before": before[rows, columns],
            "after": after[rows, columns],
            "held": held[rows, columns],
        }
    )
