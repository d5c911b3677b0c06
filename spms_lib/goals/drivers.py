"""Drivers: in which proportion a target is split, and how each driver counts."""

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
    full = driver.reindex(hierarchy.leaves).astype(float)
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
    total = sum(active.values())
    blend = pd.Series(0.0, index=hierarchy.leaves)
    parts, rows = {}, []
    for name, weight in active.items():
        raw = pd.Series(1.0, index=hierarchy.leaves) if name == EQUAL else drivers[name]
        values, record = fill_newcomers(hierarchy, raw)
        if (values < 0).any() or values.sum() == 0:
            wrong = values.index[values < 0].tolist()[:3] or "every leaf"
            raise NoBasisError(
                f"Driver '{name}' is negative or zero for {wrong}.",
                where="drivers",
                remedy="Correct the table 'drivers'.",
            )
        parts[name] = values / values.sum()
        blend += weight / total * parts[name]
        rows.append((name, weight / total, len(record)))
    table = pd.DataFrame(rows, columns=["driver", "influence", "filled"])
    table["correlation"] = [
        parts[name].corr(blend) if parts[name].std() > 0 and blend.std() > 0 else None
        for name in table["driver"]
    ]
    return blend, table
