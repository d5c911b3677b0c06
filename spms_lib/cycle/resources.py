"""Resources of a cycle: what the params offer, given to territories where it brings most, against in proportion."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from spms_lib.cycle.capacity import present_staff
from spms_lib.cycle.desk import Desk
from spms_lib.cycle.outlook import Outlook
from spms_lib.errors import ParamsError
from spms_lib.goals.proportion import against_proportional
from spms_lib.goals.resources import AVAILABLE, COST, WHOLE, Allocation, allocate
from spms_lib.goals.response import (
    RESOURCE,
    Response,
    breakpoints,
    moved,
    power_response,
    saturating_response,
    value_of,
)
from spms_lib.money import to_minor
from spms_lib.params.resources import Resource
from spms_lib.tables import NAME, NODE

ELASTICITIES = (0.15, 0.31, 0.5)
SHOWN_BUDGET = 10_000


class Given(NamedTuple):
    """How the cycle's resources are best given out, and what that gains.

    Attributes
    ----------
    best
        See `Allocation`.
    table
        Columns node, name, resource, units, proportional (units), cost, added, added_in_proportion, gain, last, next
        (minor units): what the units bring beyond doing nothing, in the best way and in proportion to targets.
    left_out
        No curve lies further above its straight pieces than this, all territories together (minor units).
    skipped
        Territories without a curve, and why: columns node, name, why.
    curves, kinds
        What was solved: points of the curves, and the resources.
    """

    best: Allocation
    table: pd.DataFrame
    left_out: float
    skipped: pd.DataFrame
    curves: pd.DataFrame
    kinds: pd.DataFrame


def resource_allocation(
    desk: Desk, outlook: Outlook, targets: pd.DataFrame, *, elasticity: float | None = None
) -> Given | None:
    """Give out the resources of the params over territories by marginal return; None where the params offer none.

    A territory's curve passes through what can be expected with the heads that it has. Heads follow the stated
    elasticity; anything else adds to sales up to its saturation.

    Parameters
    ----------
    targets
        Nodes x months: the weights of the split in proportion.
    elasticity
        Used instead of every stated elasticity, to ask how much hangs on it.
    """
    offered = desk.params.resources
    if offered is None:
        return None
    level = offered.level or desk.review_level
    if level not in desk.tree.level_names:
        raise ParamsError(
            f"There is no level '{level}'.",
            where="resources, level",
            remedy=f"Use one of {', '.join(desk.tree.level_names)}.",
        )
    ground, skipped = _ground(desk, outlook, desk.tree.at_level(level))
    if ground.empty:
        raise ParamsError(
            f"Nothing can be expected of any {level}, so nothing says what a further unit would bring.",
            where="resources",
            remedy="Choose another level, or take the resources out of the params.",
        )
    kinds = _kinds(desk)
    parts, left_out = [], 0.0
    for item in offered.items:
        most = _maximum(
            item, to_minor(offered.budget, desk.per_unit) if offered.budget is not None else None, desk
        )
        for row in ground.to_dict("records"):
            curve = _curve(item, float(row["expected"]), float(row["heads"]), elasticity)
            points, missed = breakpoints(
                curve, str(row[NODE]), item.resource, lower=item.minimum, upper=most, whole=item.whole
            )
            parts.append(points)
            left_out += missed
    curves = pd.concat(parts, ignore_index=True)
    budget = None if offered.budget is None else float(to_minor(offered.budget, desk.per_unit))
    best = allocate(curves, kinds, budget=budget)
    weights = targets.loc[ground[NODE], desk.months].sum(axis=1).astype(float)
    compared = against_proportional(curves, kinds, best, weights)
    table = _table(desk, ground, best, compared)
    return Given(best, table, left_out, skipped, curves, kinds)


def offered_table(desk: Desk) -> pd.DataFrame:
    """Show what the params offer: resource, cost (minor units per unit), available, response, source."""
    columns = [RESOURCE, COST, AVAILABLE, "response", "source"]
    if desk.params.resources is None:
        return pd.DataFrame(columns=columns)
    rows = [
        (item.resource, to_minor(item.cost, desk.per_unit), item.available, _in_words(item), item.source)
        for item in desk.params.resources.items
    ]
    return pd.DataFrame(rows, columns=columns)


def sensitivity(desk: Desk, outlook: Outlook, targets: pd.DataFrame, given: Given) -> pd.DataFrame:
    """Ask what the chosen allocation gains on the split in proportion if the true elasticity is another.

    Returns
    -------
    pd.DataFrame
        Columns elasticity, gain (of the allocation chosen, minor units), gain_if_known (of the best one then).
    """
    rows = []
    for elasticity in ELASTICITIES:
        other = resource_allocation(desk, outlook, targets, elasticity=elasticity)
        assert other is not None
        units = given.table[[NODE, RESOURCE]]
        chosen = value_of(other.curves, units.assign(units=given.table["units"]))
        even = value_of(other.curves, units.assign(units=given.table["proportional"]))
        rows.append((elasticity, chosen - even, other.best.sales - even))
    return pd.DataFrame(rows, columns=["elasticity", "gain", "gain_if_known"])


def resource_sentences(desk: Desk, given: Given) -> list[str]:
    """Say what the resources bring, what that gains on a split by target, and what a further euro would bring."""
    added, even = given.table["added"].sum(), given.table["added_in_proportion"].sum()
    what = f"Given out by marginal return, {desk.money(given.best.spent)} of resources add **{desk.money(added)}** to "
    what += f"what can be expected; the same units in proportion to targets add {desk.money(even)}: "
    lines = [f"{what}a gain of **{desk.money(added - even)}** in sales, before margin."]
    if not np.isnan(given.best.budget_price):
        more = SHOWN_BUDGET * desk.per_unit
        brought = desk.money(given.best.budget_price * more)
        lines.append(f"A further {desk.money(more)} of budget would bring about {brought} of sales.")
    if len(given.skipped):
        lines.append(f"Left out, for want of a curve: {', '.join(map(str, given.skipped[NAME]))}.")
    return lines


def within_limits(desk: Desk, given: Given) -> bool:
    """Tell whether an allocation keeps to the budget, to what is available, and to whole units."""
    offered = desk.params.resources
    assert offered is not None
    spent = float(given.table["cost"].sum())
    fits = offered.budget is None or spent <= to_minor(offered.budget, desk.per_unit) + 0.5
    for item in offered.items:
        units = given.table.loc[given.table[RESOURCE] == item.resource, "units"]
        fits &= item.available is None or units.sum() <= item.available + 1e-6
        fits &= bool((units >= item.minimum - 1e-6).all())
        fits &= not item.whole or bool(np.isclose(units % 1.0, 0.0).all())
    return bool(fits)


def _ground(desk: Desk, outlook: Outlook, nodes: pd.Index) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Find what can be expected of each territory and with how many heads: the point its curve passes through."""
    staff = present_staff(desk)
    if staff is None:
        sold = outlook.expected[desk.tree.leaves].notna().astype(float)
        heads = desk.tree.roll_up(sold.to_frame("heads"))["heads"]
    else:
        heads = desk.rolled_up(staff.heads[staff.planned].mean(axis=1).to_frame("heads"))["heads"]
    table = pd.DataFrame({NODE: nodes, "expected": outlook.expected[nodes], "heads": heads[nodes]})
    why = pd.Series("", index=table.index, dtype="object").mask(~(table["heads"] > 0), "nobody sits there")
    why = why.mask(~(table["expected"] > 0), "nothing can be expected")
    named = table.assign(name=table[NODE].map(desk.tree.name), why=why)
    kept, skipped = named[named["why"] == ""], named[named["why"] != ""]
    return kept.reset_index(drop=True), skipped[[NODE, NAME, "why"]].reset_index(drop=True)


def _kinds(desk: Desk) -> pd.DataFrame:
    assert desk.params.resources is not None
    rows = [
        (item.resource, float(to_minor(item.cost, desk.per_unit)), item.available, item.whole)
        for item in desk.params.resources.items
    ]
    return pd.DataFrame(rows, columns=[RESOURCE, COST, AVAILABLE, WHOLE]).astype({AVAILABLE: "float64"})


def _maximum(item: Resource, budget: int | None, desk: Desk) -> float:
    """Find the most units that one territory can take: stated, available, or what the whole budget buys."""
    limits = [limit for limit in (item.maximum, item.available) if limit is not None]
    if budget is not None and item.cost > 0:
        limits.append(budget / to_minor(item.cost, desk.per_unit))
    most = min(limits)
    return max(float(np.floor(most + 1e-9)) if item.whole else most, item.minimum)


def _curve(item: Resource, expected: float, heads: float, elasticity: float | None) -> Response:
    if item.elasticity is not None:
        return moved(power_response(expected, heads, elasticity or item.elasticity), heads)
    assert item.saturation is not None
    assert item.half_at is not None
    return saturating_response(expected * item.saturation, item.half_at * heads)


def _in_words(item: Resource) -> str:
    if item.elasticity is not None:
        return f"sales grow with heads to the power {item.elasticity:g}"
    return f"up to {item.saturation:.1%} of sales, half of it at {item.half_at:g} units per head"


def _table(desk: Desk, ground: pd.DataFrame, best: Allocation, compared: pd.DataFrame) -> pd.DataFrame:
    """Put units, money and margins side by side; `added` is beyond the curve at no units at all."""
    keys = [NODE, RESOURCE]
    joined = best.table.merge(compared[[*keys, "proportional", "proportional_sales", "gain"]], on=keys)
    heads = {item.resource for item in _items(desk) if item.elasticity is not None}
    start = joined[NODE].map(ground.set_index(NODE)["expected"]).where(joined[RESOURCE].isin(heads), 0.0)
    return joined.assign(
        **{NAME: joined[NODE].map(desk.tree.name)},
        added=joined["sales"] - start + 0.0,
        added_in_proportion=joined["proportional_sales"] - start + 0.0,
    )[
        [
            NODE,
            NAME,
            RESOURCE,
            "units",
            "proportional",
            "cost",
            "added",
            "added_in_proportion",
            "gain",
            "last",
            "next",
        ]
    ].sort_values([RESOURCE, "units"], ascending=[False, False], kind="stable", ignore_index=True)


def _items(desk: Desk) -> tuple[Resource, ...]:
    return desk.params.resources.items if desk.params.resources is not None else ()
