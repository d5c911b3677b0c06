"""Pipeline: open deals by node and month as a snapshot knew them, weighted by probability."""

import datetime as dt

import pandas as pd

from spms_lib.calendar import FiscalCalendar
from spms_lib.collect.roll_ups import COUNTED, deals_by_category
from spms_lib.tables import CATEGORY, NODE, PERIOD, SOURCE, VALUE


def pipeline_by_month(deals: pd.DataFrame, calendar: FiscalCalendar) -> pd.DataFrame:
    """Add up the open deals of one snapshot by node and expected closing month.

    A deal whose closing day lies before the snapshot is counted in the snapshot's own
    month: it is open, so it can close there at the earliest.

    Returns
    -------
    pd.DataFrame
        Columns node, period, deals, amount, weighted (sum of amount x probability, float
        minor units; a deal without a probability counts nothing), unrated (deals without
        a probability).
    """
    rows = deals_by_category(deals, calendar)
    still = rows[rows[CATEGORY] != "closed"]
    table: pd.DataFrame = still.groupby([NODE, PERIOD], as_index=False)[list(COUNTED)].sum()
    return table


def pipeline_forecast(
    deals: pd.DataFrame, actuals: pd.DataFrame, months: list[str], calendar: FiscalCalendar, *, as_of: dt.date
) -> pd.DataFrame:
    """Forecast months from what has closed by a day plus the weighted open deals that close in them.

    The forecast of a company whose field does not submit. It knows nothing of deals not
    yet created, so it falls short of later months; the number of days to the month says how far.

    Parameters
    ----------
    actuals
        Columns node, date, value: closed business; rows after `as_of` are ignored.

    Returns
    -------
    pd.DataFrame
        Columns node, period, source (`field`), value (float minor units); rows only for
        nodes that have open or closed deals in the month.
    """
    won = actuals[actuals["date"] <= pd.Timestamp(as_of)]
    closed = pd.DataFrame(
        {NODE: won[NODE], PERIOD: calendar.months_of(won["date"]), VALUE: won[VALUE].astype(float)}
    )
    still = pipeline_by_month(deals, calendar).rename(columns={"weighted": VALUE})
    rows = pd.concat([closed, still[[NODE, PERIOD, VALUE]]], ignore_index=True)
    total = rows[rows[PERIOD].isin(months)].groupby([NODE, PERIOD])[VALUE].sum().reset_index()
    return total.assign(source="field")[[NODE, PERIOD, SOURCE, VALUE]]
