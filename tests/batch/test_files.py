"""Files of a run: whole, without local paths, and of one run at a time."""

import sys
from pathlib import Path

import pytest

from spms_lib.batch.files import hash_folder, only_one, root_of, shown_from, without_local_paths, write_whole
from spms_lib.errors import RunError


def test_local_folders_are_taken_out_of_messages() -> None:
    root = Path("/srv/plan")
    text = f"in /srv/plan/data/a.csv, \x1b[32m{sys.prefix}/lib/x.py, {Path.home()}/.netrc, /srv/planning/b and '/srv/plan'"
    shown = without_local_paths(text, root)
    assert shown == "in data/a.csv, \x1b[32mpython/lib/x.py, ~/.netrc, /srv/planning/b and '.'"


def test_a_second_run_of_the_same_cycle_is_kept_out(tmp_path: Path) -> None:
    with only_one(tmp_path), pytest.raises(RunError, match="under way"), only_one(tmp_path):
        pass
    with only_one(tmp_path):  # and the next one may start
        pass


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.txt", "old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(tmp_path / "a.txt", "new \ud800")
    assert (tmp_path / "a.txt").read_text() == "old"


def test_a_hash_of_a_folder_sees_names_and_contents_but_only_of_what_matches(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1")
    before = hash_folder(tmp_path, "*.csv")
    (tmp_path / "note.txt").write_text("x")
    assert hash_folder(tmp_path, "*.csv") == before
    (tmp_path / "a.csv").rename(tmp_path / "b.csv")
    assert hash_folder(tmp_path, "*.csv") != before
    assert hash_folder(tmp_path / "nothing", "*.csv") == ""


def test_the_project_is_the_folder_above_the_params_that_holds_the_notebooks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = tmp_path / "project" / "params" / "toy" / "2026Q3.yaml"
    with pytest.raises(RunError, match="does not lie in a project"):
        root_of(params)
    (tmp_path / "project" / "notebooks").mkdir(parents=True)
    assert root_of(params) == tmp_path / "project"
    monkeypatch.setenv("SPMS_ROOT", str(tmp_path))
    assert root_of(params) == tmp_path


def test_a_path_is_shown_from_where_one_stands() -> None:
    assert shown_from(Path("/a/b/c"), Path("/a")) == "b/c"
    assert shown_from(Path("/x/c"), Path("/a")) == "/x/c"
