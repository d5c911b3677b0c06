"""What became of open deals: how each stood on a past day, and whether it was won in the time that was left."""

import datetime as dt
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.deals import known_on, snapshot
from spms_lib.tables import AS_OF, NODE, need

STALE_DAYS: Final = 45  # an older snapshot does not tell how deals stood on a day
STANDING: Final = (
    *("opportunity", NODE, "stage", "segment", "age", "amount", "probability"),
    *("due", "won", "won_amount"),
)


def as_known(opportunities: pd.DataFrame, *, by: dt.date) -> pd.DataFrame:
    """Tell what the table of deals was on a day: its snapshots until then, or what the only export there is knows of it.

    Of several snapshots the first is not asked about the time before it: it holds open deals
    and those that have just closed, so deals that were lost earlier would never have been.
    """
    seen = opportunities[opportunities[AS_OF] < pd.Timestamp(by) + pd.Timedelta(days=1)]
    if seen.empty and len(opportunities[AS_OF].unique()) == 1:
        return known_on(opportunities, day=by)
    return seen


def deals_on(opportunities: pd.DataFrame, *, day: dt.date) -> pd.DataFrame:
    """Tell how deals stood on a day as far as that can be known: see `as_known` and `fresh_snapshot`."""
    return fresh_snapshot(as_known(opportunities, by=day), day=day)


def fresh_snapshot(opportunities: pd.DataFrame, *, day: dt.date) -> pd.DataFrame:
    """Take the last snapshot by a day; no rows if it is older than 45 days, as it tells of another time."""
    seen = snapshot(opportunities, as_of=day)
    old = len(seen) > 0 and (pd.Timestamp(day) - seen[AS_OF].iloc[0]).days > STALE_DAYS
    return seen.head(0) if old else seen


def standing(deals: pd.DataFrame, *, first_day: dt.date, last_day: dt.date) -> pd.DataFrame:
    """Describe the open deals of one snapshot by what win rates may depend on.

    Returns
    -------
    pd.DataFrame
        Columns opportunity, node, stage, segment (the product where the company has no segments),
        age (days in the stage, or since creation where no deal says when it came to its stage),
        amount (Int64), probability, due (whether it is expected to close in the period; missing
        where that is not known). Missing where nobody has said.
    """
    need(deals, ["opportunity", NODE, "status", "amount", AS_OF], "opportunities")
    live = deals[deals["status"] == "open"]
    nothing = pd.Series(pd.NA, index=live.index, dtype="str")
    day = live[AS_OF]
    since = live.get(age_column(live), pd.Series(pd.NaT, index=live.index))
    closes = live["close_date"].where(live["close_date"] >= day, day).where(live["close_date"].notna())
    frame = pd.DataFrame(
        {
            "opportunity": live["opportunity"],
            NODE: live[NODE],
            "stage": live.get("stage", nothing),
            "segment": live.get(_segment_column(live), nothing),
            "age": (day - since).dt.days.astype("Float64"),
            "amount": live["amount"].astype("Int64"),
            "probability": live.get("probability", pd.Series(np.nan, index=live.index)).astype("float64"),
            "due": closes.between(*_span(first_day, last_day)).astype("boolean").mask(closes.isna()),
        }
    )
    return frame.reset_index(drop=True)


def _span(first_day: dt.date, last_day: dt.date) -> tuple[pd.Timestamp, pd.Timestamp]:
    return pd.Timestamp(first_day), pd.Timestamp(last_day)


def age_column(deals: pd.DataFrame) -> str:
    """Name the column from which the age of deals is counted: stage_since where it is used, else created."""
    return "stage_since" if "stage_since" in deals and deals["stage_since"].notna().any() else "created"


def _segment_column(deals: pd.DataFrame) -> str:
    return "segment" if "segment" in deals and deals["segment"].notna().any() else "product"


def outcomes(
    opportunities: pd.DataFrame, *, day: dt.date, first_day: dt.date, last_day: dt.date, known_by: dt.date
) -> pd.DataFrame:
    """Tell of deals that were open on a day whether they were won within a period.

    Parameters
    ----------
    first_day, last_day
        The period; a deal won before or after it does not count.
    known_by
        Day until which outcomes are known; snapshots after it are not looked at.

    Returns
    -------
    pd.DataFrame
        See `standing`, and won (bool), won_amount (Int64 minor units, 0 where not won). A deal that
        is in no later snapshot was not won. No rows while no snapshot reaches the end of the period.
    """
    seen = as_known(opportunities, by=known_by)
    then = deals_on(seen, day=day)
    if then.empty or seen[AS_OF].max() < pd.Timestamp(last_day):
        return pd.DataFrame(columns=list(STANDING))
    rows = standing(then, first_day=first_day, last_day=last_day)
    last = seen.sort_values(AS_OF, kind="stable").drop_duplicates("opportunity", keep="last")
    inside = last["close_date"].between(*_span(first_day, last_day))
    came = last[(last["status"] == "won") & inside].set_index("opportunity")["amount"].astype("Int64")
    won = rows["opportunity"].isin(came.index)
    return rows.assign(won=won, won_amount=rows["opportunity"].map(came).astype("Int64").fillna(0))
