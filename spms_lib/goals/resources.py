"""Resources: heads, budget and tools given to territories where the next unit brings most, against in proportion."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.errors import CheckError, InfeasibleError, TableError
from spms_lib.goals.response import RESOURCE, SALES, UNITS, need_concave, sales_at
from spms_lib.tables import NODE, need

Floats = NDArray[np.float64]

COST, AVAILABLE, WHOLE = "cost", "available", "whole"
WITHIN: Final = 1e-9  # of an amount, by which floats may miss it


@dataclass(frozen=True)
class Allocation:
    """How resources fall on territories, what that brings, and what more would bring.

    Attributes
    ----------
    table
        Columns node, resource, units, cost, sales (minor units), last (what the last unit brings, missing at the
        minimum), next (what one more would bring, missing at the maximum); per unit of the resource.
    sales
        Expected sales of all territories.
    spent
        Cost of all units, minor units.
    bound
        No allocation within the limits can bring more: the optimum if units could be split.
    budget_price
        What a further minor unit of budget would bring, if units could be split; missing without a budget.
    resource_prices
        By resource: what one more unit available would bring, if units could be split.
    """

    table: pd.DataFrame
    sales: float
    spent: float
    bound: float
    budget_price: float
    resource_prices: pd.Series

    def units(self, resource: str) -> pd.Series:
        """Units of one resource by territory."""
        rows = self.table[self.table[RESOURCE] == resource]
        return rows.set_index(NODE)[UNITS]


def allocate(curves: pd.DataFrame, resources: pd.DataFrame, *, budget: float | None = None) -> Allocation:
    """Give out resources so that the territories together sell most.

    Maximises the sum of the curves subject to what is available of each resource and to one budget for all; solved as
    an integer program by HiGHS, exactly (up to the pieces of curves that are not of whole units). Curves of several
    resources in one territory add up: what they do to each other is not modelled.

    Parameters
    ----------
    curves
        Columns node, resource, units, sales: points of a concave response, joined by straight lines. The first point
        of a territory is its minimum, the last its maximum.
    resources
        Columns resource, cost (minor units per unit), available (units; missing for no limit), whole (True: only whole
        units are given out; points must then lie at whole units above the minimum).
    budget
        Minor units for all resources together; None for no limit.

    Raises
    ------
    InfeasibleError
        If the minimums need more than is available or more than the budget, with the amount.
    TableError
        If a curve bends upwards or names an unknown resource.

    Examples
    --------
    >>> points = [("north", 0, 0), ("north", 1, 50), ("north", 2, 80), ("south", 0, 0), ("south", 1, 40), ("south", 2, 60)]
    >>> curves = pd.DataFrame(points, columns=["node", "units", "sales"]).assign(resource="heads")
    >>> kinds = pd.DataFrame({"resource": ["heads"], "cost": [10], "available": [3], "whole": [True]})
    >>> allocate(curves, kinds).units("heads").to_dict()
    {'north': 2.0, 'south': 1.0}
    """
    need(resources, [RESOURCE, COST, AVAILABLE, WHOLE], "resources")
    need_concave(curves)
    kinds = resources.set_index(RESOURCE)
    strange = sorted(set(curves[RESOURCE]) - set(kinds.index))
    if strange:
        raise TableError(
            f"A curve is for '{strange[0]}', which is no resource.",
            where="response curves",
            remedy=f"Known: {', '.join(map(str, kinds.index))}.",
        )
    pieces = _pieces(curves)
    low = _minimums(curves)
    _refuse_split(pieces, kinds)
    _refuse_impossible(low, kinds, budget)
    solved = _solve(pieces, low, kinds, budget)
    return _allocation(curves, low, pieces.assign(taken=solved[0]), kinds, solved[1:])


def _pieces(curves: pd.DataFrame) -> pd.DataFrame:
    """Cut the curves into pieces: node, resource, width (units), slope (sales per unit)."""
    ordered = curves.sort_values([UNITS], kind="stable")
    gone = ordered.groupby([NODE, RESOURCE], sort=False)[[UNITS, SALES]].diff()
    inner = gone[UNITS] > 0
    width = gone.loc[inner, UNITS]
    return (
        ordered.loc[inner, [NODE, RESOURCE]]
        .assign(width=width, slope=gone.loc[inner, SALES] / width)
        .reset_index(drop=True)
    )


def _minimums(curves: pd.DataFrame) -> pd.DataFrame:
    first = curves.groupby([NODE, RESOURCE], sort=False)[UNITS].idxmin()
    return curves.loc[first, [NODE, RESOURCE, UNITS, SALES]].reset_index(drop=True)


def _refuse_split(pieces: pd.DataFrame, kinds: pd.DataFrame) -> None:
    """Whole units need points at whole units above the minimum."""
    split = pieces[RESOURCE].map(kinds[WHOLE]).astype(bool) & ((pieces["width"] % 1.0) != 0)
    if split.any():
        row = pieces[split].iloc[0]
        raise TableError(
            f"The curve of '{row[NODE]}' has points {row['width']:g} units of '{row[RESOURCE]}' apart.",
            where="response curves",
            remedy="Give points at whole units above the minimum, or say that units can be split.",
        )


def _refuse_impossible(low: pd.DataFrame, kinds: pd.DataFrame, budget: float | None) -> None:
    needed = low.groupby(RESOURCE, sort=False)[UNITS].sum()
    available = kinds[AVAILABLE]
    for resource, units in needed.items():
        there = available[str(resource)]
        if pd.notna(there) and units > float(there) * (1 + WITHIN):
            most = low[low[RESOURCE] == resource].nlargest(1, UNITS).iloc[0]
            raise InfeasibleError(
                f"The minimums of '{resource}' need {units:g} units, but {float(there):g} are available; "
                f"the largest is {most[UNITS]:g} of '{most[NODE]}'.",
                where="resources",
                remedy=f"Lower minimums by {units - float(there):g} units, or make more available.",
            )
    cost = float((needed * kinds[COST].reindex(needed.index).astype(float)).sum())
    if budget is not None and cost > budget * (1 + WITHIN):
        raise InfeasibleError(
            f"The minimums cost {cost:,.0f}, but the budget is {budget:,.0f} (minor units).",
            where="resources",
            remedy=f"Lower minimums or raise the budget by {cost - budget:,.0f}.",
        )


def _solve(
    pieces: pd.DataFrame, low: pd.DataFrame, kinds: pd.DataFrame, budget: float | None
) -> tuple[Floats, float, float, pd.Series]:
    """Fill the pieces: units taken of each, the bound, the price of the budget, and those of the resources."""
    from scipy.optimize import Bounds, LinearConstraint, linprog, milp

    names = [str(name) for name in kinds.index]
    if pieces.empty:
        return np.zeros(0), 0.0, 0.0 if budget is not None else np.nan, pd.Series(0.0, index=names)
    cost = pieces[RESOURCE].map(kinds[COST]).to_numpy(float)
    start = low.groupby(RESOURCE)[UNITS].sum().reindex(names).fillna(0.0)
    free = kinds[AVAILABLE].astype(float) - start
    limited = [name for name in names if pd.notna(free[name])]
    rows = [(pieces[RESOURCE] == name).to_numpy(float) for name in limited]
    ends = [max(float(free[name]), 0.0) for name in limited]
    if budget is not None:
        rows.append(cost)
        ends.append(max(budget - float((start * kinds[COST].astype(float)).sum()), 0.0))
    gain, width = pieces["slope"].to_numpy(float), pieces["width"].to_numpy(float)
    scale = float(np.abs(gain).max()) or 1.0
    whole = pieces[RESOURCE].map(kinds[WHOLE]).to_numpy(bool)
    limits = [LinearConstraint(np.array(rows), ub=np.array(ends))] if rows else []
    found = milp(
        -gain / scale,
        integrality=whole.astype(int),
        bounds=Bounds(0.0, width),
        constraints=limits,
        options={"mip_rel_gap": 0.0},
    )
    relaxed = linprog(
        -gain / scale,
        A_ub=np.array(rows) if rows else None,
        b_ub=np.array(ends) if rows else None,
        bounds=np.column_stack([np.zeros(len(width)), width]),
        method="highs",
    )
    if found.x is None or not relaxed.success:
        raise CheckError(
            f"The solver found no allocation: {found.message}",
            where="resources",
            remedy="Report this: minimums and limits had been checked before.",
        )
    prices = -relaxed.ineqlin.marginals * scale if rows else np.zeros(0)
    by_resource = pd.Series(prices[: len(limited)], index=limited, dtype=float).reindex(names).fillna(0.0)
    taken = np.where(whole, np.rint(found.x), found.x)
    return taken, -relaxed.fun * scale, float(prices[-1]) if budget is not None else np.nan, by_resource


def _allocation(
    curves: pd.DataFrame,
    low: pd.DataFrame,
    pieces: pd.DataFrame,
    kinds: pd.DataFrame,
    solved: tuple[float, float, pd.Series],
) -> Allocation:
    bound, budget_price, prices = solved
    more = pieces.groupby([NODE, RESOURCE], sort=False)["taken"].sum()
    keys = pd.MultiIndex.from_frame(low[[NODE, RESOURCE]])
    units = low[UNITS].to_numpy(float) + more.reindex(keys).fillna(0.0).to_numpy()
    table = low[[NODE, RESOURCE]].assign(**{UNITS: units})
    table[COST] = table[UNITS] * table[RESOURCE].map(kinds[COST]).astype(float)
    table[SALES] = sales_at(curves, table).to_numpy()
    table["last"], table["next"] = _margins(curves, table)
    return Allocation(
        table=table,
        sales=float(table[SALES].sum()),
        spent=float(table[COST].sum()),
        bound=float(low[SALES].sum()) + bound,
        budget_price=budget_price,
        resource_prices=prices,
    )


def _margins(curves: pd.DataFrame, table: pd.DataFrame) -> tuple[list[float], list[float]]:
    """Return the slope of the piece below and of the one above each allocation."""
    points = {key: rows.sort_values(UNITS) for key, rows in curves.groupby([NODE, RESOURCE], sort=False)}
    last, following = [], []
    for node, resource, at in zip(table[NODE], table[RESOURCE], table[UNITS], strict=True):
        units = points[node, resource][UNITS].to_numpy(float)
        slopes = np.diff(points[node, resource][SALES].to_numpy(float)) / np.diff(units)
        place = int(np.searchsorted(units, at - 1e-9))
        after = int(np.searchsorted(units, at + 1e-9, side="right")) - 1
        last.append(float(slopes[place - 1]) if 0 < place <= len(slopes) else np.nan)
        following.append(float(slopes[after]) if 0 <= after < len(slopes) else np.nan)
    return last, following
