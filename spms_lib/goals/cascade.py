"""Cascade: split the company's target over the tree, exactly, around what is held and past what is excluded."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.commitments import commit_tree
from spms_lib.errors import InfeasibleError, NoBasisError
from spms_lib.goals.held import HeldCells, held_cells
from spms_lib.hierarchy import Hierarchy
from spms_lib.money import check_weights
from spms_lib.projection import Problem, solve

Floats = NDArray[np.float64]


def cascade(
    hierarchy: Hierarchy,
    totals: pd.Series,
    weights: pd.DataFrame | pd.Series,
    *,
    holds: pd.DataFrame | None = None,
    gates: pd.Series | None = None,
) -> pd.DataFrame:
    """Split the company's targets over all nodes in proportion to weights, to the cent.

    It is the tree projection with the root held and each leaf's variance proportional
    to its weight. A held node keeps its number and the rest absorb the difference in
    proportion. Zero weight gets zero, unless all leaves that share an amount weigh
    zero: then they share it equally.

    Parameters
    ----------
    totals
        Indexed by period: the company's target in whole minor units.
    weights
        Indexed by leaf, non-negative; one column per period, or a Series for all periods.
    holds
        Columns node, period, value (whole minor units), or None.
    gates
        Indexed by leaf, from 0 (excluded: gets nothing unless held) to 1 (counts in full):
        see `spms_lib.goals.gates`. Leaves not named count in full.

    Returns
    -------
    pd.DataFrame
        Nodes x periods, int64 minor units. Every parent equals the sum of its children,
        the root equals `totals`, and every hold stands.

    Raises
    ------
    NoBasisError
        If a weight is negative or missing, or belongs to something that is not a leaf.
    InfeasibleError
        If holds contradict each other or exceed what is to be split, by name and amount;
        if every leaf that could take an amount is excluded.

    Examples
    --------
    >>> tree = Hierarchy.from_parent_child(
    ...     pd.DataFrame({"node": ["q1", "jan", "feb", "mar"], "parent": [None, "q1", "q1", "q1"]})
    ... )
    >>> held = pd.DataFrame({"node": ["feb"], "period": ["2026Q1"], "value": [20]})
    >>> cascade(tree, pd.Series({"2026Q1": 100}), pd.Series({"jan": 10, "feb": 20, "mar": 30}), holds=held)[
    ...     "2026Q1"
    ... ].to_dict()
    {'q1': 100, 'jan': 20, 'feb': 20, 'mar': 60}
    """
    periods = list(totals.index)
    shares = leaf_array(hierarchy, weights, periods)
    check_weights(shares.min(axis=1), hierarchy.leaves)
    fixed = with_root(held_cells(hierarchy, holds, periods), totals)
    room = gate_array(hierarchy, gates)
    weighed = shares if room is None else shares * room
    return pd.DataFrame(split(hierarchy, fixed, weighed, periods, room), hierarchy.nodes, periods)


def leaf_array(
    hierarchy: Hierarchy,
    weights: pd.DataFrame | pd.Series,
    periods: list[str],
    *,
    not_named: float = np.nan,
) -> Floats:
    """Put weights in the order of the leaves: shape (n_leaves, 1) or (n_leaves, n_periods)."""
    if isinstance(weights, pd.DataFrame):
        values = weights.reindex(columns=periods).to_numpy(dtype=np.float64)
    else:
        values = weights.to_numpy(dtype=np.float64)[:, None]  # one column serves every period
    if weights.index.equals(hierarchy.leaves):
        return values
    place = hierarchy.leaves.get_indexer(weights.index)
    if (place < 0).any() or not weights.index.is_unique:
        strange = weights.index[(place < 0) | weights.index.duplicated()]
        raise NoBasisError(
            f"{len(strange)} weights are of no leaf of this tree or given twice, such as '{strange[0]}'.",
            where="weights",
            remedy="Give every leaf one weight, and nothing else.",
        )
    ordered = np.full((len(hierarchy.leaves), values.shape[1]), not_named)
    ordered[place] = values
    return ordered


def gate_array(hierarchy: Hierarchy, gates: pd.Series | None) -> Floats | None:
    """Put gates in the order of the leaves, shape (n_leaves, 1), and refuse what is no gate."""
    if gates is None:
        return None
    room = leaf_array(hierarchy, gates, [], not_named=1.0)
    wrong = ~((room >= 0) & (room <= 1))[:, 0]
    if wrong.any():
        raise NoBasisError(
            f"The gate of '{hierarchy.leaves[wrong][0]}' is {room[wrong][0, 0]}.",
            where="gates",
            remedy="A gate runs from 0 (excluded) to 1 (counts in full).",
        )
    return room


def with_root(fixed: HeldCells, totals: pd.Series) -> HeldCells:
    """Hold the root at the company's targets; refuse a hold on it that says something else."""
    mask, values, units = fixed.mask.copy(), fixed.values.copy(), totals.to_numpy(dtype=np.int64)
    differs = mask[0] & (values[0] != units)
    if differs.any():
        column = int(np.flatnonzero(differs)[0])
        raise InfeasibleError(
            f"The company is held at {values[0, column]:,} in {totals.index[column]}, but its target is "
            f"{units[column]:,} (minor units).",
            where="holds",
            remedy="Change the target or lift the hold.",
        )
    mask[0], values[0] = True, units
    return HeldCells(mask, values)


def split(
    hierarchy: Hierarchy, fixed: HeldCells, shares: Floats, periods: list[str], room: Floats | None = None
) -> NDArray[np.int64]:
    """Split what is held at the top over the leaves by their shares, around everything else that is held.

    Parameters
    ----------
    fixed
        Held cells, the root among them.
    shares
        Shape (n_leaves, 1) or (n_leaves, n_periods), non-negative; the excluded have none.
    room
        Shape (n_leaves, 1): weights where all that share an amount weigh zero; 0 for the excluded.
        None: they share equally and nobody is excluded.
    """
    mask, estimates = fixed.mask, fixed.values.astype(np.float64)
    alike = bool((mask == mask[:, :1]).all())  # the same nodes are held in every period
    if room is not None or mask[1:].any():
        known = mask[:, :1] if alike and shares.shape[1] == 1 else mask
        shares = np.broadcast_to(shares, (len(shares), known.shape[1]))
        shares = _equal_where_all_weigh_zero(hierarchy, fixed, known, shares, room, periods)
    else:
        shares = np.where(shares.sum(axis=0) == 0, 1.0, shares)
    variance = np.full((len(hierarchy), shares.shape[1]), np.inf)
    variance[hierarchy.is_leaf] = shares / np.maximum(shares.max(axis=0), 1e-300)
    variance[mask if shares.shape[1] == len(periods) else mask[:, :1]] = 0.0
    values = solve(hierarchy, Problem(estimates, variance, columns=periods)).values
    if mask[1:].any():
        _refuse_overdrawn(hierarchy, values, fixed, periods)
    return commit_tree(hierarchy, values, held=mask)


def _equal_where_all_weigh_zero(
    hierarchy: Hierarchy,
    fixed: HeldCells,
    held: NDArray[np.bool_],
    shares: Floats,
    room: Floats | None,
    periods: list[str],
) -> Floats:
    """Give leaves equal weights where all free leaves under the same held node weigh zero; the excluded stay out."""
    anchor = np.zeros(held.shape, dtype=np.int64)  # nearest held node above
    for depth in range(1, len(hierarchy.offsets) - 1):
        here = slice(hierarchy.offsets[depth], hierarchy.offsets[depth + 1])
        above = hierarchy.parent[here]
        anchor[here] = np.where(held[above], above[:, None], anchor[above])
    leaf_anchor, free = anchor[hierarchy.is_leaf], ~held[hierarchy.is_leaf]
    spare = np.ones((len(shares), 1)) if room is None else room
    weights = shares.copy()
    for column in range(held.shape[1]):
        under = leaf_anchor[:, column]
        count = len(hierarchy)
        sums = np.bincount(under, weights=shares[:, column] * free[:, column], minlength=count)
        empty = (sums[under] == 0) & free[:, column]
        weights[empty, column] = spare[empty, 0]
        if room is not None:
            takers = np.bincount(under, weights=spare[:, 0] * free[:, column], minlength=count)
            shut = np.zeros(count, dtype=bool)
            shut[under[free[:, column]]] = True
            shut &= takers == 0
            _refuse_excluded(
                hierarchy, fixed, anchor[:, column], held[:, column], shut, column, held.shape[1], periods
            )
    return weights


def _refuse_excluded(
    hierarchy: Hierarchy,
    fixed: HeldCells,
    anchor: NDArray[np.int64],
    held: NDArray[np.bool_],
    shut: NDArray[np.bool_],
    column: int,
    columns: int,
    periods: list[str],
) -> None:
    """Refuse gates that leave nobody to take what a node has to give."""
    if not shut.any():
        return
    left = np.where(held[:, None], fixed.values, 0)
    below = np.flatnonzero(held)[1:]
    np.subtract.at(left, anchor[below], fixed.values[below])
    mine = left[:, [column]] if columns == len(periods) else left
    wrong = shut[:, None] & (mine != 0)
    if wrong.any():
        row, at = np.argwhere(wrong)[0]
        period = periods[column if columns == len(periods) else int(at)]
        raise InfeasibleError(
            f"Every free leaf below '{hierarchy.nodes[row]}' is excluded, but {mine[row, at]:,} (minor units) are to "
            f"be shared there in {period}.",
            where="gates",
            remedy=f"Open a gate below '{hierarchy.nodes[row]}', or change its target or hold.",
        )


def _refuse_overdrawn(hierarchy: Hierarchy, values: Floats, fixed: HeldCells, periods: list[str]) -> None:
    """Refuse holds that leave their neighbours less than nothing."""
    noise = 1e-9 * np.abs(values[0]) + 1e-6
    below = (values < -noise) & ~fixed.mask & (fixed.values[0] >= 0)
    below &= ~(fixed.mask & (fixed.values < 0)).any(axis=0)
    if below.any():
        row, column = np.argwhere(below)[0]
        above = hierarchy.nodes[hierarchy.parent[row]]
        raise InfeasibleError(
            f"The holds at and around '{above}' exceed its target in {periods[column]}: '{hierarchy.nodes[row]}' would "
            f"get {values[row, column]:,.0f} (minor units).",
            where="holds",
            remedy=f"Raise the target of '{above}' or lower the holds by {-values[row, column]:,.0f} in all.",
        )
