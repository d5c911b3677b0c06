"""What a run reads before it starts: params, tables with their findings, and their hashes."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from spms_lib.batch.files import hash_file, hash_folder, root_of
from spms_lib.errors import ParamsError
from spms_lib.findings import no_findings


@dataclass(frozen=True)
class Prepared:
    """A cycle that is ready to run.

    Attributes
    ----------
    company, cycle, title
        Short names of company and cycle, and the title to print.
    regions
        Node and name of each region that gets a review of its own.
    overrides
        Notebook: parameters that differ from its defaults.
    tables
        One row per table: table, origin, rows_in, rows_used, rows_rejected, sha256.
    findings
        See `spms_lib.findings`.
    fingerprint
        Input: hash of its content. A run repeats what depends on an input that changed.
    ledger_head
        Tells the id of the newest commit in the ledger; empty if there is none.
    where
        The params file, as refusals name it.
    """

    company: str
    cycle: str
    title: str
    regions: list[tuple[str, str]] = field(default_factory=list)
    overrides: dict[str, dict[str, Any]] = field(default_factory=dict)
    tables: list[dict[str, Any]] = field(default_factory=list)
    findings: pd.DataFrame = field(default_factory=no_findings)
    fingerprint: dict[str, str] = field(default_factory=dict)
    ledger_head: Callable[[], str] = lambda: ""
    where: str = "params"


Prepare = Callable[[Path, str, Path], Prepared]
"""From the params file, a data folder override and the folder for outputs to a cycle ready to run."""


def default_prepare(params_path: Path, data: str, outputs: Path) -> Prepared:
    """Read params and tables of a cycle as its notebooks will.

    Raises
    ------
    SpmsError
        If the params are wrong, or a table cannot be read at all.
    """
    from spms_lib.cycle import Desk, input_fingerprint, load_inputs
    from spms_lib.params import load_company, load_cycle

    params = load_cycle(params_path)
    firm_path = params_path.parent / "company.yaml"
    firm = load_company(firm_path)
    where = f"params/{params_path.parent.name}/{params_path.name}"
    _same("company", params.company, firm.company, where)
    _same("company", params.company, params_path.parent.name, where)
    _same("cycle", params.cycle, params_path.stem, where)
    root = root_of(params_path)
    desk = Desk(firm, params, root, load_inputs(firm, root, data=data))
    prints = {**_hash_rows(desk.tables), **input_fingerprint(firm, root, data=data)}
    params_prints = {f"params {path.name}": hash_file(path) for path in (firm_path, params_path)}
    params_prints["params plans"] = hash_folder(
        params_path.parents[1] / "plans", "*.yaml"
    )  # any may hold a plan
    sources = desk.sources.drop(columns="adds_up")
    tables = sources.assign(sha256=[prints.get(table, "") for table in sources["table"]])
    ledger = root / firm.ledger if firm.ledger else outputs / firm.company / "ledger.sqlite"
    return Prepared(
        company=firm.company,
        cycle=params.cycle,
        title=firm.title,
        regions=[(str(node), str(desk.tree.name[node])) for node in desk.tree.at_level(desk.review_level)],
        overrides={name: dict(given) for name, given in params.notebooks.items()},
        tables=[{str(name): value for name, value in row.items()} for row in tables.to_dict("records")],
        findings=desk.findings,
        fingerprint={**prints, **params_prints},
        ledger_head=partial(_newest_commit, ledger),
        where=where,
    )


def _newest_commit(ledger: Path) -> str:
    from spms_lib.store.ledger import Ledger

    if not ledger.is_file():
        return ""
    with Ledger.open(ledger, create=False) as opened:
        return opened.head() or ""


def _same(name: str, said: str, placed: str, where: str) -> None:
    if said != placed:
        raise ParamsError(
            f"The file says {name}: {said}, but its place says '{placed}'.",
            where=where,
            remedy="Files are params/<company>/<cycle>.yaml; rename the file or correct the entry.",
        )


def _hash_rows(tables: dict[str, Any]) -> dict[str, str]:
    """Hash usable rows, for tables that have no file to hash, such as those of a database."""
    return {
        name: hashlib.sha256(pd.util.hash_pandas_object(table.rows).to_numpy().tobytes()).hexdigest()
        for name, table in tables.items()
    }
