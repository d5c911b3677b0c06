"""One column within bounds: an interior method finds which cells stand on a limit, then all is solved once more, exactly.

The exact answer is returned only if it is the optimum; where limits cost as little as they are near, the nearest one is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spms_lib.errors import CheckError
from spms_lib.projection.problem import Bools, Floats, Problem, Structure
from spms_lib.projection.sums import EXACT, RIDGE, STEPS, Factor, factorise, typical

CLOSE = 1e-6  # where the interior method is near enough to try an exact answer
FAINT = 1e-8  # precision of a first guess, against a typical one
NEAR = 1e-9  # standard errors by which the sign of a cost may be wrong
SLOW = 0.5  # ratio of gaps between steps of the interior method, above which a step is not corrected
RELEASES = 8  # times that cells are let go or caught before the interior method goes on


def within_bounds(
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
