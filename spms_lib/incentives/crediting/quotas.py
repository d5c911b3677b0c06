"""Quotas as they were set, spread over the months of a year: whole units that sum to what was set."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.calendar import FiscalCalendar
from spms_lib.findings import findings, join
from spms_lib.hierarchy.check import ALWAYS, STILL
from spms_lib.incentives.crediting.dating import Ints, day_numbers, overlapping, version_ends
from spms_lib.incentives.crediting.participation import END, PAYEE, START, dates
from spms_lib.incentives.plan.model import CompensationPlan
from spms_lib.money import apportion_groups
from spms_lib.tables import MEASURE, PERIOD, need

COMPONENT, QUOTA = "component", "quota"

Floats = NDArray[np.float64]


def spread(totals: Ints, weights: Floats) -> Ints:
    """Spread annual amounts over months in whole units: first over quarters, then within each.

    So a quarter is its own exact share. The running sum along a row is the cumulative quota.

    Parameters
    ----------
    totals
        Shape (n,), int64 minor units, non-negative.
    weights
        Shape (12,) or (n, 12): weights of the months; only their ratios matter.

    Returns
    -------
    Ints
        Shape (n, 12); a row sums to its total. Largest remainder.

    Examples
    --------
    >>> spread(np.array([100]), year_weights([])).tolist()
    [[9, 8, 8, 9, 8, 8, 9, 8, 8, 9, 8, 8]]
    """
    every = np.broadcast_to(weights, (len(totals), 12))
    quarters = apportion_rows(totals, every.reshape(-1, 4, 3).sum(axis=2))
    return apportion_rows(quarters.reshape(-1), every.reshape(-1, 3)).reshape(-1, 12)


def year_weights(weights: Sequence[Fraction]) -> Floats:
    """Bring weights of quarters or months to one per month; equal where there are none."""
    given = np.array([float(weight) for weight in weights] or [1.0])
    return np.repeat(given, 12 // len(given))


def apportion_rows(totals: Ints, weights: Floats) -> Ints:
    """Split each row's total by its row of weights."""
    starts = np.arange(0, weights.size, weights.shape[1], dtype=np.int64)
    if not len(starts):
        return np.zeros(weights.shape, dtype=np.int64)
    return apportion_groups(totals[:, None], weights.reshape(-1, 1), starts).reshape(weights.shape)


def summed(groups: Ints, values: Ints, count: int) -> Ints:
    """Add up the rows of each group: shape (count, columns)."""
    total = np.zeros((count, values.shape[1]), dtype=values.dtype)
    np.add.at(total, groups, values)
    return total


def quota_months(
    quotas: pd.DataFrame | None,
    plan: CompensationPlan,
    payees: pd.Series,
    calendar: FiscalCalendar,
    year: str,
    weights: Sequence[Fraction],
) -> tuple[pd.DataFrame, Ints, Ints, pd.DataFrame]:
    """Bring the quotas of a plan's payees to the months of a year.

    Parameters
    ----------
    quotas
        Columns payee, component (or measure), period (month, quarter or year), quota; optionally start and
        end, between which it is in force (a change inside a period has one row before and one after).
    payees
        Those of the plan; rows of others are left alone, and so are other years.

    Returns
    -------
    rows
        Columns payee, component, start, end; one per payee, component and dates in force.
    months
        Shape (rows, 12), int64: the quota of each month, as if in force for all of it.
    stated
        Shape (rows, 12), int64: 0 where no quota of the month is stated.
    findings
        Rows that cannot be used.
    """
    quotas = _by_component(quotas, plan)
    need(quotas, [PAYEE, COMPONENT, PERIOD, QUOTA], "quotas")
    every = quotas.assign(**{name: dates(quotas, name) for name in (START, END)})
    every = every[every[PAYEE].isin(payees)]
    span = {period: calendar.months(period) for period in every[PERIOD].dropna().unique()}
    of_year = {period for period, months in span.items() if calendar.year_of(months[0]) == year}
    every = every[every[PERIOD].isin(of_year) | every[PERIOD].isna()]
    every = every.assign(length=every[PERIOD].map({period: len(months) for period, months in span.items()}))
    rows, found = _usable(every, plan)
    all_months = calendar.months(year)
    periods = sorted(of_year)
    inside = np.array([[month in span[period] for month in all_months] for period in periods]).reshape(-1, 12)
    place = pd.Index(periods).get_indexer(pd.Index(rows[PERIOD]))
    share = inside * year_weights(weights)
    share = np.where(share.sum(axis=1, keepdims=True) > 0, share, inside)
    amounts = spread(rows[QUOTA].to_numpy(dtype=np.int64), share[place])
    held = [PAYEE, COMPONENT, START, END]
    keys = rows.groupby(held, sort=False)
    key = np.asarray(keys.ngroup(), dtype=np.int64)
    stated = summed(key, inside[place].astype(np.int64), keys.ngroups)
    return rows.drop_duplicates(held)[held], summed(key, amounts, keys.ngroups), stated, found


def _by_component(quotas: pd.DataFrame | None, plan: CompensationPlan) -> pd.DataFrame:
    """Give the quota of a measure to each component that is judged by it."""
    if quotas is None:
        return pd.DataFrame(columns=[PAYEE, COMPONENT, PERIOD, QUOTA])
    if COMPONENT in quotas or MEASURE not in quotas:
        return quotas
    judged = [(one.measure, name) for name, one in plan.components.items()]
    rows = quotas.assign(row=quotas.index).merge(
        pd.DataFrame(judged, columns=[MEASURE, COMPONENT]), how="left"
    )
    return rows.set_index("row").rename_axis(None)


def _usable(quotas: pd.DataFrame, plan: CompensationPlan) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Leave out rows that cannot be used; a row without an end holds until the next one starts."""
    cell = quotas.groupby([PAYEE, COMPONENT, PERIOD], dropna=False).ngroup().astype("int64")
    starts = quotas[START].fillna(ALWAYS)
    following = version_ends(starts, by=cell)
    ends = quotas[END].fillna(following.where(following >= starts)).fillna(STILL)
    quotas = quotas.assign(**{START: starts, END: ends})
    length = quotas.groupby([PAYEE, COMPONENT])["length"]
    at_once = overlapping(np.asarray(cell, dtype=np.int64), day_numbers(starts), day_numbers(ends))
    checks = (
        (COMPONENT, "no such component", ~quotas[COMPONENT].isin(list(plan.components)), "Use one of the plan's."),
        (PERIOD, "no period", quotas[PERIOD].isna(), "State a month, quarter or year."),
        (QUOTA, "not a quota", ~(quotas[QUOTA] >= 0), "State 0 or more, in minor units or pieces."),
        (PERIOD, "quotas of different lengths", length.transform("nunique") > 1, "State all by month, quarter or year."),
        (PERIOD, "two quotas at the same time", pd.Series(at_once, quotas.index), "Say from when each holds."),
    )  # fmt: skip
    found, good = [], np.ones(len(quotas), dtype=bool)
    for column, rule, wrong, remedy in checks:
        now = good & wrong.to_numpy(dtype=bool)
        found.append(
            findings("quotas", quotas.index[now].tolist(), column, rule, quotas[column][now], remedy)
        )
        good = good & ~now
    return quotas[good], join(*found)
