"""Reading all tables of a company, and the checks that need more than one table."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pandas as pd

from spms_lib.calendar import FiscalCalendar
from spms_lib.cycle.owners import by_owner
from spms_lib.errors import SourceError
from spms_lib.findings import NOTED, REJECTED, findings, join
from spms_lib.hierarchy.check import validity
from spms_lib.money import minor_per_unit
from spms_lib.params.company import Company
from spms_lib.sources.files import files_of, is_pattern
from spms_lib.sources.load import load_table
from spms_lib.sources.spec import Flag, TableSource
from spms_lib.tables import AS_OF, DATE, NODE, PARENT, PERIOD, LoadedTable

LEAF_TABLES = ("transactions", "actuals", "opportunities", "drivers", "accounts", "submissions")


def data_folder(company: Company, root: Path, data: str = "") -> Path:
    """Find the company's data folder; `data` overrides the params."""
    given = Path(data or company.data)
    folder = given if given.is_absolute() else root / given
    if not folder.is_dir():
        raise SourceError(
            f"The data folder '{data or company.data}' does not exist.",
            where=f"company '{company.company}'",
            remedy="Put the files there, or name another folder with --data.",
        )
    return folder


def load_inputs(company: Company, root: Path, *, data: str = "") -> dict[str, LoadedTable]:
    """Read every table that the params name, with findings beside the usable rows.

    Returns
    -------
    dict[str, LoadedTable]
        In the order of the params, the hierarchy first. Rows for nodes that are not in
        the hierarchy, and results and forecasts of nodes that had children at the time, are
        rejected; so are splits of unknown sales, and leave of people whom nobody knows.
    """
    folder = data_folder(company, root, data)
    first = ("hierarchy", "roster")  # other tables are checked against them
    tables: dict[str, LoadedTable] = {}
    for table in sorted(company.tables, key=lambda table: (table not in first, table != "hierarchy")):
        loaded = load_table(
            table,
            _source(company, table),
            folder,
            calendar=company.calendar.fiscal,
            per_unit=minor_per_unit(company.currency),
        )
        if company.tables[table].crm:
            people = tables["roster"].rows if "roster" in tables else None
            loaded = by_owner(loaded, tables["hierarchy"].rows, people)
        if table != "hierarchy":
            loaded = _check_nodes(loaded, tables["hierarchy"].rows, company.calendar.fiscal)
        tables[table] = loaded
    if "targets" in tables:
        tables["targets"] = _check_targets(
            tables["targets"], monthly_actuals(tables, company), company.measure
        )
    for table in {"splits", "leave"} & set(tables):
        tables[table] = _check_payees(tables[table], tables)
    order = sorted(company.tables, key=lambda table: table != "hierarchy")
    return {table: tables[table] for table in order}


def _check_targets(targets: LoadedTable, actuals: pd.DataFrame, measure: str) -> LoadedTable:
    """Note months of the table's span in which a leaf that has targets sold something without one."""
    rows = targets.rows[
        (targets.rows["measure"] == measure) & (targets.rows[PERIOD].str.len() == len("2026-01"))
    ]
    sold = actuals.groupby([NODE, PERIOD])["value"].sum().reset_index()
    asked = sold[NODE].isin(rows[NODE]) & sold[PERIOD].between(rows[PERIOD].min(), rows[PERIOD].max())
    inside = sold[asked & (sold["value"] != 0)] if len(rows) else sold.head(0)
    both = inside.merge(rows[[NODE, PERIOD]], on=[NODE, PERIOD], how="left", indicator=True)
    bare = both[both["_merge"] == "left_only"]
    found = findings(
        "targets", [0] * len(bare), PERIOD, "sales, but no target in this month", bare[NODE] + " " + bare[PERIOD],
        "Add the target, or confirm that nobody set one; it is missing, not zero.", severity=NOTED,
    )  # fmt: skip
    return replace(targets, findings=join(targets.findings, found))


def _check_payees(loaded: LoadedTable, tables: dict[str, LoadedTable]) -> LoadedTable:
    """Reject splits of unknown sales and leave of unknown people; note unknown payees of splits, which may be pools."""
    rows, tree, found = loaded.rows, tables["hierarchy"].rows, [loaded.findings]
    if loaded.table == "splits":
        sales: list[str] = (
            list(tables["transactions"].rows["transaction"]) if "transactions" in tables else []
        )
        lost = ~rows["transaction"].isin(sales)
        found.append(
            findings(
                loaded.table, rows.index[lost].tolist(), "transaction", "no such transaction", rows["transaction"][lost],
                "Correct it, or add the sale.",
            )
        )  # fmt: skip
        rows = rows[~lost]
    known = [tree[NODE], tree["owner"], *([tables["roster"].rows["person"]] if "roster" in tables else [])]
    strange = ~rows["payee"].isin(pd.concat(known))
    away = loaded.table == "leave"
    found.append(
        findings(
            loaded.table, rows.index[strange].tolist(), "payee", "neither in the roster nor in the hierarchy",
            rows["payee"][strange], "Correct the name." if away else "Correct the name; fine for a pool.",
            severity=REJECTED if away else NOTED,
        )
    )  # fmt: skip
    return replace(loaded, rows=rows[~strange] if away else rows, findings=join(*found))


def _source(company: Company, table: str) -> TableSource:
    spec = company.tables[table]
    flags = {column: Flag(flag.rule, flag.remedy, flag.column) for column, flag in spec.flags.items()}
    values = {name: getattr(spec, name) for name in type(spec).model_fields if name != "flags"}
    return TableSource(**values, flags=flags)


def _check_nodes(loaded: LoadedTable, hierarchy: pd.DataFrame, calendar: FiscalCalendar) -> LoadedTable:
    """Reject rows whose node is unknown or has children; note rows outside the node's validity."""
    rows = loaded.rows
    if NODE not in rows or rows.empty:
        return loaded
    unknown = ~rows[NODE].isin(hierarchy[NODE])
    inner = _had_children(rows, hierarchy, calendar) & ~unknown & (loaded.table in LEAF_TABLES)
    found = [
        loaded.findings,
        findings(
            loaded.table, rows.index[unknown].tolist(), NODE, "node is not in the hierarchy", rows[NODE][unknown],
            "Correct the node, or add it to the hierarchy.",
        ),
        findings(
            loaded.table, rows.index[inner].tolist(), NODE, "booked on a node that has children", rows[NODE][inner],
            "Book it on a leaf; give a manager with own sales a leaf of their own.",
        ),
    ]  # fmt: skip
    used = rows[~unknown & ~inner]
    found.append(_outside_validity(loaded.table, used, hierarchy))
    return replace(loaded, rows=used, findings=join(*found))


def _had_children(rows: pd.DataFrame, hierarchy: pd.DataFrame, calendar: FiscalCalendar) -> pd.Series:
    """Tell whether each row's node had children on its day; ever, for a row without a day."""
    below = hierarchy[hierarchy[PARENT].notna()]
    if below.empty:
        return pd.Series(False, index=rows.index)
    start, end = validity(below)
    first, last = start.groupby(below[PARENT]).min(), end.groupby(below[PARENT]).max()
    if PERIOD in rows:
        ends = {period: pd.Timestamp(calendar.end(period)) for period in rows[PERIOD].unique()}
        day = rows[PERIOD].map(ends)
    elif DATE in rows or AS_OF in rows:
        day = rows[DATE if DATE in rows else AS_OF]
    else:
        return rows[NODE].isin(first.index)
    return (day >= rows[NODE].map(first)) & (day <= rows[NODE].map(last))


def _outside_validity(table: str, rows: pd.DataFrame, hierarchy: pd.DataFrame) -> pd.DataFrame:
    if DATE not in rows or not hierarchy[["valid_from", "valid_to"]].notna().any(axis=None):
        return findings(table, [], DATE, "", [], "")
    start, end = validity(hierarchy)
    first, last = start.groupby(hierarchy[NODE]).min(), end.groupby(hierarchy[NODE]).max()
    outside = (rows[DATE] < rows[NODE].map(first)) | (rows[DATE] > rows[NODE].map(last))
    return findings(
        table, rows.index[outside].tolist(), DATE, "dated outside the node's time in the hierarchy",
        rows[DATE][outside].dt.strftime("%Y-%m-%d"), "Check valid_from and valid_to of the node.", severity=NOTED,
    )  # fmt: skip


def monthly_actuals(tables: dict[str, LoadedTable], company: Company) -> pd.DataFrame:
    """Add up results by leaf, fiscal month and product line.

    Returns
    -------
    pd.DataFrame
        Columns node, period, product ('' where results are not split), value (int64 minor
        units) of the planned measure.
    """
    if "transactions" in tables:
        rows = tables["transactions"].rows
        period = company.calendar.fiscal.months_of(rows[DATE])
    else:
        rows = tables["actuals"].rows
        period = rows[PERIOD]
    mine = rows["measure"] == company.measure
    product = rows["product"].fillna("") if "product" in rows else ""
    frame = pd.DataFrame(
        {NODE: rows[NODE], PERIOD: period, "product": product, "value": rows["value"].astype("int64")}
    )
    return frame[mine].groupby([NODE, PERIOD, "product"])["value"].sum().reset_index()


def input_fingerprint(company: Company, root: Path, *, data: str = "") -> dict[str, str]:
    """Hash what a run reads: every file of the data folder that a table names or may name.

    Returns
    -------
    dict[str, str]
        Table: SHA-256 of its file, or of its files' names and hashes. A table by SQL depends on every file of the folder.
        A database behind a URL has no hash and is read anew by every run.
    """
    folder = data_folder(company, root, data)
    every = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    hashes = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in every}
    prints = {}
    for table, source in company.tables.items():
        if source.file and is_pattern(source.file):
            mine = [folder / name for name in files_of(folder, source.file)]
            whole = "".join(f"{path.name} {hashes[path]}\n" for path in mine)
            prints[table] = hashlib.sha256(whole.encode()).hexdigest()
        elif source.file:
            prints[table] = hashes.get(folder / source.file, "")
        elif not source.url_env:
            prints[table] = hashlib.sha256("".join(hashes.values()).encode()).hexdigest()
    return prints
