"""Foreign text made harmless: for cells that a spreadsheet would run, and for lines that a person reads."""

import re
from typing import Any, Final

import pandas as pd

_BLANK: Final = r"\s\x00-\x1f\ufeff\u200b\u2060"
_RUNS: Final = rf"(?:[\t\r\n]|[{_BLANK}]*[=+\-@＝＋－＠])"
_NUMBER: Final = r"[+-]?[0-9][0-9.,]*(?:[eE][+-]?[0-9]+)?%?\s*\Z"
_RUN: Final = re.compile(rf"(?!{_NUMBER}){_RUNS}")
_UNSEEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_HARM: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def inert(text: str) -> str:
    r"""Put an apostrophe before text that a spreadsheet would run as a formula.

    That is text whose first sign is `=`, `+`, `-` or `@` (also in full width, also behind blanks),
    and text that begins with a tab or a line end. A plain number such as `-12.50` is left alone.
    Done twice it is the same as done once.

    References
    ----------
    OWASP, CSV injection.

    Examples
    --------
    >>> inert('=HYPERLINK("http://x")'), inert(" @SUM(A1)"), inert("-12.50"), inert("Anna")
    ('\'=HYPERLINK("http://x")', "' @SUM(A1)", '-12.50', 'Anna')
    """
    return f"'{text}" if _RUN.match(text) else text


def inert_column(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Do what `inert` does with a whole column; what is missing or no text stays as it is.

    Examples
    --------
    >>> inert_column(pd.Series(["=1+1", "north", None])).tolist()
    ["'=1+1", 'north', nan]
    """
    if not (pd.api.types.is_object_dtype(column) or pd.api.types.is_string_dtype(column)):
        return column
    runs = column.map(lambda cell: isinstance(cell, str) and _RUN.match(cell) is not None)
    return column.where(~runs.astype(bool), "'" + column.astype("str"))


def shown(text: str, most: int = 80) -> str:
    r"""Write foreign text, such as a file's name, so that it can stand in a message: short, and on one line.

    Control characters, marks that turn the direction of writing, and halves of characters become `?`.

    Examples
    --------
    >>> shown("plan\x1b[31m\u202excod.xlsx"), shown("a" * 90, most=10)
    ('plan?[31m?xcod.xlsx', 'aaaaaaaaa…')
    """
    plain = _UNSEEN.sub("?", text)
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def visible(text: str) -> str:
    r"""Write foreign text so that what is seen is what is there: for pages, tables, figures and files.

    Control characters (tab and line ends aside), marks that turn the direction of writing, and
    halves of characters become `\N{REPLACEMENT CHARACTER}`. Nothing is cut, and letters of every language stay.

    Examples
    --------
    >>> visible("plan\x1b[31m\u202excod.xlsx")
    'plan�[31m�xcod.xlsx'
    """
    return _HARM.sub("\N{REPLACEMENT CHARACTER}", text)


def hides(text: str) -> bool:
    r"""Tell whether `visible` would change a text.

    Examples
    --------
    >>> hides("a\tb"), hides("a\x00b")
    (False, True)
    """
    return _HARM.search(text) is not None
