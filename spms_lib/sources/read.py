"""Any source as a frame of text, with the lines that cannot be read as findings."""

from pathlib import Path

import pandas as pd

from spms_lib.errors import SourceError
from spms_lib.findings import no_findings
from spms_lib.sources.csv_file import read_csv
from spms_lib.sources.database import read_database
from spms_lib.sources.duck import read_duckdb, read_parquet
from spms_lib.sources.files import is_pattern, read_files
from spms_lib.sources.folder import file_inside
from spms_lib.sources.spec import TableSource
from spms_lib.sources.workbook import read_workbook


def read_raw(source: TableSource, data_dir: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read a table as it stands: every cell as text, missing where empty, in the order of the source.

    Parameters
    ----------
    data_dir
        The data folder. Files outside of it are refused.

    Returns
    -------
    tuple[pd.DataFrame, pd.DataFrame]
        Rows with the source's column names (as often as they occur), indexed by data row
        number from 1; and findings, without the table's name, for lines of a CSV file that
        do not have the header's number of cells. Rows in = rows + findings.

    Raises
    ------
    SourceError
        If the file or query cannot be read at all.
    """
    where = source.origin
    if source.sql and source.url_env:
        return read_database(source.sql, source.url_env, where=where, decimal=source.decimal), no_findings()
    if source.sql:
        return read_duckdb(source.sql, data_dir, where=where, decimal=source.decimal), no_findings()
    if is_pattern(source.file or "") or source.as_of_from:
        return read_files(source, data_dir, read_raw)
    path = file_inside(data_dir, source.file or "")
    try:
        match path.name.lower().removesuffix(".gz").rpartition(".")[2]:
            case "csv" | "txt" | "tsv":
                return read_csv(path, where=where, encoding=source.encoding, delimiter=source.delimiter)
            case "parquet" | "pq":
                return read_parquet(path, where=where, decimal=source.decimal), no_findings()
            case "xlsx" | "xlsm":
                sheet = read_workbook(path, sheet=source.sheet, where=where, decimal=source.decimal)
                return sheet, no_findings()
            case ending:
                raise SourceError(
                    f"Files ending in '.{ending}' cannot be read.",
                    where=where,
                    remedy="Save it as .csv, .csv.gz, .parquet or .xlsx.",
                )
    except OSError as error:
        raise SourceError(
            f"The file cannot be read: {error.strerror or 'unknown reason'}.",
            where=where,
            remedy="Check that it is complete and that you may read it.",
        ) from None
