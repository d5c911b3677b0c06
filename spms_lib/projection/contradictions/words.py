"""Contradictions in words: who is at odds with whom, by how much, and what to change."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NoReturn

from spms_lib.errors import InfeasibleError
from spms_lib.projection.contradictions.limits import (
    HOLD,
    LOWER,
    UPPER,
    Contradiction,
    Limit,
)

Names = Sequence[str] | Mapping[int, str]

NAMED: Final = 6  # limits, nodes that a message names one by one

_IS: Final = {HOLD: "is held at", LOWER: "must be at least", UPPER: "may be at most"}
_AT: Final = {HOLD: "held at", LOWER: "at least", UPPER: "at most"}
_NOUN: Final = {HOLD: "hold", LOWER: "floor", UPPER: "cap"}
_MANY: Final = {HOLD: "holds", LOWER: "lower bounds", UPPER: "upper bounds"}


def refuse(contradictions: Sequence[Contradiction], names: Names, columns: Sequence[str]) -> NoReturn:
    """Refuse to plan: the first contradiction in full, then where the others are.

    Parameters
    ----------
    contradictions
        At least one.
    names
        Shape (n_nodes,) or (n_variables,): what to call each position.
    columns
        Shape (n_columns,): what to call each column.

    Raises
    ------
    InfeasibleError
        Always. It names limits with their numbers, says what they sum to, and by how much to
        change which.

    Examples
    --------
    >>> members = (Limit(0, "upper", 50.0), Limit(1, "hold", 40.0), Limit(2, "lower", 20.0))
    >>> try:
    ...     refuse([Contradiction(0, members, 10.0, 0)], ["north", "anna", "ben"], ["2026-01"])
    ... except InfeasibleError as refusal:
    ...     print(refusal.remedy)
    Raise the cap of 'north' to 60.00, or lower the others by 10.00 in all, or lift one of them.
    """
    first, *others = contradictions
    what, remedy = _words(first, names, str(columns[first.column]))
    only_holds = all(limit.kind == HOLD for limit in first.members)
    raise InfeasibleError(
        what + _further(others, names, columns),
        where="holds" if only_holds else "holds and bounds",
        remedy=remedy,
    )


def _words(found: Contradiction, names: Names, column: str) -> tuple[str, str]:
    """Say what is wrong and what to do about it."""
    own, *others = found.members
    if len(others) == 1 and others[0].position == own.position:
        return _words_for_one_node(own, others[0], names, column)
    if found.node is None:
        return _words_for_any(found, names, column)
    if found.of_children and all(limit.kind == HOLD for limit in found.members):
        return _words_for_held_children(own, others, names, column)
    return _words_for_a_tree(own, others, names, column)


def _words_for_one_node(floor: Limit, cap: Limit, names: Names, column: str) -> tuple[str, str]:
    name = names[floor.position]
    return (
        (
            f"'{name}' must be at least {_number(floor.value)} and at most {_number(cap.value)} in {column}: "
            "its own hold or bounds exclude each other (minor units)."
        ),
        (
            f"Raise the cap of '{name}' to {_number(floor.value)}, or lower its floor to {_number(cap.value)}, "
            "or lift one of them; a hold must lie within the bounds of its own node."
        ),
    )


def _words_for_held_children(own: Limit, children: list[Limit], names: Names, column: str) -> tuple[str, str]:
    total = _total(children)
    return (
        (
            f"'{names[own.position]}' is held at {_number(own.value)}, but its children are all held and sum to "
            f"{_number(total)} (minor units, {column})."
        ),
        f"Change one of these holds by {_number(total - own.value, '+')}, or lift one.",
    )


def _words_for_a_tree(own: Limit, below: list[Limit], names: Names, column: str) -> tuple[str, str]:
    total = _total(below)
    too_much = total > own.value
    name, sum_below = names[own.position], _number(total)
    limit = f"at least {sum_below} is fixed" if too_much else f"at most {sum_below} is possible"
    this_way, that_way = ("Raise", "lower") if too_much else ("Lower", "raise")
    change = f"{that_way} the others by {_number(abs(total - own.value))} in all"
    if len(below) == 1:
        other = below[0]
        change = f"{that_way} the {_NOUN[other.kind]} of '{names[other.position]}' to {_number(own.value)}"
    return (
        (
            f"'{name}' {_IS[own.kind]} {_number(own.value)} in {column}, but below it {limit}: "
            f"{_listed(below, names)} (minor units)."
        ),
        f"{this_way} the {_NOUN[own.kind]} of '{name}' to {sum_below}, or {change}, or lift one of them.",
    )


def _words_for_any(found: Contradiction, names: Names, column: str) -> tuple[str, str]:
    kinds = {limit.kind for limit in found.members}
    moves = {HOLD: "move holds", LOWER: "lower floors", UPPER: "raise caps"}
    ways = " or ".join(move for kind, move in moves.items() if kind in kinds)
    amount = _number(found.excess)
    return (
        (
            f"No plan meets all of these in {column}: {_listed(found.members, names)}; "
            f"they miss each other by {amount} (minor units)."
        ),
        f"{ways.capitalize()} among them by {amount} in all, or lift one of them.",
    )


def _listed(limits: Sequence[Limit], names: Names) -> str:
    """Name the largest limits one by one, and say what the others sum to."""
    ranked = sorted(limits, key=lambda limit: -abs(limit.value))
    named = ranked if len(ranked) <= NAMED + 1 else ranked[:NAMED]
    text = ", ".join(f"'{names[limit.position]}' {_AT[limit.kind]} {_number(limit.value)}" for limit in named)
    rest = ranked[len(named) :]
    if not rest:
        return text
    kinds = {limit.kind for limit in rest}
    what = " and ".join(many for kind, many in _MANY.items() if kind in kinds)
    return f"{text} and {len(rest)} more {what} summing to {_number(_total(rest))}"


def _further(others: list[Contradiction], names: Names, columns: Sequence[str]) -> str:
    """Say how many more contradictions there are, and at which nodes and columns."""
    if not others:
        return ""
    places: dict[int, list[str]] = {}
    for found in others:
        place = found.members[0].position if found.node is None else found.node
        places.setdefault(place, []).append(str(columns[found.column]))
    where = [
        f"'{names[place]}' ({when[0]}{f' and {len(when) - 1} more' if len(when) > 1 else ''})"
        for place, when in places.items()
    ]
    more = f" and at {len(where) - NAMED} more nodes" if len(where) > NAMED else ""
    noun = "contradiction" if len(others) == 1 else "contradictions"
    return f" {len(others)} more {noun}: at {', '.join(where[:NAMED])}{more}."


def _total(limits: Iterable[Limit]) -> float:
    return math.fsum(limit.value for limit in limits)


def _number(value: float, sign: str = "") -> str:
    """Write an amount with two digits, or more where two would show nothing."""
    if 0 < abs(value) < 0.005:
        return f"{value:{sign}.1e}"
    return f"{value + 0.0:{sign},.2f}"
