"""How a form's workbook looks: a few named styles, and cells that hold text as text."""

from typing import TYPE_CHECKING, Any, Final

from spms_lib.forms.layout import AMOUNT, SHARE, TEXT, Field, amount_format, cell_text
from spms_lib.text import inert

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.cell import Cell
    from openpyxl.worksheet.worksheet import Worksheet

    from spms_lib.collect.form import Form

INK: Final = "1F2D3D"
QUIET: Final = "6B7785"
LINE: Final = "D5DAE0"
HEAD: Final = "24506B"
INPUT: Final = "FFF9E0"
INPUT_LINE: Final = "D8C682"
ATTENTION: Final = "F6C6B0"
FONT: Final = "Calibri"


def add_styles(book: "Workbook", form: "Form") -> None:
    """Register the named styles of a form in its workbook."""
    from openpyxl.styles import Alignment, Border, Font, NamedStyle, PatternFill, Protection, Side

    line, edge = Side(style="thin", color=LINE), Side(style="thin", color=INPUT_LINE)
    box = Border(left=edge, right=edge, top=edge, bottom=edge)
    under = Border(bottom=line)
    formats = {AMOUNT: amount_format(form), SHARE: "0%", TEXT: "General"}

    def add(
        name: str, *, size: float = 11, bold: bool = False, ink: str = INK, fill: str = "", border: Any = None,
        wrap: bool = False, right: bool = False, top: bool = False, inside: bool = True, form: str = "General", locked: bool = True,
    ) -> None:  # fmt: skip
        style = NamedStyle(name=name, number_format=form, protection=Protection(locked=locked))
        style.font = Font(name=FONT, size=size, bold=bold, color=ink)
        vertical = "top" if top else "center"
        side = "right" if right else "left"
        style.alignment = Alignment(horizontal=side, vertical=vertical, wrap_text=wrap, indent=int(inside))
        style.fill = PatternFill("solid", fgColor=fill) if fill else PatternFill()
        style.border = border or Border()
        book.add_named_style(style)

    add("spms title", size=18, bold=True, ink=HEAD, inside=False)
    add("spms lead", inside=False)
    add("spms strong", bold=True, inside=False)
    add("spms quiet", size=9, ink=QUIET, inside=False)
    add("spms head", bold=True, ink="FFFFFF", fill=HEAD, wrap=True)
    add("spms head right", bold=True, ink="FFFFFF", fill=HEAD, wrap=True, right=True)
    add("spms term", bold=True, ink=HEAD, top=True, inside=False)
    add("spms words", wrap=True, top=True)
    add("spms closed off", fill="F1F3F5", border=under)
    for kind, number_format in formats.items():
        right = kind != TEXT
        add(f"spms {kind}", border=under, right=right, form=number_format)
        add(
            f"spms total {kind}",
            border=Border(top=line, bottom=line),
            bold=True,
            right=right,
            form=number_format,
        )
        add(
            f"spms input {kind}", fill=INPUT, border=box, right=right, form=number_format, locked=False,
            wrap=not right,
        )  # fmt: skip


def put(sheet: "Worksheet", row: int, column: int, value: float | str | None, style: str) -> "Cell":
    """Write one cell; text is text, whatever it begins with."""
    cell: Cell = sheet.cell(row, column)
    cell.style = style
    if isinstance(value, str):
        text = cell_text(value)
        cell.value = text
        cell.data_type = "s"
        if inert(text) != text:
            cell.quotePrefix = True  # type: ignore[assignment]
    elif value is not None:
        cell.value = value
    return cell


def put_formula(sheet: "Worksheet", row: int, column: int, formula: str, style: str) -> None:
    """Write a formula of our own."""
    cell = sheet.cell(row, column, formula)
    cell.style = style


def put_header(sheet: "Worksheet", row: int, fields: tuple[Field, ...]) -> None:
    """Write the header of a table, and make its columns as wide as they need to be."""
    from openpyxl.utils import get_column_letter

    for column, field in enumerate(fields, start=1):
        put(sheet, row, column, field.title, "spms head" if field.kind == TEXT else "spms head right")
        sheet.column_dimensions[get_column_letter(column)].width = field.width
    sheet.row_dimensions[row].height = 34


def finish(sheet: "Worksheet", *, header: int, width: int, footer: str, height: int = 0) -> None:
    """Freeze the header, fit the print to the page's width, and lock what is not meant to be written.

    The lock has no password: it keeps people from accidents. That nothing was changed is checked on reading.
    """
    sheet.row_dimensions[1].height = 30
    sheet.sheet_view.showGridLines = False
    sheet.freeze_panes = sheet.cell(header + 1, 1)
    sheet.protection.sheet = True
    sheet.protection.formatColumns = False
    sheet.protection.formatRows = False
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = f"{header}:{header}"
    sheet.print_options.horizontalCentered = True
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.oddFooter.left.text = footer.replace("&", "&&")
    sheet.oddFooter.right.text = "&P / &N"
    last = sheet.cell(max(sheet.max_row, header + 1, height), width).coordinate
    sheet.print_area = f"A1:{last}"
