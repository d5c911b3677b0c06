"""Verification: whether every row still says what it said when it was written.

Every hash is computed again, every chain followed, every sign-off replayed. Whoever can
rewrite all hashes of the file can still forge a ledger that fits itself; against that,
note ids outside of it (a run's manifest does) and pass them as `known`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

import pandas as pd
from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from spms_lib.errors import LedgerError
from spms_lib.store.cells import COLUMNS as CELL_COLUMNS
from spms_lib.store.commits import commit_hash
from spms_lib.store.engines import file_problems
from spms_lib.store.hashing import FIRST, cells_hash, entry_hash
from spms_lib.store.schema import SEQ, cells, commits, journal, signoffs
from spms_lib.store.signoff import assertion_of, signoff_hash
from spms_lib.store.state import state

COLUMNS: Final = ("seq", "id", "problem", "detail")


class Problem(NamedTuple):
    """Something that the ledger itself never writes.

    Attributes
    ----------
    seq
        Number of the commit it concerns; None where there is none.
    id
        Id of the commit or sign-off it concerns.
    """

    seq: int | None
    id: str
    problem: str
    detail: str


def verify(connection: Connection, *, known: Iterable[str] = ()) -> pd.DataFrame:
    """List what is wrong with the ledger; no rows when nothing is. Columns `COLUMNS`."""
    found: list[Problem] = []
    try:
        found += [Problem(None, "", "damaged file", text) for text in file_problems(connection)]
        found += _problems(connection, known)
    except SQLAlchemyError as error:
        found.append(Problem(None, "", "unreadable", str(getattr(error, "orig", error))))
    texts = {name: pd.Series([str(getattr(one, name)) for one in found], dtype="str") for name in COLUMNS[1:]}
    numbers = [one.seq if isinstance(one.seq, int) else None for one in found]
    return pd.DataFrame({"seq": pd.array(numbers, dtype="Int64"), **texts})


def _problems(connection: Connection, known: Iterable[str]) -> Iterator[Problem]:
    rows = list(connection.execute(select(commits).order_by(commits.c.seq)).mappings())
    signed = list(connection.execute(select(signoffs).order_by(signoffs.c.name)).mappings())
    yield from _order(rows)
    yield from _parents(rows)
    yield from _contents(connection, rows)
    yield from _signoff_problems(connection, signed, {row["id"]: row for row in rows})
    yield from _journal_problems(connection, rows, signed)
    there = {row["id"] for row in [*rows, *signed]}
    for one in known:
        if one not in there:
            detail = "Its id was noted elsewhere, but the ledger has no such commit or sign-off."
            yield Problem(None, one, "missing commit", detail)


def _order(rows: Sequence[Mapping[Any, Any]]) -> Iterator[Problem]:
    for expected, row in enumerate(rows, start=1):
        if row["seq"] != expected:
            detail = f"Commit number {expected} is missing; the next one is number {row['seq']}."
            yield Problem(row["seq"], row["id"], "gap in the numbers", detail)
            return


def _parents(rows: Sequence[Mapping[Any, Any]]) -> Iterator[Problem]:
    heads: dict[str, str] = {}
    for row in rows:
        expected = heads.get(row["scenario"])
        if row["parent"] != expected:
            detail = f"Its parent is {_short(row['parent'])}, but the commit before it is {_short(expected)}."
            yield Problem(row["seq"], row["id"], "broken chain", detail)
        heads[row["scenario"]] = row["id"]


def _contents(connection: Connection, rows: Sequence[Mapping[Any, Any]]) -> Iterator[Problem]:
    ordered = select(cells.c[SEQ], *(cells.c[name] for name in CELL_COLUMNS)).order_by(cells.c[SEQ])
    stored: dict[Any, tuple[int, str]] = {}
    for seq, group in groupby(connection.execute(ordered), key=lambda row: row[0]):
        payloads = [tuple(row[1:]) for row in group]
        stored[seq] = (len(payloads), cells_hash(payloads))
    for row in rows:
        count, digest = stored.pop(row["seq"], (0, cells_hash([])))
        if count != row["cells"]:
            detail = f"It has {count} cells, and {row['cells']} were committed."
            yield Problem(row["seq"], row["id"], "wrong number of cells", detail)
        if digest != row["cells_hash"]:
            yield Problem(
                row["seq"], row["id"], "changed cells", "Its cells are not those that were committed."
            )
        if commit_hash(row) != row["id"]:
            detail = f"The commit of {row['author']} on {row['time']} is not as it was written."
            yield Problem(row["seq"], row["id"], "changed commit", detail)
    for seq, (count, _) in stored.items():
        yield Problem(seq, "", "cells without a commit", f"{count} cells belong to no commit.")


def _signoff_problems(
    connection: Connection, signed: Sequence[Mapping[Any, Any]], by_id: Mapping[Any, Mapping[Any, Any]]
) -> Iterator[Problem]:
    for row in signed:
        commit = by_id.get(row["commit_id"])
        seq = commit["seq"] if commit else None
        if signoff_hash(row) != row["id"]:
            detail = f"'{row['name']}' is not as it was signed."
            yield Problem(seq, row["id"], "changed sign-off", detail)
        if commit is None:
            detail = f"'{row['name']}' signs commit {_short(row['commit_id'])}, which is not there."
            yield Problem(None, row["id"], "sign-off without its commit", detail)
        elif not _holds(connection, row, commit["seq"]):
            detail = f"'{row['name']}' asserts other totals or cells than its replay gives."
            yield Problem(seq, row["id"], "sign-off does not hold", detail)


def _holds(connection: Connection, row: Mapping[Any, Any], seq: int) -> bool:
    try:
        replayed = assertion_of(state(connection, row["kind"], scenario=row["scenario"], last=seq))
    except (LedgerError, TypeError):
        return False
    return all(row[field] == said for field, said in replayed.items())


def _journal_problems(
    connection: Connection, rows: Sequence[Mapping[Any, Any]], signed: Sequence[Mapping[Any, Any]]
) -> Iterator[Problem]:
    subjects = {("commit", row["id"]): row["seq"] for row in rows}
    subjects |= {("sign-off", row["id"]): None for row in signed}
    before = FIRST
    for expected, line in enumerate(connection.execute(select(journal).order_by(journal.c.entry)), start=1):
        entry, subject, subject_id, digest = line
        if (entry, digest) != (expected, entry_hash(before, expected, subject, subject_id)):
            detail = f"Line {expected} is missing, or it is not as it was written."
            yield Problem(None, str(subject_id), "changed journal", detail)
        if (subject, subject_id) in subjects:
            del subjects[subject, subject_id]
        else:
            detail = f"The journal has a {subject} {_short(subject_id)} that is not there."
            yield Problem(None, str(subject_id), f"missing {subject}", detail)
        before = digest
    for (subject, subject_id), seq in subjects.items():
        yield Problem(seq, subject_id, "changed journal", f"The journal does not know this {subject}.")


def _short(commit_id: object) -> str:
    return "none" if commit_id is None else str(commit_id)[:12]
