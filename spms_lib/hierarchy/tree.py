"""The tree itself: nodes numbered level by level, the children of a node side by side.

Everything is an array over nodes, so a roll-up of a million leaves is a handful
of sparse products and nothing is ever looked up row by row.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import HierarchyError
from spms_lib.findings import REJECTED, SEVERITY
from spms_lib.hierarchy.check import check_hierarchy, rows_on
from spms_lib.tables import LEVEL, NAME, NODE, OWNER, PARENT, VALID_FROM, VALID_TO

Array = NDArray[np.generic]


@dataclass(frozen=True, eq=False, repr=False)
class Hierarchy:
    """One tree of nodes, as the organisation stood on one day.

    Attributes
    ----------
    nodes
        Shape (n_nodes,), unique node ids: the root first, then level by level, the
        children of a node side by side and in the order of the source.
    parent
        Shape (n_nodes,), position of each node's parent; -1 for the root.
    first
        Shape (n_nodes + 1,): the children of node i are at positions first[i] to first[i + 1].
    offsets
        Shape (depths + 1,): the nodes of depth d are at positions offsets[d] to offsets[d + 1].
    level
        Name of each node's level, indexed by node.
    name
        Name to print, indexed by node.
    owner
        Person who answers for the node, indexed by node; missing where vacant.

    Examples
    --------
    >>> table = pd.DataFrame({"node": ["all", "north", "south"], "parent": [None, "all", "all"]})
    >>> tree = Hierarchy.from_parent_child(table)
    >>> tree.roll_up(pd.DataFrame({"2026-01": [3, 4]}, index=["north", "south"])).loc["all", "2026-01"]
    np.int64(7)
    """

    nodes: pd.Index
    parent: NDArray[np.int64]
    first: NDArray[np.int64]
    offsets: NDArray[np.int64]
    level: pd.Series
    name: pd.Series
    owner: pd.Series
    _source: pd.DataFrame = field(compare=False)

    # -- building --------------------------------------------------------------------------------

    @classmethod
    def from_parent_child(cls, frame: pd.DataFrame, *, as_of: dt.date | None = None) -> Self:
        """Build the tree from a table of nodes and their parents.

        Parameters
        ----------
        frame
            Columns node and parent (missing or empty for the root); optionally level,
            name, owner, valid_from, valid_to.
        as_of
            Day whose rows are used. Without it every row must hold at the same time, whatever its validity.

        Raises
        ------
        HierarchyError
            If the rows do not form one tree; the message lists every reason.
        """
        rows = rows_on(frame, as_of)
        if rows.empty:
            when = f" on {as_of}" if as_of else ""
            raise HierarchyError(
                f"No node is valid{when}.", remedy="Check valid_from and valid_to, or choose another day."
            )
        codes, nodes = pd.factorize(rows[NODE])
        parent = pd.Index(nodes).get_indexer(pd.Index(rows[PARENT]))
        blank = (rows[PARENT].isna() | (rows[PARENT] == "")).to_numpy()
        if len(nodes) < len(rows) or blank.sum() != 1 or (parent[~blank] < 0).any():
            raise _refusal(frame, as_of)
        order, offsets = _level_order(parent)
        if len(order) < len(codes):
            raise _refusal(frame, as_of)
        return cls._assemble(rows.iloc[order], parent, order, offsets, frame)

    @classmethod
    def from_paths(cls, frame: pd.DataFrame, columns: Sequence[str], *, root: str = "company") -> Self:
        """Build the tree from one row per leaf with a column per level, such as region, team, seller.

        Equal names in different branches are different nodes: a node's id is the path
        of names joined by '/', and its printed name is the last of them. A missing
        name ends the path, so leaves may lie at different depths.
        """
        paths = frame[list(columns)].astype("object").where(frame[list(columns)].notna(), None)
        rows: dict[str, tuple[str | None, str, str]] = {root: (None, root, root)}
        for names in paths.itertuples(index=False):
            above = root
            for level, name in zip(columns, names, strict=True):
                if name is None:
                    break
                node = str(name) if above == root else f"{above}/{name}"
                rows.setdefault(node, (above, level, str(name)))
                above = node
        table = pd.DataFrame(rows.values(), columns=[PARENT, LEVEL, NAME])
        return cls.from_parent_child(table.assign(**{NODE: list(rows)}))

    @classmethod
    def from_periods(cls, months: Sequence[str], calendar: FiscalCalendar) -> Self:
        """Build the tree year > quarter > month over fiscal months, to plan months and their sums as one.

        Several years get a root of their own, named by the first and last month.

        Examples
        --------
        >>> Hierarchy.from_periods(["2026-01", "2026-02", "2026-03"], FiscalCalendar()).nodes.tolist()
        ['FY2026', '2026Q1', '2026-01', '2026-02', '2026-03']
        """
        quarter = {month: calendar.quarter_of(month) for month in months}
        year = {one: calendar.year_of(one) for one in quarter.values()}
        years = list(dict.fromkeys(year.values()))
        top = years[0] if len(years) == 1 else f"{months[0]} to {months[-1]}"
        rows: list[tuple[str, str | None, str]] = [(top, None, "year" if len(years) == 1 else "range")]
        rows += [(one, top, "year") for one in years] if len(years) > 1 else []
        rows += [(one, above, "quarter") for one, above in year.items()]
        rows += [(month, one, "month") for month, one in quarter.items()]
        return cls.from_parent_child(pd.DataFrame(rows, columns=[NODE, PARENT, LEVEL]))

    @classmethod
    def _assemble(
        cls,
        rows: pd.DataFrame,
        parent: NDArray[np.int64],
        order: NDArray[np.int64],
        offsets: NDArray[np.int64],
        source: pd.DataFrame,
    ) -> Self:
        position = np.empty(len(order), dtype=np.int64)
        position[order] = np.arange(len(order))
        above = parent[order]
        above = np.where(above < 0, -1, position[above])
        first = np.searchsorted(above, np.arange(len(order) + 1)).astype(np.int64)
        nodes = pd.Index(rows[NODE].to_numpy(), name=NODE)
        for array in (above, first, offsets):
            array.setflags(write=False)
        depth = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        levels = _column(rows, LEVEL, nodes).fillna(
            pd.Series("level " + pd.Series(depth).astype(str).to_numpy(), nodes)
        )
        names = _column(rows, NAME, nodes).fillna(pd.Series(nodes, nodes))
        return cls(nodes, above, first, offsets, levels, names, _column(rows, OWNER, nodes), source)

    # -- asking ----------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Count the nodes."""
        return len(self.nodes)

    def __repr__(self) -> str:
        return f"Hierarchy({self.root!r}, {len(self)} nodes, {len(self.leaves)} leaves, levels {self.level_names})"

    @property
    def root(self) -> str:
        """The whole company."""
        return str(self.nodes[0])

    @cached_property
    def is_leaf(self) -> NDArray[np.bool_]:
        """Shape (n_nodes,): True where a node has no children."""
        return np.asarray(np.diff(self.first) == 0)

    @cached_property
    def leaves(self) -> pd.Index:
        """Nodes without children, in the order of `nodes`."""
        return self.nodes[self.is_leaf]

    @cached_property
    def depth(self) -> NDArray[np.int64]:
        """Shape (n_nodes,): steps from the root."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    @cached_property
    def level_names(self) -> list[str]:
        """Names of the levels, from the root down, as first met."""
        return list(dict.fromkeys(self.level))

    def at_level(self, level: str) -> pd.Index:
        """List the nodes of one level."""
        if level not in self.level_names:
            raise HierarchyError(
                f"There is no level '{level}'.", remedy=f"Known levels: {', '.join(self.level_names)}."
            )
        return self.nodes[(self.level == level).to_numpy()]

    def position(self, node: str) -> int:
        """Find a node's position in `nodes`, or refuse the name."""
        try:
            return int(self.nodes.get_loc(node))  # type: ignore[arg-type]  # ids are unique
        except KeyError:
            from difflib import get_close_matches

            near = get_close_matches(str(node), [str(known) for known in self.nodes], n=3)
            raise HierarchyError(
                f"There is no node '{node}'.", remedy=f"Did you mean {' or '.join(near)}?" if near else ""
            ) from None

    def children(self, node: str) -> pd.Index:
        """List a node's children."""
        here = self.position(node)
        return self.nodes[self.first[here] : self.first[here + 1]]

    def path(self, node: str) -> list[str]:
        """List the nodes from the root down to a node."""
        here, upwards = self.position(node), []
        while here >= 0:
            upwards.append(str(self.nodes[here]))
            here = int(self.parent[here])
        return upwards[::-1]

    def ancestor(self, level: str) -> pd.Series:
        """Say which node of a level each node belongs to; missing where none lies above it.

        Returns
        -------
        pd.Series
            Indexed by node, dtype object.
        """
        self.at_level(level)
        own = (self.level == level).to_numpy()
        found = np.where(own, np.arange(len(self)), -1)
        for depth in range(1, len(self.offsets) - 1):
            here = slice(self.offsets[depth], self.offsets[depth + 1])
            found[here] = np.where(found[here] >= 0, found[here], found[self.parent[here]])
        return self._named(found).rename(level)

    @cached_property
    def parents(self) -> pd.Series:
        """Parent of each node, indexed by node; missing for the root."""
        return self._named(self.parent).rename(PARENT)

    def _named(self, positions: NDArray[np.int64]) -> pd.Series:
        names = self.nodes.to_numpy(dtype=object)[positions]
        names[positions < 0] = None
        return pd.Series(names, index=self.nodes, dtype="object")

    def subtree(self, node: str) -> "Hierarchy":
        """Cut out a node with everything below it; the node becomes the root."""
        inside = np.zeros(len(self), dtype=bool)
        inside[self.position(node)] = True
        for depth in range(1, len(self.offsets) - 1):
            here = slice(self.offsets[depth], self.offsets[depth + 1])
            inside[here] |= inside[self.parent[here]]
        above = self.parents.to_numpy(dtype=object)
        rows = pd.DataFrame(
            {
                NODE: self.nodes,
                PARENT: above,
                LEVEL: self.level.array,
                NAME: self.name.array,
                OWNER: self.owner.array,
            }
        )[inside]
        rows.loc[rows[NODE] == node, PARENT] = None
        return Hierarchy.from_parent_child(rows)

    def down_to(self, depth: int) -> "Hierarchy":
        """Cut off everything more than `depth` steps below the root, in the same order of nodes."""
        offsets = self.offsets[: depth + 2]
        count = int(offsets[-1])
        first = np.minimum(self.first[: count + 1], count)
        level, name, owner = self.level.iloc[:count], self.name.iloc[:count], self.owner.iloc[:count]
        return Hierarchy(
            self.nodes[:count], self.parent[:count], first, offsets, level, name, owner, self._source
        )

    def as_of(self, day: dt.date) -> "Hierarchy":
        """Return the tree as it stood on another day, from the same source rows."""
        return Hierarchy.from_parent_child(self._source, as_of=day)

    def label(self, position: int) -> str:
        """Name one node, as messages print it."""
        return str(self.nodes[position])

    # -- computing -------------------------------------------------------------------------------

    @cached_property
    def rows(self) -> sparse.csr_array:
        """Shape (nodes with children, n_nodes): each such node minus its children is zero."""
        parents = np.flatnonzero(~self.is_leaf)
        row_of = np.cumsum(~self.is_leaf) - 1
        children = np.arange(1, len(self))
        rows = np.concatenate([np.arange(len(parents)), row_of[self.parent[1:]]])
        signs = np.concatenate([np.ones(len(parents)), np.full(len(children), -1.0)])
        entries = signs, (rows, np.concatenate([parents, children]))
        return sparse.coo_array(entries, shape=(len(parents), len(self))).tocsr()

    @cached_property
    def sums(self) -> list[sparse.csr_array]:
        """One matrix per depth that adds the children of each of its nodes."""
        steps = []
        for depth in range(len(self.offsets) - 2):
            here, below = self.offsets[depth : depth + 2], self.offsets[depth + 1 : depth + 3]
            bounds = self.first[here[0] : here[1] + 1] - below[0]
            count = int(below[1] - below[0])
            shape = (int(here[1] - here[0]), count)
            steps.append(sparse.csr_array((np.ones(count), np.arange(count), bounds), shape=shape))
        return steps

    def roll_up_array(self, values: Array) -> Array:
        """Add leaf values up the tree.

        Parameters
        ----------
        values
            Shape (n_leaves, n_columns) in the order of `leaves`, int64 or float64.

        Returns
        -------
        Array
            Shape (n_nodes, n_columns), same dtype; exact for whole numbers.
        """
        whole = np.issubdtype(values.dtype, np.integer)
        total = np.zeros((len(self), values.shape[1]), dtype=np.int64 if whole else np.float64)
        total[self.is_leaf] = values
        for depth in range(len(self.offsets) - 3, -1, -1):
            here = slice(self.offsets[depth], self.offsets[depth + 1])
            below = slice(self.offsets[depth + 1], self.offsets[depth + 2])
            step = self.sums[depth]
            total[here] += (step.astype(np.int64) if whole else step) @ total[below]
        return total

    def roll_up(self, values: pd.DataFrame) -> pd.DataFrame:
        """Add leaf values up the tree, by column.

        Parameters
        ----------
        values
            Indexed by leaf, a column per period. A leaf without a row, or a missing
            value, is "nobody has said": it adds nothing, and a parent is missing only
            where all its leaves are.

        Returns
        -------
        pd.DataFrame
            Indexed by node. int64 where every leaf has a whole number, else float64.

        Raises
        ------
        HierarchyError
            If a row is not a leaf of this tree, so that nothing is dropped silently.
        """
        strange = values.index.difference(self.leaves)
        if len(strange):
            raise HierarchyError(
                f"{len(strange)} rows are not leaves of this tree, such as '{strange[0]}'.",
                remedy="Use the hierarchy of the day of the values (as_of), or roll up to its leaves first.",
            )
        if values.index.has_duplicates:
            raise HierarchyError("A leaf has two rows.", remedy="Add them up before the roll-up.")
        full = values if values.index.equals(self.leaves) else values.reindex(self.leaves)
        whole = (
            all(pd.api.types.is_integer_dtype(kind) for kind in full.dtypes)
            and not full.isna().to_numpy().any()
        )
        if whole:
            return pd.DataFrame(self.roll_up_array(full.to_numpy(dtype=np.int64)), self.nodes, values.columns)
        known = full.to_numpy(dtype=np.float64, na_value=np.nan)
        said = ~np.isnan(known)
        total = self.roll_up_array(np.where(said, known, 0.0)).astype(np.float64)
        if not said.all():
            total[self.roll_up_array(said.astype(np.int64)) == 0] = np.nan
        return pd.DataFrame(total, self.nodes, values.columns)

    def spread(self, totals: pd.Series, weights: pd.Series) -> pd.DataFrame:
        """Spread the company's totals over the leaves in proportion to weights, without rounding.

        Parameters
        ----------
        totals
            Indexed by period, the root's values.
        weights
            Indexed by leaf, non-negative, not all zero.

        Returns
        -------
        pd.DataFrame
            Leaves x periods, float64.
        """
        from spms_lib.money import check_weights

        share = weights.reindex(self.leaves).to_numpy(dtype=np.float64)
        check_weights(share, self.leaves)
        total = np.outer(share / share.sum(), totals.to_numpy(dtype=np.float64))
        return pd.DataFrame(total, self.leaves, totals.index)


def _column(rows: pd.DataFrame, column: str, nodes: pd.Index) -> pd.Series:
    values = rows[column].to_numpy(dtype=object) if column in rows else np.full(len(rows), None, dtype=object)
    return pd.Series(values, index=nodes, name=column, dtype="object")


def _level_order(parent: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Order nodes level by level; nodes in or below a circle are left out."""
    by_parent = np.argsort(parent, kind="stable")
    count = np.bincount(parent + 1, minlength=len(parent) + 1)
    start = np.concatenate([[0], np.cumsum(count)])
    front = by_parent[: count[0]]
    order, offsets = [front], [0, len(front)]
    while len(front):
        sizes = count[front + 1]
        skip = np.repeat(start[front + 1] - (np.cumsum(sizes) - sizes), sizes)
        front = by_parent[skip + np.arange(int(sizes.sum()))]
        if len(front):
            order.append(front)
            offsets.append(offsets[-1] + len(front))
    return np.concatenate(order), np.array(offsets, dtype=np.int64)


def _refusal(frame: pd.DataFrame, as_of: dt.date | None) -> HierarchyError:
    """Say everything that is wrong, from the same checks that the doctor prints."""
    at_once = frame if as_of else frame.drop(columns=[VALID_FROM, VALID_TO], errors="ignore")
    found = check_hierarchy(at_once, as_of=as_of)
    wrong = found[found[SEVERITY] == REJECTED]
    reasons = [
        f"{rule}: {', '.join(repr(value) for value in group['value'].head(5))}"
        + (f" and {len(group) - 5} more" if len(group) > 5 else "")
        for rule, group in wrong.groupby("rule", sort=False)
    ]
    return HierarchyError(
        f"The nodes do not form one tree: {'; '.join(reasons)}.",
        where="hierarchy",
        remedy=" ".join(dict.fromkeys(wrong["remedy"])),
    )
