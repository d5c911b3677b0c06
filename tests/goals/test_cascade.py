"""The cascade: conservation to the cent, holds that never move, and the trade's worked examples."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.commitments import conservation_gaps
from spms_lib.errors import InfeasibleError, NoBasisError, ParamsError
from spms_lib.goals.cascade import cascade
from spms_lib.goals.over_assignment import compounding, over_assign
from spms_lib.hierarchy import Hierarchy

MONTHS = pd.DataFrame({"node": ["q1", "jan", "feb", "mar"], "parent": [None, "q1", "q1", "q1"]})


def held(**values: int) -> pd.DataFrame:
    return pd.DataFrame(
        [(node, "p", value) for node, value in values.items()], columns=["node", "period", "value"]
    )


def split(tree: Hierarchy, total: int, weights: dict[str, float], **holds: int) -> dict[str, int]:
    return cascade(tree, pd.Series({"p": total}), pd.Series(weights), holds=held(**holds))["p"].to_dict()


@pytest.mark.parametrize(
    ("total", "weights", "holds", "expected"),
    [
        # Anaplan help, hold: months 10/20/30, February held, quarter 60 -> 100
        (100, {"jan": 10, "feb": 20, "mar": 30}, {"feb": 20}, {"jan": 20, "feb": 20, "mar": 60}),
        # the same page, quarter held at 60, January set to 20: 40 left for 20 and 30; the page prints 16 twice
        (60, {"jan": 10, "feb": 20, "mar": 30}, {"jan": 20}, {"jan": 20, "feb": 16, "mar": 24}),
        # TM1 help, proportional spread of 300 over 10/30/60
        (300, {"jan": 10, "feb": 30, "mar": 60}, {}, {"jan": 30, "feb": 90, "mar": 180}),
        # TM1 help, relative proportional: 400 by 10/20/70
        (400, {"jan": 10, "feb": 20, "mar": 70}, {}, {"jan": 40, "feb": 80, "mar": 280}),
        # TM1: all zero leaves share equally
        (90, {"jan": 0, "feb": 0, "mar": 0}, {}, {"jan": 30, "feb": 30, "mar": 30}),
        # zero stays zero while others weigh something
        (90, {"jan": 0, "feb": 1, "mar": 2}, {}, {"jan": 0, "feb": 30, "mar": 60}),
        # all that is free weighs zero: it shares equally beside the hold
        (90, {"jan": 5, "feb": 0, "mar": 0}, {"jan": 50}, {"jan": 50, "feb": 20, "mar": 20}),
    ],
)
def test_the_trades_worked_examples(total: int, weights: dict, holds: dict, expected: dict) -> None:
    assert split(Hierarchy.from_parent_child(MONTHS), total, weights, **holds) == {"q1": total, **expected}


@st.composite
def splits(draw: st.DrawFn) -> tuple[Hierarchy, pd.Series, pd.DataFrame, pd.DataFrame]:
    size = draw(st.integers(2, 30))
    parents = [None] + [f"n{draw(st.integers(0, i - 1))}" for i in range(1, size)]
    tree = Hierarchy.from_parent_child(
        pd.DataFrame({"node": [f"n{i}" for i in range(size)], "parent": parents})
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    weights = pd.DataFrame(
        rng.lognormal(3, 1, (len(tree.leaves), 2)) * (rng.random((len(tree.leaves), 2)) < 0.8),
        tree.leaves,
        ["p", "q"],
    )
    totals = pd.Series({"p": draw(st.integers(0, 10**11)), "q": draw(st.integers(0, 10**6))})
    free = cascade(tree, totals, weights)
    chosen = rng.choice(tree.nodes[1:], size=min(2, len(tree) - 1), replace=False)
    # one hold on a random node below its own number, so that the rest can carry it
    node = chosen[0]
    value = int(free.loc[node, "p"] * rng.uniform(0, 1))
    siblings_free = len(tree.children(tree.path(node)[-2])) > 1
    holds = pd.DataFrame({"node": [node], "period": ["p"], "value": [value]}) if siblings_free else held()
    return tree, totals, weights, holds


@given(splits())
def test_every_parent_equals_its_children_to_the_cent_and_the_root_its_target(case: tuple) -> None:
    tree, totals, weights, _ = case
    answer = cascade(tree, totals, weights)
    assert not conservation_gaps(tree, answer.to_numpy()).any()
    assert answer.iloc[0].tolist() == totals.tolist()


@given(splits())
def test_a_hold_never_moves(case: tuple) -> None:
    tree, totals, weights, holds = case
    answer = cascade(tree, totals, weights, holds=holds)
    for row in holds.itertuples():
        assert answer.loc[row.node, row.period] == row.value
    assert not conservation_gaps(tree, answer.to_numpy()).any()


@given(splits())
def test_cascading_the_result_again_changes_nothing(case: tuple) -> None:
    tree, totals, weights, holds = case
    once = cascade(tree, totals, weights, holds=holds)
    again = cascade(tree, totals, once.loc[tree.leaves], holds=holds)
    assert again.equals(once)


def test_holds_that_exceed_the_target_are_refused_with_the_amount() -> None:
    with pytest.raises(
        InfeasibleError, match=r"holds at and around 'q1' exceed its target in p.*lower the holds by 20"
    ):
        split(Hierarchy.from_parent_child(MONTHS), 100, {"jan": 1, "feb": 1, "mar": 0}, jan=70, feb=50)


def test_all_children_held_to_another_sum_are_refused_by_name() -> None:
    with pytest.raises(InfeasibleError, match=r"'q1' is held at 100.00, .* sum to 90.00"):
        split(
            Hierarchy.from_parent_child(MONTHS), 100, {"jan": 1, "feb": 1, "mar": 1}, jan=30, feb=30, mar=30
        )


def test_a_leaf_without_a_weight_is_refused_by_name() -> None:
    with pytest.raises(NoBasisError, match="'mar'"):
        split(Hierarchy.from_parent_child(MONTHS), 100, {"jan": 1, "feb": 1})


def test_over_assignment_compounds_over_levels() -> None:
    """5 % on each of five levels is 27.6 % at the bottom (b2b-revenue-forecasting, README)."""
    chain = pd.DataFrame({"node": list("abcdef"), "parent": [None, *"abcde"], "level": list("abcdef")})
    tree = Hierarchy.from_parent_child(chain)
    ratios = dict.fromkeys("bcdef", 0.05)
    base = cascade(tree, pd.Series({"p": 10**9}), pd.Series({"f": 1.0}))
    quota = over_assign(tree, base, ratios)
    assert quota.loc["f", "p"] == pytest.approx(1.2762815625e9, abs=5)
    table = compounding(tree, base, quota, ratios)
    assert table["compounded"].iloc[-1] == pytest.approx(0.2762815625)
    assert table["realised"].iloc[-1] == pytest.approx(0.2762815625)


@given(splits(), st.floats(0, 0.3), st.floats(0, 0.3))
def test_the_quota_layer_has_its_own_identity_and_leaves_the_base_alone(
    case: tuple, first: float, second: float
) -> None:
    tree, totals, weights, _ = case
    base = cascade(tree, totals, weights)
    before = base.copy()
    ratios = dict(zip(tree.level_names[1:], (first, second), strict=False))
    quota = over_assign(tree, base, ratios)
    assert base.equals(before)
    for node in tree.nodes[~tree.is_leaf]:
        children = tree.children(node)
        ratio = ratios.get(tree.level[children[0]], 0.0)
        expected = (quota.loc[node] * (1 + ratio)).round()
        shared = quota.loc[children].sum()
        possible = base.loc[children].sum() > 0
        assert (shared[possible] == expected[possible]).all()


def test_a_held_quota_stands_and_its_siblings_carry_the_hedge() -> None:
    tree = Hierarchy.from_parent_child(MONTHS.assign(level=["quarter", "month", "month", "month"]))
    holds = held(feb=20)
    base = cascade(tree, pd.Series({"p": 100}), pd.Series({"jan": 1, "feb": 1, "mar": 1}), holds=holds)
    quota = over_assign(tree, base, {"month": 0.1}, holds=holds)
    assert quota["p"].to_dict() == {"q1": 100, "jan": 45, "feb": 20, "mar": 45}


def test_an_unknown_level_is_refused() -> None:
    tree = Hierarchy.from_parent_child(MONTHS)
    base = cascade(tree, pd.Series({"p": 9}), pd.Series({"jan": 1, "feb": 1, "mar": 1}))
    with pytest.raises(ParamsError, match="no level 'team'"):
        over_assign(tree, base, {"team": 0.1})
