"""Discounts and the marginal rate: whether deals are sold cheaper when closing now pays more than later."""

from typing import Final

import numpy as np
import pandas as pd

from spms_lib.incentives.gaming.effect import METHOD
from spms_lib.incentives.gaming.found import found
from spms_lib.incentives.gaming.intervals import compared
from spms_lib.tables import need

_CONVENTION: Final = (
    "discount (ratio of list price) per unit of rate now - rate next, given the days to the end, "
    f"{METHOD}; money: discount, minor units"
)


def discounting(deals: pd.DataFrame, *, feature: str = "", seed: int = 0) -> pd.DataFrame:
    """Tie discounts to how much more a deal pays its seller now than in the next interval.

        discount = payee's own level + interval's level + size x (rate now - rate next) + b x days to the end

    Null model: size = 0, a payee's discounts do not follow the difference of rates. Deals of
    different size or kind may differ in both; the finding says that they move together within a payee.

    Parameters
    ----------
    deals
        One row per closed deal: payee, interval, discount (ratio of list price), marginal_rate_now and
        marginal_rate_next (pay by sales, ratio: before this deal, and as expected in the next interval),
        days_to_end; amount (list price, minor units), if given, puts money on it. Rows with a missing
        value are left out and counted.

    Returns
    -------
    pd.DataFrame
        One finding, see `found.COLUMNS`; size is discount per unit of rate, so 0.5 means that one
        point more commission goes with half a point more discount.

    References
    ----------
    Larkin (2014), The cost of high-powered incentives: employee gaming in enterprise software sales.
    """
    used = ["payee", "interval", "discount", "marginal_rate_now", "marginal_rate_next", "days_to_end"]
    need(deals, used, "deals")
    known = deals.dropna(subset=used)
    rows = known.assign(difference=known["marginal_rate_now"] - known["marginal_rate_next"])
    told = compared(
        rows, outcome="discount", incentive="difference", others=["days_to_end"], direction=1, seed=seed
    )
    absent = len(deals) - len(known)
    if absent:
        told["note"] = f"{told['note']}; {absent} deals with a missing value are not counted"
    if "size" in told:
        told |= {"observed": told["size"], "expected_under_null": 0.0}
        gain = rows["difference"].clip(lower=0)
        listed = rows.get("amount", np.nan)
        told["money"] = max(told["size"], 0.0) * float((gain * listed).sum(skipna=False))
    row = {
        "detector": "discounting", "where": "all deals", "statistic": "discount per unit of rate",
        "plan_feature": feature, "convention": _CONVENTION,
    }  # fmt: skip
    return found([row | told])
