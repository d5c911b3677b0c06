"""What a return cost, and what another plan would have paid, are differences of whole runs."""

from dataclasses import replace

import pandas as pd
import pytest

from spms_lib.errors import PlanError
from spms_lib.incentives.engine.run import pay_run
from spms_lib.incentives.statements.what_if import other_plan, what_it_cost

from law_plans import MONTHS, run_of  # isort: skip

PART = {
    "component": "pay", "measure": "sales", "interval": "quarter", "unit": "measure", "pays": "rate", "tie": "upper",
    "tiers": [{"from": 0, "to": 1000, "value": "10 %"}, {"from": 1000, "value": "20 %"}],
}  # fmt: skip
ROWS = [("ann", 5, 90_000, 12), ("ann", 40, 60_000, 12), ("ann", 70, -30_000, 12), ("bob", 5, 90_000, 12)]


def test_a_return_costs_what_it_takes_back_through_the_tiers_it_was_paid_by() -> None:
    """1,500 sold pay 100 + 100; the return of 300 brings it to 1,200, of which 200 pay 20 %."""
    found = what_it_cost(run_of(PART, ROWS), "c02")
    assert found.values.tolist() == [["ann", "pay", "2026-03", -60_00, 0, -60_00]]


def test_an_early_sale_that_lifted_later_ones_into_a_tier_is_worth_more_than_its_own_line() -> None:
    found = what_it_cost(run_of(PART, ROWS), "c00")
    assert found["difference"].sum() == 140_00 - 30_00
    assert found["period"].tolist() == ["2026-01", "2026-02", "2026-03"]


def test_a_credit_counts_wherever_it_went_and_an_unknown_one_is_refused() -> None:
    run = run_of(PART, ROWS)
    frame = run.books.credits.assign(credit=["a", "b", "c", "a"])
    targets = pd.DataFrame(columns=["payee", "component", "period", "quota", "target_incentive"])
    found = what_it_cost(pay_run(run.plan, frame, targets, periods=MONTHS), "a")
    assert found.groupby("payee")["difference"].sum().to_dict() == {"ann": 110_00, "bob": 90_00}
    with pytest.raises(PlanError, match="no credit 'z'"):
        what_it_cost(run, "z")


def test_another_plan_pays_the_same_credits_its_own_way() -> None:
    run = run_of(PART, ROWS)
    flat = run_of(PART | {"tiers": [{"from": 0, "value": "15 %"}]}, ROWS).plan
    found = other_plan(run, flat, "ann")
    assert found["difference"].sum() == 180_00 - 140_00
    same = other_plan(run, run.plan, "ann")
    assert (same["difference"] == 0).all()


def test_a_component_that_only_one_plan_has_counts_whole_and_other_currencies_are_refused() -> None:
    run = run_of(PART, ROWS)
    renamed = run_of(PART | {"component": "bonus"}, ROWS).plan
    found = other_plan(run, renamed, "ann").groupby("component")["difference"].sum()
    assert found.to_dict() == {"pay": -140_00, "bonus": 140_00}
    with pytest.raises(PlanError, match="pays in USD"):
        other_plan(run, replace(run.plan, currency="USD"), "ann")
