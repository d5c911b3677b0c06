"""One column after the other: up the tree with responses, down with prices and values."""

import numpy as np

from spms_lib.projection.compiled import kernel
from spms_lib.projection.curves.adding import sum_of_children
from spms_lib.projection.curves.bending import leaf_response, own_response
from spms_lib.projection.curves.reading import close_gap, come_to_rest, follow_all, price_at, share_equally
from spms_lib.projection.curves.slots import (
    BASE,
    NO_JUMP,
    ROUNDING,
    SLOPE,
    Answer,
    Column,
    Floats,
    Ints,
    Room,
    Runs,
    Scratch,
)
from spms_lib.projection.curves.sorting import SHORT_RUN

# The compiler keeps machine code for as long as this file stays as it is, and would not see a change in the loops that
# are compiled into it. A test says when this mark of their sources has to change.
LOOPS = "46fe1232b91c"


@kernel
def room_for(slots: Floats, used: int, more: int) -> Floats:
    """Give an array of slots with room for more, keeping those in use."""
    if used + more <= slots.shape[0]:
        return slots
    larger = np.empty((used + max(more, used), 4))
    larger[:used] = slots[:used]
    return larger


@kernel
def empty_runs(count: int) -> Runs:
    """Make an empty index of slots."""
    return Runs(
        np.zeros(count, np.int64),
        np.zeros(count, np.int64),
        np.full(count, NO_JUMP, np.int64),
        np.zeros(count, np.int64),
    )


@kernel
def scratch_for(count: int) -> Scratch:
    """Make room to sort a number of points."""
    return Scratch(
        np.empty(count),
        np.empty(count, np.int64),
        np.empty(count),
        np.empty(count, np.int64),
        np.empty(count // SHORT_RUN + 2, np.int64),
    )


@kernel
def add_up(
    first: Ints, begin: int, end: int, below: Floats, runs: Runs, curve: Floats, curves: Runs, used: int
) -> int:
    """Write the curves of the parents of one depth; gives the slots in use."""
    widest = 0
    for node in range(begin, end):
        if first[node] < first[node + 1]:
            widest = max(widest, runs.stop[first[node + 1] - 1] - runs.start[first[node]])
    scratch = scratch_for(widest)
    for node in range(begin, end):
        children, after = first[node], first[node + 1]
        if children < after:
            curves.start[node] = used
            used, curves.jump[node] = sum_of_children(below, runs, children, after, curve, used, scratch)
            curves.stop[node] = used
    return used


@kernel
def respond(
    first: Ints, begin: int, end: int, column: Column, curve: Floats, curves: Runs, points: Floats, runs: Runs
) -> int:
    """Write the responses of the nodes of one depth; gives the slots in use."""
    at = 0
    for node in range(begin, end):
        if first[node] < first[node + 1]:
            at = own_response(column, node, curve, curves, points, runs, at)
        else:
            runs.start[node] = at
            at, runs.jump[node] = leaf_response(column, node, points, at)
            runs.stop[node] = at
    return at


@kernel
def keep_ranges(points: Floats, runs: Runs, begin: int, end: int, answer: Answer) -> None:
    """Keep the least and the largest value that each response can give."""
    for node in range(begin, end):
        start, last = runs.start[node], runs.stop[node] - 1
        answer.low[node] = points[start, BASE] if points[start, SLOPE] == 0.0 else -np.inf
        answer.high[node] = points[last, BASE] if points[last, SLOPE] == 0.0 else np.inf


@kernel
def pass_upwards(
    first: Ints, offsets: Ints, column: Column, answer: Answer, curves: Runs, room: Room
) -> Room:
    """Add up responses from the deepest nodes to the root; the room given back holds the curves."""
    runs = empty_runs(first.shape[0] - 1)
    curve, here, below = room
    used, filled = 0, 0
    for depth in range(offsets.shape[0] - 2, -1, -1):
        begin, end = offsets[depth], offsets[depth + 1]
        curve = room_for(curve, used, filled + 2 * (end - begin))
        earlier = used
        used = add_up(first, begin, end, below, runs, curve, curves, used)
        here = room_for(here, 0, used - earlier + 3 * (end - begin))
        filled = respond(first, begin, end, column, curve, curves, here, runs)
        keep_ranges(here, runs, begin, end, answer)
        here, below = below, here
    return Room(curve, here, below)


@kernel
def pass_downwards(first: Ints, column: Column, curve: Floats, curves: Runs, answer: Answer) -> None:
    """Read the root's value off at credit 0, then hand prices down and values back."""
    count = first.shape[0] - 1
    credit = np.zeros(count)
    come_to_rest(first, column, curve, curves, answer)
    if follow_all(column, 0, 1, curve, curves, answer, 0.0):  # nobody knows the total: what its parts come to
        answer.value[0] = answer.rest[0]
    for node in range(count):
        begin, end = first[node], first[node + 1]
        if begin == end:
            continue
        value, variance = answer.value[node], column.variance[node]
        wanted = credit[node]
        if np.isfinite(variance):
            wanted -= (value - column.estimate[node]) / variance
        free = column.lower[node] < value < column.upper[node]
        slack = 4.0 * ROUNDING * (abs(credit[node]) + abs(wanted))
        price = price_at(curve, curves, node, value, wanted, slack, variance if free else -1.0)
        answer.price[node] = price
        credit[begin:end] = price
        if follow_all(column, begin, end, curve, curves, answer, price):
            share_equally(answer, begin, end, value)
        close_gap(answer, begin, end, value)


@kernel
def solve_columns(first: Ints, offsets: Ints, columns: Column, values: Floats, prices: Floats) -> None:
    """Solve columns that lie side by side, each array of shape (n_columns, n_nodes)."""
    count = first.shape[0] - 1
    room = Room(np.empty((4 * count, 4)), np.empty((3 * count, 4)), np.empty((3 * count, 4)))
    slope, low, high, rest = np.empty(count), np.empty(count), np.empty(count), np.empty(count)
    curves = empty_runs(count)
    for one in range(values.shape[0]):
        column = Column(columns.estimate[one], columns.variance[one], columns.lower[one], columns.upper[one])
        answer = Answer(values[one], prices[one], slope, low, high, rest)
        room = pass_upwards(first, offsets, column, answer, curves, room)
        pass_downwards(first, column, room.curve, curves, answer)
