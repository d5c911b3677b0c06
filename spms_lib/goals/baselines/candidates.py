"""Candidates: which models may forecast a node, from how much of it is known and how often it sold nothing."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spms_lib.errors import ParamsError

SEASON: Final = 12

HOUSE: Final = "house"
NAIVE, MEAN, YEAR_MEAN, SEASONAL = "naive", "mean", "year_mean", "seasonal_naive"
CROSTON, TSB, ADIDA, IMAPA = "croston_sba", "tsb", "adida", "imapa"
THETA, ETS = "auto_theta", "auto_ets"

CANDIDATES: Final = (MEAN, YEAR_MEAN, NAIVE, SEASONAL, HOUSE, CROSTON, TSB, ADIDA, IMAPA, THETA, ETS)
"""Every model, the simpler first: of two that were equally good the simpler is taken."""

REGULAR, SPARSE, SHORT, YOUNG, UNSEEN = "regular", "sparse", "short", "young", "unseen"

OFFERED: Final[dict[str, tuple[str, ...]]] = {
    REGULAR: (YEAR_MEAN, SEASONAL, HOUSE, THETA, ETS),
    SPARSE: (YEAR_MEAN, HOUSE, CROSTON, TSB, ADIDA, IMAPA),
    SHORT: (MEAN, NAIVE, HOUSE),
    YOUNG: (MEAN, NAIVE, HOUSE),
    UNSEEN: (),
}
"""Kind of node: models that may forecast it, if there are past quarters to compare them on."""

KNOWN_BEFORE: Final[dict[str, int]] = {
    REGULAR: 2 * SEASON,
    SPARSE: SEASON,
    SHORT: SEASON,
    YOUNG: 6,
    UNSEEN: 0,
}
"""Kind of node: months that must be known before a past quarter for it to count in the comparison.

A quarter before which no model could know the seasons says little of one before which they are known."""

MOSTLY_ZERO: Final = 0.5
LEAST_WINDOWS: Final = 2


def checked(models: tuple[str, ...]) -> tuple[str, ...]:
    """Return the named models in order of simplicity, the house's own always among them.

    Raises
    ------
    ParamsError
        If there is no such model.

    Examples
    --------
    >>> checked(("auto_ets", "seasonal_naive"))
    ('seasonal_naive', 'house', 'auto_ets')
    """
    unknown = [name for name in models if name not in CANDIDATES]
    if unknown:
        raise ParamsError(
            f"There is no model '{unknown[0]}'.",
            where="models",
            remedy=f"Use some of {', '.join(CANDIDATES)}.",
        )
    return tuple(name for name in CANDIDATES if name in models or name == HOUSE)


def kinds(known: NDArray[np.int64], zero_ratio: NDArray[np.float64], ahead: int) -> NDArray[np.str_]:
    """Say what kind of node each is, from its known months and the ratio of them that are zero.

    A seasonal model needs two years, the season of the house's baseline one; to compare them with others, two more
    windows of `ahead` months each. A node under two years is short or young, whatever it sold.

    Examples
    --------
    >>> kinds(np.array([36, 36, 29, 17, 0]), np.array([0.1, 0.6, 0.0, 0.9, 0.0]), 3).tolist()
    ['regular', 'sparse', 'short', 'young', 'unseen']
    """
    more = LEAST_WINDOWS * ahead
    rare = zero_ratio >= MOSTLY_ZERO
    in_order = [
        (known == 0, UNSEEN),
        (known < SEASON + more, YOUNG),
        (rare & (known >= 2 * SEASON), SPARSE),
        (~rare & (known >= 2 * SEASON + more), REGULAR),
    ]
    return np.select([found for found, _ in in_order], [name for _, name in in_order], SHORT)


def reason(kind: str, windows: int, zero_ratio: float, *, kept: bool) -> str:
    """Say in words why a node has the model that it has; `kept` where another one led by no more than the margin."""
    if kind == UNSEEN:
        return "the last month is not known: the house's baseline by rule, where it has one"
    if windows < LEAST_WINDOWS:
        return "too few months to compare models: the house's baseline by rule"
    best = "the house's baseline, no other leads clearly" if kept else "best in the past"
    if kind in {SHORT, YOUNG}:
        return f"too few months for a seasonal model, simple ones only: {best}"
    if kind == SPARSE:
        return f"{zero_ratio:.0%} of the months are zero, models for sparse sales only: {best}"
    return best


def model_of(name: str) -> Any:
    """Make a model of statsforecast by our name for it; imported here because it takes a second."""
    from statsforecast import models

    made: dict[str, Any] = {
        MEAN: lambda: models.HistoricAverage(alias=MEAN),
        YEAR_MEAN: lambda: models.WindowAverage(window_size=SEASON, alias=YEAR_MEAN),
        NAIVE: lambda: models.Naive(alias=NAIVE),
        SEASONAL: lambda: models.SeasonalNaive(season_length=SEASON, alias=SEASONAL),
        CROSTON: lambda: models.CrostonSBA(alias=CROSTON),
        TSB: lambda: models.TSB(alpha_d=0.1, alpha_p=0.1, alias=TSB),
        ADIDA: lambda: models.ADIDA(alias=ADIDA),
        IMAPA: lambda: models.IMAPA(alias=IMAPA),
        THETA: lambda: models.AutoTheta(season_length=SEASON, alias=THETA),
        ETS: lambda: models.AutoETS(season_length=SEASON, alias=ETS),
    }
    return made[name]()
