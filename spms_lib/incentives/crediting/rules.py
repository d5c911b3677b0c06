"""How a plan credits sales and sets targets: the block `crediting` of its document, read and held exactly."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from spms_lib.incentives.plan.model import Clause
from spms_lib.incentives.plan.values import Place, Problem, Problems, each, fields, number, one_of, text

SPLIT, OVERLAY = "split", "overlay"
BLEND, SEGMENTS = "blend", "segments"
WHOLE: Final = Fraction(1)
NO_CLAUSE: Final = Clause()
NANO: Final = 10**9  # a share counts to nine digits
BASIS: Final = 10_000  # and a step of a ramp to a hundredth of a percent
PLACE: Final[Place] = ("crediting",)


@dataclass(frozen=True, slots=True)
class CreditType:
    """One kind of credit that a sale gives.

    Attributes
    ----------
    kind
        `split`: the shares of a sale sum to 100 %. `overlay`: they need not.
    owner
        Share of the sale's owner where no row of the table `splits` says otherwise.
    """

    name: str
    kind: str = SPLIT
    owner: Fraction = WHOLE
    clause: Clause = NO_CLAUSE


@dataclass(frozen=True, slots=True)
class RollUp:
    """Indirect credit: what managers are credited with for the sales of those below them.

    Attributes
    ----------
    of
        Credit type that rolls up.
    name
        Credit type that comes out: `name_1` one level up, `name_2` two levels up; where
        `shares` is empty every level is credited in full, as `name`.
    shares
        Override rate by levels up.
    """

    of: str
    name: str
    shares: tuple[Fraction, ...] = ()
    clause: Clause = NO_CLAUSE


@dataclass(frozen=True, slots=True)
class TargetRules:
    """How annual quotas and target incentives become those of a period.

    Attributes
    ----------
    quota_spread, incentive_spread
        Weights of the year's four quarters or twelve months; empty for equal months.
    ramp
        Share of the quota by month of tenure, the month of the start first; all of it afterwards.
    mid_period
        What a change inside an interval does: `blend` (by calendar days in force) or
        `segments` (each stretch is judged alone).
    """

    quota_spread: tuple[Fraction, ...] = ()
    incentive_spread: tuple[Fraction, ...] = ()
    ramp: tuple[Fraction, ...] = ()
    mid_period: str = BLEND
    clause: Clause = NO_CLAUSE


EQUAL_MONTHS: Final = TargetRules()


@dataclass(frozen=True, slots=True)
class CreditingRules:
    """Who is credited with what: the direct kinds of credit, their roll-ups, and how targets are set."""

    types: tuple[CreditType, ...]
    roll_ups: tuple[RollUp, ...] = ()
    targets: TargetRules = EQUAL_MONTHS
    clause: Clause = NO_CLAUSE


def crediting_from_dict(data: object) -> tuple[CreditingRules | None, list[Problem]]:
    """Read the block `crediting` of a plan, or say all that is wrong with it.

    Returns
    -------
    CreditingRules or None
        None where there is any problem.
    list of Problem
        Places start with `crediting`.

    Examples
    --------
    >>> rules, _ = crediting_from_dict({
    ...     "credit_types": {"revenue": {}, "overlay": {"kind": "overlay"}},
    ...     "roll_up": [{"of": "revenue", "name": "override", "shares": ["2 %", "1.5 %"]}],
    ... })
    >>> rules.roll_ups[0].shares
    (Fraction(1, 50), Fraction(3, 200))
    """
    found: Problems = []
    known = {"credit_types": _types, "roll_up": each(_roll_up), "targets": _targets}
    read = fields(data, PLACE, found, known, needed=["credit_types"])
    types, roll_ups = read.pop("credit_types", ()), read.pop("roll_up", ())
    rules = CreditingRules(types, roll_ups, **read)
    _check_names(rules, found)
    return (None if found else rules), found


def _types(value: object, place: Place, found: Problems) -> tuple[CreditType, ...]:
    if not isinstance(value, Mapping) or not value:
        found.append(Problem(place, "No credit type is stated.", "Name at least one, such as `revenue: {}`."))
        return ()
    return tuple(_type(str(name), one or {}, (*place, name), found) for name, one in value.items())


def _type(name: str, value: object, place: Place, found: Problems) -> CreditType:
    read = fields(value, place, found, {"kind": one_of(SPLIT, OVERLAY), "owner": _share})
    overlay = read.get("kind") == OVERLAY
    read.setdefault("owner", Fraction(0) if overlay else WHOLE)
    if not overlay and read["owner"] != 1:
        found.append(
            Problem((*place, "owner"), "The owner of a split type has what is not split.", "Leave it out.")
        )
    return CreditType(name, **read)


def _roll_up(value: object, place: Place, found: Problems) -> RollUp:
    known = {"of": text, "name": text, "shares": each(_share)}
    read = fields(value, place, found, known, needed=["of", "name"])
    return RollUp(**{"of": "", "name": "", **read})


def _targets(value: object, place: Place, found: Problems) -> TargetRules:
    known: dict[str, Any] = {
        "quota_spread": _spread, "incentive_spread": _spread, "ramp": each(_step),
        "mid_period": one_of(BLEND, SEGMENTS),
    }  # fmt: skip
    return TargetRules(**fields(value, place, found, known))


def _share(value: object, place: Place, found: Problems) -> Fraction:
    share = number(value, place, found)
    if share < 0 or share > 1:
        found.append(Problem(place, f"{value} is not a share.", "Write 0 % to 100 %."))
    elif share == share and (share * NANO).denominator != 1:  # noqa: PLR0124  # a number that was read is itself
        found.append(Problem(place, f"{value} has more than nine digits.", 'Write it as "33.3333333 %".'))
    return share


def _step(value: object, place: Place, found: Problems) -> Fraction:
    before = len(found)
    share = _share(value, place, found)
    if len(found) == before and (share * BASIS).denominator != 1:
        found.append(Problem(place, f"{value} is too fine.", "Write hundredths of a percent at most."))
    return share


def _spread(value: object, place: Place, found: Problems) -> tuple[Fraction, ...]:
    weights: tuple[Fraction, ...] = each(number)(value, place, found)
    if len(weights) not in {4, 12} or any(weight < 0 for weight in weights) or not any(weights):
        found.append(
            Problem(
                place,
                "These are not weights of a year.",
                "Give four quarters or twelve months, none negative.",
            )
        )
    return weights


def _check_names(rules: CreditingRules, found: Problems) -> None:
    direct = {one.name for one in rules.types}
    taken = set(direct)
    for position, one in enumerate(rules.roll_ups):
        place = (*PLACE, "roll_up", position)
        if one.of and direct and one.of not in direct:
            found.append(
                Problem(
                    (*place, "of"), f"There is no credit type '{one.of}'.", f"Known: {', '.join(direct)}."
                )
            )
        names = {f"{one.name}_{level}" for level in range(1, len(one.shares) + 1)} or {one.name}
        if taken & names:
            found.append(Problem((*place, "name"), f"'{one.name}' is taken.", "Choose another name."))
        taken |= names
