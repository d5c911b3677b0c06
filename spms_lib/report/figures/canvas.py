"""What all figures share: the empty drawing, axes in money and percent, names that keep their room."""

import math
import re
import textwrap
from collections.abc import Sequence
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, MaxNLocator

from spms_lib.errors import TableError
from spms_lib.report.cells import money_text, ratio_text, refuse_unknown
from spms_lib.report.figures.style import RULE, SCREEN_DPI, SOFT, WIDTH, Meaning
from spms_lib.text import visible

LONGEST_NAME: Final = 34
INCH_PER_ROW: Final = 0.36
LONGEST_NOTE: Final = 120  # characters on one line under a figure


def begin(ax: Axes | None, *, title: str, note: str = "", height: float = 4.0) -> Axes:
    """Make a figure of one Axes, or take the one given, and write title and note.

    Parameters
    ----------
    title
        States what is shown; stands at the top left.
    note
        Units, conventions, what was left out; stands small at the bottom left.
    height
        Inches; the width is always `WIDTH`.
    """
    title, note = visible(title), visible(note)
    if ax is not None:
        ax.set_title(title, loc="left", fontweight="bold")
        if note:
            ax.annotate(
                note,
                (0, 0),
                (0, -34),
                xycoords="axes fraction",
                textcoords="offset points",
                fontsize=9,
                color=SOFT,
            )
        return ax
    figure = Figure(
        figsize=(WIDTH, height), dpi=SCREEN_DPI, layout=ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.06)
    )
    FigureCanvasAgg(figure)
    figure.suptitle(title, x=0.008, ha="left", fontweight="bold", fontsize=13)
    if note:
        figure.supxlabel(
            textwrap.fill(note, LONGEST_NOTE, break_on_hyphens=False),
            x=0.008,
            ha="left",
            fontsize=9,
            color=SOFT,
        )
    return figure.add_subplot()


def bare(ax: Axes, *, grid: str = "x") -> None:
    """Leave only what carries numbers: a light grid along one axis and no box."""
    for side in ("top", "right", "left", "bottom"):
        ax.spines[side].set_visible(False)
    ax.tick_params(length=0)
    ax.set_axisbelow(True)
    if grid:
        ax.grid(visible=True, axis="x" if grid == "x" else "y", color=RULE, linewidth=0.8)


def money_axis(ax: Axes, which: str, currency: str, *, ticks: int = 6) -> None:
    """Write one axis in compact currency, such as €1.5M."""
    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_major_locator(MaxNLocator(ticks))
    axis.set_major_formatter(FuncFormatter(lambda value, _: short_money(value, currency)))


def ratio_axis(ax: Axes, which: str, *, ticks: int = 6) -> None:
    """Write one axis in percent."""
    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: short_ratio(value)))


def short_money(minor: float | None, currency: str, *, signed: bool = False) -> str:
    """Write money in as few characters as say it.

    Examples
    --------
    >>> short_money(200000000, "EUR"), short_money(-125000000, "EUR"), short_money(85000000, "EUR", signed=True)
    ('€2M', '−€1.25M', '+€850K')
    """
    text = money_text(minor, currency, compact=True, signed=signed)
    return re.sub(r"(?:\.0+|(\.\d*?[1-9])0+)(?=\D|$)", r"\1", text) if "." in text else text


def short_ratio(ratio: float) -> str:
    """Write a percentage without a useless decimal.

    Examples
    --------
    >>> short_ratio(0.5), short_ratio(0.125)
    ('50%', '12.5%')
    """
    whole = math.isclose(ratio * 100, round(ratio * 100), abs_tol=1e-6)
    return ratio_text(ratio, decimals=0 if whole else 1)


def short_name(name: object, longest: int = LONGEST_NAME) -> str:
    """Cut a long name at its end, so that neighbours keep their room.

    Examples
    --------
    >>> short_name("North-West Enterprise Accounts and Partners", 20)
    'North-West Enterpri…'
    """
    text = " ".join(visible(str(name)).split())
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def row_name(name: object) -> str:
    r"""Break a long name into two lines, and cut what is longer still.

    Examples
    --------
    >>> row_name("North-West Enterprise Accounts and Partners")
    'North-West Enterprise Accounts and\nPartners'
    """
    lines = textwrap.wrap(" ".join(visible(str(name)).split()), width=LONGEST_NAME) or [""]
    return lines[0] if len(lines) == 1 else f"{lines[0]}\n{short_name(' '.join(lines[1:]))}"


def apart(places: Sequence[float], gap: float) -> list[float]:
    """Move label places away from each other until all are `gap` apart, keeping their order.

    Examples
    --------
    >>> apart([1.0, 1.1, 5.0], 1.0)
    [0.55, 1.55, 5.0]
    """
    order = sorted(range(len(places)), key=lambda i: places[i])
    groups: list[list[float]] = []  # centre, members
    for i in order:
        groups.append([places[i], 1])
        while len(groups) > 1:
            (low, below), (high, above) = groups[-2], groups[-1]
            if high - low >= gap * (below + above) / 2:
                break
            groups[-2:] = [[(low * below + high * above) / (below + above), below + above]]
    moved = [
        centre + (k - (members - 1) / 2) * gap for centre, members in groups for k in range(int(members))
    ]
    result = [0.0] * len(places)
    for i, place in zip(order, moved, strict=True):
        result[i] = round(place, 9)
    return result


def need(frame: pd.DataFrame, *columns: str) -> None:
    """Refuse a frame without the columns a figure draws, or without rows."""
    refuse_unknown(columns, list(frame.columns), "column")
    if frame.empty:
        raise TableError("There is nothing to draw: the frame has no rows.", remedy="Show a callout instead.")


def key(ax: Axes, meanings: Sequence[Meaning], *, lines: bool = False) -> None:
    """Write what the shapes mean in one row above the drawing."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [],
            [],
            color=one.colour,
            marker=one.marker,
            linestyle=one.line if lines else "",
            label=one.label,
            markersize=8,
        )
        for one in meanings
    ]
    ax.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(-0.01, 1.0),
        ncols=len(handles),
        frameon=False,
        handletextpad=0.3,
        columnspacing=1.6,
        borderaxespad=0.1,
    )


def named_rows(ax: Axes, names: pd.Series, *, bold: list[bool] | None = None) -> None:
    """Name the rows of a figure from the top, one line of room for each."""
    ax.set_yticks(range(len(names)), [row_name(name) for name in names])
    for label, strong in zip(ax.get_yticklabels(), bold or [], strict=False):
        label.set_fontweight("bold" if strong else "normal")
    ax.set_ylim(len(names) - 0.4, -0.6)


def count_note(note: str, shown: pd.DataFrame, frame: pd.DataFrame) -> str:
    """Add to a note how many rows there are, where not all are drawn."""
    count = "" if len(shown) == len(frame) else f"{len(shown):,} of {len(frame):,} shown."
    return " ".join(part for part in (note, count) if part)
