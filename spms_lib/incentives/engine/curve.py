"""A curve compiled to whole numbers: in which band a performance falls, and the terms of what it pays.

However a plan states it, pay is piecewise linear with jumps: at performance `u` in band `k` it is
`W (V_k + S_k (u - T_k))`, with the band's start `T`, value `V` there and slope `S`. Incremental,
retroactive, interpolated, lump and mixed tiers only fill these in differently. `u` is a measure
by what it is judged against (a quota, the other measure of a ratio, or 1), and `W` what pay is a
multiple of (target incentive, quota, base, or 1), all whole numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spms_lib.incentives.engine.exact import Ints
from spms_lib.incentives.plan.model import INTERPOLATED, LUMP, MONEY, RATE, RETROACTIVE, UPPER, Curve

_SAFE: Final = 2**62


@dataclass(frozen=True, slots=True)
class Band:
    """From `start` on (None: from below everything, `start` then 0) pay is `value + slope (u - start)`."""

    start: Fraction | None
    value: Fraction
    slope: Fraction

    def at(self, u: Fraction) -> Fraction:
        """Pay at a performance inside the band, in multiples of what the curve pays."""
        return self.value + self.slope * (u - (self.start or 0))


@dataclass(frozen=True, slots=True)
class Bands:
    """A compiled curve, in raw units (minor units, pieces, millionths of a score) or attainment.

    Attributes
    ----------
    tie
        A performance exactly on a start belongs to the `upper` or the `lower` band.
    every
        Width of a repeating step; each whole step pays the first band's value. None for bands.
    """

    bands: tuple[Band, ...]
    tie: str
    every: Fraction | None = None

    @property
    def grain(self) -> int:
        """The common denominator of all starts."""
        return lcm(*(band.start.denominator for band in self.bands if band.start is not None))

    @property
    def over(self) -> int:
        """The common denominator of all values and slopes."""
        return lcm(*(number.denominator for band in self.bands for number in (band.value, band.slope)))

    def number(self, measure: Ints, against: Ints | int) -> Ints:
        """Tell in which band each performance falls, counted from 0."""
        found = np.zeros(np.shape(measure), dtype=np.int64)
        grain = self.grain
        for number, band in enumerate(self.bands[1:], start=1):
            start = band.start or Fraction(0)
            ahead = difference(measure, grain, against, int(start * grain))
            found[ahead >= 0 if self.tie == UPPER else ahead > 0] = number
        return found

    def terms(self, measure: Any, against: Any, weight: Any, band: Any) -> tuple[list[Any], Any]:
        """Return the terms of the numerator of pay, and its denominator; see `exact.rounded`.

        Parameters
        ----------
        band
            Number of each row's band, or the count of whole steps; from `position`.
        """
        dtype = np.asarray(measure).dtype
        if self.every is not None:
            pays = self.bands[0].value
            return [weight * band * pays.numerator], pays.denominator
        grain, over = self.grain, self.over
        starts, values, slopes = (
            np.array([int(number) for number in column], dtype=object).astype(dtype)
            for column in (
                [(band.start or 0) * grain for band in self.bands],
                [band.value * over for band in self.bands],
                [band.slope * over for band in self.bands],
            )
        )
        here = band.astype(np.int64)
        value, slope, start = values[here], slopes[here], starts[here]
        return (
            [
                weight * value * against * grain,
                weight * slope * measure * grain,
                -weight * slope * start * against,
            ],
            over * grain * against,
        )

    def position(self, measure: Ints, against: Ints | int) -> Ints:
        """Tell each performance's band, or how many whole steps it has made."""
        if self.every is None:
            return self.number(measure, against)
        top, bottom = (
            measure.astype(object) * self.every.denominator,
            self.every.numerator * np.asarray(against, dtype=object),
        )
        steps: Ints = np.maximum(top // bottom, 0).astype(np.int64)
        return steps

    def ratio(self, u: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pay in floating point, in multiples of what the curve pays: for simulation and figures.

        Examples
        --------
        >>> bands = Bands((Band(None, Fraction(0), Fraction(1)), Band(Fraction(1), Fraction(1), Fraction(2))), "upper")
        >>> bands.ratio(np.array([0.5, 1.0, 1.25])).tolist()
        [0.5, 1.0, 1.5]
        """
        if self.every is not None:
            return np.maximum(np.floor(u / float(self.every)), 0) * float(self.bands[0].value)
        starts = np.array([float(band.start or 0) for band in self.bands])
        side = "right" if self.tie == UPPER else "left"
        here = np.searchsorted(starts[1:], u, side=side)  # type: ignore[call-overload]
        values, slopes = (
            np.array([float(getattr(band, name)) for band in self.bands]) for name in ("value", "slope")
        )
        paid: NDArray[np.float64] = values[here] + slopes[here] * (u - starts[here])
        return paid


def compile_curve(curve: Curve, *, unit_scale: int = 1, money_scale: int = 1, on_base: bool = False) -> Bands:
    """Turn tiers as a plan states them into bands over raw units.

    Parameters
    ----------
    unit_scale
        Raw units in one of the curve's units of performance: 100 for money in cents, 1 for attainment.
    money_scale
        Minor units in a currency unit; used where the curve pays money.
    on_base
        The rate reached pays on another measure than the one that reached it: bands hold the
        rate itself, and the weight is the base. Only for retroactive tiers.

    Examples
    --------
    >>> from spms_lib.incentives.plan.model import MEASURE, Tier
    >>> tiers = (Tier(Fraction(0), Fraction(1000), Fraction(1, 100)), Tier(Fraction(1000), None, Fraction(1, 50)))
    >>> compile_curve(Curve(MEASURE, RATE, "upper", tiers), unit_scale=100).bands[1]
    Band(start=Fraction(100000, 1), value=Fraction(1000, 1), slope=Fraction(1, 50))
    """
    amount = Fraction(money_scale if curve.pays == MONEY else 1)
    slope = Fraction(1) if curve.pays == RATE else amount / unit_scale
    if curve.step is not None:
        paid = Band(None, curve.step.pays * amount, Fraction(0))
        return Bands((paid,), curve.tie, every=curve.step.every * unit_scale)
    bands, earned = [], Fraction(0)
    for tier in curve.tiers:
        start = tier.start * unit_scale
        if on_base or tier.mode == LUMP:
            band = Band(start, tier.value * amount, Fraction(0))
        elif tier.mode == INTERPOLATED and tier.end is not None:
            band = Band(start, earned, tier.value * amount / ((tier.end - tier.start) * unit_scale))
        else:
            from_zero = tier.value * slope * start if tier.mode == RETROACTIVE else earned
            band = Band(start, from_zero, tier.value * slope)
        bands.append(band)
        earned = band.at(tier.end * unit_scale) if tier.end is not None else earned
    first = curve.tiers[0]
    nothing = Band(None, Fraction(0), Fraction(0))
    if first.start > 0 or first.mode == LUMP:
        bands.insert(0, nothing)
    else:
        bands[0] = Band(None, bands[0].value - bands[0].slope * first.start * unit_scale, bands[0].slope)
    if curve.threshold is not None and curve.threshold > 0:
        bands = [nothing, *_from(bands, curve.threshold * unit_scale)]
    return Bands(tuple(bands), curve.tie)


def _from(bands: Sequence[Band], threshold: Fraction) -> list[Band]:
    """Keep what lies at or above a threshold; the band that it falls in starts there."""
    kept = []
    for band, following in pairwise([*bands, None]):
        if following is None or (following.start is not None and following.start > threshold):
            assert band is not None
            start = threshold if band.start is None or band.start < threshold else band.start
            value = band.value + band.slope * (start - (band.start or 0))
            kept.append(Band(start, value, band.slope))
    return kept


def difference(measure: Ints, grain: int, against: Ints | int, start: int) -> Any:
    """Compare a measure with a share of what it is judged against, exactly: `measure * grain - against * start`."""
    largest = max(int(np.abs(measure).max(initial=0)) * grain, int(np.max(against, initial=0)) * abs(start))
    if largest < _SAFE:
        return measure * grain - against * start
    return measure.astype(object) * grain - np.asarray(against, dtype=object) * start
