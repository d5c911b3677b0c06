"""Fiscal calendars: names, arithmetic and days, against published calendars and laws."""

import datetime as dt
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.calendar import PATTERNS, FiscalCalendar
from spms_lib.errors import PeriodError

calendars = st.builds(
    FiscalCalendar,
    start_month=st.integers(1, 12),
    pattern=st.sampled_from(list(PATTERNS)),
    named_by=st.sampled_from(["start", "end"]),
    week_start=st.integers(0, 6),
)
years = st.integers(1995, 2060)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("2026Q4", "2026Q4"),
        ("FY26 Q4", "2026Q4"),
        ("Q4 2026", "2026Q4"),
        ("q4/26", "2026Q4"),
        ("2026-11", "2026-11"),
        ("202611", "2026-11"),
        ("2026-11-01", "2026-11"),
        ("2026-11-01 00:00:00", "2026-11"),
        ("FY26", "FY2026"),
        ("fy2026", "FY2026"),
    ],
)
def test_periods_are_read_as_people_write_them(text: str, name: str) -> None:
    assert FiscalCalendar().parse(text) == name


@pytest.mark.parametrize("text", ["", "2026", "2026Q5", "2026-13", "2026-11-02", "November", "26-11"])
def test_what_is_not_a_period_is_refused_with_the_way_to_write_one(text: str) -> None:
    with pytest.raises(PeriodError, match="Write a month as 2026-11"):
        FiscalCalendar().parse(text)


def test_a_july_year_is_named_by_its_end() -> None:
    july = FiscalCalendar(start_month=7)
    assert july.months("2020Q3") == ["2020-01", "2020-02", "2020-03"]
    assert july.start("FY2020") == dt.date(2019, 7, 1)
    assert july.end("FY2020") == dt.date(2020, 6, 30)
    assert july.quarter_of("2019-12") == "2020Q2"
    assert FiscalCalendar(start_month=7, named_by="start").year_of("2019-07") == "FY2019"


@pytest.mark.parametrize(
    ("year", "start", "end"),
    [
        ("FY2023", dt.date(2023, 1, 29), dt.date(2024, 2, 3)),  # 53 weeks
        ("FY2024", dt.date(2024, 2, 4), dt.date(2025, 2, 1)),
        ("FY2025", dt.date(2025, 2, 2), dt.date(2026, 1, 31)),
        ("FY2017", dt.date(2017, 1, 29), dt.date(2018, 2, 3)),  # 53 weeks
    ],
)
def test_the_retail_calendar_starts_and_ends_as_published(year: str, start: dt.date, end: dt.date) -> None:
    """National Retail Federation, 4-5-4 calendars of these years."""
    retail = FiscalCalendar(start_month=2, pattern="4-5-4", named_by="start", week_start=6)
    assert (retail.start(year), retail.end(year)) == (start, end)


def test_the_weeks_of_a_quarter_follow_the_pattern() -> None:
    weeks = FiscalCalendar(pattern="4-4-5", week_start=0)
    lengths = [(weeks.end(m) - weeks.start(m)).days + 1 for m in weeks.months("2026Q1")]
    assert lengths == [28, 28, 35]


@given(calendars, years)
def test_days_of_a_year_are_covered_once(calendar: FiscalCalendar, year: int) -> None:
    months = calendar.months(f"FY{year}")
    assert len(months) == 12
    assert calendar.start(months[0]) == calendar.start(f"FY{year}")
    for before, after in pairwise(months):
        assert calendar.end(before) + dt.timedelta(days=1) == calendar.start(after)
    assert calendar.end(months[-1]) + dt.timedelta(days=1) == calendar.start(f"FY{year + 1}")


@given(calendars, st.dates(dt.date(1995, 1, 1), dt.date(2060, 12, 31)))
def test_a_day_lies_in_the_month_it_is_said_to(calendar: FiscalCalendar, day: dt.date) -> None:
    month = calendar.month_of(day)
    assert calendar.start(month) <= day <= calendar.end(month)
    assert month in calendar.months(calendar.quarter_of(month))
    assert calendar.quarter_of_day(day) == calendar.quarter_of(month)


@given(calendars, years, st.integers(-50, 50))
def test_shifting_there_and_back_changes_nothing(calendar: FiscalCalendar, year: int, steps: int) -> None:
    for period in (f"FY{year}", f"{year}Q2", f"{year}-05"):
        assert calendar.shift(calendar.shift(period, steps), -steps) == period
        assert calendar.shift(period, 0) == period


@given(calendars, st.lists(st.dates(dt.date(2000, 1, 1), dt.date(2040, 12, 31)), min_size=1, max_size=30))
def test_a_column_of_days_is_named_like_each_day(calendar: FiscalCalendar, days: list[dt.date]) -> None:
    column = pd.Series(pd.to_datetime([*days, None]))
    named = calendar.months_of(column)
    assert named.iloc[:-1].tolist() == [calendar.month_of(day) for day in days]
    assert named.isna().tolist() == [False] * len(days) + [True]


def test_a_range_of_mixed_lengths_is_refused() -> None:
    with pytest.raises(PeriodError, match="not of the same length"):
        FiscalCalendar().range("2026Q1", "2026-05")


def test_working_days_leave_out_weekends() -> None:
    assert FiscalCalendar().working_days(dt.date(2026, 8, 1), dt.date(2026, 8, 31)) == 21
    assert FiscalCalendar().working_days(dt.date(2026, 8, 2), dt.date(2026, 8, 1)) == 0


@pytest.mark.parametrize(
    "wrong", [{"start_month": 13}, {"pattern": "4-4-4"}, {"named_by": "middle"}, {"week_start": 7}]
)
def test_an_impossible_calendar_is_refused(wrong: dict) -> None:
    with pytest.raises(PeriodError):
        FiscalCalendar(**wrong)
