"""A figure about gaming: where payees end, against a smooth distribution, with the plan's edges."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from spms_lib.report.figures.canvas import apart, bare, begin, need, ratio_axis, short_ratio
from spms_lib.report.figures.style import INK, MEANINGS, SOFT, style


@style()
def bunching_bars(
    curve: pd.DataFrame,
    edges: pd.DataFrame,
    *,
    title: str = "Where payees end, and where the plan has edges",
    note: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw how many payees end at each attainment, with what a smooth distribution would put there.

    Parameters
    ----------
    curve
        One row per bin: start, stop (attainment), observed, expected, low and high (interval of a count
        if nothing pulled), at_edge (bool: near an edge, so not used for the smooth distribution).
    edges
        edge (attainment) and label (what was seen there, such as `41 seen, 22 expected`).
    """
    need(curve, "start", "stop", "observed", "expected", "low", "high", "at_edge")
    need(edges, "edge", "label")
    said = "Line: smooth distribution fitted to the light bars; steps: 95% interval of a count about it."
    ax = begin(ax, title=title, note=" ".join(part for part in (note, said) if part), height=4.3)
    middle, width = (curve["start"] + curve["stop"]) / 2, curve["stop"] - curve["start"]
    light, dark = MEANINGS["last_year"].colour, MEANINGS["projected"].ink
    colours = [dark if near else light for near in curve["at_edge"]]
    ax.bar(middle, curve["observed"], width=width * 0.86, color=colours, zorder=2)
    for bound in ("low", "high"):
        ax.step(middle, curve[bound], where="mid", color=MEANINGS["field"].colour, linewidth=1.2, zorder=3)
    ax.plot(middle, curve["expected"], color=INK, linewidth=1.8, zorder=4)
    top = float(curve[["observed", "high"]].to_numpy(dtype="float64").max())
    low, high = float(curve["start"].min()), float(curve["stop"].max())
    places = apart(edges["edge"].astype("float64").tolist(), (high - low) * 0.19)
    for edge, label, place in zip(
        edges["edge"].astype("float64").tolist(), edges["label"], places, strict=True
    ):
        ax.plot(
            [edge, edge, place],
            [0, top * 1.04, top * 1.1],
            color=SOFT,
            linewidth=0.9,
            linestyle=":",
            zorder=1,
        )
        ax.text(place, top * 1.12, f"{short_ratio(edge)}\n{label}", ha="center", va="bottom", fontsize=9)
    ax.set_xlim(low, high)
    ax.set_ylim(0, top * 1.34)
    ratio_axis(ax, "x", ticks=10)
    ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.set_xlabel("Attainment (actual by quota)", loc="left")
    ax.set_ylabel("Number of payees")
    bare(ax, grid="y")
    return ax
