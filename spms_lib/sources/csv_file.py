"""CSV files as exports really write them: any encoding and separator, lines too short or too long."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from spms_lib.errors import SourceError
from spms_lib.findings import findings, join, no_findings
from spms_lib.sources.csv_text import decode, find_separator, split_header, text_bytes

TOO_FEW: Final = "line has too few cells"
TOO_MANY: Final = "line has too many cells"
UNCLOSED: Final = "quotation mark is never closed"
TOO_LONG: Final = "a cell has too many characters"
REMEDIES: Final = {
    TOO_FEW: "Complete the line; put cells that hold a line break into quotation marks.",
    TOO_MANY: "Put cells that hold the separator into quotation marks.",
    TOO_LONG: f"Shorten it to {csv.field_size_limit():,} characters, or close an open quotation mark.",
    UNCLOSED: "Close the quotation mark, or double it inside a cell.",
}
SHOWN: Final = 200
_END: Final = "\x00end of file\x00"


@dataclass(frozen=True, slots=True)
class _BadLine:
    row: int
    rule: str
    text: str
    cells: int = 0


def read_csv(
    path: Path, *, where: str, encoding: str | None, delimiter: str | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read a CSV file as text, and say which lines do not have the header's number of cells.

    Returns
    -------
    tuple[pd.DataFrame, pd.DataFrame]
        Rows by row number from 1, empty cells missing; findings for lines that cannot be
        read (their table is still empty). A line that is empty, or holds only separators,
        is a row without values; empty lines at the end are not rows.

    Raises
    ------
    SourceError
        If the file holds no text, or not text.
    """
    text = decode(text_bytes(path, where), encoding, where)
    if hint := re.match(r"sep=(.)\r?\n", text):
        delimiter, text = delimiter or hint[1], text[hint.end() :]
    separator = delimiter or find_separator(text)
    names, body = split_header(text, separator, where)
    if not names:
        raise SourceError("The file is empty.", where=where, remedy="Export it again, with a header.")
    frame, bad = _parse(body, separator, len(names))
    if frame.empty and bad and len({line.cells for line in bad}) == 1 and bad[0].cells > len(names):
        wider, worse = _parse(body, separator, bad[0].cells)  # every line ends in separators: no harm
        if not worse and wider.iloc[:, len(names) :].isna().all(axis=None):
            frame, bad = wider.iloc[:, : len(names)], []
    found = [
        findings(
            "", [line.row for line in some], "", rule, [line.text[:SHOWN] for line in some], REMEDIES[rule]
        )
        for rule in REMEDIES
        if (some := [line for line in bad if line.rule == rule])
    ]
    return frame.set_axis(names, axis=1), join(*found) if found else no_findings()


def _parse(body: str, separator: str, width: int) -> tuple[pd.DataFrame, list[_BadLine]]:
    import pyarrow as pa

    if not body:
        return pd.DataFrame(index=pd.RangeIndex(1, 1), columns=range(width), dtype="str"), []
    if body.count('"') % 2 == 0:
        data = body.encode()
        for careful in (False, True):  # all cores first; one line after the other where lines are bad
            try:
                return _parse_columns(data, separator, width, careful=careful)
            except pa.ArrowInvalid:
                continue
    return _parse_lines(body, separator, width)


def _parse_columns(
    data: bytes, separator: str, width: int, *, careful: bool
) -> tuple[pd.DataFrame, list[_BadLine]]:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    bad: list[_BadLine] = []

    def note(line: Any) -> str:
        few = line.actual_columns < width
        bad.append(_BadLine(line.number, TOO_FEW if few else TOO_MANY, line.text, line.actual_columns))
        return "skip"

    names = [str(i) for i in range(width)]
    table = arrow_csv.read_csv(
        pa.BufferReader(data),
        read_options=arrow_csv.ReadOptions(column_names=names, use_threads=not careful),
        parse_options=arrow_csv.ParseOptions(
            delimiter=separator,
            newlines_in_values=b'"' in data,
            ignore_empty_lines=False,
            invalid_row_handler=note if careful else None,
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types={name: pa.string() for name in names}, null_values=[""], strings_can_be_null=True
        ),
    )
    frame = table.to_pandas().astype("str")
    numbers = np.arange(1, len(frame) + len(bad) + 1)
    return frame.set_axis(np.delete(numbers, [line.row - 1 for line in bad]), axis=0), bad


def _parse_lines(body: str, separator: str, width: int) -> tuple[pd.DataFrame, list[_BadLine]]:
    """Read line by line where quotation marks do not pair up; slower, and survives anything."""
    lines = [*io.StringIO(body + "\n", newline=""), _END]
    good: dict[int, list[str]] = {}
    bad: list[_BadLine] = []
    for number, (row, first, last) in enumerate(_records(lines, separator), start=1):
        if row is None:
            rule = TOO_LONG if len(lines[first]) > csv.field_size_limit() else UNCLOSED
            bad.append(_BadLine(number, rule, lines[first].rstrip("\r\n")))
        elif not row or len(row) == width:
            good[number] = row or [""] * width
        else:
            rule = TOO_FEW if len(row) < width else TOO_MANY
            bad.append(_BadLine(number, rule, "".join(lines[first:last]).rstrip("\r\n"), len(row)))
    columns = {i: pd.Series([row[i] or None for row in good.values()], dtype="str") for i in range(width)}
    return pd.DataFrame(columns).set_axis(list(good), axis=0), bad


def _records(lines: list[str], separator: str) -> Iterator[tuple[list[str] | None, int, int]]:
    """Yield each record's cells, or None for a line whose quotation mark is never closed, and its lines."""
    start, end = 0, len(lines) - 1
    while start < end:
        reader = csv.reader((lines[i] for i in range(start, len(lines))), delimiter=separator)
        first = start
        try:
            for row in reader:
                last = start + reader.line_num
                if last > end:  # the end mark was read: alone, or swallowed by an open quotation mark
                    break
                yield row, first, last
                first = last
        except csv.Error:
            pass
        if first < end:
            yield None, first, first + 1
        start = first + 1
