"""The few bad cells that every real export has, stated so that a reader can be held to them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

UNKNOWN_NODES: Final = ("dach_9_99", "DACH 1", "house_account", "nordics_x", "uk_ireland-1-02")
NO_AMOUNT: Final = "-"
IMPOSSIBLE_DATE: Final = "2025-02-30"
TEXT_AMOUNT: Final = "tbd"
UNKNOWN_CATEGORY: Final = "upside"


@dataclass(frozen=True, slots=True)
class Dirt:
    """Bad cells of one kind.

    Attributes
    ----------
    reason
        Why a reader must leave these rows out.
    values
        The cells as they stand in the file, in the order of its rows.
    """

    table: str
    column: str
    reason: str
    values: tuple[str, ...]


#: Everything that is wrong with the files of a sample company; one finding per value.
DIRT: Final = (
    Dirt("transactions", "node", "not in the hierarchy", UNKNOWN_NODES),
    Dirt("transactions", "value", "not an amount", (NO_AMOUNT,) * 3),
    Dirt("transactions", "date", "no such day", (IMPOSSIBLE_DATE,)),
    Dirt("submissions", "value", "not an amount", (TEXT_AMOUNT,) * 2),
    Dirt("submissions", "category", "not a category", (UNKNOWN_CATEGORY,)),
)


def soil_transactions(rng: np.random.Generator, clean: pd.DataFrame) -> pd.DataFrame:
    """Add nine bad rows; all the good ones stay as they are."""
    bad = [{"node": node} for node in UNKNOWN_NODES]
    bad += [{"value": NO_AMOUNT}] * 3
    bad += [{"date": IMPOSSIBLE_DATE}]
    places = np.sort(rng.choice(len(clean), size=len(bad), replace=False)).tolist()
    rows = [{**clean.iloc[place].to_dict(), **cells} for place, cells in zip(places, bad, strict=True)]
    extra = pd.DataFrame(rows, index=pd.Index(places), dtype="str")
    extra["transaction"] = [f"X{number:03d}" for number in range(1, len(bad) + 1)]
    # A stable sort by the place of the copied row puts each bad row right behind it.
    return pd.concat([clean, extra]).sort_index(kind="stable").reset_index(drop=True)


def soil_submissions(rng: np.random.Generator, clean: pd.DataFrame) -> pd.DataFrame:
    """Replace two pipeline amounts by words, and add a row of an unknown category."""
    soiled = clean.copy()
    newest = soiled["submitted_at"].str[:7] == soiled["submitted_at"].str[:7].max()
    pipeline = np.flatnonzero(newest & (soiled["category"] == "pipeline"))
    soiled.loc[rng.choice(pipeline, size=2, replace=False), "value"] = TEXT_AMOUNT
    place = int(rng.choice(np.flatnonzero((soiled["category"] == "best_case") & ~newest)))
    extra = soiled.iloc[[place]].assign(category=UNKNOWN_CATEGORY)
    return pd.concat([soiled, extra]).sort_index(kind="stable").reset_index(drop=True)
