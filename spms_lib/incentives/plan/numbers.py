"""Numbers of a plan document: read as exactly what was written, and written as people read them."""

from decimal import Decimal
from fractions import Fraction
from typing import Final

from spms_lib.errors import PlanError

REMEDY: Final = "Write it as 1.5, 150 % or 3/2."


def exact(value: object, *, where: str = "") -> Fraction:
    """Read a number as the exact fraction that was written; a float counts as what it prints as.

    Raises
    ------
    PlanError
        If it is not a number.

    Examples
    --------
    >>> exact("12.5 %"), exact(0.1), exact("1/3")
    (Fraction(1, 8), Fraction(1, 10), Fraction(1, 3))
    """
    if isinstance(value, Fraction):
        return value
    numeric = isinstance(value, (str, int, float, Decimal)) and not isinstance(value, bool)
    text = str(value).strip() if numeric else ""
    try:
        number = Fraction(text.removesuffix("%").strip())
    except (ValueError, ZeroDivisionError):
        raise PlanError(f"'{value}' is not a number.", where=where, remedy=REMEDY) from None
    return number / 100 if text.endswith("%") else number


def plain(number: Fraction) -> str:
    """Write a number as people read it: exact where its decimals end, else as a fraction.

    Examples
    --------
    >>> plain(Fraction(150000)), plain(Fraction(1, 8)), plain(Fraction(1, 3))
    ('150,000', '0.125', '1/3')
    """
    rest = number.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        return str(number)
    return f"{Decimal(number.numerator) / Decimal(number.denominator):,f}"


def percent(number: Fraction) -> str:
    """Write a ratio in percent.

    Examples
    --------
    >>> percent(Fraction(1, 8)), percent(Fraction(1, 3))
    ('12.5 %', '100/3 %')
    """
    return f"{plain(number * 100)} %"
