"""One value as people read it: the same in tables, figures and pages.

Missing is a dash, a negative number has a true minus, thousands are separated,
and a yes or no says so in words as well as by its mark.
"""

import difflib
import math
from collections.abc import Collection, Iterable
from datetime import date, datetime, time
from numbers import Number
from typing import Final

import pandas as pd

from spms_lib.errors import TableError
from spms_lib.money import MISSING, format_money
from spms_lib.text import visible

MINUS: Final = "\N{MINUS SIGN}"
YES: Final = "✓ yes"
NO: Final = "✗ no"
_UNGROUPED: Final = ("year", "fiscal_year")


def money_text(
    minor: float | None, currency: str, *, compact: bool = False, cents: bool = True, signed: bool = False
) -> str:
    """Write an amount of minor units.

    Parameters
    ----------
    compact
        Shorten to thousands and millions, as axes and tiles do.
    cents
        False rounds to whole currency units.
    signed
        True puts a plus before gains.

    Examples
    --------
    >>> money_text(-123456, "EUR"), money_text(123456, "EUR", cents=False, signed=True), money_text(None, "EUR")
    ('−€1,234.56', '+€1,235', '–')
    """
    if minor is None or pd.isna(minor):
        return MISSING
    if math.isinf(minor):
        return _infinite(minor)
    if cents or compact:
        text = format_money(minor, currency, compact=compact)
    else:
        from babel.numbers import format_currency

        from spms_lib.money import minor_per_unit

        amount = minor / minor_per_unit(currency)
        text = str(format_currency(amount, currency, format="¤#,##0", currency_digits=False, locale="en"))
    return _sign(text, signed=signed)


def ratio_text(ratio: float | None, *, signed: bool = False, decimals: int = 1) -> str:
    """Write a ratio as a percentage.

    Examples
    --------
    >>> ratio_text(0.942), ratio_text(-0.05, signed=True), ratio_text(0.012, signed=True), ratio_text(None)
    ('94.2%', '−5.0%', '+1.2%', '–')
    """
    if ratio is None or pd.isna(ratio):
        return MISSING
    if math.isinf(ratio):
        return _infinite(ratio)
    return _sign(f"{ratio:,.{decimals}%}", signed=signed)


def number_text(
    number: float | None, *, signed: bool = False, decimals: int = 0, grouped: bool = True
) -> str:
    """Write a plain number.

    Examples
    --------
    >>> number_text(-1234567), number_text(0.5, decimals=2), number_text(2026, grouped=False)
    ('−1,234,567', '0.50', '2026')
    """
    if number is None or pd.isna(number):
        return MISSING
    if math.isinf(number):
        return _infinite(number)
    return _sign(f"{number:{',' if grouped else ''}.{decimals}f}", signed=signed)


def value_text(value: object) -> str:
    """Write any single value by its own type.

    Examples
    --------
    >>> value_text(True), value_text(pd.NaT), value_text(date(2026, 11, 3)), value_text("north")
    ('✓ yes', '–', '2026-11-03', 'north')
    """
    if isinstance(value, (list, tuple, set, frozenset)):
        parts: Iterable[object] = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
        return ", ".join(value_text(part) for part in parts) or MISSING
    if isinstance(value, dict):
        return ", ".join(f"{key}: {value_text(part)}" for key, part in value.items()) or MISSING
    if value is None or pd.isna(value):  # type: ignore[call-overload]
        return MISSING
    if isinstance(value, bool) or type(value).__name__ in {"bool", "bool_"}:
        return YES if value else NO
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}" if value.time() == time() else f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Number):
        number = float(value)  # type: ignore[arg-type]
        return _infinite(number) if math.isinf(number) else _sign(f"{number:,.10g}", signed=False)
    return str(value)


def column_text(
    values: pd.Series,
    *,
    money: bool = False,
    ratio: bool = False,
    signed: bool = False,
    currency: str = "EUR",
    cents: bool = True,
) -> list[str]:
    """Write a whole column; plain numbers share one number of decimals.

    Examples
    --------
    >>> column_text(pd.Series([1, 2.5, None])), column_text(pd.Series([12345, None], dtype="Int64"), money=True)
    (['1.00', '2.50', '–'], ['€123.45', '–'])
    """
    raw = values.tolist()
    if money:
        return [money_text(value, currency, cents=cents, signed=signed) for value in raw]
    if ratio:
        return [ratio_text(value, signed=signed) for value in raw]
    if is_number(values):
        decimals = _decimals(float(value) for value in raw if not pd.isna(value))
        grouped = values.name not in _UNGROUPED
        return [number_text(value, signed=signed, decimals=decimals, grouped=grouped) for value in raw]
    return [value_text(value) for value in raw]


def is_number(values: pd.Series) -> bool:
    """Tell whether a column holds numbers, which stand right-aligned."""
    return bool(pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values))


def label_of(column: object) -> str:
    """Turn a column name into a heading, leaving periods and codes as they are.

    Examples
    --------
    >>> label_of("target_ratio"), label_of("2026Q4"), label_of(("plan", "north"))
    ('Target ratio', '2026Q4', 'Plan · north')
    """
    text = " · ".join(str(part) for part in column) if isinstance(column, tuple) else str(column)
    text = visible(text).replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def refuse_unknown(names: Iterable[object], known: Collection[object], what: str) -> None:
    """Refuse names that are not there, with the nearest one that is."""
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(str(name), [str(item) for item in known], n=1)
            advice = (
                f"Did you mean '{near[0]}'?" if near else f"Known: {', '.join(map(str, known)) or 'none'}."
            )
            raise TableError(f"There is no {what} '{name}'.", remedy=advice)


def _decimals(numbers: Iterable[float]) -> int:
    finite = [number for number in numbers if math.isfinite(number)]
    if all(number == round(number) for number in finite):
        return 0
    return 2 if max(abs(number) for number in finite) >= 1 else 3


def _sign(text: str, *, signed: bool) -> str:
    """Use a true minus; nothing is minus zero; a plus only where asked, and not before zero."""
    if not any(digit in text for digit in "123456789"):
        return text.removeprefix("-")
    if text.startswith("-"):
        return MINUS + text[1:]
    return f"+{text}" if signed else text


def _infinite(number: float) -> str:
    return "∞" if number > 0 else f"{MINUS}∞"
