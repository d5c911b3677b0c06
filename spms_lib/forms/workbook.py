"""A form as an Excel workbook: written the same, byte for byte, whenever the form is the same."""

import datetime as dt
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from spms_lib.collect.form import Form
from spms_lib.forms import words
from spms_lib.forms.layout import (
    AMOUNT,
    HELP,
    HIDDEN,
    HISTORY_SHEET,
    MARK,
    SHARE,
    TARGETS_SHEET,
    Field,
    kinds_of,
    units,
)
from spms_lib.forms.sheets import add_asked_sheet, add_hidden_sheet, add_notes_sheet
from spms_lib.forms.style import HEAD, add_styles, finish, put, put_formula, put_header
from spms_lib.tables import NODE, PERIOD, VALUE

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

_FIRST_ROW: Final = 4  # of tables that are there to be read
_STAMP: Final = (1980, 1, 1, 0, 0, 0)


def write_workbook(form: Form, path: Path) -> None:
    """Write a form as a workbook that a person understands at sight and that `read_form` reads back.

    Sheets: Forecast and Overrides (what is asked, by kind), Notes, History (with a chart for a single node),
    Targets (only if the form has any), Instructions, and a hidden one that names the form. Only cells that
    are asked for can be written on; the lock has no password and keeps people from accidents.

    The same form gives the same bytes: the file's own dates are the form's due day.
    """
    from openpyxl.writer.excel import ExcelWriter

    with _SteadyArchive(path, form.due) as archive:
        ExcelWriter(form_book(form), archive).save()


def form_book(form: Form) -> "Workbook":
    """Lay a form out as a workbook in memory."""
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.worksheets[0])
    add_styles(book, form)
    for kind in kinds_of(form):
        add_asked_sheet(book, form, kind)
    lists = add_hidden_sheet(book, form, MARK)
    add_notes_sheet(book, form, lists)
    _add_history(book, form)
    if len(form.targets):
        _add_targets(book, form)
    _add_instructions(book, form)
    book.move_sheet(HIDDEN, offset=len(book.worksheets))
    book.properties.creator = form.company
    book.properties.title = words.title(form, "Forecast")
    book.properties.created = dt.datetime.combine(form.due, dt.time())
    return book


def _add_history(book: "Workbook", form: Form) -> None:
    """Add past months: what was sold against what was forecast, and a chart where it is one node's."""
    sheet = book.create_sheet(HISTORY_SHEET)
    put(sheet, 1, 1, words.title(form, HISTORY_SHEET), "spms title")
    put(sheet, 2, 1, "What was sold, beside what you had forecast: closed plus commit.", "spms lead")
    money = f"({form.currency})"
    fields = (
        Field(NODE, "Node", 16),
        Field(PERIOD, "Month", 12),
        Field("actual", f"Actual {money}", 18, AMOUNT),
        Field("forecast", f"Your forecast {money}", 18, AMOUNT),
        Field("above", "Forecast above (+) or below (-) actual", 22, SHARE),
    )
    _put_table(sheet, form, fields[:-1], form.history)
    put_header(sheet, _FIRST_ROW, fields)
    last = _FIRST_ROW + len(form.history)
    for row in range(_FIRST_ROW + 1, last + 1):
        formula = f'=IF(OR(C{row}="",D{row}="",C{row}=0),"",D{row}/C{row}-1)'
        put_formula(sheet, row, 5, formula, "spms share")
    if not len(form.history):
        put(sheet, _FIRST_ROW + 1, 1, "There are no past months to show.", "spms lead")
    charted = len(form.history[NODE].unique()) == 1 and len(form.history) > 1
    if charted:
        sheet.add_chart(_history_chart(sheet, last, form), "G4")
    width, height = (18, 26) if charted else (5, 0)
    finish(sheet, header=_FIRST_ROW, width=width, height=height, footer=form.template)


def _history_chart(sheet: "Worksheet", last: int, form: Form) -> Any:
    from openpyxl.chart import BarChart, LineChart, Reference

    months = Reference(sheet, min_col=2, min_row=_FIRST_ROW + 1, max_row=last)
    bars, line = BarChart(), LineChart()
    bars.add_data(Reference(sheet, min_col=3, min_row=_FIRST_ROW, max_row=last), titles_from_data=True)
    line.add_data(Reference(sheet, min_col=4, min_row=_FIRST_ROW, max_row=last), titles_from_data=True)
    bars.set_categories(months)
    bars.title = f"Actual and your forecast by month ({form.currency})"
    bars.series[0].graphicalProperties.solidFill = "B8C9D6"
    line.series[0].graphicalProperties.line.solidFill = HEAD
    line.series[0].marker.symbol = "circle"
    line.series[0].smooth = False
    bars.y_axis.number_format, bars.y_axis.scaling.min = "#,##0", 0
    bars.x_axis.delete = bars.y_axis.delete = False
    bars.y_axis.majorGridlines = None
    bars.legend.position = "b"
    bars.width, bars.height = 22, 10
    bars += line
    return bars


def _add_targets(book: "Workbook", form: Form) -> None:
    sheet = book.create_sheet(TARGETS_SHEET)
    put(sheet, 1, 1, words.title(form, TARGETS_SHEET), "spms title")
    put(
        sheet,
        2,
        1,
        "The target is not a forecast: write what you expect, not what is wished for.",
        "spms lead",
    )
    fields = (
        Field(NODE, "Node", 16),
        Field(PERIOD, "Month", 12),
        Field(VALUE, f"Target ({form.currency})", 18, AMOUNT),
    )
    _put_table(sheet, form, fields, form.targets)
    finish(sheet, header=_FIRST_ROW, width=6, footer=form.template)


def _put_table(sheet: "Worksheet", form: Form, fields: tuple[Field, ...], table: pd.DataFrame) -> None:
    put_header(sheet, _FIRST_ROW, fields)
    for at, row in enumerate(table.itertuples(index=False), start=_FIRST_ROW + 1):
        for column, (field, cell) in enumerate(zip(fields, row, strict=True), start=1):
            value = units(cell, form) if field.kind == AMOUNT else str(cell)
            put(sheet, at, column, value, f"spms {field.kind}")


def _add_instructions(book: "Workbook", form: Form) -> None:
    sheet = book.create_sheet(HELP)
    put(sheet, 1, 1, "How to fill in this form", "spms title")
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 24, 110
    for at, (term, meaning) in enumerate(words.instructions(form), start=3):
        put(sheet, at, 1, term, "spms term")
        put(sheet, at, 2, meaning, "spms words")
        sheet.row_dimensions[at].height = 18 if len(meaning) <= 120 else 34
    finish(sheet, header=1, width=2, footer=form.template)


class _SteadyArchive(zipfile.ZipFile):
    """An archive whose bytes depend on its content alone, and not on the clock."""

    def __init__(self, path: Path, day: dt.date) -> None:
        super().__init__(path, "w", zipfile.ZIP_DEFLATED)
        self._day = f"{day.isoformat()}T00:00:00Z".encode()

    def writestr(self, zinfo_or_arcname: Any, data: Any, *_: Any, **__: Any) -> None:
        """Write one part with a fixed time stamp."""
        info = zipfile.ZipInfo(str(zinfo_or_arcname), _STAMP)
        info.compress_type = zipfile.ZIP_DEFLATED
        content = data.encode() if isinstance(data, str) else data
        if info.filename == "docProps/core.xml":
            content = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + self._day, content)
        super().writestr(info, content)

    def write(self, filename: Any, arcname: Any = None, *_: Any, **__: Any) -> None:
        """Write one part from a file."""
        self.writestr(arcname, Path(filename).read_bytes())
