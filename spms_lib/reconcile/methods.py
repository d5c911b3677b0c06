"""Reconciliation methods by their names in the field: each is a choice of variances for the same projection.

`trust` takes the variances that track records give; the others are those of the forecasting literature (Hyndman and
Athanasopoulos, Forecasting: Principles and Practice, chapter 11). Conventions that differ between programs are
parameters, and their defaults are said.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.errors import ParamsError, TableError
from spms_lib.hierarchy import Crossed, Hierarchy
from spms_lib.reconcile.grid import Heard, Layout
from spms_lib.reconcile.proportions import PROPORTIONS, spread_from
from spms_lib.reconcile.trust import with_variance
from spms_lib.reconcile.weighed import Floats, Method, Plain, Weighed, given, past_grid
from spms_lib.tables import NODE


@dataclass(frozen=True, slots=True)
class Trust:
    """Variances from track records, and a dial between leadership and field; without records, those in the table.

    Attributes
    ----------
    records
        From `track_records`, or None to use the column variance of the estimates.
    leadership
        The dial, 0 to 1; 0.5 leaves the evidence as it is. See `with_variance`.
    """

    records: pd.DataFrame | None = None
    leadership: float = 0.5

    def prepare(self, base: Hierarchy | Crossed, estimates: pd.DataFrame) -> pd.DataFrame:
        """Give every estimate its variance."""
        if self.records is None:
            return estimates
        tree = base if isinstance(base, Hierarchy) else base.dimensions[NODE]
        return with_variance(estimates, self.records, tree.level, leadership=self.leadership)

    def weigh(self, layout: Layout, heard: Heard) -> Weighed:
        """Take the variances that were heard."""
        del layout
        return Weighed(_shared(heard.variance), in_money=True)


@dataclass(frozen=True, slots=True)
class BottomUp(Plain):
    """Only leaves count; everything above is their sum."""

    def weigh(self, layout: Layout, heard: Heard) -> Weighed:
        """Leave out every estimate above the leaves."""
        leaf = layout.structure.is_leaf[:, None]
        return Weighed(_shared(np.where(leaf, heard.variance, np.inf)), in_money=True)


@dataclass(frozen=True, slots=True)
class Ols(Plain):
    """Every estimate counts the same."""

    def weigh(self, layout: Layout, heard: Heard) -> Weighed:
        """Give every estimate variance 1."""
        del layout
        return Weighed(_shared(np.where(heard.said, 1.0, np.inf)))


@dataclass(frozen=True, slots=True)
class WlsStruct(Plain):
    """An estimate's variance is the number of leaves below it."""

    def weigh(self, layout: Layout, heard: Heard) -> Weighed:
        """Count leaves."""
        base = layout.base
        leaves = base.roll_up_array(np.ones((int(base.is_leaf.sum()), 1)))
        count = np.vstack([leaves, np.ones((len(layout.cuts), 1))])
        return Weighed(_shared(np.where(heard.said, count, np.inf)))


@dataclass(frozen=True, slots=True)
class WlsVar(Plain):
    """An estimate's variance is that of its past errors.

    Attributes
    ----------
    residuals
        Keys of a cell, period and value: past forecast minus actual, minor units. A missing period is left out.
    centred
        True subtracts the mean error and divides by n - 1; False (default, as in hts and FoReco) takes the mean of
        squares, so that bias counts as error.
    """

    residuals: pd.DataFrame
    centred: bool = False

    def weigh(self, layout: Layout, heard: Heard) -> Weighed:
        """Average squared past errors."""
        errors = past_grid(layout, self.residuals)
        if self.centred:
            errors = errors - np.nanmean(errors, axis=1, keepdims=True)
        count = (~np.isnan(errors)).sum(axis=1, keepdims=True) - self.centred
        variance = np.nansum(errors**2, axis=1, keepdims=True) / np.maximum(count, 1)
        return Weighed(_where_said(heard, _floored(variance)), in_money=True)


@dataclass(frozen=True, slots=True)
class MinT(Plain):
    """Minimum trace: the full covariance of past errors, shrunk towards its diagonal or as it is.

    The covariance is held as a diagonal plus one column per past period, so nothing of size cells x cells is made.

    Attributes
    ----------
    residuals
        As in `WlsVar`, with every cell and period present.
    shrink
        True (`mint_shrink`) shrinks by the intensity of Schaefer and Strimmer (2005); False (`mint_cov`) takes the sample
        covariance, which needs at least as many periods as there are sums.
    centred
        True subtracts the mean error and divides by n - 1 (as hierarchicalforecast); False (default, as hts and
        FoReco) uses raw second moments.
    """

    residuals: pd.DataFrame
    shrink: bool = True
    centred: bool = False

    def weigh(self, layout: Layout, heard: Heard) -> Weighed:
        """Split the covariance into a diagonal and errors in common."""
        errors = past_grid(layout, self.residuals)
        missing = np.isnan(errors)
        if missing[: len(layout.base)].any():
            cell = int(np.argwhere(missing)[0, 0])
            raise TableError(
                f"Past errors of '{layout.structure.label(cell)}' are missing in some periods.",
                where="residuals",
                remedy="Give every cell the same periods, or use wls_var.",
            )
        errors[len(layout.base) :] = 0.0  # a cut has no errors of its own
        periods = errors.shape[1]
        errors = errors - errors.mean(axis=1, keepdims=True) if self.centred else errors
        moments = periods - 1 if self.centred else periods
        if not self.shrink:
            said = np.where(heard.said.all(axis=1, keepdims=True), 1.0, np.inf)
            return Weighed(said, factors=errors / np.sqrt(moments), sampled=True, in_money=True)
        intensity = shrinkage_intensity(errors)
        variance = _floored(np.einsum("ij,ij->i", errors, errors)[:, None] / moments)
        common = errors * np.sqrt((1.0 - intensity) / moments)
        own = intensity * variance  # the rest of it is in the common errors
        return Weighed(_where_said(heard, np.maximum(own, 1e-12 * variance)), factors=common, in_money=True)


@dataclass(frozen=True, slots=True)
class TopDown(Plain):
    """Only the root counts; it is split over the leaves by proportions.

    Attributes
    ----------
    proportions
        `average_proportions`: mean over past periods of a leaf's share (Gross and Sohl 1990, method A);
        `proportion_averages`: share of a leaf's mean in the root's (method F); `forecast_proportions`: at every level, a
        child's forecast among its siblings' (Athanasopoulos, Ahmed and Hyndman 2009).
    history
        Keys of a leaf cell, period and value; for the first two.
    """

    proportions: str = "forecast_proportions"
    history: pd.DataFrame | None = None

    def weigh(self, layout: Layout, heard: Heard) -> Weighed:
        """Keep the root and spread it."""
        return spread_from(layout, heard, np.array([0]), self.proportions, self.history, "top_down")


@dataclass(frozen=True, slots=True)
class MiddleOut(Plain):
    """Only one level counts; it is summed up above, and split below by proportions.

    Attributes
    ----------
    level
        Name of the level.
    proportions, history
        As in `TopDown`.
    """

    level: str
    proportions: str = "forecast_proportions"
    history: pd.DataFrame | None = None

    def weigh(self, layout: Layout, heard: Heard) -> Weighed:
        """Keep the level and spread it."""
        if not isinstance(layout.base, Hierarchy):
            raise ParamsError(
                "middle_out needs one tree.",
                where="method",
                remedy="Use wls_struct, or reconcile one dimension.",
            )
        at = np.flatnonzero(layout.base.nodes.isin(layout.base.at_level(self.level)))
        return spread_from(layout, heard, at, self.proportions, self.history, "middle_out")


def method_named(
    name: str,
    *,
    residuals: pd.DataFrame | None = None,
    history: pd.DataFrame | None = None,
    level: str | None = None,
    records: pd.DataFrame | None = None,
    leadership: float = 0.5,
) -> Method:
    """Find a method by its name in the field, and give it the evidence that it needs.

    Parameters
    ----------
    name
        One of `METHODS`; `top_down` and `middle_out` may carry their proportions, as in `top_down_average_proportions`.
    residuals
        For wls_var, mint_shrink and mint_cov.
    history
        For proportions from the past.
    level
        For middle_out.
    records, leadership
        For trust.

    Raises
    ------
    ParamsError
        If there is no such method, or its evidence is missing.

    Examples
    --------
    >>> method_named("wls_struct")
    WlsStruct()
    """
    simple: dict[str, Method] = {"bottom_up": BottomUp(), "ols": Ols(), "wls_struct": WlsStruct()}
    if name in simple:
        return simple[name]
    if name == "trust":
        return Trust(records, leadership)
    if name in {"wls_var", "mint_shrink", "mint_cov"}:
        errors = given(residuals, name, "residuals")
        return WlsVar(errors) if name == "wls_var" else MinT(errors, shrink=name == "mint_shrink")
    for start in ("top_down", "middle_out"):
        proportions = name.removeprefix(start).removeprefix("_") or PROPORTIONS[2]
        if name.startswith(start) and proportions in PROPORTIONS:
            past = history if proportions == PROPORTIONS[2] else given(history, name, "history")
            if start == "top_down":
                return TopDown(proportions, past)
            if level is None:
                raise ParamsError(
                    "middle_out needs a level.", where="method", remedy="Name it: level='region'."
                )
            return MiddleOut(level, proportions, past)
    raise ParamsError(
        f"There is no method '{name}'.", where="method", remedy=f"Use one of {', '.join(METHODS)}."
    )


METHODS: Final = (
    "trust",
    "bottom_up",
    *(f"{start}_{proportions}" for start in ("top_down", "middle_out") for proportions in PROPORTIONS),
    "ols",
    "wls_struct",
    "wls_var",
    "mint_shrink",
    "mint_cov",
)


def shrinkage_intensity(errors: Floats) -> float:
    """Compute how far a correlation matrix is to be shrunk towards none, from errors alone.

    Pairwise sums over all cells come from products of size periods x periods.

    Parameters
    ----------
    errors
        Shape (n_cells, n_periods), centred or not.

    Returns
    -------
    float
        0 (as it is) to 1 (no correlation).

    References
    ----------
    Schaefer and Strimmer (2005), A shrinkage approach to large-scale covariance matrix estimation.

    Examples
    --------
    >>> shrinkage_intensity(np.array([[1.0, -1.0, 1.0, -1.0], [1.0, -1.0, 1.0, -1.0]]))
    0.0
    """
    periods = errors.shape[1]
    scale = np.sqrt(np.einsum("ij,ij->i", errors, errors)[:, None] / periods)
    unit = errors / np.where(scale > 0, scale, 1.0)
    together = ((unit.T @ unit) ** 2).sum() - periods**2 * int(
        (scale > 0).sum()
    )  # each has length 1 with itself
    squared = np.square(unit, out=unit)
    pairs = (squared.sum(axis=0) ** 2).sum() - np.einsum("ij,ij->", squared, squared)
    if together <= 0:
        return 1.0
    noise = (pairs - together / periods) * periods / (periods - 1.0)
    return float(np.clip(noise / together, 0.0, 1.0))


def _shared(variance: Floats) -> Floats:
    """Keep one column where all columns are the same."""
    one = variance[:, :1]
    return one.copy() if variance.shape[1] > 1 and (variance == one).all() else variance


def _where_said(heard: Heard, variance: Floats) -> Floats:
    return _shared(np.where(heard.said, variance, np.inf)) if not heard.said.all() else variance


def _floored(variance: Floats) -> Floats:
    """Keep a cell without any past error from counting as certain."""
    known = variance[np.isfinite(variance)]
    least = 1e-12 * float(known.max(initial=0.0)) or 1.0
    return np.maximum(variance, least)
