"""One notebook: the verdict, what is kept, and kernels that do not behave."""

import json
import pickle
from pathlib import Path
from typing import Any

import nbformat
import pytest

from spms_lib.batch import execute
from spms_lib.batch.execute import Job, run_task
from spms_lib.batch.kernel import Kernels
from spms_lib.batch.tasks import Task


def job(tmp_path: Path, *cells: str, timeout: int = 30, **parameters: Any) -> Job:
    root = tmp_path / "project {company}"  # braces, which Papermill would fill
    root.mkdir(exist_ok=True)
    notebook = root / "02_approach.ipynb"
    first = nbformat.v4.new_markdown_cell("# Approach", id="title")
    told = nbformat.v4.new_code_cell('company: str = ""', id="told", metadata={"tags": ["parameters"]})
    code = [nbformat.v4.new_code_cell(cell, id=f"cell-{number}") for number, cell in enumerate(cells)]
    nbformat.write(nbformat.v4.new_notebook(cells=[first, told, *code]), notebook)
    task = Task("approach", notebook, "", (), {"company": "toy", **parameters})
    return Job(task, "Approach", root / "outputs", root, {"SPMS_OUT": "somewhere"}, timeout)


def kept(job: Job, name: str) -> str:
    return (job.folder / name).read_text(encoding="utf-8")


def test_a_job_and_its_result_can_be_sent_to_another_process(tmp_path: Path) -> None:
    one = job(tmp_path)
    assert pickle.loads(pickle.dumps(one)) == one


def test_a_cell_that_takes_too_long_ends_the_notebook_and_is_no_success(tmp_path: Path) -> None:
    cells: list[tuple[int, int]] = []
    slow = job(tmp_path, "print('first')", "import time; time.sleep(60)", "print('never reached')", timeout=2)
    result = run_task(slow, on_cell=lambda done, total: cells.append((done, total)))
    assert result.status == "failed"
    assert "longer than 2 s" in result.error
    notebook = kept(slow, "notebooks/02_approach.failed.ipynb")
    assert json.loads(notebook)["metadata"]["spms"]["status"] == "failed"
    assert "completed" not in notebook  # what Papermill writes on cells that never ran
    assert "longer than 2 s" in kept(slow, "html/02_approach.failed.html")
    assert cells[-1] == (4, 6)  # title, parameters, those injected, and the first print
    assert not (slow.folder / "notebooks" / "02_approach.ipynb").exists()
    assert not list(slow.folder.rglob(".*"))


def test_a_kernel_that_dies_is_a_failure_that_keeps_what_ran_before_it(tmp_path: Path) -> None:
    dying = job(tmp_path, "print('reached', company)", "import os; os.kill(os.getpid(), 9)")
    result = run_task(dying, kernels=Kernels())
    assert (result.status, result.error) == (
        "failed",
        "The kernel died: out of memory, or ended from outside.",
    )
    assert "reached toy" in kept(dying, "html/02_approach.failed.html")
    assert "kernel died" in kept(dying, "html/02_approach.failed.html")


def test_a_kernel_that_never_answers_is_tried_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def never_starts(*_: object) -> None:
        calls.append(1)
        raise RuntimeError("Kernel died before replying to kernel_info")

    monkeypatch.setattr(execute, "_papermill", never_starts)
    result = run_task(job(tmp_path))
    assert (len(calls), result.status) == (2, "failed")


def test_a_notebook_that_fails_is_not_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def fails(*_: object) -> None:
        calls.append(1)
        raise ValueError("no such node")

    monkeypatch.setattr(execute, "_papermill", fails)
    assert run_task(job(tmp_path)).error == "ValueError: no such node"
    assert len(calls) == 1


def test_a_report_that_cannot_be_written_is_a_failure_and_not_the_end_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(execute, "_papermill", lambda *_: None)
    monkeypatch.setattr(execute, "publish", broken)
    result = run_task(job(tmp_path))
    assert (result.status, result.error) == (
        "failed",
        "The report could not be written. OSError: no space left",
    )


def test_a_stopped_kernel_is_an_interrupt_that_leaves_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernels = Kernels()

    def interrupted(given: Job, target: Path, *_: object) -> None:
        target.write_text("half")
        kernels.stop()
        raise RuntimeError("Kernel died")

    monkeypatch.setattr(execute, "_papermill", interrupted)
    stopped = job(tmp_path)
    assert run_task(stopped, kernels=kernels).status == "interrupted"
    assert [path for path in stopped.folder.rglob("*") if path.is_file()] == []
