"""Checks of whole rows: empty, repeated, contradicting themselves, or far from their neighbours."""

from typing import Any, Final

import numpy as np
import pandas as pd

from spms_lib.calendar import is_month
from spms_lib.findings import NOTED, findings, join
from spms_lib.tables import PERIOD, VALUE, Schema

NEIGHBOURS: Final = 6  # on each side: twelve months around the one in question
FEWEST_NEIGHBOURS: Final = 3
UNUSUAL_FACTOR: Final = 5

_ORDERED_DAYS: Final = {  # table: (earlier, later, rule, remedy)
    "hierarchy": ("valid_from", "valid_to", "valid_to is before valid_from", "Correct one of the two days."),
    "opportunities": (
        "created",
        "close_date",
        "close_date is before created",
        "Correct one of the two days.",
    ),
    "roster": ("start", "end", "end is before start", "Correct one of the two days."),
}
_BY_MONTH: Final = ("actuals", "submissions")
_BY_MONTH_OR_QUARTER: Final = ("targets",)
UNUSUAL: Final = "unusually large against the node's other months"
_WATCHED: Final = ("actuals", "targets")


def reject_contradictions(schema: Schema, rows: pd.DataFrame) -> pd.DataFrame:
    """Find rows whose days stand in the wrong order or whose period is of the wrong length."""
    found = []
    if schema.table in _ORDERED_DAYS:
        earlier, later, rule, remedy = _ORDERED_DAYS[schema.table]
        wrong = rows[later] < rows[earlier]
        days = rows.loc[wrong, [earlier, later]].apply(lambda day: day.dt.strftime("%Y-%m-%d"))
        values = [f"{first} to {last}" for first, last in days.to_numpy()]
        found.append(findings(schema.table, rows.index[wrong].tolist(), later, rule, values, remedy))
    if schema.table in _BY_MONTH:
        wrong = ~rows[PERIOD].map(is_month).astype(bool)
        rule, remedy = "not a month", "Give one row per month."
        found.append(_period_findings(schema, rows[wrong], rule, remedy))
    if schema.table in _BY_MONTH_OR_QUARTER:
        wrong = rows[PERIOD].str.startswith("FY").astype(bool)
        rule, remedy = "neither a month nor a quarter", "Give one row per month or quarter."
        found.append(_period_findings(schema, rows[wrong], rule, remedy))
    return join(*found)


def _period_findings(schema: Schema, rows: pd.DataFrame, rule: str, remedy: str) -> pd.DataFrame:
    return findings(schema.table, rows.index.tolist(), PERIOD, rule, rows[PERIOD], remedy)


def reject_repeats(schema: Schema, rows: pd.DataFrame) -> pd.DataFrame:
    """Find rows whose key an earlier row has already; the earlier one is used."""
    if not schema.keys:
        return findings(schema.table, [], "", "", [], "")
    whole = rows.duplicated()
    later = rows.duplicated(subset=schema.keys) & ~whole
    column = ", ".join(schema.keys)
    return join(
        findings(
            schema.table, rows.index[whole].tolist(), column, "row repeated", _keys(schema, rows[whole]),
            "The first one is used; remove the others.",
        ),
        findings(
            schema.table, rows.index[later].tolist(), column, "another row has the same key", _keys(schema, rows[later]),
            "The first one is used; correct the key, or remove the row that is wrong.",
        ),
    )  # fmt: skip


def _keys(schema: Schema, rows: pd.DataFrame) -> list[str]:
    return [
        " / ".join("" if pd.isna(key) else str(key) for key in row) for row in rows[schema.keys].to_numpy()
    ]


def note_unusual(schema: Schema, rows: pd.DataFrame, picked: "dict[str, pd.Series[Any]]") -> pd.DataFrame:
    """Note amounts of at least five times the median of the node's months around them.

    The months around are up to six before and six after, zeros left out; with fewer
    than three of them nothing is said. `picked` has the amounts as the source wrote them.
    """
    rule, remedy = UNUSUAL, "Check for a slip of a digit."
    unusual = _unusual(schema, rows) if schema.table in _WATCHED and len(rows) else np.zeros(len(rows), bool)
    return findings(
        schema.table, rows.index[unusual].tolist(), VALUE, rule,
        picked[VALUE].loc[rows.index[unusual]] if unusual.any() else [],
        remedy, severity=NOTED,
    )  # fmt: skip


def _unusual(schema: Schema, rows: pd.DataFrame) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    series = [name for name in schema.keys if name != PERIOD]
    length = rows[PERIOD].str.len()  # months and quarters of a node are two series
    group = rows.assign(length=length).groupby([*series, "length"], sort=False, dropna=False).ngroup()
    order = np.lexsort((pd.factorize(rows[PERIOD], sort=True)[0], group.to_numpy()))
    groups, size = group.to_numpy()[order], rows[VALUE].abs().to_numpy(dtype="float64")[order]
    filled = np.where(size == 0, np.nan, size)
    around = np.full((len(rows), 2 * NEIGHBOURS), np.nan)
    for step in range(1, min(NEIGHBOURS, len(rows) - 1) + 1):
        same = groups[step:] == groups[:-step]
        around[step:, step - 1] = np.where(same, filled[:-step], np.nan)
        around[:-step, NEIGHBOURS + step - 1] = np.where(same, filled[step:], np.nan)
    around.sort(axis=1)  # missing ones last
    count = (~np.isnan(around)).sum(axis=1)
    at = np.arange(len(rows))
    median = (around[at, np.maximum(count - 1, 0) // 2] + around[at, count // 2]) / 2
    unusual = np.zeros(len(rows), dtype=bool)
    unusual[order] = (count >= FEWEST_NEIGHBOURS) & (size >= UNUSUAL_FACTOR * median)
    return unusual


def empty_rows(schema: Schema, raw: pd.DataFrame) -> pd.DataFrame:
    """Find rows in which no cell is filled."""
    empty = raw.isna().all(axis=1)
    return findings(
        schema.table, raw.index[empty].tolist(), "", "row is empty", [""] * int(empty.sum()), "Delete it.",
    )  # fmt: skip
