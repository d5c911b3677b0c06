"""The months that the sample company lives through, and how days and amounts are written down."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Days = npt.NDArray[np.datetime64]

FIRST: Final = np.datetime64("2023-07", "M")
LAST: Final = np.datetime64("2026-09", "M")
PRESENT: Final = np.datetime64("2026-09-30", "D")
BEYOND: Final = np.datetime64("2027-03", "M")  # deals that are open at present must end some day
MONTHS: Final = np.arange(FIRST, BEYOND + np.timedelta64(1, "M"))
HISTORY: Final = int((LAST - FIRST).astype("int64")) + 1  # number of months that are written
CURRENT: Final = "2026-07"  # first month of the planning cycle


def position(month: str) -> int:
    """Find a month on the time axis of every matrix here.

    Examples
    --------
    >>> position("2023-07"), position("2024-07")
    (0, 12)
    """
    return int((np.datetime64(month, "M") - FIRST).astype("int64"))


def month_texts() -> list[str]:
    """Name the written months, from the first to the last."""
    return [str(month) for month in MONTHS[:HISTORY]]


def month_of_year(months: Days) -> Ints:
    """Count months within their year, from 0 for January to 11 for December."""
    return (months.astype("datetime64[M]").astype("int64") % 12).astype("int64")


def last_day(months: Days) -> Days:
    """Find the last calendar day of months."""
    following = months.astype("datetime64[M]") + np.timedelta64(1, "M")
    last: Days = np.subtract(following.astype("datetime64[D]"), np.timedelta64(1, "D"))
    return last


def day_texts(days: Days) -> list[str]:
    """Write days as 2026-07-31, and no day as empty text."""
    return ["" if np.isnat(day) else str(day) for day in days.astype("datetime64[D]")]


def money_texts(cents: npt.ArrayLike) -> list[str]:
    """Write whole cents as plain units.

    Examples
    --------
    >>> money_texts([123456, -5])
    ['1234.56', '-0.05']
    """
    return [
        f"{'-' if cent < 0 else ''}{abs(cent) // 100}.{abs(cent) % 100:02d}"
        for cent in np.asarray(cents).tolist()
    ]


def round_to(cents: npt.ArrayLike, units: int) -> Ints:
    """Round amounts in cents to whole hundreds, thousands ... of units, as people do."""
    step = units * 100
    return (np.rint(np.asarray(cents, dtype=float) / step) * step).astype("int64")


def text_frame(**columns: list[str]) -> pd.DataFrame:
    """Put columns of text side by side; every export here is text."""
    return pd.DataFrame(columns, dtype="str")
