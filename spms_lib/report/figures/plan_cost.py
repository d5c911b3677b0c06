"""Figures of what plans may cost: the spread of cost, pay over the density of attainment, winners and losers."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from spms_lib.errors import TableError
from spms_lib.report.cells import money_text
from spms_lib.report.figures.canvas import bare, begin, key, money_axis, need, short_money
from spms_lib.report.figures.pay import payout_curve
from spms_lib.report.figures.style import MEANINGS, SOFT, series_meanings, style

SMALL = 1_000_000  # minor units: thousands would hide the differences between ticks


@style()
def cost_spread(
    costs: pd.DataFrame,
    *,
    currency: str,
    budget: float | None = None,
    bins: int = 48,
    title: str = "What the plans may cost",
    note: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw how likely each cost is for each plan, on the same draws, with the middle 80 % under it.

    Parameters
    ----------
    costs
        One column per plan, one row per draw, minor units.
    budget
        Cost at 100 %, drawn as a line.
    """
    if costs.dropna().empty:
        raise TableError("Nobody's cost is known.", remedy="Show a callout instead.")
    note = " ".join(part for part in (note, "Bar below: costs from the 10th to the 90th percentile.") if part)
    ax = begin(ax, title=title, note=note, height=3.9 + 0.22 * costs.shape[1])
    looks = series_meanings(list(costs.columns))
    low, high = float(costs.min().min()), float(costs.max().max())
    edges = np.linspace(low, high if high > low else low + 1.0, bins + 1)
    counts = [np.histogram(costs[name].dropna(), edges)[0] / costs[name].notna().sum() for name in costs]
    top = max(float(count.max()) for count in counts)
    for number, (name, look, count) in enumerate(zip(costs, looks, counts, strict=True)):
        ax.stairs(count, edges, fill=True, color=look.colour, alpha=0.22)
        ax.stairs(count, edges, color=look.ink, linewidth=1.6, linestyle=look.line)
        place = -top * (0.1 + 0.17 * number)
        p10, p90 = costs[name].quantile([0.1, 0.9])
        ax.plot([p10, p90], [place, place], color=look.ink, linewidth=4, solid_capstyle="butt", linestyle="-")
        ax.scatter(
            [costs[name].mean()],
            [place],
            color="white",
            edgecolor=look.ink,
            s=44,
            zorder=4,
            marker=look.marker,
        )
        ends = f"{short_money(p10, currency)} to {short_money(p90, currency)}, mean {short_money(costs[name].mean(), currency)}"
        room = p90 < (low + high) / 2
        ax.annotate(ends, (p90 if room else p10, place), (8 if room else -8, 0), textcoords="offset points",
                    ha="left" if room else "right", va="center", color=look.ink, fontsize=9)  # fmt: skip
    if budget is not None:
        ax.axvline(budget, color=MEANINGS["target"].colour, linewidth=1.6)
        text = f" {short_money(budget, currency)} at 100% "
        side = "right" if budget > (low + high) / 2 else "left"
        ax.text(budget, top * 1.07, text, color=MEANINGS["target"].ink, ha=side, va="top", fontweight="bold")
    ax.set_ylim(-top * (0.14 + 0.17 * costs.shape[1]), top * 1.1)
    ax.set_yticks([])
    ax.set_ylabel("Chance")
    money_axis(ax, "x", currency)
    bare(ax, grid="x")
    key(ax, looks, lines=True)
    return ax


@style()
def pay_and_chances(
    curve: pd.DataFrame,
    attainments: pd.Series,
    *,
    title: str = "What the plan pays, and where payees are likely to stand",
    note: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw pay against attainment, and below it how likely each attainment is.

    Parameters
    ----------
    curve
        As for `payout_curve`: attainment, payout (in target incentives).
    attainments
        Simulated attainments, payees and draws together.
    """
    known = attainments.dropna().to_numpy(dtype=float)
    if not len(known):
        raise TableError("Nobody's attainment is known.", remedy="Show a callout instead.")
    above = float((known >= 1.0).mean())
    note = " ".join(part for part in (note, "Below the line: how likely each attainment is.") if part)
    ax = payout_curve(curve, title=title, note=note, ax=ax)
    left, right = ax.get_xlim()
    top = ax.get_ylim()[1]
    counts, edges = np.histogram(known, np.linspace(left, right, 81))
    depth = -0.3 * top * counts / max(int(counts.max()), 1)
    for chosen, look in ((edges[:-1] < 1.0 - 1e-9, "baseline"), (edges[:-1] >= 1.0 - 1e-9, "good")):
        ax.bar(
            edges[:-1][chosen],
            depth[chosen],
            width=np.diff(edges)[chosen],
            align="edge",
            color=MEANINGS[look].colour,
        )
    ax.axhline(0.0, color=SOFT, linewidth=0.8)
    ax.set_ylim(-0.36 * top, top)
    ax.set_yticks([tick for tick in ax.get_yticks() if 0 <= tick <= top])
    for share, side, look in ((1 - above, "left", "baseline"), (above, "right", "good")):
        words = f"{share:.0%} {'below' if side == 'left' else 'at or above'} quota"
        place = left + 0.01 * (right - left) if side == "left" else right - 0.01 * (right - left)
        ax.text(place, -0.31 * top, words, ha=side, color=MEANINGS[look].ink, fontweight="bold", fontsize=9.5)
    return ax


@style()
def winners_and_losers(
    table: pd.DataFrame,
    *,
    currency: str,
    title: str = "Who gains and who loses in expected pay",
    note: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw every payee's difference in expected pay as a bar, those who lose most first, with its interval.

    Parameters
    ----------
    table
        Columns difference, low, high (minor units), such as one plan's rows of `winners_losers`.
    """
    need(table, "difference", "low", "high")
    rows = table.dropna(subset="difference").sort_values("difference", kind="stable")
    if rows.empty:
        raise TableError("Nobody's difference is known.", remedy="Show a callout instead.")
    ax = begin(ax, title=title, note=note, height=3.9)
    places, gap = np.arange(len(rows)), rows["difference"].to_numpy(dtype=float)
    for wins, look, word in ((False, "bad", "lose"), (True, "good", "gain")):
        chosen = gap > 0 if wins else gap < 0
        ax.bar(places[chosen], gap[chosen], width=0.86, color=MEANINGS[look].colour)
        if chosen.any():
            text = f"{chosen.sum():,} {word} {short_money(abs(gap[chosen].sum()), currency)}"
            low = wins and bool((gap < 0).any())  # the corner that the bars leave free
            where, side = ((0.99, 0.05), "right") if low else ((0.01, 0.95), "left")
            ax.text(*where, text, transform=ax.transAxes, ha=side, va="bottom" if low else "top",
                    color=MEANINGS[look].ink, fontweight="bold")  # fmt: skip
    ax.vlines(places, rows["low"], rows["high"], color=SOFT, linewidth=0.8)
    ax.axhline(0.0, color=SOFT, linewidth=0.8)
    ax.set_xticks([])
    ax.set_xlabel(f"{len(rows):,} payees, those who lose most first", loc="left")
    ax.set_ylabel("Expected pay, difference")
    money_axis(ax, "y", currency)
    if float(np.abs(gap).max()) < SMALL:
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: money_text(value, currency, cents=False)))
    bare(ax, grid="y")
    return ax
