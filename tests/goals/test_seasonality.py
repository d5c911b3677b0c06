"""Seasonality: shares sum to one, and a group's own pattern counts with the years that it was seen."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import ParamsError
from spms_lib.goals.seasonality import month_shares, pattern_shares

YEAR = FiscalCalendar()
Q1_25, Q1_24 = ["2025-01", "2025-02", "2025-03"], ["2024-01", "2024-02", "2024-03"]
nan = float("nan")


def history(months: list[str], **rows: list[float]) -> pd.DataFrame:
    return pd.DataFrame(rows, index=months).T


def shares(frame: pd.DataFrame, quarter: str = "2026Q1", **options: float) -> pd.DataFrame:
    return month_shares(frame, quarter, YEAR, **options)


@given(st.integers(0, 10**6), st.floats(0, 50))
def test_shares_of_every_group_sum_to_one_and_none_is_negative(seed: int, prior: float) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(50, 60, (4, 6))
    values[rng.random((4, 6)) < 0.3] = nan
    answer = shares(pd.DataFrame(values, list("abcd"), Q1_24 + Q1_25), prior_years=prior)
    assert answer.sum(axis=1).tolist() == pytest.approx([1.0] * 4)
    assert (answer >= 0).all(axis=None)


def test_shrinkage_runs_from_the_groups_own_pattern_to_the_companys() -> None:
    frame = history(Q1_25, a=[0, 0, 90], b=[90, 90, 90])
    own = [0.0, 0.0, 1.0]
    company = [0.25, 0.25, 0.5]
    assert shares(frame, prior_years=0).loc["a"].tolist() == pytest.approx(own)
    assert shares(frame, prior_years=1e12).loc["a"].tolist() == pytest.approx(company)
    # one year of its own against two of the company
    assert shares(frame, prior_years=2).loc["a"].tolist() == pytest.approx(
        [2 / 3 * c + 1 / 3 * o for c, o in zip(company, own, strict=True)]
    )


def test_a_group_without_a_past_gets_the_companys_pattern() -> None:
    frame = history(Q1_25, old=[10, 20, 30], young=[nan, nan, nan])
    assert shares(frame, prior_years=0).loc["young"].tolist() == pytest.approx([1 / 6, 1 / 3, 1 / 2])


def test_a_group_that_began_inside_the_quarter_has_no_pattern_from_it() -> None:
    """Missing is not zero: the month before its first sale says nothing about its seasons."""
    frame = history(Q1_25, old=[30, 30, 30], young=[nan, 50, 50])
    assert shares(frame, prior_years=0).loc["young"].tolist() == pytest.approx([1 / 3] * 3)


def test_a_month_of_returns_counts_as_nothing() -> None:
    assert shares(history(Q1_25, a=[-10, 50, 50]), prior_years=0).loc["a"].tolist() == [0.0, 0.5, 0.5]


@pytest.mark.parametrize(
    "frame", [history([], a=[]), history(Q1_25, a=[0, 0, 0]), history(Q1_25[:2], a=[1, 2])]
)
def test_without_a_past_quarter_months_get_their_working_days(frame: pd.DataFrame) -> None:
    assert shares(frame).loc["a"].tolist() == pytest.approx([22 / 64, 20 / 64, 22 / 64])


def test_where_last_years_quarter_is_not_known_yet_the_one_before_counts() -> None:
    """Planning 2027Q1 before 2026Q1 is over: the pattern of 2025Q1 is the last one known."""
    assert shares(history(Q1_25, a=[10, 20, 70]), "2027Q1").loc["a"].tolist() == pytest.approx(
        [0.1, 0.2, 0.7]
    )


def test_quarters_of_a_fiscal_year_are_compared_with_themselves() -> None:
    july = FiscalCalendar(start_month=7)
    frame = history(["2024-07", "2024-08", "2024-09", *Q1_25], a=[1, 1, 8, 50, 30, 20])
    answer = month_shares(frame, "2026Q1", july, prior_years=0)
    assert list(answer.columns) == ["2025-07", "2025-08", "2025-09"]
    assert answer.loc["a"].tolist() == pytest.approx([0.1, 0.1, 0.8])


# -- patterns ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "periods", "total", "expected"),
    [
        ("4-4-5", 3, 13, [4, 4, 5]),  # Oracle, spread patterns: 13 over a quarter of weeks
        ("4-5-4", 3, 13, [4, 5, 4]),
        ("5-4-4", 6, 26, [5, 4, 4, 5, 4, 4]),  # a pattern of a quarter repeats
        ("even", 4, 100, [25, 25, 25, 25]),  # Siebel, a quota that does not accumulate
        ("25/50/75/100", 4, 100, [25, 25, 25, 25]),  # Siebel, the same as a running total
        ("10/30/60/100", 4, 100, [10, 20, 30, 40]),
        ("1-2-1", 3, 400, [100, 200, 100]),  # Oracle, bell
        ("bell", 3, 400, [100, 200, 100]),
        ("bell", 4, 60, [10, 20, 20, 10]),
        ([20.0, 30.0, 50.0], 3, 10, [2, 3, 5]),
        ([8.33] * 8 + [8.34] * 4, 4, 10000, [2499, 2499, 2500, 2502]),  # ERPNext: a quarter sums its months
    ],
)
def test_the_trades_patterns(pattern: str | list[float], periods: int, total: int, expected: list) -> None:
    assert (total * pattern_shares(pattern, periods)).tolist() == pytest.approx(expected)


@given(st.lists(st.integers(0, 9), min_size=2, max_size=6).filter(any), st.integers(1, 4))
def test_a_pattern_repeats_and_its_shares_sum_to_one(weights: list[int], times: int) -> None:
    answer = pattern_shares("-".join(map(str, weights)), times * len(weights))
    assert answer.sum() == pytest.approx(1.0)
    assert (answer * sum(weights) * times).tolist() == pytest.approx(weights * times)


@pytest.mark.parametrize(
    ("pattern", "periods", "message"),
    [
        ([33.33, 33.33, 33.33], 3, r"sum to 99.99"),  # ERPNext: 100.00 at two decimals, or not at all
        ([0.2, 0.3, 0.5], 3, "sum to 1.00"),
        ([60.0, 60.0, -20.0], 3, "missing or negative"),
        ([nan, 50.0, 50.0], 3, "missing or negative"),
        ([50.0, 50.0], 3, "has 2 numbers, which do not fit 3 periods"),
        ("4-4-5", 4, "has 3 numbers, which do not fit 4 periods"),
        ("25/75/50/100", 4, "falls"),
        ("25/50/75/90", 4, "sum to 90.00"),
        ("0-0-0", 3, "is no pattern"),
        ("4-4-x", 3, "is no pattern"),
        ("evne", 3, "'evne' is no pattern.*even, bell"),
        ("even", 0, "There are 0 periods"),
    ],
)
def test_a_pattern_that_means_nothing_is_refused(pattern: str | list, periods: int, message: str) -> None:
    with pytest.raises(ParamsError, match=message):
        pattern_shares(pattern, periods)
