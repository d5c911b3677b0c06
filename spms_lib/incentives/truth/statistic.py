"""The statistic that a forecast is: a plan has to say which one it asks for."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spms_lib.errors import PlanError
from spms_lib.incentives.plan import numbers
from spms_lib.incentives.truth.beliefs import Belief

QUANTILE, MEAN, DISTRIBUTION = "quantile", "mean", "distribution"
WHERE: Final = "forecast_incentive"
_KNOWN: Final = "median, commit_80 (reached with 80 % chance), quantile_0.375, mean or distribution"


@dataclass(frozen=True, slots=True)
class Statistic:
    """What is asked of a seller: a number that has a meaning.

    Attributes
    ----------
    kind
        `quantile`, `mean` or `distribution` (mean and standard deviation of a normal).
    tau
        Chance that actual sales stay below the forecast, of a quantile; else None.
    """

    kind: str
    tau: Fraction | None = None

    @property
    def name(self) -> str:
        """The word for it in a plan: `median`, `commit_80`, `quantile_0.375`, `mean`, `distribution`."""
        if self.tau is None:
            return self.kind
        reached = (1 - self.tau) * 100
        if self.tau == Fraction(1, 2):
            return "median"
        whole = reached.denominator == 1 and reached > 50
        return f"commit_{reached.numerator}" if whole else f"quantile_{float(self.tau):g}"

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the numbers that a seller says: one, or two for a distribution."""
        return ("mean", "sd") if self.kind == DISTRIBUTION else (self.name,)

    def of(self, belief: Belief) -> NDArray[np.float64]:
        """Work out what a seller with this belief says if honest, in the order of `parts`."""
        if self.tau is not None:
            return belief.quantile([float(self.tau)])
        return np.array([belief.mean, belief.sd][: len(self.parts)])


def statistic(name: str) -> Statistic:
    """Read the name of a statistic.

    Raises
    ------
    PlanError
        If it is none.

    Examples
    --------
    >>> statistic("commit_80"), statistic("quantile_0.2").name
    (Statistic(kind='quantile', tau=Fraction(1, 5)), 'commit_80')
    """
    if name in {MEAN, DISTRIBUTION}:
        return Statistic(name)
    found = re.fullmatch(
        r"(commit|quantile)_(\d+(?:\.\d+)?|0?\.\d+)", "commit_50" if name == "median" else name
    )
    if found:
        number = Fraction(found[2])
        tau = 1 - number / 100 if found[1] == "commit" else number
        if 0 < tau < 1:
            return Statistic(QUANTILE, tau)
    raise PlanError(f"'{name}' is not a statistic.", where=WHERE, remedy=f"Use {_KNOWN}.")


def exact(value: object, what: str) -> Fraction:
    """Read a parameter as the fraction that was written, or refuse it by name."""
    try:
        return numbers.exact(value)
    except PlanError as refusal:
        raise PlanError(f"{what} is '{value}', not a number.", where=WHERE, remedy=refusal.remedy) from None
