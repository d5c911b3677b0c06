"""Holds: targets that somebody fixed, with an owner, a reason and an expiry."""

import datetime as dt
import json
from dataclasses import dataclass
from numbers import Integral
from typing import Final

import pandas as pd

from spms_lib.errors import LedgerError
from spms_lib.store.commits import Commit
from spms_lib.store.ledger import Ledger
from spms_lib.store.moments import Moment
from spms_lib.store.schema import AUTHOR, ITEM, MAIN, TEXT, TIME, UNIT, WITHDRAWN
from spms_lib.tables import MEASURE, NODE, OWNER, PERIOD, VALUE

KIND: Final = "hold"
COLUMNS: Final = (NODE, PERIOD, MEASURE, VALUE, OWNER, "reason", "expires", "placed_by", "placed_at")


@dataclass(frozen=True, slots=True)
class Hold:
    """A value of one node and period that planning must not move.

    Attributes
    ----------
    value
        The fixed value, whole minor units.
    owner
        Person who answers for the hold.
    reason
        Why the value is fixed, in a planner's words.
    expires
        Last day on which it holds; None for a hold that stays until it is lifted.
    """

    node: str
    period: str
    measure: str
    value: int
    owner: str
    reason: str
    expires: dt.date | None = None

    def __post_init__(self) -> None:
        for name in (OWNER, "reason"):
            if not str(getattr(self, name) or "").strip():
                raise LedgerError(f"The hold has no {name}.", where=self.place, remedy=f"Say {name}='...'.")
        if isinstance(self.value, bool) or not isinstance(self.value, Integral):
            raise LedgerError(
                f"The hold's value {self.value!r} is not a whole number.",
                where=self.place,
                remedy="Give cents.",
            )

        if self.expires is not None and not isinstance(self.expires, dt.date):
            raise LedgerError(
                f"The hold's last day {self.expires!r} is no day.",
                where=self.place,
                remedy="Give a datetime.date, or None.",
            )

    @property
    def place(self) -> str:
        """Name what is held: node, period and measure."""
        return f"{self.node} {self.period} {self.measure}"


def place_hold(
    ledger: Ledger,
    hold: Hold,
    *,
    author: str,
    at: dt.datetime | dt.date | None = None,
    unit: str = "",
    base: str | None = None,
    scenario: str = MAIN,
) -> Commit | None:
    """Place a hold, or replace the one that is there; None if it is there already, word for word.

    Examples
    --------
    >>> hold = Hold("north", "2026-01", "revenue", 100, owner="Ada", reason="signed contract")
    >>> with Ledger.open("sqlite://") as ledger:
    ...     _ = place_hold(ledger, hold, author="Ben")
    ...     holds(ledger, on=dt.date(2026, 1, 31))[["node", "value", "placed_by"]].values.tolist()
    [['north', 100, 'Ben']]
    """
    expires = None if pd.isna(hold.expires) else _day(hold.expires).isoformat()
    said = {"owner": hold.owner, "reason": hold.reason, "expires": expires}
    cell = pd.DataFrame(
        {
            NODE: [hold.node],
            PERIOD: [hold.period],
            MEASURE: [hold.measure],
            ITEM: [""],
            VALUE: pd.array([hold.value], dtype="Int64"),
            UNIT: [unit],
            TEXT: [json.dumps(said, sort_keys=True, ensure_ascii=False)],
        }
    )
    return ledger.commit(KIND, cell, author=author, message=hold.reason, base=base, scenario=scenario, at=at)


def lift_hold(
    ledger: Ledger,
    node: str,
    period: str,
    measure: str,
    *,
    author: str,
    reason: str,
    at: dt.datetime | dt.date | None = None,
    scenario: str = MAIN,
) -> Commit:
    """Lift a hold before it expires; the reason becomes the commit's message.

    Raises
    ------
    LedgerError
        If no reason is given, or there is no such hold.
    """
    place = f"{node} {period} {measure}"
    if not reason.strip():
        raise LedgerError("The hold is lifted without a reason.", where=place, remedy="Say reason='...'.")
    cell = pd.DataFrame(
        {
            NODE: [node],
            PERIOD: [period],
            MEASURE: [measure],
            VALUE: pd.array([None], dtype="Int64"),
            WITHDRAWN: [True],
        }
    )
    lifted = ledger.commit(KIND, cell, author=author, message=reason, scenario=scenario, at=at)
    if lifted is None:
        raise LedgerError("There is no hold to lift.", where=place, remedy="See holds() for those in force.")
    return lifted


def holds(ledger: Ledger, *, on: dt.date, as_of: Moment | None = None, scenario: str = MAIN) -> pd.DataFrame:
    """List the holds in force on a day.

    Parameters
    ----------
    on
        Holds whose last day lies before it are left out.
    as_of
        Look at the ledger as it stood at this moment; now where left out.

    Returns
    -------
    pd.DataFrame
        node, period, measure, value (Int64 minor units), owner, reason, expires (datetime64, NaT for
        never), placed_by, placed_at (UTC); sorted by node, period, measure.
    """
    found = ledger.state(KIND, as_of=as_of, scenario=scenario)
    said = [json.loads(text) for text in found[TEXT]]
    listed = found[[NODE, PERIOD, MEASURE, VALUE]].assign(
        owner=pd.Series([one["owner"] for one in said], dtype="str"),
        reason=pd.Series([one["reason"] for one in said], dtype="str"),
        expires=pd.Series([one["expires"] for one in said], dtype="datetime64[us]"),
        placed_by=found[AUTHOR],
        placed_at=found[TIME],
    )
    in_force = listed["expires"].isna() | (listed["expires"] >= pd.Timestamp(_day(on)))
    return listed.loc[in_force, list(COLUMNS)].reset_index(drop=True)


def _day(moment: dt.date) -> dt.date:
    return moment.date() if isinstance(moment, dt.datetime) else moment
