"""Edges of a plan by hand: thresholds, cliffs, accelerators and caps, as the detectors of gaming are given them."""

from typing import Any

import pytest

from spms_lib.incentives.plan.edges import edges_of, judged_component
from spms_lib.incentives.plan.model import CompensationPlan
from spms_lib.incentives.plan.read import plan_from_dict

PART: dict[str, Any] = {
    "component": "new",
    "measure": {"value": "amount"},
    "interval": "quarter",
    "weight": 1,
    "unit": "attainment",
    "pays": "target_incentive",
    "tie": "upper",
    "tiers": [[0, None, 1]],
}

RATE = {"component": "commission", "unit": "measure", "pays": "rate", "weight": None}


def plan_of(*parts: dict[str, Any], **head: Any) -> CompensationPlan:
    document = {"plan": "p", "currency": "EUR", "effective_from": "2026-01-01", **head}
    return plan_from_dict({**document, "components": [_stated({**PART, **part}) for part in parts]})


def _stated(part: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if value is not None}


def edges(**changes: Any) -> list[list[float]]:
    """Edge, jump, slope before and after."""
    plan = plan_of(changes)
    found = edges_of(plan, plan.components["new"])
    return [[round(float(number), 9) for number in row] for row in found.iloc[:, :4].to_numpy()]


def test_a_straight_line_has_no_edges_and_neither_has_a_tier_that_changes_nothing() -> None:
    assert edges() == []
    assert edges(tiers=[[0, 1, 1], [1, None, 1]]) == []


def test_a_threshold_is_an_edge_that_pays_all_that_was_sold_below_it() -> None:
    assert edges(threshold="0.5") == [[0.5, 0.5, 0, 1]]


def test_a_rate_back_to_the_first_sale_jumps_by_the_difference_of_rates_at_its_start() -> None:
    tiers = [[0, 1, "0.8"], [1, "1.2", 1], [1.2, None, "1.5"]]
    assert edges(mode="retroactive", tiers=tiers) == [[1, 0.2, 0.8, 1], [1.2, 0.6, 1, 1.5]]


def test_a_lump_jumps_by_its_difference_and_is_flat_on_both_sides() -> None:
    tiers = [[0, 0.5, 0], [0.5, 1, "0.4"], [1, None, 1]]
    assert edges(mode="lump", tiers=tiers) == [[0.5, 0.4, 0, 0], [1, 0.6, 0, 0]]


def test_a_cap_is_an_edge_where_pay_meets_it_and_later_tiers_are_none() -> None:
    tiers = [[0, 1, 1], [1, 2, 2], [2, None, 3]]
    cap = {"value": 2, "of": "target_incentive"}
    assert edges(tiers=tiers, cap=cap) == [[1, 0, 1, 2], [1.5, 0, 2, 0]]


def test_a_cap_that_a_cliff_reaches_cuts_its_jump() -> None:
    tiers, cap = [[0, "1.2", 1], ["1.2", None, 3]], {"value": 2, "of": "target_incentive"}
    assert edges(mode="retroactive", tiers=tiers, cap=cap) == [[1.2, 0.8, 1, 0]]  # 3.6 without the cap


def test_a_cap_in_money_lies_elsewhere_for_every_payee_and_hides_no_other_edge() -> None:
    tiers = [[0, 1, 1], [1, None, 2]]
    assert edges(tiers=tiers, cap={"value": 10_000, "of": "money"}) == [[1, 0, 1, 2]]


@pytest.mark.parametrize("interval", ["month", "quarter", "year"])
@pytest.mark.parametrize("weight", ["1", "0.3"])
def test_edges_are_ratios_of_the_own_target_incentive_whatever_the_interval_and_weight(
    interval: str, weight: str
) -> None:
    rest = {"component": "other", "weight": str(1 - float(weight))}
    own = {"interval": interval, "weight": weight, "tiers": [[0, 1, 1], [1, None, "1.5"]], "threshold": "0.5"}
    plan = plan_of(own, *([rest] if weight != "1" else []))
    assert edges_of(plan, plan.components["new"])[["edge", "jump"]].to_numpy().tolist() == [
        [0.5, 0.5],
        [1, 0],
    ]


def test_an_edge_names_the_clause_of_its_component_or_else_of_the_plan() -> None:
    tiers = {"tiers": [[0, 1, 1], [1, None, 2]]}
    for part, clause in ((tiers, "2"), ({**tiers, "clause": "4.1"}, "4.1")):
        plan = plan_of(part, clause="2")
        assert edges_of(plan, plan.components["new"])["clause"].tolist() == [clause]


def test_the_judged_component_is_the_heaviest_that_is_held_against_a_quota() -> None:
    plan = plan_of(RATE, {"weight": "0.4"}, {"component": "heavy", "weight": "0.6"})
    assert judged_component(plan).name == "heavy"
    assert judged_component(plan_of(RATE)) is None
