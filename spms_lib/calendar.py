"""Fiscal time: which month, quarter and year a day belongs to, and arithmetic on periods.

A period is written as text and has one canonical form: `2026-11` (a month),
`2026Q4` (a fiscal quarter), `FY2026` (a fiscal year). A fiscal month is called
by the calendar month it stands for, also in a 4-4-5 calendar, where its days
differ from the calendar month's. So month names sort in time, and a frame can
carry them in a plain text column.
"""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.errors import PeriodError

PATTERNS: Final = {"months": (), "4-4-5": (4, 4, 5), "4-5-4": (4, 5, 4), "5-4-4": (5, 4, 4)}
MONTHS_IN_YEAR: Final = 12
MONTHS_IN_QUARTER: Final = 3
DAYS_IN_WEEK: Final = 7

_YEAR = re.compile(r"FY\s*(\d{4}|\d{2})", re.IGNORECASE)
_QUARTER = re.compile(
    r"(?:FY\s*)?(\d{4}|\d{2})\s*-?\s*Q([1-4])|Q([1-4])\s*[- /]?\s*(?:FY\s*)?(\d{4}|\d{2})", re.IGNORECASE
)
_MONTH = re.compile(r"(\d{4})-?(0[1-9]|1[0-2])(?:-01(?:[T ]00:00(?::00)?)?)?")


@dataclass(frozen=True, slots=True)
class FiscalCalendar:
    """The company's year: when it starts, how it is cut into months, what it is called.

    Attributes
    ----------
    start_month
        Calendar month, 1 to 12, in which the fiscal year starts.
    pattern
        `months` for calendar months, or the weeks in the three months of a quarter:
        `4-4-5`, `4-5-4`, `5-4-4`. The year then starts on the `week_start` nearest to
        the first of `start_month`, and a 53rd week goes to the last month.
    named_by
        `end`: the year is called by the calendar year in which it ends; `start`: by
        the one in which it starts. The same for a year that starts in January.
    week_start
        Weekday on which weeks start, Monday 0 to Sunday 6; only for week patterns.

    Examples
    --------
    >>> july = FiscalCalendar(start_month=7)
    >>> july.months("2020Q3")
    ['2020-01', '2020-02', '2020-03']
    >>> july.quarter_of("2019-07"), july.year_of("2019-07"), july.parse("FY20")
    ('2020Q1', 'FY2020', 'FY2020')
    >>> july.shift("2020Q3", -4)
    '2019Q3'

    References
    ----------
    National Retail Federation, 4-5-4 calendar: Sunday weeks, year named by its start.
    """

    start_month: int = 1
    pattern: str = "months"
    named_by: str = "end"
    week_start: int = 6

    def __post_init__(self) -> None:
        if not 1 <= self.start_month <= MONTHS_IN_YEAR:
            raise PeriodError(f"A year cannot start in month {self.start_month}.", remedy="Use 1 to 12.")
        if self.pattern not in PATTERNS:
            raise PeriodError(
                f"There is no calendar pattern '{self.pattern}'.", remedy=f"Use one of {', '.join(PATTERNS)}."
            )
        if self.named_by not in {"start", "end"}:
            raise PeriodError(
                f"A year cannot be named by its '{self.named_by}'.", remedy="Use 'start' or 'end'."
            )
        if not 0 <= self.week_start < DAYS_IN_WEEK:
            raise PeriodError(
                f"There is no weekday {self.week_start}.", remedy="Use 0 (Monday) to 6 (Sunday)."
            )

    # -- reading ---------------------------------------------------------------------------------

    def parse(self, text: str) -> str:
        """Read a period as people write it and return its canonical form.

        Understood: `2026-11`, `202611`, `2026-11-01`; `2026Q4`, `FY26 Q4`, `Q4 2026`;
        `FY26`, `FY2026`. Two-digit years are 2000 to 2099.

        Raises
        ------
        PeriodError
            If the text is none of these.
        """
        text = str(text).strip()
        if found := _MONTH.fullmatch(text):
            return f"{found[1]}-{found[2]}"
        if found := _QUARTER.fullmatch(text):
            year, quarter = (found[1], found[2]) if found[1] else (found[4], found[3])
            return f"{_full_year(year)}Q{quarter}"
        if found := _YEAR.fullmatch(text):
            return f"FY{_full_year(found[1])}"
        raise PeriodError(
            f"'{text}' is not a period.",
            remedy="Write a month as 2026-11, a quarter as 2026Q4, a year as FY26.",
        )

    # -- months, quarters, years -----------------------------------------------------------------

    def months(self, period: str) -> list[str]:
        """List the months of a period, in order of time."""
        first, count = self._span(period)
        return [_month_name(index) for index in range(first, first + count)]

    def quarter_of(self, month: str) -> str:
        """Name the fiscal quarter of a month."""
        first, _ = self._span(month)
        year, position = self._fiscal(first)
        return f"{year}Q{position // MONTHS_IN_QUARTER + 1}"

    def year_of(self, period: str) -> str:
        """Name the fiscal year of a month or quarter."""
        first, _ = self._span(period)
        return f"FY{self._fiscal(first)[0]}"

    def shift(self, period: str, steps: int) -> str:
        """Move by a number of periods of the same length, forwards or back."""
        first, count = self._span(period)
        return self._name(first + steps * count, count)

    def range(self, first: str, last: str) -> list[str]:
        """List the periods from the first to the last, both included."""
        start, count = self._span(first)
        stop, other = self._span(last)
        if count != other:
            raise PeriodError(
                f"{first} and {last} are not of the same length.",
                remedy="Give two months, quarters or years.",
            )
        return [self._name(index, count) for index in range(start, stop + 1, count)]

    def same_period_last_year(self, period: str) -> str:
        """Name the same month, quarter or year one year earlier."""
        first, count = self._span(period)
        return self._name(first - MONTHS_IN_YEAR, count)

    # -- days ------------------------------------------------------------------------------------

    def start(self, period: str) -> dt.date:
        """Find the first day of a period."""
        first, _ = self._span(period)
        return self._first_day(first)

    def end(self, period: str) -> dt.date:
        """Find the last day of a period."""
        first, count = self._span(period)
        return self._first_day(first + count) - dt.timedelta(days=1)

    def month_of(self, day: dt.date) -> str:
        """Name the fiscal month that a day belongs to."""
        index = day.year * MONTHS_IN_YEAR + day.month - 1
        while self._first_day(index) > day:
            index -= 1
        while self._first_day(index + 1) <= day:
            index += 1
        return _month_name(index)

    def quarter_of_day(self, day: dt.date) -> str:
        """Name the fiscal quarter that a day belongs to."""
        return self.quarter_of(self.month_of(day))

    def months_of(self, days: pd.Series) -> pd.Series:
        """Name the fiscal month of each day of a datetime column; a missing day stays missing."""
        known = days.dropna()
        if known.empty:
            return pd.Series(pd.NA, index=days.index, dtype="str")
        first = _month_index(self.month_of(known.min().date()))
        last = _month_index(self.month_of(known.max().date()))
        starts = pd.DatetimeIndex([self._first_day(index) for index in range(first, last + 2)])
        position = np.searchsorted(starts.to_numpy(), known.dt.normalize().to_numpy(), side="right") - 1
        names = np.array([_month_name(index) for index in range(first, last + 1)], dtype=object)
        return pd.Series(names[position], index=known.index, dtype="str").reindex(days.index)

    def working_days(self, first: dt.date, last: dt.date) -> int:
        """Count Mondays to Fridays from the first to the last day, both included; no public holidays."""
        return max(0, int(np.busday_count(first, last + dt.timedelta(days=1))))

    # -- inside ----------------------------------------------------------------------------------

    def _span(self, period: str) -> tuple[int, int]:
        """Return the running number of a period's first month, and how many months it has."""
        name = self.parse(period)
        if name.startswith("FY"):
            return self._year_start(int(name[2:])), MONTHS_IN_YEAR
        if "Q" in name:
            return self._year_start(int(name[:4])) + MONTHS_IN_QUARTER * (int(name[5]) - 1), MONTHS_IN_QUARTER
        return _month_index(name), 1

    def _name(self, first: int, count: int) -> str:
        if count == 1:
            return _month_name(first)
        year, position = self._fiscal(first)
        return f"FY{year}" if count == MONTHS_IN_YEAR else f"{year}Q{position // MONTHS_IN_QUARTER + 1}"

    def _year_start(self, year: int) -> int:
        early = self.named_by == "end" and self.start_month > 1
        return (year - early) * MONTHS_IN_YEAR + self.start_month - 1

    def _fiscal(self, index: int) -> tuple[int, int]:
        """Return the name of the fiscal year of a month, and the month's position in it from 0."""
        years, position = divmod(index - self._year_start(0), MONTHS_IN_YEAR)
        return years, position

    def _first_day(self, index: int) -> dt.date:
        if self.pattern == "months":
            year, month = divmod(index, MONTHS_IN_YEAR)
            return dt.date(year, month + 1, 1)
        year, position = self._fiscal(index)
        quarter, month = divmod(position, MONTHS_IN_QUARTER)
        in_quarter = PATTERNS[self.pattern]
        weeks = quarter * sum(in_quarter) + sum(in_quarter[:month])
        anchor_year, anchor_month = divmod(self._year_start(year), MONTHS_IN_YEAR)
        return _nearest_weekday(anchor_year, anchor_month + 1, self.week_start) + dt.timedelta(weeks=weeks)


@lru_cache(maxsize=1024)
def _nearest_weekday(year: int, month: int, weekday: int) -> dt.date:
    """Find the given weekday nearest to the first of a month, up to three days before or after."""
    first = dt.date(year, month, 1)
    after = (weekday - first.weekday()) % DAYS_IN_WEEK
    return first + dt.timedelta(days=after if after <= DAYS_IN_WEEK // 2 else after - DAYS_IN_WEEK)


def _full_year(text: str) -> int:
    return int(text) if len(text) > 2 else 2000 + int(text)


def _month_index(name: str) -> int:
    return int(name[:4]) * MONTHS_IN_YEAR + int(name[5:7]) - 1


def _month_name(index: int) -> str:
    year, month = divmod(index, MONTHS_IN_YEAR)
    return f"{year:04d}-{month + 1:02d}"


def is_month(period: str) -> bool:
    """Tell whether a canonical period is a month."""
    return len(period) == len("2026-11") and period[4] == "-"


def same_length(periods: Iterable[str]) -> bool:
    """Tell whether canonical periods are all months, all quarters or all years."""
    return len({len(period) for period in periods}) <= 1
