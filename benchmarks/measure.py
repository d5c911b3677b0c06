"""Time a call, and keep what was measured as a row."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One measured thing.

    Attributes
    ----------
    seconds
        Median over `repeat` calls after one that is not counted (none where `repeat` is 1).
    ratio
        `seconds` over the seconds of `against`, both measured in this run; None for a yardstick.
    note
        What a reader must know, such as "12 x one measured period".
    """

    case: str
    what: str
    seconds: float
    repeat: int
    ratio: float | None = None
    against: str = ""
    note: str = ""


def measure(call: Callable[[], object], repeat: int) -> float:
    """Take the median wall time in seconds; the first call warms up and is not counted if there are more."""
    if repeat > 1:
        call()
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
