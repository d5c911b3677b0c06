"""A new company's first parameter files, with every key explained, so that nobody starts by copying ours."""

from pathlib import Path
from string import Template

from spms_lib.errors import ParamsError
from spms_lib.tables import TYPES, schemas

COMPANY = Template("""\
# What the workbench needs to know about $title. Check it with: spms check params/$name/$cycle.yaml
company: $name                # short name; also the name of its folders
title: $title
currency: EUR                 # ISO 4217 code of every amount
calendar:
  start_month: 1              # calendar month in which the fiscal year starts
  pattern: months             # months, or the weeks of a quarter's months: 4-4-5, 4-5-4, 5-4-4
  named_by: end               # a year is called by the calendar year in which it ends (or: start)
measure: revenue              # what is planned
data: data/$name              # folder with your files; --data names another for one run
# ledger: ledgers/$name.sqlite  # where commits are kept; outputs/$name/ledger.sqlite if not given

# Where each table comes from. Needed: hierarchy, and transactions or actuals. The others make more of the cycle work.
# One of:  file: NAME.csv|.csv.gz|.parquet|.xlsx (sheet: NAME)
#          sql: a DuckDB query over files of the data folder, such as  select * from 'deals.csv'
#          sql: with  url_env: VARIABLE  a query to the database whose SQLAlchemy URL stands in that variable
# columns: {ours: theirs} only where the names differ; constants: {ours: value} for a column the export lacks.
# day_first: true reads 03/04/2026 as 3 April; decimal: "," reads 1.234,50.
tables:
  hierarchy:
    file: hierarchy.csv
    # columns: {node: Territory ID, parent: Reports To, level: Tier, name: Territory Name, owner: Manager}
  transactions:
    file: transactions.csv
    # columns: {node: Salesperson, date: Close Date, value: Amount, product: Product Line}
$others
# Columns of each table (* needed):
$dictionary
# Types: $types
""")

CYCLE = Template("""\
# One planning quarter of $title. Run it with: spms run params/$name/$cycle.yaml
company: $name
cycle: $cycle                 # fiscal quarter that is planned
plan_as_of: $plan_as_of        # last day the plan may know; before the quarter starts
collect_as_of: $collect_as_of     # cut-off of submissions and of the pipeline snapshot
monitor_as_of: $monitor_as_of     # day of the monitoring run
as_of: $as_of             # day of the review
# review_level: region        # level whose nodes each get a review of their own; the one below the company if not given
# compensation_plan: account_executive_eur   # name of a plan in any file of params/plans; pays the sellers
# manager_plans: {team: {plan: sales_manager_eur, target_incentive: 24000}}   # by level; pays the owners of its nodes
# proposed_plan: account_executive_eur_2027   # weighed against the sellers' plan before anybody is paid by it
# over_assignment: {team: 0.02, seller: 0.03}   # quotas above the company target, by level
goals:
  - {goal: grow, statement: Grow revenue, weight: 1.0}
objectives:
  - objective: revenue
    statement: Grow revenue on the same quarter last year
    measure: revenue            # or units, margin, new_customers, won_deals, any measure of your tables
    unit: ratio of last year    # or the currency, pieces, customers, deals
    baseline: 1.0
    target: 1.05
    due: $as_of
    owner: Head of Sales
    serves: {grow: 1.0}
    assumption: Say here what must hold for the number to make sense
    # confidence: 0.6           # the owner's probability of reaching it
    # direction: down           # where less is better
    # weight: 2                 # importance against the other objectives
# layers:                     # versions of the company's number: board <= plan <= street
#   board: {confidence: 0.9}  # reached nine times in ten by past growth; or of_target: 0.94, or amount: 1000000
#   plan: {confidence: 0.5}   # the company's target
# duties:                     # who does what by when; a step is done when the ledger shows it
#   - {step: company target, responsible: Finance, accountable: CFO, consulted: Sales Operations, informed: Managers, due: $plan_as_of}
#   - {step: cascade, responsible: Sales Operations, accountable: Head of Sales, due: $collect_as_of}
#   - {step: review, responsible: Sales Operations, accountable: Head of Sales, due: $as_of, done_when: approval}
# limits:                     # what the reconciled plan must not pass; several nodes share one limit under a name
#   - {nodes: [north], at_most: 1200000, owner: Head of Sales, reason: Capacity of the team}
notebooks:                    # parameters that differ from a notebook's defaults; see its first cell
  goal_setting: {target_from: growth, growth_ratio: 0.05, history_weight: 1.0, growth_weight: 0.0, potential_weight: 0.0, capacity_weight: 0.0}
""")

OPTIONAL = (
    "targets", "submissions", "opportunities", "roster", "splits", "leave", "drivers", "accounts", "notes", "decisions",
)  # fmt: skip


def scaffold_company(name: str, folder: Path, *, cycle: str = "2026Q4") -> list[Path]:
    """Write a commented company file and a cycle file for a new company.

    Parameters
    ----------
    name
        Lower-case letters, digits and '_'.
    folder
        The folder `params`.
    cycle
        A quarter of the calendar year to start with, such as 2026Q4.

    Returns
    -------
    list[Path]
        The files written.

    Raises
    ------
    ParamsError
        If the name cannot be a folder's, or the company is there already.
    """
    if not name.isascii() or not name.replace("_", "a").isalnum() or name != name.lower():
        raise ParamsError(
            f"'{name}' cannot name a company.",
            remedy="Use lower-case letters, digits and '_', such as acme_emea.",
        )
    target = folder / name
    if target.exists():
        raise ParamsError(
            "The company is there already.", where=target.as_posix(), remedy="Choose another name."
        )
    values = {"name": name, "title": name.replace("_", " ").title(), "cycle": cycle, **_dates(cycle)}
    values |= {
        "dictionary": _dictionary(),
        "types": "; ".join(f"{kind}: {text}" for kind, text in TYPES.items()),
    }
    values["others"] = "\n".join(f"  # {table}: {{file: {table}.csv}}" for table in OPTIONAL)
    target.mkdir(parents=True)
    files = {target / "company.yaml": COMPANY, target / f"{cycle}.yaml": CYCLE}
    for path, template in files.items():
        path.write_text(template.substitute(values), encoding="utf-8")
    return list(files)


def _dates(cycle: str) -> dict[str, str]:
    """Choose the cycle's dates from the calendar quarter."""
    import datetime as dt

    from spms_lib.calendar import FiscalCalendar

    calendar = FiscalCalendar()
    _, second, _ = calendar.months(calendar.parse(cycle))
    start = calendar.start(cycle)
    return {
        "plan_as_of": str(start - dt.timedelta(days=1)),
        "collect_as_of": str(start + dt.timedelta(days=14)),
        "monitor_as_of": str(calendar.end(second)),
        "as_of": str(calendar.end(cycle)),
    }


def _dictionary() -> str:
    lines = []
    for table, schema in schemas().items():
        names = ", ".join(
            f"{column.name}{'*' if column.required else ''} ({column.type})" for column in schema.columns
        )
        lines.append(f"#   {table}: {names}")
    return "\n".join(lines)
