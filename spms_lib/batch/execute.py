"""One notebook through Papermill: the verdict, the kept notebook, the report.

`run_task` needs nothing but its arguments and pickles, so a pool, a cluster or a
scheduler may call it as well as `spms run` does.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from spms_lib.batch.files import without_local_paths
from spms_lib.batch.kernel import Kernels, kernel_manager
from spms_lib.batch.publish import Page, discard, publish
from spms_lib.batch.tasks import Task

DONE: Final = "done"
FAILED: Final = "failed"
INTERRUPTED: Final = "interrupted"

_NEVER_STARTED: Final = "Kernel died before replying to kernel_info"


@dataclass(frozen=True, slots=True)
class Job:
    """A task and everything that is needed to run it.

    Attributes
    ----------
    title
        Title of the report.
    folder
        Folder of the cycle's outputs.
    root
        The project's folder; the kernel works in it.
    environment
        Variables for the kernel, beside those of this process.
    timeout
        Seconds that one cell may take.
    """

    task: Task
    title: str
    folder: Path
    root: Path
    environment: dict[str, str]
    timeout: int = 600


@dataclass(frozen=True, slots=True)
class TaskResult:
    """How a task ended.

    Attributes
    ----------
    status
        `done`, `failed` or `interrupted`.
    seconds
        How long it took, the report included.
    notebook, html
        What was kept, relative to the folder of the cycle; empty if nothing was.
    error
        Why it failed, in one line without local paths; else empty.
    """

    id: str
    status: str
    seconds: float
    notebook: str = ""
    html: str = ""
    error: str = ""


def run_task(
    job: Job, *, kernels: Kernels | None = None, on_cell: Callable[[int, int], None] | None = None
) -> TaskResult:
    """Run one notebook and keep it with its report; a failed one beside the last good one.

    Parameters
    ----------
    kernels
        Where to register the kernel, so that it can be stopped from outside.
    on_cell
        Is told after each cell how many are done, and of how many.

    Returns
    -------
    TaskResult
        Never raises for what a notebook does. The verdict is that of the error that ended the
        run, never that of cell states, which Papermill leaves at `completed` after a time-out.
    """
    started = time.monotonic()
    page = Page(job.folder, job.task.stem, job.title)
    page.running.parent.mkdir(parents=True, exist_ok=True)
    discard(page.running)
    error = _execute(job, page.running, kernels, on_cell)
    if kernels is not None and kernels.stopped and error:
        discard(page.running)
        return TaskResult(job.task.id, INTERRUPTED, _since(started), error="The run was interrupted.")
    about = {
        "status": FAILED if error else DONE,
        "notebook": job.task.name,
        "region": job.task.region,
        "parameters": job.task.shown_parameters,
        "error": error,
    }
    try:
        notebook, html = publish(page, about, root=job.root, told=job.task.parameters)
    except Exception as refusal:  # noqa: BLE001  a report that cannot be written must not end the run
        error = error or f"The report could not be written. {_told(refusal, job)}"
        discard(page.running)
        return TaskResult(job.task.id, FAILED, _since(started), error=error)
    return TaskResult(job.task.id, FAILED if error else DONE, _since(started), notebook, html, error)


def _execute(
    job: Job, target: Path, kernels: Kernels | None, on_cell: Callable[[int, int], None] | None
) -> str:
    """Run the notebook into a file; return the error in one line, or nothing."""
    for attempt in (1, 2):
        try:
            with _own_event_loop():
                _papermill(job, target, kernels, on_cell)
        except Exception as error:  # noqa: BLE001  time-out and dead kernel have no common parent
            if attempt == 1 and _NEVER_STARTED in str(error):
                continue  # two kernels may have drawn the same port
            return _told(error, job)
        return ""
    return ""


def _papermill(
    job: Job, target: Path, kernels: Kernels | None, on_cell: Callable[[int, int], None] | None
) -> None:
    import papermill
    from traitlets.config import Config

    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # verdict and progress are ours
    hooks: dict[str, Any] = {}
    if on_cell is not None:
        total = _cells(job.task.notebook)
        hooks["on_cell_executed"] = lambda *, cell_index, **_: on_cell(min(cell_index + 1, total), total)
    papermill.execute_notebook(
        _literal(job.task.notebook),
        _literal(target),
        parameters=job.task.parameters,
        kernel_name="python3",
        language="python",
        progress_bar=False,
        execution_timeout=job.timeout,
        shutdown_kernel="immediate",
        kernel_manager_class=kernel_manager(job.environment, kernels),
        resources={"metadata": {"path": str(job.root)}},  # the kernel's folder; `cwd` would move this process
        config=Config({"KernelManager": {"transport_encryption": "auto"}}),
        **hooks,
    )


@contextmanager
def _own_event_loop() -> Iterator[None]:
    """Give nbclient an event loop, and close it with whatever a time-out left on it.

    Left to itself it opens one per thread and closes none. Where a loop is running already, as
    in a notebook, it uses that one.
    """
    from jupyter_core.utils import ensure_event_loop

    if _loop_is_running():
        yield
        return
    try:
        with asyncio.Runner(loop_factory=ensure_event_loop) as runner:
            runner.get_loop()
            yield
    finally:
        asyncio.set_event_loop(None)


def _loop_is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _literal(path: Path) -> str:
    """Guard braces in a path, which Papermill would fill with parameters."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _cells(notebook: Path) -> int:
    injected = 1
    return len(json.loads(notebook.read_text(encoding="utf-8"))["cells"]) + injected


def _told(error: Exception, job: Job) -> str:
    """Say in one line why a notebook failed."""
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    if isinstance(error, PapermillExecutionError):
        said = f"{error.ename}: {error.evalue}"
    elif isinstance(error, CellTimeoutError):
        said = f"A cell took longer than {job.timeout} s. Raise --timeout, or find out what it waits for."
    elif isinstance(error, DeadKernelError):
        said = "The kernel died: out of memory, or ended from outside."
    else:
        said = f"{type(error).__name__}: {error}"
    return without_local_paths(" ".join(said.split()), job.root)


def _since(started: float) -> float:
    return round(time.monotonic() - started, 2)
