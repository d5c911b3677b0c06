"""Exact weighted least squares on a tree with bounds at any node: floors, caps and holds, in two passes.

    minimise    sum over nodes of (x - estimate)^2 / (2 variance)
    subject to  every parent equals the sum of its children, lower <= x <= upper

A *credit* is what one more unit of a node earns; the *price* of a parent is what one
more unit of the sum of its children costs. A node's *response* to a credit is a line
with kinks: the node follows its estimate until a bound stops it, and jumps where nobody
has an estimate. Upwards, the responses of the children are added into the *curve* of
their parent; its own estimate bends the curve, its bounds cut it. Downwards, the
company's value is read off at credit 0, and each parent hands its price to its children
as their credit. Nothing is iterated to a tolerance.

Curves and responses are rows of slots (credit, value, base, slope): the line
``base + slope * credit`` holds up to that credit, where it has that value; the last slot
has no end. A jump can only lie at credit 0, from the value of one slot to the base of the
next; an infinite base is a jump without end. Values are kept beside the lines, so that
they never fall from slot to slot, and are exact where a bound holds.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from spms_lib.hierarchy import Hierarchy
from spms_lib.projection.curves.both_ways import solve_columns
from spms_lib.projection.curves.slots import Column, Floats

WORTH_THREADS = 50_000


class Bounded(NamedTuple):
    """Coherent values within their bounds, and what the bounds cost.

    Attributes
    ----------
    values
        Shape (n_nodes, n_columns), in the unit of the estimates.
    prices
        Shape (n_nodes, n_columns), in value / variance: marginal cost of one more unit
        of the sum of a node's children; 0 at leaves, which have none.
    """

    values: Floats
    prices: Floats


def solve_bounded(
    hierarchy: Hierarchy,
    estimates: Floats,
    variance: Floats,
    lower: Floats,
    upper: Floats,
    *,
    threads: int = 2,
) -> Bounded:
    """Find the coherent values within bounds that stay closest to the estimates, exactly.

    A miss counts less the larger a node's variance. Where several nodes without an
    estimate may take what is left, they share it equally, as far as their bounds allow.

    Parameters
    ----------
    estimates
        Shape (n_nodes, n_columns), in the order of `hierarchy.nodes`. Ignored, and may
        be NaN, where the variance is infinite.
    variance
        Shape (n_nodes, n_columns), or (n_nodes, 1) for all columns, in squared units of
        the estimates; above 0, infinite where a node has no estimate.
    lower, upper
        Shape (n_nodes, n_columns); -inf and inf where there is no bound, equal for a hold.
        Some coherent values must lie within them: nothing is checked here.
    threads
        Most columns to solve at the same time; small problems use one thread.

    Returns
    -------
    Bounded
        Values and prices. With c a node and p its parent (price 0 above the root),
        ``(value_c - estimate_c) / variance_c + price_c - price_p`` is 0 between the
        bounds, >= 0 on the lower and <= 0 on the upper one; the first term is 0 where
        there is no estimate. Every hold stands bit for bit.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    References
    ----------
    Kolmogorov, Pock and Rolinek (2016), Total variation on a tree: messages along the
    tree as sorted breakpoints.

    Examples
    --------
    North is capped at 30, so south makes up most of the difference to a total of 100:

    >>> import pandas as pd
    >>> table = pd.DataFrame({"node": ["all", "north", "south"], "parent": [None, "all", "all"]})
    >>> tree = Hierarchy.from_parent_child(table)
    >>> column = lambda *numbers: np.array(numbers, dtype=float)[:, None]
    >>> found = solve_bounded(
    ...     tree, column(100, 40, 50), column(1, 1, 1), column(0, 0, 0), column(np.inf, 30, np.inf)
    ... )
    >>> found.values[:, 0].tolist()
    [90.0, 30.0, 60.0]
    >>> found.prices[:, 0].tolist()
    [10.0, 0.0, 0.0]
    """
    shape = (len(hierarchy), estimates.shape[1])
    if not estimates.shape == lower.shape == upper.shape == shape:
        raise ValueError(f"Estimates and bounds must have the shape (n_nodes, n_columns), here {shape}.")
    if variance.shape not in {shape, (shape[0], 1)}:
        raise ValueError(
            f"The variance must have the shape {shape} or {(shape[0], 1)}, not {variance.shape}."
        )
    first, offsets = np.array(hierarchy.first), np.array(hierarchy.offsets)
    parts = (estimates, np.broadcast_to(variance, shape), lower, upper)
    values, prices = np.empty(shape), np.empty(shape)

    def solve(some: slice) -> None:
        columns = Column(*(np.array(part[:, some].T, dtype=np.float64, order="C") for part in parts))
        found = np.zeros((2, *columns.estimate.shape))
        with np.errstate(all="ignore"):  # without numba, numpy would warn of infinite slots
            solve_columns(first, offsets, columns, found[0], found[1])
        values[:, some], prices[:, some] = found[0].T, found[1].T

    workers = min(shape[1], threads) if values.size > WORTH_THREADS else 1
    if workers > 1:
        cuts = [shape[1] * worker // workers for worker in range(workers + 1)]
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(solve, map(slice, cuts[:-1], cuts[1:])))
    else:
        solve(slice(None))
    return Bounded(values, prices)
