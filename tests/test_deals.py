"""Deals as they were known on a day, from snapshots or from one later export."""

import datetime as dt

import pandas as pd
import pytest

from spms_lib.deals import known_on, open_deals
from spms_lib.errors import TableError

EXPORT = pd.DataFrame(
    [
        ("won early", "won", "close", "closed", 500, 1.0, "2025-10-01", "2026-01-20"),
        ("won later", "won", "close", "closed", 600, 1.0, "2025-10-01", "2026-03-20"),
        ("lost later", "lost", "qualify", None, 700, 0.0, "2025-11-01", "2026-04-20"),
        ("still open", "open", "propose", "commit", 800, 0.6, "2025-12-01", "2026-07-31"),
        ("to come", "open", "qualify", "pipeline", 900, 0.1, "2026-02-02", "2026-07-31"),
        ("undated", "open", "qualify", "pipeline", 900, 0.1, None, "2026-07-31"),
    ],
    columns=["opportunity", "status", "stage", "category", "amount", "probability", "created", "close_date"],
).assign(as_of=pd.Timestamp(2026, 6, 30), node="a", stage_since=pd.Timestamp(2025, 12, 2))
EXPORT = EXPORT.astype({"created": "datetime64[us]", "close_date": "datetime64[us]"})
FEBRUARY = dt.date(2026, 2, 1)


def test_an_export_tells_who_was_there_and_who_had_closed() -> None:
    known = known_on(EXPORT, day=FEBRUARY).set_index("opportunity")
    assert known["status"].to_dict() == {
        "won early": "won", "won later": "open", "lost later": "open", "still open": "open",
    }  # fmt: skip
    assert (known["as_of"] == pd.Timestamp(FEBRUARY)).all()
    assert known.loc["won early", ["amount", "stage", "probability"]].tolist() == [500, "close", 1.0]


def test_what_an_export_cannot_know_of_the_past_is_missing_and_never_todays() -> None:
    """Nor the stage of a deal that has not changed since December: that it has not is known only now."""
    known = known_on(EXPORT, day=FEBRUARY).set_index("opportunity").drop(index="won early")
    hidden = ["stage", "stage_since", "category", "amount", "probability", "close_date"]
    assert known[hidden].isna().all(axis=None)
    assert known[["node", "created"]].notna().all(axis=None)


def test_the_day_of_closing_and_of_creation_count() -> None:
    assert known_on(EXPORT, day=dt.date(2026, 1, 20)).iloc[0]["status"] == "won"
    assert known_on(EXPORT, day=dt.date(2026, 1, 19)).iloc[0]["status"] == "open"
    assert "to come" in known_on(EXPORT, day=dt.date(2026, 2, 2))["opportunity"].tolist()


def test_looking_back_twice_is_looking_back_once() -> None:
    twice = known_on(known_on(EXPORT, day=dt.date(2026, 4, 30)), day=FEBRUARY)
    pd.testing.assert_frame_equal(twice, known_on(EXPORT, day=FEBRUARY))


def test_an_export_knows_nothing_of_a_later_day() -> None:
    with pytest.raises(TableError, match="cannot know"):
        known_on(EXPORT, day=dt.date(2026, 7, 1))


def test_amounts_that_are_not_known_are_not_added_up() -> None:
    with pytest.raises(TableError, match="not known"):
        open_deals(known_on(EXPORT, day=FEBRUARY))
