"""What each forecast incentive pays, against printed tables, identities and formulas that are not its own."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from compensation_cases import CASES, of_calc  # isort: skip
from spms_lib.errors import PlanError
from spms_lib.incentives.truth.builders import (
    convex_menu,
    gonik,
    known_schemes,
    scoring_rule,
    weitzman,
    weitzman_design,
)
from spms_lib.incentives.truth.scores import crps_normal, pinball
from spms_lib.incentives.truth.statistic import statistic
from spms_lib.incentives.truth.verify import verify_truthful
from spms_lib.review.scores import normal_crps

amounts = st.floats(-1e6, 1e6)
rates = st.lists(st.integers(1, 500), min_size=3, max_size=3, unique=True).map(sorted)


@pytest.mark.parametrize("name", of_calc("weitzman_grid"))
def test_a_printed_table_of_forecasts_and_actuals_cell_by_cell(name: str) -> None:
    case = CASES[name]
    actual, said = np.array(case["inputs"]["actual"]), np.array(case["inputs"]["forecast"])
    seen = weitzman(**case["plan"]).bonus(said[None], actual[:, None])
    assert seen.tolist() == case["expected"]["grid"]
    assert seen.argmax(axis=1).tolist() == list(range(len(actual)))  # the truth pays best in every row


@pytest.mark.parametrize("name", of_calc("weitzman_optimum"))
def test_the_best_forecast_under_uncertainty_and_what_it_earns(name: str) -> None:
    case = CASES[name]
    incentive, belief = weitzman(**case["plan"]), stats.norm(case["inputs"]["mu"], case["inputs"]["sigma"])
    proof = verify_truthful(incentive, {"belief": belief}).iloc[0]
    assert float(incentive.elicits.tau) == case["expected"]["tau"]
    assert proof["report"] == pytest.approx(case["expected"]["forecast"], abs=case["tol"])
    assert proof["expected_bonus"] == pytest.approx(case["expected"]["expected_bonus"], abs=case["tol"])


@pytest.mark.parametrize("name", of_calc("gonik"))
def test_bonus_by_objective_forecast_and_actual(name: str) -> None:
    said, actual = np.array(CASES[name]["inputs"]["cells"]).T
    seen = gonik(1).bonus(said, actual)
    assert seen == pytest.approx(CASES[name]["expected"]["pct"], abs=1e-12)


@pytest.mark.parametrize("name", of_calc("weitzman_pinball_identity"))
def test_a_weitzman_bonus_is_a_commission_less_a_pinball_loss_on_the_cases(name: str) -> None:
    plan = CASES[name]["plan"]
    said, actual = np.array(CASES[name]["inputs"]["pairs"]).T
    tau = (plan["beta"] - plan["alpha"]) / (plan["gamma"] - plan["alpha"])
    other = plan["beta"] * actual - (plan["gamma"] - plan["alpha"]) * pinball(tau, said, actual)
    holds = np.allclose(weitzman(**plan).bonus(said, actual), other, rtol=0, atol=1e-9)
    assert holds is CASES[name]["expected"]["holds"]


@pytest.mark.parametrize("name", of_calc("crps_gaussian"))
def test_a_printed_crps(name: str) -> None:
    case = CASES[name]
    mean, sd, actual = (case["inputs"][key] for key in ("mu", "sigma", "y"))
    assert crps_normal(mean, sd, actual) == pytest.approx(case["expected"]["crps"], abs=case["tol"])


@pytest.mark.parametrize("name", of_calc("quantile_score"))
def test_a_quantile_score_which_others_define_with_a_factor_of_two(name: str) -> None:
    case = CASES[name]
    pairs = zip(case["inputs"]["tau"], case["inputs"]["q"], strict=True)
    seen = [2 * float(pinball(tau, said, case["inputs"]["y"])) for tau, said in pairs]
    assert seen == pytest.approx(case["expected"]["scores"], abs=case["tol"])


@given(rates, amounts, amounts)
def test_a_weitzman_bonus_is_a_commission_less_a_pinball_loss(
    slopes: list[int], said: float, came: float
) -> None:
    alpha, beta, gamma = slopes
    loss = (gamma - alpha) * pinball((beta - alpha) / (gamma - alpha), said, came)
    incentive = weitzman(alpha, beta, gamma, base=7)
    assert incentive.bonus(said, came) == pytest.approx(7 + beta * came - loss, abs=1e-5)
    assert incentive.loss(said, came) == pytest.approx(loss, abs=1e-5)


@given(st.sampled_from(sorted(known_schemes(100))), st.floats(0, 300), st.floats(0, 300), st.floats(1, 50))
def test_whatever_comes_having_foreseen_it_pays_best(
    scheme: str, said: float, came: float, sd: float
) -> None:
    incentive = known_schemes(100)[scheme]
    two = len(incentive.elicits.parts) == 2
    report, truth = ([said, sd], [came, 0.0]) if two else (said, came)
    lost = incentive.bonus(truth, came) - incentive.bonus(report, came)
    assert lost >= -1e-9
    assert incentive.loss(report, came) == pytest.approx(lost, abs=1e-9)


@given(rates.filter(lambda three: three[0] > 0), st.sampled_from([0.5, 2.0]))
def test_a_design_gives_back_the_incentive_it_describes(slopes: list[int], scale: float) -> None:
    alpha, beta, gamma = (slope * scale for slope in slopes)
    tau = weitzman(alpha, beta, gamma).elicits.tau
    assert weitzman_design(beta=beta, tau=tau, spread=gamma - alpha) == weitzman(alpha, beta, gamma)


@pytest.mark.parametrize(("mean", "sd", "actual"), [(0, 1, 0), (100, 20, 135), (10, 3, -4)])
def test_crps_is_the_area_between_what_was_said_and_what_came(mean: float, sd: float, actual: float) -> None:
    said = stats.norm(mean, sd).cdf
    below, _ = integrate.quad(lambda x: said(x) ** 2, mean - 12 * sd, actual)
    above, _ = integrate.quad(lambda x: (1 - said(x)) ** 2, actual, mean + 12 * sd)
    assert crps_normal(mean, sd, actual) == pytest.approx(below + above, rel=1e-8)
    assert crps_normal(mean, sd, actual) == normal_crps(mean, sd, actual)  # as the review scores forecasts


def test_a_spread_of_zero_is_a_single_number_and_a_negative_one_is_none() -> None:
    assert crps_normal(100, [0, -1], 90).tolist() == [10, pytest.approx(math.nan, nan_ok=True)]


def test_who_commits_to_more_is_paid_a_higher_rate_on_a_lower_base() -> None:
    menu = convex_menu(100, rate=1, spread=2)
    at_zero, at_one = menu.bonus([50, 100], 0), menu.bonus([50, 100], 1)
    assert (at_one - at_zero).tolist() == pytest.approx([2, 3])  # rate + spread x share of the objective
    assert at_zero[0] > at_zero[1]


def test_null_survives() -> None:
    assert np.isnan(weitzman(1, 2, 3).with_limits(floor=0, cap=10).bonus([np.nan, 5], [5, np.nan])).all()


def test_limits_hold() -> None:
    paid = weitzman(1, 2, 3).with_limits(floor=0, cap=10).bonus(4, [0, 4, 100])
    assert paid.tolist() == [0, 8, 10]
    per_objective = gonik(200).with_limits(floor=50, cap=150)
    assert per_objective.bonus([0, 200, 400], [0, 200, 400]).tolist() == [50, 120, 150]


@pytest.mark.parametrize(
    ("name", "tau"), [("median", 0.5), ("commit_80", 0.2), ("commit_62.5", 0.375), ("quantile_0.9", 0.9)]
)
def test_names_of_statistics(name: str, tau: float) -> None:
    assert float(statistic(name).tau) == tau
    assert statistic(statistic(name).name) == statistic(name)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: weitzman(100, 70, 150), "alpha 100, beta 70, gamma 150 are out of order"),
        (lambda: weitzman(0, 1, 2), "out of order"),
        (lambda: weitzman(1, 2, 2), "out of order"),
        (lambda: weitzman("much", 1, 2), "alpha is 'much', not a number"),
        (lambda: weitzman_design(beta=1, tau=1, spread=0.1), "tau is 1"),
        (lambda: weitzman_design(beta=1, tau=0.5, spread=2), "below beta / tau = 2"),
        (lambda: gonik(0), "not positive"),
        (lambda: convex_menu(100, rate=1, spread=0), "not convex"),
        (lambda: scoring_rule("median", amount=1, rate=-1), "rate is -1"),
        (lambda: scoring_rule("mean", amount=1, rate=1), "no score for 'mean'"),
        (lambda: weitzman(1, 2, 3).with_limits(floor=5, cap=5), "not below cap"),
        (lambda: statistic("commit_100"), "'commit_100' is not a statistic"),
        (lambda: statistic("mode"), "Use median"),
    ],
)
def test_parameters_that_make_no_sense_are_refused_by_name(build, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        build()
