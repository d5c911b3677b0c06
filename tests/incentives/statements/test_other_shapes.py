"""Plans of other shapes add up as well: matrices, ratios, pay on another measure, deals taken back."""

from fractions import Fraction
from math import floor
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.incentives.engine.run import Run, pay_run
from spms_lib.incentives.plan.read import plan_from_dict
from spms_lib.incentives.statements.ahead import next_step
from spms_lib.incentives.statements.statement import explain

MONTHS = [f"2026-{month:02d}" for month in range(1, 7)]
PAY = {"component": "pay", "interval": "quarter", "tie": "upper"}
SHAPES: dict[str, dict[str, Any]] = {
    "a matrix on two measures": {
        "measure": "sales",
        "matrix": {
            "rows": {"component": "other", "over": "interval", "starts": [0, "1/2"]},
            "columns": {"measure": "margin_rate", "starts": [0, "20 %"]},
            "values": [["1 %", "2 %"], ["3 %", "5 %"]], "pays": "rate", "tie": "upper",
        },
    },
    "a rate by pieces on money": {
        "measure": "pieces", "base": "sales", "unit": "measure", "pays": "rate",
        "tiers": [{"from": 0, "to": 4, "value": "3 %", "mode": "retroactive"}, {"from": 4, "value": "1/30", "mode": "retroactive"}],
    },
    "rates by pieces on money, credit by credit": {
        "measure": "pieces", "base": "sales", "unit": "measure", "pays": "rate",
        "tiers": [{"from": 0, "to": 4, "value": "3 %"}, {"from": 4, "value": "1/30"}],
    },
    "a lump by margin": {
        "measure": "margin_rate", "unit": "measure", "pays": "target_incentive",
        "tiers": [{"from": 0, "to": "20 %", "value": "1/3", "mode": "lump"}, {"from": "20 %", "value": 1, "mode": "lump"}],
    },
    "money for every step": {"measure": "sales", "unit": "measure", "pays": "money", "step": {"every": 300, "pays": "12.5"}},
    "most per deal, returns take back their share": {
        "measure": "sales", "unit": "measure", "pays": "rate", "deal_cap": 50, "tiers": [{"from": 0, "value": "10 %"}],
    },
}  # fmt: skip

rows = st.lists(
    st.tuples(
        st.integers(0, 170), st.integers(-50_000, 90_000), st.integers(-9_000, 30_000), st.integers(0, 3)
    ),
    min_size=1,
    max_size=10,
)


def run_of(shape: str, sold: list[tuple[int, int, int, int]]) -> Run:
    other = {
        "component": "other",
        "measure": "sales",
        "interval": "quarter",
        "unit": "attainment",
        "pays": "rate",
        "tie": "upper",
        "tiers": [{"from": 0, "value": "1 %"}],
    }
    part = PAY | SHAPES[shape]
    if "matrix" in part:
        del part["tie"]
    plan = plan_from_dict(
        {
            "plan": "shapes", "currency": "EUR", "effective_from": "2026-01-01",
            "measures": {"sales": {"value": "amount"}, "pieces": {"value": "units"}, "margin_rate": {"value": "margin", "per": "amount"}},
            "components": [part, other],
        }
    )  # fmt: skip
    frame = pd.DataFrame(sold, columns=["day", "amount", "margin", "units"])
    names = [f"c{n}" for n in range(len(frame))]
    frame = frame.assign(
        credit=names,
        payee="ann",
        date=pd.Timestamp(2026, 1, 1) + pd.to_timedelta(frame["day"], unit="D"),
        reverses=pd.Series(
            [names[0] if n and amount < 0 else None for n, amount in enumerate(frame["amount"])], dtype=object
        ),
    )
    targets = [(name, "ann", month, 60_000, 40_000) for name in ("pay", "other") for month in MONTHS]
    return pay_run(
        plan,
        frame,
        pd.DataFrame(targets, columns=["component", "payee", "period", "quota", "target_incentive"]),
        periods=MONTHS,
    )


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=15)
@given(sold=rows)
def test_steps_sum_to_what_is_earned_and_parts_to_what_is_due(
    shape: str, sold: list[tuple[int, int, int, int]]
) -> None:
    run = run_of(shape, sold)
    told = explain(run, "ann", component="pay")
    assert told.earned().tolist() == run.earned["pay"][0].tolist()
    assert len(told.lines) == (0 if run.books.credits.empty else len(sold))
    for row in told.standing.itertuples():
        own = told.tiers[told.tiers["period"] == row.period]["amount"].sum()
        assert row.exact is None or floor(Fraction(own) + Fraction(1, 2)) == row.due
    assert len(next_step(run)) == 2


def test_a_cell_and_the_credit_that_moved_into_it_are_told() -> None:
    """600.00 sold at 30 % margin are the second column; 1,200.00 in all reach half of the quota of 1,800.00 and so the second row."""
    run = run_of("a matrix on two measures", [(5, 60_000, 18_000, 1), (40, 60_000, 18_000, 1)])
    told = explain(run, "ann", component="pay")
    parts = told.tiers[told.tiers["period"].isin(["2026-01", "2026-02"])]
    assert parts[["input", "rate", "amount"]].values.tolist() == [
        [600, Fraction(1, 50), 1_200],
        [1_200, Fraction(1, 20), 6_000],
    ]
    steps = told.steps[told.steps["period"] == "2026-02"].set_index("step")["amount"]
    assert (steps["start"], steps["credits"]) == (3_000 - 1_200, 3_000)


def test_a_deal_cap_and_a_return_stand_on_the_credits_own_line() -> None:
    """10 % of 900.00 are capped at 50.00; returning half of the deal takes back half of that."""
    run = run_of("most per deal, returns take back their share", [(5, 90_000, 0, 1), (40, -45_000, 0, 1)])
    lines = explain(run, "ann", component="pay").lines
    assert lines[["plain", "deal_cap", "amount"]].values.tolist() == [
        [9_000, -4_000, 5_000],
        [-4_500, 2_000, -2_500],
    ]


def test_the_money_rate_of_a_cell_and_of_pay_on_another_measure_is_per_unit_of_money() -> None:
    matrix = next_step(run_of("a matrix on two measures", [(5, 60_000, 18_000, 1)]), period="2026-01").iloc[0]
    assert (matrix["marginal_rate"], matrix["money_rate"]) == (Fraction(1, 50), 0.02)
    assert pd.isna(matrix["further"])
    pieces = next_step(run_of("a rate by pieces on money", [(5, 60_000, 0, 3)]), period="2026-01").iloc[0]
    assert (pieces["marginal_rate"], pieces["money_rate"]) == (Fraction(3, 100), 0.03)
    assert (pieces["further"], pieces["next_start"], pieces["pays_there"]) == (1, 4, 2_000)


def test_a_return_of_a_shared_deal_takes_back_each_payees_own_share() -> None:
    shape = "most per deal, returns take back their share"
    run = run_of(shape, [(5, 90_000, 0, 1), (5, 30_000, 0, 1), (40, -45_000, 0, 1), (41, -30_000, 0, 1)])
    frame = run.books.credits.assign(
        credit=["a", "a", "b", "c"], payee=["ann", "bob", "ann", "bob"], reverses=[None, None, "a", "a"]
    )
    targets = pd.DataFrame(columns=["payee", "component", "period", "quota", "target_incentive"])
    paid = pay_run(run.plan, frame, targets, periods=MONTHS).earned["pay"][:, :2].tolist()
    assert paid == [[5_000, -2_500], [3_000, -3_000]]
