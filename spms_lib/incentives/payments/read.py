"""Reading the `payment` block of a plan: plain values in, payment terms or all their mistakes out."""

import math
import re
from collections.abc import Callable, Mapping
from functools import partial

from spms_lib.errors import MoneyError
from spms_lib.incentives.payments.terms import (
    CLAWBACKS,
    DRAW_TYPES,
    EXCESSES,
    FIXED,
    FORGIVEN,
    NEGATIVES,
    PAY_EVENTS,
    Clawback,
    Draw,
    Holdback,
    PaymentCap,
    PaymentTerms,
)
from spms_lib.incentives.plan.model import INTERVALS
from spms_lib.incentives.plan.values import (
    Place,
    Problem,
    Problems,
    Read,
    fields,
    number,
    one_of,
    text,
    whole,
)
from spms_lib.money import minor_per_unit


def terms_from_dict(
    data: Mapping[str, object], per_unit: int, *, place: Place = ("payment",)
) -> tuple[PaymentTerms | None, list[Problem]]:
    """Read the payment terms of a plan, or say everything that is wrong with them.

    Parameters
    ----------
    data
        The plan's `payment` block as plain values.
    per_unit
        Minor units of one unit of the plan's currency.
    place
        Where the block stands, for the problems.

    Returns
    -------
    PaymentTerms or None
        None where anything is wrong.
    list of Problem

    Examples
    --------
    >>> terms, problems = terms_from_dict({"cap": {"per_period": 10000, "excess": "carry"}}, 100)
    >>> terms, problems[0].what
    (None, 'A payment cap or a draw has no currency.')
    """
    found: Problems = []
    known: dict[str, Read] = {
        "currency": _currency,
        "paid": one_of(*INTERVALS),
        "negative": one_of(*NEGATIVES),
        "pay_on": one_of(*PAY_EVENTS),
        "draw": partial(_draw, per_unit),
        "cap": partial(_cap, per_unit),
        "holdback": _holdback,
        "clawback": _clawback,
    }
    terms = PaymentTerms(**fields(data, place, found, known))
    if not found:
        found += _together(terms, per_unit, place)
    return (None if found else terms), found


def _draw(per_unit: int, value: object, place: Place, found: Problems) -> Draw | None:
    known = {
        "type": one_of(*DRAW_TYPES),
        "minimum": _money(per_unit),
        "from": _month,
        "to": _month,
        "periods": whole,
        "recovery_from": whole,
        "recovery_pct": _share,
    }
    read = fields(value, place, found, known, ("type", "minimum"))
    names = {"from": "first", "to": "last", "recovery_pct": "recovery_share"}
    read = {names.get(name, name): one for name, one in read.items()}
    if "periods" in read and "last" in read:
        found.append(Problem(place, "It ends twice: by 'periods' and by 'to'.", "Leave one of them out."))
    if read.get("type") == FORGIVEN and not {"periods", "last"} & set(read):
        found.append(
            Problem(place, "It says that the rest is forgiven but not when.", "Add 'periods' or 'to'.")
        )
    if read.get("recovery_share") == 0:
        found.append(Problem(place, "Nothing is ever recovered.", "Use the type non_recoverable."))
    return Draw(**read) if {"type", "minimum"} <= set(read) else None


def _cap(per_unit: int, value: object, place: Place, found: Problems) -> PaymentCap:
    money = _money(per_unit)
    read = fields(
        value, place, found, {"per_period": money, "total": money, "excess": one_of(*EXCESSES)}, ("excess",)
    )
    if read and not {"per_period", "total"} & set(read):
        found.append(Problem(place, "It has no amount.", "State per_period, total, or both."))
    return PaymentCap(**{"per_period": None, "total": None, "excess": "", **read})


def _holdback(value: object, place: Place, found: Problems) -> Holdback | None:
    read = fields(value, place, found, {"upfront": _share, "after": whole}, ("upfront", "after"))
    return Holdback(**read) if {"upfront", "after"} <= set(read) else None


def _clawback(value: object, place: Place, found: Problems) -> Clawback | None:
    read = fields(value, place, found, {"type": one_of(*CLAWBACKS), "share": _share}, ("type",))
    if (read.get("type") == FIXED) != ("share" in read):
        found.append(
            Problem(
                (*place, "share"), "A share belongs to a fixed clawback, and only there.", "Add or drop it."
            )
        )
    return Clawback(**read) if "type" in read else None


def _together(terms: PaymentTerms, per_unit: int, place: Place) -> Problems:
    """Mistakes that only show when the parts are seen together."""
    if (terms.cap or terms.draw) and not terms.currency:
        remedy = "State 'currency': an amount in an unsaid currency is a dispute."
        return [Problem((*place, "currency"), "A payment cap or a draw has no currency.", remedy)]
    if terms.currency and minor_per_unit(terms.currency) != per_unit:
        remedy = "State payment in the currency of the plan."
        return [Problem((*place, "currency"), f"The plan is not in {terms.currency}.", remedy)]
    if terms.draw and terms.cap and terms.draw.minimum > (most := _most(terms.cap)):
        remedy = f"Lower it to {most / per_unit:g} or less, or raise the cap."
        return [Problem((*place, "draw", "minimum"), "The minimum lies above the payment cap.", remedy)]
    return []


def _most(cap: PaymentCap) -> int:
    return min(limit for limit in (cap.per_period, cap.total) if limit is not None)


def _money(per_unit: int) -> Callable[[object, Place, Problems], int]:
    """Read an amount in currency units as whole minor units, zero or more."""

    def read(value: object, place: Place, found: Problems) -> int:
        minor = number(value, place, found) * per_unit
        if math.isnan(minor):
            return 0
        if minor < 0 or minor.denominator != 1:
            found.append(
                Problem(place, f"{value} is below zero or not whole cents.", "Write it as 2000 or 99.50.")
            )
        return int(minor)

    return read


def _share(value: object, place: Place, found: Problems) -> object:
    share = number(value, place, found)
    if share < 0 or share > 1:
        found.append(Problem(place, f"{value} is not a share.", "Write 0 % to 100 %."))
    return share


def _month(value: object, place: Place, found: Problems) -> str:
    """Read a month, written as one or as a day in it."""
    month = str(value)[:7]
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        found.append(Problem(place, f"'{value}' is not a month.", "Write it as 2026-01."))
    return month


def _currency(value: object, place: Place, found: Problems) -> str:
    code = text(value, place, found)
    try:
        minor_per_unit(code)
    except MoneyError as refusal:
        found.append(Problem(place, refusal.what, refusal.remedy))
    return code
