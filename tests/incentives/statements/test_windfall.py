"""Deals beyond the plan's limits are named with every limit that they pass."""

import pandas as pd
import pytest

from spms_lib.incentives.engine.run import pay_run
from spms_lib.incentives.engine.windfall import windfalls

from compensation_cases import CASES, of_calc  # isort: skip
from law_plans import MONTHS, run_of  # isort: skip
from pay_cases import YEAR, pay  # isort: skip


@pytest.mark.parametrize("name", of_calc("windfall"))
def test_deals_are_flagged_by_value_commission_and_shares_of_the_year(name: str) -> None:
    """The plan pays each deal its own margin, so that the commissions are those of the case."""
    case = CASES[name]
    limits = {
        key.replace("annual_ti", "target_incentive").replace("annual_", ""): value
        for key, value in case["plan"].items()
    }
    text = f"""
measures: {{sales: {{value: amount}}, commission: {{value: margin}}}}
components:
  - {{component: pay, measure: sales, base: commission, interval: year, accumulate: transaction, unit: measure, pays: rate,
     tie: upper, tiers: [[0, null, 1]], windfall: {{clause: "7.2", {", ".join(f"{key}: {value}" for key, value in limits.items())}}}}}
"""
    deals = [{"amount": value, "margin": paid} for value, paid in case["inputs"]["deals"]]
    inputs = case["inputs"]
    targets = [{"period": "FY2025", "quota": inputs["annual_quota"], "target_incentive": inputs["annual_ti"]}]
    found = windfalls(pay(text, deals, targets, periods=YEAR))
    assert [list(flags) for flags in found["flags"]] == case["expected"]["flags"]
    assert set(found["clause"]) == {"7.2"}


PART = {
    "component": "pay", "measure": "sales", "interval": "quarter", "unit": "measure", "pays": "rate", "tie": "upper",
    "tiers": [{"from": 0, "to": 1000, "value": "10 %"}, {"from": 1000, "value": "20 %"}],
    "windfall": {"commission_over": 100},
}  # fmt: skip


def test_a_credits_commission_is_its_own_line_and_a_limit_met_exactly_is_no_windfall() -> None:
    rows = [("ann", 5, 100_000, 12), ("ann", 6, 50_005, 12), ("bob", 5, 100_000, 12), ("bob", 70, 50_000, 12)]
    found = windfalls(run_of(PART, rows)).set_index("credit")
    assert found["commission"].to_dict() == {"c00": 10_000, "c01": 10_001, "c02": 10_000, "c03": 10_000}
    assert found["flags"].map(bool).to_dict() == {"c00": False, "c01": True, "c02": False, "c03": False}
    by_share = PART | {"windfall": {"share_of_quota_over": "50 %"}}
    shares = windfalls(run_of(by_share, rows)).set_index("credit")["share_of_quota"]
    assert shares["c00"] == pytest.approx(100_000 / (12 * 90_000 + 66 * 5_000))


def test_without_a_year_to_compare_with_no_share_is_made_up() -> None:
    run = run_of(
        PART | {"windfall": {"share_of_target_incentive_over": "1 %", "share_of_quota_over": "1 %"}},
        [("ann", 5, 100_000, 12)],
    )
    targets = pd.DataFrame(columns=["payee", "component", "period", "quota", "target_incentive"])
    found = windfalls(pay_run(run.plan, run.books.credits, targets, periods=MONTHS))
    assert found["share_of_quota"].isna().all()
    assert found["flags"].tolist() == [()]


def test_a_plan_without_the_clause_has_no_windfalls() -> None:
    plain = {key: value for key, value in PART.items() if key != "windfall"}
    assert windfalls(run_of(plain, [("ann", 5, 1, 12)])).empty
