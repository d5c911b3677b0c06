"""Cells: what a caller may commit, and which of them say something new."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from spms_lib.errors import IntegrityError, LedgerError
from spms_lib.store.schema import AUTHOR, COMMIT, ITEM, KEYS, PAYLOAD, SEQ, TEXT, TIME, UNIT, WITHDRAWN
from spms_lib.tables import MEASURE, NODE, PERIOD, VALUE

REQUIRED: Final = (NODE, PERIOD, MEASURE, VALUE)
COLUMNS: Final = (*KEYS, *PAYLOAD, WITHDRAWN)
_FROM_STATE: Final = (COMMIT, AUTHOR, TIME)  # a state that was read may be committed again as it is
_SHOWN: Final = 5


def checked(cells: pd.DataFrame) -> pd.DataFrame:
    """Return cells in the ledger's own columns and types, or refuse them with the reason.

    Returns
    -------
    pd.DataFrame
        `COLUMNS`: text keys, `value` Int64, `unit` text, `text` text or missing, `withdrawn` bool.
        A withdrawn cell carries no value, unit or text.

    Raises
    ------
    LedgerError
        If a column is missing or unknown, a key is missing or given twice, or a value is not whole.
    """
    missing = [name for name in REQUIRED if name not in cells.columns]
    if missing:
        raise LedgerError(
            f"Cells have no column {', '.join(missing)}.", remedy=f"Give {', '.join(REQUIRED)}."
        )
    unknown = [str(name) for name in cells.columns if name not in {*COLUMNS, *_FROM_STATE}]
    if unknown:
        raise LedgerError(
            f"Cells have unknown columns {', '.join(unknown)}.", remedy=f"Keep only {', '.join(COLUMNS)}."
        )
    good = pd.DataFrame({name: _keys(cells, name) for name in KEYS})
    good[VALUE] = _whole(cells[VALUE])
    good[UNIT] = _texts(cells, UNIT).fillna("")
    good[TEXT] = _texts(cells, TEXT)
    good[WITHDRAWN] = _flags(cells)
    good.loc[good[WITHDRAWN], VALUE] = pd.NA
    good.loc[good[WITHDRAWN], UNIT] = ""
    good.loc[good[WITHDRAWN], TEXT] = None
    twice = good.duplicated(list(KEYS))
    if twice.any():
        raise LedgerError(
            f"{counted(int(twice.sum()))} given more than once, such as {name_of(good[twice].iloc[0])}.",
            remedy="Keep one row per node, period, measure and item.",
        )
    return good.reset_index(drop=True)


def differing(proposed: pd.DataFrame, current: pd.DataFrame) -> pd.DataFrame:
    """Keep the proposed cells that would change the state.

    Parameters
    ----------
    proposed
        As `checked` returns them.
    current
        The newest cells with at least `KEYS`, `PAYLOAD` and `withdrawn`, one row per key.
    """
    now = current.loc[~current[WITHDRAWN], [*KEYS, *PAYLOAD]]
    pairs = proposed[[*KEYS]].merge(now, on=list(KEYS), how="left", indicator="there")
    there = (pairs["there"] == "both").to_numpy(dtype=bool)
    same = there & equal_payload(proposed, pairs)
    withdrawn = proposed[WITHDRAWN].to_numpy(dtype=bool)
    return proposed[np.where(withdrawn, there, ~same)].reset_index(drop=True)


def equal_payload(left: pd.DataFrame, right: pd.DataFrame) -> np.ndarray:
    """Say row by row whether value, unit and text are the same; null equals null and nothing else."""
    same = np.ones(len(left), dtype=bool)
    for name in PAYLOAD:
        one, other = left[name].reset_index(drop=True), right[name].reset_index(drop=True)
        equal = (one == other).fillna(value=False).to_numpy(dtype=bool)
        same &= equal | (one.isna() & other.isna()).to_numpy(dtype=bool)
    return same


def rows_of(frame: pd.DataFrame, columns: Sequence[str]) -> list[tuple[object, ...]]:
    """Return rows of plain Python values, null as None, as the database and the hash want them."""
    plain = [frame[name].to_numpy(dtype=object) for name in columns]
    gaps = [frame[name].isna().to_numpy() for name in columns]
    lists = []
    for gap, values in zip(gaps, plain, strict=True):
        filled = values.copy()
        filled[gap] = None
        lists.append(filled.tolist())
    return list(zip(*lists, strict=True))


def frame_of(rows: Iterable[Sequence[Any]], columns: Sequence[str]) -> pd.DataFrame:
    """Return rows of the database as a frame with the ledger's types.

    Raises
    ------
    IntegrityError
        If a row holds what the ledger never writes.
    """
    lists = list(zip(*rows, strict=True)) or [()] * len(columns)
    try:
        found = {name: _typed(name, list(values)) for name, values in zip(columns, lists, strict=True)}
        return pd.DataFrame(found)
    except (TypeError, ValueError, OverflowError) as error:
        raise IntegrityError(
            f"The ledger holds a value it never wrote ({error}).", remedy="See verify() for the rows."
        ) from error


def name_of(cell: "pd.Series[Any]") -> str:
    """Name a cell for a message: node, period, measure and item."""
    return " ".join(str(cell[name]) for name in KEYS if cell[name])


def counted(number: int) -> str:
    """Begin a sentence about a number of cells.

    Examples
    --------
    >>> counted(1), counted(2)
    ('1 cell is', '2 cells are')
    """
    return "1 cell is" if number == 1 else f"{number} cells are"


def _typed(name: str, values: list[Any]) -> "pd.Series[Any]":
    if name == VALUE:
        return pd.Series(pd.array(values, dtype="Int64"))
    if name == WITHDRAWN:
        return pd.Series(values, dtype="int64").astype(bool)
    if name in {SEQ, "cells"}:
        return pd.Series(values, dtype="int64")
    if name == TIME:
        bare = pd.Series(values, dtype="str").str.removesuffix("Z")
        return pd.to_datetime(bare, format="ISO8601", errors="coerce").astype("datetime64[us]")
    return pd.Series(values, dtype="str")


def _rows(wrong: "pd.Series[bool]") -> str:
    found = [str(number) for number, bad in enumerate(wrong, start=1) if bad]
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"row {', '.join(found[:_SHOWN])}{more}"


def _texts(cells: pd.DataFrame, name: str) -> "pd.Series[str]":
    if name not in cells.columns:
        return pd.Series(np.nan, index=cells.index, dtype="str")
    if isinstance(cells[name].dtype, pd.StringDtype):  # nothing else can be in it
        return cells[name].astype("str")
    column = cells[name].astype(object)
    wrong = column.notna() & ~column.map(lambda given: isinstance(given, str)).astype(bool)
    if wrong.any():
        example = column[wrong].iloc[0]
        raise LedgerError(
            f"Column {name} holds {example!r}, which is not text ({_rows(wrong)}).", remedy="Use text."
        )
    return column.astype("str")


def _keys(cells: pd.DataFrame, name: str) -> "pd.Series[str]":
    column = _texts(cells, name)
    if name == ITEM:
        return column.fillna("")
    empty = column.isna() | ((column == "") & (name == NODE))
    if empty.any():
        raise LedgerError(f"Column {name} is empty ({_rows(empty)}).", remedy="Every cell needs one.")
    return column


def _flags(cells: pd.DataFrame) -> "pd.Series[bool]":
    if WITHDRAWN not in cells.columns:
        return pd.Series(data=False, index=cells.index, dtype=bool)
    column = cells[WITHDRAWN].astype(object)
    wrong = ~column.map(lambda given: isinstance(given, bool | np.bool_)).astype(bool)
    if wrong.any():
        raise LedgerError(
            f"Column withdrawn is neither true nor false ({_rows(wrong)}).", remedy="Use booleans."
        )
    return column.astype(bool)


def _whole(values: "pd.Series[Any]") -> "pd.Series[Any]":
    if isinstance(values.dtype, pd.Int64Dtype) or values.dtype == np.dtype("int64"):
        return values.astype("Int64")
    plain = values.astype(object)
    wrong = plain.notna() & ~plain.map(_is_whole).astype(bool)
    if wrong.any():
        raise LedgerError(
            f"Column value holds {plain[wrong].iloc[0]!r}, which is not a whole number ({_rows(wrong)}).",
            remedy="Commit whole minor units (cents); leave unknown values null.",
        )
    whole = [None if gap else int(given) for given, gap in zip(plain, plain.isna(), strict=True)]
    return pd.Series(pd.array(whole, dtype="Int64"), index=values.index)


def _is_whole(given: object) -> bool:
    if isinstance(given, bool | np.bool_):
        return False
    if isinstance(given, int | np.integer):
        return -(2**63) <= int(given) < 2**63
    return isinstance(given, float | np.floating) and float(given).is_integer() and abs(float(given)) <= 2**53
