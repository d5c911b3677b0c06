"""What holds on which day: versions that close each other, and the row in force for a key on a day."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.hierarchy.check import ALWAYS

_BITS, _SHIFT = 18, 2**17  # days of the years 1611 to 2328 in the low bits of a key

Ints = NDArray[np.int64]


def version_ends(starts: pd.Series, *, by: pd.Series | None = None) -> pd.Series:
    """Close each version the day before the next one starts; the last stays open.

    Parameters
    ----------
    starts
        First day of each version, in any order.
    by
        What the versions are of, row by row; all of the same thing without it.

    Returns
    -------
    pd.Series
        Last day of each version, missing where none follows.

    Examples
    --------
    >>> ends = version_ends(pd.Series(pd.to_datetime(["2024-01-01", "2024-03-10"])))
    >>> ends.dt.strftime("%Y-%m-%d").tolist()
    ['2024-03-09', nan]
    """
    key = np.zeros(len(starts)) if by is None else pd.factorize(by)[0]
    rows = pd.DataFrame({"by": key, "start": pd.to_datetime(starts).to_numpy()})
    following = rows.sort_values(["by", "start"], kind="stable").groupby("by")["start"].shift(-1)
    ends = following.sort_index() - pd.Timedelta(days=1)
    return pd.Series(ends.to_numpy(), index=starts.index, name="end")


def day_numbers(days: pd.Series, missing: pd.Timestamp = ALWAYS) -> Ints:
    """Count days since 1970, with a day for the missing ones."""
    stamps = pd.to_datetime(days).fillna(missing).to_numpy()
    return stamps.astype("datetime64[D]").astype(np.int64)


def overlapping(keys: Ints, starts: Ints, ends: Ints) -> NDArray[np.bool_]:
    """Tell which rows start while an earlier row of the same key still holds."""
    order = np.lexsort((starts, keys))
    spans = pd.DataFrame({"key": keys[order], "end": ends[order]})
    latest = spans.groupby("key")["end"].cummax().groupby(spans["key"]).shift().to_numpy()
    found = np.zeros(len(keys), dtype=bool)
    found[order] = starts[order] <= latest  # a missing one, the first of a key, is never reached
    return found


@dataclass(frozen=True, eq=False)
class InForce:
    """Dated rows, ready to be asked by key and day; of several in force the one that started last holds.

    Attributes
    ----------
    keys
        Shape (n_rows,), rising: key and first day in one number.
    ends, values
        Shape (n_rows,): last day, and what holds; -1 for nothing.
    """

    keys: Ints
    ends: Ints
    values: Ints

    @classmethod
    def of(cls, keys: Ints, values: Ints, starts: Ints, ends: Ints) -> Self:
        """Sort dated rows; keys and values are whole numbers from 0."""
        joined = (keys << _BITS) + starts + _SHIFT
        order = np.argsort(joined, kind="stable")
        return cls(joined[order], ends[order], values[order])

    def at(self, keys: Ints, days: Ints) -> Ints:
        """Find what holds for each key on each day; -1 where nothing does, or for a key of -1."""
        place = np.searchsorted(self.keys, (keys << _BITS) + days + _SHIFT, side="right") - 1
        found = np.full(len(keys), -1, dtype=np.int64)
        left = np.flatnonzero((place >= 0) & (keys >= 0))
        while len(left):
            here = place[left]
            same = (self.keys[here] >> _BITS) == keys[left]
            holds = same & (self.ends[here] >= days[left])
            found[left[holds]] = self.values[here[holds]]
            left = left[same & ~holds & (here > 0)]
            place[left] -= 1
        return found
