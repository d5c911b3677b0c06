"""Arithmetic of pay targets, with its conventions: pay mix, base rate, attainment to date, upside."""

from fractions import Fraction

import pandas as pd

from spms_lib.calendar import FiscalCalendar
from spms_lib.incentives.plan.model import MONTH, QUARTER
from spms_lib.tables import PERIOD, need


def split_ote(ote: pd.Series, base_share: Fraction) -> tuple[pd.Series, pd.Series]:
    """Split on-target earnings into base salary and target incentive: OTE = base + target incentive.

    Parameters
    ----------
    ote
        Total cash at exactly 100 % of goals, int64 minor units a year.
    base_share
        The written base first: 7/10 is a pay mix of 70/30.

    Returns
    -------
    base, target_incentive
        int64 minor units; they sum to `ote`, half a unit goes to the base.

    Examples
    --------
    >>> base, incentive = split_ote(pd.Series([200_000_00]), Fraction(7, 10))
    >>> base.item(), incentive.item()
    (14000000, 6000000)
    """
    over, under = base_share.numerator, base_share.denominator
    base = (ote.astype("int64") * over + under // 2) // under
    return base, ote - base


def base_rate(target_incentive: int, quota: int) -> Fraction | None:
    """State the rate that pays the target incentive at quota (individual commission rate); None without a quota.

    Examples
    --------
    >>> base_rate(60_000, 1_000_000)
    Fraction(3, 50)
    """
    return Fraction(target_incentive, quota) if quota else None


def upside(target_incentive: int, multiple: Fraction) -> tuple[int, int]:
    """State what a top performer earns at a multiple of target incentive, and how much of it comes on top.

    Returns
    -------
    tuple of int
        Incentive at the multiple, and the part above target, minor units; halves are rounded up.

    Examples
    --------
    >>> upside(50_000, Fraction(2))
    (100000, 50000)
    """
    top = int(target_incentive * multiple + Fraction(1, 2))
    return top, top - target_incentive


def attainment_to_date(
    amounts: pd.DataFrame, quotas: pd.DataFrame, calendar: FiscalCalendar, *, interval: str
) -> pd.DataFrame:
    """Add up each payee's credits within intervals, and set them against the interval's quota.

    attainment = actual / quota (1 is 100 %). The measure counts every credit and starts again from zero in
    each interval; it does not depend on which rule paid for a credit.

    Parameters
    ----------
    amounts
        Columns payee, date, amount, in the order in which they count.
    quotas
        Columns payee, period (months), quota: one component's rows of `targets`.
    interval
        `month`, `quarter` or `year`.

    Returns
    -------
    pd.DataFrame
        `amounts` with interval (its label), to_date (sum so far), quota (of the whole interval) and
        attainment (to_date / quota, float; missing where there is no quota or it is 0).
    """
    need(amounts, ["payee", "date", "amount"], "amounts")
    label = {month: _interval_of(month, interval, calendar) for month in quotas[PERIOD].unique()}
    months = calendar.months_of(pd.to_datetime(amounts["date"]))
    label |= {month: _interval_of(month, interval, calendar) for month in months.dropna().unique()}
    rows = amounts.assign(interval=months.map(label))
    rows["to_date"] = rows.groupby(["payee", "interval"])["amount"].cumsum()
    sums = quotas.assign(interval=quotas[PERIOD].map(label)).groupby(["payee", "interval"])["quota"].sum()
    rows = rows.join(sums.rename("quota"), on=["payee", "interval"])
    return rows.assign(attainment=rows["to_date"] / rows["quota"].where(rows["quota"] != 0))


def _interval_of(month: str, interval: str, calendar: FiscalCalendar) -> str:
    if interval == MONTH:
        return month
    return calendar.quarter_of(month) if interval == QUARTER else calendar.year_of(month)
