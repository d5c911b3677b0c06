"""Forecast categories and weighted pipeline of deals, by node and month."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.calendar import FiscalCalendar
from spms_lib.collect.pipeline import pipeline_by_month
from spms_lib.collect.roll_ups import deals_by_category, roll_up_deals
from spms_lib.deals import snapshot
from spms_lib.hierarchy import Hierarchy

YEAR = FiscalCalendar()
TREE = Hierarchy.from_parent_child(
    pd.DataFrame(
        {
            "node": ["top", "north", "south", "a", "b", "c"],
            "parent": [None, "top", "top", "north", "north", "south"],
            "level": ["company", "team", "team", "seat", "seat", "seat"],
        }
    )
)
MONTHS = ["2026-01", "2026-02", "2026-03"]
COLUMNS = ["node", "status", "category", "amount", "probability", "close_date"]


def deals(*rows: tuple) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=COLUMNS)
    frame = frame.assign(opportunity=[f"d{i}" for i in range(len(rows))], as_of=pd.Timestamp(2026, 1, 15))
    return frame.astype({"close_date": "datetime64[us]", "category": "str", "probability": "float64"})


def rolled(frame: pd.DataFrame, **options) -> pd.DataFrame:
    table = roll_up_deals(TREE, deals_by_category(frame, YEAR), TREE.nodes, months=MONTHS, **options)
    return table.set_index([name for name in ("node", "period") if name in table])


WORKED = deals(
    ("a", "won", "closed", 50, 1.0, "2026-01-10"),
    ("a", "open", "commit", 100, 0.9, "2026-02-10"),
    ("b", "open", "best_case", 150, 0.5, "2026-02-20"),
    ("c", "open", "pipeline", 200, 0.1, "2026-03-01"),
)


def test_the_worked_example_of_cumulative_roll_ups() -> None:
    """Closed 50, commit 100, best case 150, pipeline 200: 150, 300, 500, and open pipeline 450."""
    top = rolled(WORKED, by_month=False).loc["top"]
    assert top[["closed", "commit", "best_case", "pipeline"]].tolist() == [50, 100, 150, 200]
    names = ["closed_cumulative", "commit_cumulative", "best_case_cumulative", "pipeline_cumulative"]
    assert top[names].tolist() == [50, 150, 300, 500]
    assert top["open_pipeline"] == 450
    assert top["weighted"] == pytest.approx(90 + 75 + 20)


def test_roll_ups_hold_for_every_level_and_month() -> None:
    table = rolled(WORKED)
    assert table.loc[("north", "2026-02"), ["commit", "best_case", "commit_cumulative"]].tolist() == [
        100,
        150,
        100,
    ]
    assert table.loc[("south", "2026-02")].eq(0).all()  # the CRM was asked, and has none
    assert table.loc[("top", "2026-03"), "pipeline"] == 200
    assert table.index.tolist()[:3] == [("top", month) for month in MONTHS]


def test_an_overdue_deal_counts_in_the_month_of_the_snapshot_and_a_lost_one_nowhere() -> None:
    table = rolled(
        deals(
            ("a", "open", "commit", 70, 0.9, "2025-11-01"), ("a", "lost", "pipeline", 900, 0.0, "2026-01-02")
        )
    )
    assert table.loc[("a", "2026-01"), ["commit", "pipeline_cumulative"]].tolist() == [70, 70]
    assert table.loc["top"]["pipeline_cumulative"].sum() == 70


def test_a_deal_without_a_category_is_in_none_and_is_shown() -> None:
    """So is an open deal that the CRM calls closed: closed is what was won."""
    table = rolled(
        deals(("a", "open", None, 70, None, "2026-02-01"), ("a", "open", "closed", 5, 0.5, "2026-02-01")),
        by_month=False,
    )
    assert table.loc["top", ["no_category", "pipeline_cumulative", "unrated"]].tolist() == [75, 0, 1]
    assert table.loc["top", "weighted"] == 2.5


def test_most_likely_shows_where_it_is_used_and_adds_between_commit_and_best_case() -> None:
    extra = deals(("b", "open", "most_likely", 10, 0.6, "2026-03-03"))
    table = rolled(pd.concat([WORKED, extra]), by_month=False)
    assert table.loc["top", "most_likely_cumulative"] == 160
    assert table.loc["top", "best_case_cumulative"] == 310
    assert "most_likely" not in rolled(WORKED)


def test_no_deals_at_all_are_nought() -> None:
    assert rolled(WORKED.head(0)).eq(0).all(axis=None)


ROW = st.tuples(
    st.sampled_from("abc"),
    st.sampled_from(["open", "won", "lost"]),
    st.sampled_from(["commit", "best_case", "pipeline", None]),
    st.integers(-(10**9), 10**12),
    st.one_of(st.none(), st.floats(0, 1)),
    st.dates(dt.date(2025, 10, 1), dt.date(2026, 3, 31)).map(str),
)


@given(st.lists(ROW, max_size=25))
def test_every_open_and_won_amount_is_in_exactly_one_category_to_the_cent(rows: list[tuple]) -> None:
    """Held to a loop over the rows that knows nothing of tables."""
    frame = deals(*rows)
    table = rolled(frame)
    expected: dict[tuple[str, str], int] = {}
    for node, status, _, amount, _, day in rows:
        month = day[:7] if status == "won" else max(day, "2026-01-15")[:7]
        if status != "lost" and month in MONTHS:
            for each in (node, {"a": "north", "b": "north", "c": "south"}[node], "top"):
                expected[each, month] = expected.get((each, month), 0) + amount
    got = table["pipeline_cumulative"] + table["no_category"]
    assert {key: int(value) for key, value in got.items() if value} == {
        k: v for k, v in expected.items() if v
    }
    whole = rolled(frame, by_month=False)
    assert whole["commit_cumulative"].to_dict() == table.groupby("node")["commit_cumulative"].sum().to_dict()
    by_month = pipeline_by_month(frame, YEAR)
    mine = by_month[by_month["period"].isin(MONTHS)]
    assert mine["weighted"].sum() == pytest.approx(whole.loc["top", "weighted"])


def test_the_sum_of_children_is_the_parent() -> None:
    table = rolled(WORKED)
    below = table.loc["north"] + table.loc["south"]
    pd.testing.assert_frame_equal(table.loc["top"], below)


def test_a_snapshot_is_counted_as_it_was_known() -> None:
    later = WORKED.assign(as_of=pd.Timestamp(2026, 2, 15), amount=1)
    both = pd.concat([WORKED, later])
    early = deals_by_category(snapshot(both, as_of=dt.date(2026, 1, 31)), YEAR)
    pd.testing.assert_frame_equal(early, deals_by_category(WORKED, YEAR))
