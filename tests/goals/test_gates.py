"""Gates: the excluded get nothing, their share goes to their neighbours in sight, and no gate is read as zero."""

import pandas as pd
import pytest

from spms_lib.commitments import conservation_gaps
from spms_lib.errors import HierarchyError, InfeasibleError, NoBasisError
from spms_lib.goals.cascade import cascade
from spms_lib.goals.drivers import blend_drivers
from spms_lib.goals.gates import GateRule, gate_effects, gated_drivers, gates_by_rule, leaf_gates
from spms_lib.goals.waterfall import cascade_by_level
from spms_lib.hierarchy import Hierarchy

from toys import TOY, table  # isort: skip

TREE = Hierarchy.from_parent_child(table(TOY))
WEIGHTS = pd.Series({"anna": 3.0, "ben": 1.0, "carl": 2.0, "dora": 1.0, "emil": 1.0})
TOTAL = pd.Series({"p": 800})
nan = float("nan")


def gates(**values: object) -> pd.DataFrame:
    return pd.DataFrame({"node": list(values), "gate": list(values.values())})


def split(gate: pd.Series, weights: pd.Series = WEIGHTS, **options: object) -> dict[str, int]:
    answer = cascade(TREE, TOTAL, weights, gates=gate, **options)
    assert not conservation_gaps(TREE, answer.to_numpy()).any()
    return answer["p"].to_dict()


def test_no_target_for_a_vacant_seat_and_its_share_goes_to_all_in_proportion() -> None:
    seated = pd.DataFrame({"seated": [1.0, 0.0, 1.0, 1.0, 1.0]}, TREE.leaves)
    found = gates_by_rule(seated, [GateRule("seated", at_least=1.0)])
    assert found[["node", "gate", "rule"]].values.tolist() == [["ben", 0.0, "seated below 1: excluded"]]
    answer = split(leaf_gates(TREE, found))
    assert answer["ben"] == 0
    assert answer["anna"] == pytest.approx(800 * 3 / 7, abs=1)


def test_a_seller_in_ramp_counts_with_the_share_of_the_ramp() -> None:
    ramp = pd.DataFrame({"ramp": [1.0, 1.0, 0.5, 1.0, 1.0]}, TREE.leaves)
    gate = leaf_gates(TREE, gates_by_rule(ramp, [GateRule("ramp")]))
    assert gate["carl"] == 0.5
    assert split(gate)["carl"] == pytest.approx(800 * 1 / 7, abs=1)


def test_a_gate_of_a_branch_and_one_of_its_leaf_multiply() -> None:
    gate = leaf_gates(TREE, gates(south=0.5, carl=0.5, anna=1.0))
    assert gate.to_dict() == {"anna": 1.0, "ben": 1.0, "carl": 0.25, "dora": 0.5, "emil": 0.5}


def test_a_branch_that_is_excluded_gives_its_share_to_its_siblings_and_the_table_shows_it() -> None:
    gate = leaf_gates(TREE, gates(north=0.0))
    assert split(gate) == {"toy": 800, "north": 0, "south": 800} | {
        "anna": 0, "ben": 0, "carl": 400, "dora": 200, "emil": 200,
    }  # fmt: skip
    told = gate_effects(TREE, WEIGHTS, gate).set_index("node")
    assert told.loc[["north", "south"], ["excluded", "before", "after", "change"]].values.tolist() == [
        [2, 0.5, 0.0, -0.5],
        [0, 0.5, 1.0, 0.5],
    ]


def test_a_gate_of_one_driver_leaves_the_others_alone() -> None:
    """Nobody gets a target by market potential who has no market, but by history still."""
    drivers = pd.DataFrame({"history": [1.0] * 5, "market": [1.0, 4.0, 5.0, nan, 10.0]}, TREE.leaves)
    rule = GateRule("market", at_least=2.0, driver="market", missing=1.0)
    found = gates_by_rule(drivers, [rule])
    assert found["rule"].tolist() == ["market below 2: excluded (market only)"]
    gated = gated_drivers(TREE, drivers, found)
    assert gated["market"].tolist() == [0.0, 4.0, 5.0, 7.5, 10.0]  # dora: the mean of her siblings
    assert (leaf_gates(TREE, found) == 1.0).all()
    weights, _ = blend_drivers(TREE, gated, {"history": 1.0, "market": 1.0})
    assert weights["anna"] == pytest.approx(0.1)
    with pytest.raises(NoBasisError, match="gate on the driver 'fame'"):
        gated_drivers(TREE, drivers, found.assign(driver="fame"))


def test_an_excluded_seat_may_still_be_held_at_a_number() -> None:
    held = pd.DataFrame({"node": ["ben"], "period": ["p"], "value": [100]})
    assert split(leaf_gates(TREE, gates(ben=0.0)), holds=held)["ben"] == 100


def test_where_all_that_is_left_weighs_zero_the_excluded_still_get_nothing() -> None:
    weights = WEIGHTS.mask(WEIGHTS.index.isin(["carl", "dora"]), 0.0)
    held = pd.DataFrame({"node": ["south"], "period": ["p"], "value": [300]})
    answer = split(leaf_gates(TREE, gates(emil=0.0)), weights, holds=held)
    assert [answer[node] for node in ("carl", "dora", "emil")] == [150, 150, 0]


@pytest.mark.parametrize("by_level", [False, True])
def test_gates_that_leave_nobody_below_a_target_are_refused_by_name(by_level: bool) -> None:
    shut = leaf_gates(TREE, gates(south=0.0))
    held = pd.DataFrame({"node": ["south"], "period": ["p"], "value": [300]})
    call = cascade_by_level if by_level else cascade
    with pytest.raises(InfeasibleError, match=r"below 'south' is excluded, but 300 .*shared there in p"):
        call(TREE, TOTAL, WEIGHTS, holds=held, gates=shut)
    with pytest.raises(InfeasibleError, match=r"below 'toy' is excluded, but 800 .*Open a gate below 'toy'"):
        call(TREE, TOTAL, WEIGHTS, gates=leaf_gates(TREE, gates(toy=0.0)))


def test_a_branch_held_at_nothing_may_be_excluded_as_a_whole() -> None:
    held = pd.DataFrame({"node": ["south"], "period": ["p"], "value": [0]})
    assert split(leaf_gates(TREE, gates(south=0.0)), holds=held)["north"] == 800


@pytest.mark.parametrize("bad", ["yes", nan, None, -0.1, 1.5, ""])
def test_a_gate_that_is_no_ratio_is_refused_and_never_read_as_zero(bad: object) -> None:
    with pytest.raises(NoBasisError, match=r"1 gates are no ratio.* of 'north'"):
        leaf_gates(TREE, gates(north=bad, anna=1.0))


def test_a_gate_on_an_unknown_node_is_refused() -> None:
    with pytest.raises(HierarchyError, match=r"no node 'nroth'.*north"):
        leaf_gates(TREE, gates(nroth=0.0))


@pytest.mark.parametrize(
    ("values", "rule", "message"),
    [
        (
            [1.0, nan, 1.0, 1.0, 1.0],
            GateRule("x", at_least=1.0),
            r"not known as a number for 1 leaves.*'ben'",
        ),
        (["1", "many", "1", "1", "1"], GateRule("x", at_least=1.0, missing=1.0), r"'ben' \(many\)"),
        ([1.0] * 5, GateRule("y", at_least=1.0), "no column 'y'.*Known: x"),
    ],
)
def test_a_rule_about_something_unknown_is_refused_by_name(
    values: list, rule: GateRule, message: str
) -> None:
    with pytest.raises(NoBasisError, match=message):
        gates_by_rule(pd.DataFrame({"x": values}, TREE.leaves), [rule])


def test_no_rule_is_no_gate() -> None:
    nothing = gates_by_rule(pd.DataFrame(index=TREE.leaves), [])
    assert (leaf_gates(TREE, nothing) == 1.0).all()
    assert split(leaf_gates(TREE, nothing)) == cascade(TREE, TOTAL, WEIGHTS)["p"].to_dict()
