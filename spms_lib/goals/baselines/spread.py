"""Spread: how far a forecast may be off, from what past windows missed."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from spms_lib.goals.baselines.candidates import LEAST_WINDOWS
from spms_lib.goals.baselines.choice import Choice
from spms_lib.goals.baselines.series import Floats
from spms_lib.goals.baselines.windows import Windows

LEAST_DEVIATION = 1.0  # a minor unit: only a hold is certain


class Spread(NamedTuple):
    """Standard deviations and bounds, shape (n_nodes, length), minor units; and where they come from, by node."""

    deviation: Floats
    lower: Floats
    upper: Floats
    evidence: NDArray[np.str_]


def spread(windows: Windows, choice: Choice, groups: NDArray[np.str_], interval: float) -> Spread:
    """Turn past misses into deviations and prediction intervals.

    The deviation is the root mean square of a node's misses, so bias counts as error. A node with fewer than
    `LEAST_WINDOWS` windows has the error ratio of its group, else of all, times the larger of its forecast and its
    mean month. The interval is Student's, with one degree of freedom per past month.
    """
    misses = choice.misses.reshape(len(windows.values), windows.scored.size)
    actual = windows.actual.reshape(misses.shape)
    count = np.isfinite(misses).sum(axis=1)
    squares, sizes = np.nansum(misses**2, axis=1), np.nansum(actual**2, axis=1)
    pooled = (
        pd.DataFrame({"squares": squares, "sizes": sizes, "count": count}).groupby(groups).transform("sum")
    )
    every = pooled.assign(squares=squares.sum(), sizes=sizes.sum(), count=count.sum())
    pooled = pooled.where(pooled["sizes"] > 0, every)
    ratio = np.sqrt(
        (pooled["squares"] / pooled["sizes"].where(pooled["sizes"] > 0)).to_numpy(dtype=np.float64)
    )
    own = np.asarray(windows.counts.sum(axis=1) >= LEAST_WINDOWS)
    typical = np.abs(pd.DataFrame(windows.values)).mean(axis=1).fillna(0.0).to_numpy()
    by_group = ratio[:, None] * np.maximum(np.abs(choice.forecast), typical[:, None])
    by_node = np.sqrt(squares / np.maximum(count, 1))[:, None]
    deviation = np.maximum(np.where(own[:, None], by_node, by_group), LEAST_DEVIATION)
    deviation = np.where(np.isfinite(choice.forecast), deviation, np.nan)
    freedom = np.where(own, count, np.maximum(pooled["count"].to_numpy(), 1))
    reach = special.stdtrit(freedom, 0.5 + interval / 2.0)[:, None] * deviation
    never_below = ~np.asarray((windows.values < 0).any(axis=1))[:, None]
    lower = choice.forecast - reach
    lower = np.where(never_below & (lower < 0), np.minimum(choice.forecast, 0.0), lower)
    evidence = np.where(own, "node", np.where(np.any(np.isfinite(deviation), axis=1), "group", "none"))
    return Spread(deviation, lower, choice.forecast + reach, evidence)
