"""Late spikes: whether payees sell more in the last days when the next tier is within reach."""

from typing import Any, Final

import numpy as np
import pandas as pd

from spms_lib.incentives.gaming.effect import METHOD
from spms_lib.incentives.gaming.found import found
from spms_lib.incentives.gaming.intervals import KEYS, REACH, compared, with_incentive
from spms_lib.tables import need

_CONVENTION: Final = (
    "sales in the last days / payee's mean sales of an interval; near below an edge minus safe or lost, "
    f"given the pace before, {METHOD}; money: sales, minor units"
)


def late_spikes(
    intervals: pd.DataFrame, *, reach: float = REACH, feature: str = "", seed: int = 0
) -> pd.DataFrame:
    """Compare sales of the last days between payees near a tier edge and those already safe or lost.

    Null model: given a payee's own level, the interval, and the pace before the last days, being near
    an edge changes nothing in the last days. The share of sales is taken of the payee's mean interval:
    taken of the same interval, whoever was slow before would seem to end with a spike. A spike can be
    effort or timing; `shifts` tells whether the next interval pays for it.

    Parameters
    ----------
    intervals
        From `around_ends`.
    reach
        Attainment up to the next edge that can be bridged in the last days.
    feature
        What in the plan invites it, with its clause.

    Returns
    -------
    pd.DataFrame
        One finding, see `found.COLUMNS`.
    """
    need(intervals, ["before", "late"], "intervals")
    rows = with_usual(with_incentive(intervals, reach=reach))
    told = compared(
        rows, outcome="late_share", incentive="near", others=["before_share"], direction=1, seed=seed
    )
    row = {
        "detector": "late spike", "where": "all interval ends", "statistic": "share sold in the last days",
        "plan_feature": feature, "convention": _CONVENTION,
    }  # fmt: skip
    return found([row | told | {"money": moved(told, rows, "near", direction=1)}])


def with_usual(rows: pd.DataFrame) -> pd.DataFrame:
    """Add each payee's usual (mean sales of an interval), and sales as shares of it; payees who sold nothing go."""
    usual = (rows["before"] + rows["late"]).groupby(rows[KEYS[0]]).transform("mean")
    rows = rows.assign(usual=usual)[usual > 0]
    return rows.assign(before_share=rows["before"] / rows["usual"], late_share=rows["late"] / rows["usual"])


def moved(told: dict[str, Any], rows: pd.DataFrame, incentive: str, *, direction: int) -> float:
    """Sales that an effect in the suspected direction stands for, over all rows with the incentive."""
    size = direction * float(told.get("size", np.nan))
    return max(size, 0.0) * float((rows["usual"] * rows[incentive]).sum())
