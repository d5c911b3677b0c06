"""A plan's declaration says which statistic it asks for, and is refused if its numbers ask for another."""

from fractions import Fraction

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.errors import PlanError
from spms_lib.incentives.truth.builders import convex_menu, gonik, scoring_rule, weitzman, weitzman_design
from spms_lib.incentives.truth.declared import incentive_from_dict


def read(text: str, **more: object):
    return incentive_from_dict(yaml.safe_load(text), **more)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{scheme: weitzman, statistic: commit_80, beta: 1, spread: 0.6}", weitzman("0.88", 1, "1.48")),
        ("{scheme: weitzman, statistic: quantile_0.375, alpha: 70, beta: 100, gamma: 150}", weitzman(70, 100, 150)),
        ("{scheme: weitzman, statistic: median, beta: 1 %, spread: 0.6 %, base: 5}",
         weitzman_design(beta="0.01", tau="0.5", spread="0.006", base=5)),
        ("{scheme: gonik, statistic: median, objective: 500, standard: 80}", gonik(500, standard=80)),
        ("{scheme: convex_menu, statistic: mean, objective: 500, rate: 0.7, spread: 0.3}",
         convex_menu(500, rate="0.7", spread="0.3")),
        ("{scheme: scoring_rule, statistic: commit_90, amount: 50, rate: 1}", scoring_rule("commit_90", amount=50, rate=1)),
        ("{scheme: scoring_rule, statistic: distribution, amount: 50, rate: 1, floor: 0}",
         scoring_rule("distribution", amount=50, rate=1).with_limits(floor=0)),
    ],
)  # fmt: skip
def test_a_declaration_is_the_incentive_it_names(text: str, expected: object) -> None:
    assert read(text) == expected


def test_amounts_are_in_currency_units_and_rates_are_not() -> None:
    text = "{scheme: gonik, statistic: median, objective: 5000, standard: 800, cap: 1500, budget_share: 10 %}"
    seen = read(text, currency="EUR")
    assert (seen.objective, seen.cap, float(seen.budget_share)) == (5000_00, 1500_00, 0.1)
    assert seen.bonus(5000_00, 5000_00) == 120 * 800
    assert read("{scheme: weitzman, statistic: median, beta: 1, spread: 0.2}", currency="EUR").beta == 1


@pytest.mark.parametrize(
    ("text", "declared", "elicited"),
    [
        (
            "{scheme: weitzman, statistic: median, alpha: 70, beta: 100, gamma: 150}",
            "median",
            "quantile_0.375",
        ),
        ("{scheme: weitzman, statistic: mean, beta: 1, spread: 0.5}", "mean", "median"),
        ("{scheme: gonik, statistic: commit_80, standard: 100}", "commit_80", "median"),
        ("{scheme: convex_menu, statistic: median, rate: 1, spread: 1}", "median", "mean"),
        ("{scheme: gonik, statistic: distribution, standard: 100}", "distribution", "median"),
    ],
)
def test_a_scheme_that_asks_for_something_else_is_refused_naming_both(
    text: str, declared: str, elicited: str
) -> None:
    with pytest.raises(PlanError, match=f"declares the statistic '{declared}', but .* elicits '{elicited}'"):
        read(text)


@given(st.integers(1, 99))
def test_beta_and_spread_fit_whatever_quantile_is_declared(percent: int) -> None:
    for name in (f"commit_{100 - percent}", f"quantile_0.{percent:02}"):
        data = {"scheme": "weitzman", "statistic": name, "beta": 1, "spread": 0.9}
        assert incentive_from_dict(data).elicits.tau == Fraction(percent, 100)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{statistic: median}", "'None' is not a scheme. Known: weitzman, gonik"),
        ("{scheme: gonik}", "is not a statistic"),
        (
            "{scheme: weitzman, statistic: median, beta: 1, spred: 0.2}",
            "has no 'spred'. Did you mean 'spread'",
        ),
        ("{scheme: weitzman, statistic: median, beta: 1}", "lacks alpha, gamma"),
        ("{scheme: scoring_rule, statistic: median, rate: 1}", "lacks amount"),
        ("{scheme: gonik, statistic: median, standard: lots}", "standard is 'lots', not a number"),
        ("{scheme: gonik, statistic: median, standard: 1, budget_share: 2}", "budget_share is 2"),
        ("{scheme: gonik, statistic: median, standard: 1, floor: 3, cap: 2}", "not below cap"),
        ("{scheme: weitzman, statistic: median, beta: 1, spread: 0.2, alpha: 0.9}", "has no 'alpha'"),
        ("{scheme: scoring_rule, statistic: mean, amount: 1, rate: 1}", "no score for 'mean'"),
    ],
)
def test_a_declaration_that_cannot_be_used_is_refused(text: str, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        read(text)
