"""The ledger of a company: every number that was committed, by whom, when and why.

Rows are only added. What holds today is the newest cell of every key; any day in the past
can be shown again; undoing is one more commit.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import pandas as pd
from sqlalchemy import Connection, Engine, make_url

from spms_lib.errors import IntegrityError, LedgerError
from spms_lib.store import commits, engines, history, signoff
from spms_lib.store import verify as checks
from spms_lib.store.cells import checked
from spms_lib.store.commits import Commit, Signature
from spms_lib.store.export import export
from spms_lib.store.moments import Moment, known_scenario, last_seq
from spms_lib.store.schema import MAIN, known_kind
from spms_lib.store.signoff import SignOff
from spms_lib.store.state import state


class Ledger:
    """An open ledger; close it, or use it in a `with` statement.

    All times are UTC: a time without a zone is taken as UTC, and frames show UTC without a zone.
    A *moment* is a day (its end), a time, the id of a commit (or its first four characters or
    more), or the name of a sign-off.

    Examples
    --------
    >>> cells = pd.DataFrame({"node": ["north"], "period": ["2026-01"], "measure": ["revenue"], "value": [100]})
    >>> with Ledger.open("sqlite://") as ledger:  # in memory; usually a path
    ...     first = ledger.commit("targets", cells, author="Ada", message="first plan")
    ...     again = ledger.commit("targets", cells, author="Ada", message="the same")
    ...     ledger.state("targets")["value"].tolist(), again is None
    ([100], True)
    """

    def __init__(self, engine: Engine, *, where: str) -> None:
        self._engine: Engine | None = engine
        self._where = where

    @classmethod
    def open(cls, place: Path | str, *, create: bool = True) -> Self:
        """Open the ledger in a file, and start an empty one where there is none.

        Parameters
        ----------
        place
            Path of the file, or an SQLAlchemy address of SQLite; `sqlite://` lives in memory.
        create
            False refuses a file that does not exist.

        Raises
        ------
        LedgerError
            If the file is missing, empty, damaged, no ledger, or of a newer version.
        """
        where = (
            make_url(place).render_as_string() if isinstance(place, str) and "://" in place else str(place)
        )
        return cls(engines.open_engine(place, create=create), where=where)

    def close(self) -> None:
        """Close the ledger; it may be closed twice."""
        if self._engine is not None:
            self._engine.dispose()
        self._engine = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def commit(
        self,
        kind: str,
        cells: pd.DataFrame,
        *,
        author: str,
        message: str,
        base: str | None = None,
        scenario: str = MAIN,
        at: dt.datetime | dt.date | None = None,
    ) -> Commit | None:
        """Store the cells that differ from the current state, as one commit or not at all.

        Parameters
        ----------
        kind
            One of `spms_lib.store.schema.KINDS`.
        cells
            Columns node, period, measure, value (whole minor units; null means nobody has said),
            and optionally item, unit, text, withdrawn. A withdrawn cell leaves the state; its value is
            ignored. One row per node, period, measure and item.
        base
            What `head` said when the caller read the state; "" if it said None. Cells that somebody
            changed since are then refused. None does not look.
        at
            Time of the commit, not before the newest one; now where left out.

        Returns
        -------
        Commit or None
            None if every cell is already as given, so running twice commits once.

        Raises
        ------
        StaleCommitError
            A `ConflictError`: cells were changed since `base`; its `conflicts` lists them.
        LedgerError
            If cells, kind, author or time are refused.
        """
        proposed = checked(cells)
        signature = Signature(author, message, scenario, at)
        with self._writing() as connection:
            return commits.propose(connection, known_kind(kind), proposed, signature, base=base)

    def revert(
        self,
        commit_id: str,
        *,
        author: str,
        message: str = "",
        scenario: str = MAIN,
        at: dt.datetime | dt.date | None = None,
    ) -> Commit:
        """Put the cells of a commit back to what they were before it, by one more commit.

        Cells that did not exist before are withdrawn.

        Raises
        ------
        StaleCommitError
            A `ConflictError`: the cells are no longer as that commit left them.
        """
        signature = Signature(author, message, scenario, at)
        with self._writing() as connection:
            return commits.revert(connection, commit_id, signature)

    def sign_off(
        self,
        name: str,
        *,
        kind: str,
        author: str,
        note: str = "",
        scenario: str = MAIN,
        at: dt.datetime | dt.date | None = None,
    ) -> SignOff:
        """Put a name to the state of one kind as it is now, with its totals.

        Signing the same state again under the same name returns the first sign-off; another
        state needs another name.

        Raises
        ------
        LedgerError
            If the name is taken for other content, or there is nothing to sign.
        """
        signature = Signature(author, note, scenario, at)
        with self._writing() as connection:
            return signoff.sign(connection, name, known_kind(kind), signature)

    def head(self, scenario: str = MAIN) -> str | None:
        """Return the id of the newest commit; None before the first."""
        with self._reading() as connection:
            newest = commits.head(connection, scenario)
        return None if newest is None else str(newest.id)

    def state(self, kind: str, *, as_of: Moment | None = None, scenario: str = MAIN) -> pd.DataFrame:
        """Return the cells of one kind that hold now, or held at a moment.

        Returns
        -------
        pd.DataFrame
            node, period, measure, item, value (Int64 minor units), unit, text, and the commit, author and
            time that set the cell; sorted by node, period, measure, item.
        """
        with self._reading() as connection:
            known_scenario(connection, scenario)
            last = last_seq(connection, as_of, scenario=scenario)
            return state(connection, known_kind(kind), scenario=scenario, last=last)

    def log(self, *, scenario: str = MAIN, kind: str | None = None, limit: int | None = None) -> pd.DataFrame:
        """List commits, newest first.

        Returns
        -------
        pd.DataFrame
            seq, id, time, author, kind, message, cells (how many), signoffs (names, with commas).
        """
        with self._reading() as connection:
            known_scenario(connection, scenario)
            wanted = None if kind is None else known_kind(kind)
            return history.log(connection, scenario=scenario, kind=wanted, limit=limit)

    def versions(
        self,
        kind: str,
        *,
        periods: Collection[str] | None = None,
        as_of: Moment | None = None,
        scenario: str = MAIN,
    ) -> pd.DataFrame:
        """List the cells of every commit of one kind up to a moment, oldest first: nothing is folded away.

        Parameters
        ----------
        periods
            Only cells of these periods; all where left out.

        Returns
        -------
        pd.DataFrame
            seq, commit, author, time and message of the commit; node, period, measure, item, value (Int64 minor
            units), unit, text, withdrawn (bool). In the order of the commits, then of the keys.

        Examples
        --------
        >>> cells = pd.DataFrame({"node": ["north"], "period": ["2026-01"], "measure": ["revenue"]})
        >>> with Ledger.open("sqlite://") as ledger:
        ...     for value in (100, 120):
        ...         _ = ledger.commit("targets", cells.assign(value=value), author="Ada", message="plan")
        ...     ledger.versions("targets")["value"].tolist()
        [100, 120]
        """
        with self._reading() as connection:
            known_scenario(connection, scenario)
            last = last_seq(connection, as_of, scenario=scenario)
            return history.versions(
                connection, known_kind(kind), scenario=scenario, last=last, periods=periods
            )

    def diff(
        self,
        before: Moment,
        after: Moment | None = None,
        *,
        kind: str | None = None,
        scenario: str = MAIN,
    ) -> pd.DataFrame:
        """Show what changed between two moments; `after` is now where left out.

        Returns
        -------
        pd.DataFrame
            kind, node, period, measure, item, change (added, changed or withdrawn), before, after and
            delta (minor units; delta is null where one side is null or the unit changed), unit_before,
            unit_after, text_before, text_after.
        """
        with self._reading() as connection:
            known_scenario(connection, scenario)
            first, last = (last_seq(connection, moment, scenario=scenario) for moment in (before, after))
            wanted = None if kind is None else known_kind(kind)
            return history.diff(connection, kind=wanted, scenario=scenario, before=first, after=last)

    def sign_offs(self) -> pd.DataFrame:
        """List sign-offs, oldest first.

        Returns
        -------
        pd.DataFrame
            name, kind, scenario, commit, author, time, note, cells, nulls (counts), id.
        """
        with self._reading() as connection:
            return signoff.signoff_table(signoff.all_signoffs(connection))

    def signed(self, name: str) -> SignOff:
        """Return one sign-off with its totals, or refuse the name with the known ones."""
        with self._reading() as connection:
            found = {one.name: one for one in signoff.all_signoffs(connection)}
        if name not in found:
            known = ", ".join(found) or "none yet"
            raise LedgerError(f"There is no sign-off '{name}'.", remedy=f"Known sign-offs: {known}.")
        return found[name]

    def verify(self, *, known: Iterable[str] = ()) -> pd.DataFrame:
        """Check every row against its hash, and every sign-off against its replay.

        Parameters
        ----------
        known
            Ids of commits or sign-offs that were noted elsewhere, and must still be there.

        Returns
        -------
        pd.DataFrame
            seq, id, problem, detail; no rows when the ledger is intact.
        """
        with self._reading() as connection:
            return checks.verify(connection, known=known)

    def assert_intact(self, *, known: Iterable[str] = ()) -> None:
        """Raise IntegrityError, naming the first problem, unless `verify` finds none."""
        problems = self.verify(known=known)
        if problems.empty:
            return
        first = problems.iloc[0]
        number = "" if pd.isna(first["seq"]) else f"commit {first['seq']}, "
        raise IntegrityError(
            f"{len(problems)} problems, first {number}{first['problem']}: {first['detail']}",
            where=self._where,
            remedy="Restore the file from a copy; verify() lists all problems.",
        )

    def export(self, folder: Path | str, *, csv: bool = False) -> list[Path]:
        """Write commits, cells, signoffs and journal as Parquet (or CSV) and return the files."""
        with self._reading() as connection:
            return export(connection, Path(folder), csv=csv)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with engines.reading(self._open_engine(), self._where) as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with engines.writing(self._open_engine(), self._where) as connection:
            yield connection

    def _open_engine(self) -> Engine:
        if self._engine is None:
            raise LedgerError("The ledger is closed.", where=self._where, remedy="Open it again.")
        return self._engine
