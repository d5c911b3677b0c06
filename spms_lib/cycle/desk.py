"""The desk: everything a notebook of one cycle works with, opened by company and cycle name."""

import datetime as dt
import getpass
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pandas as pd

from spms_lib.calendar import FiscalCalendar
from spms_lib.csv_out import read_back, write_csv
from spms_lib.cycle.inputs import load_inputs, monthly_actuals
from spms_lib.cycle.paths import cycle_file, edition_name, outputs_root, project_root
from spms_lib.errors import CheckError, ParamsError
from spms_lib.findings import join
from spms_lib.hierarchy import Hierarchy
from spms_lib.hierarchy.check import rows_on, validity
from spms_lib.money import format_money, minor_per_unit
from spms_lib.params import Company, Cycle, load_company, load_cycle
from spms_lib.report.tables import Printed, show
from spms_lib.store.ledger import Ledger
from spms_lib.tables import NODE, PARENT, PERIOD, LoadedTable, schema, to_wide


def open_cycle(company: str, cycle: str, *, data: str = "", notebook: str = "", region: str = "") -> "Desk":
    """Open one cycle of one company: read its params and tables, find its ledger.

    Parameters
    ----------
    company, cycle
        Names of a folder and a file in `params`, such as `sample` and `2026Q3`.
    data
        Folder with the company's files, if not the one of the params.
    notebook
        Name of the notebook, under which its tables and checks are kept.
    region
        Node whose edition this is; empty for the whole company.
    """
    root = project_root()
    params = load_cycle(cycle_file(root, company, cycle))
    firm = load_company(root / "params" / company / "company.yaml")
    if params.company != firm.company:
        raise ParamsError(
            f"The cycle names the company '{params.company}', but its folder is '{firm.company}'.",
            where=f"params/{company}/{cycle}.yaml",
            remedy=f"Write company: {firm.company}.",
        )
    first_day = firm.calendar.fiscal.start(params.cycle)
    if params.plan_as_of >= first_day:
        raise ParamsError(
            f"plan_as_of is {params.plan_as_of}, but {params.cycle} starts on {first_day}: the plan would know its own results.",
            where=f"params/{company}/{cycle}.yaml",
            remedy="Choose a day before the quarter starts.",
        )
    return Desk(firm, params, root, load_inputs(firm, root, data=data), notebook, region)


@dataclass(frozen=True)
class Desk:
    """Inputs, calendar, tree and ledger of one cycle, and the place for what a notebook leaves.

    Attributes
    ----------
    tables
        Usable rows and findings of every table that the params name.
    notebook, region
        Which notebook and edition is at work; empty outside a run.
    """

    company: Company
    params: Cycle
    root: Path
    tables: dict[str, LoadedTable]
    notebook: str = ""
    region: str = ""
    _checks: list[dict[str, Any]] = field(default_factory=list)

    # -- what is planned -------------------------------------------------------------------------

    @property
    def cycle(self) -> str:
        """The quarter that is planned."""
        return self.params.cycle

    @property
    def calendar(self) -> FiscalCalendar:
        """The company's fiscal calendar."""
        return self.company.calendar.fiscal

    @property
    def months(self) -> list[str]:
        """Months of the quarter."""
        return self.calendar.months(self.cycle)

    @property
    def currency(self) -> str:
        """Currency of every amount."""
        return self.company.currency

    @property
    def per_unit(self) -> int:
        """Minor units per unit of the currency."""
        return minor_per_unit(self.currency)

    @property
    def money(self) -> Callable[[float | None], str]:
        """Write an amount as people read it, short."""
        return partial(format_money, currency=self.currency, compact=True)

    @property
    def show(self) -> Callable[..., Printed]:
        """Print a table with amounts in the company's currency: see `spms_lib.report.tables.show`."""
        return partial(show, currency=self.currency)

    @cached_property
    def tree(self) -> Hierarchy:
        """The organisation on the first day of the quarter: the tree of the plan."""
        return Hierarchy.from_parent_child(self.table("hierarchy"), as_of=self.calendar.start(self.cycle))

    @property
    def review_level(self) -> str:
        """Level whose nodes each get a review of their own."""
        return self.params.review_level or self.tree.level_names[min(1, len(self.tree.level_names) - 1)]

    @property
    def scope(self) -> Hierarchy:
        """The tree of this edition: the region's, or the whole company's."""
        return self.tree.subtree(self.region) if self.region else self.tree

    def table(self, name: str) -> pd.DataFrame:
        """Return the usable rows of a table; no rows if the company does not have it."""
        if name in self.tables:
            return self.tables[name].rows
        return pd.DataFrame({column: pd.Series(dtype="object") for column in schema(name).names})

    def has(self, name: str) -> bool:
        """Tell whether the company has rows of a table."""
        return name in self.tables and len(self.tables[name].rows) > 0

    @property
    def findings(self) -> pd.DataFrame:
        """Findings of all tables."""
        return join(*(loaded.findings for loaded in self.tables.values()))

    @property
    def sources(self) -> pd.DataFrame:
        """One row per table: rows in, used and rejected, so that nothing is dropped silently."""
        rows = [(t.table, t.origin, t.rows_in, len(t.rows), t.rejected) for t in self.tables.values()]
        table = pd.DataFrame(rows, columns=["table", "origin", "rows_in", "rows_used", "rows_rejected"])
        return table.assign(adds_up=table["rows_in"] == table["rows_used"] + table["rows_rejected"])

    # -- actuals ---------------------------------------------------------------------------------

    @cached_property
    def results(self) -> pd.DataFrame:
        """Actuals by leaf, month and product line: columns node, period, product, value."""
        return monthly_actuals(self.tables, self.company)

    def actuals(self, *, until: dt.date | None = None) -> pd.DataFrame:
        """Return actuals by leaf and month: leaves x months, float minor units.

        Only whole months that ended on or before `until` are shown. Within the months in
        which anybody sold anything, a leaf that has ever sold has 0 where it sold
        nothing, and is missing before its first sale: it was not there.
        """
        wide = to_wide(self.results)
        months = self.calendar.range(wide.columns[0], wide.columns[-1]) if wide.shape[1] else []
        if until is not None:
            months = [month for month in months if self.calendar.end(month) <= until]
        full = wide.reindex(columns=months)
        started = full.notna().cummax(axis=1)
        return full.fillna(0.0).where(started)

    def history(self) -> pd.DataFrame:
        """Return actuals that the plan may know, for every node of the tree: nodes x months.

        Results follow the seat: a seat that moved brings its past to its present parent, and
        one that has closed leaves it to its `carrier`. So the company's past is whole.
        """
        return self.rolled_up(self.actuals(until=self.params.plan_as_of))

    @cached_property
    def carrier(self) -> pd.Series:
        """Say which node of the tree carries the past of each node there ever was.

        Itself while it is in the tree; else the nearest node above it that still is.
        """
        rows = self.table("hierarchy")
        start, _ = validity(rows)
        day = pd.Timestamp(self.calendar.start(self.cycle))
        dated = rows.assign(start=start).sort_values("start", kind="stable")
        begun = dated[dated["start"] <= day].drop_duplicates(NODE, keep="last")
        to_come = dated[dated["start"] > day].drop_duplicates(NODE, keep="first")
        above = pd.concat([begun, to_come]).drop_duplicates(NODE).set_index(NODE)[PARENT].astype("object")
        found = pd.Series(above.index, index=above.index, dtype="object")
        for _step in range(len(above)):
            gone = ~found.isin(self.tree.nodes) & found.notna()
            if not gone.any():
                break
            found = found.where(~gone, found.map(above))
        return found.where(found.isin(self.tree.nodes), self.tree.root)

    def rolled_up(self, by_leaf: pd.DataFrame) -> pd.DataFrame:
        """Add values of leaves, present and past, up the tree of the plan; missing stays missing.

        Parameters
        ----------
        by_leaf
            Indexed by any node that ever was in the hierarchy; a leaf that has gone adds to its
            `carrier` and to all above it.
        """
        total = self.tree.roll_up(by_leaf.reindex(self.tree.leaves)).astype(float)
        gone = by_leaf[~by_leaf.index.isin(self.tree.leaves)]
        for node, rows in gone.groupby(self.carrier.reindex(gone.index), sort=False):
            path, more = self.tree.path(str(node)), rows.sum(min_count=1)
            sums = total.loc[path].fillna(0.0) + more.fillna(0.0)
            total.loc[path] = sums.where(total.loc[path].notna() | more.notna())
        return total

    def as_earned(self, level: str, months: list[str]) -> pd.DataFrame:
        """Return actuals by node of a level and month, each month in the tree of its last day.

        A row `(outside)` holds what was booked on leaves that were not in the tree then, so
        the sum of all rows is the sum of all actuals.
        """
        results = self.results[self.results[PERIOD].isin(months)]
        parts = []
        for month, rows in results.groupby(PERIOD):
            day, owner = self.calendar.end(str(month)), pd.Series(dtype="object")
            if len(rows_on(self.table("hierarchy"), day)):
                tree = Hierarchy.from_parent_child(self.table("hierarchy"), as_of=day)
                owner = tree.ancestor(level) if level in tree.level_names else owner
            parts.append(rows.assign(**{NODE: rows[NODE].map(owner).astype("object").fillna("(outside)")}))
        joined = pd.concat(parts) if parts else results
        return to_wide(joined).reindex(columns=months).fillna(0).astype("int64")

    # -- ledger ----------------------------------------------------------------------------------

    @property
    def ledger_file(self) -> Path:
        """File of the ledger."""
        if self.company.ledger:
            return self.root / self.company.ledger
        return outputs_root(self.root) / self.company.company / "ledger.sqlite"

    @cached_property
    def ledger(self) -> Ledger:
        """The append-only store of targets, submissions, holds, plans and decisions."""
        self.ledger_file.parent.mkdir(parents=True, exist_ok=True)
        return Ledger.open(self.ledger_file)

    @property
    def author(self) -> str:
        """Who signs commits: SPMS_AUTHOR, the JupyterHub user, or the user of this machine."""
        if given := os.environ.get("SPMS_AUTHOR") or os.environ.get("JUPYTERHUB_USER"):
            return given
        try:
            return getpass.getuser()
        except (KeyError, OSError):
            raise ParamsError(
                "Nobody knows who works here, so nobody can sign a commit.",
                remedy="Set SPMS_AUTHOR to your name.",
            ) from None

    # -- what a notebook leaves ------------------------------------------------------------------

    @property
    def folder(self) -> Path:
        """Folder of this notebook's tables and checks; a run names it by SPMS_EDITION."""
        name = self.notebook or "interactive"
        edition = os.environ.get("SPMS_EDITION") or edition_name(name, self.region)
        return outputs_root(self.root) / self.company.company / self.cycle / "tables" / edition

    def keep(self, **frames: pd.DataFrame) -> list[str]:
        """Write tables as CSV beside the report, amounts in minor units; return their names."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, frame in frames.items():
            path = self.folder / f"{name}.csv"
            write_csv(frame, path, index=not isinstance(frame.index, pd.RangeIndex))
        return [f"{name}.csv" for name in frames]

    def kept(self, notebook: str, name: str) -> pd.DataFrame | None:
        """Read a table that another notebook of this cycle kept; None if it did not run."""
        path = self.folder.parent / notebook / f"{name}.csv"
        return read_back(path) if path.is_file() else None

    def check(self, name: str, passed: bool, detail: str = "") -> None:
        """Record a check; it is shown in the report and the manifest, and fails at `finish`."""
        self._checks.append({"check": name, "passed": bool(passed), "detail": detail})

    @property
    def checks(self) -> pd.DataFrame:
        """The checks so far: check, passed, detail."""
        return pd.DataFrame(self._checks, columns=["check", "passed", "detail"])

    def finish(self, headline: str) -> str:
        """Write checks and headline for the index page, and fail the run if a check did not hold."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "checks.json").write_text(json.dumps(self._checks, indent=1), encoding="utf-8")
        (self.folder / "headline.json").write_text(json.dumps({"headline": headline}), encoding="utf-8")
        failed = [entry for entry in self._checks if not entry["passed"]]
        if failed:
            raise CheckError(
                f"{len(failed)} checks did not hold: "
                + "; ".join(f"{entry['check']} ({entry['detail']})" for entry in failed),
                where=f"notebook '{self.notebook}'",
                remedy="See the table of checks above.",
            )
        return headline
