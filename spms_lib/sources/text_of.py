"""Typed cells of databases and workbooks as text that loses nothing."""

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal

import pandas as pd


def text_of(value: object, *, decimal: str = ".") -> str | None:
    """Write one cell as text: dates and times ISO, booleans true or false, missing None.

    Parameters
    ----------
    decimal
        Decimal mark to write, so that typed and typed-in numbers of one source look alike.

    Examples
    --------
    >>> import datetime as dt
    >>> text_of(dt.datetime(2026, 11, 9)), text_of(272.0), text_of(True), text_of(12.5, decimal=",")
    ('2026-11-09', '272', 'true', '12,5')
    """
    if value is None:
        return None
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, Decimal)):
        return _number(value, decimal)
    if isinstance(value, dt.datetime):
        midnight = value.tzinfo is None and value.time() == dt.time()
        return value.date().isoformat() if midnight else value.isoformat()
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).hex()
    return str(value)


def _number(value: float | Decimal, decimal: str) -> str | None:
    if value != value:  # noqa: PLR0124  the only value that differs from itself is "not a number"
        return None
    text = format(value, "f") if isinstance(value, Decimal) else repr(value)
    return text.removesuffix(".0").replace(".", decimal)


def frame_of(names: Sequence[str], rows: Iterable[Sequence[object]], *, decimal: str) -> pd.DataFrame:
    """Lay rows of typed cells out as a frame of text, numbered from 1."""
    cells = [[text_of(value, decimal=decimal) for value in row] for row in rows]
    index = pd.RangeIndex(1, len(cells) + 1)
    columns = [pd.Series([row[i] for row in cells], index=index, dtype="str") for i in range(len(names))]
    frame = pd.concat(columns, axis=1) if columns else pd.DataFrame(index=index)
    return frame.set_axis(list(names), axis=1)
