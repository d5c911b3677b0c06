"""Cascade: split the company's target over the tree, exactly, around what is held."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.commitments import commit_tree
from spms_lib.errors import InfeasibleError
from spms_lib.hierarchy import Hierarchy
from spms_lib.money import check_weights
from spms_lib.projection import Problem, solve
from spms_lib.tables import NODE, PERIOD, VALUE


def cascade(
    hierarchy: Hierarchy,
    totals: pd.Series,
    weights: pd.DataFrame | pd.Series,
    *,
    holds: pd.DataFrame | None = None,
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

    Returns
    -------
    pd.DataFrame
        Nodes x periods, int64 minor units. Every parent equals the sum of its children,
        the root equals `totals`, and every hold stands.

    Raises
    ------
    NoBasisError
        If a weight is negative or missing.
    InfeasibleError
        If holds contradict each other or exceed what is to be split, by name and amount.

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
    if isinstance(weights, pd.Series):  # one column serves every period
        own = weights if weights.index.equals(hierarchy.leaves) else weights.reindex(hierarchy.leaves)
        shares = own.to_numpy(dtype=np.float64)[:, None]
    else:
        shares = weights.reindex(index=hierarchy.leaves, columns=periods).to_numpy(dtype=np.float64)
    check_weights(shares.min(axis=1), hierarchy.leaves)
    estimates = np.zeros((len(hierarchy), len(periods)))
    held = np.zeros(estimates.shape, dtype=bool)
    estimates[0] = totals.to_numpy(dtype=np.float64)
    held[0] = True
    if holds is not None and len(holds):
        _place_holds(hierarchy, holds, periods, totals, estimates, held)
        shares = np.broadcast_to(shares, (len(shares), len(periods)))
        shares = _share_equally_where_all_weigh_zero(hierarchy, shares, held)
    else:
        shares = np.where(shares.sum(axis=0) == 0, 1.0, shares)
    variance = np.full((len(hierarchy), shares.shape[1]), np.inf)
    variance[hierarchy.is_leaf] = shares / np.maximum(shares.max(axis=0), 1e-300)
    variance[held if shares.shape[1] == len(periods) else held.any(axis=1)] = 0.0
    values = solve(hierarchy, Problem(estimates, variance, columns=periods)).values
    if holds is not None and len(holds):
        _refuse_overdrawn(hierarchy, values, estimates, held, periods)
    return pd.DataFrame(commit_tree(hierarchy, values, held=held), hierarchy.nodes, periods)


def _place_holds(
    hierarchy: Hierarchy,
    holds: pd.DataFrame,
    periods: list[str],
    totals: pd.Series,
    estimates: NDArray[np.float64],
    held: NDArray[np.bool_],
) -> None:
    for row in holds[holds[PERIOD].isin(periods)].to_dict("records"):
        place = hierarchy.position(row[NODE]), periods.index(row[PERIOD])
        value = int(row[VALUE])
        if place[0] == 0 and value != totals.iloc[place[1]]:
            raise InfeasibleError(
                f"The company is held at {value:,} in {periods[place[1]]}, but its target is "
                f"{int(totals.iloc[place[1]]):,} (minor units).",
                where="holds",
                remedy="Change the target or lift the hold.",
            )
        estimates[place], held[place] = value, True


def _share_equally_where_all_weigh_zero(
    hierarchy: Hierarchy, shares: NDArray[np.float64], held: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Give leaves equal weights where all free leaves under the same held node weigh zero."""
    anchor = np.zeros(held.shape, dtype=np.int64)
    for depth in range(1, len(hierarchy.offsets) - 1):
        here = slice(hierarchy.offsets[depth], hierarchy.offsets[depth + 1])
        above = hierarchy.parent[here]
        anchor[here] = np.where(held[above], above[:, None], anchor[above])
    leaf_anchor, free = anchor[hierarchy.is_leaf], ~held[hierarchy.is_leaf]
    weights = shares.copy()
    for column in range(shares.shape[1]):
        sums = np.bincount(
            leaf_anchor[:, column], weights=shares[:, column] * free[:, column], minlength=len(hierarchy)
        )
        empty = sums[leaf_anchor[:, column]] == 0
        weights[empty & free[:, column], column] = 1.0
    return weights


def _refuse_overdrawn(
    hierarchy: Hierarchy,
    values: NDArray[np.float64],
    estimates: NDArray[np.float64],
    held: NDArray[np.bool_],
    periods: list[str],
) -> None:
    """Refuse holds that leave their neighbours less than nothing."""
    noise = 1e-9 * np.abs(values[0]) + 1e-6
    below = (values < -noise) & ~held & (estimates[0] >= 0)
    below &= ~(held & (estimates < 0)).any(axis=0)
    if below.any():
        row, column = np.argwhere(below)[0]
        above = hierarchy.nodes[hierarchy.parent[row]]
        raise InfeasibleError(
            f"The holds at and around '{above}' exceed its target in {periods[column]}: '{hierarchy.nodes[row]}' would "
            f"get {values[row, column]:,.0f} (minor units).",
            where="holds",
            remedy=f"Raise the target of '{above}' or lower the holds by {-values[row, column]:,.0f} in all.",
        )
