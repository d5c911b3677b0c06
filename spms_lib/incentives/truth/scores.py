"""Scores of a forecast once the actual is known; small is good, in the unit of the amounts."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]


def pinball(tau: float, forecast: ArrayLike, actual: ArrayLike) -> Floats:
    """Score a quantile forecast: tau for each unit that came above it, 1 - tau for each below; small is good.

    Some define it with a factor of 2.

    Examples
    --------
    >>> pinball(0.9, [120.0, 120.0], [110.0, 130.0]).round(9).tolist()
    [1.0, 9.0]
    """
    over = np.asarray(actual, dtype=np.float64) - np.asarray(forecast, dtype=np.float64)
    return np.maximum(tau * over, (tau - 1) * over)


def crps_normal(mean: ArrayLike, sd: ArrayLike, actual: ArrayLike) -> Floats:
    """Score a normal distribution: sd (z (2 F(z) - 1) + 2 f(z) - 1 / sqrt(pi)), z = (actual - mean) / sd.

    The absolute error where sd is 0; missing where it is negative.

    References
    ----------
    Gneiting and Raftery (2007), Strictly proper scoring rules, prediction, and estimation.

    Examples
    --------
    >>> float(crps_normal(0.0, 1.0, 0.0).round(6))
    0.233695
    """
    spread = np.asarray(sd, dtype=np.float64)
    gap = np.asarray(actual, dtype=np.float64) - np.asarray(mean, dtype=np.float64)
    z = gap / np.where(spread > 0, spread, 1.0)
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    score = spread * (z * (2 * special.ndtr(z) - 1) + 2 * density - 1 / math.sqrt(math.pi))
    return np.where(spread > 0, score, np.where(spread == 0, np.abs(gap), np.nan))
