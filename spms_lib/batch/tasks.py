"""What a run consists of: notebooks, what each needs, and the editions of the review."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from spms_lib.batch.prepare import Prepared
from spms_lib.cycle.paths import edition_name
from spms_lib.errors import ParamsError, RunError

GRAPH: Final[dict[str, tuple[str, ...]]] = {
    "objectives": (),
    "approach": (),
    "goal_setting": ("approach",),
    "feasibility": ("goal_setting",),
    "forecast_collection": ("goal_setting",),
    "calibration": ("forecast_collection",),
    "reconciliation": ("goal_setting", "calibration"),
    "incentives": ("reconciliation",),
    "monitoring": ("reconciliation",),
    "review": ("incentives", "monitoring"),
}
"""Notebook: the notebooks whose results it reads. The order of the keys is an order of work."""

PER_REGION: Final = "review"
"""The notebook that has an edition for the company and one for every region."""


@dataclass(frozen=True, slots=True)
class Task:
    """One edition of one notebook.

    Attributes
    ----------
    name
        Name of the notebook without its number, such as `review`.
    notebook
        File of the notebook.
    region
        Node of a regional edition; empty for the whole company.
    depends
        Notebooks that must have run before.
    parameters
        What is handed to the notebook's parameters cell.
    region_name
        Name of the region to print.
    """

    name: str
    notebook: Path
    region: str
    depends: tuple[str, ...]
    parameters: dict[str, Any] = field(hash=False)
    region_name: str = ""

    @property
    def id(self) -> str:
        """How the command line calls it: `goal_setting`, `review` or `review:dach`."""
        return f"{self.name}:{self.region}" if self.region else self.name

    @property
    def shown_parameters(self) -> dict[str, Any]:
        """The parameters as they are published: a folder outside the project keeps its last part only."""
        return {name: _shown(value) for name, value in self.parameters.items()}

    @property
    def edition(self) -> str:
        """Name of its folder of tables: `goal_setting`, `review` or `review-dach`."""
        return edition_name(self.name, self.region)

    @property
    def stem(self) -> str:
        """Name of its files: `10_review-dach`."""
        number = self.notebook.stem.removesuffix(self.name)
        return number + self.edition


def _shown(value: Any) -> Any:
    outside = isinstance(value, str) and value.startswith("../")
    return f"…/{Path(value).name}" if outside else value


def all_tasks(prepared: Prepared, *, notebooks: Path, data: str = "") -> list[Task]:
    """List every task of a cycle, in an order of work.

    Parameters
    ----------
    notebooks
        Folder with the numbered notebooks.
    data
        Folder override that is passed on to the notebooks.

    Raises
    ------
    RunError
        If a notebook is missing.
    ParamsError
        If the params set parameters of a notebook that does not exist.
    """
    for name in prepared.overrides:
        if name not in GRAPH:
            raise ParamsError(
                f"There is no notebook '{name}'.",
                where=f"{prepared.where}, notebooks",
                remedy=_near(name, GRAPH),
            )
    shared = {"company": prepared.company, "cycle": prepared.cycle, "data": data, "interactive": False}
    tasks = []
    for name, depends in GRAPH.items():
        file = _find(notebooks, name)
        given = {**shared, **prepared.overrides.get(name, {})}
        if name != PER_REGION:
            tasks.append(Task(name, file, "", depends, given))
            continue
        for node, title in [("", ""), *prepared.regions]:
            tasks.append(Task(name, file, node, depends, {**given, "region": node}, title))
    return tasks


def select_tasks(tasks: Sequence[Task], *, only: Sequence[str] = (), from_: str | None = None) -> list[Task]:
    """Keep the tasks that were asked for.

    Parameters
    ----------
    only
        Names (`review`: every edition) or single editions (`review:dach`).
    from_
        A name: that task and everything that depends on it.

    Raises
    ------
    RunError
        If a name is unknown, or both are given.
    """
    if only and from_:
        raise RunError("--only and --from were both given.", remedy="Give one of them.")
    if from_:
        wanted = {task.id for task in _named(tasks, from_)}
        wanted |= {task.id for task in tasks if upstream(task.name) & {name_of(given) for given in wanted}}
    else:
        wanted = {task.id for given in only for task in _named(tasks, given)}
    return [task for task in tasks if task.id in wanted] if only or from_ else list(tasks)


def plan_tasks(
    prepared: Prepared,
    *,
    notebooks: Path,
    data: str = "",
    only: Sequence[str] = (),
    from_: str | None = None,
) -> list[Task]:
    """List the tasks of a run, in an order of work; see `all_tasks` and `select_tasks`."""
    return select_tasks(all_tasks(prepared, notebooks=notebooks, data=data), only=only, from_=from_)


def upstream(name: str) -> set[str]:
    """Name everything that a notebook needs, directly or through others.

    Examples
    --------
    >>> sorted(upstream("reconciliation"))
    ['approach', 'calibration', 'forecast_collection', 'goal_setting']
    """
    direct = set(GRAPH[name])
    return direct.union(*(upstream(one) for one in direct))


def name_of(task_id: str) -> str:
    """Return the notebook's name of `review:dach`."""
    return task_id.partition(":")[0]


def _named(tasks: Sequence[Task], given: str) -> list[Task]:
    plain = re.sub(r"^\d+_", "", given).removesuffix(".ipynb")
    found = [task for task in tasks if plain in {task.id, task.name}]
    if not found:
        known = dict.fromkeys([*(task.name for task in tasks), *(task.id for task in tasks)])
        raise RunError(f"There is no notebook '{given}' in this cycle.", remedy=_near(plain, known))
    return found


def _near(name: str, known: Iterable[str] | Mapping[str, object]) -> str:
    names = list(known)
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    return f"Did you mean '{near[0]}'?" if near else f"Known: {', '.join(names)}."


def _find(folder: Path, name: str) -> Path:
    found = sorted(path for path in folder.glob(f"*_{name}.ipynb") if re.match(rf"\d+_{name}$", path.stem))
    if len(found) != 1:
        said = f"{len(found)} notebooks are" if found else "No notebook is"
        raise RunError(
            f"{said} called '<number>_{name}.ipynb'.",
            where=folder.name,
            remedy="A cycle needs exactly one; take it from the project's repository.",
        )
    return found[0]
