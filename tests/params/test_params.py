"""Parameter files: every mistake is refused by name, with its line and what to do."""

import re
from pathlib import Path

import pytest

from spms_lib.errors import ParamsError
from spms_lib.params import Company, Cycle, compare, describe, load_company, load_cycle
from spms_lib.params.plans import load_plans
from spms_lib.params.scaffold import scaffold_company

from toys import ROOT  # isort: skip

COMPANY = """\
company: acme
title: Acme
currency: EUR
data: data
tables:
  hierarchy: {file: hierarchy.csv}
  transactions: {file: sales.csv}
"""
CYCLE = """\
company: acme
cycle: 2026Q3
plan_as_of: 2026-06-30
collect_as_of: 2026-07-15
monitor_as_of: 2026-08-31
as_of: 2026-09-30
goals:
  - {goal: grow, statement: Grow, weight: 1.0}
objectives:
  - {objective: one, statement: Sell more of it, serves: {grow: 1.0}}
"""


def write(folder: Path, text: str, name: str = "file.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_file_is_read(tmp_path: Path) -> None:
    assert load_company(write(tmp_path, COMPANY)).tables["hierarchy"].file == "hierarchy.csv"
    assert load_cycle(write(tmp_path, CYCLE)).cycle == "2026Q3"


@pytest.mark.parametrize(
    "path",
    sorted(path for path in (ROOT / "params").glob("*/*.yaml") if path.parent.name != "plans"),
    ids=lambda path: f"{path.parent.name}-{path.stem}",
)
def test_every_file_we_ship_is_good(path: Path) -> None:
    loaded = load_company(path) if path.stem == "company" else load_cycle(path)
    assert loaded.company == path.parent.name


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("currency:", "currncy:", r"line 3: unknown parameter 'currncy', did you mean 'currency'\?"),
        ("currency: EUR", "currency: EURO", "line 3: 'currency': 'EURO' is not a currency"),
        (
            "{file: sales.csv}",
            "{fil: sales.csv}",
            r"line 7: unknown parameter 'tables.transactions.fil', did you mean 'file'\?",
        ),
        (
            "  transactions",
            "  transaktions",
            "line 5: 'tables': unknown table 'transaktions'; known: hierarchy",
        ),
        (
            "{file: sales.csv}",
            "{file: a.csv, sql: select 1}",
            "line 7: 'tables.transactions': give either 'file' or 'sql'",
        ),
        ("company: acme", "company: Acme Inc", "line 1: 'company'"),
        ("data: data\n", "", "'data' is missing"),
        ("data: data", "data: data\ndata: other", "line 5: 'data' stands twice.*line 4"),
        ("  hierarchy", "\thierarchy", "line 6: A tab stands in the indentation.*Replace it with spaces"),
        ("title: Acme", "title: [Acme", "This is not valid YAML"),
    ],
)
def test_a_mistake_in_a_company_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in COMPANY
    with pytest.raises(ParamsError, match=message):
        load_company(write(tmp_path, COMPANY.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2026Q3", "2026-07", "line 2: 'cycle': '2026-07' is not a quarter"),
        ("2026-07-15", "2026-05-15", "dates must run plan_as_of <= collect_as_of <= as_of"),
        ("weight: 1.0", "weight: 0.9", "the weights of the goals sum to 0.9, not to 1"),
        ("{grow: 1.0}", "{growth: 1.0}", "objective 'one' serves the unknown goal 'growth'"),
        ("weight: 1.0", "weight: 1.4", "line 8: 'goals.0.weight': input should be less than or equal to 1"),
        ("serves:", "servs:", r"line 10: unknown parameter 'objectives.0.servs', did you mean 'serves'\?"),
    ],
)
def test_a_mistake_in_a_cycle_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in CYCLE
    with pytest.raises(ParamsError, match=message):
        load_cycle(write(tmp_path, CYCLE.replace(old, new)))


def test_all_mistakes_of_a_file_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"titel.*curency"):
        load_company(write(tmp_path, COMPANY.replace("title", "titel").replace("currency", "curency")))


def test_a_missing_file_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    write(tmp_path, CYCLE, "2026Q3.yaml")
    with pytest.raises(ParamsError, match=r"no such file. Did you mean 2026Q3.yaml\?"):
        load_cycle(tmp_path / "2026q3.yaml")


def test_every_parameter_says_what_it_means(tmp_path: Path) -> None:
    for model, text in ((load_company, COMPANY), (load_cycle, CYCLE)):
        table = describe(model(write(tmp_path, text)))
        assert (table["help"].str.len() > 10).all(), table[table["help"].str.len() <= 10]
    assert set(describe(load_cycle(write(tmp_path, CYCLE)))["name"]) == set(Cycle.model_fields)
    assert "data" in Company.model_fields


def test_who_is_paid_by_which_plan_is_shown_with_its_meaning(tmp_path: Path) -> None:
    pay = "manager_plans: {team: {plan: leads, target_incentive: 20000}}\nproposed_plan: bolder\n"
    table = describe(load_cycle(write(tmp_path, CYCLE + pay))).set_index("name")
    assert "leads" in table.loc["manager_plans", "value"]
    assert table.loc["manager_plans", "help"].startswith("Level: the plan that pays the owners")
    assert table.loc[["compensation_plan", "proposed_plan"], "value"].tolist() == ["", "bolder"]
    with pytest.raises(ParamsError, match=r"manager_plans\.team\.target_incentive"):
        load_cycle(write(tmp_path, CYCLE + pay.replace("20000", "0")))


def test_two_files_are_compared_by_parameter(tmp_path: Path) -> None:
    one = load_cycle(write(tmp_path, CYCLE, "one.yaml"))
    two = load_cycle(
        write(
            tmp_path,
            CYCLE.replace("weight: 1.0", "weight: 1").replace("2026-08-31", "2026-08-15"),
            "two.yaml",
        )
    )
    assert compare(one, two).to_numpy().tolist() == [["monitor_as_of", "2026-08-31", "2026-08-15"]]
    assert compare(one, one).empty


def test_a_new_company_starts_with_files_that_can_be_read(tmp_path: Path) -> None:
    company, cycle = scaffold_company("acme_emea", tmp_path)
    assert load_company(company).company == load_cycle(cycle).company == "acme_emea"
    with pytest.raises(ParamsError, match="is there already"):
        scaffold_company("acme_emea", tmp_path)
    with pytest.raises(ParamsError, match="cannot name a company"):
        scaffold_company("../evil", tmp_path)


def test_what_the_new_files_only_suggest_can_be_switched_on(tmp_path: Path) -> None:
    _, cycle = scaffold_company("acme_emea", tmp_path)
    text = cycle.read_text(encoding="utf-8")
    on = re.sub(r"(?m)^(    )?# (confidence|direction|weight|layers|duties|  )", r"\1\2", text)
    on = re.sub(r"(?m)^# (limits|compensation_plan|manager_plans|proposed_plan)", r"\1", on)
    cycle.write_text(on, encoding="utf-8")
    params = load_cycle(cycle)
    assert list(params.layers) == ["board", "plan"]
    assert [duty.fulfilled_by for duty in params.duties] == ["layers", "targets", "approval"]
    assert params.objectives[0].direction == "down"
    assert params.limits[0].nodes == ("north",)
    assert params.manager_plans["team"].target_incentive == 24000
    names = {params.compensation_plan, params.manager_plans["team"].plan, params.proposed_plan}
    assert names <= {plan.name for plan in load_plans(ROOT / "params/plans")}  # what is suggested exists
