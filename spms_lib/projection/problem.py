"""What is asked and what is answered: estimates and limits; values, what each limit costs, and a proof."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
States = NDArray[np.int8]
Number = TypeVar("Number", bound=np.generic)

FREE: Final = 0
AT_LOWER: Final = -1
AT_UPPER: Final = 1
HELD: Final = 2

FINEST = 1e-7  # ratio of a column's largest number
NOISE = 1e-12  # ratio of a column's largest value below which two values are the same


class Structure(Protocol):
    """What adds up to what: a `Hierarchy`, a `Crossed`, or one of them with cuts."""

    @property
    def rows(self) -> sparse.csr_array:
        """Shape (n_sums, n_cells): each row is a cell minus what it is the sum of, which is zero."""

    @property
    def is_leaf(self) -> Bools:
        """Shape (n_cells,): cells that are nobody's sum."""

    def __len__(self) -> int:
        """Count the cells."""

    def label(self, position: int) -> str:
        """Name a cell."""


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A sum of any cells that has limits of its own, such as a product line's total over a set of territories.

    Attributes
    ----------
    name
        As messages and tables print it.
    positions, weights
        Shape (k,): the cells that it adds up, and how often each counts.
    """

    name: str
    positions: NDArray[np.int64]
    weights: Floats


@dataclass(frozen=True, eq=False)
class WithCuts:
    """A structure and its cuts: each cut is one more cell, the sum of others, of which nobody has an estimate."""

    structure: Structure
    cuts: Sequence[Cut]

    def __len__(self) -> int:
        """Count cells and cuts."""
        return len(self.structure) + len(self.cuts)

    @cached_property
    def is_leaf(self) -> Bools:
        """Shape (n_cells + n_cuts,): cuts are sums."""
        return np.concatenate([self.structure.is_leaf, np.zeros(len(self.cuts), dtype=bool)])

    @cached_property
    def rows(self) -> sparse.csr_array:
        """Rows of the structure, then one per cut."""
        count = len(self.cuts)
        lines = np.repeat(np.arange(count), [len(cut.positions) for cut in self.cuts])
        places = np.concatenate([cut.positions for cut in self.cuts])
        weights = np.concatenate([cut.weights for cut in self.cuts])
        sums = sparse.coo_array((-weights, (lines, places)), shape=(count, len(self.structure)))
        return sparse.block_array([[self.structure.rows, None], [sums, sparse.eye_array(count)]]).tocsr()

    def label(self, position: int) -> str:
        """Name a cell or a cut."""
        own = len(self.structure)
        return self.structure.label(position) if position < own else self.cuts[position - own].name


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Estimates to be made coherent, and what the answer must respect. Columns are problems of their own.

    Attributes
    ----------
    estimates
        Shape (n_cells, n_columns); ignored where the variance is infinite.
    variance
        Shape (n_cells, n_columns), or one column for all; positive, and infinite where nobody has said anything.
        A 0 holds the cell at its estimate.
    lower, upper
        Shape (n_cells, n_columns) or both None: limits of each cell, infinite where there is none. Where they
        are equal the cell is held.
    factors
        Shape (n_cells, n_factors) or None: errors that cells have in common. The covariance is
        diag(variance) + factors @ factors.T, and is never formed.
    sampled
        True where the covariance is factors @ factors.T alone; the variance then only says who is heard.
    columns
        Names of the columns, for messages; their numbers without it.
    """

    estimates: Floats
    variance: Floats
    lower: Floats | None = None
    upper: Floats | None = None
    factors: Floats | None = None
    sampled: bool = False
    columns: Sequence[str] = ()

    @property
    def held(self) -> Bools:
        """Shape (n_cells, n_columns or 1): cells that are fixed."""
        held: Bools = self.variance == 0
        return held if self.lower is None else held | (self.lower == self.upper)

    @property
    def common(self) -> Floats:
        """Shape (n_cells, n_factors): the factors, none where errors are independent."""
        return np.zeros((len(self.estimates), 0)) if self.factors is None else self.factors

    @property
    def bounded(self) -> bool:
        """True where some cell has a limit that is not a hold."""
        if self.lower is None or self.upper is None:
            return False
        limits = np.isfinite(self.lower) | np.isfinite(self.upper)
        return bool((limits & (self.lower != self.upper)).any())

    def at_holds(self) -> Floats:
        """Return each cell's own number: what it is held at, else its estimate."""
        if self.lower is None:
            return self.estimates
        return np.where(self.lower == self.upper, self.lower, self.estimates)

    def limits(self) -> tuple[Floats, Floats]:
        """Return lower and upper limits of every cell, holds included; infinite where there is none."""
        lower = np.full(self.estimates.shape, -np.inf) if self.lower is None else self.lower
        upper = np.full(self.estimates.shape, np.inf) if self.upper is None else self.upper
        stiff = self.variance == 0
        if not stiff.any():
            return lower, upper
        return np.where(stiff, self.estimates, lower), np.where(stiff, self.estimates, upper)

    def states(self, values: Floats) -> States:
        """Say which cells of an answer stand on a limit, but for float noise; those are put there to the last bit."""
        if self.lower is None and not (self.variance == 0).any():
            return np.broadcast_to(np.int8(FREE), values.shape)
        lower, upper = self.limits()
        noise = NOISE * np.abs(values).max(axis=0, initial=0.0)
        found = np.zeros(values.shape, dtype=np.int8)
        found[values >= upper - noise] = AT_UPPER
        found[values <= lower + noise] = AT_LOWER
        found[lower == upper] = HELD
        np.copyto(values, upper, where=found == AT_UPPER)
        np.copyto(values, lower, where=(found == AT_LOWER) | (found == HELD))
        return found


class Certificate(NamedTuple):
    """Proof that an answer is the optimum, each part the largest over cells and columns.

    Attributes
    ----------
    coherence
        Cell minus what it is the sum of, as a ratio of the column's largest value.
    stationarity
        How far a cell is from where its estimate and the prices of its sums would put it, or how wrong the sign
        of a limit's cost is, in units of the cell's own standard error (a typical one where it has none), or of a
        ten-millionth of the column's largest number where that is more: finer than floats can tell.
    limits
        How far a value is outside its limits, as a ratio of the column's largest value.
    """

    coherence: float
    stationarity: float
    limits: float

    def holds(self, tolerance: float = 1e-8) -> bool:
        """Tell whether every part is within the tolerance."""
        return max(self) <= tolerance


class Linear(Protocol):
    """The answer as a linear map, with the cells that stand on a limit fixed there."""

    @property
    def shared(self) -> bool:
        """True where all columns have the same map."""

    def respond(self, estimates: Floats, limits: Floats, column: int | None = None) -> Floats:
        """Map estimates, and what fixed cells are fixed at, to values.

        Parameters
        ----------
        estimates, limits
            Shape (n_cells, n_columns). Estimates are ignored where there is none, limits where a cell is free.
        column
            The column whose map is applied to all given columns; None applies each column's own.
        """

    def adjoint(self, weights: Floats, column: int) -> tuple[Floats, Floats]:
        """Say how a weighted sum of values depends on every estimate and on every limit; shapes (n_cells,)."""

    def variance(self) -> Floats:
        """Shape (n_cells, n_columns): posterior variance, infinite where nothing is known."""


def one_column(array: NDArray[Number], column: int) -> NDArray[Number]:
    """Take a column of an array in which one column may stand for all; shape (n_cells, 1)."""
    return array[:, [min(column, array.shape[1] - 1)]]


@dataclass(frozen=True, eq=False)
class Answer:
    """The coherent values, and why they are what they are.

    Attributes
    ----------
    values
        Shape (n_cells, n_columns).
    states
        Shape (n_cells, n_columns): FREE, AT_LOWER, AT_UPPER or HELD.
    linear
        The values as a linear map of the cells' own numbers, with those on a limit fixed there.
    free
        The same with the bounds lifted and the holds kept, for the posterior variance: a bound limits a plan, and
        says nothing of how certain it is.
    price, pulls
        Compute `prices` and, where it is not simply read off them, `pull`, when somebody asks.
    """

    structure: Structure
    problem: Problem
    values: Floats
    states: States
    linear: Linear = field(repr=False)
    free: Linear = field(repr=False)
    price: Callable[[], Floats] = field(repr=False)
    pulls: Callable[[], Floats] | None = field(default=None, repr=False)

    @cached_property
    def prices(self) -> Floats:
        """Shape (n_rows, n_columns): what one more unit of each sum costs its parts, in half squared standard errors."""
        return self.price()

    @cached_property
    def variance(self) -> Floats:
        """Posterior variance of each value: 0 where held, infinite where nothing is known."""
        return self.free.variance()

    def limits(self) -> Floats:
        """Return what `linear` takes as limits: the values of cells that stand on one, else 0."""
        return np.where(self.states == FREE, 0.0, self.values)

    @cached_property
    def pull(self) -> Floats:
        """Shape (n_cells, n_columns): how half the misfit changes per unit of a cell's value; 0 where it is free.

        Where a cell stands on a limit, this is what the limit costs: at least 0 at a lower bound, at most 0 at an
        upper one, in half squared standard errors per unit.
        """
        if self.pulls is not None:
            return self.pulls()
        through: Floats = self.structure.rows.T @ self.prices
        if self.problem.sampled:  # what is left of the least common errors that explain the values
            return sampled_pull(self.problem, self.values, through)
        return own_pull(self.problem, self.values) + through

    @cached_property
    def size(self) -> Floats:
        """Shape (n_columns,): the largest number of each column, estimates and values alike."""
        known = np.isfinite(self.problem.variance)
        said = np.where(known, np.abs(self.problem.at_holds()), 0.0).max(axis=0, initial=0.0)
        largest: Floats = np.maximum(np.maximum(said, np.abs(self.values).max(axis=0, initial=0.0)), 1e-300)
        return largest

    def certificate(self) -> Certificate:
        """Check the values and prices against the conditions of optimality."""
        problem, values = self.problem, self.values
        coherence = np.abs(self.structure.rows @ values) / self.size
        outside = np.zeros(1)
        if problem.lower is not None and problem.upper is not None:
            gap = np.maximum(problem.lower - values, values - problem.upper)
            outside = np.maximum(gap, 0.0) / self.size
        wrong = np.select(
            [self.states == HELD, self.states == AT_LOWER, self.states == AT_UPPER],
            [0.0, np.maximum(-self.pull, 0.0), np.maximum(self.pull, 0.0)],
            np.abs(self.pull),
        )
        known = np.isfinite(problem.variance) & (problem.variance > 0)
        typical = np.median(problem.variance[known]) if known.any() else 1.0
        variance = np.where(known, problem.variance, typical)
        finest = np.maximum(np.sqrt(variance), FINEST * self.size)
        return Certificate(
            float(coherence.max(initial=0.0)),
            float((wrong * variance / finest).max(initial=0.0)),
            float(outside.max(initial=0.0)),
        )


def own_pull(problem: Problem, values: Floats) -> Floats:
    """Compute W^-1 (values - estimates), 0 where a cell has no estimate; shape (n_cells, n_columns)."""
    known = np.isfinite(problem.variance) & (problem.variance > 0)
    gap = np.where(known, values - np.where(known, problem.estimates, 0.0), 0.0)
    pull: Floats = gap / np.where(known, problem.variance, 1.0)
    if problem.factors is None:
        return pull
    factors = np.where(known, problem.factors, 0.0)
    weighed = factors / np.where(known, problem.variance, 1.0)
    inner = np.eye(factors.shape[1]) + factors.T @ weighed
    return pull - weighed @ np.linalg.solve(inner, factors.T @ pull)


def sampled_pull(problem: Problem, values: Floats, through: Floats) -> Floats:
    """Compare the values with what the prices make of the common errors, in standard errors squared per unit."""
    factors = np.where(problem.held, 0.0, problem.common)
    spread = (factors**2).sum(axis=1, keepdims=True)
    gap = np.where(problem.held, 0.0, values - problem.at_holds()) + factors @ (factors.T @ through)
    found: Floats = gap / np.where(spread > 0, spread, 1.0)
    return found
