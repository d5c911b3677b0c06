"""Closed forms of expected pay: printed cases, quadrature, and the simulation agree."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from spms_lib.errors import PlanError
from spms_lib.incentives.engine.curve import compile_curve
from spms_lib.incentives.plan.model import Cap, Gate, Multiplier, Reference, Step
from spms_lib.incentives.simulation.closed import capped, chance_at_or_above, expected_pay, expected_ratio
from spms_lib.incentives.simulation.factors import Factors
from spms_lib.incentives.simulation.metrics import budget_at_100, cost_of_sales, share_at_or_above
from spms_lib.incentives.simulation.simulate import simulate

from compensation_cases import CASES, of_calc  # isort: skip


def case_plan(case, make):
    """Write knots and slopes as the incremental tiers of a plan."""
    knots, slopes = case["plan"]["knots"], case["plan"]["slopes"]
    assert case["plan"]["value0"] == 0
    return make.plan(make.sales(make.curve(*zip(knots, [*knots[1:], None], slopes, strict=True))))


def one_payee(case):
    row = {"payee": "a", "component": "sales", "mean": case["inputs"]["mu"], "sd": case["inputs"]["sigma"]}
    return pd.DataFrame([{**row, "quota": 1.0, "target_incentive": 1.0}])


@pytest.mark.parametrize("name", of_calc("expected_curve"))
def test_expected_pay_of_printed_curves(name, make) -> None:
    case = CASES[name]
    factors, beliefs, plan = Factors(case["inputs"]["dist"]), one_payee(case), case_plan(case, make)
    found = expected_pay(plan, beliefs, factors=factors)["expected"].item()
    chance = chance_at_or_above(np.array([1.0]), *beliefs[["mean", "sd"]].to_numpy().T, factors.marginal)
    at_mean = compile_curve(plan.components["sales"].curve).ratio(beliefs["mean"].to_numpy())
    seen = {"expected": found, "p_attain": chance.item(), "at_mean": at_mean.item()}
    assert {key: seen[key] for key in case["expected"]} == pytest.approx(case["expected"], abs=case["tol"])


@pytest.mark.parametrize("name", of_calc("expected_retro"))
def test_a_retroactive_jump_adds_the_jump_times_its_chance(name, make) -> None:
    case = CASES[name]
    at, low, high = (case["plan"][key] for key in ("threshold", "low", "high"))
    tiers = make.curve((0, at, low), (at, None, high), unit="measure", pays="rate", mode="retroactive")
    beliefs = one_payee(case).assign(mean=lambda rows: rows["mean"] * 100, sd=lambda rows: rows["sd"] * 100)
    found = expected_pay(make.plan(make.sales(tiers)), beliefs, factors=Factors(case["inputs"]["dist"]))
    assert found["expected"].item() / 100 == pytest.approx(case["expected"]["expected"], abs=case["tol"])
    chance = chance_at_or_above(np.array([at]), np.array([case["inputs"]["mu"]]), np.array([1.0]), "normal")
    assert (high - low) * at * chance.item() == pytest.approx(case["expected"]["jump_times_p"])


@pytest.mark.parametrize("name", of_calc("mc_curve"))
def test_a_simulation_finds_the_printed_expectation(name, make) -> None:
    case = CASES[name]
    plan, inputs = case_plan(case, make), case["inputs"]
    beliefs = one_payee(case).assign(target_incentive=100.0)
    run = simulate(plan, beliefs, draws=inputs["n"], seed=inputs["seed"], factors=Factors(inputs["dist"]))
    found = (
        run.payees.assign(expected=run.payees["expected"] / 100)[["expected", "p_attain"]].iloc[0].to_dict()
    )
    assert found == pytest.approx(case["expected"], abs=case["tol"])


@pytest.mark.parametrize("name", of_calc("share"))
def test_the_share_at_quota_of_a_whole_sales_department(name) -> None:
    inputs, expected = CASES[name]["inputs"], CASES[name]["expected"]
    attainment = pd.Series([1.0] * inputs["met"] + [0.99] * inputs["missed"])
    assert len(attainment) == expected["n"] == sum(inputs["groups"])
    assert share_at_or_above(attainment) == pytest.approx(expected["p_attain"], abs=CASES[name]["tol"])


@pytest.mark.parametrize("name", of_calc("share_pct"))
def test_a_quota_at_a_percentile_leaves_the_rest_at_or_above(name) -> None:
    below = round(100 * CASES[name]["inputs"]["percentile_at_quota"])
    attainment = pd.Series([0.9] * below + [1.0] * (100 - below))
    assert share_at_or_above(attainment) == CASES[name]["expected"]["at_or_above"]


@pytest.mark.parametrize("name", of_calc("ccos"))
def test_cost_of_sales_with_and_without_base_salaries(name) -> None:
    inputs, expected = CASES[name]["inputs"], CASES[name]["expected"]
    found = cost_of_sales(inputs["incentive"], inputs["revenue"], base=inputs["base"])
    assert found == pytest.approx((expected["ccos_cash"], expected["ccos_incentive_only"]))


@pytest.mark.parametrize("name", of_calc("budget100"))
def test_the_budget_at_100_prorates_target_incentives(name) -> None:
    inputs = CASES[name]["inputs"]
    found = budget_at_100(pd.Series(inputs["target_incentives"]), pd.Series(inputs["active_fraction"]))
    assert found == CASES[name]["expected"]["budget"]


CURVES = {
    "accelerator": ((0, 1, 1), (1, None, 2)),
    "decelerator": ((0, "0.5", "0.3"), ("0.5", "1.2", 2), ("1.2", None, "0.1")),
    "retroactive jumps": ((0, 1, "0.5", "retroactive"), (1, "1.3", 1, "retroactive"), ("1.3", None, "1.4", "retroactive")),
    "lumps": (("0.5", 1, "0.4", "lump"), (1, None, "1.1", "lump")),
    "interpolated, then lump": ((0, 1, 1, "interpolated"), (1, "1.5", "2", "lump"), ("1.5", None, "1")),
}  # fmt: skip


@pytest.mark.parametrize("marginal", ["normal", "lognormal"])
@pytest.mark.parametrize("cap", [None, "1.05"])
@pytest.mark.parametrize("threshold", [None, "0.7"])
@pytest.mark.parametrize("shape", CURVES)
def test_expectations_agree_with_quadrature(shape, threshold, cap, marginal, make) -> None:
    mean, sd = 0.95, 0.3
    bands = compile_curve(make.curve(*CURVES[shape], threshold=threshold))
    if cap:
        bands = capped(bands, Fraction(cap))
    scale = np.sqrt(np.log1p((sd / mean) ** 2))
    law = (
        stats.norm(mean, sd)
        if marginal == "normal"
        else stats.lognorm(scale, scale=mean / np.exp(scale**2 / 2))
    )
    plain = compile_curve(make.curve(*CURVES[shape], threshold=threshold))

    def density(u: float) -> float:
        paid = plain.ratio(np.array([u])).item()
        return law.pdf(u) * (min(paid, float(cap)) if cap else paid)

    points = sorted(
        {0.0, 0.5, 0.7, 1.0, 1.05, 1.2, 1.3, 1.5, 0.95, *(float(b.start or 0) for b in bands.bands)}
    )
    edges = [-4.0 if marginal == "normal" else 0.0, *(p for p in points if p > 0), 3.0, 30.0]
    total = sum(integrate.quad(density, a, b, epsabs=1e-11)[0] for a, b in pairwise(edges))
    found = expected_ratio(bands, np.array([mean]), np.array([sd]), marginal)
    assert found.item() == pytest.approx(total, abs=1e-8)


@pytest.mark.parametrize("marginal", ["normal", "lognormal"])
@pytest.mark.parametrize("shape", CURVES)
def test_the_simulation_stays_within_four_standard_errors_of_the_closed_form(shape, marginal, make) -> None:
    plan = make.plan(make.sales(make.curve(*CURVES[shape]), cap=Cap(Fraction(6, 5), "target_incentive")))
    beliefs, factors = make.team(quota=1.04), Factors(marginal, market=0.0, territory=0.3)
    run = simulate(plan, beliefs, draws=4000, seed=11, factors=factors).payees
    exact = expected_pay(plan, beliefs, factors=factors).set_index("payee").loc[run["payee"], "expected"]
    error = run["sd"] / np.sqrt(4000)
    assert ((run["expected"].to_numpy() - exact).abs() <= 4 * error.to_numpy()).all()
    by_name = beliefs.set_index("payee").loc[run["payee"]]
    chance = chance_at_or_above(*(by_name[c].to_numpy() for c in ("quota", "mean", "sd")), marginal)
    assert (np.abs(run["p_attain"] - chance) <= 4 * np.sqrt(chance * (1 - chance) / 4000)).all()


def test_without_spread_pay_is_that_of_the_mean_and_the_chance_is_certain() -> None:
    assert chance_at_or_above(np.array([1.0, 1.0]), np.array([1.0, 0.9]), np.zeros(2), "normal").tolist() == [
        1,
        0,
    ]


def test_missing_beliefs_have_no_expectation_rather_than_none_at_all(make) -> None:
    beliefs = make.team(3).assign(target_incentive=[1.0, None, 1.0])
    assert expected_pay(make.accelerated, beliefs)["expected"].isna().sum() == 1


def test_what_has_no_closed_form_is_refused_by_name(make) -> None:
    lines = make.curve((0, None, 1))
    gate = Gate(((Reference(component="sales"), "at_least", Fraction(1)),))
    by_margin = Multiplier(Reference(measure="sold"), "upper", ((Fraction(0), Fraction(1)),))
    capped_money = Cap(Fraction(1), "money")
    for component in (
        make.sales(lines, gates=(gate,)),
        make.sales(lines, multipliers=(by_margin,)),
        make.sales(lines, cap=capped_money),
    ):
        with pytest.raises(PlanError, match=r"sales.*Simulate the plan"):
            expected_pay(make.plan(component), make.team(2))
    steps = make.curve(unit="measure", pays="money", step=Step(Fraction(1000), Fraction(10)))
    with pytest.raises(PlanError, match="repeating step"):
        expected_pay(make.plan(make.sales(steps)), make.team(2))
