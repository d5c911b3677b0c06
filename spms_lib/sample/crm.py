"""What happens to deals in the CRM and not in the world: late entries, changes of owner, deletions, kinds of business."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from spms_lib.sample.company import Company
from spms_lib.sample.field import Field
from spms_lib.sample.orders import Deals
from spms_lib.sample.timeline import MONTHS, Bools, Days, Floats, Ints, month_of_year

HELD_BACK_BELOW: Final = -0.08  # bias of those who enter deals late
HELD_BACK_RATIO: Final = 0.4  # of their deals that are won in the last month of a quarter
LATEST_ENTRY_DAYS: Final = 18
MOVED_RATIO: Final = 0.05
DELETED_RATIO: Final = 0.03  # of lost deals
NEW_RATIO: Final = {"won": 0.20, "lost": 0.50}  # of deals that are business with a new customer
SEGMENTS: Final = ("existing", "new")
NEVER: Final = np.datetime64("2100-01-01", "D")


@dataclass(frozen=True, slots=True)
class Entries:
    """How the CRM knows the deals; arrays as long as the deals.

    Attributes
    ----------
    created
        Day of entry, which may be later than the day on which the deal began.
    first_seat
        Seat that owns the deal until the day before `handed_over`; the deal's own seat after it.
    deleted
        Day from which the deal is gone without having ended.
    segment
        `new` or `existing`; new business is lost more often.
    """

    created: Days
    first_seat: Ints
    handed_over: Days
    deleted: Days
    segment: npt.NDArray[np.str_]

    def seat(self, deals: Deals, which: Ints, as_of: np.datetime64) -> Ints:
        """Say who owns some of the deals at the end of a day."""
        before = self.handed_over[which] > as_of
        return np.where(before, self.first_seat[which], deals.seat[which])


def make_entries(rng: np.random.Generator, field: Field, deals: Deals) -> Entries:
    """Enter all deals into the CRM."""
    created = _entered(rng, field, deals)
    share, fate = rng.uniform(0.2, 0.8, size=(2, len(deals.seat)))
    life = (deals.close - created).astype("int64")
    first_seat = _first_seats(rng, field.company, deals, created)
    gone = ~deals.won & (rng.random(len(fate)) < DELETED_RATIO)
    chance = np.where(deals.won, NEW_RATIO["won"], NEW_RATIO["lost"])
    return Entries(
        created=created,
        first_seat=first_seat,
        handed_over=np.where(first_seat == deals.seat, created, _during(created, life, share)),
        deleted=np.where(gone, _during(created, life, fate), NEVER),
        segment=np.array(SEGMENTS)[(rng.random(len(fate)) < chance).astype("int64")],
    )


def _during(created: Days, life: Ints, share: Floats) -> Days:
    days: Days = created + np.maximum(np.rint(life * share), 1).astype("timedelta64[D]")
    return days


def _entered(rng: np.random.Generator, field: Field, deals: Deals) -> Days:
    """Let seats that forecast low enter some of the deals that they win at a quarter's end shortly before it."""
    low = field.habit.bias_ratio[deals.seat] < HELD_BACK_BELOW
    ends = month_of_year(MONTHS[deals.month]) % 3 == 2
    held: Bools = low & ends & deals.won & (rng.random(len(low)) < HELD_BACK_RATIO)
    late = deals.close - rng.integers(3, LATEST_ENTRY_DAYS, len(low)).astype("timedelta64[D]")
    return np.where(held, np.maximum(late, deals.created), deals.created)


def _first_seats(rng: np.random.Generator, company: Company, deals: Deals, created: Days) -> Ints:
    """Choose who owned each deal at first: for few, another seat of the team that was there all the time."""
    first = deals.seat.copy()
    settled = (company.opened == 0) & ~np.isin(np.arange(len(company.seats)), company.moved)
    moves = settled[deals.seat] & (rng.random(len(first)) < MOVED_RATIO)
    long_enough = (deals.close - created).astype("int64") > LATEST_ENTRY_DAYS
    for at in np.flatnonzero(moves & long_enough).tolist():
        team = company.seat_team[deals.seat[at], 0]
        peers = np.flatnonzero(settled & (company.seat_team[:, 0] == team))
        peers = peers[peers != deals.seat[at]]
        first[at] = int(rng.choice(peers)) if len(peers) else first[at]
    return first
