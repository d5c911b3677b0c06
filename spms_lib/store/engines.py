"""The one place that knows SQLite: opening the file, its settings, its lock, its own check.

Another database is added here, and nowhere else: its settings, and a lock that
lets one writer in at a time.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, inspect, make_url, select
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from spms_lib.errors import LedgerError
from spms_lib.store.schema import SCHEMA_VERSION, VERSION_NAME, about, metadata

BUSY_SECONDS: Final = 60
_WRITING: Final = "spms_writing"
_RESTORE: Final = "Restore it from a copy, or name another file."


def open_engine(place: Path | str, *, create: bool) -> Engine:
    """Open the database of a ledger, and make an empty one where there is none and `create` allows it.

    A new file appears complete or not at all, so two processes may open it at once.

    Raises
    ------
    LedgerError
        If the file is missing, empty, damaged, no ledger, or of a newer version.
    """
    path = _path_of(place)
    if path is None:
        engine = _engine(None)
        _make_tables(engine)
        return engine
    if path.is_dir():
        raise LedgerError("This is a folder, not a ledger.", where=str(path), remedy="Name a file in it.")
    if not path.exists():
        if not create:
            raise LedgerError(
                "There is no ledger here.",
                where=str(path),
                remedy="Check the path, or open it with create=True.",
            )
        _create_file(path)
    if path.stat().st_size == 0:
        raise LedgerError("The file is empty, so it is no ledger.", where=str(path), remedy=_RESTORE)
    engine = _engine(path)
    try:
        _refuse_strangers(engine, str(path))
    except BaseException:
        engine.dispose()
        raise
    return engine


@contextmanager
def reading(engine: Engine, where: str) -> Iterator[Connection]:
    """Give a connection that sees one unchanging state of the ledger."""
    with _translated(where), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine, where: str) -> Iterator[Connection]:
    """Give the only connection that may write; all is kept at the end, or nothing after an error."""
    with _translated(where), engine.connect() as connection:
        connection.execution_options(**{_WRITING: True})
        with connection.begin():
            yield connection


def file_problems(connection: Connection) -> list[str]:
    """Ask the database whether its own pages and indexes are sound; empty when they are."""
    answers = connection.exec_driver_sql("PRAGMA integrity_check(20)").scalars().all()
    return [str(answer) for answer in answers if answer != "ok"]


def _path_of(place: Path | str) -> Path | None:
    """Return the file of an address; None for a ledger in memory."""
    if isinstance(place, Path) or "://" not in place:
        return Path(place)
    url = make_url(place)
    if url.get_backend_name() != "sqlite" or url.query:
        raise LedgerError(
            f"The address starts with '{url.drivername}' or has options; only plain SQLite can be opened.",
            remedy="Use a path, or sqlite:/// followed by a path.",
        )
    return None if url.database in (None, "", ":memory:") else Path(str(url.database))


def _engine(path: Path | None) -> Engine:
    address = URL.create("sqlite", database=None if path is None else str(path))
    engine = create_engine(address, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by `_begin`, never behind our back
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITING)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _make_tables(engine: Engine) -> None:
    with engine.begin() as connection:
        metadata.create_all(connection)
        connection.execute(insert(about), {"name": VERSION_NAME, "content": SCHEMA_VERSION})


def _create_file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}-{uuid4().hex[:8]}.new")
    try:
        with closing(sqlite3.connect(fresh)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        engine = _engine(fresh)
        try:
            _make_tables(engine)
        finally:
            engine.dispose()
        _move_unless_there(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


def _move_unless_there(fresh: Path, path: Path) -> None:
    with suppress(FileExistsError):  # somebody was faster: theirs is as good
        try:
            os.link(fresh, path)
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            if not path.exists():
                fresh.rename(path)


def _refuse_strangers(engine: Engine, where: str) -> None:
    try:
        with engine.connect() as connection:
            missing = set(metadata.tables) - set(inspect(connection).get_table_names())
            found = None
            if not missing:
                version = select(about.c.content).where(about.c.name == VERSION_NAME)
                found = connection.execute(version).scalar()
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise LedgerError(
            f"The file is damaged or no ledger ({_reason(error)}).", where=where, remedy=_RESTORE
        ) from error
    if missing:
        raise LedgerError(
            f"This database is no ledger: it has no table {', '.join(sorted(missing))}.",
            where=where,
            remedy="Name another file.",
        )
    if found != SCHEMA_VERSION:
        raise LedgerError(
            f"The ledger has version {found or 'unknown'}, and this program reads version {SCHEMA_VERSION}.",
            where=where,
            remedy="Update the program, or open the ledger with the version that wrote it.",
        )


@contextmanager
def _translated(where: str) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        busy = isinstance(error, OperationalError) and "locked" in str(error)
        remedy = "Another process has been writing for a minute; try again." if busy else _RESTORE
        what = f"The database refused ({_reason(error)}); nothing of this step was kept."
        raise LedgerError(what, where=where, remedy=remedy) from error


def _reason(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error)
