"""Figures of plan cost print the numbers they show, and refuse what is not known."""

import numpy as np
import pandas as pd
import pytest

from spms_lib.errors import TableError
from spms_lib.report.figures import cost_spread, pay_and_chances, winners_and_losers
from spms_lib.report.figures.shown import png


def words(ax) -> str:
    return " | ".join(text.get_text() for text in ax.texts)


def test_the_spread_of_cost_names_its_percentiles_mean_and_budget() -> None:
    costs = pd.DataFrame(
        {"standard": np.linspace(100e5, 200e5, 1001), "straight": np.linspace(120e5, 140e5, 1001)}
    )
    ax = cost_spread(costs, currency="EUR", budget=150e5)
    assert "€110K to €190K, mean €150K" in words(ax)
    assert "€122K to €138K, mean €130K" in words(ax)
    assert "€150K at 100%" in words(ax)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["Standard", "Straight"]
    assert png(ax.figure)[:4] == b"\x89PNG"


def test_a_cost_that_never_varies_is_drawn() -> None:
    assert png(cost_spread(pd.DataFrame({"fixed": [5e6] * 10}), currency="EUR").figure)


def test_pay_stands_over_the_density_of_attainment() -> None:
    curve = pd.DataFrame({"attainment": [0.0, 1.0, 1.6], "payout": [0.0, 1.0, 2.2]})
    ax = pay_and_chances(curve, pd.Series([0.8, 0.9, 1.0, None]))
    assert "67% below quota" in words(ax)
    assert "33% at or above quota" in words(ax)
    assert min(bar.get_height() for bar in ax.patches) < 0


def test_winners_and_losers_are_counted_with_their_sums() -> None:
    table = pd.DataFrame({"difference": [-300_00.0, 100_00.0, 0.0, 500_00.0, None]})
    ax = winners_and_losers(
        table.assign(low=table["difference"] - 1, high=table["difference"] + 1), currency="EUR"
    )
    assert words(ax) == "1 lose €300 | 2 gain €600"
    assert "4 payees" in ax.get_xlabel()


def test_what_nobody_knows_is_refused() -> None:
    nothing = pd.DataFrame({"difference": [np.nan], "low": [np.nan], "high": [np.nan]})
    curve = pd.DataFrame({"attainment": [0.0, 1.0], "payout": [0.0, 1.0]})
    for draw in (
        lambda: cost_spread(pd.DataFrame({"a": [np.nan]}), currency="EUR"),
        lambda: pay_and_chances(curve, pd.Series([np.nan])),
        lambda: winners_and_losers(nothing, currency="EUR"),
    ):
        with pytest.raises(TableError, match="callout"):
            draw()
