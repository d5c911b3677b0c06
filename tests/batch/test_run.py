"""Whole runs of a made-up cycle of tiny notebooks."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from tiny_project import NAMES, PARAMETERS, Project, make_project, write_notebook

from spms_lib.errors import ParamsError, RunError

EDITIONS = list(NAMES[:-1])
REVIEWS = ["review", "review:dach", "review:uk/ireland"]


def entries(manifest: dict) -> dict[str, dict]:
    return {f"{one['name']}:{one['region']}".rstrip(":"): one for one in manifest["notebooks"]}


def statuses(manifest: dict) -> dict[str, str]:
    return {name: one["status"] for name, one in entries(manifest).items()}


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()
    }


# -- a run that works ----------------------------------------------------------------------------


def test_a_whole_cycle_runs_although_a_foreign_kernel_has_the_same_name(finished: Project) -> None:
    assert (finished.result.status, finished.result.exit_code) == ("done", 0)
    assert set(statuses(finished.result.manifest).values()) == {"done"}


def test_every_notebook_ran_after_those_it_builds_on(finished: Project) -> None:
    when = {name: float(moment) for name, moment in finished.moments().items()}
    assert when["approach"] < when["goal_setting"] < when["forecast_collection"] < when["reconciliation"]
    assert when["reconciliation"] < min(when["incentives"], when["monitoring"])
    assert max(when["incentives"], when["monitoring"]) < min(when["review"], when["review-dach"])


def test_notebooks_see_this_interpreter_and_the_project_folder(finished: Project) -> None:
    notebook = nbformat.read(finished.folder / "notebooks" / "02_approach.ipynb", as_version=4)
    text = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    assert f"python/bin/{Path(sys.executable).name}" in text  # this interpreter, its folder not published
    assert "working in ." in text


def test_the_manifest_says_what_ran_on_what(finished: Project) -> None:
    manifest = json.loads((finished.folder / "manifest.json").read_text())
    assert manifest == finished.result.manifest
    assert set(manifest) >= {
        "company",
        "title",
        "cycle",
        "status",
        "started",
        "finished",
        "versions",
        "tables",
    }
    assert manifest["tables"][0]["rows_in"] == 3
    assert list(entries(manifest)) == [*EDITIONS, *REVIEWS]
    entry = entries(manifest)["review:dach"]
    assert (entry["title"], entry["headline"]) == ("Review: DACH", "review-dach grew by 10%")
    assert (entry["html"], entry["notebook"]) == (
        "html/10_review-dach.html",
        "notebooks/10_review-dach.ipynb",
    )
    assert entry["parameters"]["region"] == "dach"
    assert entries(manifest)["goal_setting"]["headline"] == "goal_setting grew by 25%"
    assert {"notebook": "approach", "check": "adds up", "passed": True, "detail": "to the cent"} in manifest[
        "checks"
    ]
    assert "python" in manifest["versions"]


def test_the_index_links_every_report_and_each_is_there(finished: Project) -> None:
    index = (finished.folder / "index.html").read_text()
    for entry in finished.result.manifest["notebooks"]:
        assert f'href="{entry["html"]}"' in index
        assert (finished.folder / entry["html"]).is_file()


def test_reports_show_results_without_code(finished: Project) -> None:
    report = (finished.folder / "html" / "02_approach.html").read_text()
    assert "working in ." in report
    assert "mkdir(parents" not in report


def test_nothing_published_holds_a_path_of_this_machine(finished: Project) -> None:
    published = {
        name: text for name, text in files(finished.folder).items() if not name.startswith("tables/")
    }
    places = (str(finished.root), str(Path.home()), sys.prefix)
    assert [
        (name, place) for name, text in published.items() for place in places if f"{place}/" in text
    ] == []


def test_no_partial_files_are_left(finished: Project) -> None:
    assert [path.name for path in finished.folder.rglob(".*") if path.name != ".lock"] == []


# -- again ---------------------------------------------------------------------------------------


def test_nothing_runs_again_while_nothing_has_changed(again: Project) -> None:
    before = again.moments()
    result = again.run()
    assert (result.exit_code, again.moments()) == (0, before)
    assert set(statuses(result.manifest).values()) == {"unchanged"}
    assert entries(result.manifest)["review:dach"]["headline"] == "review-dach grew by 10%"


def test_a_dry_run_says_what_would_run_and_touches_nothing(again: Project) -> None:
    again.overrides["incentives"] = {"growth_ratio": 0.3}
    before = {path: path.stat().st_mtime_ns for path in again.root.rglob("*")}
    result = again.run(dry_run=True)
    run = [name for name, action in result.manifest.items() if action == "run"]
    assert run == ["incentives", *REVIEWS]
    assert {path: path.stat().st_mtime_ns for path in again.root.rglob("*")} == before


@pytest.mark.parametrize(
    "change",
    [
        lambda project: project.fingerprint.update(actuals="other rows"),
        lambda project: project.fingerprint.update({"params plans": "another clause"}),
        lambda project: setattr(project, "ledger_head", lambda: "a commit from outside"),
    ],
    ids=["an input table", "a compensation plan", "the ledger"],
)
def test_other_inputs_would_run_everything_again(again: Project, change: object) -> None:
    again.fingerprint = dict(again.fingerprint)
    change(again)
    assert set(again.run(dry_run=True).manifest.values()) == {"run"}


def test_what_a_run_commits_itself_is_no_reason_to_run_again(again: Project) -> None:
    again.ledger_head = lambda: again.moments()["approach"]  # the notebook moves the ledger each time it runs
    again.run(only=["approach"])
    assert again.run(only=["approach"], dry_run=True).manifest == {"approach": "unchanged"}
    again.ledger_head = lambda: "a commit from outside"
    assert again.run(only=["approach"], dry_run=True).manifest == {"approach": "run"}


def test_force_would_run_everything_again(again: Project) -> None:
    assert set(again.run(dry_run=True, force=True).manifest.values()) == {"run"}


# -- failures ------------------------------------------------------------------------------------


def test_a_failure_is_kept_beside_the_last_good_report_and_the_rest_goes_on(again: Project) -> None:
    again.overrides |= {"incentives": {"behave": "raise"}, "monitoring": {"growth_ratio": 0.3}}
    before = files(again.folder)
    result = again.run()
    assert (result.status, result.exit_code) == ("failed", 1)

    how = statuses(result.manifest)
    assert how["incentives"] == "failed"
    assert how["monitoring"] == "done"  # does not build on incentives
    assert [how[review] for review in REVIEWS] == ["skipped"] * 3
    assert how["reconciliation"] == "unchanged"

    now = files(again.folder)
    for good in ("notebooks/08_incentives.ipynb", "html/08_incentives.html", "html/10_review.html"):
        assert now[good] == before[good]
    failed = entries(result.manifest)["incentives"]
    assert failed["error"] == "ValueError: no weights in data/weights.csv"
    assert failed["html"] == "html/08_incentives.failed.html"
    assert failed["last_good"] == "html/08_incentives.html"
    assert "no weights in data/weights.csv" in now["html/08_incentives.failed.html"]
    assert "ValueError" in now["notebooks/08_incentives.failed.ipynb"]
    assert str(again.root) not in now["notebooks/08_incentives.failed.ipynb"]
    assert "since incentives failed" in entries(result.manifest)["review"]["error"]
    assert "no weights" in again.said

    again.overrides = {**again.overrides, "incentives": {"growth_ratio": 0.4}}
    repaired = again.run(only=["incentives"])
    assert repaired.exit_code == 0
    assert not list(again.folder.rglob("*.failed.*"))
    assert "incentives grew by 40%" in again.folder.joinpath("manifest.json").read_text()
    assert statuses(repaired.manifest)["review"] == "skipped"  # not asked for: what was said of it stays


def test_a_check_that_does_not_hold_has_an_exit_code_of_its_own(project: Project) -> None:
    project.overrides = {"approach": {"behave": "doubt"}}
    result = project.run(only=["approach"])
    assert (result.status, result.exit_code) == ("check failed", 3)
    assert statuses(result.manifest)["approach"] == "done"
    assert statuses(result.manifest)["goal_setting"] == "not run"
    assert "adds up" in project.said


# -- refused before the start --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"review": {"grwoth_ratio": 0.1}}, "did you mean 'growth_ratio'"),
        ({"monitoring": {"growth_ratio": "ten"}}, "must be float"),
        ({"approach": {"api_key": "x"}}, "looks like a secret"),
        ({"revue": {}}, "Did you mean 'review'"),
    ],
)
def test_a_wrong_parameter_anywhere_starts_nothing(project: Project, overrides: dict, message: str) -> None:
    project.overrides = overrides
    with pytest.raises(ParamsError, match=message):
        project.run()
    assert not (project.root / "outputs").exists()


def test_a_notebook_without_a_parameter_that_every_run_sets_is_refused(project: Project) -> None:
    path = project.root / "notebooks" / "09_monitoring.ipynb"
    write_notebook(path, "Monitoring", PARAMETERS.replace("data: str", "folder: str"))
    with pytest.raises(ParamsError, match="monitoring: unknown parameter 'data'"):
        project.run()


def test_a_part_of_a_cycle_needs_what_it_builds_on(project: Project) -> None:
    with pytest.raises(RunError, match="would build on reconciliation") as refusal:
        project.run(only=["monitoring"])
    assert "spms run params/toy/2026Q3.yaml --from reconciliation" in refusal.value.remedy
    assert not (project.root / "outputs").exists()


def test_a_part_of_a_cycle_runs_alone_once_the_rest_has_run_and_says_if_that_is_old(again: Project) -> None:
    assert set(again.run(only=["review:dach"], dry_run=True).manifest) == {"review:dach"}
    assert "other inputs" not in again.said
    again.overrides = {"reconciliation": {"growth_ratio": 0.7}}
    again.run(only=["monitoring"], dry_run=True)
    assert "reconciliation was run on other inputs" in again.said


def test_a_missing_params_file_is_refused(project: Project) -> None:
    project.params.unlink()
    with pytest.raises(ParamsError, match="no such params file"):
        project.run()


# -- where things go -----------------------------------------------------------------------------


def test_data_and_outputs_may_lie_elsewhere_and_no_notebook_learns_where(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "exports").mkdir()
    monkeypatch.chdir(tmp_path)
    result = project.run(only=["approach"], data="exports", out="elsewhere")
    assert result.folder == tmp_path / "elsewhere" / "toy" / "2026Q3"
    assert entries(result.manifest)["approach"]["parameters"]["data"] == "…/exports"
    published = {name: text for name, text in files(result.folder).items() if not name.startswith("tables/")}
    assert [name for name, text in published.items() if "../" in text or f"{tmp_path}/" in text] == []
    assert (
        result.folder / "tables" / "approach" / "data.txt"
    ).read_text() == "../exports"  # what it was told
    assert (result.folder / "tables" / "approach" / "result.csv").is_file()
    assert not (project.root / "outputs").exists()


# -- interrupted ---------------------------------------------------------------------------------

DRIVER = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a build may start us with interrupts ignored
sys.path.insert(0, {tests!r})
from pathlib import Path
from tiny_project import Project
project = Project(Path({root!r}), overrides={{"goal_setting": {{"behave": "hang"}}}})
result = project.run(jobs=2)
print(project.said)
sys.exit(result.exit_code)
"""


def test_an_interrupt_ends_the_kernels_and_says_what_is_missing(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    code = DRIVER.format(tests=str(Path(__file__).parent), root=str(project.root))
    run = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    ready = project.folder / "tables" / "goal_setting" / "result.csv"
    until = time.monotonic() + 60
    while not ready.exists() and time.monotonic() < until and run.poll() is None:
        time.sleep(0.1)
    before = _children(run.pid)
    assert before, "no kernel is at work"
    try:
        run.send_signal(signal.SIGINT)
        said, _ = run.communicate(timeout=60)
    finally:
        run.kill()  # does nothing to one that has ended
        run.wait()
    assert run.returncode == 130, said
    assert not any(Path(f"/proc/{process}").exists() for process in before)

    manifest = json.loads((project.folder / "manifest.json").read_text())
    assert manifest["status"] == "interrupted"
    how = statuses(manifest)
    assert (how["approach"], how["goal_setting"], how["review"]) == ("done", "interrupted", "interrupted")
    assert not list(project.folder.rglob("*goal_setting*.ipynb"))
    assert "interrupted" in (project.folder / "index.html").read_text()


def _children(parent: int) -> list[int]:
    if not Path("/proc").is_dir():
        pytest.skip("needs /proc")
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                stat = (place / "stat").read_text()
            except OSError:
                continue
            if int(stat.rpartition(")")[2].split()[1]) == parent:
                found.append(int(place.name))
    return [process for process in found if process != os.getpid()]
