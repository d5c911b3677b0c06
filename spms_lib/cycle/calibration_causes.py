"""What this company's compensation plan and its way of setting targets give people for forecasting low or high."""

from fractions import Fraction
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.collect.calibration.causes import Edge, Setting, structural_causes
from spms_lib.cycle.baselines import baseline_values
from spms_lib.cycle.desk import Desk
from spms_lib.cycle.pay import compensation_plan
from spms_lib.cycle.targets import read_targets
from spms_lib.incentives.old_plan import CompensationPlan
from spms_lib.incentives.payout import marginal_rate, payout_ratio
from spms_lib.review.scores import ratio_interval
from spms_lib.tables import NODE, PERIOD, VALUE, to_wide

NEAR: Final = Fraction(1, 10**6)


def causes(desk: Desk) -> pd.DataFrame:
    """List structural causes with their size: see `structural_causes`; no rows where nothing is known."""
    plan = compensation_plan(desk)
    slope, low, high = ratchet(desk)
    setting = Setting(
        edges=edges_of(plan) if plan is not None else (),
        incentive=None if plan is None else typical_incentive(desk, plan),
        ratchet=slope,
        ratchet_low=low,
        ratchet_high=high,
        hardness=hardness(desk),
        target_shown=desk.params.collection.show_target,
    )
    return structural_causes(setting, money=lambda value: desk.money(round(value)))


def edges_of(plan: CompensationPlan) -> tuple[Edge, ...]:
    """Find where the plan's payout jumps or changes its slope: threshold, starts of tiers, and the cap."""
    places = {tier.start for tier in plan.tiers if tier.start > 0}
    if plan.threshold:
        places.add(plan.threshold)
    if (capped := _capped_at(plan)) is not None:
        places.add(capped)
    found = []
    for place in sorted(places):
        below, above = place - NEAR, place + NEAR
        rates = float(marginal_rate(plan, below)), float(marginal_rate(plan, above))
        smooth = NEAR * Fraction(str(rates[0])) + NEAR * Fraction(str(rates[1]))
        jump = payout_ratio(plan, above) - payout_ratio(plan, below) - smooth
        found.append(Edge(float(place), float(jump) if jump > NEAR else 0.0, *rates))
    return tuple(found)


def typical_incentive(desk: Desk, plan: CompensationPlan) -> float | None:
    """Take the median target incentive of those who sit in a seat, for one payout period; None where nobody has one."""
    roster = desk.table("roster")
    day = pd.Timestamp(desk.calendar.start(desk.cycle))
    if roster.empty:
        return None
    seated = roster[(roster["start"] <= day) & (roster["end"].isna() | (roster["end"] >= day))]
    known = seated["target_incentive"].dropna().astype("float64")
    return float(known.median() * plan.pay_share) if len(known) else None


def ratchet(desk: Desk) -> tuple[float | None, float | None, float | None]:
    """Measure how next year's target followed what was sold beyond this year's.

    The slope of ln(target of a quarter / target of the same quarter a year before) on ln(actual / target) of that earlier
    quarter, over seats, within quarters; interval over quarters by t. None where fewer than two quarters can tell.
    """
    rows = desk.table("targets")
    mine = rows[rows[NODE].isin(desk.tree.leaves) & (rows["measure"] == desk.company.measure)]
    if mine.empty:
        return None, None, None
    given, sold = to_wide(mine[[NODE, PERIOD, VALUE]]), desk.actuals(until=desk.params.plan_as_of)
    quarters = sorted({desk.calendar.quarter_of(month) for month in given.columns})
    sums = []
    for quarter in quarters:
        months, later = (desk.calendar.months(desk.calendar.shift(quarter, at)) for at in (0, 4))
        if {*months, *later} <= set(given.columns) and set(months) <= set(sold.columns):
            sums.append(
                _slope_sums(*(_total(*one) for one in ((given, months), (given, later), (sold, months))))
            )
    usable = np.array([one for one in sums if one[1] > 0])
    if len(usable) < 2:
        return None, None, None
    low, high = ratio_interval(usable[:, :1], usable[:, 1])
    return float(usable[:, 0].sum() / usable[:, 1].sum()), float(low[0]), float(high[0])


def hardness(desk: Desk) -> float | None:
    """Compare the quarter's target with what history alone gives: target / baseline - 1 for the company."""
    root = desk.tree.root
    asked, alone = (
        float(grid.loc[[root]].to_numpy().sum()) for grid in (read_targets(desk), baseline_values(desk))
    )
    return asked / alone - 1.0 if alone > 0 else None


def _capped_at(plan: CompensationPlan) -> Fraction | None:
    """Find the attainment from which the cap cuts; None for an uncapped plan, or a cap that is never reached."""
    if plan.cap is None:
        return None
    paid, starts = Fraction(0), [*(tier.start for tier in plan.tiers[1:]), None]
    for tier, end in zip(plan.tiers, starts, strict=True):
        room = plan.cap - paid
        if tier.rate > 0 and (end is None or tier.rate * (end - tier.start) >= room):
            return tier.start + room / tier.rate
        paid += tier.rate * (end - tier.start) if end is not None else 0
    return None


def _total(grid: pd.DataFrame, months: list[str]) -> pd.Series:
    total = grid[months].astype("float64").sum(axis=1, min_count=len(months))
    return total.where(total > 0)


def _slope_sums(asked: pd.Series, later: pd.Series, sold: pd.Series) -> tuple[float, float]:
    """Sum of products and of squares around the quarter's means."""
    logs = pd.DataFrame({"x": np.log(sold / asked), "y": np.log(later / asked)}).dropna()
    gaps = logs - logs.mean()
    return float((gaps["x"] * gaps["y"]).sum()), float((gaps["x"] ** 2).sum())
