"""Figures of forecast incentives: what each report earns, and what each result pays for a given forecast."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from spms_lib.report.cells import money_text, number_text, ratio_text
from spms_lib.report.figures.canvas import apart, bare, begin, money_axis, need, short_money
from spms_lib.report.figures.style import Meaning, series_meanings, style

_PLOT_HEIGHT = 320  # pixels of the drawing area, near enough to keep labels apart


@style()
def report_payoffs(
    curves: pd.DataFrame,
    marks: pd.DataFrame,
    *,
    currency: str | None = None,
    title: str = "The report that pays best, and what a 10% lie costs",
    note: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw the expected bonus over what could be said: the best report a large dot, lies of 10 % small ones.

    Parameters
    ----------
    curves, marks
        From `spms_lib.incentives.truth.curves.report_curves`.
    currency
        Writes reports in this currency (minor units); plain numbers where None.
    """
    need(curves, "scheme", "report", "lost")
    need(marks, "scheme", "mark", "report", "lost", "cost_ratio")
    lies = "Large dot: best report. Small dots: saying 10% less or more than believed, and the share of bonus it costs."
    ax = begin(ax, title=title, note=f"{lies} {note}".strip(), height=4.6)
    texts = {}
    for scheme, rows in marks.groupby("scheme", sort=False):
        best, lower, higher = (
            rows[rows["mark"] == mark].iloc[0] for mark in ("best", "10 % lower", "10 % higher")
        )
        costs = " / ".join(ratio_text(lie["cost_ratio"], decimals=2) for lie in (lower, higher))
        said = _amount(best["report"], currency)
        texts[str(scheme)] = f"{scheme}\nbest {said}, lie costs {costs}"
    looks = _draw(ax, curves, "report", "lost", texts)
    for row in marks.to_dict("records"):
        _dot(
            ax,
            row["report"],
            row["lost"],
            looks[str(row["scheme"])],
            size=90 if row["mark"] == "best" else 26,
        )
    _axes(ax, currency, "What the seller says", "Expected bonus, less that of the best report")
    return ax


@style()
def forecast_pay(
    curves: pd.DataFrame,
    *,
    currency: str | None = None,
    title: str = "What an honest forecast is paid, by what is sold",
    note: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw the bonus over what could be sold, for the forecast of each scheme, which is a dot on its line.

    Parameters
    ----------
    curves
        From `spms_lib.incentives.truth.curves.actual_curves`.
    currency
        Writes amounts in this currency (minor units); plain numbers where None.
    """
    need(curves, "scheme", "statistic", "forecast", "actual", "bonus")
    ax = begin(
        ax, title=title, note=f"The dot is the forecast: the statistic asked for. {note}".strip(), height=4.6
    )
    first = curves.drop_duplicates("scheme").set_index("scheme")
    texts = {
        str(scheme): f"{scheme}\n{row['statistic'].replace('_', ' ')}: {_amount(row['forecast'], currency)}"
        for scheme, row in first.iterrows()
    }
    looks = _draw(ax, curves, "actual", "bonus", texts)
    for row in curves[curves["actual"] == curves["forecast"]].drop_duplicates("scheme").to_dict("records"):
        _dot(ax, row["actual"], row["bonus"], looks[str(row["scheme"])], size=80)
    _axes(ax, currency, "What is sold", "Bonus")
    return ax


def _draw(ax: Axes, curves: pd.DataFrame, x: str, y: str, texts: dict[str, str]) -> dict[str, Meaning]:
    """Draw one line per scheme and name it at the right, apart from the others."""
    looks = dict(zip(texts, series_meanings(list(texts)), strict=True))
    ends = []
    for scheme, look in looks.items():
        rows = curves[curves["scheme"] == scheme]
        ax.plot(rows[x], rows[y], color=look.colour, linestyle=look.line, linewidth=2.2)
        ends.append(float(rows[y].iloc[-1]))
    (left, right), (low, high) = (curves[x].min(), curves[x].max()), ax.get_ylim()
    ax.set_xlim(left, right)
    places = apart(ends, (high - low) * 38 / _PLOT_HEIGHT)
    for (scheme, look), end, place in zip(looks.items(), ends, places, strict=True):
        beside = right + 0.03 * (right - left)
        ax.annotate(
            texts[scheme],
            (right, end),
            (beside, place),
            annotation_clip=False,
            va="center",
            color=look.ink,
            fontsize=9,
            arrowprops={
                "arrowstyle": "-",
                "color": look.ink,
                "linewidth": 0.8,
                "relpos": (0, 0.5),
                "shrinkA": 0,
                "shrinkB": 0,
            },
        )
    return looks


def _dot(ax: Axes, x: float, y: float, look: Meaning, *, size: int) -> None:
    ax.scatter([x], [y], s=size, color=look.colour, edgecolor="white", zorder=5)


def _axes(ax: Axes, currency: str | None, sales: str, bonus: str) -> None:
    if currency:
        money_axis(ax, "x", currency)
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: money_text(value, currency, cents=False)))
    ax.set_xlabel(sales, loc="left")
    ax.set_ylabel(bonus)
    bare(ax, grid="y")


def _amount(value: float, currency: str | None) -> str:
    return number_text(value) if currency is None else short_money(value, currency)
