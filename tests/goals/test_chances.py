"""Chances come from the company's own growth, and the amount for a chance is its exact inverse."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from spms_lib.errors import ParamsError
from spms_lib.goals.chances import (
    amount_reached_with,
    chance_from_history,
    chance_of_reaching,
    likely_amounts,
    outlook,
)

PAST = pd.Series([100, 100, 100, 100, 110, 108, 112, 110.0])


def test_the_mean_of_past_growth_has_an_even_chance() -> None:
    growth = np.log(PAST.to_numpy()[4:] / PAST.to_numpy()[:-4]).mean()
    assert chance_of_reaching(PAST, 110.0 * np.exp(growth), steps=4) == pytest.approx(0.5, abs=0.02)


@given(st.floats(50, 300), st.floats(50, 300))
def test_a_higher_target_is_never_more_likely(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert chance_of_reaching(PAST, low, steps=4) >= chance_of_reaching(PAST, high, steps=4)


@given(st.floats(0.01, 1000))
def test_the_unit_of_money_does_not_matter(unit: float) -> None:
    assert chance_of_reaching(PAST * unit, 121 * unit, steps=4) == pytest.approx(
        chance_of_reaching(PAST, 121, steps=4)
    )


def test_the_comparison_is_with_the_same_quarter_of_last_year() -> None:
    """The next quarter is the second of a year: last year it was 200, and growth was 10 % in every quarter."""
    past = pd.Series([50, 200, 60, 70, 55, 220, 66, 77, 60.5])
    assert chance_of_reaching(past, 241.9, steps=4) == 1.0
    assert chance_of_reaching(past, 242.1, steps=4) == 0.0


@pytest.mark.parametrize(
    ("history", "target"),
    [
        (PAST.iloc[:6], 121.0),  # two growth rates
        (pd.Series([], dtype=float), 121.0),
        (PAST.where(PAST != 108, 0.0), 121.0),  # a quarter without sales
        (PAST.where(PAST != 108), 121.0),  # a quarter that nobody knows
        (PAST, 0.0),
        (PAST, float("nan")),
    ],
)
def test_too_little_history_gives_no_chance_rather_than_a_wrong_one(
    history: pd.Series, target: float
) -> None:
    assert chance_of_reaching(history, target, steps=4) is None


HISTORIES = st.lists(st.floats(1.0, 1e9), min_size=7, max_size=24).map(pd.Series)
CHANCES = st.floats(0.001, 0.999)


@given(HISTORIES, CHANCES)
def test_the_amount_for_a_chance_has_that_chance(history: pd.Series, chance: float) -> None:
    amount = amount_reached_with(history, chance, steps=4)
    if outlook(history, steps=4).spread > 1e-6:  # else every chance is 0 or 1
        assert chance_of_reaching(history, amount, steps=4) == pytest.approx(chance, abs=1e-6)


@given(HISTORIES, CHANCES, CHANCES)
def test_a_safer_amount_is_never_the_larger_one(history: pd.Series, one: float, other: float) -> None:
    low, high = sorted((one, other))
    safe, bold = (amount_reached_with(history, chance, steps=4) for chance in (high, low))
    assert safe <= bold * (1 + 1e-12)


def test_the_chance_is_a_prediction_from_the_mean_growth_of_a_few_years() -> None:
    """By hand: log growth 0, 0.1 and 0.2; the next is 0.1 +- t(2 df) x 0.1 x sqrt(1 + 1/3)."""
    past = pd.Series(np.exp([1.0, 1.0, 1.1, 1.3]))
    amount = np.exp(1.3 + 0.1 + stats.t.ppf(0.9, df=2) * 0.1 * np.sqrt(4 / 3))
    assert chance_of_reaching(past, amount, steps=1) == pytest.approx(0.1)
    assert amount_reached_with(past, 0.5, steps=1) == pytest.approx(np.exp(1.4))


@pytest.mark.parametrize("certain", [0.0, 1.0, -0.1, 1.5, float("nan")])
def test_nothing_is_certain(certain: float) -> None:
    with pytest.raises(ParamsError, match="No amount is reached with a probability"):
        amount_reached_with(PAST, certain, steps=4)


def test_without_growth_there_is_no_amount_for_a_chance() -> None:
    assert amount_reached_with(PAST.iloc[:6], 0.9, steps=4) is None
    assert amount_reached_with(PAST.where(PAST != 108, 0.0), 0.9, steps=4) is None


@given(HISTORIES, st.floats(1.0, 1e9))
def test_up_and_down_share_the_whole_chance(history: pd.Series, target: float) -> None:
    up, down = (chance_from_history(history, target, steps=4, direction=way) for way in ("up", "down"))
    if outlook(history, steps=4).spread > 1e-6:
        assert up + down == pytest.approx(1.0)
    assert up == chance_of_reaching(history, target, steps=4)


def test_counts_that_were_zero_are_judged_by_their_differences() -> None:
    """Differences +1, +1, +1, +1 from a start at zero: the next is 5 for sure, and no more."""
    past = pd.Series([0, 1, 2, 3, 4.0])
    assert [chance_from_history(past, target, steps=1) for target in (5.0, 5.1)] == [1.0, 0.0]
    assert chance_of_reaching(past, 5.0, steps=1) is None


def test_the_unit_of_a_count_does_not_matter_either() -> None:
    past = pd.Series([3, 0, 2, 5, -1, 4.0])
    assert chance_from_history(past * 100, 600, steps=1) == pytest.approx(
        chance_from_history(past, 6, steps=1)
    )


def test_what_is_always_positive_surely_reaches_zero() -> None:
    assert chance_from_history(PAST, 0.0, steps=4) == 1.0
    assert chance_from_history(PAST, -1.0, steps=4, direction="down") == 0.0


def test_the_same_growth_every_time_is_certain_in_both_directions() -> None:
    past = pd.Series([100, 110, 121, 133.1])
    assert [chance_from_history(past, x, steps=1, direction="down") for x in (146.4, 146.5)] == [0.0, 1.0]


def test_a_short_history_or_a_gap_says_nothing() -> None:
    assert chance_from_history(PAST.iloc[:6], 100.0, steps=4) is None
    assert chance_from_history(PAST.where(PAST != 108), 100.0, steps=4) is None
    assert chance_from_history(PAST, float("nan"), steps=4) is None


@given(HISTORIES)
def test_what_is_drawn_as_likely_has_the_chances_it_says(history: pd.Series) -> None:
    table = likely_amounts(history, steps=4, tail=0.1, points=11)
    if len(table):
        assert table["chance"].iloc[[0, -1]].tolist() == pytest.approx([0.9, 0.1])
        assert table["density"].max() == 1.0
        spread = outlook(history, steps=4).spread
        if spread > 1e-4:
            exact = [chance_of_reaching(history, amount, steps=4) for amount in table["amount"]]
            assert table["chance"].tolist() == pytest.approx(exact, abs=1e-6)


def test_the_density_is_the_slope_of_the_chance() -> None:
    table = likely_amounts(PAST, steps=4, points=4001)
    slope = -np.gradient(table["chance"], table["amount"])
    inner = slice(5, -5)
    assert (table["density"] / table["density"].max())[inner].tolist() == pytest.approx(
        (slope / slope.max())[inner].tolist(), abs=2e-3
    )


def test_no_history_is_nothing_to_draw() -> None:
    assert likely_amounts(pd.Series(dtype=float), steps=4).empty
    assert likely_amounts(pd.Series([100, 110, 121, 133.1]), steps=1).empty
