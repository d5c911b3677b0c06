"""Days as the world writes them."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.sources import dates
from spms_lib.sources.coerce import REMEDIES
from spms_lib.sources.dates import to_date, to_datetime


def read(text: str, *, day_first: bool = False) -> tuple[str | None, str | None]:
    values, reasons = to_date(pd.Series([text], dtype="str"), day_first)
    value, reason = values.iloc[0], reasons.iloc[0]
    return None if pd.isna(value) else value.strftime("%Y-%m-%d"), None if pd.isna(reason) else reason


@pytest.mark.parametrize(
    "text",
    [
        "2026-12-31",
        "2026/12/31",
        "20261231",
        "31.12.2026",
        "31. 12. 2026",
        "31.12.26",
        "12/31/2026",
        "12/31/26",
        "12-31-2026",
        "31-DEC-26",
        "31 Dec 2026",
        "Dec 31, 2026",
        "December 31, 2026",
        "2026-12-31T23:59:59Z",
        "2026-12-31T23:30:00-05:00",  # the day that is written, not the day in London
        "2026-12-31 10:00:00.1234567",
        "12/31/2026 11:05:00 PM",
        "12/31/2026, 11:05 p.m.",
        " 2026-12-31 ",
    ],
)
def test_the_last_day_of_2026_is_read_from_any_export(text: str) -> None:
    assert read(text) == ("2026-12-31", None)


def test_the_third_of_april_depends_on_day_first() -> None:
    assert read("03/04/2026", day_first=True) == ("2026-04-03", None)
    assert read("03/04/2026", day_first=False) == ("2026-03-04", None)
    assert read("03.04.2026", day_first=False) == ("2026-04-03", None)  # full stops always put the day first


@pytest.mark.parametrize(("text", "day_first"), [("31/12/2026", False), ("12/31/2026", True)])
def test_a_day_that_contradicts_day_first_is_refused_and_not_guessed(text: str, day_first: bool) -> None:
    value, reason = read(text, day_first=day_first)
    assert (value, reason) == (None, dates.OTHER_ORDER)
    assert "day_first" in REMEDIES[dates.OTHER_ORDER]


@pytest.mark.parametrize(
    "text",
    ["2025-02-30", "30.02.2025", "31/31/2026", "2026-13-01", "0026-11-09", "1897-12-25", "2026-01-01T25:00"],
)
def test_impossible_days_are_refused(text: str) -> None:
    assert read(text) == (None, dates.NO_SUCH_DAY)


@pytest.mark.parametrize("text", ["soon", "Q4 2026", "2026", "31 Foo 2026", "12/31"])
def test_what_is_no_day_is_refused(text: str) -> None:
    assert read(text) == (None, dates.NOT_A_DATE)


@pytest.mark.parametrize("text", ["", "-", "n/a", "NULL", "NaT"])
def test_a_missing_day_stays_missing(text: str) -> None:
    assert read(text) == (None, None)


def test_a_spreadsheet_day_number_is_used_and_noted() -> None:
    assert read("46387") == ("2026-12-31", dates.SERIAL)  # =DATE(2026;12;31) as a number


def test_times_with_an_offset_are_turned_into_utc_and_others_stay() -> None:
    text = pd.Series(
        [
            "2026-11-09T10:00:00Z",
            "2026-11-09 10:00:00+01:00",
            "2026-11-09T10:00",
            "11/09/2026 12:30 AM",
            "2026-11-09",
        ]
    )
    values, reasons = to_datetime(text)
    assert values.dt.strftime("%H:%M").tolist() == ["10:00", "09:00", "10:00", "00:30", "00:00"]
    assert reasons.isna().all()


def test_far_days_and_microseconds_fit() -> None:
    values, _ = to_datetime(pd.Series(["9999-12-31", "2026-11-09T10:00:00.123456"]))
    assert values[0].year == 9999
    assert values[1].microsecond == 123456


def test_a_column_without_any_day_is_all_missing() -> None:
    values, reasons = to_date(pd.Series([None, None], dtype="str"))
    assert values.isna().all()
    assert str(values.dtype) == "datetime64[us]"
    assert reasons.isna().all()


@given(st.dates(min_value=pd.Timestamp("1900-01-01").date()), st.booleans())
def test_every_day_survives_being_written_and_read(day: object, day_first: bool) -> None:
    for form in ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y" if day_first else "%m/%d/%Y", "%d-%b-%Y"):
        text = f"{day:{form}}"
        assert read(text, day_first=day_first) == (f"{day:%Y-%m-%d}", None)


@given(st.text(alphabet="0123456789/.-: TZDecAM+,", max_size=22))
def test_no_text_breaks_the_reader(text: str) -> None:
    values, reasons = to_datetime(pd.Series([text], dtype="str"))
    assert values.notna().item() or reasons.notna().item() or text.strip() in {"", "-", "--"}
