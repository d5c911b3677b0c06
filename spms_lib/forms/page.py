"""One sheet of a workbook that came back, held as its filled cells."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from spms_lib.forms.cells import is_filled, is_formula
from spms_lib.sources.guard import FORM_LIMITS
from spms_lib.sources.workbook import filled_rows, open_workbook
from spms_lib.text import shown

MOST_ROWS: Final = 20_000
"""Rows that a sheet of a form may have, empty ones included."""
WIDTH: Final = 40
"""Columns of a sheet that are read; a form has no more than a dozen."""


class Page:
    """The filled cells of a sheet.

    Attributes
    ----------
    title
        Name of the sheet, fit for messages.
    rows
        Numbers of the rows in which a cell is filled, rising.
    """

    def __init__(self, title: str, rows: Iterator[tuple[int, tuple[Any, ...]]]) -> None:
        self.title = shown(title)
        self._cells = dict(rows)
        self.rows = list(self._cells)

    def cell(self, row: int, column: int) -> Any:
        """Return one cell, empty or not; rows and columns count from 1."""
        from openpyxl.cell.read_only import EMPTY_CELL

        cells = self._cells.get(row, ())
        return cells[column - 1] if column <= len(cells) else EMPTY_CELL

    def value(self, row: int, column: int) -> Any:
        """Return what a cell holds; text without blanks at its ends, None where empty."""
        value = self.cell(row, column).value
        return (value.strip() or None) if isinstance(value, str) else value

    def filled(self, row: int, column: int) -> bool:
        """Tell whether a cell says anything."""
        return is_filled(self.cell(row, column))

    def formula(self, row: int, column: int) -> bool:
        """Tell whether a cell holds a formula."""
        return is_formula(self.cell(row, column))

    def key(self, row: int, column: int) -> str:
        """Return the hidden key of a row, such as `submission:3`; empty where it has none."""
        value = self.value(row, column)
        return value if isinstance(value, str) else ""

    def place(self, row: int, column: int) -> str:
        """Name a cell as people do: `Forecast!F7`."""
        from openpyxl.utils import get_column_letter

        return f"{self.title}!{get_column_letter(column)}{row}"


def pages_of(path: Path, *, where: str, results: bool = False) -> list[Page]:
    """Read all sheets of a workbook, with formulas, or with their last results.

    Raises
    ------
    SourceError
        If it is no workbook, or (`UnsafeFileError`) one that should not be opened.
    """
    with open_workbook(path, where=where, read_only=True, data_only=results, limits=FORM_LIMITS) as book:
        return [
            Page(
                sheet.title,
                filled_rows(sheet, where=where, values_only=False, most=MOST_ROWS, most_columns=WIDTH),
            )
            for sheet in book.worksheets
        ]
