"""Shifts over the end of an interval: sales pulled forward to reach an edge, or pushed out when pay has stopped."""

from typing import Final

import numpy as np
import pandas as pd

from spms_lib.incentives.gaming.effect import METHOD
from spms_lib.incentives.gaming.found import found
from spms_lib.incentives.gaming.intervals import FAR, KEYS, REACH, compared, with_incentive
from spms_lib.incentives.gaming.spikes import moved, with_usual
from spms_lib.tables import need

_SALES: Final = (
    "sales in the first days of the next interval / payee's mean sales of an interval, given the pace before, "
    f"{METHOD}; money: sales, minor units"
)
_DEALS: Final = (
    f"deals expected and closed within days of an interval's end, {METHOD}; money: sales, minor units"
)
_NEAR: Final = "pulled forward: near below an edge"
_IDLE: Final = "pushed out: capped, or the next edge out of reach"


def shifts(
    intervals: pd.DataFrame, *, reach: float = REACH, far: float = FAR, feature: str = "", seed: int = 0
) -> pd.DataFrame:
    """Look whether the first days of the next interval are weaker or stronger than a payee's own, and after what.

    Null model: given a payee's own level, the interval, and the pace before the last days, how a payee
    stood changes nothing in the next interval's first days. Near below an edge, less is suspected (taken
    from them); capped or out of reach, more (kept for them). Effort alone moves the last days, not these.

    Parameters
    ----------
    intervals
        From `around_ends`; rows without `after` are left out.
    reach, far
        Attainment up to the next edge that can, and that cannot be bridged.
    feature
        What in the plan invites it, with its clause.

    Returns
    -------
    pd.DataFrame
        Two findings, see `found.COLUMNS`; size is negative where sales were pulled forward.
    """
    need(intervals, ["before", "late", "after"], "intervals")
    rows = with_usual(with_incentive(intervals, reach=reach, far=far))
    rows = rows.assign(after_share=rows["after"] / rows["usual"])[rows["after"].notna()]
    found_rows = []
    for incentive, other, where, direction in (("near", "idle", _NEAR, -1), ("idle", "near", _IDLE, 1)):
        told = compared(
            rows, outcome="after_share", incentive=incentive, others=[other, "before_share"],
            direction=direction, seed=seed,
        )  # fmt: skip
        row = {
            "detector": "shift of sales", "where": where, "statistic": "share sold in the next interval's first days",
            "plan_feature": feature, "convention": _SALES, "money": moved(told, rows, incentive, direction=direction),
        }  # fmt: skip
        found_rows.append(row | told)
    return found(found_rows)


def slips(
    deals: pd.DataFrame,
    intervals: pd.DataFrame,
    standings: pd.DataFrame,
    *,
    days: int = 14,
    reach: float = REACH,
    far: float = FAR,
    feature: str = "",
    seed: int = 0,
) -> pd.DataFrame:
    """Look whether deals cross the end of an interval against their first closing day, and for whom.

    Null model: given a payee's own habit and the interval, how the payee stood changes nothing in
    the share of deals that close on the other side of the end than was first said. A deal not closed
    yet counts by its present closing day.

    Parameters
    ----------
    deals
        Columns opportunity, payee, close_first and close_last (closing day as first and as last seen),
        closed_on (missing while open), amount (minor units).
    intervals, standings
        As in `around_ends`; intervals follow each other without a gap.
    days
        A deal counts at an end if its first closing day lies at most so many days before or after it.

    Returns
    -------
    pd.DataFrame
        Two findings, see `found.COLUMNS`; size is a difference of shares of deals.
    """
    need(deals, ["opportunity", "payee", "close_first", "close_last", "closed_on", "amount"], "deals")
    need(intervals, ["interval", "starts_on", "ends_on"], "intervals")
    ends = intervals.sort_values("ends_on").rename(columns={"ends_on": "end"})[["interval", "end"]]
    said = deals[deals["close_first"].notna()].sort_values("close_first", kind="stable")
    tied = pd.merge_asof(
        said, ends, left_on="close_first", right_on="end", direction="nearest",
        tolerance=pd.Timedelta(days=days),
    ).dropna(subset=["end"])  # fmt: skip
    rows = with_incentive(tied.merge(standings, on=KEYS), reach=reach, far=far)
    after = rows["closed_on"].fillna(rows["close_last"]) > rows["end"]
    late = rows["close_first"] > rows["end"]
    rows = rows.assign(crossed=(after != late).astype("float64"))
    found_rows = []
    for incentive, other, where, part in (("near", "idle", _NEAR, late), ("idle", "near", _IDLE, ~late)):
        mine = rows[part]
        told = compared(mine, outcome="crossed", incentive=incentive, others=[other], direction=1, seed=seed)
        size = told.get("size", np.nan)
        row = {
            "detector": "slip of deals", "where": where, "statistic": "share of deals that crossed the end",
            "plan_feature": feature, "convention": _DEALS,
            "money": max(size, 0.0) * float((mine["amount"] * mine[incentive]).sum()),
        }  # fmt: skip
        found_rows.append(row | told)
    return found(found_rows)
