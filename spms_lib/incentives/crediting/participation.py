"""Days of participation: calendar days on which a payee takes part, out of those of a period."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from spms_lib.calendar import FiscalCalendar
from spms_lib.hierarchy.check import STILL
from spms_lib.incentives.crediting.dating import Ints, day_numbers
from spms_lib.tables import PERIOD, need

PAYEE, START, END = "payee", "start", "end"
DAYS, CALENDAR_DAYS = "days", "calendar_days"


def participation(
    assignments: pd.DataFrame,
    calendar: FiscalCalendar,
    periods: Sequence[str],
    *,
    leave: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Count the calendar days on which each payee takes part in each period; leave does not count.

    The factor of proration is days / calendar_days: calendar days, not working days, and never rounded.

    Parameters
    ----------
    assignments
        Columns payee, start, and end (missing: still there). A day is counted once, however many rows hold it.
    periods
        Months, quarters or years of the calendar.
    leave
        Columns payee, start, end: days out. They may overlap each other.

    Returns
    -------
    pd.DataFrame
        Columns payee, period, days, calendar_days; no row where a payee takes no part.

    Examples
    --------
    >>> hired = pd.DataFrame({"payee": ["anna"], "start": [pd.Timestamp(2024, 2, 15)]})
    >>> participation(hired, FiscalCalendar(), ["2024Q1"]).values.tolist()
    [['anna', '2024Q1', 46, 91]]
    """
    need(assignments, [PAYEE, START], "assignments")
    rows = merged(assignments)
    first, last = bounds(calendar, periods)
    code, names = pd.factorize(rows[PAYEE])
    days = np.zeros((len(names), len(first)), dtype=np.int64)
    np.add.at(days, code, days_taking_part(rows, first, last, leave))
    table = pd.DataFrame(
        {
            PAYEE: np.repeat(names, len(first)),
            PERIOD: np.tile(np.array(periods, dtype=object), len(names)),
            DAYS: days.ravel(),
            CALENDAR_DAYS: np.tile(last - first + 1, len(names)),
        }
    )
    return table[table[DAYS] > 0].reset_index(drop=True)


def bounds(calendar: FiscalCalendar, periods: Sequence[str]) -> tuple[Ints, Ints]:
    """Give the first and last day of each period, as day numbers."""
    first = pd.Series([pd.Timestamp(calendar.start(period)) for period in periods])
    last = pd.Series([pd.Timestamp(calendar.end(period)) for period in periods])
    return day_numbers(first), day_numbers(last)


def days_taking_part(rows: pd.DataFrame, first: Ints, last: Ints, leave: pd.DataFrame | None) -> Ints:
    """Count days inside spans: shape (rows, periods), from payee, start and end less the payee's leave."""
    start, end = _numbers(rows)
    days = _inside(start, end, first, last)
    if leave is None or leave.empty:
        return days
    out = merged(leave)
    pairs = pd.DataFrame({PAYEE: rows[PAYEE].to_numpy(), "row": np.arange(len(rows))}).merge(
        pd.DataFrame({PAYEE: out[PAYEE].to_numpy(), "out": np.arange(len(out))})
    )
    row, gone = pairs["row"].to_numpy(), pairs["out"].to_numpy()
    gone_start, gone_end = (days_of[gone] for days_of in _numbers(out))
    lost = _inside(np.maximum(start[row], gone_start), np.minimum(end[row], gone_end), first, last)
    np.subtract.at(days, row, lost)
    return days


def merged(spans: pd.DataFrame) -> pd.DataFrame:
    """Cut overlaps off, so that every day of a payee stands in one span only."""
    start, end = _numbers(spans)
    rows = pd.DataFrame({PAYEE: spans[PAYEE].to_numpy(), START: start, END: end})
    rows = rows.sort_values([PAYEE, START], kind="stable", ignore_index=True)
    before = rows.groupby(PAYEE)[END].cummax().groupby(rows[PAYEE]).shift()
    rows[START] = np.maximum(rows[START], before.fillna(rows[START].min() - 1) + 1).astype(np.int64)
    rows = rows[rows[START] <= rows[END]]
    return rows.assign(**{name: pd.to_datetime(rows[name], unit="D") for name in (START, END)})


def _numbers(spans: pd.DataFrame) -> tuple[Ints, Ints]:
    return day_numbers(spans[START]), day_numbers(dates(spans, END), STILL)


def dates(frame: pd.DataFrame, column: str) -> pd.Series:
    """Give a column of days, all missing where the table has none."""
    return pd.to_datetime(frame[column]) if column in frame else pd.Series(pd.NaT, index=frame.index)


def _inside(start: Ints, end: Ints, first: Ints, last: Ints) -> Ints:
    """Count the days that spans and periods have in common: shape (spans, periods)."""
    days: Ints = np.minimum(end[:, None], last) - np.maximum(start[:, None], first) + 1
    return np.maximum(days, 0)
