"""Figures that compare amounts: what each source says of a node, and how one total becomes another."""

from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from spms_lib.errors import CheckError, TableError
from spms_lib.report.cells import money_text, refuse_unknown
from spms_lib.report.figures.canvas import (
    INCH_PER_ROW,
    bare,
    begin,
    count_note,
    key,
    money_axis,
    named_rows,
    need,
)
from spms_lib.report.figures.style import MEANINGS, RULE, SOFT, meaning, style

TOTAL: Final = "total"
CHANGE: Final = "change"
SETTLED: Final = "settled"


@style()
def dumbbell(
    frame: pd.DataFrame,
    *,
    rows: str,
    points: dict[str, str],
    currency: str = "EUR",
    title: str = "What each source says, by node",
    note: str = "",
    number: str | None = None,
    most: int = 30,
    ax: Axes | None = None,
) -> Axes:
    """Draw several estimates of the same amount on one line per node.

    Parameters
    ----------
    frame
        One row per node, in the order of drawing from the top.
    rows
        Column with the names.
    points
        Meaning (target, field, baseline, plan, actual) to column, in minor units.
        A missing estimate is not drawn.
    number
        The meaning whose amount is also printed, at the right.
    most
        Rows drawn; the note says how many there are.
    """
    need(frame, rows, *points.values())
    shown = frame.head(most)
    ax = begin(
        ax, title=title, note=count_note(note, shown, frame), height=1.35 + INCH_PER_ROW * max(len(shown), 3)
    )
    places = np.arange(len(shown))
    amounts = shown[list(points.values())].astype("float64")
    ax.hlines(places, amounts.min(axis=1), amounts.max(axis=1), color=RULE, linewidth=4, zorder=1)
    shifts = _shifts(amounts)
    for name, column in points.items():
        look = meaning(name)
        ax.scatter(
            amounts[column],
            places + shifts[column].to_numpy(),
            s=62,
            color=look.colour,
            marker=look.marker,
            edgecolor="white",
            linewidth=0.8,
            zorder=3,
        )
    if number is not None:
        refuse_unknown([number], points, "point")
        right = ax.get_yaxis_transform()
        ax.text(1.01, -0.9, MEANINGS[number].label, transform=right, color=SOFT, va="center", fontsize=9.5)
        for place, amount in enumerate(amounts[points[number]]):
            text = money_text(amount, currency, compact=True)
            ax.text(1.01, place, text, transform=right, va="center_baseline")
    named_rows(ax, shown[rows])
    money_axis(ax, "x", currency)
    bare(ax)
    key(ax, [meaning(name) for name in points])
    return ax


def _shifts(amounts: pd.DataFrame) -> pd.DataFrame:
    """Lift and lower points of one row that would hide each other."""
    near = 0.016 * float(amounts.max().max() - amounts.min().min())
    values = amounts.to_numpy(dtype="float64")
    shifts = np.zeros(values.shape)
    for row, amount in enumerate(values):
        order = [i for i in np.argsort(amount, kind="stable") if not np.isnan(amount[i])]
        step = 0.0
        for before, i in pairwise(order):
            close = amount[i] - amount[before] < near
            step = 0.0 if not close else -0.17 if step > 0 else 0.17
            shifts[row, i] = step
    return pd.DataFrame(shifts, index=amounts.index, columns=amounts.columns)


@style()
def bridge(
    frame: pd.DataFrame,
    *,
    label: str = "label",
    value: str = "value",
    kind: str = "kind",
    currency: str = "EUR",
    title: str = "From one number to the next",
    note: str = "",
    leave_out_zero: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw how one total becomes another, step by step.

    Parameters
    ----------
    frame
        Steps in order. `kind` is "total" (the running amount, a full bar), "change" (gain or loss) or
        "settled" (leaves this account for another one and is no loss, such as a deal that was
        won and so is in the pipeline no more). A total with a missing value takes the running amount.
    leave_out_zero
        True leaves out steps of exactly 0 between totals; the note names them.

    Raises
    ------
    CheckError
        If a total is not what the steps before it add up to.
    """
    need(frame, label, value, kind)
    wrong = sorted(set(frame[kind].astype(str)) - {TOTAL, CHANGE, SETTLED})
    if wrong:
        raise TableError(
            f"'{wrong[0]}' is not a kind of step.", remedy=f"Use '{TOTAL}', '{CHANGE}' or '{SETTLED}'."
        )
    if leave_out_zero:
        still = (frame[kind] != TOTAL) & (frame[value] == 0)
        names = ", ".join(frame.loc[still, label].astype("str").str.lower())
        note = " ".join(part for part in (note, f"Not drawn, as 0: {names}." if names else "") if part)
        frame = frame[~still]
    starts, ends = _steps(frame, label, value, kind)
    moving = np.concatenate([starts[frame[kind].to_numpy() != TOTAL], ends])
    low, high = float(moving.min()), float(moving.max())
    cut = low > 0 and (high - low) < 0.3 * high
    origin = low - 0.35 * (high - low) if cut else 0.0
    note = " ".join(part for part in (note, "The axis does not start at zero." if cut else "") if part)
    ax = begin(ax, title=title, note=note, height=1.1 + 0.42 * max(len(frame), 3))
    room = 0.012 * (max(high, 0) - min(origin, low, 0 if not cut else origin))
    for place, (step, amount, start, end) in enumerate(
        zip(frame[kind], frame[value], starts, ends, strict=True)
    ):
        total = step == TOTAL
        look = "baseline" if total else "actual" if step == SETTLED else "good" if amount >= 0 else "bad"
        left = min(origin if total and cut else start, end)
        ax.barh(
            place,
            abs(end - (origin if total and cut else start)),
            left=left,
            height=0.62,
            color=MEANINGS[look].colour,
        )
        if total and cut:
            for near in (1.2, 2.0):
                ax.plot(
                    [origin + near * room, origin + (near + 0.7) * room],
                    [place + 0.36, place - 0.36],
                    color="white",
                )
        text = money_text(end if total else amount, currency, compact=True, signed=not total)
        ax.text(
            max(start if not total else end, end) + room,
            place,
            text,
            va="center_baseline",
            fontweight="bold" if total else "normal",
        )
        if place + 1 < len(frame):
            ax.vlines(end, place, place + 1, color=SOFT, linewidth=0.8, zorder=0)
    named_rows(ax, frame[label], bold=(frame[kind] == TOTAL).tolist())
    width = max(high, 0.0) - min(origin, low)
    ax.set_xlim(
        origin if cut else min(low, 0.0) - (0.03 * width if low < 0 else 0.0), max(high, 0.0) + 0.14 * width
    )
    if low < 0:
        ax.axvline(0.0, color=SOFT, linewidth=0.9)
    money_axis(ax, "x", currency)
    bare(ax)
    return ax


def _steps(
    frame: pd.DataFrame, label: str, value: str, kind: str
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.float64]]]:
    running: float | None = None
    starts, ends = [], []
    for name, amount, step in zip(frame[label], frame[value], frame[kind], strict=True):
        missing = bool(pd.isna(amount))
        if step == TOTAL:
            end = float(running or 0.0) if missing else float(amount)
            if running is not None and abs(end - running) > 1.0 + 1e-9 * abs(end):
                raise CheckError(
                    f"The steps add up to {running:,.0f} minor units, not to {end:,.0f}.",
                    where=f"bridge, '{name}'",
                    remedy="Add the missing step, or name the difference as one.",
                )
            start = 0.0
        else:
            start = float(running or 0.0)
            end = start + (0.0 if missing else float(amount))
        starts.append(start)
        ends.append(end)
        running = end
    return np.array(starts), np.array(ends)
