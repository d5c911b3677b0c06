"""Over-assignment: what cannot be a hedge is refused, and nothing set is ignored."""

from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.errors import HierarchyError, InfeasibleError, ParamsError
from spms_lib.goals.cascade import cascade
from spms_lib.goals.over_assignment import compounded_by_node, compounding, hedge_gaps, over_assign
from spms_lib.hierarchy import Hierarchy

from toys import TOY, table  # isort: skip

TREE = Hierarchy.from_parent_child(table(TOY))
BASE = TREE.roll_up(pd.DataFrame({"p": [60, 40, 50, 30, 20]}, index=TREE.leaves))


def test_a_ratio_of_the_company_itself_is_refused_rather_than_ignored() -> None:
    with pytest.raises(ParamsError, match=r"no level 'company' below the company.*region, seller"):
        over_assign(TREE, BASE, {"company": 0.05})


def test_a_ratio_of_minus_one_is_refused() -> None:
    with pytest.raises(ParamsError, match="above -100 %"):
        over_assign(TREE, BASE, {"seller": -1.0})


def test_an_under_assignment_scales_down() -> None:
    quota = over_assign(TREE, BASE, {"seller": -0.1})
    assert quota["p"].to_dict() == {"toy": 200, "north": 100, "south": 100, "anna": 54, "ben": 36} | {
        "carl": 45, "dora": 27, "emil": 18,
    }  # fmt: skip


def test_holds_above_an_under_assignment_are_refused_rather_than_made_negative() -> None:
    holds = pd.DataFrame({"node": ["anna"], "period": ["p"], "value": [60]})
    with pytest.raises(InfeasibleError, match="holds below 'north' exceed"):
        over_assign(TREE, BASE, {"seller": -0.5}, holds=holds)


def test_a_period_without_any_target_has_no_realised_hedge() -> None:
    nothing = BASE * 0
    table_ = compounding(TREE, nothing, over_assign(TREE, nothing, {"seller": 0.1}), {"seller": 0.1})
    assert table_["realised"].isna().all()


# -- a manager's own uplift ---------------------------------------------------------------------------


def test_a_managers_own_uplift_replaces_the_ratio_of_the_level() -> None:
    ratios, own = {"region": 0.1, "seller": 0.05}, {"north": 0.2, "south": 0.0}
    quota = over_assign(TREE, BASE, ratios, by_node=own)
    assert quota["p"].to_dict() == {"toy": 200, "north": 110, "south": 110} | {
        "anna": 79, "ben": 53, "carl": 55, "dora": 33, "emil": 22,
    }  # fmt: skip
    path = compounded_by_node(TREE, ratios, own)
    assert path[["north", "anna", "emil"]].tolist() == pytest.approx([0.1, 0.32, 0.1])
    told = compounding(TREE, BASE, quota, ratios, by_node=own).set_index("level")
    assert told.loc["seller", "compounded"] == pytest.approx(0.21)
    assert told.loc["seller", "realised"] == pytest.approx(0.21)


@pytest.mark.parametrize(
    ("own", "kind", "message"),
    [
        ({"anna": 0.1}, ParamsError, "'anna' has nobody below it"),
        ({"nroth": 0.1}, HierarchyError, "no node 'nroth'"),
        ({"north": -1.0}, ParamsError, "above -100 %"),
        ({"north": float("nan")}, ParamsError, "above -100 %"),
    ],
)
def test_an_uplift_that_means_nothing_is_refused(own: dict, kind: type, message: str) -> None:
    with pytest.raises(kind, match=message):
        over_assign(TREE, BASE, {}, by_node=own)


# -- the identity of the hedge -------------------------------------------------------------------------

ratio = st.floats(-0.3, 0.5)


@given(
    st.lists(st.integers(0, 10**9), min_size=5, max_size=5),
    ratio,
    ratio,
    st.dictionaries(st.just("north"), ratio),
)
def test_children_sum_to_the_hedge_on_their_parent_by_exact_arithmetic(
    units: list[int], region: float, seller: float, own: dict
) -> None:
    base = TREE.roll_up(pd.DataFrame({"p": units}, index=TREE.leaves))
    ratios = {"region": region, "seller": seller}
    quota = over_assign(TREE, base, ratios, by_node=own)
    for parent, level in (("toy", "region"), ("north", "seller"), ("south", "seller")):
        children = TREE.children(parent)
        exact = Decimal(int(quota.loc[parent, "p"])) * (1 + Decimal(own.get(parent, ratios[level])))
        if base.loc[children, "p"].sum():
            assert abs(exact - int(quota.loc[children, "p"].sum())) <= Decimal("0.51")
    assert hedge_gaps(TREE, base, quota, ratios, by_node=own).query("because == ''").empty


def test_a_broken_hedge_is_found_with_its_amount_and_a_held_one_with_its_name() -> None:
    ratios = {"seller": 0.1}
    holds = pd.DataFrame({"node": ["anna", "ben"], "period": "p", "value": [60, 40]})
    quota = over_assign(TREE, BASE, ratios, holds=holds)
    told = hedge_gaps(TREE, BASE, quota, ratios, holds=holds)
    assert told.values.tolist() == [["north", "p", 110, 100, -10, "held: anna, ben"]]
    quota.loc["emil", "p"] += 7
    quota.loc["anna", "p"] += 1
    told = hedge_gaps(TREE, BASE, quota, ratios, holds=holds)
    assert told[["node", "gap", "because"]].values.tolist() == [
        ["north", -9, "held: anna, ben"],
        ["south", 7, ""],
        ["anna", 1, ""],
    ]


def test_a_team_without_a_base_has_nobody_to_carry_its_hedge_and_says_so() -> None:
    base = BASE.copy()
    base.loc[["carl", "dora", "emil"], "p"] = 0
    told = hedge_gaps(TREE, base, base, {"seller": 0.1})  # the base of the south is 100 still: broken input
    assert told[["node", "because"]].values.tolist() == [
        ["north", ""],
        ["south", "no child has a base to share it by"],
    ]


def test_after_a_new_allocation_the_hedge_is_derived_again_and_not_wiped() -> None:
    """Oracle's help: padding is one last step, and any later allocation takes it away."""
    ratios, own = {"region": 0.05, "seller": 0.05}, {"south": 0.1}
    weights, total = pd.Series(BASE["p"].loc[TREE.leaves]), pd.Series({"p": 200_000})
    first = over_assign(TREE, cascade(TREE, total, weights), ratios, by_node=own)
    padded = first.copy()  # the naive way: one layer, padded once, then allocated again
    padded.loc[:, "p"] = cascade(TREE, total, weights)["p"]
    assert len(hedge_gaps(TREE, padded, padded, ratios, by_node=own)) == 3
    again = over_assign(TREE, cascade(TREE, total, weights), ratios, by_node=own)
    assert again.equals(first)
    grown = over_assign(TREE, cascade(TREE, total * 2, weights), ratios, by_node=own)
    assert hedge_gaps(TREE, cascade(TREE, total * 2, weights), grown, ratios, by_node=own).empty
    assert grown["p"].to_numpy() == pytest.approx(2 * first["p"].to_numpy(), abs=4)
