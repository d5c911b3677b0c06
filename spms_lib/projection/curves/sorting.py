"""Sorting the points of a parent's children: they come as sorted runs, which are merged."""

from spms_lib.projection.compiled import kernel
from spms_lib.projection.curves.slots import Floats, Ints, Scratch

SHORT_RUN = 16


@kernel
def insert_sorted(keys: Floats, order: Ints, start: int, done: int, stop: int) -> None:
    """Sort a short stretch whose part before `done` is sorted already; ties keep their order."""
    for late in range(done, stop):
        key, tag, spot = keys[late], order[late], late
        while spot > start and keys[spot - 1] > key:
            keys[spot], order[spot] = keys[spot - 1], order[spot - 1]
            spot -= 1
        keys[spot], order[spot] = key, tag


@kernel
def find_runs(scratch: Scratch, count: int) -> int:
    """Mark where sorted runs end, lengthening short ones; gives their number."""
    keys, runs, start = scratch.keys, 0, 0
    while start < count:
        stop = start + 1
        while stop < count and keys[stop - 1] <= keys[stop]:
            stop += 1
        if stop - start < SHORT_RUN:
            longer = min(start + SHORT_RUN, count)
            insert_sorted(keys, scratch.order, start, stop, longer)
            stop = longer
        scratch.ends[runs] = stop
        runs += 1
        start = stop
    return runs


@kernel
def merge_two(
    keys: Floats, order: Ints, into_keys: Floats, into_order: Ints, start: int, middle: int, stop: int
) -> None:
    """Merge two sorted runs that lie side by side; ties keep their order."""
    left, right, spot = start, middle, start
    while left < middle and right < stop:  # no branch depends on the data: chips guess badly
        is_left = keys[left] <= keys[right]
        into_keys[spot] = keys[left] if is_left else keys[right]
        into_order[spot] = order[left] if is_left else order[right]
        left += is_left
        right += 1 - is_left
        spot += 1
    for rest in range(left, middle):
        into_keys[spot], into_order[spot] = keys[rest], order[rest]
        spot += 1
    for rest in range(right, stop):
        into_keys[spot], into_order[spot] = keys[rest], order[rest]
        spot += 1


@kernel
def sort_points(scratch: Scratch, count: int) -> None:
    """Sort points by credit, by merging the runs that they already form."""
    runs = find_runs(scratch, count)
    keys, order = scratch.keys, scratch.order
    into_keys, into_order = scratch.spare_keys, scratch.spare_order
    swapped = False
    while runs > 1:
        start, pairs = 0, 0
        for run in range(0, runs, 2):
            middle = scratch.ends[run]
            stop = scratch.ends[min(run + 1, runs - 1)]
            merge_two(keys, order, into_keys, into_order, start, middle, stop)
            scratch.ends[pairs] = stop
            pairs += 1
            start = stop
        runs = pairs
        keys, into_keys = into_keys, keys
        order, into_order = into_order, order
        swapped = not swapped
    if swapped:
        scratch.keys[:count] = keys[:count]
        scratch.order[:count] = order[:count]
