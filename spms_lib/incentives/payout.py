"""What a plan pays for credited sales: exact, to the cent, and explained tier by tier."""

from fractions import Fraction
from math import lcm
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.errors import MoneyError, TableError
from spms_lib.incentives.old_plan import UPPER, CompensationPlan
from spms_lib.tables import NODE

ACTUAL: Final = "actual"
QUOTA: Final = "quota"
TARGET_INCENTIVE: Final = "target_incentive"
ATTAINMENT: Final = "attainment"
PAYOUT: Final = "payout"
CAPPED: Final = "capped"
REASON: Final = "reason"

NO_QUOTA: Final = "no quota"
ZERO_QUOTA: Final = "quota not above zero"
NO_ACTUAL: Final = "no actual"
VACANT: Final = "no target incentive: vacant, or nobody has said"
BELOW_THRESHOLD: Final = "below threshold"
NOTHING_EARNED: Final = "nothing earned"
UNKNOWN: Final = (NO_QUOTA, ZERO_QUOTA, NO_ACTUAL, VACANT)

_Whole = NDArray[np.object_]  # Python integers of any size, so no product overflows


def payouts(plan: CompensationPlan, credits: pd.DataFrame) -> pd.DataFrame:  # noqa: A002
    """Work out each seat's payout, and which tier every cent came from.

    The payout up to the end of each tier is rounded half up to the cent; a tier's part is
    the difference of two such amounts, so the parts always sum to the payout. A cap cuts
    from the highest tier down.

    Parameters
    ----------
    credits
        One row per seat: node, actual (credited sales of the period), quota (of the same
        period), target_incentive (of a full year; null where the seat is vacant). Whole
        minor units, Int64 or int64; null means nobody has said.

    Returns
    -------
    pd.DataFrame
        In the order of `credits`: node, actual, quota, target_incentive (Int64, of the
        period: the year's times the plan's `pay_share`, half up), attainment (float,
        actual / quota), payout (Int64; null where it cannot be known), `tier_1`, `tier_2`,
        ... (Int64, sum to the payout), capped (Int64, what the cap took away) and reason
        (text; why there is no payout, else empty).

    Raises
    ------
    TableError
        If a column is missing or a node is listed twice.

    Examples
    --------
    >>> from spms_lib.incentives.old_plan import plan_from_dict
    >>> plan = plan_from_dict({"name": "AE", "currency": "EUR", "tie": "upper",
    ...     "effective_from": "2026-01-01", "tiers": [[0, 1], [1, "1.5"]]})
    >>> credits = pd.DataFrame({"node": ["ann"], "actual": [130_00], "quota": [100_00],
    ...     "target_incentive": [100_000_00]})
    >>> payouts(plan, credits)[["payout", "tier_1", "tier_2"]].iloc[0].tolist()
    [14500000, 10000000, 4500000]
    """
    _check(credits)
    reason = _reasons(plan, credits)
    known = ~reason.isin(UNKNOWN).to_numpy()
    paying = known & (reason != BELOW_THRESHOLD).to_numpy()
    actual, quota, incentive = (_whole(credits[name][known]) for name in (ACTUAL, QUOTA, TARGET_INCENTIVE))
    parts, capped = _tier_parts(plan, actual, quota, incentive)
    parts[:, ~paying[known]] = 0
    capped[~paying[known]] = 0

    frame = credits[[NODE, ACTUAL, QUOTA]].reset_index(drop=True).astype({ACTUAL: "Int64", QUOTA: "Int64"})
    frame[TARGET_INCENTIVE] = _scaled(credits[TARGET_INCENTIVE], plan.pay_share)
    measured = frame[QUOTA].where(frame[QUOTA] > 0)  # known also where nobody is paid
    frame[ATTAINMENT] = (frame[ACTUAL] / measured).astype("float64")
    frame[PAYOUT] = _filled(parts.sum(axis=0), known)
    for number, part in enumerate(parts, start=1):
        frame[f"tier_{number}"] = _filled(part, known)
    frame[CAPPED] = _filled(capped, known)
    nothing = (frame[PAYOUT] == 0).fillna(value=False).to_numpy(dtype=bool) & (reason == "").to_numpy()
    frame[REASON] = reason.mask(nothing, NOTHING_EARNED)
    return frame


def payout_curve(plan: CompensationPlan, grid: pd.Series | NDArray[np.float64] | list[float]) -> pd.DataFrame:
    """Trace what the plan pays along a grid of attainment, for a figure or a table.

    Parameters
    ----------
    grid
        Attainment ratios (1.0 is 100 %); a float counts as what it prints as.

    Returns
    -------
    pd.DataFrame
        attainment, payout (units of target incentive), marginal_rate (payout per further
        unit of attainment; 0 below the threshold and at the cap), tier (from 1), all at the
        plan's own side of a tie.

    Examples
    --------
    >>> from spms_lib.incentives.old_plan import plan_from_dict
    >>> plan = plan_from_dict({"name": "AE", "currency": "EUR", "tie": "upper",
    ...     "effective_from": "2026-01-01", "tiers": [[0, 1], [1, 2]], "threshold": "0.5"})
    >>> payout_curve(plan, [0.4, 0.5, 1.2])["payout"].tolist()
    [0.0, 0.5, 1.4]
    """
    points = [Fraction(str(float(point))) for point in grid]
    return pd.DataFrame(
        {
            ATTAINMENT: [float(point) for point in points],
            PAYOUT: [float(payout_ratio(plan, point)) for point in points],
            "marginal_rate": [float(marginal_rate(plan, point)) for point in points],
            "tier": np.array([tier_number(plan, point) for point in points], dtype=np.int64),
        }
    )


def payout_ratio(plan: CompensationPlan, attainment: Fraction) -> Fraction:
    """Work out the exact payout at one attainment, in units of target incentive."""
    if not _passes(plan, attainment):
        return Fraction(0)
    total = _uncapped(plan, attainment)
    return total if plan.cap is None else min(total, plan.cap)


def marginal_rate(plan: CompensationPlan, attainment: Fraction) -> Fraction:
    """Tell what a little more attainment pays right now, in units of target incentive.

    Exactly on a start it is the rate of the plan's side of the tie.
    """
    at_cap = plan.cap is not None and _uncapped(plan, attainment) >= plan.cap
    if at_cap or not _passes(plan, attainment):
        return Fraction(0)
    return plan.tiers[tier_number(plan, attainment) - 1].rate


def tier_number(plan: CompensationPlan, attainment: Fraction) -> int:
    """Count tiers from 1 up to the one that an attainment falls in, ties as the plan says."""
    reached = [
        tier.start <= attainment if plan.tie == UPPER else tier.start < attainment for tier in plan.tiers
    ]
    return max(1, sum(reached))


def _passes(plan: CompensationPlan, attainment: Fraction) -> bool:
    if plan.threshold is None:
        return True
    return attainment >= plan.threshold if plan.tie == UPPER else attainment > plan.threshold


def _uncapped(plan: CompensationPlan, attainment: Fraction) -> Fraction:
    ends = [tier.start for tier in plan.tiers[1:]] + [None]
    total = Fraction(0)
    for number, (tier, end) in enumerate(zip(plan.tiers, ends, strict=True)):
        inside = attainment - tier.start if end is None else min(attainment, end) - tier.start
        total += tier.rate * (inside if number == 0 else max(inside, Fraction(0)))
    return total


def _tier_parts(
    plan: CompensationPlan, actual: _Whole, quota: _Whole, incentive: _Whole
) -> tuple[_Whole, _Whole]:
    """Return rounded tier parts, shape (n_tiers, n_seats), and what the cap took, shape (n_seats,).

    All in whole numbers over one common denominator: attainment in `1 / (grain x quota)`,
    rates in `1 / scale`, so nothing is rounded before the cents are.
    """
    grain = lcm(*(tier.start.denominator for tier in plan.tiers))
    scale = lcm(*(tier.rate.denominator for tier in plan.tiers))
    starts = [int(tier.start * grain) for tier in plan.tiers]
    denominator = quota * (grain * scale * plan.pay_share.denominator)
    money = incentive * plan.pay_share.numerator
    limit = None if plan.cap is None else _half_up(money * plan.cap.numerator, _per(plan, plan.cap))

    reached = np.zeros(len(actual), dtype=object)
    paid = np.zeros(len(actual), dtype=object)
    parts = np.empty((len(starts), len(actual)), dtype=object)
    for number, start in enumerate(starts):
        inside = actual * grain - quota * start
        if number + 1 < len(starts):
            inside = np.minimum(inside, quota * (starts[number + 1] - start))
        if number > 0:
            inside = np.maximum(inside, 0)
        reached = reached + inside * int(plan.tiers[number].rate * scale)
        earned = _half_up(reached * money, denominator)
        upto = earned if limit is None else np.minimum(earned, limit)
        parts[number] = upto - paid
        paid = upto
    return parts, earned - paid


def _per(plan: CompensationPlan, cap: Fraction) -> int:
    return cap.denominator * plan.pay_share.denominator


def _half_up(numerator: _Whole, denominator: _Whole | int) -> _Whole:
    """Divide whole numbers and round to the nearest, a half upwards."""
    rounded: _Whole = (numerator * 2 + denominator) // (denominator * 2)
    return rounded


def _reasons(plan: CompensationPlan, credits: pd.DataFrame) -> pd.Series:  # noqa: A002
    """Tell for each seat why there is no payout; empty where there may be one. The first reason wins."""
    quota = credits[QUOTA].astype("Int64")
    reason = pd.Series("", index=range(len(credits)), dtype="str")
    below = np.zeros(len(credits), dtype=bool)
    if plan.threshold is not None:
        edge = plan.threshold
        known = (credits[ACTUAL].notna() & quota.notna()).to_numpy()
        actual, against = _whole(credits[ACTUAL][known]), _whole(quota[known])
        ahead = actual * edge.denominator - against * edge.numerator
        below[known] = (ahead < 0 if plan.tie == UPPER else ahead <= 0).astype(bool)
    tests: dict[str, pd.Series] = {
        VACANT: credits[TARGET_INCENTIVE].isna(),
        NO_QUOTA: quota.isna(),
        ZERO_QUOTA: (quota <= 0).fillna(value=False),
        NO_ACTUAL: credits[ACTUAL].isna(),
        BELOW_THRESHOLD: pd.Series(below),
    }
    for text, holds in tests.items():
        reason = reason.mask((reason == "").to_numpy() & holds.to_numpy(dtype=bool), text)
    return reason


def _check(credits: pd.DataFrame) -> None:  # noqa: A002
    missing = [name for name in (NODE, ACTUAL, QUOTA, TARGET_INCENTIVE) if name not in credits]
    if missing:
        raise TableError(f"Columns {missing} are missing.", where="credits", remedy="Add them.")
    twice = credits[NODE][credits[NODE].duplicated()]
    if len(twice):
        raise TableError(
            f"Node '{twice.iloc[0]}' is listed twice.",
            where="credits",
            remedy="Sum its credits first: a seat has one quota and one payout per period.",
        )


def _whole(values: pd.Series) -> _Whole:
    whole: _Whole = np.asarray(values.astype("Int64"), dtype=object)
    return whole


def _scaled(values: pd.Series, share: Fraction) -> pd.Series:
    known = values.notna().to_numpy()
    return _filled(_half_up(_whole(values[known]) * share.numerator, share.denominator), known)


def _filled(values: _Whole, known: NDArray[np.bool_]) -> pd.Series:
    """Put whole numbers where they are known and null elsewhere."""
    filled = np.zeros(len(known), dtype=np.int64)
    try:
        filled[known] = values.astype(np.int64)
    except OverflowError:
        raise MoneyError(
            "A payout does not fit into 64 bits.", where="credits", remedy="Check quotas of a few cents."
        ) from None
    return pd.Series(pd.arrays.IntegerArray(filled, ~known))
