"""Open deals as a snapshot knew them: one definition for forecasts and for coverage."""

import datetime as dt

import numpy as np
import pandas as pd

from spms_lib.errors import TableError
from spms_lib.tables import AS_OF, NODE


def snapshot(opportunities: pd.DataFrame, *, as_of: dt.date) -> pd.DataFrame:
    """Take the latest snapshot by the end of a day; no rows if there is none, never a later one."""
    if AS_OF not in opportunities:
        raise TableError(
            "The deals have no day of a snapshot.", where="opportunities", remedy=f"Add '{AS_OF}'."
        )
    known = opportunities[opportunities[AS_OF] < pd.Timestamp(as_of) + pd.Timedelta(days=1)]
    return known[known[AS_OF] == known[AS_OF].max()] if len(known) else known


def open_deals(deals: pd.DataFrame) -> pd.DataFrame:
    """List the open deals of one snapshot with the day on which each can close at the earliest.

    A deal whose closing day has passed is still open, so it can close on the day of the
    snapshot at the earliest: it is counted there and not forgotten.

    Parameters
    ----------
    deals
        Table `opportunities`, one snapshot.

    Returns
    -------
    pd.DataFrame
        Columns node, closes (day), amount (int64 minor units), weighted (amount x
        probability, float; missing where nobody has said how likely).
    """
    live = deals[deals["status"] == "open"]
    chance = live["probability"] if "probability" in live else pd.Series(np.nan, index=live.index)
    return pd.DataFrame(
        {
            NODE: live[NODE],
            "closes": live["close_date"].where(live["close_date"] >= live[AS_OF], live[AS_OF]),
            "amount": live["amount"].astype("int64"),
            "weighted": live["amount"].astype("float64") * chance.astype("float64"),
        }
    )
