"""Where honesty stops paying: each shift against a formula or an independent computation."""

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from spms_lib.errors import ParamsError
from spms_lib.incentives.truth.builders import (
    convex_menu,
    gonik,
    known_schemes,
    scoring_rule,
    weitzman,
    weitzman_design,
)
from spms_lib.incentives.truth.limits import warnings

NORMAL = {"normal": stats.norm(100, 20)}
SOVIET = weitzman("0.7", 1, "1.3")


def rule(table, name: str):
    return table[table["rule"] == name].iloc[0]


def test_an_honest_scheme_without_temptations_has_only_the_question_of_holding_back() -> None:
    assert warnings(SOVIET, NORMAL)["rule"].tolist() == ["holding back"]


@pytest.mark.parametrize(("discount", "ratchet"), [(0.9, 0.2), (0.9, 0.1), (0.5, 0.2)])
def test_a_ratchet_shades_the_report_by_a_lower_quantile(discount: float, ratchet: float) -> None:
    """Each unit said costs discount x beta x ratchet next period: F(report) = tau - that / (gamma - alpha)."""
    size = rule(warnings(SOVIET, NORMAL, discount=discount, ratchet=ratchet), "ratchet")["size"]
    expected = stats.norm(100, 20).ppf(0.5 - discount * ratchet / 0.6) / 100 - 1
    assert size == pytest.approx(expected, abs=1e-5)


def test_a_ratchet_on_an_objective_that_divides() -> None:
    """Gonik: the next bonus is the same times objective / next objective."""
    found = rule(warnings(gonik(100), NORMAL, discount=0.9, ratchet=0.2), "ratchet")
    best_next = 120 - 1.2 * 20 * stats.norm.pdf(0)

    def lost(said: float) -> float:
        z = (said - 100) / 20
        now = 0.6 * (said + 100) - 1.2 * 20 * (stats.norm.pdf(z) + z * stats.norm.cdf(z))
        return -(now + 0.9 * best_next * 100 / (100 + 0.2 * (said - 100)))

    said = optimize.minimize_scalar(lost, bounds=(50, 120), method="bounded").x
    assert found["size"] == pytest.approx(said / 100 - 1, abs=1e-4)
    assert found["breaks"]
    assert "actuals and the market" in found["remedy"]


def test_a_ratchet_stronger_than_the_penalty_has_no_end() -> None:
    found = rule(warnings(SOVIET, NORMAL, discount=0.9, ratchet=1.0), "ratchet")
    assert found["size"] == -np.inf
    assert found["what"] == "The lower the report, the better: nothing holds it."


def test_without_an_objective_there_is_no_ratchet() -> None:
    table = warnings(scoring_rule("distribution", amount=50, rate=1), NORMAL, ratchet=0.5)
    assert "ratchet" not in table["rule"].tolist()


@pytest.mark.parametrize(("discount", "breaks"), [(0.69, False), (0.71, True)])
def test_holding_sales_back_pays_where_the_discounted_beta_is_above_alpha(
    discount: float, breaks: bool
) -> None:
    found = rule(warnings(SOVIET, NORMAL, discount=discount), "holding back")
    assert found["size"] == pytest.approx(discount - 0.7, abs=1e-5)
    assert found["breaks"] == breaks


def test_the_spread_that_the_remedy_names_is_just_narrow_enough() -> None:
    found = rule(warnings(SOVIET, NORMAL, discount=0.9), "holding back")
    assert "from 0.6 to 0.2" in found["remedy"]
    narrow = weitzman_design(beta=1, tau=0.5, spread=0.2)
    assert not rule(warnings(narrow, NORMAL, discount=0.9), "holding back")["breaks"]


def test_a_score_alone_fines_whoever_sells_more_than_was_said() -> None:
    found = rule(warnings(scoring_rule("commit_80", amount=50, rate=1), NORMAL), "holding back")
    assert found["size"] == pytest.approx(0.2, abs=1e-5)
    assert "at least 0.2 a unit" in found["remedy"]


def test_a_cap_within_reach_keeps_sales_for_later() -> None:
    found = rule(warnings(SOVIET.with_limits(cap=110), NORMAL, discount=0.9), "holding back")
    assert found["breaks"]
    assert "Lift the cap" in found["remedy"]


def test_a_menu_pays_the_chosen_rate_on_every_unit_so_nothing_is_held_back() -> None:
    found = rule(warnings(convex_menu(100, rate=1, spread=1), NORMAL, discount=0.9), "holding back")
    assert (found["size"], found["breaks"]) == (pytest.approx(-0.2, abs=1e-5), False)


def test_dislike_of_risk_lowers_the_report_as_the_first_order_condition_says() -> None:
    found = rule(warnings(SOVIET, NORMAL, risk_aversion=2.0), "risk aversion")
    law, rate = stats.norm(100, 20), 2.0 / (100 - 0.6 * 20 * stats.norm.pdf(0))

    def slope(said: float) -> float:  # of expected utility: 0.3 where sales pass it, -0.3 where they do not
        def felt(came: float) -> float:
            return np.exp(-rate * SOVIET.bonus(said, came)) * law.pdf(came)

        return 0.3 * integrate.quad(felt, said, 300)[0] - 0.3 * integrate.quad(felt, -100, said)[0]

    assert found["size"] == pytest.approx(optimize.brentq(slope, 50, 120) / 100 - 1, abs=1e-4)
    assert found["size"] < 0


@pytest.mark.parametrize("scheme", sorted(known_schemes(100)))
def test_hardly_any_dislike_of_risk_hardly_moves_a_report(scheme: str) -> None:
    table = warnings(known_schemes(100)[scheme], NORMAL, risk_aversion=1e-5)
    assert (table.loc[table["rule"] == "risk aversion", "size"].abs() < 1e-4).all()


def test_a_floor_and_a_cap_pull_in_opposite_directions() -> None:
    low = rule(warnings(weitzman("0.7", 1, "1.3", base=-80).with_limits(floor=0), NORMAL), "floor or cap")
    high = rule(warnings(SOVIET.with_limits(cap=110), NORMAL), "floor or cap")
    assert low["size"] > 0.01
    assert high["size"] < -0.01


def test_a_limit_out_of_reach_changes_nothing() -> None:
    found = rule(warnings(SOVIET.with_limits(floor=-1000, cap=1000), NORMAL), "floor or cap")
    assert (found["breaks"], found["remedy"], found["what"]) == (False, "", "Honesty still pays best.")


def test_a_prize_for_the_nearest_asks_for_the_likeliest_and_not_for_the_median() -> None:
    skewed = stats.lognorm(0.5, scale=100)
    found = rule(warnings(SOVIET, {"skewed": skewed}, rivals=9), "ranking")
    rng = np.random.default_rng(5)
    rivals = np.abs(skewed.rvs((40_000, 9), random_state=rng) - 100).min(axis=1)
    own = skewed.rvs(40_000, random_state=rng)
    honest, other = ((np.abs(own - said) < rivals).mean() for said in (100.0, 100 * (1 + found["size"])))
    assert found["breaks"]
    assert found["size"] < -0.05
    assert other > honest
    # a single rival pulls less than nine
    assert found["size"] < rule(warnings(SOVIET, {"skewed": skewed}, rivals=1), "ranking")["size"] - 0.01


def test_another_median_of_a_belief_with_gaps_is_no_warning() -> None:
    few = {str(seed): np.random.default_rng(seed).lognormal(4.5, 0.4, 10) for seed in range(20)}
    table = warnings(SOVIET.with_limits(floor=-1000), few, discount=0.5)
    assert not table["breaks"].any()
    assert (table.loc[table["rule"] == "floor or cap", "size"].abs() < 1e-9).all()


def test_under_a_symmetric_belief_the_median_also_wins_most_often() -> None:
    assert not rule(warnings(SOVIET, NORMAL, rivals=9), "ranking")["breaks"]


def test_every_rule_is_measured_for_both_numbers_of_a_distribution() -> None:
    table = warnings(scoring_rule("distribution", amount=50, rate=1), NORMAL, risk_aversion=2, rivals=3)
    assert table["statistic"].tolist() == ["sales", "mean", "sd", "mean", "sd"]
    wide, tight = table.loc[table["statistic"] == "sd", "size"]
    assert wide > 0.05  # fear of a large miss widens what is said
    assert tight < -0.05  # a prize narrows it


@pytest.mark.parametrize(
    "wrong", [{"discount": 1.5}, {"ratchet": -0.1}, {"ratchet": 2.0}, {"risk_aversion": -1.0}, {"rivals": -1}]
)
def test_numbers_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ParamsError, match="out of range"):
        warnings(SOVIET, NORMAL, **wrong)
