"""The first call of every quarter: submitted from the tenth day on, a few late, a few sent again."""

from typing import Final

import numpy as np

from spms_lib.sample.field import FORESIGHT, LATE_RATIO, MISSING_NOW_RATIO, MISSING_RATIO, Field, belief
from spms_lib.sample.rounds import Round, booked_before, day_index, minutes_of_work
from spms_lib.sample.sales import MARKET_SIGMA
from spms_lib.sample.timeline import CURRENT, Floats, Ints, position, round_to

FIRST_QUARTER: Final = "2024-07"
QUARTERS: Final = range(position(FIRST_QUARTER), position(CURRENT) + 1, 3)
RESENT_RATIO: Final = 0.08
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


def first_calls(rng: np.random.Generator, field: Field) -> list[Round]:
    """Ask every seat with a person once a quarter, and hear some of them again: two rounds a quarter.

    The forecast of a month is closed + commit; best case and pipeline lie beyond it.
    """
    booked = booked_before(field.company, field.orders)
    rounds = []
    for quarter in QUARTERS:
        asked = np.flatnonzero(field.staff.occupant[:, quarter] >= 0)
        seats = np.sort(asked[rng.permutation(len(asked))[_missing(quarter, len(asked)) :]])
        believed = belief(rng, field, quarter)
        late = rng.random(len(seats)) < LATE_RATIO
        day = np.where(late, rng.integers(16, 26, len(seats)), rng.integers(10, 16, len(seats)))
        rounds.append(_round(rng, field, booked, believed, quarter, seats, day))
        again = rng.random(len(seats)) < RESENT_RATIO
        second = np.minimum(day[again] + rng.integers(3, 11, int(again.sum())), 29)
        revised = believed * (field.sales.total[:, quarter : quarter + 3] / np.maximum(believed, 1.0)) ** 0.2
        rounds.append(_round(rng, field, booked, revised, quarter, seats[again], second))
    return rounds


def _missing(quarter: int, asked: int) -> int:
    ratio = MISSING_NOW_RATIO if quarter == position(CURRENT) else MISSING_RATIO
    return max(1, round(asked * ratio))


def _round(
    rng: np.random.Generator, field: Field, booked: Ints, belief: Floats, quarter: int, seats: Ints, day: Ints
) -> Round:
    habit = field.habit
    expected = field.sales.expected[seats, quarter : quarter + 3]
    closed = np.zeros(expected.shape, dtype="int64")
    closed[:, 0] = np.maximum(
        booked[seats, day_index(quarter, day)] - booked[seats, day_index(quarter, 1)], 0
    )
    commit = np.maximum(round_to(belief[seats] - closed, 100), 0)
    kept_back = np.maximum(-habit.bias_ratio[seats], 0)[:, None]
    best_case = round_to(expected * (rng.uniform(0.08, 0.25, expected.shape) + 0.7 * kept_back), 100)
    pipeline = round_to(expected * rng.uniform(0.3, 0.9, expected.shape), 500)
    said = np.where(
        rng.random(expected.shape) < COMMENTED_RATIO, rng.integers(0, len(COMMENTS), expected.shape), -1
    )
    return Round(
        quarter=quarter,
        months=quarter + np.arange(3),
        seats=seats,
        day=day,
        value=np.stack([closed, commit, best_case, pipeline], axis=2),
        spread=belief[seats] * _spread_ratio(field, seats),
        comment=np.array([*COMMENTS, ""])[said],
        minute=minutes_of_work(rng, len(seats)),
    )


def _spread_ratio(field: Field, seats: Ints) -> Floats:
    """Shape (n_seats, 3): how far a forecast without bias is off, as a ratio of it: chance not foreseen, and noise."""
    luck = field.sales.sigma[seats, None] ** 2 + MARKET_SIGMA**2
    unseen = (1 - np.array(FORESIGHT)) ** 2 * luck
    ratio: Floats = np.sqrt(unseen + field.habit.noise_sigma[seats, None] ** 2)
    return ratio
