"""Rounds of submissions: who sent what on which day, first as numbers and then as rows of the export."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from spms_lib.sample.company import Company
from spms_lib.sample.field import Field
from spms_lib.sample.orders import Orders
from spms_lib.sample.timeline import (
    MONTHS,
    Days,
    Floats,
    Ints,
    money_texts,
    round_to,
    text_frame,
)

ASKED: Final = ("closed", "commit", "best_case", "pipeline")
CLOSED, COMMIT, BEST_CASE, PIPELINE = range(len(ASKED))
RANGE_SIGMAS: Final = 1.2816  # a normal amount lies within this many spreads of its mean in 80 % of cases


@dataclass(frozen=True, slots=True)
class Round:
    """What some seats sent about some months of a quarter.

    Attributes
    ----------
    quarter
        Position of the first month of the quarter.
    months
        Shape (n_asked,): positions of the months that were asked for.
    seats, day
        Shape (n_seats,): who sent, and on which day of the quarter, counted from 1.
    value
        Shape (n_seats, n_asked, 4): cents by category, in the order of `ASKED`.
    spread
        Shape (n_seats, n_asked): cents by which a commit without bias is off, as a standard deviation.
    comment
        Shape (n_seats, n_asked): words beside the commit, empty for none.
    minute
        Shape (n_seats,): minute of the day.
    """

    quarter: int
    months: Ints
    seats: Ints
    day: Ints
    value: Ints
    spread: Floats
    comment: npt.NDArray[np.str_]
    minute: Ints

    @property
    def forecast(self) -> Ints:
        """Shape (n_seats, n_asked): closed + commit."""
        total: Ints = self.value[:, :, CLOSED] + self.value[:, :, COMMIT]
        return total


def day_index(month: int, day: Ints | int) -> Ints:
    """Count days from the first day of the time axis to a day, counted from 1 at the start of a month."""
    first = (MONTHS[month].astype("datetime64[D]") - MONTHS[0].astype("datetime64[D]")).astype("int64")
    return np.asarray(first + day - 1, dtype="int64")


def booked_before(company: Company, orders: Orders) -> Ints:
    """Shape (n_seats, n_days + 1): cents sold before each day since the first month."""
    day = (orders.date - MONTHS[0].astype("datetime64[D]")).astype("int64")
    shape = (len(company.seats), int(day.max()) + 1)
    cell = orders.seat * shape[1] + day
    daily = np.zeros(shape[0] * shape[1], dtype="int64")
    np.add.at(daily, cell, orders.cents)
    before = np.zeros((shape[0], shape[1] + 1), dtype="int64")
    before[:, 1:] = daily.reshape(shape).cumsum(axis=1)
    return before


def moment_texts(quarter: int, day: Ints, minute: Ints) -> list[str]:
    """Write minutes of days of a quarter as 2026-07-14 09:30:00."""
    days: Days = MONTHS[quarter].astype("datetime64[D]") + (day - 1).astype("timedelta64[D]")
    return [f"{one} {at // 60:02d}:{at % 60:02d}:00" for one, at in zip(days, minute.tolist(), strict=True)]


def minutes_of_work(rng: np.random.Generator, count: int) -> Ints:
    """Choose minutes of the working day."""
    return rng.integers(8 * 60, 18 * 60, count)


def submission_rows(field: Field, sent: Round) -> pd.DataFrame:
    """Write a round as the field's system exports it: a row per seat, month and category."""
    habit, seats = field.habit, sent.seats
    sure = np.clip(0.95 - 1.5 * habit.noise_sigma[seats] + 0.4 * habit.bias_ratio[seats], 0.5, 0.95)
    says_so = seats % 5 < 3
    commit = sent.value[:, :, COMMIT]
    reach = RANGE_SIGMAS * sent.spread * habit.range_scale[seats][:, None]
    low, high = (round_to(np.maximum(commit + side * reach, 0), 100) for side in (-1, 1))
    low, high = np.minimum(low, commit), np.maximum(high, commit)
    seat, month, kind = np.indices(sent.value.shape).reshape(3, -1).tolist()
    when = moment_texts(sent.quarter, sent.day, sent.minute)
    month_of_day = [int(at) for at in np.searchsorted(_starts(sent.quarter), sent.day, side="right") - 1]
    places = [
        (at, asked) if kind_at == COMMIT else None
        for at, asked, kind_at in zip(seat, month, kind, strict=True)
    ]
    ranges = habit.gives_range[seats]
    return text_frame(
        node=[field.company.seats[seats[at]] for at in seat],
        period=[str(MONTHS[sent.months[at]]) for at in month],
        category=[ASKED[at] for at in kind],
        value=money_texts(sent.value.ravel()),
        submitted_by=[field.staff.person(int(seats[at]), sent.quarter + month_of_day[at]) for at in seat],
        submitted_at=[when[at] for at in seat],
        confidence=[f"{sure[at[0]]:.2f}" if at and says_so[at[0]] else "" for at in places],
        comment=[str(sent.comment[at]) if at else "" for at in places],
        low=[money_texts([low[at]])[0] if at and ranges[at[0]] else "" for at in places],
        high=[money_texts([high[at]])[0] if at and ranges[at[0]] else "" for at in places],
    )


def _starts(quarter: int) -> Ints:
    """Shape (3,): day of the quarter, counted from 1, on which each of its months starts."""
    days = MONTHS[quarter : quarter + 3].astype("datetime64[D]")
    starts: Ints = (days - days[0]).astype("int64") + 1
    return starts
