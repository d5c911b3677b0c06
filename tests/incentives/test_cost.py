import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.incentives.cost import cost_summary, next_tier
from spms_lib.incentives.payout import payouts
from spms_lib.incentives.old_plan import CompensationPlan, plan_from_dict


def a_plan(tiers: list[list[object]], **clauses: object) -> CompensationPlan:
    base = {"name": "test", "currency": "EUR", "tie": "upper", "effective_from": "2026-01-01"}
    return plan_from_dict({**base, "tiers": tiers, **clauses})


def credits_of(**columns: list[int | None]) -> pd.DataFrame:
    size = len(columns["actual"])
    frame = pd.DataFrame({"node": [f"seat {number}" for number in range(size)], **columns})
    return frame.astype(dict.fromkeys(columns, "Int64"))


def test_the_cost_of_a_small_team_is_summed_up() -> None:
    """At half the quota 50 of 100; at one and a half 100 + 2 x 50; two seats cannot be paid."""
    team = credits_of(
        actual=[500, 1500, 500, 0],
        quota=[1000, 1000, None, 500],
        target_incentive=[100, 100, 100, None],
    )
    summary = cost_summary(a_plan([[0, 1], [1, 2]]), team).set_index("metric")["value"]
    assert summary.to_dict() == {
        "total_payout": 50 + 200,
        "total_target_incentive": 200,
        "payout_ratio": 1.25,
        "cost_of_sales_ratio": 250 / 2500,
        "cost_at_quota": 200,
        "share_at_or_above_quota": pytest.approx(1 / 3),
        "seats": 2,
        "seats_not_payable": 2,
    }


def test_an_empty_team_costs_nothing_known_rather_than_zero() -> None:
    nobody = credits_of(actual=[None], quota=[None], target_incentive=[None])
    summary = cost_summary(a_plan([[0, 1]]), nobody).set_index("metric")["value"]
    assert summary.drop(["seats", "seats_not_payable"]).isna().all()
    assert summary["seats_not_payable"] == 1


def test_a_spread_team_costs_more_than_its_average_with_an_accelerator() -> None:
    """INCENTIVES 0.5: cost at an average of 100 % is not 100 % of target incentive."""
    team = credits_of(actual=[500, 1500], quota=[1000, 1000], target_incentive=[100, 100])
    summary = cost_summary(a_plan([[0, 1], [1, 2]]), team).set_index("metric")["value"]
    assert summary["total_payout"] > summary["cost_at_quota"]


@pytest.mark.parametrize(
    ("actual", "next_start", "to_next", "rate", "next_rate"),
    [
        (100, 0.5, 400, 0, 1),  # nothing until the threshold
        (500, 1.0, 500, 1, 2),
        (999, 1.0, 1, 1, 2),
        (1000, None, None, 2, None),  # the top tier
        (1500, None, None, 0, None),  # the cap
    ],
)
def test_the_next_step_says_how_much_more_to_sell(
    actual: int, next_start: float | None, to_next: int | None, rate: float, next_rate: float | None
) -> None:
    plan = a_plan([[0, 1], [1, 2], [2, 3]], threshold="0.5", cap=2)
    step = next_tier(plan, credits_of(actual=[actual], quota=[1000], target_incentive=[100])).iloc[0]
    seen = [step["next_start"], step["to_next"], step["next_rate"]]
    assert [None if pd.isna(value) else value for value in seen] == [next_start, to_next, next_rate]
    assert step["marginal_rate"] == rate
    assert step["pay_per_unit"] == pytest.approx(rate * 0.1)


def test_a_lower_tie_asks_for_one_cent_more() -> None:
    team = credits_of(actual=[1000], quota=[1000], target_incentive=[100])
    step = next_tier(a_plan([[0, 1], [1, 2]], tie="lower"), team).iloc[0]
    assert (step["to_next"], step["next_rate"], step["marginal_rate"]) == (1, 2.0, 1.0)


def test_a_tier_below_the_threshold_is_no_step() -> None:
    team = credits_of(actual=[100], quota=[1000], target_incentive=[100])
    step = next_tier(a_plan([[0, 1], ["0.3", 2]], threshold="0.5"), team).iloc[0]
    assert (step["next_start"], step["next_rate"]) == (0.5, 2.0)


def test_a_seat_without_quota_has_no_next_step() -> None:
    team = credits_of(actual=[100], quota=[None], target_incentive=[100])
    assert next_tier(a_plan([[0, 1], [1, 2]]), team).drop(columns="node").isna().all(axis=None)


@given(actual=st.integers(0, 3000), quota=st.integers(1, 2000), tie=st.sampled_from(["upper", "lower"]))
@settings(max_examples=60, deadline=None)
def test_selling_that_much_more_reaches_the_better_rate_and_a_cent_less_does_not(
    actual: int, quota: int, tie: str
) -> None:
    plan = a_plan([[0, 1], ["1/3", "1.5"], [1, 2]], tie=tie)

    def rate_at(amount: int) -> float:
        team = credits_of(actual=[amount], quota=[quota], target_incentive=[100])
        return next_tier(plan, team)["marginal_rate"].iloc[0]

    team = credits_of(actual=[actual], quota=[quota], target_incentive=[100])
    step = next_tier(plan, team).iloc[0]
    if pd.isna(step["to_next"]):
        assert rate_at(actual) == 2
    else:
        assert rate_at(actual + step["to_next"]) == step["next_rate"] > step["marginal_rate"]
        assert rate_at(actual + step["to_next"] - 1) == step["marginal_rate"]


def test_cost_at_quota_is_the_payout_at_quota() -> None:
    team = credits_of(actual=[1, 2, 3], quota=[7, 11, 13], target_incentive=[33, 34, 35])
    plan = a_plan([[0, "1/3"], ["0.7", "2.7"]])
    at_quota = payouts(plan, team.assign(actual=team["quota"]))["payout"].sum()
    summary = cost_summary(plan, team).set_index("metric")["value"]
    assert summary["cost_at_quota"] == at_quota
