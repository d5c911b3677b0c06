"""What came of the plan: results by day and node, pace, landing and the facts of a review."""

import datetime as dt

import numpy as np
import pandas as pd

from spms_lib.cycle.desk import Desk
from spms_lib.cycle.targets import read_plan
from spms_lib.hierarchy import Hierarchy
from spms_lib.review.monitoring import pace
from spms_lib.tables import DATE, NODE, PERIOD, VALUE, to_long


def dated_results(desk: Desk, *, until: dt.date | None = None) -> pd.DataFrame:
    """Return results by leaf and day; a company that knows months only has them on the last day of each.

    Returns
    -------
    pd.DataFrame
        Columns node, date, product, value (int64 minor units) of the planned measure.
    """
    if "transactions" in desk.tables:
        rows = desk.table("transactions")
        mine = rows[rows["measure"] == desk.company.measure]
        frame = pd.DataFrame(
            {
                NODE: mine[NODE],
                DATE: mine[DATE],
                "product": mine["product"].fillna(""),
                VALUE: mine[VALUE].astype("int64"),
            }
        )
    else:
        ends = {month: pd.Timestamp(desk.calendar.end(month)) for month in desk.results[PERIOD].unique()}
        frame = desk.results.assign(**{DATE: desk.results[PERIOD].map(ends)})[[NODE, DATE, "product", VALUE]]
    return frame if until is None else frame[frame[DATE] <= pd.Timestamp(until)]


def quarter_results(desk: Desk, *, until: dt.date) -> pd.DataFrame:
    """Return the results of the quarter up to a day: see `dated_results`; later ones are another quarter's."""
    rows = dated_results(desk, until=min(until, desk.calendar.end(desk.cycle)))
    return rows[rows[DATE] >= pd.Timestamp(desk.calendar.start(desk.cycle))]


def booked_at_all_levels(rows: pd.DataFrame, tree: Hierarchy) -> pd.DataFrame:
    """Repeat each result at its leaf and at every ancestor, added up by node and day.

    Returns
    -------
    pd.DataFrame
        Columns node, date, value; results of leaves outside the tree are left out, so
        compare with `outside_tree`.
    """
    by_leaf = rows[rows[NODE].isin(tree.leaves)].groupby([NODE, DATE])[VALUE].sum().reset_index()
    parts, here = [by_leaf], by_leaf
    while len(here):
        here = here.assign(**{NODE: here[NODE].map(tree.parents)}).dropna(subset=NODE)
        parts.append(here)
    return pd.concat(parts).groupby([NODE, DATE])[VALUE].sum().reset_index()


def outside_tree(desk: Desk, *, until: dt.date) -> int:
    """Add up what was sold in the quarter on leaves that are not in the plan's tree (minor units)."""
    rows = quarter_results(desk, until=until)
    return int(rows[~rows[NODE].isin(desk.tree.leaves)][VALUE].sum())


def paced(desk: Desk, layer: pd.DataFrame, *, as_of: dt.date) -> pd.DataFrame:
    """Tell each node of the edition's scope whether it is on time: see `pace`.

    Parameters
    ----------
    layer
        Nodes x months of the plan or of the quotas, minor units.
    """
    tree = desk.scope
    booked = booked_at_all_levels(dated_results(desk, until=as_of), tree)
    rows = pace(to_long(layer.loc[tree.nodes]), booked, calendar=desk.calendar, as_of=as_of)
    return (
        rows.set_index(NODE)
        .loc[tree.nodes]
        .reset_index()
        .assign(name=lambda table: table[NODE].map(tree.name))
    )


def pace_curve(desk: Desk, *, as_of: dt.date) -> pd.DataFrame:
    """Trace the plan and what was sold through the quarter, by working day from the first to the last.

    Returns
    -------
    pd.DataFrame
        Columns date, plan, actual (cumulative, minor units; actual is missing after `as_of`).
    """
    tree, calendar = desk.scope, desk.calendar
    plan = read_plan(desk).T[tree.root]
    rows = quarter_results(desk, until=as_of)
    sold = rows[rows[NODE].isin(tree.leaves)].groupby(DATE)[VALUE].sum()
    days = pd.bdate_range(calendar.start(desk.cycle), calendar.end(desk.cycle))
    months = calendar.months_of(pd.Series(days))
    per_day = months.map(plan / months.value_counts())
    running = sold.sort_index().cumsum()
    actual = running.reindex(days, method="ffill").fillna(0.0).to_numpy(dtype=float, copy=True)
    known = days <= pd.Timestamp(as_of)
    if known.any() and len(running):  # a weekend's sales count on the last working day known
        actual[np.flatnonzero(known)[-1]] = running.iloc[-1]
    return pd.DataFrame(
        {DATE: days, "plan": per_day.cumsum().to_numpy(), "actual": np.where(known, actual, np.nan)}
    )


def sold_in_quarter(desk: Desk, *, until: dt.date) -> int:
    """Add up what the source says was sold in the quarter up to a day (minor units)."""
    return int(quarter_results(desk, until=until)[VALUE].sum())


def monthly_attainment(desk: Desk, plan: pd.DataFrame, *, as_of: dt.date) -> pd.DataFrame:
    """Divide actual by plan for every node of the scope and every month that has ended: nodes x months."""
    tree = desk.scope
    ended = [month for month in desk.months if desk.calendar.end(month) <= as_of]
    sold = desk.actuals(until=as_of).reindex(index=tree.leaves, columns=ended).fillna(0.0)
    planned = plan.loc[tree.nodes, ended]
    return tree.roll_up(sold) / planned.where(planned != 0)
