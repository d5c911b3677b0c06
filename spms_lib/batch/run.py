"""Run a cycle: refuse what cannot work, run what has changed, keep what came out."""

import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from spms_lib.batch.files import only_one, root_of, shown_from
from spms_lib.batch.parameters import check_tasks
from spms_lib.batch.prepare import Prepare, default_prepare
from spms_lib.batch.progress import plan_table
from spms_lib.batch.tasks import all_tasks, select_tasks
from spms_lib.batch.work import EXIT, RunResult, Work
from spms_lib.errors import ParamsError, RunError


def run_cycle(
    params_path: Path | str,
    *,
    only: Sequence[str] = (),
    from_: str | None = None,
    force: bool = False,
    jobs: int | None = None,
    timeout: int = 600,
    dry_run: bool = False,
    data: str = "",
    out: str = "",
    notebooks: Path | None = None,
    console: Console | None = None,
    prepare: Prepare = default_prepare,
) -> RunResult:
    """Run the notebooks of a cycle in the order of what they build on.

    Parameters
    ----------
    params_path
        params/<company>/<cycle>.yaml.
    only
        Notebooks, or single editions such as `review:dach`; what they build on must have run.
    from_
        A notebook: it and everything that builds on it.
    force
        True runs also what is unchanged since the last run.
    jobs
        Notebooks at the same time; as many as there are processors if None.
    timeout
        Seconds that one cell may take.
    dry_run
        True shows the plan, and starts and writes nothing.
    data, out
        Folders with the company's files and for outputs, if not those of params and project;
        relative to the folder in which the command was given.
    notebooks
        Folder of the notebooks; that of the project if None.

    Returns
    -------
    RunResult
        A failed notebook, a check that did not hold and an interrupt are results, not errors.

    Raises
    ------
    SpmsError
        If the run is refused: unknown names, wrong parameters, unreadable inputs, or notebooks
        that it builds on have not run. Nothing was started then.
    """
    console = console or Console()
    params = Path(params_path).resolve()
    if not params.is_file():
        raise ParamsError(
            "There is no such params file.",
            where=str(params_path),
            remedy="Name params/<company>/<cycle>.yaml, or start a company with: spms init NAME",
        )
    if (jobs is not None and jobs < 1) or timeout < 1:
        raise RunError(
            "--jobs and --timeout must be 1 or more.", remedy="Leave them out for the usual values."
        )
    root = root_of(params)
    outputs = Path(out or os.environ.get("SPMS_OUT") or root / "outputs").resolve()
    prepared = prepare(params, str(Path(data).resolve()) if data else "", outputs)
    every = all_tasks(prepared, notebooks=notebooks or root / "notebooks", data=_from_root(data, root))
    tasks = select_tasks(every, only=only, from_=from_)
    check_tasks(tasks)
    folder = outputs / prepared.company / prepared.cycle

    def work() -> Work:
        return Work(
            prepared, root, outputs, folder, every, tasks, force=force, timeout=timeout, console=console
        )

    now = work()
    now.refuse_gaps(shown_from(params, root))
    if dry_run:
        plan = now.plan()
        console.print(plan_table([(task, plan[task.id]) for task in tasks]))
        return RunResult("dry run", EXIT["dry run"], plan, folder)
    with only_one(folder):  # read the last manifest again: another run may just have ended
        return work().run(jobs or os.cpu_count() or 1)


def _from_root(data: str, root: Path) -> str:
    """Give a folder relative to the project, so that no notebook holds a local path."""
    return Path(os.path.relpath(Path(data).resolve(), root)).as_posix() if data else ""
