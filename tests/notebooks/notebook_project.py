"""A project of its own for the notebook tests, and nbval run over notebooks in it."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import nbformat

from spms_lib.sample import build_sample

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SHIPPED = sorted((ROOT / "notebooks").glob("*.ipynb"))
GOLDEN = HERE / "golden"
SANITIZER = HERE / "sanitize.cfg"

COMPANY = "golden"
COMPANY_LINE = 'company: str = "sample"'  # stands in every parameters cell

SHOWING = ("show", "say", "headline", "callout", "display_figure", "finish")  # calls that leave an output

COLOUR = re.compile(r"\x1b\[[\d;]*m")

Notebook = dict[str, Any]


@dataclass(frozen=True)
class Project:
    """A project in a folder of its own.

    Attributes
    ----------
    env
        Variables that lead a kernel to this project, to be added to those of the process.
    """

    root: Path
    env: dict[str, str]

    def with_outputs(self, folder: Path) -> "Project":
        """Return the same project with another folder for outputs, and so with an empty ledger."""
        return replace(self, env={**self.env, "SPMS_OUT": str(folder)})


def make_golden_project(root: Path) -> Project:
    """Lay out a project with the company of the goldens and its data."""
    shutil.copytree(ROOT / "params", root / "params")
    shutil.copytree(ROOT / "notebooks", root / "notebooks", ignore=shutil.ignore_patterns(".*"))
    shutil.copytree(HERE / "params" / COMPANY, root / "params" / COMPANY)
    build_sample(root / "outputs" / COMPANY / "data", seed=7, sellers=14)
    env = {
        "SPMS_ROOT": str(root),
        "SPMS_OUT": str(root / "outputs"),
        "SPMS_AUTHOR": "planner",
        "IPYTHONDIR": str(root / ".ipython"),  # no start-up files of whoever runs the tests
    }
    return Project(root, env)


def read(path: Path) -> Notebook:
    """Read a notebook; every source and output is one string."""
    return nbformat.read(path, as_version=4)


def write(notebook: Notebook, path: Path) -> Path:
    """Write a notebook as nbformat does."""
    path.write_text(written(notebook), encoding="utf-8", newline="\n")
    return path


def written(notebook: Notebook) -> str:
    """Give the text that nbformat writes for a notebook, with a newline at its end."""
    return nbformat.writes(nbformat.from_dict(notebook)) + "\n"


def code_cells(notebook: Notebook) -> list[Notebook]:
    """List the code cells of a notebook in order."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def for_golden_company(notebook: Notebook) -> Notebook:
    """Return the notebook with its default company changed to that of the goldens, and nothing else."""
    cells = []
    for cell in notebook["cells"]:
        text = cell["source"]
        if "parameters" in cell["metadata"].get("tags", []):
            if COMPANY_LINE not in text:
                raise ValueError(f"the parameters cell has no line {COMPANY_LINE}")
            text = text.replace(COMPANY_LINE, COMPANY_LINE.replace("sample", COMPANY))
        cells.append({**cell, "source": text})
    return {**notebook, "cells": cells}


def is_executed(notebook: Notebook) -> bool:
    """Tell whether a notebook was run from top to bottom and kept what it showed.

    Strict nbval compares nothing in a cell without an execution count, so it passes on
    a stripped notebook whatever the code computes.
    """
    cells = code_cells(notebook)
    in_order = [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    showing = [cell for cell in cells if any(f"{verb}(" in cell["source"] for verb in SHOWING)]
    return in_order and len(showing) > 0 and all(cell["outputs"] for cell in showing)


@dataclass(frozen=True)
class Verdicts:
    """What nbval said of each code cell.

    Attributes
    ----------
    cells
        `02_approach.ipynb Cell 3`, counted from 0: `passed`, `failure`, `error` or `skipped`.
    text
        All that pytest printed.
    """

    cells: dict[str, str]
    text: str

    @property
    def failed(self) -> list[str]:
        """Cells that did not pass, in order."""
        return [cell for cell, verdict in self.cells.items() if verdict != "passed"]


def run_nbval(project: Project, notebooks: list[Path], work: Path, *options: str) -> Verdicts:
    """Run notebooks, one after the other, through pytest with nbval in a process of its own.

    Parameters
    ----------
    notebooks
        All in one folder.
    work
        An empty folder for pytest: its settings (none), its report.
    options
        `--nbval-lax` for errors only; `--nbval` compares outputs too.
    """
    settings, report = work / "pytest.ini", work / "report.xml"
    settings.write_text("[pytest]\n", encoding="utf-8")
    command = [
        *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "nbval.plugin"),
        *("-c", str(settings), "--noconftest", "--rootdir", str(notebooks[0].parent)),
        *("--junitxml", str(report), "--color", "no", "-q"),
        *("--nbval-current-env", "--nbval-cell-timeout", "120", *options),
        *map(str, notebooks),
    ]
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "SPMS_"))}
    done = subprocess.run(
        command,
        env={**ours, **project.env, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONUTF8": "1"},
        cwd=work,
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    text = COLOUR.sub("", done.stdout + done.stderr)
    if not report.is_file():
        raise AssertionError(text)
    return Verdicts(_cells(report), text)


def _cells(report: Path) -> dict[str, str]:
    cells = {}
    for case in ET.parse(report).getroot().iter("testcase"):
        verdicts = [child.tag for child in case if child.tag in {"failure", "error", "skipped"}]
        notebook = case.get("classname", "").removesuffix(".ipynb").rpartition(".")[2]
        cells[f"{notebook}.ipynb {case.get('name')}"] = verdicts[0] if verdicts else "passed"
    return cells


ONE_KERNEL = """
import json, sys
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from jupyter_client import KernelManager
import nbformat

kernel, verdicts = KernelManager(kernel_name="python3"), {}
kernel.start_kernel()
for path in sys.argv[1:]:
    notebook = nbformat.read(path, as_version=4)
    forget = nbformat.v4.new_code_cell("%reset -f")
    notebook.cells = [forget, *(cell for cell in notebook.cells if cell.cell_type == "code")]
    try:
        NotebookClient(notebook, km=kernel, timeout=120, allow_errors=False).execute()
    except CellExecutionError as error:
        print(error, file=sys.stderr)
    for number, cell in enumerate(notebook.cells[1:]):
        broken = any(output.output_type == "error" for output in cell.outputs)
        verdict = "skipped" if cell.execution_count is None else "failure" if broken else "passed"
        verdicts[f"{path.rpartition('/')[2]} Cell {number}"] = verdict
kernel.shutdown_kernel(now=True)
print(json.dumps(verdicts))
"""


def run_in_one_kernel(project: Project, notebooks: list[Path]) -> Verdicts:
    """Run notebooks in one kernel that forgets every name in between: most of a short notebook is its kernel's start."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "SPMS_"))}
    done = subprocess.run(
        [sys.executable, "-c", ONE_KERNEL, *(path.as_posix() for path in notebooks)],
        env={**ours, **project.env, "PYTHONUTF8": "1"},
        cwd=notebooks[0].parent,
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    text = COLOUR.sub("", done.stdout + done.stderr)
    if done.returncode:
        raise AssertionError(text)
    return Verdicts(json.loads(done.stdout.splitlines()[-1]), text)
