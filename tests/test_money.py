"""Whole minor units: apportionment laws, worked examples, and amounts as people read them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.errors import MoneyError, NoBasisError
from spms_lib.money import apportion, apportion_groups, format_money, minor_per_unit, to_minor

weight_lists = st.lists(st.integers(0, 10**6), min_size=1, max_size=40).filter(lambda w: sum(w) > 0)
totals = st.integers(-(10**13), 10**13)


@given(totals, weight_lists)
def test_parts_sum_to_the_total(total: int, weights: list[int]) -> None:
    assert apportion(total, pd.Series(weights)).sum() == total


@given(totals, weight_lists)
def test_no_part_is_a_whole_unit_from_its_exact_share(total: int, weights: list[int]) -> None:
    parts = apportion(total, pd.Series(weights))
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * sum(weights) - total * weight) < sum(weights) * (1 + 1e-3)


@given(st.integers(0, 10**12), weight_lists)
def test_a_negative_total_is_the_mirror_image(total: int, weights: list[int]) -> None:
    assert (apportion(-total, pd.Series(weights)) == -apportion(total, pd.Series(weights))).all()


@given(st.integers(0, 10**9), weight_lists, st.integers(2, 50))
def test_only_the_ratios_of_weights_matter(total: int, weights: list[int], factor: int) -> None:
    scaled = apportion(total, pd.Series(weights) * factor)
    assert (scaled == apportion(total, pd.Series(weights))).all()


@given(st.lists(st.tuples(st.integers(-(10**9), 10**9), weight_lists), min_size=1, max_size=6))
def test_groups_are_split_as_one_by_one(groups: list[tuple[int, list[int]]]) -> None:
    sizes = [len(weights) for _, weights in groups]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    weights = np.concatenate([w for _, w in groups]).astype(float)[:, None]
    together = apportion_groups(np.array([[total] for total, _ in groups]), weights, starts)
    alone = np.concatenate([apportion(total, pd.Series(w)).to_numpy() for total, w in groups])
    assert together[:, 0].tolist() == alone.tolist()


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),  # the first of equals takes the odd cent
        (-100, [1, 1, 1], [-34, -33, -33]),
        (10000, [1, 1, 1], [3334, 3333, 3333]),
        (7, [0, 1, 0, 2], [0, 2, 0, 5]),  # weight zero gets nothing
        (1, [5, 3, 2], [1, 0, 0]),
        (0, [0, 0], [0, 0]),
        (10, [7, 5, 3], [5, 3, 2]),  # exact 4.67, 3.33, 2: remainders .67 and .33
    ],
)
def test_worked_examples(total: int, weights: list[int], parts: list[int]) -> None:
    assert apportion(total, pd.Series(weights)).tolist() == parts


def test_all_zero_weights_are_refused_by_name() -> None:
    with pytest.raises(NoBasisError, match=r"\['north', 'south'\] are all zero"):
        apportion(100, pd.Series({"north": 0, "south": 0}))


@pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf")])
def test_a_negative_or_missing_weight_is_refused_by_name(wrong: float) -> None:
    with pytest.raises(NoBasisError, match=r"\['south'\] are negative or missing"):
        apportion(100, pd.Series({"north": 1.0, "south": wrong}))


def test_nobody_to_split_among_is_refused_unless_there_is_nothing_to_split() -> None:
    with pytest.raises(NoBasisError, match="nobody"):
        apportion(1, pd.Series([], dtype=float))
    assert apportion(0, pd.Series([], dtype=float)).tolist() == []


def test_amounts_are_turned_into_cents_without_float_error() -> None:
    assert [to_minor(text) for text in ("0.29", "1.10", "-4.35", "1234567890123.45")] == [
        29, 110, -435, 123456789012345,
    ]  # fmt: skip
    assert to_minor("1250", minor_per_unit("JPY")) == 1250


def test_amounts_are_written_by_currency_and_missing_is_a_dash() -> None:
    assert format_money(-12345, "EUR") == "-€123.45"
    assert format_money(1250, "JPY") == "¥1,250"
    assert format_money(None, "EUR") == "–"
    assert format_money(0, "EUR") == "€0.00"
    assert format_money(1_234_567_89, "USD", compact=True) == "$1.23M"
    assert format_money(float("nan"), "USD", compact=True) == "–"


def test_an_unknown_currency_is_refused() -> None:
    with pytest.raises(MoneyError, match="'EURO' is not a currency"):
        minor_per_unit("EURO")
