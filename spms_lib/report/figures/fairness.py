"""A figure about fairness: whether attainment depends on the size of the quota."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from spms_lib.report.figures.canvas import bare, begin, money_axis, need, ratio_axis, short_name
from spms_lib.report.figures.style import MEANINGS, style


@style()
def scatter_fairness(
    frame: pd.DataFrame,
    *,
    size: str = "size",
    attainment: str = "attainment",
    name: str | None = None,
    fitted: str | None = None,
    low: str | None = None,
    high: str | None = None,
    currency: str = "EUR",
    name_most: int = 4,
    title: str = "Does attainment depend on the size of the quota?",
    note: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw attainment against size, with a fitted line and the band it may lie in.

    Parameters
    ----------
    frame
        One row per node or payee; rows without a size or an attainment are not drawn.
    size
        Quota or potential in minor units.
    fitted, low, high
        Columns with the line and its interval. Without them the least-squares line and
        its 95 % interval are drawn.
    name
        Names; those farthest from the line are written, at most `name_most` of them.
    """
    need(frame, size, attainment, *(column for column in (name, fitted, low, high) if column))
    known = frame[frame[size].notna() & frame[attainment].notna()].sort_values(size, kind="stable")
    left_out = len(frame) - len(known)
    x, y = known[size].to_numpy(dtype="float64"), known[attainment].to_numpy(dtype="float64")
    line: NDArray[np.float64] | None
    if fitted:
        bounds = (
            (known[low].to_numpy(dtype="float64"), known[high].to_numpy(dtype="float64"))
            if low and high
            else None
        )
        line = known[fitted].to_numpy(dtype="float64")
        said = "Band: interval of the line." if bounds else ""
    else:
        line, bounds, said = _fit(x, y)
    absent = f"{left_out:,} without quota or attainment are not drawn." if left_out else ""
    ax = begin(ax, title=title, note=" ".join(part for part in (note, said, absent) if part), height=4.3)
    ax.axhline(1.0, color=MEANINGS["target"].colour, linewidth=1.2, linestyle="--", zorder=1)
    ax.text(
        1.0,
        1.0,
        "Quota",
        color=MEANINGS["target"].ink,
        transform=ax.get_yaxis_transform(),
        va="center_baseline",
    )
    if bounds is not None:
        ax.fill_between(x, bounds[0], bounds[1], color=MEANINGS["projected"].colour, alpha=0.28, linewidth=0)
    if line is not None:
        ax.plot(x, line, color=MEANINGS["projected"].ink, linewidth=2)
    ax.scatter(
        x, y, s=36, color=MEANINGS["actual"].colour, alpha=0.75, edgecolor="white", linewidth=0.6, zorder=3
    )
    if name:
        distance = np.abs(y - (line if line is not None else 1.0))
        for i in np.argsort(-distance, kind="stable")[:name_most]:
            right = x[i] > x.min() + 0.75 * (x.max() - x.min())
            ax.annotate(
                short_name(known[name].iloc[int(i)], 24),
                (x[i], y[i]),
                (-7 if right else 7, 0),
                textcoords="offset points",
                ha="right" if right else "left",
                va="center",
                fontsize=9,
            )
    money_axis(ax, "x", currency)
    ratio_axis(ax, "y")
    ax.set_xlabel("Size of the quota", loc="left")
    ax.set_ylabel("Attainment (actual by quota)")
    bare(ax, grid="y")
    return ax


def _fit(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64] | None, tuple[NDArray[np.float64], NDArray[np.float64]] | None, str]:
    """Fit y on x by least squares; line, 95 % interval of the line, and one sentence."""
    n = len(x)
    spread = float(((x - x.mean()) ** 2).sum()) if n else 0.0
    if n < 4 or spread == 0:
        return None, None, "Too few different sizes for a line."
    from scipy.stats import t

    slope = float(((x - x.mean()) * (y - y.mean())).sum()) / spread
    line = y.mean() + slope * (x - x.mean())
    noise = float(((y - line) ** 2).sum()) / (n - 2)
    often = float(t.ppf(0.975, n - 2))
    width = often * np.sqrt(noise * (1 / n + (x - x.mean()) ** 2 / spread))
    surely = abs(slope) > often * np.sqrt(noise / spread)
    said = "Attainment rises with size" if slope > 0 else "Attainment falls with size"
    sentence = f"{said}." if surely else "No dependence on size can be told from chance."
    return line, (line - width, line + width), f"{sentence} Band: 95% interval of the line."
