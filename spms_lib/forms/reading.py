"""Rows and findings of one workbook as its sheets are read."""

from pathlib import Path
from typing import Any, Final

import pandas as pd

from spms_lib.collect.form import Form
from spms_lib.findings import COLUMN, NOTED, REJECTED, findings
from spms_lib.forms.cells import Cell, read_cell, shown_cell
from spms_lib.forms.layout import (
    HELP,
    HISTORY_SHEET,
    MARK,
    NOTE_FIELDS,
    NOTES,
    NOTES_KEY,
    SHEET_OF,
    TARGETS_SHEET,
    TOTAL_KEY,
    Field,
    asked_rows,
    fields_of,
    locked_texts,
)
from spms_lib.forms.locked import check_row, find_header
from spms_lib.forms.page import Page, pages_of
from spms_lib.tables import CATEGORY, NODE, PERIOD, VALUE
from spms_lib.text import shown

ROW_MISSING: Final = "row of the form is missing; read as nobody has said"
ROW_ADDED: Final = "row that is not part of the form"
SHEET_MISSING: Final = "sheet of the form is missing; read as nobody has said"
SHEET_RENAMED: Final = "sheet was renamed"
SHEET_TWICE: Final = "sheet stands in the workbook twice; this one is not read"
SHEET_ADDED: Final = "sheet that is not part of the form; not read"

_TYPES: Final = {VALUE: "Int64", "low": "Int64", "high": "Int64", "confidence": "float64"}
_AS_SENT: Final = "Fill in the form as it was sent."
_KEY: Final = [NODE, PERIOD, CATEGORY, "kind"]


class Reading:
    """What one workbook said so far: rows with the places of their cells, and findings."""

    def __init__(self, form: Form, pages: list[Page], origin: str, path: Path) -> None:
        self.form, self.pages, self.origin, self.path = form, pages, origin, path
        self.found: list[pd.DataFrame] = []
        self._rows: list[dict[str, Any]] = []
        self._places: dict[tuple[int, str], str] = {}
        self._known: set[str] = {HISTORY_SHEET, TARGETS_SHEET, HELP}
        self._results: list[Page] = []

    def frame(self, columns: tuple[str, ...], *, since: int = 0) -> pd.DataFrame:
        """Return the rows read after a number of rows, numbered on."""
        part = self._rows[since:]
        numbers = range(since + 1, since + 1 + len(part))
        frame = pd.DataFrame(part, columns=list(columns), index=numbers, dtype="object")
        return frame.astype({name: _TYPES.get(name, "str") for name in columns})

    def place(self, row: int, column: str) -> str:
        """Name the sheet and cell of a row's column."""
        return self._places.get((row, column), column)

    def read_asked(self, kind: str) -> None:
        """Read the sheet for submissions or the one for overrides.

        Raises
        ------
        FormError
            If a cell was changed that nobody may change.
        """
        asked, fields = asked_rows(self.form, kind), fields_of(self.form, kind)
        page = self._page(SHEET_OF[kind], kind, len(fields) + 1)
        if page is None:
            return
        header = find_header(page, fields, self.origin)
        rows = {str(key): row for key, row in asked.iterrows()}
        by_words = {_words(locked_texts(row)): key for key, row in rows.items()}
        met = set()
        for number in (each for each in page.rows if each > header):
            key = page.key(number, len(fields) + 1)
            if key not in rows:
                key = key if key.startswith(f"{TOTAL_KEY}:") else by_words.get(_words_at(page, number), "")
            if key in rows:
                check_row(page, number, rows[key], fields, self.form, self.origin)
                self._read_row(page, number, fields, {name: rows[key][name] for name in _KEY})
                met.add(key)
            elif not key:
                self._find_added(page, number, fields)
        for at, (key, row) in enumerate(rows.items(), start=header + 1):
            if key not in met:
                what = f"{row[NODE]}, {row[PERIOD]}, {row[CATEGORY]}"
                self._find(page.place(at, 1), ROW_MISSING, what, _AS_SENT, REJECTED)

    def _find_added(self, page: Page, number: int, fields: tuple[Field, ...]) -> None:
        for column, field in enumerate(fields, start=1):
            if field.open and page.filled(number, column):
                value = shown_cell(page.cell(number, column))
                remedy = "Write beside the rows of the form."
                self._find(page.place(number, column), ROW_ADDED, value, remedy, REJECTED)

    def read_notes(self) -> None:
        """Read the sheet for field notes; a line below the last one counts too."""
        page = self._page(NOTES, NOTES_KEY, len(NOTE_FIELDS) + 1)
        if page is None:
            return
        header = find_header(page, NOTE_FIELDS, self.origin)
        for number in page.rows:
            filled = any(page.filled(number, at) for at in range(1, len(NOTE_FIELDS) + 1))
            if number > header and filled:
                self._read_row(page, number, NOTE_FIELDS, {})

    def _read_row(self, page: Page, number: int, fields: tuple[Field, ...], about: dict[str, str]) -> None:
        said: dict[str, Any] = dict(about)
        self._rows.append(said)
        for column, field in enumerate(fields, start=1):
            if field.open:
                self._places[len(self._rows), field.name] = page.place(number, column)
                read = read_cell(page.cell(number, column), field, self.form)
                said[field.name] = read.value
                if read.rule:
                    self._find_cell(page, number, column, field, read)

    def _find_cell(self, page: Page, number: int, column: int, field: Field, read: Cell) -> None:
        """State what is wrong with a cell; without its amount or text the row is lost, else the cell only."""
        lost = read.value is None and field.name in {VALUE, "text"}
        rule = read.rule if lost or read.value is not None else f"{read.rule}; left empty"
        text = shown_cell(page.cell(number, column))
        if page.formula(number, column):
            text += f" (last result: {self._last_result(page, number, column)})"
        severity = REJECTED if lost else NOTED
        self._find(page.place(number, column), rule, text, read.remedy, severity, row=len(self._rows))

    def _last_result(self, page: Page, number: int, column: int) -> str:
        """Return what a formula showed when the file was saved; read only where there is one."""
        if not self._results:
            self._results = pages_of(self.path, where=self.origin, results=True)
        return shown_cell(self._results[self.pages.index(page)].cell(number, column)) or "none"

    def _page(self, title: str, kind: str, column: int) -> Page | None:
        """Find a sheet by its hidden keys, or by its title where it has none."""
        marked = [
            page
            for page in self.pages
            if any(page.key(row, column).startswith(f"{kind}:") for row in page.rows)
        ]
        titled = [page for page in self.pages if page.title == title]
        choice = [page for page in titled if page in marked] or marked or titled
        self._known.update(page.title for page in (*marked, *titled))
        if not choice:
            self._find(title, SHEET_MISSING, "", _AS_SENT, REJECTED)
            return None
        if choice[0].title != title:
            self._find(choice[0].title, SHEET_RENAMED, title, "Leave the sheets' names as they are.", NOTED)
        for other in marked:
            if other is not choice[0]:
                self._find(
                    other.title, SHEET_TWICE, "", "Delete the copy, and send the form again.", REJECTED
                )
        return choice[0]

    def note_other_sheets(self) -> None:
        """Note sheets that are not part of the form."""
        for page in self.pages:
            if page.rows and page.title not in self._known and page.value(1, 1) != MARK:
                self._find(page.title, SHEET_ADDED, "", "Write remarks on the sheet Notes.", NOTED)

    def _find(self, place: str, rule: str, value: str, remedy: str, severity: str, *, row: int = 0) -> None:
        found = findings(self.origin, [row], COLUMN, rule, [shown(value, 200)], remedy, severity=severity)
        self.found.append(found.assign(**{COLUMN: shown(place)}))


def _words(texts: dict[str, str]) -> tuple[object, ...]:
    return texts[NODE], texts[PERIOD], texts[CATEGORY]


def _words_at(page: Page, number: int) -> tuple[object, ...]:
    return page.value(number, 1), page.value(number, 3), page.value(number, 4)
