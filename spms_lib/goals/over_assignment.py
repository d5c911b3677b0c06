"""Over-assignment: field quotas above the company target, as a layer of its own.

The base layer (the cascade) adds up to the company's target. The quota layer is
derived from it by a ratio per level, or per manager, and never overwrites it, so either
can be re-derived at any time and the hedge of every level is seen.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.errors import InfeasibleError, ParamsError
from spms_lib.goals.held import held_cells
from spms_lib.hierarchy import Hierarchy
from spms_lib.money import apportion_groups
from spms_lib.tables import NODE, PERIOD


def over_assign(
    hierarchy: Hierarchy,
    base: pd.DataFrame,
    ratios: dict[str, float],
    *,
    by_node: dict[str, float] | None = None,
    holds: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Derive quotas from the base layer: children sum to (1 + ratio of their level) x their parent.

    Parameters
    ----------
    base
        Nodes x periods, int64 minor units, non-negative; every parent equals its children.
    ratios
        Level: over-assignment of the nodes of that level against their parent; 0.05 is
        5 %. Levels not named get none.
    by_node
        Node: over-assignment of its children against it, in place of their level's ratio: a
        manager's own uplift. 0.0 takes the level's ratio off.
    holds
        Columns node, period, value: a held node keeps its number in this layer too, and
        its siblings carry its part of the hedge.

    Returns
    -------
    pd.DataFrame
        Nodes x periods, int64: the quota layer. Its root is the base's root.

    Raises
    ------
    ParamsError
        If a level is unknown or a ratio is not above -1.
    InfeasibleError
        If holds exceed what a negative ratio leaves to their parent's children.
    """
    rate = child_ratios(hierarchy, ratios, by_node)
    units = base.reindex(hierarchy.nodes).to_numpy(dtype=np.int64)
    fixed = held_cells(hierarchy, holds, list(base.columns)).mask
    quota = units.copy()
    for depth in range(len(hierarchy.offsets) - 2):
        parents = np.arange(hierarchy.offsets[depth], hierarchy.offsets[depth + 1])
        parents = parents[~hierarchy.is_leaf[parents]]
        below = slice(hierarchy.offsets[depth + 1], hierarchy.offsets[depth + 2])
        starts = hierarchy.first[parents] - hierarchy.offsets[depth + 1]
        factor = 1.0 + rate[parents][:, None]
        total = np.rint(quota[parents] * factor).astype(np.int64)
        free = np.where(fixed[below], 0, units[below])
        kept = np.where(fixed[below], units[below], 0)
        to_share = total - np.add.reduceat(kept, starts, axis=0)
        to_share = np.where(np.add.reduceat(free, starts, axis=0) > 0, to_share, 0)
        if (to_share < 0).any():
            row = int(np.argwhere(to_share < 0)[0][0])
            raise InfeasibleError(
                f"The holds below '{hierarchy.nodes[parents[row]]}' exceed what its quota leaves to its children.",
                where="over_assignment",
                remedy="Raise the ratio of their level, or lift a hold.",
            )
        quota[below] = kept + apportion_groups(to_share, free.astype(np.float64), starts)
    return pd.DataFrame(quota, hierarchy.nodes, base.columns)


def child_ratios(
    hierarchy: Hierarchy, ratios: dict[str, float], by_node: dict[str, float] | None = None
) -> NDArray[np.float64]:
    """Say by how much the children of each node exceed it: shape (n_nodes,), 0 at leaves.

    Raises
    ------
    ParamsError
        If a level is unknown, a node has no children, or a ratio is not above -1.
    """
    own = by_node or {}
    below_root = list(dict.fromkeys(hierarchy.level.iloc[1:]))
    unknown = [level for level in ratios if level not in below_root]
    if unknown or not all(ratio > -1 for ratio in [*ratios.values(), *own.values()]):
        raise ParamsError(
            f"There is no level '{unknown[0]}' below the company."
            if unknown
            else "An over-assignment must be above -100 %.",
            where="over_assignment",
            remedy=f"Known levels: {', '.join(below_root)}.",
        )
    by_level = np.array([ratios.get(level, 0.0) for level in hierarchy.level])
    first_child = np.where(hierarchy.is_leaf, 0, hierarchy.first[:-1])
    rate = np.where(hierarchy.is_leaf, 0.0, by_level[first_child])
    for node, ratio in own.items():
        here = hierarchy.position(node)
        if hierarchy.is_leaf[here]:
            raise ParamsError(
                f"'{node}' has nobody below it to over-assign.",
                where="over_assignment by node",
                remedy="Name the manager above it.",
            )
        rate[here] = ratio
    return rate


def compounding(
    hierarchy: Hierarchy,
    base: pd.DataFrame,
    quota: pd.DataFrame,
    ratios: dict[str, float],
    *,
    by_node: dict[str, float] | None = None,
) -> pd.DataFrame:
    """Show how over-assignment grows from level to level, as set and as it came out.

    Returns
    -------
    pd.DataFrame
        Columns level, ratio (as set for the level), compounded (product of 1 + ratio down to the
        level, minus 1; where managers have ratios of their own, the mean over the level's nodes by
        base), base, quota (sums over the level's nodes, minor units), realised
        (quota / base - 1; differs from compounded by holds, rounding and ragged branches).
    """
    path = compounded_by_node(hierarchy, ratios, by_node) if by_node else None
    rows, product = [], 1.0
    for level in hierarchy.level_names:
        nodes = hierarchy.at_level(level)
        product *= 1.0 + ratios.get(level, 0.0)
        planned, assigned = int(base.loc[nodes].to_numpy().sum()), int(quota.loc[nodes].to_numpy().sum())
        realised = assigned / planned - 1 if planned else None
        compounded: float | None = product - 1.0
        if path is not None:
            weighed = (path[nodes] * base.loc[nodes].sum(axis=1)).sum()
            compounded = weighed / planned if planned else None
        rows.append((level, ratios.get(level, 0.0), compounded, planned, assigned, realised))
    return pd.DataFrame(rows, columns=["level", "ratio", "compounded", "base", "quota", "realised"])


def compounded_by_node(
    hierarchy: Hierarchy, ratios: dict[str, float], by_node: dict[str, float] | None = None
) -> pd.Series:
    """Compound over-assignment down the path to each node: product of 1 + ratio, minus 1, indexed by node.

    Examples
    --------
    >>> chain = pd.DataFrame({"node": list("abc"), "parent": [None, "a", "b"], "level": list("abc")})
    >>> tree = Hierarchy.from_parent_child(chain)
    >>> compounded_by_node(tree, {"b": 0.05, "c": 0.05}, {"b": 0.1}).round(6).tolist()
    [0.0, 0.05, 0.155]
    """
    rate, product = child_ratios(hierarchy, ratios, by_node), np.ones(len(hierarchy))
    for depth in range(1, len(hierarchy.offsets) - 1):
        here = slice(hierarchy.offsets[depth], hierarchy.offsets[depth + 1])
        above = hierarchy.parent[here]
        product[here] = product[above] * (1.0 + rate[above])
    return pd.Series(product - 1.0, hierarchy.nodes)


def hedge_gaps(
    hierarchy: Hierarchy,
    base: pd.DataFrame,
    quota: pd.DataFrame,
    ratios: dict[str, float],
    *,
    by_node: dict[str, float] | None = None,
    holds: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Check that the children of every node sum to (1 + ratio) x its quota, and that holds stand.

    Parameters
    ----------
    base, quota, ratios, by_node, holds
        As `over_assign` took and gave them.

    Returns
    -------
    pd.DataFrame
        Columns node, period, expected ((1 + ratio) x its quota, to the nearest minor unit),
        children (their sum), gap (children - expected), because: one row for each node where they
        differ. `because` names the held children that leave nobody to carry the hedge, or says that
        no child has a base to share it by; empty where nothing explains the gap. An empty table
        proves the identity. A held node that moved has a row of its own.
    """
    units = quota.reindex(hierarchy.nodes).to_numpy(dtype=np.int64)
    plain = base.reindex(hierarchy.nodes).to_numpy(dtype=np.int64)
    rate = child_ratios(hierarchy, ratios, by_node)
    held, periods = held_cells(hierarchy, holds, list(base.columns)).mask, list(base.columns)
    parents = np.flatnonzero(~hierarchy.is_leaf)
    expected = np.rint(units[parents] * (1.0 + rate[parents])[:, None]).astype(np.int64)
    starts = hierarchy.first[parents] - 1  # every node but the root is a child, family by family
    children = np.add.reduceat(units[1:], starts, axis=0) if len(parents) else expected
    rows = []
    for place, column in np.argwhere(children != expected):
        family = slice(hierarchy.first[parents[place]], hierarchy.first[parents[place] + 1])
        free = np.where(held[family, column], 0, plain[family, column]).sum()
        kept = hierarchy.nodes[family][held[family, column]]
        reason = f"held: {', '.join(kept)}" if len(kept) else "no child has a base to share it by"
        numbers = int(expected[place, column]), int(children[place, column])
        because = "" if free else reason
        rows.append((hierarchy.nodes[parents[place]], periods[column], *numbers, because))
    for place, column in np.argwhere(held & (units != plain)):
        numbers = int(plain[place, column]), int(units[place, column])
        rows.append((hierarchy.nodes[place], periods[column], *numbers, ""))
    table = pd.DataFrame(rows, columns=[NODE, PERIOD, "expected", "children", "because"])
    table.insert(4, "gap", table["children"] - table["expected"])
    return table
