"""Reading curves: tiers, and the three shorter ways to write them, which all become tiers."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final

from spms_lib.incentives.plan.model import (
    INCREMENTAL,
    INTERPOLATED,
    LUMP,
    MODES,
    PAYS,
    RATE,
    TIES,
    UNITS,
    UPPER,
    Curve,
    Step,
    Tier,
)
from spms_lib.incentives.plan.values import (
    UNREAD,
    Place,
    Problem,
    Problems,
    Read,
    each,
    fields,
    number,
    one_of,
    pair,
)

SHAPES: Final = ("tiers", "curve", "step", "average")
_NONE: Final = (Tier(UNREAD, None, UNREAD),)  # stands for tiers that could not be made
_TIER: Final = ("from", "to", "value", "mode")
_WHOLE_BAND: Final[dict[str, Read]] = {"from": number, "to": number, "value": number, "mode": one_of(*MODES)}


def _tier(value: object, place: Place, found: Problems) -> Tier:
    if isinstance(value, (list, tuple)) and 3 <= len(value) <= 4:
        value = dict(zip(_TIER, value, strict=False))
    read = fields(value, place, found, _WHOLE_BAND, ("from", "value"), clause=False)
    return Tier(read.get("from", UNREAD), read.get("to"), read.get("value", UNREAD), read.get("mode", ""))


def _anchors(value: object, place: Place, found: Problems) -> tuple[tuple[Tier, ...], Fraction | None]:
    """Read a payout curve of points as tiers and, where it starts with a jump from nothing, a threshold."""
    known: dict[str, Read] = {"anchors": each(pair), "below": number, "above_slope": number}
    read = fields(value, place, found, known, ("anchors",), clause=False)
    points = read.get("anchors", ())
    if _fall(points, (*place, "anchors"), found):
        return _NONE, None
    (first, paid), below = points[0], read.get("below", Fraction(0))
    threshold = None if paid == below else first
    if threshold is not None and below != 0:
        found.append(
            Problem(
                (*place, "below"),
                "A jump from a part payment has no points.",
                "Write tiers instead, with mode: lump.",
            )
        )
    start = Tier(Fraction(0), first, paid, LUMP if threshold is None else INTERPOLATED)
    tiers = [start] if first > 0 else []
    tiers += [Tier(one, two, up - low, INTERPOLATED) for (one, low), (two, up) in pairwise(points)]
    return (*tiers, Tier(points[-1][0], None, read.get("above_slope", Fraction(0)), INCREMENTAL)), threshold


def _averages(value: object, place: Place, found: Problems) -> tuple[Tier, ...]:
    """Turn average rates at points into the rates between them: what is paid at a point is point x rate.

    Above the last point its rate goes on.
    """
    points = each(pair)(value, place, found)
    if _fall([(at, at * rate) for at, rate in points], place, found):
        return _NONE
    between = (
        Tier(one, two, (two * up - one * low) / (two - one)) for (one, low), (two, up) in pairwise(points)
    )
    return (*between, Tier(points[-1][0], None, points[-1][1]))


def _fall(points: Any, place: Place, found: Problems) -> bool:
    """Say whether points do not make a rising line, and note where."""
    before = len(found)
    if len(points) < 2:
        found.append(Problem(place, f"There are {len(points)} points.", "A line needs two or more."))
    for position, ((one, low), (two, up)) in enumerate(pairwise(points), start=1):
        if two <= one or up < low:
            found.append(
                Problem(
                    (*place, position),
                    "This point is not above the one before.",
                    "List points by rising performance; pay must not fall.",
                )
            )
    return len(found) > before


def _step(value: object, place: Place, found: Problems) -> Step:
    read = fields(value, place, found, {"every": number, "pays": number}, ("every", "pays"), clause=False)
    return Step(read.get("every", UNREAD), read.get("pays", UNREAD))


CURVE: Final[dict[str, Read]] = {
    "unit": one_of(*UNITS),
    "pays": one_of(*PAYS),
    "tie": one_of(*TIES),
    "threshold": number,
    "mode": one_of(*MODES),
    "tiers": each(_tier),
    "curve": _anchors,
    "step": _step,
    "average": _averages,
}


def curve_of(read: dict[str, Any], place: Place, found: Problems, like: Curve | None = None) -> Curve | None:
    """Put a curve together from the values of its block, which it takes out; None where no shape is stated.

    Parameters
    ----------
    like
        A curve whose unit, pays and tie hold where this one is silent.
    """
    mode = read.pop("mode", INCREMENTAL)
    shapes = {name: read.pop(name) for name in SHAPES if name in read}
    words = {name: read.pop(name, "") or getattr(like, name, "") for name in ("unit", "pays", "tie")}
    threshold = read.pop("threshold", None)
    if not shapes:
        return None
    name, shape = next(iter(shapes.items()))
    if name == "step":
        words["tie"] = words["tie"] or UPPER
    for word, value in words.items():
        if not value:
            found.append(
                Problem(
                    (*place, word), f"'{word}' is not stated.", f"Write one of {', '.join(_WORDS[word])}."
                )
            )
    if name == "step":
        return Curve(**words, step=shape, threshold=threshold)
    if name == "curve":
        shape, jump = shape
        threshold = jump if threshold is None else threshold
    if not shape:
        found.append(Problem((*place, name), "There is no tier.", "State at least one, from 0."))
    tiers = tuple(tier if tier.mode else replace(tier, mode=mode) for tier in shape)
    return Curve(**words, tiers=tiers, threshold=threshold)


_WORDS: Final = {"unit": UNITS, "pays": PAYS, "tie": TIES}


def first_tier_on(curve: Curve) -> Curve:
    """Let the first tier of a curve go on without end; what it paid for its band becomes a rate."""
    tier = curve.tiers[0]
    if tier.mode == INTERPOLATED and tier.end is not None and tier.end != tier.start:
        tier = Tier(tier.start, None, tier.value / (tier.end - tier.start))
    return replace(curve, tiers=(replace(tier, end=None),))


def at_rate(curve: Curve, rate: Fraction) -> Curve:
    """Pay one rate on everything instead of a curve."""
    return replace(curve, pays=RATE, tiers=(Tier(Fraction(0), None, rate),), step=None, threshold=None)
