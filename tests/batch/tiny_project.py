"""A made-up project with nine tiny notebooks, whose parameters say how each shall behave."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from rich.console import Console

from spms_lib.batch.prepare import Prepared
from spms_lib.batch.run import run_cycle
from spms_lib.batch.work import RunResult

NAMES = (
    "objectives",
    "approach",
    "goal_setting",
    "feasibility",
    "forecast_collection",
    "calibration",
    "reconciliation",
    "incentives",
    "monitoring",
    "review",
)

PARAMETERS = """\
company: str = ""          # folder in params/
cycle: str = ""            # fiscal quarter
data: str = ""             # folder override
interactive: bool = False  # True shows panels
behave: str = ""           # what the test wants
growth_ratio: float = 0.1  # 0.1 is 10 %
"""

BODY = """\
import json, os, sys, time
from pathlib import Path
edition = os.environ["SPMS_EDITION"]
kept = Path(os.environ["SPMS_OUT"]) / company / cycle / "tables" / edition
kept.mkdir(parents=True, exist_ok=True)
print("interpreter", sys.executable)
print("working in", os.getcwd())
(kept / "data.txt").write_text(data)
(kept / "moment.txt").write_text(str(time.time()))
(kept / "checks.json").write_text(json.dumps([{"check": "adds up", "passed": behave != "doubt", "detail": "to the cent"}]))
(kept / "headline.json").write_text(json.dumps({"headline": f"{edition} grew by {growth_ratio:.0%}"}))
(kept / "result.csv").write_text(f"growth\\n{growth_ratio}\\n")
"""

MISBEHAVE = """\
if behave == "raise":
    raise ValueError(f"no weights in {os.getcwd()}/data/weights.csv")
if behave == "die":
    os.kill(os.getpid(), 9)
if behave == "hang":
    time.sleep(60)
"""


@dataclass
class Project:
    """A project folder, and what preparing a run would find in it."""

    root: Path
    regions: list[tuple[str, str]] = field(default_factory=list)
    overrides: dict[str, dict[str, Any]] = field(default_factory=dict)
    fingerprint: dict[str, str] = field(default_factory=lambda: {"hierarchy": "aa", "actuals": "bb"})
    ledger_head: Callable[[], str] = lambda: ""
    said: str = ""
    result: RunResult | None = None

    @property
    def params(self) -> Path:
        return self.root / "params" / "toy" / "2026Q3.yaml"

    @property
    def folder(self) -> Path:
        return self.root / "outputs" / "toy" / "2026Q3"

    def prepare(self, params: Path, data: str, outputs: Path) -> Prepared:
        table = {
            "table": "actuals",
            "origin": "actuals.csv",
            "rows_in": 3,
            "rows_used": 2,
            "rows_rejected": 1,
        }
        return Prepared(
            company="toy",
            cycle="2026Q3",
            title="Toy Company",
            regions=self.regions,
            overrides=self.overrides,
            tables=[{**table, "sha256": self.fingerprint["actuals"]}],
            fingerprint=self.fingerprint,
            ledger_head=self.ledger_head,
        )

    def run(self, **options: Any) -> RunResult:
        """Run the cycle; what the terminal showed is in `said`."""
        screen = io.StringIO()
        console = Console(file=screen, width=200)
        try:
            return run_cycle(self.params, console=console, prepare=self.prepare, **options)
        finally:
            self.said = screen.getvalue()

    def moments(self) -> dict[str, str]:
        """When each edition's notebook last ran, by its folder of tables."""
        return {path.parent.name: path.read_text() for path in self.folder.glob("tables/*/moment.txt")}


def write_notebook(path: Path, title: str, parameters: str) -> None:
    """Write a notebook of four cells: title, parameters, work, misbehaviour."""
    cells = [
        nbformat.v4.new_markdown_cell(f"# {title}", id="title"),
        nbformat.v4.new_code_cell(parameters, id="parameters", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(BODY, id="work"),
        nbformat.v4.new_code_cell(MISBEHAVE, id="misbehave"),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)


def make_project(root: Path) -> Project:
    (root / "notebooks").mkdir(parents=True)
    (root / "params" / "toy").mkdir(parents=True)
    (root / "params" / "toy" / "2026Q3.yaml").write_text("company: toy\ncycle: 2026Q3\n")
    for number, name in enumerate(NAMES, start=1):
        region = 'region: str = ""  # node; empty is the whole company\n' if name == "review" else ""
        title = name.replace("_", " ").capitalize()
        write_notebook(root / "notebooks" / f"{number:02}_{name}.ipynb", title, PARAMETERS + region)
    return Project(root)
