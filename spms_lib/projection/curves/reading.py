"""Reading values and prices off the curves, on the way down; what nobody knows is shared equally."""

import numpy as np

from spms_lib.projection.compiled import kernel
from spms_lib.projection.curves.adding import add_exactly
from spms_lib.projection.curves.bending import bend_line, bottom_of, credit_at, reach
from spms_lib.projection.curves.slots import (
    BASE,
    NO_JUMP,
    ROUNDING,
    SLOPE,
    VALUE,
    Answer,
    Column,
    Floats,
    Ints,
    Runs,
)

MERE_ROUNDING = 64.0
ROUNDS = 6


@kernel
def slot_at(curve: Floats, start: int, stop: int, value: float, beyond: int) -> int:
    """Find the first slot that ends at or, if asked, beyond a value."""
    low, high = start, stop - 1
    while low < high:
        middle = (low + high) // 2
        end = curve[middle, VALUE]
        if end > value or (end == value and not beyond):
            high = middle
        else:
            low = middle + 1
    return low


@kernel
def price_range(curve: Floats, start: int, stop: int, under: float, over: float) -> tuple[float, float]:
    """Find the prices at which a curve lies between two values."""
    slot = slot_at(curve, start, stop, under, 0)
    cheapest = reach(curve, slot, start, under)
    slot = slot_at(curve, start, stop, over, 1)
    return cheapest, np.inf if curve[slot, VALUE] <= over else reach(curve, slot, start, over)


@kernel
def price_at(
    curve: Floats, curves: Runs, node: int, value: float, wanted: float, slack: float, variance: float
) -> float:
    """Find the price at which the children add up to a value, nearest to a wanted one.

    A `variance` above the slope says that the node is free: then the wanted price is
    right, and better known than the curve's. `slack` is what rounding did to the wanted price.
    """
    start, stop, jump = curves.start[node], curves.stop[node], curves.jump[node]
    least, most = bottom_of(curve, start, start, jump), curve[stop - 1, VALUE]
    value = min(max(value, least), most)
    slot = slot_at(curve, start, stop, value, 0)
    on_jump = slot > start and slot - 1 == jump and value <= curve[slot, BASE]
    if jump != NO_JUMP:
        wanted = min(wanted, 0.0) if value < curve[jump + 1, BASE] else wanted
        wanted = max(wanted, 0.0) if value > curve[jump, VALUE] else wanted
    if variance >= curve[slot, SLOPE] and not on_jump:
        return wanted
    cheapest, dearest = price_range(curve, start, stop, value, value)
    rounding = 4.0 * ROUNDING * abs(value)
    under, over = max(value - rounding, least), min(value + rounding, most)
    loosely = price_range(curve, start, stop, under, over)
    if loosely[0] - slack <= wanted <= loosely[1] + slack:
        return min(max(wanted, loosely[0]), loosely[1])
    return min(max(wanted, cheapest), max(cheapest, dearest))


@kernel
def follow_leaf(
    estimate: float, variance: float, lower: float, upper: float, credit: float
) -> tuple[float, float]:
    """Say a leaf's value and slope at a credit; the slope is infinite on a jump."""
    if lower >= upper:
        return lower, 0.0
    if np.isinf(variance):
        value = lower if credit < 0.0 else upper
        return (0.0, np.inf) if credit == 0.0 or np.isinf(value) else (value, 0.0)
    value = estimate + variance * credit
    if lower < value < upper:
        return value, variance
    return min(max(value, lower), upper), 0.0


@kernel
def follow_parent(
    column: Column, node: int, curve: Floats, curves: Runs, credit: float
) -> tuple[float, float]:
    """Say a parent's value and slope at a credit, from its children's curve; its bounds are the caller's."""
    start, jump = curves.start[node], curves.jump[node]
    estimate, variance = column.estimate[node], column.variance[node]
    low, high = start, curves.stop[node] - 1
    while low < high:
        middle = (low + high) // 2
        if credit_at(curve, middle, estimate, variance) >= credit:
            high = middle
        else:
            low = middle + 1
    if jump != NO_JUMP and np.isinf(variance) and credit == 0.0:
        return 0.0, np.inf
    if low > start and low - 1 == jump and credit * variance < curve[low, BASE] - estimate:
        return estimate + variance * credit, variance
    base, slope = bend_line(curve[low, BASE], curve[low, SLOPE], estimate, variance)
    return base + slope * credit, slope


@kernel
def follow(column: Column, node: int, curve: Floats, curves: Runs, answer: Answer, credit: float) -> None:
    """Set a parent's value and slope at a credit; on a jump only its range."""
    lower, upper = column.lower[node], column.upper[node]
    if lower >= upper:
        value, slope = lower, 0.0
    else:
        value, slope = follow_parent(column, node, curve, curves, credit)
        if not lower < value < upper and slope < np.inf:
            value, slope = min(max(value, lower), upper), 0.0
        if slope == np.inf or np.isinf(value):
            value, slope, jump = 0.0, np.inf, curves.jump[node]
            answer.low[node] = min(max(curve[jump, VALUE], lower), upper)
            answer.high[node] = max(min(curve[jump + 1, BASE], upper), lower)
    answer.value[node] = value
    answer.slope[node] = slope


@kernel
def follow_all(
    column: Column, begin: int, end: int, curve: Floats, curves: Runs, answer: Answer, credit: float
) -> bool:
    """Set the values and slopes of nodes side by side; says whether any of them stands on a jump."""
    jumps = False
    for node in range(begin, end):
        if curves.start[node] == curves.stop[node]:
            value, slope = follow_leaf(
                column.estimate[node], column.variance[node], column.lower[node], column.upper[node], credit
            )
            answer.value[node] = value
            answer.slope[node] = slope
        else:
            follow(column, node, curve, curves, answer, credit)
        jumps = jumps or answer.slope[node] == np.inf
    return jumps


@kernel
def come_to_rest(first: Ints, column: Column, curve: Floats, curves: Runs, answer: Answer) -> None:
    """Find, from the leaves up, what each node comes to at credit 0 where silent leaves stay as near to 0 as they may."""
    for node in range(first.shape[0] - 2, -1, -1):
        begin, end = first[node], first[node + 1]
        low, high = answer.low[node], answer.high[node]
        if begin == end:
            value, slope = follow_leaf(
                column.estimate[node], column.variance[node], column.lower[node], column.upper[node], 0.0
            )
            answer.rest[node] = min(max(0.0, low), high) if slope == np.inf else value
            continue
        follow(column, node, curve, curves, answer, 0.0)
        answer.rest[node] = answer.value[node]
        if answer.slope[node] == np.inf:
            total = 0.0
            for child in range(begin, end):
                total += answer.rest[child]
            answer.rest[node] = min(max(total, answer.low[node]), answer.high[node])
        answer.low[node], answer.high[node] = low, high
    for leaf in range(first.shape[0] - 1):  # what leaves share, they share to the same level
        if first[leaf] == first[leaf + 1] and np.isinf(column.variance[leaf]) and leaf > 0:
            answer.rest[leaf] = 0.0


@kernel
def water_line(answer: Answer, begin: int, end: int, level: float) -> tuple[float, float]:
    """Say by how much the ranges of the children on a jump lie above a level over their rest, and below it."""
    above, below = 0.0, 0.0
    for child in range(begin, end):
        if answer.slope[child] == np.inf:
            above += max(answer.low[child] - answer.rest[child] - level, 0.0)
            below += max(level - (answer.high[child] - answer.rest[child]), 0.0)
    return above, below


@kernel
def share_equally(answer: Answer, begin: int, end: int, amount: float) -> None:
    """Share what is left among the children on a jump: the same for each over its rest, as far as its range allows."""
    waiting = 0
    for child in range(begin, end):
        if answer.slope[child] == np.inf:
            waiting += 1
            amount -= answer.rest[child]
        else:
            amount -= answer.value[child]
    level, settled = 0.0, 1
    while waiting > 0 and settled > 0:
        level, settled = amount / waiting, 0
        above, below = water_line(answer, begin, end, level)
        for child in range(begin, end):
            limit = answer.low[child] if above >= below else answer.high[child]
            step = limit - answer.rest[child]
            beyond = step > level if above >= below else step < level
            if answer.slope[child] == np.inf and beyond:
                answer.value[child], answer.slope[child] = limit, 0.0
                amount -= step
                waiting -= 1
                settled += 1
    for child in range(begin, end):
        if answer.slope[child] == np.inf:
            answer.value[child] = answer.rest[child] + level


@kernel
def gap_to(value: Floats, begin: int, end: int, target: float) -> tuple[float, float]:
    """Say what the children lack to their parent, and how much of that is mere rounding."""
    total, rest, largest = -target, 0.0, abs(target)
    for child in range(begin, end):
        total, rest = add_exactly(total, rest, value[child])
        largest = max(largest, abs(value[child]))
    return -(total + rest), ROUNDING * largest


@kernel
def weight_of(answer: Answer, child: int, gap: float, jumps: bool) -> float:
    """Say how readily a child takes part of a gap; 0 if it has no room."""
    value, slope = answer.value[child], answer.slope[child]
    room = value < answer.high[child] if gap > 0.0 else value > answer.low[child]
    if not room:
        return 0.0
    if jumps:
        return 1.0 if slope == np.inf else 0.0
    return float(slope)


@kernel
def close_gap(answer: Answer, begin: int, end: int, target: float) -> None:
    """Let the children that are free take up what rounding left between them and their parent."""
    jumps = False
    for child in range(begin, end):
        jumps = jumps or answer.slope[child] == np.inf
    for _ in range(ROUNDS):
        gap, rounding = gap_to(answer.value, begin, end, target)
        if not abs(gap) > 4.0 * rounding:
            return
        weights = 0.0
        for child in range(begin, end):
            weights += weight_of(answer, child, gap, jumps)
        if weights == 0.0:
            if abs(gap) > MERE_ROUNDING * rounding:
                take_room(answer, begin, end, gap)
            return
        for child in range(begin, end):
            weight = weight_of(answer, child, gap, jumps)
            if weight > 0.0:
                moved = answer.value[child] + gap * (weight / weights)
                answer.value[child] = min(max(moved, answer.low[child]), answer.high[child])


@kernel
def take_room(answer: Answer, begin: int, end: int, gap: float) -> None:
    """Close a gap that no free child can take, from the room that others have."""
    for child in range(begin, end):
        value = answer.value[child]
        moved = min(max(value + gap, answer.low[child]), answer.high[child])
        answer.value[child] = moved
        gap -= moved - value
