"""Months, quarters and years as column spans of a matrix of payees and periods."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import PeriodError
from spms_lib.incentives.engine.exact import Ints
from spms_lib.incentives.plan.model import MONTH, QUARTER

Starts = NDArray[np.int64]


def span_starts(periods: Sequence[str], interval: str, calendar: FiscalCalendar) -> Starts:
    """Tell for each month in which column its month, quarter or fiscal year starts.

    Raises
    ------
    PeriodError
        If the months do not begin with the start of an interval or leave one out.

    Examples
    --------
    >>> span_starts(["2026-01", "2026-02", "2026-03", "2026-04"], "quarter", FiscalCalendar()).tolist()
    [0, 0, 0, 3]
    """
    if list(periods) != calendar.range(periods[0], periods[-1]):
        raise PeriodError(
            "Pay periods leave a month out.", where="periods", remedy="Pass consecutive months."
        )
    if interval == MONTH:
        return np.arange(len(periods))
    name = calendar.quarter_of if interval == QUARTER else calendar.year_of
    labels = [name(period) for period in periods]
    if calendar.months(labels[0])[0] != periods[0]:
        raise PeriodError(
            f"Pay periods begin with {periods[0]}, inside {labels[0]}.",
            where="periods",
            remedy=f"Begin with {calendar.months(labels[0])[0]}: what a {interval} pays depends on all of it.",
        )
    return np.array([labels.index(label) for label in labels])


def last_columns(periods: Sequence[str], interval: str, calendar: FiscalCalendar) -> list[int]:
    """List the columns with which an interval that is over ends."""
    if interval == MONTH:
        return list(range(len(periods)))
    name = calendar.quarter_of if interval == QUARTER else calendar.year_of
    return [number for number, period in enumerate(periods) if calendar.months(name(period))[-1] == period]


def to_date(values: Ints, starts: Starts) -> Ints:
    """Add up within spans, from the start of each to each column; shape (n_payees, n_periods).

    Examples
    --------
    >>> to_date(np.array([[1, 2, 3, 4]]), np.array([0, 0, 0, 3])).tolist()
    [[1, 3, 6, 4]]
    """
    running = values.cumsum(axis=1)
    inside: Ints = running - running[:, starts] + values[:, starts]
    return inside


def whole(values: Ints, starts: Starts) -> Ints:
    """Put the sum of each span into all of its columns.

    Examples
    --------
    >>> whole(np.array([[1, 2, 3, 4]]), np.array([0, 0, 0, 3])).tolist()
    [[6, 6, 6, 4]]
    """
    first, number = np.unique(starts, return_inverse=True)
    sums: Ints = np.add.reduceat(values, first, axis=1)[:, number]
    return sums


def differences(sums: Ints, starts: Starts) -> Ints:
    """Undo `to_date`: what each column adds within its span."""
    steps = np.diff(sums, axis=1, prepend=0)
    first = np.unique(starts)
    steps[:, first] = sums[:, first]
    return steps
