"""Figures about a compensation plan: what its shape rewards besides selling."""

import textwrap
from collections.abc import Hashable
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from spms_lib.report.cells import number_text
from spms_lib.report.figures.canvas import (
    bare,
    begin,
    money_axis,
    need,
    ratio_axis,
    short_money,
    short_ratio,
)
from spms_lib.report.figures.style import INK, MEANINGS, SOFT, style

_SHADES: Final = {"dead zone": "baseline", "inversion": "field"}
_LONGEST: Final = 22


@style()
def gaming_surface(
    points: pd.DataFrame,
    warnings: pd.DataFrame,
    *,
    currency: str | None = None,
    attainment: bool = True,
    title: str = "What the shape of the plan invites",
    note: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw a component's pay, with jumps marked and stretches shaded where more selling pays nothing or less.

    Parameters
    ----------
    points
        `curve_points` of the component: performance, pay (minor units), ratio (of target
        incentive), marginal.
    warnings
        Rows of `surface` for the same component: kind, at_from, at_to, size, ratio.
    currency
        Draw money of one interval; shares of target incentive if left out.
    attainment
        Whether performance is attainment; else it is the measure's own unit.
    """
    need(points, "performance", "pay", "ratio", "marginal")
    unit = "quota sold; 1× is in proportion" if attainment else "unit of performance"
    note = " ".join(part for part in (f"At the line: target incentives paid for each {unit}.", note) if part)
    ax = begin(ax, title=title, note=note, height=4.4)
    along = points["performance"].astype("float64")
    paid = points["pay" if currency else "ratio"].astype("float64")
    right, high = float(along.iloc[-1]), float(paid.max()) * 1.3 or 1.0
    ax.set_xlim(float(along.iloc[0]), right)
    ax.set_ylim(0, high)
    for kind, meaning in _SHADES.items():
        for row in warnings[warnings["kind"] == kind].to_dict("records"):
            start, end = float(row["at_from"]), float(np.nan_to_num(row["at_to"], nan=right))
            words = "More sales pay nothing more"
            if kind == "inversion":
                words = f"Dip: {number_text(row['ratio'], decimals=2)}× the rate before"
            _stretch(ax, start, end, meaning, words)
    ax.plot(along, paid, color=MEANINGS["actual"].colour, linewidth=2.4, solid_joinstyle="miter")
    for row in warnings[warnings["kind"].isin(["cliff", "drop"])].to_dict("records"):
        _jump(ax, points, paid, row, currency)
    _rates(ax, points, paid)
    if attainment:
        ax.axvline(1.0, color=MEANINGS["target"].colour, linewidth=1.2, linestyle="--", zorder=0)
        ax.text(
            1.0, 1.01, "Quota", color=MEANINGS["target"].ink, transform=ax.get_xaxis_transform(), ha="center"
        )
        ratio_axis(ax, "x", ticks=8)
        ax.set_xlabel("Attainment (actual by quota)", loc="left")
    else:
        ax.set_xlabel("Performance, in the measure's own unit", loc="left")
    if currency:
        money_axis(ax, "y", currency)
    else:
        ratio_axis(ax, "y")
    ax.set_ylabel("Pay of one interval" if currency else "Pay, share of target incentive")
    bare(ax, grid="y")
    return ax


def _stretch(ax: Axes, start: float, end: float, meaning: str, words: str) -> None:
    """Shade a stretch of performance and say above it what it is."""
    look = MEANINGS[meaning]
    ax.axvspan(start, end, color=look.colour, alpha=0.16, linewidth=0, zorder=0)
    room = max(10, round(_LONGEST * 4 * (end - start) / (ax.get_xlim()[1] - ax.get_xlim()[0])))
    ax.text(
        (start + end) / 2,
        0.97,
        textwrap.fill(words, room),
        transform=ax.get_xaxis_transform(),
        ha="center",
        va="top",
        color=look.ink,
        fontsize=9.5,
    )


def _jump(
    ax: Axes, points: pd.DataFrame, paid: pd.Series, row: dict[Hashable, Any], currency: str | None
) -> None:
    """Draw a jump of pay in its own colour, with its size."""
    at = float(row["at_from"])
    here = paid[np.isclose(points["performance"].astype("float64"), at)]
    look = MEANINGS["bad"]
    ax.plot(
        [at, at],
        [here.iloc[0], here.iloc[-1]],
        color=look.colour,
        linewidth=4,
        solid_capstyle="butt",
        zorder=4,
    )
    size = here.iloc[-1] - here.iloc[0]
    text = short_money(abs(size), currency) if currency else short_ratio(round(abs(size), 3))
    sign = "+" if size > 0 else "\N{MINUS SIGN}"
    ax.annotate(
        f"Jump {sign}{text}",
        (at, (here.iloc[0] + here.iloc[-1]) / 2),
        (-8, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        color=look.ink,
        fontweight="bold",
        zorder=5,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.8},
    )


def _rates(ax: Axes, points: pd.DataFrame, paid: pd.Series) -> None:
    """Write the marginal rate under the middle of each rising stretch, and mark where it changes."""
    rows = list(zip(points["performance"], paid, points["marginal"], strict=True))
    for (start, low, rate), (end, high, _) in pairwise(rows):
        if end == start or rate == 0:
            continue
        ax.scatter([start], [low], s=26, color=INK, zorder=5)
        ax.annotate(
            f"{number_text(float(rate), decimals=1)}×",
            ((start + end) / 2, (low + high) / 2),
            (7, -7),
            textcoords="offset points",
            va="top",
            color=SOFT,
            fontsize=9.5,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.8},
        )
