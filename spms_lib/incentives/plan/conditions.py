"""Whether two rules can match the same credit, read from their conditions alone."""

import datetime as dt
from collections.abc import Iterable
from fractions import Fraction
from itertools import product

from spms_lib.incentives.plan.model import Condition

_FROM, _UP_TO = {"at_least": True, "more_than": False}, {"at_most": True, "less_than": False}
_Ordered = Fraction | dt.date


def can_meet(first: Iterable[Condition], second: Iterable[Condition]) -> bool:
    """Say whether a credit could pass both lists of conditions; False only where that is impossible.

    Examples
    --------
    >>> short = Condition("term_months", "less_than", (Fraction(36),))
    >>> long = Condition("term_months", "at_least", (Fraction(36),))
    >>> hardware = Condition("product", "in", ("hardware",))
    >>> can_meet([short], [long]), can_meet([short], [hardware])
    (False, True)
    """
    return not any(_exclude(one, other) for one, other in product(tuple(first), tuple(second)))


def _exclude(one: Condition, other: Condition) -> bool:
    if one.column != other.column:
        return False
    if "in" in (one.test, other.test):
        chosen, rule = (one, other) if one.test == "in" else (other, one)
        return not any(_passes(value, rule) for value in chosen.values)
    if "not_in" in (one.test, other.test):
        return False
    low, high = (one, other) if one.test in _FROM else (other, one)
    if low.test not in _FROM or high.test not in _UP_TO:
        return False
    start, end = low.values[0], high.values[0]
    if type(start) is not type(end):
        return False
    return not (_below(start, end) or (start == end and _FROM[low.test] and _UP_TO[high.test]))


def _passes(value: str | _Ordered, rule: Condition) -> bool:
    if rule.test == "in":
        return value in rule.values
    if rule.test == "not_in":
        return value not in rule.values
    limit = rule.values[0]
    if type(value) is not type(limit):
        return True
    if value == limit:
        return rule.test in {"at_least", "at_most"}
    return _below(limit, value) == (rule.test in _FROM)


def _below(one: object, other: object) -> bool:
    return bool(one < other)  # type: ignore[operator]
