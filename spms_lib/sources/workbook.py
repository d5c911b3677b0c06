"""Sheets of Excel workbooks as text."""

import warnings
import zipfile
from pathlib import Path

import pandas as pd

from spms_lib.errors import SourceError
from spms_lib.sources.text_of import frame_of


def read_workbook(path: Path, *, sheet: str | None, where: str, decimal: str) -> pd.DataFrame:
    """Read one sheet; its first row that is not empty holds the names.

    Cells formatted as dates come back as ISO dates, formulas as their last result. Empty
    rows at the end are not rows.

    Raises
    ------
    SourceError
        If the file is not a workbook, or has no such sheet.
    """
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about styles and extensions; no cell is lost
        try:
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile, InvalidFileException):
            raise SourceError(
                "The file is not an Excel workbook.", where=where, remedy="Save it again as .xlsx."
            ) from None
        try:
            rows = _rows(book, sheet, where)
        finally:
            book.close()
    while rows and not any(_filled(cell) for cell in rows[-1]):
        rows.pop()
    while rows and not any(_filled(cell) for cell in rows[0]):
        rows.pop(0)
    if not rows:
        raise SourceError("The sheet is empty.", where=where, remedy="Name another one as `sheet`.")
    width = max(len(row) for row in rows)
    padded = [(*row, *[None] * (width - len(row))) for row in rows]
    names = ["" if name is None else str(name).strip() for name in padded[0]]
    return frame_of(names, padded[1:], decimal=decimal)


def _rows(book: "object", sheet: str | None, where: str) -> list[tuple[object, ...]]:
    from openpyxl import Workbook

    assert isinstance(book, Workbook)
    names = [each.title for each in book.worksheets]
    name = sheet or (names[0] if names else "")
    if name not in names:
        raise SourceError(
            f"The workbook has no sheet '{name}'.", where=where, remedy=f"Its sheets: {', '.join(names)}."
        )
    page = book[name]
    page.reset_dimensions()  # some programs write a wrong size into the file
    return list(page.iter_rows(values_only=True))


def _filled(cell: object) -> bool:
    return cell is not None and str(cell).strip() != ""
