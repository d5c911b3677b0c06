"""A draft of targets: whole numbers by leaf and month, nulls kept apart from zeros, and what is held."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import HierarchyError, InfeasibleError, PeriodError, TableError
from spms_lib.hierarchy import Hierarchy
from spms_lib.tables import NODE, PERIOD, VALUE, need

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Area(NamedTuple):
    """What lies below one node in one period: a range of leaves, depth first, and a range of months."""

    rows: slice
    columns: slice

    def within(self, other: "Area") -> bool:
        """Tell whether every cell of this area is one of the other's."""
        return bool(
            other.rows.start <= self.rows.start
            and self.rows.stop <= other.rows.stop
            and other.columns.start <= self.columns.start
            and self.columns.stop <= other.columns.stop
        )

    def meets(self, other: "Area") -> bool:
        """Tell whether the areas have a cell in common."""
        return bool(
            self.rows.start < other.rows.stop
            and other.rows.start < self.rows.stop
            and self.columns.start < other.columns.stop
            and other.columns.start < self.columns.stop
        )


class Held(NamedTuple):
    """A node and period whose number stays as it is, in minor units."""

    node: str
    period: str
    value: int


@dataclass(frozen=True, eq=False)
class Grid:
    """The leaves of a tree, depth first, by months: so that everything below a node stands side by side."""

    hierarchy: Hierarchy
    calendar: FiscalCalendar
    months: tuple[str, ...]

    @cached_property
    def spans(self) -> tuple[Ints, Ints]:
        """Shapes (n_nodes,): where each node's leaves start and stop, depth first."""
        tree = self.hierarchy
        size = tree.roll_up_array(np.ones((len(tree.leaves), 1), dtype=np.int64))[:, 0].astype(np.int64)
        start = np.zeros(len(tree), dtype=np.int64)
        for depth in range(1, len(tree.offsets) - 1):
            here = slice(tree.offsets[depth], tree.offsets[depth + 1])
            before = np.cumsum(size[here]) - size[here]  # leaves of this level's earlier nodes
            eldest = tree.first[tree.parent[here]] - tree.offsets[depth]
            start[here] = start[tree.parent[here]] + before - before[eldest]
        return start, start + size

    @cached_property
    def leaves(self) -> pd.Index:
        """Leaves, depth first."""
        first = self.spans[0][self.hierarchy.is_leaf]
        return self.hierarchy.leaves[np.argsort(first)]

    def area(self, node: str, period: str) -> Area:
        """Find what lies below a node in a period, or refuse the name."""
        if (node, period) not in self._areas:
            place = self.hierarchy.position(node)
            start, stop = self.spans
            rows = slice(int(start[place]), int(stop[place]))
            self._areas[node, period] = Area(rows, self.columns(period))
        return self._areas[node, period]

    @cached_property
    def _areas(self) -> dict[tuple[str, str], Area]:
        return {}

    def columns(self, period: str) -> slice:
        """Find the months of a period; one that lies partly outside the draft is refused."""
        wanted = self.calendar.months(period)
        missing = [month for month in wanted if month not in self.months]
        if missing:
            raise PeriodError(
                f"{period} is not wholly in this draft: {missing[0]} is missing.",
                where=f"draft of {self.months[0]} to {self.months[-1]}",
                remedy="Name a month of the draft, or a quarter or year whose months are all in it.",
            )
        first = self.months.index(wanted[0])
        return slice(first, first + len(wanted))

    def totals(self, values: Ints) -> Ints:
        """Add leaves x months up to every node; shape (n_nodes, n_months)."""
        running = np.zeros((len(values) + 1, values.shape[1]), dtype=np.int64)
        np.cumsum(values, axis=0, out=running[1:])
        start, stop = self.spans
        total: Ints = running[stop] - running[start]
        return total


@dataclass(frozen=True, eq=False)
class Draft:
    """Targets while they are worked on. Only leaves and months are kept; all else is their sum, so it always adds up.

    Attributes
    ----------
    values
        Shape (n_leaves, n_months), depth first, int64 minor units; 0 where nobody has said anything.
    known
        Same shape: False where nobody has said anything (null, which is not zero).
    holds
        Nodes and periods that no edit moves, with their numbers.

    Examples
    --------
    >>> tree = Hierarchy.from_parent_child(pd.DataFrame({"node": ["all", "anna", "ben"], "parent": [None, "all", "all"]}))
    >>> said = pd.DataFrame({"2026-01": [10, None], "2026-02": [20, 0]}, index=["anna", "ben"])
    >>> draft = Draft.of(tree, said, FiscalCalendar())
    >>> draft.value("ben", "2026-01"), draft.value("ben", "2026-02"), draft.value("all", "2026-01")
    (None, 0, 10)
    """

    grid: Grid
    values: Ints
    known: Bools
    holds: tuple[Held, ...] = ()

    @classmethod
    def of(
        cls,
        hierarchy: Hierarchy,
        values: pd.DataFrame,
        calendar: FiscalCalendar,
        *,
        holds: pd.DataFrame | None = None,
    ) -> "Draft":
        """Start a draft.

        Parameters
        ----------
        values
            Indexed by leaf, or by every node; a column per month, consecutive. Whole minor units; missing where
            nobody has said anything.
        holds
            Columns node, period, value (minor units): numbers that stand in `values` and stay.

        Raises
        ------
        TableError
            If a value is not whole or a node's row is not the sum of its leaves.
        InfeasibleError
            If a hold says another number than the values.
        """
        months = tuple(map(str, values.columns))
        grid = Grid(hierarchy, calendar, months)
        if not months or list(months) != calendar.range(months[0], months[-1]):
            raise PeriodError(
                f"The columns are not consecutive months: {', '.join(months) or 'none'}.",
                where="draft",
                remedy="Give every month from the first to the last, in order.",
            )
        strange = values.index.difference(hierarchy.nodes)
        if len(strange) or values.index.has_duplicates:
            raise HierarchyError(
                f"'{strange[0]}' is no node of the tree." if len(strange) else "A node has two rows.",
                where="draft",
                remedy="Give one row per leaf of the tree of the planned period.",
            )
        own = values.reindex(grid.leaves).astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
        known = ~np.isnan(own)
        whole = np.rint(np.where(known, own, 0.0))
        if (known & (whole != own)).any():
            raise TableError(
                f"'{grid.leaves[(known & (whole != own)).any(axis=1)][0]}' has a value that is not whole.",
                where="draft",
                remedy="Give whole minor units: commit estimates first.",
            )
        draft = cls(grid, whole.astype(np.int64), known)
        _refuse_other_sums(draft, values)
        if holds is None:
            return draft
        need(holds, [NODE, PERIOD, VALUE], "holds")
        for row in holds.to_dict("records"):
            draft = draft.hold(str(row[NODE]), str(row[PERIOD]), value=int(row[VALUE]))
        return draft

    # -- asking ----------------------------------------------------------------------------------

    def value(self, node: str, period: str) -> int | None:
        """Return the number of a node and period in minor units; None where nobody below has said anything."""
        area = self.grid.area(node, period)
        return int(self.values[area].sum()) if self.known[area].any() else None

    def table(self, periods: Sequence[str] | None = None) -> pd.DataFrame:
        """Lay the draft out: every node x periods (the months if not given), Int64 minor units, null where nobody spoke."""
        grid = self.grid
        wanted = list(grid.months if periods is None else periods)
        total = grid.totals(self.values)
        heard = grid.totals(self.known.astype(np.int64))
        columns = {}
        for period in wanted:
            inside = grid.columns(period)
            said = heard[:, inside].sum(axis=1) > 0
            columns[period] = pd.array(total[:, inside].sum(axis=1), dtype="Int64")
            columns[period][~said] = pd.NA
        return pd.DataFrame(columns, index=grid.hierarchy.nodes)

    def is_held(self, node: str, period: str) -> bool:
        """Tell whether this very node and period is held."""
        return any(held.node == node and held.period == period for held in self.holds)

    def areas_held(self) -> Iterable[tuple[Held, Area]]:
        """Yield every hold with what lies below it."""
        return ((held, self.grid.area(held.node, held.period)) for held in self.holds)

    # -- holding ---------------------------------------------------------------------------------

    def hold(self, node: str, period: str, *, value: int | None = None) -> "Draft":
        """Hold a node and period at its present number, a leaf or a sum; held twice is held once.

        Raises
        ------
        InfeasibleError
            If nobody has said a number yet, or `value` is another one: set it by an edit first.
        """
        now = self.value(node, period)
        if now is None or (value is not None and value != now):
            raise InfeasibleError(
                f"'{node}' has no number to hold in {period}."
                if now is None
                else f"'{node}' is to be held at {value:,} in {period}, but the draft has {now:,} (minor units).",
                where="holds",
                remedy="Set the number by an edit first, then hold it.",
            )
        if self.is_held(node, period):
            return self
        return replace(self, holds=(*self.holds, Held(node, period, now)))

    def lift(self, node: str, period: str) -> "Draft":
        """Lift a hold."""
        if not self.is_held(node, period):
            raise InfeasibleError(
                f"'{node}' is not held in {period}.", where="holds", remedy="See the draft's holds."
            )
        left = tuple(held for held in self.holds if (held.node, held.period) != (node, period))
        return replace(self, holds=left)


def _refuse_other_sums(draft: Draft, values: pd.DataFrame) -> None:
    """Refuse rows of inner nodes that differ from the sums of their leaves."""
    inner = values.index[~values.index.isin(draft.grid.leaves)]
    if not len(inner):
        return
    sums = draft.table().loc[inner]
    given = values.loc[inner].astype("Int64")
    wrong = (sums != given).fillna(sums.isna() != given.isna())
    if wrong.to_numpy(dtype=bool).any():
        node = inner[wrong.any(axis=1)][0]
        month = wrong.columns[wrong.loc[node]][0]
        raise TableError(
            f"'{node}' is {given.loc[node, month]} in {month}, but its leaves sum to {sums.loc[node, month]} (minor units).",
            where="draft",
            remedy="Give leaves only, or rows that add up.",
        )
