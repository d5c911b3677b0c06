"""Worked cases of pay targets, proration, ramp and dating."""

from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from compensation_cases import CASES, of_calc  # isort: skip
from spms_lib.calendar import FiscalCalendar
from spms_lib.incentives.crediting.dating import version_ends
from spms_lib.incentives.crediting.participation import participation
from spms_lib.incentives.crediting.pay_targets import attainment_to_date, base_rate, split_ote, upside
from spms_lib.incentives.crediting.quotas import spread, year_weights
from spms_lib.incentives.crediting.rules import TargetRules, crediting_from_dict
from spms_lib.incentives.crediting.targets import targets
from spms_lib.incentives.plan.model import CompensationPlan
from spms_lib.incentives.plan.read import plan_from_dict

CALENDAR = FiscalCalendar()


def plan(interval: str = "month", **extra: Any) -> CompensationPlan:
    return plan_from_dict(
        yaml.safe_load(f"""
            plan: seller
            currency: EUR
            effective_from: 2020-01-01
            measures: {{bookings: {{value: amount}}}}
            components:
              - {{component: new, weight: 1, measure: bookings, interval: {interval}, unit: attainment,
                 pays: target_incentive, tie: upper, tiers: [[0, null, 1]]}}
        """)
        | extra
    )


def rules_of(text: str) -> TargetRules:
    rules, problems = crediting_from_dict(
        yaml.safe_load(f"{{credit_types: {{revenue: {{}}}}, targets: {text}}}")
    )
    assert rules is not None, problems
    return rules.targets


def hired(start: str, end: str | None = None, **columns: Any) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "payee": ["anna"],
            "start": pd.to_datetime([start]),
            "end": pd.to_datetime([end]),
            "target_incentive": 0,
        }
    ).assign(**columns)


def quota(period: str, amount: float, **columns: Any) -> pd.DataFrame:
    return pd.DataFrame(
        {"payee": ["anna"], "component": "new", "period": period, "quota": round(amount * 100)}
    ).assign(**columns)


@pytest.mark.parametrize("name", of_calc("ote"))
def test_on_target_earnings_are_base_and_target_incentive(name: str) -> None:
    case = CASES[name]
    mix = Fraction(str(case["inputs"]["base_pct"]))
    base, incentive = split_ote(pd.Series([case["inputs"]["ote"]]), mix)
    assert base.item() == case["expected"]["base"]
    assert incentive.item() == case["expected"]["target_incentive"]
    people = hired("2025-01-01", ote=case["inputs"]["ote"]).drop(columns="target_incentive")
    year, _ = targets(people, plan(pay_mix=str(mix)), CALENDAR, "FY2026", quotas=quota("FY2026", 12))
    assert year["target_incentive"].sum() == case["expected"]["target_incentive"]


@pytest.mark.parametrize("name", of_calc("icr"))
def test_the_base_rate_pays_the_target_incentive_at_quota(name: str) -> None:
    case = CASES[name]
    assert base_rate(**case["inputs"]) == Fraction(str(case["expected"]["icr"]))


def to_date(amounts: list[int], days: list[str], quota_of_month: int, interval: str) -> pd.DataFrame:
    given = pd.DataFrame({"payee": "anna", "date": pd.to_datetime(days), "amount": amounts})
    months = pd.DataFrame({"payee": "anna", "period": CALENDAR.months("FY2026"), "quota": quota_of_month})
    return attainment_to_date(given, months, CALENDAR, interval=interval)


@pytest.mark.parametrize("name", of_calc("attainment"))
def test_attainment_is_actual_by_quota(name: str) -> None:
    case = CASES[name]
    got = to_date([case["inputs"]["actual"]], ["2026-03-03"], case["inputs"]["quota"], "month")
    assert got["attainment"].item() == case["expected"]["attainment"]


@pytest.mark.parametrize("name", of_calc("interval_attainment"))
def test_an_interval_measure_starts_again_in_each_interval(name: str) -> None:
    case = CASES[name]
    quota_of_month = int(spread(np.array([case["plan"]["annual_target"]]), year_weights([]))[0, 0])
    intervals = case["inputs"]["intervals"]
    days = [f"2026-{month:02d}-10" for month, amounts in enumerate(intervals, start=1) for _ in amounts]
    got = to_date([one for amounts in intervals for one in amounts], days, quota_of_month, "month")
    assert got.groupby("interval")["to_date"].agg(list).tolist() == case["expected"]["running"]
    ends = got.groupby("interval")["attainment"].last()
    assert ends.tolist() == pytest.approx(case["expected"]["attainment"], abs=case["tol"])


@pytest.mark.parametrize("name", of_calc("running_sum"))
def test_a_rolling_measure_counts_every_credit(name: str) -> None:
    amounts = CASES[name]["inputs"]["amounts"]
    days = [f"2026-{month:02d}-10" for month in range(1, len(amounts) + 1)]
    assert to_date(amounts, days, 1, "year")["to_date"].tolist() == CASES[name]["expected"]["running"]


@pytest.mark.parametrize("name", of_calc("quota_spread"))
def test_an_annual_quota_is_spread_equally_and_cumulates(name: str) -> None:
    case = CASES[name]
    months = spread(np.array([case["inputs"]["annual"]]), year_weights([]))
    quarters = months.reshape(case["plan"]["periods"], -1).sum(axis=1)
    assert quarters.tolist() == case["expected"]["discrete"]
    share = quarters.cumsum() / case["inputs"]["annual"]
    assert share.tolist() == case["expected"]["cumulative_pct"]


@pytest.mark.parametrize("name", of_calc("upside"))
def test_upside_is_what_a_top_performer_earns_above_target(name: str) -> None:
    case = CASES[name]
    top, more = upside(case["inputs"]["target_incentive"], Fraction(case["inputs"]["p90_multiple"]))
    assert (top, more) == (case["expected"]["p90_incentive"], case["expected"]["additional"])


@pytest.mark.parametrize("name", of_calc("prorate_quarters"))
def test_a_seasonal_annual_quota_counts_from_the_month_of_the_start(name: str) -> None:
    case = CASES[name]
    rules = rules_of(f"{{quota_spread: {case['plan']['quarter_weights']}}}")
    people = hired(f"2026-{case['inputs']['start_month']:02d}-01")
    annual = quota("FY2026", case["inputs"]["annual_quota"])
    year, _ = targets(people, plan("month"), CALENDAR, "FY2026", quotas=annual, rules=rules)
    quarters = year.groupby(year["period"].map(CALENDAR.quarter_of))["quota"].sum() / 100
    got = quarters.reindex(CALENDAR.range("2026Q1", "2026Q4"), fill_value=0).tolist()
    assert got == pytest.approx(case["expected"]["quarters"], abs=case["tol"])
    assert sum(got) == pytest.approx(case["expected"]["total"], abs=case["tol"])


@pytest.mark.parametrize("name", of_calc("prorate_days"))
def test_proration_is_by_calendar_days_and_never_rounded(name: str) -> None:
    case = CASES[name]
    first, last = case["inputs"]["interval"]
    period = CALENDAR.quarter_of_day(pd.Timestamp(first).date())
    assert str(CALENDAR.end(period)) == last
    people = pd.DataFrame(case["inputs"]["participation"], columns=["start", "end"]).assign(payee="anna")
    row = participation(people, CALENDAR, [period]).iloc[0]
    assert row["days"] == case["expected"]["days"]
    assert row["calendar_days"] == case["expected"]["interval_days"]
    assert row["days"] / row["calendar_days"] == pytest.approx(case["expected"]["factor"], abs=case["tol"])
    whole = 10**11
    year, _ = targets(
        hired(*case["inputs"]["participation"][0]), plan("quarter"), CALENDAR, CALENDAR.year_of(period),
        quotas=quota(period, whole / 100),
    )  # fmt: skip
    assert year["quota"].sum() == round(Fraction(46, 91) * whole)


@pytest.mark.parametrize("name", of_calc("ramp"))
def test_a_ramp_relieves_the_first_months_of_a_newcomer(name: str) -> None:
    case = CASES[name]
    full = case["inputs"]["full_monthly_quota"]
    rules = rules_of(f"{{ramp: {case['plan']['ramp']}}}")
    newcomer = hired("2026-01-01", tenure_from=pd.Timestamp(2026, 1, 1))
    year, _ = targets(
        newcomer, plan("month"), CALENDAR, "FY2026", quotas=quota("FY2026", full * 12), rules=rules
    )
    held = (year["quota"] / 100).tolist()
    steps = len(case["plan"]["ramp"])
    assert held[:steps] == case["expected"]["quota"]
    assert [full - one for one in held[:steps]] == case["expected"]["relief"]
    assert held[steps:] == [full] * (12 - steps)


@pytest.mark.parametrize("name", of_calc("blend_days"))
@pytest.mark.parametrize("mid_period", ["blend", "segments"])
def test_a_quota_that_changes_inside_a_quarter_is_blended_by_days_in_force(
    name: str, mid_period: str
) -> None:
    case = CASES[name]
    rows = [
        quota("2025Q1", amount, start=pd.Timestamp(start), end=pd.Timestamp(end))
        for start, end, amount in case["inputs"]["segments"]
    ]
    rules = rules_of(f"{{mid_period: {mid_period}}}")
    year, found = targets(
        hired("2024-01-01", "2025-03-31"),
        plan("quarter"),
        CALENDAR,
        "FY2025",
        quotas=pd.concat(rows),
        rules=rules,
    )
    assert found.empty
    assert year["quota"].sum() / 100 == pytest.approx(case["expected"]["blended_quota"], abs=case["tol"])
    if mid_period == "segments":
        spans = year.drop_duplicates("segment_start")
        days = (spans["segment_end"] - spans["segment_start"]).dt.days + 1
        assert days.tolist()[1:] == case["expected"]["days"][1:]
        each = year.groupby("segment_start")["quota"].sum().tolist()
        assert each == [amount * 45 * 100 // 90 for _, _, amount in case["inputs"]["segments"]]


@pytest.mark.parametrize("name", of_calc("version_dates"))
def test_a_new_version_closes_the_one_before_on_the_day_before(name: str) -> None:
    case = CASES[name]
    ends = version_ends(pd.Series(pd.to_datetime(case["inputs"]["starts"])))
    assert [None if pd.isna(end) else str(end.date()) for end in ends] == case["expected"]["ends"]
