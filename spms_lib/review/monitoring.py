"""Where a running period stands: pace to date, projected landing, and who is at risk.

Conventions: pace = actual to date / plan to date. gap = actual - plan to date, negative when
behind. The day `as_of` counts as over, and days are working days (Monday to Friday).
"""

import datetime as dt
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.calendar import FiscalCalendar, is_month
from spms_lib.errors import PeriodError
from spms_lib.review._frames import cents, need_unique, percent, ratio, sum_or_null
from spms_lib.tables import DATE, NODE, PERIOD, VALUE, need

PLAN: Final = "plan"
PLAN_TO_DATE: Final = "plan_to_date"
ACTUAL_TO_DATE: Final = "actual_to_date"
PACE: Final = "pace"
GAP: Final = "gap"
LANDING: Final = "landing"
LANDING_RULE: Final = "landing_rule"
SHORTFALL: Final = "shortfall"
WHY: Final = "why"

COMPLETE: Final = "complete: actual"
STRAIGHT: Final = "actual + remaining plan x pace"
NO_PACE: Final = "no landing: no plan to date"


def pace(
    plan: pd.DataFrame,
    transactions: pd.DataFrame,
    *,
    calendar: FiscalCalendar,
    as_of: dt.date,
    most_pace: float = 2.0,
) -> pd.DataFrame:
    """Tell each node whether it is on time, and where it lands if it goes on like this.

    The plan to date is the plan of the months that are over, and of the running month the share of
    working days that are over. The landing adds the remaining plan times the pace; the pace used for
    it stays between 0 and `most_pace`, because a few early days say little.

    Parameters
    ----------
    plan
        node, period (months), value (whole minor units; null where nobody has planned).
    transactions
        node, date, value (whole minor units). Those outside the months of `plan`, or after `as_of`,
        are outside the question. Nodes are matched as they are: roll up first.
    calendar
        The company's fiscal calendar.
    as_of
        Last day whose sales are known.
    most_pace
        Largest pace that a landing may assume.

    Returns
    -------
    pd.DataFrame
        One row per node of either table, in order of node: plan (all months), plan_to_date,
        actual_to_date (0 where nothing was booked), gap (Int64), pace (float), landing (Int64, an
        estimate), landing_rule (text, how the landing was made), days_elapsed, days_left. A month
        of a node without a plan makes its sums null.

    Raises
    ------
    PeriodError
        If the plan is not by month.
    """
    need(plan, [NODE, PERIOD, VALUE], "plan")
    need(transactions, [NODE, DATE, VALUE], "transactions")
    need_unique(plan, [NODE, PERIOD], "plan")
    months = sorted(plan[PERIOD].unique())
    wrong = [month for month in months if not is_month(month)]
    if wrong:
        raise PeriodError(f"'{wrong[0]}' is not a month.", where="plan", remedy="Phase the plan by month.")
    days = _working_days(months, calendar, as_of)
    frame = _plan_sums(plan, days)
    booked = _booked(transactions, months, calendar, as_of)
    frame = frame.reindex(sorted(set(frame.index) | set(booked.index))).rename_axis(NODE)
    frame[ACTUAL_TO_DATE] = booked.reindex(frame.index).fillna(0).astype("Int64")
    frame[GAP] = frame[ACTUAL_TO_DATE] - frame[PLAN_TO_DATE]
    frame[PACE] = ratio(frame[ACTUAL_TO_DATE], frame[PLAN_TO_DATE])
    left = int(days["left"].sum())
    frame[LANDING], frame[LANDING_RULE] = _landing(frame, over=left == 0, most_pace=most_pace)
    frame = frame.assign(days_elapsed=int(days["elapsed"].sum()), days_left=left)
    columns = [PLAN, PLAN_TO_DATE, ACTUAL_TO_DATE, GAP, PACE, LANDING, LANDING_RULE]
    return frame.reset_index()[[NODE, *columns, "days_elapsed", "days_left"]]


def at_risk(
    paced: pd.DataFrame, *, covered: pd.DataFrame | None = None, least_shortfall: int = 1
) -> pd.DataFrame:
    """List the nodes that are expected to miss their plan, the most money first.

    Parameters
    ----------
    paced
        node, plan, landing and pace, as `pace` gives them.
    covered
        node, coverage_ratio, required_ratio, as `coverage` gives them; adds to the reasons.
    least_shortfall
        Smallest shortfall to list, in minor units.

    Returns
    -------
    pd.DataFrame
        node, plan, landing, shortfall (Int64, plan - landing), why (text). Nodes that have a plan
        but no landing come last with a null shortfall: unknown is not safe.
    """
    need(paced, [NODE, PLAN, LANDING, PACE], "paced")
    rows = paced.assign(**{SHORTFALL: (paced[PLAN] - paced[LANDING]).astype("Int64")})
    listed = (rows[SHORTFALL] >= least_shortfall).fillna(value=False)
    unknown = rows[SHORTFALL].isna() & rows[PLAN].notna()
    rows = rows[listed | unknown]
    why = rows[PACE].map(
        lambda at: f"pace {percent(at, 0)}" if pd.notna(at) else "no landing can be projected"
    )
    if covered is not None:
        need(covered, [NODE, "coverage_ratio", "required_ratio"], "covered")
        need_unique(covered, [NODE], "covered")
        both = covered.set_index(NODE)[["coverage_ratio", "required_ratio"]].reindex(rows[NODE])
        why = why + [
            f", coverage {has:.1f} of {needs:.1f} required" if pd.notna(has) and pd.notna(needs) else ""
            for has, needs in zip(both["coverage_ratio"], both["required_ratio"], strict=True)
        ]
    rows = rows.assign(**{WHY: why.astype("str")})[[NODE, PLAN, LANDING, SHORTFALL, WHY]]
    return rows.sort_values([SHORTFALL, NODE], ascending=[False, True], na_position="last", ignore_index=True)


def _working_days(months: list[str], calendar: FiscalCalendar, as_of: dt.date) -> pd.DataFrame:
    """Count working days over and left by month."""
    rows = []
    for month in months:
        start, end = calendar.start(month), calendar.end(month)
        total = calendar.working_days(start, end)
        elapsed = calendar.working_days(start, min(as_of, end)) if as_of >= start else 0
        rows.append((elapsed, total - elapsed))
    return pd.DataFrame(rows, index=months, columns=["elapsed", "left"], dtype="int64")


def _plan_sums(plan: pd.DataFrame, days: pd.DataFrame) -> pd.DataFrame:
    """Add up each node's plan, and its plan to date; null where a needed month has none."""
    whole = plan.assign(**{VALUE: cents(plan[VALUE], "plan").astype("float64")})
    grid = whole.set_index([NODE, PERIOD])[VALUE].unstack(PERIOD).reindex(columns=days.index)
    amounts = grid.to_numpy()
    share = (days["elapsed"] / (days["elapsed"] + days["left"])).to_numpy()
    begun = share > 0
    to_date = np.rint(amounts[:, begun] * share[begun]).sum(axis=1)
    sums = pd.DataFrame({PLAN: amounts.sum(axis=1), PLAN_TO_DATE: to_date}, index=grid.index)
    return sums.astype("Int64")


def _booked(
    transactions: pd.DataFrame, months: list[str], calendar: FiscalCalendar, as_of: dt.date
) -> pd.Series:
    known = transactions[transactions[DATE] < pd.Timestamp(as_of) + pd.Timedelta(days=1)]
    inside = known[calendar.months_of(known[DATE]).isin(months)]
    return sum_or_null(cents(inside[VALUE], "transactions"), inside[NODE])


def _landing(frame: pd.DataFrame, *, over: bool, most_pace: float) -> tuple[pd.Series, pd.Series]:
    """Project where each node ends, and say by which rule."""
    if over:
        return frame[ACTUAL_TO_DATE], pd.Series(COMPLETE, index=frame.index, dtype="str")
    used = frame[PACE].clip(lower=0.0, upper=most_pace)
    rest = (frame[PLAN] - frame[PLAN_TO_DATE]).astype("Float64") * used.astype("Float64")
    landing = (frame[ACTUAL_TO_DATE] + rest.round()).astype("Int64")
    rule = pd.Series(STRAIGHT, index=frame.index, dtype="str")
    rule = rule.mask(frame[PACE] > most_pace, f"{STRAIGHT}, pace limited to {most_pace:g}")
    rule = rule.mask(frame[PACE] < 0, f"{STRAIGHT}, pace limited to 0")
    return landing, rule.mask(landing.isna(), NO_PACE)
