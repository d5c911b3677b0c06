"""What the terminal shows of a run: bars for people, one line per notebook for logs."""

from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from spms_lib.batch.execute import TaskResult
from spms_lib.batch.tasks import Task

MARKS: Final = {
    "done": "[green]✓[/] done",
    "unchanged": "[dim]= unchanged[/]",
    "failed": "[red]✗ failed[/]",
    "skipped": "[yellow]- skipped[/]",
    "interrupted": "[yellow]! interrupted[/]",
}


class RunProgress:
    """Bars for the run and for each notebook at work; a `with` statement shows and removes them."""

    def __init__(self, console: Console, *, total: int, title: str) -> None:
        self.console = console
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("[dim]{task.fields[unit]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._all = self._bars.add_task(escape(title), total=total, unit="notebooks")
        self._open: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def started(self, task: Task) -> None:
        """Show a bar for a notebook."""
        self._open[task.id] = self._bars.add_task(f"  {escape(task.id)}", total=None, unit="cells")

    def cell(self, task: Task, done: int, total: int) -> None:
        """Move a notebook's bar; may be called from any thread."""
        if (bar := self._open.get(task.id)) is not None:
            self._bars.update(bar, completed=done, total=total)

    def settled(self, task: Task, result: TaskResult) -> None:
        """Print how a notebook ended, and move the bar of the run."""
        if (bar := self._open.pop(task.id, None)) is not None:
            self._bars.remove_task(bar)
        self._bars.advance(self._all)
        seconds = f" [dim]{result.seconds:.1f} s[/]" if result.seconds else ""
        why = f"  {escape(result.error)}" if result.error else ""
        mark = MARKS.get(result.status, result.status)
        self.console.print(f"{escape(task.id):<24} {mark}{seconds}{why}", highlight=False, soft_wrap=True)


def plan_table(rows: list[tuple[Task, str]]) -> Table:
    """Show what a run would do: notebook, action, and what it waits for."""
    table = Table("notebook", "action", "after", title="Nothing was run or written", title_justify="left")
    for task, action in rows:
        table.add_row(escape(task.id), escape(action), escape(", ".join(task.depends)))
    return table
