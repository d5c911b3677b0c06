"""Figures of feasibility: how likely each target is, and how differently targets weigh."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from spms_lib.money import MISSING
from spms_lib.report.cells import ratio_text
from spms_lib.report.figures.canvas import (
    INCH_PER_ROW,
    bare,
    begin,
    count_note,
    key,
    named_rows,
    need,
    ratio_axis,
    short_name,
)
from spms_lib.report.figures.style import MEANINGS, RULE, SOFT, Meaning, style

LOOKS: Final = {
    "beyond reach": "bad",
    "stretch": "field",
    "fair": "good",
    "too easy": "projected",
    "nobody can tell": "baseline",
}
WIDEST: Final = 2.2  # of the target: what lies farther is cut at the edge
CUT: Final = "What lies beyond the edge is cut."


@style()
def chances(
    frame: pd.DataFrame,
    *,
    rows: str = "name",
    bold: str | None = None,
    title: str = "How likely is each target?",
    note: str = "",
    most: int = 40,
    ax: Axes | None = None,
) -> Axes:
    """Draw what can be expected of each node against its target, with its interval, and write the chance.

    Parameters
    ----------
    frame
        One row per node from the top: target, expected, low, high (minor units), chance, class. A node without an
        expectation keeps its row, with a dash for the chance.
    bold
        Column of booleans: names that are set strong, such as the company's.
    most
        Rows drawn; the note says how many there are.
    """
    need(frame, rows, "target", "expected", "low", "high", "chance", "class")
    shown = frame.head(most)
    target = shown["target"].where(shown["target"] > 0).astype("float64")
    ratios = shown[["low", "expected", "high"]].astype("float64").div(target, axis=0)
    left, right = _limits(ratios.to_numpy())
    cut = bool((ratios["low"] < left).any() or (ratios["high"] > right).any())
    text = " ".join(part for part in (count_note(note, shown, frame), CUT if cut else "") if part)
    ax = begin(ax, title=title, note=text, height=1.5 + INCH_PER_ROW * max(len(shown), 3))
    ax.axvline(1.0, color=MEANINGS["target"].colour, linewidth=1.6, zorder=1)
    looks = [MEANINGS[LOOKS.get(str(name), "baseline")] for name in shown["class"]]
    across = ax.get_yaxis_transform()
    for place, (low, middle, high) in enumerate(ratios.to_numpy()):
        look = looks[place]
        if not np.isnan(middle):
            ax.plot(
                [max(low, left), min(high, right)], [place, place], color=look.colour, linewidth=3, alpha=0.45
            )
            ax.scatter(
                [min(max(middle, left), right)],
                [place],
                s=62,
                color=look.colour,
                marker=look.marker,
                edgecolor="white",
                linewidth=0.8,
                zorder=3,
                clip_on=False,
            )
        chance = shown["chance"].iloc[place]
        said = MISSING if pd.isna(chance) else ratio_text(float(chance), decimals=0)
        ax.text(1.02, place, said, transform=across, va="center_baseline", color=look.ink)
    ax.text(1.02, -0.9, "Chance", transform=across, color=SOFT, va="center", fontsize=9.5)
    named_rows(ax, shown[rows], bold=shown[bold].tolist() if bold else None)
    ax.set_xlim(left, right)
    ratio_axis(ax, "x")
    ax.set_xlabel(
        "Expected sales, and the interval that holds four of five, against the target (100%)", loc="left"
    )
    bare(ax)
    present = [name for name in LOOKS if name in set(shown["class"])]
    key(ax, [_renamed(MEANINGS[LOOKS[name]], name) for name in present])
    return ax


@style()
def difficulty_strip(
    frame: pd.DataFrame,
    *,
    group: str = "group",
    difficulty: str = "difficulty",
    name: str | None = None,
    title: str = "Who has it harder?",
    note: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw the difficulty of every target as a dot, group by group, with the middle half and the median.

    Parameters
    ----------
    frame
        One row per node; those without a difficulty are not drawn and counted in the note.
    name
        Names; the hardest of each group is written.
    """
    need(frame, group, difficulty, *([name] if name else []))
    known = frame[frame[difficulty].notna()]
    absent = len(frame) - len(known)
    middle = known.groupby(group)[difficulty].median()
    order = [
        *middle.sort_values(ascending=False).index,
        *frame[group].drop_duplicates()[lambda g: ~g.isin(middle.index)],
    ]
    values = known[difficulty].to_numpy(dtype="float64")
    left, right = (
        (0.5, 1.5) if not len(values) else (min(values.min(), 0.95), max(min(values.max(), WIDEST), 1.05))
    )
    room = 0.04 * (right - left)
    said = f"{absent:,} without an expectation, or empty, are not drawn." if absent else ""
    cut = CUT if len(values) and values.max() > right else ""
    ax = begin(
        ax,
        title=title,
        note=" ".join(part for part in (note, said, cut) if part),
        height=1.6 + 0.62 * max(len(order), 2),
    )
    ax.axvline(1.0, color=MEANINGS["target"].colour, linewidth=1.4, zorder=1)
    for place, one in enumerate(order):
        _strip(ax, known.loc[known[group] == one, difficulty].sort_values(), place, right)
    if name and len(known):
        place_of = {one: place for place, one in enumerate(order)}
        for row in known.loc[known.groupby(group)[difficulty].idxmax()].to_dict("records"):
            at = min(float(row[difficulty]), right)
            side = "right" if at > (left + right) / 2 else "left"
            where = (at, place_of[row[group]] - 0.36)
            ax.text(*where, short_name(row[name], 28), ha=side, va="bottom", fontsize=8.5, color=SOFT)
    named_rows(ax, pd.Series(order))
    ax.set_xlim(left - room, right + room)
    ratio_axis(ax, "x")
    ax.set_xlabel("Difficulty: target by what can be expected; harder to the right", loc="left")
    bare(ax)
    return ax


def _strip(ax: Axes, values: pd.Series, place: int, right: float) -> None:
    """Draw one group: box of the middle half, median, and dots on three lanes so that neighbours stay apart."""
    if values.empty:
        return
    known = values.to_numpy(dtype="float64")
    low, half, high = (min(float(np.quantile(known, share)), right) for share in (0.25, 0.5, 0.75))
    ax.barh(place, high - low, left=low, height=0.62, color=RULE, zorder=1)
    ax.plot(
        [half, half], [place - 0.31, place + 0.31], color=MEANINGS["actual"].colour, linewidth=2, zorder=2
    )
    lanes = np.array([0.0, -0.17, 0.17])[np.arange(len(known)) % 3]
    ax.scatter(
        np.minimum(known, right), place + lanes, s=30, color=MEANINGS["target"].colour, alpha=0.7,
        edgecolor="white", linewidth=0.5, zorder=3,
    )  # fmt: skip


def _limits(ratios: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> tuple[float, float]:
    """Choose the ends of the axis: all intervals where they fit, the target always, never beyond `WIDEST`."""
    known = ratios[~np.isnan(ratios)]
    if not len(known):
        return 0.5, 1.5
    left = max(min(float(known.min()), 0.95), 0.0)
    right = min(max(float(known.max()), 1.05), WIDEST)
    room = 0.03 * (right - left)
    return max(left - room, 0.0), right + room


def _renamed(look: Meaning, label: str) -> Meaning:
    return Meaning(label.capitalize(), look.colour, look.ink, look.marker, look.line)
