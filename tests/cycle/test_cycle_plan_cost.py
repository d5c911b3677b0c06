"""Beliefs about pay come from the reconciled plan, and say so; hedges and fairness go through the same simulation."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from spms_lib.cycle import plan_cost
from spms_lib.cycle.plan_cost import (
    beliefs_of,
    fairness_drivers,
    fairness_table,
    past_attainments,
    quotas_by_hedge,
    quotas_of_payees,
)
from spms_lib.cycle.targets import QUOTA, read_plan, read_targets
from spms_lib.errors import PlanError
from spms_lib.incentives.plan.read import plan_from_dict
from spms_lib.incentives.simulation.compare import sensitivity
from spms_lib.incentives.simulation.fairness import fairness
from spms_lib.incentives.simulation.simulate import simulate

from firms import make_plan, set_goals  # isort: skip


def plan_of(**changes):
    part = {
        "component": "sales",
        "measure": "bookings",
        "interval": "quarter",
        "weight": 1,
        "unit": "attainment",
        "pays": "target_incentive",
        "tie": "upper",
        "tiers": [[0, 1, 1], [1, None, 2]],
        **changes,
    }
    measures = {"bookings": {"value": "amount"}, "margin": {"value": "margin"}}
    head = {"plan": "p", "currency": "EUR", "effective_from": "2020-01-01"}
    return plan_from_dict({**head, "measures": measures, "components": [part]})


def seats(desk, nodes=("anna", "ben", "carl"), part=1.0):
    """Payees of some seats, and their targets by month: the ledger's quotas and 1,000 euros a month."""
    quota = read_targets(desk, layer=QUOTA)
    payees = pd.DataFrame({"payee": [node.title() for node in nodes], "node": list(nodes)})
    rows = [
        (node.title(), "sales", month, int(quota.loc[node, month] * part), 100_000)
        for node in nodes
        for month in desk.months
    ]
    return payees, pd.DataFrame(rows, columns=["payee", "component", "period", "quota", "target_incentive"])


@pytest.fixture(scope="module")
def posterior(planned):
    """Mean and spread of every node, worked out once."""
    return plan_cost._posterior(planned, 0.5, 3, by_outlook=False)


@pytest.fixture
def believe(planned, posterior, monkeypatch):
    """Believe of some seats; without working the posterior out again."""
    monkeypatch.setattr(plan_cost, "_posterior", lambda *_, **__: posterior)
    return lambda *args, plan=None, **kwargs: beliefs_of(
        planned, plan or plan_of(), *seats(planned, *args, **kwargs)
    )


def test_beliefs_are_the_commitments_with_the_posterior_spread_of_the_quarter(planned, believe) -> None:
    found = believe()
    rows = found.beliefs.set_index("node")
    plan, posterior = read_plan(planned), make_plan(planned)[0]
    assert rows["mean"].to_dict() == plan.loc[rows.index].sum(axis=1).to_dict()
    assert rows["sd"].to_dict() == pytest.approx(posterior.spread.loc[rows.index].sum(axis=1).to_dict())
    assert rows["quota"].to_dict() == read_targets(planned, layer=QUOTA).loc[rows.index].sum(axis=1).to_dict()
    assert rows["target_incentive"].tolist() == [300_000] * 3
    assert rows.loc["anna", "territory"] == planned.tree.parents["anna"]
    assert "reconciled plan" in found.source
    assert "not simulated" in found.source  # dora's seat has no payee


def test_the_company_keeps_its_posterior_spread(planned, believe) -> None:
    found = believe(tuple(planned.tree.leaves))
    run = simulate(plan_of(), found.beliefs, draws=8000, seed=1, factors=found.factors)
    assert run.result.std() == pytest.approx(found.spread, rel=0.05)
    assert run.result.mean() == pytest.approx(found.expected, rel=0.01)


def test_without_a_reconciled_plan_or_on_demand_the_outlook_is_believed_and_named(
    fresh, planned, monkeypatch
) -> None:
    nodes = planned.tree.nodes
    seen = {"expected": pd.Series(np.arange(len(nodes)) + 5e6, nodes), "spread": pd.Series(1e6, nodes)}
    monkeypatch.setattr(plan_cost, "expected_quarter", lambda *_, **__: SimpleNamespace(**seen))
    unplanned = fresh()
    set_goals(unplanned)
    for desk, asked, words in (
        (unplanned, False, "no reconciled plan is in the ledger"),
        (planned, True, "as asked"),
    ):
        found = beliefs_of(desk, plan_of(), *seats(desk), by_outlook=asked)
        rows = found.beliefs.set_index("node")
        assert rows["mean"].to_dict() == seen["expected"][rows.index].to_dict()
        assert words in found.source


def test_half_a_quota_is_believed_to_bring_half_the_sales(believe) -> None:
    whole, half = (believe(part=part).beliefs for part in (1.0, 0.5))
    assert half["mean"].to_numpy() == pytest.approx(whole["mean"].to_numpy() / 2, rel=1e-3)
    assert half["sd"].to_numpy() == pytest.approx(whole["sd"].to_numpy() / 2, rel=1e-3)


def test_a_target_incentive_that_nobody_stated_stays_unknown(planned, believe) -> None:
    payees, targets = seats(planned)
    targets["target_incentive"] = targets["target_incentive"].astype("Int64").mask(targets["payee"] == "Carl")
    assert believe().beliefs["target_incentive"].notna().all()
    found = beliefs_of(planned, plan_of(), payees, targets)
    run = simulate(plan_of(), found.beliefs, draws=50, seed=1, factors=found.factors)
    assert run.payees.set_index("payee")["expected"].isna().to_dict() == {
        "Anna": False,
        "Ben": False,
        "Carl": True,
    }


def test_a_plan_on_another_measure_or_interval_is_refused(planned) -> None:
    for change in ({"measure": "margin"}, {"interval": "month"}):
        with pytest.raises(PlanError, match="paid by quarter on all amounts"):
            beliefs_of(planned, plan_of(**change), *seats(planned))


def test_hedges_as_the_goal_notebook_makes_them_move_cost_and_chances(planned, believe) -> None:
    plan, believed = plan_of(), believe()
    now = read_targets(planned, layer=QUOTA)
    below = planned.tree.level_names[-1]
    made = quotas_by_hedge(
        planned, {"none": {}, "as set": dict(planned.params.over_assignment), "10 %": {below: 0.1}}
    )
    pd.testing.assert_frame_equal(made["as set"], now, check_names=False)
    quotas = {name: quotas_of_payees(believed, table, now) for name, table in made.items()}
    assert quotas["as set"].to_dict() == believed.beliefs.set_index("payee")["quota"].to_dict()
    table = sensitivity(plan, believed.beliefs, quotas=quotas, draws=500, seed=1, factors=believed.factors)
    table = table.set_index("quotas")
    assert table.loc["10 %", "against_first"] == pytest.approx(0.1, abs=1e-4)
    assert table.loc["10 %", "expected_cost"] < table.loc["none", "expected_cost"]
    assert table.loc["10 %", "losers"] == 3


def test_fairness_is_related_to_size_growth_and_potential(planned, believe) -> None:
    nodes = tuple(planned.tree.leaves)
    believed = believe(nodes)
    drivers = fairness_drivers(planned, believed)
    history = planned.history().loc[list(nodes)]
    assert (
        drivers["size"].dropna().tolist() == history.iloc[:, -12:].sum(axis=1, min_count=1).dropna().tolist()
    )
    fair = fairness(plan_of(), believed.beliefs, draws=200, seed=1, factors=believed.factors)
    table = fairness_table(fair, drivers)
    assert set(table["driver"]) == set(drivers.columns)
    assert set(table["outcome"]) == {"p_attain", "pay_ratio"}
    assert table["correlation"].dropna().between(-1, 1).all()


def test_past_attainments_are_sales_by_targets_of_whole_quarters(planned) -> None:
    past = past_attainments(planned, planned.tree.leaves, 4)
    assert past["attainment"].to_numpy() == pytest.approx(np.full(len(past), 1 / 1.05), rel=1e-3)
    assert past["period"].nunique() == 4
