"""The command line: what it says, what it refuses, and how it ends."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from spms_lib.cli import app
from spms_lib.cli.place import amount_of
from spms_lib.errors import MoneyError
from spms_lib.store.ledger import Ledger

COMPANY = """\
company: toy
title: Toy Company
currency: EUR
data: data
tables:
  hierarchy: {file: hierarchy.csv}
  actuals: {file: actuals.csv}
"""
CYCLE = """\
company: toy
cycle: 2026Q3
plan_as_of: 2026-06-30
collect_as_of: 2026-07-15
monitor_as_of: 2026-08-31
as_of: 2026-09-30
"""
HIERARCHY = "node,parent,level,name\nall,,company,Toy\nanna,all,seller,Anna\nben,all,seller,Ben\n"
ACTUALS = "node,period,measure,value\nanna,2026-01,revenue,100.50\nben,2026-01,revenue,n/a\n"

Spms = Callable[..., Result]


@pytest.fixture
def spms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spms:
    """The command, given in the folder of a small project."""
    for folder in ("notebooks", "params/toy", "data"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "params/toy/company.yaml").write_text(COMPANY)
    (tmp_path / "params/toy/2026Q3.yaml").write_text(CYCLE)
    (tmp_path / "data/hierarchy.csv").write_text(HIERARCHY)
    (tmp_path / "data/actuals.csv").write_text(ACTUALS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPMS_AUTHOR", "Ada")
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("SPMS_ROOT", "SPMS_OUT"):
        monkeypatch.delenv(name, raising=False)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


PARAMS = "params/toy/2026Q3.yaml"


# -- the whole -----------------------------------------------------------------------------------


def commands(group: Any, *above: str) -> list[tuple[str, ...]]:
    found = []
    for name, command in group.commands.items():
        path = (*above, name)
        found += commands(command, *path) if hasattr(command, "commands") else [path]
    return found


@pytest.mark.parametrize("path", commands(get_command(app)), ids=" ".join)
def test_every_command_and_every_option_says_what_it_is_for(spms: Spms, path: tuple[str, ...]) -> None:
    command = get_command(app)
    for name in path:
        command = command.commands[name]
    assert len(command.help or "") > 30
    assert [one.name for one in command.params if not getattr(one, "help", None)] == []
    shown = spms(*path, "--help")
    assert shown.exit_code == 0
    assert "//" not in shown.output  # a placeholder in angle brackets is lost in the help text


def test_a_refusal_is_one_block_that_says_what_where_and_what_to_do(spms: Spms) -> None:
    result = spms("run", "params/toy/2026Q9.yaml")
    assert result.exit_code == 2
    assert result.stderr.startswith(
        "error: There is no such params file.\nwhere: params/toy/2026Q9.yaml\ndo:"
    )
    assert "Traceback" not in result.output


def test_debug_shows_where_in_the_code_a_refusal_comes_from(spms: Spms) -> None:
    assert type(spms("--debug", "run", "nowhere.yaml").exception).__name__ == "ParamsError"


def test_only_the_command_does_without_the_grammar_library() -> None:
    """Building its parsers takes most of a second at every start, for a format no notebook has."""
    code = """
import sys
import spms_lib.cli
assert "rfc3987_syntax" not in sys.modules, "importing the library must not change other people's imports"
sys.argv = ["spms", "--help"]
try:
    spms_lib.cli.main()
except SystemExit as end:
    assert end.code == 0
import nbformat
assert "lark" not in sys.modules, "the grammar library was loaded"
nbformat.validate(nbformat.v4.new_notebook())
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_asking_for_help_loads_nothing_heavy() -> None:
    code = "import sys, spms_lib.cli; print(*sorted({'pandas', 'papermill', 'sqlalchemy', 'nbformat'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


def test_the_package_is_the_command_too() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "spms_lib", "--help"], capture_output=True, text=True, check=True
    )
    assert "ledger" in run.stdout


# -- run -----------------------------------------------------------------------------------------


def test_a_run_is_given_every_option_and_ends_with_its_exit_code(
    spms: Spms, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spms_lib.batch import run
    from spms_lib.batch.work import RunResult

    given: dict[str, Any] = {}

    def fake(params: Path, **options: Any) -> RunResult:
        given.update(options, params=str(params))
        return RunResult("check failed", 3, {}, Path())

    monkeypatch.setattr(run, "run_cycle", fake)
    words = [
        "--only",
        "review:dach",
        "--only",
        "approach",
        "--force",
        "--jobs",
        "3",
        "--timeout",
        "9",
        "--dry-run",
        "--data",
        "a",
        "--out",
        "b",
    ]
    assert spms("run", PARAMS, *words).exit_code == 3
    assert given == {
        "params": PARAMS,
        "only": ["review:dach", "approach"],
        "from_": None,
        "force": True,
        "jobs": 3,
        "timeout": 9,
        "dry_run": True,
        "data": "a",
        "out": "b",
    }


def test_an_interrupt_before_anything_started_ends_with_130(
    spms: Spms, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spms_lib.batch import run

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "run_cycle", interrupted)
    assert spms("run", PARAMS).exit_code == 130


# -- check ---------------------------------------------------------------------------------------


def test_rejected_rows_are_counted_shown_with_a_remedy_and_end_with_1(spms: Spms) -> None:
    result = spms("check", PARAMS)
    assert result.exit_code == 1
    assert re.search(r"actuals\s.*2\s.*1\s.*1", result.output)  # in, used, rejected
    assert re.search(r"1 rejected\s+actuals.value: .*'n/a'\n\s+\w+", result.output)


def test_clean_inputs_end_with_0(spms: Spms) -> None:
    Path("data/actuals.csv").write_text(ACTUALS.replace("n/a", "5"))
    result = spms("check", PARAMS)
    assert (result.exit_code, "No findings" in result.output) == (0, True)


def test_a_hierarchy_that_is_no_tree_is_found_with_the_rest(spms: Spms) -> None:
    Path("data/hierarchy.csv").write_text(HIERARCHY + "carl,noone,seller,Carl\n")
    result = spms("check", PARAMS)
    assert result.exit_code == 1
    assert "hierarchy.parent: parent is not a node, such as 'noone'" in result.output
    assert "actuals.value" in result.output


def test_findings_can_be_had_row_by_row(spms: Spms) -> None:
    lines = spms("check", PARAMS, "--csv").stdout.splitlines()
    assert lines[0].startswith("table,row,column,rule")
    assert lines[1].startswith("actuals,2,value,")


def test_inputs_that_are_not_there_end_with_2(spms: Spms) -> None:
    assert spms("check", PARAMS, "--data", "nowhere").exit_code == 2


# -- params --------------------------------------------------------------------------------------


def test_a_mistake_in_a_params_file_is_named_with_its_line(spms: Spms) -> None:
    assert spms("params", "check", PARAMS).exit_code == 0
    Path(PARAMS).write_text(CYCLE + "goal: []\n")
    result = spms("params", "check", PARAMS)
    assert result.exit_code == 2
    assert "line 7" in result.stderr
    assert "did you mean 'goals'" in result.stderr


def test_params_are_shown_with_their_meaning_and_compared(spms: Spms) -> None:
    assert "Day of the monitoring run" in spms("params", "show", PARAMS).output
    Path("params/toy/other.yaml").write_text(CYCLE.replace("2026-08-31", "2026-08-15"))
    lines = spms("params", "diff", PARAMS, "params/toy/other.yaml", "--csv").stdout.splitlines()
    assert lines == ["name,before,after", "monitor_as_of,2026-08-31,2026-08-15"]
    assert "EUR" in spms("params", "show", "params/toy/company.yaml").output


def test_a_new_company_is_started_by_name(spms: Spms) -> None:
    pytest.importorskip("spms_lib.params.scaffold")
    assert spms("init", "acme").exit_code == 0
    assert spms("params", "check", "params/acme/company.yaml").exit_code == 0


def test_the_sample_company_is_written_where_asked(spms: Spms) -> None:
    assert spms("sample", "build", "--folder", "here", "--seed", "3").exit_code == 0
    assert Path("here/transactions.csv").is_file()


# -- ledger and holds ----------------------------------------------------------------------------


def test_a_hold_is_set_listed_and_lifted(spms: Spms) -> None:
    held = spms(
        "hold",
        "set",
        PARAMS,
        "anna",
        "2026Q3",
        "125000.50",
        "-r",
        "signed contract",
        "--expires",
        "2026-09-30",
    )
    assert (held.exit_code, held.stdout) == (0, "held anna 2026Q3 revenue\n")

    row = pd.read_csv(_text(spms("hold", "list", PARAMS, "--on", "2026-09-30", "--csv"))).iloc[0]
    assert (row["value"], row["owner"], row["placed_by"], row["reason"]) == (
        12500050,
        "Ada",
        "Ada",
        "signed contract",
    )
    assert "€125,000.50" in spms("hold", "list", PARAMS, "--on", "2026-09-30").output
    assert "none" in spms("hold", "list", PARAMS, "--on", "2026-10-01").output

    assert spms("hold", "lift", PARAMS, "anna", "2026Q3", "-r", "cancelled").exit_code == 0
    assert "none" in spms("hold", "list", PARAMS, "--on", "2026-09-30").output
    assert spms("hold", "lift", PARAMS, "anna", "2026Q3", "-r", "again").exit_code == 2


def test_an_edit_is_shown_kept_listed_and_undone(spms: Spms) -> None:
    cells = [(node, month, "revenue", value) for node, value in (("all", 300), ("anna", 100), ("ben", 200))
             for month in ("2026-07", "2026-08", "2026-09")]  # fmt: skip
    spms("hold", "set", PARAMS, "anna", "2026Q2", "1", "-r", "makes the ledger")
    with Ledger.open(Path("outputs/toy/ledger.sqlite")) as ledger:
        table = pd.DataFrame(cells, columns=["node", "period", "measure", "value"])
        ledger.commit("targets", table.assign(unit="EUR"), author="Ada", message="targets")
    words = ("edit", "add", PARAMS, "anna", "2026-08", "proportional", "--amount", "1.50")

    shown = spms(*words, "--dry-run")
    assert (shown.exit_code, "€1.50" in shown.output, "€0.50" in shown.output) == (0, True, True)
    assert "every parent equals its children" in shown.output
    assert "none" in spms("edit", "list", PARAMS).output
    assert "has no reason" in spms(*words).stderr

    assert "the next run makes it" in spms(*words, "-r", "new account", "--owner", "Ben").output
    row = pd.read_csv(_text(spms("edit", "list", PARAMS, "--csv")), dtype=str).iloc[0]
    assert (row["number"], row["owner"], row["reason"]) == ("0001", "Ben", "new account")
    assert spms("edit", "undo", PARAMS, "1", "-r", "lost again").exit_code == 0
    assert "none" in spms("edit", "list", PARAMS).output
    assert spms("edit", "add", PARAMS, "ana", "2026-08", "equal", "--amount", "1", "--dry-run").exit_code == 2


def _text(result: Result) -> Any:
    import io

    assert result.exit_code == 0, result.output
    return io.StringIO(result.stdout)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("ana", "2026Q3", "5"), "Did you mean 'anna'"),
        (("anna", "2026Q7", "5"), "2026Q7"),
        (("anna", "2026Q3", "5.005"), "smallest unit of EUR"),
        (("anna", "2026Q3", "5,00"), "not an amount"),
        (("anna", "2026Q3", "5", "--expires", "30.9.2026"), "not a day"),
    ],
)
def test_a_hold_on_nothing_or_of_nothing_is_refused_and_no_ledger_made(
    spms: Spms, words: tuple[str, ...], message: str
) -> None:
    result = spms("hold", "set", PARAMS, *words, "-r", "x")
    assert result.exit_code == 2
    assert message in result.stderr
    assert not Path("outputs").exists()


def test_amounts_are_exact_in_the_smallest_unit_of_the_currency() -> None:
    assert (amount_of("0.29", "EUR"), amount_of("-3", "JPY"), amount_of("1e6", "EUR")) == (29, -3, 100000000)
    for bad in ("0.005", "nan", "inf", "", "€5"):
        with pytest.raises(MoneyError):
            amount_of(bad, "EUR")


def test_the_ledger_is_read_undone_signed_and_verified_by_params_or_by_file(spms: Spms) -> None:
    assert "no ledger yet" in spms("ledger", "log", PARAMS).stderr
    spms("hold", "set", PARAMS, "anna", "2026Q3", "100", "-r", "first", "--author", "Ben")
    spms("hold", "set", PARAMS, "anna", "2026Q3", "150", "-r", "second")
    file = "outputs/toy/ledger.sqlite"

    log = pd.read_csv(_text(spms("ledger", "log", file, "--csv")))
    assert log[["author", "message"]].to_numpy().tolist() == [["Ada", "second"], ["Ben", "first"]]

    assert "€150.00" in spms("ledger", "state", PARAMS, "hold").output
    assert "15000" in spms("ledger", "state", file, "hold").output  # a file alone does not know the currency
    change = pd.read_csv(_text(spms("ledger", "diff", PARAMS, log["id"][1], "--csv"))).iloc[0]
    assert (change["before"], change["after"]) == (10000, 15000)

    assert spms("ledger", "sign", PARAMS, "holds-1", "hold", "--note", "agreed").exit_code == 0
    assert spms("ledger", "revert", PARAMS, log["id"][0], "-m", "too high").exit_code == 0
    assert "€100.00" in spms("ledger", "state", PARAMS, "hold").output
    assert "€150.00" in spms("ledger", "state", PARAMS, "hold", "--as-of", "holds-1").output

    assert spms("ledger", "verify", PARAMS).stdout == "intact: 3 commits\n"
    assert spms("ledger", "verify", PARAMS, "--known", "0" * 64).exit_code == 1
    assert spms("ledger", "verify", "nowhere.sqlite").exit_code == 2
    assert not Path("nowhere.sqlite").exists()
