"""Deals as they were known on a day: one definition for forecasts, win rates and coverage."""

import datetime as dt
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.errors import TableError
from spms_lib.tables import AS_OF, CATEGORY, NODE

OPEN_THEN: Final = ("stage", "stage_since", CATEGORY, "amount", "probability", "close_date")


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
        Columns node, closes (day), category (missing where there is none, and where a CRM calls an
        open deal closed), amount (int64 minor units), weighted (amount x probability, float;
        missing where nobody has said how likely).

    Raises
    ------
    TableError
        If an amount is missing, as in deals that were put together by `known_on`.
    """
    live = deals[deals["status"] == "open"]
    if live["amount"].isna().any():
        raise TableError(
            "The amounts of open deals are not known.",
            where="opportunities",
            remedy="Use a snapshot that was taken on the day itself.",
        )
    chance = live["probability"] if "probability" in live else pd.Series(np.nan, index=live.index)
    category = live[CATEGORY] if CATEGORY in live else pd.Series(pd.NA, index=live.index, dtype="str")
    return pd.DataFrame(
        {
            NODE: live[NODE],
            "closes": live["close_date"].where(live["close_date"] >= live[AS_OF], live[AS_OF]),
            CATEGORY: category.where(category != "closed"),
            "amount": live["amount"].astype("int64"),
            "weighted": live["amount"].astype("float64") * chance.astype("float64"),
        }
    )


def known_on(export: pd.DataFrame, *, day: dt.date) -> pd.DataFrame:
    """Tell what was known of the deals on a day, from one later export that has only their latest state.

    A deal was there if it had been created; it was closed if its closing day had come. What an
    export of today cannot know of an open deal then (amount, stage, category, probability,
    expected day) is missing, and never filled with today's. Nor is a stage that has not changed
    since: that it has not is known only afterwards.

    Parameters
    ----------
    export
        Table `opportunities`, one snapshot taken on the day or later.

    Returns
    -------
    pd.DataFrame
        The same columns with `as_of` set to the day; amount Int64, missing for open deals. Left out:
        deals without a day of creation, as nobody knows whether they were there. Owner, account,
        product and segment are taken as the export has them.

    Raises
    ------
    TableError
        If the export was made before the day.

    Examples
    --------
    >>> today = pd.DataFrame({"created": pd.to_datetime(["2026-01-05"]), "status": "won", "amount": 900,
    ...                       "close_date": pd.to_datetime(["2026-03-20"]), "as_of": pd.to_datetime(["2026-03-31"])})
    >>> known_on(today, day=dt.date(2026, 2, 1))[["status", "amount"]].values.tolist()
    [['open', <NA>]]
    """
    moment = pd.Timestamp(day)
    if len(export) and export[AS_OF].min() < moment:
        raise TableError(
            f"The export of {export[AS_OF].min():%Y-%m-%d} cannot know of {day}.",
            where="opportunities",
            remedy="Take the snapshot of the day itself, or a later export.",
        )
    there = export[export["created"] <= moment]
    closed = there["status"].isin(["won", "lost"]) & (there["close_date"] <= moment)
    hidden = [name for name in OPEN_THEN if name in there]
    known = there.assign(status=there["status"].where(closed, "open"), amount=there["amount"].astype("Int64"))
    return known.assign(**{name: known[name].where(closed) for name in hidden}, **{AS_OF: moment})
