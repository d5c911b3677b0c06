"""A workbook that would do harm is refused before it is opened, quickly and in little memory."""

import io
import struct
import time
import tracemalloc
import zipfile
from pathlib import Path

import openpyxl
import pytest

from spms_lib.errors import SourceError, UnsafeFileError
from spms_lib.sources.guard import FORM_LIMITS, SOURCE_LIMITS, check_workbook_file
from spms_lib.sources.workbook import MOST_CELLS, read_workbook

BOMB = """<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>&c;</t></si></sst>"""
SHEET = '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'


def book(
    path: Path, *, parts: dict[str, bytes | str] | None = None, replace: dict[str, str] | None = None
) -> Path:
    """A small sound workbook, with parts added or replaced."""
    made, plain = openpyxl.Workbook(), io.BytesIO()
    made.active.append(["node", "value"])
    made.active.append(["a", 1])
    made.save(plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, (replace or {}).get(name, old.read(name)))
        for name, content in (parts or {}).items():
            new.writestr(name, content)
    return path


def refuse(path: Path, words: str, *, form: bool = True) -> None:
    limits = FORM_LIMITS if form else SOURCE_LIMITS
    with pytest.raises(UnsafeFileError, match=words) as refusal:
        check_workbook_file(path, where=path.name, limits=limits)
    assert refusal.value.remedy
    assert str(path.parent) not in str(refusal.value)


def test_a_sound_workbook_passes(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx")
    check_workbook_file(path, where="a.xlsx", limits=FORM_LIMITS)
    assert read_workbook(path, sheet=None, where="a.xlsx", decimal=".")["value"].tolist() == ["1"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("xl/vbaProject.bin", "has macros"),
        ("xl/macrosheets/sheet1.xml", "has macros"),
        ("xl/externalLinks/externalLink1.xml", "links to other files"),
        ("xl/connections.xml", "connections to other data"),
        ("xl/embeddings/oleObject1.bin", "embedded files"),
        ("xl/activeX/activeX1.xml", "controls that run code"),
        ("inner.zip", "a file of its own"),
    ],
)
def test_a_form_with_anything_that_runs_or_reaches_out_is_refused(
    tmp_path: Path, name: str, words: str
) -> None:
    path = book(tmp_path / "a.xlsx", parts={name: b"x"})
    refuse(path, words)
    check_workbook_file(path, where="a.xlsx", limits=SOURCE_LIMITS)  # a source may have them: nothing is run


@pytest.mark.parametrize(
    "name", ["../evil.xml", "xl/../../evil.xml", "/etc/passwd", "C:/evil.xml", "xl\\..\\evil.xml"]
)
def test_a_part_whose_name_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    refuse(book(tmp_path / "a.xlsx", parts={name: b"x"}), "leads elsewhere", form=False)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_part_that_stands_there_twice_is_refused(tmp_path: Path) -> None:
    refuse(book(tmp_path / "a.xlsx", parts={"xl/workbook.xml": b"x"}), "twice", form=False)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused_however_they_are_written(tmp_path: Path, encoding: str) -> None:
    text = BOMB if encoding == "utf-8" else BOMB.replace('version="1.0"', 'version="1.0" encoding="utf-16"')
    refuse(
        book(tmp_path / "a.xlsx", parts={"xl/sharedStrings.xml": text.encode(encoding)}),
        "entities",
        form=False,
    )
    hidden = f"<?xml version='1.0'?><!--{'x' * 70_000}-->{BOMB[21:]}"
    refuse(book(tmp_path / "b.xlsx", parts={"xl/other.xml": hidden}), "entities", form=False)


def test_too_many_parts_are_refused(tmp_path: Path) -> None:
    refuse(
        book(tmp_path / "a.xlsx", parts={f"xl/x{each}.xml": b"" for each in range(300)}),
        "parts; 200 are allowed",
    )


def test_a_table_of_contents_of_a_million_entries_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(
        b"PK\x03\x04" + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65535, 65535, 46_000_000, 0, 0)
    )
    refuse(path, "table of contents", form=False)


def test_a_zip_bomb_is_refused_in_a_moment_and_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(300):
            part.write(b"0" * 1_000_000)
    assert path.stat().st_size < 500_000
    tracemalloc.start()
    start = time.perf_counter()
    refuse(path, "unpack to 300")
    refuse(path, "more than 200 times its size", form=False)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()
    assert time.perf_counter() - start < 5


def test_a_part_that_lies_about_its_size_is_no_workbook(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx")
    raw = path.read_bytes()
    at = raw.rfind(b"PK\x01\x02", 0, raw.find(b"xl/worksheets/sheet1.xml", raw.find(b"PK\x01\x02")))
    path.write_bytes(raw[: at + 24] + struct.pack("<L", 40) + raw[at + 28 :])
    with pytest.raises(SourceError, match="not an Excel workbook"):
        read_workbook(path, sheet=None, where="a.xlsx", decimal=".")


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"hello", b"PK\x05\x06" + b"\x00" * 18, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1old"]
)
def test_what_is_no_workbook_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.xlsx").write_bytes(content)
    with pytest.raises(SourceError, match=r"not an Excel workbook|protected by a password"):
        read_workbook(tmp_path / "a.xlsx", sheet=None, where="a.xlsx", decimal=".")


def test_a_broken_sheet_is_no_workbook(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", replace={"xl/worksheets/sheet1.xml": "<worksheet><sheetData><row"})
    with pytest.raises(SourceError, match="not an Excel workbook"):
        read_workbook(path, sheet=None, where="a.xlsx", decimal=".")


def test_a_sheet_of_thousands_of_empty_rows_is_read_as_if_they_were_not_there(tmp_path: Path) -> None:
    rows = '<row r="1"><c r="A1" t="inlineStr"><is><t>node</t></is></c></row><row r="2"><c r="A2"><v>7</v></c></row>'
    rows += "".join(f'<row r="{each}"><c r="A{each}" s="0"/></row>' for each in range(3, 20_000))
    path = book(tmp_path / "a.xlsx", replace={"xl/worksheets/sheet1.xml": SHEET % rows})
    assert read_workbook(path, sheet=None, where="a.xlsx", decimal=".")["node"].tolist() == ["7"]


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="2000000000"><c r="A2000000000"><v>1</v></c></row>',
        f'<row r="1"><c r="ZZZ1"><v>1</v></c></row><row r="{MOST_CELLS // 18278 + 9}"><c r="A9"><v>1</v></c></row>',
    ],
)
def test_a_sheet_that_reaches_far_beyond_its_cells_is_refused(tmp_path: Path, rows: str) -> None:
    path = book(tmp_path / "a.xlsx", replace={"xl/worksheets/sheet1.xml": SHEET % rows})
    with pytest.raises(UnsafeFileError, match="was not read"):
        read_workbook(path, sheet=None, where="a.xlsx", decimal=".")


def test_empty_rows_between_filled_ones_still_count_as_rows(tmp_path: Path) -> None:
    rows = '<row r="2"><c r="A2"><v>1</v></c></row><row r="5"><c r="B5"><v>3</v></c></row>'
    path = book(tmp_path / "a.xlsx", replace={"xl/worksheets/sheet1.xml": SHEET % rows})
    frame = read_workbook(path, sheet=None, where="a.xlsx", decimal=".")
    assert frame.index.tolist() == [1, 2, 3]
    assert frame.isna().to_numpy().tolist() == [[True, True], [True, True], [True, False]]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ('<row r="1"/>' * 160_000, "more than 150,000 elements"),
        ('<row r="1"><c r="A1"><f t="shared" si="0" ref="A1">' + "A1+" * 500 + "A1</f></c>" + '<c r="A1"><f t="shared" si="0"/></c>' * 4000 + "</row>", "copies long formulas"),
    ],
)  # fmt: skip
def test_a_form_of_very_many_elements_or_copied_formulas_is_refused(
    tmp_path: Path, rows: str, words: str
) -> None:
    refuse(book(tmp_path / "a.xlsx", parts={"xl/worksheets/sheet2.xml": SHEET % rows}), words)
