"""What each source said in the past, on the same footing: the evidence for trust and for the approach."""

import datetime as dt

import pandas as pd

from spms_lib.collect.submissions import field_forecast, latest_submissions
from spms_lib.cycle.baselines import AUTO, past_baselines
from spms_lib.cycle.collection.heard import submissions_heard
from spms_lib.cycle.desk import Desk
from spms_lib.goals.baseline import backtest
from spms_lib.tables import NODE, PERIOD, SOURCE, VALUE, to_long, to_wide

TOP_DOWN, BOTTOM_UP, BASELINE, NAIVE = "top_down", "bottom_up", "baseline", "seasonal_naive"


def past_quarters(desk: Desk, count: int) -> list[str]:
    """List the last quarters that had ended when the plan was made, oldest first."""
    last = desk.calendar.shift(desk.cycle, -1)
    while desk.calendar.end(last) > desk.params.plan_as_of:
        last = desk.calendar.shift(last, -1)
    return desk.calendar.range(desk.calendar.shift(last, 1 - count), last)


def past_targets(desk: Desk, quarters: list[str]) -> pd.DataFrame:
    """Return the targets of past quarters: columns node, period (month), source `top_down`, value."""
    months = [month for quarter in quarters for month in desk.calendar.months(quarter)]
    rows = desk.table("targets")
    mine = rows[rows[PERIOD].isin(months) & (rows["measure"] == desk.company.measure)]
    return mine[[NODE, PERIOD, VALUE]].assign(source=TOP_DOWN).astype({VALUE: float})


def past_submissions(desk: Desk, quarters: list[str]) -> pd.DataFrame:
    """Return what leaves had submitted in past quarters by the same lead as in this one.

    The lead is the number of days from the first day of the quarter to the cut-off.

    Returns
    -------
    pd.DataFrame
        Columns node, period, source (`bottom_up`), value; rows only where somebody spoke.
    """
    rows = submissions_heard(desk)
    parts = []
    lead = desk.params.collect_as_of - desk.calendar.start(desk.cycle)
    for quarter in quarters if len(rows) else []:
        cut_off: dt.date = desk.calendar.start(quarter) + lead
        mine = rows[rows[PERIOD].isin(desk.calendar.months(quarter))]
        parts.append(field_forecast(latest_submissions(mine, cut_off=cut_off)))
    joined = (
        pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[NODE, PERIOD, SOURCE, VALUE])
    )
    return joined.assign(**{SOURCE: BOTTOM_UP}).astype({VALUE: float})


def past_forecasts(desk: Desk, *, quarters: int = 8) -> pd.DataFrame:
    """Lay top-down, bottom-up, the baseline and the naive side by side for past quarters, as they stood.

    Bottom-up above the leaves is the sum of submissions; a leaf that did not submit
    counts with its baseline, so that a missing voice is not read as zero sales.

    Returns
    -------
    pd.DataFrame
        Columns node (every level), period (month), source, value.
    """
    when = past_quarters(desk, quarters)
    sold = desk.actuals(until=desk.params.plan_as_of)
    closed = sold[~sold.index.isin(desk.tree.nodes)]  # leaves that have gone since
    walk = backtest(pd.concat([desk.history(), closed]), when, desk.calendar)
    if desk.params.baseline == AUTO:
        own = past_baselines(desk, when).assign(**{SOURCE: BASELINE})
        walk = pd.concat([own, walk]).drop_duplicates([NODE, PERIOD, SOURCE], ignore_index=True)
    parts = [past_targets(desk, when), walk]
    said = past_submissions(desk, when)
    seats = desk.tree.leaves.append(closed.index)
    if said[NODE].isin(seats).any():
        grid = to_wide(said).reindex(seats)
        own = to_wide(walk[walk[SOURCE] == BASELINE]).reindex(index=seats, columns=grid.columns)
        parts.append(to_long(desk.rolled_up(grid.fillna(own))).assign(source=BOTTOM_UP))
    joined = pd.concat(parts, ignore_index=True)[[NODE, PERIOD, SOURCE, VALUE]]
    return joined[joined[NODE].isin(desk.tree.nodes)].reset_index(drop=True)


def past_actuals(desk: Desk) -> pd.DataFrame:
    """Return what really came, for every node and month: columns node, period, value."""
    return to_long(desk.history())
