"""Top-down and middle-out: some cells are kept as they are, and spread over the leaves below by proportions."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.errors import ParamsError, TableError
from spms_lib.hierarchy import Crossed, Hierarchy
from spms_lib.reconcile.grid import Heard, Layout
from spms_lib.reconcile.weighed import Floats, Weighed, given, past_grid

PROPORTIONS: Final = ("average_proportions", "proportion_averages", "forecast_proportions")


def spread_from(
    layout: Layout,
    heard: Heard,
    at: NDArray[np.int64],
    proportions: str,
    history: pd.DataFrame | None,
    name: str,
) -> Weighed:
    """Keep the cells `at` as they are, and give every leaf below one its proportion of it."""
    if proportions not in PROPORTIONS:
        raise ParamsError(
            f"There are no proportions '{proportions}'.",
            where="method",
            remedy=f"Use one of {', '.join(PROPORTIONS)}.",
        )
    silent = ~heard.said[at]
    if silent.any():
        row, column = np.argwhere(silent)[0]
        raise TableError(
            f"{name} needs an estimate of '{layout.structure.label(int(at[row]))}' in {layout.periods[column]}.",
            where="estimates",
            remedy="Add it, or choose a method that does without.",
        )
    base = layout.base
    anchor = _anchors(base, at, name)
    if proportions == PROPORTIONS[2]:
        share = _forecast_shares(base, heard, at, name)
    else:
        share = _past_shares(layout, anchor, history, averages=proportions == PROPORTIONS[1])
    leaf = base.is_leaf
    variance = np.full(heard.value.shape, np.inf)
    variance[np.flatnonzero(leaf)] = np.where(
        anchor[:, None] >= 0, np.maximum(np.abs(share), 1e-12), heard.variance[: len(base)][leaf]
    )
    variance[at[~leaf[at]]] = 0.0
    return Weighed(variance, spread=np.broadcast_to(share, (len(share), heard.value.shape[1])), anchor=anchor)


def _anchors(base: Hierarchy | Crossed, at: NDArray[np.int64], name: str) -> NDArray[np.int64]:
    """Say which of the cells `at` lies above (or at) each leaf; -1 for none."""
    if not isinstance(base, Hierarchy):
        if name != "top_down":
            raise ParamsError(f"{name} needs one tree.", where="method", remedy="Use wls_struct.")
        return np.zeros(int(base.is_leaf.sum()), dtype=np.int64)
    found = np.full(len(base), -1)
    found[at] = at
    for depth in range(1, len(base.offsets) - 1):
        here = slice(base.offsets[depth], base.offsets[depth + 1])
        found[here] = np.where(found[here] >= 0, found[here], found[base.parent[here]])
    return found[base.is_leaf]


def _forecast_shares(base: Hierarchy | Crossed, heard: Heard, at: NDArray[np.int64], name: str) -> Floats:
    """Multiply, from the kept cells down, each child's part of its siblings' forecasts; shape (n_leaves, n_periods)."""
    if not isinstance(base, Hierarchy):
        raise ParamsError(
            f"{name} by forecast proportions needs one tree.",
            where="method",
            remedy="Use proportions from history, or wls_struct.",
        )
    share = np.full((len(base), heard.value.shape[1]), np.nan)
    share[at] = 1.0
    for depth in range(len(base.offsets) - 2):
        under = slice(base.offsets[depth + 1], base.offsets[depth + 2])
        total = (base.sums[depth] @ heard.value[under])[base.parent[under] - base.offsets[depth]]
        said = (base.sums[depth] @ heard.said[under].astype(float))[base.parent[under] - base.offsets[depth]]
        siblings = np.diff(base.first)[base.parent[under]][:, None]
        below = np.isnan(share[under]) & ~np.isnan(share[base.parent[under]])
        unusable = below & ((said < siblings) | (total == 0))
        if unusable.any():
            row, column = np.argwhere(unusable)[0]
            above = base.nodes[base.parent[under][row]]
            raise TableError(
                f"{name} needs a forecast of every child of '{above}', and a sum that is not zero (column {column}).",
                where="estimates",
                remedy="Add the forecasts, or use proportions from history.",
            )
        part = np.divide(heard.value[under], total, out=np.zeros_like(total), where=total != 0)
        share[under] = np.where(below, share[base.parent[under]] * part, share[under])
    return np.where(np.isnan(share), 0.0, share)[base.is_leaf]


def _past_shares(
    layout: Layout, anchor: NDArray[np.int64], history: pd.DataFrame | None, *, averages: bool
) -> Floats:
    """Compute each leaf's past share of the kept cell above it; shape (n_leaves, 1)."""
    past = given(history, "this method", "history")
    leaf = layout.base.is_leaf
    grid = past_grid(layout, past)[: len(layout.base)][leaf]
    grid = np.where(np.isnan(grid), 0.0, grid)
    groups = np.where(anchor >= 0, anchor, len(layout.base))
    if averages:
        grid = grid.mean(axis=1, keepdims=True)
    total = np.zeros((len(layout.base) + 1, grid.shape[1]))
    np.add.at(total, groups, grid)
    empty = np.flatnonzero((total[anchor[anchor >= 0]] == 0).all(axis=1))
    if len(empty):
        node = layout.structure.label(int(anchor[anchor >= 0][empty[0]]))
        raise TableError(
            f"History below '{node}' sums to zero.",
            where="history",
            remedy="Use forecast proportions, or give a history.",
        )
    part = np.divide(grid, total[groups], out=np.full(grid.shape, np.nan), where=total[groups] != 0)
    share = np.nanmean(part, axis=1, keepdims=True)
    return np.where(np.isnan(share), 0.0, share)
