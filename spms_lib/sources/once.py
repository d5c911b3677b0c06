"""Each different text read once, and laid out over all rows: what repeats costs one lookup."""

from collections.abc import Callable
from typing import Any

import pandas as pd


def once(text: "pd.Series[Any]", read: Callable[[str], object], *, dtype: str = "str") -> "pd.Series[Any]":
    """Read each different text by a function; missing stays missing.

    Examples
    --------
    >>> once(pd.Series(["A ", "b", None, "A "]), lambda word: word.strip().lower()).tolist()
    ['a', 'b', nan, 'a']
    """
    codes, unique = pd.factorize(text)
    return spread(pd.Series([read(each) for each in unique], dtype=dtype), codes, text.index)


def small(word: str) -> str:
    """Write a word in small letters and without outer spaces, to compare it."""
    return word.strip().casefold()


def spread(unique: "pd.Series[Any]", codes: Any, index: pd.Index) -> "pd.Series[Any]":
    """Lay values of different texts out over all rows; code -1 is missing."""
    return pd.Series(unique.array.take(codes, allow_fill=True), index=index)
