"""Chances: how likely a number is by the company's own past growth, and which number is that likely."""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from spms_lib.errors import ParamsError

UP, DOWN = "up", "down"
LEAST_CHANGES: Final = 3
_NO_SPREAD: Final = 1e-12


class Outlook(NamedTuple):
    """What past changes say of the next value, on the scale on which they add up.

    Attributes
    ----------
    centre
        Expected next value; its logarithm where `grows`.
    spread
        Standard deviation of the next value around it, for the few changes that were seen.
    freedom
        Degrees of freedom of the Student t: changes seen, minus one.
    grows
        True for growth rates (values that are all positive), False for plain differences.
    """

    centre: float
    spread: float
    freedom: int
    grows: bool


def outlook(history: pd.Series, *, steps: int) -> Outlook | None:
    """Learn from past changes how the next value is spread.

    Changes over `steps` periods are growth rates (log-normal) where every value is
    positive, and differences (normal) where one is zero or negative, as counts and
    margins can be. Their mean and spread are the company's own; a Student t carries the
    uncertainty of a short history.

    Parameters
    ----------
    history
        Totals in order of time without a gap, such as quarters.
    steps
        Periods between the values compared: 4 for quarters against the year before.

    Returns
    -------
    Outlook or None
        None with fewer than three changes, or with a value that nobody knows.

    Examples
    --------
    >>> outlook(pd.Series([0, 2, 1, 3, 2.0]), steps=1)
    Outlook(centre=2.5, spread=1.9364916731037085, freedom=3, grows=False)
    """
    values = history.to_numpy(dtype=float)
    if len(values) < steps + LEAST_CHANGES or not np.isfinite(values).all():
        return None
    grows = bool((values > 0).all())
    scale = np.log(values) if grows else values
    changes = scale[steps:] - scale[:-steps]
    spread = float(changes.std(ddof=1) * np.sqrt(1 + 1 / len(changes)))
    return Outlook(float(scale[-steps] + changes.mean()), spread, len(changes) - 1, grows)


def chance_of_reaching(history: pd.Series, target: float, *, steps: int) -> float | None:
    """Estimate the chance that the next value reaches a target, from past growth alone.

    Growth over `steps` periods is taken as log-normal with the mean and spread of the
    company's own past; a Student t carries the uncertainty of a short history.

    Parameters
    ----------
    history
        Totals in order of time, such as quarters.
    target
        In the same unit, for the period after the last one of `history`.
    steps
        Periods of growth compared: 4 for quarters against the year before.

    Returns
    -------
    float or None
        A ratio; None with fewer than three growth rates or values that are not positive.

    Examples
    --------
    >>> past = pd.Series([100, 100, 100, 100, 110, 108, 112, 110.0])
    >>> round(chance_of_reaching(past, 121.0, steps=4), 2)
    0.5
    """
    found = outlook(history, steps=steps)
    if found is None or not found.grows or not target > 0:
        return None
    return _above(found, target)


def chance_from_history(
    history: pd.Series, target: float, *, steps: int, direction: str = UP
) -> float | None:
    """Estimate the chance that the next value is at least (or, going down, at most) a target.

    As `chance_of_reaching` for values that are all positive; a measure that has been zero or
    negative, such as new customers or margin, is judged by its past differences.

    Parameters
    ----------
    direction
        `up`: more is better; `down`: less is better.

    Returns
    -------
    float or None
        A ratio; None with fewer than three changes.

    Examples
    --------
    >>> past = pd.Series([0, 2, 1, 3, 2.0])
    >>> up = chance_from_history(past, 4.0, steps=1)
    >>> round(up, 2), round(chance_from_history(past, 4.0, steps=1, direction="down"), 2)
    (0.25, 0.75)
    """
    found = outlook(history, steps=steps)
    if found is None or pd.isna(target):
        return None
    if found.grows and not target > 0:
        return float(direction == UP)  # what is always positive is always above
    if found.spread < _NO_SPREAD and direction == DOWN:
        return float(_scaled(found, target) >= found.centre - _NO_SPREAD)
    above = _above(found, target)
    return above if direction == UP else 1.0 - above


def amount_reached_with(history: pd.Series, probability: float, *, steps: int) -> float | None:
    """Find the amount that the next value reaches with a probability: the inverse of `chance_of_reaching`.

    Parameters
    ----------
    history, steps
        As for `chance_of_reaching`.
    probability
        A ratio between 0 and 1: 0.9 gives the amount that is reached nine times in ten.

    Returns
    -------
    float or None
        In the unit of `history`; None with fewer than three growth rates or values that are
        not positive.

    Raises
    ------
    ParamsError
        If the probability is not between 0 and 1: nothing is that certain.

    Examples
    --------
    >>> past = pd.Series([100, 100, 100, 100, 110, 108, 112, 110.0])
    >>> cautious = amount_reached_with(past, 0.9, steps=4)
    >>> round(cautious, 1), round(chance_of_reaching(past, cautious, steps=4), 6)
    (117.7, 0.9)
    """
    if not 0 < probability < 1:
        raise ParamsError(
            f"No amount is reached with a probability of {probability:.0%}.",
            where="confidence",
            remedy="Use a ratio above 0 and below 1, such as 0.9.",
        )
    found = outlook(history, steps=steps)
    if found is None or not found.grows:
        return None
    return float(np.exp(found.centre + found.spread * stats.t.isf(probability, df=found.freedom)))


def likely_amounts(history: pd.Series, *, steps: int, tail: float = 0.05, points: int = 201) -> pd.DataFrame:
    """Trace how likely the next value is around each amount, for a figure.

    Parameters
    ----------
    tail
        Probability left out at each end.

    Returns
    -------
    pd.DataFrame
        Columns amount (unit of `history`, rising), density (highest is 1), chance (of reaching
        the amount); no rows where `chance_of_reaching` could not tell, or growth never differed.
    """
    found = outlook(history, steps=steps)
    if found is None or not found.grows or found.spread < _NO_SPREAD:
        return pd.DataFrame({"amount": [], "density": [], "chance": []}, dtype=float)
    edge = stats.t.isf(tail, df=found.freedom)
    place = np.linspace(-edge, edge, points)
    amount = np.exp(found.centre + place * found.spread)
    density = stats.t.pdf(place, df=found.freedom) / amount
    return pd.DataFrame(
        {
            "amount": amount,
            "density": density / density.max(),
            "chance": stats.t.sf(place, df=found.freedom),
        }
    )


def _scaled(found: Outlook, target: float) -> float:
    return float(np.log(target)) if found.grows else float(target)


def _above(found: Outlook, target: float) -> float:
    needed = _scaled(found, target)
    if found.spread < _NO_SPREAD:  # the same growth every time, but for float noise
        return float(needed <= found.centre + _NO_SPREAD)
    return float(stats.t.sf((needed - found.centre) / found.spread, df=found.freedom))
