"""Figures along time: pace against plan, and series by period."""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

from spms_lib.report.figures.canvas import apart, bare, begin, money_axis, need, ratio_axis, short_money
from spms_lib.report.figures.style import MEANINGS, SOFT, Meaning, series_meanings, style

_PLOT_HEIGHT: Final = 300  # pixels of the drawing area, near enough to keep labels apart


class _End(NamedTuple):
    """The last point of a line, and what is written there."""

    at: float
    value: float
    text: str
    ink: str


@style()
def pace(
    frame: pd.DataFrame,
    *,
    date: str = "date",
    plan: str = "plan",
    actual: str = "actual",
    low: str | None = None,
    high: str | None = None,
    currency: str = "EUR",
    title: str = "Sold so far against the plan",
    note: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw the cumulative plan, what was sold so far, and where that may end.

    Parameters
    ----------
    frame
        One row per day or period in order; cumulative amounts in minor units. `actual`
        is missing after the last known day.
    date
        Days (datetime64) or periods as text.
    low, high
        Bounds of the projection, cumulative; missing before it starts.
    """
    need(frame, date, plan, actual, *(name for name in (low, high) if name))
    ax = begin(ax, title=title, note=note, height=4.1)
    where = _along(ax, frame[date])
    planned, sold = frame[plan].astype("float64"), frame[actual].astype("float64")
    end = float(planned.iloc[-1])
    ends = [_End(where[-1], end, f"Plan {short_money(end, currency)}", MEANINGS["plan"].ink)]
    if low and high:
        lower, upper = frame[low].astype("float64"), frame[high].astype("float64")
        look = MEANINGS["projected"]
        ax.fill_between(where, lower, upper, color=look.colour, alpha=0.3, linewidth=0)
        if pd.notna(lower.iloc[-1]) and pd.notna(upper.iloc[-1]):
            middle = float(lower.iloc[-1] + upper.iloc[-1]) / 2
            span = f"{short_money(lower.iloc[-1], currency)} to {short_money(upper.iloc[-1], currency)}"
            ends.append(_End(where[-1], middle, f"Projected\n{span}", look.ink))
    _line(ax, where, planned, MEANINGS["plan"], markers=False)
    _line(ax, where, sold, MEANINGS["actual"], markers=False)
    known = np.flatnonzero(sold.notna().to_numpy())
    if len(known):
        last = int(known[-1])
        gap = float(sold.iloc[last] - planned.iloc[last])
        word = "ahead of" if gap >= 0 else "behind"
        state = MEANINGS["good" if gap >= 0 else "bad"].colour
        ax.scatter([where[last]], [sold.iloc[last]], s=44, color=MEANINGS["actual"].colour, zorder=4)
        gap_ends = [float(sold.iloc[last]), float(planned.iloc[last])]
        ax.plot([where[last]] * 2, gap_ends, color=state, linewidth=2.5, zorder=3)
        text = (
            f"Actual {short_money(sold.iloc[last], currency)}\n{short_money(abs(gap), currency)} {word} plan"
        )
        late = last > 0.45 * len(frame)
        ax.annotate(
            text,
            (where[last], float(max(sold.iloc[last], planned.iloc[last]))),
            (-8 if late else 8, 6),
            textcoords="offset points",
            ha="right" if late else "left",
            va="bottom",
            fontweight="bold",
            fontsize=10,
        )
    money_axis(ax, "y", currency)
    ax.set_ylim(bottom=min(0.0, float(np.nanmin([planned.min(), sold.min()]))))
    bare(ax, grid="y")
    _end_labels(ax, where[-1], ends)
    return ax


@style()
def lines(
    frame: pd.DataFrame,
    *,
    meanings: dict[str, str] | None = None,
    ratio: bool = False,
    currency: str | None = None,
    zero: bool = True,
    title: str = "By period",
    note: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw one line per column along the index, each named at its end.

    Parameters
    ----------
    frame
        Index periods in order, columns series. A missing value is a gap.
    meanings
        Column to meaning, where the column's name is not one itself.
    ratio
        True writes the axis in percent.
    currency
        Writes the axis in this currency; values are minor units.
    zero
        True shows zero.
    """
    need(frame)
    ax = begin(ax, title=title, note=note, height=3.8)
    where = _along(ax, frame.index.to_series())
    ends = []
    for name, look in zip(frame.columns, series_meanings(list(frame.columns), meanings), strict=True):
        values = frame[name].astype("float64")
        _line(ax, where, values, look, markers=True)
        known = np.flatnonzero(values.notna().to_numpy())
        if len(known):
            last = int(known[-1])
            ends.append(_End(where[last], float(values.iloc[last]), look.label, look.ink))
    if currency is not None:
        money_axis(ax, "y", currency)
    elif ratio:
        ratio_axis(ax, "y")
    if zero:
        low, high = float(np.nanmin(frame.to_numpy("float64"))), float(np.nanmax(frame.to_numpy("float64")))
        ax.set_ylim(min(low * 1.08, 0.0), max(high * 1.08, 0.0) or 1.0)
        ax.axhline(0.0, color=SOFT, linewidth=0.9)
    bare(ax, grid="y")
    _end_labels(ax, where[-1], ends)
    return ax


def _along(ax: Axes, values: pd.Series) -> list[float]:
    """Put dates or periods along the x axis; few enough words that they do not touch."""
    if pd.api.types.is_datetime64_any_dtype(values):
        from matplotlib.dates import date2num

        days = [float(day) for day in date2num(values.to_numpy())]  # type: ignore[no-untyped-call]
        locator = AutoDateLocator(maxticks=8)  # type: ignore[no-untyped-call]
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call]
        return days
    places = [float(place) for place in range(len(values))]
    every = max(1, -(-len(values) // 12))
    texts = [str(value) for value in values]
    ax.set_xticks(places[::every], texts[::every])
    return places


def _line(ax: Axes, where: list[float], values: pd.Series, look: Meaning, *, markers: bool) -> None:
    ax.plot(
        where,
        values.to_numpy(),
        color=look.colour,
        linestyle=look.line,
        linewidth=2.2,
        marker=look.marker if markers else "",
        markersize=6,
        markeredgecolor="white",
        markeredgewidth=0.7,
        solid_capstyle="round",
    )


def _end_labels(ax: Axes, right: float, ends: list[_End]) -> None:
    """Name every line at the right, apart from each other; a line that ends earlier gets a leader."""
    low, high = ax.get_ylim()
    rows = max((end.text.count("\n") + 1 for end in ends), default=1)
    gap = (high - low) * 16 * rows / _PLOT_HEIGHT
    left, wide = ax.get_xlim()
    beside = right + 0.014 * (wide - left)
    for end, place in zip(ends, apart([end.value for end in ends], gap), strict=True):
        ax.text(beside, place, end.text, va="center_baseline", color=end.ink, fontweight="bold", fontsize=9.5)
        if end.at < right:
            ax.plot([end.at, beside], [end.value, place], color=end.ink, linewidth=0.8, linestyle=(0, (1, 2)))
    ax.set_xlim(left, wide)
