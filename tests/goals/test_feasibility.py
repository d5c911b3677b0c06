"""Chances of targets, effort and honesty, held to worked numbers, to laws and to simulated sellers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.errors import ParamsError, TableError
from spms_lib.goals.effort import depends_on_size, effort, gini
from spms_lib.goals.feasibility import (
    BEYOND,
    EASY,
    FAIR,
    STRETCH,
    UNKNOWN,
    Reach,
    chance_of_attaining,
    classify,
    count_classes,
    difficulty,
    feasibility,
    target_with_chance,
)
from spms_lib.goals.honesty import brier, calibration, widening


def series(*values: float | None) -> pd.Series:
    return pd.Series(values, index=[f"n{i}" for i in range(len(values))], dtype=float)


@pytest.mark.parametrize(
    ("target", "chance"),
    [
        (100, 0.5),
        (110, 0.158655),
        (90, 0.841345),
        (120, 0.022750),
    ],  # tables of the normal distribution, sigma 10
)
def test_a_target_one_spread_above_what_is_expected_has_a_chance_of_sixteen_per_cent(
    target: float, chance: float
) -> None:
    assert chance_of_attaining(series(target), series(100), series(10)).item() == pytest.approx(
        chance, abs=1e-6
    )


def test_few_quarters_of_evidence_leave_more_room_for_surprises() -> None:
    one = series(120), series(100), series(10)
    # Student's t with 3 degrees of freedom lies above 2 with a chance of 6.97 % (printed tables)
    assert chance_of_attaining(*one, degrees=3).item() == pytest.approx(0.0697, abs=5e-5)
    assert chance_of_attaining(*one, degrees=1e7).item() == pytest.approx(
        chance_of_attaining(*one).item(), abs=1e-6
    )


def test_where_nobody_can_tell_the_chance_is_missing_and_not_nothing() -> None:
    found = chance_of_attaining(series(100, 100, None), series(None, 100, 100), series(10, None, 10))
    assert found.isna().all()
    assert classify(found, Reach()).tolist() == [UNKNOWN] * 3
    assert difficulty(series(100, 100), series(None, 0)).isna().all()


def test_a_certain_outcome_reaches_its_target_or_does_not() -> None:
    found = chance_of_attaining(series(100, 99, 101), series(100, 100, 100), series(0, 0, 0))
    assert found.tolist() == [1.0, 1.0, 0.0]


def test_a_negative_spread_is_refused_by_the_name_of_its_node() -> None:
    with pytest.raises(TableError, match="'n1' is negative"):
        chance_of_attaining(series(1, 1), series(1, 1), series(1, -1))


@given(
    chance=st.floats(0.01, 0.99),
    expected=st.floats(-1e9, 1e9),
    spread=st.floats(1.0, 1e9),
    degrees=st.one_of(st.none(), st.integers(2, 40)),
)
def test_the_target_with_a_chance_has_that_chance(
    chance: float, expected: float, spread: float, degrees: int | None
) -> None:
    target = target_with_chance(chance, series(expected), series(spread), degrees=degrees)
    assert chance_of_attaining(
        target, series(expected), series(spread), degrees=degrees
    ).item() == pytest.approx(chance, abs=1e-5)


def test_a_chance_of_a_hundred_per_cent_belongs_to_no_target() -> None:
    with pytest.raises(ParamsError, match="chance of 1"):
        target_with_chance(1.0, series(1), series(1))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_every_target_has_one_class_and_easier_targets_never_a_harder_one(chances: list[float]) -> None:
    ordered = classify(pd.Series(sorted(chances)), Reach(0.1, 0.4, 0.8)).tolist()
    place = {name: number for number, name in enumerate([BEYOND, STRETCH, FAIR, EASY])}
    assert [place[name] for name in ordered] == sorted(place[name] for name in ordered)


def test_the_limits_of_the_classes_belong_to_the_upper_class_but_for_too_easy() -> None:
    assert classify(pd.Series([0.1, 0.35, 0.85, 0.850001]), Reach()).tolist() == [STRETCH, FAIR, FAIR, EASY]
    assert "below 10%" in Reach().convention
    with pytest.raises(ParamsError, match="do not rise"):
        Reach(0.5, 0.4, 0.9)


def test_the_table_says_what_a_planner_could_ask_instead() -> None:
    table = feasibility(series(120, 50), series(100, None), series(20, None), reach=Reach()).set_index("node")
    first = table.loc["n0"]
    assert first["class"] == STRETCH
    assert first["chance"] == pytest.approx(0.158655, abs=1e-6)
    assert (first["low"], first["high"]) == (
        pytest.approx(74.369, abs=1e-3),
        pytest.approx(125.631, abs=1e-3),
    )  # 1.28155 x 20
    assert (first["at_50"], first["at_70"]) == (pytest.approx(100.0), pytest.approx(89.512, abs=1e-3))
    assert first["difficulty"] == pytest.approx(1.2)
    assert table.loc["n1"].drop(["target", "class"]).isna().all()
    assert table.loc["n1", "class"] == UNKNOWN


def test_nobody_is_said_to_sell_less_than_nothing() -> None:
    table = feasibility(series(100), series(100), series(500), reach=Reach())
    assert table["low"].item() == 0.0
    assert table["at_70"].item() == 0.0


def test_classes_are_counted_by_level_and_every_node_once() -> None:
    table = pd.DataFrame({"level": ["company", "seller", "seller"], "class": [FAIR, EASY, UNKNOWN]})
    counts = count_classes(table).set_index("level")
    assert counts.loc["seller"].to_dict() == {"nodes": 2, BEYOND: 0, STRETCH: 0, FAIR: 0, EASY: 1, UNKNOWN: 1}
    assert counts["nodes"].sum() == len(table)


# -- effort --------------------------------------------------------------------------------------


def test_the_same_difficulty_for_everybody_is_no_spread_at_all() -> None:
    row = effort(series(1.1, 1.1, 1.1, None), pd.Series("all of us", index=series(1, 1, 1, 1).index)).iloc[0]
    assert (row["nodes"], row["unknown"], row["median"]) == (4, 1, pytest.approx(1.1))
    assert (row["variance"], row["cv"], row["iqr"], row["gini"]) == (
        pytest.approx(0),
        pytest.approx(0),
        pytest.approx(0),
        pytest.approx(0),
    )


def test_the_measures_of_effort_by_hand() -> None:
    values = series(0.8, 1.0, 1.2, 1.4)
    table = effort(values, pd.Series(["a", "a", "b", "b"], index=values.index)).set_index("group")
    assert table.loc["all", "variance"] == pytest.approx(0.2 / 3)
    assert table.loc["all", "cv"] == pytest.approx(np.sqrt(0.2 / 3) / 1.1)
    assert table.loc["all", "iqr"] == pytest.approx(0.3)
    pairs = [abs(x - y) for x in values for y in values]
    assert table.loc["all", "gini"] == pytest.approx(sum(pairs) / len(pairs) / 2 / 1.1)
    assert table.loc["b", "median"] == pytest.approx(1.3)


@given(st.lists(st.floats(0.01, 100), min_size=2, max_size=20))
def test_gini_is_half_the_mean_difference_by_the_mean(values: list[float]) -> None:
    pairs = np.abs(np.subtract.outer(values, values)).mean()
    assert gini(pd.Series(values)) == pytest.approx(pairs / 2 / np.mean(values), abs=1e-9)


def test_one_seller_alone_has_no_spread_to_speak_of() -> None:
    row = effort(series(1.0), pd.Series("a", index=series(1.0).index)).iloc[0]
    assert row[["variance", "cv", "iqr", "gini"]].isna().all()


def test_hard_targets_for_the_small_show_as_a_negative_correlation() -> None:
    size = pd.Series(np.arange(1.0, 31.0))
    harder = 1.0 + 1.0 / size
    found = depends_on_size(harder, size)
    assert found["correlation"] == pytest.approx(-1.0)
    mixed = depends_on_size(pd.Series(np.tile([1.0, 1.2, 0.9], 10)), size)
    assert mixed["low"] < 0 < mixed["high"]
    assert depends_on_size(series(1, 2, 3), series(1, 2, 3)).drop("n").isna().all()
    assert depends_on_size(series(1, 2, 3, 4, 5), series(7, 7, 7, 7, 7)).drop("n").isna().all()


def test_the_interval_of_the_correlation_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    true_rank = 6 / np.pi * np.arcsin(0.5 / 2)  # Spearman's of a normal pair with correlation 0.5
    held = 0
    for _ in range(250):
        x = rng.standard_normal(40)
        y = 0.5 * x + np.sqrt(0.75) * rng.standard_normal(40)
        found = depends_on_size(pd.Series(y), pd.Series(x))
        held += bool(found["low"] <= true_rank <= found["high"])
    assert 0.92 < held / 250 < 0.98


# -- honesty -------------------------------------------------------------------------------------


def test_errors_in_common_widen_the_spread_above_and_not_below() -> None:
    rng = np.random.default_rng(3)
    quarters, sellers = 40, 50
    market = rng.normal(0, 10, (quarters, 1))
    own = rng.normal(0, 30, (quarters, sellers))
    errors = market + own
    stated = np.hypot(30, 10)  # each seller's own spread is right
    above = errors.sum(axis=1) / (
        stated * np.sqrt(sellers)
    )  # the company's is taken as if they were independent
    rows = pd.concat(
        [
            pd.DataFrame({"level": "seller", "surprise": (errors / stated).ravel()}),
            pd.DataFrame({"level": "company", "surprise": above}),
        ]
    )
    factors = widening(rows)
    true_factor = np.sqrt((sellers * 30**2 + sellers**2 * 10**2) / (sellers * (30**2 + 10**2)))
    assert factors["seller"] == pytest.approx(1.0, abs=0.05)
    assert factors["company"] == pytest.approx(true_factor, rel=0.2)


def test_a_level_with_a_single_past_cell_is_drawn_towards_the_others() -> None:
    rows = pd.DataFrame({"level": ["company"] + ["seller"] * 400, "surprise": [5.0] + [1.0, -1.0] * 200})
    factors = widening(rows)
    assert 1.0 < factors["company"] < 5.0
    assert factors["seller"] == pytest.approx(1.0, abs=0.06)
    assert widening(rows.head(0)).empty


def test_the_brier_score_by_hand() -> None:
    score = brier(series(0.9, 0.2, 0.5, None), series(1, 0, 0, 1))
    assert score["n"] == 3
    assert score["brier"] == pytest.approx((0.01 + 0.04 + 0.25) / 3)
    assert score["brier_of_base_rate"] == pytest.approx(1 / 3 * 2 / 3)
    assert score["skill"] == pytest.approx(1 - 0.1 / (2 / 9))


def test_true_chances_are_found_to_be_calibrated_and_boasted_ones_are_not() -> None:
    rng = np.random.default_rng(11)
    truth = pd.Series(rng.uniform(0.05, 0.95, 3000))
    came = pd.Series((rng.uniform(size=3000) < truth).astype(float))
    honest = calibration(truth, came, bins=6)
    assert honest["n"].sum() == 3000
    assert (honest["chance"].between(honest["low"], honest["high"])).all()
    boasted = calibration(pd.Series(np.where(truth > 0.5, 0.99, 0.01)), came, bins=6)
    assert not (boasted["chance"].between(boasted["low"], boasted["high"])).any()
    assert calibration(truth.head(0), came.head(0)).empty
