"""What a reconciliation method is, and what it makes of the estimates that were heard."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.errors import ParamsError
from spms_lib.hierarchy import Crossed, Hierarchy
from spms_lib.reconcile.grid import Heard, Layout
from spms_lib.tables import PERIOD, VALUE, need

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """What a method makes of what was heard, ready for the projection.

    Attributes
    ----------
    variance
        Shape (n_cells, n_periods) or one column for all; infinite where the method uses no estimate, 0 where it keeps
        one as it is.
    spread
        None, or shape (n_leaves, n_periods): the part of the cell at `anchor` that each leaf starts from.
    anchor
        None, or shape (n_leaves,): the cell whose estimate is spread over the leaf; -1 for none.
    factors
        None, or shape (n_cells, n_factors): errors in common.
    sampled
        True where the covariance is that of the factors alone.
    in_money
        True where variances are in minor units squared, so that the posterior variance is one too.
    """

    variance: Floats
    spread: Floats | None = None
    anchor: NDArray[np.int64] | None = None
    factors: Floats | None = None
    sampled: bool = False
    in_money: bool = False

    def estimates(self, layout: Layout, own: Floats) -> Floats:
        """Map what cells said to the estimates that the method projects; linear."""
        if self.spread is None or self.anchor is None:
            return own
        leaf = layout.structure.is_leaf
        spread = np.where(self.anchor[:, None] >= 0, self.spread * own[self.anchor], own[leaf])
        made = own.copy()
        made[leaf] = spread
        return made


class Method(Protocol):
    """A choice of variances."""

    def prepare(self, base: Hierarchy | Crossed, estimates: pd.DataFrame) -> pd.DataFrame:
        """Look at the long table of estimates first, and return it as it is to be read."""

    def weigh(self, layout: Layout, heard: Heard) -> Weighed:
        """Choose variances for what was heard."""


class Plain:
    """A method that reads the table of estimates as it stands."""

    def prepare(self, base: Hierarchy | Crossed, estimates: pd.DataFrame) -> pd.DataFrame:
        """Return the table unchanged."""
        del base
        return estimates


def given(table: pd.DataFrame | None, method: str, evidence: str) -> pd.DataFrame:
    if table is None:
        raise ParamsError(f"{method} needs {evidence}.", where="method", remedy=f"Pass {evidence}=...")
    return table


def past_grid(layout: Layout, residuals: pd.DataFrame) -> Floats:
    """Lay past errors out as cells x past periods; missing where there is none."""
    need(residuals, [*layout.keys, PERIOD, VALUE], "past numbers")
    past = Layout(layout.base, layout.structure, sorted(residuals[PERIOD].unique()))
    grid = np.full((len(layout.structure), len(past.periods)), np.nan)
    if layout.has_periods:
        grid.reshape(-1)[past.flat(residuals, "residuals")] = residuals[VALUE].to_numpy(dtype=np.float64)
        return grid
    raise ParamsError(
        "Past errors cannot be told by period where the periods are a dimension.",
        where="method",
        remedy="State each estimate's variance and use trust, or use ols or wls_struct.",
    )
