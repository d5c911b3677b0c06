"""Win rates of a company's own deals by stage, age and segment, within the time that is left.

A rate is the share of deals that were open on a past day, as far from the end of their period as
today, and were won before it ended: a deal won a year later does not cover this quarter. Bins
with few deals lean on the next coarser bin, as much as the company's own bins have been alike:
beta-binomial empirical Bayes. For n deals, w of them won, a coarser rate m and a strength k

    rate = (w + k m) / (n + k),   posterior Beta(w + k m, n - w + k (1 - m))

with the k, from 1 to 1000, that makes the bins seen most likely, and never more than the deals
that the coarser rate itself rests on. By amount the same with money in
place of deals, k being that many deals of the bin's mean amount.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy import stats

from spms_lib.errors import ParamsError
from spms_lib.tables import NODE, need

KEYS: Final = ("stage", "age", "segment")
STRENGTHS: Final = np.geomspace(1, 1000, 31)
AGE_BINS: Final = 3
INTERVAL: Final = 0.9
THIN: Final = 20  # deals below which a bin's own share says little
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, eq=False)
class WinRates:
    """What was learnt from past deals.

    Attributes
    ----------
    levels
        One frame per grain, from all deals to the finest bins: its keys, deals, won, rate, low, high
        (90 % interval), by_amount (money won / amount then; missing where amounts then are unknown), thin
        (fewer than 20 deals, so the coarser bin speaks more), and the posterior's alpha and beta.
    keys
        What tells bins apart, in the order of refinement; what is never known is left out.
    edges
        Upper ends, in days, of all age bins but the last.
    due_only
        True where only deals expected to close in the period count; False where past
        expectations are not known, so all open deals do.
    strengths
        Per refinement, how many deals the coarser rate counts for.
    """

    levels: tuple[pd.DataFrame, ...]
    keys: tuple[str, ...]
    edges: tuple[float, ...]
    due_only: bool
    strengths: tuple[float, ...]

    @property
    def deals(self) -> int:
        """Past deals that the rates rest on."""
        return int(self.levels[0]["deals"].iloc[0])


def learn_win_rates(observed: pd.DataFrame, *, keys: Sequence[str] = KEYS) -> WinRates:
    """Learn win rates from past open deals and what became of them: see the module.

    Parameters
    ----------
    observed
        From `outcomes`, of several past periods.
    keys
        What may tell bins apart, in the order of refinement.

    Raises
    ------
    ParamsError
        If there is no past deal to learn from.

    Examples
    --------
    >>> past = pd.DataFrame({"stage": ["early"] * 50 + ["late"] * 50, "age": 10.0, "segment": "all",
    ...     "amount": 100, "due": True, "won": [False] * 45 + [True] * 5 + [True] * 40 + [False] * 10})
    >>> rates = learn_win_rates(past.assign(won_amount=past["won"] * 100), keys=["stage"])
    >>> rates.levels[1][["stage", "deals", "won"]].values.tolist()
    [['early', 50, 5], ['late', 50, 40]]
    """
    need(observed, [*KEYS, "amount", "due", "won", "won_amount"], "past deals")
    due_only = bool(observed["due"].notna().any())
    rows = observed[observed["due"].fillna(value=False).astype(bool)] if due_only else observed
    if rows.empty:
        raise ParamsError(
            "No past deal tells how often deals are won.",
            remedy="Keep snapshots of the deals, one a month or more.",
        )
    used = tuple(key for key in keys if rows[key].notna().any())
    age = rows["age"].dropna().astype("float64")
    edges = tuple(np.unique(np.floor(age.quantile(np.arange(1, AGE_BINS) / AGE_BINS).dropna())).tolist())
    binned = _binned(rows, used, edges).assign(
        amount=rows["amount"].astype("float64"),
        won_amount=rows["won_amount"].astype("float64"),
        won=rows["won"].astype("int64"),
    )
    levels, strengths = [_all_deals(binned)], []
    for depth in range(1, len(used) + 1):
        level, strength = _refined(_counts(binned, used[:depth]), levels[-1], used[: depth - 1])
        levels.append(level)
        strengths.append(strength)
    return WinRates(tuple(levels), used, edges, due_only, tuple(strengths))


def _binned(rows: pd.DataFrame, keys: Sequence[str], edges: Sequence[float]) -> pd.DataFrame:
    """Name each deal's bin; what nobody has said is a bin of its own."""
    frame = pd.DataFrame(index=rows.index)
    for key in keys:
        if key == "age":
            ends = [f"{edge:.0f}" for edge in edges]
            names = [f"to {end} days" for end in ends] + [f"over {ends[-1]} days" if ends else "any age"]
            place = np.searchsorted(edges, rows["age"].fillna(0).astype("float64"), side="left")
            frame["age"] = pd.Series(np.array(names, dtype=object)[place], index=rows.index).where(
                rows["age"].notna(), UNKNOWN
            )
        else:
            frame[key] = rows[key].astype("object").where(rows[key].notna(), UNKNOWN)
    return frame


def _counts(binned: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    groups = (
        binned.groupby(list(keys), sort=True) if keys else binned.groupby(np.zeros(len(binned), dtype=int))
    )
    return groups.agg(
        deals=("won", "size"),
        won=("won", "sum"),
        amount=("amount", lambda cells: cells.sum(min_count=len(cells))),
        won_amount=("won_amount", "sum"),
    ).reset_index(drop=not keys)


def _all_deals(binned: pd.DataFrame) -> pd.DataFrame:
    """All deals in one bin, with half a deal won and half a deal lost added (Jeffreys)."""
    top = _counts(binned, [])
    top = top.assign(alpha=top["won"] + 0.5, beta=top["deals"] - top["won"] + 0.5)
    return _read(top.assign(by_amount=top["won_amount"] / top["amount"].where(top["amount"] > 0)))


def _refined(counts: pd.DataFrame, coarser: pd.DataFrame, keys: Sequence[str]) -> tuple[pd.DataFrame, float]:
    above = coarser[[*keys, "rate", "by_amount"]].rename(columns={"rate": "mean", "by_amount": "money"})
    above = above.assign(most=coarser["alpha"] + coarser["beta"])
    level = counts.merge(above, on=list(keys)) if keys else counts.merge(above, how="cross")
    likely = [
        stats.betabinom.logpmf(level["won"], level["deals"], k * level["mean"], k * (1 - level["mean"])).sum()
        for k in STRENGTHS
    ]
    strength = float(STRENGTHS[int(np.argmax(likely))])
    k = level["most"].clip(upper=strength)
    level["alpha"] = level["won"] + k * level["mean"]
    level["beta"] = level["deals"] - level["won"] + k * (1 - level["mean"])
    lent = k * level["amount"] / level["deals"]
    level["by_amount"] = (level["won_amount"] + lent * level["money"]) / (level["amount"] + lent)
    return _read(level.drop(columns=["mean", "money", "most"])), strength


def _read(level: pd.DataFrame) -> pd.DataFrame:
    a, b = level["alpha"].to_numpy(float), level["beta"].to_numpy(float)
    low, high = stats.beta.ppf([[(1 - INTERVAL) / 2], [(1 + INTERVAL) / 2]], a, b)
    return level.assign(rate=a / (a + b), low=low, high=high, thin=level["deals"] < THIN)


def rate_deals(rates: WinRates, deals: pd.DataFrame) -> pd.DataFrame:
    """Give each open deal the rate of its bin, or of the nearest coarser bin that was ever seen.

    Parameters
    ----------
    deals
        From `standing`.

    Returns
    -------
    pd.DataFrame
        The deals that count (see `due_only`) and bin (its keys in words), alpha, beta, rate, by_amount.
    """
    due = deals["due"].fillna(value=False).astype(bool)
    rows = deals[due] if rates.due_only else deals
    bins = _binned(rows, rates.keys, rates.edges)
    found = ["alpha", "beta", "rate", "by_amount"]
    whole = pd.DataFrame(np.nan, index=rows.index, columns=found)
    name = pd.Series("all deals", index=rows.index, dtype="object")
    for depth, level in enumerate(rates.levels):
        keys = list(rates.keys[:depth])
        match = (
            bins.merge(level[[*keys, *found]], on=keys, how="left")
            if keys
            else level[found].iloc[[0] * len(rows)]
        )
        match = match[found].set_axis(rows.index, axis=0)
        known = match["rate"].notna()
        whole = match.where(known, whole)
        if keys:
            name = bins[keys].agg(" · ".join, axis=1).where(known, name) if len(rows) else name
    return rows.assign(bin=name, **{column: whole[column] for column in found})


def expected_wins(rated: pd.DataFrame, groups: pd.Series, *, by: str = "rate") -> pd.DataFrame:
    """Add up what open deals are expected to bring, with an interval, by group of nodes.

    Parameters
    ----------
    rated
        From `rate_deals`.
    groups
        Node of the deals to the node that is reported: indexed by node.
    by
        `rate` (share of deals won) or `by_amount` (money won / amount then).

    Returns
    -------
    pd.DataFrame
        Indexed by group: deals, amount, expected, low, high (float minor units). The 90 % interval
        holds both chances: that each deal is won or not, and that the rate of a bin is off for
        all its deals alike; as a normal approximation, never below 0.
    """
    rows = pd.DataFrame(
        {"group": rated[NODE].map(groups), "bin": rated["bin"], "amount": rated["amount"].astype("float64")}
    )
    total = rated["alpha"] + rated["beta"]
    chance = rated["rate"].to_numpy()
    rows["expected"] = rows["amount"] * rated[by].fillna(rated["rate"])
    rows["luck"] = rows["amount"] ** 2 * chance * (1 - chance)
    rows["spread"] = rows["amount"] * np.sqrt(chance * (1 - chance) / (total + 1))
    shared = rows.groupby(["group", "bin"])["spread"].sum().pow(2).groupby("group").sum()
    sums = rows.groupby("group").agg(
        deals=("amount", "size"), amount=("amount", "sum"), expected=("expected", "sum"), luck=("luck", "sum")
    )
    off = stats.norm.ppf((1 + INTERVAL) / 2) * np.sqrt(sums["luck"] + shared)
    return sums.drop(columns="luck").assign(
        low=(sums["expected"] - off).clip(lower=0), high=sums["expected"] + off
    )
