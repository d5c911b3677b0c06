"""What the manifest takes from the files of a run."""

import json
from pathlib import Path

import nbformat
import pytest

from spms_lib.batch.manifest import checks_of, forget_checks, new_entry, read_manifest, title_of
from spms_lib.batch.tasks import Task
from spms_lib.errors import RunError


@pytest.fixture
def task(tmp_path: Path) -> Task:
    notebook = tmp_path / "10_review.ipynb"
    cells = [
        nbformat.v4.new_code_cell("# no title", id="a"),
        nbformat.v4.new_markdown_cell("Hi\n# Our review\n", id="b"),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), notebook)
    place = tmp_path / "tables" / "review-dach"
    place.mkdir(parents=True)
    (place / "checks.json").write_text(json.dumps([{"check": "adds up", "passed": False}]))
    return Task("review", notebook, "dach", (), {}, "DACH")


def test_the_title_is_the_first_heading_with_the_region(task: Task) -> None:
    assert title_of(task) == "Our review: DACH"


def test_checks_count_only_if_the_notebook_ran(task: Task, tmp_path: Path) -> None:
    ran = [{"notebook": "review:dach", "check": "adds up", "passed": False, "detail": ""}]
    for status, expected in {
        "done": ran,
        "failed": ran,
        "unchanged": ran,
        "skipped": [],
        "interrupted": [],
    }.items():
        assert checks_of(tmp_path, task, {**new_entry(task), "status": status}) == expected


def test_checks_of_an_earlier_run_are_not_taken_for_this_one(task: Task, tmp_path: Path) -> None:
    forget_checks(tmp_path, task)
    assert checks_of(tmp_path, task, {**new_entry(task), "status": "failed"}) == []


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_a_damaged_manifest_is_refused_and_not_overwritten(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(RunError, match="Remove it"):
        read_manifest(tmp_path)
