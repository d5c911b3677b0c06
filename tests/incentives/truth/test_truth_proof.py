"""The report that pays best, found by numbers, is the statistic that the scheme asks for."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from spms_lib.errors import TableError
from spms_lib.incentives.truth.beliefs import belief_of, payee_beliefs, standard_beliefs
from spms_lib.incentives.truth.builders import (
    convex_menu,
    known_schemes,
    scoring_rule,
    weitzman,
    weitzman_design,
)
from spms_lib.incentives.truth.curves import actual_curves, report_curves
from spms_lib.incentives.truth.verify import expected_bonus, scheme_table, verify_truthful

BELIEFS = standard_beliefs(100, 25)
SAMPLES = np.random.default_rng(3).lognormal(4.5, 0.4, 1001)
NUMBERS = {name: one for name, one in known_schemes(100).items() if len(one.elicits.parts) == 1}


@pytest.mark.parametrize("scheme", NUMBERS)
def test_every_scheme_is_honest_under_every_shape_of_belief(scheme: str) -> None:
    proof = verify_truthful(NUMBERS[scheme], {**BELIEFS, "samples": SAMPLES})
    assert proof["truthful"].all()
    assert (proof["difference"].abs() < 1e-3).all()
    assert (proof[["cost_10_down", "cost_10_up"]] > 0).all(axis=None)
    shares = proof["cost_10_up"] / proof["expected_bonus"]
    assert proof["cost_10_up_ratio"].tolist() == pytest.approx(shares.tolist())


def test_a_normal_distribution_is_told_in_full_and_another_shape_is_not() -> None:
    proof = verify_truthful(known_schemes(100)["CRPS score"], BELIEFS).set_index(["belief", "statistic"])
    assert proof.loc["normal", "report"].to_dict() == pytest.approx({"mean": 100, "sd": 25}, abs=1e-4)
    assert proof.loc["normal", "truthful"].all()
    assert not proof.drop("normal", level="belief")["truthful"].any()
    # at the truth the expected CRPS of a normal is sd / sqrt(pi)
    assert proof["expected_bonus"].iloc[0] == pytest.approx(10 - 0.6 * 25 / np.sqrt(np.pi), abs=1e-9)


@given(st.floats(0.05, 0.95), st.floats(0.1, 1.0), st.floats(5, 40))
@settings(max_examples=15, deadline=None)
def test_honesty_earns_the_closed_form(tau: float, spread: float, sd: float) -> None:
    """Of a normal belief: beta mean - spread sd f(z), the density at the quantile asked for."""
    incentive = weitzman_design(beta=1, tau=tau, spread=spread)
    proof = verify_truthful(incentive, {"normal": stats.norm(100, sd)}).iloc[0]
    assert proof["expected_bonus"] == pytest.approx(
        100 - spread * sd * stats.norm.pdf(stats.norm.ppf(tau)), abs=1e-7
    )
    assert proof["report"] == pytest.approx(100 + sd * stats.norm.ppf(tau), abs=1e-3 * sd)


@pytest.mark.parametrize("belief", ["normal", "lognormal", "gamma"])
@pytest.mark.parametrize("limits", [{}, {"floor": 0}, {"cap": 25}, {"floor": 0, "cap": 25}])
def test_the_expectation_is_that_of_an_independent_integrator(belief: str, limits: dict[str, int]) -> None:
    for incentive, said in [
        (weitzman("0.7", 1, "1.3", base=-80), 90.0),
        (convex_menu(100, rate=1, spread=1, base=-130), 90.0),
        (scoring_rule("distribution", amount=12, rate=1), [90.0, 20.0]),
    ]:
        limited, law = incentive.with_limits(**limits), BELIEFS[belief]
        seen = expected_bonus(limited, belief_of(law))(np.array([said]))[0]
        fine = np.linspace(law.ppf(1e-13), law.isf(1e-13), 200_001)
        other = integrate.simpson(limited.bonus(np.array(said), fine) * law.pdf(fine), x=fine)
        assert seen == pytest.approx(other, abs=2e-6 if len(np.shape(said)) == 0 else 2e-3)


def test_at_the_honest_forecast_selling_one_more_is_worth_beta() -> None:
    incentive, belief = weitzman(70, 100, 150), belief_of(BELIEFS["gamma"])
    said = incentive.elicits.of(belief)
    more = belief.expect(lambda f, y: incentive.bonus(f, y + 1e-4), said, incentive.breaks(said) - 1e-4)
    now = expected_bonus(incentive, belief)(said)
    assert (more - now) / 1e-4 == pytest.approx(100, rel=1e-5)


def test_a_menu_asks_for_the_mean_and_not_for_the_median() -> None:
    skewed = {"skewed": stats.lognorm(0.5, scale=88_250)}
    menu = verify_truthful(convex_menu(100_000, rate="0.7", spread="0.3"), skewed)["report"].iloc[0]
    median = verify_truthful(weitzman("0.7", 1, "1.3"), skewed)["report"].iloc[0]
    assert (round(menu), round(median)) == (100_000, 88_250)


def test_a_floor_makes_overstating_pay() -> None:
    honest = weitzman("0.7", 1, "1.3", base=-80)
    proof = verify_truthful(honest.with_limits(floor=0), {"normal": stats.norm(100, 25)}).iloc[0]
    grid = np.linspace(80, 130, 2001)
    draws = stats.norm(100, 25).ppf((np.arange(20_000) + 0.5) / 20_000)
    paid = [np.maximum(honest.bonus(said, draws), 0).mean() for said in grid]
    assert proof["report"] == pytest.approx(grid[int(np.argmax(paid))], abs=0.1)
    assert not proof["truthful"]
    assert proof["cost_10_up"] < 0 < proof["cost_10_down"]


def test_a_zero_or_negative_bonus_has_no_share_to_lose() -> None:
    proof = verify_truthful(scoring_rule("median", amount=0, rate=1), {"normal": stats.norm(100, 25)})
    assert proof[["cost_10_down_ratio", "cost_10_up_ratio"]].isna().all(axis=None)


def test_a_belief_with_a_gap_has_many_medians_and_all_are_honest() -> None:
    proof = verify_truthful(weitzman("0.7", 1, "1.3"), {"either": ([50.0, 150.0], [1, 1])}).iloc[0]
    assert proof["declared"] == 50
    assert proof["truthful"]
    few = {str(seed): np.random.default_rng(seed).lognormal(4.5, 0.4, 10) for seed in range(12)}
    proof = verify_truthful(weitzman("0.7", 1, "1.3"), few)
    assert (proof["difference"] > 0.1).any()  # another median, which pays the same
    assert proof["truthful"].all()


def test_samples_and_points_are_the_same_belief() -> None:
    samples, points = belief_of([1.0, 3.0, 3.0, 2.0]), belief_of(([3.0, 1.0, 2.0], [2, 1, 1]))
    for tau in (0.25, 0.26, 0.5, 0.51, 1.0):
        assert samples.quantile(tau) == points.quantile(tau)
    assert (samples.mean, samples.sd) == pytest.approx((points.mean, points.sd))
    assert samples.quantile(0.25) == 1


def test_standard_beliefs_share_mean_and_spread() -> None:
    held = [belief_of(one) for one in BELIEFS.values()]
    assert [(one.mean, one.sd) for one in held] == [pytest.approx((100, 25))] * 4


def test_one_belief_per_payee_in_minor_units() -> None:
    frame = pd.DataFrame(
        {"payee": ["ann", "bob"], "mean": [120_000_00.4, 80_000_00.0], "sd": [9_000_00.0, 30_000_00.0]}
    )
    proof = verify_truthful(weitzman_design(beta="1 %", tau="0.2", spread="0.5 %"), payee_beliefs(frame))
    assert proof["belief"].tolist() == ["ann", "bob"]
    assert proof["declared"].tolist() == pytest.approx([112_425_40.8, 54_751_36.3], abs=1)
    assert proof["truthful"].all()


@pytest.mark.parametrize(
    "row",
    [{"sd": 0.0}, {"sd": np.nan}, {"mean": np.nan}, {"payee": "ann"}],
    ids=["flat", "no sd", "no mean", "twice"],
)
def test_a_payee_without_a_belief_is_refused_by_name(row: dict[str, object]) -> None:
    good = {"payee": "ann", "mean": 1.0, "sd": 1.0}
    frame = pd.DataFrame([good, {**good, "payee": "bob", **row}])
    with pytest.raises(TableError, match="No belief can be formed for"):
        payee_beliefs(frame)


@pytest.mark.parametrize(
    "bad", [[], [1.0, np.nan], ([1.0, 2.0], [1.0]), ([1.0], [0.0]), ([1.0, 2.0], [2.0, -1.0])]
)
def test_a_belief_without_chances_is_refused(bad: object) -> None:
    with pytest.raises(TableError, match="missing values or no chances"):
        belief_of(bad)


def test_the_table_sets_schemes_side_by_side() -> None:
    table = scheme_table(known_schemes(100), {"normal": BELIEFS["normal"]})
    assert table["scheme"].nunique() == 7
    assert table["truthful"].all()
    assert table["statistic"].tolist()[:5] == ["median", "quantile_0.375", "commit_80", "median", "mean"]


def test_curves_mark_the_best_report_and_the_lies() -> None:
    lines, marks = report_curves(known_schemes(100), BELIEFS["normal"])
    assert set(lines["scheme"]) == set(NUMBERS)  # a distribution is no line
    best = marks[marks["mark"] == "best"].set_index("scheme")
    assert (best["lost"] == 0).all()
    assert (lines["lost"] <= 1e-12).all()
    lies = marks[marks["mark"] != "best"]
    assert (lies["lost"] < 0).all()
    gonik = lies[lies["scheme"] == "Gonik (IBM Brazil)"]
    assert gonik["cost_ratio"].tolist() == pytest.approx(
        (-gonik["lost"] / best.loc["Gonik (IBM Brazil)", "expected_bonus"]).tolist()
    )
    assert lies["report"].iloc[:2].tolist() == pytest.approx([90, 110])
    commit = lies[lies["scheme"] == "Weitzman, 80 % commit"]["report"].tolist()
    assert commit == pytest.approx([0.9 * 78.96, 1.1 * 78.96], abs=0.01)


def test_what_an_honest_forecast_is_paid_bends_at_the_forecast() -> None:
    curve = actual_curves(NUMBERS, BELIEFS["normal"])
    soviet = curve[curve["scheme"] == "Weitzman, 30 % either side"]
    slopes = np.diff(soviet["bonus"]) / np.diff(soviet["actual"]).clip(1e-12)
    below = (soviet["actual"] < soviet["forecast"]).to_numpy()[:-1]
    moved = np.diff(soviet["actual"]) > 1e-9
    assert slopes[below & moved] == pytest.approx(1.3)
    assert slopes[~below & moved] == pytest.approx(0.7)
    assert set(actual_curves(known_schemes(100), BELIEFS["normal"])["scheme"]) == set(known_schemes(100))
