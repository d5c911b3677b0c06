"""What people write on their forms comes back to the cent, and every mishap is named by file, sheet and cell."""

import datetime as dt
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from forms.made_up import make_form
from forms.scribe import SLIPS, Filled, fill_in

from spms_lib.collect.form import Answer, Form
from spms_lib.forms.inbox import Inbox, read_inbox
from spms_lib.forms.workbook import write_workbook

AT = dt.datetime(2026, 7, 8, 9, 30)
FILES = 200 if "SPMS_SOAK" in os.environ else 48


def fill_inbox(folder: Path, numbers: range) -> dict[str, Filled]:
    """Write filled forms into a folder; each second one has a slip about the whole file, managers' too."""
    written = {}
    for number in numbers:
        slip = SLIPS[(number // 2) % len(SLIPS)] if number % 2 == 0 else ""
        company = "other" if slip == "foreign" else "toy"
        form = make_form(number, company=company, targets=number % 3 == 0)
        name = f"form {number:03}.xlsx"
        written[name] = fill_in(form, number, slip=slip)
        written[name].book.save(folder / name)
    return written


def read_back(folder: Path, written: dict[str, Filled]) -> Inbox:
    issued = {each.form.template: each.form for each in written.values() if each.form.company == "toy"}
    stale = {each.form.template for each in written.values() if "replaced" in each.refused}

    def newest(form: Form) -> int:
        return 2 if form.template in stale else 1

    return read_inbox(folder, form_of=issued.get, newest=newest, at=AT)


def heard(answer: Answer) -> dict[tuple[str, ...], tuple[object, ...]]:
    """What an answer says, in the scribe's terms."""
    place = ["node", "period", "category"]
    said = {
        ("submission", *row[place]): tuple(
            None if pd.isna(row[name]) else row[name]
            for name in ("value", "low", "high", "confidence", "comment")
        )
        for _, row in answer.submissions.iterrows()
    }
    changed = {
        ("override", *row[place]): (row["value"], None, None, None, row["reason"])
        for _, row in answer.overrides.iterrows()
    }
    return said | changed


def check(inbox: Inbox, written: dict[str, Filled]) -> None:
    answers = {answer.origin: answer for answer in inbox.answers}
    refused = inbox.findings.set_index("table")
    assert set(answers) | set(refused.index) == set(written)
    for name, filled in written.items():
        if filled.refused:
            assert name not in answers
            assert filled.refused in refused.loc[name, "value"]
            continue
        answer = answers[name]
        assert heard(answer) == filled.rows, name
        notes = answer.notes[["node", "topic", "text"]].itertuples(index=False, name=None)
        assert list(notes) == filled.notes, name
        found = answer.findings[["column", "rule", "severity"]].itertuples(index=False, name=None)
        assert sorted(found) == sorted(filled.faults), name
        assert set(answer.findings["table"]) <= {name}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Filled]]:
    folder = tmp_path_factory.mktemp("inbox")
    return folder, fill_inbox(folder, range(FILES))


def test_of_many_forms_nothing_is_lost_and_every_fault_is_named(many: tuple) -> None:
    folder, written = many
    check(read_back(folder, written), written)
    told = {rule for each in written.values() for _, rule, _ in each.faults}
    assert len(told) >= 15, "the scribe has become too careful"
    assert sum(bool(each.refused) for each in written.values()) >= FILES / 5


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed here")
def test_forms_saved_by_libreoffice_say_the_same(tmp_path: Path) -> None:
    typed, saved = tmp_path / "typed", tmp_path / "saved"
    typed.mkdir()
    written = fill_inbox(typed, range(9, 21))
    command = [
        "soffice",
        f"-env:UserInstallation=file://{tmp_path}/home",
        "--headless",
        "--convert-to",
        "xlsx",
    ]
    subprocess.run(
        [*command, "--outdir", saved, *sorted(typed.iterdir())], check=True, capture_output=True, timeout=120
    )
    check(read_back(saved, written), written)


def test_the_same_form_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        write_workbook(make_form(10, targets=True), tmp_path / name)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:  # no trace of the clock
        assert {part.date_time for part in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert set(re.findall(rb"\d{4}-\d\d-\d\dT[^<]*", archive.read("docProps/core.xml"))) == {
            b"2026-07-10T00:00:00Z"
        }
    write_workbook(make_form(10, targets=False), tmp_path / "b.xlsx")
    assert (tmp_path / "a.xlsx").read_bytes() != (tmp_path / "b.xlsx").read_bytes()


def test_an_untouched_form_says_nothing_and_has_nothing_wrong(tmp_path: Path) -> None:
    form = make_form(10, targets=True)
    write_workbook(form, tmp_path / "form.xlsx")
    inbox = read_inbox(tmp_path, form_of=lambda _: form, newest=lambda _: 1, at=AT)
    (answer,) = inbox.answers
    assert [len(each) for each in (answer.submissions, answer.overrides, answer.notes, answer.findings)] == [
        0
    ] * 4
    assert inbox.findings.empty
