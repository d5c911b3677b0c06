"""A figure of measured values with the intervals in which they may lie, in groups."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from spms_lib.report.figures.canvas import bare, begin, need, ratio_axis, row_name
from spms_lib.report.figures.style import INK, SOFT, series_meanings, style

_ROW: Final = 0.27  # inches
_GAP: Final = 0.9  # rows between groups


@style()
def intervals(
    frame: pd.DataFrame,
    *,
    group: str,
    row: str,
    value: str,
    low: str,
    high: str,
    mark: str,
    meanings: dict[str, str] | None = None,
    names: dict[str, str] | None = None,
    groups: Sequence[str] | None = None,
    title: str = "Values and their intervals",
    note: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw a dot and a whisker per row, in groups from the top, with a word beside the rows that are marked.

    Parameters
    ----------
    frame
        One row per group and row, in the order of drawing; ratios, which may lie on both sides of zero.
    value, low, high
        Columns of the dot and the ends of its whisker; a missing end leaves the whisker out.
    mark
        Column with the word beside a row, empty for none; the name of a marked row is bold.
    meanings
        Row to meaning, where the row's name is not one itself.
    names
        Row to printed name, where it differs.
    groups
        Order of the groups; as they come if None.
    """
    need(frame, group, row, value, low, high, mark)
    order = (
        list(dict.fromkeys(frame[group]))
        if groups is None
        else [g for g in groups if (frame[group] == g).any()]
    )
    parts = [frame[frame[group] == one] for one in order]
    looks = dict(
        zip(names_of := list(dict.fromkeys(frame[row])), series_meanings(names_of, meanings), strict=True)
    )
    count = len(frame) + _GAP * len(parts)
    ax = begin(ax, title=title, note=note, height=round(1.1 + _ROW * count, 1))
    ticks: list[tuple[float, str, bool]] = []
    place = 0.0
    for name, part in zip(order, parts, strict=True):
        ax.text(
            0.0,
            place - 0.05,
            row_name(name),
            transform=ax.get_yaxis_transform(),
            va="center",
            fontweight="bold",
        )
        if place:
            ax.axhline(place - 0.55, color=SOFT, linewidth=0.5, alpha=0.5)
        for number, (_, one) in enumerate(part.iterrows(), start=1):
            at, look, marked = place + number - 0.1, looks[one[row]], bool(one[mark])
            if pd.notna(one[low]) and pd.notna(one[high]):
                ax.hlines(
                    at, one[low], one[high], color=look.colour, linewidth=3.0 if marked else 1.8, zorder=2
                )
            ax.scatter(one[value], at, s=64 if marked else 40, color=look.colour, marker=look.marker,
                       edgecolor=INK if marked else "white", linewidth=1.1 if marked else 0.6, zorder=3)  # fmt: skip
            left = one[value] < 0  # the word stands on the far side of zero
            end = one[low if left else high]
            if marked:
                ax.annotate(
                    str(one[mark]), (end if pd.notna(end) else one[value], at), (-7 if left else 7, 0),
                    textcoords="offset points", ha="right" if left else "left", va="center", fontsize=9,
                )  # fmt: skip
            ticks.append((at, (names or {}).get(one[row], look.label), marked))
        place += len(part) + _GAP
    ax.set_yticks([at for at, _, _ in ticks], [text for _, text, _ in ticks])
    for label, (_, _, marked) in zip(ax.get_yticklabels(), ticks, strict=True):
        label.set_fontweight("bold" if marked else "normal")
    ax.set_ylim(place - 0.4, -0.7)
    shown = frame[[value, low, high]].to_numpy(dtype=np.float64)
    least, most = min(float(np.nanmin(shown)), 0.0), max(float(np.nanmax(shown)), 0.0)
    ax.set_xlim(least * 1.2, most * 1.12 or (0.0 if least else 1.0))
    if least < 0:
        ax.axvline(0.0, color=INK, linewidth=0.8, zorder=1)
    ratio_axis(ax, "x")
    bare(ax)
    return ax
