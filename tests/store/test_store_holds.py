"""Holds: who fixed what, why, and until when."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from spms_lib.errors import LedgerError
from spms_lib.store.holds import Hold, holds, lift_hold, place_hold

NOON = dt.datetime(2026, 1, 5, 12)
TODAY = dt.date(2026, 1, 10)
CONTRACT = Hold("north", "2026-03", "revenue", 500, owner="Ada", reason="signed contract")


def test_a_hold_is_listed_with_owner_reason_and_who_placed_it(ledger):
    assert holds(ledger, on=TODAY).empty
    place_hold(ledger, CONTRACT, author="Ben", at=NOON)
    row = holds(ledger, on=TODAY).iloc[0].to_dict()
    assert row.pop("expires") is pd.NaT
    assert row == {
        "node": "north",
        "period": "2026-03",
        "measure": "revenue",
        "value": 500,
        "owner": "Ada",
        "reason": "signed contract",
        "placed_by": "Ben",
        "placed_at": pd.Timestamp(NOON),
    }


def test_an_empty_list_of_holds_has_the_types_of_a_full_one(ledger):
    empty = holds(ledger, on=TODAY).dtypes
    place_hold(ledger, CONTRACT, author="Ben", at=NOON)
    pd.testing.assert_series_equal(empty, holds(ledger, on=TODAY).dtypes)


@pytest.mark.parametrize(("day", "in_force"), [(9, True), (10, True), (11, False)])
def test_a_hold_holds_through_its_last_day(ledger, day, in_force):
    until = Hold("north", "2026-03", "revenue", 500, owner="Ada", reason="trial", expires=TODAY)
    place_hold(ledger, until, author="Ben", at=NOON)
    assert len(holds(ledger, on=dt.date(2026, 1, day))) == in_force


def test_a_later_hold_replaces_the_earlier_and_placing_it_twice_says_nothing_new(ledger):
    place_hold(ledger, CONTRACT, author="Ben", at=NOON)
    assert place_hold(ledger, CONTRACT, author="Cy") is None
    place_hold(ledger, Hold("north", "2026-03", "revenue", 500, owner="Ada", reason="amended"), author="Ben")
    assert holds(ledger, on=TODAY)["reason"].tolist() == ["amended"]


def test_a_lifted_hold_is_gone_and_was_there_yesterday(ledger):
    place_hold(ledger, CONTRACT, author="Ben", at=NOON)
    lifted = lift_hold(
        ledger, "north", "2026-03", "revenue", author="Ada", reason="cancelled", at=dt.date(2026, 1, 6)
    )
    assert lifted.message == "cancelled"
    assert holds(ledger, on=TODAY).empty
    assert len(holds(ledger, on=TODAY, as_of="2026-01-05")) == 1


def test_there_must_be_a_hold_to_lift_and_a_reason(ledger):
    with pytest.raises(LedgerError, match=r"north 2026-03 revenue: There is no hold to lift\. See holds\(\)"):
        lift_hold(ledger, "north", "2026-03", "revenue", author="Ada", reason="cancelled")
    place_hold(ledger, CONTRACT, author="Ben")
    with pytest.raises(LedgerError, match="without a reason"):
        lift_hold(ledger, "north", "2026-03", "revenue", author="Ada", reason=" ")


@pytest.mark.parametrize("missing", ["owner", "reason"])
def test_a_hold_needs_an_owner_and_a_reason(missing):
    given = {"owner": "Ada", "reason": "trial", missing: ""}
    with pytest.raises(
        LedgerError, match=f"north 2026-03 revenue: The hold has no {missing}. Say {missing}="
    ):
        Hold("north", "2026-03", "revenue", 500, **given)


def test_numbers_and_days_from_a_frame_are_as_good_as_plain_ones(ledger):
    hold = Hold(
        "n", "2026-03", "revenue", np.int64(5), owner="Ada", reason="x", expires=pd.Timestamp("2026-01-10")
    )
    never = Hold("m", "2026-03", "revenue", np.int64(6), owner="Ada", reason="x", expires=pd.NaT)
    place_hold(ledger, hold, author="Ben")
    place_hold(ledger, never, author="Ben")
    assert holds(ledger, on=TODAY)["value"].tolist() == [6, 5]
    assert holds(ledger, on=dt.date(2026, 1, 11))["value"].tolist() == [6]


def test_a_last_day_in_words_is_refused():
    with pytest.raises(LedgerError, match="last day 'Friday' is no day"):
        Hold("north", "2026-03", "revenue", 5, owner="Ada", reason="trial", expires="Friday")


@pytest.mark.parametrize("value", [1.5, None, True, "5"])
def test_a_hold_fixes_whole_minor_units(value):
    with pytest.raises(LedgerError, match="not a whole number"):
        Hold("north", "2026-03", "revenue", value, owner="Ada", reason="trial")
