"""Any structure and any limits: crossed dimensions, cuts, cells that do not exist.

The sums are kept as sparse rows of immediate children, factorised once for all columns that share variances and fixed
cells (`sums.py`); bounds are met a column at a time (`interior.py`).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spms_lib.errors import InfeasibleError
from spms_lib.projection.interior import within_bounds
from spms_lib.projection.problem import FREE, Answer, Bools, Floats, Problem, Structure, one_column
from spms_lib.projection.sums import EXACT, Factor, largest_known, sum_of_row, typical

BLOCK = 64  # cells whose posterior variance is found at once


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


def solve_general(structure: Structure, problem: Problem) -> Answer:
    """Solve any problem with a diagonal covariance. Contradictions must have been refused before."""
    held = General.of(structure, problem, problem.held)
    values, prices = held.settle(problem.estimates, problem.at_holds())
    if problem.bounded:
        values, prices = within_bounds(structure, problem, values, prices)
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
