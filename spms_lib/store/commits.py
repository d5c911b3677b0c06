"""Commits: adding them, one after the other, and undoing one by another."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from sqlalchemy import Connection, Row, func, insert, select

from spms_lib.errors import LedgerError
from spms_lib.store.cells import COLUMNS, counted, differing, equal_payload, frame_of, rows_of
from spms_lib.store.conflicts import ConflictError, conflict_table
from spms_lib.store.hashing import FIRST, cells_hash, entry_hash, record_hash
from spms_lib.store.moments import commit_seq, parse_time, stamp
from spms_lib.store.schema import KEYS, PAYLOAD, SEQ, WITHDRAWN, cells, commits, journal
from spms_lib.store.state import fold

COMMIT_FIELDS: Final = (
    "seq",
    "parent",
    "scenario",
    "kind",
    "author",
    "time",
    "message",
    "cells",
    "cells_hash",
)


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of the ledger.

    Attributes
    ----------
    seq
        Its number; later commits have higher ones, over all scenarios.
    id
        Hash over its content and its parent's id; any first characters that are unique name it.
    parent
        Id of the commit before it in the same scenario; None for the first.
    time
        When it was made, UTC without a zone.
    cells
        How many cells it changed.
    """

    seq: int
    id: str
    parent: str | None
    scenario: str
    kind: str
    author: str
    time: dt.datetime
    message: str
    cells: int


@dataclass(frozen=True, slots=True)
class Signature:
    """Who commits, with which words, where and when; `at` None takes the clock."""

    author: str
    message: str
    scenario: str
    at: dt.datetime | dt.date | None

    def __post_init__(self) -> None:
        if not isinstance(self.author, str) or not self.author.strip():
            raise LedgerError("The commit has no author.", remedy="Say who makes it: author='name'.")
        if not isinstance(self.scenario, str) or not self.scenario.strip():
            raise LedgerError("The scenario has no name.", remedy="Use 'main', or a name of your own.")


def head(connection: Connection, scenario: str) -> Row[Any] | None:
    """Return the newest commit's row of a scenario, or None."""
    newest = select(commits).where(commits.c.scenario == scenario).order_by(commits.c.seq.desc()).limit(1)
    return connection.execute(newest).first()


def propose(
    connection: Connection, kind: str, proposed: pd.DataFrame, signature: Signature, *, base: str | None
) -> Commit | None:
    """Store the proposed cells that say something new, unless somebody changed them since `base`."""
    newest = _highest(connection)
    current = fold(connection, kind, scenario=signature.scenario, last=newest, about=proposed)
    changed = differing(proposed, current)
    if base is not None:
        _refuse_if_moved_on(connection, kind, changed, current, signature.scenario, base)
    return append(connection, kind, changed, signature) if len(changed) else None


def revert(connection: Connection, commit_id: str, signature: Signature) -> Commit:
    """Store a commit that puts the cells of another one back to what they were before it."""
    seq = commit_seq(connection, commit_id)
    undone = connection.execute(select(commits).where(commits.c.seq == seq)).one()
    if undone.scenario != signature.scenario:
        raise LedgerError(
            f"Commit {undone.id[:12]} belongs to scenario '{undone.scenario}', not '{signature.scenario}'.",
            remedy=f"Pass scenario='{undone.scenario}'.",
        )
    rows = connection.execute(select(*(cells.c[name] for name in COLUMNS)).where(cells.c.seq == seq)).all()
    left = frame_of(rows, COLUMNS)
    then = fold(connection, undone.kind, scenario=undone.scenario, last=seq - 1, about=left)
    now = fold(connection, undone.kind, scenario=undone.scenario, last=_highest(connection), about=left)
    restored = left[list(KEYS)].merge(then[list(COLUMNS)], on=list(KEYS), how="left")
    restored[WITHDRAWN] = restored[WITHDRAWN].astype("boolean").fillna(value=True).astype(bool)
    restored["unit"] = restored["unit"].fillna("")
    today = left[list(KEYS)].merge(now, on=list(KEYS), how="left")
    moved = ~equal_payload(left, today) | (left[WITHDRAWN] != today[WITHDRAWN]).to_numpy(dtype=bool)
    if moved.any():
        raise ConflictError(
            f"{counted(int(moved.sum()))} no longer as commit {undone.id[:12]} left them",
            conflict_table(restored[moved], left[moved], today[moved]),
            remedy="Revert the later commits first, or commit the values you want.",
        )
    words = signature.message or f"Reverts {undone.id[:12]}: {undone.message}"
    return append(
        connection,
        undone.kind,
        restored,
        Signature(signature.author, words, signature.scenario, signature.at),
    )


def append(connection: Connection, kind: str, changed: pd.DataFrame, signature: Signature) -> Commit:
    """Write one commit with its cells and its line in the journal; the caller holds the write lock."""
    before = head(connection, signature.scenario)
    rows = rows_of(changed.assign(**{WITHDRAWN: changed[WITHDRAWN].astype("int64")}), COLUMNS)
    content: dict[str, object] = {
        "seq": _highest(connection) + 1,
        "parent": before.id if before else None,
        "scenario": signature.scenario,
        "kind": kind,
        "author": signature.author,
        "time": stamp(signature.at, before.time if before else None),
        "message": signature.message,
        "cells": len(rows),
        "cells_hash": cells_hash(rows),
    }
    commit_id = commit_hash(content)
    connection.execute(insert(commits), {**content, "id": commit_id})
    _insert_cells(connection, content["seq"], rows)
    enter(connection, "commit", commit_id)
    return commit_of({**content, "id": commit_id})


def _insert_cells(connection: Connection, seq: object, rows: list[tuple[object, ...]]) -> None:
    """Insert the cells of a commit; as bare tuples where the database takes them, which halves the time of a million."""
    names = (SEQ, *COLUMNS)
    statement = insert(cells).compile(dialect=connection.dialect, column_keys=list(names))
    if statement.positional and tuple(statement.positiontup or ()) == names:
        connection.exec_driver_sql(str(statement), [(seq, *row) for row in rows])
    else:
        connection.execute(insert(cells), [dict(zip(names, (seq, *row), strict=True)) for row in rows])


def commit_hash(content: Mapping[str, object]) -> str:
    """Return the id of a commit with these fields."""
    return record_hash("commit", {name: content[name] for name in COMMIT_FIELDS})


def commit_of(content: Mapping[str, Any]) -> Commit:
    """Return a commit from the fields of its row."""
    plain = {
        name: content[name]
        for name in ("seq", "id", "parent", "scenario", "kind", "author", "message", "cells")
    }
    return Commit(**plain, time=parse_time(content["time"]))


def enter(connection: Connection, subject: str, subject_id: str) -> None:
    """Add the journal's line for a new commit or sign-off."""
    newest = select(journal).order_by(journal.c.entry.desc()).limit(1)
    last = connection.execute(newest).first()
    entry = last.entry + 1 if last else 1
    digest = entry_hash(last.hash if last else FIRST, entry, subject, subject_id)
    line = {"entry": entry, "subject": subject, "subject_id": subject_id, "hash": digest}
    connection.execute(insert(journal), line)


def _highest(connection: Connection) -> int:
    return connection.execute(select(func.max(commits.c.seq))).scalar() or 0


def _refuse_if_moved_on(
    connection: Connection, kind: str, changed: pd.DataFrame, current: pd.DataFrame, scenario: str, base: str
) -> None:
    read_at = commit_seq(connection, base) if base else 0
    touched = current[current[SEQ] > read_at]
    clashing = changed.merge(touched[list(KEYS)], on=list(KEYS))
    if clashing.empty:
        return
    then = fold(connection, kind, scenario=scenario, last=read_at, about=clashing)
    raise ConflictError(
        f"{counted(len(clashing))} changed by somebody else since you read them",
        conflict_table(clashing, then[[*KEYS, *PAYLOAD]], touched),
        remedy="Read the state again, look at their changes, and commit only the cells you still want to change.",
    )
