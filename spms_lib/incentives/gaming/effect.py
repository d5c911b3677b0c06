"""How much more happens under an incentive: within payees, and compared with flipped signs."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]

LEAST_PAYEES: Final = 12
DRAWS: Final = 1999
METHOD: Final = (
    "within payees and intervals; 95% interval clustered by payee (CR1, t); "
    f"one-sided p from {DRAWS} draws of signs by payee"
)


@dataclass(frozen=True, slots=True)
class Effect:
    """What one more unit of incentive goes with.

    Attributes
    ----------
    size, low, high
        Change of the outcome per unit of incentive, with its 95 % interval.
    p_value
        Chance of at least as much in the suspected direction if the incentive changed nothing.
    payees
        Payees who were seen with different incentives; only they tell anything.
    """

    size: float
    low: float
    high: float
    p_value: float
    payees: int


def effect(
    rows: pd.DataFrame, *, outcome: str, incentive: str, others: list[str], direction: int, seed: int
) -> Effect | str:
    """Estimate what an incentive does to an outcome, each payee compared with itself.

        outcome_it = own level_i + level of interval_t + size x incentive_it + others_it + noise_it

    The null model says size = 0 and that, after levels and `others` are taken out, each payee's
    score (sum of incentive times noise) is as likely positive as negative, whatever its spread and
    whatever links its intervals. So flipping the signs of whole payees shows what chance does.

    Parameters
    ----------
    rows
        Columns payee, interval, and those named; rows with a missing value must be left out before.
    direction
        1 if more is suspected, -1 if less.

    Returns
    -------
    Effect or str
        The effect, or in words why it is too early to tell.

    References
    ----------
    Cameron and Miller (2015), A practitioner's guide to cluster-robust inference.
    Hemerik, Goeman and Finos (2020), Robust testing in generalized linear models by sign flipping score contributions.
    """
    payee = pd.factorize(rows["payee"])[0]
    count = int(payee.max(initial=-1)) + 1
    raw = rows[[outcome, incentive, *others]].to_numpy(dtype="float64")
    levels = pd.get_dummies(rows["interval"], dtype="float64").to_numpy()[:, 1:]
    inside = _within(np.column_stack([raw, levels]), payee, count)
    varies = np.unique(payee[np.abs(inside[:, 1]) > 1e-12]).size
    if varies < LEAST_PAYEES:
        return f"too few to tell: {varies} payees were seen with and without it, {LEAST_PAYEES} are needed"
    y, x, rest = inside[:, 0], inside[:, 1], inside[:, 2:]
    fitted = np.linalg.lstsq(rest, np.column_stack([y, x]), rcond=None)[0]
    y, own = y - rest @ fitted[:, 0], x - rest @ fitted[:, 1]
    spread = float(own @ own)
    if spread < 1e-9 * float(x @ x):
        return "too few to tell: it comes and goes together with the intervals or the pace"
    size = float(own @ y) / spread
    score = np.bincount(payee, own * y, count)
    noise = np.bincount(payee, own * (y - size * own), count)
    fewer = count / (count - 1) * (len(rows) - 1) / max(len(rows) - rest.shape[1] - 1, 1)  # CR1
    half = float(stats.t.ppf(0.975, varies - 1)) * float(np.sqrt(fewer * (noise @ noise))) / spread
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(DRAWS, count))
    flips = np.sqrt(fewer) * (signs @ score)
    as_much = int((direction * flips >= direction * score.sum()).sum())
    return Effect(size, size - half, size + half, (1 + as_much) / (1 + DRAWS), varies)


def _within(columns: Floats, payee: NDArray[np.intp], count: int) -> Floats:
    """Take each payee's own mean out of every column."""
    size = np.bincount(payee, minlength=count)
    means = np.stack([np.bincount(payee, column, count) for column in columns.T]) / size
    return np.asarray(columns - means.T[payee])
