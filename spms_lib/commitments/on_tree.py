"""Commitments on a tree: whole minor units in which every parent equals its children."""

import numpy as np
from numpy.typing import NDArray

from spms_lib.errors import CheckError
from spms_lib.hierarchy import Hierarchy
from spms_lib.money import whole_shares


def commit_tree(
    hierarchy: Hierarchy, values: NDArray[np.float64], *, held: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """Round coherent values to whole minor units through the tree, from the root down.

    Each parent's units are shared among its children by largest remainder, so every
    parent equals the sum of its children, no node is a whole unit or more from its
    exact value, and a held node keeps its number.

    Parameters
    ----------
    values
        Shape (n_nodes, n_columns), coherent to float precision.
    held
        Same shape: nodes whose value is a whole number already and must stay.

    Returns
    -------
    NDArray[np.int64]
        Shape (n_nodes, n_columns).

    Raises
    ------
    CheckError
        If the values were not coherent or a hold was not whole, so that a parent would
        differ from its children; never returned silently.

    Examples
    --------
    >>> import pandas as pd
    >>> tree = Hierarchy.from_parent_child(
    ...     pd.DataFrame({"node": ["t", "a", "b", "c"], "parent": [None, "t", "t", "t"]})
    ... )
    >>> commit_tree(tree, np.array([[100.0], [33.333], [33.333], [33.333]])).ravel().tolist()
    [100, 34, 33, 33]
    """
    fixed = np.zeros(values.shape, dtype=bool) if held is None else _settled(hierarchy, held)
    values = np.asfortranarray(values)  # rounding walks down columns
    units = np.rint(values).astype(np.int64)
    offsets, first = hierarchy.offsets, hierarchy.first
    for depth in range(len(offsets) - 2):
        here = np.arange(offsets[depth], offsets[depth + 1])
        parents = here[~hierarchy.is_leaf[here]]
        below = slice(offsets[depth + 1], offsets[depth + 2])
        starts = first[parents] - offsets[depth + 1]
        units[below] = whole_shares(values[below], units[parents], starts, fixed[below])
    check_conservation(hierarchy, units)
    if held is not None and (units[held] != np.rint(values[held])).any():
        row, column = np.argwhere(held & (units != np.rint(values)))[0]
        raise CheckError(
            f"The hold on '{hierarchy.nodes[row]}' moved in column {column}.",
            remedy="A hold must be a whole number of minor units.",
        )
    return units


def _settled(hierarchy: Hierarchy, held: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark held nodes and parents all of whose children are settled."""
    settled = held.copy()
    if not held[hierarchy.is_leaf].any():
        return settled
    for depth in range(len(hierarchy.offsets) - 3, -1, -1):
        here = slice(hierarchy.offsets[depth], hierarchy.offsets[depth + 1])
        below = slice(hierarchy.offsets[depth + 1], hierarchy.offsets[depth + 2])
        step = hierarchy.sums[depth]
        children = np.diff(step.indptr)[:, None]
        settled[here] |= (children > 0) & (step @ settled[below].astype(np.float64) == children)
    return settled


def conservation_gaps(hierarchy: Hierarchy, units: NDArray[np.int64]) -> NDArray[np.int64]:
    """Compute parent minus the sum of its children, for every node with children.

    Parameters
    ----------
    units
        Shape (n_nodes, n_columns), whole minor units.

    Returns
    -------
    NDArray[np.int64]
        Shape (n_nodes, n_columns); all zero in a plan that adds up to the cent. Leaves are zero.
    """
    sums = units.copy()
    for depth in range(len(hierarchy.offsets) - 2):
        here = slice(hierarchy.offsets[depth], hierarchy.offsets[depth + 1])
        below = slice(hierarchy.offsets[depth + 1], hierarchy.offsets[depth + 2])
        step = hierarchy.sums[depth].astype(np.int64)
        children = (np.diff(step.indptr) > 0)[:, None]
        sums[here] = np.where(children, step @ units[below], units[here])
    gaps: NDArray[np.int64] = units - sums
    return gaps


def check_conservation(hierarchy: Hierarchy, units: NDArray[np.int64]) -> None:
    """Refuse numbers in which a parent differs from its children, naming the first."""
    gaps = conservation_gaps(hierarchy, units)
    if gaps.any():
        row, column = np.argwhere(gaps)[0]
        raise CheckError(
            f"'{hierarchy.nodes[row]}' differs from the sum of its children by {gaps[row, column]:+d} minor units "
            f"(column {column}).",
            where="conservation",
            remedy="This is a defect: please report it with the inputs of the run.",
        )
