"""Bars with a mark beside each: what is, against what was asked, and the difference in words."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from spms_lib.report.figures.canvas import bare, key, named_rows
from spms_lib.report.figures.style import MEANINGS, SOFT, Meaning


def as_bars(label: str) -> Meaning:
    """Say what the bars mean, in the colour of what is computed."""
    return Meaning(label, MEANINGS["projected"].colour, MEANINGS["projected"].ink, "s", "-")


def as_marks(label: str) -> Meaning:
    """Say what the marks mean, in the colour of what is asked."""
    aim = MEANINGS["target"]
    return Meaning(label, aim.colour, aim.ink, aim.marker, aim.line)


def bars_and_marks(
    ax: Axes,
    names: pd.Series,
    *,
    bars: NDArray[np.float64],
    marks: NDArray[np.float64],
    meanings: tuple[Meaning, Meaning],
    heading: str,
    words: Sequence[str],
    inks: Sequence[str] = (),
) -> None:
    """Draw one bar and one mark per row, from the top, with words at the right edge.

    Parameters
    ----------
    bars, marks
        Shape (n_rows,); a missing mark is not drawn.
    meanings
        Of the bars and of the marks.
    heading, words, inks
        What stands over the words, the words, and their colours (one for all if not given).
    """
    places, (bar, mark) = np.arange(len(bars)), meanings
    ax.barh(places, bars, height=0.52, color=bar.colour, zorder=2)
    there = ~np.isnan(marks)
    ax.scatter(
        marks[there],
        places[there],
        s=60,
        color=mark.colour,
        marker=mark.marker,
        edgecolor="white",
        linewidth=0.8,
        zorder=3,
    )
    across = ax.get_yaxis_transform()
    ax.text(1.01, -0.9, heading, transform=across, color=SOFT, va="center", fontsize=9.5)
    for place, text in enumerate(words):
        label = ax.text(1.01, place, text, transform=across, va="center_baseline")
        if len(inks):
            label.set_color(inks[place])
    named_rows(ax, names)
    bare(ax)
    key(ax, [bar, mark])
