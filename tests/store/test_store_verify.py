"""Nothing in the file can be altered, removed or reordered without being found."""

import datetime as dt
import shutil
import sqlite3
from contextlib import closing

import pandas as pd
import pytest

from spms_lib.errors import IntegrityError, LedgerError
from spms_lib.store.ledger import Ledger

NOON = dt.datetime(2026, 1, 5, 12)


def fill(path):
    cells = pd.DataFrame(
        {
            "node": ["north", "south"],
            "period": "2026-01",
            "measure": "revenue",
            "item": ["commit", ""],
            "value": pd.array([100, None], dtype="Int64"),
            "unit": "EUR",
            "text": ["why", None],
        }
    )
    with Ledger.open(path) as ledger:
        ledger.commit("plan", cells, author="Ada", message="first", at=NOON)
        ledger.sign_off("P1", kind="plan", author="Ada", note="board", at=NOON)
        ledger.commit("plan", cells.assign(value=cells["value"] + 1), author="Ben", message="second", at=NOON)
        ledger.commit("targets", cells, author="Ben", message="bold", scenario="bold", at=NOON)
        ledger.commit("targets", cells.assign(withdrawn=[True, False]), author="Cy", message="third", at=NOON)
        ledger.sign_off("P2", kind="plan", author="Ada", at=NOON)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    path = tmp_path_factory.mktemp("ledger") / "good.sqlite"
    fill(path)
    return path


@pytest.fixture
def path(good, tmp_path):
    return shutil.copy(good, tmp_path / "ledger.sqlite")


def tamper(path, statement, *values):
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(statement, values).rowcount == 1


def problems(path):
    with Ledger.open(path) as ledger:
        return ledger.verify()


def rows_of(path):
    """All rows of all tables, as (table, rowid, column, value)."""
    with closing(sqlite3.connect(path)) as connection:
        found = []
        for table in ("commits", "cells", "signoffs", "journal"):
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            for rowid, *values in connection.execute(f"SELECT rowid, * FROM {table}"):
                found += [
                    (table, rowid, column, value) for column, value in zip(columns, values, strict=True)
                ]
        return found


def altered(value):
    if isinstance(value, int):
        return [value + 1, value - 1, None, str(value) + "x", value + 0.5]
    if value is None:
        return ["", "x", 0]
    return [value + "x", value[:-1] if value else "y", None, value.swapcase(), b"\xff\xfe"]


def test_an_untouched_ledger_has_no_problems(good):
    found = problems(good)
    assert found.columns.tolist() == ["seq", "id", "problem", "detail"]
    assert found.empty


def test_every_single_field_of_every_row_that_is_altered_is_found(path):
    fields = rows_of(path)
    assert len(fields) > 100
    missed, tried = [], 0
    with closing(sqlite3.connect(path)) as connection, Ledger.open(path) as ledger:
        connection.execute("PRAGMA foreign_keys = OFF")
        for table, rowid, column, value in fields:
            for number, other in enumerate(altered(value)):
                if other == value:
                    continue
                update = f"UPDATE OR FAIL {table} SET {column} = ? WHERE rowid = ?"
                try:
                    connection.execute(update, (other, rowid))
                except sqlite3.IntegrityError:  # the table itself refuses it
                    connection.rollback()
                    continue
                connection.commit()
                tried += 1
                if ledger.verify().empty:
                    missed.append((table, rowid, column, number, value, other))
                connection.execute(update, (value, rowid))
                connection.commit()
        assert ledger.verify().empty
    assert missed == []
    assert tried > 300


def test_every_single_row_that_is_deleted_is_found(path):
    found = sorted({(table, rowid) for table, rowid, *_ in rows_of(path)})
    for table, rowid in found:
        copy = shutil.copy(path, path.with_name("copy.sqlite"))
        tamper(copy, f"DELETE FROM {table} WHERE rowid = ?", rowid)
        assert not problems(copy).empty, (table, rowid)


@pytest.mark.parametrize(
    ("statement", "problem", "seq"),
    [
        ("UPDATE cells SET value = 101 WHERE seq = 1 AND node = 'north'", "changed cells", 1),
        ("UPDATE cells SET value = 0 WHERE seq = 1 AND node = 'south'", "changed cells", 1),
        ("DELETE FROM cells WHERE seq = 1 AND node = 'north'", "wrong number of cells", 1),
        ("UPDATE commits SET message = 'other' WHERE seq = 2", "changed commit", 2),
        ("UPDATE commits SET author = 'Eve' WHERE seq = 2", "changed commit", 2),
        ("UPDATE commits SET time = '2026-01-06T12:00:00.000000Z' WHERE seq = 2", "changed commit", 2),
        ("UPDATE commits SET parent = NULL WHERE seq = 2", "broken chain", 2),
        ("DELETE FROM commits WHERE seq = 2", "gap in the numbers", 3),
        ("DELETE FROM commits WHERE seq = 4", "missing commit", None),
        ("DELETE FROM commits WHERE seq = 3", "cells without a commit", 3),
        ("UPDATE signoffs SET note = 'nobody' WHERE name = 'P1'", "changed sign-off", 1),
        ("DELETE FROM signoffs WHERE name = 'P2'", "missing sign-off", None),
        ("DELETE FROM journal WHERE entry = 6", "changed journal", None),
        ("DELETE FROM commits WHERE seq = 1", "sign-off without its commit", None),
    ],
)
def test_a_problem_is_named_where_it_is(path, statement, problem, seq):
    tamper(path, statement)
    found = problems(path)
    named = found.loc[found["problem"] == problem, "seq"]
    assert seq in [None if pd.isna(number) else int(number) for number in named]


def test_two_commits_that_change_places_are_found(path):
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in ("commits", "cells"):
            for old, new in ((1, -1), (2, 1), (-1, 2)):
                connection.execute(f"UPDATE {table} SET seq = ? WHERE seq = ?", (new, old))
    assert {"changed commit", "broken chain"} <= set(problems(path)["problem"])


def test_a_signed_state_that_no_longer_replays_is_found(path):
    tamper(path, "UPDATE cells SET value = 101 WHERE seq = 1 AND node = 'north'")
    found = problems(path)
    assert (
        "'P1' asserts other totals"
        in found.loc[found["problem"] == "sign-off does not hold", "detail"].item()
    )


def test_a_commit_noted_elsewhere_must_still_be_there(path):
    with Ledger.open(path) as ledger:
        assert ledger.verify(known=[ledger.head(), ledger.signed("P1").id]).empty
        assert ledger.verify(known=["f" * 64])["problem"].tolist() == ["missing commit"]


def test_assert_intact_names_the_first_problem(path):
    with Ledger.open(path) as ledger:
        ledger.assert_intact()
    tamper(path, "UPDATE commits SET author = 'Eve' WHERE seq = 2")
    with (
        Ledger.open(path) as ledger,
        pytest.raises(IntegrityError, match=r"first commit 2, changed commit: The commit of Eve .* Restore"),
    ):
        ledger.assert_intact()


def test_text_that_cannot_be_read_is_a_problem_and_no_crash(path):
    tamper(path, "UPDATE commits SET message = CAST(x'ff' AS TEXT) WHERE seq = 2")
    assert problems(path)["problem"].tolist() == ["unreadable"]


def test_a_damaged_page_is_found(path):
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 2000)
    try:
        found = len(problems(path))
    except LedgerError:  # the page was needed to read at all
        found = 1
    assert found > 0
