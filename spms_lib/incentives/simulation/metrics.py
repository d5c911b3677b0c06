"""Measures of what a plan costs and whom it pays: plain functions on pay, attainment and sales."""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from spms_lib.incentives.simulation.beliefs import Floats

TOP: Final = 0.1


class CostOfSales(NamedTuple):
    """Compensation cost of sales as two ratios: base and incentive by sales, and incentive alone by sales."""

    cash: float
    incentive_only: float


def cost_of_sales(incentive: float, sales: float, *, base: float = np.nan) -> CostOfSales:
    """Divide compensation cost by sales (CCOS); missing without sales.

    Examples
    --------
    >>> cost_of_sales(60_000, 2_000_000, base=100_000)
    CostOfSales(cash=0.08, incentive_only=0.03)
    """
    if not sales > 0:
        return CostOfSales(np.nan, np.nan)
    return CostOfSales((base + incentive) / sales, incentive / sales)


def budget_at_100(target_incentives: pd.Series, active: pd.Series | float = 1.0) -> float:
    """Add up target incentives, each for the share of the interval that its payee is there; minor units.

    Examples
    --------
    >>> budget_at_100(pd.Series([60_000, 60_000]), pd.Series([1.0, 0.5]))
    90000.0
    """
    return float((target_incentives.astype("float64") * active).sum())


def share_at_or_above(attainment: pd.Series, level: float = 1.0) -> float:
    """Tell which share of known attainments is at or above a level; missing where none is known.

    Examples
    --------
    >>> share_at_or_above(pd.Series([0.8, 1.0, 1.3, None]))
    0.6666666666666666
    """
    known = attainment.dropna()
    return float((known >= level).mean()) if len(known) else float("nan")


def pay_at_percentile(pay_ratio: Floats, percentile: float = 90.0) -> float:
    """Tell how many target incentives somebody at a percentile of pay is paid (leverage at the 90th)."""
    known = pay_ratio[np.isfinite(pay_ratio)]
    return float(np.percentile(known, percentile)) if known.size else float("nan")


def differentiation(pay_ratio: Floats) -> float:
    """Divide the 90th percentile of pay (in target incentives) by the 10th; infinite where the 10th is nothing."""
    high, low = pay_at_percentile(pay_ratio, 90), pay_at_percentile(pay_ratio, 10)
    return high / low if low > 0 else float("inf") if high > 0 else float("nan")


def top_decile_share(pay: Floats) -> float:
    """Tell which share of all pay goes to the best paid tenth, at least one payee; the mean over columns (draws)."""
    ranked = -np.sort(-pay[np.isfinite(pay).all(axis=1)], axis=0)
    if not len(ranked):
        return float("nan")
    total = ranked.sum(axis=0)
    top = ranked[: max(round(TOP * len(ranked)), 1)].sum(axis=0)
    return float(np.mean(top[total > 0] / total[total > 0])) if (total > 0).any() else float("nan")


def pay_for_performance(pay_ratio: Floats, attainment: Floats) -> float:
    """Rank correlation (Spearman) of pay and attainment over payees, the mean over columns (draws)."""
    known = np.isfinite(pay_ratio).all(axis=1) & np.isfinite(attainment).all(axis=1)
    if known.sum() < 3:
        return float("nan")
    ranks = [stats.rankdata(values[known], axis=0) for values in (pay_ratio, attainment)]
    centred = [rank - rank.mean(axis=0) for rank in ranks]
    size = np.sqrt((centred[0] ** 2).sum(axis=0) * (centred[1] ** 2).sum(axis=0))
    both = (centred[0] * centred[1]).sum(axis=0)
    return float(np.mean(both[size > 0] / size[size > 0])) if (size > 0).any() else float("nan")


def cost_and_result(cost: Floats, result: Floats, *, groups: int = 20) -> tuple[float, float]:
    """Tell how cost follows the company's result, and how much it still spreads at a fixed one.

    Returns
    -------
    sensitivity
        By how many per cent cost moves when the result moves by one (slope of cost on result, at the means).
    volatility
        Standard deviation of cost at a fixed result as a ratio of expected cost: what is left around straight lines
        within `groups` equal groups of draws by result.

    Examples
    --------
    >>> result = np.linspace(80.0, 120.0, 1000)
    >>> sensitivity, volatility = cost_and_result(3 * result - 100, result)
    >>> round(sensitivity, 6), round(volatility, 6)
    (1.5, 0.0)
    """
    mean, at = float(cost.mean()), float(result.mean())
    if not result.std() > 0 or not mean > 0:
        return float("nan"), float("nan")
    slope = float(np.cov(cost, result)[0, 1] / result.var(ddof=1))
    left = 0.0
    for part in np.array_split(np.argsort(result, kind="stable"), min(groups, max(len(result) // 10, 1))):
        here, there = cost[part] - cost[part].mean(), result[part] - result[part].mean()
        spread = float((there**2).sum())
        left += float(((here - there * ((here * there).sum() / spread if spread else 0.0)) ** 2).sum())
    return slope * at / mean, float(np.sqrt(left / len(cost))) / mean
