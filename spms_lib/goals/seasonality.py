"""Seasonality: how a quarter's target falls on its months, from the company's own past."""

import numpy as np
import pandas as pd

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import NoBasisError

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
        past quarter every month gets its share of the working days.
    """
    months = calendar.months(quarter)
    past = []
    name = calendar.same_period_last_year(quarter)
    while all(month in history.columns for month in calendar.months(name)):
        past.append(history[calendar.months(name)].to_numpy(dtype=float))
        name = calendar.same_period_last_year(name)
    if not past:
        days = [calendar.working_days(calendar.start(month), calendar.end(month)) for month in months]
        even = np.tile(np.array(days) / sum(days), (len(history), 1))
        return pd.DataFrame(even, history.index, months)
    seen = np.clip(np.stack(past), 0.0, None)
    years = np.nan_to_num(seen)
    company = years.sum(axis=(0, 1))
    if company.sum() == 0:
        raise NoBasisError(f"No sales in {quarter} of any earlier year.", remedy="Choose 'even' seasonality.")
    company = company / company.sum()
    own = years.sum(axis=0)
    total = own.sum(axis=1, keepdims=True)
    shares = np.divide(own, total, out=np.zeros_like(own), where=total > 0)
    count = (years.sum(axis=2) > 0).sum(axis=0)[:, None]
    mixed = (count * shares + prior_years * company) / np.maximum(count + prior_years, 1e-12)
    mixed = np.where(count + prior_years > 0, mixed, company)
    return pd.DataFrame(mixed / mixed.sum(axis=1, keepdims=True), history.index, months)
