"""What a curve, a matrix or a table of factors must not say."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final

from spms_lib.incentives.plan.model import (
    ATTAINMENT,
    INCREMENTAL,
    INTERPOLATED,
    LUMP,
    RATE,
    RETROACTIVE,
    TARGET_INCENTIVE,
    Curve,
    Matrix,
    MeasureRule,
    Tier,
)
from spms_lib.incentives.plan.numbers import percent, plain
from spms_lib.incentives.plan.values import Place, Problem

MOST_ATTAINMENT: Final = 10  # 1,000 % of quota; a larger number is a percentage without its sign
MOST_FACTOR: Final = 10
_MOST_VALUE: Final = {
    RATE: 2,
    TARGET_INCENTIVE: 20,
}  # 200 % of the money (accelerators are written so); 20 target incentives


def curve_problems(curve: Curve, place: Place, measure: MeasureRule | None) -> Iterator[Problem]:
    """Name what is wrong with a curve; `measure` is the one that drives it, None where it is unknown."""
    if curve.step is not None:
        yield from _not_positive(curve.step.every, (*place, "step", "every"), "The step")
        yield from _not_positive(curve.step.pays, (*place, "step", "pays"), "The pay of a step")
    for position, tier in enumerate(curve.tiers):
        yield from _tier_problems(tier, (*place, "tiers", position), curve)
    for position, (tier, following) in enumerate(pairwise(curve.tiers), start=1):
        yield from _between(tier, following, (*place, "tiers", position), curve.unit)
    if curve.tiers and curve.tiers[0].start > 0:
        start = written(curve.tiers[0].start, curve.unit)
        yield Problem(
            (*place, "tiers", 0),
            f"The first tier starts at {start}.",
            f"Start at 0; [0, {start}, 0] pays nothing there.",
        )
    yield from _threshold_problems(curve, (*place, "threshold"))
    yield from _ratio_problems(curve, place, measure)


def _tier_problems(tier: Tier, place: Place, curve: Curve) -> Iterator[Problem]:
    start, end = written(tier.start, curve.unit), written(tier.end, curve.unit)
    if tier.end is not None and tier.end < tier.start:
        yield Problem((*place, "to"), f"The tier is inverted: from {start} to {end}.", "Swap the two.")
    if tier.end is not None and tier.end == tier.start:
        yield Problem((*place, "to"), f"The tier is empty: from {start} to {end}.", "Take it out.")
    if tier.end is None and tier.mode == INTERPOLATED:
        yield Problem(
            (*place, "to"), "An interpolated tier has no end to be earned up to.", "State `to`, or a rate."
        )
    if curve.unit == ATTAINMENT and tier.start > MOST_ATTAINMENT:
        yield too_large(tier.start, (*place, "from"))
    if tier.value < 0:
        yield Problem(
            (*place, "value"),
            f"The value {plain(tier.value)} is negative.",
            "Selling more must not cost pay.",
        )
    amount_of_money = curve.pays == RATE and tier.mode == INTERPOLATED  # an amount, not a rate
    if not amount_of_money and tier.value > _MOST_VALUE.get(curve.pays, tier.value):
        yield too_large(tier.value, (*place, "value"))


def _between(tier: Tier, following: Tier, place: Place, unit: str) -> Iterator[Problem]:
    start, end = written(following.start, unit), written(tier.end, unit)
    if tier.end is not None and tier.end <= tier.start:
        return  # it is wrong by itself
    if following.start <= tier.start:
        yield Problem(
            (*place, "from"),
            f"Tiers do not rise: {start} comes after {written(tier.start, unit)}.",
            "List them in rising order, each start once.",
        )
    elif tier.end is None:
        yield Problem(
            place,
            f"A tier follows one without an end, which starts at {written(tier.start, unit)}.",
            "State its `to`.",
        )
    elif following.start > tier.end:
        yield Problem((*place, "from"), f"There is a gap from {end} to {start}.", f"Start at {end}.")
    elif following.start < tier.end:
        yield Problem((*place, "from"), f"Tiers overlap from {start} to {end}.", f"Start at {end}.")


def _threshold_problems(curve: Curve, place: Place) -> Iterator[Problem]:
    threshold = curve.threshold
    if threshold is None:
        return
    if threshold < 0:
        yield Problem(place, f"The threshold {plain(threshold)} is negative.", "Leave it out.")
    if curve.unit == ATTAINMENT and threshold > MOST_ATTAINMENT:
        yield too_large(threshold, place)
        return
    for position, tier in enumerate(curve.tiers):
        alone = tier.mode in {RETROACTIVE, LUMP} and tier.value > 0
        last = position == len(curve.tiers) - 1
        if tier.end is not None and tier.end <= threshold and (alone or last):
            yield Problem(
                place,
                f"The threshold {written(threshold, curve.unit)} is not below the end of tier {position + 1}, "
                f"{written(tier.end, curve.unit)}, so that tier never pays.",
                "Lower the threshold, or take the tier out.",
            )


def _ratio_problems(curve: Curve, place: Place, measure: MeasureRule | None) -> Iterator[Problem]:
    if measure is None or not measure.per:
        return
    if curve.step is not None:
        yield Problem((*place, "step"), f"'{measure.name}' is a ratio, which has no steps.", "Write tiers.")
    if any(tier.mode in {INCREMENTAL, INTERPOLATED} and tier.value > 0 for tier in curve.tiers):
        what = f"'{measure.name}' is a ratio, and the part of a ratio inside a tier means nothing."
        yield Problem((*place, "mode"), what, "Use mode: retroactive or lump.")


def table_problems(starts: Sequence[Fraction], place: Place, *, attainment: bool) -> Iterator[Problem]:
    """Name what is wrong with the rising starts of a table."""
    if not starts:
        yield Problem(place, "The table has no rows.", "State at least one, from 0.")
    elif starts[0] > 0:
        yield Problem(
            (*place, 0),
            f"The table does not cover what lies below {plain(starts[0])}.",
            "Start at 0, or lower where the measure can be negative.",
        )
    for position, (one, following) in enumerate(pairwise(starts), start=1):
        if following <= one:
            yield Problem(
                (*place, position),
                f"Starts do not rise: {plain(following)} comes after {plain(one)}.",
                "List them in rising order, each once.",
            )
    for position, start in enumerate(starts):
        if attainment and start > MOST_ATTAINMENT:
            yield too_large(start, (*place, position))


def matrix_problems(matrix: Matrix, place: Place) -> Iterator[Problem]:
    """Name what is wrong with a matrix of values."""
    for name, reference, starts in (
        ("rows", matrix.rows, matrix.row_starts),
        ("columns", matrix.columns, matrix.column_starts),
    ):
        yield from table_problems(starts, (*place, name, "starts"), attainment=bool(reference.component))
    shape, needed = [len(row) for row in matrix.values], [len(matrix.column_starts)] * len(matrix.row_starts)
    if shape != needed:
        yield Problem(
            (*place, "values"),
            f"Values stand in rows of {shape}, starts ask for {needed}.",
            "State one value for each row and column.",
        )
    for row, values in enumerate(matrix.values):
        for column, value in enumerate(values):
            here = (*place, "values", row, column)
            if value < 0:
                yield Problem(here, f"The value {plain(value)} is negative.", "Use 0 or more.")
            if value > _MOST_VALUE.get(matrix.pays, value):
                yield too_large(value, here)


def too_large(number: Fraction, place: Place) -> Problem:
    """Say that a number looks like a percentage without its sign."""
    return Problem(place, f"{plain(number)} means {percent(number)}.", f'Write "{plain(number)} %".')


def _not_positive(number: Fraction, place: Place, what: str) -> Iterator[Problem]:
    if number <= 0:
        yield Problem(place, f"{what} is {plain(number)}.", "Use more than 0.")


def written(number: Fraction | None, unit: str) -> str:
    """Write performance in the unit of a curve."""
    if number is None:
        return "open"
    return percent(number) if unit == ATTAINMENT else plain(number)
