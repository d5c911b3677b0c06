"""Months and pay periods: in which pay period of a run a month or a day lies."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import PeriodError
from spms_lib.incentives.engine.spans import last_columns, span_starts

Columns = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PayPeriods:
    """The pay periods of a run, each called by its last month, in which it is paid.

    Attributes
    ----------
    names
        Last month of each pay period, in order of time.
    first
        First month of the run.
    months
        Number of months in a pay period.
    """

    names: tuple[str, ...]
    first: str
    months: int
    calendar: FiscalCalendar

    def of_months(self, months: pd.Series) -> Columns:
        """Find the number of the pay period of each month (text, or a day), from 0; below 0 before the run, and after it `len(names)`.

        A missing month counts as after the run.
        """
        texts = (
            months if not pd.api.types.is_datetime64_any_dtype(months) else self.calendar.months_of(months)
        )
        codes, values = pd.factorize(texts)
        columns = np.array([*(self._column(value) for value in values), len(self.names)], dtype=np.int64)
        return columns[codes]

    def _column(self, value: str | dt.date) -> int:
        month = self.calendar.parse(value) if isinstance(value, str) else self.calendar.month_of(value)
        return min((_number(month) - _number(self.first)) // self.months, len(self.names))


def pay_periods(periods: Sequence[str], paid: str, calendar: FiscalCalendar) -> PayPeriods:
    """Cut the months of a run into pay periods.

    Raises
    ------
    PeriodError
        If the months leave one out, or begin or end inside a pay period.

    Examples
    --------
    >>> pay_periods(["2026-01", "2026-02", "2026-03"], "quarter", FiscalCalendar()).names
    ('2026-03',)
    """
    span_starts(periods, paid, calendar)
    ends = last_columns(periods, paid, calendar)
    if not ends or ends[-1] != len(periods) - 1:
        raise PeriodError(
            f"The run ends with {periods[-1]}, inside a {paid}.",
            where="periods",
            remedy=f"End it with a whole {paid}: it is paid when it is over.",
        )
    names = tuple(periods[end] for end in ends)
    return PayPeriods(names, periods[0], len(periods) // len(names), calendar)


def _number(month: str) -> int:
    year, number = month.split("-")
    return int(year) * 12 + int(number)
