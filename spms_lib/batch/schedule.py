"""The order of work: a task starts when what it builds on is done, and several at a time."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Final, Protocol

from spms_lib.batch.execute import DONE, TaskResult
from spms_lib.batch.tasks import Task

UNCHANGED: Final = "unchanged"
SKIPPED: Final = "skipped"


class Work(Protocol):
    """What the scheduler asks for, and tells, about each task."""

    def is_unchanged(self, task: Task) -> bool:
        """Tell whether the task's last result still holds."""

    def start(self, task: Task) -> Callable[[], TaskResult]:
        """Get ready in the main thread; return what a worker thread calls."""

    def stop(self) -> None:
        """End everything that is under way."""

    def settle(self, task: Task, result: TaskResult) -> None:
        """Take the result; called in the main thread, once for every task."""


def run_in_order(tasks: Sequence[Task], work: Work, *, jobs: int) -> dict[str, str]:
    """Run tasks, at most `jobs` at a time; what builds on a failed one is skipped, the rest goes on.

    The work is done by kernels in processes of their own, so threads are enough here. What a
    task builds on and is not among the tasks counts as done.

    Returns
    -------
    dict[str, str]
        Status of each task by its id.
    """
    pool = ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="spms-run")
    try:
        return _Schedule(tasks, work, pool, jobs).run()
    except BaseException:  # an interrupt above all: end what runs, then wait for it to clean up
        work.stop()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _Schedule:
    """Tasks that wait, run and have ended."""

    def __init__(self, tasks: Sequence[Task], work: Work, pool: ThreadPoolExecutor, jobs: int) -> None:
        self.work, self.pool, self.jobs = work, pool, jobs
        self.chosen = {task.name for task in tasks}
        self.waiting = list(tasks)
        self.running: dict[Future[TaskResult], Task] = {}
        self.status: dict[str, str] = {}
        self.causes: dict[str, list[str]] = {}  # task that failed or was skipped: what failed first

    def run(self) -> dict[str, str]:
        self._start_what_can()
        while self.running:
            # wakes up every second, so that an interrupt that another thread received is heard soon
            ended, _ = wait(self.running, timeout=1.0, return_when=FIRST_COMPLETED)
            for future in ended:
                self._settle(self.running.pop(future), future.result())
            self._start_what_can()
        return self.status

    def _start_what_can(self) -> None:
        """Go through the waiting tasks once; those before others come first, so once is enough."""
        self.waiting = [task for task in self.waiting if not self._moves(task)]

    def _moves(self, task: Task) -> bool:
        before = {name: self.status.get(name) for name in task.depends if name in self.chosen}
        causes = list(dict.fromkeys(cause for name in before for cause in self.causes.get(name, [])))
        if causes:
            self.causes[task.id] = causes
            why = f"Not run, since {' and '.join(causes)} failed."
            self._settle(task, TaskResult(task.id, SKIPPED, 0.0, error=why))
        elif None in before.values():
            return False
        elif self.work.is_unchanged(task):
            self._settle(task, TaskResult(task.id, UNCHANGED, 0.0))
        elif len(self.running) < self.jobs:
            self.running[self.pool.submit(self.work.start(task))] = task
        else:
            return False
        return True

    def _settle(self, task: Task, result: TaskResult) -> None:
        self.status[task.id] = result.status
        if result.status not in {DONE, UNCHANGED}:
            self.causes.setdefault(task.id, [task.id])
        self.work.settle(task, result)
