"""Days and times as exports write them."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any, Final
from zoneinfo import ZoneInfo

import pandas as pd

from spms_lib.sources.numerals import is_missing
from spms_lib.sources.once import spread

NOT_A_DATE: Final = "not a date"
NO_SUCH_DAY: Final = "no such day"
OTHER_ORDER: Final = "day and month stand the other way round"
SERIAL: Final = "day number of a spreadsheet, read as a day"

AS_WRITTEN: Final = ""  # instead of a time zone
FIRST_YEAR: Final = 1900
FIRST_SERIAL, LAST_SERIAL = 20_000, 80_000  # 1954 to 2119
_SERIAL_START: Final = dt.datetime(1899, 12, 30)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DTYPE: Final = "datetime64[us]"
_Parse = Callable[[str], tuple[tuple[dt.datetime, str | None], dt.timedelta | None]]

_ISO = r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)?"
_OFFSET = r"(?:Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)"
_ISO_OFFSET = r"([0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?) ?" + _OFFSET
_CLOCK = re.compile(
    r"[T ,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([AaPp]\.?[Mm]\.?)?\s*"
    r"(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?$"
)
_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})|(\d{4})()(\d{2})(\d{2})")
_DOTTED = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4}|\d{2})")
_SLASHED = re.compile(r"(\d{1,2})([/-])(\d{1,2})\2(\d{4}|\d{2})")
_DAY_WORD = re.compile(r"(\d{1,2})\.?[ -]?([A-Za-z]{3,9})\.?,?[ -]?(\d{4}|\d{2})")
_WORD_DAY = re.compile(r"([A-Za-z]{3,9})\.?[ -](\d{1,2})(?:st|nd|rd|th)?,?[ -](\d{4})")
_NUMBER = re.compile(r"\d{5}(?:\.\d+)?")


class _UnreadableError(Exception):
    """Inside this module: carries the reason from a parser to its column."""


def to_date(
    text: "pd.Series[Any]", day_first: bool = False, zone: str | None = None
) -> tuple["pd.Series[Any]", "pd.Series[Any]"]:
    """Read calendar days; the time of day, if there is one, is dropped.

    A time with an offset falls on the day that is written, or with `zone` on the day that
    it was there: late in the evening in London is the next day in Berlin.

    Understood: `2026-12-31`, `2026/12/31`, `20261231`, `31.12.2026`, `31-Dec-2026`,
    `Dec 31, 2026`, `12/31/2026` or (with `day_first`) `31/12/2026`, each also with a
    time; two-digit years are 2000 to 2099; day numbers of a spreadsheet.

    Returns
    -------
    tuple[pd.Series, pd.Series]
        datetime64, missing where nothing is said or the text is no day; and the reason
        of each finding. A reason beside a value means: used, but look at it.

    Examples
    --------
    >>> days, reasons = to_date(pd.Series(["12/31/2026", "31/12/2026"]))
    >>> days.dt.strftime("%d %b").tolist(), reasons.tolist()
    (['31 Dec', nan], [nan, 'day and month stand the other way round'])
    >>> to_date(pd.Series(["2026-06-30T22:30:00Z"]), zone="Europe/Berlin")[0].item().day
    1
    """
    moments, reasons = _read(text, lambda each: _moment(each, day_first), zone or AS_WRITTEN)
    return moments.dt.normalize(), reasons


def to_datetime(text: "pd.Series[Any]", day_first: bool = False) -> tuple["pd.Series[Any]", "pd.Series[Any]"]:
    """Read days with times; a time with an offset is turned into UTC, one without stays as it is.

    Examples
    --------
    >>> to_datetime(pd.Series(["2026-11-09T10:00:00+01:00"]))[0].item().isoformat()
    '2026-11-09T09:00:00'
    """
    return _read(text, lambda each: _moment(each, day_first), "UTC")


def _read(text: "pd.Series[Any]", parse: _Parse, zone: str) -> tuple["pd.Series[Any]", "pd.Series[Any]"]:
    """Read each different text once: ISO ones together, the others by `parse`."""
    codes, unique = pd.factorize(text.astype("str").str.strip())
    each = pd.Series(unique, dtype="str")
    iso = each.str.fullmatch(_ISO).fillna(False).astype(bool)
    moments = pd.to_datetime(each.where(iso), format="ISO8601", errors="coerce").astype(_DTYPE)
    reasons = pd.Series(pd.NA, index=each.index, dtype="str").mask(iso & moments.isna(), NO_SUCH_DAY)
    with_offset = each.str.fullmatch(_ISO_OFFSET).fillna(False).astype(bool)
    if with_offset.any():
        moments[with_offset] = _local(each[with_offset], zone)
        reasons = reasons.mask(with_offset & moments.isna(), NO_SUCH_DAY)
    odd = each[~iso & ~with_offset & ~is_missing(each)]
    if len(odd):
        read = [_try(parse, text, zone) for text in odd]
        moments[odd.index] = pd.array([moment for moment, _ in read], dtype=_DTYPE)
        reasons[odd.index] = pd.array([reason for _, reason in read], dtype="str")
    too_early = moments.dt.year < FIRST_YEAR
    moments, reasons = moments.mask(too_early), reasons.mask(too_early, NO_SUCH_DAY)
    return spread(moments, codes, text.index), spread(reasons, codes, text.index)


def _local(text: "pd.Series[Any]", zone: str) -> "pd.Series[Any]":
    """Read ISO times with an offset: as written, or as the clocks of a zone showed them."""
    if zone == AS_WRITTEN:
        naive = text.str.replace(rf" ?{_OFFSET}$", "", regex=True)
        return pd.to_datetime(naive, format="ISO8601", errors="coerce").astype(_DTYPE)
    tidy = text.str.replace(" ?(?:UTC|GMT)$", "Z", regex=True)
    moments = pd.to_datetime(tidy, format="ISO8601", utc=True, errors="coerce")
    return moments.dt.tz_convert(zone).dt.tz_localize(None).astype(_DTYPE)


def _try(parse: _Parse, text: str, zone: str) -> tuple[dt.datetime | None, str | None]:
    try:
        (moment, reason), offset = parse(text)
        if offset is None or zone == AS_WRITTEN:
            return moment, reason
        return (moment - offset).replace(tzinfo=dt.UTC).astimezone(ZoneInfo(zone)).replace(
            tzinfo=None
        ), reason
    except _UnreadableError as error:
        return None, str(error)
    except (ValueError, OverflowError):
        return None, NO_SUCH_DAY


def _moment(text: str, day_first: bool) -> tuple[tuple[dt.datetime, str | None], dt.timedelta | None]:
    """Read one text as local time; also its offset from UTC, None if it has none."""
    if _NUMBER.fullmatch(text) and FIRST_SERIAL <= float(text) <= LAST_SERIAL:
        seconds = round(float(text) * 86_400)
        return (_SERIAL_START + dt.timedelta(seconds=seconds), SERIAL), None
    clock = _CLOCK.search(text)
    day = dt.datetime(*_day(text[: clock.start()] if clock else text, day_first))
    if clock is None:
        return (day, None), None
    return (day + _time(clock), None), _offset(clock[6])


def _day(text: str, day_first: bool) -> tuple[int, int, int]:
    if found := _YEAR_FIRST.fullmatch(text):
        year, month, day = (found[1], found[3], found[4]) if found[1] else (found[5], found[7], found[8])
    elif found := _DOTTED.fullmatch(text):
        day, month, year = found.groups()
    elif found := _SLASHED.fullmatch(text):
        day, month, year = (found[1], found[3], found[4]) if day_first else (found[3], found[1], found[4])
        if int(month) > 12 >= int(day):
            raise _UnreadableError(OTHER_ORDER)
    elif found := _DAY_WORD.fullmatch(text):
        day, month, year = found[1], _month(found[2]), found[3]
    elif found := _WORD_DAY.fullmatch(text):
        day, month, year = found[2], _month(found[1]), found[3]
    else:
        raise _UnreadableError(NOT_A_DATE)
    return int(year) + (2000 if len(year) == 2 else 0), int(month), int(day)


def _month(word: str) -> str:
    short = word[:3].lower()
    if short not in _MONTHS:
        raise _UnreadableError(NOT_A_DATE)
    return str(_MONTHS.index(short) + 1)


def _time(clock: re.Match[str]) -> dt.timedelta:
    hour, half = int(clock[1]), (clock[5] or "").lower()[:1]
    if half:
        if not 1 <= hour <= 12:
            raise _UnreadableError(NOT_A_DATE)
        hour = hour % 12 + (12 if half == "p" else 0)
    time = dt.time(hour, int(clock[2]), int(clock[3] or 0), int((clock[4] or "0")[:6].ljust(6, "0")))
    return dt.datetime.combine(dt.datetime.min, time) - dt.datetime.min


def _offset(zone: str | None) -> dt.timedelta | None:
    if not zone:
        return None
    if zone[0] not in "+-":
        return dt.timedelta()
    digits = zone[1:].replace(":", "").ljust(4, "0")
    size = dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -size if zone[0] == "-" else size
