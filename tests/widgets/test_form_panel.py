"""The grid in the notebook: it keeps what was typed, shows what is wrong with it at once, and records nothing."""

import dataclasses
import datetime as dt

import ipywidgets as ui
import pandas as pd
import pytest

from spms_lib.collect.form import ASKED, HISTORY, MANAGER, OVERRIDE, SELLER, SUBMISSION, TARGETS, Form
from spms_lib.widgets.form_panel import FormPanel

AT = dt.datetime(2026, 7, 10, 9)


def form(role: str = SELLER, kind: str = SUBMISSION) -> Form:
    rows = [
        ["s1", "Seat <b>1", "2026-07", name, kind, said]
        for name, said in (("closed", None), ("commit", 100_00))
    ]
    return Form(
        company="toy",
        cycle="2026Q3",
        person="Anna",
        role=role,
        issue=1,
        currency="EUR",
        due=AT.date(),
        cut_off=dt.date(2026, 7, 15),
        asked=pd.DataFrame(rows, columns=list(ASKED)).astype({"said": "Int64"}),
        history=pd.DataFrame(columns=list(HISTORY)),
        targets=pd.DataFrame(columns=list(TARGETS)),
    )


def cells(panel: FormPanel) -> dict[str, ui.Text]:
    found: dict[str, ui.Text] = {}
    for child in panel.widget.children[0].children:
        if isinstance(child, ui.Text):
            found[child.tooltip.partition(",")[0]] = child
    return found


def test_nothing_typed_is_nothing_said() -> None:
    answer = FormPanel(form()).answer(at=AT)
    assert answer.submissions.empty
    assert answer.overrides.empty
    assert answer.notes.empty
    assert answer.findings.empty


def test_what_is_typed_comes_back_as_an_answer_of_the_notebook() -> None:
    panel = FormPanel(form())
    typed = cells(panel)
    typed["value of commit"].value, typed["low of commit"].value, typed["high of commit"].value = (
        "104",
        "90",
        "120",
    )
    typed["value of closed"].value = "0"
    answer = panel.answer(at=AT)
    assert answer.submissions.set_index("category")["value"].to_dict() == {"closed": 0, "commit": 104_00}
    assert answer.submissions.set_index("category").loc["commit", ["low", "high"]].tolist() == [90_00, 120_00]
    assert "2 of 2 cells filled; submissions add up to €104.00" in panel.widget.children[-1].value


def test_only_the_commit_has_a_range_and_none_where_it_is_not_asked_for() -> None:
    assert "low of closed" not in cells(FormPanel(form()))
    assert "low of commit" not in cells(FormPanel(dataclasses.replace(form(), ask_range=False)))


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "=1+1"])
def test_a_cell_that_cannot_be_read_is_shown_as_text_and_never_run(text: str) -> None:
    panel = FormPanel(form())
    cells(panel)["value of commit"].value = text
    shown = panel.widget.children[-1].value
    assert 'role="alert"' in shown
    assert "<script" not in shown
    assert panel.answer(at=AT).submissions.empty
    labels = [child.value for child in panel.widget.children[0].children if isinstance(child, ui.HTML)]
    assert "Seat &lt;b&gt;1" in labels


def test_a_manager_gives_a_reason_beside_an_override() -> None:
    panel = FormPanel(form(MANAGER, OVERRIDE))
    cells(panel)["value of commit"].value = "80"
    assert panel.answer(at=AT).overrides.empty  # no reason
    cells(panel)["reason of commit"].value = "Customer called"
    assert panel.answer(at=AT).overrides[["value", "reason"]].values.tolist() == [[80_00, "Customer called"]]


def test_a_note_goes_with_its_node_and_topic() -> None:
    panel = FormPanel(form())
    panel.widget.children[1].children[-1].value = "Supply is short"
    assert panel.answer(at=AT).notes[["node", "topic", "text"]].values.tolist() == [
        ["s1", "market", "Supply is short"]
    ]
