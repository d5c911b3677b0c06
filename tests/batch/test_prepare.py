"""What a run reads before it starts, on a company of a few rows."""

import shutil
import sqlite3
from pathlib import Path

import pandas as pd
import pytest

from spms_lib.batch.prepare import default_prepare
from spms_lib.errors import ParamsError
from spms_lib.store.ledger import Ledger

COMPANY = """\
company: toy
title: Toy Company
currency: EUR
data: data
tables:
  hierarchy: {file: hierarchy.csv}
  actuals: {file: actuals.csv}
  drivers: {sql: "select * from drivers", url_env: TOY_CRM}
"""
CYCLE = """\
company: toy
cycle: 2026Q3
plan_as_of: 2026-06-30
collect_as_of: 2026-07-15
monitor_as_of: 2026-08-31
as_of: 2026-09-30
notebooks:
  goal_setting: {growth_ratio: 0.08}
"""
HIERARCHY = """\
node,parent,level,name
all,,company,Toy
north,all,region,North & Co
south,all,region,South
anna,north,seller,Anna
ben,south,seller,Ben
"""
ACTUALS = """\
node,period,measure,value
anna,2026-01,revenue,100.50
ben,2026-01,revenue,99.50
carl,2026-01,revenue,1.00
"""


@pytest.fixture
def params(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    for folder in ("notebooks", "params/toy", "data"):
        (root / folder).mkdir(parents=True)
    (root / "params/toy/company.yaml").write_text(COMPANY)
    (root / "params/toy/2026Q3.yaml").write_text(CYCLE)
    (root / "data/hierarchy.csv").write_text(HIERARCHY)
    (root / "data/actuals.csv").write_text(ACTUALS)
    _potential(tmp_path / "crm.sqlite", "500")
    monkeypatch.setenv("TOY_CRM", f"sqlite:///{tmp_path / 'crm.sqlite'}")
    return root / "params/toy/2026Q3.yaml"


def _potential(place: Path, value: str) -> None:
    place.unlink(missing_ok=True)
    with sqlite3.connect(place) as crm:
        crm.execute("create table drivers (node text, period text, driver text, value text)")
        crm.execute("insert into drivers values ('anna', '2026Q3', 'potential', ?)", (value,))
    crm.close()


def fingerprint(params: Path, data: str = "") -> dict[str, str]:
    return default_prepare(params, data, params.parents[2] / "outputs").fingerprint


def test_the_second_level_gives_the_regions_of_the_review(params: Path) -> None:
    prepared = default_prepare(params, "", params.parents[2] / "outputs")
    assert prepared.regions == [("north", "North & Co"), ("south", "South")]
    assert (prepared.company, prepared.cycle, prepared.title) == ("toy", "2026Q3", "Toy Company")
    assert prepared.overrides == {"goal_setting": {"growth_ratio": 0.08}}


def test_rows_in_are_rows_used_plus_rejected_for_every_table(params: Path) -> None:
    prepared = default_prepare(params, "", params.parents[2] / "outputs")
    tables = pd.DataFrame(prepared.tables).set_index("table")
    assert (tables["rows_in"] == tables["rows_used"] + tables["rows_rejected"]).all()
    assert tables.loc["actuals", "rows_rejected"] == 1  # carl is nobody's node
    assert prepared.findings["value"].tolist() == ["carl"]
    assert (tables["sha256"].str.len() == 64).all()


@pytest.mark.parametrize("file", ["data/actuals.csv", "params/toy/company.yaml", "params/toy/2026Q3.yaml"])
def test_a_changed_file_changes_the_fingerprint(params: Path, file: str) -> None:
    before = fingerprint(params)
    assert fingerprint(params) == before
    path = params.parents[2] / file
    path.write_text(
        path.read_text() + "\n# more\n" if file.endswith("yaml") else path.read_text().replace("99.5", "98.5")
    )
    assert fingerprint(params) != before


@pytest.mark.parametrize("change", ["another clause", "a new file", "a file gone"])
def test_a_changed_plan_in_any_file_of_the_plans_changes_the_fingerprint(params: Path, change: str) -> None:
    plans = params.parents[1] / "plans"
    plans.mkdir()
    (plans / "managers.yaml").write_text("plan: managers\n")
    before = fingerprint(params)
    if change == "another clause":
        (plans / "managers.yaml").write_text("plan: managers\ncurrency: EUR\n")
    elif change == "a new file":
        (plans / "proposed.yaml").write_text("plan: proposed\n")
    else:
        (plans / "managers.yaml").unlink()
    changed = fingerprint(params)
    assert {name for name in before if before[name] != changed[name]} == {"params plans"}


def test_a_table_of_a_database_has_a_fingerprint_of_its_rows(params: Path, tmp_path: Path) -> None:
    before = fingerprint(params)
    assert fingerprint(params)["drivers"] == before["drivers"]
    _potential(tmp_path / "crm.sqlite", "501")
    assert fingerprint(params)["drivers"] != before["drivers"]


def test_a_data_folder_given_for_the_run_comes_first(params: Path, tmp_path: Path) -> None:
    shutil.copytree(params.parents[2] / "data", tmp_path / "other")
    (tmp_path / "other/actuals.csv").write_text(ACTUALS.replace("99.50", "1"))
    assert fingerprint(params, str(tmp_path / "other"))["actuals"] != fingerprint(params)["actuals"]


def test_a_file_in_the_wrong_place_is_refused(params: Path) -> None:
    other = params.with_name("2026Q4.yaml")
    params.rename(other)
    with pytest.raises(ParamsError, match="says cycle: 2026Q3, but its place says '2026Q4'"):
        fingerprint(other)


def test_the_newest_commit_is_told_and_looking_makes_no_ledger(params: Path) -> None:
    outputs = params.parents[2] / "outputs"
    prepared = default_prepare(params, "", outputs)
    assert prepared.ledger_head() == ""
    assert not outputs.exists()
    (outputs / "toy").mkdir(parents=True)
    cells = pd.DataFrame({"node": ["anna"], "period": ["2026Q3"], "measure": ["revenue"], "value": [100]})
    with Ledger.open(outputs / "toy" / "ledger.sqlite") as ledger:
        ledger.commit("targets", cells, author="Ada", message="first")
        assert prepared.ledger_head() == ledger.head()
