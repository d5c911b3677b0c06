"""Which notebooks run, in which order, and under which names."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.batch.prepare import Prepared
from spms_lib.batch.tasks import GRAPH, plan_tasks
from spms_lib.cycle.paths import edition_name
from spms_lib.errors import ParamsError, RunError

REGIONS = [("dach", "DACH"), ("nordics", "Nordics")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, name in enumerate(GRAPH, start=1):
        (tmp_path / f"{number:02}_{name}.ipynb").touch()
    return tmp_path


def ids(folder: Path, **options: object) -> list[str]:
    return [
        task.id for task in plan_tasks(Prepared("toy", "2026Q3", "Toy", REGIONS), notebooks=folder, **options)
    ]


def test_a_notebook_comes_after_everything_it_builds_on(folder: Path) -> None:
    order = ids(folder)
    assert all(order.index(before) < order.index(name) for name in GRAPH for before in GRAPH[name])


def test_the_review_runs_for_the_company_and_for_every_region(folder: Path) -> None:
    assert [one for one in ids(folder) if one.startswith("review")] == [
        "review",
        "review:dach",
        "review:nordics",
    ]


def test_each_edition_is_told_its_region_and_keeps_its_own_file(folder: Path) -> None:
    tasks = plan_tasks(Prepared("toy", "2026Q3", "Toy", REGIONS), notebooks=folder, only=["review"])
    assert {task.stem: task.parameters["region"] for task in tasks} == {
        "10_review": "",
        "10_review-dach": "dach",
        "10_review-nordics": "nordics",
    }


def test_only_takes_a_notebook_with_all_editions_or_one_edition(folder: Path) -> None:
    assert ids(folder, only=["review"]) == ["review", "review:dach", "review:nordics"]
    assert ids(folder, only=["review:dach", "approach"]) == ["approach", "review:dach"]
    assert ids(folder, only=["09_monitoring.ipynb"]) == ["monitoring"]


def test_from_takes_a_notebook_and_everything_that_builds_on_it(folder: Path) -> None:
    assert ids(folder, from_="reconciliation") == [
        "reconciliation",
        "incentives",
        "monitoring",
        "review",
        "review:dach",
        "review:nordics",
    ]
    assert ids(folder, from_="approach") == [name for name in ids(folder) if name != "objectives"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"only": ["revue"]}, "Did you mean 'review'"),
        ({"only": ["review:dack"]}, "Did you mean 'review:dach'"),
        ({"from_": "reconcilation"}, "Did you mean 'reconciliation'"),
        ({"only": ["review"], "from_": "approach"}, "Give one of them"),
    ],
)
def test_a_name_that_is_not_there_is_refused_with_the_nearest(
    folder: Path, asked: dict, message: str
) -> None:
    with pytest.raises(RunError, match=message):
        ids(folder, **asked)


def test_a_missing_notebook_is_refused_by_name(folder: Path) -> None:
    (folder / "08_incentives.ipynb").unlink()
    with pytest.raises(RunError, match=r"<number>_incentives\.ipynb"):
        ids(folder)


def test_parameters_for_a_notebook_that_is_not_there_are_refused(folder: Path) -> None:
    prepared = Prepared("toy", "2026Q3", "Toy", overrides={"goal_seting": {"growth_ratio": 0.1}})
    with pytest.raises(ParamsError, match="Did you mean 'goal_setting'"):
        plan_tasks(prepared, notebooks=folder)


@given(nodes=st.lists(st.text(min_size=1, max_size=8), min_size=2, max_size=6, unique=True))
@settings(max_examples=60, deadline=None)
def test_any_node_gives_a_safe_file_name_of_its_own(nodes: list[str]) -> None:
    names = [edition_name("review", node) for node in nodes]
    assert len(set(names)) == len(nodes)
    assert all(Path(name).name == name and "\0" not in name for name in names)
