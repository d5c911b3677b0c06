"""Seasonality: shares sum to one, and a group's own pattern counts with the years that it was seen."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.calendar import FiscalCalendar
from spms_lib.goals.seasonality import month_shares

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
