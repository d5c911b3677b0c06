"""What every forecast incentive is: pay that depends on what was said and on what came."""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spms_lib.errors import PlanError
from spms_lib.incentives.truth.statistic import WHERE, Statistic

Floats = NDArray[np.float64]
Amounts = NDArray[Any]  # floats, or whole numbers of any size
AsNumber = Callable[[Fraction], Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class ForecastIncentive(ABC):
    """A rule that pays for a forecast once the actual is known.

    Forecast and actual share a unit (minor units); rates are bonus per unit of them, so a bonus
    is in minor units too. Made by `weitzman`, `gonik` and the others of `spms_lib.incentives.truth.builders`.

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
    def limits(self) -> list[float]:
        """Floor and cap, where there are any."""
        return [float(limit) for limit in (self.floor, self.cap) if limit is not None]
