"""Crossed hierarchies: sellers x products, or sellers x months > quarters > year. Only cells that exist are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from spms_lib.errors import HierarchyError
from spms_lib.hierarchy.tree import Hierarchy


@dataclass(frozen=True, eq=False, repr=False)
class Crossed:
    """Every combination of nodes of several trees, or those that exist, as cells that add up along each tree.

    A cell above the leaves of a dimension is the sum of its children along it, so every
    cell is the sum of the leaf cells below it.

    Attributes
    ----------
    dimensions
        Key column to tree, such as `{"node": sellers, "product": products}`.
    codes
        Shape (n_cells,), rising: each cell's place in the full grid of all combinations.

    Examples
    --------
    >>> table = lambda *nodes: pd.DataFrame({"node": nodes, "parent": [None] + [nodes[0]] * (len(nodes) - 1)})
    >>> sellers = Hierarchy.from_parent_child(table("team", "anna", "ben"))
    >>> products = Hierarchy.from_parent_child(table("all", "boats", "cars"))
    >>> grid = Crossed.of({"node": sellers, "product": products})
    >>> len(grid), int(grid.is_leaf.sum())
    (9, 4)
    >>> grid.roll_up_array(np.array([[1.0], [2.0], [3.0], [4.0]]))[0, 0]
    np.float64(10.0)
    """

    dimensions: Mapping[str, Hierarchy]
    codes: NDArray[np.int64]

    @classmethod
    def of(cls, dimensions: Mapping[str, Hierarchy], *, leaves: pd.DataFrame | None = None) -> Self:
        """Cross trees.

        Parameters
        ----------
        dimensions
            Key column to tree; at least one.
        leaves
            The leaf cells that exist, a column per dimension; without it all do. Cells above
            them exist where something below them does.

        Raises
        ------
        HierarchyError
            If a row of `leaves` names something that is not a leaf of its tree.
        """
        sizes = [len(tree) for tree in dimensions.values()]
        if leaves is None:
            return cls(dict(dimensions), np.arange(int(np.prod(sizes))))
        places = []
        for key, tree in dimensions.items():
            at = tree.nodes.get_indexer(pd.Index(leaves[key]))
            wrong = (at < 0) | ~tree.is_leaf[at]
            if wrong.any():
                raise HierarchyError(
                    f"{int(wrong.sum())} cells are not leaves, such as '{leaves[key][wrong].iloc[0]}'.",
                    where=f"cells, column {key}",
                    remedy="Name leaf cells only; those above them follow.",
                )
            places.append(at)
        grid = cls(dict(dimensions), np.arange(0))
        return cls(dict(dimensions), grid.closed(np.unique(np.ravel_multi_index(places, sizes))))

    def closed(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Add all cells above the given ones."""
        for axis, tree in enumerate(self.dimensions.values()):
            for _ in range(len(tree.offsets) - 2):
                codes = np.union1d(codes, self._parent_code(codes, axis))
        return codes

    def _places(self, codes: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        sizes = tuple(len(tree) for tree in self.dimensions.values())
        return [np.asarray(place, dtype=np.int64) for place in np.unravel_index(codes, sizes)]

    def _parent_code(self, codes: NDArray[np.int64], axis: int) -> NDArray[np.int64]:
        """Go one step up along a dimension; a cell at its top stays."""
        tree = list(self.dimensions.values())[axis]
        stride = int(
            np.prod([len(other) for other in list(self.dimensions.values())[axis + 1 :]], dtype=np.int64)
        )
        place = codes // stride % len(tree)
        above = np.where(tree.parent[place] < 0, place, tree.parent[place])
        up: NDArray[np.int64] = codes + (above - place) * stride
        return up

    # -- asking ----------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Count the cells."""
        return len(self.codes)

    def __repr__(self) -> str:
        trees = ", ".join(f"{key}: {len(tree)} nodes" for key, tree in self.dimensions.items())
        return f"Crossed({trees}; {len(self)} cells)"

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of nodes of each dimension."""
        return tuple(len(tree) for tree in self.dimensions.values())

    @property
    def is_full(self) -> bool:
        """True where every combination of nodes exists."""
        return len(self) == int(np.prod(self.shape))

    @cached_property
    def places(self) -> list[NDArray[np.int64]]:
        """For each dimension, shape (n_cells,): position of the cell's node in its tree."""
        return self._places(self.codes)

    @cached_property
    def keys(self) -> pd.MultiIndex:
        """Names of the nodes of each cell."""
        return pd.MultiIndex(
            levels=[tree.nodes for tree in self.dimensions.values()],  # type: ignore[misc]
            codes=self.places,  # type: ignore[arg-type]
            names=list(self.dimensions),
            verify_integrity=False,
        )

    @cached_property
    def is_leaf(self) -> NDArray[np.bool_]:
        """Shape (n_cells,): True where the cell is a leaf of every dimension."""
        leaf = np.ones(len(self), dtype=bool)
        for place, tree in zip(self.places, self.dimensions.values(), strict=True):
            leaf &= tree.is_leaf[place]
        return leaf

    def label(self, position: int) -> str:
        """Name one cell, as messages print it."""
        return " x ".join(str(part) for part in self.keys[position])

    def position(self, *nodes: str) -> int:
        """Find a cell by its nodes, in the order of the dimensions."""
        places = [tree.position(node) for tree, node in zip(self.dimensions.values(), nodes, strict=True)]
        code = int(np.ravel_multi_index(places, self.shape))
        found = int(np.searchsorted(self.codes, code))
        if found == len(self) or self.codes[found] != code:
            raise HierarchyError(
                f"There is no cell '{' x '.join(nodes)}'.", remedy="Nothing below it exists; add a leaf cell."
            )
        return found

    # -- adding up -------------------------------------------------------------------------------

    @cached_property
    def split_axis(self) -> NDArray[np.int64]:
        """Shape (n_cells,): the first dimension in which a cell has children, along which it is split; -1 at leaves."""
        axis = np.full(len(self), -1)
        for number in range(len(self.dimensions) - 1, -1, -1):
            tree = list(self.dimensions.values())[number]
            axis = np.where(tree.is_leaf[self.places[number]], axis, number)
        return axis

    @cached_property
    def rows(self) -> sparse.csr_array:
        """Shape (cells with children, n_cells): each such cell minus its children along one dimension is zero.

        Immediate children only: few numbers per row, and one row per cell that is a sum.
        """
        above = self.split_axis >= 0
        row_of = np.cumsum(above) - 1
        rows, columns = [row_of[above]], [np.flatnonzero(above)]
        signs = [np.ones(int(above.sum()))]
        for axis in range(len(self.dimensions)):
            up = self._parent_code(self.codes, axis)
            parent = np.searchsorted(self.codes, up)
            child = (up != self.codes) & (self.split_axis[parent] == axis)
            rows.append(row_of[parent[child]])
            columns.append(np.flatnonzero(child))
            signs.append(np.full(int(child.sum()), -1.0))
        size = (int(above.sum()), len(self))
        entries = np.concatenate(signs), (np.concatenate(rows), np.concatenate(columns))
        return sparse.coo_array(entries, shape=size).tocsr()

    def roll_up_array(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add leaf cells up along every dimension.

        Parameters
        ----------
        values
            Shape (n_leaf_cells, n_columns), in the order of the cells.
        """
        total = np.zeros((len(self), values.shape[1]), dtype=values.dtype)
        total[self.is_leaf] = values
        depth = np.zeros(len(self), dtype=np.int64)
        for place, tree in zip(self.places, self.dimensions.values(), strict=True):
            depth += tree.depth[place]
        parents = np.flatnonzero(self.split_axis >= 0)
        children = -self.rows.astype(values.dtype)
        children = children + sparse.csr_array(
            (np.ones(len(parents), dtype=values.dtype), (np.arange(len(parents)), parents)),
            shape=children.shape,
        )
        for level in range(int(depth.max(initial=0)), -1, -1):
            here = np.flatnonzero(depth[parents] == level)
            total[parents[here]] = children[here] @ total
        return total
