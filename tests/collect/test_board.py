"""The board: everybody once, in one state, and a letter to those who are awaited."""

import datetime as dt

import pandas as pd
import pytest

from spms_lib.collect.asked import DELEGATIONS, ROSTER, Speakers
from spms_lib.collect.board import completeness, status_board
from spms_lib.collect.submissions import latest_submissions
from spms_lib.hierarchy import Hierarchy

from toys import TOY, table  # isort: skip

OWNERS = [None, "Nina", "Sven", "Anna", "Ben", "Carl", None, "Emil"]
TREE = Hierarchy.from_parent_child(table(TOY).assign(owner=OWNERS))
DUE, CUT_OFF = dt.date(2026, 1, 15), dt.date(2026, 1, 18)
MONTHS = ["2026-01", "2026-02"]
SENT = """
    anna 2026-01 commit 1 01-10T09:00
    anna 2026-02 commit 1 01-11T09:00
    anna 2026-02 commit 2 01-12T09:00
    ben  2026-01 commit 1 01-10T09:00
    carl 2026-01 pipeline 9 01-10T09:00
    emil 2026-01 commit 1 01-10T09:00
    emil 2026-02 closed 1 01-16T00:00
"""


def sent(text: str) -> pd.DataFrame:
    rows = [line.split() for line in text.strip().splitlines()]
    frame = pd.DataFrame(rows, columns=["node", "period", "category", "value", "submitted_at"])
    when = pd.to_datetime("2026-" + frame["submitted_at"], format="ISO8601")
    whole = frame.assign(value=frame["value"].astype("int64"), submitted_at=when, route="workbook")
    return whole.assign(submitted_by=whole["node"].str.title())


def speakers(tree: Hierarchy = TREE, *leave: tuple[str, str]) -> Speakers:
    rows = [(*pair, dt.date(2026, 1, 1), dt.date(2026, 1, 31)) for pair in leave]
    return Speakers(tree, pd.DataFrame(columns=list(ROSTER)), pd.DataFrame(rows, columns=list(DELEGATIONS)))


def board(
    text: str = SENT, *leave: tuple[str, str], tree: Hierarchy = TREE, before: str = ""
) -> pd.DataFrame:
    earlier = latest_submissions(sent(before), cut_off=CUT_OFF) if before else None
    shown = status_board(
        tree, sent(text), MONTHS, asked=speakers(tree, *leave).of_leaves(DUE), due=DUE, cut_off=CUT_OFF, before=earlier,
    )  # fmt: skip
    return shown.set_index("node")


def test_the_board_says_who_is_there_late_incomplete_missing_or_vacant() -> None:
    shown = board()
    assert shown["state"].to_dict() == {
        "anna": "submitted",
        "ben": "incomplete",
        "carl": "missing",  # best case and pipeline are no forecast to stand behind
        "dora": "vacant",
        "emil": "submitted",
    }
    assert shown.index[shown["late"]].tolist() == ["emil"]
    assert shown["versions"].to_dict() == {"anna": 2, "ben": 1, "carl": 0, "dora": 0, "emil": 1}
    assert shown["last"]["anna"] == pd.Timestamp(2026, 1, 12, 9)
    assert pd.isna(shown["last"]["carl"])
    assert shown.loc["anna", ["owner", "by", "route"]].tolist() == ["Anna", "Anna", "workbook"]


def test_what_comes_after_the_cut_off_is_shown_and_does_not_count() -> None:
    shown = board(SENT + "ben 2026-02 commit 1 01-19T00:00")
    assert shown.loc["ben", "state"] == "incomplete"
    assert shown.index[shown["after_cut_off"]].tolist() == ["ben"]
    last_second = board(SENT + "ben 2026-02 commit 1 01-18T23:59:59")
    assert last_second.loc["ben", ["state", "late", "after_cut_off"]].tolist() == ["submitted", True, False]


def test_only_the_awaited_are_written_to_with_their_months_the_day_and_the_way() -> None:
    shown = board()
    assert shown.index[shown["reminder"] != ""].tolist() == ["ben", "carl", "dora"]
    assert shown.loc["ben", "reminder"] == (
        "Ben: we do not have your forecast for ben in 2026-02 yet. Please send it by the end of 2026-01-15, in the "
        "form you were sent; write 0 where you expect nothing. What comes after 2026-01-18 cannot be counted."
    )
    assert shown.loc["carl", "reminder"].startswith(
        "Carl: we do not have your forecast for carl in 2026-01, 2026-02"
    )


def test_the_manager_is_written_to_for_an_empty_seat_until_there_is_a_number() -> None:
    assert board().loc["dora", "reminder"].startswith("Sven: we do not have your forecast for dora")
    assert "The seat is empty" in board().loc["dora", "reminder"]
    half = SENT + "dora 2026-01 commit 1 01-10T09:00\n"
    assert board(half).loc["dora", "state"] == "vacant"
    assert "in 2026-02 yet" in board(half).loc["dora", "reminder"]
    both = board(half + "dora 2026-02 commit 1 01-10T09:00")
    assert both.loc["dora", ["state", "reminder"]].tolist() == ["vacant, covered", ""]
    assert completeness(TREE, both.reset_index()).loc[
        "south", ["vacant", "covered", "expected"]
    ].tolist() == [1, 1, 2]


def test_a_delegate_is_written_to_in_the_place_of_the_other() -> None:
    shown = board(SENT, ("Carl", "Zoe"))
    assert shown.loc["carl", "delegate"] == "Zoe"
    assert shown.loc["carl", "reminder"].startswith(
        "Zoe: we do not have the forecast of Carl, for whom you speak, for carl in 2026-01"
    )


def test_who_has_changed_since_the_last_call_is_marked() -> None:
    before = "anna 2026-01 commit 1 01-10T09:00\nanna 2026-02 commit 1 01-11T09:00\nben 2026-01 commit 1 01-10T09:00"
    shown = board(before=before)
    assert shown.index[shown["changed"]].tolist() == ["anna", "emil"]
    assert not board()["changed"].any()


def test_completeness_counts_every_leaf_once_and_expects_nobody_in_a_vacant_seat() -> None:
    counts = completeness(TREE, board().reset_index())
    assert counts.loc["toy"].to_dict() == {
        "expected": 4, "submitted": 2, "incomplete": 1, "missing": 1, "vacant": 1, "covered": 0, "late": 1,
        "share": 0.5,
    }  # fmt: skip
    leaves = TREE.roll_up(pd.DataFrame(1, TREE.leaves, ["n"]))["n"]
    assert (counts["expected"] + counts["vacant"] == leaves).all()
    assert pd.isna(counts.loc["dora", "share"])  # nobody is expected there: no share, not zero


@pytest.mark.parametrize("months", [MONTHS, ["2026-01"]])
def test_a_board_before_anybody_has_spoken(months: list[str]) -> None:
    shown = status_board(
        TREE, sent(SENT).head(0), months, asked=speakers().of_leaves(DUE), due=DUE, cut_off=CUT_OFF
    )
    assert shown["state"].tolist() == ["missing", "missing", "missing", "vacant", "missing"]
    assert not shown[["late", "after_cut_off", "changed"]].any(axis=None)
    assert completeness(TREE, shown).loc["toy", "share"] == 0.0


def test_a_company_that_names_no_owners_addresses_seats_by_name() -> None:
    shown = board(tree=Hierarchy.from_parent_child(table(TOY)))
    assert shown.loc["carl", "reminder"].startswith("carl: we do not have your forecast")
    assert "vacant" not in set(shown["state"])
