from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.errors import MoneyError, TableError
from spms_lib.incentives.payout import marginal_rate, payout_curve, payout_ratio, payouts
from spms_lib.incentives.old_plan import CompensationPlan, plan_from_dict

LAWS = settings(max_examples=60, deadline=None)


def a_plan(tiers: list[list[object]], **clauses: object) -> CompensationPlan:
    base = {"name": "test", "currency": "EUR", "tie": "upper", "effective_from": "2026-01-01"}
    return plan_from_dict({**base, "tiers": tiers, **clauses})


def credit(
    actual: int | None, quota: int | None = 100_000_00, incentive: int | None = 100_000_00
) -> pd.DataFrame:
    row = {"node": ["ann"], "actual": [actual], "quota": [quota], "target_incentive": [incentive]}
    return pd.DataFrame(row).astype(dict.fromkeys(("actual", "quota", "target_incentive"), "Int64"))


def pay(plan: CompensationPlan, *amounts: int | None) -> object:
    return payouts(plan, credit(*amounts))["payout"].iloc[0]


@st.composite
def plans(draw: st.DrawFn) -> CompensationPlan:
    starts = sorted(draw(st.sets(st.integers(1, 300), max_size=4)))
    rates = draw(st.lists(st.integers(0, 400), min_size=len(starts) + 1, max_size=len(starts) + 1))
    tiers = [[f"{start} %", f"{rate} %"] for start, rate in zip([0, *starts], rates, strict=True)]
    return a_plan(
        tiers,
        tie=draw(st.sampled_from(["upper", "lower"])),
        cap=draw(st.none() | st.fractions(Fraction(1, 10), 4, max_denominator=20)),
        threshold=draw(st.none() | st.fractions(0, 2, max_denominator=20)),
        pay_share=draw(st.sampled_from(["1", "1/4", "1/12"])),
    )


amounts = st.integers(-(10**9), 10**12)
quotas = st.integers(1, 10**12)
incentives = st.integers(0, 10**9)


def test_accelerator_pays_one_and_a_half_above_quota() -> None:
    """LANDSCAPE b7 [RM1]: 100k variable, 1.5x above 100 %, at 130 % pays 145k."""
    plan = a_plan([[0, 1], [1, "1.5"]])
    paid = payouts(plan, credit(130_000_00)).iloc[0]
    assert paid["payout"] == 145_000_00
    assert [paid["tier_1"], paid["tier_2"]] == [100_000_00, 45_000_00]


def test_decelerator_pays_half_below_half_the_quota() -> None:
    """LANDSCAPE b7 [RM1]: 0.5x below 50 %, at 40 % pays 20k of 100k."""
    assert pay(a_plan([[0, "0.5"], ["0.5", 1]]), 40_000_00) == 20_000_00


@pytest.mark.parametrize(("attainment", "expected"), [("0.75", "0.5"), ("1.5", "3")])
def test_three_quarters_pay_half_and_one_and_a_half_pay_triple(attainment: str, expected: str) -> None:
    """LANDSCAPE b7 [EC1]: 75 % of quota pays 50 %, 150 % pays 300 %; straight lines between."""
    plan = a_plan([[0, "2/3"], ["3/4", "10/3"]])
    assert payout_ratio(plan, Fraction(attainment)) == Fraction(expected)


@given(plan=plans(), actual=amounts, quota=quotas, incentive=incentives)
@LAWS
def test_tier_parts_sum_to_the_payout_to_the_cent(
    plan: CompensationPlan, actual: int, quota: int, incentive: int
) -> None:
    paid = payouts(plan, credit(actual, quota, incentive))
    parts = paid.filter(regex=r"^tier_\d+$")
    assert parts.shape[1] == len(plan.tiers)
    assert parts.sum(axis=1).tolist() == paid["payout"].tolist()


@given(plan=plans(), actual=amounts, quota=quotas, incentive=incentives)
@LAWS
def test_the_payout_is_the_exact_ratio_rounded_half_up_once(
    plan: CompensationPlan, actual: int, quota: int, incentive: int
) -> None:
    exact = payout_ratio(plan, Fraction(actual, quota)) * incentive * plan.pay_share
    assert pay(plan, actual, quota, incentive) == (exact + Fraction(1, 2)).__floor__()


@given(plan=plans(), actual=amounts, more=st.integers(0, 10**10), quota=quotas)
@LAWS
def test_selling_more_never_pays_less(plan: CompensationPlan, actual: int, more: int, quota: int) -> None:
    assert pay(plan, actual + more, quota) >= pay(plan, actual, quota)


@given(plan=plans(), actual=amounts, quota=quotas, incentive=incentives, factor=st.integers(2, 1000))
@LAWS
def test_a_currency_with_smaller_units_scales_the_pay(
    plan: CompensationPlan, actual: int, quota: int, incentive: int, factor: int
) -> None:
    small = pay(plan, actual * factor, quota * factor, incentive * factor)
    assert abs(small - factor * pay(plan, actual, quota, incentive)) <= factor // 2 + 1


@given(plan=plans(), amounts=st.lists(st.integers(-(10**8), 10**9), min_size=1, max_size=5), quota=quotas)
@LAWS
def test_paying_the_difference_of_running_totals_adds_up(
    plan: CompensationPlan, amounts: list[int], quota: int
) -> None:
    """Splitting one credit into several changes no total, however the parts are ordered."""

    def total(parts: list[int]) -> int:
        running = np.cumsum([0, *parts])
        frame = pd.concat([credit(int(upto), quota) for upto in running], ignore_index=True)
        frame["node"] = [str(number) for number in range(len(frame))]
        return int(payouts(plan, frame)["payout"].diff().iloc[1:].sum())

    assert total(amounts) == total([sum(amounts)]) == total(amounts[::-1])


@given(plan=plans(), actual=amounts, quota=quotas)
@LAWS
def test_what_the_cap_took_is_shown(plan: CompensationPlan, actual: int, quota: int) -> None:
    paid = payouts(plan, credit(actual, quota)).iloc[0]
    free = a_plan(
        [[tier.start, tier.rate] for tier in plan.tiers],
        tie=plan.tie,
        threshold=plan.threshold,
        pay_share=plan.pay_share,
    )
    assert paid["payout"] + paid["capped"] == pay(free, actual, quota)
    assert paid["capped"] >= 0


def test_a_cap_cuts_the_highest_tier_first() -> None:
    paid = payouts(a_plan([[0, 1], [1, 2]], cap="1.5"), credit(200_000_00)).iloc[0]
    assert [paid["tier_1"], paid["tier_2"], paid["capped"]] == [100_000_00, 50_000_00, 150_000_00]


def test_a_quarterly_plan_pays_a_quarter_of_the_years_incentive() -> None:
    paid = payouts(a_plan([[0, 1]], pay_share="1/4"), credit(100_000_00)).iloc[0]
    assert paid["payout"] == paid["target_incentive"] == 25_000_00


@pytest.mark.parametrize(("tie", "expected"), [("upper", 50_000_00), ("lower", 0)])
def test_the_plan_says_whether_the_threshold_itself_pays(tie: str, expected: int) -> None:
    plan = a_plan([[0, 1]], threshold="0.5", tie=tie)
    assert pay(plan, 50_000_00) == expected
    assert pay(plan, 50_000_01) == 50_000_01
    assert pay(plan, 49_999_99) == 0


@pytest.mark.parametrize(("tie", "expected"), [("upper", 2), ("lower", 1)])
def test_the_marginal_rate_exactly_on_a_start_follows_the_tie(tie: str, expected: int) -> None:
    assert marginal_rate(a_plan([[0, 1], [1, 2]], tie=tie), Fraction(1)) == expected


@pytest.mark.parametrize(
    ("row", "reason", "payout"),
    [
        ((50_00, None, 10_00), "no quota", None),
        ((50_00, 0, 10_00), "quota not above zero", None),
        ((50_00, -100, 10_00), "quota not above zero", None),
        ((None, 100_00, 10_00), "no actual", None),
        ((50_00, 100_00, None), "no target incentive: vacant, or nobody has said", None),
        ((39_99, 100_00, 10_00), "below threshold", 0),
        ((50_00, 100_00, 0), "nothing earned", 0),
        ((50_00, 100_00, 10_00), "", 5_00),
    ],
)
def test_every_seat_without_pay_says_why(
    row: tuple[int | None, ...], reason: str, payout: int | None
) -> None:
    paid = payouts(a_plan([[0, 1]], threshold="0.4"), credit(*row)).iloc[0]
    assert paid["reason"] == reason
    assert (None if pd.isna(paid["payout"]) else paid["payout"]) == payout
    assert pd.isna(paid["tier_1"]) == (payout is None)


def test_returns_take_back_what_the_first_tier_had_paid() -> None:
    assert pay(a_plan([[0, 1], [1, 2]]), -10_000_00) == -10_000_00


def test_nobody_sees_a_difference_when_seats_are_listed_in_another_order() -> None:
    frame = pd.DataFrame(
        {
            "node": ["a", "b", "c"],
            "actual": [90, 150, 10],
            "quota": [100, 100, 0],
            "target_incentive": [10, 10, 10],
        }
    )
    plan = a_plan([[0, 1], [1, 2]])
    forward = payouts(plan, frame).set_index("node")
    back = payouts(plan, frame[::-1]).set_index("node").loc[["a", "b", "c"]]
    pd.testing.assert_frame_equal(forward, back)


def test_the_given_credits_stay_as_they_are() -> None:
    frame = credit(50_00)
    before = frame.copy()
    payouts(a_plan([[0, 1]]), frame)
    pd.testing.assert_frame_equal(frame, before)


def test_no_seats_give_an_empty_table_with_all_columns() -> None:
    paid = payouts(a_plan([[0, 1], [1, 2]]), credit(1).iloc[:0])
    assert len(paid) == 0
    assert {"payout", "tier_1", "tier_2", "reason"} <= set(paid.columns)


def test_a_seat_listed_twice_is_refused_by_name() -> None:
    with pytest.raises(TableError, match="'ann' is listed twice"):
        payouts(a_plan([[0, 1]]), pd.concat([credit(1), credit(2)]))


def test_a_missing_column_is_refused_by_name() -> None:
    with pytest.raises(TableError, match="quota"):
        payouts(a_plan([[0, 1]]), credit(1).drop(columns="quota"))


def test_a_payout_beyond_64_bits_is_refused_instead_of_wrapping() -> None:
    with pytest.raises(MoneyError, match="64 bits"):
        payouts(a_plan([[0, 4]]), credit(10**18, 1, 10**18))


def test_the_curve_of_a_figure_shows_cliff_accelerator_and_cap() -> None:
    plan = a_plan([[0, 1], [1, 2]], threshold="0.5", cap=2)
    curve = payout_curve(plan, [0.0, 0.49, 0.5, 1.0, 1.25, 1.5, 3.0])
    assert curve["payout"].tolist() == [0, 0, 0.5, 1, 1.5, 2, 2]
    assert curve["marginal_rate"].tolist() == [0, 0, 1, 2, 2, 0, 0]
    assert curve["tier"].tolist() == [1, 1, 1, 2, 2, 2, 2]
