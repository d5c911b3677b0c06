"""Drivers: in which proportion a target is split, and how each driver counts."""

import numpy as np
import pandas as pd

from spms_lib.errors import NoBasisError
from spms_lib.hierarchy import Hierarchy

EQUAL = "equal"


def fill_newcomers(hierarchy: Hierarchy, driver: pd.Series) -> tuple[pd.Series, pd.DataFrame]:
    """Give a leaf without a value the mean of its siblings, by rule and on record.

    A leaf that nobody has measured (a new seat, a new market) would otherwise get
    nothing, or, worse, break the split. Zero is a value and stays zero. Siblings are
    the leaves under the nearest ancestor that has a measured leaf.

    Parameters
    ----------
    driver
        Indexed by leaf; missing where not measured.

    Returns
    -------
    pd.Series
        Indexed by every leaf, no value missing.
    pd.DataFrame
        Columns node, rule, value: one row per leaf that was filled.

    Raises
    ------
    NoBasisError
        If no leaf has a value.
    """
    full = driver if driver.index.equals(hierarchy.leaves) else driver.reindex(hierarchy.leaves)
    full = full.astype(float)
    if not full.isna().any():
        return full, pd.DataFrame(columns=["node", "rule", "value"])
    if full.isna().all():
        raise NoBasisError(
            f"No leaf has a value for the driver '{driver.name}'.",
            where="drivers",
            remedy="Choose another driver, or 'equal'.",
        )
    sums = hierarchy.roll_up(pd.DataFrame({"sum": full, "count": full.notna().astype(float)}))
    known = sums["sum"] / sums["count"].where(sums["count"] > 0)
    gaps = full.index[full.isna()]
    group = hierarchy.parents[gaps]
    while (unknown := group.map(known).isna()).any():
        group = group.where(~unknown, group.map(hierarchy.parents))
    filled = full.fillna(group.map(known))
    rule = "mean of the measured leaves of " + group.astype("str")
    record = pd.DataFrame({"node": gaps, "rule": rule.to_numpy(), "value": filled[gaps].to_numpy()})
    return filled, record


def blend_drivers(
    hierarchy: Hierarchy, drivers: pd.DataFrame, weights: dict[str, float]
) -> tuple[pd.Series, pd.DataFrame]:
    """Blend drivers into one weight per leaf, each driver normalised before it is weighted.

        w_i = sum over drivers k of  a_k * x_ik / sum_j x_jk,   sum of a_k = 1

    Without the normalisation a driver in euros would drown one in heads, whatever its weight.

    Parameters
    ----------
    drivers
        Leaves x drivers, non-negative; missing values are filled by `fill_newcomers`.
    weights
        Driver: influence, zero or more; only ratios matter. `equal` needs no column.

    Returns
    -------
    pd.Series
        Indexed by leaf, sums to 1.
    pd.DataFrame
        Columns driver, influence (ratio that the driver decides), filled (leaves
        filled by rule), correlation with the blend (missing for a constant driver).

    Raises
    ------
    NoBasisError
        If a driver is unknown, negative or zero everywhere, or no driver has weight.

    References
    ----------
    Weighted index of several drivers ("weighted fair share") as sales planning products offer it.
    """
    active = {name: weight for name, weight in weights.items() if weight != 0}
    unknown = [name for name in active if name != EQUAL and name not in drivers]
    if unknown or not active or min(active.values()) < 0:
        raise NoBasisError(
            f"There is no driver '{unknown[0]}'."
            if unknown
            else "Driver weights must be positive, and one must be set.",
            where="driver weights",
            remedy=f"Known drivers: {', '.join([EQUAL, *map(str, drivers.columns)])}.",
        )
    parts, filled = {}, {}
    ordered = drivers if drivers.index.equals(hierarchy.leaves) else drivers.reindex(hierarchy.leaves)
    for name in active:
        parts[name], filled[name] = _normalised(hierarchy, ordered, name)
    blend = _mix(parts, active)
    total = sum(active.values())
    rows = [(name, weight / total, filled[name]) for name, weight in active.items()]
    table = pd.DataFrame(rows, columns=["driver", "influence", "filled"])
    table["correlation"] = [_correlation(parts[name], blend) for name in table["driver"]]
    return blend, table


def _correlation(part: pd.Series, blend: pd.Series) -> float | None:
    """Pearson's; None where one of them is constant."""
    first, second = part.to_numpy(), blend.to_numpy()
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(np.corrcoef(first, second)[0, 1])


def _normalised(hierarchy: Hierarchy, drivers: pd.DataFrame, name: str) -> tuple[pd.Series, int]:
    """Bring a driver to shares of the whole company that sum to 1; say how many leaves were filled."""
    raw = pd.Series(1.0, index=hierarchy.leaves) if name == EQUAL else drivers[name]
    values, record = fill_newcomers(hierarchy, raw)
    if (values < 0).any() or values.sum() == 0:
        wrong = values.index[values < 0].tolist()[:3] or "every leaf"
        raise NoBasisError(
            f"Driver '{name}' is negative or zero for {wrong}.",
            where="drivers",
            remedy="Correct the table 'drivers'.",
        )
    return values / values.sum(), len(record)


def _mix(parts: dict[str, pd.Series], weights: dict[str, float]) -> pd.Series:
    total = sum(weights.values())
    first, *rest = [part * (weights[name] / total) for name, part in parts.items()]
    for part in rest:
        first = first + part
    return first.rename(None)


def realised_influence(
    hierarchy: Hierarchy, drivers: pd.DataFrame, weights: dict[str, float]
) -> pd.DataFrame:
    """Show what each driver really decides, beside the influence that was asked for.

    A driver that says the same as the others moves nothing, whatever its weight. `moved` is
    the part of the target that would sit elsewhere if the driver were left out and the others
    kept their proportions (against an equal split if there is no other): half the sum over
    leaves of |share with it - share without it|.

    Parameters
    ----------
    drivers, weights
        As in `blend_drivers`.

    Returns
    -------
    pd.DataFrame
        Columns driver, influence (as asked, sums to 1), moved (ratio of the target),
        most_moved (leaf whose share changes most), by (change of that leaf's share).

    Examples
    --------
    >>> tree = Hierarchy.from_parent_child(pd.DataFrame({"node": ["t", "a", "b"], "parent": [None, "t", "t"]}))
    >>> frame = pd.DataFrame({"sales": [3.0, 1.0], "heads": [3.0, 1.0], "deals": [1.0, 3.0]}, ["a", "b"])
    >>> realised_influence(tree, frame, {"sales": 0.5, "heads": 0.25, "deals": 0.25})["moved"].round(3).tolist()
    [0.125, 0.042, 0.125]
    """
    blend, table = blend_drivers(hierarchy, drivers, weights)
    rows = []
    for name, influence in zip(table["driver"], table["influence"], strict=True):
        others = {other: weight for other, weight in weights.items() if other != name and weight}
        without, _ = blend_drivers(hierarchy, drivers, others or {EQUAL: 1.0})
        change = blend - without
        most = int(change.abs().to_numpy().argmax())
        rows.append((name, influence, change.abs().sum() / 2, hierarchy.leaves[most], change.iloc[most]))
    return pd.DataFrame(rows, columns=["driver", "influence", "moved", "most_moved", "by"])
