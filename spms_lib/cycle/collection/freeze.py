"""Snapshots of what was heard: frozen on a day, signed, given back to the cell, and checked on every replay.

A sign-off of the ledger is of a state as it is now, and a late answer may already be in it. So what counts by the end
of a day is committed to a branch of its own, the scenario `2026Q3 frozen`, whose state is one snapshot after another:
a cell that does not count that day is withdrawn from the branch, never from the record. The sign-off
`2026Q3 submissions 2026-07-15 v1` names the commit, `2026Q3 overrides ...` the managers' part of the same commit, and
`Ledger.verify` replays both. What decides is the time at which a word was said, so a past day can be frozen again
without later words leaking in. A snapshot that has changed since (a row that came in later with an earlier time, a
word that was reverted) becomes v2; v1 stays as it was.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final

import pandas as pd

from spms_lib.collect.submissions import latest_words
from spms_lib.cycle.collection.heard import overrides_heard, submissions_heard
from spms_lib.cycle.collection.words import AT, OVERRIDE, SUBMISSION, TABLE_OF, cells_of, words_of
from spms_lib.cycle.desk import Desk
from spms_lib.errors import LedgerError
from spms_lib.store.cells import equal_payload
from spms_lib.store.schema import KEYS, PAYLOAD, SCENARIO
from spms_lib.store.state import COLUMNS as STATE_COLUMNS
from spms_lib.tables import NODE, PERIOD

COLUMNS: Final = ("name", "day", "version", "cells", "author", "time", "commit", "id")


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What counted by the end of a day.

    Attributes
    ----------
    submissions, overrides
        One row per node, period and category: the columns of the tables, route, origin and template.
    """

    name: str
    day: dt.date
    submissions: pd.DataFrame
    overrides: pd.DataFrame


def call_days(desk: Desk) -> list[dt.date]:
    """List the days of the forecast calls of the quarter, oldest first; none where the params name no weekday."""
    weekday = desk.params.collection.call_weekday
    first, last = desk.calendar.start(desk.cycle), desk.calendar.end(desk.cycle)
    days = [day.date() for day in pd.date_range(first, last)]
    return [day for day in days if f"{day:%A}".lower() == weekday]


def freeze_calls(desk: Desk, *, until: dt.date | None = None, author: str = "") -> list[str]:
    """Freeze every forecast call that has been, up to a day; today where left out."""
    last = until or dt.date.today()
    names = [freeze(desk, as_of=day, author=author) for day in call_days(desk) if day <= last]
    return [name for name in names if name]


def freeze(desk: Desk, *, as_of: dt.date | None = None, author: str = "") -> str:
    """Sign what counts by the end of a day, the cut-off where left out; return the snapshot's name.

    Unchanged since it was last frozen, it keeps its name, and nothing is committed. "" if nobody has said anything.
    """
    day = as_of or desk.params.collect_as_of
    wanted = {kind: _counting(desk, kind, day) for kind in TABLE_OF}
    if all(cells.empty for cells in wanted.values()):
        return ""
    scenario, mine = _branch(desk), snapshots(desk)
    mine = mine[mine["day"] == pd.Timestamp(day)]
    if len(mine) and all(
        _same(_frozen_state(desk, kind, str(mine["name"].iloc[-1])), cells) for kind, cells in wanted.items()
    ):
        return str(mine["name"].iloc[-1])
    signer, version = author or desk.author, len(mine) + 1
    for kind, cells in wanted.items():
        now = _frozen_state(desk, kind, None)
        gone = now[
            ~pd.MultiIndex.from_frame(now[list(KEYS)]).isin(pd.MultiIndex.from_frame(cells[list(KEYS)]))
        ]
        parts = [cells.assign(withdrawn=False), gone[list(cells.columns)].assign(withdrawn=True)]
        step = pd.concat([part for part in parts if len(part)] or parts[:1])
        words = f"{desk.cycle}: {len(cells)} {kind if len(cells) == 1 else TABLE_OF[kind]} counted by {day}"
        desk.ledger.commit(kind, step, author=signer, message=words, scenario=scenario)
    note = f"what counted by the end of {day}"
    names = [_sign(desk, kind, day, version, signer, note) for kind, cells in wanted.items() if len(cells)]
    return names[0]


def frozen(desk: Desk, name: str) -> Snapshot:
    """Give a snapshot back as it was signed.

    Raises
    ------
    LedgerError
        If there is no snapshot of that name in this cycle.
    """
    known = snapshots(desk)
    mine = known[known["name"] == name]
    if mine.empty:
        raise LedgerError(
            f"There is no snapshot '{name}'.",
            where=desk.cycle,
            remedy=f"Frozen so far: {', '.join(known['name']) or 'none'}.",
        )
    parts = {kind: words_of(kind, _frozen_state(desk, kind, name)) for kind in TABLE_OF}
    return Snapshot(name, mine["day"].iloc[0].date(), parts[SUBMISSION], parts[OVERRIDE])


def snapshots(desk: Desk) -> pd.DataFrame:
    """List the snapshots of the cycle by day and version.

    Returns
    -------
    pd.DataFrame
        name, day, version, cells, author, time (UTC), commit, id (of the sign-off).
    """
    signed = desk.ledger.sign_offs()
    mine = signed[(signed[SCENARIO] == _branch(desk)) & ((signed["kind"] == SUBMISSION) | ~_twin(signed))]
    parts = mine["name"].str.extract(r"(?P<day>\d{4}-\d{2}-\d{2}) v(?P<version>\d+)$")
    table = mine.assign(day=pd.to_datetime(parts["day"]), version=parts["version"].astype("int64"))
    return table.sort_values(["day", "version"], ignore_index=True)[list(COLUMNS)]


def _twin(signed: pd.DataFrame) -> pd.Series:
    """Tell which sign-offs of overrides stand beside one of submissions, and so are the second half of a snapshot."""
    beside = signed["name"].str.replace(f" {TABLE_OF[OVERRIDE]} ", f" {TABLE_OF[SUBMISSION]} ", regex=False)
    return (signed["kind"] == OVERRIDE) & beside.isin(signed["name"])


def _branch(desk: Desk) -> str:
    return f"{desk.cycle} frozen"


def _sign(desk: Desk, kind: str, day: dt.date, version: int, author: str, note: str) -> str:
    name = f"{desk.cycle} {TABLE_OF[kind]} {day} v{version}"
    desk.ledger.sign_off(name, kind=kind, author=author, note=note, scenario=_branch(desk))
    return name


def _counting(desk: Desk, kind: str, day: dt.date) -> pd.DataFrame:
    heard = submissions_heard(desk) if kind == SUBMISSION else overrides_heard(desk)
    nodes = desk.tree.leaves if kind == SUBMISSION else desk.tree.nodes
    mine = heard[heard[PERIOD].isin(desk.months) & heard[NODE].isin(nodes)]
    last = latest_words(mine, AT[kind], cut_off=day)
    return cells_of(kind, last, measure=desk.company.measure, unit=desk.currency)


def _frozen_state(desk: Desk, kind: str, name: str | None) -> pd.DataFrame:
    if desk.ledger.head(_branch(desk)) is None:
        return pd.DataFrame(columns=list(STATE_COLUMNS))
    return desk.ledger.state(kind, as_of=name, scenario=_branch(desk))


def _same(state: pd.DataFrame, cells: pd.DataFrame) -> bool:
    now = cells.sort_values(list(KEYS), ignore_index=True)
    return (
        len(state) == len(now)
        and bool(state[list(KEYS)].astype("str").equals(now[list(KEYS)].astype("str")))
        and bool(equal_payload(state[list(PAYLOAD)], now[list(PAYLOAD)]).all())
    )
