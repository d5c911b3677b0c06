"""Covariances with errors in common: diagonal plus low rank, on top of any diagonal projection.

    minimise over x and f    (x - y - F f)' D^-1 (x - y - F f) + f' f    subject to the same sums and limits

has the covariance D + F F' without ever forming it: for a given f it is the diagonal problem with estimates y + F f,
and f has as many numbers as there are factors. Without bounds one Newton step in f is exact; with bounds a few are.
A hold is a decision and no evidence: the estimate of a held cell tells nothing about the errors of others.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spms_lib.errors import CheckError, InfeasibleError
from spms_lib.projection.problem import (
    FREE,
    HELD,
    Answer,
    Bools,
    Floats,
    Linear,
    Number,
    Problem,
    Structure,
    one_column,
)

STEPS = 50
SETTLED = 1e-13  # ratio of what is summed up below which a slope is float noise

Diagonal = Callable[[Structure, Problem], Answer]


@dataclass(frozen=True, eq=False)
class WithFactors:
    """The projection as a linear map, around the map of the diagonal part.

    Attributes
    ----------
    heard
        Shape (n_cells, 1): cells with an estimate.
    factors, weighed
        Shape (n_cells, n_factors): F and D^-1 F, zero at cells without an estimate.
    """

    inner: Linear
    heard: Bools
    factors: Floats
    weighed: Floats
    _known: dict[int, tuple[Floats, Floats]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, problem: Problem, inner: Linear | None = None) -> "WithFactors":
        """Weigh the factors of a problem, to be put around the map of its diagonal part."""
        heard = np.isfinite(problem.variance) & (problem.variance > 0)
        everywhere = bool(heard.all())
        factors = problem.common if everywhere else np.where(heard, problem.common, 0.0)
        weighed = factors / (problem.variance if everywhere else np.where(heard, problem.variance, 1.0))
        return cls(cast("Linear", inner), heard, factors, weighed)

    @cached_property
    def size(self) -> Floats:
        """Shape (n_factors,): length of each weighed factor."""
        found: Floats = np.sqrt(np.einsum("ij,ij->j", self.weighed, self.weighed))
        return found

    def around(self, inner: Linear) -> "WithFactors":
        """Put the same factors around another map of the diagonal part."""
        return WithFactors(inner, self.heard, self.factors, self.weighed)

    @property
    def shared(self) -> bool:
        """True where all columns have the same map."""
        return self.inner.shared

    def moved(self, column: int) -> tuple[Floats, Floats]:
        """Compute P F and I + F' D^-1 (I - P) F for the cells that are fixed in one column."""
        at = 0 if self.shared else column
        if at not in self._known:
            through = self.inner.respond(self.factors, np.zeros_like(self.factors), at)
            matrix = np.eye(self.factors.shape[1]) + self.weighed.T @ (self.factors - through)
            self._known[at] = through, matrix
        return self._known[at]

    def newton(self, left: Floats) -> Floats:
        """Solve each column's matrix for what is left, shape (n_factors, n_columns)."""
        if self.shared:
            found: Floats = np.linalg.solve(self.moved(0)[1], left).astype(np.float64)
            return found
        return np.column_stack([np.linalg.solve(self.moved(h)[1], left[:, h]) for h in range(left.shape[1])])

    def respond(self, estimates: Floats, limits: Floats, column: int | None = None) -> Floats:
        """Map estimates and limits to values."""
        said = np.where(self.heard, estimates, 0.0)
        gap = self.weighed.T @ (self.inner.respond(said, limits, column) - said)
        common = self.newton(gap) if column is None else np.linalg.solve(self.moved(column)[1], gap)
        return self.inner.respond(said + self.factors @ common, limits, column)

    def adjoint(self, weights: Floats, column: int) -> tuple[Floats, Floats]:
        """Say how a weighted sum of values depends on estimates and limits."""
        on_estimates, on_limits = self.inner.adjoint(weights, column)
        through = self.weighed @ np.linalg.solve(self.moved(column)[1].T, self.factors.T @ on_estimates)
        more_estimates, more_limits = self.inner.adjoint(through, column)
        return on_estimates + more_estimates - through, on_limits + more_limits

    def variance(self) -> Floats:
        """Posterior variance: that of the diagonal part, plus what the common errors leave."""
        known = np.array(self.inner.variance())
        for column in range(known.shape[1]):
            through, matrix = self.moved(column)
            known[:, column] += (through * np.linalg.solve(matrix, through.T).T).sum(axis=1)
        return known


@dataclass(frozen=True, eq=False)
class ByGroup:
    """Linear maps of groups of columns, as one.

    Attributes
    ----------
    maps
        A map per group.
    groups
        The columns of each group.
    """

    maps: list[Linear]
    groups: list[NDArray[np.int64]]

    @property
    def shared(self) -> bool:
        """Columns of different groups have different maps."""
        return False

    def respond(self, estimates: Floats, limits: Floats, column: int | None = None) -> Floats:
        """Map estimates and limits to values."""
        if column is not None:
            own, at = self._of(column)
            return own.respond(estimates, limits, at)
        parts = [
            own.respond(estimates[:, mine], limits[:, mine])
            for own, mine in zip(self.maps, self.groups, strict=True)
        ]
        return _together(parts, self.groups)

    def adjoint(self, weights: Floats, column: int) -> tuple[Floats, Floats]:
        """Say how a weighted sum of values depends on estimates and limits."""
        own, at = self._of(column)
        return own.adjoint(weights, at)

    def variance(self) -> Floats:
        """Posterior variance."""
        return _together([own.variance() for own in self.maps], self.groups)

    def _of(self, column: int) -> tuple[Linear, int]:
        group = next(number for number, mine in enumerate(self.groups) if column in mine)
        return self.maps[group], int(np.flatnonzero(self.groups[group] == column)[0])


def _together(parts: list[NDArray[Number]], groups: list[NDArray[np.int64]]) -> NDArray[Number]:
    made = np.empty((len(parts[0]), sum(len(mine) for mine in groups)), dtype=parts[0].dtype)
    for part, mine in zip(parts, groups, strict=True):
        made[:, mine] = part
    return made


def solve_with_factors(structure: Structure, problem: Problem, diagonal: Diagonal) -> Answer:
    """Solve a problem whose cells have errors in common; columns with the same holds together.

    Parameters
    ----------
    diagonal
        Solves the same problem without factors.
    """
    held = np.broadcast_to(problem.held, problem.estimates.shape)
    if problem.variance.shape[1] == 1 and bool((held == held[:, :1]).all()):
        return _one_group(structure, problem, diagonal)
    key = np.vstack([held, np.broadcast_to(problem.variance, held.shape)])
    _, which = np.unique(key, axis=1, return_inverse=True)
    groups = [np.flatnonzero(which == group) for group in range(int(which.max()) + 1)]
    parts = [_one_group(structure, _columns(problem, mine), diagonal) for mine in groups]
    return Answer(
        structure,
        problem,
        _together([part.values for part in parts], groups),
        _together([np.asarray(part.states) for part in parts], groups),
        ByGroup([part.linear for part in parts], groups),
        ByGroup([part.free for part in parts], groups),
        lambda: _together([part.prices for part in parts], groups),
        lambda: _together([part.pull for part in parts], groups),
    )


def _columns(problem: Problem, mine: NDArray[np.int64]) -> Problem:
    """Take some columns of a problem, which have the same variances."""
    return replace(
        problem,
        estimates=problem.estimates[:, mine],
        variance=one_column(problem.variance, int(mine[0])),
        lower=None if problem.lower is None else problem.lower[:, mine],
        upper=None if problem.upper is None else problem.upper[:, mine],
        columns=[problem.columns[column] for column in mine] if problem.columns else (),
    )


def _one_group(structure: Structure, problem: Problem, diagonal: Diagonal) -> Answer:
    lower, upper = problem.limits()
    held = problem.held.any(axis=1, keepdims=True)
    heard = replace(problem, variance=np.where(held, np.inf, problem.variance))
    if problem.held.any() or problem.bounded:
        heard = replace(heard, lower=lower, upper=upper)
    common, step = np.zeros((problem.common.shape[1], lower.shape[1])), np.zeros(0)
    length, last = np.ones(lower.shape[1]), np.full(lower.shape[1], np.inf)
    weighed = WithFactors.of(heard)
    for _ in range(STEPS):
        answer, misfit, left, noise = _look(structure, heard, weighed, common, diagonal)
        linear = weighed.around(answer.linear)
        if (np.abs(left) <= noise).all():
            break
        worse = misfit > last * (1.0 + 1e-12)
        if worse.any():  # a step over a kink: go half the way back
            length = np.where(worse, length / 2, length)
            common = common + np.where(worse, length * step, 0.0)
            continue
        step, last, length = linear.newton(left), misfit, np.ones_like(length)
        common = common - step
    else:
        raise CheckError(
            "The common errors did not settle.",
            where="covariance",
            remedy="This is a defect: please report it with the inputs of the run.",
        )
    free = linear if answer.free is answer.linear else weighed.around(answer.free)
    return Answer(structure, heard, answer.values, answer.states, linear, free, lambda: answer.prices)


def _look(
    structure: Structure, problem: Problem, weighed: WithFactors, common: Floats, diagonal: Diagonal
) -> tuple[Answer, Floats, Floats, Floats]:
    """Solve the diagonal part for given common errors; return also the misfit, its slope, and what of it is noise."""
    heard = weighed.heard
    said = np.where(heard, problem.estimates, 0.0) + weighed.factors @ common
    answer = diagonal(structure, replace(problem, estimates=said, factors=None))
    gap = np.where(heard, answer.values - said, 0.0)
    misfit = (gap**2 / np.where(heard, problem.variance, 1.0)).sum(axis=0) + (common**2).sum(axis=0)
    size = weighed.size[:, None] * np.sqrt((gap**2).sum(axis=0))
    return answer, misfit, common - weighed.weighed.T @ gap, SETTLED * (size + np.abs(common) + 1e-300)


@dataclass(frozen=True, eq=False)
class Sampled:
    """The projection as a linear map where the covariance is F F' alone: the least common errors that make sums agree.

    Attributes
    ----------
    rows
        The sums.
    factors
        Shape (n_cells, n_factors), 0 at held cells: a hold has no error.
    held
        Shape (n_cells, 1): held cells.
    """

    rows: sparse.csr_array
    factors: Floats
    held: Bools
    columns: int

    @cached_property
    def turn(self) -> Floats:
        """Map gaps in the sums to common errors; shape (n_factors, n_rows)."""
        found: Floats = np.linalg.pinv(self.rows @ self.factors)
        return found

    @property
    def shared(self) -> bool:
        """All columns share the map."""
        return True

    def respond(self, estimates: Floats, limits: Floats, column: int | None = None) -> Floats:
        """Map estimates and limits to values."""
        del column
        own = np.where(self.held, limits, estimates)
        values: Floats = own - self.factors @ (self.turn @ (self.rows @ own))
        return values

    def adjoint(self, weights: Floats, column: int) -> tuple[Floats, Floats]:
        """Say how a weighted sum of values depends on estimates and limits."""
        del column
        own = weights - self.rows.T @ (self.turn.T @ (self.factors.T @ weights))
        held = self.held[:, 0]
        return np.where(held, 0.0, own), np.where(held, own, 0.0)

    def variance(self) -> Floats:
        """Posterior variance: what is left of the common errors once the sums agree."""
        left = self.factors - self.factors @ (self.turn @ (self.rows @ self.factors))
        return np.broadcast_to((left**2).sum(axis=1)[:, None], (len(left), self.columns))


def solve_sampled(structure: Structure, problem: Problem) -> Answer:
    """Solve a problem whose covariance is a sample's own; holds are the same in all columns, and there are no bounds.

    Raises
    ------
    InfeasibleError
        If the past periods tell fewer directions apart than there are sums; or bounds.
    """
    held: Bools = np.asarray(problem.held.all(axis=1, keepdims=True))
    if problem.bounded or not np.isfinite(problem.variance).all() or (problem.held != held).any():
        raise InfeasibleError(
            "A sample covariance takes no bounds, no missing estimates, and holds only on all periods.",
            where="method",
            remedy="Use mint_shrink.",
        )
    rows, factors = structure.rows, np.where(held, 0.0, problem.common)
    moving = rows[np.flatnonzero(np.abs(rows) @ ~held[:, 0])]
    known = int(np.linalg.matrix_rank(moving @ factors)) if factors.size else 0
    if known < moving.shape[0]:
        raise InfeasibleError(
            f"{factors.shape[1]} past periods cannot tell {moving.shape[0]} sums apart, only {known}.",
            where="method",
            remedy="Use mint_shrink, or a longer past.",
        )
    linear = Sampled(rows, factors, held, problem.estimates.shape[1])
    values = linear.respond(problem.estimates, problem.at_holds())
    states = np.broadcast_to(np.where(held, np.int8(HELD), np.int8(FREE)), values.shape)

    def price() -> Floats:
        found: Floats = linear.turn.T @ (linear.turn @ (rows @ (problem.at_holds() - values)))
        return found

    return Answer(structure, problem, values, states, linear, linear, price)
