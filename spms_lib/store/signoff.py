"""Sign-offs: a name for a state, with the totals it asserts."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import pandas as pd
from sqlalchemy import Connection, insert, select

from spms_lib.errors import LedgerError
from spms_lib.store.cells import rows_of
from spms_lib.store.commits import Signature, enter, head
from spms_lib.store.hashing import cells_hash, record_hash
from spms_lib.store.moments import parse_time, reads_as_time, stamp
from spms_lib.store.schema import KEYS, PAYLOAD, UNIT, commits, signoffs
from spms_lib.store.state import state
from spms_lib.tables import MEASURE, PERIOD, VALUE

SIGNOFF_FIELDS: Final = (
    "name",
    "commit_id",
    "scenario",
    "kind",
    "author",
    "time",
    "note",
    "totals",
    "state_hash",
)
COLUMNS: Final = ("name", "kind", "scenario", "commit", "author", "time", "note", "cells", "nulls", "id")


class Total(NamedTuple):
    """What a sign-off asserts of one measure, period and unit.

    Attributes
    ----------
    total
        Sum of the values in minor units over all cells, nodes of every level added: a check sum
        and not the company's number.
    cells
        How many cells there are.
    nulls
        How many of them have no value, because nobody has said.
    """

    measure: str
    period: str
    unit: str
    total: int
    cells: int
    nulls: int


@dataclass(frozen=True, slots=True)
class SignOff:
    """A state of one kind that somebody put their name to.

    Attributes
    ----------
    commit
        Id of the scenario's newest commit when it was signed.
    time
        When it was signed, UTC without a zone.
    totals
        What it asserts, sorted by measure, period and unit.
    id
        Hash over everything above and the signed cells.
    """

    name: str
    kind: str
    scenario: str
    commit: str
    author: str
    time: dt.datetime
    note: str
    totals: tuple[Total, ...]
    id: str


def totals_of(cells: pd.DataFrame) -> tuple[Total, ...]:
    """Sum a state by measure, period and unit, exactly.

    Examples
    --------
    >>> cells = pd.DataFrame({"measure": "revenue", "period": "2026-01", "unit": "EUR", "value": [5, None]})
    >>> totals_of(cells.astype({"value": "Int64"}))
    (Total(measure='revenue', period='2026-01', unit='EUR', total=5, cells=2, nulls=1),)
    """
    sums: dict[tuple[Any, ...], list[int]] = {}
    for measure, period, unit, value in rows_of(cells, (MEASURE, PERIOD, UNIT, VALUE)):
        found = sums.setdefault((measure, period, unit), [0, 0, 0])
        found[0] += value if isinstance(value, int) else 0
        found[1] += 1
        found[2] += value is None
    return tuple(Total(*key, *sums[key]) for key in sorted(sums))


def assertion_of(cells: pd.DataFrame) -> dict[str, str]:
    """Return what a sign-off of these cells keeps: its totals as JSON and the hash of the cells."""
    listed = [total._asdict() for total in totals_of(cells)]
    return {
        "totals": json.dumps(listed, separators=(",", ":")),
        "state_hash": cells_hash(rows_of(cells, (*KEYS, *PAYLOAD))),
    }


def sign(connection: Connection, name: str, kind: str, signature: Signature) -> SignOff:
    """Sign the state of one kind as it is now; `signature.message` is the note."""
    if not name.strip() or reads_as_time(name):
        raise LedgerError(
            f"'{name}' cannot name a sign-off.", remedy="Use a name that is no date, such as '2026Q3 plan'."
        )
    newest = head(connection, signature.scenario)
    signed = (
        state(connection, kind, scenario=signature.scenario, last=newest.seq) if newest else pd.DataFrame()
    )
    if newest is None or signed.empty:
        raise LedgerError(f"There are no cells of kind '{kind}' to sign off.", remedy="Commit them first.")
    assertion = assertion_of(signed)
    taken = connection.execute(select(signoffs).where(signoffs.c.name == name)).mappings().first()
    if taken is not None:
        return _the_same(taken, kind, signature, assertion)
    times = select(signoffs.c.time).where(signoffs.c.commit_id == newest.id)
    content: dict[str, object] = {
        "name": name,
        "commit_id": newest.id,
        "scenario": signature.scenario,
        "kind": kind,
        "author": signature.author,
        "time": stamp(signature.at, max([newest.time, *connection.execute(times).scalars()])),
        "note": signature.message,
        **assertion,
    }
    content["id"] = signoff_hash(content)
    connection.execute(insert(signoffs), content)
    enter(connection, "sign-off", str(content["id"]))
    return signoff_of(content)


def signoff_hash(content: Mapping[Any, object]) -> str:
    """Return the id of a sign-off with these fields."""
    return record_hash("sign-off", {field: content[field] for field in SIGNOFF_FIELDS})


def signoff_of(content: Mapping[Any, Any]) -> SignOff:
    """Return a sign-off from the fields of its row."""
    return SignOff(
        name=content["name"],
        kind=content["kind"],
        scenario=content["scenario"],
        commit=content["commit_id"],
        author=content["author"],
        time=parse_time(content["time"]),
        note=content["note"],
        totals=tuple(Total(**total) for total in json.loads(content["totals"])),
        id=content["id"],
    )


def all_signoffs(connection: Connection) -> list[SignOff]:
    """Return every sign-off, in the order of their commits and times."""
    wanted = select(signoffs).join(commits).order_by(commits.c.seq, signoffs.c.time, signoffs.c.name)
    return [signoff_of(row) for row in connection.execute(wanted).mappings()]


def signoff_table(found: list[SignOff]) -> pd.DataFrame:
    """Show sign-offs as a frame with the columns of `COLUMNS`."""
    rows = {
        name: [getattr(one, name) for one in found]
        for name in COLUMNS
        if name not in {"cells", "nulls", "time"}
    }
    frame = pd.DataFrame({name: pd.Series(values, dtype="str") for name, values in rows.items()})
    frame["time"] = pd.Series([one.time for one in found], dtype="datetime64[us]")
    for count in ("cells", "nulls"):
        sums = [sum(getattr(total, count) for total in one.totals) for one in found]
        frame[count] = pd.Series(sums, dtype="int64")
    return frame[list(COLUMNS)]


def _the_same(
    taken: Mapping[Any, Any], kind: str, signature: Signature, assertion: dict[str, str]
) -> SignOff:
    """Return the sign-off of that name if this one says the same again, else refuse the name."""
    again = {"kind": kind, "scenario": signature.scenario, "author": signature.author, **assertion}
    if all(taken[field] == said for field, said in again.items()):
        return signoff_of(taken)
    raise LedgerError(
        f"'{taken['name']}' was already signed off by {taken['author']} on {taken['time'][:10]}, for other content.",
        remedy="Use a new name: a sign-off is never changed.",
    )
