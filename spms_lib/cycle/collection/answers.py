"""Answers into the ledger: from forms, from the company's files, from the notebook's grid or a web page; and reverts.

Every route ends in `record_answer`. A page or a grid builds an `Answer` from a plain frame and calls it; nothing else
writes what the field says, except `read_drop`, which reads the rows of the company's own tables in the same way.

A word is never changed or deleted. Sending again adds a version; a manager who takes an override back says so with an
empty amount, which is a word with a day of its own; `revert` is for what should never have been entered: from then on
it counts nowhere, and only snapshots that were signed before still hold it.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pandas as pd

from spms_lib.collect.accept import accept_overrides, accept_submissions
from spms_lib.collect.form import Answer
from spms_lib.cycle.collection.heard import speakers, unread
from spms_lib.cycle.collection.notes import NOTE, checked_notes, enter_notes
from spms_lib.cycle.collection.words import (
    AT,
    BY,
    KEY,
    ORIGIN,
    OVERRIDE,
    SUBMISSION,
    TABLE_OF,
    cells_of,
    fields_of,
    kept_words,
    typed,
)
from spms_lib.cycle.desk import Desk
from spms_lib.errors import LedgerError, SpmsError
from spms_lib.findings import COLUMN, REJECTED, REMEDY, RULE, SEVERITY, join
from spms_lib.findings import VALUE as GIVEN
from spms_lib.store.commits import Commit
from spms_lib.tables import PERIOD, VALUE, LoadedTable

_ACCEPT: Final[dict[str, Callable[..., tuple[pd.DataFrame, pd.DataFrame]]]] = {
    SUBMISSION: accept_submissions,
    OVERRIDE: accept_overrides,
}


class AnswerRefusedError(SpmsError):
    """Somebody said what they may not say, or said it so that it cannot be kept."""


@dataclass(frozen=True, eq=False)
class Recorded:
    """What became of an answer.

    Attributes
    ----------
    commits
        The commits that were made; none where the ledger holds all of it already.
    findings
        See `spms_lib.findings`: what was not kept, and what needs a look, such as a word after the cut-off.
    """

    commits: tuple[Commit, ...]
    findings: pd.DataFrame


def record_answer(
    desk: Desk, answer: Answer, *, author: str, at: dt.datetime | None = None, strict: bool = False
) -> Recorded:
    """Enter what came back on a form: submissions, overrides and notes, as far as the sender may say them.

    Parameters
    ----------
    author
        Who enters it; the sender stands in the rows.
    at
        When it was said (UTC, as the ledger has it), for rows without a time of their own; now where left out.
    strict
        True refuses the whole answer with the first row that cannot be kept, as fits somebody who sits before the
        screen; False keeps the good rows and tells of the others.

    Raises
    ------
    AnswerRefusedError
        If `strict` and a row cannot be kept; nothing of the answer is.
    """
    when = pd.Timestamp(at or dt.datetime.now(dt.UTC).replace(tzinfo=None)).floor("s")
    spoken = {SUBMISSION: answer.submissions, OVERRIDE: answer.overrides}
    checked = {kind: _checked(desk, answer, kind, rows, when) for kind, rows in spoken.items() if len(rows)}
    notes, strange = checked_notes(desk, answer, when=when)
    found = join(answer.findings, *(findings for _, findings in checked.values()), strange)
    if strict:
        _refuse_first(found, answer.origin)
    commits = [
        _enter(desk, kind, _new(desk, kind, good), author=author, what=f"{answer.person}, {answer.origin}")
        for kind, (good, _) in checked.items()
    ]
    commits.append(enter_notes(desk, notes, author=author, what=f"{answer.person}, {answer.origin}"))
    return Recorded(tuple(one for one in commits if one is not None), found)


def read_drop(desk: Desk, *, author: str = "") -> Recorded:
    """Enter the rows of the company's tables `submissions` and `overrides` on this quarter that the ledger has not.

    One commit holds the first words of all that are new, the next one their second words, and so on, each in the
    order in which they were sent; so there are as many commits as the most patient forecaster sent versions. Running
    it again commits nothing.
    """
    done = []
    for kind in (SUBMISSION, OVERRIDE):
        kept = kept_words(kind, desk.ledger.versions(kind, periods=desk.months))
        done.append(_read_rows(desk, kind, unread(desk, kind, kept).set_index("row"), author or desk.author))
    return _together(done)


def read_table(desk: Desk, loaded: LoadedTable, *, author: str = "") -> Recorded:
    """Enter the rows on this quarter of a table that was dropped beside the forms, in the same way: see `read_drop`.

    Parameters
    ----------
    loaded
        A table `submissions` or `overrides`, as `spms_lib.sources.load.load_table` reads it.
    """
    kind = {table: kind for kind, table in TABLE_OF.items()}[loaded.table]
    kept = kept_words(kind, desk.ledger.versions(kind, periods=desk.months))
    rows = unread(desk, kind, kept, loaded=loaded).set_index("row")
    told = _read_rows(desk, kind, rows, author or desk.author)
    return _together([told, Recorded((), loaded.findings)])


def _read_rows(desk: Desk, kind: str, rows: pd.DataFrame, author: str) -> Recorded:
    rows = rows[rows[PERIOD].isin(desk.months)]
    good, found = _accepted(desk, kind, rows, where=TABLE_OF[kind])
    good = good.sort_values(AT[kind], kind="stable")
    commits = []
    for number, batch in good.groupby(good.groupby(KEY).cumcount()):
        days = batch[AT[kind]].dt.strftime("%Y-%m-%d")
        what = f"{batch[ORIGIN].iloc[0]}, word {number + 1}, sent {days.min()} to {days.max()}"
        commits.append(_enter(desk, kind, batch, author=author, what=what))
    return Recorded(tuple(one for one in commits if one is not None), found)


def _together(done: list[Recorded]) -> Recorded:
    commits = tuple(commit for one in done for commit in one.commits)
    return Recorded(commits, join(*(one.findings for one in done)))


def revert(desk: Desk, commit_id: str, *, author: str, reason: str) -> Commit:
    """Take a commit of submissions, overrides or notes out again, because it should never have been entered.

    Raises
    ------
    LedgerError
        If no reason is given, the commit is of another kind, or its cells have moved on.
    """
    log = desk.ledger.log()
    mine = log[log["id"].str.startswith(commit_id.lower()) & log["kind"].isin([SUBMISSION, OVERRIDE, NOTE])]
    if len(mine) != 1 or not reason.strip():
        raise LedgerError(
            "A word is taken out without a reason."
            if len(mine) == 1
            else f"'{commit_id}' names no commit of submissions, overrides or notes, or several.",
            where=desk.cycle,
            remedy="Say why." if len(mine) == 1 else "See `spms collect log` for the commits.",
        )
    words = f"Reverts {mine['id'].iloc[0][:8]}: {reason}"
    return desk.ledger.revert(str(mine["id"].iloc[0]), author=author, message=words)


def _checked(
    desk: Desk, answer: Answer, kind: str, rows: pd.DataFrame, when: pd.Timestamp
) -> tuple[pd.DataFrame, pd.DataFrame]:
    told = rows.assign(origin=answer.origin, template=answer.template)
    for name in (BY[kind], AT[kind], "route"):
        told[name] = told.get(name)
    told = typed(kind, told).reset_index(drop=True)
    told[BY[kind]] = told[BY[kind]].fillna(answer.person)
    told[AT[kind]] = told[AT[kind]].fillna(when)
    told["route"] = told["route"].fillna("form")
    told.index = told.index + 1
    return _accepted(desk, kind, told, where=answer.origin)


def _accepted(desk: Desk, kind: str, rows: pd.DataFrame, *, where: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    return _ACCEPT[kind](rows, speakers(desk), desk.months, cut_off=desk.params.collect_as_of, where=where)


def _new(desk: Desk, kind: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Keep the words that nobody has heard: not the last one again, and none that was entered before with its time."""
    kept = kept_words(kind, desk.ledger.versions(kind, periods=desk.months))
    words = [
        *KEY,
        VALUE,
        *(name for name in fields_of(kind) if name not in {AT[kind], "route", "origin", "template"}),
    ]
    stands = kept[kept["stands"]].sort_values([AT[kind], "seq"], kind="stable")
    last = stands.drop_duplicates(KEY, keep="last")
    fresh = rows.drop_duplicates(KEY, keep="last")
    for held, same in ((last, words), (kept, [*KEY, VALUE, AT[kind]])):
        pairs = fresh.merge(held[same].drop_duplicates(), on=same, how="left", indicator="held")
        fresh = fresh[(pairs["held"] == "left_only").to_numpy()]
    return fresh


def _enter(desk: Desk, kind: str, rows: pd.DataFrame, *, author: str, what: str) -> Commit | None:
    if rows.empty:
        return None
    cells = cells_of(kind, rows, measure=desk.company.measure, unit=desk.currency)
    words = f"{desk.cycle}: {len(rows)} {TABLE_OF[kind] if len(rows) > 1 else kind} ({what})"
    return desk.ledger.commit(kind, cells, author=author, message=words)


def _refuse_first(found: pd.DataFrame, where: str) -> None:
    wrong = found[found[SEVERITY] == REJECTED]
    if len(wrong):
        one = wrong.iloc[0]
        told = f" ({one[GIVEN]})" if one[GIVEN] else ""
        raise AnswerRefusedError(f"{one[COLUMN]}: {one[RULE]}{told}.", where=where, remedy=one[REMEDY])
