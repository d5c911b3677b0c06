"""A form: what one person is asked for in a cycle, the same for a workbook, the notebook's grid and a web page."""

import datetime as dt
import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import pandas as pd

from spms_lib.tables import CATEGORY, NAME, NODE, PERIOD, VALUE

SELLER: Final = "seller"
MANAGER: Final = "manager"
SUBMISSION: Final = "submission"
OVERRIDE: Final = "override"
ASKED: Final = (NODE, NAME, PERIOD, CATEGORY, "kind", "said")
HISTORY: Final = (NODE, PERIOD, "actual", "forecast")
TARGETS: Final = (NODE, PERIOD, VALUE)
TOPICS: Final = ("market", "competition", "pricing", "supply", "people", "quota", "other")


@dataclass(frozen=True, eq=False)
class Form:
    """What one person is asked for, with what helps to answer it.

    Attributes
    ----------
    person
        Who is asked; the name stands in what comes back.
    role
        `seller` (asked for submissions) or `manager` (asked for overrides, and for submissions of vacant seats).
    issue
        1 for the first form of the person in the cycle; a later one makes the earlier ones stale.
    asked
        Columns `ASKED`: node, name, period, category, kind (`submission` or `override`), said (Int64 minor units:
        what was last said, for an override the sum of what was submitted below; null where nobody has spoken).
    history
        Columns `HISTORY`: node, period, actual and forecast (Int64 minor units) of past months.
    targets
        Columns `TARGETS`; no rows where the target is hidden.
    due, cut_off
        Last day in time, and last day on which anything counts.
    ask_range
        Whether low and high are asked for beside the commit, of which range_share shall hold the actual.
    reason_above
        Change, as a ratio of what was said, above which a reason is required.
    """

    company: str
    cycle: str
    person: str
    role: str
    issue: int
    currency: str
    due: dt.date
    cut_off: dt.date
    asked: pd.DataFrame
    history: pd.DataFrame
    targets: pd.DataFrame
    ask_range: bool = True
    range_share: float = 0.8
    reason_above: float = 0.05
    topics: tuple[str, ...] = TOPICS

    @cached_property
    def template(self) -> str:
        """Name of this very form, such as `sample-2026Q3-anna-berg-1-4f2a9c01`: another content has another one."""
        safe = re.sub(r"[^a-z0-9]+", "-", self.person.casefold()).strip("-") or "person"
        digest = hashlib.sha256(json.dumps(self.said(), sort_keys=True).encode()).hexdigest()[:8]
        return f"{self.company}-{self.cycle}-{safe}-{self.issue}-{digest}"

    def said(self) -> dict[str, Any]:
        """Write the form as plain values; `Form.read` gives the same form again."""
        plain = {name: getattr(self, name) for name in _PLAIN}
        days = {name: getattr(self, name).isoformat() for name in _DAYS}
        tables = {name: _rows(getattr(self, name)) for name in _TABLES}
        return {**plain, **days, **tables, "topics": list(self.topics)}

    @classmethod
    def read(cls, said: dict[str, Any]) -> "Form":
        """Read a form from what `said` wrote."""
        parts: dict[str, Any] = {name: said[name] for name in _PLAIN}
        parts |= {name: dt.date.fromisoformat(said[name]) for name in _DAYS}
        parts |= {name: _frame(said[name], columns) for name, columns in _TABLES.items()}
        return cls(**parts, topics=tuple(said["topics"]))


@dataclass(frozen=True, eq=False)
class Answer:
    """What came back on a form: rows for the tables of the data dictionary, and findings for the rest.

    Attributes
    ----------
    origin
        Where it came from, such as the name of a file; never an absolute path.
    submissions, overrides, notes
        Rows with the columns of the data dictionary. A cell that was left empty has no row; 0 is a word.
    findings
        See `spms_lib.findings`; the table is the origin, the column the sheet and cell.
    """

    template: str
    person: str
    origin: str
    submissions: pd.DataFrame
    overrides: pd.DataFrame
    notes: pd.DataFrame
    findings: pd.DataFrame


_PLAIN: Final = (
    *("company", "cycle", "person", "role", "issue", "currency"),
    *("ask_range", "range_share", "reason_above"),
)
_DAYS: Final = ("due", "cut_off")
_TABLES: Final = {"asked": ASKED, "history": HISTORY, "targets": TARGETS}
_AMOUNTS: Final = ("said", "actual", "forecast", VALUE)


def _rows(frame: pd.DataFrame) -> list[list[Any]]:
    plain = frame.astype(object).where(frame.notna(), None)
    return [[_plain(cell) for cell in row] for row in plain.itertuples(index=False)]


def _plain(cell: Any) -> Any:
    return cell if cell is None or isinstance(cell, str) else int(cell)


def _frame(rows: list[list[Any]], columns: tuple[str, ...]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(columns), dtype="object")
    amounts = [name for name in columns if name in _AMOUNTS]
    texts = [name for name in columns if name not in _AMOUNTS]
    return frame.astype({**dict.fromkeys(amounts, "Int64"), **dict.fromkeys(texts, "str")})
