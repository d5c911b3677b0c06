"""Commitments on crossed trees: whole minor units that add up along every dimension."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from spms_lib.commitments.on_tree import commit_tree
from spms_lib.errors import CheckError
from spms_lib.hierarchy.crossed import Crossed

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Units = NDArray[np.int64]

LARGE: Final = 5_000  # cells of three or more dimensions above which dimensions are added one at a time
NODES: Final = 1_000  # branches that the last search, for holds that stand in each other's way, may try


def commit_crossed(crossed: Crossed, values: Floats, *, held: Bools | None = None) -> Units:
    r"""Round coherent values to whole minor units so that every cell equals its children along every dimension.

    All cells are rounded at once: a linear program keeps each between the whole numbers
    beside its exact value and looks for the nearest. Its corners are whole in two
    dimensions of which one is flat (a total and its parts), and nearly so otherwise. Whole leaf cells
    then stay, sums over the fewest leaf cells still open get one unit more room, and the program
    runs again. So always: sums and holds are exact. And the distance from the exact value is

    - one dimension: as `commit_tree`;
    - two, one of them flat, whatever is missing or held: below one unit for every cell;
    - otherwise: below one unit for leaf cells (unless holds alone force two), and for a sum below
      1 + k, where k leaf cells were open when it got room; k is at most the number of
      sums above a leaf cell, in practice 0 for full grids of two dimensions and 1 or 2 for others.
      Cells near the top get room last: below one unit per level is the aim, not a promise;
    - three or more with above `LARGE` cells and without holds: all but the last dimension first, then the
      last within them. Sums over several dimensions may then drift by some units.

    Parameters
    ----------
    crossed
        Cells, all or some; above an existing cell all exist.
    values
        Shape (n_cells, n_columns), coherent to float precision, minor units.
    held
        Same shape: cells whose value is a whole number already and must stay.

    Returns
    -------
    NDArray[np.int64]
        Shape (n_cells, n_columns). The same on every run; of equal leaf cells the first gets the unit.

    Raises
    ------
    CheckError
        If the values are not coherent, a hold is not whole, or no whole numbers were found that keep the holds.

    References
    ----------
    Cox and Ernst (1982), Controlled rounding. Beck and Fiala (1981), Integer-making theorems.

    Examples
    --------
    >>> import pandas as pd
    >>> from spms_lib.hierarchy import Hierarchy
    >>> table = lambda *nodes: pd.DataFrame({"node": nodes, "parent": [None] + [nodes[0]] * (len(nodes) - 1)})
    >>> sellers = Hierarchy.from_parent_child(table("team", "anna", "ben"))
    >>> products = Hierarchy.from_parent_child(table("all", "boats", "cars"))
    >>> grid = Crossed.of({"node": sellers, "product": products})
    >>> exact = grid.roll_up_array(np.array([[1.4], [2.4], [3.4], [4.8]]))
    >>> commit_crossed(grid, exact).reshape(3, 3).tolist()  # rows: team, anna, ben
    [[12, 5, 7], [4, 2, 2], [8, 3, 5]]
    """
    if len(crossed.dimensions) == 1:
        return _commit_one(crossed, values, held)
    fixed = np.zeros(values.shape, dtype=bool) if held is None else held
    _check_values(crossed, values, fixed)
    columns = [_commit_column(crossed, values[:, [at]], fixed[:, [at]]) for at in range(values.shape[1])]
    leaves = np.hstack([np.zeros((int(crossed.is_leaf.sum()), 0), dtype=np.int64), *columns])
    units = _add_up(crossed, leaves)
    moved = fixed & (units != np.rint(values))
    if moved.any():
        raise _refusal(crossed, moved, "cannot be kept")
    return units


def _commit_one(crossed: Crossed, values: Floats, held: Bools | None) -> Units:
    """Round along a single tree; nodes without a cell are held at zero."""
    (tree,) = crossed.dimensions.values()
    if crossed.is_full:
        return commit_tree(tree, values, held=held)
    everywhere = np.zeros((len(tree), values.shape[1]))
    fixed = np.ones(everywhere.shape, dtype=bool)
    everywhere[crossed.codes] = values
    fixed[crossed.codes] = False if held is None else held
    units: Units = commit_tree(tree, everywhere, held=fixed)[crossed.codes]
    return units


def _commit_column(crossed: Crossed, values: Floats, held: Bools) -> Units:
    """Round one column, shape (n_cells, 1); return its leaf cells, shape (n_leaf_cells, 1)."""
    narrow = len(crossed.dimensions) > 2 and len(crossed) > LARGE and not held.any()
    kept = np.ones(len(crossed), dtype=bool)
    if narrow:
        values, held, kept = _without_last(crossed, values)
    for noise in (_noise(values[:, 0]), np.full(len(values), 1e-9)):  # noise may add up to more than room
        box = _Box.around(crossed, values, held[:, 0], noise)
        found = _round(crossed, box, kept)
        if found is not None:
            return found[crossed.is_leaf, None]
    found = _search(crossed, box)
    if found is None:
        raise _refusal(crossed, held, "cannot be kept in whole numbers together with the others")
    return found[crossed.is_leaf, None]


def _without_last(crossed: Crossed, values: Floats) -> tuple[Floats, Bools, Bools]:
    """Commit all dimensions but the last, and fit the values to them.

    Returns
    -------
    tuple
        Values that meet those commitments; where they are held; cells to keep near their values,
        which are nested in only two ways, so that the program is a flow and its corners are whole.
    """
    *others, last = crossed.dimensions.items()
    top = crossed.places[-1] == 0
    smaller = Crossed(dict(others), crossed.codes[top] // len(last[1]))
    whole = _add_up(smaller, _commit_column(smaller, values[top], np.zeros((int(top.sum()), 1), dtype=bool)))
    leaf, above = crossed.is_leaf, crossed.codes // len(last[1])
    place = np.searchsorted(smaller.codes, above[leaf])
    among = np.bincount(place, minlength=len(smaller))[place, None]
    fitted = crossed.roll_up_array(values[leaf] + ((whole - values[top])[place]) / among)
    fitted[top] = whole
    is_leaf = np.array(
        [tree.is_leaf[at] for tree, at in zip(crossed.dimensions.values(), crossed.places, strict=True)]
    )
    at_top = np.array([at == 0 for at in crossed.places])
    kept = (
        is_leaf[:-1].all(axis=0)
        | (is_leaf[-1] & _nested(is_leaf[:-1], at_top[:-1]))
        | at_top[:-1].all(axis=0)
    )
    return fitted, top[:, None], kept


def _nested(is_leaf: Bools, at_top: Bools) -> Bools:
    """Mark cells that are leaves in the first dimensions and at the top of all but one of the rest."""
    count = len(is_leaf)
    chosen = [is_leaf[:at].all(axis=0) & at_top[at + 1 :].all(axis=0) for at in range(count)]
    return np.asarray(np.any(chosen, axis=0))


@dataclass(frozen=True, slots=True, eq=False)
class _Box:
    """Each cell as a whole number and a fraction, counted up from the leaf cells so that no noise is left.

    Attributes
    ----------
    base
        Shape (n_cells,), whole units at or below the exact value; the value itself where held.
    part
        Shape (n_cells,), from 0 to below 1; 0 where the value is whole.
    held
        Shape (n_cells,), cells that stay at `base`.
    """

    base: Units
    part: Floats
    held: Bools

    @classmethod
    def around(cls, crossed: Crossed, values: Floats, held: Bools, noise: Floats) -> "_Box":
        """Split values, shape (n_cells, 1); a sum within `noise` of a whole number is that number."""
        leaf, exact = crossed.is_leaf, values[crossed.is_leaf, 0]
        small = _noise(exact)
        floor = np.floor(exact + small)
        part = np.where(exact - floor > small, exact - floor, 0.0)
        total = crossed.roll_up_array(part[:, None])[:, 0]
        carry = np.where(leaf, 0.0, np.floor(total + noise))
        base = _add_up(crossed, floor.astype(np.int64)[:, None])[:, 0] + carry.astype(np.int64)
        rest = total - carry
        rest[(~leaf & (rest <= noise)) | held] = 0.0
        return cls(np.where(held, np.rint(values[:, 0]), base).astype(np.int64), rest, held)


def _round(crossed: Crossed, box: _Box, kept: Bools) -> Units | None:
    """Round all cells; None where the limits contradict each other or only holds are left to give way."""
    leaf, depth = crossed.is_leaf, _depth(crossed)
    free = ~leaf & ~box.held
    far = np.where(free & ~kept, np.inf, 0.0)
    low, high, gap = -far, (box.part > 0) + far, _gap(crossed, box)
    near = np.round(box.part, 6)
    cost = np.where(far > 0, 0.0, 1 - 2 * near) + np.where(leaf, np.linspace(0, 1e-4, len(leaf)), 0.0)
    above = int(np.prod([len(tree.offsets) - 1 for tree in crossed.dimensions.values()]))
    given, reach, before = np.zeros(len(leaf)), 1, len(leaf) + 1
    while reach <= 2 * above + 8:
        limits = np.column_stack([low, high])
        corner = linprog(
            cost, A_eq=crossed.rows, b_eq=gap, bounds=limits, method="highs-ds", options={"presolve": False}
        )
        if corner.x is None:
            return None
        whole = np.rint(corner.x)
        is_open = leaf & (np.abs(corner.x - whole) > 1e-6)
        count = int(is_open.sum())
        if not count:
            return np.asarray(box.base + whole.astype(np.int64))
        low, high = (np.where(leaf & ~is_open, whole, limit) for limit in (low, high))
        reach, before = reach + (count >= before), count
        below = _add_up(crossed, is_open[leaf, None].astype(np.int64))[:, 0]
        more = free & (below <= reach) & (given < np.maximum(depth - 1, reach - 3))
        low, high, given = low - more, high + more, given + more
        cost[more] = 0.0  # a price would pull it away from its value
    return None


def _search(crossed: Crossed, box: _Box) -> Units | None:
    """Look for any whole numbers that keep the holds: sums as they fall, leaf cells one unit further if they must."""
    leaf, free = crossed.is_leaf, ~box.held
    room = np.flatnonzero(leaf & free)
    beyond = crossed.rows[:, room]
    rows, gap = sparse.hstack([crossed.rows, beyond, -beyond]), _gap(crossed, box)
    far = np.where(free & ~leaf, np.inf, 0.0)
    extra = np.ones(2 * len(room))
    found = milp(
        np.concatenate([np.where(leaf, 1 - 2 * box.part, 0.0), 4 * extra]),
        constraints=LinearConstraint(rows, gap, gap),
        bounds=Bounds(np.concatenate([-far, 0 * extra]), np.concatenate([(box.part > 0) + far, extra])),
        integrality=np.concatenate([leaf.astype(np.int64), extra]),
        options={"node_limit": NODES},
    )
    if found.x is None:
        return None
    units: Units = box.base + np.rint(found.x[: len(leaf)]).astype(np.int64)
    up, down = np.split(np.rint(found.x[len(leaf) :]).astype(np.int64), 2)
    units[room] += up - down
    return units


def _gap(crossed: Crossed, box: _Box) -> Floats:
    """Count the units by which each sum's children fall short of it when all stand at their base; exact."""
    short: Floats = -(crossed.rows.astype(np.int64) @ box.base).astype(np.float64)
    return short


def _add_up(crossed: Crossed, leaves: Units) -> Units:
    """Add up whole leaf cells; exact."""
    return np.asarray(crossed.roll_up_array(leaves), dtype=np.int64)  # type: ignore[arg-type]  # any dtype will do


def _depth(crossed: Crossed) -> Units:
    """Shape (n_cells,): steps from the top, added over the dimensions."""
    pairs = zip(crossed.dimensions.values(), crossed.places, strict=True)
    return np.asarray(sum(tree.depth[place] for tree, place in pairs))


def _noise(values: Floats) -> Floats:
    """Tell how far from a whole number a value may be and still be that number, as in `whole_shares`."""
    return np.minimum(4e-15 * np.abs(values) + 1e-7, 0.25)


def _check_values(crossed: Crossed, values: Floats, held: Bools) -> None:
    """Refuse sums that are not the sum of their leaf cells, and holds that are not whole."""
    gaps = np.abs(values - crossed.roll_up_array(values[crossed.is_leaf]))
    wrong = ~(gaps <= 0.5 + 1e-14 * np.abs(values).max(axis=0, initial=0.0))
    if wrong.any():
        raise _refusal(crossed, wrong, "is not the sum of its leaf cells", "Make the values coherent first.")
    wrong = held & (np.abs(values - np.rint(values)) > _noise(values))
    if wrong.any():
        raise _refusal(
            crossed, wrong, "is held but not whole", "A hold must be a whole number of minor units."
        )


def _refusal(
    crossed: Crossed, cells: Bools, what: str, remedy: str = "Lift a hold on this cell or below it."
) -> CheckError:
    """Name the first of some cells, shape (n_cells, n_columns)."""
    row, column = np.argwhere(cells)[0]
    return CheckError(f"'{crossed.label(row)}' {what} (column {column}).", where="commitments", remedy=remedy)
