"""A simulated plan pays what its clauses say, and names what beliefs cannot carry out."""

import datetime as dt
from dataclasses import replace
from fractions import Fraction as F

import numpy as np
import pandas as pd
import pytest

from spms_lib.errors import PlanError
from spms_lib.incentives.engine.run import pay_run
from spms_lib.incentives.plan.model import (
    Cap,
    Gate,
    Kicker,
    Matrix,
    Multiplier,
    Reference,
    Step,
    TrueUp,
    Windfall,
)
from spms_lib.incentives.plan.read import plan_from_dict
from spms_lib.incentives.simulation.closed import chance_at_or_above
from spms_lib.incentives.simulation.compare import METRICS, compare, sensitivity
from spms_lib.incentives.simulation.factors import Factors
from spms_lib.incentives.simulation.fairness import even_quotas, fairness
from spms_lib.incentives.simulation.simulate import simulate, simulate_all, winners_losers

SURE = {"sd": 0.0, "quota": 100_00.0, "target_incentive": 50_00.0, "territory": "t"}


def sure(**sold: dict[str, float]) -> pd.DataFrame:
    """Payees whose performance is certain, in minor units or as a ratio: `anna={"sales": 120_00}`."""
    rows = [
        {"payee": payee, "component": name, "mean": float(value), **SURE}
        for payee, values in sold.items()
        for name, value in values.items()
    ]
    return pd.DataFrame(rows)


def paid(plan, beliefs) -> dict[str, float]:
    run = simulate(plan, beliefs, draws=2, seed=1)
    return run.payees.set_index("payee")["expected"].to_dict()


def test_pay_in_target_incentives_rates_and_money(make) -> None:
    sold = sure(anna={"sales": 120_00}, ben={"sales": 50_00})
    assert paid(make.accelerated, sold) == {"anna": 70_00, "ben": 25_00}
    rate = make.curve((0, 100, "0.1"), (100, None, "0.2"), unit="measure", pays="rate")
    assert paid(make.plan(make.sales(rate)), sold) == {"anna": 14_00, "ben": 5_00}
    of_quota = make.curve((0, 1, "0.1"), (1, None, "0.2"), pays="rate")
    assert paid(make.plan(make.sales(of_quota)), sold) == pytest.approx({"anna": 14_00, "ben": 5_00})
    lump = make.curve(("0.5", 1, 300, "lump"), (1, None, 500, "lump"), pays="money")
    assert paid(make.plan(make.sales(lump)), sold) == {"anna": 500_00, "ben": 300_00}
    step = make.curve(unit="measure", pays="money", step=Step(F(50), F(7)))
    assert paid(make.plan(make.sales(step)), sold) == {"anna": 14_00, "ben": 7_00}


DOCUMENT = {
    "plan": "all", "currency": "EUR", "effective_from": "2026-01-01",
    "measures": {"sales": {"value": "amount"}, "margin": {"value": "margin"}, "rate": {"value": "margin", "per": "amount"}},
    "components": [
        {"component": "new", "measure": "sales", "weight": "70 %", "interval": "quarter", "unit": "attainment",
         "pays": "target_incentive", "tie": "upper", "threshold": "50 %",
         "tiers": [[0, "90 %", 0.8], ["90 %", "100 %", 2.8], ["100 %", None, 1.5, "retroactive"]],
         "gates": [{"component": "profit", "at_least": "60 %", "closed": "first_rate"},
                   {"measure": "rate", "more_than": "15 %", "closed": {"tiers": [[0, None, "1/4"]]}}],
         "multipliers": [{"measure": "rate", "tie": "lower", "rows": [[0, 0.5], [0.2, 1], [0.3, 1.2]]}],
         "cap": {"value": 1.6, "of": "target_incentive"}},
        {"component": "profit", "measure": "margin", "weight": "30 %", "interval": "quarter", "unit": "attainment",
         "pays": "target_incentive", "tie": "lower",
         "curve": {"anchors": [["70 %", 0], ["100 %", 1]], "below": 0, "above_slope": 2}},
        {"component": "table", "measure": "sales", "interval": "quarter",
         "matrix": {"rows": {"component": "new", "starts": [0, 1]}, "columns": {"measure": "rate", "starts": [0, 0.2]},
                    "values": [["1 %", "2 %"], ["3 %", "5 %"]], "pays": "rate", "tie": "upper"}},
    ],
}  # fmt: skip


def test_certain_performance_is_paid_as_the_exact_engine_pays_it() -> None:
    rng, size = np.random.default_rng(2), 400
    amount = (rng.integers(0, 30, size) * 10_00).astype(int)
    margin = np.rint(amount * rng.choice([0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4], size)).astype(int)
    payees = [f"p{n:03d}" for n in range(size)]
    credits_ = pd.DataFrame({"credit": payees, "payee": payees, "amount": amount, "margin": margin})
    credits_["date"] = pd.Timestamp("2026-02-10")
    own = {"new": (100_00, 700_00), "profit": (20_00, 300_00), "table": (100_00, 0)}
    targets = pd.DataFrame(
        [(p, c, "2026Q1", q, t) for p in payees for c, (q, t) in own.items()],
        columns=["payee", "component", "period", "quota", "target_incentive"],
    )
    plan = plan_from_dict(DOCUMENT)
    run = pay_run(plan, credits_, targets, periods=["2026-01", "2026-02", "2026-03"])
    exact = run.earnings().groupby("payee", observed=True)["earned"].sum().astype(float)
    rate = np.divide(margin, amount, out=np.zeros(size), where=amount > 0)
    seen = {"new": amount, "profit": margin, "table": amount, "rate": rate}
    beliefs = pd.concat(
        [
            pd.DataFrame({"payee": payees, "component": name, "mean": value, "sd": 0.0})
            for name, value in seen.items()
        ]
    ).merge(targets.drop(columns="period"), on=["payee", "component"], how="left")
    found = simulate(plan, beliefs, draws=2, seed=1)
    np.testing.assert_allclose(
        found.payees.set_index("payee")["expected"], exact[found.payees["payee"]], atol=1.51
    )
    assert found.left_out.empty
    assert exact.nunique() > 40


def test_a_return_takes_back_what_the_sale_had_paid(make) -> None:
    assert paid(make.accelerated, sure(anna={"sales": -10_00})) == {"anna": -5_00}


def test_a_gate_on_another_component_pays_its_closed_curve_and_else_nothing(make) -> None:
    other = make.sales(make.curve((0, None, 1)), name="services", measure="services", weight=F(1, 5))
    test = (Reference(component="services"), "at_least", F("0.95"))
    double = make.curve((0, 1, 1), (1, None, 2))
    first = make.curve((0, None, 1))
    sold = sure(anna={"sales": 120_00, "services": 95_00}, ben={"sales": 120_00, "services": 94_00})
    for closed, ben in ((first, 60_00), (None, 0)):
        gated = make.sales(double, gates=(Gate((test,), closed),))
        found = paid(make.plan(gated, other, measures=("sold", "services")), sold)
        assert found == pytest.approx({"anna": 70_00 + 47_50, "ben": ben + 47_00})
    strict = make.sales(double, gates=(Gate(((test[0], "more_than", F("0.95")),)),))
    assert paid(make.plan(strict, other, measures=("sold", "services")), sold)["anna"] == pytest.approx(47_50)


def test_who_takes_no_part_in_the_gating_component_does_not_pass_its_gate(make) -> None:
    other = make.sales(make.curve((0, None, 1)), name="services", measure="services")
    gate = Gate(((Reference(component="services"), "at_least", F("0.0001")),))
    plan = make.plan(
        make.sales(make.curve((0, None, 1)), gates=(gate,)), other, measures=("sold", "services")
    )
    found = paid(plan, sure(anna={"sales": 100_00, "services": 10}, ben={"sales": 100_00}))
    assert found == pytest.approx({"anna": 50_05, "ben": 0})


def test_a_multiplier_scales_and_the_cap_comes_after_it(make) -> None:
    rows = ((F(0), F(1, 2)), (F("0.2"), F(1)), (F("0.3"), F(2)))
    by_margin = Multiplier(Reference(measure="margin"), "upper", rows)
    component = make.sales(
        make.curve((0, None, 1)), multipliers=(by_margin,), cap=Cap(F("1.5"), "target_incentive")
    )
    plan = make.plan(
        component, measures=("sold", "margin"), values={"margin": {"value": "margin", "per": "amount"}}
    )
    sold = sure(
        anna={"sales": 100_00, "margin": 0.2},
        ben={"sales": 100_00, "margin": 0.1},
        carl={"sales": 100_00, "margin": 0.3},
    )
    assert paid(plan, sold) == {"anna": 50_00, "ben": 25_00, "carl": 75_00}


def test_a_matrix_pays_the_cell_of_both_measures(make) -> None:
    matrix = Matrix(
        Reference(component="sales"), Reference(measure="margin"), (F(0), F(1)), (F(0), F("0.2")),
        ((F("0.01"), F("0.02")), (F("0.03"), F("0.04"))), "rate", "upper",
    )  # fmt: skip
    component = make.sales(None, matrix=matrix)
    plan = make.plan(
        component, measures=("sold", "margin"), values={"margin": {"value": "margin", "per": "amount"}}
    )
    sold = sure(anna={"sales": 100_00, "margin": 0.3}, ben={"sales": 90_00, "margin": 0.1})
    assert paid(plan, sold) == pytest.approx({"anna": 4_00, "ben": 90})


def test_a_rate_reached_by_pieces_pays_on_money(make) -> None:
    rate = make.curve((0, 10, "0.01"), (10, None, "0.02"), unit="measure", pays="rate", mode="retroactive")
    component = make.sales(rate, measure="pieces", base="sold")
    plan = make.plan(component, measures=("sold", "pieces"), values={"pieces": {"value": "units"}})
    assert paid(plan, sure(anna={"pieces": 10, "sold": 500_00}, ben={"pieces": 9, "sold": 500_00})) == {
        "anna": 10_00,
        "ben": 5_00,
    }


def test_beliefs_of_a_measure_feed_its_components_by_weight(make) -> None:
    parts = [
        make.sales(make.curve((0, None, 1)), name=name, weight=weight)
        for name, weight in (("a", F(7, 10)), ("b", F(3, 10)))
    ]
    run = simulate(make.plan(*parts), sure(anna={"sold": 110_00}), draws=2, seed=1)
    assert run.payees["expected"].item() == pytest.approx(55_00)
    assert run.payees["target_incentive"].item() == 50_00


def test_a_payee_without_a_row_takes_no_part_and_one_with_a_gap_is_unknown(make) -> None:
    parts = [make.sales(make.curve((0, None, 1)), name=name) for name in ("a", "b")]
    beliefs = sure(anna={"a": 100_00, "b": 100_00}, ben={"a": 100_00}, carl={"a": 100_00, "b": 100_00})
    beliefs.loc[(beliefs["payee"] == "carl") & (beliefs["component"] == "b"), "target_incentive"] = np.nan
    run = simulate(make.plan(*parts), beliefs, draws=2, seed=1)
    pay = run.payees.set_index("payee")["expected"]
    assert (pay["anna"], pay["ben"], run.unknown) == (100_00, 50_00, 1)
    assert np.isnan(pay["carl"])
    assert run.cost.tolist() == [150_00, 150_00]
    assert run.result.tolist() == [300_00, 300_00]  # what he sells is sold


def test_whatever_beliefs_cannot_carry_out_is_named(make) -> None:
    line, year = make.curve((0, None, 1)), dt.date(2026, 3, 31)
    margin = Multiplier(Reference(measure="margin"), "upper", ((F(0), F(2)),))
    unseen = Gate(((Reference(measure="margin"), "at_least", F(1)),))
    over_year = Gate(((Reference(component="plain", over="year"), "at_least", F(1)),))
    components = (
        make.sales(line, name="plain", deal_cap=F(10), kickers=(Kicker((), F(2)),), windfall=Windfall(F(1)), true_up=TrueUp("year")),
        make.sales(line, name="spif", pays_to=year, gates=(unseen, over_year), multipliers=(margin,)),
        make.sales(make.curve((0, 1, 1), (1, None, 2)), name="by_deal", accumulate="transaction"),
        make.sales(line, name="straight_by_deal", accumulate="transaction"),
        replace(make.sales(line, name="bonus"), interval="year"),
        make.sales(line, name="elsewhere", measure="margin"),
    )  # fmt: skip
    plan = make.plan(*components, measures=("sold", "margin"))
    run = simulate(plan, sure(anna={"sold": 90_00}), draws=2, seed=1)
    seen = {(row.component, row.rule): row.treatment for row in run.left_out.itertuples()}
    assert set(run.left_out["plan"]) == {"plan"}
    whole = {name for (name, _), treatment in seen.items() if treatment == "component not simulated"}
    assert whole == {"by_deal", "bonus", "elsewhere"}
    assert {rule for name, rule in seen if name == "plain"} == {
        "cap per deal",
        "kickers",
        "windfall limits",
        "true-up",
    }
    assert {rule for name, rule in seen if name == "spif"} == {
        "window of days",
        "gate on 'margin'",
        "gate on 'plain' over the year",
        "multiplier on 'margin'",
    }
    assert run.payees["expected"].item() == pytest.approx(
        2 * 45_00
    )  # plain and straight_by_deal; the gate on plain shuts


def test_a_multiplier_whose_spread_nobody_knows_stands_at_its_mean_and_says_so(make) -> None:
    by_margin = Multiplier(Reference(measure="margin"), "upper", ((F(0), F(1, 2)), (F("0.2"), F(1))))
    plan = make.plan(make.sales(make.curve((0, None, 1)), multipliers=(by_margin,)), measures=("sold", "margin"),
                     values={"margin": {"value": "margin", "per": "amount"}})  # fmt: skip
    beliefs = sure(anna={"sales": 100_00, "margin": 0.1})
    beliefs.loc[beliefs["component"] == "margin", "sd"] = np.nan
    run = simulate(plan, beliefs, draws=2, seed=1)
    assert run.payees["expected"].item() == 25_00
    assert run.left_out["treatment"].tolist() == ["judged at the mean where no spread is known"]


def test_a_plan_that_no_belief_feeds_is_refused(make) -> None:
    with pytest.raises(PlanError, match="nobody believes anything of 'sales'"):
        simulate(make.accelerated, sure(anna={"margin": 1.0}), draws=2, seed=1)


def test_a_higher_quota_never_raises_the_chance_of_attaining_nor_proportional_pay(make) -> None:
    quotas = {f"{factor}": factor for factor in (0.8, 0.95, 1.0, 1.02, 1.1, 1.5)}
    runs = simulate_all({"p": make.accelerated}, make.team(), draws=500, seed=2, quotas=quotas)
    for column in ("p_attain", "expected", "p10", "p90"):
        table = pd.DataFrame({name: one.payees[column] for name, one in runs.simulations.items()})
        assert (table.diff(axis=1).iloc[:, 1:] <= 1e-9).all(axis=None)


def test_plans_side_by_side_on_the_same_draws(make) -> None:
    flat = make.plan(make.sales(make.curve((0, None, 1))), name="flat")
    runs = simulate_all({"flat": flat, "accelerated": make.accelerated}, make.team(), draws=2000, seed=3)
    table = compare(runs, base_pay=1e6).set_index("metric")
    assert list(table.index) == [name for name, _, _ in METRICS]
    assert table[["unit", "convention"]].notna().all(axis=None)
    one, two = table["flat"], table["accelerated"]
    assert one["budget_at_100"] == one["cost_at_100"] == two["cost_at_100"] == 40 * 10_000
    assert one["expected_cost"] == pytest.approx(400_000, rel=0.01)
    assert two["expected_cost"] == pytest.approx(
        1.0997 * 400_000, rel=0.01
    )  # as K03: 2x above quota, sd 25 %
    assert two["leverage"] > one["leverage"] == pytest.approx(1 + 1.2816 * 0.25, rel=0.02)
    assert one["pay_performance"] == pytest.approx(1.0)
    assert one["share_at_or_above_quota"] == two["share_at_or_above_quota"] == pytest.approx(0.5, abs=0.02)
    assert one["ccos_cash"] - one["ccos_incentive_only"] == pytest.approx(1e6 / runs["flat"].result.mean())
    assert two["top_decile_share"] > one["top_decile_share"] > 0.1
    assert two["sensitivity"] > one["sensitivity"] > 0


def test_winners_and_losers_by_payee_with_intervals_from_common_draws(make) -> None:
    beliefs = make.team(6, areas=2)
    beliefs["quota"] *= [0.5, 0.8, 1.0, 1.1, 1.3, 3.0]
    flat = make.plan(make.sales(make.curve((0, None, "1.1"))), name="flat")
    runs = simulate_all({"flat": flat, "accelerated": make.accelerated}, beliefs, draws=2000, seed=3)
    table = winners_losers(runs)
    assert table["difference"].is_monotonic_increasing
    np.testing.assert_allclose(table["difference"], table["after"] - table["before"], atol=1e-6)
    by_name = table.set_index("payee")
    assert by_name.loc["p000", "low"] > 0 > by_name.loc["p005", "high"]
    assert by_name.loc["p000", "p_better"] > 0.95 > 0.05 > by_name.loc["p005", "p_better"]
    assert (table["p_better"] + table["p_worse"] <= 1).all()


def test_a_hedge_or_a_frame_of_quotas_goes_through_the_same_engine(make) -> None:
    beliefs = make.team(12)
    frame = pd.DataFrame({"2026-07": beliefs["quota"] * 0.6, "2026-08": beliefs["quota"] * 0.45}).set_axis(
        beliefs["payee"]
    )
    quotas = {"now": 1.0, "hedge 5 %": 1.05, "as made": frame, "first only": frame.sum(axis=1).head(1)}
    table = sensitivity(make.accelerated, beliefs, draws=500, seed=3, quotas=quotas).set_index("quotas")
    assert table.loc["hedge 5 %", "against_first"] == pytest.approx(0.05)
    same = table.loc[["hedge 5 %", "as made"]].drop(columns="quota").to_numpy(dtype=float)
    np.testing.assert_allclose(same[0], same[1], rtol=1e-6)
    assert table.loc["now", ["cost_change", "winners", "losers"]].tolist() == [0, 0, 0]
    assert (table.loc["hedge 5 %", "losers"], table.loc["hedge 5 %", "winners"]) == (12, 0)
    row = table.loc["hedge 5 %"]
    assert row["change_low"] < row["cost_change"] < row["change_high"] < 0
    assert table.loc["first only", "losers"] == 1


@pytest.mark.parametrize("marginal", ["normal", "lognormal"])
def test_even_quotas_keep_the_sum_and_give_one_chance(marginal, make) -> None:
    beliefs = make.team(30)
    beliefs["quota"] *= np.linspace(0.7, 1.4, 30)
    even = even_quotas(beliefs, factors=Factors(marginal))
    assert even.quotas.sum() == pytest.approx(beliefs["quota"].sum())
    rows = beliefs.set_index("payee")
    chance = chance_at_or_above(
        even.quotas[rows.index].to_numpy(), rows["mean"].to_numpy(), rows["sd"].to_numpy(), marginal
    )
    assert chance == pytest.approx(even.chance)


def test_unfair_quotas_move_money_from_the_hard_to_the_easy(make) -> None:
    beliefs = make.team(20)
    fair = fairness(make.accelerated, beliefs, draws=1000, seed=5)
    assert fair.money == pytest.approx(0.0, abs=1e-6)
    beliefs["quota"] *= np.where(np.arange(20) % 2, 1.2, 0.8)
    found = fairness(make.accelerated, beliefs, draws=1000, seed=5)
    hard = found.payees["payee"].isin(beliefs.loc[1::2, "payee"])
    assert (found.payees.loc[hard, "high"] < 0).all()
    assert (found.payees.loc[~hard, "low"] > 0).all()
    assert found.money == pytest.approx(
        (found.payees["moved"] - found.payees["moved"].mean()).clip(lower=0).sum()
    )
    assert found.cost == pytest.approx(found.payees["moved"].sum())
    assert found.cost > 0  # the plan is convex: uneven chances cost more
