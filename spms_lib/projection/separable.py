"""Crossed hierarchies whose variances are a product of one factor per dimension: one tree at a time, exactly.

The projection is then a Kronecker product, so reconciling along each dimension in turn gives the joint answer
(Girolimetto and Di Fonzo, 2024). Equal and structural weights are of this kind.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse.linalg import splu

from spms_lib.hierarchy import Crossed, Hierarchy
from spms_lib.projection import tree
from spms_lib.projection.problem import FREE, Answer, Floats, Problem, Structure, own_pull


def split_variance(crossed: Crossed, variance: Floats) -> list[Floats] | None:
    """Find one variance per node of each dimension whose product is the variance of each cell; None if there is none.

    Parameters
    ----------
    variance
        Shape (n_cells, 1).

    Returns
    -------
    list of Floats
        Per dimension, shape (n_nodes, 1).
    """
    if not crossed.is_full or variance.shape[1] != 1 or not np.isfinite(variance).all():
        return None
    grid = variance.reshape(crossed.shape)
    corner = float(grid.flat[0])
    if corner <= 0:
        return None
    parts, product = [], np.full((1,) * grid.ndim, corner)
    for axis in range(grid.ndim):
        along = np.moveaxis(grid, axis, 0).reshape(grid.shape[axis], -1)[:, 0] / corner
        parts.append(along)
        product = product * along.reshape([-1 if other == axis else 1 for other in range(grid.ndim)])
    if not (np.abs(product - grid) <= 1e-13 * grid).all():
        return None
    parts[0] = parts[0] * corner
    return [part[:, None] for part in parts]


@dataclass(frozen=True, eq=False)
class Separable:
    """The projection as a linear map: two passes along each dimension in turn."""

    crossed: Crossed
    parts: list[Floats]
    columns: int

    @property
    def shared(self) -> bool:
        """All columns share the variances."""
        return True

    def respond(self, estimates: Floats, limits: Floats, column: int | None = None) -> Floats:
        """Map estimates to values; there are no limits here."""
        del limits, column
        return self._along_each(estimates, lambda of, own, weights: tree.pass_through(of, weights, own)[0])

    def adjoint(self, weights: Floats, column: int) -> tuple[Floats, Floats]:
        """Say how a weighted sum of values depends on estimates."""
        del column  # all columns share the variances
        own = self._along_each(
            weights[:, None], lambda of, sums, weights: tree.adjoint(of, tree.gains(of, weights), sums)
        )
        return own[:, 0], np.zeros(len(own))

    def _along_each(self, own: Floats, turn: Callable[[Hierarchy, Floats, Floats], Floats]) -> Floats:
        shape = (*self.crossed.shape, own.shape[1])
        grid = own.reshape(shape)
        trees = self.crossed.dimensions.values()
        for axis, (hierarchy, weights) in enumerate(zip(trees, self.parts, strict=True)):
            turned = np.moveaxis(grid, axis, 0)
            flat = np.ascontiguousarray(turned).reshape(shape[axis], -1)
            done = turn(hierarchy, flat, weights)
            grid = np.moveaxis(done.reshape(turned.shape), 0, axis)
            if axis and axis == len(shape) - 2:  # the last turn goes back into memory that is there already
                back = flat.reshape(shape)
                np.copyto(back, grid)
                grid = back
        return np.ascontiguousarray(grid).reshape(own.shape)

    def variance(self) -> Floats:
        """Posterior variance: a product of one per dimension."""
        product = np.ones(1)
        for hierarchy, weights in zip(self.crossed.dimensions.values(), self.parts, strict=True):
            along = tree.posterior(hierarchy, tree.gains(hierarchy, weights))[:, 0]
            product = np.multiply.outer(product, along).ravel()
        return np.broadcast_to(product[:, None], (len(product), self.columns))


def solve_separable(crossed: Crossed, problem: Problem, parts: list[Floats]) -> Answer:
    """Solve a full crossing without limits whose variance is a product of `parts`."""
    linear = Separable(crossed, parts, problem.estimates.shape[1])
    values = linear.respond(problem.estimates, problem.estimates)
    states = np.broadcast_to(np.int8(FREE), values.shape)
    return Answer(
        crossed,
        problem,
        values,
        states,
        linear,
        linear,
        lambda: prices_of(crossed, own_pull(problem, values)),
    )


def prices_of(structure: Structure, pull: Floats) -> Floats:
    """Find the prices of the sums that best balance what pulls at each cell; shape (n_rows, n_columns)."""
    rows = structure.rows
    gram = (rows @ rows.T).tocsc()
    solver = splu(gram, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    found: Floats = -solver.solve(np.ascontiguousarray(rows @ pull))
    return found
