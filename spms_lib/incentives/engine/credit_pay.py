"""What each credit paid: the difference of the rounded amounts due before and after it, so that lines add up to the cent."""

from dataclasses import replace
from math import gcd
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.incentives.engine.books import CREDIT, DATE, Books
from spms_lib.incentives.engine.component import (
    Setting,
    by_line,
    due_at,
    judged,
    place,
    standing,
)
from spms_lib.incentives.engine.exact import Ints
from spms_lib.incentives.engine.lines import edges, lines_of, pay_of_lines, stretch_of
from spms_lib.incentives.engine.run import Run
from spms_lib.incentives.plan.model import Component, MeasureRule


class CreditPay(NamedTuple):
    """The credits of one component in order of payee and day, and what each paid before gates, multipliers and caps.

    Attributes
    ----------
    rows
        Position of each credit in the books.
    payee, month
        Row and column of its cell.
    value, before, after
        What it adds to the measure, and the measure's total in the interval around it: raw
        units, of a ratio its numerator. Where the plan looks at each credit alone, 0 and its own.
    plain, kicker, deal_cap
        What it paid by the open curve, what kickers added, and what the most per deal took (negative).
    """

    rows: NDArray[np.intp]
    payee: NDArray[np.int32]
    month: NDArray[np.int64]
    value: Ints
    before: Ints
    after: Ints
    plain: Ints
    kicker: Ints
    deal_cap: Ints

    @property
    def pay(self) -> Ints:
        """All of what each credit paid."""
        return self.plain + self.kicker + self.deal_cap


def credit_pay(run: Run, component: str) -> CreditPay:
    """Work out what each credit of a component paid, for all payees of a run.

    Pay that follows from totals jumps where a total crosses an edge, and the jump is the
    crossing credit's own. Credits of a day stand in the order of their names.
    """
    setting, part = run.settings[component], run.plan.components[component]
    if by_line(part) and part.curve is not None:
        return _line_by_line(setting, run)
    measure, base = run.plan.measures[part.measure], run.plan.measures.get(part.base)
    counted = _counted(part, measure, run)
    paid_on = counted if base is None else _counted(part, base, run)
    rows = _in_order(counted | paid_on, run.books)
    payee, month = run.books.row[rows], run.books.column[rows].astype(np.int64)
    group = payee.astype(np.int64) * run.books.shape[1] + run.figures.starts[part.interval][month]
    up, down = run.books.scale(measure.per or measure.value), run.books.scale(measure.value)
    value = _values(measure.value, counted, rows, run.books)
    added = [value * (up // gcd(up, down))]
    if measure.per:
        added.append(_values(measure.per, counted, rows, run.books) * (down // gcd(up, down)))
    if base is not None:
        added.append(_values(base.value, paid_on, rows, run.books))
    cell = (payee, month)
    at = standing(setting, run.figures, part.interval)
    bands, places = place(setting, run.figures, at, part.interval)
    targets = at._replace(quota=at.quota[cell], incentive=at.incentive[cell], reason=at.reason[cell])

    def due(totals: list[Ints]) -> Ints:
        per, on = totals[1] if measure.per else None, None if base is None else totals[-1]
        here = judged(part, totals[0], per, on, targets)
        number = bands.position(here.measure, here.against) if part.curve else places[cell]
        return np.where(here.reason > 0, 0, due_at(bands, here, number, setting))

    after = [_running(column, group) for column in added]
    before = [total - column for total, column in zip(after, added, strict=True)]
    nothing = np.zeros_like(value)
    return CreditPay(
        rows, payee, month, value, before[0], after[0], due(after) - due(before), nothing, nothing
    )


def _line_by_line(setting: Setting, run: Run) -> CreditPay:
    """Pay line by line three times: without kickers and deal cap, with kickers, with both."""
    part = setting.component
    assert part.curve is not None
    lines = lines_of(setting, run.plan, run.books, run.figures)
    at = standing(setting, run.figures, part.interval)
    unkicked = lines._replace(factor=np.ones_like(lines.factor), over=1)
    uncapped = replace(setting, component=replace(part, deal_cap=None))
    plain = pay_of_lines(uncapped, unkicked, part.curve, at, run.books)
    kicked = pay_of_lines(uncapped, lines, part.curve, at, run.books) if part.kickers else plain
    paid = pay_of_lines(setting, lines, part.curve, at, run.books)
    return CreditPay(
        lines.rows,
        lines.payee,
        lines.month,
        lines.value,
        lines.before,
        lines.after,
        plain,
        kicked - plain,
        paid - kicked,
    )


def _counted(part: Component, rule: MeasureRule, run: Run) -> NDArray[np.bool_]:
    return run.books.passing(
        rule, part.pays_from or run.plan.effective_from, part.pays_to or run.plan.effective_to
    )


def _in_order(passed: NDArray[np.bool_], books: Books) -> NDArray[np.intp]:
    rows = np.flatnonzero(passed)
    day = books.credits[DATE].to_numpy()[rows].astype("datetime64[D]").astype(np.int64)
    name = pd.factorize(books.credits[CREDIT].iloc[rows], sort=True)[0]
    return rows[np.lexsort((name, day, books.row[rows]))]


def _values(value: str, passed: NDArray[np.bool_], rows: NDArray[np.intp], books: Books) -> Ints:
    """Read what credits bring to a measure; 0 of those that it does not count."""
    found, counts = np.zeros(len(rows), dtype=np.int64), passed[rows]
    found[counts] = books.values(value, rows[counts])
    return found


def _running(values: Ints, group: Ints) -> Ints:
    """Add up within groups that stand together."""
    total, first = np.cumsum(values), edges(group)
    before: Ints = np.append(0, total)[first][stretch_of(first, len(group))]
    return total - before
