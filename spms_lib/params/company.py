"""What a run may be told of a company: its money, its year, and where its tables come from."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import MoneyError
from spms_lib.money import minor_per_unit
from spms_lib.params.block import Model
from spms_lib.tables import schemas

ForecastCategory = Literal["commit", "most_likely", "best_case", "pipeline"]


class Calendar(Model):
    """The fiscal year."""

    start_month: int = Field(default=1, ge=1, le=12)
    """Calendar month, 1 to 12, in which the fiscal year starts."""
    pattern: Literal["months", "4-4-5", "4-5-4", "5-4-4"] = "months"
    """Calendar months, or the weeks in the three months of a quarter."""
    named_by: Literal["start", "end"] = "end"
    """Whether a fiscal year is called by the calendar year in which it starts or ends."""
    week_start: int = Field(default=6, ge=0, le=6)
    """First day of the week in a week pattern: Monday 0 to Sunday 6."""

    @property
    def fiscal(self) -> FiscalCalendar:
        """The calendar that computes."""
        return FiscalCalendar(self.start_month, self.pattern, self.named_by, self.week_start)


class Flag(Model):
    """A column of the source that marks rows worth a look; they are used and noted."""

    rule: str
    """What the mark means, as it shall stand in the findings."""
    remedy: str
    """What to do about it."""
    column: str = ""
    """Our column it concerns; may be empty."""


class Source(Model):
    """Where one table comes from."""

    file: str | None = None
    """File in the data folder: .csv, .csv.gz, .parquet or .xlsx; with '*' all files of such a name."""
    sheet: str | None = None
    """Sheet of a workbook; the first one if not given."""
    sql: str | None = None
    """Query: DuckDB SQL over files of the data folder, or the database of `url_env`."""
    url_env: str | None = None
    """Name of the environment variable that holds the database's SQLAlchemy URL; never the URL itself."""
    columns: dict[str, str] = {}
    """Our column name: the source's column name. Equal names need no entry."""
    constants: dict[str, str] = {}
    """Our column name: one value for every row."""
    day_first: bool = False
    """True where 03/04/2026 is the third of April."""
    decimal: Literal[".", ","] = "."
    """Decimal mark of numbers in text."""
    delimiter: str | None = None
    """Field separator of a CSV file; found out if not given."""
    encoding: str | None = None
    """Text encoding; UTF-8, then Western European, if not given."""
    flags: dict[str, Flag] = {}
    """Source column: what a true value in it means."""
    crm: Literal["salesforce", "hubspot", "dynamics"] | None = None
    """CRM whose export of opportunities it is: headers and words are known then; `columns` and `words` say what differs."""
    words: dict[str, dict[str, str]] = {}
    """Our column name: word in the source: our word, such as category: {Upside: best_case} or node: {Anna Berg: seat_7}."""
    stage_categories: dict[str, ForecastCategory] = {}
    """Stage: forecast category of an open deal that has none."""
    as_of_from: Literal["file name"] | None = None
    """'file name' where the day of a snapshot stands in the name of its file; `file` may then hold a '*'."""
    time_zone: str | None = None
    """Where a day begins, such as Europe/Berlin, for times with an offset; the day as written if not given."""

    @model_validator(mode="after")
    def _one_origin(self) -> "Source":
        if (self.file is None) == (self.sql is None):
            raise ValueError("give either 'file' or 'sql'")
        if self.url_env and not self.sql:
            raise ValueError("'url_env' needs 'sql'")
        if self.as_of_from and not self.file:
            raise ValueError("'as_of_from' needs 'file'")
        return self


class Company(Model):
    """One company: its money, its year, and where its tables come from."""

    company: str = Field(pattern=r"^[a-z0-9_]+$")
    """Short name; also the name of its folders. Lower-case letters, digits and '_'."""
    title: str
    """Name to print."""
    currency: str
    """ISO 4217 code of the currency of every amount, such as EUR."""
    calendar: Calendar = Calendar()
    """The fiscal year."""
    measure: str = "revenue"
    """Measure that is planned."""
    data: str
    """Folder with the company's files, relative to the project or absolute; a run may override it."""
    ledger: str = ""
    """File of the ledger, relative to the project; outputs/<company>/ledger.sqlite if empty."""
    tables: dict[str, Source]
    """Table of the data dictionary: where it comes from."""

    @field_validator("currency")
    @classmethod
    def _known_currency(cls, value: str) -> str:
        try:
            minor_per_unit(value)
        except MoneyError as refusal:
            raise ValueError(str(refusal)) from None
        return value

    @field_validator("tables")
    @classmethod
    def _known_tables(cls, value: dict[str, Source]) -> dict[str, Source]:
        unknown = [table for table in value if table not in schemas()]
        if unknown:
            raise ValueError(f"unknown table '{unknown[0]}'; known: {', '.join(schemas())}")
        strange = [table for table, source in value.items() if source.crm and table != "opportunities"]
        if strange:
            raise ValueError(f"'crm' is known for opportunities only, not for '{strange[0]}'")
        if "hierarchy" not in value or not {"actuals", "transactions"} & set(value):
            raise ValueError("a company needs the table 'hierarchy' and one of 'actuals' and 'transactions'")
        return value
