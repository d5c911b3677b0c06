"""The figures a plan is judged by: every measure, quota and target incentive as a matrix of payees and months."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import gcd
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spms_lib.incentives.engine.books import Books, Targets
from spms_lib.incentives.engine.exact import Ints
from spms_lib.incentives.engine.spans import span_starts, to_date, whole
from spms_lib.incentives.plan.model import (
    INTERVAL,
    INTERVALS,
    CompensationPlan,
    MeasureRule,
    Reference,
)


class Measured(NamedTuple):
    """A measure by payee and month, and what it is divided by where it is a ratio."""

    value: Ints
    per: Ints | None


@dataclass(frozen=True)
class Figures:
    """All matrices of a run, each of shape (n_payees, n_periods).

    Attributes
    ----------
    measures
        By measure, over the plan's whole life: what gates and multipliers look at.
    own, base
        By component: what it measures and pays on, within its own window.
    starts
        By interval: the column in which each month's month, quarter or year starts.
    intervals
        By component: its interval.
    """

    measures: Mapping[str, Measured]
    own: Mapping[str, Measured]
    base: Mapping[str, Ints]
    targets: Mapping[str, Targets]
    starts: Mapping[str, NDArray[np.int64]]
    intervals: Mapping[str, str]

    def of(self, payees: NDArray[np.intp]) -> "Figures":
        """Keep some payees."""
        return replace(
            self,
            measures={name: _some(found, payees) for name, found in self.measures.items()},
            own={name: _some(found, payees) for name, found in self.own.items()},
            base={name: found[payees] for name, found in self.base.items()},
            targets={name: found.of(payees) for name, found in self.targets.items()},
        )

    def looked_at(self, reference: Reference, interval: str) -> tuple[Ints, Ints]:
        """Return what a gate or multiplier of a component looks at, to date: a value and what it is judged against.

        A component's attainment is judged against the quotas of its own intervals so far, the
        current one whole; a ratio against its denominator; a plain measure against 1.
        """
        over = self.starts[interval if reference.over == INTERVAL else reference.over]
        if reference.measure:
            found = self.measures[reference.measure]
            value = to_date(found.value, over)
            return value, np.ones_like(value) if found.per is None else to_date(found.per, over)
        name = reference.component
        own, quota = self.own[name], self.targets[name].quota
        if own.per is not None:
            return to_date(own.value, over), to_date(own.per, over)
        starts = self.starts[self.intervals[name]]
        total = whole(quota, starts)
        at_start = np.where(starts == np.arange(len(starts)), total, 0)
        judged = to_date(at_start, over) if (over <= starts).all() else whole(quota, over)
        return to_date(own.value, over), judged


def figures_of(plan: CompensationPlan, books: Books, targets: Mapping[str, Targets]) -> Figures:
    """Work out all matrices of a plan."""
    found: dict[tuple[str, dt.date | None, dt.date | None], Measured] = {}

    def measured(rule: MeasureRule, first: dt.date | None, last: dt.date | None) -> Measured:
        key = (rule.name, first or plan.effective_from, last or plan.effective_to)
        if key not in found:
            passed = books.passing(rule, key[1], key[2])
            up, down = books.scale(rule.per or rule.value), books.scale(rule.value)
            per = books.sums(rule.per, passed) * (down // gcd(up, down)) if rule.per else None
            value = books.sums(rule.value, passed) * (up // gcd(up, down))
            found[key] = Measured(value, per)
        return found[key]

    parts = plan.components.values()
    return Figures(
        measures={name: measured(rule, None, None) for name, rule in plan.measures.items()},
        own={
            part.name: measured(plan.measures[part.measure], part.pays_from, part.pays_to) for part in parts
        },
        base={
            part.name: measured(plan.measures[part.base], part.pays_from, part.pays_to).value
            for part in parts
            if part.base
        },
        targets=targets,
        starts={
            interval: span_starts(books.periods, interval, books.calendar)
            for interval in INTERVALS
            if interval in _needed(plan)
        },
        intervals={part.name: part.interval for part in parts},
    )


def _needed(plan: CompensationPlan) -> set[str]:
    """Name the intervals that a plan's components and what they look at run over."""
    needed = {part.interval for part in plan.components.values()}
    for part in plan.components.values():
        needed |= {part.true_up.interval} if part.true_up else set()
        looked = [reference for gate in part.gates for reference, _, _ in gate.any_of]
        looked += [multiplier.reference for multiplier in part.multipliers]
        looked += [part.matrix.rows, part.matrix.columns] if part.matrix else []
        needed |= {reference.over for reference in looked if reference.over != INTERVAL}
    return needed


def _some(found: Measured, payees: NDArray[np.intp]) -> Measured:
    return Measured(found.value[payees], None if found.per is None else found.per[payees])
