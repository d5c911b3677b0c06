"""Worked cases of crediting, through the rules of a plan document."""

from typing import Any

import pandas as pd
import pytest
import yaml

from compensation_cases import CASES, of_calc  # isort: skip
from spms_lib.calendar import FiscalCalendar
from spms_lib.incentives.crediting.credit import credit
from spms_lib.incentives.crediting.pools import share_pool
from spms_lib.incentives.crediting.rules import CreditingRules, crediting_from_dict

DAY = pd.Timestamp(2026, 1, 5)


def rules_of(text: str) -> CreditingRules:
    rules, problems = crediting_from_dict(yaml.safe_load(text))
    assert rules is not None, problems
    return rules


def sale(amount: float, owner: str = "owner") -> pd.DataFrame:
    return pd.DataFrame(
        {"transaction": ["T1"], "payee": [owner], "date": [DAY], "amount": [round(amount * 100)]}
    )


def split(*rows: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["payee", "credit_type", "share"]).assign(transaction="T1")


def amounts(given: pd.DataFrame, key: list[str]) -> dict[Any, float]:
    return (given.groupby(key)["amount"].sum() / 100).to_dict()


@pytest.mark.parametrize("name", of_calc("split"))
def test_overlay_credit_comes_on_top_of_a_split_of_one_hundred_percent(name: str) -> None:
    case = CASES[name]
    rules = rules_of("credit_types: {revenue: {kind: split}, overlay: {kind: overlay}}")
    shares = split(*case["inputs"]["splits"])
    given, found = credit(sale(case["inputs"]["amount"]), rules, splits=shares)
    got = {".".join(key): value for key, value in amounts(given, ["payee", "credit_type"]).items()}
    assert found.empty
    assert got == case["expected"]["credits"]
    by_type = given.groupby("credit_type")["amount"].sum() / given["amount"].sum()
    total = given["amount"].sum() / (case["inputs"]["amount"] * 100)
    assert total == pytest.approx(case["expected"]["all_total"])
    assert by_type["revenue"] * total == pytest.approx(case["expected"]["revenue_total"])


@pytest.mark.parametrize("name", of_calc("erpnext"))
def test_a_team_contribution_allocates_the_eligible_amount(name: str) -> None:
    case = CASES[name]
    team = [(f"p{i}", "revenue", share) for i, (share, _) in enumerate(case["inputs"]["team"])]
    rules = rules_of("credit_types: {revenue: {}}")
    given, _ = credit(sale(case["inputs"]["eligible"]), rules, splits=split(*team))
    assert (given["amount"] / 100).tolist() == case["expected"]["allocated"]
    rates = [rate for _, rate in case["inputs"]["team"]]
    incentives = [amount * rate / 100 for amount, rate in zip(given["amount"], rates, strict=True)]
    assert incentives == pytest.approx(case["expected"]["incentives"], abs=case["tol"])


@pytest.mark.parametrize("name", of_calc("validate_split"))
def test_splits_that_do_not_sum_to_one_hundred_percent_are_listed_and_not_paid(name: str) -> None:
    shares = [(f"p{i}", "revenue", share) for i, share in enumerate(CASES[name]["inputs"]["pcts"])]
    given, found = credit(sale(100), rules_of("credit_types: {revenue: {}}"), splits=split(*shares))
    assert given.empty
    assert CASES[name]["expected"]["error"] == "allocation_not_100"
    assert "splits of T1 sum to 90 % (revenue)" in found["value"].tolist()


@pytest.mark.parametrize("name", of_calc("override"))
def test_managers_are_credited_level_by_level_beside_the_sellers_own_share(name: str) -> None:
    case = CASES[name]
    rules = rules_of(f"""
        credit_types:
          revenue: {{}}
          commission: {{kind: overlay, owner: {case["plan"]["direct"]}}}
        roll_up:
          - {{of: revenue, name: override, shares: {case["plan"]["overrides"]}}}
    """)
    chain = pd.DataFrame({"node": ["owner", "m1", "m2", "m3"], "parent": ["m1", "m2", "m3", None]})
    given, _ = credit(sale(case["inputs"]["amount"]), rules, hierarchy=chain)
    got = amounts(given, ["credit_type"])
    assert got["commission"] == case["expected"]["direct"]
    levels = [got[f"override_{level}"] for level in (1, 2, 3)]
    assert levels == case["expected"]["overrides"]
    assert given.set_index("credit_type")["payee"][["override_1", "override_3"]].tolist() == ["m1", "m3"]


@pytest.mark.parametrize("name", of_calc("split_cents"))
def test_a_split_in_thirds_conserves_the_cent(name: str) -> None:
    case = CASES[name]
    weights = case["inputs"]["weights"]
    shares = [(f"p{i}", "revenue", weight / sum(weights)) for i, weight in enumerate(weights)]
    rules = rules_of("credit_types: {revenue: {}}")
    given, _ = credit(sale(case["inputs"]["cents"] / 100), rules, splits=split(*shares))
    assert given["amount"].tolist() == case["expected"]["cents"]


@pytest.mark.parametrize("name", of_calc("manager_two_ways"))
def test_a_manager_is_credited_with_the_team_or_with_each_seller(name: str) -> None:
    """The team's sales as one measure, or one override a seller: two credit types of the same rules."""
    actual = CASES[name]["inputs"]["actual"]
    rules = rules_of("""
        credit_types: {revenue: {}}
        roll_up: [{of: revenue, name: team}, {of: revenue, name: each, shares: ["100 %"]}]
    """)
    sales = pd.DataFrame({"transaction": ["T1", "T2"], "payee": ["r0", "r1"], "date": DAY, "amount": actual})
    tree = pd.DataFrame({"node": ["boss", "r0", "r1"], "parent": [None, "boss", "boss"]})
    given, _ = credit(sales, rules, hierarchy=tree)
    boss = given[given["payee"] == "boss"]
    assert boss.groupby("credit_type")["amount"].sum().to_dict() == {
        "team": sum(actual),
        "each_1": sum(actual),
    }
    assert boss.loc[boss["credit_type"] == "each_1", "amount"].tolist() == actual


@pytest.mark.parametrize("name", of_calc("kata_team"))
def test_a_team_bonus_is_shared_equally_and_nobody_gets_the_share_of_an_empty_team(name: str) -> None:
    """The team's bonus, a share of what exceeds the quota, is earned by the engine; here it is shared."""
    for (sold, quota, rate, count), result in zip(
        CASES[name]["inputs"]["rows"], CASES[name]["expected"]["results"], strict=True
    ):
        earned = pd.DataFrame(
            {"pool": ["team"], "period": ["2026-01"], "amount": [round(max(sold - quota, 0) * rate * 100)]}
        )
        members = pd.DataFrame(
            {"pool": "team", "payee": [f"p{i}" for i in range(count)], "start": pd.Timestamp(2025, 1, 1)}
        )
        shares, left = share_pool(earned, members, FiscalCalendar())
        assert (shares["amount"] == result * 100).all()
        assert len(shares) == count
        assert left["amount"].sum() == (0 if count else earned["amount"].sum())
