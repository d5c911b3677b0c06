"""What a seller believes will be sold, and the expectation of anything under it, by quadrature."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from spms_lib.errors import TableError
from spms_lib.tables import need

Floats = NDArray[np.float64]
Pay = Callable[[Floats, Floats], Floats]  # of reports and actuals, which broadcast

_END: Final = 8.0  # normal scores; what lies beyond has a chance of 1e-15
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)


@dataclass(frozen=True, eq=False, slots=True)
class Belief:
    """A distribution of actual sales: a continuous law, or points with their chances.

    Attributes
    ----------
    law
        A frozen continuous distribution of scipy; None where there are points.
    points, weights
        Shape (n,), points rising, weights sum to 1; empty where there is a law.
    """

    law: Any
    points: Floats
    weights: Floats

    @property
    def mean(self) -> float:
        """Mean, in the unit of the sales."""
        return float(self.points @ self.weights if self.law is None else self.law.mean())

    @property
    def sd(self) -> float:
        """Standard deviation, in the unit of the sales."""
        if self.law is not None:
            return float(self.law.std())
        return float(np.sqrt((self.points - self.mean) ** 2 @ self.weights))

    def quantile(self, tau: ArrayLike) -> Floats:
        """Smallest amounts that sales stay at or below with a chance of at least tau."""
        if self.law is not None:
            return np.asarray(self.law.ppf(tau))
        upto = np.searchsorted(np.cumsum(self.weights), np.asarray(tau) - 1e-12)
        return self.points[np.minimum(upto, len(self.points) - 1)]

    @property
    def reach(self) -> tuple[float, float]:
        """The range in which a report is looked for: beyond all but 1 in 10,000 outcomes, and a quarter more."""
        low, high = (float(end) for end in self.quantile([1e-4, 1 - 1e-4]))
        more = max((high - low) / 4, 1e-9 * abs(high))
        return low - more, high + more

    def expect(self, pay: Pay, reports: Floats, breaks: Floats) -> Floats:
        """Compute the expected pay of each report.

        A law is integrated over its normal score t, at amounts F^-1(Phi(t)), by Gauss-Legendre
        between the breaks, so a kink never lies inside a piece.

        Parameters
        ----------
        reports
            Shape (m,) or (m, 2).
        breaks
            Shape (m, k): actuals at which the pay of each report may have a kink.

        Returns
        -------
        Floats
            Shape (m,).
        """
        if self.law is None:
            return pay(reports[:, None], self.points) @ self.weights
        inner = np.sort(np.clip(special.ndtri(self.law.cdf(breaks)), -_END, _END), axis=1)
        edges = np.pad(inner, ((0, 0), (1, 1)), constant_values=((0, 0), (-_END, _END)))
        half = np.diff(edges, axis=1)[..., None] / 2
        score = edges[:, :-1, None] + half * (1 + _NODES)
        sold = np.where(score < 0, self.law.ppf(special.ndtr(score)), self.law.isf(special.ndtr(-score)))
        chance = half * _WEIGHTS * np.exp(-(score**2) / 2) / np.sqrt(2 * np.pi)
        return np.asarray((pay(reports[:, None, None], sold) * chance).sum(axis=(1, 2)))


def belief_of(given: Any) -> Belief:
    """Read a belief: a frozen scipy distribution, samples, or a pair of points and weights.

    Raises
    ------
    TableError
        If values are missing, or weights are negative or all zero.

    Examples
    --------
    >>> belief_of(([80, 140], [1, 3])).mean, belief_of(stats.norm(100, 20)).quantile(0.5).item()
    (125.0, 100.0)
    """
    none = np.empty(0)
    if hasattr(given, "isf") and hasattr(given, "pdf"):
        return Belief(given, none, none)
    points, weights = given if isinstance(given, tuple) else (given, np.ones(np.shape(given)))
    points, weights = np.asarray(points, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    fine = points.ndim == 1 and points.size and points.shape == weights.shape and np.isfinite(points).all()
    if not (fine and np.isfinite(weights).all() and (weights >= 0).all() and weights.sum() > 0):
        raise TableError(
            "A belief has missing values or no chances.",
            where="beliefs",
            remedy="Give a continuous scipy distribution, samples, or (points, weights).",
        )
    order = np.argsort(points, kind="stable")
    return Belief(None, points[order], weights[order] / weights.sum())


def standard_beliefs(mean: float, sd: float) -> dict[str, Any]:
    """Make beliefs of four shapes with one mean and spread: normal, skewed (two), and one big deal.

    Examples
    --------
    >>> list(standard_beliefs(100, 25))
    ['normal', 'lognormal', 'gamma', 'one big deal']
    """
    log_sd = np.sqrt(np.log1p((sd / mean) ** 2))
    chance = 0.35  # that the deal does not come
    low, high = mean - sd * np.sqrt((1 - chance) / chance), mean + sd * np.sqrt(chance / (1 - chance))
    return {
        "normal": stats.norm(mean, sd),
        "lognormal": stats.lognorm(log_sd, scale=mean / np.exp(log_sd**2 / 2)),
        "gamma": stats.gamma((mean / sd) ** 2, scale=sd**2 / mean),
        "one big deal": ([low, high], [chance, 1 - chance]),
    }


def payee_beliefs(frame: pd.DataFrame) -> Mapping[str, Any]:
    """Turn means and spreads, such as those of a reconciliation, into one normal belief per payee.

    Parameters
    ----------
    frame
        Columns payee, mean, sd (minor units, float).

    Raises
    ------
    TableError
        If a payee stands twice, or has no mean or no spread above zero.
    """
    need(frame, ["payee", "mean", "sd"], "beliefs")
    bad = ~(frame["sd"] > 0) | frame["mean"].isna() | frame["payee"].duplicated()
    if bad.any():
        raise TableError(
            f"No belief can be formed for {frame['payee'][bad].astype(str).tolist()[:5]}.",
            where="beliefs",
            remedy="Each payee stands once, with a mean and an sd above zero; leave the others out and say so.",
        )
    rows = zip(frame["payee"], frame["mean"].astype(float), frame["sd"].astype(float), strict=True)
    return {str(payee): stats.norm(mean, sd) for payee, mean, sd in rows}
