"""How hard targets were: accuracy, evenness and reach of several sets of targets, by level."""

from typing import Final

import numpy as np
import pandas as pd

from spms_lib.review.accuracy import accuracy
from spms_lib.review.attainment import shape_summary
from spms_lib.tables import LEVEL, NODE, PERIOD, SOURCE, VALUE

MEASURES: Final = (
    *("n", "left_out", "target", "actual", "wape", "bias_ratio"),
    *("misplaced", "cv", "iqr", "at_or_above", "within_20", "unknown"),
)


def compare_levels(cells: pd.DataFrame, *, by_quarter: bool = False) -> pd.DataFrame:
    """Measure targets by level and source, on the node-quarters that all sources have: accuracy, difficulty, reach.

    Parameters
    ----------
    cells
        Columns level, node, period (quarter), source, value (target), actual, attainment; minor units.

    Returns
    -------
    pd.DataFrame
        Columns level, (period,) source, n (node-quarters), left_out (those that a source lacks), target, actual (sums, minor units), wape, bias_ratio
        (target - actual over sum |actual|), misplaced (half the sum over nodes of |share of the
        target - share of the actual| in a quarter, averaged over quarters: what the split alone
        got wrong), cv (standard deviation of attainment over its mean, over the nodes of a quarter,
        averaged over quarters), iqr (75 % less 25 % quantile of attainment, likewise), at_or_above
        (share of node-quarters with attainment of 100 % or more), within_20 (share from 80 to
        120 %), unknown (node-quarters with a target of zero, which have no attainment).
    """
    keys = [LEVEL, PERIOD, SOURCE] if by_quarter else [LEVEL, SOURCE]
    everyone = cells.groupby([LEVEL, NODE, PERIOD])[SOURCE].transform("size") == cells[SOURCE].nunique()
    used, missed = cells[everyone], cells[~everyone].groupby(keys).size()
    if used.empty:
        return pd.DataFrame(columns=[*keys, *MEASURES])
    actual = used.drop_duplicates([NODE, PERIOD])[[NODE, PERIOD]].assign(
        value=used.drop_duplicates([NODE, PERIOD])["actual"]
    )
    measured = accuracy(
        used[[*keys, NODE, VALUE] if by_quarter else [*keys, NODE, PERIOD, VALUE]], actual, by=keys
    )
    errors = measured.set_index(keys)[["n", "wape", "bias_ratio"]]
    by_period = used.groupby([LEVEL, PERIOD, SOURCE], sort=False)
    spread = pd.DataFrame({key: _spread(group) for key, group in by_period}).T
    spread.index = spread.index.set_names([LEVEL, PERIOD, SOURCE])
    grouped = used.groupby(keys, sort=False)
    shape = pd.DataFrame({key: shape_summary(group) for key, group in grouped["attainment"]}).T
    table = grouped.agg(target=(VALUE, "sum"), actual=("actual", "sum"))
    reach = shape.rename(columns={"share_at_or_above_quota": "at_or_above", "share_within_20": "within_20"})
    table = table.join(errors).join(spread.groupby(keys, sort=False).mean())
    table = table.join(reach[["at_or_above", "within_20", "unknown"]].rename_axis(keys))
    table["left_out"] = missed.reindex(table.index).fillna(0)
    return table.reset_index()[[*keys, *MEASURES]].astype(
        {"n": "int64", "left_out": "int64", "unknown": "int64"}
    )


def _spread(quarter: pd.DataFrame) -> dict[str, float]:
    """How unevenly one quarter's targets sat on the nodes of one level."""
    reached = quarter["attainment"].dropna().to_numpy(dtype=float)
    value, actual = quarter[VALUE].to_numpy(dtype=float), quarter["actual"].to_numpy(dtype=float)
    shares = value.sum() > 0 and actual.sum() > 0
    several = len(reached) > 1
    low, high = np.quantile(reached, [0.25, 0.75]) if several else (np.nan, np.nan)
    return {
        "misplaced": np.abs(value / value.sum() - actual / actual.sum()).sum() / 2 if shares else np.nan,
        "cv": reached.std() / reached.mean() if several and reached.mean() else np.nan,
        "iqr": high - low,
    }
