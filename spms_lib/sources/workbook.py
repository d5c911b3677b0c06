"""Sheets of Excel workbooks as text."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from spms_lib.errors import SourceError, SpmsError, UnsafeFileError
from spms_lib.sources.guard import SOURCE_LIMITS, Limits, check_workbook_file, not_a_workbook
from spms_lib.sources.text_of import frame_of
from spms_lib.text import shown

if TYPE_CHECKING:
    from openpyxl import Workbook

MOST_CELLS: Final = 30_000_000
"""Cells that a sheet may have, as the rectangle around all that is filled."""
MOST_SEEN: Final = 100_000_000
"""Cells that are gone through, empty ones included."""
MOST_ROWS: Final = 1_048_576
"""Rows that Excel can hold."""


def read_workbook(path: Path, *, sheet: str | None, where: str, decimal: str) -> pd.DataFrame:
    """Read one sheet; its first row that is not empty holds the names.

    Cells formatted as dates come back as ISO dates, formulas as their last result, macros are never
    run. Empty rows at the end are not rows.

    Raises
    ------
    SourceError
        If the file is not a workbook, has no such sheet, or (`UnsafeFileError`) would do harm.
    """
    with open_workbook(path, where=where, read_only=True, data_only=True) as book:
        rows = _rows(book, sheet, where)
    if not rows:
        raise SourceError("The sheet is empty.", where=where, remedy="Name another one as `sheet`.")
    width = max(len(row) for row in rows)
    padded = [(*row, *[None] * (width - len(row))) for row in rows]
    names = ["" if name is None else str(name).strip() for name in padded[0]]
    return frame_of(names, padded[1:], decimal=decimal)


@contextmanager
def open_workbook(
    path: Path, *, where: str, read_only: bool, data_only: bool, limits: Limits = SOURCE_LIMITS
) -> "Iterator[Workbook]":
    """Open a workbook that was looked at first, and close it again.

    Parameters
    ----------
    read_only
        True streams the rows of a sheet instead of holding all its cells.
    data_only
        True gives the last result of a formula, False the formula.

    Raises
    ------
    SourceError
        If the file is not a workbook, in whatever way it is broken, also while its cells are read.
    UnsafeFileError
        See `spms_lib.sources.guard.check_workbook_file`.
    """
    import openpyxl

    check_workbook_file(path, where=where, limits=limits)
    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about styles and extensions; no cell is lost
        try:
            book = openpyxl.load_workbook(file, read_only=read_only, data_only=data_only, keep_links=False)
            try:
                yield book
            finally:
                book.close()
        except SpmsError:
            raise
        except Exception:  # noqa: BLE001  a broken file makes the library stumble in any way
            raise not_a_workbook(where) from None


def _rows(book: "Workbook", sheet: str | None, where: str) -> list[tuple[Any, ...]]:
    """Rows from the first that is filled to the last one."""
    names = [each.title for each in book.worksheets]
    name = sheet or (names[0] if names else "")
    if name not in names:
        raise SourceError(
            f"The workbook has no sheet '{name}'.", where=where, remedy=f"Its sheets: {', '.join(names)}."
        )
    rows: list[tuple[Any, ...]] = []
    width = first = 0
    for number, row in filled_rows(book[name], where=where):
        first = first or number
        width = max(width, len(row))
        if (number - first + 1) * width > MOST_CELLS:
            raise UnsafeFileError(
                f"The sheet '{name}' reaches over more than {MOST_CELLS:,} cells, so it was not read.",
                where=where,
                remedy="Delete what stands far from the table, or send it as .csv or .parquet.",
            )
        rows += [()] * (number - first - len(rows))  # empty rows between filled ones
        rows.append(row)
    return rows


def filled_rows(
    page: "Any",
    *,
    where: str,
    values_only: bool = True,
    most: int = MOST_ROWS,
    most_columns: int | None = None,
) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Go through the rows of a sheet in which a cell is filled, with their numbers from 1.

    Parameters
    ----------
    most
        Rows that the sheet may have, empty ones included.
    most_columns
        Columns that are read; all if not given.

    Raises
    ------
    UnsafeFileError
        If the sheet is larger than that, or reaches over far more cells than a sheet that anybody fills.
    """
    page.reset_dimensions()  # some programs write a wrong size into the file
    seen = 0
    rows = page.iter_rows(values_only=values_only, max_col=most_columns)
    for number, row in enumerate(rows, start=1):
        seen += len(row)
        if number > most or seen > MOST_SEEN:
            raise UnsafeFileError(
                f"The sheet '{shown(page.title)}' has more than {most:,} rows or {MOST_SEEN:,} cells, so it was not read.",
                where=where,
                remedy="Delete the empty rows and columns around the table.",
            )
        if any(_filled(cell if values_only else cell.value) for cell in row):
            yield number, row


def _filled(cell: object) -> bool:
    return cell is not None and str(cell).strip() != ""
