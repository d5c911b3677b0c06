import datetime as dt
from functools import partial

import pandas as pd
import pytest

from spms_lib.errors import ParamsError, TableError
from spms_lib.hierarchy import Hierarchy
from spms_lib.incentives.engine.run import pay_run
from spms_lib.incentives.engine.summary import cost_summary
from spms_lib.money import format_money
from spms_lib.review.accuracy import accuracy
from spms_lib.review.attainment import shape_summary
from spms_lib.review.decisions import decision_outcomes
from spms_lib.review.facts import ReviewFacts
from spms_lib.review.pipeline import coverage
from spms_lib.review.scorecard import scorecard
from spms_lib.review.summary import executive_summary
from spms_lib.review.variance import variance_by_node

from firms import plan_of  # isort: skip


def whole(minor: float | None) -> str:
    return f"€{(minor or 0) / 100:,.0f}"


EUR = partial(format_money, currency="EUR", compact=True)
QUARTER_END = dt.date(2026, 3, 31)
FRAME = {"scope": "All", "period": "2026Q1", "period_end": QUARTER_END}


def children() -> pd.DataFrame:
    names = ["all", "n", "s", "w", "e"]
    tree = Hierarchy.from_parent_child(
        pd.DataFrame(
            {
                "node": names,
                "parent": [None, *["all"] * 4],
                "name": ["All", "North", "South", "West", "East"],
            }
        )
    )
    numbers = pd.DataFrame(
        {
            "node": names,
            "actual": [93_000, 30_000, 12_000, 25_000, 26_000],
            "plan": [100_000, 25_000, 25_000, 27_000, 25_500],
        }
    ).astype({"actual": "Int64", "plan": "Int64"})
    return variance_by_node(numbers, tree, "all")


def cost() -> pd.DataFrame:
    months = ["2026-01", "2026-02", "2026-03"]
    day = pd.to_datetime(["2026-03-31"])
    sold = pd.DataFrame({"credit": ["c"], "payee": ["n"], "date": day, "amount": [93_000]})
    asked = {"payee": ["n"], "component": "sales", "period": "2026Q1", "quota": 100_000}
    held = pd.DataFrame({**asked, "target_incentive": 10_000})
    return cost_summary(pay_run(plan_of(), sold, held, periods=months), months)


def measured() -> pd.DataFrame:
    forecasts = pd.DataFrame(
        {
            "node": ["n", "s", "x"],
            "period": "2026-03",
            "source": "commit",
            "value": [120.0, 90.0, None],
        }
    )
    truth = pd.DataFrame({"node": ["n", "s", "x"], "period": "2026-03", "value": [100, 100, 1]})
    return accuracy(forecasts, truth)


def outcomes() -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "decision": ["d1", "d2", "d3"],
            "due": pd.to_datetime(["2026-03-01", "2026-05-01", "2026-01-01"]),
            "status": ["open", "open", "done"],
        }
    )
    return decision_outcomes(table, as_of=QUARTER_END)


def covered() -> pd.DataFrame:
    pipeline = pd.DataFrame({"node": ["n", "s"], "amount": [30_000, 10_000], "weighted": 0})
    remaining = pd.DataFrame({"node": ["n", "s", "w"], "remaining": [10_000, 10_000, -500]})
    return coverage(pipeline, remaining, 0.25)


def everything(**changes: object) -> ReviewFacts:
    facts = {
        **FRAME,
        "as_of": QUARTER_END,
        "actual": 93_000,
        "plan": 100_000,
        "last_year": 90_000,
        "children": children(),
        "shape": shape_summary(pd.Series([0.9, 1.0, 1.1, None])),
        "measured": measured(),
        "covered": covered(),
        "cost": cost(),
        "submissions_received": 18,
        "submissions_expected": 20,
        "outcomes": outcomes(),
        "rows_in": 1000,
        "rows_rejected": 12,
    }
    return ReviewFacts(**(facts | changes))


def nothing() -> ReviewFacts:
    return ReviewFacts(**FRAME, as_of=QUARTER_END)


def test_the_scorecard_shows_plan_actual_and_variance_by_metric() -> None:
    card = scorecard(everything()).set_index("metric")
    assert card.loc["revenue", ["plan", "actual", "variance"]].tolist() == [100_000, 93_000, -7_000]
    assert card["actual"].round(4).to_dict() == {
        "revenue": 93_000,
        "revenue_vs_last_year": 93_000,
        "share_at_or_above_quota": 0.6667,
        "forecast_wape": 0.15,
        "forecast_bias": 0.05,
        "coverage": 2.0,
        "payout_cost_ratio": 0.1,
        "submissions": 0.9,
        "decisions_overdue": 1,
    }
    assert card["state"].to_dict() == {
        "revenue": "off plan",
        "revenue_vs_last_year": "on plan",
        "coverage": "off plan",
        **dict.fromkeys(
            [
                "share_at_or_above_quota",
                "forecast_wape",
                "forecast_bias",
                "payout_cost_ratio",
                "submissions",
                "decisions_overdue",
            ],
            "no plan",
        ),
    }
    assert card["convention"].str.len().min() > 10


def test_goals_turn_numbers_into_states() -> None:
    goals = {
        "share_at_or_above_quota": 0.6,
        "forecast_wape": 0.1,
        "forecast_bias": 0.05,
        "payout_cost_ratio": 0.1,
        "submissions": 0.95,
        "decisions_overdue": 0,
    }
    card = scorecard(everything(), goals=goals).set_index("metric")
    assert card.loc[list(goals), "state"].tolist() == [
        "on plan",
        "off plan",
        "on plan",
        "on plan",
        "off plan",
        "off plan",
    ]


def test_a_forecast_that_is_too_low_is_off_plan_as_well() -> None:
    low = measured().assign(bias_ratio=-0.2)
    card = scorecard(everything(measured=low), goals={"forecast_bias": 0.05}).set_index("metric")
    assert card.loc["forecast_bias", "state"] == "off plan"


def test_what_is_not_known_is_never_zero() -> None:
    card = scorecard(nothing())
    assert len(card) == len(scorecard(everything()))
    assert card[["plan", "actual", "variance"]].isna().all(axis=None)
    assert card["state"].eq("no data").all()


def test_a_goal_for_no_metric_is_refused() -> None:
    with pytest.raises(ParamsError, match="wape"):
        scorecard(nothing(), goals={"wape": 0.1})


def test_accuracy_of_several_groups_is_refused() -> None:
    twice = pd.concat([measured(), measured()])
    with pytest.raises(TableError, match="2 rows"):
        scorecard(everything(measured=twice))


def test_the_summary_of_a_complete_quarter() -> None:
    """North is 50.00 above plan, East 5.00; South 130.00 below, West 20.00; 25.00 lies between the levels."""
    assert executive_summary(everything(), money=partial(format_money, currency="EUR")) == [
        "All, 2026Q1: €930.00 against a plan of €1,000.00: €70.00 below plan, attainment 93.0 %.",
        "The same period last year brought €900.00: now €30.00 above last year (+3.3 %).",
        (
            "Most above plan: North (+€50.00), East (+€5.00); most below plan: South (-€130.00), West (-€20.00); "
            "not explained by these nodes: +€25.00."
        ),
        (
            "The commit forecast was off by 15.0 % of actuals (WAPE, 2 node-periods, 1 left out) "
            "and in sum 5.0 % too high."
        ),
        (
            "2 of 3 nodes (66.7 %) reached 100 % of quota; median attainment 100.0 %, "
            "100.0 % of them between 80 and 120 %; 1 without attainment."
        ),
        "Open pipeline is 2.0 times the remaining quota; the win rate requires 4.0.",
        "Incentive pay comes to €93.00, 93.0 % of target incentive, 10.0 % of sales.",
        "18 of 20 expected submissions came in (90.0 %).",
        "2 decisions are open, 1 overdue: d1.",
        "12 of 1,000 data rows could not be used (1.20 %).",
    ]


def test_a_running_quarter_is_told_to_date_with_its_landing() -> None:
    facts = everything(as_of=dt.date(2026, 2, 13), landing=180_000, plan_of_period=200_000)
    said = executive_summary(facts, money=whole)
    assert said[0] == (
        "All, 2026Q1 to date (to 2026-02-13): €930 against a plan to date of €1,000: €70 below plan, "
        "attainment 93.0 %."
    )
    assert said[1].startswith("The same days last year")
    assert said[3] == (
        "At the pace to date 2026Q1 lands at €1,800 against a plan of €2,000: €200 below plan (projection)."
    )
    assert any("pay to date" in text for text in said)
    card = scorecard(facts).set_index("metric")
    assert "to date" in card.loc["revenue", "convention"]


def test_a_complete_quarter_has_no_landing() -> None:
    said = executive_summary(everything(landing=1, plan_of_period=2), money=EUR)
    assert not any("lands at" in text for text in said)


def test_a_review_without_data_says_only_that() -> None:
    (said,) = executive_summary(nothing(), money=EUR)
    assert said.startswith("No data for: the result, last year,")


def test_missing_parts_are_named_at_the_end() -> None:
    said = executive_summary(everything(cost=None, measured=None), money=EUR)
    assert said[-1] == "No data for: forecast accuracy, payout."


def test_a_result_without_plan_is_told_without_comparison() -> None:
    said = executive_summary(everything(plan=None), money=EUR)
    assert said[0] == "All, 2026Q1: €930; no plan is known."


@pytest.mark.parametrize(
    ("plan", "ending"), [(93_000, "exactly plan, attainment 100.0 %."), (0, "above plan.")]
)
def test_an_exact_and_a_zero_plan(plan: int, ending: str) -> None:
    assert executive_summary(everything(plan=plan), money=EUR)[0].endswith(ending)


def test_growth_from_nothing_is_an_amount_but_no_percentage() -> None:
    said = executive_summary(everything(last_year=0), money=EUR)
    assert said[1].endswith("now €930 above last year.")


def test_the_summary_does_not_depend_on_the_order_of_rows() -> None:
    turned = everything(
        children=children()[::-1], outcomes=outcomes()[::-1], cost=cost()[::-1], covered=covered()[::-1]
    )
    assert executive_summary(turned, money=EUR) == executive_summary(everything(), money=EUR)


def test_a_forecast_that_nobody_sent_leaves_accuracy_unsaid() -> None:
    said = executive_summary(everything(forecast="manager"), money=EUR)
    assert said[-1] == "No data for: forecast accuracy."


def test_a_win_rate_missing_anywhere_leaves_the_requirement_unknown() -> None:
    table = covered()
    table["required_ratio"] = table["required_ratio"].mask(table["node"] == "s")
    said = executive_summary(everything(covered=table), money=EUR)
    assert "Open pipeline is 2.0 times the remaining quota; no win rate is known." in said
