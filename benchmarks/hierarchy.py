"""Building the tree against pandas' factorize, and rolling up against copying the result's memory."""

import numpy as np
import pandas as pd

from benchmarks.company import PERIODS, company, parent_child
from benchmarks.measure import Row, measure
from spms_lib.hierarchy import Hierarchy


def rows(sizes: tuple[int, ...] = (100_000, 1_000_000)) -> list[Row]:
    return [row for sellers in sizes for row in one_size(sellers, repeat=5 if sellers < 1_000_000 else 3)]


def one_size(sellers: int, *, repeat: int) -> list[Row]:
    frame = parent_child(company(sellers))
    case = f"{sellers:,} leaves, {len(frame):,} nodes x {len(PERIODS)}"
    factorize = measure(lambda: (pd.factorize(frame["node"]), pd.factorize(frame["parent"])), repeat)
    build = measure(lambda: Hierarchy.from_parent_child(frame), repeat)

    tree = Hierarchy.from_parent_child(frame)
    rng = np.random.default_rng(2)
    leaves = pd.DataFrame(rng.lognormal(4.0, 1.0, (sellers, len(PERIODS))), tree.leaves, PERIODS)
    everything = tree.roll_up_array(leaves.to_numpy())
    target = np.empty_like(everything)
    copy = measure(lambda: np.copyto(target, everything), 30)
    array = measure(lambda: tree.roll_up_array(leaves.to_numpy()), 10)
    by_frame = measure(lambda: tree.roll_up(leaves), 10)
    cents = (leaves * 100).astype("int64")
    whole = measure(lambda: tree.roll_up(cents), 10)
    return [
        Row(case, "pandas.factorize of node and parent", factorize, repeat, note="yardstick of building"),
        Row(case, "Hierarchy.from_parent_child", build, repeat, build / factorize, "factorize"),
        Row(case, "numpy.copyto of nodes x 12 float64", copy, 30, note="yardstick of rolling up"),
        Row(case, "roll_up_array, float64", array, 10, array / copy, "copy"),
        Row(case, "roll_up, frame of float64", by_frame, 10, by_frame / copy, "copy"),
        Row(case, "roll_up, frame of whole cents", whole, 10, whole / copy, "copy"),
    ]
