"""The reasons behind pay, as rows: standing, tier parts, gates, multipliers, clauses, points of the curve."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, Final

import pandas as pd

from spms_lib.incentives.engine.books import COMPONENT
from spms_lib.incentives.engine.component import (
    REASONS,
    Setting,
    Stand,
    by_line,
    judged_value,
    limit_of,
    place,
    scale_of,
    table_of,
)
from spms_lib.incentives.engine.run import Run
from spms_lib.incentives.engine.spans import differences
from spms_lib.incentives.plan.model import (
    ATTAINMENT,
    INTERVAL,
    MONEY,
    MONTH,
    QUARTER,
    RATE,
    TRANSACTION,
    Clause,
    CompensationPlan,
    Component,
    Curve,
    Reference,
)
from spms_lib.incentives.statements.tiers import CELL, Part, tier_parts
from spms_lib.tables import PERIOD

STANDING: Final = (
    *(COMPONENT, PERIOD, "interval", "measure", "quota", "target_incentive", "attainment", "curve_pay"),
    *(
        "gated",
        "factor",
        "before_cap",
        "limit",
        "due",
        "paid_before",
        "earned",
        "exact",
        "rounding",
        "reason",
    ),
)
TIERS: Final = (COMPONENT, PERIOD, "gate", "from", "to", "input", "rate", "amount", "mode")
GATES: Final = (
    *(COMPONENT, PERIOD, "gate", "looks_at", "unit", "value", "test", "level", "passed", "open", "clause"),
)
MULTIPLIERS: Final = (COMPONENT, PERIOD, "looks_at", "unit", "value", "factor", "clause")
COMPONENTS: Final = (
    *(COMPONENT, "description", "clause", "interval", "measure", "counts", "scale", "ratio", "unit", "pays"),
)
CLAUSES: Final = (COMPONENT, "rule", "clause", "description", "source")
SHARE: Final = "share"
_REACH: Final = Fraction(13, 10)  # how far beyond the last point of interest a drawn curve goes


def standing_rows(one: Run, name: str, stand: Stand, columns: Sequence[int]) -> pd.DataFrame:
    """Say where a payee stands in some months, and what that pays."""
    part, setting = one.plan.components[name], one.settings[name]
    starts = one.figures.starts[part.interval]
    limit = None if part.cap is None else limit_of(part.cap, stand.at.incentive, setting)
    earned, grown = stand.earned[0], differences(stand.due, starts)[0]
    rows = []
    for column in columns:
        due, exact = int(stand.due[0, column]), exact_due(one, name, stand, column)
        if exact is not None and limit is not None:
            exact = min(exact, Fraction(int(limit[0, column])))
        rows.append(
            (
                name,
                one.books.periods[column],
                interval_of(one, part, column),
                int(stand.at.measure[0, column]),
                int(stand.at.quota[0, column]) if one.figures.targets[name].has_quota.any() else pd.NA,
                int(stand.at.incentive[0, column])
                if one.figures.targets[name].has_incentive.any()
                else pd.NA,
                attainment(one, name, stand, column),
                int(stand.curve_pay[0, column]),
                int(stand.gated[0, column]),
                Fraction(int(stand.factors[0, column]), stand.over),
                int(stand.before_cap[0, column]),
                pd.NA if limit is None else int(limit[0, column]),
                due,
                due - int(grown[column]),
                int(earned[column]),
                exact,
                None if exact is None else due - exact,
                REASONS[int(stand.at.reason[0, column])],
            )
        )
    return _frame(rows, STANDING, whole=("quota", "target_incentive", "limit"))


def attainment(one: Run, name: str, stand: Stand, column: int) -> Fraction | None:
    """Judge a performance by its quota, or by the other half of its ratio."""
    measure, quota = int(stand.at.measure[0, column]), int(stand.at.quota[0, column])
    if one.figures.own[name].per is not None:
        return Fraction(measure, int(stand.at.against[0, column]))
    return Fraction(measure, quota) if quota > 0 else None


def exact_due(one: Run, name: str, stand: Stand, column: int) -> Fraction | None:
    """Work out pay to date before rounding and before the cap; None where credits are rounded one by one."""
    part = one.plan.components[name]
    if by_line(part) and part.curve is not None:
        return None
    if stand.at.reason[0, column]:
        return Fraction(0)
    deciding = deciding_gate(stand, column)
    if deciding and part.gates[deciding - 1].closed is None:
        return Fraction(0)
    pay = sum(
        (found.amount for gate, found in parts_of(one, name, stand, column) if gate == deciding), Fraction(0)
    )
    return pay * Fraction(int(stand.factors[0, column]), stand.over)


def deciding_gate(stand: Stand, column: int) -> int:
    """Return the number of the first closed gate, from 1; 0 if all are open."""
    return next((number for number, passed in enumerate(stand.open, start=1) if not passed[0, column]), 0)


def part_rows(one: Run, name: str, stand: Stand, columns: Sequence[int]) -> pd.DataFrame:
    """List what each band pays to date in some months."""
    rows = [
        (name, one.books.periods[column], gate, *found)
        for column in columns
        if not stand.at.reason[0, column]
        for gate, found in parts_of(one, name, stand, column)
    ]
    return _frame(rows, TIERS)


def parts_of(one: Run, name: str, stand: Stand, column: int) -> Iterator[tuple[int, Part]]:
    """Take the own curve apart, and that of the closed gate which decides; nothing where credits go alone."""
    part, setting, at = one.plan.components[name], one.settings[name], stand.at
    measure, against, weight = (int(one_of[0, column]) for one_of in (at.measure, at.against, at.weight))
    if part.curve is None:
        bands, number = place(setting, one.figures, at, part.interval)
        rate = bands.bands[int(number[0, column])].value
        assert part.matrix is not None  # the reader refuses a component without curve and matrix
        scale = setting.scales[part.base or part.measure]
        paid_on = Fraction(weight, scale) if part.matrix.pays == RATE else Fraction(1)
        stated = rate / (setting.per_unit if part.matrix.pays == MONEY else 1)
        yield 0, Part(None, None, paid_on, stated, rate * weight, CELL)
    elif part.accumulate != TRANSACTION and not (by_line(part) and part.base):
        yield from ((0, found) for found in tier_parts(setting, part.curve, measure, against, weight))
    if (gate := deciding_gate(stand, column)) and not by_line(part):
        closed = part.gates[gate - 1].closed
        yield from ((gate, found) for found in _closed(setting, closed, measure, against, weight))


def _closed(setting: Setting, curve: Curve | None, measure: int, against: int, weight: int) -> list[Part]:
    return [] if curve is None else tier_parts(setting, curve, measure, against, weight)


def gate_rows(one: Run, name: str, stand: Stand, columns: Sequence[int]) -> pd.DataFrame:
    """List every test of every gate in some months: what it looked at, and whether it passed."""
    part, setting = one.plan.components[name], one.settings[name]
    rows = []
    for column in columns:
        for number, gate in enumerate(part.gates, start=1):
            for reference, test, level in gate.any_of:
                value = seen(one, setting, reference, part.interval, column)
                passed = value is not None and (value >= level if test == "at_least" else value > level)
                row = (
                    name,
                    one.books.periods[column],
                    number,
                    *looked_at(one, reference),
                    value,
                    test,
                    level,
                )
                rows.append((*row, passed, bool(stand.open[number - 1][0, column]), gate.clause.number))
    return _frame(rows, GATES)


def multiplier_rows(one: Run, name: str, columns: Sequence[int]) -> pd.DataFrame:
    """List every multiplier in some months: what it looked at, and the factor that gave."""
    part, setting = one.plan.components[name], one.settings[name]
    rows = []
    for multiplier in part.multipliers:
        reference = multiplier.reference
        table = table_of(multiplier, scale_of(reference, setting))
        number = table.number(*judged_value(one.figures.looked_at(reference, part.interval)))[0]
        rows += [
            (
                name,
                one.books.periods[column],
                *looked_at(one, reference),
                seen(one, setting, reference, part.interval, column),
                table.bands[int(number[column])].value,
                multiplier.clause.number,
            )
            for column in columns
        ]
    return _frame(rows, MULTIPLIERS)


def seen(one: Run, setting: Setting, reference: Reference, interval: str, column: int) -> Fraction | None:
    """Return what a gate or multiplier looks at, in the unit that the plan states; None where nothing to judge by."""
    value, against = (int(part[0, column]) for part in one.figures.looked_at(reference, interval))
    return Fraction(value, against) / scale_of(reference, setting) if against > 0 else None


def looked_at(one: Run, reference: Reference) -> tuple[str, str]:
    """Say what a gate or multiplier looks at, and its unit: a `share`, or the kind of value."""
    over = "" if reference.over == INTERVAL else f", {reference.over} to date"
    if reference.component:
        return f"attainment of {reference.component}{over}", SHARE
    rule = one.plan.measures[reference.measure]
    return f"{reference.measure}{over}", SHARE if rule.per else rule.value


def component_rows(one: Run, names: Sequence[str]) -> pd.DataFrame:
    """Say what each component counts, in which unit, and what it pays."""
    rows = []
    for name in names:
        part, scale = one.plan.components[name], one.settings[name].scales[one.plan.components[name].measure]
        rule = one.plan.measures[part.measure]
        pays = part.curve.pays if part.curve else part.matrix.pays if part.matrix else ""
        unit = part.curve.unit if part.curve else ""
        said = (name, part.clause.description, part.clause.number, part.interval)
        rows.append((*said, part.measure, rule.value, scale, bool(rule.per), unit, pays))
    return _frame(rows, COMPONENTS)


def clause_rows(plan: CompensationPlan, names: Sequence[str]) -> pd.DataFrame:
    """List where each rule that can touch a component is written down."""
    rules: list[tuple[str, str, Clause]] = [("", "plan", plan.clause)]
    for name in names:
        part = plan.components[name]
        rules.append((name, "component", part.clause))
        rules += [(name, f"gate {n}", gate.clause) for n, gate in enumerate(part.gates, start=1)]
        rules += [(name, f"multiplier {n}", one.clause) for n, one in enumerate(part.multipliers, start=1)]
        rules += [(name, f"kicker {n}", one.clause) for n, one in enumerate(part.kickers, start=1)]
        rules += [(name, "cap", part.cap.clause)] if part.cap else []
        rules += [(name, "true-up", part.true_up.clause)] if part.true_up else []
        rules += [(name, "windfall", part.windfall.clause)] if part.windfall else []
    rows = [
        (name, rule, said.number, said.description, said.source)
        for name, rule, said in rules
        if said != Clause()
    ]
    return _frame(rows, CLAUSES)


def curve_points(one: Run, name: str, stand: Stand, column: int) -> pd.DataFrame:
    """Trace a component's own curve around where a payee stands: corners and jumps, pay to date in minor units."""
    part, setting, at = one.plan.components[name], one.settings[name], stand.at
    if part.curve is None or part.curve.step or by_line(part) or at.reason[0, column]:
        return _frame([], (COMPONENT, "at", "pay")).astype({"at": float, "pay": float})
    bands = setting.bands(part.curve).bands
    here = Fraction(int(at.measure[0, column]), int(at.against[0, column]))
    starts = [band.start or Fraction(0) for band in bands]
    full = [Fraction(1)] if part.curve.unit == ATTAINMENT else []
    far = max([here, *full, *starts]) * _REACH or Fraction(1)
    weight, scale = int(at.weight[0, column]), 1 if full else setting.scales[part.measure]
    rows = [
        (name, float(edge / scale), float(weight * band.at(edge)))
        for band, start, end in zip(bands, starts, [*starts[1:], far], strict=True)
        for edge in (start, end)
    ]
    return _frame(rows, (COMPONENT, "at", "pay"))


def interval_of(one: Run, part: Component, column: int) -> str:
    """Name the month, quarter or year that a month of a component lies in."""
    month, calendar = one.books.periods[column], one.books.calendar
    if part.interval == MONTH:
        return month
    return calendar.quarter_of(month) if part.interval == QUARTER else calendar.year_of(month)


def _frame(
    rows: Sequence[tuple[Any, ...]], columns: Sequence[str], whole: Sequence[str] = ()
) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=list(columns))
    for name in frame:  # fractions and texts stay what they are, also in a column without rows
        if frame.empty or any(isinstance(value, Fraction) for value in frame[name]):
            frame[name] = frame[name].astype(object)
    return frame.astype(dict.fromkeys(whole, "Int64"))
