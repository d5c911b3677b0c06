"""Figures about goals: the layers of the company's number, and where the effort of objectives goes."""

from collections.abc import Hashable
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from spms_lib.report.cells import ratio_text
from spms_lib.report.figures.bars import as_bars, as_marks, bars_and_marks
from spms_lib.report.figures.canvas import (
    INCH_PER_ROW,
    bare,
    begin,
    money_axis,
    need,
    ratio_axis,
    short_money,
)
from spms_lib.report.figures.style import (
    MEANINGS,
    RULE,
    SOFT,
    Meaning,
    series_meanings,
    style,
)

LAYER_MEANINGS: Final = {"street": "quota"}
ROOM_FOR_WORDS: Final = 0.43  # of the width, to the right of the last mark
LABEL_STEP: Final = 0.17  # height between labels, where the density's peak is 1


@style()
def layer_marks(
    layers: pd.DataFrame,
    likely: pd.DataFrame,
    *,
    currency: str = "EUR",
    title: str = "Layers of the company's number, and what is likely",
    note: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Mark board, plan and street on the amounts that past growth makes likely.

    Parameters
    ----------
    layers
        Columns layer, amount (minor units), confidence and chance (ratios; missing where
        nobody can tell), one row per layer from the lowest.
    likely
        Columns amount (rising), density and chance; no rows where history is too short, and
        then only the marks are drawn. Amounts with a chance of 10 % to 90 % are darker.
    """
    need(layers, "layer", "amount", "confidence", "chance")
    told = len(likely) > 0
    words = (
        "Dark: eight of ten likely outcomes; with the light: nine of ten."
        if told
        else "There is too little history to say what is likely."
    )
    ax = begin(ax, title=title, note=" ".join(part for part in (words, note) if part), height=3.9)
    if told:
        amount, height = likely["amount"].to_numpy(float), likely["density"].to_numpy(float)
        middle = likely["chance"].between(0.1, 0.9).to_numpy()
        ax.fill_between(amount, height, color=RULE, alpha=0.45, linewidth=0)
        ax.fill_between(
            amount, height, where=middle, color=MEANINGS["baseline"].colour, alpha=0.35, linewidth=0
        )
        ax.plot(amount, height, color=SOFT, linewidth=1.2)
    looks = series_meanings(layers["layer"].tolist(), LAYER_MEANINGS)
    low, high = _span(layers, likely)
    for place, (row, look) in enumerate(zip(layers.to_dict("records"), looks, strict=True)):
        top = 1.1 + LABEL_STEP * (len(layers) - 1 - place)
        ax.plot(
            [row["amount"]] * 2, [0.0, top], color=look.colour, linestyle=look.line, linewidth=1.8, zorder=3
        )
        ax.plot(row["amount"], top, color=look.colour, marker=look.marker, markersize=8, zorder=4)
        text = f"  {_words(row, look, currency)}"
        ax.text(row["amount"], top, text, color=look.ink, va="center")  # marks further right are lower
    ax.set_xlim(low, high)
    ax.set_ylim(0.0, 1.2 + LABEL_STEP * (len(layers) - 1))
    ax.set_yticks([])
    money_axis(ax, "x", currency)
    bare(ax, grid="")
    ax.axhline(0.0, color=SOFT, linewidth=0.9)
    return ax


@style()
def coverage_bars(
    frame: pd.DataFrame,
    *,
    name: str = "goal",
    title: str = "Effort by goal against the goal's weight",
    note: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Set the effort that goes to each goal beside the weight the goal has.

    Parameters
    ----------
    frame
        Columns share and weight (ratios, each sums to 1), one row per goal from the top.
    name
        Column with the names.
    """
    need(frame, name, "share", "weight")
    ax = begin(ax, title=title, note=note, height=1.35 + INCH_PER_ROW * max(len(frame), 3))
    share, weight = frame["share"].to_numpy(float), frame["weight"].to_numpy(float)
    ax.set_xlim(0.0, 1.06 * max(share.max(), weight.max(), 0.01))
    bars_and_marks(
        ax,
        frame[name],
        bars=share,
        marks=np.where(weight > 0, weight, np.nan),
        meanings=(as_bars("Share of all effort"), as_marks("Weight of the goal")),
        heading="Gap",
        words=[ratio_text(gap, signed=True, decimals=0) for gap in share - weight],
    )
    ratio_axis(ax, "x")
    return ax


def _span(layers: pd.DataFrame, likely: pd.DataFrame) -> tuple[float, float]:
    """Leave room around all marks and what is likely, and for words to the right of the last mark."""
    marks = layers["amount"].astype(float)
    amounts = [*marks, *likely["amount"].astype(float)]
    low, high = min(amounts), max(amounts)
    room = 0.05 * (high - low) or 0.1 * abs(high) or 1.0
    low, high = low - room, high + room
    return low, max(high, low + (float(marks.max()) - low) / (1.0 - ROOM_FOR_WORDS))


def _words(row: dict[Hashable, Any], look: Meaning, currency: str) -> str:
    said = [
        f"{word} {ratio_text(row[column], decimals=0)}"
        for word, column in (("stated", "confidence"), ("computed", "chance"))
        if not pd.isna(row[column])
    ]
    return f"{look.label} {short_money(row['amount'], currency)}" + (f" · {', '.join(said)}" if said else "")
