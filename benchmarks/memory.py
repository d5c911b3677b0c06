"""The most memory that reconciling needs on top of its input, in a fresh process, as a multiple of the estimates."""

import ctypes
import gc
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.company import PERIODS
from benchmarks.measure import Row
from benchmarks.reconcile import Made, by_period, company_tree, estimates_frame, made_up
from spms_lib.projection import Problem, solve
from spms_lib.reconcile.plan import reconcile

AIM = 6  # times the array of estimates
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
WAYS = {
    "shared": "solve, variance per node",
    "own": "solve, variance per node and period",
    "frame": "reconcile, from a long frame to a plan",
}


def rows(sellers: int = 1_000_000) -> list[Row]:
    return [measured(way, sellers) for way in WAYS]


def measured(way: str, sellers: int) -> Row:
    command = [sys.executable, "-m", "benchmarks.memory", way, str(sellers)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, input_bytes, extra, nodes = json.loads(done.stdout)
    ratio = extra / input_bytes
    note = f"{extra / 1e6:,.0f} MB; " + (
        f"aim <= {AIM}" if way != "frame" else f"no aim: reads {nodes * len(PERIODS):,} rows"
    )
    case = f"peak memory beyond the input, {sellers:,} leaves x {len(PERIODS)}"
    return Row(case, WAYS[way], seconds, 1, ratio, f"estimates, {input_bytes / 1e6:,.0f} MB", note)


def child(way: str, sellers: int) -> tuple[float, int, int, int]:
    """Reconcile once; return seconds, bytes of the estimates, bytes of the peak beyond them, and nodes."""
    small = company_tree(20_000)
    for variance in (made_up(small).variance, by_period(made_up(small).variance, len(PERIODS))):
        solve(small, Problem(made_up(small).estimates, variance))  # the compiler itself is not counted
    reconcile(small, estimates_frame(small.nodes, made_up(small)))
    hierarchy = company_tree(sellers)
    made = made_up(hierarchy)
    if way == "own":
        made = Made(made.estimates, by_period(made.variance, len(PERIODS)))
    input_bytes = made.estimates.nbytes
    frame = estimates_frame(hierarchy.nodes, made) if way == "frame" else None
    _ = hierarchy.sums, hierarchy.is_leaf  # the tree belongs to the input
    asked = Problem(*made)
    gc.collect()
    before = forget_peak()
    start = time.perf_counter()
    kept = solve(hierarchy, asked) if frame is None else reconcile(hierarchy, frame)
    seconds = time.perf_counter() - start
    extra = peak() - before
    assert np.isfinite(kept.values.iloc[0, 0] if frame is not None else kept.values[0, 0])
    return seconds, input_bytes, extra, len(hierarchy)


def forget_peak() -> int:
    """Let the peak start from what is held now, where the system can; return what is held, in bytes."""
    try:
        ctypes.CDLL(None).malloc_trim(0)  # what was let go before must not hide what is taken now
        CLEAR.write_text("5")
        return status("VmRSS")
    except (OSError, AttributeError):
        return peak()


def peak() -> int:
    """Tell the most memory held so far, in bytes."""
    try:
        return status("VmHWM")
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024


def status(name: str) -> int:
    lines = STATUS.read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    print(json.dumps(child(sys.argv[1], int(sys.argv[2]))))
