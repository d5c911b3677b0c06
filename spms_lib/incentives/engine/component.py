"""What one component earns by payee and month: curve, gates, multipliers, cap, rounding, true-up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spms_lib.incentives.engine.curve import Band, Bands, compile_curve, difference
from spms_lib.incentives.engine.exact import Ints, rounded
from spms_lib.incentives.engine.figures import Figures
from spms_lib.incentives.engine.spans import differences, to_date, whole
from spms_lib.incentives.plan.model import (
    ATTAINMENT,
    LUMP,
    MEASURE,
    MONEY,
    RATE,
    RETROACTIVE,
    TARGET_INCENTIVE,
    TO_DATE,
    TRANSACTION,
    Cap,
    CompensationPlan,
    Component,
    Curve,
    Multiplier,
    Reference,
)

NO_QUOTA: Final = "no quota"
ZERO_QUOTA: Final = "quota not above zero"
NO_INCENTIVE: Final = "no target incentive: vacant, or nobody has said"
ONE: Final = np.ones(1, dtype=np.int64)
REASONS: Final = ("", NO_QUOTA, ZERO_QUOTA, NO_INCENTIVE)


@dataclass(frozen=True)
class Setting:
    """A component made ready: its scales, and how its money is rounded.

    Attributes
    ----------
    scales
        By measure: raw units in one unit (minor units, pieces, millionths of a score); 1 for a ratio.
    per_unit
        Minor units in a currency unit.
    to, half
        Minor units that amounts are rounded to, and where halves go.
    """

    component: Component
    scales: Mapping[str, int]
    per_unit: int
    to: int
    half: str

    def bands(self, curve: Curve) -> Bands:
        """Compile a curve of this component."""
        return compile_curve(
            curve,
            unit_scale=1 if curve.unit == ATTAINMENT else self.scales[self.component.measure],
            money_scale=self.per_unit,
            on_base=bool(self.component.base) and not by_line(self.component),
        )


class Standing(NamedTuple):
    """Where everybody stands, to date within an interval; matrices of payees and months.

    Attributes
    ----------
    measure, against, weight
        Performance, what it is judged against, and what pay is a multiple of.
    reason
        Number of the reason in `REASONS` for which pay cannot be known; 0 for none.
    """

    measure: Ints
    against: Ints
    weight: Ints
    quota: Ints
    incentive: Ints
    reason: NDArray[np.int8]


class LinePay(NamedTuple):
    """What single credits pay, summed by payee and month: by the own curve, and by each gate's closed one."""

    own: Ints
    closed: Sequence[Ints | None]


@dataclass(frozen=True)
class Stand:
    """Where everybody stands in a component and what that pays; matrices of payees and months.

    Attributes
    ----------
    open
        By gate: who passes it.
    factors, over
        The product of multipliers is `factors / over`.
    curve_pay, gated
        What the open curve pays to date, and the one that gates leave, rounded, before multipliers.
    before_cap, due
        Pay to date within the interval before and after the cap; 0 where there is a reason.
    earned
        What each month adds, true-ups included.
    true_up
        The part of `earned` that is a true-up.
    """

    at: Standing
    open: Sequence[NDArray[np.bool_]]
    factors: Ints
    over: int
    curve_pay: Ints
    gated: Ints
    before_cap: Ints
    due: Ints
    earned: Ints
    true_up: Ints


def settings_of(plan: CompensationPlan, *, per_unit: int, scale: Mapping[str, int]) -> dict[str, Setting]:
    """Make every component of a plan ready; `scale` by kind of value, such as amount or score."""
    scales = {name: 1 if rule.per else scale[rule.value] for name, rule in plan.measures.items()}
    to = max(1, int((plan.rounding.to or 0) * per_unit))
    return {
        name: Setting(component, scales, per_unit, to, plan.rounding.half)
        for name, component in plan.components.items()
    }


def by_line(component: Component) -> bool:
    """Tell whether pay has to be worked out credit by credit rather than from totals."""
    if component.accumulate == TRANSACTION or component.deal_cap is not None or component.kickers:
        return True
    tiers = component.curve.tiers if component.curve else ()
    return bool(component.base) and any(tier.mode not in {RETROACTIVE, LUMP} for tier in tiers)


def stand(setting: Setting, figures: Figures, lines: LinePay | None, ends: list[int]) -> Stand:
    """Work out where everybody stands in a component.

    Parameters
    ----------
    lines
        What single credits pay, summed by payee and month: by the component's own curve and by
        the curve of each closed gate. None where pay follows from totals.
    ends
        Columns with which an interval of the component's true-up ends.
    """
    component = setting.component
    found = _within(setting, figures, lines, component.interval, component.cap)
    if component.true_up is None:
        return found
    longer = _within(setting, figures, lines, component.true_up.interval, component.true_up.cap)
    paid = to_date(found.earned, figures.starts[component.true_up.interval])
    true_up = np.zeros_like(found.earned)
    true_up[:, ends] = (longer.due - paid)[:, ends]
    true_up[longer.at.reason > 0] = 0
    return replace(found, earned=found.earned + true_up, true_up=true_up)


def standing(setting: Setting, figures: Figures, interval: str, curve: Curve | None = None) -> Standing:
    """Lay out, to date within an interval, performance, what it is judged against, and what pay is a multiple of.

    By the component's own curve or matrix, or by another curve, such as that of a closed gate.
    """
    component, starts = setting.component, figures.starts[interval]
    own, targets = figures.own[component.name], figures.targets[component.name]
    add = to_date if component.against == TO_DATE else whole
    quota, incentive = add(targets.quota, starts), add(targets.incentive, starts)
    pays, unit = _terms_of(component) if curve is None else (curve.pays, curve.unit)
    reason = np.zeros(own.value.shape, dtype=np.int8)
    if pays == TARGET_INCENTIVE:
        reason[add(targets.has_incentive.astype(np.int64), starts) == 0] = REASONS.index(NO_INCENTIVE)
    if unit == ATTAINMENT and own.per is None:
        known = add(targets.has_quota.astype(np.int64), starts) > 0
        reason[(reason == 0) & known & (quota <= 0)] = REASONS.index(ZERO_QUOTA)
        reason[(reason == 0) & ~known] = REASONS.index(NO_QUOTA)
    per = None if own.per is None else to_date(own.per, starts)
    base = to_date(figures.base[component.name], starts) if component.base else None
    bare = Standing(ONE, ONE, ONE, quota, incentive, reason)
    return judged(component, to_date(own.value, starts), per, base, bare, curve)


def judged(
    component: Component,
    measure: Ints,
    per: Ints | None,
    base: Ints | None,
    targets: Standing,
    curve: Curve | None = None,
) -> Standing:
    """Judge a performance by targets: of payees and months, or after single credits.

    Parameters
    ----------
    per
        What the measure is divided by, where it is a ratio.
    base
        What is paid on, where that is another measure.
    targets
        Quota, target incentive and reason; the rest of it is replaced.
    curve
        The curve of a closed gate; the component's own if None.
    """
    pays, unit = _terms_of(component) if curve is None else (curve.pays, curve.unit)
    ones, reason = np.ones_like(measure), targets.reason
    against = targets.quota if unit == ATTAINMENT and per is None else ones
    if per is not None:
        against, measure = per, np.where(per > 0, measure, 0)
    against = np.where((against > 0) & (reason == 0), against, 1)
    paid_on = measure if base is None else base
    rate_on = paid_on if component.base or component.matrix else against if unit == ATTAINMENT else ones
    weight = {TARGET_INCENTIVE: targets.incentive, RATE: rate_on}.get(pays, ones)
    return targets._replace(measure=measure, against=against, weight=weight)


def gate_states(setting: Setting, figures: Figures, interval: str) -> list[NDArray[np.bool_]]:
    """Tell for each gate of a component who passes it in which month."""
    states = []
    for gate in setting.component.gates:
        passed = np.zeros(figures.own[setting.component.name].value.shape, dtype=bool)
        for reference, test, level in gate.any_of:
            value, against = figures.looked_at(reference, interval)
            edge = level * scale_of(reference, setting)
            ahead = difference(value, edge.denominator, against, edge.numerator)
            passed |= ((ahead >= 0) if test == "at_least" else (ahead > 0)) & (against > 0)
        states.append(passed)
    return states


def factors_of(setting: Setting, figures: Figures, interval: str) -> tuple[Ints, int]:
    """Multiply a component's multipliers: whole numbers by payee and month, over one common denominator."""
    factors, over = np.ones_like(figures.own[setting.component.name].value), 1
    for multiplier in setting.component.multipliers:
        rows = table_of(multiplier, scale_of(multiplier.reference, setting))
        number = rows.number(*judged_value(figures.looked_at(multiplier.reference, interval)))
        factors = factors * np.array([int(band.value * rows.over) for band in rows.bands])[number]
        over *= rows.over
    return factors, over


def table_of(multiplier: Multiplier, scale: int) -> Bands:
    """Compile a multiplier's table; below its first row the first factor holds."""
    bands = [Band(start * scale, factor, Fraction(0)) for start, factor in multiplier.rows]
    return Bands((Band(None, bands[0].value, Fraction(0)), *bands[1:]), multiplier.tie)


def _within(
    setting: Setting, figures: Figures, lines: LinePay | None, interval: str, cap: Cap | None
) -> Stand:
    component, starts = setting.component, figures.starts[interval]
    at = standing(setting, figures, interval)
    states = gate_states(setting, figures, interval)
    factors, over = factors_of(setting, figures, interval)
    curves = [gate.closed for gate in component.gates]
    if lines is None:
        bands, number = place(setting, figures, at, interval)
        closed = [None if curve is None else _closed(setting, figures, interval, curve) for curve in curves]

        def paid(*times: Any) -> tuple[Ints, list[Ints | None]]:
            own = due_at(bands, at, number, setting, *times)
            return own, [None if part is None else due_at(*part, setting, *times) for part in closed]

        curve_pay, other = paid()
        gated = _gated(curve_pay, states, other)
        before_cap = gated
        if component.multipliers:
            own, other = paid(factors, over)
            before_cap = _gated(own, states, other)
    else:
        curve_pay = to_date(lines.own, starts)
        gated = _gated(
            curve_pay, states, [None if part is None else to_date(part, starts) for part in lines.closed]
        )
        before_cap = _times(gated, factors, over, setting)
    due = before_cap if cap is None else np.minimum(before_cap, limit_of(cap, at.incentive, setting))
    due = np.where(at.reason > 0, 0, due)
    earned, nothing = differences(due, starts), np.zeros_like(due)
    return Stand(at, states, factors, over, curve_pay, gated, before_cap, due, earned, nothing)


def _closed(setting: Setting, figures: Figures, interval: str, curve: Curve) -> tuple[Bands, Standing, Ints]:
    """Find everybody's place on the curve of a closed gate."""
    bands, at = setting.bands(curve), standing(setting, figures, interval, curve)
    return bands, at, bands.position(at.measure, at.against)


def _gated(pay: Ints, states: Sequence[NDArray[np.bool_]], closed: Sequence[Ints | None]) -> Ints:
    """Put what a closed gate pays in the place of pay; the first closed gate decides."""
    for passed, instead in reversed(list(zip(states, closed, strict=True))):
        pay = np.where(passed, pay, 0 if instead is None else instead)
    return pay


def place(setting: Setting, figures: Figures, at: Standing, interval: str) -> tuple[Bands, Ints]:
    """Find everybody's place on the component's curve or in its matrix."""
    component = setting.component
    if component.curve is not None:
        bands = setting.bands(component.curve)
        return bands, bands.position(at.measure, at.against)
    matrix = component.matrix
    assert matrix is not None  # the reader refuses a component without either
    place = np.zeros(at.measure.shape, dtype=np.int64)
    for reference, starts in ((matrix.rows, matrix.row_starts), (matrix.columns, matrix.column_starts)):
        edges = [Band(start * scale_of(reference, setting), Fraction(0), Fraction(0)) for start in starts]
        found = Bands((edges[0], *edges[1:]), matrix.tie).number(
            *judged_value(figures.looked_at(reference, interval))
        )
        place = place * len(starts) + found
    amount = setting.per_unit if matrix.pays == MONEY else 1
    cells = tuple(Band(None, value * amount, Fraction(0)) for row in matrix.values for value in row)
    return Bands(cells, matrix.tie), place


def due_at(
    bands: Bands, at: Standing, number: Ints, setting: Setting, factors: Ints | None = None, over: int = 1
) -> Ints:
    """Round what a standing pays on a compiled curve, times `factors / over`."""

    def formula(measure: Any, against: Any, weight: Any, band: Any, factor: Any) -> tuple[list[Any], Any]:
        terms, under = bands.terms(measure, against, weight, band)
        return [term * factor for term in terms], under * over

    ones = np.ones_like(at.measure) if factors is None else factors
    return rounded(
        formula, [at.measure, at.against, at.weight, number, ones], half=setting.half, to=setting.to
    )


def _times(amount: Ints, factors: Ints, over: int, setting: Setting) -> Ints:
    if over == 1 and (factors == 1).all():
        return amount
    return rounded(
        lambda pay, factor: ([pay * factor], pay * 0 + over),
        [amount, factors],
        half=setting.half,
        to=setting.to,
    )


def limit_of(cap: Cap, incentive: Ints, setting: Setting) -> Ints:
    value = cap.value * setting.per_unit if cap.of == MONEY else cap.value
    on = np.ones_like(incentive) if cap.of == MONEY else incentive
    return rounded(
        lambda money: ([money * value.numerator], money * 0 + value.denominator),
        [on],
        half=setting.half,
        to=setting.to,
    )


def _terms_of(component: Component) -> tuple[str, str]:
    """Tell what a component's values are, and what its performance is stated in."""
    if component.curve is not None:
        return component.curve.pays, component.curve.unit
    assert component.matrix is not None
    return component.matrix.pays, MEASURE


def scale_of(reference: Reference, setting: Setting) -> int:
    """Raw units in one unit of what a reference looks at: 1 for an attainment or a ratio."""
    return setting.scales.get(reference.measure, 1)


def judged_value(looked_at: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    """Count a ratio of nothing as 0."""
    value, against = looked_at
    return np.where(against > 0, value, 0), np.where(against > 0, against, 1)
