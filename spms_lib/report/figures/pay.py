"""Figures about pay: who reached quota, and what the plan pays for it."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from spms_lib.errors import TableError
from spms_lib.report.cells import number_text, ratio_text
from spms_lib.report.figures.canvas import bare, begin, money_axis, need, ratio_axis, short_money, short_ratio
from spms_lib.report.figures.style import INK, MEANINGS, SOFT, style


@style()
def attainment_histogram(
    values: pd.Series,
    *,
    bands: Sequence[float] = (0.8, 1.0, 1.2),
    step: float = 0.1,
    top: float = 2.0,
    who: str = "payees",
    title: str = "How many reached their quota",
    note: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw how many payees ended in each tenth of attainment, with the quota as a line.

    Parameters
    ----------
    values
        Attainment ratios (actual by quota, 1.0 is quota); missing where there is no quota.
    bands
        Edges between bands; the number and share of payees is printed for each band.
    step
        Width of a bar.
    top
        Everything above is counted in the last bar.
    """
    known = values.dropna().astype("float64")
    if known.empty:
        raise TableError("Nobody has an attainment yet.", remedy="Show a callout instead.")
    absent = len(values) - len(known)
    left_out = f"{absent:,} without a quota are not counted." if absent else ""
    note = " ".join(part for part in (note, "Attainment is actual by quota.", left_out) if part)
    ax = begin(ax, title=title, note=note, height=3.9)
    bins = round(top / step)
    placed = np.clip(np.floor(known.to_numpy() / step + 1e-9).astype(int), 0, bins)
    counts = np.bincount(placed, minlength=bins + 1)
    lefts = np.arange(bins + 1) * step
    for left, count in zip(lefts, counts, strict=True):
        reached = left >= 1.0 - 1e-9
        ax.bar(
            left + step / 2,
            count,
            width=step * 0.92,
            color=MEANINGS["good" if reached else "baseline"].colour,
        )
    high = float(counts.max())
    ax.axvline(1.0, color=MEANINGS["target"].colour, linewidth=2)
    ax.text(1.0, high * 1.3, " Quota 100%", color=MEANINGS["target"].colour, fontweight="bold", va="top")
    used = lefts[counts > 0]
    first = max(0.0, min(float(used.min()), *bands) - step)
    last = min(top + step, max(float(used.max()) + step, *bands) + step)
    edges = [first, *(band for band in bands if first < band < last), last]
    band = np.clip(np.searchsorted(edges, known.to_numpy() + 1e-12, side="right") - 1, 0, len(edges) - 2)
    inside = np.bincount(band, minlength=len(edges) - 1)
    for (low, up), count in zip(pairwise(edges), inside, strict=True):
        text = f"{count:,}\n{ratio_text(count / len(known), decimals=0)}"
        ax.text(
            (low + up) / 2, high * 1.17, text, ha="center", va="top", color=SOFT, fontsize=9, linespacing=1.2
        )
        if low > first and abs(low - 1.0) > 1e-9:
            ax.axvline(low, color=SOFT, linewidth=0.8, linestyle=":", ymax=0.9)
    ax.set_xlim(first, last)
    ax.set_ylim(0, high * 1.32)
    ax.set_xticks(np.arange(0.0, last + 1e-9, 2 * step))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short_ratio(value)))
    if known.max() >= top:
        ax.text(
            top + step / 2,
            counts[-1] + high * 0.02,
            f"{ratio_text(top, decimals=0)}\nand more",
            ha="center",
            fontsize=8,
        )
    ax.set_ylabel(f"Number of {who}")
    ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    bare(ax, grid="y")
    return ax


@style()
def payout_curve(
    frame: pd.DataFrame,
    *,
    attainment: str = "attainment",
    payout: str = "payout",
    marginal: str | None = None,
    currency: str | None = None,
    mark: float | None = None,
    title: str = "What the plan pays at each attainment",
    note: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw pay against attainment, with the rate of every tier written at the line.

    Parameters
    ----------
    frame
        Points of the curve in rising order of attainment.
    payout
        Ratio of target incentive; minor units where `currency` is given.
    marginal
        Column with the rate that holds from each point on (payout ratio per attainment
        ratio, 1.0 pays in proportion); printed once for every tier.
    mark
        An attainment to point out, such as where this payee stands.
    """
    need(frame, attainment, payout, *([marginal] if marginal else []))
    ax = begin(ax, title=title, note=note, height=4.1)
    along, paid = frame[attainment].astype("float64"), frame[payout].astype("float64")
    colour = MEANINGS["actual"].colour
    ax.plot(along, paid, color=colour, linewidth=2.6, solid_joinstyle="miter")
    ax.fill_between(along, 0, paid, color=MEANINGS["projected"].colour, alpha=0.16, linewidth=0)
    low, high = float(along.iloc[0]), float(along.iloc[-1])
    ax.axvline(1.0, color=MEANINGS["target"].colour, linewidth=1.4, zorder=0)
    ax.text(
        1.0,
        1.01,
        "Quota",
        color=MEANINGS["target"].colour,
        transform=ax.get_xaxis_transform(),
        ha="center",
        va="bottom",
    )
    if marginal:
        _tier_rates(ax, frame[marginal].astype("float64"), along, paid)
    if mark is not None:
        here = float(np.interp(mark, along, paid))
        text = short_money(here, currency) if currency else short_ratio(round(here, 3))
        ax.scatter([mark], [here], s=70, color=MEANINGS["good" if mark >= 1 else "bad"].colour, zorder=5)
        ax.annotate(
            f"{short_ratio(round(mark, 3))} pays {text}",
            (mark, here),
            (10, -14),
            textcoords="offset points",
            fontweight="bold",
        )
    ratio_axis(ax, "x", ticks=8)
    ax.set_xlim(low, high)
    ax.set_ylim(0, float(paid.max()) * 1.14 or 1.0)
    if currency:
        money_axis(ax, "y", currency)
        ax.set_ylabel("Payout")
    else:
        ratio_axis(ax, "y")
        ax.set_ylabel("Payout, share of target incentive")
    ax.set_xlabel("Attainment (actual by quota)", loc="left")
    bare(ax, grid="y")
    return ax


def _tier_rates(ax: Axes, rates: pd.Series, along: pd.Series, paid: pd.Series) -> None:
    """Print each tier's rate at the middle of its stretch of the line."""
    tier = rates.ne(rates.shift()).cumsum().to_numpy()
    for one in np.unique(tier):
        inside = np.flatnonzero(tier == one)
        stop = min(int(inside[-1]) + 1, len(along) - 1)
        start = int(inside[0])
        if stop <= start:
            continue
        middle = float(along.iloc[start] + along.iloc[stop]) / 2
        if start:
            ax.scatter([along.iloc[start]], [paid.iloc[start]], s=30, color=INK, zorder=4)
        ax.annotate(
            f"rate {number_text(float(rates.iloc[start]), decimals=2)}",
            (middle, float(np.interp(middle, along, paid))),
            (-6, 6),
            textcoords="offset points",
            ha="right",
            va="bottom",
            color=SOFT,
            fontsize=9.5,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )
