"""What is said on a form is judged by the same rules whatever it came by."""

import datetime as dt
from decimal import Decimal

import pandas as pd
import pytest
from forms.made_up import frame

from spms_lib.collect.answers import LARGEST, NOTED_DOWN, SAID, answer_of, to_amount
from spms_lib.collect.form import ASKED, HISTORY, TARGETS, Answer, Form
from spms_lib.tables import schema

AT = dt.datetime(2026, 7, 8, 9, 30)


def form(**changes: object) -> Form:
    asked = [
        ("north", "North", "2026-07", "closed", "submission", 100_00),
        ("north", "North", "2026-07", "commit", "submission", 200_00),
        ("south", "South", "2026-07", "commit", "submission", None),
        ("south", "South", "2026-07", "best_case", "override", 0),
    ]
    return Form(
        "toy", "2026Q3", "Anna Berg", "manager", 1, "EUR", dt.date(2026, 7, 10), dt.date(2026, 7, 14),
        frame(asked, ASKED), frame([], HISTORY), frame([], TARGETS), **changes,
    )  # fmt: skip


def say(*rows: dict, notes: tuple = (), of: Form | None = None) -> Answer:
    """Rows default to the commit of north."""
    usual = {"node": "north", "period": "2026-07", "category": "commit", "kind": "submission"}
    said = pd.DataFrame([{**usual, **row} for row in rows], columns=list(SAID), index=range(1, len(rows) + 1))
    types = {"value": "Int64", "low": "Int64", "high": "Int64", "confidence": "float64"}
    said = said.astype({name: types.get(name, "str") for name in SAID})
    noted = pd.DataFrame(list(notes), columns=list(NOTED_DOWN), dtype="str")
    noted.index = range(len(rows) + 1, len(rows) + 1 + len(noted))
    return answer_of(of or form(), said, noted, origin="grid", at=AT, route="notebook")


def rules(answer: Answer) -> list[tuple]:
    return list(answer.findings[["row", "column", "rule", "severity"]].itertuples(index=False, name=None))


def test_empty_is_no_row_and_zero_is_a_word() -> None:
    answer = say({"value": None}, {"category": "closed", "value": 0, "reason": "lost"})
    assert answer.submissions[["category", "value"]].to_numpy().tolist() == [["closed", 0]]
    assert rules(answer) == []


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"node": "west", "value": 1}, [(1, "value", "not asked for on this form", "rejected")]),
        ({"category": "pipeline", "value": 1}, [(1, "value", "not asked for on this form", "rejected")]),
        ({"kind": "override", "value": 1, "reason": "x"}, [(1, "value", "not asked for on this form", "rejected")]),
        ({"comment": "later"}, [(1, "comment", "filled in beside an empty amount", "rejected")]),
        ({"value": -1, "reason": "x"}, [(1, "value", "negative amount", "rejected")]),
        ({"category": "closed", "value": -1, "reason": "x"}, [(1, "value", "closed is negative", "noted")]),
        ({"value": 210_00}, []),  # exactly 5 % more
        ({"value": 210_01}, [(1, "reason", "large change without a reason", "noted")]),
        ({"value": 189_99}, [(1, "reason", "large change without a reason", "noted")]),
        ({"value": 300_00, "reason": "won a tender"}, []),
        ({"node": "south", "value": 300_00}, []),  # nobody has spoken before
        ({"value": 200_00, "low": 200_00, "high": 200_00}, []),
        ({"value": 200_00, "low": 200_01}, [(1, "low", "range does not hold the forecast; range left out", "noted")]),
        ({"value": 200_00, "high": 199_99}, [(1, "high", "range does not hold the forecast; range left out", "noted")]),
        ({"category": "closed", "value": 100_00, "low": 1}, [(1, "low", "range beside another category than commit; left out", "noted")]),
        ({"category": "closed", "value": 100_00, "high": 200_00}, [(1, "low", "range beside another category than commit; left out", "noted")]),
        ({"value": 200_00, "confidence": 1.01}, [(1, "confidence", "confidence is not between 0 and 100 %; left empty", "noted")]),
        ({"node": "south", "category": "best_case", "kind": "override", "value": 5}, [(1, "reason", "override without a reason", "rejected")]),
    ],
)  # fmt: skip
def test_each_rule_speaks_where_it_should_and_only_there(row: dict, expected: list) -> None:
    answer = say(row)
    assert rules(answer) == expected
    rejected = any(severity == "rejected" for *_, severity in expected)
    assert len(answer.submissions) + len(answer.overrides) == int(not rejected)
    if "left out" in str(expected):
        assert answer.submissions[["low", "high"]].isna().all(axis=None)
    if "left empty" in str(expected):
        assert answer.submissions["confidence"].isna().all()


def test_what_is_said_twice_is_not_used_either_way() -> None:
    answer = say({"value": 200_00}, {"value": 200_00})
    assert answer.submissions.empty
    assert [row for row, *_ in rules(answer)] == [1, 2]


def test_rows_have_the_columns_and_types_of_the_data_dictionary() -> None:
    answer = say(
        {"value": 200_00, "low": 1, "confidence": 0.8, "comment": "so", "reason": "because"},
        {"node": "south", "category": "best_case", "kind": "override", "value": 5, "reason": "why"},
        notes=[("north", "market", "Prices fall")],
    )
    for table in ("submissions", "overrides", "notes"):
        assert getattr(answer, table).columns.tolist() == schema(table).names
        empty = getattr(say(), table)
        assert empty.dtypes.to_dict() == getattr(answer, table).dtypes.to_dict()
    sent = answer.submissions.iloc[0]
    assert (sent["comment"], sent["submitted_by"], sent["submitted_at"]) == (
        "so / Reason: because",
        "Anna Berg",
        AT,
    )
    assert answer.overrides[["value", "overridden_by", "reason"]].to_numpy().tolist() == [
        [5, "Anna Berg", "why"]
    ]


def test_a_note_needs_text_and_a_node_of_the_form_and_keeps_its_name_when_sent_again() -> None:
    notes = [
        ("north", "market", "Prices fall"),
        ("west", "market", "x"),
        ("north", "market", None),
        ("south", "gossip", "y"),
    ]
    answer = say(notes=[*notes, notes[0]])
    assert answer.notes[["node", "topic", "text"]].to_numpy().tolist() == [
        ["north", "market", "Prices fall"],
        ["south", "other", "y"],
    ]
    assert [(row, severity) for row, _, _, severity in rules(answer)] == [
        (3, "rejected"),
        (2, "rejected"),
        (4, "noted"),
        (5, "noted"),
    ]
    again = say({"value": 200_00}, notes=notes[:1])
    assert again.notes["note"].item() == answer.notes["note"].iloc[0]


@pytest.mark.parametrize(
    ("number", "per_unit", "minor"),
    [(12.34, 100, 1234), (-0.05, 100, -5), (1e13, 100, LARGEST), (Decimal("1.5"), 1000, 1500), (7, 1, 7)],
)
def test_amounts_are_read_to_the_smallest_unit(number: object, per_unit: int, minor: int) -> None:
    assert to_amount(number, per_unit) == (minor, "")


@pytest.mark.parametrize(
    ("number", "rule"),
    [(float("nan"), "not a number"), (float("inf"), "not a number"), ("12", "not a number"), (1.1e13, "number is too large"), (10**400, "number is too large")],
)  # fmt: skip
def test_what_is_no_amount_is_said_to_be_none(number: object, rule: str) -> None:
    assert to_amount(number, 100) == (None, rule)
