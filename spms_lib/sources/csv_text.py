"""The text of a CSV file: unpacked, decoded, its separator found, its header cut off."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from spms_lib.errors import SourceError

SEPARATORS: Final = (",", ";", "\t", "|")
LARGEST: Final = 4_000_000_000  # bytes of text in memory
SNIFFED_LINES: Final = 20
SNIFFED_CHARACTERS: Final = 1 << 20


def text_bytes(path: Path, where: str) -> bytes:
    """Read a file, unpacked if it is a gzip file, whatever its ending; refuse workbooks and archives."""
    if path.stat().st_size > LARGEST:
        raise _too_large(where)
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        try:
            with gzip.open(io.BytesIO(data)) as packed:
                data = packed.read(LARGEST + 1)
        except (OSError, EOFError, zlib.error):
            raise SourceError(
                "The file is not a complete gzip file.", where=where, remedy="Copy or export it again."
            ) from None
    if len(data) > LARGEST:
        raise _too_large(where)
    if data.startswith(b"PK\x03\x04"):
        raise SourceError(
            "The file is a workbook or zip archive, not text.",
            where=where,
            remedy="Give a workbook the ending .xlsx; unpack an archive.",
        )
    return data


def _too_large(where: str) -> SourceError:
    return SourceError(
        f"The file has more than {LARGEST:,} bytes of text.",
        where=where,
        remedy="Split it, or keep it as Parquet.",
    )


def decode(data: bytes, encoding: str | None, where: str) -> str:
    """Turn bytes into text: as told, or by its byte order mark, or UTF-8, or Western European."""
    utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    tried = [encoding] if encoding else ["utf-16"] if utf16 else ["utf-8-sig", "cp1252", "latin-1"]
    for name in tried:
        try:
            text = data.decode(name)
        except LookupError:
            raise SourceError(
                f"There is no encoding '{name}'.", where=where, remedy="Use one such as utf-8 or cp1252."
            ) from None
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        return text.removeprefix("\ufeff")
    raise SourceError(
        f"The file is not text in {' or '.join(tried)}.",
        where=where,
        remedy="Set `encoding`, or leave it out to have it found." if encoding else "Export it again as CSV.",
    )


def find_separator(text: str) -> str:
    """Find the separator: the one that cuts the first lines into most, and equally many, cells."""
    some = text[:SNIFFED_CHARACTERS].lstrip("\r\n")

    def merit(separator: str) -> tuple[int, bool]:
        rows = [row for row in _first_rows(some, separator) if row]
        width = len(rows[0]) if rows else 0
        alike = sum(len(row) == width for row in rows)
        width = width if 2 * alike >= len(rows) else 1
        return width, (separator == ",") == (width == 1)  # of two that fit, the comma is the decimal mark

    return max(SEPARATORS, key=merit)


def _first_rows(text: str, separator: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    rows: list[list[str]] = []
    with suppress(csv.Error):  # the lines before it will do
        rows.extend(row for row, _ in zip(reader, range(SNIFFED_LINES), strict=False))
    return rows


def split_header(text: str, separator: str, where: str) -> tuple[list[str], str]:
    """Return the names of the first line that is not empty, and the text below it."""
    position = 0

    def lines() -> Iterator[str]:
        nonlocal position
        for line in io.StringIO(text[:SNIFFED_CHARACTERS], newline=""):
            position += len(line)
            yield line

    try:
        names: list[str] = next((row for row in csv.reader(lines(), delimiter=separator) if row), [])
    except csv.Error:
        raise SourceError(
            f"A heading has more than {csv.field_size_limit():,} characters.",
            where=where,
            remedy="Check that the first line holds the names of the columns.",
        ) from None
    return [name.strip() for name in names], text[position:].rstrip("\r\n")
