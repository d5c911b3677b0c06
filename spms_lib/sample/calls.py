"""Forecast calls every second Friday: who has news sends it, knows more than before, and keeps the habit."""

from typing import Final

import numpy as np

from spms_lib.sample.field import Field
from spms_lib.sample.rounds import Round, booked_before, day_index, minutes_of_work
from spms_lib.sample.timeline import MONTHS, Days, Floats, Ints, last_day, round_to

CALL_DAYS: Final = (31, 45, 59, 73, 87)  # of the quarter; the call is on the nearest Friday
FORESIGHT: Final = (0.75, 0.65, 0.55)  # of what is still to come, by months ahead of the call
BOOKING_SHAPE: Final = 1.5  # share of a month that is booked by a share p of its days: p ** shape
MOOD_MEMORY: Final = 0.8  # of a seat's noise from one call to the next
NEWS_RATIO: Final = 0.06  # smallest change of a month that is worth a new submission
HEARD_RATIO: Final = 0.75  # of those with news
FRESH_DAYS: Final = 5  # who sent so shortly before a call does not send again
SLIP_RATIO: Final = 0.3  # commits beyond what will come that are seen to be so
EXPLAINED_ABOVE: Final = 0.15
EXPLAINED_RATIO: Final = 0.3
RISES: Final = (
    "Order came earlier than agreed.",
    "Customer added the second site.",
    "New enquiry turned into an order within two weeks.",
)
FALLS: Final = (
    "Signature moved behind the quarter end.",
    "Two positions were taken out of the order.",
    "Customer chose the smaller package.",
    "Approval of the budget is still missing.",
)


def call_days(quarter: int) -> Ints:
    """List the days of a quarter, counted from 1, on which later calls take place: Fridays.

    Examples
    --------
    >>> from spms_lib.sample.timeline import position
    >>> call_days(position("2026-07")).tolist()  # from 31 July to 25 September
    [31, 45, 59, 73, 87]
    """
    first = MONTHS[quarter].astype("datetime64[D]")
    days: Days = first + (np.array(CALL_DAYS) - 1).astype("timedelta64[D]")
    weekday = (days.astype("int64") + 3) % 7  # 0 is Monday
    to_friday = (4 - weekday + 3) % 7 - 3
    fridays: Ints = np.array(CALL_DAYS) + to_friday
    return fridays


def later_calls(rng: np.random.Generator, field: Field, first: list[Round]) -> list[Round]:
    """Hear the seats again through every quarter, about the months that are not yet over.

    What a seat expects of the rest of a month is closer to what comes the later it is asked, and bent
    by its habit as ever; what is booked is booked. So the error of closed + commit shrinks with time.

    Parameters
    ----------
    first
        The first calls of all quarters, two rounds each, in their order.
    """
    booked = booked_before(field.company, field.orders)
    rounds = []
    for early in range(0, len(first), 2):
        quarter = first[early].quarter
        said, sent = _last_words(field, first[early : early + 2])
        noise = _noise(rng, field)
        for day in call_days(quarter).tolist():
            noise = MOOD_MEMORY * noise + np.sqrt(1 - MOOD_MEMORY**2) * _noise(rng, field)
            heard = _call(rng, field, booked, noise, quarter, day, said, sent)
            said[heard.seats[:, None], heard.months - quarter] = heard.forecast
            sent[heard.seats] = day
            rounds.append(heard)
    return rounds


def _noise(rng: np.random.Generator, field: Field) -> Floats:
    """Shape (n_seats, 3): logarithm of what nothing explains."""
    sigma = field.habit.noise_sigma[:, None]
    drawn: Floats = sigma * rng.standard_normal((len(sigma), 3))
    return drawn


def _last_words(field: Field, rounds: list[Round]) -> tuple[Floats, Ints]:
    """Say what each seat last forecast for each month, missing where it said nothing, and on which day."""
    said = np.full((len(field.company.seats), 3), np.nan)
    day = np.zeros(len(said), dtype="int64")
    for one in rounds:
        said[one.seats], day[one.seats] = one.forecast, one.day
    return said, day


def _call(
    rng: np.random.Generator,
    field: Field,
    booked: Ints,
    noise: Floats,
    quarter: int,
    day: int,
    said: Floats,
    sent: Ints,
) -> Round:
    today = MONTHS[quarter].astype("datetime64[D]") + np.timedelta64(day - 1, "D")
    current = int((today.astype("datetime64[M]") - MONTHS[0]).astype("int64"))
    months = np.arange(current, quarter + 3)
    closed, left, to_come = _so_far(field, booked, day_index(quarter, day), months)
    foresight = np.array(FORESIGHT)[: len(months)]
    bent = (1 + field.habit.bias_ratio[:, None]) * np.exp(noise[:, months - quarter])
    rest = ((1 - foresight) * left + foresight * to_come) * bent
    usual = field.sales.expected[:, months]
    slipped = np.maximum(rest - to_come, 0) / 2
    slipped = np.where((slipped > 0.05 * usual) & (rng.random(rest.shape) < SLIP_RATIO), slipped, 0.0)
    commit = round_to(rest - slipped, 100)
    best_case = round_to(slipped + left * rng.uniform(0.08, 0.25, rest.shape), 100)
    pipeline = round_to(left * rng.uniform(0.3, 0.9, rest.shape), 500)
    before = said[:, months - quarter]
    change = (closed + commit) / np.where(before > 0, before, np.nan) - 1
    seats = _senders(rng, field, current, np.abs(change), day - sent)
    off = (1 - foresight) * _usual_miss(to_come - left, usual)
    spread = np.hypot(off * usual, field.habit.noise_sigma[:, None] * rest)
    value = np.stack([closed, commit, best_case, pipeline], axis=2)
    return Round(
        quarter=quarter,
        months=months,
        seats=seats,
        day=np.full(len(seats), day),
        value=value[seats],
        spread=spread[seats],
        comment=_explained(rng, change)[seats],
        minute=minutes_of_work(rng, len(seats)),
    )


def _so_far(field: Field, booked: Ints, today: Ints, months: Ints) -> tuple[Ints, Floats, Floats]:
    """Tell for every seat and month what is booked, what is usually still to come, and what really is."""
    starts = np.array([int(day_index(int(month), 1)) for month in months])
    closed = np.maximum(booked[:, int(today)][:, None] - booked[:, np.minimum(starts, int(today))], 0)
    length = (last_day(MONTHS[months]) - MONTHS[months].astype("datetime64[D]")).astype("int64") + 1
    passed = np.clip((int(today) - starts) / length, 0, 1)
    left = field.sales.expected[:, months] * (1 - passed**BOOKING_SHAPE)
    return closed, left, np.maximum(field.sales.total[:, months] - closed, 0).astype(float)


def _usual_miss(miss: Floats, usual: Floats) -> Floats:
    """Shape (n_asked,): root mean square over the seats of a miss, as a ratio of a usual month."""
    ratio: Floats = np.sqrt(np.mean((miss / np.maximum(usual, 1.0)) ** 2, axis=0, where=usual > 0))
    return ratio


def _senders(rng: np.random.Generator, field: Field, month: int, change: Floats, age: Ints) -> Ints:
    """Choose who sends: a person with news who has not sent just before; silence so far is news to half."""
    news = np.where(np.isnan(change), NEWS_RATIO * 2 * rng.random(change.shape), change).max(axis=1)
    heard = (news > NEWS_RATIO) & (rng.random(len(news)) < HEARD_RATIO)
    here = field.staff.occupant[:, month] >= 0
    return np.flatnonzero(heard & here & (age >= FRESH_DAYS))


def _explained(rng: np.random.Generator, change: Floats) -> np.ndarray:
    """Shape of change: why a month was changed, where the change is large and somebody says so."""
    speaks = (np.abs(change) > EXPLAINED_ABOVE) & (rng.random(change.shape) < EXPLAINED_RATIO)
    rise = np.array(RISES)[rng.integers(0, len(RISES), change.shape)]
    fall = np.array(FALLS)[rng.integers(0, len(FALLS), change.shape)]
    return np.where(speaks, np.where(change > 0, rise, fall), "")
