import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.errors import HierarchyError, NoBasisError
from spms_lib.hierarchy import Hierarchy
from spms_lib.review.variance import bridge, variance_by_node, variance_by_product

LAWS = settings(max_examples=60, deadline=None)
money = st.integers(-(10**11), 10**11)
CHILDREN = ["north", "south", "west"]


def company() -> Hierarchy:
    table = pd.DataFrame(
        {"node": ["all", *CHILDREN], "parent": [None, "all", "all", "all"], "name": ["All", "N", "S", "W"]}
    )
    return Hierarchy.from_parent_child(table)


def attained(**rows: tuple[int | None, int | None]) -> pd.DataFrame:
    frame = pd.DataFrame([(node, *pair) for node, pair in rows.items()], columns=["node", "actual", "plan"])
    return frame.astype({"actual": "Int64", "plan": "Int64"})


def products(**rows: int) -> pd.DataFrame:
    return pd.DataFrame({"product": list(rows), "value": list(rows.values())}).astype(
        {"product": "str", "value": "int64"}
    )


@given(
    plan=money,
    actual=money,
    parts=st.lists(st.none() | money, max_size=6),
    largest=st.none() | st.integers(0, 4),
)
@LAWS
def test_a_bridge_walks_from_plan_to_actual_without_a_gap(
    plan: int, actual: int, parts: list[int | None], largest: int | None
) -> None:
    named = pd.DataFrame({"step": [f"p{at}" for at in range(len(parts))], "value": parts}).astype(
        {"step": "str", "value": "Int64"}
    )
    steps = bridge(plan, named, actual, largest=largest)
    inner = steps.iloc[1:-1]
    assert inner["value"].sum() == actual - plan
    assert inner["start"].tolist() == [plan, *inner["end"].iloc[:-1]]
    assert inner["end"].iloc[-1] == actual
    assert (inner["end"] - inner["start"]).tolist() == inner["value"].tolist()


def test_small_parts_are_put_together() -> None:
    parts = pd.DataFrame({"step": list("abcd"), "value": [1, -50, 2, 30]})
    steps = bridge(100, parts, 83, largest=2)
    assert steps["step"].tolist() == ["plan", "b", "d", "other", "not explained", "actual"]
    assert steps["value"].tolist() == [100, -50, 30, 3, 0, 83]


def test_children_rank_by_money_and_over_assignment_is_what_they_leave() -> None:
    """Field quotas of 110 above a company target of 100: the hedge of 10 is the residual."""
    got = variance_by_node(
        attained(all=(95, 100), north=(45, 40), south=(20, 40), west=(30, 30)), company(), "all"
    )
    assert got["node"].tolist() == ["south", "north", "west", ""]
    assert got["name"].tolist() == ["S", "N", "W", "not explained"]
    assert got["variance"].tolist() == [-20, 5, 0, 10]
    assert got["attainment"].tolist()[:2] == [0.5, 1.125]


numbers = st.none() | money


@given(
    rows=st.lists(st.tuples(numbers, numbers), min_size=3, max_size=3),
    whole=st.tuples(money, money),
    turn=st.booleans(),
)
@LAWS
def test_variances_of_children_and_residual_sum_to_the_cent(
    rows: list[tuple[int | None, int | None]], whole: tuple[int, int], turn: bool
) -> None:
    frame = attained(all=whole, **dict(zip(CHILDREN, rows, strict=True)))
    got = variance_by_node(frame[::-1] if turn else frame, company(), "all")
    assert got["variance"].sum() == whole[0] - whole[1]
    pd.testing.assert_frame_equal(got, variance_by_node(frame, company(), "all"))
    unknown = got[(got["kind"] == "part") & got["variance"].isna()]
    assert len(unknown) == sum(None in row for row in rows)


def test_a_parent_without_a_plan_leaves_the_residual_unknown() -> None:
    got = variance_by_node(attained(all=(10, None), north=(1, 1)), company(), "all")
    assert pd.isna(got["variance"].iloc[-1])


def test_a_leaf_has_no_children_to_explain_it() -> None:
    with pytest.raises(HierarchyError, match="'north' has no children"):
        variance_by_node(attained(north=(1, 1)), company(), "north")


def test_a_node_without_numbers_is_refused() -> None:
    with pytest.raises(HierarchyError, match="'all' has no numbers"):
        variance_by_node(attained(north=(1, 1)), company(), "all")


def test_the_same_mix_is_all_volume() -> None:
    got = variance_by_product(products(bikes=66, parts=44), products(bikes=30, parts=20), plan=100)
    assert got[["variance", "volume", "mix"]].values.tolist() == [[6, 6, 0], [4, 4, 0], [0, 0, 0]]


def test_another_mix_at_the_same_total_is_all_mix() -> None:
    got = variance_by_product(products(bikes=40, parts=60), products(bikes=50, parts=50), plan=100)
    assert got[["product", "volume", "mix"]].values.tolist() == [
        ["bikes", 0, -10],
        ["parts", 0, 10],
        ["not split by product", 0, 0],
    ]


def test_a_new_product_is_all_mix_and_a_dropped_one_too() -> None:
    got = variance_by_product(products(new=30, old=70), products(gone=50, old=50), plan=100).set_index(
        "product"
    )
    assert got.loc["new", ["plan", "mix"]].tolist() == [0, 30]
    assert got.loc["gone", ["actual", "variance"]].tolist() == [0, -50]


def test_what_is_not_split_by_product_is_shown() -> None:
    now = pd.DataFrame({"product": ["bikes", "", None], "value": [80, 15, 5]})
    got = variance_by_product(now, products(bikes=10), plan=90)
    assert got[["product", "actual", "variance"]].values.tolist() == [
        ["bikes", 80, -10],
        ["not split by product", 20, 20],
    ]


def test_without_a_mix_last_year_the_plan_cannot_be_split() -> None:
    with pytest.raises(NoBasisError):
        variance_by_product(products(bikes=1), products(bikes=0), plan=100)


names = st.dictionaries(st.sampled_from(["a", "b", "c", ""]), st.integers(-(10**9), 10**9), max_size=4)


@given(now=names, before=names, plan=st.integers(0, 10**10))
@LAWS
def test_products_sum_to_actual_minus_plan_and_mix_to_zero(
    now: dict[str, int], before: dict[str, int], plan: int
) -> None:
    got = variance_by_product(products(**now), products(**{"a": 10**7, **before, "d": 1}), plan=plan)
    assert got["variance"].sum() == sum(now.values()) - plan
    assert got["plan"].sum() == plan
    assert got["mix"].sum() == 0
    assert (got["volume"] + got["mix"]).tolist() == got["variance"].tolist()
    sizes = got["variance"].iloc[:-1].abs().tolist()
    assert sizes == sorted(sizes, reverse=True)
