"""`spms collect`: each verb does what the library does, refuses by name, and leaves a trail in the log."""

import re
import sys
from types import ModuleType
from typing import NamedTuple

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from spms_lib.cli import app
from spms_lib.collect.form import Answer
from spms_lib.findings import findings, no_findings
from spms_lib.tables import LoadedTable

from firms import Firm, everything  # isort: skip

PARAMS = "params/acme/2026Q2.yaml"


@pytest.fixture
def spms(tmp_path, monkeypatch):
    firm = Firm(tmp_path).write(everything())
    monkeypatch.chdir(firm.root)
    monkeypatch.setenv("SPMS_AUTHOR", "Ops")
    monkeypatch.setenv("COLUMNS", "240")
    for name in ("SPMS_ROOT", "SPMS_OUT"):
        monkeypatch.delenv(name, raising=False)

    def run(verb: str, *words: str) -> Result:
        return CliRunner().invoke(app, ["collect", verb, PARAMS, *words])

    return run


def lines(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return result.output.strip().splitlines()


def test_freeze_override_freeze_again_revert_and_the_log_tells_it(spms) -> None:
    assert "18 submissions (submissions.csv, word 1" in lines(spms("read"))[0]
    assert lines(spms("freeze")) == ["2026Q2 submissions 2026-04-10 v1"]
    over = ("north", "2026-04", "commit", "999.99", "--by", "Nina", "--said", "2026-04-09T12:00")
    made = lines(spms("override", *over, "--reason", "tender won"))[0]
    assert lines(spms("freeze")) == ["2026Q2 submissions 2026-04-10 v2"]
    assert "tender won" in spms("changes").output
    assert "Reverts" in lines(spms("revert", made[:8], "--reason", "meant for the south"))[0]
    assert lines(spms("freeze")) == ["2026Q2 submissions 2026-04-10 v3"]
    log = pd.read_csv(pd.io.common.StringIO(spms("log", "--csv").output))
    told = [re.sub(r"[0-9a-f]{8}:", "#:", text) for text in log["message"]]
    assert told == [
        "2026Q2: 18 submissions (submissions.csv, word 1, sent 2026-04-08 to 2026-04-08)",
        "2026Q2: 18 submissions counted by 2026-04-10",
        "2026Q2: 1 override (Nina, command line)",
        "2026Q2: 1 override counted by 2026-04-10",
        "Reverts #: meant for the south",
        "2026Q2: 0 overrides counted by 2026-04-10",
    ]
    assert log["signed"].dropna().tolist()[-1] == "2026Q2 submissions 2026-04-10 v3"


def test_status_counts_everybody_and_prints_texts_to_send(spms) -> None:
    assert "3 submitted, 1 vacant" in spms("status").output
    assert lines(spms("status", "--reminders"))[0].startswith("Sven: we do not have your forecast for dora")


def test_one_amount_is_submitted_in_somebodys_name_and_by_nobody_else(spms) -> None:
    words = ("anna", "2026-04", "commit", "250.50", "--said", "2026-04-09T08:00")
    assert "1 submission (Anna, command line)" in lines(spms("submit", *words, "--by", "Anna"))[0]
    assert lines(spms("submit", *words, "--by", "Anna")) == ["nothing new"]
    refused = spms("submit", *words)
    assert refused.exit_code == 2
    assert "may not speak for this node" in refused.stderr
    assert spms("submit", "ana", *words[1:]).exit_code == 2
    assert "is not a time" in spms("submit", *words[:-1], "yesterday").stderr


def test_a_word_after_the_cut_off_is_kept_and_said_to_be_late(spms) -> None:
    late = spms("submit", "anna", "2026-04", "commit", "1", "--by", "Anna", "--said", "2026-04-11T00:00")
    assert late.exit_code == 0
    assert "sent after the cut-off" in late.stderr


def test_calls_without_a_weekday_freeze_nothing(spms) -> None:
    assert lines(spms("freeze", "--calls")) == ["nobody has said anything yet"]


class Inbox(NamedTuple):
    answers: list[Answer]
    loaded: list[LoadedTable]
    findings: pd.DataFrame


@pytest.fixture
def workbooks(monkeypatch) -> list:
    """Stand-ins for the room that writes and reads workbooks: what is asked of it, and an answer from Anna."""
    written: list = []

    def read_inbox(folder, *, form_of, newest, read_table) -> Inbox:
        form = form_of(next(one.template for one, _ in written if one.person == "Anna"))
        row = form.asked[["node", "period", "category"]].iloc[[1]].assign(value=4_200)
        told = row.assign(submitted_by="Anna", submitted_at=pd.Timestamp("2026-04-09"), route="workbook")
        nothing = pd.DataFrame()
        answer = Answer(form.template, "Anna", "anna.xlsx", told, nothing, nothing, no_findings())
        assert newest(form) == 1
        loaded = [read_table(path.name) for path in folder.glob("*.csv")]
        return Inbox([answer], loaded, findings("x.xlsx", [1], "", "is no form", [""], "Send the form."))

    for name, function in (
        ("workbook", lambda form, path: written.append((form, path))),
        ("inbox", read_inbox),
    ):
        module = ModuleType(f"spms_lib.forms.{name}")
        setattr(module, {"workbook": "write_workbook", "inbox": "read_inbox"}[name], function)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(sys.modules, "spms_lib.forms", ModuleType("spms_lib.forms"))
    return written


def test_forms_are_issued_written_read_back_and_their_findings_kept(spms, workbooks, tmp_path) -> None:
    assert "6 forms in" in lines(spms("prepare", "--to", "out"))[-1]
    assert [path.stem for _, path in workbooks] == [form.template for form, _ in workbooks]
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox/overrides_north.csv").write_text(
        "node,period,category,value,overridden_by,overridden_at,reason\n"
        "north,2026-05,commit,500,Nina,2026-04-09 10:00,tender won\n"
    )
    output = spms("read", "inbox").output
    assert "1 override (overrides_north.csv, word 1" in output
    assert "1 submission (Anna, anna.xlsx)" in output
    assert "is no form" in output
    kept = pd.read_csv(tmp_path / "outputs/acme/2026Q2/tables/collect/findings.csv")
    assert kept["rule"].tolist() == ["is no form"]
    assert "nothing new" in spms("read", "inbox").output
    assert "Nobody asks Zoe" in spms("prepare", "--person", "Zoe").stderr
