"""What the field believes: biased by habit, noisy, and wiser than history."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from spms_lib.sample.company import Company
from spms_lib.sample.orders import Orders
from spms_lib.sample.people import People
from spms_lib.sample.sales import Sales
from spms_lib.sample.timeline import Bools, Floats

TYPE_RATIOS: Final = {"sandbagger": 0.25, "optimist": 0.25}  # the others are honest
BIAS_RATIOS: Final = {"sandbagger": (-0.25, -0.08), "optimist": (0.05, 0.25), "honest": (-0.02, 0.02)}
FORESIGHT: Final = (0.65, 0.55, 0.45)  # of what market and luck will do, by month of the quarter
LATE_RATIO: Final = 0.08
MISSING_RATIO: Final = 0.02  # of past submissions
MISSING_NOW_RATIO: Final = 0.0875
RANGE_RATIO: Final = 2 / 3  # seats that give a range
NARROW_RATIO: Final = 0.5  # of ranges that are too narrow
NARROW_SCALES: Final = (0.3, 0.6)


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
    gives_range
        Shape (n_seats,): whether the seat says between which amounts its commit lies.
    range_scale
        Shape (n_seats,): width of that range against one that holds the outcome, bias aside, in 80 % of cases.
    """

    person_type: list[str]
    bias_ratio: Floats
    noise_sigma: Floats
    gives_range: Bools
    range_scale: Floats


@dataclass(frozen=True, slots=True)
class Field:
    """All that a forecast is made from."""

    company: Company
    staff: People
    sales: Sales
    orders: Orders
    habit: Habit


def make_habits(rng: np.random.Generator, ranges: np.random.Generator, seats: int) -> Habit:
    """Give every seat a way of forecasting; how it states ranges has a stream of chance of its own."""
    types = [name for name, ratio in TYPE_RATIOS.items() for _ in range(round(seats * ratio))]
    types = [*types, *["honest"] * (seats - len(types))]
    person_type = [types[number] for number in rng.permutation(seats).tolist()]
    bias = np.array([rng.uniform(*BIAS_RATIOS[name]) for name in person_type])
    gives_range = ranges.permutation(seats) < round(seats * RANGE_RATIO)
    narrow = ranges.random(seats) < NARROW_RATIO
    scale = np.where(narrow, ranges.uniform(*NARROW_SCALES, size=seats), 1.0)
    return Habit(person_type, bias, rng.uniform(0.05, 0.18, size=seats), gives_range, scale)


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
