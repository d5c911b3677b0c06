"""What held sums do when something below them was edited: the other leaves absorb the difference.

Only what is limited matters, so the tree is folded: each held node keeps its place, everything else below it becomes one
'rest of'. The folded problem goes through the same projection as a reconciliation, whatever the size of the company.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from spms_lib.commitments import commit
from spms_lib.errors import InfeasibleError
from spms_lib.goals.edits.draft import Area, Bools, Draft, Floats, Grid, Held, Ints
from spms_lib.goals.edits.shares import share
from spms_lib.hierarchy import Crossed, Hierarchy
from spms_lib.projection import Problem, solve
from spms_lib.projection.problem import HELD
from spms_lib.tables import NODE, PARENT, PERIOD


def absorb(
    draft: Draft, values: Ints, known: Bools, edited: Bools, over: Sequence[tuple[Held, Area]]
) -> Ints:
    """Let the leaves beside an edit absorb it, so that every held sum above stands.

    Parameters
    ----------
    draft
        The draft before the edit, with its holds.
    values, known
        Shape (n_leaves, n_months): the edited numbers, and where somebody has spoken.
    edited
        Same shape: the cells of the edit, which keep what it gave them.
    over
        The holds that reach beyond the edit, with what lies below them.

    Returns
    -------
    Ints
        Same shape. Each of `over` has its number; nothing outside them moved, and nothing below any other hold.

    Raises
    ------
    InfeasibleError
        If what is left over beside the edit cannot make room.
    """
    free = ~edited
    for _, area in draft.areas_held():
        if all(area != outer for _, outer in over):
            free[area] = False
    columns = slice(min(a.columns.start for _, a in over), max(a.columns.stop for _, a in over))
    fold = Fold.of(draft.grid, [held.node for held, _ in over])
    wanted = values[:, columns].astype(float)
    variance = np.where(free[:, columns] & known[:, columns], np.abs(wanted), 0.0)
    variance = _opened(columns, over, wanted, variance, free[:, columns] & known[:, columns])
    units = _solved(fold, draft.grid, columns, over, wanted, variance)
    result = values.copy()
    part = result[:, columns]
    moved = units != fold.add(wanted)
    for leaf in np.flatnonzero(moved.any(axis=1)):
        chosen = np.ix_(np.flatnonzero(fold.leaf_of == leaf), np.flatnonzero(moved[leaf]))
        found = share(units[leaf][moved[leaf]], wanted[chosen], variance[chosen])
        if (found != wanted[chosen])[variance[chosen] == 0].any() or (
            (found < 0) & (wanted[chosen] >= 0)
        ).any():
            raise InfeasibleError("What is not held cannot make room.", where="edit")
        part[chosen] = found
    return result


@dataclass(frozen=True, eq=False)
class Fold:
    """A tree of some nodes of a larger one, with one leaf for the rest below each of them.

    Attributes
    ----------
    tree
        The chosen nodes below the root, and the rest below each where there is any.
    leaf_of
        Shape (n_leaves,): which leaf of `tree` holds each leaf of the draft, depth first.
    """

    tree: Hierarchy
    leaf_of: Ints

    @classmethod
    def of(cls, grid: Grid, nodes: Sequence[str]) -> "Fold":
        """Fold a grid onto some nodes and the root."""
        start, stop = grid.spans
        places = sorted({0, *(grid.hierarchy.position(node) for node in nodes)})  # parents come first
        names = [str(grid.hierarchy.nodes[place]) for place in places]
        rows: list[tuple[str, str | None]] = []
        owner = np.zeros(len(grid.leaves), dtype=np.int64)
        for number, place in enumerate(places):
            inside = slice(int(start[place]), int(stop[place]))
            above = None if number == 0 else names[int(owner[inside.start])]
            rows.append((names[number], above))
            owner[inside] = number
        parents = {above for _, above in rows}
        label = list(names)
        for number, name in enumerate(names):
            if name in parents and (owner == number).any():
                label[number] = f"the rest of {name}"
                rows.append((label[number], name))
        tree = Hierarchy.from_parent_child(pd.DataFrame(rows, columns=[NODE, PARENT]))
        at = tree.leaves.get_indexer(pd.Index(label))
        return cls(tree, at[owner])

    def add(self, cells: Floats) -> Floats:
        """Add rows of the draft's leaves to the folded leaves; shape (n_folded_leaves, n_columns)."""
        count = len(self.tree.leaves)
        return np.column_stack(
            [np.bincount(self.leaf_of, weights=cells[:, h], minlength=count) for h in range(cells.shape[1])]
        )


def _opened(
    columns: slice,
    over: Sequence[tuple[Held, Area]],
    wanted: Floats,
    variance: Floats,
    spoken: Bools,
) -> Floats:
    """Let zeros share equally below a held sum that must change where nothing else can."""
    for held, area in sorted(over, key=lambda pair: pair[1].rows.stop - pair[1].rows.start):
        inside = area.rows, slice(area.columns.start - columns.start, area.columns.stop - columns.start)
        if wanted[inside].sum() != held.value and not variance[inside].any():
            variance = variance.copy()
            variance[inside] = np.where(spoken[inside], 1.0, 0.0)
    return variance


def _solved(
    fold: Fold,
    grid: Grid,
    columns: slice,
    over: Sequence[tuple[Held, Area]],
    wanted: Floats,
    variance: Floats,
) -> Ints:
    """Project the folded leaves onto the held sums and round; shape (n_folded_leaves, n_columns)."""
    months = grid.months[columns]
    estimates, spread = fold.add(wanted), fold.add(variance)
    by_month = all(held.period in months for held, _ in over)
    structure: Hierarchy | Crossed = fold.tree
    if not by_month:
        periods = _period_tree(grid, months, [held.period for held, _ in over])
        structure = Crossed.of({NODE: fold.tree, PERIOD: periods})
        order = [months.index(str(month)) for month in periods.leaves]
        estimates, spread = estimates[:, order].reshape(-1, 1), spread[:, order].reshape(-1, 1)
    shape = (len(structure), estimates.shape[1])
    own, width, limit = np.zeros(shape), np.full(shape, np.inf), np.full(shape, np.nan)
    own[structure.is_leaf], width[structure.is_leaf] = estimates, spread
    for held, _ in over:
        if by_month:
            limit[fold.tree.position(held.node), months.index(held.period)] = held.value
        else:
            assert isinstance(structure, Crossed)
            limit[structure.position(held.node, held.period), 0] = held.value
    stands = ~np.isnan(limit)
    width[stands & (width == 0)] = np.inf
    lower, upper = np.where(stands, limit, -np.inf), np.where(stands, limit, np.inf)
    answer = solve(structure, Problem(own, width, lower, upper, columns=months if by_month else [""]))
    units = commit(structure, answer.values, held=(answer.states == HELD))[structure.is_leaf]
    if by_month:
        return units
    back: Ints = units.reshape(len(fold.tree.leaves), len(months))[:, np.argsort(order)]
    return back


def _period_tree(grid: Grid, months: Sequence[str], limited: Sequence[str]) -> Hierarchy:
    """Build the tree of months and of the longer periods that are held, under one root."""
    longer = {p: grid.columns(p) for p in dict.fromkeys(limited) if p not in months}
    spans = sorted(longer, key=lambda p: longer[p].start - longer[p].stop)  # the longest first
    rows: list[tuple[str, str | None]] = [("all months", None)]
    for number, period in enumerate(spans):
        outer = [p for p in spans[:number] if _inside(longer[period], longer[p])]
        rows.append((period, outer[-1] if outer else "all months"))
    for month in months:
        place = grid.columns(month)
        outer = [p for p in spans if _inside(place, longer[p])]
        rows.append((month, outer[-1] if outer else "all months"))
    return Hierarchy.from_parent_child(pd.DataFrame(rows, columns=[NODE, PARENT]))


def _inside(part: slice, whole: slice) -> bool:
    return bool(whole.start <= part.start and part.stop <= whole.stop)
