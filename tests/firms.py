"""A tiny company written as files, in the shape of a project: params, data, outputs."""

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest
import yaml

from spms_lib.cycle import Desk, inputs, open_cycle
from spms_lib.incentives.plan.model import CompensationPlan
from spms_lib.incentives.plan.read import plan_from_dict
from spms_lib.sources.load import load_table
from spms_lib.sources.spec import TableSource
from spms_lib.tables import LoadedTable, to_long

from toys import table  # isort: skip

# Ben moved north in 2026; Emil's seat closed at the end of 2025; Gina's opens in the planned quarter.
PEOPLE = """
node   parent level   owner  valid_from  valid_to
acme   -      company Ada    -           -
north  acme   region  Nina   -           -
south  acme   region  Sven   -           -
anna   north  seller  Anna   -           -
ben    south  seller  Ben    -           2025-12-31
ben    north  seller  Ben    2026-01-01  -
carl   south  seller  Carl   -           -
dora   south  seller  -      -           -
emil   south  seller  Emil   -           2025-12-31
gina   north  seller  Gina   2026-05-15  -
"""
FIRST, LAST = "2024-01", "2026-06"
SIZE = {"anna": 100, "ben": 80, "carl": 60, "dora": 40, "emil": 50, "gina": 30}  # euros a month in 2024
MONTHS = [str(month) for month in pd.period_range(FIRST, LAST, freq="M")]
QUARTER = ["2026-04", "2026-05", "2026-06"]

CYCLE = {
    "company": "acme",
    "cycle": "2026Q2",
    "plan_as_of": dt.date(2026, 3, 31),
    "collect_as_of": dt.date(2026, 4, 10),
    "monitor_as_of": dt.date(2026, 5, 31),
    "as_of": dt.date(2026, 6, 30),
    "over_assignment": {"seller": 0.05},
    "compensation_plan": "simple",
    "goals": [
        {"goal": "grow", "statement": "Grow", "weight": 0.75},
        {"goal": "keep", "statement": "Keep customers", "weight": 0.25},
    ],
    "objectives": [
        {
            "objective": "sales",
            "statement": "Sell more than last year",
            "measure": "revenue",
            "unit": "EUR",
            "baseline": 1000,
            "target": 1100,
            "due": dt.date(2026, 6, 30),
            "owner": "Ada",
            "serves": {"grow": 1.0},
            "assumption": "No shock",
        }
    ],
}

PLAN = {
    "plan": "simple",
    "description": "Pay in proportion to attainment",
    "source": "test plan, clause 1",
    "currency": "EUR",
    "effective_from": dt.date(2020, 1, 1),
}
PART = {
    "component": "sales",
    "measure": {"value": "amount"},
    "interval": "quarter",
    "weight": 1,
    "unit": "attainment",
    "pays": "target_incentive",
    "tie": "upper",
    "tiers": [{"from": 0, "value": 1}],
}


def plan_file(**changes: object) -> dict[str, object]:
    """The company's plan as its file says it; changes are of the plan where it has such an entry, else of its only component."""
    head = {name: value for name, value in changes.items() if name in _HEAD}
    part = {name: value for name, value in changes.items() if name not in _HEAD}
    return {**PLAN, "components": [{**PART, **part}], **head}


_HEAD = {*PLAN, "version", "effective_to", "measures", "components", "crediting"}


def plan_of(**changes: object) -> CompensationPlan:
    """The company's plan, changed."""
    return plan_from_dict(plan_file(**changes))


def sales() -> dict[str, dict[str, float]]:
    """Sales in euros by node and month: ten per cent more each year, twice as much in a quarter's last month."""
    sold: dict[str, dict[str, float]] = {}
    for node, size in SIZE.items():
        first = "2026-05" if node == "gina" else FIRST
        last = "2025-12" if node == "emil" else LAST
        sold[node] = {
            month: round(size * 1.1 ** (int(month[:4]) - 2024) * (2 if int(month[5:]) % 3 == 0 else 1), 2)
            for month in MONTHS
            if first <= month <= last
        }
    return sold


def transactions(**more: float) -> pd.DataFrame:
    """One sale per node and month, on the tenth, or on the twentieth for Gina; `more` adds to June 2026."""
    rows = [
        (node, f"{month}-{20 if node == 'gina' else 10}", value, "device" if number % 3 else "service")
        for node, months in sales().items()
        for number, (month, value) in enumerate(months.items())
    ]
    rows += [(node, "2026-06-15", value, "device") for node, value in more.items()]
    return pd.DataFrame(rows, columns=["node", "date", "value", "product"])


def targets() -> pd.DataFrame:
    """The past two years' targets: five per cent above what came, at sellers, regions and the company."""
    sold = pd.DataFrame(sales()).T.drop(columns=[*QUARTER])
    top = {"acme": list(SIZE), "north": ["anna"], "south": ["ben", "carl", "dora", "emil"]}
    above = pd.DataFrame({node: sold.loc[below].sum() for node, below in top.items()}).T
    return to_long(pd.concat([sold, above]).mul(1.05).round(2))


def submissions() -> pd.DataFrame:
    """Every quarter of 2025 and 2026, eight days after it began: Anna too low, Ben exact, Carl too high."""
    rows = []
    for quarter in ("2025-01", "2025-04", "2025-07", "2025-10", "2026-01", "2026-04"):
        for month in MONTHS[MONTHS.index(quarter) :][:3]:
            for node, bend in (("anna", 0.9), ("ben", 1.0), ("carl", 1.2)):
                value = round(sales()[node][month] * bend, 2)
                rows.append((node, month, "commit", value, node.title(), f"{quarter}-08 09:00"))
                rows.append((node, month, "closed", 0, node.title(), f"{quarter}-08 09:00"))
    columns = ["node", "period", "category", "value", "submitted_by", "submitted_at"]
    return pd.DataFrame(rows, columns=columns)


def opportunities() -> pd.DataFrame:
    """Three snapshots of five deals."""
    deals = table("""
        opportunity node  status amount probability created    close_date as_of
        D1          anna  open   100    0.5         2026-01-05 2026-04-20 2026-03-31
        D2          carl  open   40     0.25        2026-01-05 2026-02-20 2026-03-31
        D1          anna  open   120    0.5         2026-01-05 2026-04-20 2026-04-10
        D2          carl  open   40     0.25        2026-01-05 2026-02-20 2026-04-10
        D3          ben   open   60     -           2026-04-01 2026-06-20 2026-04-10
        D1          anna  won    120    1           2026-01-05 2026-04-20 2026-05-31
        D2          carl  lost   40     0           2026-01-05 2026-05-20 2026-05-31
        D3          ben   open   60     -           2026-04-01 2026-06-20 2026-05-31
        D4          dora  open   999    0.9         2026-05-01 2026-06-20 2026-05-31
        """)
    return deals.astype({"amount": float, "probability": float})


def roster() -> pd.DataFrame:
    """Anna, Ben and Carl sit; Dora's seat is empty; Gina comes in May."""
    return table("""
        node person start      end fte ramp_months target_incentive
        anna Anna   2020-01-01 -   1   -           12000
        ben  Ben    2020-01-01 -   0.5 -           6000
        carl Carl   2026-01-01 -   1   8           -
        gina Gina   2026-05-15 -   1   -           9000
        """)


def everything() -> dict[str, pd.DataFrame]:
    """All tables of the company."""
    hierarchy = table(PEOPLE)
    return {
        "hierarchy": hierarchy,
        "transactions": transactions(),
        "targets": targets(),
        "submissions": submissions(),
        "opportunities": opportunities(),
        "roster": roster(),
    }


@dataclass
class Firm:
    """A project folder with one company; desks of it are closed with it."""

    root: Path
    desks: list[Desk] = field(default_factory=list)

    def write(self, tables: dict[str, pd.DataFrame], *, plan: dict | None = None, **cycle: object) -> "Firm":
        """Write params and data; `plan` changes the plan, `cycle` replaces entries of the cycle's params."""
        folders = {name: self.root / name for name in ("params/acme", "params/plans", "notebooks", "data")}
        for folder in folders.values():
            folder.mkdir(parents=True, exist_ok=True)
        company = {
            "company": "acme",
            "title": "Acme",
            "currency": "EUR",
            "data": "data",
            "tables": {name: {"file": f"{name}.csv"} for name in tables},
        }
        for name, frame in tables.items():
            frame.to_csv(folders["data"] / f"{name}.csv", index=False)
        _yaml(folders["params/acme"] / "company.yaml", company)
        _yaml(folders["params/acme"] / "2026Q2.yaml", {**CYCLE, **cycle})
        self.add_plan(**(plan or {}))
        return self

    def add_plan(self, file: str = "simple", **changes: object) -> None:
        """Write the company's plan, or another one like it, into a file of params/plans."""
        _yaml(self.root / "params/plans" / f"{file}.yaml", plan_file(**changes))

    def desk(self, cycle: str = "2026Q2", **options: str) -> Desk:
        """Open the cycle as a notebook does."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SPMS_ROOT", str(self.root))
            patch.delenv("SPMS_OUT", raising=False)
            patch.setattr(inputs, "load_table", _load_once)
            desk = open_cycle("acme", cycle, **options)
        self.desks.append(desk)
        return desk

    def close(self) -> None:
        for desk in self.desks:
            close(desk)


_READ: dict[tuple[str, str, bytes], LoadedTable] = {}


def _load_once(name: str, source: TableSource, folder: Path, **options: object) -> LoadedTable:
    """Read a file only if no test has read one with the same content: most tests change one table of six."""
    key = (name, repr((source, options)), (folder / str(source.file)).read_bytes())
    if key not in _READ:
        _READ[key] = load_table(name, source, folder, **options)
    return _READ[key]


def close(desk: Desk) -> None:
    """Close a desk's ledger if it was opened."""
    if "ledger" in vars(desk):
        desk.ledger.close()


def _yaml(path: Path, content: dict) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")


def set_goals(desk: Desk, *, growth_ratio: float = 0.1) -> tuple[int, pd.DataFrame, pd.DataFrame]:
    """Set and commit targets as the goal notebook does: target, base and quota."""
    from spms_lib.cycle import targets as steps
    from spms_lib.cycle.setting import basis_of, set_targets

    target, origin = steps.company_target(
        desk, target_from="growth", growth_ratio=growth_ratio, stated_target=0.0
    )
    found = set_targets(
        desk,
        basis_of(desk),
        target,
        wanted={"history": 1.0},
        over_assignment=dict(desk.params.over_assignment),
    )
    base, quota = found.base, found.quota
    steps.commit_targets(desk, base, quota, message=f"cascade of {target} ({origin})")
    return target, base, quota


def make_plan(desk: Desk, *, leadership: float = 0.5):
    """Reconcile and return the plan and its weighed estimates, as the notebook does before it publishes."""
    from spms_lib.cycle import planning

    records = planning.learn_trust(desk, quarters=3)
    estimates = planning.gather_estimates(desk)
    weighed = planning.weigh(desk, estimates, records, leadership=leadership)
    return planning.reconcile_quarter(desk, weighed), weighed
