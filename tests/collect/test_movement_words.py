"""Movement of words: a deal that closes is no change of mind, and nothing said is lost on the way."""

from collections import defaultdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.collect.movement.bridge import Movement
from spms_lib.collect.movement.words import MEANING, submission_movement, word_changes
from spms_lib.collect.submissions import FORECAST_CATEGORIES
from spms_lib.errors import TableError
from spms_lib.hierarchy import Hierarchy
from spms_lib.tables import CATEGORIES

from toys import table  # isort: skip


def words(text: str, **columns: list) -> pd.DataFrame:
    rows = table("node period category value\n" + text)
    return rows.assign(value=rows["value"].astype("int64"), **columns)


def parts(moved: Movement) -> dict[str, int]:
    return {row["part"]: row["amount"] for row in moved.summary().to_dict("records") if row["count"]}


JULY = "anna 2026-07"
CASES = [
    ("first said", "", f"{JULY} commit 100", {"first said": 100}, {"first said": 100}),
    ("raised", f"{JULY} commit 100", f"{JULY} commit 130", {"raised": 30}, {"raised": 30}),
    ("lowered", f"{JULY} commit 100", f"{JULY} commit 80", {"lowered": -20}, {"lowered": -20}),
    ("withdrawn", f"{JULY} commit 100", "", {"withdrawn": -100}, {"withdrawn": -100}),
    ("unchanged", f"{JULY} commit 100", f"{JULY} commit 100", {"unchanged": 0}, {"unchanged": 0}),
    ("zero is a word", "", f"{JULY} commit 0", {"first said": 0}, {"first said": 0}),
    ("taking zero back is one too", f"{JULY} commit 0", "", {"withdrawn": 0}, {"withdrawn": 0}),
    (
        "commit that closed is no change of mind",
        f"{JULY} closed 10\n{JULY} commit 100",
        f"{JULY} closed 70\n{JULY} commit 40",
        {"closed": 0},
        {"closed": 0},
    ),
    (
        "business that closed on top of the commit raises the forecast",
        f"{JULY} closed 10\n{JULY} commit 100",
        f"{JULY} closed 70\n{JULY} commit 100",
        {"raised": 60, "unchanged": 0},
        {"raised": 60, "unchanged": 0},
    ),
    (
        "commit to best case with the total kept lowers the forecast by it",
        f"{JULY} commit 100\n{JULY} best_case 50",
        f"{JULY} commit 70\n{JULY} best_case 80",
        {"re-categorised": 0},
        {"re-categorised": -30},
    ),
    (
        "what is left of a shift is lowered",
        f"{JULY} commit 100",
        f"{JULY} commit 60\n{JULY} pipeline 25",
        {"re-categorised": 0, "lowered": -15},
        {"re-categorised": -25, "lowered": -15},
    ),
    (
        "closed is matched first, and takes from commit before best case",
        f"{JULY} closed 0\n{JULY} commit 50\n{JULY} best_case 50\n{JULY} pipeline 0",
        f"{JULY} closed 60\n{JULY} commit 0\n{JULY} best_case 0\n{JULY} pipeline 30",
        {"closed": 0, "re-categorised": 0, "lowered": -10},
        {"closed": 10},
    ),
    (
        "another month is another word",
        f"{JULY} commit 100",
        "anna 2026-08 commit 100",
        {"first said": 100, "withdrawn": -100},
        {"first said": 100, "withdrawn": -100},
    ),
]


@pytest.mark.parametrize(
    ("before", "after", "every", "forecast"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_a_change_of_words_has_its_name(before: str, after: str, every: dict, forecast: dict) -> None:
    moved = submission_movement(words(before), words(after))
    assert parts(moved) == every
    assert parts(moved.only(FORECAST_CATEGORIES)) == forecast


said = st.dictionaries(
    st.tuples(st.sampled_from(["anna", "ben"]), st.just("2026-07"), st.sampled_from(CATEGORIES)),
    st.integers(0, 9) | st.integers(0, 10**17),
)


def frame(cells: dict) -> pd.DataFrame:
    rows = pd.DataFrame(
        [(*key, value) for key, value in cells.items()], columns=["node", "period", "category", "value"]
    )
    return rows.astype({"node": "str", "period": "str", "category": "str", "value": "int64"})  # fmt: skip


def oracle(before: dict, after: dict) -> dict[tuple, int]:
    """The same by hand: two pointers walk over gains and losses in the order of categories."""
    found: dict[tuple, int] = defaultdict(int)
    for node, period in {key[:2] for key in (*before, *after)}:
        change = {c: after.get((node, period, c), 0) - before.get((node, period, c), 0) for c in CATEGORIES}
        gains = [[c, change[c]] for c in CATEGORIES if change[c] > 0]
        losses = [[c, -change[c]] for c in CATEGORIES if change[c] < 0]
        while gains and losses:
            to, come = gains[0], losses[0]
            amount = min(to[1], come[1])
            part = "closed" if "closed" in {to[0], come[0]} else "re-categorised"
            found[node, to[0], part] += amount
            found[node, come[0], part] -= amount
            to[1] -= amount
            come[1] -= amount
            gains, losses = [g for g in gains if g[1]], [one for one in losses if one[1]]
        for c, amount in gains:
            found[node, c, "raised" if (node, period, c) in before else "first said"] += amount
        for c, amount in losses:
            found[node, c, "lowered" if (node, period, c) in after else "withdrawn"] -= amount
    return {key: amount for key, amount in found.items() if amount}


@given(before=said, after=said)
def test_what_was_said_and_all_parts_are_what_is_said_now(before: dict, after: dict) -> None:
    moved = submission_movement(frame(before), frame(after))
    for one in (moved, moved.only(FORECAST_CATEGORIES)):
        for keys in (["node"], ["node", "category"], ["node", "period"]):
            sums = one.by(*keys)
            np.testing.assert_array_equal(sums[["opening", *MEANING]].sum(axis=1), sums["closing"])
    assert moved.closing["amount"].sum() == sum(after.values())
    sums = moved.parts.groupby(["node", "category", "part"])["amount"].sum()
    assert {key: int(amount) for key, amount in sums.items() if amount} == oracle(before, after)
    assert moved.by("node")["closed"].abs().sum() == moved.by("node")["re-categorised"].abs().sum() == 0


@settings(max_examples=25)
@given(before=said, after=said)
def test_every_word_of_either_day_has_a_part(before: dict, after: dict) -> None:
    moved = submission_movement(frame(before), frame(after))
    rows = set(moved.parts[["node", "period", "category"]].itertuples(index=False, name=None))
    assert rows == {*before, *after}


@settings(max_examples=25)
@given(before=said, after=said)
def test_time_run_backwards_turns_every_sign_of_words(before: dict, after: dict) -> None:
    there, back = (
        submission_movement(frame(a), frame(b)) for a, b in ((before, after), (after, before))
    )  # fmt: skip
    one, other = (m.summary().set_index("part")["amount"] for m in (there, back))
    for up, down in (("raised", "lowered"), ("first said", "withdrawn")):
        assert (one[up], one[down]) == (-other[down], -other[up])
    forward, backward = (
        m.only(FORECAST_CATEGORIES).summary().set_index("part")["amount"] for m in (there, back)
    )
    assert (
        forward[["closed", "re-categorised"]].tolist() == (-backward[["closed", "re-categorised"]]).tolist()
    )


def test_words_roll_up_to_any_node(toy: Hierarchy) -> None:
    before = words("anna 2026-07 commit 100\ncarl 2026-07 commit 10")
    after = words("anna 2026-07 commit 90\ncarl 2026-07 commit 15\ndora 2026-08 commit 7")
    total = toy.roll_up(submission_movement(before, after).by("node"))
    assert total.loc["south", ["opening", "first said", "raised", "closing"]].tolist() == [10, 7, 5, 22]
    assert total.loc["toy", ["opening", "lowered", "closing"]].tolist() == [110, -10, 112]


def test_changes_stand_beside_their_reasons_and_large_ones_without_a_reason_are_marked() -> None:
    """Field practice: a written reason for any move of the commit above 5 %."""
    before = words(
        "anna 2026-07 commit 100\nben 2026-07 commit 100\ncarl 2026-07 commit 100\ndora 2026-07 commit 100\n"
        "emil 2026-07 commit 100\nemil 2026-07 closed 0",
        comment=["big deal", None, None, None, None, None],
        submitted_at=pd.Timestamp("2026-07-01"),
    )
    after = words(
        "anna 2026-07 commit 120\nben 2026-07 commit 106\ncarl 2026-07 commit 95\nemil 2026-07 commit 40\n"
        "emil 2026-07 closed 60\nfred 2026-07 commit 5\nfred 2026-07 pipeline 99",
        comment=[" ", "tender won", None, None, None, None, "far too large"],
        submitted_at=pd.Timestamp("2026-07-08"),
    )
    changes = word_changes(before, after).set_index("node")
    assert changes["state"].to_dict() == {
        "anna": "raised",
        "ben": "raised",
        "carl": "lowered",
        "emil": "same total",
        "dora": "withdrawn",
        "fred": "first said",
    }
    assert changes["comment"].to_dict() == {**dict.fromkeys(changes.index, ""), "ben": "tender won"}
    assert changes.index[changes["reason_due"]].tolist() == ["anna"]
    assert changes.loc["ben", ["before", "after", "change", "change_ratio"]].tolist() == [100, 106, 6, 0.06]
    assert changes.loc["dora", ["after", "change"]].isna().all()  # nobody's word is not zero
    assert changes.index[:3].tolist() == ["anna", "ben", "carl"]  # largest first
    assert word_changes(before, after, above=0.04).set_index("node")["reason_due"]["carl"]


def test_an_old_comment_is_no_reason_for_a_new_number() -> None:
    before = words(f"{JULY} commit 100", comment=["big deal"], submitted_at=pd.Timestamp("2026-07-01"))
    same = word_changes(before, before)
    assert same[["state", "comment", "reason_due"]].values.tolist() == [["unchanged", "", False]]
    again = before.assign(submitted_at=pd.Timestamp("2026-07-08"))  # sent again: these words are new
    assert word_changes(before, again)["comment"].tolist() == ["big deal"]


def test_changes_of_a_quarter_are_those_of_the_sum_of_its_months() -> None:
    before = words("anna 2026-07 commit 100\nanna 2026-08 commit 50")
    after = words("anna 2026-07 commit 50\nanna 2026-08 commit 100")
    assert word_changes(before, after)["change"].tolist() == [-50, 50]
    assert word_changes(before, after, by=("node",))[["change", "state"]].values.tolist() == [
        [0, "same total"]
    ]


def test_nobody_has_spoken_is_an_empty_table_and_a_double_word_is_refused() -> None:
    nothing = words("")
    assert submission_movement(nothing, nothing).by("node").empty
    assert word_changes(nothing, nothing).empty
    twice = words(f"{JULY} commit 100\n{JULY} commit 101")
    with pytest.raises(TableError, match="'anna, 2026-07, commit' is said twice"):
        submission_movement(twice, nothing)
