"""In proportion: units split by target, as most companies do, and what a split by marginal return gains on it."""

from typing import Final

import numpy as np
import pandas as pd

from spms_lib.errors import InfeasibleError, NoBasisError
from spms_lib.goals.resources import WHOLE, Allocation
from spms_lib.goals.response import RESOURCE, UNITS, sales_at
from spms_lib.tables import NODE

WITHIN: Final = 1e-9  # of an amount, by which floats may miss it


def proportional(
    total: float, weights: pd.Series, *, lower: pd.Series, upper: pd.Series, whole: bool = True
) -> pd.Series:
    """Split units in proportion to weights such as targets, within limits: what most companies do.

    A territory that would pass a limit gets the limit, and the rest is split among the others. Whole units by largest
    remainder.

    Raises
    ------
    InfeasibleError
        If the limits do not allow the total.
    NoBasisError
        If no weight is positive, or one is negative or missing.

    Examples
    --------
    >>> weights = pd.Series({"north": 60.0, "south": 40.0})
    >>> proportional(4, weights, lower=weights * 0, upper=weights).to_dict()
    {'north': 2.0, 'south': 2.0}
    """
    if not len(weights) or weights.isna().any() or (weights < 0).any() or weights.sum() <= 0:
        raise NoBasisError(
            "Units cannot be split in proportion to these weights.",
            where="resources",
            remedy="Give every territory a weight of zero or more, such as its target.",
        )
    low, high = lower.reindex(weights.index).astype(float), upper.reindex(weights.index).astype(float)
    if not low.sum() - WITHIN * total <= total <= high.sum() * (1 + WITHIN):
        raise InfeasibleError(
            f"{total:g} units cannot be split: the limits allow {low.sum():g} to {high.sum():g}.",
            where="resources",
            remedy="Change a minimum, a maximum or the number of units.",
        )
    scale = _level(total, weights, low, high)
    exact: pd.Series = _fill((weights * scale).clip(low, high), total, low, high)
    if not whole:
        return exact
    parts = pd.Series(np.floor(exact.to_numpy(dtype=float) + WITHIN), exact.index)
    left = round(total - parts.sum())
    order = np.argsort(-(exact - parts).round(9).to_numpy(), kind="stable")
    takes = [place for place in order if parts.iloc[place] < high.iloc[place]][:left]
    parts.iloc[takes] += 1.0
    return parts


def against_proportional(
    curves: pd.DataFrame, resources: pd.DataFrame, best: Allocation, weights: pd.Series
) -> pd.DataFrame:
    """Compare the allocation with the same units split in proportion to weights, in money.

    Returns
    -------
    pd.DataFrame
        Columns node, resource, best, proportional (units), best_sales, proportional_sales, gain (minor units).
    """
    split = ~resources.set_index(RESOURCE)[WHOLE].astype(bool)
    parts = []
    for resource, points in curves.groupby(RESOURCE, sort=False):
        limits = points.groupby(NODE, sort=False)[UNITS].agg(["min", "max"])
        mine = best.units(str(resource)).reindex(limits.index)
        above = proportional(
            float((mine - limits["min"]).sum()),
            weights.reindex(limits.index),
            lower=limits["min"] * 0.0,
            upper=limits["max"] - limits["min"],
            whole=not split[str(resource)],
        )
        parts.append(
            pd.DataFrame({NODE: limits.index, RESOURCE: resource, "best": mine.to_numpy(),
                          "proportional": (limits["min"] + above).to_numpy()})
        )  # fmt: skip
    table = pd.concat(parts, ignore_index=True)
    for name in ("best", "proportional"):
        units = table[[NODE, RESOURCE]].assign(**{UNITS: table[name]})
        table[f"{name}_sales"] = sales_at(curves, units).to_numpy()
    return table.assign(gain=table["best_sales"] - table["proportional_sales"])


def _level(total: float, weights: pd.Series, low: pd.Series, high: pd.Series) -> float:
    """Find the scale at which clipped shares add up to the total: read off the straight pieces between the limits."""
    ratio, least, most = (values.to_numpy(dtype=float)[:, None] for values in (weights, low, high))
    positive = ratio[:, 0] > 0
    kinks = np.unique(np.concatenate([[0.0], *((limit / ratio)[positive, 0] for limit in (least, most))]))
    return float(np.interp(total, np.clip(ratio * kinks, least, most).sum(axis=0), kinks))


def _fill(exact: pd.Series, total: float, low: pd.Series, high: pd.Series) -> pd.Series:
    """Give what proportion could not place (weights of zero, or a float's last digit) to whoever has room."""
    rest = total - float(exact.sum())
    room = (high - exact) if rest > 0 else (exact - low)
    return exact + rest * room / room.sum() if abs(rest) > 0 and room.sum() > 0 else exact
