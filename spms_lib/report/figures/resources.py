"""Figures of capacity and resources: what people can sell against the target, and where units go."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from spms_lib.report.cells import money_text
from spms_lib.report.figures.bars import as_bars, as_marks, bars_and_marks
from spms_lib.report.figures.canvas import (
    INCH_PER_ROW,
    bare,
    begin,
    count_note,
    key,
    money_axis,
    need,
    short_money,
)
from spms_lib.report.figures.style import MEANINGS, SOFT, style


@style()
def capacity_columns(
    frame: pd.DataFrame,
    *,
    period: str = "period",
    target: str = "target",
    capacity: str = "capacity",
    currency: str = "EUR",
    title: str = "What our people can sell, against the target",
    note: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw capacity as columns and the target as a mark over each, and write the difference.

    Parameters
    ----------
    frame
        One row per period in order, minor units. A missing capacity has no column, and the note says so.
    """
    need(frame, period, target, capacity)
    asked = frame[target].to_numpy(dtype="float64")
    can = frame[capacity].to_numpy(dtype="float64")
    unknown = "Nobody knows the capacity where there is no column." if np.isnan(can).any() else ""
    ax = begin(ax, title=title, note=" ".join(part for part in (note, unknown) if part), height=3.9)
    places = np.arange(len(frame))
    look = as_bars("Capacity")
    ax.bar(places, np.nan_to_num(can), width=0.5, color=look.colour)
    aim = MEANINGS["target"]
    ax.hlines(asked, places - 0.36, places + 0.36, color=aim.colour, linewidth=2.6, zorder=3)
    ax.scatter(places, asked, s=52, color=aim.colour, marker=aim.marker, edgecolor="white", zorder=4)
    top = float(np.nanmax([np.nanmax(asked), np.nanmax(can) if not np.isnan(can).all() else 0.0]))
    for place, gap in enumerate(can - asked):
        if np.isnan(gap):
            continue
        state = MEANINGS["good" if gap >= 0 else "bad"]
        ax.text(
            place,
            max(asked[place], can[place]) + 0.03 * top,
            f"{short_money(abs(gap), currency)} {'over' if gap >= 0 else 'short'}",
            ha="center",
            va="bottom",
            color=state.ink,
            fontweight="bold",
            fontsize=9.5,
        )
    ax.set_xticks(places, [str(name) for name in frame[period]])
    ax.set_xlim(-0.6, len(frame) - 0.4)
    ax.set_ylim(0.0, 1.16 * top if top > 0 else 1.0)
    money_axis(ax, "y", currency)
    bare(ax, grid="y")
    key(ax, [look, aim])
    return ax


@style()
def allocation_bars(
    frame: pd.DataFrame,
    *,
    rows: str = "name",
    best: str = "units",
    proportional: str = "proportional",
    gain: str = "gain",
    unit: str = "Units",
    currency: str = "EUR",
    title: str = "Where the next units bring most",
    note: str = "",
    most: int = 30,
    ax: Axes | None = None,
) -> Axes:
    """Draw the units that each node gets as bars, those in proportion to targets as marks, and write the difference.

    Parameters
    ----------
    frame
        One row per node in the order of drawing, for one resource.
    gain
        Column with what the difference is worth, minor units.
    """
    need(frame, rows, best, proportional, gain)
    shown = frame.head(most)
    ax = begin(
        ax, title=title, note=count_note(note, shown, frame), height=1.5 + INCH_PER_ROW * max(len(shown), 3)
    )
    mine, even = (shown[column].to_numpy(dtype="float64") for column in (best, proportional))
    gains = shown[gain].to_numpy(dtype="float64")
    bars_and_marks(
        ax,
        shown[rows],
        bars=mine,
        marks=even,
        meanings=(as_bars("By marginal return"), as_marks("In proportion to targets")),
        heading="Difference",
        words=[money_text(worth, currency, compact=True, signed=True) for worth in gains],
        inks=[MEANINGS["good"].ink if one > 0 else MEANINGS["bad"].ink if one < 0 else SOFT for one in gains],
    )
    end = max(float(np.nanmax([mine.max(initial=0), even.max(initial=0)])), 1.0)
    ax.set_xlim(-0.02 * end, 1.04 * end)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.set_xlabel(unit, loc="left")
    return ax
