"""Sums as sparse rows, factorised once for one set of variances: coherent values, and what each sum costs.

A cell without an estimate starts from a wide guess that is forgotten step by step (the proximal method of multipliers),
so nothing infinite is ever divided by.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

from spms_lib.projection.problem import Bools, Floats

WIDE = 1e4  # variance of a first guess, as a multiple of the largest one known
STEPS = 60  # at most; three or four are usual
RIDGE = 1e-14  # keeps rows that repeat others from stopping the factorisation
EXACT = 1e-13  # ratio of the largest number below which a gap is float noise


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


def _until_still(step: sparse.csr_array, values: Floats) -> Floats:
    """Repeat a step that goes one level of sums further each time, until it changes nothing."""
    for _ in range(len(values)):
        moved = step @ values
        if (moved == values).all():
            break
        values = moved
    return values
