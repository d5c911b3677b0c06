"""Submissions: the last word by the cut-off counts, silence is not zero, and everybody is counted once."""

import datetime as dt

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.collect.submissions import (
    category_roll_up,
    field_forecast,
    latest_submissions,
)
from spms_lib.hierarchy import Hierarchy

from toys import TOY, table  # isort: skip

TREE = Hierarchy.from_parent_child(table(TOY))
DUE = dt.date(2026, 1, 15)


def sent(text: str) -> pd.DataFrame:
    """Read lines such as `anna 2026-01 commit 100 01-10T09:00`."""
    rows = [line.split() for line in text.strip().splitlines()]
    frame = pd.DataFrame(rows, columns=["node", "period", "category", "value", "submitted_at"])
    when = pd.to_datetime("2026-" + frame["submitted_at"])
    return frame.assign(value=frame["value"].astype("int64"), submitted_at=when, submitted_by=frame["node"])


def heard(text: str, day: dt.date = DUE) -> dict[tuple[str, str, str], int]:
    latest = latest_submissions(sent(text), cut_off=day)
    return latest.set_index(["node", "period", "category"])["value"].to_dict()


def test_a_later_word_replaces_an_earlier_one_of_its_kind_only() -> None:
    assert heard("""
        anna 2026-01 commit 120 01-12T09:00
        anna 2026-01 commit 100 01-10T09:00
        anna 2026-01 closed 10  01-09T09:00
        anna 2026-02 commit 50  01-09T09:00
        ben  2026-01 commit 70  01-09T09:00
        """) == {
        ("anna", "2026-01", "closed"): 10,
        ("anna", "2026-01", "commit"): 120,
        ("anna", "2026-02", "commit"): 50,
        ("ben", "2026-01", "commit"): 70,
    }


def test_the_cut_off_is_the_last_second_of_its_day() -> None:
    text = """
        anna 2026-01 commit 1 01-15T23:59:59
        anna 2026-01 commit 2 01-16T00:00:00
        ben  2026-01 commit 3 01-16T00:00:00
        """
    assert heard(text) == {("anna", "2026-01", "commit"): 1}
    assert heard(text, dt.date(2026, 1, 16)) == {
        ("anna", "2026-01", "commit"): 2,
        ("ben", "2026-01", "commit"): 3,
    }


def test_what_is_sent_after_the_cut_off_is_not_counted_as_a_version() -> None:
    text = "anna 2026-01 commit 1 01-10T09:00\nanna 2026-01 commit 2 01-11T09:00\nanna 2026-01 commit 3 01-20T09:00"
    assert latest_submissions(sent(text), cut_off=DUE)["version"].tolist() == [2]


@settings(max_examples=20)
@given(st.permutations(range(6)))
def test_the_order_of_the_file_does_not_matter(order: list[int]) -> None:
    rows = sent("\n".join(f"anna 2026-0{1 + i % 2} commit {i} 01-1{i}T09:00" for i in range(6)))
    one, other = (latest_submissions(frame, cut_off=DUE) for frame in (rows, rows.iloc[order]))
    pd.testing.assert_frame_equal(one, other)


def test_the_field_stands_behind_closed_plus_commit_and_silence_is_no_row() -> None:
    latest = latest_submissions(
        sent("""
        anna 2026-01 closed    10  01-10T09:00
        anna 2026-01 commit    90  01-10T09:00
        anna 2026-01 best_case 500 01-10T09:00
        ben  2026-01 commit    0   01-10T09:00
        carl 2026-01 pipeline  70  01-10T09:00
        """),
        cut_off=DUE,
    )
    assert field_forecast(latest).values.tolist() == [
        ["anna", "2026-01", "field", 100],
        ["ben", "2026-01", "field", 0],  # zero is a word
    ]  # and carl has not said what he stands behind


def test_categories_each_alone_and_cumulative() -> None:
    """Closed 50, commit 100, best case 150, pipeline 200; an open pipeline leaves closed out and is 450."""
    latest = latest_submissions(
        sent("""
        anna 2026-01 closed    20  01-10T09:00
        ben  2026-01 closed    30  01-10T09:00
        anna 2026-01 commit    100 01-10T09:00
        ben  2026-01 best_case 150 01-10T09:00
        ben  2026-01 pipeline  200 01-10T09:00
        """),
        cut_off=DUE,
    )
    rolled = category_roll_up(TREE, latest, ["toy", "north", "south"])
    assert rolled.loc["north"].tolist() == [50, 100, 150, 200, 50, 150, 300, 500]
    assert rolled.loc["toy"].tolist() == rolled.loc["north"].tolist()
    assert rolled.loc["south"].isna().all()
    row = rolled.loc["toy"]
    assert row["pipeline_cumulative"] - row["closed_cumulative"] == 450


def test_without_any_submission_the_roll_up_is_missing_and_not_zero() -> None:
    nothing = latest_submissions(sent("anna 2026-01 commit 1 01-20T09:00"), cut_off=DUE)
    assert category_roll_up(TREE, nothing, ["toy"]).isna().all(axis=None)
