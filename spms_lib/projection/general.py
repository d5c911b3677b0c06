"""Any structure and any limits: crossed dimensions, cuts, cells that do not exist.

The sums are kept as sparse rows of immediate children, factorised once for all columns that share variances and fixed
cells. A cell without an estimate starts from a wide guess that is forgotten step by step (the proximal method of
multipliers), so nothing infinite is ever divided by. With bounds, an interior method finds which cells stand on a
limit; the answer is then solved once more, exactly, with those fixed, and is returned only if it is the optimum.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

from spms_lib.errors import CheckError, InfeasibleError
from spms_lib.projection.problem import FREE, Answer, Bools, Floats, Problem, Structure, one_column

WIDE = 1e4  # variance of a first guess, as a multiple of the largest one known
STEPS = 60  # at most; three or four are usual
RIDGE = 1e-14  # keeps rows that repeat others from stopping the factorisation
EXACT = 1e-13  # ratio of the largest number below which a gap is float noise
CLOSE = 1e-6  # where the interior method is near enough to try an exact answer
FAINT = 1e-8  # precision of a first guess, against a typical one
NEAR = 1e-9  # standard errors by which the sign of a cost may be wrong
SLOW = 0.5  # ratio of gaps between steps of the interior method, above which a step is not corrected
RELEASES = 8  # times that cells are let go or caught before the interior method goes on
BLOCK = 64  # cells whose posterior variance is found at once


@dataclass(frozen=True, eq=False)
class Factor:
    """Rows factorised for one set of variances: K = rows W rows'.

    Attributes
    ----------
    spread
        Shape (n_cells, 1): variances, 0 for fixed cells, wide for those without an estimate.
    silent
        Shape (n_cells, 1): cells without an estimate.
    live
        Shape (n_rows, 1): rows in which something can move.
    """

    rows: sparse.csr_array
    spread: Floats
    silent: Bools
    live: Bools
    solver: Any = field(repr=False)

    @classmethod
    def of(cls, rows: sparse.csr_array, variance: Floats, fixed: Bools, usual: float = 1.0) -> "Factor":
        """Factorise for variances of shape (n_cells,), infinite without an estimate, with some cells fixed.

        The price of a silent sum is its float noise over its wide variance, so wide has to mean wide in the unit of
        the amounts: fixed cells count with the variance that they would have, and where nobody speaks, `usual`.
        """
        silent = np.isinf(variance) & ~fixed
        spread = np.where(fixed, 0.0, np.where(silent, WIDE * largest_known(variance, usual), variance))
        solver, live = factorise(rows, spread, RIDGE)
        return cls(rows, spread[:, None], silent[:, None], live[:, None], solver)

    @cached_property
    def adding_up(self) -> sparse.csr_array | None:
        """Shape (n_cells, n_cells): puts every silent sum to what it adds up, the rest stays; None if there is none."""
        if not self.silent.any():
            return None
        sums = sum_of_row(self.rows)
        cells, lines = np.unique(
            sums, return_index=True
        )  # a cell of a crossing may be several sums: any will do
        lines = lines[self.silent[cells, 0]]
        put = sparse.coo_array(
            (np.ones(lines.size), (sums[lines], lines)), shape=(self.rows.shape[1], self.rows.shape[0])
        )
        return (sparse.eye_array(self.rows.shape[1]) - put @ self.rows).tocsr()

    def at_rest(self, own: Floats) -> Floats:
        """Start silent sums, of shape (n_cells, n_columns), from what they add up: sums of sums settle last."""
        return own if self.adding_up is None else _until_still(self.adding_up, own)

    def at_rest_adjoint(self, weights: Floats) -> Floats:
        """Hand what weighs on the start of a silent sum, of shape (n_cells, n_columns), down to its parts."""
        return weights if self.adding_up is None else _until_still(self.adding_up.T.tocsr(), weights)

    def settle(self, own: Floats, tilt: Floats | float = 0.0) -> tuple[Floats, Floats, Floats]:
        """Find coherent values, the prices of the sums, and how far silent cells still moved in the last step.

        Parameters
        ----------
        own
            Shape (n_cells, n_columns): estimates, what fixed cells are fixed at, and a first guess at silent cells.
        tilt
            Shape (n_cells, n_columns): a reward per unit of each cell's value.

        Returns
        -------
        values, prices, drift
            Shapes (n_cells, n_columns), (n_rows, n_columns), (n_columns,); the drift is a ratio of the largest number.
        """
        values, prices = own, np.zeros((self.rows.shape[0], own.shape[1]))
        size = (
            np.maximum(np.abs(own).max(axis=0), np.abs(self.spread * tilt).max(axis=0, initial=0.0)) + 1e-300
        )
        silent = bool(self.silent.any())
        last = np.full(own.shape[1], np.inf)
        for _ in range(STEPS):
            start = np.where(self.silent, values, own) if silent else own
            start = start + self.spread * (tilt - self.rows.T @ prices)
            step = self.solver.solve(np.ascontiguousarray((self.rows @ start) * self.live)) * self.live
            prices = prices + step
            moved = start - self.spread * (self.rows.T @ step)
            drift = (np.abs(moved - values) * self.silent).max(axis=0, initial=0.0) / size
            values = moved
            left = np.maximum(drift, np.abs(self.rows @ values).max(axis=0, initial=0.0) / size)
            if (left <= EXACT / 20).all() or (left >= last / 2).all():
                break
            last = left
        gaps = self.rows @ values
        if (np.abs(gaps).max(axis=0, initial=0.0) > EXACT * np.abs(values).max(axis=0)).any():
            # float noise of numbers that are gone from the answer, such as an estimate far beyond what is held
            values = values - self.spread * (self.rows.T @ (self.solver.solve(gaps * self.live) * self.live))
        return values, prices, drift


def typical(variance: Floats, otherwise: float = 1.0) -> float:
    """Return the median of variances that are known and not 0, or another number where there is none."""
    known = variance[np.isfinite(variance) & (variance > 0)]
    return float(np.median(known)) if known.size else otherwise


def sum_of_row(rows: sparse.csr_array) -> NDArray[np.int64]:
    """Shape (n_rows,): the cell that each row is the sum of; parts that a cut takes off also count positively."""
    entries = rows.tocoo()
    found = np.zeros(rows.shape[0], dtype=np.int64)
    np.maximum.at(
        found, entries.row[entries.data > 0], entries.col[entries.data > 0]
    )  # cuts are the last cells
    return found


def largest_known(variance: Floats, otherwise: float = 1.0) -> float:
    """Return the largest finite variance, or another number where there is none."""
    known = variance[np.isfinite(variance)]
    return float(known.max(initial=0.0)) or otherwise


def factorise(rows: sparse.csr_array, spread: Floats, ridge: float) -> tuple[Any, Bools]:
    """Factorise rows W rows', loaded on its diagonal by a ratio of it; also say which rows can move at all."""
    gram = rows @ sparse.diags_array(spread) @ rows.T
    diagonal = gram.diagonal()
    live = diagonal > 0
    loaded = (gram + sparse.diags_array(np.where(live, ridge * diagonal, 1.0))).tocsc()
    options = {"SymmetricMode": True}
    return splu(loaded, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options), live


@dataclass(frozen=True, eq=False)
class General:
    """The projection as a linear map, factorised once for each distinct set of variances and fixed cells."""

    rows: sparse.csr_array
    own_variance: Floats
    fixed: Bools
    columns: int

    @classmethod
    def of(cls, structure: Structure, problem: Problem, fixed: Bools) -> "General":
        """Prepare the map with some cells fixed."""
        return cls(structure.rows, problem.variance, fixed, problem.estimates.shape[1])

    @cached_property
    def groups(self) -> list[tuple[Factor, NDArray[np.int64]]]:
        """A factorisation and the columns that it serves, for each distinct set of variances."""
        weights = np.where(self.fixed, 0.0, self.own_variance)
        if weights.shape[1] == 1:
            return [(self._factorised(0), np.arange(self.columns))]
        _, which = np.unique(weights, axis=1, return_inverse=True)
        mine = [np.flatnonzero(which == group) for group in range(int(which.max()) + 1)]
        return [(self._factorised(int(own[0])), own) for own in mine]

    @property
    def shared(self) -> bool:
        """True where all columns have the same map."""
        return len(self.groups) == 1

    def _factor(self, column: int) -> Factor:
        return next(factor for factor, mine in self.groups if column in mine)

    def _factorised(self, column: int) -> Factor:
        variance, fixed = one_column(self.own_variance, column), one_column(self.fixed, column)
        return Factor.of(self.rows, variance[:, 0], fixed[:, 0], largest_known(self.own_variance))

    def settle(self, estimates: Floats, limits: Floats) -> tuple[Floats, Floats]:
        """Find values and prices for all columns; see `Factor.settle`."""
        own = np.where(self.fixed, limits, np.where(np.isinf(self.own_variance), 0.0, estimates))
        values, prices = np.empty(own.shape), np.empty((self.rows.shape[0], own.shape[1]))
        for factor, mine in self.groups:
            values[:, mine], prices[:, mine], _ = factor.settle(factor.at_rest(own[:, mine]))
        return values, prices

    def respond(self, estimates: Floats, limits: Floats, column: int | None = None) -> Floats:
        """Map estimates and limits to values."""
        if column is None:
            return self.settle(estimates, limits)[0]
        factor = self._factor(column)
        own = np.where(one_column(self.fixed, column), limits, np.where(factor.silent, 0.0, estimates))
        return factor.settle(factor.at_rest(own))[0]

    def adjoint(self, weights: Floats, column: int) -> tuple[Floats, Floats]:
        """Say how a weighted sum of values depends on estimates and limits: the answer to a reward, read as prices."""
        factor = self._factor(column)
        tilt = weights[:, None]
        _, prices, _ = factor.settle(np.zeros(tilt.shape), tilt)
        own = factor.at_rest_adjoint(tilt - self.rows.T @ prices)[:, 0]
        fixed = one_column(self.fixed, column)[:, 0]
        heard = ~fixed & ~factor.silent[:, 0]
        return np.where(heard, own, 0.0), np.where(fixed, own, 0.0)

    def variance(self) -> Floats:
        """Posterior variance: how far a reward on a cell moves it. One solve per cell, in blocks."""
        found = np.empty((self.rows.shape[1], self.columns))
        for factor, mine in self.groups:
            for start in range(0, len(found), BLOCK):
                cells = np.arange(start, min(start + BLOCK, len(found)))
                tilt = np.zeros((len(found), len(cells)))
                tilt[cells, np.arange(len(cells))] = 1.0
                values, _, drift = factor.settle(np.zeros(tilt.shape), tilt)
                own = np.maximum(values[cells, np.arange(len(cells))], 0.0)
                # an estimate of its own is something known; what silent cells drift by is told in their wide unit
                unknown = factor.silent[cells, 0] & (drift > EXACT * 1e3)
                found[np.ix_(cells, mine)] = np.where(unknown, np.inf, own)[:, None]
        return found


def _until_still(step: sparse.csr_array, values: Floats) -> Floats:
    """Repeat a step that goes one level of sums further each time, until it changes nothing."""
    for _ in range(len(values)):
        moved = step @ values
        if (moved == values).all():
            break
        values = moved
    return values


def solve_general(structure: Structure, problem: Problem) -> Answer:
    """Solve any problem with a diagonal covariance. Contradictions must have been refused before."""
    held = General.of(structure, problem, problem.held)
    values, prices = held.settle(problem.estimates, problem.at_holds())
    if problem.bounded:
        values, prices = _within_bounds(structure, problem, values, prices)
    states = problem.states(values)
    linear = General.of(structure, problem, states != FREE) if problem.bounded else held
    _refuse_incoherent(structure, problem, values)
    return Answer(structure, problem, values, states, linear, held, lambda: prices)


def _refuse_incoherent(structure: Structure, problem: Problem, values: Floats) -> None:
    """Refuse what does not add up: holds that no values can satisfy, or limits that estimates dwarf beyond all digits."""
    said = np.where(np.isfinite(problem.variance), np.abs(problem.at_holds()), 0.0)
    size, said = (
        np.abs(values).max(axis=0, initial=0.0),
        said.max(axis=0, initial=np.sqrt(typical(problem.variance))),
    )
    gaps = np.abs(structure.rows @ values)
    noise = (
        EXACT if problem.bounded else 1e-9
    )  # where limits leave nothing but zeros, the noise of what was said remains
    allowed = np.maximum(1e-9 * size, noise * said) + 1e-300
    if (gaps > allowed).any():
        row, column = np.argwhere(gaps - allowed == (gaps - allowed).max())[0]
        cell = structure.label(int(sum_of_row(structure.rows[[row]])[0]))
        raise InfeasibleError(
            f"No numbers satisfy all limits at once: '{cell}' would differ from its parts by {gaps[row, column]:,.2f} "
            f"(column {column}).",
            where="holds, bounds and cuts",
            remedy="Lift or change one of them, or an estimate that is far beyond all of them.",
        )


def _within_bounds(
    structure: Structure, problem: Problem, values: Floats, prices: Floats
) -> tuple[Floats, Floats]:
    """Find values within bounds, and their prices, a column at a time, from those that ignore the bounds."""
    lower, upper = problem.limits()
    variance = np.broadcast_to(problem.variance, lower.shape)
    done = [
        _one_column(
            structure.rows,
            problem.estimates[:, h],
            variance[:, h],
            lower[:, h],
            upper[:, h],
            values[:, h],
            prices[:, h],
            typical(problem.variance),
        )
        for h in range(lower.shape[1])
    ]
    return np.column_stack([found for found, _ in done]), np.column_stack([price for _, price in done])


def _one_column(
    rows: sparse.csr_array,
    estimates: Floats,
    variance: Floats,
    lower: Floats,
    upper: Floats,
    start: Floats,
    prices: Floats,
    usual: float,
) -> tuple[Floats, Floats]:
    """Find values within bounds, and their prices; cells of which nothing is known stay as near as they can."""
    unit, said = typical(variance, usual), np.where(np.isfinite(variance), estimates, 0.0)
    inside = np.clip(start, lower, upper)
    size = _largest(start, inside)
    if _largest(start - inside) <= EXACT * max(size, _largest(said), float(np.sqrt(unit))):
        return (
            inside,
            prices,
        )  # no limit is in the way; a plan of zeros is not even measured in its own float noise
    own = np.where(np.isinf(variance), inside, estimates)
    asked = Bounds(rows, own / size, variance / unit, lower / size, upper / size)
    for found, arrived in asked.interior(start / size):
        exact = asked.polish(found)
        if exact is not None:
            found_values, price, stands = exact
            limited = np.select([stands < 0, stands > 0], [lower, upper], found_values * size)
            return np.clip(limited, lower, upper), price * size / unit
        if arrived:
            return np.clip(asked.near(found) * size, lower, upper), found.price * size / unit
    raise CheckError(
        "The bounded plan did not settle.",
        where="bounds",
        remedy="This is a defect: please report it with the inputs of the run.",
    )


class Inside(NamedTuple):
    """A point of the interior method: values, prices, and for each limit the room left and its cost."""

    values: Floats
    price: Floats
    room_below: Floats
    room_above: Floats
    cost_below: Floats
    cost_above: Floats

    def stands(self, asked: "Bounds") -> NDArray[np.int8]:
        """Say which cells stand on their lower (-1) or upper (1) limit: those whose limit costs more than it has room."""
        low = asked.below & (self.cost_below > self.room_below) | asked.fixed
        high = asked.above & (self.cost_above > self.room_above) & ~low
        return (high.astype(np.int8) - low.astype(np.int8)).astype(np.int8)


@dataclass(frozen=True, eq=False)
class Bounds:
    """One column of a bounded problem, in units in which values and variances are about 1."""

    rows: sparse.csr_array
    estimates: Floats
    variance: Floats
    lower: Floats
    upper: Floats

    @cached_property
    def fixed(self) -> Bools:
        """Cells whose limits leave no room."""
        same: Bools = self.lower == self.upper
        return same

    @cached_property
    def below(self) -> Bools:
        """Cells with a lower limit and room."""
        return np.isfinite(self.lower) & ~self.fixed

    @cached_property
    def above(self) -> Bools:
        """Cells with an upper limit and room."""
        return np.isfinite(self.upper) & ~self.fixed

    @cached_property
    def precision(self) -> Floats:
        """1 / variance; next to nothing where there is no estimate, which keeps such a cell near its first guess."""
        known = np.isfinite(self.variance) & ~self.fixed
        return np.where(known, 1.0 / np.where(known, self.variance, 1.0), np.where(self.fixed, 0.0, FAINT))

    def interior(self, values: Floats) -> Iterator[tuple[Inside, bool]]:
        """Follow the central path (Mehrotra 1992) and yield points near enough to try an exact answer.

        Each with whether nothing more is to be gained by going on.
        """
        at, last = self._start(values), np.inf
        for _ in range(STEPS):
            at, gap, left = self._step(at)
            if max(gap, left) < CLOSE:
                arrived = gap < EXACT / 1000 or last / 2 < gap < EXACT / 50
                yield at, arrived and left < EXACT * 10
            last = gap

    def _start(self, values: Floats) -> Inside:
        values = np.where(self.fixed, self.lower, values)
        room = np.where(self.below & self.above, np.minimum(1.0, (self.upper - self.lower) / 2), 1.0)
        return Inside(
            values,
            np.zeros(self.rows.shape[0]),
            np.maximum(np.where(self.below, values - self.lower, 1.0), room),
            np.maximum(np.where(self.above, self.upper - values, 1.0), room),
            self.below.astype(np.float64),
            self.above.astype(np.float64),
        )

    def _step(self, at: Inside) -> tuple[Inside, float, float]:
        """Go one step along the path; also return the mean of room times cost, and what is left of the conditions."""
        slope = (
            self.precision * (at.values - self.estimates)
            + self.rows.T @ at.price
            - at.cost_below
            + at.cost_above
        )
        slope = np.where(self.fixed, 0.0, slope)
        miss_below = np.where(self.below, at.values - self.lower - at.room_below, 0.0)
        miss_above = np.where(self.above, self.upper - at.values - at.room_above, 0.0)
        limits = max(int(self.below.sum() + self.above.sum()), 1)
        gap = _gap(at, at, 0.0) / limits
        stiff = self.precision + at.cost_below / at.room_below + at.cost_above / at.room_above + self.fixed
        spread = np.where(self.fixed, 0.0, 1.0 / stiff)
        solver, _ = factorise(self.rows, spread, RIDGE)

        def towards(goal_below: Floats, goal_above: Floats) -> Inside:
            push = -slope - (at.cost_below * miss_below - goal_below) / at.room_below
            push += (at.cost_above * miss_above - goal_above) / at.room_above
            price = solver.solve(self.rows @ (at.values + spread * push))
            values = spread * (push - self.rows.T @ price)
            room_below, room_above = (values + miss_below) * self.below, (miss_above - values) * self.above
            cost_below = (goal_below - at.cost_below * room_below) / at.room_below
            cost_above = (goal_above - at.cost_above * room_above) / at.room_above
            return Inside(
                values, price, room_below, room_above, cost_below * self.below, cost_above * self.above
            )

        plain = -at.room_below * at.cost_below, -at.room_above * at.cost_above
        first = towards(*plain)
        reach = _reach(at, first)
        centre = gap * min(1.0, _gap(at, first, reach) / limits / max(gap, 1e-300)) ** 3
        second = towards(
            (plain[0] + centre - first.room_below * first.cost_below) * self.below,
            (plain[1] + centre - first.room_above * first.cost_above) * self.above,
        )
        reach = min(1.0, 0.995 * _reach(at, second))
        far = _largest(slope, self.rows @ at.values, miss_below, miss_above)
        if far < gap and _gap(at, second, reach) > limits * gap * SLOW:
            # the correction may lead round in circles (Cartis 2009): leave it out
            centre = max(centre, gap / 10)
            second = towards((plain[0] + centre) * self.below, (plain[1] + centre) * self.above)
            reach = min(0.995 * _reach(at, second), _lowest(at, second))
        moved = Inside(*(was + reach * change for was, change in zip(at, second, strict=True)))
        return moved, gap, _largest(self.rows @ moved.values, miss_below, miss_above)

    def _put(self, stands: NDArray[np.int8], found: Inside) -> tuple[Floats, Floats]:
        """Find values and prices with the cells that stand on a limit fixed there, whether or not others keep theirs."""
        limit = np.select([stands < 0, stands > 0], [self.lower, self.upper], 0.0)
        guess = np.where(np.isinf(self.variance), found.values, self.estimates)
        factor = Factor.of(self.rows, self.variance, stands != 0)
        values, prices, _ = factor.settle(np.where(stands != 0, limit, guess)[:, None])
        return values[:, 0], prices[:, 0]

    def near(self, found: Inside) -> Floats:
        """Put cells on the limits that they stand on, unless the sums tear: where a limit costs as little as it is near."""
        values, _ = self._put(found.stands(self), found)
        outside = np.maximum(np.maximum(self.lower - values, values - self.upper), 0.0)
        return found.values if _largest(self.rows @ values, outside) > EXACT * 100 else values

    def polish(self, found: Inside) -> tuple[Floats, Floats, NDArray[np.int8]] | None:
        """Solve with the cells that stand on a limit fixed there; None if that is not the optimum within the limits.

        Cells that would leave their limits are put on them. Where more limits meet than are needed, costs found this
        way may have the wrong sign: those cells are let go and stay where the others keep them. Where that fails the
        interior method goes on by itself.
        """
        stands = found.stands(self)
        silent = np.isinf(self.variance)
        error = np.sqrt(1.0 / np.maximum(self.precision, 1.0))
        for _ in range(RELEASES):
            values, price = self._put(stands, found)
            if _largest(self.rows @ values) > EXACT * 100:
                return None
            short, over = self.lower - values > EXACT * 100, values - self.upper > EXACT * 100
            if short.any() or over.any():
                # such as beside a cell that fixed ones leave no room: it keeps the others from nearing theirs
                stands = np.select([short, over], [-1, 1], stands).astype(np.int8)
                continue
            pull = np.where(silent, 0.0, self.precision * (values - self.estimates)) + self.rows.T @ price
            wrong = np.where(self.fixed, 0.0, stands * pull * error)
            worst = float(wrong.max(initial=0.0))
            if worst <= NEAR:
                return values, price, stands
            stands = np.where(wrong > worst / 2, 0, stands).astype(np.int8)
        return None


def _largest(*parts: Floats) -> float:
    """Find the largest number of several arrays, whatever its sign."""
    return max(float(np.abs(part).max(initial=0.0)) for part in parts)


def _gap(at: Inside, change: Inside, reach: float) -> float:
    """Sum room times cost over all limits, after so much of a change."""
    below = (at.room_below + reach * change.room_below) @ (at.cost_below + reach * change.cost_below)
    above = (at.room_above + reach * change.room_above) @ (at.cost_above + reach * change.cost_above)
    return float(below + above)


def _lowest(at: Inside, change: Inside) -> float:
    """How far to go for the smallest sum of room times cost, a quadratic in the step; 1 if it falls all the way."""
    start, half, whole = (_gap(at, change, reach) for reach in (0.0, 0.5, 1.0))
    bend = 2.0 * (start - 2.0 * half + whole)
    slope = whole - start - bend
    return min(1.0, -slope / (2.0 * bend)) if slope < 0 < bend else 1.0


def _reach(at: Inside, change: Inside) -> float:
    """How far one can go before a room or a cost is used up, at most 1."""
    most = 1.0
    for was, moved in zip(at[2:], change[2:], strict=True):
        falling = moved < 0
        if falling.any():
            most = min(most, float((-was[falling] / moved[falling]).min()))
    return most
