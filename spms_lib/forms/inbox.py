"""A folder that forms come back to: every file is read, refused or named, and none stops the others."""

import datetime as dt
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pandas as pd

from spms_lib.collect.form import Answer
from spms_lib.errors import SpmsError
from spms_lib.findings import NOTED, REJECTED, findings, join, no_findings
from spms_lib.forms.read import FormOf, NewestIssue, read_form
from spms_lib.tables import LoadedTable
from spms_lib.text import shown

BOOKS: Final = (".xlsx", ".xlsm")
TABLES: Final = (".csv", ".csv.gz", ".tsv", ".txt", ".parquet", ".pq")

REFUSED: Final = "file was refused"
NOT_A_FILE: Final = "not a plain file; not read"
HIDDEN_FILE: Final = "hidden or lock file; not read"
OTHER_KIND: Final = "kind of file that is not read here"
ANSWERED_TWICE: Final = "another file answers the same form; the later one counts"

ReadTable = Callable[[str], LoadedTable]


@dataclass(frozen=True, slots=True)
class Inbox:
    """What a folder held.

    Attributes
    ----------
    answers
        One for each form that could be read, in the order of the files' names.
    loaded
        Tables dropped as CSV or Parquet files; their origin names the file.
    findings
        One or more for each file that is neither: the table is the file's name, the row 0 stands for all of it.
    """

    answers: list[Answer] = field(default_factory=list)
    loaded: list[LoadedTable] = field(default_factory=list)
    findings: pd.DataFrame = field(default_factory=no_findings)


def read_inbox(
    folder: Path,
    *,
    form_of: FormOf,
    newest: NewestIssue,
    at: dt.datetime | None = None,
    read_table: ReadTable | None = None,
) -> Inbox:
    """Read every file of a folder, in the order of their names; the folder's own folders are named, not entered.

    A refused file is one finding, and the next one is read. Links, pipes and folders are not followed.

    Parameters
    ----------
    form_of, newest
        See `spms_lib.forms.read.read_form`.
    at
        When the forms were sent; each file's own time of change (UTC, whole seconds) if not given, so that
        reading a folder twice says the same.
    read_table
        Reads a CSV or Parquet file of the folder by its name, such as with `spms_lib.sources.load.load_table`;
        such files are named in a finding if not given.
    """
    inbox = Inbox()
    found = []
    entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    for entry in entries:
        rule, remedy = _unread(entry, tables=read_table is not None)
        if rule:
            found.append(_of_file(entry.name, rule, "", remedy))
            continue
        try:
            if entry.name.lower().endswith(BOOKS):
                sent = at or _changed(entry)
                inbox.answers.append(read_form(Path(entry.path), form_of=form_of, newest=newest, at=sent))
            elif read_table is not None:
                inbox.loaded.append(read_table(entry.name))
        except SpmsError as error:
            found.append(_of_file(entry.name, REFUSED, error.what, error.remedy))
        except OSError as error:
            found.append(_of_file(entry.name, REFUSED, error.strerror or "", "Check that it may be read."))
    found += _answered_twice(inbox.answers)
    return Inbox(inbox.answers, inbox.loaded, join(*found))


def _unread(entry: "os.DirEntry[str]", *, tables: bool) -> tuple[str, str]:
    """Say why an entry of the folder is not read, and what to do; empty where it is read."""
    name = entry.name.lower()
    if not stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode):
        return NOT_A_FILE, "Put the file itself into the folder."
    if name.startswith((".", "~$")):
        return HIDDEN_FILE, "Close the workbook; delete the file if it stays."
    if not name.endswith((*BOOKS, *TABLES) if tables else BOOKS):
        return OTHER_KIND, "Save it as .xlsx, or move it elsewhere."
    return "", ""


def _changed(entry: "os.DirEntry[str]") -> dt.datetime:
    moment = dt.datetime.fromtimestamp(entry.stat(follow_symlinks=False).st_mtime, tz=dt.UTC)
    return moment.replace(microsecond=0, tzinfo=None)


def _answered_twice(answers: list[Answer]) -> list[pd.DataFrame]:
    templates = [answer.template for answer in answers]
    return [
        _of_file(each.origin, ANSWERED_TWICE, each.template, "Keep the file that counts.", severity=NOTED)
        for each in answers
        if templates.count(each.template) > 1
    ]


def _of_file(name: str, rule: str, value: str, remedy: str, *, severity: str = REJECTED) -> pd.DataFrame:
    return findings(shown(name), [0], "", rule, [value], remedy, severity=severity)
