"""What a compensation plan must not say: contradictions, and rules that can never apply."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Final

from spms_lib.errors import MoneyError
from spms_lib.incentives.plan.conditions import can_meet
from spms_lib.incentives.plan.curve_checks import (
    MOST_ATTAINMENT,
    MOST_FACTOR,
    curve_problems,
    matrix_problems,
    table_problems,
    too_large,
)
from spms_lib.incentives.plan.curves import first_tier_on
from spms_lib.incentives.plan.model import (
    AMOUNT,
    ATTAINMENT,
    INTERVALS,
    MARGIN,
    MONEY,
    MONEY_VALUES,
    RATE,
    TARGET_INCENTIVE,
    TRANSACTION,
    Cap,
    CompensationPlan,
    Component,
    Condition,
    Gate,
    Multiplier,
    Reference,
)
from spms_lib.incentives.plan.numbers import percent, plain
from spms_lib.incentives.plan.rules import LIMITS
from spms_lib.incentives.plan.shape import paid_at, pieces
from spms_lib.incentives.plan.values import Place, Problem
from spms_lib.money import minor_per_unit

_FULL: Final = Fraction(1)


def problems_of(plan: CompensationPlan) -> list[Problem]:
    """Name everything in a plan that contradicts itself or can never apply, in the order of its document."""
    found = list(_head_problems(plan))
    for name, rule in plan.measures.items():
        place: Place = ("measures", name)
        found += _condition_problems(rule.where, (*place, "where"))
        if rule.per == rule.value:
            found.append(
                Problem((*place, "per"), f"{rule.value} per {rule.per} is always 1.", "Leave `per` out.")
            )
    for position, component in enumerate(plan.components.values()):
        found += _component_problems(plan, component, ("components", position))
    return found


def _head_problems(plan: CompensationPlan) -> Iterator[Problem]:
    try:
        minor_per_unit(plan.currency)
    except MoneyError as refusal:
        yield Problem(("currency",), refusal.what, refusal.remedy)
    if not plan.name:
        yield Problem(("plan",), "The plan has no name.", "Name it.")
    if not plan.components:
        yield Problem(("components",), "The plan pays for nothing.", "Add a component.")
    if plan.effective_to is not None and plan.effective_to < plan.effective_from:
        yield Problem(
            ("effective_to",), f"It ends before it starts, {plan.effective_from}.", "Correct a day."
        )
    if plan.pay_mix is not None and plan.pay_mix > 1:
        yield too_large(plan.pay_mix, ("pay_mix",))
    if plan.pay_mix is not None and plan.pay_mix < 0:
        yield Problem(("pay_mix",), "The base share is negative.", "Use 0 % to 100 %.")
    if plan.rounding.to is not None and plan.rounding.to <= 0:
        yield Problem(
            ("rounding", "to"), f"Nothing is a multiple of {plain(plan.rounding.to)}.", 'Write "0.01".'
        )
    weights = {name: one.weight for name, one in plan.components.items() if one.weight is not None}
    total = sum(weights.values(), Fraction(0))
    if (total < 1 or total > 1) and all(0 < weight <= 1 for weight in weights.values()) and weights:
        parts = " + ".join(f"{name} {percent(weight)}" for name, weight in weights.items())
        last = [position for position, one in enumerate(plan.components.values()) if one.weight is not None][
            -1
        ]
        yield Problem(
            ("components", last, "weight"), f"Weights sum to {percent(total)}: {parts}.", "Make them 100 %."
        )


def _component_problems(plan: CompensationPlan, component: Component, place: Place) -> Iterator[Problem]:
    yield from _name_problems(plan, component, place)
    yield from _amount_problems(component, place)
    if component.curve is not None:
        yield from curve_problems(component.curve, place, plan.measures.get(component.measure))
    if component.matrix is not None:
        yield from matrix_problems(component.matrix, (*place, "matrix"))
        for name, reference in (("rows", component.matrix.rows), ("columns", component.matrix.columns)):
            yield from _reference_problems(plan, reference, (*place, "matrix", name))
    for position, gate in enumerate(component.gates):
        yield from _gate_problems(plan, component, gate, (*place, "gates", position))
    for position, multiplier in enumerate(component.multipliers):
        yield from _multiplier_problems(plan, multiplier, (*place, "multipliers", position))
    yield from _kicker_problems(component, place)
    yield from _cap_problems(component, component.cap, (*place, "cap"))
    yield from _true_up_problems(component, (*place, "true_up"))
    yield from _window_problems(plan, component, place)


def _amount_problems(component: Component, place: Place) -> Iterator[Problem]:
    if component.weight is not None and component.weight > 1:
        yield too_large(component.weight, (*place, "weight"))
    if component.weight is not None and component.weight <= 0:
        yield Problem((*place, "weight"), "The weight is not positive.", "Leave it out for pay on top.")
    if component.deal_cap is not None and component.deal_cap <= 0:
        yield Problem((*place, "deal_cap"), "The cap of a deal is not positive.", "Leave it out for no cap.")
    for limit in LIMITS if component.windfall else ():
        value = getattr(component.windfall, limit)
        if value is not None and value <= 0:
            yield Problem(
                (*place, "windfall", limit), f"The limit is {plain(value)}.", "Leave it out for none."
            )


def _multiplier_problems(plan: CompensationPlan, multiplier: Multiplier, place: Place) -> Iterator[Problem]:
    reference = multiplier.reference
    yield from _reference_problems(plan, reference, place)
    starts = [start for start, _ in multiplier.rows]
    yield from table_problems(starts, (*place, "rows"), attainment=bool(reference.component))
    for row, (_, factor) in enumerate(multiplier.rows):
        yield from _factor_problems(factor, (*place, "rows", row))


def _name_problems(plan: CompensationPlan, component: Component, place: Place) -> Iterator[Problem]:
    known = ", ".join(plan.measures) or "none"
    for key, name in (("measure", component.measure), ("base", component.base)):
        if name and name not in plan.measures:
            yield Problem((*place, key), f"There is no measure '{name}'.", f"Known: {known}.")
    pays = component.curve.pays if component.curve else component.matrix.pays if component.matrix else ""
    paid_on = plan.measures.get(component.base or component.measure)
    if pays == RATE and paid_on and (paid_on.value not in MONEY_VALUES or paid_on.per):
        yield Problem(
            (*place, "base"),
            f"It pays a rate, and '{paid_on.name}' is not money.",
            "Name a base that is money.",
        )


def _reference_problems(plan: CompensationPlan, reference: Reference, place: Place) -> Iterator[Problem]:
    for key, name, known in (
        ("component", reference.component, plan.components),
        ("measure", reference.measure, plan.measures),
    ):
        if name and name not in known:
            yield Problem(
                (*place, key), f"There is no {key} '{name}'.", f"Known: {', '.join(known) or 'none'}."
            )


def _gate_problems(
    plan: CompensationPlan, component: Component, gate: Gate, place: Place
) -> Iterator[Problem]:
    for position, (reference, test, level) in enumerate(gate.any_of):
        here = place if len(gate.any_of) == 1 else (*place, "any", position)
        yield from _reference_problems(plan, reference, here)
        measure = plan.measures.get(reference.measure)
        if measure and (measure.value, measure.per) == (MARGIN, AMOUNT) and level > 1:
            what = f"Margin per amount never reaches {percent(level)}, so the gate never opens."
            yield Problem((*here, test), what, f'Write "{plain(level)} %".')
        elif reference.component and level > MOST_ATTAINMENT:
            yield too_large(level, (*here, test))
        elif level < 0 or (level <= 0 and test == "at_least"):
            yield Problem(
                (*here, test), f"A gate at {plain(level)} is always open.", "Raise it or take it out."
            )
    curve, closed = component.curve, gate.closed
    goes_on = curve is not None and curve.tiers and closed == first_tier_on(curve)
    if closed is not None and not goes_on:
        yield from curve_problems(closed, (*place, "closed"), plan.measures.get(component.measure))


def _kicker_problems(component: Component, place: Place) -> Iterator[Problem]:
    for position, kicker in enumerate(component.kickers):
        here = (*place, "kickers", position)
        yield from _factor_problems(kicker.factor, (*here, "factor"))
        yield from _condition_problems(kicker.where, (*here, "where"))
    for (first, one), (second, other) in combinations(enumerate(component.kickers), 2):
        read = all(condition.column for condition in (*one.where, *other.where))
        if read and can_meet(one.where, other.where):
            yield Problem(
                (*place, "kickers", second, "where"),
                f"A deal can pass this kicker and kicker {first + 1}, and then count both factors.",
                "Add a condition that leaves out the other's deals.",
            )


def _factor_problems(factor: Fraction, place: Place) -> Iterator[Problem]:
    if factor < 0:
        yield Problem(place, f"The factor {plain(factor)} is negative.", "Use 0 or more.")
    if factor > MOST_FACTOR:
        yield too_large(factor, place)


def _condition_problems(where: Sequence[Condition], place: Place) -> Iterator[Problem]:
    for (_, one), (second, other) in combinations(enumerate(where), 2):
        if not can_meet([one], [other]):
            what = f"No credit passes both conditions on '{one.column}'."
            yield Problem((*place, second), what, "Change or remove one.")


def _cap_problems(component: Component, cap: Cap | None, place: Place) -> Iterator[Problem]:
    if cap is None:
        return
    if cap.value <= 0:
        yield Problem(place, f"The cap {plain(cap.value)} is not positive.", "Leave it out for no cap.")
        return
    curve = component.curve
    same = curve is not None and (curve.pays, cap.of) in {
        (MONEY, MONEY),
        (TARGET_INCENTIVE, TARGET_INCENTIVE),
    }
    if curve is None or not same or curve.unit != ATTAINMENT or not curve.tiers:
        return
    if any(curve_problems(curve, place, None)):
        return  # a wrong curve says nothing about its cap
    at_quota = paid_at(pieces(curve), _FULL)
    if cap.value < at_quota:
        yield Problem(
            place,
            f"The cap {plain(cap.value)} is below what quota pays, {plain(at_quota)}.",
            "Raise the cap, or leave it out.",
        )


def _true_up_problems(component: Component, place: Place) -> Iterator[Problem]:
    true_up = component.true_up
    if true_up is None:
        return
    known = true_up.interval in INTERVALS and component.interval in INTERVALS
    if known and INTERVALS.index(true_up.interval) <= INTERVALS.index(component.interval):
        what = f"A true-up over a {true_up.interval} is not longer than the component's {component.interval}."
        yield Problem((*place, "interval"), what, "Take a longer interval.")
    if component.accumulate == TRANSACTION:
        yield Problem(
            place, "Each credit is paid alone, so there is nothing to true up.", "Remove one of them."
        )
    yield from _cap_problems(component, true_up.cap, (*place, "cap"))


def _window_problems(plan: CompensationPlan, component: Component, place: Place) -> Iterator[Problem]:
    starts, ends = component.pays_from, component.pays_to
    if starts is not None and ends is not None and ends < starts:
        yield Problem((*place, "pays_to"), f"It ends before it starts, {starts}.", "Correct a day.")
    for key, given in (("pays_from", starts), ("pays_to", ends)):
        if given is None:
            continue
        last = plan.effective_to
        late = last is not None and given > last >= plan.effective_from
        if given < plan.effective_from or late:
            what = f"{given} is outside the plan, which holds {plan.effective_from} to {last or 'open'}."
            yield Problem((*place, key), what, "Move it inside.")
