import datetime as dt

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import PeriodError, TableError
from spms_lib.review.monitoring import at_risk, pace

CALENDAR = FiscalCalendar()
QUARTER = ["2026-01", "2026-02", "2026-03"]  # 22, 20 and 22 working days
MID_FEBRUARY = dt.date(2026, 2, 13)  # 10 of 20 working days of the month


def plan(node: str = "a", values: tuple[int | None, ...] = (100, 200, 300)) -> pd.DataFrame:
    return pd.DataFrame({"node": node, "period": QUARTER[: len(values)], "value": values}).astype(
        {"value": "Int64"}
    )


def sales(*rows: tuple[str, str, int]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["node", "date", "value"])
    return frame.astype({"node": "str", "date": "datetime64[us]", "value": "int64"})


def paced(*rows: tuple[str, str, int], as_of: dt.date = MID_FEBRUARY, **options: float) -> pd.Series:
    return pace(plan(), sales(*rows), calendar=CALENDAR, as_of=as_of, **options).iloc[0]


def test_the_plan_to_date_takes_full_months_and_the_share_of_working_days() -> None:
    got = paced(("a", "2026-01-15", 90), ("a", "2026-02-13", 70))
    assert (got["plan_to_date"], got["actual_to_date"], got["gap"], got["pace"]) == (200, 160, -40, 0.8)
    assert (got["plan"], got["days_elapsed"], got["days_left"]) == (600, 32, 32)


def test_the_landing_goes_on_at_the_pace_to_date() -> None:
    got = paced(("a", "2026-01-15", 160))
    assert got["landing"] == 160 + round(400 * 0.8)
    assert got["landing_rule"] == "actual + remaining plan x pace"


@pytest.mark.parametrize(("sold", "landing", "limit"), [(1000, 1000 + 2 * 400, "2"), (-50, -50, "0")])
def test_a_landing_does_not_follow_an_extreme_pace_and_says_so(sold: int, landing: int, limit: str) -> None:
    got = paced(("a", "2026-01-15", sold))
    assert got["landing"] == landing
    assert got["landing_rule"].endswith(f"pace limited to {limit}")
    assert got["pace"] == sold / 200


def test_once_the_period_is_over_the_landing_is_the_actual() -> None:
    got = paced(("a", "2026-03-31", 500), as_of=dt.date(2026, 3, 31))
    assert (got["landing"], got["landing_rule"], got["days_left"]) == (500, "complete: actual", 0)


def test_before_the_period_nothing_is_projected() -> None:
    got = paced(as_of=dt.date(2025, 12, 31))
    assert pd.isna(got["pace"])
    assert pd.isna(got["landing"])
    assert got["landing_rule"] == "no landing: no plan to date"
    assert (got["plan_to_date"], got["days_elapsed"]) == (0, 0)


def test_sales_after_the_day_or_outside_the_period_are_not_counted() -> None:
    got = paced(
        ("a", "2025-12-31", 1),
        ("a", "2026-01-01", 10),
        ("a", "2026-02-13 23:59", 100),
        ("a", "2026-02-14", 1000),
    )
    assert got["actual_to_date"] == 110


def test_a_node_without_plan_or_without_sales_is_still_listed() -> None:
    got = pace(plan(), sales(("b", "2026-01-05", 7)), calendar=CALENDAR, as_of=MID_FEBRUARY).set_index("node")
    assert got.loc["a", "actual_to_date"] == 0
    assert got.loc["b", "actual_to_date"] == 7
    assert got.loc["b", ["plan", "plan_to_date", "gap", "pace", "landing"]].isna().all()


def test_one_month_without_a_plan_leaves_the_landing_unknown() -> None:
    later = pace(plan(values=(100, 200, None)), sales(), calendar=CALENDAR, as_of=MID_FEBRUARY).iloc[0]
    assert later["plan_to_date"] == 200
    assert pd.isna(later["plan"])
    assert pd.isna(later["landing"])
    earlier = pace(plan(values=(None, 200, 300)), sales(), calendar=CALENDAR, as_of=MID_FEBRUARY).iloc[0]
    assert pd.isna(earlier["plan_to_date"])


def test_weeks_of_a_retail_calendar_count_in_their_own_month() -> None:
    """4-5-4, year from February: fiscal February 2026 starts on Sunday 1 February, for 4 weeks."""
    retail = FiscalCalendar(start_month=2, pattern="4-5-4", named_by="start")
    months = retail.months("2026Q1")
    table = pd.DataFrame({"node": "a", "period": months, "value": [100, 100, 100]})
    after_four_weeks = retail.end(months[0])
    rows = sales(("a", str(after_four_weeks), 10), ("a", str(after_four_weeks + dt.timedelta(days=1)), 5))
    got = pace(table, rows, calendar=retail, as_of=after_four_weeks).iloc[0]
    assert (got["plan_to_date"], got["actual_to_date"], got["days_elapsed"]) == (100, 10, 20)


def test_a_plan_by_quarter_is_refused() -> None:
    table = pd.DataFrame({"node": ["a"], "period": ["2026Q1"], "value": [1]})
    with pytest.raises(PeriodError, match="'2026Q1' is not a month"):
        pace(table, sales(), calendar=CALENDAR, as_of=MID_FEBRUARY)


def test_a_month_planned_twice_is_refused() -> None:
    with pytest.raises(TableError, match="listed twice"):
        pace(pd.concat([plan(), plan()]), sales(), calendar=CALENDAR, as_of=MID_FEBRUARY)


@given(
    day=st.dates(dt.date(2025, 12, 20), dt.date(2026, 4, 10)),
    amounts=st.lists(st.integers(-(10**6), 10**7), max_size=6),
    data=st.data(),
)
@settings(max_examples=50, deadline=None)
def test_the_order_of_rows_changes_nothing_and_dates_only_add_plan(
    day: dt.date, amounts: list[int], data: st.DataObject
) -> None:
    rows = sales(*(("ab"[at % 2], f"2026-0{1 + at % 3}-1{at}", amount) for at, amount in enumerate(amounts)))
    table = pd.concat([plan("a"), plan("b", (50, 0, None))])
    got = pace(table, rows, calendar=CALENDAR, as_of=day)
    order, months = (
        data.draw(st.permutations(range(len(rows)))),
        data.draw(st.permutations(range(len(table)))),
    )
    pd.testing.assert_frame_equal(
        got, pace(table.iloc[months], rows.iloc[order], calendar=CALENDAR, as_of=day)
    )
    later = pace(table, rows, calendar=CALENDAR, as_of=day + dt.timedelta(days=7))
    assert later["plan_to_date"].iloc[0] >= got["plan_to_date"].iloc[0]
    assert (got["days_elapsed"] + got["days_left"] == 64).all()


def test_the_risk_list_ranks_by_missing_money_and_keeps_the_unknown() -> None:
    rows = pd.DataFrame(
        {
            "node": list("abcde"),
            "plan": [100, 100, 100, 100, None],
            "landing": [90, 40, 100, None, 7],
            "pace": [0.9, 0.4, 1.0, None, None],
        }
    ).astype({"plan": "Int64", "landing": "Int64"})
    covered = pd.DataFrame({"node": ["b"], "coverage_ratio": [1.94], "required_ratio": [4.0]})
    got = at_risk(rows, covered=covered)
    assert got["node"].tolist() == ["b", "a", "d"]
    assert got["shortfall"].tolist()[:2] == [60, 10]
    assert pd.isna(got["shortfall"].iloc[2])
    assert got["why"].tolist() == [
        "pace 40 %, coverage 1.9 of 4.0 required",
        "pace 90 %",
        "no landing can be projected",
    ]
    assert at_risk(rows, least_shortfall=50)["node"].tolist() == ["b", "d"]
