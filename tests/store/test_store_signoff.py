"""A sign-off is a name for a state that can be checked for ever."""

import datetime as dt

import pandas as pd
import pytest

from spms_lib.errors import LedgerError
from spms_lib.store.signoff import Total

PLAN = """
    north 2026-01 revenue 100
    north 2026-02 revenue 50
    south 2026-01 revenue ?
    south 2026-01 units 3
"""
NOON = dt.datetime(2026, 1, 5, 12)


def test_a_sign_off_asserts_totals_counts_and_nulls(ledger, cells):
    made = ledger.commit("plan", cells(PLAN), author="Ada", message="", at=NOON)
    signed = ledger.sign_off("2026 plan", kind="plan", author="Eve", note="board of 5 January", at=NOON)
    assert signed.totals == (
        Total("revenue", "2026-01", "", total=100, cells=2, nulls=1),
        Total("revenue", "2026-02", "", total=50, cells=1, nulls=0),
        Total("units", "2026-01", "", total=3, cells=1, nulls=0),
    )
    assert (signed.commit, signed.author, signed.note, signed.time) == (
        made.id,
        "Eve",
        "board of 5 January",
        NOON,
    )
    assert ledger.signed("2026 plan") == signed


def test_sign_offs_are_listed_oldest_first(ledger, cells):
    assert ledger.sign_offs().empty
    ledger.commit("plan", cells(PLAN), author="Ada", message="", at=NOON)
    ledger.sign_off("b", kind="plan", author="Ada", at=NOON)
    ledger.commit("plan", cells("west 2026-01 revenue 1"), author="Ada", message="", at=NOON)
    ledger.sign_off("a", kind="plan", author="Ada", at=NOON)
    listed = ledger.sign_offs()
    assert listed[["name", "kind", "cells", "nulls"]].values.tolist() == [
        ["b", "plan", 4, 1],
        ["a", "plan", 5, 1],
    ]
    assert listed["time"].tolist() == [pd.Timestamp(NOON)] * 2


def test_signing_the_same_state_again_is_no_second_sign_off(ledger, cells):
    ledger.commit("plan", cells(PLAN), author="Ada", message="")
    first = ledger.sign_off("P", kind="plan", author="Ada")
    ledger.commit("note", cells("north 2026-01 revenue 1"), author="Ada", message="another kind")
    assert ledger.sign_off("P", kind="plan", author="Ada") == first
    assert len(ledger.sign_offs()) == 1


@pytest.mark.parametrize("change", [{"kind": "targets"}, {"author": "Ben"}, {}])
def test_a_name_is_never_used_for_other_content(ledger, cells, change):
    ledger.commit("plan", cells(PLAN), author="Ada", message="")
    ledger.commit("targets", cells(PLAN), author="Ada", message="")
    ledger.sign_off("P", kind="plan", author="Ada")
    if not change:
        ledger.commit("plan", cells("north 2026-01 revenue 101"), author="Ada", message="")
    with pytest.raises(LedgerError, match=r"'P' was already signed off by Ada .* Use a new name"):
        ledger.sign_off("P", **{"kind": "plan", "author": "Ada", **change})


@pytest.mark.parametrize("name", ["", " ", "2026-01-31"])
def test_a_name_that_could_be_mistaken_for_a_day_is_refused(ledger, cells, name):
    ledger.commit("plan", cells(PLAN), author="Ada", message="")
    with pytest.raises(LedgerError, match="cannot name a sign-off"):
        ledger.sign_off(name, kind="plan", author="Ada")


def test_there_must_be_something_to_sign(ledger, cells):
    with pytest.raises(LedgerError, match="no cells of kind 'plan' to sign off"):
        ledger.sign_off("P", kind="plan", author="Ada")
    ledger.commit("targets", cells(PLAN), author="Ada", message="")
    with pytest.raises(LedgerError, match="no cells of kind 'plan' to sign off"):
        ledger.sign_off("P", kind="plan", author="Ada")


def test_an_unknown_sign_off_is_refused_with_the_known_ones(ledger, cells):
    ledger.commit("plan", cells(PLAN), author="Ada", message="")
    ledger.sign_off("P", kind="plan", author="Ada")
    with pytest.raises(LedgerError, match=r"no sign-off 'Q'\. Known sign-offs: P\."):
        ledger.signed("Q")


def test_totals_beyond_64_bits_are_exact(ledger, cells):
    huge = 2**63 - 1
    ledger.commit(
        "plan", cells(f"a 2026-01 revenue {huge}\nb 2026-01 revenue {huge}"), author="Ada", message=""
    )
    assert ledger.sign_off("P", kind="plan", author="Ada").totals[0].total == 2 * huge
    assert ledger.verify().empty
