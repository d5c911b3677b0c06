"""Parameters are checked against the notebook's own cell, before anything starts."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.batch.parameters import Parameter, check_parameters, check_tasks, fits, notebook_parameters
from spms_lib.batch.tasks import Task
from spms_lib.errors import ParamsError

CELL = """\
plan: str = "fy26"                        # a file in params/plans
growth_ratio: float = 0.05                # 0.05 is 5 %
quarters: int = 8
interactive: bool = False                 # True shows panels
weights: dict[str, float] = {"a": 1.0}    # level: weight
nodes: list[str] = []
hurdle: float = -1.5
"""


def notebook(tmp_path: Path, cell: str = CELL, tags: tuple[str, ...] = ("parameters",)) -> Path:
    cells = [
        nbformat.v4.new_code_cell("plan: str = 'not this one'", id="first"),
        nbformat.v4.new_code_cell(cell, id="second", metadata={"tags": list(tags)}),
    ]
    path = tmp_path / "03_goal_setting.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def task(path: Path, **parameters: Any) -> Task:
    return Task("goal_setting", path, "", (), parameters)


def test_type_default_and_help_are_read_from_the_tagged_cell(tmp_path: Path) -> None:
    found = notebook_parameters(notebook(tmp_path))
    assert found["growth_ratio"] == Parameter("float", 0.05, "0.05 is 5 %")
    assert found["weights"] == Parameter("dict[str, float]", {"a": 1.0}, "level: weight")
    assert (found["plan"].default, found["quarters"].help, found["hurdle"].default) == ("fy26", "", -1.5)


def test_a_notebook_without_a_tagged_cell_has_no_parameters(tmp_path: Path) -> None:
    assert notebook_parameters(notebook(tmp_path, tags=())) == {}


@pytest.mark.parametrize(
    "line",
    [
        "growth = 0.05",  # no type: nothing to check against
        "growth: float",  # no default
        "growth: float = 0.01 * 5",  # no literal
        "growth: float | None = None",  # Papermill's inspector does not see it
        "growth: Ratio = 0.05",  # no plain type
        "import os",
    ],
)
def test_a_line_that_is_no_typed_literal_is_refused_with_its_place(tmp_path: Path, line: str) -> None:
    with pytest.raises(ParamsError, match=r"line 2 of the parameters cell.*name: type = literal"):
        notebook_parameters(notebook(tmp_path, f"quarters: int = 8\n{line}\n"))


def test_a_broken_notebook_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "03_goal_setting.ipynb"
    path.write_text("{")
    with pytest.raises(ParamsError, match="03_goal_setting"):
        notebook_parameters(path)


def test_parameters_that_fit_pass(tmp_path: Path) -> None:
    check_parameters(
        task(
            notebook(tmp_path),
            plan="fy27",
            growth_ratio=1,
            weights={"team": 2},
            nodes=["dach"],
            interactive=True,
        )
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"grwoth_ratio": 0.1}, "unknown parameter 'grwoth_ratio', did you mean 'growth_ratio'"),
        ({"zzz": 1}, "unknown parameter 'zzz', known: plan, growth_ratio"),
        ({"growth_ratio": "0.1"}, r"'growth_ratio' must be float, not '0.1' \(str\)"),
        ({"quarters": 8.0}, r"'quarters' must be int, not 8.0 \(float\)"),
        ({"quarters": True}, "must be int, not True"),
        ({"growth_ratio": True}, "must be float, not True"),
        ({"interactive": 1}, "must be bool, not 1"),
        ({"growth_ratio": float("nan")}, "must be float, not nan"),
        ({"plan": dt.date(2026, 3, 31)}, "write it in quotes, '2026-03-31'"),
        ({"weights": {"a": "heavy"}}, "'weights' must be dict"),
        ({"weights": {1: 1.0}}, "'weights' must be dict"),
        ({"nodes": ("a", "b")}, r"must be list\[str\]"),  # Papermill would make text of a tuple
        ({"nodes": ["a", 2]}, r"must be list\[str\]"),
        ({"plan": "postgresql://planner:hunter2@db/plans"}, "an address with a password"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_with_the_remedy(
    tmp_path: Path, given: dict, message: str
) -> None:
    with pytest.raises(ParamsError, match=message):
        check_parameters(task(notebook(tmp_path), **given))


@pytest.mark.parametrize("name", ["crm_password", "api_key", "APIKEY", "access_token", "client_secret"])
def test_a_secret_is_refused_in_the_params_and_in_the_notebook(tmp_path: Path, name: str) -> None:
    with pytest.raises(ParamsError, match=f"'{name}' looks like a secret"):
        check_parameters(task(notebook(tmp_path), **{name: "x"}))
    with pytest.raises(ParamsError, match=f"'{name}' looks like a secret"):
        check_parameters(task(notebook(tmp_path, f'{name}: str = ""\n')))


def test_every_mistake_of_every_task_is_named_at_once(tmp_path: Path) -> None:
    path = notebook(tmp_path)
    with pytest.raises(ParamsError) as refusal:
        check_tasks([task(path, growth=0.1), task(path, quarters="8")])
    assert "'growth'" in str(refusal.value)
    assert "'quarters'" in str(refusal.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    value=JSON,
    kind=st.sampled_from(["str", "int", "float", "bool", "list", "dict", "list[float]", "dict[str, int]"]),
)
@settings(max_examples=200, deadline=None)
def test_what_fits_survives_the_way_into_a_notebook(value: Any, kind: str) -> None:
    if fits(value, kind):
        assert json.loads(json.dumps(value, allow_nan=False)) == value
