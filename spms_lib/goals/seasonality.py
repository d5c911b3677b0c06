"""Seasonality: how a target falls on its periods, from the company's own past or by a pattern."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import ParamsError

PRIOR_YEARS = 2.0
EVEN, BELL = "even", "bell"


def pattern_shares(pattern: str | Sequence[float], periods: int) -> NDArray[np.float64]:
    """Turn a named or written pattern into the share of each period.

    | pattern | meaning |
    | --- | --- |
    | `even` | every period the same |
    | `bell` | rising by one a period to the middle and down again: 1-2-1 over three |
    | `4-4-5`, `5-4-4`, `1-2-1`, ... | weights, repeated until the periods are filled |
    | `25/50/75/100` | running total in percent at the end of each period |
    | a list of numbers | percent of each period; with more numbers than periods, neighbours are added up |

    Parameters
    ----------
    pattern
        As above; numbers are zero or more.
    periods
        How many periods there are; one or more.

    Returns
    -------
    NDArray[np.float64]
        Shape (periods,), not negative, sums to 1.

    Raises
    ------
    ParamsError
        If the pattern is unknown, does not fit the periods, or percentages do not sum to
        100.00 when rounded to two decimals.

    References
    ----------
    Retail calendars for 4-4-5; ERPNext, Monthly Distribution, for percentages that must sum to
    100.00 and quarters that are the sum of their months; Siebel, quota plans, for running totals.

    Examples
    --------
    >>> (13 * pattern_shares("4-4-5", 3)).tolist()
    [4.0, 4.0, 5.0]
    >>> pattern_shares("25/50/75/100", 4).tolist(), pattern_shares("bell", 3).tolist()
    ([0.25, 0.25, 0.25, 0.25], [0.25, 0.5, 0.25])
    """
    if periods < 1:
        raise ParamsError(f"There are {periods} periods to spread over.", where="phasing", remedy="Name one.")
    if pattern == EVEN:
        weights = np.ones(periods)
    elif pattern == BELL:
        weights = np.minimum(np.arange(periods), np.arange(periods)[::-1]) + 1.0
    elif isinstance(pattern, str):
        weights = _written(pattern, periods)
    else:
        weights = _added_up(_percentages(list(pattern)), periods, pattern)
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares


def _written(pattern: str, periods: int) -> NDArray[np.float64]:
    """Read `4-4-5` as weights that repeat and `25/50/75/100` as running totals."""
    mark = "/" if "/" in pattern else "-"
    try:
        numbers = np.array([float(part) for part in pattern.split(mark)])
    except ValueError:
        numbers = np.array([])
    if len(numbers) < 2 or not (np.isfinite(numbers).all() and (numbers >= 0).all() and numbers.sum() > 0):
        raise ParamsError(
            f"'{pattern}' is no pattern.",
            where="phasing",
            remedy="Use even, bell, weights such as 4-4-5, running totals such as 25/50/75/100, or percentages.",
        )
    if mark == "/":
        steps = np.diff(numbers, prepend=0.0)
        if (steps < 0).any():
            raise ParamsError(
                f"The running total '{pattern}' falls.", where="phasing", remedy="Let it rise to 100."
            )
        return _added_up(_percentages(steps.tolist()), periods, pattern)
    if periods % len(numbers):
        raise _misfit(pattern, len(numbers), periods)
    return np.tile(numbers, periods // len(numbers))


def _percentages(numbers: list[float]) -> NDArray[np.float64]:
    percent = np.array(numbers, dtype=np.float64)
    if not ((percent >= 0).all() and round(float(percent.sum()), 2) == 100.0):
        raise ParamsError(
            f"The percentages {numbers} sum to {percent.sum():.2f}, or one is missing or negative.",
            where="phasing",
            remedy="They must be zero or more and sum to 100.00 when rounded to two decimals.",
        )
    return percent


def _added_up(percent: NDArray[np.float64], periods: int, pattern: object) -> NDArray[np.float64]:
    """Add up neighbours where there are more numbers than periods: a quarter is the sum of its months."""
    if len(percent) % periods:
        raise _misfit(pattern, len(percent), periods)
    sums: NDArray[np.float64] = percent.reshape(periods, -1).sum(axis=1)
    return sums


def _misfit(pattern: object, numbers: int, periods: int) -> ParamsError:
    return ParamsError(
        f"The pattern '{pattern}' has {numbers} numbers, which do not fit {periods} periods.",
        where="phasing",
        remedy="Write a number for each period.",
    )


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
