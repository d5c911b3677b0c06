"""The arithmetic behind pay, as rows: standing, tier parts, points of the curve."""

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
    limit_of,
    place,
)
from spms_lib.incentives.engine.run import Run
from spms_lib.incentives.engine.spans import differences
from spms_lib.incentives.plan.model import (
    ATTAINMENT,
    MONEY,
    MONTH,
    QUARTER,
    RATE,
    TRANSACTION,
    Component,
    Curve,
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
    return frame_of(rows, STANDING, whole=("quota", "target_incentive", "limit"))


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
    return frame_of(rows, TIERS)


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


def curve_points(one: Run, name: str, stand: Stand, column: int) -> pd.DataFrame:
    """Trace a component's own curve around where a payee stands: corners and jumps, pay to date in minor units."""
    part, setting, at = one.plan.components[name], one.settings[name], stand.at
    if part.curve is None or part.curve.step or by_line(part) or at.reason[0, column]:
        return frame_of([], (COMPONENT, "at", "pay")).astype({"at": float, "pay": float})
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
    return frame_of(rows, (COMPONENT, "at", "pay"))


def interval_of(one: Run, part: Component, column: int) -> str:
    """Name the month, quarter or year that a month of a component lies in."""
    month, calendar = one.books.periods[column], one.books.calendar
    if part.interval == MONTH:
        return month
    return calendar.quarter_of(month) if part.interval == QUARTER else calendar.year_of(month)


def frame_of(
    rows: Sequence[tuple[Any, ...]], columns: Sequence[str], whole: Sequence[str] = ()
) -> pd.DataFrame:
    values = dict(zip(columns, zip(*rows, strict=True) if rows else [()] * len(columns), strict=True))
    return pd.DataFrame(
        {
            name: pd.array(column, dtype="Int64") if name in whole else _column(column)
            for name, column in values.items()
        }
    )


def _column(values: Sequence[Any]) -> "pd.Series[Any]":
    exact = not values or any(isinstance(value, Fraction) for value in values)
    return pd.Series(list(values), dtype=object if exact else None)
