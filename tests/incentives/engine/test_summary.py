"""A run in short: components add up, cost at quota, reasons, and only the months that are asked for."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.incentives.engine.run import Run, pay_run
from spms_lib.incentives.engine.summary import cost_summary, payouts
from spms_lib.incentives.plan.read import plan_from_dict

Q1 = ["2026-01", "2026-02", "2026-03"]
Q2 = ["2026-04", "2026-05", "2026-06"]

ACCELERATED = [{"from": 0, "to": 1, "value": 1}, {"from": 1, "value": 2}]
SALES: dict[str, Any] = {
    "component": "sales",
    "measure": "sales",
    "interval": "quarter",
    "weight": 1,
    "unit": "attainment",
    "pays": "target_incentive",
    "tie": "upper",
    "tiers": ACCELERATED,
}
SPIF: dict[str, Any] = {
    "component": "spif",
    "measure": "services",
    "interval": "month",
    "unit": "measure",
    "pays": "rate",
    "tie": "upper",
    "tiers": [{"from": 0, "value": "0.01"}],
}
MEASURES = {
    "sales": {"value": "amount"},
    "services": {"value": "amount", "where": [{"column": "product", "in": ["service"]}]},
}


def plan(*components: Mapping[str, Any]) -> Any:
    used = {part["measure"] for part in components}
    head = {"plan": "p", "currency": "EUR", "effective_from": "2026-01-01"}
    measures = {name: rule for name, rule in MEASURES.items() if name in used}
    return plan_from_dict({**head, "measures": measures, "components": list(components)})


def run(
    parts: Sequence[Mapping[str, Any]],
    sold: Mapping[str, Mapping[str, int]],
    held: Mapping[str, tuple[int | None, int | None]],
    months: Sequence[str] = tuple(Q1),
) -> Run:
    """Pay for sales by payee and month; everybody has one quota and target incentive for each month."""
    rows = [(who, month, amount) for who, by_month in sold.items() for month, amount in by_month.items()]
    credits = pd.DataFrame(rows, columns=["payee", "month", "amount"]).astype({"amount": "int64"})  # noqa: A001
    credits = credits.assign(  # noqa: A001
        credit=[f"c{number}" for number in range(len(rows))],
        date=pd.to_datetime(credits["month"] + "-15"),
        product="service",
    )
    wanted = [
        (who, part["component"], month, *pair)
        for who, pair in held.items()
        for part in parts
        for month in months
    ]
    targets = pd.DataFrame(wanted, columns=["payee", "component", "period", "quota", "target_incentive"])
    targets = targets.astype({"quota": "Int64", "target_incentive": "Int64"})
    return pay_run(plan(*parts), credits, targets, periods=list(months))


def value(summary: pd.DataFrame, metric: str) -> float:
    return float(summary.set_index("metric").loc[metric, "value"])


amounts = st.dictionaries(st.sampled_from(Q1), st.integers(-(10**6), 10**7), min_size=1)


@given(amounts, amounts)
def test_components_sum_to_the_payout_and_payouts_to_the_cost(anna: dict, ben: dict) -> None:
    paid = run([SALES, SPIF], {"anna": anna, "ben": ben}, dict.fromkeys(("anna", "ben"), (1_000_00, 100_00)))
    rows = payouts(paid, Q1)
    assert (rows[["sales", "spif"]].sum(axis=1) == rows["payout"]).all()
    assert rows["actual"].tolist() == [sum(anna.values()), sum(ben.values())]
    summary = cost_summary(paid, Q1)
    assert value(summary, "total_payout") == rows["payout"].sum()


@given(st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.integers(0, 10**7), st.integers(1, 10**6))))
def test_a_plan_that_pays_one_at_quota_costs_the_target_incentives_there(people: dict) -> None:
    if not people:
        return
    sold = {who: {"2026-02": amount} for who, (amount, _) in people.items()}
    held = {who: (quota, quota // 7 + 1) for who, (_, quota) in people.items()}
    summary = cost_summary(run([SALES], sold, held), Q1)
    assert value(summary, "cost_at_quota") == value(summary, "total_target_incentive")
    assert value(summary, "cost_at_quota") == 3 * sum(incentive for _, incentive in held.values())


def test_an_accelerator_costs_more_than_at_quota_for_spread_out_results_of_the_same_average() -> None:
    held = {"anna": (100_00, 10_00), "ben": (100_00, 10_00)}
    summary = cost_summary(run([SALES], {"anna": {"2026-01": 450_00}, "ben": {"2026-01": 150_00}}, held), Q1)
    assert value(summary, "cost_at_quota") == 60_00
    assert value(summary, "total_payout") == 60_00 + 15_00  # 1 + 2 x 0.5 and 0.5 of 30.00
    assert value(summary, "payout_ratio") == pytest.approx(1.25)
    assert value(summary, "share_at_or_above_quota") == 0.5


def test_a_component_without_a_quota_stands_as_it_is_in_the_cost_at_quota() -> None:
    paid = run([SALES, SPIF], {"anna": {"2026-01": 600_00}}, {"anna": (100_00, 10_00)})
    assert payouts(paid, Q1)["spif"].item() == 6_00
    assert value(cost_summary(paid, Q1), "cost_at_quota") == 30_00 + 6_00


def test_each_unknown_pay_has_its_reason_and_is_counted_apart_from_the_cost() -> None:
    held = {"anna": (100_00, 10_00), "ben": (None, 10_00), "carl": (0, 10_00), "dora": (100_00, None)}
    paid = run([SALES], {"anna": {"2026-01": 300_00}, "ben": {"2026-01": 1_00}}, held)
    rows = payouts(paid, Q1).set_index("payee")
    assert rows["reason"].to_dict() == {
        "anna": "",
        "ben": "no quota",
        "carl": "quota not above zero",
        "dora": "no target incentive: vacant, or nobody has said",
    }
    assert rows["payout"].isna().tolist() == [False, True, True, True]
    assert rows["attainment"].tolist() == pytest.approx([1.0, float("nan"), float("nan"), 0.0], nan_ok=True)
    summary = cost_summary(paid, Q1, sales=600_00)
    assert (value(summary, "seats"), value(summary, "seats_not_payable")) == (1, 3)
    assert value(summary, "total_target_incentive") == 30_00
    assert value(summary, "cost_of_sales_ratio") == pytest.approx(30 / 600)
    assert value(summary, "share_at_or_above_quota") == 0.5  # Anna of Anna and Dora


def test_one_component_that_cannot_be_paid_leaves_the_others_paid_with_a_reason() -> None:
    paid = run([SALES, SPIF], {"anna": {"2026-01": 600_00}}, {"anna": (None, 10_00)})
    row = payouts(paid, Q1).iloc[0]
    assert (row["payout"], row["spif"]) == (6_00, 6_00)
    assert pd.isna(row["sales"])
    assert row["reason"] == "no quota"


def test_nobody_payable_costs_an_unknown_amount_and_not_zero() -> None:
    summary = cost_summary(run([SALES], {}, {"anna": (None, None)}), Q1)
    assert pd.isna(value(summary, "total_payout"))
    assert pd.isna(value(summary, "cost_of_sales_ratio"))


def test_a_plan_over_the_year_shows_what_the_quarter_adds() -> None:
    yearly = {**SALES, "interval": "year", "against": "to_date"}
    sold = {"anna": {"2026-02": 600_00, "2026-05": 450_00}}
    paid = run([yearly], sold, {"anna": (100_00, 10_00)}, Q1 + Q2)
    first, second = (payouts(paid, months).iloc[0] for months in (Q1, Q2))
    assert first["payout"] == 90_00  # 200 % of 300.00: 1 + 2 x 1, of 30.00
    assert second["payout"] == 150_00 - 90_00  # 175 % of 600.00: 1 + 2 x 0.75, of 60.00
    assert (second["actual"], second["quota"], second["target_incentive"]) == (450_00, 300_00, 30_00)
    assert payouts(paid, Q1 + Q2)["payout"].item() == 150_00
    assert value(cost_summary(paid, Q2), "total_target_incentive") == 30_00


def test_a_plan_without_quotas_has_pay_but_no_attainment() -> None:
    row = payouts(run([SPIF], {"anna": {"2026-01": 600_00}}, {"anna": (None, None)}), Q1).iloc[0]
    assert row["payout"] == 6_00
    assert row[["actual", "quota", "attainment"]].isna().all()
    assert row["reason"] == ""
