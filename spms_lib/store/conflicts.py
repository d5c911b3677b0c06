"""Conflicts: cells that somebody else changed while a planner was working on them."""

from typing import Any, Final

import pandas as pd

from spms_lib.errors import StaleCommitError
from spms_lib.store.cells import name_of
from spms_lib.store.schema import AUTHOR, COMMIT, KEYS, TEXT, TIME
from spms_lib.tables import VALUE

COLUMNS: Final = (
    *KEYS,
    "base_value",
    "their_value",
    "your_value",
    "base_text",
    "their_text",
    "your_text",
    AUTHOR,
    TIME,
    COMMIT,
)
_SHOWN: Final = 3


class ConflictError(StaleCommitError):
    """A commit or a revert met cells that had moved on; nothing was stored.

    Attributes
    ----------
    conflicts
        One row per cell, columns `COLUMNS`: the value and text it was read with, the one it
        has now, the one that was refused; then who changed it, when (UTC), and in which commit.
        A missing value is null or not there at all.
    """

    def __init__(self, what: str, conflicts: pd.DataFrame, *, remedy: str) -> None:
        self.conflicts = conflicts
        shown = "; ".join(_line(row) for _, row in conflicts.head(_SHOWN).iterrows())
        more = f"; and {len(conflicts) - _SHOWN} more" if len(conflicts) > _SHOWN else ""
        super().__init__(f"{what}: {shown}{more}.", remedy=remedy)


def conflict_table(refused: pd.DataFrame, base: pd.DataFrame, current: pd.DataFrame) -> pd.DataFrame:
    """Put what was read, what is there now and what was refused side by side.

    Parameters
    ----------
    refused, base, current
        Cells by key with value and text; `current` also with author, time and commit.
    """
    yours = refused[[*KEYS, VALUE, TEXT]].rename(columns={VALUE: "your_value", TEXT: "your_text"})
    read = base[[*KEYS, VALUE, TEXT]].rename(columns={VALUE: "base_value", TEXT: "base_text"})
    theirs = current[[*KEYS, VALUE, TEXT, AUTHOR, TIME, COMMIT]].rename(
        columns={VALUE: "their_value", TEXT: "their_text"}
    )
    both = yours.merge(read, on=list(KEYS), how="left").merge(theirs, on=list(KEYS), how="left")
    return both[list(COLUMNS)]


def _line(row: "pd.Series[Any]") -> str:
    by = f"{row[AUTHOR]}, {row[TIME]:%Y-%m-%d %H:%M} UTC"
    base, theirs, yours = (_said(row, whose) for whose in ("base", "their", "your"))
    return f"{name_of(row)} was {base}, is {theirs} ({by}), and would become {yours}"


def _said(row: "pd.Series[Any]", whose: str) -> str:
    value, text = row[f"{whose}_value"], row[f"{whose}_text"]
    if pd.notna(value):
        return str(value)
    return "nothing" if pd.isna(text) else str(text)
