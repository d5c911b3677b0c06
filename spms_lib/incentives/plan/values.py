"""Readers of a plan document's values: each returns what it read and notes what is wrong, and none stops.

A number that cannot be read becomes NaN. No comparison with it holds, so a later check does not
complain about the same place again; a plan with such a number is never handed out.
"""

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from fractions import Fraction
from typing import Any, Final, NamedTuple, cast

from spms_lib.errors import PlanError
from spms_lib.incentives.plan.model import Clause
from spms_lib.incentives.plan.numbers import exact

Place = tuple[str | int, ...]


class Problem(NamedTuple):
    """One mistake in a plan: its place (keys and list positions from the top), what is wrong, what to do."""

    place: Place
    what: str
    remedy: str


Problems = list[Problem]
Read = Callable[[object, Place, Problems], Any]
UNREAD: Final = cast("Fraction", math.nan)


def text(value: object, place: Place, found: Problems) -> str:
    """Read a text; a bare number with a point is refused, because YAML turns 4.10 into 4.1."""
    if isinstance(value, (Mapping, list, tuple, bool)):
        found.append(Problem(place, f"{value!r} is not a text.", "Write one word or one sentence."))
        return ""
    if isinstance(value, float):
        found.append(
            Problem(
                place, f"{value} is written as a number.", "Put quotes around it: 4.10 would lose its zero."
            )
        )
        return ""
    return str(value).strip()


def number(value: object, place: Place, found: Problems) -> Fraction:
    """Read an exact number, or NaN where it is none."""
    try:
        return exact(value)
    except PlanError as refusal:
        found.append(Problem(place, refusal.what, refusal.remedy))
        return UNREAD


def whole(value: object, place: Place, found: Problems) -> int:
    """Read a whole number of 1 or more."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    found.append(Problem(place, f"'{value}' is not a whole number of 1 or more.", "Write it as 3."))
    return 1


def day(value: object, place: Place, found: Problems) -> dt.date | None:
    """Read a day."""
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError:
        found.append(Problem(place, f"'{value}' is not a day.", "Write it as 2026-01-31."))
        return None


def one_of(*names: str) -> Read:
    """Read one of these words; the nearest one is named where it is another."""

    def read(value: object, place: Place, found: Problems) -> str:
        if value not in names:
            found.append(Problem(place, f"'{value}' is not known here.", nearest(str(value), names)))
        return str(value)

    return read


def each(item: Read) -> Read:
    """Read a list, item by item."""

    def read(value: object, place: Place, found: Problems) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)):
            found.append(
                Problem(place, f"'{value}' is not a list.", "Write [..], or one item a line after '- '.")
            )
            return ()
        return tuple(item(one, (*place, position), found) for position, one in enumerate(value))

    return read


def pair(value: object, place: Place, found: Problems) -> tuple[Fraction, Fraction]:
    """Read two numbers, such as a start and its factor."""
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        found.append(Problem(place, f"{value!r} is not a pair of numbers.", 'Write ["90 %", 0.5].'))
        return UNREAD, UNREAD
    return number(value[0], (*place, 0), found), number(value[1], (*place, 1), found)


def fields(
    value: object, place: Place, found: Problems, known: Mapping[str, Read], needed: Sequence[str] = ()
) -> dict[str, Any]:
    """Read a block of named values; a name without a value counts as left out.

    `clause`, `description` and `source` may stand in any block and come back as one `clause`.
    A misspelt name is one mistake, and its value is read as though the name were right.
    """
    if not isinstance(value, Mapping):
        example = ", ".join(needed or list(known)[:2])
        found.append(
            Problem(place, f"{value!r} is not a block of names and values.", f"State {example} by name.")
        )
        return {}
    known = {**known, "clause": text, "description": text, "source": text}
    meant = {}
    for name, one in value.items():
        near = name if name in known else _near(str(name), list(known))
        if name not in known:
            found.append(
                Problem((*place, name), f"'{name}' is not known here.", nearest(str(name), list(known)))
            )
        if near == name or (near and near not in value):
            meant[near] = one
    for name in needed:
        if meant.get(name) is None:
            found.append(Problem((*place, name), f"'{name}' is not stated.", "Add it."))
    read = {name: known[name](one, (*place, name), found) for name, one in meant.items() if one is not None}
    words = [read.pop(name, "") for name in ("clause", "description", "source")]
    return {**read, "clause": Clause(*words)} if any(words) else read


def nearest(name: str, known: Sequence[str]) -> str:
    """Name the nearest known word, else all of them.

    Examples
    --------
    >>> nearest("threshhold", ["tie", "threshold"]), nearest("x", ["upper", "lower"])
    ("Did you mean 'threshold'?", 'Known: upper, lower.')
    """
    near = _near(name, known)
    return f"Did you mean '{near}'?" if near else f"Known: {', '.join(known)}."


def _near(name: str, known: Sequence[str]) -> str:
    return next(iter(get_close_matches(name, known, n=1)), "")
