"""What a workbook is made of, looked at before it is opened: sizes, names, macros, links, entities.

A workbook is a ZIP archive of XML parts. Everything here is read from the archive's table of contents and
from the first bytes of each part, so that a hostile file costs little, whatever it would unpack to.
"""

import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.parsers import expat

from spms_lib.errors import SourceError, UnsafeFileError
from spms_lib.text import shown

MEGABYTE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a workbook may be, and what it may hold.

    Attributes
    ----------
    packed, unpacked
        Largest sizes in bytes of the file, and of all its parts together.
    parts
        Largest number of parts.
    elements
        Largest number of XML elements in all parts together, which decides how much memory they take and how
        long they are read; None counts none, since a table may be of any length.
    active
        Whether macros, links to other files and embedded files may be there; nothing of them is ever run.
    """

    packed: int
    unpacked: int
    parts: int
    elements: int | None
    active: bool


SOURCE_LIMITS: Final = Limits(250 * MEGABYTE, 1000 * MEGABYTE, 5000, None, active=True)
FORM_LIMITS: Final = Limits(5 * MEGABYTE, 25 * MEGABYTE, 200, 150_000, active=False)

_RATIO: Final = 200  # sheets of real tables shrink to a tenth or a fiftieth
_RATIO_FROM: Final = 10 * MEGABYTE  # what is smaller does no harm
_DIRECTORY: Final = MEGABYTE  # the table of contents of a workbook has some kilobytes
_COPYING: Final = 2_000_000  # characters of formulas that are copied from cell to cell, all copies together
_CHUNK: Final = 8192
_PROLOG: Final = 65_536  # bytes within which the first element of a part must begin
_ACTIVE: Final = {
    "vbaproject": "macros",
    "xl/macrosheets/": "macros",
    "xl/externallinks/": "links to other files",
    "xl/connections": "connections to other data",
    "xl/embeddings/": "embedded files",
    "xl/activex/": "controls that run code",
}
_NESTED: Final = (
    *(".zip", ".gz", ".7z", ".rar", ".xz", ".bz2"),
    *(".xlsx", ".xlsm", ".docx", ".exe", ".jar"),
)
_SAVE_AGAIN: Final = "Open it where you trust it, and save it again as .xlsx."


def check_workbook_file(path: Path, *, where: str, limits: Limits = SOURCE_LIMITS) -> None:
    """Refuse a workbook that could do harm, before anything of it is unpacked.

    Refused are: more bytes, parts or unpacked bytes than `limits`; a part that unpacks to more than 200 times
    its size; names that lead elsewhere or occur twice; parts behind a password; document types and entities in
    any XML part; more elements than `limits`; and, unless `limits.active`, macros, links to other files and embedded files.

    Raises
    ------
    UnsafeFileError
        For any of these, with the part concerned.
    SourceError
        If the file is no ZIP archive or cannot be read.
    """
    size = path.stat().st_size
    if size > limits.packed:
        raise _unsafe(f"The file has {_megabytes(size)}; {_megabytes(limits.packed)} are allowed", where)
    with path.open("rb") as file:
        start = file.read(8)
        file.seek(max(0, size - 66_000))
        if _directory_size(file.read()) > _DIRECTORY:
            raise _unsafe("The file's table of contents is far too long for a workbook", where)
    if start == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        what = "The file is protected by a password, or of the old kind .xls."
        raise SourceError(what, where=where, remedy="Save it again as .xlsx, without a password.")
    try:
        with zipfile.ZipFile(path) as archive:
            _check_contents(archive.infolist(), where, limits)
            elements = 0
            for part in archive.infolist():
                elements += _count(archive, part, where, limits.elements)
                if limits.elements is not None and elements > limits.elements:
                    raise _unsafe(f"The file has more than {limits.elements:,} elements", where)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeError, struct.error):
        raise not_a_workbook(where) from None


def not_a_workbook(where: str) -> SourceError:
    """Say that a file is not a workbook."""
    return SourceError("The file is not an Excel workbook.", where=where, remedy="Save it again as .xlsx.")


def _directory_size(tail: bytes) -> int:
    """Size of the archive's table of contents as its last bytes state it; 0 where there is none."""
    size = 0
    for at in {len(tail) - 22, tail.rfind(b"PK\x05\x06")}:
        if at >= 0 and tail[at : at + 4] == b"PK\x05\x06" and len(tail) >= at + 22:
            size = max(size, struct.unpack_from("<L", tail, at + 12)[0])
            if at >= 76 and tail[at - 20 : at - 16] == b"PK\x06\x07":  # the long form of the same record
                size = struct.unpack_from("<Q", tail, at - 76 + 40)[0]
    return size


def _check_contents(parts: list[zipfile.ZipInfo], where: str, limits: Limits) -> None:
    if len(parts) > limits.parts:
        raise _unsafe(f"The file has {len(parts)} parts; {limits.parts} are allowed", where)
    unpacked = sum(part.file_size for part in parts)
    if unpacked > limits.unpacked:
        much, most = _megabytes(unpacked), _megabytes(limits.unpacked)
        raise _unsafe(f"The file would unpack to {much}; {most} are allowed", where)
    seen: set[str] = set()
    for part in parts:
        name = part.filename.lower()
        shape = _shape_of(part, limits)
        if name in seen:
            shape = "stands in the file twice"
        if shape:
            raise _unsafe(f"The part '{shown(part.filename)}' {shape}", where)
        seen.add(name)
        active = next((what for mark, what in _ACTIVE.items() if mark in name), "")
        if active and not limits.active:
            raise _unsafe(f"The file has {active} ('{shown(part.filename)}')", where)


def _shape_of(part: zipfile.ZipInfo, limits: Limits) -> str:
    """Say what is wrong with a part as the table of contents describes it; empty where nothing is."""
    steps = part.filename.replace("\\", "/").split("/")
    if (
        ".." in steps
        or steps[0] == ""
        or "\\" in part.orig_filename
        or ":" in steps[0]
        or "\x00" in part.orig_filename
    ):
        return "has a name that leads elsewhere"
    if part.flag_bits & 1:
        return "is behind a password"
    if part.file_size > _RATIO_FROM and part.file_size > _RATIO * part.compress_size:
        return f"would unpack to more than {_RATIO} times its size"
    if steps[-1].lower().endswith(_NESTED) and not limits.active:
        return "is a file of its own inside the workbook"
    return ""


class _Census:
    """What is met while a part is read: elements, a document type, and formulas that are copied from cell to cell."""

    def __init__(self) -> None:
        self.elements = self.copies = self.length = 0
        self.doctype = self.in_formula = False
        self.parser = expat.ParserCreate()
        self.parser.StartDoctypeDeclHandler = self._meet_doctype
        self.parser.StartElementHandler = self._meet_element
        self.parser.CharacterDataHandler = self._meet_text
        self.parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)

    @property
    def copying(self) -> int:
        """Work of writing all copies out, in characters."""
        return self.copies * self.length

    def _meet_doctype(self, *_: object) -> None:
        self.doctype = True

    def _meet_element(self, name: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        self.in_formula = name.rpartition(":")[2] == "f" and attributes.get("t") == "shared"
        self.copies += self.in_formula

    def _meet_text(self, text: str) -> None:
        if self.in_formula:
            self.length += len(text)


def _count(archive: zipfile.ZipFile, part: zipfile.ZipInfo, where: str, most: int | None) -> int:
    """Count the XML elements of a part up to about `most`, or one where none are counted.

    Refuses a document type: entities can only be declared there, before the first element.
    """
    met, read = _Census(), 0
    with archive.open(part) as stream:
        while met.elements <= (most or 0) and (met.elements or read < _PROLOG) and not met.doctype:
            chunk = stream.read(_CHUNK)
            read += len(chunk)
            try:
                met.parser.Parse(chunk, not chunk)
            except (expat.ExpatError, ValueError, LookupError):
                break  # no XML, such as a picture; or broken, which opening it will say
            if not chunk:
                break
    if met.doctype or (not met.elements and read >= _PROLOG):  # nothing but comments so far
        raise _unsafe(f"The part '{shown(part.filename)}' declares a document type or entities", where)
    if met.copying > _COPYING:
        raise _unsafe(f"The part '{shown(part.filename)}' copies long formulas into many cells", where)
    return met.elements


def _unsafe(what: str, where: str) -> UnsafeFileError:
    return UnsafeFileError(f"{what}, so it was not opened.", where=where, remedy=_SAVE_AGAIN)


def _megabytes(size: int) -> str:
    return f"{size / MEGABYTE:.1f} MB"
