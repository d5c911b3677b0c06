"""What payees have in common: how much of the variance of performance the market and territories move."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq

from spms_lib.errors import ParamsError, TableError
from spms_lib.incentives.engine.books import PAYEE
from spms_lib.incentives.simulation.beliefs import MARGINALS, NORMAL, TERRITORY, Floats, lay_out
from spms_lib.tables import PERIOD, need

LARGEST_SHARE: Final = 0.95
FEWEST_PERIODS: Final = 3
_TERMS: Final = 25


@dataclass(frozen=True, slots=True)
class Factors:
    """How performance is spread, and how much of its variance payees have in common.

    Every performance is driven by a standard normal number, of which the market moves one share of the variance (for
    all alike), the territory another, and the rest belongs to the payee and the component alone.

    Attributes
    ----------
    marginal
        `normal`, or `lognormal` (never below zero, skewed to the right).
    market, territory
        Shares of variance in common, 0 or more, together at most 1.
    pull
        Above 0 only where a company is known better than its payees, each on their own: the share of what moves the
        sum that is taken out; see `reproducing`.
    source
        Where the shares come from, to print beside the results.
    """

    marginal: str = NORMAL
    market: float = 0.2
    territory: float = 0.1
    pull: float = 0.0
    source: str = "assumed"

    def __post_init__(self) -> None:
        if self.marginal not in MARGINALS:
            raise ParamsError(
                f"There is no marginal '{self.marginal}'.",
                where="factors",
                remedy=f"Use one of {', '.join(MARGINALS)}.",
            )
        if (
            min(self.market, self.territory, self.pull) < 0
            or self.market + self.territory > 1
            or self.pull >= 1
        ):
            raise ParamsError(
                f"The shares {self.market:g}, {self.territory:g} (pull {self.pull:g}) are no shares of one variance.",
                where="factors",
                remedy="Give shares of 0 or more that sum to at most 1, and a pull below 1.",
            )

    @property
    def convention(self) -> str:
        """The shares in words, to print beside results."""
        common = (
            f"{self.marginal}; shares of variance: market {self.market:.0%}, territory {self.territory:.0%}"
        )
        known = f", sum held together by {self.pull:.0%}" if self.pull else ""
        return f"{common}{known} ({self.source})"

    def reproducing(self, beliefs: pd.DataFrame, company_sd: float) -> "Factors":
        """Choose shares so that the company's result has the spread that is known of it.

        Market and territory keep their mix (the market alone counts where the mix cannot reach the spread). Where
        payees, each on their own, already spread wider than the company (a reconciled plan often knows the sum best),
        nothing is in common, and a share of what moves the sum is taken out of everybody instead (`pull`).

        Raises
        ------
        ParamsError
            If the spread is not above zero, or wider than that of payees who move as one.
        """
        laid = lay_out(beliefs, self.marginal)
        sd = laid.sds[laid.result]
        power = _powers(laid.means[laid.result], sd, self.marginal)
        alone, as_one = float(power.var.sum()), _variance(power, laid.territory, 1.0, 0.0)
        known, source = (
            company_sd**2,
            f"{self.source}; held to a company's standard deviation of {company_sd:,.0f}",
        )
        if not 0 < known <= as_one * (1 + 1e-9):
            raise ParamsError(
                f"No shares give the company a standard deviation of {company_sd:g}.",
                where="company_sd",
                remedy=f"Independent payees give {alone**0.5:g}, payees who move as one {as_one**0.5:g}.",
            )
        if known < alone:
            unit = np.nan_to_num(sd) / np.sqrt(alone)
            pull = _root(lambda share: known - _held(power, unit, share), 1 - 1e-9)
            return replace(self, market=0.0, territory=0.0, pull=pull, source=source)
        common = self.market + self.territory
        mix = self.market / common if common else 1.0
        if _variance(power, laid.territory, mix, 1 - mix) < known:
            mix = 1.0
        share = _root(
            lambda share: _variance(power, laid.territory, share * mix, share * (1 - mix)) - known, 1.0
        )
        return replace(self, market=share * mix, territory=share * (1 - mix), pull=0.0, source=source)


def factor_shares(history: pd.DataFrame, *, marginal: str = NORMAL) -> Factors:
    """Learn from past attainments how much of their variance payees had in common.

    Each payee's own mean is taken out. What two payees of different territories still share in one period is the
    market; what two of one territory share beyond that is the territory (components of variance from mean products of
    pairs, each held between 0 and 95 %). A short past says little: the market was seen once per period.

    Parameters
    ----------
    history
        Columns payee, territory, period, attainment (ratio; missing rows are left out).

    Raises
    ------
    TableError
        If there are fewer than three periods, or no payee with two.

    Examples
    --------
    >>> rows = [(p, t, q, 1 + move) for q, move in enumerate((-0.2, 0.1, 0.1)) for p, t in ("ax", "bx", "cy", "dy")]
    >>> past = pd.DataFrame(rows, columns=["payee", "territory", "period", "attainment"])
    >>> factor_shares(past).market  # all move as one; no share goes beyond 95 %
    0.95
    """
    need(history, [PAYEE, TERRITORY, PERIOD, "attainment"], "history")
    rows = history.dropna(subset=[PAYEE, TERRITORY, PERIOD, "attainment"])
    rows = rows[rows.groupby(PAYEE)[PERIOD].transform("nunique") > 1]
    periods = rows[PERIOD].nunique()
    if periods < FEWEST_PERIODS:
        raise TableError(
            f"{periods} periods do not tell a market from chance.",
            where="history",
            remedy="Give three periods or more with the same payees, or state the shares.",
        )
    own = rows["attainment"] - rows.groupby(PAYEE)["attainment"].transform("mean")
    total, area = float((own**2).mean()), [rows[PERIOD], rows[TERRITORY]]
    near = _products(own.groupby(area).agg(["sum", "size"]), (own**2).groupby(area).sum())
    every = _products(own.groupby(rows[PERIOD]).agg(["sum", "size"]), (own**2).groupby(rows[PERIOD]).sum())
    far_sum, far_pairs = every[0] - near[0], every[1] - near[1]
    far = far_sum / far_pairs / total if far_pairs and total else 0.0
    same = near[0] / near[1] / total if near[1] and total else far
    market = min(max(far, 0.0), LARGEST_SHARE)
    territory = min(max(same - market, 0.0), LARGEST_SHARE - market)
    return Factors(marginal, market, territory, source=f"{len(rows):,} past attainments of {periods} periods")


def _products(groups: pd.DataFrame, squares: pd.Series) -> tuple[float, float]:
    """Sum the products of all pairs inside groups, and count the pairs."""
    return float((groups["sum"] ** 2 - squares).sum()), float((groups["size"] * (groups["size"] - 1)).sum())


@dataclass(frozen=True, slots=True)
class _Powers:
    """Covariance of two performances as a power series in their correlation: `sum_k rho^k a_ik a_jk`."""

    terms: Floats
    var: Floats


def _powers(mean: Floats, sd: Floats, marginal: str) -> _Powers:
    known = np.isfinite(mean) & np.isfinite(sd)
    mean, sd = np.where(known, mean, 0.0), np.where(known, sd, 0.0)
    if marginal == NORMAL:
        return _Powers(sd[None, :], sd**2)
    scale = np.sqrt(np.log1p(np.divide(sd, mean, out=np.zeros_like(sd), where=mean > 0) ** 2))
    terms, last = np.zeros((_TERMS, len(mean))), mean
    for number in range(1, _TERMS + 1):
        last = last * scale / np.sqrt(number)
        terms[number - 1] = last
    return _Powers(terms, sd**2)


def _variance(power: _Powers, territory: NDArray[np.int64], market: float, own: float) -> float:
    """Variance of the sum, for given shares of market and territory."""
    total = float(power.var.sum())
    for number, term in enumerate(power.terms, start=1):
        single, near = (term**2).sum(), (np.bincount(territory, weights=term) ** 2).sum()
        total += float(market**number * (term.sum() ** 2 - near) + (market + own) ** number * (near - single))
    return total


def _held(power: _Powers, unit: Floats, pull: float) -> float:
    """Variance of the sum where a share of what moves it is taken out of independent payees."""
    load = unit / np.sqrt(1 - pull * unit**2)
    total = float(power.var.sum())
    for number, term in enumerate(power.terms, start=1):
        part = term * load**number
        total += float((-pull) ** number * (part.sum() ** 2 - (part**2).sum()))
    return total


def _root(rising: Callable[[float], float], most: float) -> float:
    """Find where a rising function of a share crosses zero; the end of its range where it does not."""
    return float(brentq(rising, 0.0, most)) if rising(0.0) < 0 < rising(most) else most * (rising(0.0) < 0)
