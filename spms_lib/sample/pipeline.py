"""Month-end snapshots of the deals: how stages rise, amounts drift and closing days slip."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.sample.company import Company
from spms_lib.sample.orders import Deals
from spms_lib.sample.sales import PRODUCTS
from spms_lib.sample.timeline import (
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


def opportunities(rng: np.random.Generator, company: Company, deals: Deals) -> pd.DataFrame:
    """List each month end's open deals, and those that were won or lost in that month."""
    count = len(deals.seat)
    habits = Habits(
        ceiling=np.where(deals.won, 1.0, rng.choice(STUCK_AT, p=[0.3, 0.35, 0.27, 0.08], size=count)),
        slip_days=np.where(rng.random(count) < SLIP_RATIO, rng.uniform(15, 75, size=count), 0.0),
        drift_ratio=np.where(deals.won, np.clip(rng.normal(0.06, 0.15, size=count), -0.3, 0.5), 0.0),
        neglected=rng.random(count) < NEGLECT_RATIO,
    )
    numbers = np.empty(count, dtype="int64")
    numbers[np.lexsort((deals.cents, deals.seat, deals.created))] = np.arange(1, count + 1)
    months = range(position(FIRST_SNAPSHOT), HISTORY)
    return pd.concat(
        [_snapshot(company, deals, habits, numbers, month) for month in months], ignore_index=True
    )


def _snapshot(company: Company, deals: Deals, habits: Habits, numbers: Ints, month: int) -> pd.DataFrame:
    as_of: Days = last_day(MONTHS[month : month + 1])
    seen = np.flatnonzero((deals.created <= as_of) & (deals.month >= month))
    seen = seen[np.argsort(numbers[seen], kind="stable")]
    is_open = deals.month[seen] > month
    life = np.maximum((deals.close[seen] - deals.created[seen]).astype("int64"), 1)
    progress = np.minimum((as_of - deals.created[seen]).astype("int64") / life, 1.0)
    stage = np.searchsorted(STAGE_ENDS, np.minimum(progress, habits.ceiling[seen]), side="right").tolist()
    status = np.where(is_open, "open", np.where(deals.won[seen], "won", "lost")).tolist()
    ends = {"won": ("closed", "1.00"), "lost": ("", "0.00")}
    drifted = round_to(deals.cents[seen] * (1 + habits.drift_ratio[seen] * (1 - progress)), 100)
    promised = deals.close[seen] - (habits.slip_days[seen] * (1 - progress)).astype("timedelta64[D]")
    pushed = as_of + (7 + numbers[seen] % 14).astype("timedelta64[D]")
    promised = np.where((promised <= as_of) & ~habits.neglected[seen], pushed, promised)
    promised = np.maximum(promised, deals.created[seen])
    return text_frame(
        opportunity=[f"O{number:05d}" for number in numbers[seen].tolist()],
        node=[company.seats[seat] for seat in deals.seat[seen].tolist()],
        account=[account(number) for number in deals.account[seen].tolist()],
        product=[PRODUCTS[product] for product in deals.product[seen].tolist()],
        status=status,
        stage=[STAGES[at] for at in stage],
        category=[ends.get(end, (STAGE_CATEGORIES[at],))[0] for end, at in zip(status, stage, strict=True)],
        amount=money_texts(np.where(is_open, np.maximum(drifted, 100_00), deals.cents[seen])),
        probability=[
            ends[end][1] if end in ends else PROBABILITIES[at] for end, at in zip(status, stage, strict=True)
        ],
        created=day_texts(deals.created[seen]),
        close_date=day_texts(np.where(is_open, promised, deals.close[seen])),
        as_of=day_texts(np.repeat(as_of, len(seen))),
    )
