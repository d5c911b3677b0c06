"""A node's own response to a credit: its children's curve, bent by its estimate and cut at its bounds."""

import numpy as np

from spms_lib.projection.compiled import kernel
from spms_lib.projection.curves.adding import end_line, set_flat, set_line
from spms_lib.projection.curves.slots import BASE, CREDIT, NO_JUMP, SLOPE, VALUE, Column, Floats, Runs


@kernel
def leaf_response(column: Column, leaf: int, points: Floats, at: int) -> tuple[int, int]:
    """Write a leaf's response: its estimate, then its bounds; gives the stop and the jump."""
    lower, upper = column.lower[leaf], column.upper[leaf]
    estimate, variance = column.estimate[leaf], column.variance[leaf]
    if lower >= upper:
        set_flat(points, at, np.inf, lower)
        return at + 1, NO_JUMP
    if np.isinf(variance):
        set_flat(points, at, 0.0, lower)
        set_flat(points, at + 1, np.inf, upper)
        return at + 2, at
    if lower > -np.inf:
        set_flat(points, at, (lower - estimate) / variance, lower)
        at += 1
    set_line(points, at, estimate, variance)
    if upper < np.inf:
        end_line(points, at, (upper - estimate) / variance, upper)
        at += 1
        set_flat(points, at, np.inf, upper)
    return at + 1, NO_JUMP


@kernel
def bend_line(base: float, slope: float, estimate: float, variance: float) -> tuple[float, float]:
    """Weigh a line of the children's sum against the node's own estimate."""
    if slope == 0.0 or np.isinf(variance):
        return base, slope
    share = slope / (variance + slope)
    return base + (estimate - base) * share, variance * share


@kernel
def credit_at(curve: Floats, slot: int, estimate: float, variance: float) -> float:
    """Say at which credit of its own a node reaches the end of a slot of its children's curve."""
    price = curve[slot, CREDIT]
    if np.isinf(variance) or price == np.inf:
        return float(price)
    return float(price + (curve[slot, VALUE] - estimate) / variance)


@kernel
def bend_curve(
    curve: Floats, start: int, stop: int, jump: int, estimate: float, variance: float, points: Floats, at: int
) -> int:
    """Bend the children's curve towards a node's estimate; a jump becomes a slope. Gives the stop."""
    latest = -np.inf
    for slot in range(start, stop):
        if np.isfinite(curve[slot, BASE]):
            base, slope = bend_line(curve[slot, BASE], curve[slot, SLOPE], estimate, variance)
            latest = max(latest, credit_at(curve, slot, estimate, variance))
            set_line(points, at, base, slope)
            end_line(points, at, latest, curve[slot, VALUE])
            at += 1
        if slot == jump:
            latest = max(latest, (curve[slot + 1, BASE] - estimate) / variance)
            set_line(points, at, estimate, variance)
            end_line(points, at, latest, curve[slot + 1, BASE])
            at += 1
    return at


@kernel
def bottom_of(slots: Floats, slot: int, start: int, jump: int) -> float:
    """Say the value at the beginning of a slot."""
    if slot == start:
        return -np.inf if slots[slot, SLOPE] > 0.0 else slots[slot, BASE]
    return float(slots[slot, BASE] if slot - 1 == jump else slots[slot - 1, VALUE])


@kernel
def reach(slots: Floats, slot: int, start: int, value: float) -> float:
    """Say where a slot reaches a value: at its beginning if it is flat."""
    begin = slots[slot - 1, CREDIT] if slot > start else -np.inf
    if slots[slot, SLOPE] == 0.0:
        return begin
    return float(min(max((value - slots[slot, BASE]) / slots[slot, SLOPE], begin), slots[slot, CREDIT]))


@kernel
def cut_below(points: Floats, start: int, stop: int, jump: int, lower: float) -> int:
    """Flatten a response where it would fall below the lower bound; gives its new first slot."""
    if bottom_of(points, start, start, jump) >= lower:
        return start
    slot = start
    while slot < stop and points[slot, VALUE] <= lower:
        if slot == jump and points[slot + 1, BASE] > lower:
            set_flat(points, slot, 0.0, lower)
            return slot
        slot += 1
    if slot == stop:
        set_flat(points, stop - 1, np.inf, lower)
        return stop - 1
    set_flat(points, slot - 1, reach(points, slot, start, lower), lower)
    return slot - 1


@kernel
def cut_above(points: Floats, start: int, stop: int, jump: int, upper: float) -> int:
    """Flatten a response where it would rise above the upper bound; gives its new stop."""
    if points[stop - 1, VALUE] <= upper:
        return stop
    slot = stop - 1
    while slot >= start and bottom_of(points, slot, start, jump) >= upper:
        if slot - 1 == jump and slot > start and points[jump, VALUE] < upper:
            set_flat(points, slot, np.inf, upper)
            return slot + 1
        slot -= 1
    if slot < start:
        set_flat(points, start, np.inf, upper)
        return start + 1
    end_line(points, slot, reach(points, slot, start, upper), upper)
    set_flat(points, slot + 1, np.inf, upper)
    return slot + 2


@kernel
def own_response(
    column: Column, node: int, curve: Floats, curves: Runs, points: Floats, runs: Runs, at: int
) -> int:
    """Write a parent's response from its children's curve, estimate and bounds; gives the next free slot."""
    lower, upper = column.lower[node], column.upper[node]
    if lower >= upper:
        set_flat(points, at, np.inf, lower)
        runs.start[node], runs.stop[node], runs.jump[node] = at, at + 1, NO_JUMP
        return at + 1
    first, last, jump = curves.start[node], curves.stop[node], curves.jump[node]
    start = at + 1  # a floor may need one slot more in front
    if np.isinf(column.variance[node]):
        stop = start + last - first
        points[start:stop] = curve[first:last]
        jump = jump + start - first if jump != NO_JUMP else NO_JUMP
    else:
        stop = bend_curve(
            curve, first, last, jump, column.estimate[node], column.variance[node], points, start
        )
        jump = NO_JUMP
    if lower > -np.inf:
        start = cut_below(points, start, stop, jump, lower)
    if upper < np.inf:
        stop = cut_above(points, start, stop, jump, upper)
    if not (start <= jump < stop - 1 and points[jump, CREDIT] == 0.0):
        jump = NO_JUMP
    runs.start[node], runs.stop[node], runs.jump[node] = start, stop, jump
    return int(stop)
