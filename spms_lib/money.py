"""Whole minor units: currencies, apportionment by largest remainder, and amounts as people read them.

A commitment is a whole number of minor units (cents) and stays whole. An
estimate may be a float, also in minor units.
"""

from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.errors import MoneyError, NoBasisError

MISSING: Final = "–"


@cache
def minor_per_unit(currency: str) -> int:
    """Tell how many minor units one unit of a currency has.

    Examples
    --------
    >>> minor_per_unit("EUR"), minor_per_unit("JPY"), minor_per_unit("KWD")
    (100, 1, 1000)
    """
    from babel.numbers import get_currency_precision, is_currency

    if not is_currency(currency, locale="en"):
        raise MoneyError(
            f"'{currency}' is not a currency.", remedy="Use an ISO 4217 code such as EUR or USD."
        )
    return int(10 ** get_currency_precision(currency))


def to_minor(amount: str | Decimal | float, per_unit: int = 100) -> int:
    """Turn one amount in currency units into whole minor units, half to even.

    Examples
    --------
    >>> to_minor("0.29"), to_minor("-12.345")
    (29, -1234)
    """
    return int((Decimal(str(amount)) * per_unit).to_integral_value(ROUND_HALF_EVEN))


def format_money(minor: float | None, currency: str, *, compact: bool = False, locale: str = "en") -> str:
    """Write an amount as people read it; missing is a dash, never zero.

    Examples
    --------
    >>> format_money(123456789, "EUR"), format_money(123456789, "EUR", compact=True), format_money(None, "EUR")
    ('€1,234,567.89', '€1.23M', '–')
    """
    from babel.numbers import format_compact_currency, format_currency

    if minor is None or pd.isna(minor):
        return MISSING
    amount = Decimal(str(minor)) / minor_per_unit(currency)
    if compact and abs(amount) >= 1000:
        digits = 2 if abs(amount) >= 1_000_000 else 0
        return str(format_compact_currency(amount, currency, locale=locale, fraction_digits=digits))
    if compact:
        return str(format_currency(amount, currency, format="¤#,##0", currency_digits=False, locale=locale))
    return str(format_currency(amount, currency, locale=locale))


def apportion(total: int, weights: pd.Series) -> pd.Series:
    """Split a whole amount in proportion to weights, exactly.

    Every part is first rounded down; the units left over go, one each, to the
    parts that lost most. Ties go to the part that comes first. A negative total
    is split as its mirror image.

    Parameters
    ----------
    total
        Amount to split, in minor units.
    weights
        Shape (n_parts,), finite and non-negative. Only their ratios matter.

    Returns
    -------
    pd.Series
        Shape (n_parts,), int64, in the order of `weights`. Sums to `total`; no part
        is a whole unit or more away from its exact share.

    Raises
    ------
    NoBasisError
        If there are no parts, a weight is negative or not finite, or all are zero
        while there is something to split.

    References
    ----------
    Balinski and Young (1982), Fair Representation: Hamilton's method.

    Examples
    --------
    >>> apportion(100, pd.Series({"north": 1, "south": 1, "west": 1})).to_dict()
    {'north': 34, 'south': 33, 'west': 33}
    """
    values = weights.to_numpy(dtype=float)
    check_weights(values, weights.index)
    names = list(weights.index)
    if total != 0 and not values.sum():
        raise NoBasisError(
            f"The weights of {_names(names)} are all zero." if names else "There is nobody to split among.",
            remedy="Give at least one part a weight, or spread equally.",
        )
    if not names:
        return pd.Series([], index=weights.index, dtype=np.int64)
    parts = apportion_groups(np.array([[total]]), values[:, None], np.array([0]))
    return pd.Series(parts[:, 0], index=weights.index)


def apportion_groups(
    totals: NDArray[np.int64], weights: NDArray[np.float64], starts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Split one whole amount per group and column among the group's members, exactly.

    Parameters
    ----------
    totals
        Shape (n_groups, n_columns), whole minor units.
    weights
        Shape (n_members, n_columns), non-negative; the members of a group stand together.
    starts
        Shape (n_groups,), rising: where each group's members start. No group is empty.

    Returns
    -------
    NDArray[np.int64]
        Shape (n_members, n_columns); the members of a group sum to its total. A group
        whose weights are all zero gets nothing, so check for those first.
    """
    sizes = np.diff(np.append(starts, len(weights)))
    sums = np.add.reduceat(weights, starts, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        per_weight = np.where(sums > 0, np.abs(totals) / sums, 0.0)
    exact = weights * np.repeat(per_weight, sizes, axis=0)
    parts = whole_shares(exact, np.where(sums > 0, np.abs(totals), 0), starts)
    signed: NDArray[np.int64] = parts * np.repeat(np.sign(totals), sizes, axis=0)
    return signed


def whole_shares(
    exact: NDArray[np.float64],
    totals: NDArray[np.int64],
    starts: NDArray[np.int64],
    fixed: NDArray[np.bool_] | None = None,
) -> NDArray[np.int64]:
    """Round exact shares to whole units that sum to each group's total: largest remainder.

    Shares are rounded down; the units left over go to the members that lost most, the
    first of them where they lost the same (to nine digits, so float noise decides nothing).

    Parameters
    ----------
    exact
        Shape (n_members, n_columns), summing to the totals by group but for less than one unit a member.
    totals
        Shape (n_groups, n_columns).
    starts
        Shape (n_groups,): where each group's members start.
    fixed
        Shape (n_members, n_columns): members that hold whole numbers and take no unit.
    """
    sizes = np.diff(np.append(starts, len(exact)))
    noise = np.minimum(
        4e-15 * np.abs(exact) + 1e-7, 0.25
    )  # a share that is whole but for float noise is whole
    parts = np.floor(exact + noise).astype(np.int64)
    left_over = totals - np.add.reduceat(parts, starts, axis=0)
    rounds = left_over // sizes[:, None]  # zero, but for amounts beyond what a float can tell apart
    if rounds.any():
        parts += np.repeat(rounds, sizes, axis=0)
        left_over = left_over - rounds * sizes[:, None]
    if not left_over.any():
        return parts
    lost = np.clip(exact - parts, 0.0, 1.0)
    if fixed is not None:
        lost = np.where(fixed, -1.0, lost)
    _add_to_most_lost(parts, lost, left_over, sizes)
    return parts


def _add_to_most_lost(
    parts: NDArray[np.int64],
    lost: NDArray[np.float64],
    left_over: NDArray[np.int64],
    sizes: NDArray[np.int64],
) -> None:
    """Add the units left over in each group to the members that lost most; ties by position.

    One sort of whole keys (group, loss, position) per column: far quicker than sorting groups.
    """
    first = np.repeat(np.cumsum(sizes) - sizes, sizes)
    place = np.arange(len(lost)) - first
    place_bits = int(sizes.max()).bit_length()
    loss_bits = min(30, 62 - place_bits - len(sizes).bit_length())
    group = (np.repeat(np.arange(len(sizes), dtype=np.int64), sizes) << (loss_bits + place_bits)) | place
    scale, mask = float(2 ** (loss_bits - 1) - 1), (1 << place_bits) - 1
    kept = np.ascontiguousarray(1.0 - lost.T) * scale
    for column in np.flatnonzero(left_over.any(axis=0)):
        key = np.rint(kept[column]).astype(np.int64)
        key <<= place_bits
        key |= group
        key.sort(kind="stable")  # the keys stand in runs by group, which this sort merges quickly
        chosen = place < np.repeat(left_over[:, column], sizes)
        parts[first[chosen] + (key[chosen] & mask), column] += 1


def check_weights(values: NDArray[np.float64], names: pd.Index) -> None:
    """Refuse weights that are negative, missing or infinite, by name."""
    bad = ~((values >= 0) & np.isfinite(values))
    if bad.any():
        raise NoBasisError(
            f"The weights of {_names(list(names[bad]))} are negative or missing.",
            remedy="Weights must be zero or more; leave a node out rather than give it a missing weight.",
        )


def _names(names: list[object], most: int = 5) -> str:
    text = ", ".join(f"'{name}'" for name in names[:most])
    return f"[{text}]" if len(names) <= most else f"[{text} and {len(names) - most} more]"
