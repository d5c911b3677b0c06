"""The tree: structure, roll-up against plain recursion, dates, and every refusal by name."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.errors import HierarchyError
from spms_lib.findings import NOTED
from spms_lib.hierarchy import Hierarchy, check_hierarchy

from toys import table  # isort: skip


@st.composite
def trees(draw: st.DrawFn) -> Hierarchy:
    """Draw a ragged tree of 1 to 40 nodes, its rows in any order."""
    size = draw(st.integers(1, 40))
    parents = [None] + [f"n{draw(st.integers(0, i - 1))}" for i in range(1, size)]
    frame = pd.DataFrame({"node": [f"n{i}" for i in range(size)], "parent": parents})
    order = draw(st.permutations(range(size)))
    return Hierarchy.from_parent_child(frame.iloc[list(order)])


@given(trees())
def test_children_stand_together_after_their_parents(tree: Hierarchy) -> None:
    assert tree.parent[0] == -1
    assert (np.diff(tree.parent) >= 0).all()
    for node in tree.nodes:
        for child in tree.children(node):
            assert tree.path(child) == [*tree.path(node), child]
    assert sum(len(tree.children(node)) for node in tree.nodes) == len(tree) - 1


@given(trees(), st.integers(0, 10**6))
def test_roll_up_equals_plain_recursion(tree: Hierarchy, seed: int) -> None:
    values = np.random.default_rng(seed).integers(-(10**9), 10**9, (len(tree.leaves), 2))
    frame = pd.DataFrame(values, tree.leaves, ["2026-01", "2026-02"])

    def add(node: str) -> np.ndarray:
        below = tree.children(node)
        return (
            sum((add(child) for child in below), np.zeros(2, np.int64))
            if len(below)
            else frame.loc[node].to_numpy()
        )

    rolled = tree.roll_up(frame)
    assert rolled.dtypes.tolist() == [np.int64, np.int64]
    for node in tree.nodes:
        assert rolled.loc[node].tolist() == add(node).tolist()


@given(trees())
def test_a_subtree_knows_the_same_children(tree: Hierarchy) -> None:
    node = tree.nodes[len(tree) // 2]
    part = tree.subtree(node)
    assert part.root == node
    for inner in part.nodes:
        assert set(part.children(inner)) == set(tree.children(inner))


@given(trees(), st.integers(1, 10**9))
def test_spread_then_roll_up_gives_the_total_back(tree: Hierarchy, total: int) -> None:
    weights = pd.Series(np.arange(1, len(tree.leaves) + 1), tree.leaves)
    spread = tree.spread(pd.Series({"2026-01": total}), weights)
    assert tree.roll_up(spread).iloc[0, 0] == pytest.approx(total)


def test_missing_survives_the_roll_up_until_somebody_says_something(toy: Hierarchy) -> None:
    said = pd.DataFrame({"2026-01": [5.0, None]}, index=["anna", "carl"])
    rolled = toy.roll_up(said)["2026-01"]
    assert rolled["north"] == 5
    assert pd.isna(rolled["south"])
    assert rolled["toy"] == 5


def test_rows_that_are_not_leaves_are_never_dropped_silently(toy: Hierarchy) -> None:
    with pytest.raises(HierarchyError, match="1 rows are not leaves of this tree, such as 'zoe'"):
        toy.roll_up(pd.DataFrame({"2026-01": [1, 2]}, index=["anna", "zoe"]))


def test_ancestors_are_found_by_level(toy: Hierarchy) -> None:
    assert toy.ancestor("region")[["anna", "emil", "south"]].tolist() == ["north", "south", "south"]
    assert toy.ancestor("region")["toy"] is None


def test_the_tree_cannot_be_changed(toy: Hierarchy) -> None:
    with pytest.raises(ValueError, match="read-only"):
        toy.parent[0] = 3
    with pytest.raises(AttributeError):
        toy.nodes = pd.Index(["other"])


def test_paths_with_equal_names_in_different_branches_are_different_nodes() -> None:
    paths = pd.DataFrame({"region": ["north", "south", "south"], "team": ["one", "one", "two"]})
    tree = Hierarchy.from_paths(paths, ["region", "team"])
    assert tree.leaves.tolist() == ["north/one", "south/one", "south/two"]
    assert tree.name["south/one"] == "one"


def test_a_seat_that_moves_has_one_parent_on_each_day() -> None:
    rows = table(
        """
        node  parent valid_from  valid_to
        toy   -      -           -
        north toy    -           -
        south toy    -           -
        anna  north  -           2026-03-31
        anna  south  2026-04-01  -
        ben   north  -           -
        """
    )
    rows[["valid_from", "valid_to"]] = rows[["valid_from", "valid_to"]].apply(pd.to_datetime)
    march = Hierarchy.from_parent_child(rows, as_of=dt.date(2026, 3, 31))
    assert march.path("anna") == ["toy", "north", "anna"]
    assert march.as_of(dt.date(2026, 4, 1)).path("anna") == ["toy", "south", "anna"]
    assert len(check_hierarchy(rows)) == 0
    with pytest.raises(HierarchyError, match="node stands twice"):
        Hierarchy.from_parent_child(rows)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("node parent\n a -\n b c\n c d\n d b", r"in a circle: 'b > c > d > b'"),
        ("node parent\n a -\n b x", r"parent is not a node: 'x'"),
        ("node parent\n a -\n b a\n b a", r"node stands twice at the same time: 'b'"),
        ("node parent\n a -\n b -", r"a second root: 'b'"),
        ("node parent\n a b\n b a", r"no root.*circle: 'a > b > a'"),
        ("node parent\n a -\n b b", r"in a circle: 'b > b'"),
    ],
)
def test_what_is_not_one_tree_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(HierarchyError, match=message):
        Hierarchy.from_parent_child(table(text))


def test_every_reason_is_named_at_once() -> None:
    rows = table("node parent\n a -\n b -\n c x\n d e\n e d")
    with pytest.raises(HierarchyError) as refused:
        Hierarchy.from_parent_child(rows)
    for part in ("a second root: 'b'", "parent is not a node: 'x'", "circle: 'd > e > d'"):
        assert part in str(refused.value)


def test_a_skipped_level_is_noted_and_the_tree_still_works() -> None:
    rows = table(
        """
        node  parent level
        toy   -      company
        north toy    region
        south toy    region
        one   north  team
        anna  one    seller
        ben   one    seller
        carl  south  seller
        """
    )
    found = check_hierarchy(rows)
    assert found["value"].tolist() == ["seller under region"]
    assert found["severity"].tolist() == [NOTED]
    assert Hierarchy.from_parent_child(rows).roll_up(
        pd.DataFrame({"q": [1, 2, 3]}, index=["anna", "ben", "carl"])
    )["q"].to_dict() == {"toy": 6, "north": 3, "south": 3, "one": 3, "carl": 3, "anna": 1, "ben": 2}


def test_an_unknown_node_is_refused_with_the_nearest_one(toy: Hierarchy) -> None:
    with pytest.raises(HierarchyError, match="Did you mean anna"):
        toy.path("ana")


def test_no_node_on_a_day_is_refused() -> None:
    rows = pd.DataFrame({"node": ["a"], "parent": [None], "valid_from": pd.to_datetime(["2026-01-01"])})
    with pytest.raises(HierarchyError, match="No node is valid on 2025-12-31"):
        Hierarchy.from_parent_child(rows, as_of=dt.date(2025, 12, 31))
