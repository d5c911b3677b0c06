"""Small checks that the modules of this package share."""

from collections.abc import Sequence

import pandas as pd

from spms_lib.errors import MoneyError, TableError


def need_unique(frame: pd.DataFrame, keys: Sequence[str], where: str) -> None:
    """Refuse a frame in which a key is listed twice, and say which."""
    twice = frame[frame.duplicated(list(keys))]
    if len(twice):
        named = ", ".join(str(value) for value in twice[list(keys)].iloc[0])
        raise TableError(f"'{named}' is listed twice.", where=where, remedy=f"One row per {', '.join(keys)}.")


def cents(values: pd.Series, where: str) -> pd.Series:
    """Hold amounts as whole minor units, Int64 with nulls; refuse part units."""
    try:
        return values.astype("Int64")
    except (TypeError, ValueError):
        raise MoneyError(
            "Amounts are not whole minor units.",
            where=where,
            remedy="Round estimates first, or convert amounts with spms_lib.money.",
        ) from None


def ratio(part: pd.Series, whole: pd.Series) -> pd.Series:
    """Divide, null where either is null or the whole is zero."""
    below = whole.astype("Float64")
    divided = part.astype("Float64") / below.mask((below == 0).fillna(value=False))
    return divided.astype("float64")


def percent(share: float, digits: int = 1) -> str:
    """Write a ratio in percent.

    Examples
    --------
    >>> percent(0.8), percent(0.8, 0)
    ('80.0 %', '80 %')
    """
    return f"{share * 100:.{digits}f} %"


def sum_or_null(values: pd.Series, by: pd.Series | list[pd.Series]) -> pd.Series:
    """Sum by group; one null makes the sum null, so that nothing unknown counts as zero."""
    grouped = values.groupby(by, sort=True)
    return grouped.sum().mask(grouped.count() < grouped.size())
