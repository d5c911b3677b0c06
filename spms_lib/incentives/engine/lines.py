"""What single credits pay, where pay does not follow from totals: per deal, capped per deal, kicked, or on another base.

Credits of one day count as one block on the curve, shared by what each brings, so that the order in
which a day's credits are listed changes nothing. A credit that reverses another takes back what that one was paid.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.incentives.engine.books import CREDIT, DATE, REVERSES, Books
from spms_lib.incentives.engine.component import LinePay, Setting, Standing, by_line, standing
from spms_lib.incentives.engine.exact import Ints, rounded
from spms_lib.incentives.engine.figures import Figures
from spms_lib.incentives.plan.model import ATTAINMENT, RATE, TRANSACTION, CompensationPlan, Curve


class Lines(NamedTuple):
    """Credits that one component counts, in order of payee, interval and day.

    Attributes
    ----------
    rows
        Position of each credit in the books.
    payee, month
        Row and column of its cell.
    value, base
        What it adds to the measure, and what is paid on.
    before, after, block
        The running total before and after its day, and what the day adds.
    factor, over
        Product of its kickers.
    """

    rows: NDArray[np.intp]
    payee: NDArray[np.int32]
    month: NDArray[np.int64]
    value: Ints
    base: Ints
    before: Ints
    after: Ints
    block: Ints
    factor: Ints
    over: int


def lines_of(setting: Setting, plan: CompensationPlan, books: Books, figures: Figures) -> Lines:
    """Put the credits of a component in order and add them up day by day."""
    component = setting.component
    rule = plan.measures[component.measure]
    passed = books.passing(
        rule, component.pays_from or plan.effective_from, component.pays_to or plan.effective_to
    )
    rows = np.flatnonzero(passed)
    starts = figures.starts[component.interval]
    month = books.column[rows].astype(np.int64)
    day = books.credits[DATE].to_numpy()[rows].astype("datetime64[D]").astype(np.int64)
    group = books.row[rows].astype(np.int64) * len(starts) + starts[month]
    spread = int(day.max(initial=0) - day.min(initial=0)) + 1
    block = group * spread + (day - day.min(initial=0))
    order = np.argsort(block, kind="stable")
    rows, month, group, block = rows[order], month[order], group[order], block[order]
    value = books.values(rule.value, rows)
    base = books.values(plan.measures[component.base].value, rows) if component.base else value
    factor, over = _kicked(setting, books, rows, group, block, value)
    if component.accumulate == TRANSACTION:
        return Lines(
            rows, books.row[rows], month, value, base, np.zeros_like(value), value, value, factor, over
        )
    running = np.cumsum(value)
    first, last = edges(group), edges(block)
    before_group = np.append(0, running)[:-1][first][stretch_of(first, len(rows))]
    at_block = stretch_of(last, len(rows))
    before = np.append(0, running)[:-1][last][at_block] - before_group
    ends = np.append(last[1:], len(rows)) - 1
    after = (running[ends][at_block] if len(rows) else running) - before_group
    return Lines(rows, books.row[rows], month, value, base, before, after, after - before, factor, over)


def pay_of_lines(setting: Setting, lines: Lines, curve: Curve, at: Standing, books: Books) -> Ints:
    """Work out what each credit pays by a curve, to the minor unit; aligned with `lines`."""
    component, bands = setting.component, setting.bands(curve)
    cell = (lines.payee, lines.month)
    against = at.against[cell] if curve.unit == ATTAINMENT else np.ones_like(lines.value)
    weight = at.weight[cell] if curve.pays != RATE else against
    alone = component.accumulate == TRANSACTION
    sign = np.where(lines.block < 0, -1, 1)
    block = np.where(lines.block == 0, 1, lines.block * sign)
    before = lines.before
    after = np.abs(lines.after) if alone else np.where(lines.block == 0, before + 1, lines.after)
    places = bands.position(before, against), bands.position(after, against)
    own = np.where(lines.block == 0, 0 if alone else lines.base, lines.base * (1 if alone else sign))

    def formula(low: Any, high: Any, judged: Any, of: Any, at_low: Any, at_high: Any, paid: Any, by: Any, factor: Any) -> Any:  # fmt: skip
        upper, under = bands.terms(high, judged, of, at_high)
        lower, _ = bands.terms(low, judged, of, at_low)
        lower = [] if alone else lower
        return [term * paid * factor for term in upper] + [-term * paid * factor for term in lower], under * by * lines.over  # fmt: skip

    pay = rounded(
        formula,
        [before, after, against, weight, *places, own, block, lines.factor],
        half=setting.half,
        to=setting.to,
    )
    if component.deal_cap is not None:
        most = int(component.deal_cap * setting.per_unit)
        pay = np.clip(pay, -most, most)
    pay[at.reason[cell] > 0] = 0
    return _taken_back(pay, lines, books, setting)


def line_totals(setting: Setting, plan: CompensationPlan, books: Books, figures: Figures) -> LinePay | None:
    """Sum what single credits pay by payee and month; None for a component whose pay follows from totals."""
    component = setting.component
    if not by_line(component) or component.curve is None:
        return None
    lines = lines_of(setting, plan, books, figures)

    def total(curve: Curve | None) -> Ints | None:
        if curve is None:
            return None
        at = standing(setting, figures, component.interval, curve)
        found = np.zeros(books.shape, dtype=np.int64)
        np.add.at(found, (lines.payee, lines.month), pay_of_lines(setting, lines, curve, at, books))
        return found

    own = total(component.curve)
    assert own is not None
    return LinePay(own, [total(gate.closed) for gate in component.gates])


def _kicked(
    setting: Setting, books: Books, rows: NDArray[np.intp], group: Ints, block: Ints, value: Ints
) -> tuple[Ints, int]:
    """Multiply the factors of the kickers that each credit meets, over one denominator."""
    factor, over = np.ones(len(rows), dtype=np.int64), 1
    for kicker in setting.component.kickers:
        meets = np.ones(len(rows), dtype=bool)
        for condition in kicker.where:
            meets &= books.meets(condition)[rows]
        if kicker.first is not None:
            found = np.flatnonzero(meets)
            ranked = found[np.lexsort((-value[found], block[found]))]
            starts = edges(group[ranked])
            rank = np.arange(len(ranked)) - starts[stretch_of(starts, len(ranked))] if len(ranked) else ranked
            meets[ranked[rank >= kicker.first]] = False
        factor = factor * np.where(meets, kicker.factor.numerator, kicker.factor.denominator)
        over *= kicker.factor.denominator
    return factor, over


def _taken_back(pay: Ints, lines: Lines, books: Books, setting: Setting) -> Ints:
    """Let a reversal take back its share of what its payee was paid for the reversed credit."""
    if REVERSES not in books.credits:
        return pay
    reverses = books.credits[REVERSES].iloc[lines.rows]
    back = np.flatnonzero(reverses.notna().to_numpy())
    if not len(back):
        return pay
    names = books.credits[CREDIT].iloc[lines.rows]
    meant = np.flatnonzero(names.isin(reverses.iloc[back]).to_numpy())
    known = pd.MultiIndex.from_arrays([lines.payee[meant], names.iloc[meant].astype(object)])
    found = known.get_indexer(
        pd.MultiIndex.from_arrays([lines.payee[back], reverses.iloc[back].astype(object)])
    )
    back, origin = back[found >= 0], meant[found[found >= 0]]
    share, whole = np.abs(lines.value[back]), np.maximum(np.abs(lines.value[origin]), 1)
    pay[back] = -rounded(
        lambda paid, part, of: ([paid * part], of),
        [pay[origin], share, whole],
        half=setting.half,
        to=setting.to,
    )
    return pay


def edges(keys: Ints) -> NDArray[np.intp]:
    """Positions at which a new key begins, in sorted keys."""
    return np.flatnonzero(np.append(True, keys[1:] != keys[:-1])[: len(keys)])


def stretch_of(edges: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    """Find the number of the stretch that each position lies in."""
    return np.repeat(np.arange(len(edges)), np.diff(np.append(edges, size)))
