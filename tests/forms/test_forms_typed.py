"""What was typed is read as files are: an amount, or a finding that says which cell and why; never a guess."""

import datetime as dt

import pandas as pd
import pytest

from spms_lib.collect.answers import NOTED_DOWN, SAID
from spms_lib.collect.form import ASKED, HISTORY, SELLER, SUBMISSION, TARGETS, Form
from spms_lib.forms.typed import typed_answer

AT = dt.datetime(2026, 7, 10, 9)
NO_NOTES = pd.DataFrame(columns=list(NOTED_DOWN))


@pytest.fixture(scope="module")
def form() -> Form:
    rows = [
        ["s1", "Seat 1", month, "commit", SUBMISSION, 100_00] for month in ("2026-07", "2026-08", "2026-09")
    ]
    return Form(
        company="toy",
        cycle="2026Q3",
        person="Anna",
        role=SELLER,
        issue=1,
        currency="EUR",
        due=AT.date(),
        cut_off=dt.date(2026, 7, 15),
        asked=pd.DataFrame(rows, columns=list(ASKED)).astype({"said": "Int64"}),
        history=pd.DataFrame(columns=list(HISTORY)),
        targets=pd.DataFrame(columns=list(TARGETS)),
    )


def typed(form: Form, values: list[str], **cells: list[str]) -> pd.DataFrame:
    rows = form.asked[["node", "period", "category", "kind"]].assign(value=values, **cells)
    return rows.reindex(columns=list(SAID), fill_value="").set_axis(pd.RangeIndex(1, len(rows) + 1))


def test_an_empty_cell_says_nothing_and_a_zero_is_a_word(form: Form) -> None:
    answer = typed_answer(
        form, typed(form, ["101.50", "", "0"]), NO_NOTES, origin="notebook", at=AT, route="notebook"
    )
    said = answer.submissions.set_index("period")["value"]
    assert said.to_dict() == {"2026-07": 101_50, "2026-09": 0}
    assert answer.submissions["route"].unique().tolist() == ["notebook"]
    assert answer.submissions["submitted_by"].unique().tolist() == ["Anna"]


def test_a_cell_that_is_no_amount_becomes_a_finding_and_its_neighbours_stay(form: Form) -> None:
    rows = typed(form, ["101", "a lot", "12 k"])
    answer = typed_answer(form, rows, NO_NOTES, origin="notebook", at=AT, route="notebook")
    assert answer.submissions["period"].tolist() == ["2026-07"]
    found = answer.findings[answer.findings["severity"] == "rejected"]
    assert found[["row", "column", "value"]].values.tolist() == [[2, "value", "a lot"], [3, "value", "12 k"]]
    assert (found["remedy"] != "").all()


def test_amounts_may_be_written_the_way_the_country_writes_them(form: Form) -> None:
    rows = typed(
        form,
        ["1.234,56", "", ""],
        low=["1.000,00", "", ""],
        high=["1.500", "", ""],
        confidence=["80 %", "", ""],
    )
    answer = typed_answer(form, rows, NO_NOTES, origin="page", at=AT, route="form", decimal=",")
    row = answer.submissions.iloc[0]
    assert row[["value", "low", "high", "confidence"]].tolist() == [1_234_56, 1_000_00, 1_500_00, 0.8]


def test_a_range_that_cannot_be_read_does_not_pass_for_none(form: Form) -> None:
    rows = typed(form, ["100", "", ""], low=["about 90", "", ""])
    answer = typed_answer(form, rows, NO_NOTES, origin="notebook", at=AT, route="notebook")
    assert ("low", "about 90") in answer.findings[["column", "value"]].itertuples(index=False, name=None)
