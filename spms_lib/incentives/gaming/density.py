"""A smooth density of attainment, fitted where no tier edge is near: what the edge is held against."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray
from scipy import stats
from scipy.special import xlogy

Floats = NDArray[np.float64]

DEGREE: Final = 4  # of the log density: one hump or two
AROUND: Final = 0.4  # attainment below the lowest and above the highest edge that the fit sees
BELOW: Final = 3  # windows below and above each edge that the fit leaves out
ABOVE: Final = 2
LEAST_FITTED: Final = 60
EXACT: Final = 1e-9  # an attainment of 1 that was computed as 0.9999999999 counts as 1


@dataclass(frozen=True, slots=True)
class Smooth:
    """A density fitted where no edge is near: payees per unit of attainment, exp(basis @ weights).

    `dispersion` is the misfit (deviance by degree of freedom, at least 1); `unfit` says why it cannot
    stand for the null, or nothing.
    """

    weights: Floats
    covariance: Floats
    dispersion: float
    low: float
    high: float
    unfit: str

    def expected(self, starts: Floats, width: float) -> tuple[float, float]:
        """Count expected in bins side by side, and the variance of that expectation."""
        basis = self.basis(starts + width / 2)
        rates = np.exp(np.clip(basis @ self.weights, -50, 50)) * width
        slope = rates @ basis
        return float(rates.sum()), float(slope @ self.covariance @ slope)

    def basis(self, at: Floats) -> Floats:
        """Legendre polynomials over the fitted range."""
        return np.asarray(legendre.legvander(2 * (at - self.low) / (self.high - self.low) - 1, DEGREE))


def bin_starts(edges: Floats, window: float) -> Floats:
    """Bins of half a window over all that the fit sees, the first edge being one of their starts."""
    first = edges.min() - np.floor(2 * min(AROUND, edges.min()) / window) * window / 2
    return np.asarray(np.arange(first, edges.max() + AROUND - 1e-9, window / 2))


def at_edges(starts: Floats, edges: Floats, window: float) -> NDArray[np.bool_]:
    """Say which bins lie so near an edge that the fit leaves them out."""
    near = (starts[:, None] + window / 2 > edges - BELOW * window + EXACT) & (
        starts[:, None] < edges + ABOVE * window - EXACT
    )
    return np.asarray(near.any(axis=1))


def fit_smooth(values: Floats, edges: Floats, window: float) -> Smooth:
    """Fit the density by Poisson regression on bins of half a window, away from the edges."""
    starts = bin_starts(edges, window)
    away = starts[~at_edges(starts, edges, window)]
    width = window / 2
    place = np.searchsorted(away, values, side="right") - 1
    inside = (place >= 0) & (values < away[place] + width)
    counts = np.bincount(place[inside], minlength=len(away)).astype("float64")
    low, high = float(starts[0]), float(starts[-1] + width)
    none = Smooth(np.zeros(DEGREE + 1), np.eye(DEGREE + 1), 1.0, low, high, _why_not(values[inside]))
    if none.unfit:
        return none
    basis = none.basis(away + width / 2)
    weights = np.asarray(np.linalg.lstsq(basis, np.log(counts + 0.5), rcond=None)[0], dtype="float64")
    for _ in range(200):
        rate = np.exp(np.clip(basis @ weights, -50, 50))
        information = basis.T @ (rate[:, None] * basis) + 1e-9 * np.eye(DEGREE + 1)
        step = np.linalg.solve(information, basis.T @ (counts - rate))
        weights += step / max(1.0, float(np.abs(step).max()))
        if float(np.abs(step).max()) < 1e-9:
            break
    else:
        return replace(none, unfit="too few to tell: no smooth density could be fitted")
    deviance = 2 * float((xlogy(counts, counts / rate) - counts + rate).sum())
    dispersion = max(1.0, deviance / max(len(away) - DEGREE - 1, 1))
    weights[0] -= np.log(width)
    return Smooth(weights, dispersion * np.linalg.inv(information), dispersion, low, high, "")


def _why_not(values: Floats) -> str:
    if len(values) < LEAST_FITTED:
        return f"too few to tell: {len(values)} payees away from the edges, {LEAST_FITTED} are needed"
    if len(np.unique(values.round(9))) < len(values) / 2:
        return "too few to tell: attainments come in lumps (rounded, or few large deals)"
    return ""


def count_law(mean: float, variance: float) -> "stats.rv_frozen":
    """Poisson, or negative binomial where the variance is larger: a Poisson count about an uncertain mean."""
    if variance <= mean * (1 + 1e-9):
        return stats.poisson(mean)
    return stats.nbinom(mean**2 / (variance - mean), mean / variance)
