"""Level by level: the same as one step but for rounding, and what was adjusted above never moves below."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.commitments import conservation_gaps
from spms_lib.errors import InfeasibleError, NoBasisError
from spms_lib.goals.cascade import cascade
from spms_lib.goals.waterfall import cascade_by_level
from spms_lib.hierarchy import Hierarchy

from toys import TOY, table  # isort: skip

TREE = Hierarchy.from_parent_child(table(TOY))
WEIGHTS = pd.Series({"anna": 3.0, "ben": 1.0, "carl": 2.0, "dora": 1.0, "emil": 1.0})


def held(*rows: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["node", "period", "value"])


@st.composite
def companies(draw: st.DrawFn) -> tuple[Hierarchy, pd.Series, pd.DataFrame, np.random.Generator]:
    """Any tree, ragged or not, with weights of which some are zero."""
    size = draw(st.integers(2, 40))
    parents = [None] + [f"n{draw(st.integers(max(0, i - 6), i - 1))}" for i in range(1, size)]
    tree = Hierarchy.from_parent_child(
        pd.DataFrame({"node": [f"n{i}" for i in range(size)], "parent": parents})
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (len(tree.leaves), 2)
    weights = pd.DataFrame(rng.lognormal(3, 1, shape) * (rng.random(shape) < 0.8), tree.leaves, ["p", "q"])
    return (
        tree,
        pd.Series({"p": draw(st.integers(0, 10**12)), "q": draw(st.integers(-1000, 1000))}),
        weights,
        rng,
    )


@given(companies(), st.booleans())
def test_with_the_leaves_weights_rolled_up_it_is_the_one_step_cascade_to_within_rounding(
    case: tuple, gated: bool
) -> None:
    tree, totals, weights, rng = case
    gates = pd.Series(np.maximum(rng.random(len(tree.leaves)) - 0.2, 0.01), tree.leaves) if gated else None
    values, steps = cascade_by_level(tree, totals, weights, gates=gates)
    once = cascade(tree, totals, weights, gates=gates)
    levels = len(tree.offsets) - 1
    assert (values - once).abs().to_numpy().max() <= levels
    assert not conservation_gaps(tree, values.to_numpy()).any()
    assert values.iloc[0].equals(once.iloc[0])
    assert steps.empty


@settings(max_examples=30)
@given(companies())
def test_an_adjustment_moves_its_siblings_and_what_is_below_them_only(case: tuple) -> None:
    tree, totals, weights, rng = case
    totals = totals.abs()
    plain, _ = cascade_by_level(tree, totals, weights)
    several = [node for node in tree.nodes[1:] if len(tree.children(tree.path(node)[-2])) > 1]
    if not several:
        return
    node = several[int(rng.integers(len(several)))]
    family = tree.children(tree.path(node)[-2])
    wanted = int(plain.loc[family, "p"].sum() * rng.random())
    values, steps = cascade_by_level(tree, totals, weights, holds=held((node, "p", wanted)))
    assert values.loc[node, "p"] == wanted
    assert values["q"].equals(plain["q"])
    assert not conservation_gaps(tree, values.to_numpy()).any()
    moved = values.index[values["p"] != plain["p"]]
    assert all(set(tree.path(other)) & set(family) for other in moved)
    after = steps.set_index("node")["after"]
    assert set(after.index) <= set(family)
    assert after.to_dict() == values.loc[after.index, "p"].to_dict()
    assert steps.loc[steps["held"], "node"].tolist() == [node]


def test_each_level_is_adjusted_before_the_next_and_the_table_shows_it() -> None:
    holds = held(("north", "p", 500), ("carl", "p", 100))
    values, steps = cascade_by_level(TREE, pd.Series({"p": 800}), WEIGHTS, holds=holds)
    assert values["p"].to_dict() == {"toy": 800, "north": 500, "south": 300} | {
        "anna": 375, "ben": 125, "carl": 100, "dora": 100, "emil": 100,
    }  # fmt: skip
    assert steps.values.tolist() == [
        ["region", "north", "p", 400, 500, True],
        ["region", "south", "p", 400, 300, False],
        ["seller", "carl", "p", 150, 100, True],
        ["seller", "dora", "p", 75, 100, False],
        ["seller", "emil", "p", 75, 100, False],
    ]


def test_every_level_may_have_drivers_of_its_own() -> None:
    """Regions by market, sellers by history: the market of a region has no say in its sellers' shares."""
    market = {"region": pd.Series({"north": 1.0, "south": 3.0})}
    values, _ = cascade_by_level(TREE, pd.Series({"p": 800}), WEIGHTS, weights_by_level=market)
    assert values["p"].to_dict() == {"toy": 800, "north": 200, "south": 600} | {
        "anna": 150, "ben": 50, "carl": 300, "dora": 150, "emil": 150,
    }  # fmt: skip
    gated, _ = cascade_by_level(
        TREE, pd.Series({"p": 800}), WEIGHTS, weights_by_level=market, gates=pd.Series({"carl": 0.0})
    )
    assert gated.loc[["north", "south", "carl", "dora"], "p"].tolist() == [320, 480, 0, 240]  # 1 : 3 x 1/2


def test_the_weights_of_a_level_may_differ_by_period() -> None:
    market = {"region": pd.DataFrame({"p": [1.0, 3.0], "q": [1.0, 0.0]}, ["north", "south"])}
    values, _ = cascade_by_level(TREE, pd.Series({"p": 800, "q": 80}), WEIGHTS, weights_by_level=market)
    assert values.loc["north"].tolist() == [200, 80]
    assert values.loc["emil"].tolist() == [150, 0]


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"team": pd.Series({"north": 1.0})}, "no level 'team' below the company.*region, seller"),
        ({"region": pd.Series({"north": 1.0})}, "south"),
        ({"region": pd.Series({"north": 1.0, "south": -1.0})}, "south"),
        (
            {"region": pd.Series({"north": 1.0, "south": 1.0, "anna": 1.0})},
            "'anna' has a weight, but is no node",
        ),
    ],
)
def test_weights_of_a_level_that_miss_a_node_or_name_a_stranger_are_refused(own: dict, message: str) -> None:
    with pytest.raises(NoBasisError, match=message):
        cascade_by_level(TREE, pd.Series({"p": 800}), WEIGHTS, weights_by_level=own)


def test_holds_below_exceed_what_their_level_settled_and_are_refused_by_name() -> None:
    """One step would have raised the region; level by level the region is settled first."""
    with pytest.raises(InfeasibleError, match=r"'north' exceed its target in p.*lower the holds by 100"):
        cascade_by_level(TREE, pd.Series({"p": 800}), WEIGHTS, holds=held(("anna", "p", 500)))
