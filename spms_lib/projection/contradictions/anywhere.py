"""Contradictions in any structure: a linear program decides, and its multipliers say who is at odds (Farkas)."""

import math
from typing import Final, NamedTuple

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from spms_lib.errors import InfeasibleError, SpmsError, TableError
from spms_lib.projection.contradictions.limits import (
    ABSOLUTE,
    RELATIVE,
    Bools,
    Contradiction,
    Floats,
    Positions,
    check_limits,
    limit_at,
    own_pair,
    tolerance,
)

SILENT: Final = 1e-7  # multipliers of a linear program below this are rounding
SOLVER: Final = {"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9}
ROUNDS: Final = 64  # of setting aside rows that cannot matter; any number is right


def general_contradiction(
    rows: sparse.csr_array, right_side: Floats, lower: Floats, upper: Floats, *, column: int = 0
) -> Contradiction | None:
    """Find bounds that cannot all be met under any linear structure, in one column.

        rows @ x = right_side,  lower <= x <= upper

    The rows always hold; only bounds are ever named. A row that its own bounds make
    impossible is seen at once; otherwise a linear program decides. If there is no plan,
    another one lets the bounds give way at least cost, and those that then have a price are
    thinned until none is idle. Some 60,000 variables take a few seconds.

    Parameters
    ----------
    rows
        Shape (n_rows, n_variables), sparse.
    right_side
        Shape (n_rows,), minor units.
    lower, upper
        Shape (n_variables,), minor units; -inf and +inf where there is no bound.
    column
        What the answer gives as its column.

    Returns
    -------
    Contradiction | None
        One contradiction: of several, one with few members that miss each other by much. None
        if a plan exists or bounds miss each other by no more than 1e-6 minor units and 1e-12 of
        their size.

    Raises
    ------
    TableError
        If the shapes differ, or a bound is NaN or infinite on the wrong side.
    InfeasibleError
        If the rows contradict each other without any bound.

    References
    ----------
    Chinneck (2008), Feasibility and Infeasibility in Optimization: elastic and deletion filter.
    Gleeson and Ryan (1990), Identifying minimally infeasible subsystems of inequalities.

    Examples
    --------
    >>> total = sparse.csr_array([[1.0, -1.0, -1.0]])
    >>> floors, caps = np.array([-np.inf, 40.0, 20.0]), np.array([50.0, 40.0, np.inf])
    >>> found = general_contradiction(total, np.zeros(1), floors, caps)
    >>> [(limit.position, limit.kind) for limit in found.members], round(found.excess, 6)
    ([(0, 'upper'), (1, 'hold'), (2, 'lower')], 10.0)
    """
    check_limits(lower, upper, (rows.shape[1],))
    if right_side.shape != (rows.shape[0],):
        raise TableError(
            f"The right side has shape {right_side.shape}, not {(rows.shape[0],)}.",
            where="structure",
            remedy="Give one number per row.",
        )
    for place in np.flatnonzero(lower > upper).tolist():
        if lower[place] - upper[place] > tolerance(lower[place], upper[place]):
            return own_pair(place, column, float(lower[place]), float(upper[place]), node=None)
    problem = _scaled(rows, right_side, lower, upper)
    price = _price_of_one_row(problem)
    if not price.any():
        price = _price_of_agreement(problem)
    if not price.any():
        return None
    part = _suspects(problem, price)
    if not _is_irreducible(part):
        part = _thin(part)
    final = _relax(part)
    members = tuple(
        limit_at(lower[:, None], upper[:, None], int(part.place[here]), 0, float(final.price[here]))
        for here in np.flatnonzero(_bounded(part))
    )
    return Contradiction(column, members, final.amount, None)


class _Problem(NamedTuple):
    """Rows and bounds in units of about the size of the numbers.

    Attributes
    ----------
    rows
        Shape (n_rows, n_variables).
    right
        Shape (n_rows,).
    low, high
        Shape (n_variables,).
    place
        Shape (n_variables,): position of each variable in the caller's problem.
    unit
        Minor units that count as 1.0.
    """

    rows: sparse.csr_array
    right: Floats
    low: Floats
    high: Floats
    place: Positions
    unit: float


class _Relaxed(NamedTuple):
    """What it takes to make bounds agree.

    Attributes
    ----------
    amount
        Least total change, in minor units.
    contradicts
        True where that is more than rounding.
    row_price
        Shape (n_rows,): what one unit more on the right costs.
    price
        Shape (n_variables,): what one unit more on the bound at work costs; above zero for a
        lower bound, below for an upper one, zero where none is at work.
    """

    amount: float
    contradicts: bool
    row_price: Floats
    price: Floats


def _scaled(rows: sparse.csr_array, right_side: Floats, lower: Floats, upper: Floats) -> _Problem:
    """Count in units of the typical number, so that the solver's tolerances mean something."""
    matrix = sparse.csr_array(rows, dtype=np.float64, copy=True)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    sizes = np.abs(np.concatenate([right_side, lower, upper]))
    sizes = sizes[np.isfinite(sizes) & (sizes > 0)]
    unit = float(np.median(sizes)) if len(sizes) else 1.0
    return _Problem(
        matrix,
        right_side / unit,
        np.minimum(lower, upper) / unit,
        upper / unit,
        np.arange(matrix.shape[1]),
        unit,
    )


def _bounded(problem: _Problem) -> Bools:
    return np.isfinite(problem.low) | np.isfinite(problem.high)


def _is_feasible(problem: _Problem) -> bool:
    bounds = np.column_stack([problem.low, problem.high])
    cost = np.zeros(len(bounds))
    answer = linprog(
        cost, A_eq=problem.rows, b_eq=problem.right, bounds=bounds, method="highs", options=SOLVER
    )
    return bool(answer.status == 0)


def _relax(problem: _Problem) -> _Relaxed:
    """Let finite bounds give way at a price of one per unit; infinite ones have nothing to give."""
    over, under = np.isfinite(problem.high), np.isfinite(problem.low)
    size, extra = len(over), int(over.sum() + under.sum())
    rows = sparse.hstack([problem.rows, problem.rows[:, over], -problem.rows[:, under]], format="csc")
    bounds = np.column_stack(
        [
            np.concatenate([problem.low, np.zeros(extra)]),
            np.concatenate([problem.high, np.full(extra, np.inf)]),
        ]
    )
    cost = np.concatenate([np.zeros(size), np.ones(extra)])
    answer = linprog(cost, A_eq=rows, b_eq=problem.right, bounds=bounds, method="highs", options=SOLVER)
    if answer.status == 2:
        raise InfeasibleError(
            "The sums that the numbers must obey contradict each other, whatever the bounds.",
            where="structure",
            remedy="Correct the right side or the rows; lifting bounds does not help.",
        )
    if answer.status != 0:
        raise SpmsError(f"The search for contradictions failed: {answer.message}", where="holds and bounds")
    price = answer.lower.marginals[:size] + answer.upper.marginals[:size]
    priced = np.abs(price) > SILENT
    at_work = np.where(price > 0, problem.low, problem.high)[priced]
    largest = float(np.abs(at_work).max(initial=0.0)) * problem.unit
    amount = float(answer.fun) * problem.unit
    return _Relaxed(amount, amount > tolerance(largest), answer.eqlin.marginals, np.where(priced, price, 0.0))


def _price_of_one_row(problem: _Problem) -> Floats:
    """Price the bounds of the shortest row that its own bounds make impossible; all zero if none is.

    No program is needed to see it, and such a contradiction is the easiest to read.
    """
    rows, size = problem.rows, np.abs(problem.rows)
    floor, cap = (np.where(np.isfinite(bound), bound, 0.0) for bound in (problem.low, problem.high))
    plus, minus = rows.maximum(0.0), rows.minimum(0.0)
    no_floor, no_cap = np.isinf(problem.low).astype(float), np.isinf(problem.high).astype(float)
    above = np.where(plus @ no_floor - minus @ no_cap == 0, plus @ floor + minus @ cap - problem.right, 0.0)
    short = np.where(plus @ no_cap - minus @ no_floor == 0, problem.right - plus @ cap - minus @ floor, 0.0)
    largest = size @ np.maximum(np.abs(floor), np.abs(cap)) + np.abs(problem.right)
    odd = np.maximum(above, short) > ABSOLUTE / problem.unit + RELATIVE * largest
    length = np.diff(rows.indptr)
    found = np.flatnonzero(odd & (length > 0))
    if not len(found):
        return np.zeros(rows.shape[1])
    row = found[np.lexsort([-np.maximum(above, short)[found], length[found]])[0]]
    return np.asarray(rows[[row]].toarray()[0] * (1.0 if above[row] > short[row] else -1.0))


def _price_of_agreement(problem: _Problem) -> Floats:
    """Price the bounds by what it costs to make them agree; all zero where they do."""
    nothing = np.zeros(len(problem.place))
    if not problem.rows.shape[0] or _is_feasible(problem):
        return nothing
    answer = _relax(problem)
    return answer.price if answer.contradicts else nothing


def _suspects(problem: _Problem, price: Floats) -> _Problem:
    """Narrow a contradicted problem down to few bounds that contradict each other by themselves.

    Bounds with a price do, by Farkas' lemma, but their prices may prove several
    contradictions at once. Those at work when all give way alike prove a single one.
    """
    priced = _core(_one_sided(problem, price))
    single = _core(_one_sided(priced, _price_of_giving_alike(priced)))
    for part in (single, priced):
        if _relax(part).contradicts:
            return part
    raise SpmsError(
        "The bounds contradict each other, but which ones is lost in rounding.",
        where="holds and bounds",
        remedy="Look for bounds of very different size.",
    )


def _price_of_giving_alike(problem: _Problem) -> Floats:
    """Let all bounds give way by the same amount, the least that is enough, and price each of them.

    The prices are a corner of the set of all proofs that the bounds contradict each other, and
    the bounds of a corner are irreducible (Gleeson and Ryan, 1990).
    """
    floors, caps = np.flatnonzero(np.isfinite(problem.low)), np.flatnonzero(np.isfinite(problem.high))
    size, count = len(problem.place), len(floors) + len(caps)
    places, signs = np.concatenate([floors, caps]), np.repeat([-1.0, 1.0], [len(floors), len(caps)])
    pick = sparse.csr_array((signs, (np.arange(count), places)), shape=(count, size))
    answer = linprog(
        np.concatenate([np.zeros(size), [1.0]]),
        A_ub=sparse.hstack([pick, sparse.csr_array(np.full((count, 1), -1.0 / count))]),
        b_ub=signs * np.concatenate([problem.low[floors], problem.high[caps]]),
        A_eq=sparse.hstack([problem.rows, sparse.csr_array((len(problem.right), 1))]),
        b_eq=problem.right,
        bounds=np.array([[-np.inf, np.inf]] * size + [[0.0, np.inf]]),
        method="highs",
        options=SOLVER,
    )
    if answer.status != 0:
        return np.zeros(size)
    price = np.bincount(places, signs * answer.ineqlin.marginals, minlength=size)
    return np.where(np.abs(price) > SILENT, price, 0.0)


def _one_sided(problem: _Problem, price: Floats) -> _Problem:
    """Keep the bounds that have a price: holds whole, otherwise only the side at work."""
    hold = (problem.low == problem.high) & (price != 0)
    return problem._replace(
        low=np.where(hold | (price > 0), problem.low, -np.inf),
        high=np.where(hold | (price < 0), problem.high, np.inf),
    )


def _with_bounds(problem: _Problem, keep: Bools) -> _Problem:
    return problem._replace(
        low=np.where(keep, problem.low, -np.inf), high=np.where(keep, problem.high, np.inf)
    )


def _core(problem: _Problem) -> _Problem:
    """Set aside rows that an unbounded variable of no other row can always satisfy, again and again."""
    touches = sparse.csr_array(problem.rows != 0, dtype=np.int64)
    touched_by = touches.T.tocsr()
    live = np.ones(touches.shape[0], dtype=np.int64)
    free = ~_bounded(problem)
    for _ in range(ROUNDS):
        idle = live & (touches @ (free & (touched_by @ live == 1)).astype(np.int64) > 0)
        if not idle.any():
            break
        live = live & ~idle
    rows = live == 1
    used = touched_by @ live > 0
    return _Problem(
        problem.rows[rows][:, used],
        problem.right[rows],
        problem.low[used],
        problem.high[used],
        problem.place[used],
        problem.unit,
    )


def _is_irreducible(problem: _Problem) -> bool:
    """Say whether the rows tie the bounded variables to each other by one equation only.

    Then any of them, set free, leaves room for all others. With everything else free to
    adapt, two arbitrary changes of the bounded variables must be the same up to scale.
    """
    bounded = _bounded(problem)
    steps = np.arange(1.0, bounded.sum() + 1.0)
    one, other = (problem.rows[:, bounded] @ np.cos(angle * steps) for angle in (1.0, math.sqrt(2.0)))
    rows = sparse.hstack([problem.rows[:, ~bounded], sparse.csr_array(one[:, None])])
    unbounded = np.full(rows.shape[1], np.inf)
    return _is_feasible(_Problem(rows, other, -unbounded, unbounded, np.arange(rows.shape[1]), problem.unit))


def _thin(part: _Problem) -> _Problem:
    """Lift one bound after the other; keep those without which the rest agree.

    Every lifting that does not help yields new prices, and bounds without one go at once.
    """
    needed = np.zeros(len(part.place), dtype=bool)
    open_to = _bounded(part)
    while open_to.any():
        trial = int(np.argmax(open_to))
        open_to[trial] = False
        again = _relax(_with_bounds(part, needed | open_to))
        if again.contradicts:
            open_to &= again.price != 0
        else:
            needed[trial] = True
    return _with_bounds(part, needed)
