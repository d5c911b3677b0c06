"""The three kinds of forecast incentive: linear with a kink, a menu of rates, a score."""

import dataclasses
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from spms_lib.incentives.truth.incentive import Amounts, AsNumber, Floats, ForecastIncentive
from spms_lib.incentives.truth.scores import crps_normal, pinball
from spms_lib.incentives.truth.statistic import DISTRIBUTION, MEAN, QUANTILE, Statistic


@dataclass(frozen=True, kw_only=True, slots=True)
class Linear(ForecastIncentive):
    """Planned sales pay beta, sales above the forecast alpha, sales short of it cost gamma each.

    bonus = base + (beta forecast + alpha (actual - forecast)^+ - gamma (forecast - actual)^+) / (objective or 1)
          = base + (beta actual - (gamma - alpha) pinball_tau(actual - forecast)) / (objective or 1)
    """

    alpha: Fraction
    beta: Fraction
    gamma: Fraction
    base: Fraction = Fraction(0)

    @property
    def elicits(self) -> Statistic:
        """The quantile (beta - alpha) / (gamma - alpha)."""
        return Statistic(QUANTILE, (self.beta - self.alpha) / (self.gamma - self.alpha))

    def loss(self, forecast: ArrayLike, actual: ArrayLike) -> Floats:
        """(gamma - alpha) times the pinball loss."""
        return (
            self._per
            * float(self.gamma - self.alpha)
            * pinball(float(self.elicits.tau or 0), forecast, actual)
        )

    def unlimited(self, forecast: Amounts, actual: Amounts, per: Any, number: AsNumber) -> Amounts:
        """See the class."""
        above, below = np.maximum(actual - forecast, 0), np.maximum(forecast - actual, 0)
        planned = number(self.base) * per + number(self.beta) * forecast
        paid: Amounts = planned + number(self.alpha) * above - number(self.gamma) * below
        return paid

    def raised(self, by: float) -> Self:
        """Pay beta less for each unit in an absolute scheme; divide by more in one per objective."""
        if self.objective is not None:
            return dataclasses.replace(self, objective=_raised(self.objective, by))
        return dataclasses.replace(self, base=self.base - self.beta * Fraction(by))

    def breaks(self, report: Floats) -> Floats:
        """At the forecast, and where a limit is met on either side of it."""
        at = float(self.base) + float(self.beta) * self._per * report
        slopes = [float(slope) * self._per for slope in (self.alpha, self.gamma) if slope]
        met = [report + (limit - at) / slope for limit in self.limits for slope in slopes]
        return np.stack([report, *met], axis=1)

    @property
    def _per(self) -> float:
        return 1.0 if self.objective is None else 1.0 / float(self.objective)


@dataclass(frozen=True, kw_only=True, slots=True)
class Menu(ForecastIncentive):
    """Who commits to more is paid a higher rate on everything, and a lower base: a menu of linear plans.

    With the convex p(f) = base + rate f + spread f^2 / (2 objective):
    bonus = p(f) + p'(f) (actual - f) = p(actual) - spread (actual - f)^2 / (2 objective)
    """

    rate: Fraction
    spread: Fraction
    base: Fraction = Fraction(0)

    @property
    def elicits(self) -> Statistic:
        """The mean."""
        return Statistic(MEAN)

    def loss(self, forecast: ArrayLike, actual: ArrayLike) -> Floats:
        """Half the spread times the squared error, by objective."""
        error = np.asarray(actual, dtype=np.float64) - np.asarray(forecast, dtype=np.float64)
        return np.asarray(self._bend / 2 * error**2)

    def unlimited(self, forecast: Amounts, actual: Amounts, per: Any, number: AsNumber) -> Amounts:
        """See the class."""
        fixed = (number(self.base) + number(self.rate) * actual) * per
        paid: Amounts = fixed + number(self.spread / 2) * forecast * (2 * actual - forecast)
        return paid

    def raised(self, by: float) -> Self:
        """Let the rate grow more slowly with what is said."""
        return dataclasses.replace(self, objective=_raised(self.objective or Fraction(1), by))

    def breaks(self, report: Floats) -> Floats:
        """Where a limit is met."""
        at = float(self.base) - self._bend * report**2 / 2
        slope = float(self.rate) + self._bend * report
        met = [(limit - at) / np.where(slope == 0, np.inf, slope) for limit in self.limits]
        return np.stack([report, *met], axis=1)

    @property
    def _bend(self) -> float:
        return float(self.spread / (self.objective or 1))


@dataclass(frozen=True, kw_only=True, slots=True)
class Score(ForecastIncentive):
    """A fixed amount less a rate times the CRPS of the normal distribution that was said."""

    amount: Fraction
    rate: Fraction

    @property
    def elicits(self) -> Statistic:
        """Mean and standard deviation."""
        return Statistic(DISTRIBUTION)

    def loss(self, forecast: ArrayLike, actual: ArrayLike) -> Floats:
        """Rate times the score."""
        said = np.asarray(forecast, dtype=np.float64)
        return float(self.rate) * crps_normal(said[..., 0], said[..., 1], actual)

    def unlimited(self, forecast: Amounts, actual: Amounts, per: Any, number: AsNumber) -> Amounts:
        """See the class."""
        paid: Amounts = (number(self.amount) - self.loss(forecast, actual)) * per
        return paid

    def raised(self, by: float) -> Self:  # noqa: ARG002
        """Stay the same: it knows no objective."""
        return self

    def breaks(self, report: Floats) -> Floats:
        """Where the score bends most, and about where a limit is met."""
        mean, sd = report[:, 0], report[:, 1]
        far = [
            (float(self.amount) - limit) / float(self.rate) + sd / math.sqrt(math.pi) for limit in self.limits
        ]
        return np.stack(
            [mean + side * reach for reach in (0 * sd, sd, 4 * sd, *far) for side in (-1, 1)], axis=1
        )


def _raised(objective: Fraction, by: float) -> Fraction:
    """Move an objective, at most down to a tenth of itself."""
    return max(objective + Fraction(by), objective / 10)
