"""A run at work: the manifest as it grows, and what the scheduler asks for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from spms_lib.batch import manifest as records
from spms_lib.batch.execute import INTERRUPTED, Job, TaskResult, run_task
from spms_lib.batch.files import shown_from
from spms_lib.batch.kernel import Kernels
from spms_lib.batch.prepare import Prepared
from spms_lib.batch.progress import RunProgress
from spms_lib.batch.resume import Memory, ledger_basis
from spms_lib.batch.schedule import UNCHANGED, run_in_order
from spms_lib.batch.tasks import Task
from spms_lib.errors import RunError

EXIT: Final = {"done": 0, "dry run": 0, "failed": 1, "check failed": 3, "interrupted": 130}
"""Exit code of each way a run may end; 2 is a run that was refused before it started."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended.

    Attributes
    ----------
    status
        A key of `EXIT`.
    exit_code
        0 done, 1 a notebook failed, 3 all done but a check did not hold, 130 interrupted.
    manifest
        What `manifest.json` holds; for a dry run, the action for each task by its id.
    folder
        Folder of the cycle's outputs.
    """

    status: str
    exit_code: int
    manifest: dict[str, Any] = field(repr=False)
    folder: Path


class Work:
    """One run at work: the manifest as it grows, and what the scheduler asks for."""

    def __init__(
        self,
        prepared: Prepared,
        root: Path,
        outputs: Path,
        folder: Path,
        every: Sequence[Task],
        tasks: Sequence[Task],
        *,
        force: bool,
        timeout: int,
        console: Console,
    ) -> None:
        self.prepared, self.root, self.outputs, self.folder = prepared, root, outputs, folder
        self.every, self.tasks = {task.id: task for task in every}, tasks
        self.force, self.timeout, self.console = force, timeout, console
        earlier = records.read_manifest(folder)
        entries = records.entries_of(earlier)
        self.entries = {task.id: records.new_entry(task, entries.get(task.id)) for task in every}
        self.basis = ledger_basis(prepared.ledger_head(), earlier.get("ledger"))
        self.memory = Memory(prepared, folder, self.entries, self.basis)
        self.manifest = records.new_manifest(prepared, self.memory.environment["versions"])
        self.kernels = Kernels()
        self.keys: dict[str, str] = {}
        self.settled: set[str] = set()
        self.progress = RunProgress(console, total=len(tasks), title=f"{prepared.company} {prepared.cycle}")

    def refuse_gaps(self, params: str) -> None:
        """Refuse a part of the cycle whose ground is missing; say so where it is only old."""
        gaps = self.memory.missing_before(self.tasks)
        if gaps:
            missing = list(dict.fromkeys(name for names in gaps.values() for name in names))
            raise RunError(
                f"{', '.join(gaps)} would build on {', '.join(missing)}, which did not run.",
                where=params,
                remedy=f"Run it first: spms run {params} --from {missing[0]}. Nothing was started.",
            )
        for name in self.memory.outdated_before(self.tasks, self.every):
            self.console.print(f"[yellow]note:[/] {name} was run on other inputs than those of today.")

    def plan(self) -> dict[str, str]:
        """Say for each task what the run would do."""
        plan: dict[str, str] = {}
        for task in self.tasks:
            moved = [name for name in task.depends if plan.get(name, UNCHANGED) != UNCHANGED]
            plan[task.id] = UNCHANGED if not moved and self.is_unchanged(task) else "run"
        return plan

    def run(self, jobs: int) -> RunResult:
        """Run the tasks and keep the manifest up to date."""
        status = "interrupted"
        try:
            self._save(findings=True)
            with self.progress:
                ended = run_in_order(self.tasks, self, jobs=jobs)
            status = self._verdict(ended)
        except KeyboardInterrupt:
            for task in self.tasks:
                if task.id not in self.settled:
                    result = TaskResult(
                        task.id, INTERRUPTED, 0.0, error="The run was interrupted before its end."
                    )
                    self.settle(task, result)
        finally:
            self.manifest.update(status=status, finished=records.now())
            self._save(index=True)
        self._say(status)
        return RunResult(status, EXIT[status], self.manifest, self.folder)

    def is_unchanged(self, task: Task) -> bool:
        """Tell whether the task's last result still holds."""
        return not self.force and self.memory.is_unchanged(task)

    def start(self, task: Task) -> Callable[[], TaskResult]:
        """Make the job of a task."""
        self.keys[task.id] = self.memory.key(task)
        self.entries[task.id]["status"] = "running"
        records.forget_checks(self.folder, task)
        self._save()  # a run that is killed must not leave half a result that reads as done
        self.progress.started(task)
        environment = {
            "SPMS_ROOT": str(self.root),
            "SPMS_OUT": str(self.outputs),
            "SPMS_EDITION": task.edition,
            "PYTHONHASHSEED": "0",  # the same inputs give the same tables
        }
        job = Job(task, records.title_of(task), self.folder, self.root, environment, self.timeout)
        return partial(run_task, job, kernels=self.kernels, on_cell=partial(self.progress.cell, task))

    def settle(self, task: Task, result: TaskResult) -> None:
        """Write down how a task ended."""
        if result.status == UNCHANGED:
            self.entries[task.id]["status"] = UNCHANGED
        else:
            key = self.keys.get(task.id, "")
            self.entries[task.id].update(records.settled_entry(task, self.folder, result, key=key))
        self.settled.add(task.id)
        self._save()
        self.progress.settled(task, result)

    def stop(self) -> None:
        """End all kernels."""
        self.kernels.stop()

    def _verdict(self, ended: dict[str, str]) -> str:
        if any(status not in {"done", UNCHANGED} for status in ended.values()):
            return "failed"
        checks = [check for check in self.manifest["checks"] if check["notebook"] in ended]
        return "done" if all(check["passed"] for check in checks) else "check failed"

    def _save(self, *, findings: bool = False, index: bool = False) -> None:
        self.manifest["ledger"] = {"basis": self.basis, "head": self.prepared.ledger_head()}
        self.manifest["notebooks"] = list(self.entries.values())
        self.manifest["checks"] = [
            check
            for task in self.every.values()
            for check in records.checks_of(self.folder, task, self.entries[task.id])
        ]
        records.write_manifest(self.folder, self.manifest)
        if findings:
            records.write_findings(self.folder, self.prepared)
        if index:
            from spms_lib.report.index import write_index

            write_index(self.folder, self.manifest)

    def _say(self, status: str) -> None:
        counts: dict[str, int] = {}
        for task in self.tasks:
            how = str(self.entries[task.id]["status"])
            counts[how] = counts.get(how, 0) + 1
        colour = "green" if EXIT[status] == 0 else "red"
        said = ", ".join(f"{number} {how}" for how, number in counts.items())
        self.console.print(f"[{colour}]{status}[/]: {said}")
        for check in self.manifest["checks"]:
            if not check["passed"]:
                self.console.print(
                    f"check failed: {check['notebook']}: {check['check']} {check['detail']}", markup=False
                )
        self._say_findings()
        index = self.folder / "index.html"
        self.console.print(
            f"Report: {shown_from(index, Path.cwd())}", markup=False, soft_wrap=True, highlight=False
        )

    def _say_findings(self) -> None:
        """Print each notebook's answer in a line, and what was read, used, found and checked."""
        for task in self.tasks:
            if said := str(self.entries[task.id].get("headline") or ""):
                self.console.print(f"  {task.id}: {said}", markup=False, soft_wrap=True, highlight=False)
        rows = {
            name: sum(int(t[name]) for t in self.manifest["tables"])
            for name in ("rows_in", "rows_used", "rows_rejected")
        }
        found = sum(int(entry["count"]) for entry in self.manifest["findings"])
        checks = self.manifest["checks"]
        self.console.print(
            f"Rows: {rows['rows_in']:,} read = {rows['rows_used']:,} used + {rows['rows_rejected']:,} rejected; "
            f"{found:,} findings; {sum(bool(check['passed']) for check in checks)} of {len(checks)} checks held.",
            markup=False, soft_wrap=True, highlight=False,
        )  # fmt: skip
