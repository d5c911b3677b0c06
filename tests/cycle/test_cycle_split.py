"""How a target is split at a company: what it has as drivers, who takes part, and how the months fall."""

import pandas as pd
import pytest

from spms_lib.cycle import split
from spms_lib.errors import HierarchyError, NoBasisError, ParamsError
from spms_lib.findings import REJECTED, SEVERITY
from spms_lib.goals.cascade import cascade
from spms_lib.goals.drivers import blend_drivers

from firms import sales, targets, transactions  # isort: skip
from toys import table  # isort: skip

OWN = """
node driver           value
anna market_potential 1000
anna market_share     0.1
ben  market_potential 500
ben  market_share     0.2
anna growth_rate      0.5
"""


def test_market_and_stated_growth_are_amounts_made_of_ratios(opened) -> None:
    drivers = split.leaf_drivers(opened(drivers=table(OWN)))
    assert drivers["reachable_market"][["anna", "ben"]].tolist() == [100.0, 100.0]
    assert drivers["stated_growth"]["anna"] == pytest.approx(1.5 * drivers["history"]["anna"])
    assert drivers[["reachable_market", "stated_growth"]].loc["dora"].isna().all()
    assert not {"market_share", "growth_rate"} & set(drivers)


def test_account_targets_are_a_driver_only_where_the_company_has_them(opened, acme) -> None:
    accounts = table("account node target\nx anna 100\ny anna 50.5\nz ben -\nw nobody 9")
    desk = opened(accounts=accounts)
    driver = split.leaf_drivers(desk)["account_targets"]
    assert driver["anna"] == 15050
    assert driver[["ben", "carl", "dora"]].isna().all()
    lost = desk.findings[desk.findings[SEVERITY] == REJECTED]
    assert lost[["table", "value"]].values.tolist() == [["accounts", "nobody"]]
    assert "account_targets" not in split.leaf_drivers(acme)


def test_a_floor_in_the_params_lifts_a_seat_without_sales_and_lists_it(opened) -> None:
    sold = transactions()
    idle = sold.assign(value=sold["value"].where((sold["node"] != "dora") | (sold["date"] < "2025-04"), 0.0))
    desk = opened(transactions=idle, cycle={"driver_floor": 0.25})
    carl = split.leaf_drivers(opened(transactions=idle))["history"]["carl"]
    assert split.leaf_drivers(desk)["history"]["dora"] == pytest.approx(0.25 * carl)
    assert split.lifted_leaves(desk)[["node", "rule", "before"]].values.tolist() == [
        ["dora", "25% of the mean of south", 0.0]
    ]
    assert split.lifted_leaves(opened(transactions=idle)).empty


def test_no_target_for_a_vacant_seat_and_a_ramping_seller_counts_by_ramp(opened) -> None:
    rules = [{"column": "seated", "at_least": 1.0}, {"column": "ramp", "missing": 1.0}]
    desk = opened(cycle={"gates": rules})
    gated = split.apply_gates(desk, split.leaf_drivers(desk))
    ramp = 120 / 30.4375 / 8  # carl: four months into a ramp of eight
    assert gated.gates.to_dict() == pytest.approx({"anna": 1.0, "ben": 1.0, "carl": ramp, "dora": 0.0})
    assert gated.table["rule"].tolist() == ["seated below 1: excluded", "counts with its ramp"]
    weights, _ = blend_drivers(desk.tree, gated.drivers, {"history": 1.0})
    base = cascade(desk.tree, pd.Series({"p": 1000}), weights, gates=gated.gates)["p"]
    year = pd.DataFrame(sales()).T.loc[["anna", "ben", "carl"], "2025-04":"2026-03"].sum(axis=1)
    kept = year * [1.0, 1.0, ramp]
    assert base[["anna", "ben", "carl"]].tolist() == pytest.approx((1000 * kept / kept.sum()).tolist(), abs=1)
    assert base["dora"] == 0


def test_a_gate_on_what_the_company_does_not_have_is_refused(opened) -> None:
    desk = opened(roster=None, cycle={"gates": [{"column": "ramp"}]})
    with pytest.raises(NoBasisError, match="no column 'ramp'"):
        split.apply_gates(desk, split.leaf_drivers(desk))


def test_without_gates_everybody_counts_in_full(acme) -> None:
    drivers = split.leaf_drivers(acme)
    gated = split.apply_gates(acme, drivers)
    assert (gated.gates == 1.0).all()
    assert gated.table.empty
    pd.testing.assert_frame_equal(gated.drivers, drivers)


def test_months_fall_by_the_pattern_of_the_nearest_node(opened, acme) -> None:
    pattern = {"acme": "4-4-5", "north": "history", "anna": [20.0, 30.0, 50.0]}
    shares = split.phasing(opened(cycle={"phasing": pattern}))
    assert shares.loc["anna"].tolist() == pytest.approx([0.2, 0.3, 0.5])
    assert shares.loc["carl"].tolist() == pytest.approx([4 / 13, 4 / 13, 5 / 13])
    assert shares.loc["ben"].tolist() == pytest.approx(split.phasing(acme).loc["ben"].tolist())
    even = split.phasing(opened(cycle={"phasing": "even"}))
    assert even.to_numpy().ravel() == pytest.approx([1 / 3] * 12)


@pytest.mark.parametrize(
    ("pattern", "kind", "message"),
    [
        ([33.3, 33.3, 33.3], ParamsError, "sum to 99.90"),
        ("4-4-5-5", ParamsError, "do not fit 3 periods"),
        ({"acme": "evne"}, ParamsError, "'evne' is no pattern"),
    ],
)
def test_a_pattern_that_does_not_fit_a_quarter_is_refused_when_the_params_are_read(
    opened, pattern: object, kind: type, message: str
) -> None:
    with pytest.raises(kind, match=message):
        opened(cycle={"phasing": pattern})


def test_a_pattern_of_an_unknown_node_is_refused(opened) -> None:
    with pytest.raises(HierarchyError, match="no node 'nroth'"):
        split.phasing(opened(cycle={"phasing": {"nroth": "even"}}))


def test_a_target_of_an_unknown_node_is_a_finding_with_its_amount_out_of_the_sum(opened) -> None:
    """Expected 77, planned 0: without the finding every check that starts at the tree is green."""
    ghost = pd.concat(
        [targets(), pd.DataFrame([("ghost", "2026-01", 77.0)], columns=["node", "period", "value"])]
    )
    desk = opened(targets=ghost)
    found = desk.findings[desk.findings["table"] == "targets"]
    assert found[["rule", "value", SEVERITY]].values.tolist() == [
        ["node is not in the hierarchy", "ghost", REJECTED]
    ]
    row = desk.sources.set_index("table").loc["targets"]
    assert row["rows_in"] == len(ghost) == row["rows_used"] + 1
    assert row["adds_up"]
