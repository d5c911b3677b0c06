"""Times sort as texts, and all of them are UTC."""

import datetime as dt

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.store.moments import parse_time, stamp, time_text, utc

times = st.datetimes(min_value=dt.datetime(1, 1, 2), max_value=dt.datetime(9999, 12, 30))


@settings(max_examples=50, deadline=None)
@given(one=times, other=times)
def test_times_sort_as_their_texts_and_come_back(one, other):
    assert (one < other) == (time_text(one) < time_text(other))
    assert parse_time(time_text(one)) == one


def test_a_zone_is_converted_and_nanoseconds_are_cut():
    berlin = dt.timezone(dt.timedelta(hours=1))
    assert utc(dt.datetime(2026, 1, 5, 12, tzinfo=berlin)) == dt.datetime(2026, 1, 5, 11)
    assert utc(pd.Timestamp("2026-01-05 12:00:00.123456789")) == dt.datetime(2026, 1, 5, 12, 0, 0, 123456)


def test_the_clock_never_runs_behind_the_newest_commit():
    assert stamp(None, "2999-01-01T00:00:00.000000Z") == "2999-01-01T00:00:00.000000Z"
    assert stamp(None, "1999-01-01T00:00:00.000000Z") > "2020"
