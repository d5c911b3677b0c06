"""What is believed of each payee's performance, checked and laid out for drawing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.errors import TableError
from spms_lib.incentives.engine.books import COMPONENT, INCENTIVE, PAYEE, QUOTA
from spms_lib.tables import need

Floats = NDArray[np.float64]

MEAN, SD, TERRITORY = "mean", "sd", "territory"
NORMAL, LOGNORMAL = "normal", "lognormal"
MARGINALS: Final = (NORMAL, LOGNORMAL)


@dataclass(frozen=True, slots=True)
class Laid:
    """Beliefs laid out by payee: one array for each row name, payees sorted by territory.

    Attributes
    ----------
    result
        The first component or measure of the beliefs: the one that adds up to the company's result.
    territory, territories
        Number of each payee's territory, and the territories' names.
    present
        Whether a payee has a row at all; a payee without one does not take part.
    """

    payees: pd.Index
    territory: NDArray[np.int64]
    territories: pd.Index
    names: tuple[str, ...]
    present: Mapping[str, NDArray[np.bool_]]
    means: Mapping[str, Floats]
    sds: Mapping[str, Floats]
    quotas: Mapping[str, Floats]
    incentives: Mapping[str, Floats]

    @property
    def result(self) -> str:
        """Name of the rows that add up to the company's result."""
        return self.names[0]


def lay_out(beliefs: pd.DataFrame, marginal: str = NORMAL) -> Laid:
    """Check beliefs and lay them out by payee.

    Raises
    ------
    TableError
        If a column is missing, a row stands twice, a spread is negative, or a lognormal mean is not above zero.
    """
    need(beliefs, [PAYEE, COMPONENT, MEAN, SD], "beliefs")
    keys = beliefs[[PAYEE, COMPONENT]].astype(str)
    numbers = beliefs.reindex(columns=[MEAN, SD, QUOTA, INCENTIVE]).astype("float64")
    wrong = {
        "stands twice": keys.duplicated(),
        "has a negative spread": numbers[SD] < 0,
        "has a mean that is not above zero, which no lognormal number has": (numbers[MEAN] <= 0)
        & (marginal == LOGNORMAL),
    }
    for words, rows in wrong.items():
        if rows.any():
            first = keys[rows].iloc[0]
            raise TableError(
                f"'{first[PAYEE]}' in '{first[COMPONENT]}' {words}.",
                where="beliefs",
                remedy="Correct the row.",
            )
    if keys.empty:
        raise TableError(
            "There are no beliefs.", where="beliefs", remedy="Give one row per payee and component."
        )
    area = beliefs[TERRITORY].fillna("").astype(str) if TERRITORY in beliefs else pd.Series("", beliefs.index)
    seats = (
        pd.DataFrame({PAYEE: keys[PAYEE], TERRITORY: area})
        .drop_duplicates(PAYEE)
        .sort_values([TERRITORY, PAYEE])
    )
    payees, (codes, territories) = pd.Index(seats[PAYEE]), pd.factorize(seats[TERRITORY])
    names = tuple(dict.fromkeys(keys[COMPONENT]))
    place = {name: payees.get_indexer(keys[PAYEE][keys[COMPONENT] == name]) for name in names}

    def spread_out(column: str) -> dict[str, Floats]:
        found = {name: np.full(len(payees), np.nan) for name in names}
        for name in names:
            found[name][place[name]] = numbers[column][keys[COMPONENT] == name]
        return found

    present = {name: np.isin(np.arange(len(payees)), place[name]) for name in names}
    mean, sd, quota, incentive = (spread_out(column) for column in (MEAN, SD, QUOTA, INCENTIVE))
    areas = pd.Index(territories)
    return Laid(payees, codes.astype(np.int64), areas, names, present, mean, sd, quota, incentive)
