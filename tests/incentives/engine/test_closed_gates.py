"""What a closed gate pays, by a curve of its own, and what multipliers then do to it: each amount by hand."""

import pytest

from pay_cases import by_payee, pay  # isort: skip

CENTS = 100
QUARTER = ["2025-01", "2025-02", "2025-03"]
PLAN = """
measures: {{sales: {{value: amount}}}}
components:
  - component: pay
    measure: sales
    weight: 1
    interval: quarter
    unit: attainment
    pays: target_incentive
    tie: upper
    tiers: [{{from: 0, value: 1}}]
    gates: [{{measure: sales, at_least: {gate}, closed: {{rate: "1/4"}}}}]
    multipliers: [{{measure: sales, tie: upper, rows: [[0, {first}], [100, {factor}]]}}]
"""


def earned(**terms: object) -> float:
    """Pay 250.00 sold against a quota of 100.00 and a target incentive of 700.00."""
    run = pay(
        PLAN.format(**{"first": 9, **terms}), [{"amount": "250"}], [{"quota": 100, "target_incentive": 700}],
        periods=QUARTER, per_unit=CENTS,
    )  # fmt: skip
    (amount,) = by_payee(run)
    return amount * 10**8 / CENTS


@pytest.mark.parametrize(
    ("factor", "amount"), [("0.5", 31.25), ("1", 62.5), ("2", 125.0), ("3", 187.5), ("0", 0)]
)
def test_a_closed_gate_with_a_rate_pays_it_on_sales_though_the_component_pays_target_incentive(
    factor: str, amount: float
) -> None:
    assert earned(gate=1000, factor=factor) == amount  # 250.00 x 1/4 x factor


@pytest.mark.parametrize(("factor", "amount"), [("0.5", 875.0), ("1", 1750.0), ("2", 3500.0), ("3", 5250.0)])
def test_an_open_gate_leaves_the_own_curve_and_whole_multipliers_count_as_they_are(
    factor: str, amount: float
) -> None:
    assert earned(gate=250, factor=factor) == amount  # 700.00 x 250 % x factor


def test_whole_multipliers_in_front_of_a_broken_one_are_not_scaled_by_it() -> None:
    assert earned(gate=1000, first="1/3", factor=2) == 125.0
