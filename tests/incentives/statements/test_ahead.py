"""What the next sale earns is what it earns when it is made."""

from fractions import Fraction
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.incentives.engine.run import Run
from spms_lib.incentives.statements.ahead import next_step

from compensation_cases import CASES, of_calc  # isort: skip
from law_plans import parts, run_of, sold  # isort: skip
from pay_cases import pay  # isort: skip

ANN = ("ann", 3, 50_000, 12)


def one_more(run: Run, amount: int) -> tuple[int, Any]:
    """Sell so much more in December, without a piece that could open a gate; return what is then due, and the next step."""
    late = pd.DataFrame(
        {
            "credit": ["late"],
            "payee": "ann",
            "date": [pd.Timestamp(2026, 12, 31)],
            "amount": [amount],
            "term": 12,
            "units": 0,
            "day": 364,
        }
    )
    again = run.with_late(late)
    return int(again.stands()["pay"].due[0, -1]), next_step(again).iloc[0]


@settings(max_examples=60)
@given(part=parts(), rows=sold)
def test_the_smallest_further_amount_reaches_the_next_tier_and_pays_what_was_said(
    part: dict[str, Any], rows: list[tuple[str, int, int, int]]
) -> None:
    run = run_of(part, [ANN, *rows]).only(["ann"])
    now = next_step(run).iloc[0]
    if pd.isna(now["further"]):
        return
    assert now["further"] >= 1
    due, there = one_more(run, int(now["further"]))
    assert pd.isna(now["pays_there"]) or due == now["pays_there"]
    assert there["held_by"] == "cap" or there["next_start"] != now["next_start"]
    assert there["held_by"] == "cap" or there["marginal_rate"] == now["rate_from_there"]
    _, before = one_more(run, int(now["further"]) - 1)
    assert before["held_by"] == "cap" or before["next_start"] == now["next_start"]


@settings(max_examples=40)
@given(part=parts(), rows=sold, amount=st.integers(1, 50_000))
def test_inside_a_tier_more_sales_earn_the_money_rate(
    part: dict[str, Any], rows: list[tuple[str, int, int, int]], amount: int
) -> None:
    run = run_of(part, [ANN, *rows]).only(["ann"])
    now = next_step(run).iloc[0]
    reaches = not pd.isna(now["further"]) and amount >= now["further"]
    if pd.isna(now["money_rate"]) or reaches or "deal_cap" in part or "kickers" in part:
        return
    due, there = one_more(run, amount)
    if there["held_by"] == now["held_by"]:
        assert due - run.stands()["pay"].due[0, -1] == pytest.approx(amount * now["money_rate"], abs=1)


def test_at_an_edge_the_tie_decides_which_rate_holds_and_a_threshold_comes_first() -> None:
    part = {
        "component": "pay",
        "measure": "sales",
        "interval": "month",
        "unit": "measure",
        "pays": "rate",
        "threshold": 100,
        "tiers": [{"from": 0, "to": 500, "value": "10 %"}, {"from": 500, "value": "20 %"}],
    }
    seen = {
        tie: next_step(
            run_of(part | {"tie": tie}, [("ann", 0, 500_00, 12), ("bob", 0, 99_99, 12)]), period="2026-01"
        )
        for tie in ("upper", "lower")
    }
    columns = ["marginal_rate", "next_start", "rate_from_there", "further", "pays_there"]
    assert seen["lower"].loc[0, columns].tolist() == [Fraction(1, 10), 500, Fraction(1, 5), 1, 50_00]
    assert seen["upper"].loc[0, columns[:3]].tolist() == [Fraction(1, 5), None, None]
    assert seen["upper"].loc[1, columns].tolist() == [0, 100, Fraction(1, 10), 1, 10_00]
    assert seen["lower"].loc[1, columns].tolist() == [0, 100, Fraction(1, 10), 2, 10_00]
    assert seen["upper"]["money_rate"].tolist() == [0.2, 0.0]


def test_the_cap_and_a_closed_gate_are_named_as_what_holds_pay() -> None:
    part = {
        "component": "pay",
        "measure": "sales",
        "interval": "month",
        "unit": "attainment",
        "pays": "target_incentive",
        "tie": "upper",
        "tiers": [{"from": 0, "value": 1}],
        "cap": {"value": 1, "of": "target_incentive"},
        "gates": [{"measure": "units", "at_least": 2}],
    }
    rows = [("ann", 0, 50_000, 12), ("ann", 0, 50_000, 12), ("bob", 0, 50_000, 12)]
    seen = next_step(run_of(part, rows), period="2026-01")
    assert seen["held_by"].tolist() == ["cap", "gate 1"]
    assert seen["money_rate"].tolist() == [0.0, 0.0]
    assert seen["further"].isna().all()


def test_a_repeating_step_is_reached_by_the_rest_of_it() -> None:
    part = {
        "component": "pay",
        "measure": "sales",
        "interval": "month",
        "unit": "measure",
        "pays": "money",
        "tie": "upper",
        "step": {"every": 1000, "pays": 10},
    }
    seen = next_step(run_of(part, [("ann", 0, 475_000, 12)]), period="2026-01").iloc[0]
    assert (seen["further"], seen["next_start"], seen["pays_there"]) == (25_000, 5_000, 50_00)


@pytest.mark.parametrize("name", of_calc("marginal_rate"))
def test_a_decelerator_lowers_the_rate_that_holds(name: str) -> None:
    case = CASES[name]
    plan = case["plan"]
    low = Fraction(str(plan["base_rate"]))
    text = f"""
measures: {{sales: {{value: amount}}}}
components:
  - {{component: pay, measure: sales, interval: month, unit: attainment, pays: rate, tie: upper,
     tiers: [[0, {plan["above"]}, "{low}"], [{plan["above"]}, null, "{low * Fraction(str(plan["decelerator"]))}"]]}}
"""
    at = case["inputs"]["attainment"]
    credits = [{"payee": f"p{n}", "amount": 1000 * Fraction(str(x))} for n, x in enumerate(at)]  # noqa: A001
    run = pay(text, credits, [{"payee": f"p{n}", "quota": 1000} for n in range(len(at))], periods=["2025-01"])
    found = next_step(run)
    for column in ("marginal_rate", "money_rate"):
        assert found[column].astype(float).tolist() == pytest.approx(
            case["expected"]["rates"], abs=case["tol"]
        )
