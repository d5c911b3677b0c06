"""Laws of targets: parts sum to the annual amount, and every interval equals a count of its days."""

import datetime as dt
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import MoneyError
from spms_lib.incentives.crediting.participation import participation
from spms_lib.incentives.crediting.pools import share_pool
from spms_lib.incentives.crediting.quotas import spread, year_weights
from spms_lib.incentives.crediting.rules import TargetRules
from spms_lib.incentives.crediting.targets import targets
from spms_lib.incentives.plan.model import CompensationPlan
from spms_lib.incentives.plan.read import plan_from_dict

CALENDAR = FiscalCalendar()
YEAR = "FY2026"
FIRST, LAST = dt.date(2026, 1, 1), dt.date(2026, 12, 31)
LABELS = {"month": CALENDAR.months(YEAR), "quarter": CALENDAR.range("2026Q1", "2026Q4"), "year": [YEAR]}


def plan(components: list[dict[str, Any]], **extra: Any) -> CompensationPlan:
    curve = {"unit": "attainment", "pays": "target_incentive", "tie": "upper", "tiers": [[0, None, 1]]}
    whole = [{"measure": "bookings", **curve, **one} for one in components]
    return plan_from_dict(
        {"plan": "seller", "currency": "EUR", "effective_from": "2020-01-01", "components": whole,
         "measures": {"bookings": {"value": "amount"}}} | extra
    )  # fmt: skip


def new(interval: str = "quarter", **more: Any) -> list[dict[str, Any]]:
    return [{"component": "new", "weight": 1, "interval": interval, **more}]


def people(*rows: tuple[str, str, str | None, int]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["payee", "start", "end", "target_incentive"])
    return frame.assign(start=pd.to_datetime(frame["start"]), end=pd.to_datetime(frame["end"]))


def quotas(*rows: tuple[str, int], **more: Any) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["period", "quota"]).assign(payee="anna", component="new", **more)


ALL_YEAR = people(("anna", "2020-01-01", None, 100_000))


@given(
    st.lists(st.integers(0, 10**10), min_size=1, max_size=20),
    st.lists(st.integers(1, 30), min_size=1, max_size=4), st.sampled_from(list(LABELS)),
)  # fmt: skip
@settings(max_examples=12)
def test_twelve_months_and_all_components_sum_to_the_annual_target_incentive(annual, parts, interval) -> None:
    total = sum(parts)
    whole = plan(
        [
            {"component": f"c{i}", "interval": interval, "weight": f"{part}/{total}"}
            for i, part in enumerate(parts)
        ]
    )
    everybody = people(*((f"p{i}", "2020-01-01", None, amount) for i, amount in enumerate(annual)))
    quota = everybody[["payee"]].merge(pd.DataFrame({"component": list(whole.components)}), how="cross")
    got, _ = targets(everybody, whole, CALENDAR, YEAR, quotas=quota.assign(period=YEAR, quota=1))
    assert len(got) == 12 * len(parts) * len(annual)
    sums = got.groupby(["payee", "component"])["target_incentive"].sum()
    for number, amount in enumerate(annual):
        assert sums[f"p{number}"].sum() == amount
        assert all(
            abs(sums[f"p{number}", f"c{i}"] - Fraction(amount * part, total)) < 1
            for i, part in enumerate(parts)
        )


@given(st.integers(0, 10**12), st.lists(st.integers(0, 9), min_size=12, max_size=12).filter(any))
def test_a_spread_quota_sums_to_the_year_and_stays_near_its_weights(annual, weights) -> None:
    months = spread(np.array([annual]), year_weights([Fraction(one) for one in weights]))[0]
    assert months.sum() == annual
    assert all(
        abs(got - Fraction(annual * one, sum(weights))) < 2 for got, one in zip(months, weights, strict=True)
    )
    assert all(got == 0 for got, one in zip(months, weights, strict=True) if one == 0)


def half_up(number: Fraction) -> int:
    return int(number + Fraction(1, 2))


def by_days(interval, prorate, stint, change, out, ramp) -> dict[str, int]:
    """The same in the slowest way: every day of participation brings the part of the quota in force on it."""
    labels, sums = LABELS[interval], {}
    for label in labels:
        first, last = CALENDAR.start(label), CALENDAR.end(label)
        days = [first + dt.timedelta(days=i) for i in range((last - first).days + 1)]
        worked = [day for day in days if stint[0] <= day <= stint[1] and not out[0] <= day <= out[1]]
        if not worked:
            continue
        exact = Fraction(0)
        for day in worked:
            annual = 120_000 if day < change else 240_000
            tenure = (day.year - stint[0].year) * 12 + day.month - stint[0].month
            step = ramp[tenure] if tenure < len(ramp) else Fraction(1)
            exact += Fraction(annual, len(labels)) * step
        sums[label] = half_up(exact / (len(days) if prorate else len(worked)))
    return sums


days = st.dates(FIRST, LAST)
pairs = st.tuples(days, days).map(sorted)


def of_each(payees: list[str], **columns: list[dt.date | None]) -> pd.DataFrame:
    dates = {name: pd.to_datetime(pd.Series(days, dtype="object")) for name, days in columns.items()}
    return pd.DataFrame({"payee": payees} | dates)


@given(
    st.sampled_from(list(LABELS)), st.booleans(),
    st.lists(st.tuples(pairs, days, pairs), min_size=1, max_size=12),
    st.lists(st.sampled_from([Fraction(0), Fraction(1, 4), Fraction(1, 2)]), max_size=3),
)  # fmt: skip
@settings(max_examples=15)
def test_quotas_are_blended_and_prorated_by_the_days_in_force(interval, prorate, lives, ramp) -> None:
    stints, changes, outs = zip(*lives, strict=True)
    names = [f"p{i:02d}" for i in range(len(lives))]
    starts, ends = zip(*stints, strict=True)
    first_out, last_out = zip(*outs, strict=True)
    stood = of_each(names, start=starts, end=ends, tenure_from=starts).assign(target_incentive=0)
    leave = of_each(names * 2, start=first_out * 2, end=last_out * 2)  # told twice, counted once
    held = of_each(names * 2, start=(None,) * len(names) + changes).assign(component="new", period=YEAR)
    held["quota"] = [120_000] * len(names) + [240_000] * len(names)
    whole = plan(new(interval, prorate="both" if prorate else "none"))
    rules = TargetRules(ramp=tuple(ramp))
    got, found = targets(stood, whole, CALENDAR, YEAR, quotas=held, leave=leave, rules=rules)
    label = {month: label for label in LABELS[interval] for month in CALENDAR.months(label)}
    sums = got.groupby(["payee", got["period"].map(label)])["quota"].sum().to_dict()
    assert found.empty
    assert sums == {
        (name, period): quota
        for name, life in zip(names, lives, strict=True)
        for period, quota in by_days(interval, prorate, *life, ramp).items()
    }


@pytest.mark.parametrize(
    ("prorate", "quota", "incentive"),
    [("both", 506, 253), ("quota", 506, 500), ("target_incentive", 1001, 253), ("none", 1001, 500)],
)
def test_a_component_says_what_is_prorated(prorate: str, quota: int, incentive: int) -> None:
    joined = people(("anna", "2024-02-15", None, 2000))
    got, _ = targets(
        joined, plan(new(prorate=prorate)), CALENDAR, "FY2024", quotas=quotas(("2024Q1", 1001)).assign()
    )  # fmt: skip
    first = got[got["period"] <= "2024-03"]
    assert first["period"].tolist() == ["2024-02", "2024-03"]
    assert (first["quota"].sum(), first["target_incentive"].sum()) == (quota, incentive)


def test_a_day_of_leave_counts_once_however_the_leaves_lie_in_each_other() -> None:
    starts, ends = ["2026-01-11", "2026-01-12", "2026-01-20"], ["2026-01-31", "2026-01-13", "2026-01-25"]
    leave = pd.DataFrame({"payee": "anna", "start": pd.to_datetime(starts), "end": pd.to_datetime(ends)})
    assert participation(ALL_YEAR, CALENDAR, ["2026-01"], leave=leave)["days"].tolist() == [10]


def test_two_versions_of_a_plan_share_the_year_by_day() -> None:
    before = plan(new("month"), effective_to="2026-03-09")
    after = plan(new("month"), effective_from="2026-03-10")
    held = quotas((YEAR, 372_000))
    months = [
        targets(ALL_YEAR, one, CALENDAR, YEAR, quotas=held)[0].set_index("period") for one in (before, after)
    ]
    assert [one.loc["2026-03", "quota"] for one in months] == [9000, 22000]
    assert sum(one["quota"].sum() for one in months) == 372_000
    assert sum(one["target_incentive"].sum() for one in months) == 100_000


def test_a_raise_inside_a_quarter_is_blended_or_stands_in_segments() -> None:
    raised = people(("anna", "2026-01-01", None, 36_000), ("anna", "2026-02-15", None, 72_000))
    held = quotas(("2026Q1", 9000))
    blended, _ = targets(raised, plan(new()), CALENDAR, YEAR, quotas=held)
    first = blended[blended["period"] <= "2026-03"]
    assert first["target_incentive"].sum() == (9000 * 45 + 18_000 * 45) // 90
    assert first["quota"].sum() == 9000
    apart, _ = targets(
        raised, plan(new()), CALENDAR, YEAR, quotas=held, rules=TargetRules(mid_period="segments")
    )
    first = apart[apart["period"] <= "2026-03"].groupby("segment_start")[["quota", "target_incentive"]].sum()
    assert first.values.tolist() == [[4500, 4500], [4500, 9000]]


@pytest.mark.parametrize("mid_period", ["blend", "segments"])
def test_what_is_not_prorated_is_whole_also_in_segments(mid_period: str) -> None:
    raised = people(("anna", "2026-01-31", None, 36_000), ("anna", "2026-03-01", None, 36_000))
    rules = TargetRules(mid_period=mid_period)
    got, _ = targets(
        raised, plan(new(prorate="none")), CALENDAR, YEAR, quotas=quotas(("2026Q1", 6001)), rules=rules
    )
    assert got[["quota", "target_incentive"]].sum().tolist() == [6001, 9000]


def test_a_component_without_weight_has_no_target_incentive_and_one_paid_by_rate_no_quota() -> None:
    rate = {
        "component": "spif",
        "interval": "month",
        "unit": "measure",
        "pays": "rate",
        "tiers": [[0, None, "1 %"]],
    }
    got, found = targets(ALL_YEAR, plan([*new("month"), rate]), CALENDAR, YEAR, quotas=quotas((YEAR, 12)))
    assert found.empty
    spif = got[got["component"] == "spif"]
    assert spif[["quota", "target_incentive"]].to_numpy().tolist() == [[0, 0]] * 12


def test_a_payee_without_a_quota_is_told_and_not_given_a_quota_of_zero() -> None:
    both = pd.concat([ALL_YEAR, ALL_YEAR.assign(payee="ben")], ignore_index=True)
    got, found = targets(both, plan(new()), CALENDAR, YEAR, quotas=quotas((YEAR, 12)))
    assert got["payee"].unique().tolist() == ["anna"]
    assert found[["rule", "value"]].values.tolist() == [["no quota for new", "ben: 12 months"]]


def test_months_without_a_stated_quota_have_no_target() -> None:
    got, found = targets(ALL_YEAR, plan(new()), CALENDAR, YEAR, quotas=quotas(("2026Q1", 3), ("2026Q2", 0)))
    assert got["period"].tolist() == CALENDAR.months(YEAR)[:6]
    assert got["quota"].tolist() == [1, 1, 1, 0, 0, 0]
    assert found["value"].tolist() == ["anna: 6 months"]


def test_a_quarter_with_a_weight_of_zero_still_holds_the_quota_stated_for_it() -> None:
    rules = TargetRules(quota_spread=(Fraction(1), Fraction(0), Fraction(1), Fraction(1)))
    got, _ = targets(ALL_YEAR, plan(new()), CALENDAR, YEAR, quotas=quotas(("2026Q2", 9)), rules=rules)
    assert got["quota"].tolist() == [3, 3, 3]


def test_a_quota_of_a_measure_holds_for_every_component_judged_by_it() -> None:
    two = [{"component": name, "weight": "50 %", "interval": "year"} for name in ("a", "b")]
    held = quotas((YEAR, 1200)).rename(columns={"component": "measure"}).assign(measure="bookings")
    got, found = targets(ALL_YEAR, plan(two), CALENDAR, YEAR, quotas=held)
    assert found.empty
    assert got.groupby("component")["quota"].sum().to_dict() == {"a": 1200, "b": 1200}


@pytest.mark.parametrize(
    ("held", "rules"),
    [
        (quotas((YEAR, 12), (YEAR, 12)), ["two quotas at the same time"]),
        (quotas((YEAR, 12), ("2026Q1", 3)), ["quotas of different lengths"] * 2),
        (quotas((YEAR, 12), (YEAR, -1)).assign(component=["new", "new"], start=pd.to_datetime([None, "2026-02-01"])), ["not a quota"]),
        (quotas((YEAR, 12), (YEAR, 1)).assign(component=["new", "old"]), ["no such component"]),
        (quotas((YEAR, 12), ("FY2025", 1)), []),
    ],
)  # fmt: skip
def test_quotas_that_cannot_be_used_are_findings(held: pd.DataFrame, rules: list[str]) -> None:
    _, found = targets(ALL_YEAR, plan(new()), CALENDAR, YEAR, quotas=held)
    assert [rule for rule in found["rule"] if rule != "no quota for new"] == rules


@pytest.mark.parametrize(
    ("rows", "rules"),
    [
        ([("anna", "2020-01-01", "2026-12-31", 1), ("anna", "2026-06-01", None, 1)], ["runs into the payee's next assignment"]),
        ([("anna", "2020-01-01", None, 1), ("anna", "2020-01-01", None, 1)], ["two assignments start on the same day"]),
        ([("anna", "2020-01-01", None, None)], ["no target incentive"]),
        ([("anna", None, None, 1)], ["no first day"]),
    ],
)  # fmt: skip
def test_assignments_that_cannot_be_used_are_findings(rows: list[Any], rules: list[str]) -> None:
    _, found = targets(people(*rows), plan(new()), CALENDAR, YEAR, quotas=quotas((YEAR, 12)))
    assert found["rule"].tolist() == rules


def test_only_the_assignments_to_this_plan_count() -> None:
    moved = people(("anna", "2020-01-01", "2026-06-30", 12_000), ("anna", "2026-07-01", None, 24_000))
    moved = moved.assign(plan=["seller", "manager"])
    got, _ = targets(moved, plan(new()), CALENDAR, YEAR, quotas=quotas((YEAR, 12)))
    assert got["period"].max() == "2026-06"
    assert got["target_incentive"].sum() == 6_000


def test_months_of_a_week_calendar_have_their_own_days() -> None:
    weeks = FiscalCalendar(start_month=2, pattern="4-5-4", named_by="start")
    joined = people(("anna", str(weeks.start("2026-03") + dt.timedelta(days=7)), None, 0))
    got, _ = targets(joined, plan(new("month")), weeks, YEAR, quotas=quotas(("2026-03", 500)))
    assert got.set_index("period").loc["2026-03", "quota"] == 400  # four of five weeks


def test_a_target_too_large_to_be_exact_is_refused() -> None:
    with pytest.raises(MoneyError, match="too large"):
        targets(ALL_YEAR, plan(new("year")), CALENDAR, YEAR, quotas=quotas((YEAR, 10**14)))


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(0, 9), max_size=5))
@settings(max_examples=20)
def test_a_pool_is_shared_to_the_cent_or_stays_listed(amount, weights) -> None:
    earned = pd.DataFrame({"pool": ["desk"], "component": "team", "period": ["2026Q1"], "amount": [amount]})
    members = pd.DataFrame(
        {"pool": "desk", "payee": [f"p{i}" for i in range(len(weights))], "weight": weights, "start": pd.Timestamp(2020, 1, 1)}
    )  # fmt: skip
    shares, left = share_pool(earned, members, CALENDAR)
    assert shares["amount"].sum() + left["amount"].sum() == amount
    assert len(left) == (not any(weights))
    for _, row in shares.iterrows():
        weight = weights[int(row["payee"][1:])]
        assert abs(row["amount"] - Fraction(amount * weight, sum(weights))) < 1


def test_who_joins_a_pool_late_has_a_part_by_days() -> None:
    earned = pd.DataFrame({"pool": ["desk", "other"], "period": "2026Q1", "amount": [13_500, 5]})
    members = pd.DataFrame(
        {"pool": "desk", "payee": ["anna", "ben", "carl"],
         "start": pd.to_datetime(["2025-01-01", "2026-02-15", "2026-04-01"])}
    )  # fmt: skip
    shares, left = share_pool(earned, members, CALENDAR)
    assert shares[["payee", "amount"]].values.tolist() == [["anna", 9000], ["ben", 4500]]
    assert left["pool"].tolist() == ["other"]
