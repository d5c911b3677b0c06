"""Decisions: what was decided, by whom, until when, and what came of it."""

import datetime as dt
import json
from typing import Any, Final

import pandas as pd

from spms_lib.errors import LedgerError
from spms_lib.store.commits import Commit
from spms_lib.store.ledger import Ledger
from spms_lib.store.moments import Moment
from spms_lib.store.schema import ITEM, MAIN, TEXT, UNIT, WITHDRAWN
from spms_lib.tables import MEASURE, NODE, PERIOD, VALUE, schema

KIND: Final = "decision"
_IN_CELL: Final = {"decision": ITEM, "cycle": PERIOD, "node": NODE, "expected_effect": VALUE}
_OPEN: Final = "open"


def record_decisions(
    ledger: Ledger,
    decisions: pd.DataFrame,
    *,
    author: str,
    message: str = "decisions",
    unit: str = "",
    at: dt.datetime | dt.date | None = None,
    scenario: str = MAIN,
) -> Commit | None:
    """Commit decisions that are new or changed; those not mentioned stay as they are.

    Parameters
    ----------
    decisions
        Columns of the table `decisions` in the data dictionary, one row per decision; the optional
        ones may be left out. A decision that moves to another node or cycle takes its old cell with it.

    Returns
    -------
    Commit or None
        None if the ledger has all of them already, word for word.

    Raises
    ------
    LedgerError
        If a column is unknown, a required field is empty, or a decision is given twice.
    """
    rows = _checked(decisions)
    cells = pd.DataFrame({cell: rows[name] for name, cell in _IN_CELL.items()})
    cells[MEASURE], cells[UNIT], cells[WITHDRAWN] = "", unit, False
    cells[TEXT] = _payloads(rows)
    there = ledger.state(KIND, scenario=scenario) if ledger.head(scenario) else cells.iloc[:0]
    place = [ITEM, NODE, PERIOD]
    known = there[there[ITEM].isin(cells[ITEM])]
    moved = known.merge(cells[place], on=place, how="left", indicator="still")
    moved = moved.loc[
        (moved["still"] == "left_only").to_numpy(), list(cells.columns.intersection(known.columns))
    ]
    both = pd.concat([cells, moved.assign(**{WITHDRAWN: True})], ignore_index=True) if len(moved) else cells
    return ledger.commit(KIND, both, author=author, message=message, scenario=scenario, at=at)


def decisions(ledger: Ledger, *, as_of: Moment | None = None, scenario: str = MAIN) -> pd.DataFrame:
    """List decisions as they stand now, or stood at a moment, sorted by cycle and decision.

    Returns
    -------
    pd.DataFrame
        The columns of the table `decisions`: texts, `due` datetime64, effects Int64 minor units.
    """
    found = ledger.state(KIND, as_of=as_of, scenario=scenario)
    said = [json.loads(text) for text in found[TEXT]]
    columns: dict[str, Any] = {}
    for column in schema("decisions").columns:
        if column.name in _IN_CELL:
            columns[column.name] = found[_IN_CELL[column.name]]
        else:
            columns[column.name] = _typed(column.type, [one[column.name] for one in said])
    return pd.DataFrame(columns).sort_values(["cycle", "decision"], kind="stable", ignore_index=True)


def _checked(given: pd.DataFrame) -> pd.DataFrame:
    table = schema("decisions")
    unknown = [str(name) for name in given.columns if name not in table.names]
    if unknown:
        raise LedgerError(
            f"Decisions have unknown columns {', '.join(unknown)}.",
            remedy=f"Keep only {', '.join(table.names)}.",
        )
    for name in table.required:
        column = given[name] if name in given.columns else pd.Series(None, index=given.index, dtype=object)
        empty = column.isna() | (column.astype(object) == "")
        if empty.any() or name not in given.columns:
            raise LedgerError(
                f"Decisions have no {name} in {int(empty.sum())} of {len(given)} rows.",
                remedy=f"Fill {', '.join(table.required)}.",
            )
    twice = given["decision"].duplicated()
    if twice.any():
        first = given.loc[twice, "decision"].iloc[0]
        raise LedgerError(f"Decision '{first}' is given more than once.", remedy="Keep one row per decision.")
    full = given.reset_index(drop=True).reindex(columns=table.names)
    return full.assign(status=full["status"].astype(object).where(full["status"].notna(), _OPEN))


def _payloads(rows: pd.DataFrame) -> "pd.Series[str]":
    columns = [column for column in schema("decisions").columns if column.name not in _IN_CELL]
    records = [
        {column.name: _plain(column.type, value) for column, value in zip(columns, row, strict=True)}
        for row in zip(*(rows[column.name] for column in columns), strict=True)
    ]
    return pd.Series([json.dumps(one, sort_keys=True, ensure_ascii=False) for one in records], dtype="str")


def _plain(kind: str, value: Any) -> str | int | None:
    if pd.isna(value):
        return None
    if kind == "date":
        return pd.Timestamp(value).date().isoformat()
    if kind == "money":
        if float(value) != int(value):
            raise LedgerError(
                f"An effect of {value!r} is not a whole number.", remedy="Give whole minor units."
            )
        return int(value)
    return str(value)


def _typed(kind: str, values: list[Any]) -> "pd.Series[Any]":
    if kind == "date":
        return pd.Series(values, dtype="datetime64[us]")
    if kind == "money":
        return pd.Series(pd.array(values, dtype="Int64"))
    return pd.Series(values, dtype="str")
