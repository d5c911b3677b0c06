"""The rules behind pay, as rows: what gates and multipliers looked at, what each component counts, the clauses."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import pandas as pd

from spms_lib.incentives.engine.books import COMPONENT
from spms_lib.incentives.engine.component import (
    Setting,
    Stand,
    judged_value,
    scale_of,
    table_of,
)
from spms_lib.incentives.engine.run import Run
from spms_lib.incentives.plan.model import (
    INTERVAL,
    Clause,
    CompensationPlan,
    Reference,
)
from spms_lib.incentives.statements.reasons import frame_of
from spms_lib.tables import PERIOD

GATES: Final = (
    *(COMPONENT, PERIOD, "gate", "looks_at", "unit", "value", "test", "level", "passed", "open", "clause"),
)
MULTIPLIERS: Final = (COMPONENT, PERIOD, "looks_at", "unit", "value", "factor", "clause")
COMPONENTS: Final = (
    *(COMPONENT, "description", "clause", "interval", "measure", "counts", "scale", "ratio", "unit", "pays"),
)
CLAUSES: Final = (COMPONENT, "rule", "clause", "description", "source")
SHARE: Final = "share"


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
    return frame_of(rows, GATES)


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
    return frame_of(rows, MULTIPLIERS)


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
    return frame_of(rows, COMPONENTS)


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
    return frame_of(rows, CLAUSES)
