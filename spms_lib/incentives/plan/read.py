"""Reading a plan document: plain values in, a compensation plan or all its mistakes out."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from spms_lib.errors import PlanError
from spms_lib.incentives.plan import model
from spms_lib.incentives.plan.checks import problems_of
from spms_lib.incentives.plan.curves import CURVE, SHAPES, at_rate, curve_of, first_tier_on
from spms_lib.incentives.plan.model import CompensationPlan, Component, Curve, Gate, MeasureRule
from spms_lib.incentives.plan.rules import (
    cap,
    gate,
    kicker,
    matrix,
    measure,
    measure_of,
    multiplier,
    rounding,
    true_up,
    windfall,
)
from spms_lib.incentives.plan.values import (
    Place,
    Problem,
    Problems,
    Read,
    day,
    each,
    fields,
    number,
    one_of,
    text,
)

BLOCKS: Final = ("crediting", "payment", "forecast_incentive", "awards")


def plan_from_dict(data: Mapping[str, object]) -> CompensationPlan:
    """Read a compensation plan from plain values, such as those of a YAML file, or refuse all its mistakes.

    Parameters
    ----------
    data
        Blocks and values by name. Numbers may be text (`"1.5"`, `"150 %"`, `"1/3"`), decimals,
        whole numbers or floats; a float counts as what it prints as, so 0.1 is one tenth.

    Raises
    ------
    PlanError
        If anything is unknown, missing, of the wrong kind, or contradicts something else; every
        mistake is named with its place.

    Examples
    --------
    >>> plan = plan_from_dict({
    ...     "plan": "account_executive", "currency": "EUR", "effective_from": "2026-01-01",
    ...     "components": [{
    ...         "component": "new", "measure": {"value": "amount"}, "interval": "quarter",
    ...         "unit": "attainment", "pays": "target_incentive", "tie": "upper",
    ...         "tiers": [[0, "100 %", 1], ["100 %", None, "1.5"]],
    ...     }],
    ... })
    >>> plan.components["new"].curve.tiers[1]
    Tier(start=Fraction(1, 1), end=None, value=Fraction(3, 2), mode='incremental')
    """
    plan, found = _plan_and_problems(data)
    if plan is None:
        raise refusal_of(found, f"plan '{data.get('plan', '')}'", place_text)
    return plan


def read_plan(data: Mapping[str, object]) -> tuple[CompensationPlan | None, list[Problem]]:
    """Read a compensation plan from plain values, and note every mistake in it at once.

    Returns
    -------
    CompensationPlan or None
        None where there is any mistake.
    list of Problem
        In the order of the document's blocks; one for a place.
    """
    return _plan_and_problems(data)


def _plan_and_problems(data: Mapping[str, object]) -> tuple[CompensationPlan | None, list[Problem]]:
    found: Problems = []
    draft = _draft(data, found)
    found += problems_of(draft)
    kept: dict[Place, Problem] = {}
    for problem in found:  # what lies in a place that could not be read follows from that
        if not any(problem.place[:depth] in kept for depth in range(len(problem.place) + 1)):
            kept[problem.place] = problem
    return (None if kept else draft), list(kept.values())


def refusal_of(found: list[Problem], where: str, say: Callable[[Place], str]) -> PlanError:
    """Put all mistakes of a plan into one refusal, a line each; `say` words a place."""
    if len(found) == 1:
        return PlanError(found[0].what, where=f"{where}, {say(found[0].place)}", remedy=found[0].remedy)
    lines = [f"{say(problem.place)}: {problem.what} {problem.remedy}" for problem in found]
    return PlanError("\n".join([f"{len(found)} mistakes.", *lines]), where=where)


def place_text(place: Place) -> str:
    """Word a place: names with points between, list positions counted from 1.

    Examples
    --------
    >>> place_text(("components", 0, "tiers", 2, "value"))
    'components 1.tiers 3.value'
    """
    words = ""
    for part in place:
        words += f" {part + 1}" if isinstance(part, int) else f".{part}" if words else part
    return words


_COMPONENT: Final[dict[str, Read]] = CURVE | {
    "component": text,
    "measure": measure_of,
    "base": text,
    "weight": number,
    "interval": one_of(*model.INTERVALS),
    "accumulate": one_of(*model.ACCUMULATES),
    "against": one_of(*model.AGAINST),
    "matrix": matrix,
    "gates": each(gate),
    "multipliers": each(multiplier),
    "kickers": each(kicker),
    "cap": cap,
    "deal_cap": number,
    "true_up": true_up,
    "windfall": windfall,
    "pays_from": day,
    "pays_to": day,
    "prorate": one_of(*model.PRORATES),
}


def _component(value: object, place: Place, found: Problems) -> tuple[Component, MeasureRule | None]:
    read = fields(value, place, found, _COMPONENT, ("component", "measure", "interval"))
    name, counted = read.pop("component", ""), read.pop("measure", "")
    inline = replace(counted, name=name) if isinstance(counted, MeasureRule) else None
    shapes = [shape for shape in (*SHAPES, "matrix") if shape in read]
    if not shapes:
        remedy = f"Write one of {', '.join(SHAPES)}, matrix."
        found.append(Problem((*place, "tiers"), "Nothing says what it pays.", remedy))
    if len(shapes) > 1:
        found.append(Problem((*place, shapes[1]), f"It has {' and '.join(shapes)}.", "Keep one of them."))
    curve = curve_of(read, place, found)
    gates = []
    for position, one in enumerate(read.pop("gates", ())):
        closed = _closed_curve(one.pop("closed"), curve, (*place, "gates", position, "closed"), found)
        gates.append(Gate(**one, closed=closed))
    interval = read.pop("interval", "")
    return Component(name, name if inline else counted, curve, interval, **read, gates=tuple(gates)), inline


def _closed_curve(closed: Any, curve: Curve | None, place: Place, found: Problems) -> Curve | None:
    """Turn what a gate pays when closed into a curve; None for nothing."""
    if isinstance(closed, Mapping):
        if "rate" in closed:
            return at_rate(curve or Curve(model.ATTAINMENT, model.RATE, model.UPPER), closed["rate"])
        return curve_of(dict(closed), place, found, like=curve)
    if closed == "first_rate" and curve is not None:
        if curve.tiers:
            return first_tier_on(curve)
        if curve.step is not None:
            found.append(
                Problem(place, "There is no first tier that could go on.", "Write {rate: ..} or nothing.")
            )
    return None


def _draft(data: Mapping[str, object], found: Problems) -> CompensationPlan:
    """Read as much of a plan as can be read; whatever is missing or unreadable has been noted."""
    read = fields(data, (), found, _PLAN, ("plan", "currency", "effective_from", "components"))
    components: dict[str, Component] = {}
    measures = {rule.name: rule for rule in read.pop("measures", ())}
    for position, (component, inline) in enumerate(read.pop("components", ())):
        name, place = component.name, ("components", position, "component")
        if name in components:
            found.append(Problem(place, f"There are two components '{name}'.", "Rename one."))
        components[name if name not in components else f"{name} {position}"] = component
        if inline:
            if name in measures:
                found.append(
                    Problem((*place[:2], "measure"), f"There is a measure '{name}' already.", "Refer to it.")
                )
            measures[name] = inline
    name, currency = read.pop("plan", ""), read.pop("currency", "")
    starts = read.pop("effective_from", None) or dt.date.min
    blocks = {name: data[name] for name in BLOCKS if read.pop(name, None) is not None}
    return CompensationPlan(
        name,
        currency,
        starts,
        MappingProxyType(measures),
        MappingProxyType(components),
        **read,
        blocks=MappingProxyType(blocks),
    )


def _measures(value: object, place: Place, found: Problems) -> tuple[MeasureRule, ...]:
    if not isinstance(value, Mapping):
        found.append(
            Problem(place, "Measures are not named.", "Write one a line, such as bookings: {value: amount}.")
        )
        return ()
    return tuple(measure(rule, (*place, str(name)), found) for name, rule in value.items())


def _as_it_is(value: object, place: Place, found: Problems) -> object:
    del place, found
    return value


_PLAN: Final[dict[str, Read]] = {
    "plan": text,
    "version": text,
    "currency": text,
    "effective_from": day,
    "effective_to": day,
    "pay_mix": number,
    "rounding": rounding,
    "measures": _measures,
    "components": each(_component),
    **dict.fromkeys(BLOCKS, _as_it_is),
}
