"""Honesty: whether the chances that were given in the past came true, and how far a spread must grow for it."""

from typing import Final

import numpy as np
import pandas as pd
from scipy import stats

PRIOR_CELLS: Final = 3.0


def widening(surprises: pd.DataFrame) -> pd.Series:
    """Learn by how much a stated spread has to grow so that it covers the surprises of the past.

    The root mean square of (actual - expected) / spread, level by level; a level with few past cells is drawn towards
    the mean of all levels, which counts as much as `PRIOR_CELLS` cells. Errors that nodes have in common (a market, a
    season) show above the sellers, where independent errors would have cancelled: there the factor is largest.

    Parameters
    ----------
    surprises
        Columns level, surprise ((actual - expected) / spread).

    Returns
    -------
    pd.Series
        Indexed by level: factor for the spread; empty without a past.
    """
    known = surprises.dropna()
    if known.empty:
        return pd.Series(dtype="float64")
    squared = (known["surprise"] ** 2).groupby(known["level"]).agg(["mean", "size"])
    drawn = squared["mean"] * squared["size"] + PRIOR_CELLS * squared["mean"].mean()
    factor: pd.Series = (drawn / (squared["size"] + PRIOR_CELLS)) ** 0.5
    return factor.rename("factor")


def brier(chance: pd.Series, attained: pd.Series) -> pd.Series:
    """Score past chances against what came: mean squared difference, smaller is better (Brier, 1950).

    Parameters
    ----------
    attained
        Indexed alike: 1 where the target was reached, else 0.

    Returns
    -------
    pd.Series
        n, mean_chance, attained (share), brier, brier_of_base_rate (of saying the share to everybody), skill
        (1 - brier / brier_of_base_rate; above 0 the chances say more than the share).
    """
    both = pd.DataFrame({"chance": chance, "attained": attained}).dropna().astype("float64")
    rate = both["attained"].mean()
    score, base = ((both["chance"] - both["attained"]) ** 2).mean(), rate * (1.0 - rate)
    return pd.Series(
        {
            "n": len(both),
            "mean_chance": both["chance"].mean(),
            "attained": rate,
            "brier": score,
            "brier_of_base_rate": base,
            "skill": 1.0 - score / base if base > 0 else np.nan,
        }
    )


def calibration(chance: pd.Series, attained: pd.Series, *, bins: int = 5) -> pd.DataFrame:
    """Compare what was said with what came, in bins of equal count.

    Returns
    -------
    pd.DataFrame
        Columns n, chance (mean said), attained (share that came), low, high (95 % interval of the share by Wilson,
        were the cells independent; they share a market, so it is rather too narrow).
    """
    both = pd.DataFrame({"chance": chance, "attained": attained}).dropna().astype("float64")
    columns = ["n", "chance", "attained", "low", "high"]
    if both.empty:
        return pd.DataFrame(columns=columns)
    place = pd.qcut(both["chance"].rank(method="first"), min(bins, len(both)), labels=False)
    table = both.groupby(place).agg(
        n=("chance", "size"), chance=("chance", "mean"), attained=("attained", "mean")
    )
    z = float(stats.norm.ppf(0.975))
    n, share = table["n"], table["attained"]
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return table.assign(low=middle - half, high=middle + half)[columns].reset_index(drop=True)
