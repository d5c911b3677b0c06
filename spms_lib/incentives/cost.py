"""What a plan costs, and how far each seat is from its next tier."""

from fractions import Fraction
from math import ceil, floor
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.incentives.payout import (
    ACTUAL,
    ATTAINMENT,
    PAYOUT,
    QUOTA,
    REASON,
    TARGET_INCENTIVE,
    UNKNOWN,
    marginal_rate,
    payout_ratio,
    payouts,
)
from spms_lib.incentives.old_plan import UPPER, CompensationPlan
from spms_lib.tables import NODE

TOTAL_PAYOUT: Final = "total_payout"
TOTAL_TARGET_INCENTIVE: Final = "total_target_incentive"
PAYOUT_RATIO: Final = "payout_ratio"
COST_OF_SALES_RATIO: Final = "cost_of_sales_ratio"
COST_AT_QUOTA: Final = "cost_at_quota"
SHARE_AT_OR_ABOVE_QUOTA: Final = "share_at_or_above_quota"
SEATS: Final = "seats"
SEATS_NOT_PAYABLE: Final = "seats_not_payable"


def cost_summary(plan: CompensationPlan, credits: pd.DataFrame) -> pd.DataFrame:  # noqa: A002
    """Sum up what the plan costs for these credits, and what it would cost at 100 %.

    Parameters
    ----------
    credits
        As for `payouts`.

    Returns
    -------
    pd.DataFrame
        One row per metric: metric, value (float, null where it cannot be known; money in
        minor units), unit (money, ratio or count), convention (how it is counted).

    Notes
    -----
    The cost at 100 % is the sum of payouts if every payable seat sold exactly its quota. The cost of
    real, spread-out results is another number: with an accelerator it is higher at the same average.
    """
    paid = payouts(plan, credits)
    payable = ~paid[REASON].isin(UNKNOWN)
    at_quota = payouts(plan, credits.assign(**{ACTUAL: credits[QUOTA]}))
    seats, total = int(payable.sum()), int(paid[PAYOUT].sum())
    incentive = int(paid[TARGET_INCENTIVE][payable].sum())
    sales = int(paid[ACTUAL].sum())
    with_quota = paid[(paid[QUOTA] > 0).fillna(value=False) & paid[ACTUAL].notna()]
    rows: list[tuple[str, float, str, str]] = [
        (TOTAL_PAYOUT, total if seats else np.nan, "money", "sum of payouts of payable seats"),
        (
            TOTAL_TARGET_INCENTIVE,
            incentive if seats else np.nan,
            "money",
            "pay at 100 % of the period, payable seats",
        ),
        (PAYOUT_RATIO, _ratio(total, incentive), "ratio", "payout / target incentive, payable seats"),
        (
            COST_OF_SALES_RATIO,
            _ratio(total, sales) if seats else np.nan,
            "ratio",
            "payout / all sales listed, paid for or not; incentive pay only",
        ),
        (
            COST_AT_QUOTA,
            int(at_quota[PAYOUT][payable].sum()) if seats else np.nan,
            "money",
            "payout if each payable seat sold its quota",
        ),
        (
            SHARE_AT_OR_ABOVE_QUOTA,
            _ratio(int((with_quota[ACTUAL] >= with_quota[QUOTA]).sum()), len(with_quota)),
            "ratio",
            "seats with actual >= quota / seats with a quota and an actual",
        ),
        (SEATS, float(seats), "count", "seats whose payout can be worked out"),
        (SEATS_NOT_PAYABLE, float((~payable).sum()), "count", "seats left out, each with a reason"),
    ]
    return pd.DataFrame(rows, columns=["metric", "value", "unit", "convention"]).astype({"value": "float64"})


def next_tier(plan: CompensationPlan, credits: pd.DataFrame) -> pd.DataFrame:  # noqa: A002
    """Tell each seat what one more sale pays now, and how much more to sell until it pays better.

    Parameters
    ----------
    credits
        As for `payouts`.

    Returns
    -------
    pd.DataFrame
        node, attainment, marginal_rate (units of target incentive per unit of attainment),
        pay_per_unit (pay for one more unit of money sold), next_start (attainment of the next
        tier or of the threshold; null at the top, at the cap, and where the payout cannot be
        known), next_rate (marginal rate from there on), to_next (Int64, smallest further
        amount to sell).
    """
    paid = payouts(plan, credits)
    rows = [
        _step(plan, int(actual), int(quota), int(incentive)) if reason not in UNKNOWN else _NO_STEP
        for actual, quota, incentive, reason in zip(
            credits[ACTUAL].astype("Int64"),
            credits[QUOTA].astype("Int64"),
            credits[TARGET_INCENTIVE].astype("Int64"),
            paid[REASON],
            strict=True,
        )
    ]
    columns = ["marginal_rate", "pay_per_unit", "next_start", "next_rate", "to_next"]
    frame = pd.DataFrame(rows, columns=columns)
    to_next = frame["to_next"].astype("Int64")
    steps = frame.drop(columns="to_next").astype("float64").assign(to_next=to_next)
    return pd.concat([paid[[NODE, ATTAINMENT]], steps], axis=1)


_Step = tuple[float | None, float | None, float | None, float | None, int | None]
_NO_STEP: _Step = (None, None, None, None, None)


def _step(plan: CompensationPlan, actual: int, quota: int, incentive: int) -> _Step:
    attainment = Fraction(actual, quota)
    now = marginal_rate(plan, attainment)
    per_unit = float(now * incentive * plan.pay_share / quota)
    for edge in _edges(plan):
        target = ceil(edge * quota) if plan.tie == UPPER else floor(edge * quota) + 1
        if target > actual:
            rate = marginal_rate(plan, Fraction(target, quota))
            return float(now), per_unit, float(edge), float(rate), target - actual
    return float(now), per_unit, None, None, None


def _edges(plan: CompensationPlan) -> list[Fraction]:
    """List where pay changes: the threshold first, then the tiers that start before the cap is reached.

    The threshold stands first, as a tier below it pays nothing until the threshold is passed.
    """
    alive = [
        tier.start for tier in plan.tiers[1:] if plan.cap is None or payout_ratio(plan, tier.start) < plan.cap
    ]
    return alive if plan.threshold is None else [plan.threshold, *alive]


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
