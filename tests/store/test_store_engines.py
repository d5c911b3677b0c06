"""Which files are opened as a ledger, and why the others are not."""

import sqlite3
from contextlib import closing

import pandas as pd
import pytest

from spms_lib.errors import LedgerError
from spms_lib.store.ledger import Ledger


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "ledger.sqlite"


def filled(path, cells, count=200):
    with Ledger.open(path) as ledger:
        lines = "\n".join(f"n{number} 2026-01 revenue 1" for number in range(count))
        ledger.commit("plan", cells(lines), author="Ada", message="")
    return path


def test_a_ledger_survives_closing_and_opening(path, cells):
    filled(path, cells)
    for place in (path, str(path), f"sqlite:///{path}"):
        with Ledger.open(place, create=False) as ledger:
            assert len(ledger.state("plan")) == 200
    assert [file.name for file in path.parent.iterdir()] == ["ledger.sqlite"]  # one file, nothing beside it


def test_the_file_is_set_up_for_many_processes(path, cells):
    filled(path, cells)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_no_ledger_is_made_unless_asked(path):
    with pytest.raises(LedgerError, match=r"There is no ledger here\. Check the path"):
        Ledger.open(path, create=False)
    assert not path.parent.exists()


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "plan.xlsx"
    path.write_bytes(b"node;value\nnorth;1\n" * 200)
    with pytest.raises(LedgerError, match=r"damaged or no ledger \(file is not a database\)\. Restore it"):
        Ledger.open(path)
    assert path.read_bytes() == b"node;value\nnorth;1\n" * 200


def test_another_programs_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE commits (a)")
    with pytest.raises(
        LedgerError, match=r"no ledger: it has no table about, cells, journal, signoffs\. Name another"
    ):
        Ledger.open(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (1,)


def test_an_emptied_file_is_not_taken_for_a_new_ledger(tmp_path):
    path = tmp_path / "ledger.sqlite"
    path.touch()
    with pytest.raises(LedgerError, match="empty, so it is no ledger"):
        Ledger.open(path)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_a_truncated_file_is_refused(path, cells, share):
    filled(path, cells, count=2000)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(LedgerError, match=r"damaged|refused"), Ledger.open(path) as ledger:
        ledger.state("plan")


@pytest.mark.parametrize("version", ["2", "", "x"])
def test_a_ledger_of_another_version_is_refused(path, cells, version):
    filled(path, cells)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE about SET content = ?", (version,))
    with pytest.raises(LedgerError, match=r"The ledger has version .* reads version 1\. Update the program"):
        Ledger.open(path)


def test_a_folder_is_not_a_ledger(tmp_path):
    with pytest.raises(LedgerError, match="folder, not a ledger"):
        Ledger.open(tmp_path)


def test_a_server_address_is_refused_without_showing_its_password():
    with pytest.raises(LedgerError, match="only plain SQLite") as refused:
        Ledger.open("postgresql://ada:secret@db/plans")
    assert "secret" not in str(refused.value)


def test_the_database_itself_refuses_cells_without_a_commit(path, cells):
    filled(path, cells)
    with (
        Ledger.open(path) as ledger,
        pytest.raises(LedgerError, match="FOREIGN KEY constraint failed"),
        ledger._writing() as connection,
    ):
        connection.exec_driver_sql("INSERT INTO cells VALUES (9, 'n', 'p', 'm', '', 1, '', NULL, 0)")


def wipe_and_fail(ledger):
    with ledger._writing() as connection:
        connection.exec_driver_sql("DELETE FROM cells")
        connection.exec_driver_sql("DELETE FROM nowhere")


def test_a_step_that_fails_keeps_nothing(path, cells):
    filled(path, cells)
    with Ledger.open(path) as ledger:
        with pytest.raises(LedgerError, match=r"no such table: nowhere.*nothing of this step"):
            wipe_and_fail(ledger)
        assert len(ledger.state("plan")) == 200
        assert ledger.verify().empty
        assert isinstance(ledger.log(), pd.DataFrame)
