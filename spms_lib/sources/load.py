"""From a source to a table that can be used: columns, types, defaults, and findings for the rest."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pandas as pd

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import SourceError
from spms_lib.findings import NOTED, REJECTED, ROW, SEVERITY, findings, join
from spms_lib.sources import coerce
from spms_lib.sources.checks import empty_rows, note_unusual, reject_contradictions, reject_repeats
from spms_lib.sources.coerce import REMEDIES, Coerced
from spms_lib.sources.mapping import source_column
from spms_lib.sources.once import spread
from spms_lib.sources.read import read_raw
from spms_lib.sources.spec import TableSource
from spms_lib.sources.words import pick_texts
from spms_lib.tables import CATEGORIES, REVENUE, STATUSES, Column, LoadedTable, Schema, schema

REQUIRED_MISSING: Final = "required value is missing"
NEVER_EMPTY: Final = ("hierarchy", "transactions", "actuals")
_DEFAULTS: Final = {
    ("transactions", "measure"): REVENUE,
    ("actuals", "measure"): REVENUE,
    ("targets", "measure"): REVENUE,
    ("actuals", "product"): "",
    ("submissions", "route"): "file",
    ("notes", "status"): "open",
    ("decisions", "status"): "open",
}
_EMPTY_MEANS_SOMETHING: Final = {"valid_from", "valid_to", "end", "fte", "ramp_months"}
_FALSE_WORDS: Final = {"0", "0.0", "false", "f", "no", "n", "-", "", "null", "n/a"}


def load_table(
    table: str, source: TableSource, data_dir: Path, *, calendar: FiscalCalendar, per_unit: int
) -> LoadedTable:
    """Read one table; what cannot be used is left out and said, row by row.

    A row is left out where a required or key cell is missing or cannot be read, where
    its days contradict each other, or where an earlier row has its key. An optional
    cell that cannot be read is left empty and noted, unless empty has a meaning of its
    own there, such as "still valid".

    Parameters
    ----------
    table
        Name in the data dictionary.
    data_dir
        The data folder; files outside of it are refused.
    per_unit
        Minor units in one unit of the currency.

    Returns
    -------
    LoadedTable
        Rows with all columns of the schema, indexed by data row number from 1.

    Raises
    ------
    SourceError
        If the source cannot be read, or holds no rows where there must be some.
    TableError
        If columns are missing.
    """
    shape = schema(table)
    raw, unread = read_raw(source, data_dir)
    rows_in = len(raw) + len(unread)
    if rows_in == 0 and table in NEVER_EMPTY:
        raise SourceError(
            "The table holds no rows.",
            where=f"{table} ({source.origin})",
            remedy="Check the export or query.",
        )
    picked, translated = pick_texts(raw, source, shape)
    empty = empty_rows(shape, raw)
    filled = ~raw.index.isin(empty[ROW])
    cells, cell_findings = _coerce_all(shape, picked, source, calendar, per_unit, filled)
    found = [unread.assign(table=table), empty, translated, *cell_findings]
    rows = _without_rejected(cells[filled], *found)
    for check in (reject_contradictions, reject_repeats):
        found.append(check(shape, rows))
        rows = _without_rejected(rows, found[-1])
    rows = rows.astype({column.name: "int64" for column in shape.columns if _whole(column)})
    found += [_flagged(shape, source, raw, rows, picked), note_unusual(shape, rows, picked)]
    return LoadedTable(table, rows, _in_order(join(*found), rows), rows_in, source.origin)


def _whole(column: Column) -> bool:
    return column.type == "money" and column.required


def _coerce_all(
    shape: Schema,
    picked: "dict[str, pd.Series[Any]]",
    source: TableSource,
    calendar: FiscalCalendar,
    per_unit: int,
    filled: "Any",
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    index = pd.RangeIndex(1, 1) if not picked else next(iter(picked.values())).index
    nothing = pd.Series(pd.NA, index=index, dtype="str")
    values, found = {}, []
    for column in shape.columns:
        text = picked.get(column.name, nothing)
        value, reasons = _coerce(column, text, source, calendar, per_unit)
        default = _DEFAULTS.get((shape.table, column.name))
        values[column.name] = value if default is None else value.fillna(default)
        found += _cell_findings(
            shape.table, column, text[filled], values[column.name][filled], reasons[filled]
        )
    return pd.DataFrame(values, index=index), found


def _coerce(
    column: Column, text: "pd.Series[Any]", source: TableSource, calendar: FiscalCalendar, per_unit: int
) -> Coerced:
    match column.type:
        case "money":
            return coerce.to_money(text, per_unit, source.decimal)
        case "number":
            return _each_once(text, lambda some: coerce.to_number(some, source.decimal))
        case "ratio":
            return _each_once(text, lambda some: coerce.to_ratio(some, source.decimal))
        case "date":
            return coerce.to_date(text, source.day_first, source.time_zone)
        case "datetime":
            return coerce.to_datetime(text, source.day_first)
        case "period":
            return coerce.to_period(text, calendar)
        case "category":
            return _each_once(text, lambda some: coerce.to_choice(some, CATEGORIES))
        case "status":
            return _each_once(text, lambda some: coerce.to_choice(some, STATUSES))
        case _:
            return coerce.to_text(text)


def _each_once(text: "pd.Series[Any]", read: Callable[["pd.Series[Any]"], Coerced]) -> Coerced:
    """Read each different cell once; for types in which a cell does not depend on the others."""
    codes, unique = pd.factorize(text)
    values, reasons = read(pd.Series(unique, dtype="str"))
    return spread(values, codes, text.index), spread(reasons, codes, text.index)


def _cell_findings(
    table: str, column: Column, text: "pd.Series[Any]", value: "pd.Series[Any]", reasons: "pd.Series[Any]"
) -> list[pd.DataFrame]:
    """State what is wrong with the cells of one column."""
    must = column.required or column.key or column.name in _EMPTY_MEANS_SOMETHING
    found = []
    for reason in reasons.dropna().unique():
        here = reasons == reason
        used = here & value.notna()
        rejected, ignored = (here & ~used, here & False) if must else (here & False, here & ~used)
        for rows, severity, rule in (
            (rejected, REJECTED, reason),
            (used, NOTED, reason),
            (ignored, NOTED, f"{reason}; left empty"),
        ):
            numbers = text.index[rows].tolist()
            found.append(
                findings(
                    table, numbers, column.name, rule, text[rows], _remedy(reason, column), severity=severity
                )
            )
    missing = value.isna() & reasons.isna() if column.required else value.isna() & False
    remedy = "Fill it in, or delete the row."
    shown = text[missing].fillna("")
    found.append(findings(table, text.index[missing].tolist(), column.name, REQUIRED_MISSING, shown, remedy))
    return found


def _remedy(reason: str, column: Column) -> str:
    words = {"category": CATEGORIES, "status": STATUSES}.get(column.type, ())
    return f"{REMEDIES[reason]} Known: {', '.join(words)}." if words else REMEDIES[reason]


def _flagged(
    shape: Schema,
    source: TableSource,
    raw: pd.DataFrame,
    rows: pd.DataFrame,
    picked: "dict[str, pd.Series[Any]]",
) -> pd.DataFrame:
    """Note the used rows that a column of the source marks, with the cell that the mark is about."""
    found = []
    for name, flag in source.flags.items():
        marks = source_column(raw, name, where=f"{shape.table} ({source.origin})").loc[rows.index]
        true = marks.notna() & ~marks.str.strip().str.lower().isin(_FALSE_WORDS)
        numbers = rows.index[true].tolist()
        shown = picked.get(flag.column, marks).reindex(rows.index)[true]
        found.append(
            findings(shape.table, numbers, flag.column, flag.rule, shown, flag.remedy, severity=NOTED)
        )
    return join(*found)


def _without_rejected(rows: pd.DataFrame, *found: pd.DataFrame) -> pd.DataFrame:
    every = join(*found)
    return rows[~rows.index.isin(every.loc[every[SEVERITY] == REJECTED, ROW])]


def _in_order(found: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Sort by row, and drop notes on rows that are left out."""
    told = (found[SEVERITY] == REJECTED) | found[ROW].isin(rows.index)
    return found[told].sort_values(ROW, kind="stable", ignore_index=True)
