"""Holds and bounds that cannot all be met, named before anything is solved.

A limit is a hold, a lower bound (floor) or an upper bound (cap) on one number.
A contradiction is a set of limits that no plan can meet and of which none is
idle: lift any one and the rest of the set can be met.

On a tree, what a node can be is an interval: the sum of its children's intervals,
cut by its own bounds. One pass from the leaves up decides the whole question.
For any other structure a linear program decides, and its multipliers say which
bounds are at odds (Farkas' lemma).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linprog

from spms_lib.errors import InfeasibleError, SpmsError, TableError
from spms_lib.hierarchy import Hierarchy

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Positions = NDArray[np.int64]
Names = Sequence[str] | Mapping[int, str]

HOLD: Final = "hold"
LOWER: Final = "lower"
UPPER: Final = "upper"

ABSOLUTE: Final = 1e-6  # minor units that limits may miss each other by
RELATIVE: Final = 1e-12  # the same, as a ratio of their size
SILENT: Final = 1e-7  # multipliers of a linear program below this are rounding
SOLVER: Final = {"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9}
ROUNDS: Final = 64  # of setting aside rows that cannot matter; any number is right
NAMED: Final = 6  # limits, nodes that a message names one by one


@dataclass(frozen=True, slots=True)
class Limit:
    """One hold or bound.

    Attributes
    ----------
    position
        The node (tree) or variable (general) that it limits.
    kind
        "hold", "lower" or "upper".
    value
        Where the limit lies, in minor units.
    """

    position: int
    kind: str
    value: float


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Limits that cannot all be met; lifting any one of them resolves it.

    Attributes
    ----------
    column
        The column (period) in which they meet.
    members
        The limits. On a tree the limit of `node` comes first, then those below it in the order of
        the tree; otherwise by position. A hold is one member. Two members at one position are a
        lower bound above an upper bound.
    excess
        Minor units by which they miss each other, positive: the least total change of the
        members that makes them agree.
    node
        The node at which they meet; None where the structure is not a tree.
    of_children
        True where the other members are one limit on each child of `node`.
    """

    column: int
    members: tuple[Limit, ...]
    excess: float
    node: int | None
    of_children: bool = False


# -- trees -------------------------------------------------------------------------------------------


def tree_contradictions(hierarchy: Hierarchy, lower: Floats, upper: Floats) -> list[Contradiction]:
    """Find the limits on a tree that no plan can meet, whose parents equal the sum of their children.

    Only the deepest contradicted nodes are reported, at most one contradiction per node
    and column: what fails above them may be their doing. Limits may miss each other by
    1e-6 minor units and 1e-9 of their size.

    Parameters
    ----------
    lower, upper
        Shape (n_nodes, n_columns), in the order of `hierarchy.nodes`, minor units; -inf and +inf
        where there is no bound. Equal values are a hold.

    Returns
    -------
    list[Contradiction]
        By column, then in the order of the tree; empty if a plan exists. Of the limits
        below a node, those higher up are preferred while the contradiction stands, for they
        are fewer; the very fewest are not sought beyond that.

    Raises
    ------
    TableError
        If the shapes differ, or a bound is NaN or infinite on the wrong side.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"node": ["north", "anna", "ben"], "parent": [None, "north", "north"]})
    >>> tree = Hierarchy.from_parent_child(table)
    >>> lower, upper = np.array([[-np.inf], [40.0], [20.0]]), np.array([[50.0], [40.0], [np.inf]])
    >>> [found] = tree_contradictions(tree, lower, upper)
    >>> [(str(tree.nodes[limit.position]), limit.kind, limit.value) for limit in found.members]
    [('north', 'upper', 50.0), ('anna', 'hold', 40.0), ('ben', 'lower', 20.0)]
    >>> found.excess
    10.0
    """
    _check_limits(lower, upper, (len(hierarchy), lower.shape[-1]))
    reach = _reach(hierarchy, lower, upper)
    nodes, columns = _deepest(hierarchy, reach.apart)
    return [
        _at_node(hierarchy, lower, upper, reach, node, column)
        for node, column in zip(nodes.tolist(), columns.tolist(), strict=True)
    ]


class _Reach(NamedTuple):
    """What every node can be, given the limits on it and below it.

    Attributes
    ----------
    low, high
        Shape (n_nodes, n_columns), low <= high everywhere: where the two contradict each
        other, low gives way, so that rounding never adds up to a contradiction further up.
    apart
        Shape (n_nodes, n_columns): True where they contradict each other.
    """

    low: Floats
    high: Floats
    apart: Bools


class _Side(NamedTuple):
    """Limits below a node that push it one way, mirrored so that they are always floors.

    Attributes
    ----------
    sign
        1.0 for lower bounds, -1.0 for upper bounds.
    own, implied
        One array per level below the node, sign applied: its bounds, and what they imply.
    """

    sign: float
    own: list[Floats]
    implied: list[Floats]


def _check_limits(lower: Floats, upper: Floats, shape: tuple[int, ...]) -> None:
    if lower.shape != shape or upper.shape != shape:
        raise TableError(
            f"Lower bounds have shape {lower.shape} and upper bounds {upper.shape}, not {shape}.",
            where="bounds",
            remedy="Give one row per node or variable, in their order, -inf and +inf where there is no bound.",
        )
    if not ((lower < np.inf).all() and (upper > -np.inf).all()):
        raise TableError(
            "A lower bound is NaN or +inf, or an upper bound is NaN or -inf.",
            where="bounds",
            remedy="Use -inf for no lower bound and +inf for no upper bound.",
        )


def _tolerance(*sizes: float) -> float:
    return ABSOLUTE + RELATIVE * max(abs(size) for size in sizes)


def _reach(hierarchy: Hierarchy, lower: Floats, upper: Floats) -> _Reach:
    """Combine bounds from the leaves up.

    No infinity needs counting: lower limits are only ever infinite downwards and upper limits
    upwards, so like is added to like, and a sparse product touches stored entries only.
    """
    low, high = np.array(lower, dtype=np.float64, order="C"), np.array(upper, dtype=np.float64, order="C")
    apart = np.zeros(low.shape, dtype=bool)
    offsets = hierarchy.offsets
    for depth in range(len(offsets) - 2, -1, -1):
        here = slice(offsets[depth], offsets[depth + 1])
        if depth < len(offsets) - 2:
            under = slice(offsets[depth + 1], offsets[depth + 2])
            leaf = hierarchy.is_leaf[here]
            for limits, silent, tighter in ((low, -np.inf, np.maximum), (high, np.inf, np.minimum)):
                total = hierarchy.sums[depth] @ limits[under]
                total[leaf] = silent
                tighter(limits[here], total, out=limits[here])
        _settle(low[here], high[here], apart[here])
    return _Reach(low, high, apart)


def _settle(low: Floats, high: Floats, apart: Bools) -> None:
    """Mark where limits miss each other, and let low give way there, both in place."""
    crossed = np.nonzero(low > high)
    if len(crossed[0]):
        one, other = low[crossed], high[crossed]
        size = np.maximum(np.abs(one), np.abs(other))
        apart[crossed] = one - other > ABSOLUTE + RELATIVE * size
        low[crossed] = other


def _deepest(hierarchy: Hierarchy, apart: Bools) -> tuple[Positions, Positions]:
    """Find contradicted nodes with none below them, by column and then in the order of the tree."""
    deepest = apart.copy()
    nodes, columns = np.nonzero(apart)
    while len(nodes):
        above = hierarchy.parent[nodes]
        nodes, columns = above[above >= 0], columns[above >= 0]
        deepest[nodes, columns] = False
    columns, nodes = np.nonzero(deepest.T)
    return nodes, columns


def _at_node(
    hierarchy: Hierarchy, lower: Floats, upper: Floats, reach: _Reach, node: int, column: int
) -> Contradiction:
    """Name the limits that meet at one node: its own two, or one of them and enough below it."""
    floor, cap = float(lower[node, column]), float(upper[node, column])
    if floor - cap > _tolerance(floor, cap):
        return _own_pair(node, column, floor, cap, node=node)
    levels = _levels_below(hierarchy.first, node)
    least = float(reach.low[levels[0], column].sum())
    most = float(reach.high[levels[0], column].sum())
    if least - cap > floor - most:
        side = _side(1.0, lower, reach.low, levels, column)
        own, spare = Limit(node, UPPER, cap), least - cap - _tolerance(least, cap)
    else:
        side = _side(-1.0, upper, reach.high, levels, column)
        own, spare = Limit(node, LOWER, floor), floor - most - _tolerance(floor, most)
    if floor == cap:
        own = Limit(node, HOLD, cap)
    cover = _cover(hierarchy.first, levels, side, spare)
    total = math.fsum((lower if side.sign > 0 else upper)[cover, column].tolist())
    return Contradiction(
        column,
        (own, *(_limit(lower, upper, place, column, side.sign) for place in cover.tolist())),
        side.sign * (total - own.value),
        node,
        of_children=bool(len(cover) == levels[0].stop - levels[0].start and cover[-1] < levels[0].stop),
    )


def _own_pair(position: int, column: int, floor: float, cap: float, node: int | None) -> Contradiction:
    return Contradiction(
        column, (Limit(position, LOWER, floor), Limit(position, UPPER, cap)), floor - cap, node
    )


def _limit(lower: Floats, upper: Floats, position: int, column: int, sign: float) -> Limit:
    floor, cap = float(lower[position, column]), float(upper[position, column])
    if floor == cap:
        return Limit(position, HOLD, cap)
    return Limit(position, LOWER, floor) if sign > 0 else Limit(position, UPPER, cap)


def _levels_below(first: Positions, node: int) -> list[slice]:
    """Find the nodes below one node, level by level; those of one level lie side by side."""
    levels, start, stop = [], int(first[node]), int(first[node + 1])
    while start < stop:
        levels.append(slice(start, stop))
        start, stop = int(first[start]), int(first[stop])
    return levels


def _side(sign: float, bounds: Floats, implied: Floats, levels: list[slice], column: int) -> _Side:
    return _Side(
        sign,
        [sign * bounds[level, column] for level in levels],
        [sign * implied[level, column] for level in levels],
    )


def _cover(first: Positions, levels: list[slice], side: _Side, spare: float) -> Positions:
    """Choose limits that together cover everything below a node, in the order of the tree.

    Each node speaks for itself, or its children speak for it. A node's own limit is taken
    where nothing below it says more, or where what it says less (the loss) can be spared.
    Any such cover is irreducible: without one member, that branch could be anything.

    Parameters
    ----------
    spare
        Minor units by which the limits below may be weaker and still contradict the node.
    """
    sizes = _cover_sizes(first, levels, side)
    spoken: list[Positions] = []
    asked = np.ones(levels[0].stop - levels[0].start, dtype=bool)
    for level, own, implied, size in zip(levels, side.own, side.implied, sizes, strict=True):
        here = np.flatnonzero(asked)
        loss = implied[here] - own[here]
        taken = _affordable(loss, size[here] - 1, spare)
        spare -= float(np.maximum(loss[taken], 0.0).sum())
        spoken.append(level.start + here[taken])
        asked[here[taken]] = False
        asked = np.repeat(asked, np.diff(first[level.start : level.stop + 1]))
        if not asked.any():
            break
    return np.concatenate(spoken)


def _cover_sizes(first: Positions, levels: list[slice], side: _Side) -> list[Positions]:
    """Count, for each node, the limits it takes to say all that is implied of it."""
    sizes: list[Positions] = []
    below: Positions = np.zeros(0, dtype=np.int64)
    for level, own, implied in zip(levels[::-1], side.own[::-1], side.implied[::-1], strict=True):
        ends = first[level.start : level.stop + 1]
        of_children = np.diff(np.concatenate([[0], np.cumsum(below)])[ends - ends[0]])
        below = np.where(own >= implied, 1, of_children)
        sizes.append(below)
    return sizes[::-1]


def _affordable(loss: Floats, saved: Positions, spare: float) -> Bools:
    """Choose whose own limits to take: all that lose nothing, then those that save most per loss."""
    taken = loss <= 0.0
    open_to = np.flatnonzero(~taken & (loss <= spare) & (saved > 0))
    for candidate in open_to[np.argsort(loss[open_to] / saved[open_to], kind="stable")]:
        if loss[candidate] <= spare:
            taken[candidate] = True
            spare -= float(loss[candidate])
    return taken


# -- any structure -----------------------------------------------------------------------------------


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
        if a plan exists or bounds miss each other by no more than 1e-6 minor units and 1e-9 of
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
    _check_limits(lower, upper, (rows.shape[1],))
    if right_side.shape != (rows.shape[0],):
        raise TableError(
            f"The right side has shape {right_side.shape}, not {(rows.shape[0],)}.",
            where="structure",
            remedy="Give one number per row.",
        )
    for place in np.flatnonzero(lower > upper).tolist():
        if lower[place] - upper[place] > _tolerance(lower[place], upper[place]):
            return _own_pair(place, column, float(lower[place]), float(upper[place]), node=None)
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
        _limit(lower[:, None], upper[:, None], int(part.place[here]), 0, float(final.price[here]))
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
    return _Relaxed(
        amount, amount > _tolerance(largest), answer.eqlin.marginals, np.where(priced, price, 0.0)
    )


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


# -- messages ----------------------------------------------------------------------------------------

_IS: Final = {HOLD: "is held at", LOWER: "must be at least", UPPER: "may be at most"}
_AT: Final = {HOLD: "held at", LOWER: "at least", UPPER: "at most"}
_NOUN: Final = {HOLD: "hold", LOWER: "floor", UPPER: "cap"}
_MANY: Final = {HOLD: "holds", LOWER: "lower bounds", UPPER: "upper bounds"}


def refuse(contradictions: Sequence[Contradiction], names: Names, columns: Sequence[str]) -> NoReturn:
    """Refuse to plan: the first contradiction in full, then where the others are.

    Parameters
    ----------
    contradictions
        At least one.
    names
        Shape (n_nodes,) or (n_variables,): what to call each position.
    columns
        Shape (n_columns,): what to call each column.

    Raises
    ------
    InfeasibleError
        Always. It names limits with their numbers, says what they sum to, and by how much to
        change which.

    Examples
    --------
    >>> members = (Limit(0, "upper", 50.0), Limit(1, "hold", 40.0), Limit(2, "lower", 20.0))
    >>> try:
    ...     refuse([Contradiction(0, members, 10.0, 0)], ["north", "anna", "ben"], ["2026-01"])
    ... except InfeasibleError as refusal:
    ...     print(refusal.remedy)
    Raise the cap of 'north' to 60.00, or lower the others by 10.00 in all, or lift one of them.
    """
    first, *others = contradictions
    what, remedy = _words(first, names, str(columns[first.column]))
    only_holds = all(limit.kind == HOLD for limit in first.members)
    raise InfeasibleError(
        what + _further(others, names, columns),
        where="holds" if only_holds else "holds and bounds",
        remedy=remedy,
    )


def _words(found: Contradiction, names: Names, column: str) -> tuple[str, str]:
    """Say what is wrong and what to do about it."""
    own, *others = found.members
    if len(others) == 1 and others[0].position == own.position:
        return _words_for_one_node(own, others[0], names, column)
    if found.node is None:
        return _words_for_any(found, names, column)
    if found.of_children and all(limit.kind == HOLD for limit in found.members):
        return _words_for_held_children(own, others, names, column)
    return _words_for_a_tree(own, others, names, column)


def _words_for_one_node(floor: Limit, cap: Limit, names: Names, column: str) -> tuple[str, str]:
    name = names[floor.position]
    return (
        (
            f"'{name}' must be at least {_number(floor.value)} and at most {_number(cap.value)} in {column}: "
            "its own hold or bounds exclude each other (minor units)."
        ),
        (
            f"Raise the cap of '{name}' to {_number(floor.value)}, or lower its floor to {_number(cap.value)}, "
            "or lift one of them; a hold must lie within the bounds of its own node."
        ),
    )


def _words_for_held_children(own: Limit, children: list[Limit], names: Names, column: str) -> tuple[str, str]:
    total = _total(children)
    return (
        (
            f"'{names[own.position]}' is held at {_number(own.value)}, but its children are all held and sum to "
            f"{_number(total)} (minor units, {column})."
        ),
        f"Change one of these holds by {_number(total - own.value, '+')}, or lift one.",
    )


def _words_for_a_tree(own: Limit, below: list[Limit], names: Names, column: str) -> tuple[str, str]:
    total = _total(below)
    too_much = total > own.value
    name, sum_below = names[own.position], _number(total)
    limit = f"at least {sum_below} is fixed" if too_much else f"at most {sum_below} is possible"
    this_way, that_way = ("Raise", "lower") if too_much else ("Lower", "raise")
    change = f"{that_way} the others by {_number(abs(total - own.value))} in all"
    if len(below) == 1:
        other = below[0]
        change = f"{that_way} the {_NOUN[other.kind]} of '{names[other.position]}' to {_number(own.value)}"
    return (
        (
            f"'{name}' {_IS[own.kind]} {_number(own.value)} in {column}, but below it {limit}: "
            f"{_listed(below, names)} (minor units)."
        ),
        f"{this_way} the {_NOUN[own.kind]} of '{name}' to {sum_below}, or {change}, or lift one of them.",
    )


def _words_for_any(found: Contradiction, names: Names, column: str) -> tuple[str, str]:
    kinds = {limit.kind for limit in found.members}
    moves = {HOLD: "move holds", LOWER: "lower floors", UPPER: "raise caps"}
    ways = " or ".join(move for kind, move in moves.items() if kind in kinds)
    amount = _number(found.excess)
    return (
        (
            f"No plan meets all of these in {column}: {_listed(found.members, names)}; "
            f"they miss each other by {amount} (minor units)."
        ),
        f"{ways.capitalize()} among them by {amount} in all, or lift one of them.",
    )


def _listed(limits: Sequence[Limit], names: Names) -> str:
    """Name the largest limits one by one, and say what the others sum to."""
    ranked = sorted(limits, key=lambda limit: -abs(limit.value))
    named = ranked if len(ranked) <= NAMED + 1 else ranked[:NAMED]
    text = ", ".join(f"'{names[limit.position]}' {_AT[limit.kind]} {_number(limit.value)}" for limit in named)
    rest = ranked[len(named) :]
    if not rest:
        return text
    kinds = {limit.kind for limit in rest}
    what = " and ".join(many for kind, many in _MANY.items() if kind in kinds)
    return f"{text} and {len(rest)} more {what} summing to {_number(_total(rest))}"


def _further(others: list[Contradiction], names: Names, columns: Sequence[str]) -> str:
    """Say how many more contradictions there are, and at which nodes and columns."""
    if not others:
        return ""
    places: dict[int, list[str]] = {}
    for found in others:
        place = found.members[0].position if found.node is None else found.node
        places.setdefault(place, []).append(str(columns[found.column]))
    where = [
        f"'{names[place]}' ({when[0]}{f' and {len(when) - 1} more' if len(when) > 1 else ''})"
        for place, when in places.items()
    ]
    more = f" and at {len(where) - NAMED} more nodes" if len(where) > NAMED else ""
    noun = "contradiction" if len(others) == 1 else "contradictions"
    return f" {len(others)} more {noun}: at {', '.join(where[:NAMED])}{more}."


def _total(limits: Iterable[Limit]) -> float:
    return math.fsum(limit.value for limit in limits)


def _number(value: float, sign: str = "") -> str:
    """Write an amount with two digits, or more where two would show nothing."""
    if 0 < abs(value) < 0.005:
        return f"{value:{sign}.1e}"
    return f"{value + 0.0:{sign},.2f}"
