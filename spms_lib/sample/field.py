"""What the field forecast: biased by habit, noisy, and wiser than history."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.sample.company import Company
from spms_lib.sample.orders import Orders
from spms_lib.sample.people import People
from spms_lib.sample.sales import Sales
from spms_lib.sample.timeline import (
    CURRENT,
    MONTHS,
    Days,
    Floats,
    Ints,
    money_texts,
    position,
    round_to,
    text_frame,
)

ASKED: Final = ("closed", "commit", "best_case", "pipeline")
FIRST_QUARTER: Final = "2024-07"
TYPE_RATIOS: Final = {"sandbagger": 0.25, "optimist": 0.25}  # the others are honest
BIAS_RATIOS: Final = {"sandbagger": (-0.25, -0.08), "optimist": (0.05, 0.25), "honest": (-0.02, 0.02)}
FORESIGHT: Final = (0.65, 0.55, 0.45)  # of what market and luck will do, by month of the quarter
LATE_RATIO: Final = 0.08
RESENT_RATIO: Final = 0.08
MISSING_RATIO: Final = 0.02  # of past submissions
MISSING_NOW_RATIO: Final = 0.0875
COMMENTED_RATIO: Final = 0.12
COMMENTS: Final = (
    "Two framework renewals should land before the month ends.",
    "Customer has frozen the budget until the new plant opens.",
    "Delivery dates of the new series are the open point.",
    "Large order depends on one signature.",
    "Holiday weeks, little movement expected.",
    "Competitor offers longer payment terms here.",
    "Services follow the devices with a month of delay.",
    "Same as last quarter, no news.",
)


@dataclass(frozen=True, slots=True)
class Habit:
    """How each seat forecasts.

    Attributes
    ----------
    person_type
        Shape (n_seats,): sandbagger, optimist or honest.
    bias_ratio
        Shape (n_seats,): forecast / expected - 1 on average.
    noise_sigma
        Shape (n_seats,): spread of the forecast that nothing explains.
    """

    person_type: list[str]
    bias_ratio: Floats
    noise_sigma: Floats


def make_habits(rng: np.random.Generator, seats: int) -> Habit:
    """Give every seat a way of forecasting."""
    types = [name for name, ratio in TYPE_RATIOS.items() for _ in range(round(seats * ratio))]
    types = [*types, *["honest"] * (seats - len(types))]
    person_type = [types[number] for number in rng.permutation(seats).tolist()]
    bias = np.array([rng.uniform(*BIAS_RATIOS[name]) for name in person_type])
    return Habit(person_type, bias, rng.uniform(0.05, 0.18, size=seats))


@dataclass(frozen=True, slots=True)
class Field:
    """All that a forecast is made from."""

    company: Company
    staff: People
    sales: Sales
    orders: Orders
    habit: Habit


def submissions(rng: np.random.Generator, field: Field) -> pd.DataFrame:
    """List what was sent, oldest first: a row per seat, month of the quarter, category and version.

    The forecast of a month is closed + commit; best case and pipeline lie beyond it.
    """
    booked = _booked(field.company, field.orders)
    rounds = []
    for quarter in range(position(FIRST_QUARTER), position(CURRENT) + 1, 3):
        asked = np.flatnonzero(field.staff.occupant[:, quarter] >= 0)
        seats = np.sort(asked[rng.permutation(len(asked))[_missing(quarter, len(asked)) :]])
        believed = belief(rng, field, quarter)
        late = rng.random(len(seats)) < LATE_RATIO
        day = np.where(late, rng.integers(16, 26, len(seats)), rng.integers(10, 16, len(seats)))
        rounds.append(_version(rng, field, booked, believed, quarter, seats, day))
        again = rng.random(len(seats)) < RESENT_RATIO
        second = np.minimum(day[again] + rng.integers(3, 11, int(again.sum())), 29)
        revised = believed * (field.sales.total[:, quarter : quarter + 3] / np.maximum(believed, 1.0)) ** 0.2
        rounds.append(_version(rng, field, booked, revised, quarter, seats[again], second))
    sent = pd.concat(rounds, ignore_index=True)
    return sent.sort_values("submitted_at", kind="stable", ignore_index=True)


def _missing(quarter: int, asked: int) -> int:
    ratio = MISSING_NOW_RATIO if quarter == position(CURRENT) else MISSING_RATIO
    return max(1, round(asked * ratio))


def _booked(company: Company, orders: Orders) -> Ints:
    """Shape (n_seats, n_days + 1): cents sold before each day since the first month."""
    day = (orders.date - MONTHS[0].astype("datetime64[D]")).astype("int64")
    shape = (len(company.seats), int(day.max()) + 1)
    cell = orders.seat * shape[1] + day
    daily = np.zeros(shape[0] * shape[1], dtype="int64")
    np.add.at(daily, cell, orders.cents)
    before = np.zeros((shape[0], shape[1] + 1), dtype="int64")
    before[:, 1:] = daily.reshape(shape).cumsum(axis=1)
    return before


def belief(rng: np.random.Generator, field: Field, quarter: int) -> Floats:
    """Shape (n_seats, 3): what each seat says it will sell, in cents."""
    sales, habit = field.sales, field.habit
    months = slice(quarter, quarter + 3)
    foreseen = (sales.market_ratio[:, months] * sales.own_ratio[:, months]) ** np.array(FORESIGHT)
    sigma = habit.noise_sigma[:, None]
    mood, whim = rng.standard_normal((len(sigma), 1)), rng.standard_normal((len(sigma), 3))
    noise = np.exp(sigma * (0.6 * mood + 0.8 * whim) - sigma**2 / 2)
    said: Floats = sales.expected[:, months] * (1 + habit.bias_ratio[:, None]) * foreseen * noise
    return said


def _version(
    rng: np.random.Generator, field: Field, booked: Ints, belief: Floats, quarter: int, seats: Ints, day: Ints
) -> pd.DataFrame:
    """Write one round of submissions, sent on the given days of the quarter's first month."""
    habit = field.habit
    expected = field.sales.expected[seats, quarter : quarter + 3]
    closed = np.zeros(expected.shape, dtype="int64")
    first = int((MONTHS[quarter].astype("datetime64[D]") - MONTHS[0].astype("datetime64[D]")).astype("int64"))
    closed[:, 0] = np.maximum(booked[seats, first + day - 1] - booked[seats, first], 0)
    commit = np.maximum(round_to(belief[seats] - closed, 100), 0)
    kept_back = np.maximum(-habit.bias_ratio[seats], 0)[:, None]
    best_case = round_to(expected * (rng.uniform(0.08, 0.25, expected.shape) + 0.7 * kept_back), 100)
    pipeline = round_to(expected * rng.uniform(0.3, 0.9, expected.shape), 500)
    value = np.stack([closed, commit, best_case, pipeline], axis=2)
    sure = np.clip(0.95 - 1.5 * habit.noise_sigma[seats] + 0.4 * habit.bias_ratio[seats], 0.5, 0.95)
    says_so = seats % 5 < 3
    words = np.where(
        rng.random(expected.shape) < COMMENTED_RATIO, rng.integers(0, len(COMMENTS), expected.shape), -1
    )
    seat, month, kind = np.indices(value.shape).reshape(3, -1).tolist()
    sent = _moments(rng, MONTHS[quarter].astype("datetime64[D]") + (day - 1).astype("timedelta64[D]"))
    is_commit = [ASKED[at] == "commit" for at in kind]
    return text_frame(
        node=[field.company.seats[seats[at]] for at in seat],
        period=[str(MONTHS[quarter + at]) for at in month],
        category=[ASKED[at] for at in kind],
        value=money_texts(value.ravel()),
        submitted_by=[field.staff.person(int(seats[at]), quarter) for at in seat],
        submitted_at=[sent[at] for at in seat],
        confidence=[
            f"{sure[at]:.2f}" if here and says_so[at] else ""
            for at, here in zip(seat, is_commit, strict=True)
        ],
        comment=[
            COMMENTS[words[at, when]] if here and words[at, when] >= 0 else ""
            for at, when, here in zip(seat, month, is_commit, strict=True)
        ],
    )


def _moments(rng: np.random.Generator, days: Days) -> list[str]:
    """Choose a minute of the working day."""
    minutes = rng.integers(8 * 60, 18 * 60, len(days)).tolist()
    return [
        f"{day} {minute // 60:02d}:{minute % 60:02d}:00" for day, minute in zip(days, minutes, strict=True)
    ]
