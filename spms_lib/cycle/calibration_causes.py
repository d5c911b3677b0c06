"""What this company's compensation plan and its way of setting targets give people for forecasting low or high."""

from typing import Any, Final

import numpy as np
import pandas as pd

from spms_lib.collect.calibration.causes import Edge, Setting, structural_causes
from spms_lib.cycle.baselines import baseline_values
from spms_lib.cycle.desk import Desk
from spms_lib.cycle.pay.plans import seller_plan
from spms_lib.cycle.targets import QUOTA, read_targets
from spms_lib.incentives.engine.summary import on_quota
from spms_lib.incentives.plan.edges import edges_of as plan_edges
from spms_lib.incentives.plan.model import CompensationPlan, Component
from spms_lib.incentives.plan.points import Scale, scale_of
from spms_lib.review.scores import ratio_interval
from spms_lib.tables import NODE, PERIOD, VALUE, to_wide

QUARTERS: Final = 4


def causes(desk: Desk) -> pd.DataFrame:
    """List structural causes with their size: see `structural_causes`; no rows where nothing is known."""
    plan = seller_plan(desk)
    scale = typical_scale(desk, plan)
    slope, low, high = ratchet(desk)
    setting = Setting(
        edges=edges_of(plan, scale),
        incentive=float(scale.target_incentive) if scale else None,
        ratchet=slope,
        ratchet_low=low,
        ratchet_high=high,
        hardness=hardness(desk),
        target_shown=desk.params.collection.show_target,
    )
    return structural_causes(setting, money=lambda value: desk.money(round(value)))


def edges_of(plan: CompensationPlan, scale: Scale | None = None) -> tuple[Edge, ...]:
    """Find where pay for attainment jumps or changes its slope: threshold, starts of tiers, and the cap.

    Of the plan's first component that is judged by attainment. `scale` is a typical payee's; without
    it a curve that pays rates or money has no edges, as nobody knows how many target incentives those are.
    """
    part = _judged(plan)
    rows = pd.DataFrame() if part is None else plan_edges(plan, part, scale)
    numbers: Any = (
        rows[["edge", "jump", "slope_before", "slope_after"]].to_numpy(dtype=float) if len(rows) else []
    )
    return tuple(
        Edge(float(at), max(float(jump), 0.0), float(low), float(high)) for at, jump, low, high in numbers
    )


def typical_scale(desk: Desk, plan: CompensationPlan) -> Scale | None:
    """Take the median target incentive of those who sit in a seat, and the median quota, for one interval of the judged component.

    None where nobody has one.
    """
    part, roster = _judged(plan), desk.table("roster")
    day = pd.Timestamp(desk.calendar.start(desk.cycle))
    if part is None or roster.empty:
        return None
    seated = roster[(roster["start"] <= day) & (roster["end"].isna() | (roster["end"] >= day))]
    known = seated["target_incentive"].dropna().astype("float64")
    quotas = read_targets(desk, layer=QUOTA).loc[desk.tree.leaves].sum(axis=1).astype("float64")
    quota = float(quotas[quotas > 0].median()) * QUARTERS
    incentive = float(known[known > 0].median())
    if not (quota > 0 and incentive > 0):
        return None
    return scale_of(plan, part, round(quota), round(incentive))


def _judged(plan: CompensationPlan) -> Component | None:
    return next((part for part in plan.components.values() if on_quota(part)), None)


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


def _total(grid: pd.DataFrame, months: list[str]) -> pd.Series:
    total = grid[months].astype("float64").sum(axis=1, min_count=len(months))
    return total.where(total > 0)


def _slope_sums(asked: pd.Series, later: pd.Series, sold: pd.Series) -> tuple[float, float]:
    """Sum of products and of squares around the quarter's means."""
    logs = pd.DataFrame({"x": np.log(sold / asked), "y": np.log(later / asked)}).dropna()
    gaps = logs - logs.mean()
    return float((gaps["x"] * gaps["y"]).sum()), float((gaps["x"] ** 2).sum())
