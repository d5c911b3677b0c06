"""Snapshots of the deals, by month and in the current quarter by week: stages rise, amounts drift, closing days slip."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.sample.company import Company
from spms_lib.sample.crm import Entries, make_entries
from spms_lib.sample.field import Field
from spms_lib.sample.orders import Deals
from spms_lib.sample.sales import PRODUCTS
from spms_lib.sample.timeline import (
    CURRENT,
    HISTORY,
    MONTHS,
    Bools,
    Days,
    Floats,
    Ints,
    day_texts,
    last_day,
    money_texts,
    position,
    round_to,
    text_frame,
)
from spms_lib.sample.words import account

FIRST_SNAPSHOT: Final = "2024-06"
STAGES: Final = ("qualify", "develop", "propose", "close")
STAGE_ENDS: Final = (0.30, 0.60, 0.85)  # share of a deal's life
PROBABILITIES: Final = ("0.10", "0.30", "0.50", "0.90")
STAGE_CATEGORIES: Final = ("pipeline", "pipeline", "best_case", "commit")
STUCK_AT: Final = (0.25, 0.50, 0.80, 0.95)  # how far lost deals come
SLIP_RATIO: Final = 0.45  # deals that are first promised too early
ROUNDING: Final = 1e-9
NEGLECT_RATIO: Final = 0.03  # deals whose closing day nobody moves


@dataclass(frozen=True, slots=True)
class Habits:
    """What makes the snapshots of one deal differ from its end; arrays as long as the deals.

    Attributes
    ----------
    ceiling
        Furthest share of its life at which a deal still looks alive; 1.0 for won deals.
    slip_days
        Days by which the first promised closing day is too early.
    drift_ratio
        How much higher the first amount is than the last.
    neglected
        True where the promised day stays when it has passed.
    """

    ceiling: Floats
    slip_days: Floats
    drift_ratio: Floats
    neglected: Bools


def opportunities(
    rng: np.random.Generator, events: np.random.Generator, field: Field, deals: Deals
) -> pd.DataFrame:
    """List each snapshot's open deals, and those that were won or lost in its month so far.

    Snapshots are taken at the ends of months, in the current quarter on Fridays too.

    Parameters
    ----------
    events
        Stream of chance of what happens in the CRM only.
    """
    count = len(deals.seat)
    habits = Habits(
        ceiling=np.where(deals.won, 1.0, rng.choice(STUCK_AT, p=[0.3, 0.35, 0.27, 0.08], size=count)),
        slip_days=np.where(rng.random(count) < SLIP_RATIO, rng.uniform(15, 75, size=count), 0.0),
        drift_ratio=np.where(deals.won, np.clip(rng.normal(0.06, 0.15, size=count), -0.3, 0.5), 0.0),
        neglected=rng.random(count) < NEGLECT_RATIO,
    )
    numbers = np.empty(count, dtype="int64")
    numbers[np.lexsort((deals.cents, deals.seat, deals.created))] = np.arange(1, count + 1)
    entries = make_entries(events, field, deals)
    return pd.concat(
        [_snapshot(field.company, deals, habits, entries, numbers, as_of) for as_of in _snapshot_days()],
        ignore_index=True,
    )


def _snapshot_days() -> Days:
    ends = last_day(MONTHS[position(FIRST_SNAPSHOT) : HISTORY])
    current = np.arange(MONTHS[position(CURRENT)].astype("datetime64[D]"), ends[-1])
    fridays = current[np.is_busday(current, weekmask="Fri")]
    days: Days = np.union1d(ends, fridays)
    return days


def _snapshot(
    company: Company, deals: Deals, habits: Habits, entries: Entries, numbers: Ints, as_of: np.datetime64
) -> pd.DataFrame:
    month = as_of.astype("datetime64[M]").astype("datetime64[D]")
    known = (entries.created <= as_of) & (entries.deleted > as_of)
    seen = np.flatnonzero(known & (deals.close >= month))
    seen = seen[np.argsort(numbers[seen], kind="stable")]
    created, close = entries.created[seen], deals.close[seen]
    is_open = close > as_of
    life = np.maximum((close - created).astype("int64"), 1)
    progress = np.minimum((as_of - created).astype("int64") / life, 1.0)
    stage = np.searchsorted(STAGE_ENDS, np.minimum(progress, habits.ceiling[seen]), side="right")
    reached = np.ceil(np.array((0.0, *STAGE_ENDS))[stage] * life - ROUNDING).astype("timedelta64[D]")
    status = np.where(is_open, "open", np.where(deals.won[seen], "won", "lost")).tolist()
    ends = {"won": ("closed", "1.00"), "lost": ("", "0.00")}
    drifted = round_to(deals.cents[seen] * (1 + habits.drift_ratio[seen] * (1 - progress)), 100)
    promised = close - (habits.slip_days[seen] * (1 - progress)).astype("timedelta64[D]")
    pushed = as_of + (7 + numbers[seen] % 14).astype("timedelta64[D]")
    promised = np.where((promised <= as_of) & ~habits.neglected[seen], pushed, promised)
    promised = np.maximum(promised, created)
    at_stage = list(zip(status, stage.tolist(), strict=True))
    return text_frame(
        opportunity=[f"O{number:05d}" for number in numbers[seen].tolist()],
        node=[company.seats[seat] for seat in entries.seat(deals, seen, as_of).tolist()],
        account=[account(number) for number in deals.account[seen].tolist()],
        product=[PRODUCTS[product] for product in deals.product[seen].tolist()],
        status=status,
        stage=[STAGES[at] for _, at in at_stage],
        stage_since=day_texts(created + reached),
        category=[ends.get(end, (STAGE_CATEGORIES[at],))[0] for end, at in at_stage],
        segment=entries.segment[seen].tolist(),
        amount=money_texts(np.where(is_open, np.maximum(drifted, 100_00), deals.cents[seen])),
        probability=[ends[end][1] if end in ends else PROBABILITIES[at] for end, at in at_stage],
        created=day_texts(created),
        close_date=day_texts(np.where(is_open, promised, close)),
        as_of=day_texts(np.repeat(as_of, len(seen))),
    )
