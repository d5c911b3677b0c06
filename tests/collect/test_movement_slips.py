"""Slips and late deals: rates with their denominators, and nothing known before it was known."""

import datetime as dt
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.calendar import FiscalCalendar
from spms_lib.collect.movement.deals import deal_movement
from spms_lib.collect.movement.slips import (
    known_since,
    late_counts,
    late_new,
    late_shares,
    repeat_slips,
    slip_counts,
    slip_rates,
)
from spms_lib.errors import ParamsError

from toys import table  # isort: skip

QUARTER = {"first_day": dt.date(2026, 7, 1), "last_day": dt.date(2026, 9, 30)}


def deals(text: str) -> pd.DataFrame:
    rows = table("opportunity node status amount created close_date as_of\n" + text.strip())
    days = {name: pd.to_datetime(rows[name]) for name in ("created", "close_date", "as_of")}
    return rows.assign(amount=rows["amount"].astype("int64"), **days)


BEFORE = deals("""
    A anna open 40 2026-05-01 2026-08-01 2026-06-30
    B anna open 30 2026-05-01 2026-08-01 2026-06-30
    C anna open 20 2026-05-01 2026-08-01 2026-06-30
    D ben  open 10 2026-05-01 2026-08-01 2026-06-30
    E ben  open 99 2026-05-01 2026-11-01 2026-06-30
""")
AFTER = deals("""
    A anna open 400 2026-05-01 2026-10-01 2026-09-30
    B anna won  30  2026-05-01 2026-08-01 2026-09-30
    C anna open 20  2026-05-01 2026-09-30 2026-09-30
    D carl open 10  2026-05-01 2026-12-01 2026-09-30
    E ben  open 99  2026-05-01 2026-12-01 2026-09-30
    F ben  won  60  2026-09-20 2026-09-25 2026-09-30
""")


def test_slip_rate_is_what_left_for_later_over_what_was_in_the_quarter_at_first_amounts() -> None:
    """100 were in the quarter: A (40) and D (10) slipped; E (99) never was in it, and 400 is not what slipped."""
    counts = slip_counts(deal_movement(BEFORE, AFTER, **QUARTER))
    assert counts.loc["anna"].tolist() == [3, 90, 1, 40, 1, 30]
    assert counts.loc["ben"].tolist() == [1, 10, 1, 10, 0, 0]  # Ben's, though Carl has it now
    rates = slip_rates(counts.sum().to_frame().T)
    assert rates["by_amount"].iloc[0] == 0.5
    assert rates["by_count"].iloc[0] == 0.5
    assert rates["of_undecided"].iloc[0] == pytest.approx(50 / 70)


def test_the_interval_is_wilsons_as_published() -> None:
    """Newcombe (1998), table I: 81 of 263 has 0.2553 to 0.3662 at 95 %; at 90 %, z = 1.6449 by hand."""
    row = pd.DataFrame([{"deals": 263, "amount": 1, "slipped": 81, "slipped_amount": 0, "decided_amount": 0}])
    rates, z, n, p = slip_rates(row).iloc[0], 1.6448536, 263, 81 / 263
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert rates[["low", "high"]].tolist() == pytest.approx(
        [(p + z**2 / (2 * n) - half) / (1 + z**2 / n), (p + z**2 / (2 * n) + half) / (1 + z**2 / n)]
    )


def test_nothing_in_the_quarter_has_no_rate_and_not_a_rate_of_zero() -> None:
    later = BEFORE[BEFORE["opportunity"] == "E"]
    empty = slip_counts(deal_movement(later, AFTER, **QUARTER))
    rates = slip_rates(empty.reindex(["ben"], fill_value=0))
    assert rates[["by_amount", "by_count", "low", "high", "of_undecided"]].isna().all(axis=None)
    assert slip_rates(empty).empty


ALL = pd.concat([BEFORE, AFTER], ignore_index=True)


def test_late_new_deals_are_those_first_known_in_the_last_third() -> None:
    """Won in the quarter: B (30), known since May, and F (60), entered ten days before the end."""
    won = late_new(ALL, as_of=dt.date(2026, 9, 30), **QUARTER)
    assert won[["opportunity", "amount", "late"]].values.tolist() == [["B", 30, False], ["F", 60, True]]
    shares = late_shares(late_counts(won))
    assert shares.loc["ben", ["by_amount", "by_count"]].tolist() == [1, 1]
    total = late_shares(late_counts(won).sum().to_frame().T).iloc[0]
    assert (total["by_amount"], total["by_count"]) == (pytest.approx(2 / 3), 0.5)
    assert total["low"] < 0.5 < total["high"]
    one_week = late_new(ALL, as_of=dt.date(2026, 9, 30), weeks=1, **QUARTER)
    assert not one_week["late"].any()  # 20 September is eleven days before the end


@pytest.mark.parametrize(
    ("created", "late"),
    [("2026-08-30", False), ("2026-08-31", True)],  # 92 days: the last 31 begin on 31 August
)
def test_a_third_of_the_quarter_begins_on_its_day(created: str, late: bool) -> None:
    won = late_new(
        deals(f"F ben won 60 {created} 2026-09-25 2026-09-30"), as_of=dt.date(2026, 9, 30), **QUARTER
    )
    assert won["late"].tolist() == [late]


def test_a_deal_dated_back_is_known_since_the_first_snapshot_that_has_it() -> None:
    rows = deals("""
        A anna open 1 2026-05-01 2026-08-01 2026-06-30
        A anna open 1 2026-05-01 2026-08-01 2026-07-31
        B anna open 1 2026-05-01 2026-08-01 2026-07-31
        C anna open 1 2026-07-10 2026-08-01 2026-07-31
        D anna open 1 -          2026-08-01 2026-07-31
        E anna open 1 -          2026-08-01 2026-06-30
        F anna open 1 2026-06-30 2026-08-01 2026-07-31
    """)
    since = known_since(rows).dt.strftime("%m-%d").fillna("unknown").to_dict()
    assert since == {
        "A": "05-01",  # the first snapshot of all has it: nobody contradicts the day
        "B": "07-31",  # said to be from May, but June's snapshot does not have it
        "C": "07-10",
        "D": "07-31",
        "E": "unknown",  # there from the start, and no day: older than anything we know
        "F": "07-31",
    }
    without = known_since(rows.drop(columns="created")).dt.strftime("%m-%d").fillna("unknown").to_dict()
    assert without == {**dict.fromkeys("BCDF", "07-31"), **dict.fromkeys("AE", "unknown")}


def test_a_won_deal_of_unknown_age_is_in_neither_part_of_the_share() -> None:
    rows = deals("""
        A anna won 10 -          2026-09-10 2026-09-30
        B anna won 20 2026-09-10 2026-09-10 2026-09-30
        C anna won 60 2026-05-10 2026-09-10 2026-09-30
    """)
    counts = late_counts(late_new(rows, as_of=dt.date(2026, 9, 30), **QUARTER))
    assert counts.loc["anna"].tolist() == [3, 90, 1, 20, 1, 10]
    assert late_shares(counts)[["by_amount", "by_count"]].values.tolist() == [[0.25, 0.5]]


def test_nothing_later_than_the_day_is_looked_at() -> None:
    day = dt.date(2026, 9, 20)
    assert late_new(ALL, as_of=day, **QUARTER).empty
    future = deals("A anna won 1 2026-09-20 2026-09-20 2026-12-31")
    assert late_new(pd.concat([ALL, future]), as_of=day, **QUARTER).empty
    end = dt.date(2026, 9, 30)
    corrected = deals(
        "F ben won 60 2026-07-15 2026-09-25 2026-12-31"
    )  # in December it is said to be from July
    assert late_new(pd.concat([ALL, corrected]), as_of=end, **QUARTER)["late"].tolist() == [False, True]
    known = repeat_slips(ALL, FiscalCalendar(), as_of=day, least=0)
    assert known["slips"].sum() == 0


@pytest.mark.parametrize("weeks", [0, -1, 14])
def test_more_weeks_than_the_quarter_has_are_refused(weeks: float) -> None:
    with pytest.raises(ParamsError, match="last weeks of 92 days"):
        late_new(ALL, as_of=dt.date(2026, 9, 30), weeks=weeks, **QUARTER)


def test_repeat_slips_list_open_deals_whose_month_moved_again_and_again() -> None:
    rows = deals("""
        A anna open 10 2026-05-01 2026-06-20 2026-05-31
        A anna open 10 2026-05-01 2026-07-20 2026-06-30
        A anna open 10 2026-05-01 2026-07-25 2026-07-31
        B anna open 90 2026-05-01 2026-07-20 2026-05-31
        B anna open 90 2026-05-01 2026-07-20 2026-06-30
        B anna open 90 2026-05-01 2026-07-20 2026-07-31
        A anna open 10 2026-05-01 2026-09-25 2026-08-31
        B anna open 95 2026-05-01 2026-07-20 2026-08-31
        C anna won  90 2026-05-01 2026-07-20 2026-08-31
    """)
    listed = repeat_slips(rows, FiscalCalendar(), as_of=dt.date(2026, 8, 31), least=1)
    # A: to July, and to September; a later day of the same month is none. B is overdue: July, then August
    assert listed[["opportunity", "amount", "slips"]].values.tolist() == [["B", 95, 1], ["A", 10, 2]]
    assert listed["first_close"].dt.strftime("%m-%d").tolist() == ["07-20", "06-20"]
    assert repeat_slips(rows, FiscalCalendar(), as_of=dt.date(2026, 8, 31))["opportunity"].tolist() == ["A"]
    assert repeat_slips(rows.head(0), FiscalCalendar(), as_of=dt.date(2026, 8, 31)).empty


some = st.lists(
    st.tuples(
        st.sampled_from(["anna", "ben"]),
        st.integers(0, 10**6),
        st.sampled_from(["2026-08-01", "2026-09-30", "2026-10-01", "2026-12-01"]),
        st.sampled_from(["open", "won", "lost", "gone"]),
    ),
    min_size=1,
    max_size=9,
)


@settings(max_examples=25)
@given(some)
def test_slip_rate_of_any_deals_equals_a_count_by_hand(rows: list) -> None:
    names = [f"D{i}" for i in range(len(rows))]
    first = (
        BEFORE.head(1)
        .loc[[0] * len(rows)]
        .assign(opportunity=names, node=[r[0] for r in rows], amount=[r[1] for r in rows])
    )
    second = first.assign(
        close_date=pd.to_datetime([r[2] for r in rows]), status=[r[3] for r in rows], as_of=pd.Timestamp("2026-12-31")
    )  # fmt: skip
    second = second[second["status"] != "gone"]
    open_late = [r[3] == "open" or r[2] > "2026-09-30" for r in rows]  # an open deal of December has slipped
    slipped = sum(r[1] for r, late in zip(rows, open_late, strict=True) if late and r[3] != "gone")
    counts = slip_counts(deal_movement(first, second, **QUARTER)).sum()
    assert counts["slipped_amount"] == slipped
    assert counts["amount"] == sum(r[1] for r in rows)
    rate = slip_rates(counts.to_frame().T)["by_amount"].iloc[0]
    assert np.isnan(rate) if not counts["amount"] else rate == float(Fraction(slipped, int(counts["amount"])))
