"""Figures of forecast incentives: the best report, the lies, and what is written beside the lines."""

import pytest
from matplotlib.figure import Figure
from scipy import stats

from spms_lib.errors import TableError
from spms_lib.incentives.truth.builders import known_schemes
from spms_lib.incentives.truth.curves import actual_curves, report_curves
from spms_lib.report import figures

BELIEF = stats.norm(100_000_00, 25_000_00)
SCHEMES = known_schemes(100_000_00, rate="0.01")
CURVES, MARKS = report_curves(SCHEMES, BELIEF)
PAID = actual_curves(SCHEMES, BELIEF)

DRAWN = {
    "report_payoffs": lambda ax=None: figures.report_payoffs(CURVES, MARKS, currency="EUR", ax=ax),
    "forecast_pay": lambda ax=None: figures.forecast_pay(PAID, currency="EUR", ax=ax),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_draws_on_the_axes_it_is_given_and_the_same_bytes_each_time(name: str) -> None:
    given = Figure().add_subplot()
    assert DRAWN[name](given) is given
    first, second = (figures.figure_bundle(DRAWN[name](), "x")[0]["image/png"] for _ in range(2))
    assert first == second


def test_the_best_report_and_the_price_of_a_lie_are_written_at_each_line() -> None:
    ax = DRAWN["report_payoffs"]()
    texts = [text.get_text() for text in ax.texts]
    assert "Gonik (IBM Brazil)\nbest €100K, lie costs 0.87% / 0.87%" in texts
    assert len(ax.lines) == len(texts) == 6
    assert len(ax.collections) == 18  # three dots for each scheme
    best = [dot.get_offsets().data[0] for dot in ax.collections][::3]
    assert [offset[1] for offset in best] == [0.0] * 6


def test_the_forecast_stands_on_the_line_of_what_it_is_paid() -> None:
    ax = DRAWN["forecast_pay"]()
    assert len(ax.collections) == len(ax.lines) == 7
    for dot, line in zip(ax.collections, ax.lines, strict=True):
        assert dot.get_offsets().data[0].tolist() in line.get_xydata().tolist()
    assert "Weitzman, 80 % commit\ncommit 80: €79K" in [text.get_text() for text in ax.texts]


def test_plain_numbers_stand_where_no_currency_is_given() -> None:
    small = report_curves(known_schemes(100), stats.norm(100, 25))
    texts = [text.get_text() for text in figures.report_payoffs(*small).texts]
    assert texts[0].startswith("Weitzman, 30 % either side\nbest 100,")


def test_frames_without_their_columns_are_refused() -> None:
    with pytest.raises(TableError, match="lost"):
        figures.report_payoffs(CURVES.drop(columns="lost"), MARKS)
    with pytest.raises(TableError, match="bonus"):
        figures.forecast_pay(PAID.drop(columns="bonus"))
