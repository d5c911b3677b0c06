"""Award rules: absolute conditions on measures, each with its clause and the days between which it holds."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise
from typing import Any, Final

from spms_lib.errors import PlanError

LENGTHS: Final = ("month", "quarter", "year")
TIES: Final = ("shared", "second")
_COMMON: Final = ("award", "kind", "clause", "per", "valid_from", "valid_to")
KINDS: Final = {  # what each kind needs, and what it may have
    "club": (("all",), ()),
    "streak": (("measure", "at_least", "periods"), ()),
    "first": (("measure", "at_least"), ()),
    "most_improved": (("measure", "least_base", "at_least", "winners", "ties"), ("second",)),
    "calibration": (("forecast", "actual", "within", "periods"), ("low", "high", "coverage_at_least")),
}
_NUMBERS: Final = ("at_least", "least_base", "within", "coverage_at_least")
_COUNTS: Final = ("periods", "winners")


@dataclass(frozen=True, slots=True)
class AwardRule:
    """One version of one award.

    Attributes
    ----------
    award
        Name of the award, the same for all its versions.
    kind
        `club`, `streak`, `first`, `most_improved` or `calibration`.
    clause
        Document and clause that state it.
    per
        Length of the periods it looks at: month, quarter or year.
    valid_from, valid_to
        First and last day of its validity; None for no end. A period belongs to the version
        that is valid on the period's last day.
    asks
        What the kind needs, by name; see `award_rules_from_dict`.
    """

    award: str
    kind: str
    clause: str
    per: str
    valid_from: dt.date
    valid_to: dt.date | None
    asks: Mapping[str, Any]

    def holds_on(self, day: dt.date) -> bool:
        """Whether this version is the one of a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


def award_rules_from_dict(rules: Sequence[Mapping[str, Any]]) -> tuple[AwardRule, ...]:
    """Read award rules from plain data, such as a YAML list, and refuse what is not clear.

    Every rule has award, kind, clause, per (month, quarter, year), valid_from, and may have valid_to.

    - club: all (measure: least value; true stands for 1)
    - streak: measure, at_least, periods; so many in a row
    - first: measure, at_least; the first period that reaches it
    - most_improved: measure, least_base (value of the period before that counts at all), at_least (change
      that earns it), winners, and ties: `shared` (all who tie with the last winner win too) or `second`
      (the measure named in `second` decides, and who ties on that as well shares)
    - calibration: forecast, actual, within (largest |forecast - actual| / |actual| in each period), periods;
      low, high and coverage_at_least (share of the periods with low <= actual <= high) if intervals count too

    Raises
    ------
    PlanError
        If a name is unknown (the nearest known one is named), something is missing or out of
        range, ties are not declared, or two versions of an award hold on the same day.

    Examples
    --------
    >>> rules = award_rules_from_dict([{"award": "club", "kind": "club", "clause": "2026, 3", "per": "year",
    ...     "valid_from": "2026-01-01", "all": {"attainment": 1.15, "compliant": True}}])
    >>> rules[0].asks["all"]
    {'attainment': 1.15, 'compliant': 1.0}
    """
    read = tuple(_rule(rule, f"award {number}") for number, rule in enumerate(rules, start=1))
    for name in {rule.award for rule in read}:
        versions = sorted((r for r in read if r.award == name), key=lambda rule: rule.valid_from)
        for first, second in pairwise(versions):
            if first.holds_on(second.valid_from):
                raise PlanError(
                    f"Two versions hold on {second.valid_from}: '{first.clause}' and '{second.clause}'.",
                    where=f"award '{name}'",
                    remedy=f"End the first one by valid_to: {second.valid_from - dt.timedelta(days=1)}.",
                )
    return read


def _rule(data: Mapping[str, Any], where: str) -> AwardRule:
    where = f"award '{data['award']}'" if data.get("award") else where
    kind = _one_of(data.get("kind"), tuple(KINDS), where, "kind")
    needed, optional = KINDS[kind]
    for name in data:
        _one_of(name, (*_COMMON, *needed, *optional), where, "name")
    missing = [name for name in (*_COMMON[:-1], *needed) if data.get(name) is None]
    if missing:
        raise PlanError(f"{', '.join(missing)} is missing.", where=where, remedy=_remedy(missing))
    asks = {name: data[name] for name in (*needed, *optional) if data.get(name) is not None}
    if kind == "club":
        asks["all"] = {str(m): _number(least, f"{where}, {m}") for m, least in dict(asks["all"]).items()}
    for name in set(asks) & {*_NUMBERS, *_COUNTS}:
        asks[name] = _number(asks[name], f"{where}, {name}")
        if name in _COUNTS and (asks[name] < 1 or asks[name] % 1):
            raise PlanError(f"{asks[name]:g} is no count.", where=f"{where}, {name}", remedy="Use 1, 2, ...")
    if kind == "most_improved":
        _one_of(asks["ties"], TIES, where, "rule for ties")
    _whole(asks, where, kind)
    first, last = _day(data["valid_from"], where), data.get("valid_to")
    until = None if last is None else _day(last, where)
    if until is not None and until < first:
        raise PlanError(f"It ends on {until}, before it starts.", where=where, remedy="Correct valid_to.")
    per = _one_of(data["per"], LENGTHS, where, "length of a period")
    return AwardRule(str(data["award"]), kind, str(data["clause"]), per, first, until, asks)


def _whole(asks: Mapping[str, Any], where: str, kind: str) -> None:
    """Refuse what only makes sense together, or would be won by everybody."""
    together = {"most_improved": ["second"], "calibration": ["low", "high", "coverage_at_least"]}.get(
        kind, []
    )
    given = [name for name in together if name in asks]
    wanted = (
        together if kind == "calibration" and given else ["second"] if asks.get("ties") == "second" else []
    )
    if given != wanted:
        raise PlanError(
            f"{', '.join(together)} belong together{' with ties: second' if kind == 'most_improved' else ''}.",
            where=where, remedy="Give all of them, or none.",
        )  # fmt: skip
    if kind == "club" and not asks["all"]:
        raise PlanError("No measure is asked for.", where=where, remedy="Write all: {attainment: 1.15}.")


def _remedy(missing: Sequence[str]) -> str:
    return "Declare ties: shared, or ties: second." if "ties" in missing else "Add what is missing."


def _one_of(value: object, known: Sequence[str], where: str, what: str) -> str:
    if value not in known:
        near = get_close_matches(str(value), known, n=1)
        hint = f"Did you mean '{near[0]}'?" if near else f"Known: {', '.join(known)}."
        raise PlanError(f"'{value}' is no {what} of an award.", where=where, remedy=hint)
    return str(value)


def _number(value: object, where: str) -> float:
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        raise PlanError(f"{value!r} is not a number.", where=where, remedy="Write a number, such as 1.15.")
    return float(value)


def _day(value: object, where: str) -> dt.date:
    try:
        return value if type(value) is dt.date else dt.date.fromisoformat(str(value))
    except ValueError:
        raise PlanError(f"'{value}' is not a day.", where=where, remedy="Write it as 2026-01-31.") from None
