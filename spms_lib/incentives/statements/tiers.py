"""Tier by tier: which part of a performance each band pays, exactly."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from spms_lib.incentives.engine.component import Setting, by_line
from spms_lib.incentives.plan.model import (
    ATTAINMENT,
    INTERPOLATED,
    LUMP,
    MONEY,
    RATE,
    RETROACTIVE,
    UPPER,
    Curve,
    Tier,
)

STEP: Final = "step"
CELL: Final = "cell"


class Part(NamedTuple):
    """What one band pays.

    Attributes
    ----------
    start, end
        Of the band, in the curve's unit; an end of None is open.
    input
        How much of the performance it pays for, in the curve's unit; what is paid on, in
        currency units, where that is another measure; how many whole steps; 1 for a lump.
    rate
        As the plan states it.
    amount
        Minor units, before rounding.
    mode
        How the tier is meant; `step` for a repeating step, `cell` for one of a matrix.
    """

    start: Fraction | None
    end: Fraction | None
    input: Fraction
    rate: Fraction
    amount: Fraction
    mode: str


def tier_parts(setting: Setting, curve: Curve, measure: int, against: int, weight: int) -> list[Part]:
    """Take what a curve pays apart; the amounts sum to its pay before rounding.

    A tier that pays for everything once it is reached takes the place of those under it, as
    a lump does; so only what is really paid is listed. Below a threshold the list is empty.

    Parameters
    ----------
    measure, against, weight
        As in `component.Standing`.
    """
    scale = 1 if curve.unit == ATTAINMENT else setting.scales[setting.component.measure]
    at = Fraction(measure, against) / scale
    money = weight * (setting.per_unit if curve.pays == MONEY else 1)
    if curve.step is not None:
        steps = max(at // curve.step.every, 0)
        return [
            Part(Fraction(0), None, Fraction(steps), curve.step.pays, steps * curve.step.pays * money, STEP)
        ]

    def reached(edge: Fraction) -> bool:
        return at >= edge if curve.tie == UPPER else at > edge

    first = curve.tiers[0]
    if curve.threshold is not None and curve.threshold > 0 and not reached(curve.threshold):
        return []
    if not reached(first.start) and (first.start > 0 or first.mode == LUMP):
        return []
    tiers = [first, *(tier for tier in curve.tiers[1:] if reached(tier.start))]
    parts = list(_parts(tiers, at, money * (scale if curve.pays == RATE else 1), money))
    if setting.component.base and not by_line(setting.component):
        on = Fraction(weight, setting.scales[setting.component.base]) if curve.pays == RATE else Fraction(1)
        return [parts[-1]._replace(input=on, amount=parts[-1].rate * money)]
    again = [number for number, tier in enumerate(tiers) if tier.mode in {RETROACTIVE, LUMP}]
    return parts[again[-1] :] if again else parts


def _parts(tiers: Sequence[Tier], at: Fraction, by_rate: int, money: int) -> Iterator[Part]:
    for number, tier in enumerate(tiers):
        top = at if tier.end is None or number + 1 == len(tiers) else tier.end
        if tier.mode == LUMP:
            yield Part(tier.start, tier.end, Fraction(1), tier.value, tier.value * money, tier.mode)
        elif tier.mode == RETROACTIVE:
            yield Part(Fraction(0), tier.end, top, tier.value, tier.value * top * by_rate, tier.mode)
        elif tier.mode == INTERPOLATED and tier.end is not None:
            share = (top - tier.start) / (tier.end - tier.start)
            yield Part(
                tier.start, tier.end, top - tier.start, tier.value, tier.value * share * money, tier.mode
            )
        else:
            yield Part(
                tier.start,
                tier.end,
                top - tier.start,
                tier.value,
                tier.value * (top - tier.start) * by_rate,
                tier.mode,
            )
