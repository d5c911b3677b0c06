"""Whether a task has to run again: one hash over everything that its result depends on."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Any, Final

from spms_lib.batch.files import hash_file, hash_folder, hash_package
from spms_lib.batch.prepare import Prepared
from spms_lib.batch.publish import Page
from spms_lib.batch.tasks import GRAPH, Task
from spms_lib.cycle.paths import edition_name

LIBRARIES: Final = ("spms-lib", "pandas", "numpy", "scipy", "matplotlib", "duckdb", "sqlalchemy", "papermill")
SETTLED: Final = frozenset({"done", "unchanged"})


def versions() -> dict[str, str]:
    """Name the versions of Python and of the libraries that compute the numbers."""
    found = {"python": python_version()}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


@dataclass(frozen=True)
class Memory:
    """What earlier runs left, against which a task is compared.

    Attributes
    ----------
    folder
        Folder of the cycle's outputs.
    entries
        Manifest entry of each task by its id, updated as the run goes on.
    ledger
        What the ledger held before the cycle's notebooks wrote to it; see `ledger_basis`.
    """

    prepared: Prepared
    folder: Path
    entries: dict[str, dict[str, Any]]
    ledger: str = ""
    environment: dict[str, Any] = field(
        default_factory=lambda: {"package": hash_package(), "versions": versions()}
    )

    def key(self, task: Task) -> str:
        """Return the hash over notebook, parameters, inputs, libraries and the results it builds on."""
        parts = {
            "notebook": hash_file(task.notebook),
            "parameters": task.parameters,
            "inputs": self.prepared.fingerprint,
            "ledger": self.ledger,
            "environment": self.environment,
            "upstream": [
                (name, self.entries.get(name, {}).get("key", ""), results_hash(self.folder, name))
                for name in GRAPH[task.name]
            ],
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def is_unchanged(self, task: Task) -> bool:
        """Tell whether a good result for exactly these inputs is there already."""
        entry = self.entries.get(task.id, {})
        return (
            entry.get("status") in SETTLED
            and Page(self.folder, task.stem, "").good
            and entry.get("key") == self.key(task)
        )

    def has_run(self, name: str) -> bool:
        """Tell whether a notebook's last run was good, so that others may build on it."""
        return self.entries.get(name, {}).get("status") in SETTLED

    def missing_before(self, tasks: Sequence[Task]) -> dict[str, list[str]]:
        """List, for tasks of a part of the cycle, the notebooks before them that have not run."""
        chosen = {task.name for task in tasks}
        wanted = {task.id: [name for name in task.depends if name not in chosen] for task in tasks}
        missing = {task: [name for name in names if not self.has_run(name)] for task, names in wanted.items()}
        return {task: names for task, names in missing.items() if names}

    def outdated_before(self, tasks: Sequence[Task], every: Mapping[str, Task]) -> list[str]:
        """Name notebooks that chosen tasks build on, that are not run now, and whose inputs changed."""
        chosen = {task.name for task in tasks}
        before = dict.fromkeys(name for task in tasks for name in task.depends if name not in chosen)
        return [name for name in before if self.has_run(name) and not self.is_unchanged(every[name])]


def results_hash(folder: Path, name: str) -> str:
    """Hash the tables that a notebook left for others."""
    return hash_folder(folder / "tables" / edition_name(name, ""), "*.csv")


def ledger_basis(head: str, earlier: Mapping[str, str] | None) -> str:
    """Name the state of the ledger on which a run builds, its own commits aside.

    A run commits, so the newest commit differs after it from before it. As long as it is the
    one that the last run left, nobody else has committed, and the basis stays what it was.

    Examples
    --------
    >>> first = ledger_basis("", None)
    >>> same = ledger_basis("c9", {"basis": first, "head": "c9"})
    >>> first == same, ledger_basis("d4", {"basis": first, "head": "c9"})
    (True, 'd4 after c9')
    """
    if not earlier:
        return head
    return earlier["basis"] if head == earlier["head"] else f"{head or 'nothing'} after {earlier['head']}"
