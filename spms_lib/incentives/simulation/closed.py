"""Expected pay without drawing: exact sums over the bands of a curve, and the check of every simulation."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.special import ndtr

from spms_lib.errors import PlanError
from spms_lib.incentives.engine.books import PAYEE
from spms_lib.incentives.engine.curve import Band, Bands
from spms_lib.incentives.plan.model import (
    ATTAINMENT,
    MONEY,
    RATE,
    TARGET_INCENTIVE,
    CompensationPlan,
    Component,
)
from spms_lib.incentives.simulation.beliefs import LOGNORMAL, Floats, lay_out
from spms_lib.incentives.simulation.draws import log_terms
from spms_lib.incentives.simulation.factors import Factors
from spms_lib.incentives.simulation.fed import evaluator
from spms_lib.incentives.simulation.pay import Evaluator
from spms_lib.money import minor_per_unit

_Below = Callable[[float], tuple[Floats, Floats]]


def expected_ratio(bands: Bands, mean: Floats, sd: Floats, marginal: str) -> Floats:
    """Compute the expectation of what bands pay for one uncertain performance, in multiples of what they pay.

    In a band that pays `V + S (u - T)` from `T` on, the expectation is `(V - S T)` times the chance of the band plus
    `S` times the part of the mean that lies in it; jumps need nothing of their own.

    Parameters
    ----------
    mean, sd
        Shape (n,), in the bands' unit. Without any spread the performance is the mean.

    Raises
    ------
    PlanError
        If the curve is a repeating step, whose sum has no end.

    Examples
    --------
    >>> from fractions import Fraction
    >>> double = Bands((Band(None, Fraction(0), Fraction(1)), Band(Fraction(1), Fraction(1), Fraction(2))), "upper")
    >>> expected_ratio(double, np.array([1.0]), np.array([0.25]), "normal").round(6).tolist()
    [1.099736]
    """
    if bands.every is not None:
        raise PlanError("A repeating step has no closed form.", where="curve", remedy="Simulate the plan.")
    spread = sd > 0
    below = _below(np.where(spread, mean, 1.0), np.where(spread, sd, 1.0), marginal)
    total = np.zeros(len(mean))
    ends = [float(band.start or 0) for band in bands.bands[1:]]
    low = np.zeros(len(mean)), np.zeros(len(mean))
    for number, band in enumerate(bands.bands):
        high = (
            below(ends[number]) if number < len(ends) else (np.ones(len(mean)), np.where(spread, mean, 1.0))
        )
        start, value, slope = float(band.start or 0), float(band.value), float(band.slope)
        total += (value - slope * start) * (high[0] - low[0]) + slope * (high[1] - low[1])
        low = high
    return np.where(spread, total, bands.ratio(mean) + sd * 0.0)


def chance_at_or_above(level: Floats, mean: Floats, sd: Floats, marginal: str) -> Floats:
    """Compute the chance that performance reaches a level; 1 or 0 without any spread.

    Examples
    --------
    >>> chance_at_or_above(np.array([1.0]), np.array([1.0]), np.array([0.35]), "lognormal").round(3).tolist()
    [0.433]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        if marginal == LOGNORMAL:
            mu, scale = log_terms(mean, sd)
            steps = np.where(level > 0, (mu - np.log(np.where(level > 0, level, 1.0))) / scale, np.inf)
        else:
            steps = (mean - level) / sd
    found = np.where(sd > 0, ndtr(steps), (mean >= level).astype(float))
    return np.where(np.isfinite(level + mean + sd), found, np.nan)


def expected_pay(
    plan: CompensationPlan, beliefs: pd.DataFrame, *, factors: Factors | None = None
) -> pd.DataFrame:
    """Compute every payee's expected pay exactly, where a plan allows it.

    Components add up, so any number of them will do; what payees have in common does not change an expectation.

    Returns
    -------
    pd.DataFrame
        Columns payee, expected (minor units; missing where something is not known).

    Raises
    ------
    PlanError
        If a component has a gate, a multiplier, a matrix or a base of its own, which need more than one performance
        at a time, or a cap that is no multiple of what its curve pays.
    """
    factors = factors or Factors()
    laid = lay_out(beliefs, factors.marginal)
    case = evaluator(plan, laid)
    total = np.zeros(len(laid.payees))
    for component in case.components:
        total += _component(case, component, factors.marginal)
    return pd.DataFrame({PAYEE: laid.payees, "expected": total})


def _component(case: Evaluator, component: Component, marginal: str) -> Floats:
    curve, row = component.curve, str(case.row_of(component))
    if (
        curve is None
        or component.gates
        or component.multipliers
        or component.base not in {"", component.measure}
    ):
        raise PlanError(
            f"The expectation of '{component.name}' depends on several measures at once.",
            where=f"plan '{case.plan.name}'",
            remedy="Simulate the plan.",
        )
    bands, laid = case.bands[id(curve)], case.laid
    if component.cap is not None:
        bands = capped(bands, _cap_ratio(case, component))
    quota, incentive = laid.quotas[row], case.incentives(component)
    over = np.where(quota > 0, quota, np.nan) if curve.unit == ATTAINMENT else np.ones(len(quota))
    found = expected_ratio(bands, laid.means[row] / over, laid.sds[row] / over, marginal)
    paid = found * {TARGET_INCENTIVE: incentive, RATE: over}.get(curve.pays, np.ones(len(quota)))
    return np.where(laid.present[row], paid, 0.0)


def _cap_ratio(case: Evaluator, component: Component) -> Fraction:
    cap, curve = component.cap, component.curve
    assert cap is not None
    assert curve is not None
    if cap.of == TARGET_INCENTIVE and curve.pays == TARGET_INCENTIVE:
        return cap.value
    if cap.of == MONEY and (curve.pays == MONEY or (curve.pays == RATE and curve.unit != ATTAINMENT)):
        return cap.value * minor_per_unit(case.plan.currency)
    raise PlanError(
        f"The cap of '{component.name}' lies elsewhere on the curve of every payee.",
        where=f"plan '{case.plan.name}'",
        remedy="Simulate the plan.",
    )


def capped(bands: Bands, most: Fraction) -> Bands:
    """Bend a curve where it reaches its cap: bands that never pay more than `most`.

    Examples
    --------
    >>> capped(Bands((Band(None, Fraction(0), Fraction(1)),), "upper"), Fraction(2)).bands[1]
    Band(start=Fraction(2, 1), value=Fraction(2, 1), slope=Fraction(0, 1))
    """
    found: list[Band] = []
    for band, following in pairwise([*bands.bands, None]):
        assert band is not None
        end = None if following is None else following.start
        turn = (band.start or Fraction(0)) + (most - band.value) / band.slope if band.slope else None
        inside = (
            turn is not None and (band.start is None or turn > band.start) and (end is None or turn < end)
        )
        flat = replace(band, value=most, slope=Fraction(0))
        if inside and turn is not None:
            found += (
                [band, replace(flat, start=turn)]
                if band.slope > 0
                else [flat, replace(band, start=turn, value=most)]
            )
        else:
            found.append(band if _within(band, end) <= most else flat)
    return replace(bands, bands=tuple(found))


def _within(band: Band, end: Fraction | None) -> Fraction:
    """Pay at one point inside a band; the first band goes down without end."""
    start = band.start if band.start is not None else (end or Fraction(0)) - 1
    point = start + 1 if end is None else (start + end) / 2
    return band.value + band.slope * (point - (band.start or 0))


def _below(mean: Floats, sd: Floats, marginal: str) -> _Below:
    """Make a function of a level: the chance below it, and the part of the mean that lies below it."""
    if marginal == LOGNORMAL:
        mu, scale = log_terms(mean, sd)

        def lognormal(level: float) -> tuple[Floats, Floats]:
            if level <= 0:
                return np.zeros(len(mean)), np.zeros(len(mean))
            steps = (np.log(level) - mu) / scale
            return ndtr(steps), mean * ndtr(steps - scale)

        return lognormal

    def normal(level: float) -> tuple[Floats, Floats]:
        steps = (level - mean) / sd
        density = np.exp(-(steps**2) / 2) / np.sqrt(2 * np.pi)
        return ndtr(steps), mean * ndtr(steps) - sd * density

    return normal
