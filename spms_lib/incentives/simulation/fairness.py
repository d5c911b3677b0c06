"""Fairness of quotas in pay: who gets an easy quota, and what uneven chances move from whom to whom."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import ndtr

from spms_lib.errors import NoBasisError
from spms_lib.incentives.engine.books import INCENTIVE, PAYEE, QUOTA
from spms_lib.incentives.plan.model import CompensationPlan
from spms_lib.incentives.simulation.beliefs import LOGNORMAL, TERRITORY, lay_out
from spms_lib.incentives.simulation.draws import log_terms
from spms_lib.incentives.simulation.factors import Factors
from spms_lib.incentives.simulation.simulate import Quotas, simulate_all

AS_SET, EVEN = "as set", "even chance"


class Even(NamedTuple):
    """Quotas by payee (float minor units) with one chance of attaining, and that chance."""

    quotas: pd.Series
    chance: float


class Fairness(NamedTuple):
    """How even quotas are, and what it costs whom that they are not.

    Attributes
    ----------
    payees
        Columns payee, territory, quota, even_quota, p_attain, pay_ratio (expected pay / target incentive), expected,
        even_expected, moved, low, high: `moved` is expected pay as set less that under even quotas (minor units,
        95 % interval from the common draws); those whom the quotas cost most first.
    chance
        The chance of attaining that every quota would have, with the same sum of quotas.
    money
        Half the sum of absolute `moved`, after their mean is taken out: what uneven quotas move between payees.
    cost
        What uneven quotas cost the company: the sum of `moved`.
    """

    payees: pd.DataFrame
    chance: float
    money: float
    cost: float


def even_quotas(beliefs: pd.DataFrame, *, factors: Factors | None = None) -> Even:
    """Find quotas with the same sum under which everybody has the same chance of attaining; float minor units by payee.

    Raises
    ------
    NoBasisError
        If no payee has a quota, a mean and a spread.

    Examples
    --------
    >>> beliefs = pd.DataFrame({"payee": ["a", "b"], "component": "sales", "mean": [100.0, 100.0],
    ...     "sd": [10.0, 30.0], "quota": [100.0, 120.0]})
    >>> even = even_quotas(beliefs)
    >>> even.quotas.to_dict(), round(even.chance, 3)
    ({'a': 105.0, 'b': 115.0}, 0.309)
    """
    factors = factors or Factors()
    laid = lay_out(beliefs, factors.marginal)
    mean, sd, quota = laid.means[laid.result], laid.sds[laid.result], laid.quotas[laid.result]
    known = np.isfinite(mean) & (sd > 0) & (quota > 0)
    if not known.any():
        raise NoBasisError("No payee has a quota, a mean and a spread.", where="beliefs")
    total = float(quota[known].sum())
    if factors.marginal == LOGNORMAL:
        mu, scale = log_terms(mean[known], sd[known])
        step = brentq(lambda step: float(np.exp(mu + step * scale).sum()) - total, -40.0, 40.0)
        found = np.exp(mu + step * scale)
    else:
        step = (total - mean[known].sum()) / sd[known].sum()
        found = mean[known] + step * sd[known]
    return Even(pd.Series(found, laid.payees[known], name=QUOTA), float(ndtr(-step)))


def fairness(
    plan: CompensationPlan,
    beliefs: pd.DataFrame,
    *,
    draws: int = 2000,
    seed: int,
    factors: Factors | None = None,
) -> Fairness:
    """Price the unevenness of quotas: what each payee gains or loses because their chances of attaining differ."""
    even = even_quotas(beliefs, factors=factors)
    quotas: dict[str, Quotas] = {AS_SET: 1.0, EVEN: even.quotas}
    runs = simulate_all({plan.name: plan}, beliefs, draws=draws, seed=seed, factors=factors, quotas=quotas)
    now, then, gap = runs[AS_SET].payees, runs[EVEN].payees, runs.differences[EVEN]
    table = now[[PAYEE, TERRITORY, QUOTA, "p_attain", "expected"]].assign(
        even_quota=now[PAYEE].map(even.quotas),
        pay_ratio=now["expected"] / now[INCENTIVE].where(now[INCENTIVE] > 0),
        even_expected=then["expected"],
        moved=-gap["difference"],
        low=-gap["high"],
        high=-gap["low"],
    )
    moved = table["moved"].dropna()
    order = [*table.columns[:3], "even_quota", "p_attain", "pay_ratio", "expected", *table.columns[-4:]]
    return Fairness(
        payees=table.sort_values("moved", kind="stable", ignore_index=True)[order],
        chance=even.chance,
        money=float((moved - moved.mean()).abs().sum() / 2) if len(moved) else np.nan,
        cost=float(moved.sum()) if len(moved) else np.nan,
    )
