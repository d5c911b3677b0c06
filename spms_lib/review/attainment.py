"""Attainment: who reached the plan, how attainment is spread, and whether quotas were fair.

Conventions: variance = actual - plan. attainment = actual / plan, null when the plan is null
or zero.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.review._frames import cents, ratio, sum_or_null
from spms_lib.tables import NODE, PERIOD, VALUE, VARIANCE, need

ACTUAL: Final = "actual"
PLAN: Final = "plan"
ATTAINMENT: Final = "attainment"

BANDS: Final = ("below 50 %", "50-80 %", "80-100 %", "100-120 %", "above 120 %")
UNKNOWN_BAND: Final = "no attainment"
ENOUGH_NODES: Final = 8


def attainment(actuals: pd.DataFrame, plan: pd.DataFrame, *, books_closed: bool = False) -> pd.DataFrame:
    """Compare results with the plan, node by node, over the periods of both tables.

    Parameters
    ----------
    actuals
        node, period, value (whole minor units). Rows of one node and period are added.
    plan
        node, period, value, likewise; null where nobody has set a plan.
    books_closed
        True where the books hold every sale of these periods, so that a node without a row in
        `actuals` sold nothing. False: such a node and period is unknown, and so is the node's sum.

    Returns
    -------
    pd.DataFrame
        node, actual, plan, variance (Int64), attainment (float): every node of either table, in
        order of node. A node that lacks an amount in one period has no sum over the periods, as
        the rest of it would be compared with too much.

    Examples
    --------
    >>> actuals = pd.DataFrame({"node": ["a", "b"], "period": "2026-01", "value": [80, 120]})
    >>> plan = pd.DataFrame({"node": ["a"], "period": "2026-01", "value": [100]})
    >>> attainment(actuals, plan)["attainment"].tolist()
    [0.8, nan]
    """
    sums = {}
    for name, table in ((ACTUAL, actuals), (PLAN, plan)):
        need(table, [NODE, PERIOD, VALUE], name)
        sums[name] = sum_or_null(cents(table[VALUE], name), [table[NODE], table[PERIOD]])
    cells = pd.concat(sums, axis=1)
    if books_closed:
        cells[ACTUAL] = cells[ACTUAL].where(cells.index.isin(sums[ACTUAL].index), 0)
    node = cells.index.get_level_values(NODE).to_series(index=cells.index)
    by_node = {name: sum_or_null(cells[name], node).astype("Int64") for name in (ACTUAL, PLAN)}
    return compared(pd.DataFrame(by_node).rename_axis(NODE).reset_index())


def compared(frame: pd.DataFrame) -> pd.DataFrame:
    """Add variance and attainment to a table with the columns actual and plan."""
    need(frame, [ACTUAL, PLAN], "attainment")
    variance = frame[ACTUAL] - frame[PLAN]
    return frame.assign(**{VARIANCE: variance, ATTAINMENT: ratio(frame[ACTUAL], frame[PLAN])})


def attainment_shape(attainments: pd.Series) -> pd.DataFrame:
    """Count nodes in bands of attainment.

    Parameters
    ----------
    attainments
        Ratios, 1.0 is 100 %; null where unknown.

    Returns
    -------
    pd.DataFrame
        band, count, share: five bands and a last one for nodes without attainment. A band
        starts with its lower bound; exactly 120 % is still in 100-120 %. Shares are of the
        nodes that have an attainment.

    Examples
    --------
    >>> attainment_shape(pd.Series([0.3, 1.0, 1.2, None]))["count"].tolist()
    [1, 0, 0, 2, 0, 1]
    """
    known = attainments.dropna().to_numpy(dtype=float)
    band = np.searchsorted([0.5, 0.8, 1.0], known, side="right") + (known > 1.2)
    counts = np.bincount(band, minlength=len(BANDS))
    shares = counts / len(known) if len(known) else np.full(len(BANDS), np.nan)
    return pd.DataFrame(
        {
            "band": [*BANDS, UNKNOWN_BAND],
            "count": [*counts.tolist(), len(attainments) - len(known)],
            "share": [*shares.tolist(), np.nan],
        }
    )


def shape_summary(attainments: pd.Series) -> pd.Series:
    """Say in seven numbers how attainment is spread.

    Returns
    -------
    pd.Series
        nodes (with an attainment), unknown, share_at_or_above_quota, median, p10, p90,
        share_within_20 (from 80 to 120 %, both included). Ratios are null when no node has one.
    """
    known = attainments.dropna().to_numpy(dtype=float)
    p10, median, p90 = np.quantile(known, [0.1, 0.5, 0.9]) if len(known) else (np.nan,) * 3
    return pd.Series(
        {
            "nodes": float(len(known)),
            "unknown": float(len(attainments) - len(known)),
            "share_at_or_above_quota": _mean(known >= 1.0),
            "median": median,
            "p10": p10,
            "p90": p90,
            "share_within_20": _mean((known >= 0.8) & (known <= 1.2)),
        },
        name=ATTAINMENT,
    )


def fairness(attainments: pd.Series, size: pd.Series) -> pd.DataFrame:
    """Test whether big or small quotas were easier to reach.

    With fair quotas attainment does not depend on size: the slope is about zero.

    Parameters
    ----------
    attainments
        Ratios, indexed by node.
    size
        Quota, or last year's result, in the same order; any unit.

    Returns
    -------
    pd.DataFrame
        One row: nodes, left_out (without attainment or size), slope (change of attainment for a
        node that is larger by one average node), low and high (its 95 % interval), correlation
        (Pearson), verdict (text). With fewer than 8 nodes, or nodes all of one size, the numbers
        are null and the verdict says so.

    References
    ----------
    Ordinary least squares with a Student interval.
    """
    both = pd.DataFrame({"x": size.to_numpy(dtype=float), "y": attainments.to_numpy(dtype=float)}).dropna()
    row: dict[str, float | str] = {"nodes": len(both), "left_out": len(attainments) - len(both)}
    nothing = dict.fromkeys(("slope", "low", "high", "correlation"), np.nan)
    if len(both) < ENOUGH_NODES:
        few = f"too few nodes to tell: {len(both)}, and at least {ENOUGH_NODES} are needed"
        return pd.DataFrame([{**row, **nothing, "verdict": few}])
    mean_size = both["x"].abs().mean()
    x = (both["x"] / mean_size if mean_size else both["x"]).to_numpy()
    y = both["y"].to_numpy()
    spread = x - x.mean()
    if np.ptp(x) < 1e-12:
        return pd.DataFrame([{**row, **nothing, "verdict": "all nodes are of the same size"}])
    slope = float(spread @ y / (spread @ spread))
    left = y - y.mean() - slope * spread
    error = np.sqrt(left @ left / (len(x) - 2) / (spread @ spread))
    margin = t_quantile(len(x) - 2) * error
    correlation = float(np.corrcoef(x, y)[0, 1]) if np.ptp(y) > 0 else np.nan
    low, high = slope - margin, slope + margin
    verdict = "no dependence on size that these nodes could show"
    if low > 0 or high < 0:
        verdict = f"{'larger' if low > 0 else 'smaller'} nodes attained more"
    return pd.DataFrame(
        [{**row, "slope": slope, "low": low, "high": high, "correlation": correlation, "verdict": verdict}]
    )


def t_quantile(degrees: int) -> float:
    """Find Student's 97.5 % quantile, for a 95 % interval; off by less than 0.001 from 6 degrees on.

    References
    ----------
    Abramowitz and Stegun (1964), Handbook of Mathematical Functions, 26.7.5.

    Examples
    --------
    >>> round(t_quantile(10), 3)
    2.228
    """
    z = 1.959963984540054
    terms = [
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    ]
    return float(sum(term / degrees**power for power, term in enumerate(terms)))


def _mean(holds: NDArray[np.bool_]) -> float:
    return float(holds.mean()) if len(holds) else float("nan")
