"""Seasonality: how a quarter's target falls on its months, from the company's own past."""

import numpy as np
import pandas as pd

from spms_lib.calendar import FiscalCalendar

PRIOR_YEARS = 2.0


def month_shares(
    history: pd.DataFrame, quarter: str, calendar: FiscalCalendar, *, prior_years: float = PRIOR_YEARS
) -> pd.DataFrame:
    """Estimate the share of each month in a quarter, per group, shrunk towards the company.

    A group's own shares count with the years it was seen, the company's shares with
    `prior_years`, so a group with one odd year does not get an odd phasing.

    Parameters
    ----------
    history
        Groups x months, minor units; missing where a group did not exist.
    quarter
        Quarter to be phased; the same quarter of earlier years is looked at.
    prior_years
        Weight of the company's pattern, in years; 0 for each group's own.

    Returns
    -------
    pd.DataFrame
        Groups x months of `quarter`; each row sums to 1 and none is negative. With no
        sales in any past quarter every month gets its share of the working days.
    """
    months = calendar.months(quarter)
    past = [
        np.clip(history[names].to_numpy(dtype=float), 0.0, None)
        for names in _same_quarters(history, quarter, calendar)
    ]
    seen = np.stack(past) if past else np.empty((0, len(history), len(months)))
    whole = ~np.isnan(seen).any(axis=2, keepdims=True)  # a group's first, partial quarter has no pattern
    years = np.where(whole, seen, 0.0)
    company = years.sum(axis=(0, 1))
    if company.sum() == 0:
        company = np.nansum(seen, axis=(0, 1))
    if company.sum() == 0:
        days = [calendar.working_days(calendar.start(month), calendar.end(month)) for month in months]
        even = np.tile(np.array(days) / sum(days), (len(history), 1))
        return pd.DataFrame(even, history.index, months)
    company = company / company.sum()
    own = years.sum(axis=0)
    total = own.sum(axis=1, keepdims=True)
    shares = np.divide(own, total, out=np.zeros_like(own), where=total > 0)
    count = (years.sum(axis=2) > 0).sum(axis=0)[:, None]
    mixed = (count * shares + prior_years * company) / np.maximum(count + prior_years, 1e-12)
    mixed = np.where(count + prior_years > 1e-9, mixed, company)
    return pd.DataFrame(mixed / mixed.sum(axis=1, keepdims=True), history.index, months)


def _same_quarters(history: pd.DataFrame, quarter: str, calendar: FiscalCalendar) -> list[list[str]]:
    """List the months of the same quarter of earlier years, where every month is known."""
    found, name = [], calendar.same_period_last_year(quarter)
    first = min(history.columns, default="")
    while first and calendar.months(name)[-1] >= first:
        if all(month in history.columns for month in calendar.months(name)):
            found.append(calendar.months(name))
        name = calendar.same_period_last_year(name)
    return found
