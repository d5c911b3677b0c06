"""DuckDB SQL over the files of the data folder; Parquet files too."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from spms_lib.errors import SourceError
from spms_lib.sources.folder import missing_file

if TYPE_CHECKING:
    import duckdb

_TOKEN = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"", re.DOTALL)
_DENIED = re.compile(r'Cannot access (?:file|directory) "([^"]+)"')
_FILE_ENDINGS: Final = {".csv", ".tsv", ".txt", ".json", ".ndjson", ".parquet", ".gz", ".zst"}
_SETTINGS: Final[dict[str, str | bool | int | float | list[str]]] = {
    "python_enable_replacements": False,  # a query sees files, never variables of the program
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


def read_duckdb(sql: str, folder: Path, *, where: str, decimal: str) -> pd.DataFrame:
    """Run a query over files of the data folder; every column comes back as text.

    File names in the query are names in the data folder, wherever the program runs.
    Nothing outside the folder can be read, and nothing can be written.

    Raises
    ------
    SourceError
        If the query fails, with the database's own first line.
    """
    import duckdb

    folder = folder.resolve()
    query = _with_full_names(sql, folder).strip().rstrip(";").rstrip()
    with duckdb.connect(":memory:", config=_SETTINGS) as connection:
        _lock(connection, folder)
        try:
            described = connection.execute(f"describe select * from (\n{query}\n)").fetchall()  # noqa: S608  the params own the query
            told = connection.sql(f"select columns(*)::varchar from (\n{query}\n)")  # noqa: S608
            frame = (
                told.to_arrow_table().to_pandas()
            )  # strings as they are; frames of objects take twice as long
        except duckdb.Error as error:
            raise _refusal(str(error), folder, where) from None
    frame = frame.set_axis([str(row[0]) for row in described], axis=1)
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    columns = [
        _as_written(frame.iloc[:, i].astype("str"), str(row[1]), decimal) for i, row in enumerate(described)
    ]
    return pd.concat(columns, axis=1) if columns else frame


def read_parquet(path: Path, *, where: str, decimal: str) -> pd.DataFrame:
    """Read a Parquet file of the data folder; every column comes back as text."""
    sql = f"select * from read_parquet({_quoted(path)})"  # noqa: S608  the name is quoted
    return read_duckdb(sql, path.parent, where=where, decimal=decimal)


def _lock(connection: "duckdb.DuckDBPyConnection", folder: Path) -> None:
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(f"set allowed_directories = [{_quoted(folder)}]")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


def _with_full_names(sql: str, folder: Path) -> str:
    """Put the data folder before every quoted name of a file in it.

    Otherwise the database would prefer a file of that name in the working directory.
    """

    def full(found: re.Match[str]) -> str:
        token = found[0]
        mark, name = token[0], token[1:-1]
        if mark not in "'\"" or not name or Path(name).is_absolute() or ".." in Path(name).parts:
            return token
        is_pattern = "*" in name and Path(name).suffix.lower() in _FILE_ENDINGS
        if not (any(folder.glob(name)) if is_pattern else (folder / name).is_file()):
            return token
        return mark + str(folder / name).replace(mark, 2 * mark) + mark

    return _TOKEN.sub(full, sql)


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _refusal(message: str, folder: Path, where: str) -> SourceError:
    if denied := _DENIED.search(message):
        name = Path(denied[1])
        if not name.is_absolute() and ".." not in name.parts:
            return missing_file(folder, denied[1])
        return SourceError(
            "The query reads a file outside the data folder.",
            where=where,
            remedy="Put the file into the data folder and write its name alone.",
        )
    line = message.replace(f"{folder}/", "").strip().splitlines()[0]
    return SourceError(f"The query failed: {line}", where=where, remedy="Correct the query in the params.")


def _as_written(column: "pd.Series[Any]", kind: str, decimal: str) -> "pd.Series[Any]":
    """Make the database's text look like the rest: ISO times, no '.0', the source's decimal mark."""
    if kind.startswith("TIMESTAMP"):
        return column.str.replace(" ", "T").str.removesuffix("T00:00:00")
    if kind.startswith("DECIMAL"):
        whole = column.str.replace(r"^\.", "0.", regex=True).str.replace(r"^-\.", "-0.", regex=True)
        return whole.str.replace(".", decimal)
    if kind in {"DOUBLE", "FLOAT", "REAL"}:
        return column.str.removesuffix(".0").str.replace(".", decimal)
    return column.where(column != "")
