"""The order of work, with made-up work."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.batch.execute import TaskResult
from spms_lib.batch.schedule import run_in_order
from spms_lib.batch.tasks import GRAPH, Task, upstream

TASKS = [Task(name, Path(name), "", depends, {}) for name, depends in GRAPH.items()]


class FakeWork:
    """Work that takes no time; some of it fails, some is unchanged."""

    def __init__(self, failing: set[str] = frozenset(), unchanged: set[str] = frozenset()) -> None:
        self.failing, self.unchanged = failing, unchanged
        self.results: dict[str, TaskResult] = {}
        self.started: list[str] = []
        self.stopped = threading.Event()
        self.at_once, self.most_at_once = 0, 0

    def is_unchanged(self, task: Task) -> bool:
        return task.id in self.unchanged

    def start(self, task: Task) -> Callable[[], TaskResult]:
        assert set(task.depends) & set(self.started) <= set(self.results), (
            "started before what it builds on ended"
        )
        self.started.append(task.id)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        return lambda: TaskResult(task.id, "failed" if task.id in self.failing else "done", 0.0)

    def settle(self, task: Task, result: TaskResult) -> None:
        if task.id in self.started:
            self.at_once -= 1
        assert task.id not in self.results
        self.results[task.id] = result

    def stop(self) -> None:
        self.stopped.set()


@given(
    failing=st.sets(st.sampled_from(list(GRAPH))),
    unchanged=st.sets(st.sampled_from(list(GRAPH))),
    jobs=st.integers(1, 4),
)
@settings(max_examples=40, deadline=None)
def test_exactly_what_builds_on_a_failure_is_skipped(
    failing: set[str], unchanged: set[str], jobs: int
) -> None:
    work = FakeWork(failing, unchanged)
    status = run_in_order(TASKS, work, jobs=jobs)
    failed = {name for name, how in status.items() if how == "failed"}
    assert set(status) == set(GRAPH)
    assert {name for name, how in status.items() if how == "skipped"} == {
        name for name in GRAPH if upstream(name) & failed
    }
    assert failed == set(work.started) & failing
    assert work.most_at_once <= jobs


def test_a_skipped_notebook_names_the_one_that_failed_first() -> None:
    work = FakeWork(failing={"reconciliation"})
    run_in_order(TASKS, work, jobs=2)
    assert work.results["review"].error == "Not run, since reconciliation failed."


def test_notebooks_that_do_not_need_each_other_run_at_the_same_time() -> None:
    work = FakeWork()
    run_in_order(TASKS, work, jobs=4)
    assert work.most_at_once == 2  # incentives and monitoring


def test_what_is_not_among_the_tasks_counts_as_done() -> None:
    only = [task for task in TASKS if task.name == "monitoring"]
    assert run_in_order(only, FakeWork(), jobs=1) == {"monitoring": "done"}


def test_an_interrupt_stops_the_work_before_it_goes_on() -> None:
    class Interrupted(FakeWork):
        def start(self, task: Task) -> Callable[[], TaskResult]:
            if task.name == "goal_setting":
                raise KeyboardInterrupt
            return super().start(task)

    work = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        run_in_order(TASKS, work, jobs=1)
    assert work.stopped.is_set()


def test_an_interrupt_waits_until_running_work_has_cleaned_up() -> None:
    begun, ended = threading.Event(), threading.Event()

    class Slow(FakeWork):
        def start(self, task: Task) -> Callable[[], TaskResult]:
            if task.name == "monitoring":
                assert begun.wait(5)
                raise KeyboardInterrupt
            if task.name != "incentives":
                return super().start(task)

            def work_until_stopped() -> TaskResult:
                begun.set()
                self.stopped.wait(5)
                time.sleep(0.05)
                ended.set()
                return TaskResult(task.id, "interrupted", 0.0)

            return work_until_stopped

    with pytest.raises(KeyboardInterrupt):
        run_in_order(TASKS, Slow(), jobs=2)
    assert ended.is_set()
