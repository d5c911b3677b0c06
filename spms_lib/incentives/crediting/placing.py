"""Proration: amounts of a year's months to what a payee is held to, exactly, interval by interval."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import MoneyError
from spms_lib.incentives.crediting.dating import Ints
from spms_lib.incentives.crediting.quotas import summed
from spms_lib.incentives.crediting.rules import BASIS
from spms_lib.incentives.plan.model import MONTH, QUARTER, YEAR
from spms_lib.money import apportion_groups

MONTHS: Final = 12
LENGTH: Final = {MONTH: 1, QUARTER: 3, YEAR: 12}
LARGEST: Final = 2.0**62


class Span(NamedTuple):
    """The months of a year, and which row of the result each row of amounts belongs to.

    Attributes
    ----------
    months
        Labels of the twelve months.
    first, last
        Shape (12,): their first and last days, as day numbers.
    key
        Shape (n,): row of the result.
    payee
        Shape (rows of the result,): a number for whose it is; several segments may be one payee's.
    """

    months: list[str]
    first: Ints
    last: Ints
    key: Ints
    payee: Ints

    @property
    def rows(self) -> int:
        """Number of rows of the result."""
        return len(self.payee)


def placed(full: Ints, effective: Ints, days: Ints, interval: str, span: Span, *, prorated: bool) -> Ints:
    """Prorate the amounts of intervals, blend them by days, and place them in the months of participation.

    Parameters
    ----------
    full
        Shape (n, 12): amounts as if the row held all year.
    effective
        Shape (n, 12): days on which it does, times the step of the ramp in hundredths of a percent.
    days
        Shape (n, 12): days on which it does.
    interval
        Over which amounts are prorated and rounded.
    prorated
        False for the full amount of an interval of which any day is worked.

    Returns
    -------
    Ints
        Shape (span.rows, 12). The months of an interval sum to its amount, rounded half up.
    """
    length = LENGTH[interval]
    whole, worked = _by_interval(full, length), _by_interval(effective, length)
    if whole.size and float(whole.max()) * float(worked.max()) * int(np.bincount(span.key).max()) > LARGEST:
        raise MoneyError(
            "A target is too large to be prorated exactly.", remedy="Use a larger unit of currency."
        )
    calendar_days = span.last - span.first + 1
    parts = summed(span.key, whole * worked, span.rows)
    taken = summed(span.payee[span.key], _by_interval(days, length), span.rows)[span.payee]
    of = (_by_interval(calendar_days[None, :], length) if prorated else np.maximum(taken, 1)) * BASIS
    amounts = (2 * parts + of) // (2 * of)
    weight = summed(span.key, full * (effective / calendar_days), span.rows)
    there = summed(span.key, days, span.rows)
    starts = np.arange(0, weight.size, length, dtype=np.int64)
    if not len(starts):
        return np.zeros((span.rows, MONTHS), dtype=np.int64)
    flat = weight.reshape(-1, length)
    flat = np.where(flat.sum(axis=1, keepdims=True) > 0, flat, there.reshape(-1, length))
    months = apportion_groups(amounts.reshape(-1, 1), flat.reshape(-1, 1).astype(np.float64), starts)
    return months.reshape(span.rows, MONTHS)


def _by_interval(months: Ints, length: int) -> Ints:
    """Add up the months of each interval of the year."""
    total: Ints = months.reshape(len(months), MONTHS // length, length).sum(axis=2)
    return total


def ramp_steps(
    tenure_from: pd.Series, calendar: FiscalCalendar, months: Sequence[str], ramp: Sequence[Fraction]
) -> Ints:
    """Say how much of the quota holds in each month of tenure, in hundredths of a percent: shape (n, 12).

    The fiscal month of the first day is the first step. After the last step, and for those without a
    first day, it is all of it.
    """
    steps = np.array([int(share * BASIS) for share in ramp] + [BASIS], dtype=np.int64)
    start = calendar.months_of(tenure_from)
    known = start.notna().to_numpy()
    label = start[known].str
    at = (label[:4].astype("int64") * MONTHS + label[5:7].astype("int64")).to_numpy()
    tenure = np.array([_ordinal(month) for month in months]) - at[:, None]
    full = np.full((len(start), len(months)), BASIS, dtype=np.int64)
    full[known] = steps[np.clip(tenure, 0, len(ramp))]
    return full


def _ordinal(month: str) -> int:
    return int(month[:4]) * MONTHS + int(month[5:7])
