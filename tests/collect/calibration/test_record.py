"""The track record: who said what by when, beside what came, with nothing dropped."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from spms_lib.calendar import FiscalCalendar
from spms_lib.collect.calibration.record import STATES, left_out, track_record

from toys import table  # isort: skip

SAID = """
node  period   category   value  submitted_by  submitted_at
a     2026-01  closed     20     Ann           2026-01-10
a     2026-01  commit     100    Ann           2026-01-10
a     2026-01  best_case  40     Ann           2026-01-10
a     2026-01  commit     130    Ann           2026-01-14
a     2026-01  commit     500    Ann           2026-01-20
b     2026-01  commit     70     Ben           2026-01-09
c     2026-01  commit     0      Cy            2026-01-09
d     2026-01  commit     50     Di            2026-01-09
e     2026-01  commit     60     Ed            2026-01-09
f     2026-01  commit     -5     Flo           2026-01-09
g     2026-01  commit     0      Gil           2026-01-09
"""
CAME = pd.DataFrame({"node": list("abcdfg"), "period": "2026-01", "value": [110, 70, 30, 0, 20, 0]})
CUT_OFFS = {"2026-01": dt.date(2026, 1, 15)}


@pytest.fixture
def said() -> pd.DataFrame:
    frame = table(SAID)
    return frame.assign(value=frame["value"].astype(int), submitted_at=pd.to_datetime(frame["submitted_at"]))


def paired(said: pd.DataFrame, **more: object) -> pd.DataFrame:
    record = track_record(said, CAME, FiscalCalendar(), cut_offs=CUT_OFFS, **more)
    return record.set_index(["node", "category"]).sort_index()


def test_the_last_word_before_the_cut_off_counts_and_a_later_one_does_not(said) -> None:
    row = paired(said).loc[("a", "commit_forecast")]
    assert row["forecast"] == 20 + 130
    assert row["lead"] == 17  # 14 to 31 January
    assert row["log_ratio"] == pytest.approx(np.log(150 / 110))


def test_each_category_is_compared_with_what_it_speaks_of(said) -> None:
    record = paired(said).loc["a"]
    assert record.loc["commit", ["forecast", "actual"]].tolist() == [130, 110 - 20]
    assert record.loc["best_case", ["forecast", "actual"]].tolist() == [20 + 130 + 40, 110]
    assert "pipeline" not in record.index  # nobody spoke of it


def test_what_has_no_ratio_is_counted_and_not_dropped(said) -> None:
    record = paired(said)
    state = record.xs("commit_forecast", level="category")["state"]
    assert state.to_dict() == {
        "a": "used",
        "b": "used",
        "c": "forecast zero",
        "d": "actual zero",
        "e": "no actual",
        "f": "negative",
        "g": "both zero",
    }
    assert record.loc[record["state"] != "used", "log_ratio"].isna().all()
    counts = left_out(record.reset_index()).set_index("category")
    assert counts[list(STATES)].sum(axis=1)["commit_forecast"] == said["node"].nunique()


def test_the_record_belongs_to_the_sender_and_to_the_seat_where_nobody_is_named(said) -> None:
    nameless = said.assign(submitted_by=said["submitted_by"].where(said["node"] != "b", ""))
    record = paired(nameless).xs("commit_forecast", level="category")
    assert record["forecaster"]["a"] == "Ann"
    assert record["forecaster"]["b"] == "b"
    assert record["known_by"]["b"] == "node"


def test_a_month_after_the_sender_left_the_seat_is_set_aside(said) -> None:
    roster = table(
        """
        node  person  start       end
        a     Ann     2025-01-01  2026-01-20
        b     Ben     2025-01-01  2026-02-20
        """
    )
    state = paired(said, roster=roster).xs("commit_forecast", level="category")["state"]
    assert state["a"] == "not in the seat"
    assert state["b"] == "used"
    assert state["c"] == "forecast zero"  # the roster does not know Cy: no reason to doubt


def test_the_range_of_the_commit_is_laid_around_the_commit_forecast(said) -> None:
    ranged = said.assign(low=said["value"] - 10, high=said["value"] + 30)
    row = paired(ranged).loc[("a", "commit_forecast")]
    assert row[["low", "high"]].tolist() == [20 + 120, 20 + 160]


def test_nobody_heard_is_an_empty_record(said) -> None:
    assert track_record(said.head(0), CAME, FiscalCalendar(), cut_offs=CUT_OFFS).empty
    assert track_record(said, CAME, FiscalCalendar(), cut_offs={}).empty
