"""Every number of a plan as people read it, with the clause that it comes from."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from fractions import Fraction
from typing import Any, Final

import pandas as pd

from spms_lib.incentives.plan.model import (
    ATTAINMENT,
    MONEY,
    MONEY_VALUES,
    RATE,
    TARGET_INCENTIVE,
    Clause,
    CompensationPlan,
    Component,
    Condition,
    Curve,
    Gate,
    Matrix,
    Reference,
)
from spms_lib.incentives.plan.numbers import exact, percent, plain
from spms_lib.incentives.plan.rules import LIMITS

COLUMNS: Final = ("component", "name", "value", "unit", "clause", "description", "source")

_Term = tuple[str, object, str, Clause]  # name, value, unit, clause of the block; a unit "%..." is a ratio


def plan_terms(plan: CompensationPlan) -> pd.DataFrame:
    """List every number and day of a plan, so that a reader can hold it against the document.

    A number whose own block has no clause, description or source takes that of the block around it.
    Numbers of the further blocks (crediting, payment, ...) stand under the block's name, as written.

    Returns
    -------
    pd.DataFrame
        Text columns component (empty for the plan's own), name (its place), value (as people
        read it), unit (what it is an amount or a share of), clause, description, source.
    """
    rows = [_row("", plan.clause, term) for term in _head(plan)]
    for component in plan.components.values():
        around = _inside(component.clause, plan.clause)
        rows += [_row(component.name, around, term) for term in _component(plan, component)]
    for name, block in plan.blocks.items():
        rows += [_row(name, plan.clause, term) for term in _raw(block, "")]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(component: str, around: Clause, term: _Term) -> tuple[str, ...]:
    name, value, unit, clause = term
    told = _inside(clause, around)
    if isinstance(value, Fraction):
        text = percent(value) if unit.startswith("%") else plain(value)
    else:
        text = str(value)
    return component, name, text, unit.removeprefix("%").strip(), told.number, told.description, told.source


def _inside(clause: Clause, around: Clause) -> Clause:
    """Take from the block around what a block does not say itself."""
    return Clause(*(getattr(clause, one.name) or getattr(around, one.name) for one in fields(Clause)))


def _head(plan: CompensationPlan) -> Iterator[_Term]:
    own = Clause()
    values = (
        ("effective_from", plan.effective_from, "day"),
        ("effective_to", plan.effective_to, "day"),
        ("pay_mix", plan.pay_mix, "% of on-target earnings"),
        ("rounding.to", plan.rounding.to, plan.currency),
    )
    yield from ((name, value, unit, own) for name, value, unit in values if value is not None)
    for name, rule in plan.measures.items():
        for one in _conditions(rule.where, f"measures.{name}.where"):
            yield (*one, rule.clause)


def _component(plan: CompensationPlan, component: Component) -> Iterator[_Term]:
    values = (
        ("weight", component.weight, "% of target incentive"),
        ("deal_cap", component.deal_cap, plan.currency),
        ("pays_from", component.pays_from, "day"),
        ("pays_to", component.pays_to, "day"),
    )
    yield from ((name, value, unit, Clause()) for name, value, unit in values if value is not None)
    if component.curve is not None:
        yield from _curve(plan, component, component.curve, "", Clause())
    if component.matrix is not None:
        yield from _matrix(plan, component, component.matrix)
    for number, gate in enumerate(component.gates, start=1):
        yield from _gate(plan, component, gate, f"gate {number}")
    for number, one in enumerate(component.multipliers, start=1):
        for row, (start, factor) in enumerate(one.rows, start=1):
            yield f"multiplier {number} from {row}", start, _looked_at(plan, one.reference), one.clause
            yield f"multiplier {number} factor {row}", factor, "times", one.clause
    for number, kicker in enumerate(component.kickers, start=1):
        yield f"kicker {number} factor", kicker.factor, "times", kicker.clause
        if kicker.first is not None:
            yield f"kicker {number} first", kicker.first, "deals", kicker.clause
        yield from ((*one, kicker.clause) for one in _conditions(kicker.where, f"kicker {number}"))
    yield from _limits(component, plan.currency)


def _matrix(plan: CompensationPlan, component: Component, matrix: Matrix) -> Iterator[_Term]:
    sides = (("rows", matrix.rows, matrix.row_starts), ("columns", matrix.columns, matrix.column_starts))
    for side, reference, starts in sides:
        for number, start in enumerate(starts, start=1):
            yield f"matrix {side} {number}", start, _looked_at(plan, reference), Clause()
    paid = _paid(matrix.pays, plan.currency, component.base or component.measure)
    for row, values in enumerate(matrix.values, start=1):
        for column, value in enumerate(values, start=1):
            yield f"matrix {row}, {column}", value, paid, Clause()


def _gate(plan: CompensationPlan, component: Component, gate: Gate, name: str) -> Iterator[_Term]:
    for reference, test, level in gate.any_of:
        yield f"{name} {test}", level, _looked_at(plan, reference), gate.clause
    if gate.closed is not None:
        yield from _curve(plan, component, gate.closed, f"{name} closed ", gate.clause)


def _limits(component: Component, currency: str) -> Iterator[_Term]:
    caps = [("cap", component.cap, Clause())]
    if component.true_up is not None:
        caps.append(("true_up cap", component.true_up.cap, component.true_up.clause))
    for name, cap, around in caps:
        if cap is not None:
            yield name, cap.value, _paid(cap.of, currency, ""), _inside(cap.clause, around)
    for limit in LIMITS if component.windfall is not None else ():
        value = getattr(component.windfall, limit)
        if value is not None and component.windfall is not None:
            share = "% of " + limit.removeprefix("share_of_").removesuffix("_over").replace("_", " ")
            unit = share if limit.startswith("share") else currency
            yield f"windfall {limit}", value, unit, component.windfall.clause


def _curve(
    plan: CompensationPlan, component: Component, curve: Curve, name: str, clause: Clause
) -> Iterator[_Term]:
    measure = plan.measures[component.measure]
    along = (
        "% of quota" if curve.unit == ATTAINMENT else "% of " + measure.per if measure.per else measure.value
    )
    if measure.value in MONEY_VALUES and along == measure.value:
        along = plan.currency
    paid = _paid(curve.pays, plan.currency, component.base or component.measure)
    if curve.threshold is not None:
        yield f"{name}threshold", curve.threshold, along, clause
    if curve.step is not None:
        yield f"{name}step every", curve.step.every, along, clause
        yield f"{name}step pays", curve.step.pays, paid, clause
    for number, tier in enumerate(curve.tiers, start=1):
        yield f"{name}tier {number} from", tier.start, along, clause
        if tier.end is not None:
            yield f"{name}tier {number} to", tier.end, along, clause
        yield f"{name}tier {number} value", tier.value, f"{paid}, {tier.mode}", clause


def _paid(pays: str, currency: str, paid_on: str) -> str:
    return {TARGET_INCENTIVE: "times target incentive", RATE: f"% of {paid_on}", MONEY: currency}[pays]


def _looked_at(plan: CompensationPlan, reference: Reference) -> str:
    over = f" over the {reference.over}"
    if reference.component:
        return f"% of the quota of {reference.component}{over}"
    rule = plan.measures[reference.measure]
    return f"% {reference.measure}{over}" if rule.per or rule.value == "score" else reference.measure + over


def _conditions(where: Sequence[Condition], name: str) -> Iterator[tuple[str, object, str]]:
    for condition in where:
        for value in condition.values:
            if not isinstance(value, str):
                yield f"{name} {condition.column} {condition.test}", value, condition.column


def _raw(value: Any, name: str) -> Iterator[_Term]:
    """Find the numbers of a block that another package reads."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _raw(one, f"{name} {key}".strip())
    elif isinstance(value, (list, tuple)):
        for number, one in enumerate(value, start=1):
            yield from _raw(one, f"{name} {number}".strip())
    elif isinstance(value, dt.date):
        yield name, value, "day", Clause()
    elif isinstance(value, str):
        if value.strip().endswith("%") or value.strip().replace(".", "").replace("/", "").isdigit():
            yield name, value, "", Clause()
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield name, exact(value), "", Clause()
