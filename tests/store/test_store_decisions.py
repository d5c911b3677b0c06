"""Decisions keep their words, their owner and their effects."""

import datetime as dt

import pandas as pd
import pytest

from spms_lib.errors import LedgerError
from spms_lib.store.decisions import decisions, record_decisions
from spms_lib.tables import schema


@pytest.fixture
def two():
    return pd.DataFrame(
        {
            "decision": ["D-2", "D-1"],
            "cycle": "2026Q2",
            "node": ["south", "north"],
            "type": ["pricing", "hire"],
            "text": ["Raise the list price", "Hire “two” sellers"],
            "owner": ["Ben", "Ada"],
            "due": pd.to_datetime(["2026-06-30", "2026-05-31"]),
            "expected_effect": pd.array([None, 120_000], dtype="Int64"),
            "status": ["done", None],
            "actual_effect": pd.array([0, None], dtype="Int64"),
        }
    )


def test_decisions_come_back_word_for_word(ledger, two):
    record_decisions(ledger, two, author="Ada")
    expected = two.sort_values("decision", ignore_index=True).fillna({"status": "open"})
    got = decisions(ledger)
    assert got.columns.tolist() == schema("decisions").names
    pd.testing.assert_frame_equal(got, expected, check_dtype=False)
    assert got.dtypes[["due", "expected_effect", "actual_effect"]].astype(str).tolist() == [
        "datetime64[us]",
        "Int64",
        "Int64",
    ]
    assert ledger.verify().empty


def test_an_empty_list_of_decisions_has_the_types_of_a_full_one(ledger, two):
    empty = decisions(ledger).dtypes
    record_decisions(ledger, two, author="Ada")
    pd.testing.assert_series_equal(empty, decisions(ledger).dtypes)


def test_recording_again_says_nothing_new(ledger, two):
    record_decisions(ledger, two, author="Ada")
    assert record_decisions(ledger, two, author="Ada") is None
    assert record_decisions(ledger, decisions(ledger), author="Ada") is None


def test_one_decision_is_updated_and_the_others_stay(ledger, two):
    record_decisions(ledger, two, author="Ada", at=dt.date(2026, 4, 1))
    done = two[two["decision"] == "D-1"].assign(status="done", actual_effect=90_000)
    assert record_decisions(ledger, done, author="Ben", at=dt.date(2026, 7, 1)).cells == 1
    assert decisions(ledger)["status"].tolist() == ["done", "done"]
    assert decisions(ledger, as_of="2026-04-01")["status"].tolist() == ["open", "done"]


def test_a_decision_that_moves_to_another_node_is_still_one_decision(ledger, two):
    record_decisions(ledger, two, author="Ada")
    record_decisions(ledger, two.assign(node="west", cycle="2026Q3"), author="Ada")
    got = decisions(ledger)
    assert got[["decision", "cycle", "node"]].values.tolist() == [
        ["D-1", "2026Q3", "west"],
        ["D-2", "2026Q3", "west"],
    ]


def test_optional_columns_may_be_left_out(ledger, two):
    record_decisions(ledger, two.drop(columns=["expected_effect", "status", "actual_effect"]), author="Ada")
    got = decisions(ledger)
    assert got["status"].tolist() == ["open", "open"]
    assert got[["expected_effect", "actual_effect"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"owner": ["Ben", None]}, r"Decisions have no owner in 1 of 2 rows\. Fill decision, cycle, "),
        ({"text": ["", "x"]}, "no text in 1 of 2 rows"),
        ({"decision": "D-1"}, "'D-1' is given more than once"),
        ({"priority": 1}, r"unknown columns priority\. Keep only decision, "),
        ({"actual_effect": [0.5, 1.0]}, "effect of 0.5 is not a whole number"),
        ({"expected_effect": [0.5, 1.0]}, "value holds 0.5, which is not a whole number"),
    ],
)
def test_decisions_that_cannot_be_right_are_refused(ledger, two, change, message):
    with pytest.raises(LedgerError, match=message):
        record_decisions(ledger, two.assign(**change), author="Ada")
    with pytest.raises(LedgerError, match="no due in 2 of 2 rows"):
        record_decisions(ledger, two.drop(columns="due"), author="Ada")
