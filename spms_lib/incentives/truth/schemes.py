"""Forecast incentives: pay that depends on what was said and on what came, and which statistic each asks for."""

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from spms_lib.errors import PlanError
from spms_lib.incentives.truth.statistic import DISTRIBUTION, MEAN, QUANTILE, WHERE, Statistic

Floats = NDArray[np.float64]
Amounts = NDArray[Any]  # floats, or whole numbers of any size
AsNumber = Callable[[Fraction], Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class ForecastIncentive(ABC):
    """A rule that pays for a forecast once the actual is known.

    Forecast and actual share a unit (minor units); rates are bonus per unit of them, so a bonus
    is in minor units too. Made by `weitzman`, `gonik` and so on in `spms_lib.incentives.truth.builders`.

    Attributes
    ----------
    scheme
        Its name in a plan.
    floor, cap
        Least and most that is paid; None for no limit. A limit changes what it pays to say.
    budget_share
        Share of target incentives set aside for it; None where the plan states none.
    objective
        What amounts are measured against, where the scheme does; else None.
    """

    scheme: str
    floor: Fraction | None = None
    cap: Fraction | None = None
    budget_share: Fraction | None = None
    objective: Fraction | None = None

    @property
    @abstractmethod
    def elicits(self) -> Statistic:
        """The statistic that it pays best to say, as long as no limit is in reach."""

    @abstractmethod
    def loss(self, forecast: ArrayLike, actual: ArrayLike) -> Floats:
        """Tell how much the bonus is below the one for this actual, had it been foreseen."""

    @abstractmethod
    def unlimited(self, forecast: Amounts, actual: Amounts, per: Any, number: AsNumber) -> Amounts:
        """Compute `per` times the bonus without limits; `number` says how parameters enter."""

    @abstractmethod
    def raised(self, by: float) -> Self:
        """Give the incentive of a next period whose objective is higher by so much."""

    @abstractmethod
    def breaks(self, report: Floats) -> Floats:
        """List actuals, shape (m, k), at which the bonus of each report may have a kink."""

    def bonus(self, forecast: ArrayLike, actual: ArrayLike) -> Floats:
        """Compute the bonus of forecasts and actuals, which broadcast; missing where one is missing.

        The forecast of a distribution has a last axis of (mean, sd).
        """
        said, came = np.asarray(forecast, dtype=np.float64), np.asarray(actual, dtype=np.float64)
        per = 1.0 if self.objective is None else float(self.objective)
        paid: Floats = self.limited(self.unlimited(said, came, per, float), per, float) / per
        return paid

    def limited(self, amount: Amounts, per: Any, number: AsNumber) -> Amounts:
        """Apply floor and cap to `per` times the bonus."""
        if self.floor is not None:
            amount = np.maximum(amount, number(self.floor) * per)
        return amount if self.cap is None else np.minimum(amount, number(self.cap) * per)

    def with_limits(self, *, floor: Fraction | None = None, cap: Fraction | None = None) -> Self:
        """Give the same rule with a least and a most that it pays; a limit left out is lifted."""
        if floor is not None and cap is not None and floor >= cap:
            raise PlanError(f"Floor {floor} is not below cap {cap}.", where=WHERE, remedy="Lower the floor.")
        return dataclasses.replace(
            self, floor=None if floor is None else Fraction(floor), cap=None if cap is None else Fraction(cap)
        )

    @property
    def _limits(self) -> list[float]:
        return [float(limit) for limit in (self.floor, self.cap) if limit is not None]


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
        return self._per * float(self.gamma - self.alpha) * pinball(float(self.elicits.tau or 0), forecast, actual)

    def unlimited(self, forecast: Amounts, actual: Amounts, per: Any, number: AsNumber) -> Amounts:
        """See the class."""
        above, below = np.maximum(actual - forecast, 0), np.maximum(forecast - actual, 0)
        planned = number(self.base) * per + number(self.beta) * forecast
        paid: Amounts = planned + number(self.alpha) * above - number(self.gamma) * below
        return paid

    def raised(self, by: float) -> Self:
        """An absolute scheme pays beta less for each unit; one per objective divides by more."""
        if self.objective is not None:
            return dataclasses.replace(self, objective=self.objective + Fraction(by))
        return dataclasses.replace(self, base=self.base - self.beta * Fraction(by))

    def breaks(self, report: Floats) -> Floats:
        """At the forecast, and where a limit is met on either side of it."""
        at = float(self.base) + float(self.beta) * self._per * report
        slopes = [float(slope) * self._per for slope in (self.alpha, self.gamma) if slope]
        met = [report + (limit - at) / slope for limit in self._limits for slope in slopes]
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
        """The rate grows more slowly with what is said."""
        return dataclasses.replace(self, objective=(self.objective or Fraction(1)) + Fraction(by))

    def breaks(self, report: Floats) -> Floats:
        """Where a limit is met."""
        at = float(self.base) - self._bend * report**2 / 2
        slope = float(self.rate) + self._bend * report
        met = [(limit - at) / np.where(slope == 0, np.inf, slope) for limit in self._limits]
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
        """It knows no objective."""
        return self

    def breaks(self, report: Floats) -> Floats:
        """Where the score bends most, and about where a limit is met."""
        mean, sd = report[:, 0], report[:, 1]
        far = [(float(self.amount) - limit) / float(self.rate) + sd / math.sqrt(math.pi) for limit in self._limits]
        return np.stack([mean + side * reach for reach in (0 * sd, sd, 4 * sd, *far) for side in (-1, 1)], axis=1)


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
