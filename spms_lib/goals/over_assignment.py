"""Over-assignment: field quotas above the company target, as a layer of its own.

The base layer (the cascade) adds up to the company's target. The quota layer is
derived from it by a ratio per level and never overwrites it, so either can be
re-derived at any time and the hedge of every level is seen.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.errors import InfeasibleError, ParamsError
from spms_lib.hierarchy import Hierarchy
from spms_lib.money import apportion_groups
from spms_lib.tables import NODE, PERIOD


def over_assign(
    hierarchy: Hierarchy, base: pd.DataFrame, ratios: dict[str, float], *, holds: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Derive quotas from the base layer: children sum to (1 + ratio of their level) x their parent.

    Parameters
    ----------
    base
        Nodes x periods, int64 minor units, non-negative; every parent equals its children.
    ratios
        Level: over-assignment of the nodes of that level against their parent; 0.05 is
        5 %. Levels not named get none.
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
    below_root = list(dict.fromkeys(hierarchy.level.iloc[1:]))
    unknown = [level for level in ratios if level not in below_root]
    if unknown or any(ratio <= -1 for ratio in ratios.values()):
        raise ParamsError(
            f"There is no level '{unknown[0]}' below the company."
            if unknown
            else "An over-assignment must be above -100 %.",
            where="over_assignment",
            remedy=f"Known levels: {', '.join(below_root)}.",
        )
    units = base.reindex(hierarchy.nodes).to_numpy(dtype=np.int64)
    fixed = _held(hierarchy, base, holds)
    quota = units.copy()
    rate = np.array([ratios.get(level, 0.0) for level in hierarchy.level])
    for depth in range(len(hierarchy.offsets) - 2):
        parents = np.arange(hierarchy.offsets[depth], hierarchy.offsets[depth + 1])
        parents = parents[~hierarchy.is_leaf[parents]]
        below = slice(hierarchy.offsets[depth + 1], hierarchy.offsets[depth + 2])
        starts = hierarchy.first[parents] - hierarchy.offsets[depth + 1]
        factor = 1.0 + rate[hierarchy.first[parents]][:, None]
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


def compounding(
    hierarchy: Hierarchy, base: pd.DataFrame, quota: pd.DataFrame, ratios: dict[str, float]
) -> pd.DataFrame:
    """Show how over-assignment grows from level to level, as set and as it came out.

    Returns
    -------
    pd.DataFrame
        Columns level, ratio (as set), compounded (product of 1 + ratio down to the
        level, minus 1), base, quota (sums over the level's nodes, minor units), realised
        (quota / base - 1; differs from compounded by holds, rounding and ragged branches).
    """
    rows, product = [], 1.0
    for level in hierarchy.level_names:
        nodes = hierarchy.at_level(level)
        product *= 1.0 + ratios.get(level, 0.0)
        planned, assigned = int(base.loc[nodes].to_numpy().sum()), int(quota.loc[nodes].to_numpy().sum())
        realised = assigned / planned - 1 if planned else None
        rows.append((level, ratios.get(level, 0.0), product - 1.0, planned, assigned, realised))
    return pd.DataFrame(rows, columns=["level", "ratio", "compounded", "base", "quota", "realised"])


def _held(hierarchy: Hierarchy, base: pd.DataFrame, holds: pd.DataFrame | None) -> NDArray[np.bool_]:
    fixed = np.zeros((len(hierarchy), base.shape[1]), dtype=bool)
    if holds is not None:
        columns = list(base.columns)
        for row in holds[holds[PERIOD].isin(columns)].to_dict("records"):
            fixed[hierarchy.position(row[NODE]), columns.index(row[PERIOD])] = True
    return fixed
