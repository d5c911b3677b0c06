"""Reading the rules around a curve: measures, conditions, gates, multipliers, kickers, caps."""

import datetime as dt
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from spms_lib.incentives.plan import model
from spms_lib.incentives.plan.curves import CURVE, SHAPES
from spms_lib.incentives.plan.model import (
    Cap,
    Clause,
    Condition,
    Kicker,
    Matrix,
    MeasureRule,
    Multiplier,
    Reference,
    Rounding,
    TrueUp,
    Windfall,
)
from spms_lib.incentives.plan.values import (
    UNREAD,
    Place,
    Problem,
    Problems,
    Read,
    day,
    each,
    fields,
    number,
    one_of,
    pair,
    text,
    whole,
)

TESTS: Final = ("in", "not_in", "at_least", "more_than", "at_most", "less_than")
LEVELS: Final = ("at_least", "more_than")


def condition(value: object, place: Place, found: Problems) -> Condition:
    tests = {name: each(_value) if name in {"in", "not_in"} else _value for name in TESTS}
    read = fields(value, place, found, {"column": text, **tests}, ("column",))
    read.pop("clause", None)
    column = read.pop("column", "")
    if len(read) != 1:
        found.append(Problem(place, f"It has {len(read)} tests.", f"Write one of {', '.join(TESTS)}."))
        return Condition(column, "in", ())
    test, given = next(iter(read.items()))
    values = given if test in {"in", "not_in"} else (given,)
    if test not in {"in", "not_in"} and isinstance(given, str):
        found.append(
            Problem((*place, test), f"'{given}' has no order.", "Compare with a number or a day, or use in.")
        )
    return Condition(column, test, values)


def _value(value: object, place: Place, found: Problems) -> str | Fraction | dt.date:
    """Read a value that a column is compared with: a day, a number, or else a text."""
    for kind in (day, number):
        trial: Problems = []
        read = kind(value, place, trial)
        if not trial and read is not None:
            return read
    return text(value, place, found)


def measure(value: object, place: Place, found: Problems, name: str = "") -> MeasureRule:
    known = {
        "value": one_of(*model.VALUES),
        "per": one_of(*model.VALUES),
        "credit_types": each(text),
        "where": each(condition),
    }
    return MeasureRule(name or str(place[-1]), **fields(value, place, found, known))


def _reference(read: dict[str, Any], place: Place, found: Problems) -> Reference:
    named = {name: read.pop(name) for name in ("component", "measure") if name in read}
    if len(named) != 1:
        found.append(
            Problem(
                (*place, "component"),
                f"It names {' and '.join(named) or 'nothing to look at'}.",
                "Name one component or one measure.",
            )
        )
    return Reference(**named, over=read.pop("over", model.INTERVAL))


_LOOKS: Final[dict[str, Read]] = {
    "component": text,
    "measure": text,
    "over": one_of(model.INTERVAL, *model.INTERVALS),
}


def _level(read: dict[str, Any], place: Place, found: Problems) -> tuple[Reference, str, Fraction]:
    reference = _reference(read, place, found)
    given = {name: read[name] for name in LEVELS if name in read}
    if len(given) != 1:
        found.append(Problem((*place, "at_least"), "A gate needs one level.", "Write at_least or more_than."))
    test, level = next(iter(given.items()), ("at_least", UNREAD))
    return reference, test, level


def _any(value: object, place: Place, found: Problems) -> tuple[Reference, str, Fraction]:
    known = {**_LOOKS, **dict.fromkeys(LEVELS, number)}
    return _level(fields(value, place, found, known), place, found)


def _closed(value: object, place: Place, found: Problems) -> Any:
    if isinstance(value, str):
        return one_of("nothing", "first_rate")(value, place, found)
    read = fields(value, place, found, {**CURVE, "rate": number})
    if len([name for name in ("rate", *SHAPES) if name in read]) != 1:
        found.append(
            Problem(
                place,
                "It does not say what a closed gate pays.",
                "Write nothing, first_rate, {rate: ..} or {tiers: ..}.",
            )
        )
    return read


def gate(value: object, place: Place, found: Problems) -> dict[str, Any]:
    """Read a gate as plain values; what it pays when closed depends on the component's curve."""
    known = {**_LOOKS, **dict.fromkeys(LEVELS, number), "any": each(_any), "closed": _closed}
    read = fields(value, place, found, known)
    if "any" not in read:
        read["any"] = (_level(read, place, found),)
    elif set(read) & {*_LOOKS, *LEVELS}:
        found.append(Problem(place, "It has both 'any' and a test of its own.", "Put the test into 'any'."))
    return {"any_of": read["any"], "closed": read.get("closed"), "clause": read.get("clause", Clause())}


def multiplier(value: object, place: Place, found: Problems) -> Multiplier:
    known = {**_LOOKS, "tie": one_of(*model.TIES), "rows": each(pair)}
    read = fields(value, place, found, known, ("tie", "rows"))
    return Multiplier(_reference(read, place, found), **{"tie": "", "rows": (), **read})


def _side(value: object, place: Place, found: Problems) -> tuple[Reference, tuple[Fraction, ...]]:
    read = fields(value, place, found, {**_LOOKS, "starts": each(number)}, ("starts",))
    return _reference(read, place, found), read.get("starts", ())


def matrix(value: object, place: Place, found: Problems) -> Matrix | None:
    known = {
        "rows": _side,
        "columns": _side,
        "values": each(each(number)),
        "pays": one_of(*model.PAYS),
        "tie": one_of(*model.TIES),
    }
    read = fields(value, place, found, known, tuple(known))
    read.pop("clause", None)
    if set(read) != set(known):
        return None
    (rows, down), (columns, across) = read.pop("rows"), read.pop("columns")
    return Matrix(rows, columns, down, across, **read)


def kicker(value: object, place: Place, found: Problems) -> Kicker:
    known = {"where": each(condition), "factor": number, "first": whole}
    return Kicker(
        **{"where": (), "factor": UNREAD, **fields(value, place, found, known, ("where", "factor"))}
    )


def cap(value: object, place: Place, found: Problems) -> Cap:
    if not isinstance(value, Mapping):
        return Cap(number(value, place, found), model.TARGET_INCENTIVE)
    known = {"value": number, "of": one_of(model.TARGET_INCENTIVE, model.MONEY)}
    return Cap(**{"value": UNREAD, "of": "", **fields(value, place, found, known, tuple(known))})


def true_up(value: object, place: Place, found: Problems) -> TrueUp:
    known = {"interval": one_of(*model.INTERVALS), "cap": cap}
    value = {"interval": value} if isinstance(value, str) else value
    return TrueUp(**{"interval": "", **fields(value, place, found, known, ("interval",))})


_LIMITS: Final = (
    "deal_value_over",
    "commission_over",
    "share_of_target_incentive_over",
    "share_of_quota_over",
)


def windfall(value: object, place: Place, found: Problems) -> Windfall:
    return Windfall(**fields(value, place, found, dict.fromkeys(_LIMITS, number)))


def rounding(value: object, place: Place, found: Problems) -> Rounding:
    read = fields(value, place, found, {"to": number, "half": one_of(*model.HALVES)})
    return Rounding(**{name: read[name] for name in read if name != "clause"})


def measure_of(value: object, place: Place, found: Problems) -> str | MeasureRule:
    return measure(value, place, found) if isinstance(value, Mapping) else text(value, place, found)
