"""Text to money, numbers, ratios, days, periods and known words, a whole column at a time.

Every function returns two columns: the values, and the reasons of findings. A
reason without a value means that the cell cannot be read; a reason beside a
value, that the value is used but somebody should look; neither, that nobody
has said. `REMEDIES` says what to do about each reason.
"""

import re
from collections.abc import Collection
from decimal import Decimal, localcontext
from typing import Any, Final

import numpy as np
import pandas as pd

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import PeriodError
from spms_lib.sources import dates, numerals
from spms_lib.sources.dates import to_date, to_datetime
from spms_lib.sources.numerals import is_missing, read_numerals
from spms_lib.text import hides, visible

__all__ = [
    "REMEDIES",
    "to_choice",
    "to_date",
    "to_datetime",
    "to_money",
    "to_number",
    "to_period",
    "to_ratio",
    "to_text",
]

PERCENTAGE: Final = "percentage where a number belongs"
OTHER_CURRENCY: Final = "another currency than the rest of the column"
TOO_LARGE: Final = "number is too large"
ROUNDED: Final = "more decimals than the currency has; rounded"
ABOVE_ONE: Final = "ratio above 1"
BELOW_ZERO: Final = "ratio below 0"
NOT_A_PERIOD: Final = "not a period"
UNKNOWN_WORD: Final = "not one of the known words"
CUT: Final = "text is too long; cut"
HIDDEN: Final = "control characters or marks that turn the writing; replaced"

REMEDIES: Final = {
    numerals.NOT_A_NUMBER: "Write a number, or leave the cell empty if nobody knows.",
    numerals.ABBREVIATED: "Write the number out: 12000 instead of 12 k.",
    numerals.OTHER_MARK: "Set `decimal` of this table in the params to '.' or ','.",
    PERCENTAGE: "Write the number itself.",
    OTHER_CURRENCY: "Convert all amounts to the company's currency.",
    TOO_LARGE: "Check the number of digits.",
    ROUNDED: "Rounded to whole minor units; check the original if it matters.",
    ABOVE_ONE: "Write 30% or 0.3.",
    BELOW_ZERO: "Write a share between 0 and 1.",
    dates.NOT_A_DATE: "Write the day as 2026-12-31.",
    dates.NO_SUCH_DAY: "Correct the day; write it as 2026-12-31.",
    dates.OTHER_ORDER: "Set `day_first` of this table in the params to the other value.",
    dates.SERIAL: "Format the column as a date before you export it.",
    NOT_A_PERIOD: "Write a month as 2026-11, a quarter as 2026Q4, a year as FY26.",
    CUT: "Shorten it to 10,000 characters.",
    HIDDEN: "Remove them, and ask where they came from.",
    UNKNOWN_WORD: "Use a known word, or translate it in the query.",
}

LONGEST_TEXT: Final = 10_000
FLOAT_DIGITS: Final = 15  # any number of so many digits survives the way through a float
_LARGEST: Final = 2**63 - 1
_MISSING_TEXT: Final = {"", "NULL", "null", "n/a", "N/A", "#N/A", "\\N", "<NA>"}

Coerced = tuple["pd.Series[Any]", "pd.Series[Any]"]


def to_money(text: "pd.Series[Any]", per_unit: int, decimal: str = ".") -> Coerced:
    """Read amounts as whole minor units, exactly; more decimals are rounded half to even and noted.

    Parameters
    ----------
    per_unit
        Minor units in one unit of the currency: 100 cents in a euro.
    decimal
        Decimal mark, `.` or `,`.

    Returns
    -------
    Coerced
        Int64 minor units, and reasons.

    Examples
    --------
    >>> values, reasons = to_money(pd.Series(["$1,200", "(0.29)", "-", "1.005", "12 k"]), 100)
    >>> values.tolist(), reasons.dropna().tolist()
    ([120000, -29, <NA>, 100, <NA>], ['more decimals than the currency has; rounded', 'abbreviated number'])
    """
    read = read_numerals(text, decimal=decimal)
    reasons = _mark(read.reasons, read.percent, PERCENTAGE)
    if read.currency.notna().any():
        usual = read.currency.value_counts().index[0]
        reasons = _mark(reasons, read.currency.notna() & (read.currency != usual), OTHER_CURRENCY)
    plain = read.plain.where(reasons.isna())
    digits = len(str(per_unit)) - 1
    common = pd.Series(False, index=text.index)
    if per_unit == 10**digits:
        few = rf"[+-]?[0-9]{{1,{FLOAT_DIGITS - digits}}}(?:\.[0-9]{{0,{digits}}}0*)?"
        common = plain.str.fullmatch(few).fillna(False).astype(bool)
    minor = pd.Series(pd.NA, index=text.index, dtype="Int64")
    # Exact: 15 digits keep the float's error, after the factor, below half a minor unit.
    minor[common.to_numpy()] = np.rint(_floats(plain[common]) * per_unit).astype("int64")
    odd = (~common & plain.notna()).to_numpy()
    texts = plain[odd]
    exact = {each: _exact_minor(each, per_unit) for each in texts.unique()}
    minor[odd] = pd.array([exact[each][0] for each in texts], dtype="Int64")
    reasons[odd] = pd.array([exact[each][1] for each in texts], dtype="str")
    return minor, reasons


def _exact_minor(plain: str, per_unit: int) -> tuple[int | None, str | None]:
    with localcontext(prec=len(plain) + 25):
        amount = Decimal(plain)
        if amount.adjusted() > len(str(_LARGEST)):
            return None, TOO_LARGE
        scaled = amount * per_unit
        minor = int(scaled.to_integral_value())
    if abs(minor) > _LARGEST:
        return None, TOO_LARGE
    return minor, None if scaled == minor else ROUNDED


def to_number(text: "pd.Series[Any]", decimal: str = ".") -> Coerced:
    """Read numbers as float64.

    Examples
    --------
    >>> to_number(pd.Series(["1,234.5", "n/a"]))[0].tolist()
    [1234.5, nan]
    """
    read = read_numerals(text, decimal=decimal)
    reasons = _mark(read.reasons, read.percent, PERCENTAGE)
    values = pd.Series(_floats(read.plain.where(reasons.isna())), index=text.index)
    infinite = values.abs() == np.inf
    return values.mask(infinite), _mark(reasons, infinite, TOO_LARGE)


def to_ratio(text: "pd.Series[Any]", decimal: str = ".") -> Coerced:
    """Read shares of one: `30%` and `0.3` are the same, a bare 30 is refused.

    Examples
    --------
    >>> values, reasons = to_ratio(pd.Series(["12.5%", "0.3", "30"]))
    >>> values.tolist(), reasons.tolist()
    ([0.125, 0.3, nan], [nan, nan, 'ratio above 1'])
    """
    read = read_numerals(text, decimal=decimal)
    values = pd.Series(_floats(read.plain), index=text.index)
    values = values.mask(read.percent, values / 100)
    reasons = _mark(_mark(read.reasons, values > 1, ABOVE_ONE), values < 0, BELOW_ZERO)
    return values.where(reasons.isna()), reasons


def to_period(text: "pd.Series[Any]", calendar: FiscalCalendar) -> Coerced:
    """Read fiscal periods in their canonical form.

    Examples
    --------
    >>> to_period(pd.Series(["FY26 Q4", "2026-11-01", "soon"]), FiscalCalendar())[0].tolist()
    ['2026Q4', '2026-11', nan]
    """
    stripped = text.astype("str").str.strip().mask(is_missing(text))
    known = {}
    for each in stripped.dropna().unique():
        try:
            known[each] = calendar.parse(each)
        except PeriodError:
            continue
    return _by_table(stripped, known, NOT_A_PERIOD)


def to_choice(text: "pd.Series[Any]", allowed: Collection[str]) -> Coerced:
    """Read known words, however they are capitalised, spaced or hyphenated.

    Examples
    --------
    >>> to_choice(pd.Series(["Best Case", "best-case", "upside"]), ["best_case"])[0].tolist()
    ['best_case', 'best_case', nan]
    """
    stripped = text.astype("str").str.strip().mask(is_missing(text))
    words = {_letters(word): word for word in allowed}
    known = {each: words[_letters(each)] for each in stripped.dropna().unique() if _letters(each) in words}
    return _by_table(stripped, known, UNKNOWN_WORD)


def to_text(text: "pd.Series[Any]") -> Coerced:
    """Drop spaces at both ends; empty cells and `NULL` or `n/a` are missing.

    A text of more than `LONGEST_TEXT` characters is cut, and signs that hide or turn what is
    written are replaced; both are noted.

    Examples
    --------
    >>> to_text(pd.Series([" north ", "NULL", "NA"]))[0].tolist()
    ['north', nan, 'NA']
    """
    stripped = text.astype("str").str.strip()
    words = stripped.dropna().unique().tolist()
    reasons = _no_reasons(text)
    hiding = [word for word in words if hides(word)] if hides("".join(words)) else []
    endless = [word for word in words if len(word) > LONGEST_TEXT]
    if hiding or endless:
        reasons = _mark(reasons, stripped.isin(hiding), HIDDEN)
        reasons = _mark(reasons, stripped.isin(endless), CUT)
        seen = {word: visible(word)[:LONGEST_TEXT] for word in [*hiding, *endless]}
        stripped = stripped.map(lambda word: seen.get(word, word))
    return stripped.mask(stripped.isin(_MISSING_TEXT)), reasons


def _letters(word: str) -> str:
    return re.sub(r"[\W_]+", "", word).casefold()


def _by_table(text: "pd.Series[Any]", known: dict[str, str], reason: str) -> Coerced:
    values = text.map(known).astype("str")
    return values, _mark(_no_reasons(text), values.isna() & text.notna(), reason)


def _no_reasons(text: "pd.Series[Any]") -> "pd.Series[Any]":
    return pd.Series(pd.NA, index=text.index, dtype="str")


def _mark(reasons: "pd.Series[Any]", where: "pd.Series[bool]", reason: str) -> "pd.Series[Any]":
    """Give cells a reason, unless they have one."""
    return reasons.mask(where & reasons.isna(), reason)


def _floats(plain: "pd.Series[Any]") -> "np.ndarray[Any, np.dtype[np.float64]]":
    import pyarrow as pa
    import pyarrow.compute as pc

    floats = pc.cast(pa.array(plain, type=pa.string()), pa.float64())
    return np.asarray(floats.to_numpy(zero_copy_only=False), dtype="float64")
