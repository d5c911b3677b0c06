"""Overrides: a layer over what was submitted, which stays; what managers add is what the company's number moves by."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.collect.overrides import topmost, with_overrides
from spms_lib.collect.reasons import changes_between, changes_by_override, changes_of_submissions
from spms_lib.errors import HierarchyError
from spms_lib.hierarchy import Hierarchy

from toys import TOY, table  # isort: skip

TREE = Hierarchy.from_parent_child(table(TOY))
KEY = {"period": "2026-07", "category": "commit"}


def sent(**amounts: int) -> pd.DataFrame:
    return pd.DataFrame(
        [{"node": node, "value": value, **KEY} for node, value in amounts.items()],
        columns=["node", "value", *KEY],
    )


def changed(**amounts: int | None) -> pd.DataFrame:
    who = {"overridden_by": "Nina", "overridden_at": pd.Timestamp("2026-07-12"), "reason": "framework signed"}
    rows = [{"node": node, "value": value, **KEY, **who} for node, value in amounts.items()]
    return pd.DataFrame(rows, columns=["node", "value", *KEY, *who]).astype({"value": "Int64"})


def laid(said: pd.DataFrame, over: pd.DataFrame) -> pd.DataFrame:
    return with_overrides(TREE, said, over).set_index("node")


def test_an_override_at_a_team_moves_the_company_and_leaves_the_sellers_alone() -> None:
    table = laid(sent(anna=100, ben=60, carl=40), changed(north=200))
    assert table["value"].dropna().to_dict() == {
        "toy": 240, "north": 200, "south": 40, "anna": 100, "ben": 60, "carl": 40,
    }  # fmt: skip
    assert table["said"].dropna().to_dict() == {
        "toy": 200, "north": 160, "south": 40, "anna": 100, "ben": 60, "carl": 40,
    }  # fmt: skip
    assert table["how"].to_dict() == {
        "toy": "propagated", "north": "direct", "south": "calculated", "anna": "said", "ben": "said",
        "carl": "said", "dora": "silent", "emil": "silent",
    }  # fmt: skip
    assert table.loc["north", ["by", "reason", "change"]].tolist() == ["Nina", "framework signed", 40]
    assert table.loc["toy", "change"] == 40
    assert pd.isna(table.loc["toy", "by"])


def test_of_two_on_one_path_the_upper_one_counts_and_the_lower_one_is_still_shown() -> None:
    table = laid(sent(anna=100, ben=60), changed(anna=150, north=170))
    assert table.loc[["toy", "north", "anna"], "value"].tolist() == [170, 170, 150]
    assert table.loc[["north", "anna"], "how"].tolist() == ["direct", "direct"]
    assert topmost(TREE, table.reset_index())["node"].tolist() == ["north"]


def test_an_override_that_was_taken_back_changes_nothing() -> None:
    pd.testing.assert_frame_equal(laid(sent(anna=100), changed(north=None)), laid(sent(anna=100), changed()))


def test_a_number_for_the_silent_is_the_managers_and_nobody_is_said_to_have_spoken() -> None:
    table = laid(sent(anna=100), changed(south=30))
    assert pd.isna(table.loc["south", "said"])
    assert table.loc[["south", "toy"], "value"].tolist() == [30, 130]
    assert table.loc[["south", "toy"], "change"].tolist() == [30, 30]
    assert table.loc["dora", "how"] == "silent"
    assert pd.isna(table.loc["dora", "change"])


def test_zero_is_a_word_of_a_manager_too() -> None:
    table = laid(sent(anna=100), changed(anna=0))
    assert table.loc[["anna", "toy"], "value"].tolist() == [0, 0]
    assert table.loc["toy", "how"] == "propagated"


def test_nothing_said_and_nothing_changed_is_no_row() -> None:
    assert laid(sent(), changed()).empty


def test_words_of_strangers_are_refused() -> None:
    with pytest.raises(HierarchyError, match="such as 'zoe'"):
        laid(sent(anna=1), changed(zoe=1))
    with pytest.raises(HierarchyError, match="leaves of this tree, such as 'north'"):
        laid(sent(north=1), changed())


amounts = st.dictionaries(st.sampled_from(list(TREE.leaves)), st.integers(-(10**12), 10**12))
moves = st.dictionaries(
    st.sampled_from(list(TREE.nodes)), st.one_of(st.none(), st.integers(-(10**12), 10**12))
)


@given(said=amounts, over=moves)
def test_what_managers_add_at_the_top_of_each_path_is_what_the_company_moves_by(
    said: dict, over: dict
) -> None:
    table = with_overrides(TREE, sent(**said), changed(**over))
    if table.empty:
        return
    top = table.set_index("node").loc["toy"]
    moved = 0 if pd.isna(top["change"]) else top["change"]
    assert moved == topmost(TREE, table)["change"].sum()
    assert (0 if pd.isna(top["said"]) else top["said"]) == sum(said.values())


@given(said=amounts, over=moves)
def test_every_node_without_an_override_is_the_sum_of_its_children(said: dict, over: dict) -> None:
    table = with_overrides(TREE, sent(**said), changed(**over)).set_index("node")
    for node in table.index[table["how"] != "direct"] if len(table) else []:
        below = table.loc[list(TREE.children(node)), "value"].dropna()
        if len(TREE.children(node)):
            value = table.loc[node, "value"]
            assert (len(below) == 0 and pd.isna(value)) or value == below.sum()
        elif node in said:
            assert table.loc[node, "value"] == said[node]


def test_months_and_categories_are_laid_over_one_by_one() -> None:
    said = pd.concat(
        [sent(anna=1), sent(anna=2).assign(period="2026-08"), sent(anna=4).assign(category="closed")]
    )
    table = with_overrides(TREE, said, changed(anna=9)).query("node == 'toy'")
    found = table.set_index(["period", "category"])["value"].to_dict()
    assert found == {("2026-07", "closed"): 4, ("2026-07", "commit"): 9, ("2026-08", "commit"): 2}


# -- reasons -------------------------------------------------------------------------------------


def versions(*rows: tuple[int, str | None]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["value", "comment"])
    days = pd.date_range("2026-07-01", periods=len(rows))
    return frame.assign(node="anna", **KEY, submitted_by="Anna", submitted_at=days)


def test_a_large_change_asks_for_a_reason_and_a_small_one_does_not() -> None:
    heard = versions((100, None), (105, None), (111, None), (90, "lost the tender"), (90, None))
    table = changes_of_submissions(heard, reason_above=0.05)
    assert table["change"].tolist() == [5, 6, -21]
    assert table["required"].tolist() == [False, True, True]
    assert table["reason"].tolist() == [None, None, "lost the tender"]
    assert table["change_ratio"].tolist() == pytest.approx([0.05, 6 / 105, -21 / 111])


def test_the_first_word_is_no_change_and_a_step_from_zero_always_asks_for_a_reason() -> None:
    table = changes_of_submissions(versions((0, None), (1, None)), reason_above=0.05)
    assert table[["before", "after", "required"]].to_numpy().tolist() == [[0, 1, True]]
    assert np.isinf(table["change_ratio"].iloc[0])
    pipeline = versions((0, None), (1, None)).assign(category="pipeline")
    assert not changes_of_submissions(pipeline, reason_above=0.05)["required"].any()


def test_two_snapshots_are_compared_word_by_word() -> None:
    before, after = versions((100, None)), versions((200, None))
    assert changes_between(before, after, reason_above=0.05)["required"].tolist() == [True]
    assert changes_between(before, before, reason_above=0.05).empty


def test_every_override_is_listed_with_its_reason() -> None:
    table = changes_by_override(with_overrides(TREE, sent(anna=100), changed(north=140, carl=10)))
    assert table.set_index("node").loc["north", ["before", "after", "reason", "by", "kind"]].tolist() == [
        100, 140, "framework signed", "Nina", "override",
    ]  # fmt: skip
    assert pd.isna(table.set_index("node").loc["carl", "before"])
