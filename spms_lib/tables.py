"""The data contract: which tables there are, their columns, types and keys.

The truth is `data_dictionary.csv` beside this module; it feeds the checks and
the manual. Column names are constants here, so a misspelt column is a name
error and not an empty result.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

import pandas as pd

from spms_lib.errors import TableError
from spms_lib.findings import rejected_rows

NODE: Final = "node"
PARENT: Final = "parent"
LEVEL: Final = "level"
NAME: Final = "name"
OWNER: Final = "owner"
VALID_FROM: Final = "valid_from"
VALID_TO: Final = "valid_to"
PERIOD: Final = "period"
MEASURE: Final = "measure"
VALUE: Final = "value"
VARIANCE: Final = "variance"
SOURCE: Final = "source"
CATEGORY: Final = "category"
PRODUCT: Final = "product"
DATE: Final = "date"
AS_OF: Final = "as_of"
REVENUE: Final = "revenue"

CATEGORIES: Final = ("closed", "commit", "most_likely", "best_case", "pipeline")
STATUSES: Final = ("open", "won", "lost")

TYPES: Final = {
    "text": "Any text; spaces at both ends are dropped",
    "money": "Amount of money; held as whole minor units (cents), int64",
    "number": "Any number",
    "ratio": "Share of one; 0.3 and 30 % are the same",
    "date": "Calendar day",
    "datetime": "Day and time",
    "period": "Fiscal month, quarter or year, such as 2026-11, 2026Q4 or FY26",
    "category": "One of " + ", ".join(CATEGORIES),
    "status": "One of " + ", ".join(STATUSES),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table, as the data dictionary states it.

    Attributes
    ----------
    type
        One of `TYPES`.
    required
        True where an empty value makes the row unusable.
    key
        True where the column is part of what makes a row unique.
    """

    name: str
    type: str
    required: bool
    key: bool
    description: str


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of one table, in the order of the data dictionary."""

    table: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Names of all columns."""
        return [column.name for column in self.columns]

    @property
    def required(self) -> list[str]:
        """Names of the columns that must be there and filled."""
        return [column.name for column in self.columns if column.required]

    @property
    def keys(self) -> list[str]:
        """Names of the columns that together make a row unique; empty where rows may repeat."""
        return [column.name for column in self.columns if column.key]


@dataclass(frozen=True, slots=True)
class LoadedTable:
    """Rows that can be used, and findings for those that cannot or that need a look.

    Attributes
    ----------
    rows
        The usable rows with the schema's column names and types; its index is the
        data row number in the source, counted from 1.
    findings
        See `spms_lib.findings`.
    rows_in
        Rows read from the source: always `len(rows)` plus the rejected ones.
    origin
        Where it was read, as given in the params; never an absolute path.
    """

    table: str
    rows: pd.DataFrame
    findings: pd.DataFrame
    rows_in: int
    origin: str

    def __post_init__(self) -> None:
        if self.rows_in != len(self.rows) + self.rejected:
            raise TableError(
                f"{self.rows_in} rows were read, but {len(self.rows)} are used and {self.rejected} rejected.",
                where=self.table,
                remedy="This is a defect of the reader: every row must be used or have a finding.",
            )

    @property
    def rejected(self) -> int:
        """Number of rows left out."""
        return rejected_rows(self.findings)


@cache
def schemas() -> dict[str, Schema]:
    """Read the data dictionary.

    Examples
    --------
    >>> schemas()["targets"].keys
    ['node', 'period', 'measure']
    """
    text = files("spms_lib").joinpath("data_dictionary.csv").read_text(encoding="utf-8")
    columns: dict[str, list[Column]] = {}
    for row in csv.DictReader(text.splitlines()):
        columns.setdefault(row["table"], []).append(
            Column(
                row["column"], row["type"], row["required"] == "yes", row["key"] == "yes", row["description"]
            )
        )
    return {table: Schema(table, tuple(found)) for table, found in columns.items()}


def schema(table: str) -> Schema:
    """Look up one table's schema, or refuse the name with the known ones."""
    known = schemas()
    if table not in known:
        raise TableError(f"There is no table named '{table}'.", remedy=f"Known tables: {', '.join(known)}.")
    return known[table]


def to_long(wide: pd.DataFrame, *, value: str = VALUE) -> pd.DataFrame:
    """Turn nodes x periods into rows of node, period, value; missing cells are left out.

    Examples
    --------
    >>> to_long(pd.DataFrame({"2026-01": [5]}, index=["a"])).values.tolist()
    [['a', '2026-01', 5]]
    """
    rows = wide.reset_index(names=NODE).melt(id_vars=NODE, var_name=PERIOD, value_name=value)
    return rows.dropna(subset=value, ignore_index=True)


def to_wide(rows: pd.DataFrame, *, value: str = VALUE, columns: str = PERIOD) -> pd.DataFrame:
    """Turn rows of node, period, value into nodes x periods in order of time; absent cells are missing.

    Rows of the same node and period are added up; a row without a value is nobody's word, not zero.
    """
    table = rows.dropna(subset=value).pivot_table(
        index=NODE, columns=columns, values=value, aggfunc="sum", sort=True
    )
    return table.rename_axis(index=None, columns=None)


def need(frame: pd.DataFrame, columns: Sequence[str], where: str) -> None:
    """Refuse a frame that lacks a column, by name."""
    missing = [name for name in columns if name not in frame]
    if missing:
        raise TableError(f"Columns {missing} are missing.", where=where, remedy="Add or rename them.")
