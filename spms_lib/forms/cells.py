"""One filled cell of a form: an amount, a share or a text, or why it is none."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from spms_lib.collect import answers
from spms_lib.collect.form import Form
from spms_lib.forms.layout import AMOUNT, TEXT, Field
from spms_lib.money import minor_per_unit
from spms_lib.sources.text_of import text_of
from spms_lib.text import shown

FORMULA: Final = "formula; its result is not trusted"
ERROR_VALUE: Final = "error value of a spreadsheet"
TEXT_FOR_NUMBER: Final = "text where a number belongs"
DATE_FOR_NUMBER: Final = "date or time where a number belongs"
YES_NO_FOR_NUMBER: Final = "true or false where a number belongs"
PERCENT_NUMBER: Final = "number of percent; read as a percentage"

_REMEDIES: Final = {
    FORMULA: "Type the number itself, or paste it as a value.",
    ERROR_VALUE: "Type a number, or leave the cell empty if nobody can say.",
    TEXT_FOR_NUMBER: "Type a plain number, without words, and with your spreadsheet's own decimal mark.",
    DATE_FOR_NUMBER: "Type the number again; the cell took it for a date.",
    YES_NO_FOR_NUMBER: "Type a number.",
    PERCENT_NUMBER: "Type 80%, not 80.",
    answers.ROUNDED: "Rounded to the smallest unit of the currency; check it if that matters.",
    answers.TOO_LARGE: "Check the number of digits.",
    answers.NOT_A_NUMBER: "Type a number.",
}
_TRUTHS: Final = ("=TRUE()", "=FALSE()")  # LibreOffice saves constants as formulas, an error as =#REF!


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell says.

    Attributes
    ----------
    value
        Minor units, a ratio or a text; None where it is empty or cannot be read.
    rule
        What is wrong with it; empty where nothing is.
    """

    value: Any = None
    rule: str = ""

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return _REMEDIES[self.rule]


def is_formula(cell: Any) -> bool:
    """Tell whether a cell holds a formula of any kind."""
    return bool(cell.data_type == "f")


def is_filled(cell: Any) -> bool:
    """Tell whether a cell says anything; blanks say nothing."""
    return cell.value is not None and not (isinstance(cell.value, str) and not cell.value.strip())


def read_cell(cell: Any, field: Field, form: Form) -> Cell:
    """Read one cell that people may write on."""
    value = cell.value
    if not is_filled(cell):
        return Cell()
    if cell.data_type == "e" or (is_formula(cell) and str(value).startswith("=#")):
        return Cell(rule=ERROR_VALUE)
    if is_formula(cell):
        return Cell(rule=YES_NO_FOR_NUMBER if value in _TRUTHS and field.kind != TEXT else FORMULA)
    if field.kind == TEXT:
        return Cell(str(text_of(value)).strip())
    if isinstance(value, str):
        return Cell(rule=TEXT_FOR_NUMBER)
    if isinstance(value, (dt.datetime, dt.date, dt.time, dt.timedelta)):
        return Cell(rule=DATE_FOR_NUMBER)
    if isinstance(value, bool):
        return Cell(rule=YES_NO_FOR_NUMBER)
    if field.kind == AMOUNT:
        return Cell(*answers.to_amount(value, minor_per_unit(form.currency)))
    return Cell(value / 100, PERCENT_NUMBER) if 2 <= value <= 100 else Cell(float(value))


def shown_cell(cell: Any) -> str:
    """Write what stands in a cell, for a finding."""
    value = getattr(cell.value, "text", cell.value)
    return shown(str(text_of(value) or ""), most=200)
