"""Make the golden notebooks again, after a change of a notebook or of what it shows.

Run ``python tests/notebooks/make_golden.py``, read the difference with git, and commit
it only if every changed number is meant. Each notebook of `notebooks/` is run in order for
the small company of `tests/notebooks/params/golden`, against one empty ledger.
"""

import re
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from notebook_project import (
    GOLDEN,
    SHIPPED,
    Notebook,
    Project,
    for_golden_company,
    make_golden_project,
    read,
    write,
)
from traitlets.config import Config

from spms_lib.batch.kernel import kernel_manager

# nbval does not compare pictures: one white pixel stands for each of them.
ONE_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mP4DwABAQEAHLCMmQAAAABJRU5ErkJggg=="
LOOKS = re.compile(r"<style>.*?</style>", re.DOTALL)


def execute(notebook: Notebook, project: Project) -> Notebook:
    """Run a notebook in a project and return it with its outputs; an error in a cell is raised."""
    client = NotebookClient(
        nbformat.from_dict(notebook),
        kernel_name="python3",
        kernel_manager_class=kernel_manager(project.env, None),
        resources={"metadata": {"path": str(project.root)}},
        config=Config({"KernelManager": {"transport_encryption": "auto"}}),
        record_timing=False,
        timeout=120,
    )
    return client.execute()


def tidy(notebook: Notebook) -> Notebook:
    """Drop what belongs to the machine or the looks and not to the result."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            shown = output.get("data", {})
            if "image/png" in shown:
                shown["image/png"] = ONE_PIXEL
            if "text/html" in shown:
                shown["text/html"] = LOOKS.sub("<style></style>", shown["text/html"])
    notebook["metadata"]["language_info"] = {"name": "python"}
    return notebook


def main() -> None:
    """Write one executed golden for every shipped notebook, and remove those of notebooks that are gone."""
    GOLDEN.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        project = make_golden_project(Path(folder) / "project")
        for path in SHIPPED:
            write(tidy(execute(for_golden_company(read(path)), project)), GOLDEN / path.name)
            sys.stdout.write(f"{path.name}\n")
    for stale in {path.name for path in GOLDEN.glob("*.ipynb")} - {path.name for path in SHIPPED}:
        (GOLDEN / stale).unlink()


if __name__ == "__main__":
    main()
