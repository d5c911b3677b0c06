"""Hits and ranges: how often forecasts came near, and whether what people said of their own certainty held."""

from typing import Final

import numpy as np
import pandas as pd
from scipy import stats

from spms_lib.collect.calibration.record import QUARTER
from spms_lib.errors import ParamsError
from spms_lib.tables import need

BINS: Final = 5


def judged(record: pd.DataFrame, *, within: float = 0.1, range_share: float = 0.8) -> pd.DataFrame:
    """Judge every forecast: near, in the range that was stated, reached, and where in the stated distribution.

    Parameters
    ----------
    record
        From `track_record`; rows without an actual are judged missing.
    within
        A forecast within this ratio of the actual is a hit: |forecast - actual| <= within x |actual|.
    range_share
        How often the actual shall lie between low and high.

    Returns
    -------
    pd.DataFrame
        `record` and, as 1, 0 or missing: hit, inside, below, above (the range), reached (actual >= forecast); pit (0 to 1,
        see `stated_place`).
    """
    need(record, ["forecast", "actual", "low", "high"], "record")
    said, came = record["forecast"].astype("float64"), record["actual"].astype("float64")
    known = said.notna() & came.notna()
    ranged = known & (record["low"] <= record["high"])
    return record.assign(
        hit=((said - came).abs() <= within * came.abs()).astype("float64").where(known),
        inside=came.between(record["low"], record["high"]).astype("float64").where(ranged),
        below=(came < record["low"]).astype("float64").where(ranged),
        above=(came > record["high"]).astype("float64").where(ranged),
        reached=(came >= said).astype("float64").where(known),
        pit=stated_place(record, range_share=range_share),
    )


def stated_place(record: pd.DataFrame, *, range_share: float = 0.8) -> pd.Series:
    """Find where the actual fell in the distribution that low, forecast and high describe.

    The forecast is read as the middle (half above, half below), low and high as the quantiles that leave
    (1 - range_share) / 2 outside on either side; between and beyond them two half normal curves, on the log scale where
    low is above 0. If people know how uncertain they are, the places are spread evenly from 0 to 1.

    Returns
    -------
    pd.Series
        0 to 1; missing without an actual, or where low < forecast < high does not hold.

    References
    ----------
    Dawid (1984), Present position and potential developments: the prequential approach.

    Examples
    --------
    >>> row = pd.DataFrame({"low": [80.0], "forecast": [100.0], "high": [150.0], "actual": [150.0]})
    >>> stated_place(row, range_share=0.8).round(3).tolist()
    [0.9]
    """
    if not 0 < range_share < 1:
        raise ParamsError(f"A range cannot hold {range_share:.0%}.", where="range_share", remedy="Use 0.8.")
    low, said, high, came = (record[name].astype("float64") for name in ("low", "forecast", "high", "actual"))
    usable = (low < said) & (said < high) & came.notna()
    logs = (low > 0) & usable
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = np.where(logs, np.log(np.maximum(came, 0.0) / said), came - said)
        down = np.where(logs, np.log(said / low), said - low)
        up = np.where(logs, np.log(high / said), high - said)
    z = stats.norm.ppf(0.5 + range_share / 2) * gap / np.where(gap < 0, down, up)
    return pd.Series(stats.norm.cdf(z), index=record.index).where(usable)


def place_table(places: pd.Series, *, bins: int = BINS) -> pd.DataFrame:
    """Count places in bins of equal width: from, to, n, share; each share would be 1 / bins."""
    known = places.dropna()
    edges = np.linspace(0.0, 1.0, bins + 1)
    counts, _ = np.histogram(known, edges)
    share = counts / len(known) if len(known) else np.full(bins, np.nan)
    return pd.DataFrame({"from": edges[:-1], "to": edges[1:], "n": counts, "share": share})


def sums_by_quarter(rows: pd.DataFrame, flag: str, *, by: str) -> pd.DataFrame:
    """Add up a flag by group and quarter, so that its share gets an interval over quarters: by, quarter, flagged, n."""
    need(rows, [flag, by, QUARTER], "judged")
    known = rows[rows[flag].notna()]
    grouped = known.groupby([by, QUARTER], sort=True)[flag]
    return grouped.agg(flagged="sum", n="size").reset_index()
