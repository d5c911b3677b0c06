"""What makes a notebook run again, and what does not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from spms_lib.batch.prepare import Prepared
from spms_lib.batch.publish import Page
from spms_lib.batch.resume import Memory
from spms_lib.batch.tasks import Task

PREPARED = Prepared("toy", "2026Q3", "Toy", fingerprint={"actuals": "aa"})


@pytest.fixture
def task(tmp_path: Path) -> Task:
    notebook = tmp_path / "07_reconciliation.ipynb"
    notebook.write_text("{}")
    return Task("reconciliation", notebook, "", ("goal_setting", "forecast_collection"), {"dial": 0.5})


@pytest.fixture
def memory(tmp_path: Path, task: Task) -> Memory:
    """What a good run of the task left."""
    folder = tmp_path / "outputs"
    tables = folder / "tables" / "goal_setting"
    tables.mkdir(parents=True)
    (tables / "targets.csv").write_text("node,value\ndach,100\n")
    page = Page(folder, task.stem, "")
    for path in (page.notebook(), page.html()):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("kept")
    memory = Memory(
        PREPARED, folder, {"goal_setting": {"key": "k1", "status": "done"}}, "c1", {"package": "p1"}
    )
    memory.entries["reconciliation"] = {"status": "done", "key": memory.key(task)}
    return memory


def test_a_good_result_for_the_same_inputs_still_holds(memory: Memory, task: Task) -> None:
    assert memory.is_unchanged(task)


CHANGES: dict[str, Callable[[Memory, Task], tuple[Memory, Task]]] = {
    "a parameter": lambda memory, task: (memory, replace(task, parameters={"dial": 0.6})),
    "an input table": lambda memory, task: (
        replace(memory, prepared=replace(PREPARED, fingerprint={"actuals": "bb"})),
        task,
    ),
    "the ledger": lambda memory, task: (replace(memory, ledger="c2 after c1"), task),
    "the package": lambda memory, task: (replace(memory, environment={"package": "p2"}), task),
    "what an earlier notebook ran on": lambda memory, task: (
        replace(memory, entries={**memory.entries, "goal_setting": {"key": "k2", "status": "done"}}),
        task,
    ),
    "a failure since": lambda memory, task: (
        replace(memory, entries={**memory.entries, "reconciliation": {"status": "failed", "key": ""}}),
        task,
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_makes_it_run_again(memory: Memory, task: Task, change: str) -> None:
    changed, same_task = CHANGES[change](memory, task)
    assert not changed.is_unchanged(same_task)


@pytest.mark.parametrize(
    "file",
    [
        "07_reconciliation.ipynb",  # the notebook was edited
        "outputs/tables/goal_setting/targets.csv",  # the earlier notebook found other targets
        "outputs/notebooks/07_reconciliation.ipynb",
        "outputs/html/07_reconciliation.html",
    ],
)
def test_a_changed_or_missing_file_makes_it_run_again(
    memory: Memory, task: Task, tmp_path: Path, file: str
) -> None:
    if "outputs/notebooks" in file or "html" in file:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_text("something else")
    assert not memory.is_unchanged(task)


def test_checks_and_headlines_of_an_earlier_notebook_change_nothing(
    memory: Memory, task: Task, tmp_path: Path
) -> None:
    (tmp_path / "outputs/tables/goal_setting/checks.json").write_text("[]")
    assert memory.is_unchanged(task)


def test_what_did_not_run_before_is_named(memory: Memory, task: Task) -> None:
    assert memory.missing_before([task]) == {"reconciliation": ["forecast_collection"]}
