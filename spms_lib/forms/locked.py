"""What nobody may change on a form: headers and the cells that say what is asked, compared with the form as issued."""

from typing import Any, Final

import pandas as pd

from spms_lib.collect.answers import to_amount
from spms_lib.collect.form import Form
from spms_lib.errors import FormError
from spms_lib.forms.cells import shown_cell
from spms_lib.forms.layout import AMOUNT, HEADER_ROW, Field, is_open, locked_texts
from spms_lib.forms.page import Page
from spms_lib.money import format_money, minor_per_unit
from spms_lib.tables import CATEGORY

_SEARCHED: Final = 30  # rows in which the header is looked for


def find_header(page: Page, fields: tuple[Field, ...], origin: str) -> int:
    """Find the row of the header, and compare all its cells with the form as issued.

    Raises
    ------
    FormError
        If a cell of it was changed.
    """
    rows = [row for row in page.rows if row <= _SEARCHED]
    first = fields[0].title
    at = next((row for row in rows if page.value(row, 1) == first and page.filled(row, 2)), HEADER_ROW)
    for column, field in enumerate(fields, start=1):
        if page.value(at, column) != field.title:
            raise _altered(page, at, column, field.title, origin)
    return at


def check_row(
    page: Page, number: int, row: "pd.Series[Any]", fields: tuple[Field, ...], form: Form, origin: str
) -> None:
    """Compare what a row says with the form as issued.

    Raises
    ------
    FormError
        If a cell was changed that nobody may change: names it, what stood there and what stands there.
    """
    texts = locked_texts(row)
    per_unit = minor_per_unit(form.currency)
    for column, field in enumerate(fields, start=1):
        if is_open(field, row[CATEGORY]):
            continue
        value = page.value(number, column)
        if field.kind == AMOUNT:
            said = None if field.open or pd.isna(row[field.name]) else int(row[field.name])
            same = value is None if said is None else to_amount(value, per_unit) == (said, "")
            issued = "" if said is None else format_money(said, form.currency)
        else:
            issued = texts[field.name].strip()
            same = (value or "") == issued
        if not same:
            raise _altered(page, number, column, issued, origin)


def _altered(page: Page, row: int, column: int, issued: str, origin: str) -> FormError:
    was, now = (f"'{text}'" if text else "empty" for text in (issued, shown_cell(page.cell(row, column))))
    return FormError(
        f"The cell {page.place(row, column)} was changed: as issued it is {was}, now it is {now}.",
        where=origin,
        remedy="Fill in the form as it was sent; only yellow cells may be written on.",
    )
