"""Findings: what is wrong with single rows, kept beside the good ones.

A finding is a row of a frame with the columns of `COLUMNS`. Two severities:
`rejected` (the row cannot be used and is left out) and `noted` (the row is used,
but a planner should know). Row numbers count data rows from 1, as in a
spreadsheet without its header.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final

import pandas as pd

TABLE: Final = "table"
ROW: Final = "row"
COLUMN: Final = "column"
RULE: Final = "rule"
SEVERITY: Final = "severity"
VALUE: Final = "value"
REMEDY: Final = "remedy"
COLUMNS: Final = (TABLE, ROW, COLUMN, RULE, SEVERITY, VALUE, REMEDY)

REJECTED: Final = "rejected"
NOTED: Final = "noted"

LONGEST_VALUE: Final = 200


def findings(
    table: str,
    rows: Sequence[int] | pd.Series,
    column: str,
    rule: str,
    values: Sequence[object] | pd.Series,
    remedy: str,
    *,
    severity: str = REJECTED,
) -> pd.DataFrame:
    """State one rule's finding for each of some rows.

    Parameters
    ----------
    rows
        Data row numbers, counted from 1.
    values
        The offending values, as long as `rows`; kept as text, of a long one the beginning.

    Returns
    -------
    pd.DataFrame
        One row per finding, with the columns of `COLUMNS`.

    Examples
    --------
    >>> findings("actuals", [7], "value", "not a number", ["n/a"], "Type a number.").iloc[0]["row"]
    np.int64(7)
    """
    if not len(rows):
        return no_findings()
    return pd.DataFrame(
        {
            TABLE: table,
            ROW: pd.array(list(rows), dtype="int64"),
            COLUMN: column,
            RULE: rule,
            SEVERITY: severity,
            VALUE: [_short(value) for value in values],
            REMEDY: remedy,
        }
    )


def _short(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def no_findings() -> pd.DataFrame:
    """Return an empty frame of findings."""
    return _nothing().copy()


@cache
def _nothing() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype="int64" if name == ROW else "str") for name in COLUMNS})


def join(*parts: pd.DataFrame) -> pd.DataFrame:
    """Put several frames of findings under each other, in the order given."""
    some = [part for part in parts if len(part)]
    return pd.concat(some, ignore_index=True) if some else no_findings()


def rejected_rows(frame: pd.DataFrame) -> int:
    """Count the distinct rows that findings leave out; one row may break several rules."""
    rejected = frame[frame[SEVERITY] == REJECTED]
    return len(rejected[[TABLE, ROW]].drop_duplicates())


def count_by_rule(frame: pd.DataFrame) -> pd.DataFrame:
    """Count findings by table, rule and severity, with the first value as an example.

    Returns
    -------
    pd.DataFrame
        Columns table, column, rule, severity, count, example, remedy; most frequent first.
    """
    grouped = frame.groupby([TABLE, COLUMN, RULE, SEVERITY], sort=True, dropna=False)
    counts = grouped.agg(count=(ROW, "size"), example=(VALUE, "first"), remedy=(REMEDY, "first"))
    return counts.reset_index().sort_values("count", ascending=False, kind="stable", ignore_index=True)
