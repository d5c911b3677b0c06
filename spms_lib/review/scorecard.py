"""The scorecard: one row per metric, with its convention beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

from spms_lib.errors import ParamsError
from spms_lib.review.accuracy import BIAS_RATIO, WAPE
from spms_lib.review.facts import COST_OF_SALES_RATIO, ReviewFacts

MONEY: Final = "money"
RATIO: Final = "ratio"
COUNT: Final = "count"

HIGHER: Final = "higher"
LOWER: Final = "lower"
ZERO: Final = "zero"  # nearer to zero is better; the plan is the largest deviation allowed

ON_PLAN: Final = "on plan"
OFF_PLAN: Final = "off plan"
NO_PLAN: Final = "no plan"
NO_DATA: Final = "no data"

GOALS: Final = (
    "share_at_or_above_quota",
    "forecast_wape",
    "forecast_bias",
    "payout_cost_ratio",
    "submissions",
    "decisions_overdue",
)


@dataclass(frozen=True, slots=True)
class _Metric:
    key: str
    actual: float | None
    plan: float | None
    unit: str
    better: str
    convention: str


def scorecard(facts: ReviewFacts, *, goals: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Put the review's metrics side by side: plan, actual, variance, and how each is counted.

    Parameters
    ----------
    facts
        What the review knows.
    goals
        Planned values of metrics that have no plan of their own, by name: `share_at_or_above_quota`,
        `forecast_wape`, `forecast_bias` (largest deviation from 0), `payout_cost_ratio`,
        `submissions` (ratio received), `decisions_overdue`.

    Returns
    -------
    pd.DataFrame
        metric, plan, actual, variance (float; money in minor units), unit (money, ratio, count),
        better (higher, lower, or zero), convention, state ("on plan", "off plan", "no plan", "no
        data"). What is not known is null with state "no data", never 0. Always the same nine rows.

    Raises
    ------
    ParamsError
        If a goal names no metric.
    """
    goals = dict(goals or {})
    unknown = [name for name in goals if name not in GOALS]
    if unknown:
        raise ParamsError(f"There is no goal for '{unknown[0]}'.", remedy=f"Known: {', '.join(GOALS)}.")
    rows = [_row(metric) for metric in _metrics(facts, goals)]
    frame = pd.DataFrame(rows)
    return frame.astype({"plan": "float64", "actual": "float64", "variance": "float64"})


def _metrics(facts: ReviewFacts, goals: Mapping[str, float]) -> list[_Metric]:
    to_date = "" if facts.complete else " to date"
    has, needs = facts.coverage()
    return [
        _Metric("revenue", facts.actual, facts.plan, MONEY, HIGHER, f"actual - plan{to_date}"),
        _Metric(
            "revenue_vs_last_year",
            facts.actual,
            facts.last_year,
            MONEY,
            HIGHER,
            f"actual - same days last year{to_date}; last year stands as plan",
        ),
        _Metric(
            "share_at_or_above_quota",
            facts.shape_of("share_at_or_above_quota"),
            goals.get("share_at_or_above_quota"),
            RATIO,
            HIGHER,
            "nodes with actual / quota >= 100 % / nodes with a quota",
        ),
        _Metric(
            "forecast_wape",
            facts.accuracy_of(WAPE),
            goals.get("forecast_wape"),
            RATIO,
            LOWER,
            f"{facts.forecast}: sum |actual - forecast| / sum |actual|",
        ),
        _Metric(
            "forecast_bias",
            facts.accuracy_of(BIAS_RATIO),
            goals.get("forecast_bias"),
            RATIO,
            ZERO,
            f"{facts.forecast}: sum (forecast - actual) / sum |actual|; positive: forecast too high",
        ),
        _Metric("coverage", has, needs, RATIO, HIGHER, "open pipeline / remaining quota; plan: 1 / win rate"),
        _Metric(
            "payout_cost_ratio",
            facts.pay(COST_OF_SALES_RATIO),
            goals.get("payout_cost_ratio"),
            RATIO,
            LOWER,
            "incentive pay / sales credited",
        ),
        _Metric(
            "submissions",
            _share(facts.submissions_received, facts.submissions_expected),
            goals.get("submissions"),
            RATIO,
            HIGHER,
            "submissions received / expected",
        ),
        _Metric(
            "decisions_overdue",
            facts.decisions_overdue(),
            goals.get("decisions_overdue"),
            COUNT,
            LOWER,
            "open decisions whose due day is past",
        ),
    ]


def _row(metric: _Metric) -> dict[str, object]:
    plan, actual = metric.plan, metric.actual
    variance = None if plan is None or actual is None else actual - plan
    if metric.better == ZERO and plan is not None and actual is not None:
        variance = abs(actual) - plan
    return {
        "metric": metric.key,
        "plan": plan,
        "actual": actual,
        "variance": variance,
        "unit": metric.unit,
        "better": metric.better,
        "convention": metric.convention,
        "state": _state(actual, variance, metric.better),
    }


def _state(actual: float | None, variance: float | None, better: str) -> str:
    if actual is None:
        return NO_DATA
    if variance is None:
        return NO_PLAN
    return ON_PLAN if (variance >= 0 if better == HIGHER else variance <= 0) else OFF_PLAN


def _share(part: int | None, whole: int | None) -> float | None:
    return part / whole if part is not None and whole else None
