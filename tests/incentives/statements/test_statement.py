"""A statement adds up to the cent, for every component and month, whatever the plan says."""

import json
from fractions import Fraction
from math import floor
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from spms_lib.errors import PlanError, TableError
from spms_lib.incentives.engine.run import Run, pay_run
from spms_lib.incentives.statements.changes import changes
from spms_lib.incentives.statements.statement import STEPS, Statement, explain

from law_plans import MONTHS, parts, run_of, sold  # isort: skip


@settings(max_examples=40)
@given(part=parts(), rows=sold)
def test_the_steps_of_every_month_sum_to_what_it_earned(
    part: dict[str, Any], rows: list[tuple[str, int, int, int]]
) -> None:
    run = run_of(part, rows)
    for number, payee in enumerate(run.books.payees):
        told = explain(run, payee)
        assert told.earned().tolist() == run.earned["pay"][number].tolist()
        assert told.standing["earned"].tolist() == run.earned["pay"][number].tolist()
        by_step = told.steps.pivot(index="period", columns="step", values="amount")
        lines = (
            told.lines.groupby("period")[["plain", "kicker", "deal_cap"]].sum().reindex(MONTHS, fill_value=0)
        )
        assert (lines.to_numpy() == by_step[["credits", "kickers", "deal_cap"]].to_numpy()).all()


@settings(max_examples=40)
@given(part=parts(), rows=sold)
def test_tier_parts_times_the_factor_and_rounding_are_what_is_due(
    part: dict[str, Any], rows: list[tuple[str, int, int, int]]
) -> None:
    told = explain(run_of(part, rows), "ann" if any(row[0] == "ann" for row in rows) else "bob")
    for row in told.standing.itertuples():
        own = told.tiers[(told.tiers["period"] == row.period) & (told.tiers["gate"] == 0)]["amount"].sum()
        if row.exact is None:
            continue
        assert floor(Fraction(own) + Fraction(1, 2)) == row.curve_pay
        assert abs(row.rounding) <= Fraction(1, 2)
        assert row.exact + row.rounding == row.due


@settings(max_examples=20)
@given(part=parts().filter(lambda part: part["against"] == "whole"), rows=sold)
def test_without_growing_quotas_and_lumps_only_credits_move_the_curve(
    part: dict[str, Any], rows: list[tuple[str, int, int, int]]
) -> None:
    part = part | {"tiers": [tier | {"mode": "incremental"} for tier in part["tiers"]]}
    told = explain(run_of(part, rows), rows[0][0])
    assert (told.steps[told.steps["step"] == "start"]["amount"] == 0).all()


def example() -> Run:
    """Two tiers, a gate on pieces, a multiplier and a cap: small enough for a pencil."""
    part = {
        "component": "pay",
        "clause": "4.1",
        "description": "Commission against the quota of the quarter",
        "measure": "sales",
        "interval": "quarter",
        "unit": "attainment",
        "pays": "target_incentive",
        "tie": "upper",
        "tiers": [{"from": 0, "to": 1, "value": 1}, {"from": 1, "value": 2}],
        "gates": [
            {
                "measure": "units",
                "at_least": 2,
                "closed": {"tiers": [{"from": 0, "value": "50 %"}]},
                "clause": "4.5",
            }
        ],
        "multipliers": [{"measure": "units", "tie": "upper", "rows": [[0, 1], [3, 2]], "clause": "4.6"}],
        "cap": {"value": 3, "of": "target_incentive"},
    }
    rows = [("ann", 10, 142_500, 12), ("ann", 40, 171_000, 36), ("ann", 70, 57_000, 12)]
    return run_of(
        part, rows
    )  # the quarter's quota is 90,000 + 95,000 + 100,000 = 285,000; its incentive 120,000


def test_a_quarter_that_a_pencil_can_follow() -> None:
    """January sells 50 %, one piece: the gate is closed and pays half. February reaches 110 %.

    January: curve 60,000, half of it paid. February: curve 120,000 + 2 x 10 % x 120,000 = 144,000,
    all of it due. March: 130 %, 192,000; three pieces double it to 384,000; the cap leaves 360,000.
    """
    told = explain(example(), "ann")
    seen = told.steps.pivot(index="period", columns="step", values="amount")[list(STEPS)].iloc[:3]
    assert seen.to_numpy().tolist() == [
        [0, 60_000, 0, 0, -30_000, 0, 0, 0],
        [0, 84_000, 0, 0, 30_000, 0, 0, 0],
        [0, 48_000, 0, 0, 0, 192_000, -24_000, 0],
    ]
    gates = told.gates.iloc[:3]
    assert gates[["value", "level", "passed", "clause"]].values.tolist() == [
        [1, 2, False, "4.5"],
        [2, 2, True, "4.5"],
        [3, 2, True, "4.5"],
    ]
    march = told.tiers[told.tiers["period"] == "2026-03"]
    assert march[["from", "to", "input", "rate", "amount"]].values.tolist() == [
        [0, 1, 1, 1, 120_000],
        [1, None, Fraction(3, 10), 2, 72_000],
    ]
    assert told.multipliers["factor"].tolist()[:3] == [1, 1, 2]
    assert told.standing["paid_before"].tolist()[:3] == [0, 30_000, 144_000]
    assert told.clauses[["rule", "clause"]].values.tolist() == [
        ["component", "4.1"],
        ["gate 1", "4.5"],
        ["multiplier 1", "4.6"],
    ]


def test_a_true_up_and_a_doubling_multiplier_are_steps_of_their_own() -> None:
    part = {
        "component": "pay",
        "measure": "sales",
        "interval": "month",
        "unit": "measure",
        "pays": "rate",
        "tie": "upper",
        "tiers": [{"from": 0, "to": 1000, "value": "1 %"}, {"from": 1000, "value": "10 %"}],
        "true_up": "quarter",
    }
    told = explain(run_of(part, [("ann", day, 100_000, 12) for day in (5, 35, 65)]), "ann")
    march = told.steps[told.steps["period"] == "2026-03"].set_index("step")["amount"]
    assert (march["credits"], march["true_up"]) == (1_000, 1_000 + 20_000 - 3_000)


def test_one_component_and_month_can_be_asked_for_and_unknown_ones_are_refused() -> None:
    run = example()
    one = explain(run, "ann", component="pay", period="2026-02")
    whole = explain(run, "ann")
    assert one.earned().tolist() == [whole.earned()["pay", "2026-02"]]
    assert set(one.lines["period"]) == {"2026-02"}
    with pytest.raises(PlanError, match="no component 'bonus'"):
        explain(run, "ann", component="bonus")
    with pytest.raises(PlanError, match="no month '2027-01'"):
        explain(run, "ann", period="2027-01")


def test_frames_of_other_steps_come_along_for_this_payee_only() -> None:
    ledger = pd.DataFrame(
        {"payee": ["ann", "bob"], "period": "2026-01", "kind": "draw", "amount": [5, 6], "link": ""}
    )
    told: Statement = explain(example(), "ann", ledger=ledger)
    assert told.ledger is not None
    assert told.ledger["amount"].tolist() == [5]


def test_a_payee_without_quota_is_owed_nothing_yet_and_told_why() -> None:
    run = example()
    frame = run.books.credits
    targets = pd.DataFrame(
        {
            "component": ["pay"],
            "payee": ["ann"],
            "period": ["2026-01"],
            "quota": pd.array([pd.NA], "Int64"),
            "target_incentive": pd.array([1], "Int64"),
        }
    )
    told = explain(pay_run(run.plan, frame, targets, periods=MONTHS), "ann")
    assert (told.steps["amount"] == 0).all()
    assert set(told.standing["reason"]) == {"no quota", "no target incentive: vacant, or nobody has said"}
    assert np.array(told.lines["amount"]).tolist() == [0, 0, 0]


def test_a_statement_as_data_says_the_same_to_the_cent() -> None:
    ledger = pd.DataFrame(
        {"payee": ["ann"], "period": "2026-03", "kind": "draw", "amount": [5], "link": [pd.NA]}
    )
    told = explain(example(), "ann", ledger=ledger)
    data = told.to_dict()
    assert json.loads(json.dumps(data)) == data
    assert (data["currency"], data["per_unit"]) == ("EUR", 100)
    assert sum(row["amount"] for row in data["steps"]) == told.earned().sum()
    march = [row for row in data["tiers"] if row["period"] == "2026-03"]
    assert sum(Fraction(row["amount"]) for row in march) == 192_000
    assert [row["date"] for row in data["lines"]] == ["2026-01-11", "2026-02-10", "2026-03-12"]
    assert data["ledger"] == [
        {"payee": "ann", "period": "2026-03", "kind": "draw", "amount": 5, "link": None}
    ]
    assert data["proration"] is None


def test_a_late_return_shows_as_what_it_changed_in_closed_months() -> None:
    run = example()
    before = explain(run, "ann", period="2026-02")
    late = pd.DataFrame(
        {
            "credit": ["back"],
            "payee": "ann",
            "date": [pd.Timestamp(2026, 2, 20)],
            "amount": [-28_500],
            "term": 12,
            "units": 0,
            "day": 50,
        }
    )
    now = explain(run.with_late(late), "ann")
    amounts, credits = changes(now, before)  # noqa: A001
    assert amounts.values.tolist() == [["pay", "2026-02", 114_000, 90_000, -24_000]]
    assert credits.fillna(0).values.tolist() == [["pay", "2026-02", "back", 0, -28_500]]
    assert all(part.empty for part in changes(before, before))
    other = explain(
        run_of(
            {
                "component": "pay",
                "measure": "sales",
                "interval": "month",
                "unit": "measure",
                "pays": "rate",
                "tie": "upper",
                "tiers": [{"from": 0, "value": 1}],
            },
            [("bob", 1, 1, 1)],
        ),
        "bob",
    )
    with pytest.raises(TableError, match="One statement is of bob"):
        changes(other, before)
