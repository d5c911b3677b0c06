"""Where everything stands in a form's workbook: one description for the writer and for the reader."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import pandas as pd

from spms_lib.collect.form import OVERRIDE, SUBMISSION, Form
from spms_lib.money import minor_per_unit
from spms_lib.tables import CATEGORY, NAME, NODE, PERIOD, VALUE
from spms_lib.text import shown

SHEET_OF: Final = {OVERRIDE: "Overrides", SUBMISSION: "Forecast"}
NOTES: Final = "Notes"
HISTORY_SHEET: Final = "History"
TARGETS_SHEET: Final = "Targets"
HELP: Final = "Instructions"
HIDDEN: Final = "_form"

MARK: Final = "spms form 1"
"""Stands in A1 of the hidden sheet; the template's name in A2."""
TEMPLATE_LABEL: Final = "Form"
"""Stands before the template's name in line 4 of the sheets that are filled in."""
NOTES_KEY: Final = "note"
TOTAL_KEY: Final = "total"
NOTE_LINES: Final = 20
HEADER_ROW: Final = 5

AMOUNT: Final = "amount"
SHARE: Final = "share"
TEXT: Final = "text"


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a sheet that is filled in.

    Attributes
    ----------
    name
        Column of `collect.answers.SAID` or of the form's `asked`.
    title
        What the header says.
    kind
        amount (currency units), share or text.
    open
        Whether people may write here.
    """

    name: str
    title: str
    width: float
    kind: str = TEXT
    open: bool = False


def fields_of(form: Form, kind: str) -> tuple[Field, ...]:
    """Columns of the sheet for submissions or for overrides, from the left; a hidden key column follows."""
    money = f"({form.currency})"
    where = (
        Field(NODE, "Node", 14),
        Field(NAME, "Name", 27),
        Field(PERIOD, "Month", 11),
        Field(CATEGORY, "Category", 13),
    )
    if kind == OVERRIDE:
        return (
            *where,
            Field("said", f"Submitted below {money}", 17, AMOUNT),
            Field(VALUE, f"Your number {money}", 17, AMOUNT, open=True),
            Field("reason", "Reason (required)", 46, open=True),
        )
    limits = (
        Field("low", f"Low {money}", 14, AMOUNT, open=True),
        Field("high", f"High {money}", 14, AMOUNT, open=True),
    )
    return (
        *where,
        Field("said", f"Last said {money}", 15, AMOUNT),
        Field(VALUE, f"Your forecast {money}", 17, AMOUNT, open=True),
        *(limits if form.ask_range else ()),
        Field("confidence", "Confidence", 14, SHARE, open=True),
        Field("comment", "Comment", 32, open=True),
        Field("reason", "Reason of a change", 32, open=True),
    )


NOTE_FIELDS: Final = (
    Field(NODE, "Node", 20, open=True),
    Field("topic", "Topic", 16, open=True),
    Field("text", "What should be known", 90, open=True),
)


def kinds_of(form: Form) -> list[str]:
    """Kinds that the form asks for, in the order of its sheets."""
    return [kind for kind in SHEET_OF if (form.asked["kind"] == kind).any()]


def asked_rows(form: Form, kind: str) -> pd.DataFrame:
    """Rows of one sheet, indexed by their key in the hidden column, such as `submission:3`."""
    rows = form.asked.reset_index(drop=True)
    rows.index = pd.Index([f"{each}:{number + 1}" for number, each in enumerate(rows["kind"])])
    return rows[rows["kind"] == kind]


def locked_texts(row: "pd.Series[Any]") -> dict[str, str]:
    """Write what the cells of a row say that nobody may change, but for the amount."""
    return {
        NODE: cell_text(row[NODE]),
        NAME: cell_text(row[NAME]),
        PERIOD: cell_text(row[PERIOD]),
        CATEGORY: category_title(row[CATEGORY]),
    }


def is_open(field: Field, category: str) -> bool:
    """Tell whether a cell may be written: a range stands beside the commit only."""
    return field.open and (field.name not in {"low", "high"} or category == "commit")


def category_title(category: str) -> str:
    """Write a category as people read it: `Best case`."""
    return category.replace("_", " ").capitalize()


def cell_text(text: object) -> str:
    """Write foreign text as one cell can hold it."""
    return shown(str(text), most=250)


def units(minor: object, form: Form) -> float | int | None:
    """Write minor units as the number that a cell shows."""
    if minor is None or pd.isna(minor):  # type: ignore[call-overload]
        return None
    per_unit = minor_per_unit(form.currency)
    return int(str(minor)) if per_unit == 1 else float(Decimal(str(minor)) / per_unit)


def amount_format(form: Form) -> str:
    """Return the number format of the form's currency: as many decimals as it has."""
    decimals = len(str(minor_per_unit(form.currency))) - 1
    return "#,##0" + ("." + "0" * decimals if decimals else "")
