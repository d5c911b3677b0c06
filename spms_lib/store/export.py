"""Export: the whole ledger as plain files."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from sqlalchemy import Connection, Table, select

from spms_lib.csv_out import write_csv
from spms_lib.store.cells import frame_of
from spms_lib.store.schema import cells, commits, journal, signoffs


def export(connection: Connection, folder: Path, *, csv: bool) -> list[Path]:
    """Write commits, cells, signoffs and journal to a folder and return the files.

    Parquet is the exact copy, for programs: it keeps everything, UTC times included. CSV is for
    people and spreadsheets: an empty field is a null, so an empty text can no longer be told from
    no text, and text that a spreadsheet would run has an apostrophe in front; see `csv_text`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for table in (commits, cells, signoffs, journal):
        frame = _frame(connection, table)
        path = folder / f"{table.name}.{'csv' if csv else 'parquet'}"
        if csv:
            write_csv(frame, path, date_format="%Y-%m-%dT%H:%M:%S.%fZ")
        else:
            frame.to_parquet(path, index=False)
        written.append(path)
    return written


def _frame(connection: Connection, table: Table) -> pd.DataFrame:
    columns: Sequence[str] = [column.name for column in table.columns]
    order = list(table.primary_key.columns)
    found = frame_of(connection.execute(select(table).order_by(*order)).all(), columns)
    return found.astype({"entry": "int64"}) if "entry" in found else found
