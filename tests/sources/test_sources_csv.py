"""CSV files as they really come: encodings, separators, broken lines. Nothing is lost without a word."""

import csv
import gzip
import io
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.errors import SourceError
from spms_lib.sources import csv_file
from spms_lib.sources.csv_file import TOO_FEW, TOO_MANY, UNCLOSED
from spms_lib.sources.read import read_raw
from spms_lib.sources.spec import TableSource


def read(
    folder: Path, data: str | bytes, name: str = "t.csv", **options
) -> tuple[pd.DataFrame, pd.DataFrame]:
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    return read_raw(TableSource(file=name, **options), folder)


def cells(frame: pd.DataFrame) -> dict[int, list[str | None]]:
    return {row: [None if pd.isna(cell) else cell for cell in line] for row, *line in frame.itertuples()}


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_everything_is_text_and_empty_is_missing(tmp_path: Path, ends: str) -> None:
    frame, found = read(tmp_path, ends.join(["node,value", "007,1.50", 'NA,""', ",-"]) + ends)
    assert list(frame.columns) == ["node", "value"]
    assert cells(frame) == {1: ["007", "1.50"], 2: ["NA", None], 3: [None, "-"]}
    assert found.empty


@pytest.mark.parametrize(
    "data",
    [
        "ort,wert\nKäse,5\n".encode(),
        "ort,wert\nKäse,5\n".encode("utf-8-sig"),
        "ort,wert\nKäse,5\n".encode("latin-1"),
        "ort,wert\nKäse,5\n".encode("utf-16"),
        gzip.compress("ort,wert\nKäse,5\n".encode(), mtime=0),
    ],
)
def test_encodings_and_compression_are_found_out(tmp_path: Path, data: bytes) -> None:
    frame, _ = read(tmp_path, data)
    assert list(frame.columns) == ["ort", "wert"]
    assert cells(frame) == {1: ["Käse", "5"]}


def test_the_euro_sign_of_windows_is_read(tmp_path: Path) -> None:
    frame, _ = read(tmp_path, "a,b\n5 €,1\n".encode("cp1252"))
    assert frame.iloc[0, 0] == "5 €"


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found_out(tmp_path: Path, separator: str) -> None:
    lines = [["node", "net, value"], ["a", "1,5"], ["b", "2,5"]]
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(lines)
    frame, found = read(tmp_path, text.getvalue())
    assert cells(frame) == {1: ["a", "1,5"], 2: ["b", "2,5"]}
    assert found.empty


def test_a_given_separator_and_the_hint_of_a_spreadsheet_win(tmp_path: Path) -> None:
    assert list(read(tmp_path, "a;b,c\n1;2,3\n", delimiter=";")[0].columns) == ["a", "b,c"]
    assert list(read(tmp_path, "sep=|\r\na|b,c\r\n1|2,3\r\n")[0].columns) == ["a", "b,c"]


def test_lines_too_short_or_too_long_become_findings_and_the_others_keep_their_numbers(
    tmp_path: Path,
) -> None:
    frame, found = read(tmp_path, "a,b,c\n1,2,3\n4,5\n6,7,8,9\n\n10,11,12\n")
    assert cells(frame) == {1: ["1", "2", "3"], 4: [None] * 3, 5: ["10", "11", "12"]}
    assert found[["row", "rule", "value"]].to_numpy().tolist() == [
        [2, TOO_FEW, "4,5"],
        [3, TOO_MANY, "6,7,8,9"],
    ]
    assert (found["severity"] == "rejected").all()


def test_numbers_of_bad_lines_are_right_deep_inside_a_large_file(tmp_path: Path) -> None:
    lines = [f"{number},x" for number in range(1, 200_001)]
    lines[150_000] = "short"
    frame, found = read(tmp_path, "\n".join(["id,b", *lines]))
    assert found["row"].tolist() == [150_001]
    assert (frame.index.astype(str) == frame["id"]).all()


def test_a_quotation_mark_that_is_never_closed_costs_one_line_and_not_the_rest(tmp_path: Path) -> None:
    frame, found = read(tmp_path, 'a,b\n1,2\n3,"oops\n5,6\n7,8,9\n10,11\n')
    assert cells(frame) == {1: ["1", "2"], 3: ["5", "6"], 5: ["10", "11"]}
    assert found[["row", "rule"]].to_numpy().tolist() == [[4, TOO_MANY], [2, UNCLOSED]]


def test_inch_marks_and_line_breaks_inside_cells_survive(tmp_path: Path) -> None:
    frame, found = read(tmp_path, 'a,b\n6" pen,1\n"two\nlines","say ""hi"""\n')
    assert cells(frame) == {1: ['6" pen', "1"], 2: ["two\nlines", 'say "hi"']}
    assert found.empty


def test_separators_at_the_end_of_every_line_do_no_harm(tmp_path: Path) -> None:
    frame, found = read(tmp_path, "a,b\n1,2,\n3,4,\n")
    assert cells(frame) == {1: ["1", "2"], 2: ["3", "4"]}
    assert found.empty


def test_one_line_with_a_spare_separator_is_not_guessed(tmp_path: Path) -> None:
    _, found = read(tmp_path, "node,value,comment\na,5,\nb,1,234,\n")  # 1,234 or 1?
    assert found["rule"].tolist() == [TOO_MANY]


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    frame, found = read(tmp_path, "a,b\n")
    assert (list(frame.columns), len(frame), len(found)) == (["a", "b"], 0, 0)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "file is empty"),
        (b"\n\n", "file is empty"),
        (b"PK\x03\x04...", "workbook or zip"),
        (b"a,b\n\x00\x01\x02", "is not text"),
        (b"\x1f\x8b\x08broken", "gzip"),
    ],
)
def test_what_is_no_csv_file_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read(tmp_path, data)


def test_a_wrong_encoding_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="not text in utf-8"):
        read(tmp_path, "a\nKäse\n".encode("latin-1"), encoding="utf-8")
    with pytest.raises(SourceError, match="no encoding 'utf-9'"):
        read(tmp_path, b"a\n1\n", encoding="utf-9")


grids = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.lists(st.text(alphabet='ab ,;"\n\r-é', max_size=4), min_size=width, max_size=width),
        min_size=1,
        max_size=6,
    )
)


@given(grids)
def test_what_a_program_writes_is_what_is_read(rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(rows)
    frame, bad = csv_file._parse(text.getvalue().rstrip("\r\n"), ",", len(rows[0]))
    assert not bad
    assert list(cells(frame).values()) == [[cell or None for cell in row] for row in rows]


@given(st.lists(st.text(alphabet='ab,"\n', max_size=8), max_size=8).map("\n".join), st.integers(1, 3))
def test_no_line_is_lost_whatever_the_file_holds(text: str, width: int) -> None:
    body = text.rstrip("\n")
    frame, bad = csv_file._parse(body, ",", width)
    numbers = sorted([*frame.index, *(line.row for line in bad)])
    assert numbers == list(range(1, len(numbers) + 1))
    assert len("".join(frame.fillna("").to_numpy().ravel())) <= len(body)
    letters = "".join([*frame.fillna("").to_numpy().ravel(), *(line.text for line in bad)])
    assert sum(map(letters.count, "ab")) == sum(map(body.count, "ab"))


@given(
    st.lists(st.lists(st.text(alphabet='ab"', max_size=3), min_size=1, max_size=4), min_size=1, max_size=8)
)
def test_the_fast_and_the_careful_reader_agree(rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    body = text.getvalue().rstrip("\n")
    fast, fast_bad = csv_file._parse(body, ",", 2)
    slow, slow_bad = csv_file._parse_lines(body, ",", 2) if body else (fast, fast_bad)
    assert cells(fast) == cells(slow)
    assert [(line.row, line.rule) for line in fast_bad] == [(line.row, line.rule) for line in slow_bad]
