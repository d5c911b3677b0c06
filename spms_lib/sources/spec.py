"""Where a table comes from, and how its columns map to ours."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import available_timezones

from spms_lib.errors import SourceError

FILE_NAME: Final = "file name"


@dataclass(frozen=True, slots=True)
class Flag:
    """A column of the source that marks rows worth a look: they are used, and noted.

    Attributes
    ----------
    rule
        What the mark means, as it stands in the findings.
    remedy
        What to do about it.
    column
        Our column that it concerns; may be empty.
    """

    rule: str
    remedy: str
    column: str = ""


@dataclass(frozen=True, slots=True)
class TableSource:
    """One table of a company: a file of the data folder, or a query.

    Attributes
    ----------
    file
        Name inside the data folder: .csv, .txt or .tsv (also .gz), .parquet, .xlsx or .xlsm; with
        `*` all files of such a name, under each other in the order of their names.
    sheet
        Sheet of a workbook; None is the first one.
    sql
        Query: DuckDB SQL over files of the data folder, or for the database of `url_env`.
    url_env
        Name of the environment variable that holds a SQLAlchemy URL. Never the URL itself.
    columns
        Our column name to the source's. Equal names need no entry.
    constants
        Our column name to one text for every row.
    day_first
        True where 03/04/2026 is the third of April.
    decimal
        Decimal mark of numbers in text, `.` or `,`.
    encoding, delimiter
        Of a CSV file; None finds them out.
    flags
        The source's column name to what a true value in it means.
    crm
        CRM whose export it is, as in `spms_lib.sources.crm`: headers and words are known then, and
        `columns` and `words` say what differs.
    words
        Our column name to what its words are called in the source, capitals and outer spaces aside;
        `omitted` as a category is a deal that is left out of the forecast, `*` any other word.
    stage_categories
        Stage to the forecast category of a deal that has none.
    as_of_from
        `file name` where the day of a snapshot stands in the name of its file.
    time_zone
        Where a day begins, such as Europe/Berlin, for times with an offset; None takes the day as written.

    Raises
    ------
    SourceError
        If neither or both of `file` and `sql` are given, or an option has no use.

    Examples
    --------
    >>> TableSource(file="Sales.csv.gz", columns={"node": "EmployeeKey"}).origin
    'Sales.csv.gz'
    """

    file: str | None = None
    sheet: str | None = None
    sql: str | None = None
    url_env: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    day_first: bool = False
    decimal: str = "."
    encoding: str | None = None
    delimiter: str | None = None
    flags: Mapping[str, Flag] = field(default_factory=dict)
    crm: str | None = None
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    stage_categories: Mapping[str, str] = field(default_factory=dict)
    as_of_from: str | None = None
    time_zone: str | None = None

    def __post_init__(self) -> None:
        if bool(self.file) == bool(self.sql):
            raise SourceError(
                "A table comes from a file or from a query.",
                where=self.origin,
                remedy="Give exactly one of `file` and `sql`.",
            )
        if self.url_env and not self.sql:
            raise SourceError("`url_env` needs a query.", where=self.origin, remedy="Give `sql` with it.")
        if self.decimal not in {".", ","}:
            raise SourceError(
                f"'{self.decimal}' is not a decimal mark.", where=self.origin, remedy="Use '.' or ','."
            )
        if self.as_of_from not in {None, FILE_NAME} or (self.as_of_from and not self.file):
            raise SourceError(
                f"The day of a snapshot cannot be read from '{self.as_of_from}' here.",
                where=self.origin,
                remedy=f"Give a `file` and set `as_of_from: {FILE_NAME}`, or leave it out.",
            )
        if self.time_zone is not None and self.time_zone not in available_timezones():
            raise SourceError(
                f"There is no time zone '{self.time_zone}'.",
                where=self.origin,
                remedy="Write it as Europe/Berlin.",
            )
        if self.delimiter is not None and len(self.delimiter) != 1:
            raise SourceError(
                f"'{self.delimiter}' is not one character.",
                where=self.origin,
                remedy='Give one character as `delimiter`; a tab is "\\t".',
            )

    @property
    def origin(self) -> str:
        """What to print as the place: the file, with `#sheet` for a workbook, or `sql`."""
        if not self.file:
            return "sql"
        return f"{self.file}#{self.sheet}" if self.sheet else self.file
