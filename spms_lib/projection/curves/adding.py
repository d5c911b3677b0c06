"""Adding the responses of children into the curve of their parent, outwards from credit 0."""

import numpy as np

from spms_lib.projection.compiled import kernel
from spms_lib.projection.curves.slots import BASE, CREDIT, NO_JUMP, SLOPE, VALUE, Floats, Runs, Scratch
from spms_lib.projection.curves.sorting import sort_points

Total = tuple[float, float, float, float, int]


@kernel
def add_exactly(total: float, rest: float, amount: float) -> tuple[float, float]:
    """Add to a total and keep what rounding loses."""
    grown = total + amount
    back = grown - total
    return grown, rest + ((total - (grown - back)) + (amount - back))


@kernel
def add_line(total: Total, base: float, slope: float) -> Total:
    """Add a line to a sum of lines, counting those that slope."""
    base_sum, base_rest = add_exactly(total[0], total[1], base)
    slope_sum, slope_rest = add_exactly(total[2], total[3], slope)
    return base_sum, base_rest, slope_sum, slope_rest, total[4] + (slope != 0.0)


@kernel
def swap_line(total: Total, points: Floats, leaves: int, enters: int) -> Total:
    """Pass a kink: one line of a child leaves the sum, its neighbour enters."""
    total = add_line(total, points[enters, BASE], points[enters, SLOPE])
    sloping = total[4] - (points[leaves, SLOPE] != 0.0)
    total = add_line(total, -points[leaves, BASE], -points[leaves, SLOPE])
    return total[0], total[1], total[2], total[3], sloping


@kernel
def set_flat(slots: Floats, slot: int, credit: float, value: float) -> None:
    """Write a flat slot."""
    slots[slot, CREDIT], slots[slot, VALUE] = credit, value
    slots[slot, BASE], slots[slot, SLOPE] = value, 0.0


@kernel
def set_line(slots: Floats, slot: int, base: float, slope: float) -> None:
    """Write a slot without an end."""
    slots[slot, CREDIT], slots[slot, VALUE] = np.inf, np.inf if slope > 0.0 else base
    slots[slot, BASE], slots[slot, SLOPE] = base, slope


@kernel
def end_line(slots: Floats, slot: int, credit: float, value: float) -> None:
    """End a slot at a credit and a value."""
    slots[slot, CREDIT], slots[slot, VALUE] = credit, value


@kernel
def write_line(slots: Floats, slot: int, total: Total) -> None:
    """Write a sum of lines; it is flat if none of them slopes."""
    set_line(slots, slot, total[0] + total[1], max(total[2] + total[3], 0.0) if total[4] > 0 else 0.0)


@kernel
def value_between(slots: Floats, slot: int, credit: float) -> float:
    """Say the value between a slot and the next; a flat one knows it exactly."""
    if slots[slot, SLOPE] == 0.0:
        return float(slots[slot, BASE])
    if slots[slot + 1, SLOPE] == 0.0:
        return float(slots[slot + 1, BASE])
    return float(slots[slot, BASE] + slots[slot, SLOPE] * credit)


@kernel
def walk_left(points: Floats, scratch: Scratch, count: int, curve: Floats, at: int, total: Total) -> None:
    """Write a curve's slots before credit 0, from the last kink to the first."""
    value = curve[at + count, BASE]
    for kink in range(count - 1, -1, -1):
        slot, point, credit = at + kink, scratch.order[kink], scratch.keys[kink]
        total = swap_line(total, points, point + 1, point)
        write_line(curve, slot, total)
        value = min(value, value_between(curve, slot, credit))
        end_line(curve, slot, credit, value)
        if curve[slot, SLOPE] == 0.0:
            curve[slot, BASE] = value


@kernel
def walk_right(
    points: Floats, scratch: Scratch, begin: int, end: int, curve: Floats, slot: int, total: Total
) -> int:
    """Write a curve's slots after credit 0, from the first kink to the last; gives the stop."""
    value = curve[slot, BASE]
    for kink in range(begin, end):
        point, credit = scratch.order[kink], scratch.keys[kink]
        total = swap_line(total, points, point, point + 1)
        write_line(curve, slot + 1, total)
        value = max(value, value_between(curve, slot, credit))
        end_line(curve, slot, credit, value)
        slot += 1
        if curve[slot, SLOPE] == 0.0:
            curve[slot, BASE] = curve[slot, VALUE] = value
    return slot + 1


@kernel
def collect_points(
    points: Floats, runs: Runs, begin: int, end: int, scratch: Scratch
) -> tuple[int, int, bool]:
    """List the kinks of the children: how many, how many of them up to credit 0, and is there a jump."""
    count, before, jumps = 0, 0, False
    for child in range(begin, end):
        slot, last, jump = runs.start[child], runs.stop[child] - 1, runs.jump[child]
        while slot < last and slot != jump and points[slot, CREDIT] <= 0.0:
            scratch.keys[count], scratch.order[count] = points[slot, CREDIT], slot
            count += 1
            before += 1
            slot += 1
        runs.zero[child] = slot
        if slot == jump:
            jumps = True
            slot += 1
        while slot < last:
            scratch.keys[count], scratch.order[count] = points[slot, CREDIT], slot
            count += 1
            slot += 1
    return count, before, jumps


@kernel
def lines_at_zero(points: Floats, runs: Runs, begin: int, end: int, above: int) -> tuple[Total, bool]:
    """Add the children's lines just below or above credit 0; says whether a jump there has no end."""
    total = (0.0, 0.0, 0.0, 0.0, 0)
    endless = False
    for child in range(begin, end):
        slot = runs.zero[child]
        if above and slot == runs.jump[child]:
            slot += 1
        if np.isinf(points[slot, BASE]):
            endless = True
        else:
            total = add_line(total, points[slot, BASE], points[slot, SLOPE])
    return total, endless


@kernel
def sum_of_children(
    points: Floats, runs: Runs, begin: int, end: int, curve: Floats, at: int, scratch: Scratch
) -> tuple[int, int]:
    """Write a parent's curve from slot `at` on, outwards from credit 0; gives its stop and its jump."""
    count, before, jumps = collect_points(points, runs, begin, end, scratch)
    sort_points(scratch, count)
    total, endless = lines_at_zero(points, runs, begin, end, 0)
    slot = at if endless else at + before
    if endless:
        set_flat(curve, slot, 0.0, -np.inf)
    else:
        write_line(curve, slot, total)
        walk_left(points, scratch, before, curve, at, total)
    if not jumps:
        return walk_right(points, scratch, before, count, curve, slot, total), NO_JUMP
    end_line(curve, slot, 0.0, curve[slot, BASE])
    total, endless = lines_at_zero(points, runs, begin, end, 1)
    if endless:
        set_flat(curve, slot + 1, np.inf, np.inf)
        return slot + 2, slot
    write_line(curve, slot + 1, total)
    return walk_right(points, scratch, before, count, curve, slot + 1, total), slot
