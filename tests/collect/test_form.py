"""A form is the same wherever it is shown, and another one as soon as anything in it differs."""

import dataclasses
import datetime as dt
import json

import pandas as pd

from spms_lib.collect.form import ASKED, HISTORY, SELLER, SUBMISSION, TARGETS, Form


def form(**changed: object) -> Form:
    asked = pd.DataFrame(
        [["s1", "Seat 1", "2026-07", "commit", SUBMISSION, 100_00], ["s1", "Seat 1", "2026-08", "commit", SUBMISSION, None]],
        columns=list(ASKED),
    ).astype({"said": "Int64"})  # fmt: skip
    history = pd.DataFrame([["s1", "2026-06", 90_00, None]], columns=list(HISTORY)).astype(
        {"actual": "Int64", "forecast": "Int64"}
    )
    plain: dict[str, object] = {
        "company": "toy", "cycle": "2026Q3", "person": "Åsa Öberg", "role": SELLER, "issue": 1, "currency": "EUR",
        "due": dt.date(2026, 7, 10), "cut_off": dt.date(2026, 7, 15), "asked": asked, "history": history,
        "targets": pd.DataFrame(columns=list(TARGETS)),
    }  # fmt: skip
    return Form(**{**plain, **changed})  # type: ignore[arg-type]


def test_a_form_survives_the_way_through_json() -> None:
    first = form()
    again = Form.read(json.loads(json.dumps(first.said())))
    assert again.said() == first.said()
    assert again.template == first.template
    assert again.asked["said"].tolist() == [100_00, pd.NA]


def test_a_form_with_other_content_has_another_name() -> None:
    first = form()
    other = first.asked.assign(said=pd.array([100_01, None], dtype="Int64"))
    changed = [
        dataclasses.replace(first, **change) for change in ({"asked": other}, {"issue": 2}, {"person": "Ole"})
    ]
    assert len({first.template, *(one.template for one in changed)}) == 4


def test_the_name_of_a_form_is_safe_in_a_file_name() -> None:
    assert form(person="../../etc/passwd").template.startswith("toy-2026Q3-etc-passwd-1-")
