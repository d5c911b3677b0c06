"""Figures of the hierarchy: how amounts are shared among children, and ratios of all nodes as heat."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from spms_lib.errors import TableError
from spms_lib.money import MISSING
from spms_lib.report.cells import label_of, money_text, ratio_text
from spms_lib.report.figures.canvas import (
    bare,
    begin,
    count_note,
    named_rows,
    need,
    ratio_axis,
    short_name,
    short_ratio,
)
from spms_lib.report.figures.style import INK, MEANINGS, SCREEN_DPI, style

_HEAT_STEPS: Final = 25  # few enough that a small PNG keeps them exact
_BLUES: Final = ("#0072B2", "#4C9CCB", "#8CC0DF", "#BFDCEE", "#5A8FB0", "#A5CCE3", "#D8EAF5")


@style()
def cascade_bars(
    frame: pd.DataFrame,
    *,
    level: str = "level",
    node: str = "node",
    value: str = "value",
    parent: str = "parent",
    name: str | None = None,
    of_level: str | None = None,
    currency: str = "EUR",
    title: str = "How each parent's amount is shared among its children",
    note: str = "",
    most: int = 6,
    ax: Axes | None = None,
) -> Axes:
    """Draw one full bar per parent, cut into its children's shares, with the total beside it.

    Parameters
    ----------
    frame
        One row per node; `value` in minor units, none negative. A parent's own row is
        used for its name only: its total is the sum of its children.
    name
        Column with names; `node` where None.
    of_level
        Only children of this level.
    most
        Children drawn by parent, largest first; the others are one last piece.
    """
    need(frame, level, node, value, parent)
    names = dict(zip(frame[node], frame[name or node], strict=True))
    children = frame[frame[parent].notna() & frame[parent].isin(frame[node])]
    children = children if of_level is None else children[children[level] == of_level]
    children = children[children[value].notna()]
    if children.empty:
        raise TableError("There are no children to draw.", remedy="Give parents and children in one frame.")
    if (children[value] < 0).any():
        raise TableError("A share cannot be negative.", remedy="Draw a bridge where amounts may be negative.")
    parents = list(dict.fromkeys(children[parent]))
    ax = begin(ax, title=title, note=note, height=1.0 + 0.62 * max(len(parents), 2))
    for place, one in enumerate(parents):
        amounts = (
            children[children[parent] == one]
            .set_index(node)[value]
            .sort_values(ascending=False, kind="stable")
        )
        total = float(amounts.sum())
        pieces = [
            (short_name(names[child], 60), float(amount)) for child, amount in amounts.head(most).items()
        ]
        if len(amounts) > most:
            pieces.append((f"{len(amounts) - most} others", float(amounts.iloc[most:].sum())))
        left = 0.0
        for rank, (child, amount) in enumerate(pieces):
            share = amount / total if total else 0.0
            colour = _BLUES[rank % len(_BLUES)]
            ax.barh(place, share, left=left, height=0.66, color=colour, edgecolor="white", linewidth=1.2)
            _piece_label(ax, place, left, share, child, dark=colour in ("#0072B2", "#5A8FB0"))
            left += share
        ax.text(
            1.012, place, money_text(total, currency, compact=True), va="center_baseline", fontweight="bold"
        )
    named_rows(ax, pd.Series([names[one] for one in parents]))
    ax.set_xlim(0, 1)
    ratio_axis(ax, "x", ticks=5)
    bare(ax, grid="")
    ax.set_xlabel("Share of the parent; the total is the sum of the children", loc="left")
    return ax


def _piece_label(ax: Axes, place: int, left: float, share: float, child: str, *, dark: bool) -> None:
    room = int(share * 82)  # characters of the small font that fit in a bar of the full width
    if room < 4:
        return
    short = short_name(child, room)
    ax.text(
        left + share / 2,
        place,
        f"{short}\n{ratio_text(share)}" if room >= 6 else ratio_text(share, decimals=0),
        ha="center",
        va="center",
        fontsize=8.5,
        color="white" if dark else INK,
        linespacing=1.15,
    )


@style()
def heat(
    frame: pd.DataFrame,
    *,
    names: pd.Series | None = None,
    depth: pd.Series | None = None,
    centre: float = 1.0,
    spread: float = 0.3,
    title: str = "Attainment by node and period",
    note: str = "",
    most: int = 40,
    ax: Axes | None = None,
) -> Axes:
    """Draw ratios of nodes by period as coloured cells with the number printed in each.

    Parameters
    ----------
    frame
        Index nodes (parents before their children), columns periods, values ratios.
    names
        Shape (n_nodes,), by node; the node ids where None.
    depth
        Shape (n_nodes,), by node: names are indented by it, so the tree shows.
    centre, spread
        White stands for `centre`; full colour from `spread` away.
    """
    need(frame)
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    shown = frame.head(most).astype("float64")
    ax = begin(ax, title=title, note=count_note(note, shown, frame), height=1.0 + 0.33 * max(len(shown), 3))
    colours = LinearSegmentedColormap.from_list(
        "bad_to_good", [MEANINGS["bad"].colour, "#FFFFFF", MEANINGS["good"].colour], N=_HEAT_STEPS
    ).with_extremes(bad="#F2F2F2")
    values = np.ma.masked_invalid(shown.to_numpy())
    ax.imshow(values, cmap=colours, norm=Normalize(centre - spread, centre + spread), aspect="auto")
    size = 9.5 if len(shown.columns) <= 9 else 8
    for (row, column), ratio in np.ndenumerate(shown.to_numpy()):
        text = MISSING if np.isnan(ratio) else short_ratio(round(ratio, 2))
        ax.text(column, row, text, ha="center", va="center_baseline", fontsize=size, color=INK)
    texts = [str(node) if names is None else str(names.loc[node]) for node in shown.index]
    deep = [0 if depth is None else int(depth.loc[node]) for node in shown.index]
    top = min(deep, default=0)
    labels = [f"{'    ' * (level - top)}{short_name(text)}" for text, level in zip(texts, deep, strict=True)]
    ax.set_yticks(range(len(labels)), labels, ha="left", va="center_baseline")
    ax.set_xticks(range(len(shown.columns)), [label_of(column) for column in shown.columns])
    ax.xaxis.tick_top()
    bare(ax, grid="")
    ax.set_xticks(np.arange(len(shown.columns) + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(len(shown) + 1) - 0.5, minor=True)
    ax.grid(visible=True, which="minor", color="white", linewidth=2)
    ax.tick_params(which="minor", length=0)
    wide = max(label.get_window_extent().width for label in ax.get_yticklabels())
    ax.tick_params(axis="y", pad=wide * 72 / SCREEN_DPI + 8)
    return ax
