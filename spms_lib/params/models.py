"""What a run may be told: company, cycle and objectives, every number with its unit.

Unknown keys are refused with the nearest known one, so a misspelt parameter
never runs the default.
"""

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import MoneyError, ParamsError, PeriodError
from spms_lib.goals.seasonality import pattern_shares
from spms_lib.money import minor_per_unit
from spms_lib.tables import schemas

Share = Annotated[float, Field(ge=0, le=1)]
Plain = str | int | float | bool


class Model(BaseModel):
    """A block of parameters: frozen, and without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


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
    """File in the data folder: .csv, .csv.gz, .parquet or .xlsx."""
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

    @model_validator(mode="after")
    def _one_origin(self) -> "Source":
        if (self.file is None) == (self.sql is None):
            raise ValueError("give either 'file' or 'sql'")
        if self.url_env and not self.sql:
            raise ValueError("'url_env' needs 'sql'")
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
        if "hierarchy" not in value or not {"actuals", "transactions"} & set(value):
            raise ValueError("a company needs the table 'hierarchy' and one of 'actuals' and 'transactions'")
        return value


class Goal(Model):
    """A goal of the whole organisation, which objectives serve."""

    goal: str
    """Short identifier."""
    statement: str
    """The goal in one sentence."""
    weight: Share
    """Importance; the weights of all goals sum to 1."""


class Objective(Model):
    """Something to reach: how much, by when, by whom, and which goal it serves."""

    objective: str
    """Short identifier."""
    statement: str
    """The objective in one sentence."""
    measure: str = ""
    """What is counted, such as revenue, units or new_customers; empty is a finding, not a default."""
    unit: str = ""
    """Unit of baseline and target, such as EUR, pieces, ratio or `ratio of last year`."""
    baseline: float | None = None
    """Value today, in the unit; of an amount by quarter, the same quarter last year."""
    target: float | None = None
    """Value to reach, in the unit."""
    due: dt.date | None = None
    """Day by which it is reached."""
    owner: str = ""
    """Person who answers for it."""
    serves: dict[str, Share] = {}
    """Goal: share of this objective that serves it; at most 1 together."""
    assumption: str = ""
    """What must hold for the target to make sense."""
    confidence: Share | None = None
    """Owner's probability of reaching it; 0.7 is 70 %."""
    direction: Literal["up", "down"] = "up"
    """Whether more of the measure is better, or less."""
    weight: float = Field(default=1.0, ge=0)
    """Importance relative to the other objectives."""


FULFILLED_BY = {
    "company target": "layers",
    "confidence layers": "layers",
    "approach": "approach",
    "approach choice": "approach",
    "cascade": "targets",
    "submissions": "submission",
    "forecast collection": "submission",
    "reconciliation": "plan",
    "sign-off": "sign-off",
    "publication": "sign-off",
}
"""Step of the cycle: what fulfils it where a duty does not say; any other step needs an approval."""

DoneWhen = Literal[
    "",
    "layers",
    "approach",
    "targets",
    "submission",
    "override",
    "hold",
    "edit",
    "decision",
    "note",
    "approval",
    "plan",
    "sign-off",
]


class Duty(Model):
    """Who does a step of the cycle, by when (RACI)."""

    step: str
    """Step of the cycle."""
    responsible: str = ""
    """Who does it; several with commas. Empty is a finding, not a default."""
    accountable: str = ""
    """Who answers for it: exactly one."""
    consulted: str = ""
    """Who is asked."""
    informed: str = ""
    """Who is told."""
    due: dt.date | None = None
    """Day by which it is done."""
    done_when: DoneWhen = ""
    """What in the ledger fulfils it: a kind of commit, or layers, approach, sign-off; by the step's name if empty."""

    @property
    def fulfilled_by(self) -> str:
        """What fulfils the step: as stated, else by its name, else an approval of the step itself."""
        return self.done_when or FULFILLED_BY.get(self.step.strip().lower(), "approval")


class Layer(Model):
    """One version of the company's number, with how sure somebody is of it."""

    confidence: Share | None = None
    """Stated probability of reaching it; 0.9 is 90 %."""
    of_target: float | None = Field(default=None, gt=0)
    """Ratio of the company's target; 0.94 is 94 %."""
    amount: float | None = Field(default=None, gt=0)
    """Amount in units of the currency."""

    @model_validator(mode="after")
    def _one_amount(self) -> "Layer":
        if self.amount is not None and self.of_target is not None:
            raise ValueError("give either 'amount' or 'of_target'")
        return self


class Criterion(Model):
    """One structured question about the company that speaks for top-down or for bottom-up."""

    question: str
    """The question."""
    score: int = Field(ge=-2, le=2)
    """-2 speaks strongly for bottom-up, 0 for neither, 2 strongly for top-down."""
    weight: float = Field(default=1.0, ge=0)
    """Importance relative to the other questions."""
    reason: str
    """Why this score."""
    decided_by: str
    """Who gave it."""
    topic: Literal["", "culture", "market", "data", "resources"] = ""
    """What it is about; empty for a standard question, which knows its own."""
    decided_on: dt.date | None = None
    """When it was given."""


class Limit(Model):
    """What the plan of a node, or of several together, must not pass: a floor, a capacity cap, or both."""

    nodes: tuple[str, ...] = Field(min_length=1)
    """The node; or several, whose sum is limited."""
    name: str = ""
    """What to call the sum of several nodes; needed for them, and no node's name."""
    period: str = ""
    """A month of the quarter; the whole quarter if empty, which falls on its months as the target does."""
    at_least: float | None = None
    """Floor, in units of the currency."""
    at_most: float | None = None
    """Cap, in units of the currency."""
    owner: str
    """Who set it."""
    reason: str
    """Why."""

    @model_validator(mode="after")
    def _says_something(self) -> "Limit":
        if self.at_least is None and self.at_most is None:
            raise ValueError("a limit needs at_least or at_most")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least {self.at_least:g} is above at_most {self.at_most:g}")
        if len(self.nodes) > 1 and not self.name:
            raise ValueError("a limit on several nodes needs a name")
        return self


class Gate(Model):
    """A condition on leaves: those that fail it get no target, or less."""

    column: str
    """A driver, `seated` (1 where somebody sits, else 0) or `ramp` (share of full productivity)."""
    at_least: float | None = None
    """A leaf below it counts with `factor`; empty where the column is itself the gate, such as ramp."""
    factor: Share = 0.0
    """How a leaf below counts; 0 excludes it."""
    driver: str = ""
    """Driver that is gated; empty for the whole split."""
    missing: Share | None = None
    """How a leaf counts for which the column is missing; empty refuses it by name."""


Pattern = str | tuple[float, ...]


class Hire(Model):
    """People who will start in a node, as decided when the plan is made."""

    node: str
    """Seat, or a node above seats where the seat is not known yet."""
    month: str = Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")
    """Fiscal month in which they start, such as 2026-08."""
    heads: float = Field(default=1.0, gt=0)
    """Full-time posts."""
    ramp_months: float = Field(default=0.0, ge=0)
    """Months until full productivity."""


class CapacityPlan(Model):
    """What is assumed about the people at hand, beside the roster; history speaks where nothing is given."""

    first_ratio: float = Field(default=0.0, ge=0, le=1)
    """Productivity of a newcomer on the first day; 0.3 is 30 % of a full post."""
    leave_ratio: float | None = Field(default=None, ge=0, lt=1)
    """Share of the people that leaves in a month; the roster's own record if not given."""
    backfill_months: int | None = Field(default=None, ge=0)
    """Months until a seat is filled again; the roster's own median if not given."""
    quarters: int = Field(default=4, ge=1, le=12)
    """Past quarters from which productivity is learnt."""
    hires: tuple[Hire, ...] = ()
    """Hires that are decided already."""


class Resource(Model):
    """Something that can be given to territories: heads, budget, tools. Each further unit brings less."""

    resource: str
    """What it is, such as heads."""
    cost: float = Field(ge=0)
    """Cost of a unit in the quarter, in units of the currency."""
    available: float | None = Field(default=None, ge=0)
    """Units that can be given out; no limit but the budget if not given."""
    whole: bool = True
    """False where a unit can be split."""
    elasticity: float | None = Field(default=None, gt=0, le=1)
    """Sales grow with heads to this power; for heads. 0.31 is the mean of a meta-analysis (Albers and others, 2010)."""
    saturation: float | None = Field(default=None, gt=0)
    """Most that the resource can add to a territory's sales, as a ratio of them; for anything but heads."""
    half_at: float | None = Field(default=None, gt=0)
    """Units per head at which half of the saturation is reached."""
    minimum: float = Field(default=0.0, ge=0)
    """Units that every territory gets."""
    maximum: float | None = Field(default=None, ge=0)
    """Most units that a territory can take; as many as are available if not given."""
    source: str
    """Where cost and response come from, or who estimated them."""

    @model_validator(mode="after")
    def _one_response(self) -> "Resource":
        if (self.elasticity is None) == (self.saturation is None):
            raise ValueError("give either 'elasticity' or 'saturation' with 'half_at'")
        if (self.saturation is None) != (self.half_at is None):
            raise ValueError("'saturation' and 'half_at' need each other")
        if self.maximum is not None and self.maximum < self.minimum:
            raise ValueError(f"maximum {self.maximum:g} is below minimum {self.minimum:g}")
        return self


class Resources(Model):
    """What can be added to the territories in this cycle, and the budget for it."""

    level: str = ""
    """Level of the territories; the review level if empty."""
    budget: float | None = Field(default=None, ge=0)
    """Budget of the quarter for everything together, in units of the currency; no limit if not given."""
    items: tuple[Resource, ...] = Field(min_length=1)
    """The resources."""

    @model_validator(mode="after")
    def _limited(self) -> "Resources":
        names = [item.resource for item in self.items]
        if len(set(names)) < len(names):
            raise ValueError("a resource is named twice")
        free = [item.resource for item in self.items if item.available is None and item.maximum is None]
        if free and (
            self.budget is None or any(item.cost == 0 for item in self.items if item.resource in free)
        ):
            raise ValueError(f"'{free[0]}' has no limit: give available, maximum, or a cost and a budget")
        return self


class Cycle(Model):
    """One planning quarter: its dates, goals, duties and the parameters of its notebooks."""

    company: str
    """Short name of the company."""
    cycle: str
    """Fiscal quarter that is planned, such as 2026Q3."""
    plan_as_of: dt.date
    """Last day whose actuals the plan may know; before the quarter starts."""
    collect_as_of: dt.date
    """Cut-off of submissions and of the pipeline snapshot."""
    monitor_as_of: dt.date
    """Day of the monitoring run."""
    as_of: dt.date
    """Day of the review."""
    review_level: str = ""
    """Level whose nodes each get a review of their own; the one below the company if empty."""
    compensation_plan: str = ""
    """Name of a file in params/plans, without .yaml; empty if none is paid from this workbench."""
    over_assignment: dict[str, float] = {}
    """Level: ratio by which quotas of its nodes exceed their parent's; 0.05 is 5 %."""
    over_assignment_by_node: dict[str, float] = {}
    """Manager's node: ratio for the nodes below it, in place of their level's."""
    gates: tuple[Gate, ...] = ()
    """Who takes no part in the split of the target, or only in part."""
    driver_floor: Share = 0.0
    """Least history of a leaf, as a share of the mean of its positive siblings; 0 leaves zero as it is."""
    phasing: Pattern | dict[str, Pattern] = "history"
    """How the quarter falls on its months: history, even, bell, 4-4-5, 25/50/100 or percentages; or by node."""
    baseline: Literal["house", "auto"] = "house"
    """What history alone forecasts: `house` is quick and the same for every node, `auto` takes the model that was nearest."""
    baseline_jobs: int = Field(default=1, ge=1)
    """Processes that compute `auto` baselines. The numbers do not depend on it."""
    goals: tuple[Goal, ...] = ()
    """Goals of the organisation."""
    objectives: tuple[Objective, ...] = ()
    """Objectives of the cycle."""
    layers: dict[Literal["board", "plan", "street"], Layer] = {}
    """Layer: its amount and confidence. A board without an amount is what past growth reaches with its confidence; \
a plan without one is the company's target; a street without one is the sum of quotas."""
    duties: tuple[Duty, ...] = ()
    """Who does what by when."""
    criteria: tuple[Criterion, ...] = ()
    """Answers to the questions on culture, market and resources."""
    limits: tuple[Limit, ...] = ()
    """Floors and capacity caps that the reconciled plan respects."""
    capacity: CapacityPlan = CapacityPlan()
    """What is assumed about the people at hand: ramp, leaving, hires."""
    resources: Resources | None = None
    """Heads, budget and tools that can be added; none if not given."""
    notebooks: dict[str, dict[str, Plain]] = {}
    """Notebook: parameters that differ from its defaults."""

    @model_validator(mode="after")
    def _in_order(self) -> "Cycle":
        if not self.plan_as_of <= self.collect_as_of <= self.as_of:
            raise ValueError("dates must run plan_as_of <= collect_as_of <= as_of")
        if not self.plan_as_of <= self.monitor_as_of <= self.as_of:
            raise ValueError("dates must run plan_as_of <= monitor_as_of <= as_of")
        board = self.layers.get("board")
        if board and board.amount is None and board.of_target is None and board.confidence is None:
            raise ValueError("the board layer needs an amount, of_target or a confidence")
        weight = sum(goal.weight for goal in self.goals)
        if self.goals and abs(weight - 1) > 1e-9:
            raise ValueError(f"the weights of the goals sum to {weight:g}, not to 1")
        known = {goal.goal for goal in self.goals}
        for objective in self.objectives:
            strange = set(objective.serves) - known
            if strange:
                raise ValueError(
                    f"objective '{objective.objective}' serves the unknown goal '{min(strange)}'"
                )
            if sum(objective.serves.values()) > 1 + 1e-9:
                raise ValueError(f"objective '{objective.objective}' serves goals by more than 1 together")
        return self

    @field_validator("phasing")
    @classmethod
    def _patterns(cls, value: Pattern | dict[str, Pattern]) -> Pattern | dict[str, Pattern]:
        for pattern in value.values() if isinstance(value, dict) else [value]:
            try:
                pattern_shares("even" if pattern == "history" else pattern, 3)
            except ParamsError as refusal:
                raise ValueError(str(refusal)) from None
        return value

    @field_validator("cycle")
    @classmethod
    def _a_quarter(cls, value: str) -> str:
        try:
            name = FiscalCalendar().parse(value)
        except PeriodError as refusal:
            raise ValueError(str(refusal)) from None
        if "Q" not in name:
            raise ValueError(f"'{value}' is not a quarter; write it as 2026Q3")
        return name
