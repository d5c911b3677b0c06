"""Money that goes missing without a word: each known case, first as a naive script gets it wrong, then here.

The cases are those that the change log of an open cascade library and the issues of open ERP and CRM
systems report: numbers that looked plausible and were not.
"""

import pandas as pd
import pytest

from spms_lib.commitments import conservation_gaps
from spms_lib.errors import HierarchyError, InfeasibleError, NoBasisError
from spms_lib.goals.cascade import cascade
from spms_lib.goals.drivers import blend_drivers, realised_influence
from spms_lib.goals.gates import GateRule, gates_by_rule, leaf_gates
from spms_lib.goals.over_assignment import hedge_gaps, over_assign
from spms_lib.hierarchy import Hierarchy
from spms_lib.hierarchy.check import check_hierarchy

from toys import TOY, table  # isort: skip

TREE = Hierarchy.from_parent_child(table(TOY))
SALES = pd.Series({"anna": 60.0, "ben": 40.0, "carl": 50.0, "dora": 30.0, "emil": 20.0})
REGION = TREE.ancestor("region")[TREE.leaves]
TOTAL = pd.Series({"p": 20_000})
nan = float("nan")


def held(**values: float) -> pd.DataFrame:
    return pd.DataFrame({"node": list(values), "period": "p", "value": list(values.values())})


# -- gates -------------------------------------------------------------------------------------------


def test_a_gate_that_is_not_a_number_takes_a_region_out_of_the_plan() -> None:
    typed = pd.Series({"anna": "1", "ben": "yes", "carl": "1", "dora": "1", "emil": "1"})
    naive = SALES * pd.to_numeric(typed, errors="coerce").fillna(0.0)
    assert naive["ben"] == 0.0  # 40 of 200 gone to others, and the total still right
    with pytest.raises(NoBasisError, match="such as 'yes' of 'ben'"):
        leaf_gates(TREE, pd.DataFrame({"node": typed.index, "gate": typed}))


def test_a_condition_on_a_value_that_nobody_measured_excludes_the_unmeasured() -> None:
    market = pd.Series({"anna": 5.0, "ben": nan, "carl": 9.0, "dora": 9.0, "emil": 1.0})
    naive = SALES.where(market >= 2.0, 0.0)
    assert naive["ben"] == 0.0  # missing >= 2 is false, so a seat without a survey has no target
    with pytest.raises(NoBasisError, match="not known as a number for 1 leaves, such as 'ben'"):
        gates_by_rule(market.to_frame("market"), [GateRule("market", at_least=2.0)])
    told = gates_by_rule(market.to_frame("market"), [GateRule("market", at_least=2.0, missing=1.0)])
    assert told["node"].tolist() == ["emil"]


def test_when_everybody_is_excluded_the_target_is_shared_equally_among_the_excluded() -> None:
    weights = SALES * 0.0  # the naive gate: a factor on the weights
    naive = cascade(TREE, TOTAL, weights)
    assert (naive.loc[TREE.leaves, "p"] == 4000).all()  # equal shares to all who were to have none
    with pytest.raises(InfeasibleError, match=r"below 'toy' is excluded, but 20,000"):
        cascade(TREE, TOTAL, SALES, gates=SALES * 0.0)


# -- drivers -----------------------------------------------------------------------------------------


def test_a_driver_normalised_within_its_group_looks_plausible_and_moves_money_between_groups() -> None:
    within = SALES / SALES.groupby(REGION).transform("sum")
    naive = 20_000 * within / within.sum()
    assert naive.sum() == pytest.approx(20_000)  # adds up, and every share within a region is right
    assert naive[["anna", "ben"]].sum() == pytest.approx(10_000)
    skewed = SALES.mask(REGION == "south", SALES * 4)
    within = skewed / skewed.groupby(REGION).transform("sum")
    assert (20_000 * within / within.sum())[["anna", "ben"]].sum() == pytest.approx(10_000)  # sells a fifth
    weights, _ = blend_drivers(TREE, skewed.to_frame("sales"), {"sales": 1.0})
    ours = cascade(TREE, TOTAL, weights)["p"]
    assert ours["north"] == 4000
    assert ours[TREE.leaves].to_dict() == {
        "anna": 2400,
        "ben": 1600,
        "carl": 8000,
        "dora": 4800,
        "emil": 3200,
    }


def test_a_weight_of_one_half_decides_nothing_where_the_other_driver_is_counted_in_cents() -> None:
    heads = pd.Series({"anna": 1.0, "ben": 1.0, "carl": 1.0, "dora": 1.0, "emil": 6.0})
    frame = pd.DataFrame({"sales": SALES * 1e8, "heads": heads})
    naive = 0.5 * frame["sales"] + 0.5 * frame["heads"]
    assert (naive / naive.sum())["emil"] == pytest.approx(0.1, abs=1e-6)  # sales alone
    weights, _ = blend_drivers(TREE, frame, {"sales": 0.5, "heads": 0.5})
    assert weights["emil"] == pytest.approx((0.1 + 0.6) / 2)
    moved = realised_influence(TREE, frame, {"sales": 0.5, "heads": 0.5}).set_index("driver")["moved"]
    assert moved["heads"] == pytest.approx(moved["sales"])


def test_a_zero_baseline_makes_a_ratio_that_poisons_everything_below_it() -> None:
    past = TREE.roll_up(SALES.mask(REGION == "south", 0.0).to_frame("p"))["p"]
    target = pd.Series({"north": 12_000.0, "south": 8_000.0})
    ratio = target / past[target.index]
    naive = past[TREE.leaves] * ratio.reindex(REGION).set_axis(TREE.leaves)
    assert naive[["carl", "dora", "emil"]].isna().all()  # 0 x infinity; a sum that skips it loses 8,000
    assert naive.sum() == 12_000.0
    ours = cascade(TREE, TOTAL, past[TREE.leaves], holds=held(south=8_000))["p"]
    assert ours.to_dict() == {"toy": 20_000, "north": 12_000, "south": 8_000, "anna": 7200, "ben": 4800} | {
        "carl": 2667, "dora": 2667, "emil": 2666,
    }  # fmt: skip


def test_a_newcomer_without_history_gets_nothing_or_spoils_the_sum() -> None:
    past = SALES.drop("ben")
    naive = 20_000 * past.reindex(TREE.leaves) / past.sum()
    assert pd.isna(naive["ben"])
    weights, told = blend_drivers(TREE, past.to_frame("sales"), {"sales": 1.0})
    assert weights["ben"] == pytest.approx(weights["anna"])
    assert told["filled"].tolist() == [1]


# -- holds and targets -------------------------------------------------------------------------------


def test_pins_above_their_parent_go_over_the_target_in_silence() -> None:
    pins = {"anna": 15_000, "ben": 9_000}
    naive = (20_000 * SALES / SALES.sum()).mask(SALES.index.isin(pins), pd.Series(pins))
    assert naive.sum() == 34_000  # nobody was told
    with pytest.raises(InfeasibleError, match="lower the holds by 4,000"):
        cascade(TREE, TOTAL, SALES, holds=held(**pins))
    with pytest.raises(InfeasibleError, match="'north'"):
        cascade(TREE, TOTAL, SALES, holds=held(north=10_000, **pins))


def test_a_target_of_an_unknown_node_disappears_from_every_check_that_starts_at_the_tree() -> None:
    given = pd.concat([SALES, pd.Series({"frida": 100.0})])
    naive = given.reindex(TREE.leaves)
    assert naive.sum() == 200.0  # expected 300, actual 200, and each parent equals its children
    with pytest.raises(NoBasisError, match=r"1 weights are of no leaf .* such as 'frida'"):
        cascade(TREE, TOTAL, given)
    with pytest.raises(HierarchyError, match="no node 'frida'"):
        cascade(TREE, TOTAL, SALES, holds=held(frida=100))
    with pytest.raises(HierarchyError, match="'frida'"):
        TREE.roll_up(given.to_frame("p"))


@pytest.mark.parametrize(
    ("holds", "message"),
    [
        (held(anna=1).assign(period="q"), r"'anna' in q .* period that is not planned.*Planned: p"),
        (held(anna=nan), "not a whole amount"),
        (held(anna=0.5), "not a whole amount"),
        (pd.concat([held(anna=1), held(anna=2)]), "contradicts another hold"),
    ],
)
def test_a_hold_that_would_be_dropped_or_overwritten_is_refused(holds: pd.DataFrame, message: str) -> None:
    """A naive table of pins keeps the last of two, and skips the periods it does not know."""
    naive = dict(zip(holds["node"], holds["value"], strict=True))
    assert len(naive) == 1
    with pytest.raises(InfeasibleError, match=message):
        cascade(TREE, TOTAL, SALES, holds=holds)
    base = cascade(TREE, TOTAL, SALES)
    with pytest.raises(InfeasibleError, match=message):
        over_assign(TREE, base, {"seller": 0.1}, holds=holds)


def test_a_weight_given_twice_counts_once_or_twice_by_chance() -> None:
    twice = pd.concat([SALES, pd.Series({"anna": 60.0})])
    assert (twice.groupby(level=0).last().sum(), twice.sum()) == (200.0, 260.0)
    with pytest.raises(NoBasisError, match="given twice, such as 'anna'"):
        cascade(TREE, TOTAL, twice)


# -- hierarchies --------------------------------------------------------------------------------------


def test_equal_names_in_two_branches_build_a_loop_or_merge_two_people() -> None:
    wide = pd.DataFrame(
        [("north", "smith", 10.0), ("south", "smith", 20.0), ("south", "south", 5.0)],
        columns=["region", "seller", "value"],
    )
    naive = {seller: region for region, seller, _ in wide.itertuples(index=False)}
    assert naive == {"smith": "south", "south": "south"}  # one smith too few, and south is its own parent
    tree = Hierarchy.from_paths(wide, ["region", "seller"])
    assert tree.leaves.tolist() == ["north/smith", "south/smith", "south/south"]
    values = pd.DataFrame({"p": wide["value"].to_numpy()}, tree.leaves)
    assert tree.roll_up(values).loc[["company", "north", "south"], "p"].tolist() == [35.0, 10.0, 25.0]
    pairs = pd.DataFrame({"node": ["co", "south", "south"], "parent": [None, "co", "south"]})
    with pytest.raises(HierarchyError, match="stands twice"):
        Hierarchy.from_parent_child(pairs)
    assert "node stands twice at the same time" in check_hierarchy(pairs)["rule"].tolist()


def test_a_group_target_shows_nothing_sold_although_its_team_sold() -> None:
    """Open ERP issue: a target on a parent was compared with the rows booked on the parent itself."""
    sold = SALES.to_frame("p")
    assert "north" not in sold.index  # naive: actual of 'north' is 0
    assert TREE.roll_up(sold).loc["north", "p"] == 100.0


def test_adding_up_all_rows_counts_every_level_again() -> None:
    base = cascade(TREE, TOTAL, SALES)
    assert int(base["p"].sum()) == 60_000  # the naive total of a table of targets: three levels
    assert int(base.loc[TREE.at_level("seller"), "p"].sum()) == 20_000
    assert not conservation_gaps(TREE, base.to_numpy()).any()


# -- rounding and the hedge ----------------------------------------------------------------------------


def test_rounding_each_share_on_its_own_loses_cents() -> None:
    thirds = pd.Series({"anna": 1.0, "ben": 1.0, "carl": 1.0, "dora": 0.0, "emil": 0.0})
    assert (20_000 * thirds / 3).round().sum() == 20_001
    assert cascade(TREE, TOTAL, thirds).loc[TREE.leaves, "p"].sum() == 20_000


def test_padding_the_sellers_alone_leaves_managers_below_the_sum_of_their_teams() -> None:
    base = cascade(TREE, TOTAL, SALES)
    ratios = {"region": 0.05, "seller": 0.05}
    naive = base.astype(float)
    naive.loc[TREE.leaves] *= 1.05  # one lump of padding instead of a ratio at each level
    assert len(hedge_gaps(TREE, base, naive.round().astype("int64"), ratios)) == 1
    ours = over_assign(TREE, base, ratios)
    assert hedge_gaps(TREE, base, ours, ratios).empty
    assert int(ours.loc[TREE.leaves, "p"].sum()) == pytest.approx(20_000 * 1.05**2, abs=2)
