"""Baseline: from history alone, without a glance at later months."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.calendar import FiscalCalendar
from spms_lib.goals.baseline import backtest, baseline, growth_ratios, seasonal_naive

YEAR = FiscalCalendar()
nan = float("nan")


def months(first: str, count: int) -> list[str]:
    return [str(month) for month in pd.period_range(first, periods=count, freq="M")]


def steady(count: int = 36, growth: float = 1.1, first: str = "2023-01") -> pd.DataFrame:
    """Two nodes that grow by the same ratio every year, twice as much in December."""
    names = months(first, count)
    size = [growth ** (i // 12) * (2.0 if name.endswith("-12") else 1.0) for i, name in enumerate(names)]
    return pd.DataFrame([np.array(size) * 100, np.array(size) * 30], ["a", "b"], names)


def test_the_naive_forecast_is_the_same_month_of_the_latest_known_year() -> None:
    history = pd.DataFrame([[5.0, 7.0]], ["a"], ["2024-02", "2025-01"])
    answer = seasonal_naive(history, ["2026-01", "2026-02", "2026-03"], YEAR)
    assert answer.loc["a", ["2026-01", "2026-02"]].tolist() == [7.0, 5.0]
    assert answer["2026-03"].isna().all()


def test_steady_growth_is_found_and_carried_on() -> None:
    history = steady()
    assert growth_ratios(history).tolist() == pytest.approx([1.1, 1.1])
    naive = seasonal_naive(history, ["2026-12"], YEAR)
    assert naive["2026-12"].tolist() == pytest.approx([242.0, 72.6])
    # the view by year says 266.2; the view by level says 242; the baseline stands between them
    assert baseline(history, ["2026-12"], YEAR).loc["a", "2026-12"] == pytest.approx((266.2 + 242.0) / 2)


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.integers(13, 40))
def test_later_months_change_nothing_in_a_backtest(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    names = months("2023-01", 48)
    history = pd.DataFrame(rng.lognormal(3, 1, (3, 48)), list("abc"), names)
    quarter = YEAR.quarter_of(names[count])
    known = [name for name in names if name < YEAR.months(quarter)[0]]
    changed = history.copy()
    changed.loc[:, [name for name in names if name not in known]] *= 1000.0
    before, after = (backtest(frame, [quarter], YEAR) for frame in (history, changed))
    pd.testing.assert_frame_equal(before, after)
    straight = baseline(history[known], YEAR.months(quarter), YEAR)
    told = before[before["source"] == "baseline"].set_index(["node", "period"])["value"]
    assert told["b", YEAR.months(quarter)[0]] == pytest.approx(straight.loc["b", YEAR.months(quarter)[0]])


def test_a_node_younger_than_a_year_has_its_level_and_the_companys_seasons() -> None:
    history = steady(24)
    history.loc["new"] = nan
    history.loc["new", ["2024-11", "2024-12"]] = [10.0, 20.0]
    answer = baseline(history, ["2025-12", "2025-01"], YEAR).loc["new"]
    # its level is 15 a month; December is about twice a mean month of the company
    assert answer["2025-01"] == pytest.approx(
        15 * history["2024-01"].sum() / history.iloc[:, -12:].sum().mean()
    )
    assert answer["2025-12"] > 1.5 * answer["2025-01"]


def test_a_node_never_seen_stays_missing_and_one_that_stopped_is_not_forgotten() -> None:
    history = steady(24)
    history.loc["ghost"] = nan
    history.loc["asleep"] = 0.0
    answer = baseline(history, ["2025-01"], YEAR)
    assert answer.loc["ghost"].isna().all()
    assert answer.loc["asleep", "2025-01"] == 0.0


def test_growth_of_a_node_is_shrunk_to_the_companys_and_held_within_reason() -> None:
    history = steady(24, growth=1.0)
    history.loc["a", history.columns[12:]] *= 100.0
    history.loc["b", history.columns[12:]] *= 0.0
    ratios = growth_ratios(history)
    assert ratios["a"] == 2.0
    assert 0.5 <= ratios["b"] <= 2.0
    assert growth_ratios(steady(24), prior_months=0).tolist() == pytest.approx([1.1, 1.1])


def test_growth_compares_only_months_that_both_years_know() -> None:
    """A node that began half way through last year has not doubled."""
    history = steady(24, growth=1.0)
    history.loc["b", history.columns[:6]] = nan
    assert growth_ratios(history)["b"] == pytest.approx(1.0)


@pytest.mark.parametrize("count", [0, 1, 11, 12])
def test_a_short_history_has_no_growth(count: int) -> None:
    assert growth_ratios(steady(count)).tolist() == [1.0, 1.0]


def test_an_empty_history_gives_missing_forecasts_and_an_empty_backtest() -> None:
    nothing = steady(0)
    assert baseline(nothing, ["2026-01"], YEAR).isna().all(axis=None)
    assert backtest(nothing, ["2026Q1"], YEAR).empty
    assert list(backtest(nothing, [], YEAR).columns) == ["node", "period", "source", "value"]


def test_a_company_that_sold_nothing_divides_by_nothing() -> None:
    history = steady(24) * 0.0
    assert (baseline(history, ["2025-01"], YEAR) == 0.0).all(axis=None)


def test_a_backtest_walks_quarter_by_quarter_with_both_sources() -> None:
    walk = backtest(steady(36), ["2024Q4", "2025Q1"], YEAR)
    assert walk.groupby("source").size().to_dict() == {"baseline": 12, "seasonal_naive": 12}
    assert not walk.duplicated(["node", "period", "source"]).any()
