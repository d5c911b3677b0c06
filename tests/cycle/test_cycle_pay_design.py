"""What plans will cost: the same luck for every plan, quotas as the goal notebook makes them, and honest forecasts."""

import datetime as dt
from dataclasses import replace

import pandas as pd
import pytest

from spms_lib.cycle import Desk, plan_cost
from spms_lib.cycle.pay import design
from spms_lib.cycle.pay.paid import Paid, pay_plan
from spms_lib.cycle.pay.recognised import measures_of
from spms_lib.cycle.plan_cost import quotas_by_hedge
from spms_lib.cycle.targets import QUOTA, read_targets
from spms_lib.incentives.plan.model import CompensationPlan
from spms_lib.incentives.simulation.simulate import winners_losers

from firms import PART, plan_of  # isort: skip

END = dt.date(2026, 6, 30)
BOLD = {"tiers": [[0, 1, 1], [1, None, 2]]}
SIZE = {"leadership": 0.5, "draws": 150, "seed": 3}


@pytest.fixture(scope="module")
def posterior(planned: Desk):
    """Mean and spread of every node, worked out once."""
    return plan_cost._posterior(planned, 0.5, 3, by_outlook=False)


@pytest.fixture(scope="module")
def paid(planned: Desk) -> Paid:
    """The bolder plan, paid once."""
    return paid_by(planned)


@pytest.fixture
def desk(planned: Desk, posterior, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(plan_cost, "_posterior", lambda *_, **__: posterior)
    return planned


@pytest.fixture
def priced(desk: Desk, paid: Paid, monkeypatch: pytest.MonkeyPatch):
    """Price a plan, and a proposal beside it."""

    def _price(other: CompensationPlan | None = None, plan: CompensationPlan | None = None, **size):
        monkeypatch.setattr(design, "proposed_plan", lambda _: other)
        return design.price(desk, paid_by(desk, plan) if plan else paid, **{**SIZE, **size})

    return _price


def paid_by(desk: Desk, plan: CompensationPlan | None = None, default: float = 8000.0) -> Paid:
    return pay_plan(desk, plan or plan_of(**BOLD), until=END, default_target_incentive=default)


def split(**shares: float) -> CompensationPlan:
    """The bolder plan cut into components by weight, over the same sales."""
    parts = [{**PART, **BOLD, "component": name, "weight": str(share)} for name, share in shares.items()]
    return plan_of(plan="cut", components=parts)


def test_nothing_is_priced_where_nothing_can_be_believed(desk: Desk) -> None:
    by_product = {"value": "amount", "where": [{"column": "product", "in": ["device"]}]}
    for plan in (plan_of(interval="month"), plan_of(measure=by_product)):
        assert design.price(desk, paid_by(desk, plan), **SIZE) is None
    nobody = paid_by(desk)
    unsaid = nobody.targets.assign(target_incentive=pd.array([pd.NA] * len(nobody.targets), dtype="Int64"))
    assert design.price(desk, replace(nobody, targets=unsaid), **SIZE) is None


def test_what_could_not_be_priced_is_said_and_all_tables_are_empty(desk: Desk) -> None:
    assert "Nothing could be simulated" in design.told(None, None)
    assert design.costs(None).empty
    assert design.side_by_side(None, None).empty
    assert design.by_hedge(desk, None, plan_of(), steps=(0.1,), draws=10, seed=1).empty
    found, table = design.quota_fairness(desk, None, plan_of(), draws=10, seed=1)
    assert (found, len(table)) == (None, 0)
    assert design.fairness_note(desk, found).startswith("Nothing could be simulated")


def test_the_same_seed_prices_the_same_and_another_one_does_not(priced) -> None:
    first, again, other = (design.costs(priced(seed=seed)) for seed in (3, 3, 4))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_the_budget_is_the_target_incentives_and_a_cost_is_the_expected_pay(priced, desk: Desk) -> None:
    found = priced()
    assert design.budget(found) == paid_by(desk).table(desk)["target_incentive"].sum()
    assert design.costs(found)["now"].mean() == pytest.approx(found.runs["now"].payees["expected"].sum())
    assert "not simulated" in design.told(found, None)  # dora's seat has no payee


@pytest.mark.parametrize(
    "other",
    [
        plan_of(plan="other", **BOLD),
        plan_of(plan="other", component="called otherwise", **BOLD),
        split(sales=0.6, more=0.4),
        split(one=0.3, two=0.7),
    ],
    ids=["another name", "another component", "one more component", "other components"],
)
def test_a_proposal_that_pays_the_same_costs_the_same_in_every_draw_whatever_it_calls_things(
    priced, other
) -> None:
    found = priced(other)
    costs = design.costs(found)
    assert costs["proposed"].to_numpy() == pytest.approx(costs["now"].to_numpy(), abs=3)
    assert costs["now"].nunique() > 75
    assert winners_losers(found.runs)["difference"].abs().max() < 2


def test_a_proposal_on_the_same_draws_costs_more_in_each_of_them_if_it_pays_more(priced) -> None:
    found = priced(plan_of(plan="bolder", tiers=[[0, "0.5", 1], ["0.5", None, 4]]))
    costs = design.costs(found)
    assert (costs["proposed"] >= costs["now"] - 1).all()
    assert costs["proposed"].mean() > costs["now"].mean()
    pd.testing.assert_series_equal(costs["now"], design.costs(priced())["now"])
    table = design.side_by_side(found, found).set_index("metric")
    assert table["now_by_outlook"].equals(table["now"].rename("now_by_outlook"))


def test_a_proposal_that_cannot_be_believed_is_left_out(priced) -> None:
    assert list(design.costs(priced(plan_of(plan="monthly", interval="month")))) == ["now"]


def test_a_gate_on_the_sales_themselves_is_kept_in_the_simulation(priced) -> None:
    shut = {"gates": [{"measure": "sold", "at_least": 10**9}]}
    measures = {"sold": {"value": "amount"}}
    gated = plan_of(plan="gated", measures=measures, measure="sold", **BOLD, **shut)
    assert design.costs(priced(gated))["proposed"].tolist() == [0] * SIZE["draws"]


def test_over_assignment_moves_quotas_as_the_goal_notebook_does(priced, desk: Desk) -> None:
    plan, found = plan_of(**BOLD), priced()
    table = design.by_hedge(desk, found, plan, steps=(-0.03, 0.06), draws=100, seed=3).set_index("quotas")
    level, own = desk.tree.level_names[-1], desk.params.over_assignment
    made = quotas_by_hedge(
        desk, {f"{step:+.0%}": {**own, level: own[level] + step} for step in (0.0, -0.03, 0.06)}
    )
    seats = ["anna", "ben", "carl"]
    asked = {name: int(quotas.loc[seats].to_numpy().sum()) for name, quotas in made.items()}
    assert asked["+0%"] == read_targets(desk, layer=QUOTA).loc[seats].to_numpy().sum()
    assert {name.split()[0]: round(quota) for name, quota in table["quota"].items()} == asked
    assert table["expected_cost"].is_monotonic_decreasing is False
    low, now, high = (
        table.loc[f"{step} on every {level}", "expected_cost"] for step in ("-3%", "+0%", "+6%")
    )
    assert low > now > high


def test_uneven_quotas_are_priced_over_the_same_payees(priced, desk: Desk) -> None:
    found, table = design.quota_fairness(desk, priced(), plan_of(**BOLD), draws=100, seed=3)
    assert set(found.payees["payee"]) == {"Anna", "Ben", "Carl"}
    assert set(table["outcome"]) == {"p_attain", "pay_ratio"}
    assert design.fairness_note(desk, found).startswith("With the same sum of quotas")


FORECAST = {"scheme": "weitzman", "statistic": "median", "beta": "10 %", "spread": "4 %"}


def with_forecasts(plan: CompensationPlan) -> CompensationPlan:
    return replace(plan, blocks={"forecast_incentive": FORECAST})


def test_the_forecast_bonus_of_each_payee_is_what_hand_and_plan_say(planned: Desk, paid: Paid) -> None:
    measures = measures_of(planned, paid, until=END)
    rows = design.forecast_pay(with_forecasts(paid.plan), measures, per_unit=100, period="2026Q2").set_index(
        "payee"
    )
    assert rows["forecast"].to_dict() == {"Anna": 43_560, "Ben": 38_720, "Carl": 34_848}
    assert rows["actual"].to_dict() == {"Anna": 48_400, "Ben": 38_720, "Carl": 29_040}
    assert rows["bonus"].to_dict() == {
        "Anna": 4743,  # 10 % of 435.60, and 8 % of the 48.40 above it
        "Ben": 3872,  # 10 % of 387.20
        "Carl": 2788,  # 10 % of 348.48, less 12 % of the 58.08 below it
    }


def test_who_said_nothing_has_no_forecast_bonus_and_a_plan_without_a_scheme_has_none(
    planned: Desk, paid: Paid
) -> None:
    measures = measures_of(planned, paid, until=END)
    silent = measures["value"].mask((measures["payee"] == "Ben") & (measures["measure"] == "forecast"))
    options = {"per_unit": 100, "period": "2026Q2"}
    rows = design.forecast_pay(with_forecasts(paid.plan), measures.assign(value=silent), **options).set_index(
        "payee"
    )
    assert rows.loc["Ben", "reason"] == "no forecast"
    assert rows["bonus"].isna().to_dict() == {"Anna": False, "Ben": True, "Carl": False}
    assert design.forecast_pay(paid.plan, measures, **options).empty


@pytest.mark.parametrize("mean", [143_749.0, 5e8])
def test_for_every_known_scheme_and_the_plans_own_the_honest_report_pays_best(mean: float) -> None:
    own = with_forecasts(plan_of())
    table = design.honest_schemes(own, mean=mean, sd=mean / 5)
    assert table["truthful"].all()
    assert table["scheme"].iloc[0] == "this plan"
    assert len(table) == len(design.honest_schemes(plan_of(), mean=mean, sd=mean / 5)) + 1
    assert (table[["cost_10_down", "cost_10_up"]].to_numpy() >= 0).all()
