"""Baseline: what would happen if nobody said anything, from history alone."""

import numpy as np
import pandas as pd

from spms_lib.calendar import FiscalCalendar
from spms_lib.tables import NODE, PERIOD, SOURCE, VALUE, to_long

YEAR = 12


def seasonal_naive(history: pd.DataFrame, months: list[str], calendar: FiscalCalendar) -> pd.DataFrame:
    """Forecast each month by the same month of the latest year that is known.

    Parameters
    ----------
    history
        Nodes x months; missing where a node did not exist.

    Returns
    -------
    pd.DataFrame
        Nodes x `months`; missing where no earlier year is known.
    """
    answer = {}
    for month in months:
        past = calendar.same_period_last_year(month)
        while past not in history.columns and past > min(history.columns, default=past):
            past = calendar.same_period_last_year(past)
        answer[month] = history[past] if past in history.columns else pd.Series(np.nan, index=history.index)
    return pd.DataFrame(answer, index=history.index).astype(float)


def growth_ratios(history: pd.DataFrame, *, prior_months: float = YEAR) -> pd.Series:
    """Estimate each node's yearly growth, shrunk towards the company's.

    Compares the last twelve months with the twelve before; where less is known, as
    many months as both years share. A node counts with its months, the company with
    `prior_months`; growth is held between a half and double of the year before.

    Returns
    -------
    pd.Series
        Indexed by node: ratio of this year to last, 1.08 is 8 % growth.
    """
    values = history.to_numpy(dtype=float)
    span = min(YEAR, values.shape[1] - YEAR)
    if span <= 0:
        return pd.Series(1.0, index=history.index)
    now, before = values[:, -span:], values[:, -span - YEAR : values.shape[1] - YEAR]
    both = ~np.isnan(now) & ~np.isnan(before)
    this_year, last_year = np.where(both, now, 0.0).sum(axis=1), np.where(both, before, 0.0).sum(axis=1)
    company = this_year.sum() / last_year.sum() if last_year.sum() > 0 else 1.0
    own = np.divide(this_year, last_year, out=np.full(len(values), company), where=last_year > 0)
    seen = both.sum(axis=1)
    mixed = (seen * np.clip(own, 0.5, 2.0) + prior_months * company) / (seen + prior_months)
    return pd.Series(np.clip(mixed, 0.5, 2.0), index=history.index)


def baseline(history: pd.DataFrame, months: list[str], calendar: FiscalCalendar) -> pd.DataFrame:
    """Forecast each month by the mean of what its last year and its recent level suggest.

    Two views, averaged where both exist: the same month last year times the node's
    growth, and the node's last twelve months times the company's share of that month
    in a year. A node younger than a year has only the second.

    Parameters
    ----------
    history
        Nodes x months in order of time; missing where a node did not exist.

    Returns
    -------
    pd.DataFrame
        Nodes x `months`, float; missing only for a node that was never seen.
    """
    if not len(history.columns):
        return pd.DataFrame(np.nan, history.index, months)
    by_year = seasonal_naive(history, months, calendar).mul(growth_ratios(history), axis=0)
    recent = history.iloc[:, -YEAR:]
    month_mean = recent.mean(axis=1)
    total = recent.sum()
    seasonal = {month: _month_factor(total, month) for month in months}
    by_level = pd.DataFrame({month: month_mean * factor for month, factor in seasonal.items()})
    both = by_year.notna() & by_level.notna()
    return (
        (by_year.fillna(by_level) + by_level.fillna(by_year)).div(2.0).where(both, by_year.fillna(by_level))
    )


def _month_factor(total: pd.Series, month: str) -> float:
    """How a calendar month compares with the mean month of the last year; 1 where it was not seen."""
    same = [name for name in total.index if name[5:7] == month[5:7]]
    mean = total.mean()
    return float(total[same].mean() / mean) if same and mean > 0 and len(total) == YEAR else 1.0


def backtest(history: pd.DataFrame, quarters: list[str], calendar: FiscalCalendar) -> pd.DataFrame:
    """Forecast past quarters as if standing on the day before each, walking forward.

    Returns
    -------
    pd.DataFrame
        Columns node, period (month), source (`baseline` or `seasonal_naive`), value; rows
        without a forecast are left out.
    """
    parts = []
    for quarter in quarters:
        months = calendar.months(quarter)
        known = history.loc[:, [name for name in history.columns if name < months[0]]]
        if not len(known.columns):
            continue
        for source, values in (
            ("baseline", baseline(known, months, calendar)),
            ("seasonal_naive", seasonal_naive(known, months, calendar)),
        ):
            parts.append(to_long(values).assign(source=source))
    if not parts:
        return pd.DataFrame(columns=[NODE, PERIOD, SOURCE, VALUE])
    return pd.concat(parts, ignore_index=True)[[NODE, PERIOD, SOURCE, VALUE]]
