"""Capacity in money and heads: the trade's worked example, people who come, ramp and go, and shortages in words."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import ParamsError
from spms_lib.goals.capacity import (
    capacity,
    full_post_productivity,
    heads_and_posts,
    leave_record,
    month_factors,
    ramp_ratio,
    seat_productivity,
    staying_ratios,
)
from spms_lib.goals.shortage import hires_needed, in_words, shortage

CALENDAR = FiscalCalendar()
MONTHS = ["2026-04", "2026-05", "2026-06"]


def roster(*rows: tuple[str, str, str | None, float | None, float | None]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["node", "start", "end", "fte", "ramp_months"])
    return frame.assign(start=pd.to_datetime(frame["start"]), end=pd.to_datetime(frame["end"])).astype(
        {"fte": float, "ramp_months": float}
    )


def grid(values: dict[str, list[float]], months: list[str] = MONTHS) -> pd.DataFrame:
    return pd.DataFrame(values, index=months, dtype=float).T


def test_seven_ramped_and_three_new_sellers_can_sell_what_the_published_example_says() -> None:
    # 7 x 150k x 85 % + 3 x 150k x 40 % = 892.5k + 180k = 1,072.5k
    posts = pd.DataFrame({"2026-05": [0.85] * 7 + [0.40] * 3})
    found = capacity(posts, pd.Series(150_000.0, posts.index), pd.Series({"2026-05": 1.0}))["2026-05"]
    assert found.head(7).sum() == pytest.approx(892_500)
    assert found.tail(3).sum() == pytest.approx(180_000)
    assert found.sum() == pytest.approx(1_072_500)


def test_a_person_counts_for_the_days_in_the_seat_and_for_the_share_of_a_post() -> None:
    people = roster(("a", "2020-01-01", "2026-04-15", None, None), ("b", "2026-05-17", None, 0.5, None))
    heads, posts = heads_and_posts(people, MONTHS, CALENDAR)
    assert heads.loc["a"].tolist() == pytest.approx([0.5, 0.0, 0.0])
    assert heads.loc["b"].tolist() == pytest.approx([0.0, 0.5 * 15 / 31, 0.5])
    pd.testing.assert_frame_equal(heads, posts)  # nobody ramps


def test_two_people_after_each_other_in_one_seat_are_one_post() -> None:
    people = roster(("a", "2020-01-01", "2026-05-10", 1, 0), ("a", "2026-05-11", None, 1, 0))
    assert heads_and_posts(people, MONTHS, CALENDAR)[0].loc["a"].tolist() == pytest.approx([1.0, 1.0, 1.0])


def test_a_newcomer_ramps_over_the_months_and_a_veteran_does_not() -> None:
    people = roster(("new", "2026-04-01", None, 1, 3), ("old", "2019-01-01", None, 1, 3))
    _, posts = heads_and_posts(people, MONTHS, CALENDAR)
    assert posts.loc["new"].tolist() == pytest.approx(
        [1 / 6, 1 / 2, 5 / 6], abs=0.02
    )  # middles of three months
    assert posts.loc["old"].tolist() == [1.0, 1.0, 1.0]


def test_a_ramp_may_start_above_nothing_but_not_above_a_full_post() -> None:
    assert ramp_ratio(np.array([0.0, 2.0, 5.0]), np.array([4.0, 4.0, 0.0]), 0.2).tolist() == pytest.approx(
        [0.2, 0.6, 1.0]
    )
    with pytest.raises(ParamsError, match=r"cannot start at 1\.5"):
        ramp_ratio(np.zeros(1), np.zeros(1), 1.5)


def test_season_compares_a_month_with_the_average_month() -> None:
    months = [str(month) for month in pd.period_range("2024-01", "2025-12", freq="M")]
    total = pd.Series([300.0 if month.endswith("12") else 100.0 for month in months], index=months)
    factors = month_factors(total, ["2026-11", "2026-12"])
    assert factors.tolist() == pytest.approx([100 / (1400 / 12), 300 / (1400 / 12)])
    assert month_factors(total.head(11), ["2026-12"]).tolist() == [1.0]  # a part of a year shows no season


def test_an_empty_month_is_not_held_against_the_seat() -> None:
    sold, posts = grid({"a": [100, 0, 100], "b": [100, 100, 100]}), grid({"a": [1, 0, 1], "b": [1, 1, 1]})
    flat, groups = pd.Series(1.0, index=MONTHS), pd.Series("g", index=["a", "b"])
    assert seat_productivity(sold, posts, flat, groups).tolist() == pytest.approx([100, 100])


def test_a_seat_with_little_past_is_drawn_towards_its_group_and_one_with_much_less_so() -> None:
    flat, groups = pd.Series(1.0, index=MONTHS), pd.Series("g", index=["a", "b"])
    sold, posts = (
        grid({"a": [300, 300, 300], "b": [np.nan, np.nan, 0]}),
        grid({"a": [1, 1, 1], "b": [0, 0, 1]}),
    )
    found = seat_productivity(sold, posts, flat, groups, prior=3)
    group = 900 / 4
    assert found["a"] == pytest.approx((900 + 3 * group) / 6)
    assert found["b"] == pytest.approx((0 + 3 * group) / 4)


def test_a_full_post_is_the_median_of_ramped_seats_and_not_the_best() -> None:
    seats = [f"s{i}" for i in range(5)]
    sold = pd.DataFrame({month: [80.0, 100.0, 1000.0, 10.0, 5.0] for month in MONTHS}, index=seats)
    heads = pd.DataFrame({month: [1.0, 1.0, 1.0, 1.0, 0.0] for month in MONTHS}, index=seats)
    posts = heads.mul([1, 1, 1, 0.5, 1], axis=0)  # s3 still ramps, s4 is empty
    table = full_post_productivity(
        sold, posts, heads, pd.Series(1.0, index=MONTHS), pd.Series("g", index=seats)
    )
    assert table.set_index("group").loc["all"].tolist() == [3, 100.0, 100.0]


def test_a_group_without_ramped_seats_gets_the_companys_productivity() -> None:
    sold, ones = grid({"a": [100] * 3, "b": [50] * 3}), grid({"a": [1] * 3, "b": [1] * 3})
    table = full_post_productivity(
        sold,
        ones.mul([1, 0.5], axis=0),
        ones,
        pd.Series(1.0, index=MONTHS),
        pd.Series(["g", "h"], index=["a", "b"]),
    ).set_index("group")
    assert (table.loc["h", "seats"], table.loc["h", "productivity"]) == (0, 100.0)
    assert np.isnan(table.loc["h", "median"])


def test_people_leave_are_replaced_and_the_newcomers_ramp() -> None:
    # one in ten leaves each month; replaced after a month; a newcomer is worth half in the first month
    kept = staying_ratios(4, leave_ratio=0.1, backfill_months=1, ramp=np.array([0.5]))
    stayers = [0.95, 0.9 * 0.95, 0.81 * 0.95, 0.729 * 0.95]
    leavers = [0.1, 0.09, 0.081]
    assert kept.tolist() == pytest.approx(
        [
            stayers[0],
            stayers[1],
            stayers[2] + leavers[0] * 0.5,
            stayers[3] + leavers[0] * 1.0 + leavers[1] * 0.5,
        ]
    )
    with pytest.raises(ParamsError, match="cannot leave"):
        staying_ratios(3, leave_ratio=1.0, backfill_months=0, ramp=np.array([]))


@given(st.floats(0, 0.5), st.integers(0, 6), st.integers(0, 8))
def test_posts_never_grow_by_leaving(leave: float, backfill: int, ramp_months: int) -> None:
    ramp = ramp_ratio(np.arange(ramp_months) + 0.5, np.full(ramp_months, float(ramp_months)))
    kept = staying_ratios(12, leave_ratio=leave, backfill_months=backfill, ramp=ramp)
    assert ((kept >= 0) & (kept <= 1 + 1e-12)).all()
    assert leave > 0 or (kept == 1).all()


def test_leaving_is_learnt_from_the_last_years_only() -> None:
    people = roster(
        ("a", "2010-01-01", None, 1, 0),  # sixteen years of service do not make leaving rare
        ("b", "2024-07-01", "2026-03-31", 1, 0),
        ("b", "2026-06-01", None, 1, 0),
    )
    record = leave_record(people, until=pd.Timestamp("2026-06-30"))
    assert record["leavers"] == 1
    assert record["head_months"] == pytest.approx(24 + 21 + 1, abs=0.1)
    assert record["backfill_months"] == pytest.approx(61 / 30.4375)  # April and May
    assert leave_record(people, until=pd.Timestamp("2026-02-28"))["leavers"] == 0  # nobody knew yet


def test_an_unknown_seat_has_no_capacity_and_an_empty_one_has_nothing() -> None:
    posts = grid({"empty": [0, 0, 0], "unknown": [np.nan] * 3})
    found = capacity(posts, pd.Series(100.0, posts.index), pd.Series(1.0, index=MONTHS))
    assert found.loc["empty"].tolist() == [0, 0, 0]
    assert found.loc["unknown"].isna().all()


# -- shortage ------------------------------------------------------------------------------------


def says(target: list[float], can: list[float], each: float = 10.0) -> pd.Series:
    return shortage(grid({"n": target}), grid({"n": can}), grid({"n": [each] * 3})).iloc[0]


def test_capacity_is_short_by_heads_from_the_first_short_month() -> None:
    row = says([100, 130, 134], [100, 100, 100])  # 30 + 34 = 64 over two months of 10 a head
    assert (row["from_month"], row["months_short"]) == ("2026-05", 2)
    assert row["short_heads"] == pytest.approx(3.2)
    assert row["gap"] == -64
    assert in_words("DACH", row["says"]) == "DACH: capacity is short by 3.2 heads from 2026-05."


def test_enough_capacity_says_until_when() -> None:
    row = says([100, 100, 100], [100, 110, 100])
    assert (row["months_short"], row["short_heads"], row["says"]) == (0, 0.0, "enough until 2026-06")
    assert row["from_month"] is None


def test_a_dip_that_later_months_make_up_for_is_named_and_needs_no_heads() -> None:
    row = says([100, 100, 100], [100, 80, 150])
    assert row["short_heads"] == 0
    assert row["says"] == "enough until 2026-06; short by 2.0 heads in 2026-05, made up later"


def test_without_knowledge_nobody_is_said_to_be_missing() -> None:
    row = says([100, 100, 100], [100, np.nan, 100])
    assert np.isnan(row["short_heads"])
    assert in_words("DACH", row["says"]) == "DACH: nobody knows the capacity."


@given(st.lists(st.floats(0, 1e6), min_size=3, max_size=3), st.floats(1, 1e4))
def test_as_many_heads_as_are_short_would_close_the_gap(target: list[float], each: float) -> None:
    row = says(target, [1e5] * 3, each)
    if row["short_heads"] > 0:
        first = MONTHS.index(row["from_month"])
        added = row["short_heads"] * each * (3 - first)
        assert sum(target[first:]) - 1e5 * (3 - first) == pytest.approx(added, rel=1e-9, abs=1e-6)


def test_more_newcomers_are_needed_than_heads_are_short_while_they_ramp() -> None:
    each = grid({"n": [10.0] * 3})
    table = shortage(grid({"n": [100, 130, 134]}), grid({"n": [100.0] * 3}), each)
    row = hires_needed(table, each, ramp=np.array([0.25, 0.5, 0.75])).iloc[0]
    assert row["hire_now"] == 6  # 64 missing, a newcomer brings 5 + 7.5 in May and June: 5.12 of them
    assert row["ramped_if_hired_by"] == "2026-02"
    at_once = hires_needed(table, each, ramp=np.array([])).iloc[0]
    assert (at_once["hire_now"], at_once["ramped_if_hired_by"]) == (4, "2026-05")
    late = hires_needed(table, each, ramp=np.array([]), staying=3).iloc[0]
    assert pd.isna(late["hire_now"])  # whoever starts in July comes too late


def test_nobody_is_hired_where_nobody_is_missing() -> None:
    each = grid({"n": [10.0] * 3})
    table = shortage(grid({"n": [90.0] * 3}), grid({"n": [100.0] * 3}), each)
    assert hires_needed(table, each, ramp=np.array([0.5])).empty
