"""The gaming surface of a plan: where its shape rewards timing and holding back more than selling."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Final

import pandas as pd

from spms_lib.incentives.plan.curve_checks import written
from spms_lib.incentives.plan.model import CompensationPlan, Component
from spms_lib.incentives.plan.numbers import plain
from spms_lib.incentives.plan.points import Scale, line_of, merged, quota_of, scale_of
from spms_lib.incentives.plan.shape import Piece, paid_at

CLIFF, DROP, DEAD_ZONE = "cliff", "drop", "dead zone"
STEEPER, FLATTER, INVERSION = "steeper", "flatter", "inversion"
GATE, MULTIPLIER, UNSAID = "gate", "multiplier", "unsaid"
COLUMNS: Final = ("component", "kind", "at_from", "at_to", "size", "ratio", "clause", "sentence")


def surface(plan: CompensationPlan, *, quota: int, target_incentive: int) -> pd.DataFrame:
    """List what the shape of each component invites: cliffs, dead zones, changes of the marginal rate, gates.

    Computed from the exact pieces of each curve with its threshold and cap, for a payee whose
    quota and target incentive are spread evenly over the year.

    Parameters
    ----------
    quota, target_incentive
        Of a year: minor units; a quota of pieces for a component that counts pieces.

    Returns
    -------
    pd.DataFrame
        component, kind, clause, sentence; at_from, at_to (attainment ratio, or currency units or
        pieces, or the level of a gate; missing where open); size (minor units, Int64: the jump;
        of a gate or multiplier what it moves at quota); ratio (jump as a share of the interval's
        target incentive; of a change of slope the new rate by the old one).
        `cliff` and `drop`: pay jumps. `dead zone`: more performance pays nothing. `steeper`,
        `flatter`: the marginal rate changes for good. `inversion`: it falls and rises again.
        `unsaid`: the shape depends on another measure.
    """
    rows = [
        (component.name, *row)
        for component in plan.components.values()
        for row in _component_rows(plan, component, scale_of(plan, component, quota, target_incentive))
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame["size"] = frame["size"].astype("Int64")
    return frame.astype({"at_from": "float64", "at_to": "float64", "ratio": "float64"})


_Row = tuple[str, Fraction | None, Fraction | None, int | None, Fraction | None, str, str]


def _component_rows(plan: CompensationPlan, component: Component, scale: Scale) -> Iterator[_Row]:
    clause = component.clause.number or plan.clause.number
    line = line_of(plan, component, component.curve, scale)
    if not line:
        yield (
            UNSAID,
            None,
            None,
            None,
            None,
            clause,
            "What it pays depends on a second measure, so it has no one curve.",
        )
        return
    curve = component.curve
    assert curve is not None
    if curve.step is not None:
        jump = line[1].value
        text = f"Every full {written(curve.step.every, curve.unit)} pays {scale.money(jump)} at once, the way there nothing."
        yield CLIFF, curve.step.every, None, round(jump), jump / scale.target_incentive, clause, text
        return
    cap_clause = (component.cap.clause.number if component.cap else "") or clause
    joined = merged(line)
    yield from _jumps(joined, curve.unit, scale, clause)
    yield from _dead_zones(joined, curve.unit, scale, clause, cap_clause)
    yield from _slopes(joined, curve.unit, clause)
    yield from _switches(plan, component, line, scale, clause)


def _jumps(line: tuple[Piece, ...], unit: str, scale: Scale, clause: str) -> Iterator[_Row]:
    for before, after in pairwise(line):
        jump = after.value - before.at(after.start)
        if jump:
            share = jump / scale.target_incentive
            words = "more" if jump > 0 else "less"
            text = f"At {written(after.start, unit)} pay jumps: {scale.money(abs(jump))} {words}, {_percent(abs(share))} of target incentive."
            yield CLIFF if jump > 0 else DROP, after.start, after.start, round(jump), share, clause, text


def _dead_zones(
    line: tuple[Piece, ...], unit: str, scale: Scale, clause: str, cap_clause: str
) -> Iterator[_Row]:
    for piece in line:
        if piece.slope == 0:
            start, end = written(piece.start, unit), written(piece.end, unit)
            span = f"Above {start}" if piece.end is None else f"From {start} to {end}"
            text = f"{span} selling more pays nothing more; pay stays at {scale.money(piece.value)}."
            yield (
                DEAD_ZONE,
                piece.start,
                piece.end,
                None,
                None,
                cap_clause if piece.end is None else clause,
                text,
            )


def _slopes(line: tuple[Piece, ...], unit: str, clause: str) -> Iterator[_Row]:
    for number, (before, after) in enumerate(pairwise(line)):
        if not (before.slope > 0 and after.slope > 0) or before.slope == after.slope:
            continue
        ratio, at = after.slope / before.slope, written(after.start, unit)
        rises = next((one.start for one in line[number + 2 :] if one.slope > after.slope), None)
        if ratio > 1:
            text = f"Above {at} each further sale pays {_times(ratio)} what it paid below: deals gain by landing in one interval."
            yield STEEPER, after.start, None, None, ratio, clause, text
        elif rises is None:
            text = f"Above {at} each further sale pays {_times(ratio)} what it paid below: deals gain by waiting."
            yield FLATTER, after.start, None, None, ratio, clause, text
        else:
            text = f"From {at} to {written(rises, unit)} each further sale pays {_times(ratio)} what it paid below, then more again."
            yield INVERSION, after.start, rises, None, ratio, clause, text


def _switches(
    plan: CompensationPlan, component: Component, line: tuple[Piece, ...], scale: Scale, clause: str
) -> Iterator[_Row]:
    at_quota = quota_of(plan, component, scale)
    paid = paid_at(line, at_quota)
    for gate in component.gates:
        closed = line_of(plan, component, gate.closed, scale) if gate.closed else ()
        size = paid - (paid_at(closed, at_quota) if closed else 0)
        reference, _, level = gate.any_of[0]
        name = reference.component or reference.measure
        text = f"A gate on {name}: at quota it decides over {scale.money(size)}, {_percent(size / scale.target_incentive)} of target incentive."
        yield (
            GATE,
            level,
            level,
            round(size),
            size / scale.target_incentive,
            gate.clause.number or clause,
            text,
        )
    for one in component.multipliers:
        name = one.reference.component or one.reference.measure
        for (_, low), (start, high) in pairwise(one.rows):
            size = (high - low) * paid
            text = f"Where {name} reaches {_percent(start)}, the factor goes from {plain(low)} to {plain(high)}: {scale.money(size)} at quota."
            yield (
                MULTIPLIER,
                start,
                start,
                round(size),
                size / scale.target_incentive,
                one.clause.number or clause,
                text,
            )


def _percent(ratio: Fraction) -> str:
    return f"{float(ratio * 100):.3g} %"


def _times(ratio: Fraction) -> str:
    return f"{float(ratio):.2g} times"
