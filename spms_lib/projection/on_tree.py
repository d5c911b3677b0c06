"""Answers on a tree: holds by the two passes, bounds by response curves, both exact."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spms_lib.hierarchy import Hierarchy
from spms_lib.projection import tree
from spms_lib.projection.problem import (
    FREE,
    HELD,
    Answer,
    Bools,
    Floats,
    Problem,
    one_column,
    own_pull,
)


@dataclass(frozen=True, eq=False)
class OnTree:
    """The projection on a tree with a diagonal covariance, as a linear map: two passes."""

    hierarchy: Hierarchy
    variance_by_node: Floats
    fixed: Bools
    columns: int

    @classmethod
    def of(cls, hierarchy: Hierarchy, problem: Problem, fixed: Bools) -> "OnTree":
        """Prepare the passes with some nodes fixed."""
        variance = np.where(fixed, 0.0, problem.variance) if fixed.any() else problem.variance
        return cls(hierarchy, variance, fixed, problem.estimates.shape[1])

    @cached_property
    def gains(self) -> tree.Gains:
        """What the upward pass learns from the variances."""
        return tree.gains(self.hierarchy, self.variance_by_node)

    @property
    def shared(self) -> bool:
        """True where all columns have the same map."""
        return bool(self.variance_by_node.shape[1] == 1)

    def respond(self, estimates: Floats, limits: Floats, column: int | None = None) -> Floats:
        """Map estimates and limits to values."""
        fixed, variance = self.fixed, self.variance_by_node
        if column is not None:
            fixed, variance = one_column(fixed, column), one_column(variance, column)
        own = np.where(fixed, limits, estimates) if fixed.any() else estimates
        return tree.pass_through(self.hierarchy, variance, own)[0]

    def adjoint(self, weights: Floats, column: int) -> tuple[Floats, Floats]:
        """Say how a weighted sum of values depends on estimates and limits."""
        shared = min(column, self.variance_by_node.shape[1] - 1)
        own = tree.adjoint(self.hierarchy, self.gains, weights[:, None], shared)[:, 0]
        fixed = one_column(self.fixed, column)[:, 0]
        silent = np.isinf(one_column(self.variance_by_node, column)[:, 0])
        return np.where(fixed | silent, 0.0, own), np.where(fixed, own, 0.0)

    def variance(self) -> Floats:
        """Posterior variance."""
        known = tree.posterior(self.hierarchy, self.gains)
        return np.broadcast_to(known, (len(self.hierarchy), self.columns))


def solve_with_holds(hierarchy: Hierarchy, problem: Problem, *, out: Floats | None = None) -> Answer:
    """Solve a problem whose only limits are holds. Contradicting holds must have been refused before."""
    held = problem.held
    linear = OnTree.of(hierarchy, problem, held)
    own = problem.at_holds()
    values, sums = tree.pass_through(hierarchy, linear.variance_by_node, own, out=out)
    if held.any():
        np.copyto(values, own, where=held)  # bit for bit, also where all children are held

    def price() -> Floats:
        pull = own_pull(problem, values)
        return tree.prices(hierarchy, linear.gains, values, sums, pull)[~hierarchy.is_leaf]

    none, here = np.int8(FREE), np.int8(HELD)
    states = np.broadcast_to(np.where(held, here, none) if held.any() else none, values.shape)
    return Answer(hierarchy, problem, values, states, linear, linear, price)


def solve_with_bounds(hierarchy: Hierarchy, problem: Problem) -> Answer:
    """Solve a problem with bounds at any node. Contradictions must have been refused before."""
    from spms_lib.projection.curves import solve_bounded  # loads the compiler

    lower, upper = problem.limits()
    variance = np.where(problem.variance == 0, np.inf, problem.variance)  # a hold is told by its limits
    values, prices = solve_bounded(hierarchy, problem.estimates, variance, lower, upper)
    states = problem.states(values)
    linear = OnTree.of(hierarchy, problem, states != FREE)
    free = OnTree.of(hierarchy, problem, problem.held)
    return Answer(hierarchy, problem, values, states, linear, free, lambda: prices[~hierarchy.is_leaf])
