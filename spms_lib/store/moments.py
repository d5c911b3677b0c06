"""Moments: a day, a time, a commit or a sign-off, as a place in the order of commits.

Times are UTC. A time without a zone is taken as UTC; a day means its last microsecond.
"""

import datetime as dt
import re
from difflib import get_close_matches
from typing import Final

import pandas as pd
from sqlalchemy import Connection, func, select

from spms_lib.errors import LedgerError
from spms_lib.store.schema import MAIN, commits, signoffs

Moment = dt.datetime | dt.date | str

_LOOKS_LIKE_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_LOOKS_LIKE_ID: Final = re.compile(r"[0-9a-fA-F]{4,64}")


def utc(moment: dt.datetime | dt.date) -> dt.datetime:
    """Return a time in UTC without a zone, in microseconds.

    Examples
    --------
    >>> utc(dt.date(2026, 1, 31)).isoformat()
    '2026-01-31T23:59:59.999999'
    """
    if pd.isna(moment):
        raise LedgerError("The time is missing.", remedy="Give a time, or leave it out for now.")
    if isinstance(moment, pd.Timestamp):
        moment = moment.floor("us").to_pydatetime()
    if not isinstance(moment, dt.datetime):
        return dt.datetime.combine(moment, dt.time.max)
    return moment if moment.tzinfo is None else moment.astimezone(dt.UTC).replace(tzinfo=None)


def time_text(moment: dt.datetime | dt.date) -> str:
    """Write a time as the ledger keeps it; the texts sort as the times do.

    Examples
    --------
    >>> time_text(dt.datetime(2026, 1, 5, 12))
    '2026-01-05T12:00:00.000000Z'
    """
    return utc(moment).isoformat(timespec="microseconds") + "Z"


def parse_time(text: str) -> dt.datetime:
    """Read a time that `time_text` wrote."""
    return utc(dt.datetime.fromisoformat(text))


def stamp(at: dt.datetime | dt.date | None, newest: str | None) -> str:
    """Return the time text of a new row: as given, else the clock, never before the newest one.

    A clock that lags behind the newest row is put up to it; a given time is refused,
    because a commit slipped into the past would change what the past looked like.
    """
    if at is None:
        now = time_text(dt.datetime.now(dt.UTC))
        return max(now, newest or now)
    given = time_text(at)
    if newest is not None and given < newest:
        raise LedgerError(
            f"The time {given} lies before the newest commit ({newest}).",
            remedy="Leave the time out to commit as of now, or use another ledger for an older history.",
        )
    return given


def reads_as_time(text: str) -> bool:
    """Say whether a text is taken for a day or a time, such as 2026-01-31."""
    return _LOOKS_LIKE_TIME.match(text) is not None


def known_scenario(connection: Connection, scenario: str) -> str:
    """Return a scenario that has commits (main always counts), or refuse it with the known ones."""
    if scenario == MAIN:
        return scenario
    found = connection.execute(select(commits.c.scenario).distinct()).scalars().all()
    if scenario not in found:
        known = ", ".join(sorted({MAIN, *found}))
        raise LedgerError(f"There is no scenario '{scenario}'.", remedy=f"Known scenarios: {known}.")
    return scenario


def last_seq(connection: Connection, moment: Moment | None, *, scenario: str) -> int:
    """Return the number of the last commit that counts at a moment; None means now, 0 before the first."""
    if moment is None:
        return connection.execute(select(func.max(commits.c.seq))).scalar() or 0
    if isinstance(moment, str):
        signed = select(commits.c.seq).join(signoffs).where(signoffs.c.name == moment)
        found = connection.execute(signed).scalar()
        if found is not None:
            return int(found)
        if not reads_as_time(moment):
            return commit_seq(connection, moment)
        moment = _parsed(moment)
    before = select(func.max(commits.c.seq)).where(
        commits.c.scenario == scenario, commits.c.time <= time_text(moment)
    )
    return connection.execute(before).scalar() or 0


def commit_seq(connection: Connection, text: str) -> int:
    """Return the number of the commit with this id, or with an id that starts so."""
    if _LOOKS_LIKE_ID.fullmatch(text):
        prefix = select(commits.c.seq, commits.c.id).where(commits.c.id.startswith(text.lower())).limit(3)
        found = connection.execute(prefix).all()
        if len(found) == 1:
            return int(found[0].seq)
        if found:
            some = ", ".join(row.id[:12] for row in found)
            raise LedgerError(f"Several commits start with '{text}': {some}.", remedy="Give more characters.")
    names = connection.execute(select(signoffs.c.name)).scalars().all()
    near = get_close_matches(text, names, n=1)
    guess = f"Did you mean the sign-off '{near[0]}'? " if near else ""
    raise LedgerError(
        f"There is no commit or sign-off '{text}'.",
        remedy=f"{guess}Give an id from log() (four characters or more), a day such as 2026-01-31, or a sign-off.",
    )


def _parsed(text: str) -> dt.datetime | dt.date:
    try:
        return dt.date.fromisoformat(text) if len(text) == 10 else dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise LedgerError(
            f"'{text}' is not a day or a time.", remedy="Write 2026-01-31 or 2026-01-31T18:00."
        ) from error
