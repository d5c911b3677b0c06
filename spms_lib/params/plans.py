"""Reading compensation plans: every mistake of a file with its line, and all versions of a folder."""

from pathlib import Path

from spms_lib.errors import PlanError, SpmsError
from spms_lib.incentives.blocks import block_problems
from spms_lib.incentives.plan.model import CompensationPlan
from spms_lib.incentives.plan.read import place_text, read_plan, refusal_of
from spms_lib.incentives.plan.values import Place, Problem
from spms_lib.incentives.plan.versions import check_versions
from spms_lib.params.load import read_yaml


def load_plan(path: Path | str) -> CompensationPlan:
    """Read one compensation plan from its YAML file.

    Raises
    ------
    ParamsError
        If the file is missing or is not YAML.
    PlanError
        If the plan has any mistake; all of them are named, each with its line.
    """
    data, lines = read_yaml(Path(path))

    def line_of(place: Place) -> int:
        while place and place not in lines:
            place = place[:-1]
        return lines.get(place, 1)

    plan, found = read_plan(data)
    if plan is not None:
        found = block_problems(plan)
    if plan is None or found:
        found = sorted(found, key=lambda problem: line_of(problem.place))
        raise refusal_of(
            found, Path(path).as_posix(), lambda place: f"line {line_of(place)}, {place_text(place)}"
        )
    return plan


def load_plans(folder: Path | str) -> tuple[CompensationPlan, ...]:
    """Read every compensation plan of a folder.

    Raises
    ------
    PlanError
        If a file cannot be read, a plan has a mistake, or two versions of a plan hold on one day;
        the mistakes of all files are named.
    """
    files, plans, refusals = sorted(Path(folder).glob("*.yaml")), [], []
    for path in files:
        try:
            plans.append(load_plan(path))
        except SpmsError as refusal:
            refusals.append(refusal)
    if refusals:
        raise PlanError(
            "\n".join(map(str, refusals)), where=Path(folder).as_posix(), remedy="Correct or remove them."
        )

    def file_of(place: Place) -> str:
        return files[int(place[0])].name

    clashes: list[Problem] = check_versions(plans)
    if clashes:
        raise refusal_of(clashes, Path(folder).as_posix(), file_of)
    return tuple(plans)
