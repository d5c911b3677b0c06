"""An inbox takes whatever lands in it: one bad file never stops the others, and none goes unmentioned."""

import datetime as dt
import os
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from forms.made_up import make_form

from spms_lib.calendar import FiscalCalendar
from spms_lib.collect.form import Form
from spms_lib.errors import FormError
from spms_lib.forms.inbox import Inbox, read_inbox
from spms_lib.forms.read import read_form
from spms_lib.forms.workbook import form_book, write_workbook
from spms_lib.sources.load import load_table
from spms_lib.sources.spec import TableSource

AT = dt.datetime(2026, 7, 8)
FORM = make_form(1)


def read(folder: Path, form: Form = FORM, **options: object) -> Inbox:
    options = {"at": AT, **options}
    return read_inbox(folder, form_of={form.template: form}.get, newest=lambda _: form.issue, **options)


def save(path: Path, form: Form = FORM, **cells: object) -> Path:
    """A filled form: `Forecast_F6=12` writes 12 into cell F6 of the sheet Forecast."""
    book = form_book(form)
    for place, value in cells.items():
        sheet, cell = place.split("_")
        book[sheet][cell] = value
    book.save(path)
    return path


def test_good_forms_come_back_whatever_lies_beside_them(tmp_path: Path) -> None:
    save(tmp_path / "b good.xlsx", Forecast_F6=100.25, Forecast_K6="new deal")
    (tmp_path / "a empty.xlsx").write_bytes(b"")
    (tmp_path / "c.docx").write_bytes(b"x")
    (tmp_path / "d folder.xlsx").mkdir()
    (tmp_path / ".hidden.xlsx").write_bytes(b"x")
    (tmp_path / "~$b good.xlsx").write_bytes(b"x")
    (tmp_path / "e link.xlsx").symlink_to(tmp_path / "b good.xlsx")
    os.mkfifo(tmp_path / "f pipe.xlsx")
    inbox = read(tmp_path)
    (answer,) = inbox.answers
    assert (answer.origin, answer.person, answer.template) == ("b good.xlsx", FORM.person, FORM.template)
    assert answer.submissions[["value", "comment", "route"]].to_numpy().tolist() == [
        [10025, "Reason: new deal", "workbook"]
    ]
    assert dict(zip(inbox.findings["table"], inbox.findings["rule"], strict=True)) == {
        ".hidden.xlsx": "hidden or lock file; not read",
        "a empty.xlsx": "file was refused",
        "c.docx": "kind of file that is not read here",
        "d folder.xlsx": "not a plain file; not read",
        "e link.xlsx": "not a plain file; not read",
        "f pipe.xlsx": "not a plain file; not read",
        "~$b good.xlsx": "hidden or lock file; not read",
    }
    assert set(inbox.findings["severity"]) == {"rejected"}


def test_names_of_files_cannot_break_a_message(tmp_path: Path) -> None:
    for name in ("a\nb\x1b[31m.xlsx", "..xlsx", "x" * 240 + ".xlsx", "..\\..\\evil.xlsx"):
        (tmp_path / name).write_bytes(b"x")
    (Path(os.fsencode(tmp_path).decode()) / os.fsdecode(b"\xff.xlsx")).write_bytes(b"x")
    shown = read(tmp_path).findings["table"].tolist()
    assert len(shown) == 5
    assert all(len(name) <= 80 and name.isprintable() for name in shown)
    "".join(shown).encode()


def test_a_dropped_table_is_read_like_any_table_and_named_where_none_is_expected(tmp_path: Path) -> None:
    header = "node,period,category,value,submitted_by,submitted_at\n"
    (tmp_path / "drop.csv").write_text(
        f"{header}a,2026-07,commit,12.50,Anna,2026-07-01\na,soon,commit,1,Anna,2026-07-01\n"
    )
    (tmp_path / "bad.csv").write_text("nothing,of,this\n1,2,3\n")

    def table(name: str):
        return load_table(
            "submissions", TableSource(file=name), tmp_path, calendar=FiscalCalendar(), per_unit=100
        )

    inbox = read(tmp_path, read_table=table)
    (loaded,) = inbox.loaded
    assert (loaded.rows["value"].tolist(), loaded.rejected, loaded.origin) == ([1250], 1, "drop.csv")
    assert inbox.findings["table"].tolist() == ["bad.csv"]
    assert set(read(tmp_path).findings["rule"]) == {"kind of file that is not read here"}


def test_two_files_that_answer_one_form_are_both_read_and_both_named(tmp_path: Path) -> None:
    for name, moment in (("a.xlsx", 1_000_000_000), ("b.xlsx", 1_000_000_060)):
        save(tmp_path / name, Forecast_F6=1)
        os.utime(tmp_path / name, (moment, moment))
    inbox = read(tmp_path, at=None)
    sent = [answer.submissions["submitted_at"].item() for answer in inbox.answers]
    assert sent == [pd.Timestamp("2001-09-09 01:46:40"), pd.Timestamp("2001-09-09 01:47:40")]
    assert inbox.findings["table"].tolist() == ["a.xlsx", "b.xlsx"]


def refusal(path: Path, form: Form = FORM) -> str:
    with pytest.raises(FormError) as refused:
        read_form(path, form_of={form.template: form}.get, newest=lambda _: form.issue, at=AT)
    assert refused.value.remedy
    return str(refused.value)


@pytest.mark.parametrize(
    ("cell", "value", "says"),
    [
        (
            "Forecast_A6",
            "seat-9-9",
            "Forecast!A6 was changed: as issued it is 'seat-1-0', now it is 'seat-9-9'",
        ),
        ("Forecast_D7", "Closed", "Forecast!D7 was changed: as issued it is 'Commit', now it is 'Closed'"),
        ("Forecast_E6", None, "now it is empty"),
        ("Forecast_E6", "=1", "now it is '=1'"),
        ("Forecast_G6", 5, "Forecast!G6 was changed: as issued it is empty, now it is '5'"),
        (
            "Forecast_F5",
            "Your forecast (USD)",
            "Forecast!F5 was changed: as issued it is 'Your forecast (EUR)'",
        ),
        ("Notes_C5", "x", "Notes!C5 was changed"),
        ("Forecast_A4", "Form toy-2026Q3-somebody-1-00000000", "names two forms"),
    ],
)
def test_a_form_changed_where_nobody_may_is_refused_by_cell(
    tmp_path: Path, cell: str, value: object, says: str
) -> None:
    assert says in refusal(save(tmp_path / "a.xlsx", **{cell: value}))


def test_a_form_is_recognised_by_its_hidden_sheet_or_by_what_it_says_on_its_face(tmp_path: Path) -> None:
    book = form_book(FORM)
    book["Forecast"]["F6"] = 7
    del book["_form"]
    book.save(tmp_path / "a.xlsx")
    assert read(tmp_path).answers[0].submissions["value"].tolist() == [700]


def test_rows_may_be_sorted_and_their_hidden_keys_lost(tmp_path: Path) -> None:
    book = form_book(FORM)
    sheet = book["Forecast"]
    sheet["F6"], sheet["F7"] = 7, 8
    first, second = ([sheet.cell(row, at).value for at in range(1, 13)] for row in (6, 7))
    for at, (one, other) in enumerate(zip(first, second, strict=True), start=1):
        sheet.cell(6, at).value, sheet.cell(7, at).value = other, one
    sheet["L6"] = sheet["L7"] = None
    book.save(tmp_path / "a.xlsx")
    said = read(tmp_path).answers[0].submissions
    assert dict(zip(said["category"], said["value"], strict=True)) == {"closed": 700, "commit": 800}


def test_a_row_copied_onto_another_is_said_twice_and_neither_is_used(tmp_path: Path) -> None:
    book = form_book(FORM)
    sheet = book["Forecast"]
    for at in range(1, 13):
        sheet.cell(40, at).value = sheet.cell(6, at).value
    sheet["F6"], sheet["F40"] = 7, 8
    book.save(tmp_path / "a.xlsx")
    (answer,) = read(tmp_path).answers
    assert answer.submissions.empty
    found = answer.findings
    assert found.loc[found["rule"] == "said twice", "column"].tolist() == ["Forecast!F6", "Forecast!F40"]


def test_a_copied_sheet_is_named_and_the_one_with_the_right_title_is_read(tmp_path: Path) -> None:
    book = form_book(FORM)
    book["Forecast"]["F6"] = 7
    book.copy_worksheet(book["Forecast"])["F6"] = 9
    book.save(tmp_path / "a.xlsx")
    (answer,) = read(tmp_path).answers
    assert answer.submissions["value"].tolist() == [700]
    assert "Forecast Copy" in answer.findings["column"].tolist()


def test_a_missing_sheet_is_a_finding_and_the_other_sheets_are_read(tmp_path: Path) -> None:
    form = make_form(10)
    book = form_book(form)
    book["Overrides"]["F6"], book["Overrides"]["G6"] = 5, "too high"
    del book["Forecast"], book["Notes"]
    book.save(tmp_path / "a.xlsx")
    (answer,) = read(tmp_path, form).answers
    assert answer.overrides["value"].tolist() == [500]
    assert answer.findings["column"].tolist() == ["Forecast", "Notes"]


def test_what_a_formula_last_showed_is_said_but_not_used(tmp_path: Path) -> None:
    path = save(tmp_path / "a.xlsx", Forecast_F6="=E6*2")
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts.items():
            new.writestr(
                name,
                content.replace(b"<f>E6*2</f><v />", b"<f>E6*2</f><v>1234</v>").replace(
                    b"<f>E6*2</f><v></v>", b"<f>E6*2</f><v>1234</v>"
                ),
            )
    (answer,) = read(tmp_path).answers
    assert answer.submissions.empty
    assert answer.findings["value"].tolist() == ["=E6*2 (last result: 1234)"]


@pytest.mark.parametrize(
    ("currency", "typed", "minor"), [("JPY", 1200, 1200), ("KWD", 1.234, 1234), ("EUR", 0.1 + 0.2, 30)]
)
def test_amounts_come_back_in_the_smallest_unit_of_their_currency(
    tmp_path: Path, currency: str, typed: float, minor: int
) -> None:
    form = make_form(1, currency=currency)
    save(tmp_path / "a.xlsx", form, Forecast_F6=typed)
    (answer,) = read(tmp_path, form).answers
    assert answer.submissions["value"].tolist() == [minor]
    assert "rounded" not in " ".join(answer.findings["rule"])


def test_no_text_of_a_form_becomes_a_formula_and_targets_are_shown_only_where_given(tmp_path: Path) -> None:
    import openpyxl

    for number, targets in ((1, True), (3, False)):
        form = make_form(number, targets=targets)
        write_workbook(form, tmp_path / "a.xlsx")
        book = openpyxl.load_workbook(tmp_path / "a.xlsx")
        assert ("Targets" in book.sheetnames) is targets
        formulas = [cell.value for sheet in book for row in sheet for cell in row if cell.data_type == "f"]
        assert {formula[:4] for formula in formulas} == {"=IF("}
        assert form.person in book["Forecast"]["A1"].value
        unlocked = {cell.coordinate for row in book["Forecast"] for cell in row if not cell.protection.locked}
        assert unlocked == {f"{column}{row}" for row in range(6, 18) for column in "FIJK"} | {
            f"{column}{row}" for row in (7, 11, 15) for column in "GH"
        }
        assert all(sheet.protection.sheet for sheet in book)


def hostile(path: Path, sheet_xml: bytes) -> Path:
    """A form whose sheet Forecast is replaced by foreign XML."""
    write_workbook(FORM, path)
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts.items():
            new.writestr(name, sheet_xml if name == "xl/worksheets/sheet1.xml" else content)
    return path


START = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
LARGE = {
    "a million styled empty rows": b"".join(
        b'<row r="%d"><c r="A%d" s="1"/></row>' % (row, row) for row in range(1, 600_000)
    ),
    "thousands of rows of their own": b"".join(
        b'<row r="%d"><c r="F%d"><v>1</v></c></row>' % (row, row) for row in range(1, 30_000)
    ),
    "a row very far down": b'<row r="2000000000"><c r="F2000000000"><v>1</v></c></row>',
}


@pytest.mark.parametrize("rows", LARGE.values(), ids=LARGE)
def test_a_form_blown_up_beyond_reason_is_refused_and_the_next_one_read(tmp_path: Path, rows: bytes) -> None:
    hostile(tmp_path / "a.xlsx", START + rows + b"</sheetData></worksheet>")
    save(tmp_path / "b.xlsx", Forecast_F6=7)
    inbox = read(tmp_path)
    assert [answer.origin for answer in inbox.answers] == ["b.xlsx"]
    assert inbox.findings["table"].tolist() == ["a.xlsx"]


def test_a_comment_of_ten_megabytes_is_cut_and_noted(tmp_path: Path) -> None:
    words = "x" * 10_000_000
    save(tmp_path / "a.xlsx", Forecast_F6=7, Forecast_K6="y")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as old:
        parts = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_STORED) as new:
        for name, content in parts.items():
            new.writestr(name, content.replace(b"<t>y</t>", b"<t>%s</t>" % words.encode()))
    assert "allowed" in read(tmp_path).findings["value"].item()  # as it is: too large a file
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts.items():
            new.writestr(name, content.replace(b"<t>y</t>", b"<t>%s</t>" % words[:9_000_000].encode()))
    (answer,) = read(tmp_path).answers
    assert answer.submissions["comment"].str.len().item() == len("Reason: ") + 2000
    cut = answer.findings[answer.findings["rule"].str.contains("cut")]
    assert (cut["column"].item(), cut["value"].str.len().item()) == ("Forecast!K6", 200)
