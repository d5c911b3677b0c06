"""Effort: how differently targets weigh on those who carry them, and whether the large or the small have it harder."""

from typing import Final

import numpy as np
import pandas as pd
from scipy import stats

FEWEST_FOR_INTERVAL: Final = 4


def effort(difficulties: pd.Series, groups: pd.Series) -> pd.DataFrame:
    """Measure how differently targets weigh on the nodes of each group.

    Parameters
    ----------
    difficulties
        Indexed by node; missing ones are counted as unknown and left out.
    groups
        Indexed by node: name of its group.

    Returns
    -------
    pd.DataFrame
        Columns group, nodes, unknown, median, variance (of the ratios, n - 1), cv (standard deviation / mean), iqr
        (third less first quartile), gini (half the mean difference of two nodes / mean; 0 is the same for all).
        Measures of spread are missing for fewer than two nodes. The last row, `all`, takes every node together.
    """
    rows = [_effort_of(difficulties.reindex(members), name) for name, members in groups.groupby(groups, sort=False).groups.items()]  # fmt: skip
    return pd.DataFrame([*rows, _effort_of(difficulties.reindex(groups.index), "all")])


def _effort_of(values: pd.Series, name: object) -> dict[str, object]:
    known = values.dropna().astype("float64")
    several = len(known) > 1 and known.mean() > 0
    return {
        "group": name,
        "nodes": len(values),
        "unknown": len(values) - len(known),
        "median": known.median() if len(known) else np.nan,
        "variance": known.var(ddof=1) if several else np.nan,
        "cv": known.std(ddof=1) / known.mean() if several else np.nan,
        "iqr": known.quantile(0.75) - known.quantile(0.25) if several else np.nan,
        "gini": gini(known) if several else np.nan,
    }


def gini(values: pd.Series) -> float:
    """Compute the Gini coefficient: half the mean absolute difference between two nodes, by their mean.

    Examples
    --------
    >>> gini(pd.Series([1.0, 1.0, 1.0])), gini(pd.Series([0.0, 1.0]))
    (0.0, 0.5)
    """
    ordered = np.sort(values.to_numpy(dtype=float))
    n = len(ordered)
    ranks = np.arange(1, n + 1)
    return float(((2 * ranks - n - 1) * ordered).sum() / (n * ordered.sum()))


def depends_on_size(difficulties: pd.Series, size: pd.Series) -> pd.Series:
    """Test whether the large or the small have it harder: rank correlation of difficulty with size.

    Spearman's correlation; its 95 % interval by Fisher's transformation with the variance of Bonett and Wright (2000),
    (1 + r^2 / 2) / (n - 3). An interval that holds 0 cannot be told from chance.

    Returns
    -------
    pd.Series
        n, correlation, low, high; missing with fewer than four nodes or where all have the same size.
    """
    both = pd.DataFrame({"difficulty": difficulties, "size": size}).dropna().astype("float64")
    n = len(both)
    empty = pd.Series({"n": n, "correlation": np.nan, "low": np.nan, "high": np.nan})
    if n < FEWEST_FOR_INTERVAL or both.nunique().min() < 2:
        return empty
    rank = float(stats.spearmanr(both["difficulty"], both["size"]).statistic)
    if abs(rank) >= 1.0:
        return pd.Series({"n": n, "correlation": rank, "low": rank, "high": rank})
    width = float(stats.norm.ppf(0.975)) * np.sqrt((1.0 + rank**2 / 2.0) / (n - 3))
    low, high = np.tanh(np.arctanh(rank) + np.array([-width, width]))
    return pd.Series({"n": n, "correlation": rank, "low": float(low), "high": float(high)})
