"""A company that nobody prepared: five months of history, no targets, forecasts, deals or pay plan."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from notebook_project import SHIPPED, code_cells, read
from toys import ROOT

from spms_lib.batch.run import run_cycle
from spms_lib.batch.work import RunResult
from spms_lib.params.scaffold import scaffold_company

pytestmark = pytest.mark.slow

HIERARCHY = """\
node,parent,level,name
acme,,company,Acme
ann,acme,seller,Ann
bob,acme,seller,Bob
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project as `spms init` leaves it, with two small exports and a stated target."""
    root = tmp_path_factory.mktemp("new")
    (root / "notebooks").symlink_to(ROOT / "notebooks")
    _, cycle = scaffold_company("acme", root / "params", cycle="2026Q4")
    params = yaml.safe_load(cycle.read_text())
    params["notebooks"]["goal_setting"] |= {"target_from": "stated", "stated_target": 120000.0}
    cycle.write_text(yaml.safe_dump(params))
    data = root / "data" / "acme"
    data.mkdir(parents=True)
    (data / "hierarchy.csv").write_text(HIERARCHY)
    days = pd.date_range("2026-05-04", "2026-10-30", freq="7D")
    sales = pd.DataFrame(
        [(who, day.date(), 1000 + 37 * i) for i, day in enumerate(days) for who in ("ann", "bob")]
    )
    sales.to_csv(data / "transactions.csv", index=False, header=["node", "date", "value"])
    return root


def run(project: Path, **options: Any) -> RunResult:
    return run_cycle(project / "params" / "acme" / "2026Q4.yaml", jobs=2, **options)


def tables(project: Path) -> dict[str, bytes]:
    folder = project / "outputs" / "acme" / "2026Q4" / "tables"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.csv"))}


WRITERS = [
    path.stem[3:] for path in SHIPPED if any("commit" in cell["source"] for cell in code_cells(read(path)))
]


def test_it_runs_from_init_to_review_and_a_second_run_writes_the_same_tables(project: Path) -> None:
    first = run(project)
    assert first.exit_code == 0, first.manifest["notebooks"]
    assert {entry["status"] for entry in first.manifest["notebooks"]} == {"done"}
    headlines = {entry["name"]: entry["headline"] for entry in first.manifest["notebooks"]}
    assert headlines["approach"].startswith("company: cannot tell")
    before = tables(project)
    assert len(before) > 20
    again = run(
        project, force=True, only=WRITERS
    )  # who reads alone has nothing to change; goldens hold their numbers
    assert again.exit_code == 0
    assert (
        {"goal_setting", "reconciliation"}
        <= set(WRITERS)
        < {entry["name"] for entry in again.manifest["notebooks"]}
    )
    assert tables(project) == before
