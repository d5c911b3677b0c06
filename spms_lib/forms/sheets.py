"""The sheets of a form's workbook that people write on: forecast, overrides, notes."""

from typing import TYPE_CHECKING, Final

from spms_lib.collect.form import Form
from spms_lib.forms import words
from spms_lib.forms.layout import (
    AMOUNT,
    HEADER_ROW,
    HIDDEN,
    NOTE_FIELDS,
    NOTE_LINES,
    NOTES,
    NOTES_KEY,
    SHEET_OF,
    TEMPLATE_LABEL,
    TOTAL_KEY,
    Field,
    asked_rows,
    category_title,
    fields_of,
    is_open,
    locked_texts,
    units,
)
from spms_lib.forms.style import ATTENTION, finish, put, put_formula, put_header
from spms_lib.tables import CATEGORIES, CATEGORY, NODE, PERIOD, VALUE

if TYPE_CHECKING:
    import pandas as pd
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

_FORECAST: Final = ("closed", "commit")


def add_asked_sheet(book: "Workbook", form: Form, kind: str) -> None:
    """Add the sheet for submissions or for overrides: one row per node, month and category, totals below."""
    name, fields, rows = SHEET_OF[kind], fields_of(form, kind), asked_rows(form, kind)
    sheet = book.create_sheet(name)
    _put_top(sheet, form, words.title(form, name), words.lead(form, kind))
    put_header(sheet, HEADER_ROW, fields)
    before = None
    for at, (key, row) in enumerate(rows.iterrows(), start=HEADER_ROW + 1):
        texts = locked_texts(row)
        for column, field in enumerate(fields, start=1):
            _put_field(sheet, at, column, field, row, texts, form)
        put(sheet, at, len(fields) + 1, str(key), "spms quiet")
        sheet.row_dimensions[at].height = 18
        block = (row[NODE], row[PERIOD])
        if before not in {None, block}:
            _draw_line_above(sheet, at, len(fields))
        before = block
    _hide_key(sheet, len(fields) + 1)
    last = HEADER_ROW + len(rows)
    _add_totals(sheet, rows, fields, last)
    _add_checks(sheet, form, rows, fields)
    finish(sheet, header=HEADER_ROW, width=len(fields), footer=form.template)


def add_notes_sheet(book: "Workbook", form: Form, lists: dict[str, str]) -> None:
    """Add the sheet for field notes: node and topic from a list, and a sentence."""
    from openpyxl.worksheet.datavalidation import DataValidation

    sheet = book.create_sheet(NOTES)
    lead = "What planning should know: choose a topic, write a sentence. Each note gets an answer."
    _put_top(sheet, form, words.title(form, NOTES), lead)
    put_header(sheet, HEADER_ROW, NOTE_FIELDS)
    for line in range(1, NOTE_LINES + 1):
        for column, field in enumerate(NOTE_FIELDS, start=1):
            put(sheet, HEADER_ROW + line, column, None, f"spms input {field.kind}")
        put(sheet, HEADER_ROW + line, len(NOTE_FIELDS) + 1, f"{NOTES_KEY}:{line}", "spms quiet")
        sheet.row_dimensions[HEADER_ROW + line].height = 18
    for letter, name in (("A", NODE), ("B", "topic")):
        choice = DataValidation(type="list", formula1=lists[name], allow_blank=True, showErrorMessage=True)
        choice.error = "Choose one from the list."
        choice.add(f"{letter}{HEADER_ROW + 1}:{letter}{HEADER_ROW + NOTE_LINES}")
        sheet.add_data_validation(choice)
    _hide_key(sheet, len(NOTE_FIELDS) + 1)
    finish(sheet, header=HEADER_ROW, width=len(NOTE_FIELDS), footer=form.template)


def add_hidden_sheet(book: "Workbook", form: Form, mark: str) -> dict[str, str]:
    """Add the sheet that names the form and holds the lists; returns where each list stands."""
    sheet = book.create_sheet(HIDDEN)
    put(sheet, 1, 1, mark, "spms quiet")
    put(sheet, 2, 1, form.template, "spms quiet")
    lists = {NODE: form.asked[NODE].unique().tolist(), "topic": list(form.topics)}
    places = {}
    for at, (name, entries) in enumerate(lists.items(), start=2):
        for row, entry in enumerate(entries, start=1):
            put(sheet, row, at, entry, "spms quiet")
        letter = "ABC"[at - 1]
        places[name] = f"{HIDDEN}!${letter}$1:${letter}${max(len(entries), 1)}"
    sheet.sheet_state = "veryHidden"
    sheet.protection.sheet = True
    return places


def _put_top(sheet: "Worksheet", form: Form, title: str, lead: str) -> None:
    put(sheet, 1, 1, title, "spms title")
    put(sheet, 2, 1, lead, "spms lead")
    put(sheet, 3, 1, words.deadline(form), "spms strong")
    put(sheet, 4, 1, f"{TEMPLATE_LABEL} {form.template}", "spms quiet")


def _put_field(
    sheet: "Worksheet",
    at: int,
    column: int,
    field: Field,
    row: "pd.Series",
    texts: dict[str, str],
    form: Form,
) -> None:
    if field.open:
        is_input = is_open(field, row[CATEGORY])
        put(sheet, at, column, None, f"spms input {field.kind}" if is_input else "spms closed off")
    elif field.kind == AMOUNT:
        put(sheet, at, column, units(row[field.name], form), f"spms {field.kind}")
    else:
        put(sheet, at, column, texts[field.name], f"spms {field.kind}")


def _draw_line_above(sheet: "Worksheet", at: int, width: int) -> None:
    from copy import copy

    from openpyxl.styles import Side

    for column in range(1, width + 1):
        border = copy(sheet.cell(at, column).border)
        border.top = Side(style="medium", color="9AA5B1")
        sheet.cell(at, column).border = border


def _hide_key(sheet: "Worksheet", column: int) -> None:
    from openpyxl.utils import get_column_letter

    sheet.column_dimensions[get_column_letter(column)].hidden = True


def _letter(fields: tuple[Field, ...], name: str) -> str:
    return "ABCDEFGHIJKL"[[field.name for field in fields].index(name)]


def _add_totals(sheet: "Worksheet", rows: "pd.DataFrame", fields: tuple[Field, ...], last: int) -> None:
    """Add totals by formula: of each category, and of the forecast (closed plus commit) of each month."""
    categories = [each for each in CATEGORIES if (rows[CATEGORY] == each).any()]
    months = rows[PERIOD].unique().tolist()
    several = len(rows[NODE].unique()) > 1
    both: list[str] = [each for each in _FORECAST if each in categories]
    lines = [(month, each) for month in months for each in categories if several]
    lines += [("", each) for each in categories]
    totals: list[tuple[str, list[str], str]] = [
        (month, [each], category_title(each)) for month, each in lines
    ]
    if len(both) > 1:
        totals += [(month, both, "Forecast: closed + commit") for month in [*months, ""]]
    at = last + 2
    put(sheet, at, 1, "Totals", "spms strong")
    for at, (month, parts, label) in enumerate(totals, start=at + 1):  # noqa: B020
        put(sheet, at, 2, label, "spms text")
        put(sheet, at, 3, month or "all months", "spms text")
        put(sheet, at, 4, None, "spms text")
        put(sheet, at, len(fields) + 1, f"{TOTAL_KEY}:{at}", "spms quiet")
        for name in ("said", VALUE):
            letter = _letter(fields, name)
            style = "spms total amount" if len(parts) > 1 and not month else "spms amount"
            put_formula(
                sheet, at, "ABCDEFGHIJKL".index(letter) + 1, _total(fields, name, month, parts, last), style
            )


def _total(fields: tuple[Field, ...], name: str, month: str, categories: list[str], last: int) -> str:
    """Write the sum of the filled cells of a column; empty where none is filled."""

    def cells(column: str) -> str:
        return f"${_letter(fields, column)}${HEADER_ROW + 1}:${_letter(fields, column)}${last}"

    amount = cells(name)
    month_is = f'{cells(PERIOD)},"{month}",' if month else ""
    each = [f'{month_is}{cells(CATEGORY)},"{category_title(category)}"' for category in categories]
    count = "+".join(f'COUNTIFS({where},{amount},"<>")' for where in each)
    total = "+".join(f"SUMIFS({amount},{where})" for where in each)
    return f'=IF({count}=0,"",{total})'


def _add_checks(sheet: "Worksheet", form: Form, rows: "pd.DataFrame", fields: tuple[Field, ...]) -> None:
    """Tell people at once what would not be used: texts, negative amounts, shares beyond 100 %, missing reasons."""
    from openpyxl.formatting.rule import FormulaRule
    from openpyxl.styles import PatternFill
    from openpyxl.worksheet.datavalidation import DataValidation

    def check(message: str, error: str, style: str, **rule: str) -> "DataValidation":
        made = DataValidation(
            type="decimal", allow_blank=True, showErrorMessage=True, showInputMessage=True, **rule
        )
        made.promptTitle, made.prompt = "What to write", message
        made.errorTitle, made.error, made.errorStyle = "Please check", error, style
        sheet.add_data_validation(made)
        return made

    money = f"An amount in {form.currency}. 0: nothing is expected. Empty: nobody can say."
    amounts = check(money, "Write a number, 0 or more.", "stop", operator="greaterThanOrEqual", formula1="0")
    closed = check(
        f"{money} Negative only where credits exceed sales.", "Negative: do credits exceed sales? Text is not read.",
        "warning", operator="greaterThanOrEqual", formula1="0",
    )  # fmt: skip
    shares = check(
        "A percentage such as 80%.", "Write a percentage between 0% and 100%.", "stop",
        operator="between", formula1="0", formula2="1",
    )  # fmt: skip
    first, last = HEADER_ROW + 1, HEADER_ROW + len(rows)
    for at, category in enumerate(rows[CATEGORY], start=first):
        for field in fields:
            if field.kind == AMOUNT and is_open(field, category):
                (closed if category == "closed" else amounts).add(f"{_letter(fields, field.name)}{at}")
    said, value, reason = (f"${_letter(fields, name)}{first}" for name in ("said", VALUE, "reason"))
    missing = f'AND({value}<>"",LEN({reason})=0)'
    if any(field.name == "confidence" for field in fields):
        shares.add(f"{_letter(fields, 'confidence')}{first}:{_letter(fields, 'confidence')}{last}")
        change = f"ABS({value}-{said})>{form.reason_above!r}*ABS({said})"
        missing = f'AND({value}<>"",{said}<>"",LEN({reason})=0,{change})'
    else:
        sheet.data_validations.dataValidation.remove(shares)
    fill = PatternFill("solid", bgColor=ATTENTION, fgColor=ATTENTION)
    column = _letter(fields, "reason")
    sheet.conditional_formatting.add(f"{column}{first}:{column}{last}", FormulaRule([missing], fill=fill))
