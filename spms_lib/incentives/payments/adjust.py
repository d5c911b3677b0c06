"""Prior-period adjustments: what a closed period should have been, reversed and booked again in an open one."""

from typing import Final

import numpy as np
import pandas as pd

from spms_lib.incentives.payments.entries import COLUMNS, checked_amounts
from spms_lib.tables import need

REVERSAL, REBOOK = "reversal", "rebook"
_KEY: Final = ["payee", "period", "component"]


def adjustments(
    before: pd.DataFrame,
    after: pd.DataFrame,
    *,
    open_period: str,
    runs: tuple[str, str] = ("before", "after"),
) -> pd.DataFrame:
    """Post what a run computed again finds different in closed periods, without touching them.

    For each payee, component and closed month whose earnings differ, the old amount is reversed
    and the new one booked, both in the open month. Months from the open one on are left alone:
    they are paid from `after` itself. Where nothing differs, nothing is posted.

    Parameters
    ----------
    before
        Earnings as they were last booked, adjustments so far included: payee, period (month),
        component, earned (int64 minor units). So a second pass takes what was `after` in the first.
    after
        Earnings of the run computed again, in the same columns. A key that only one side has
        earned nothing on the other.
    open_period
        Month in which the postings are made.
    runs
        Names of the two runs, for the links.

    Returns
    -------
    pd.DataFrame
        Ledger rows of kinds `reversal` and `rebook`; the link says run, component and closed month.
        Sums by payee equal the difference between the runs.

    Examples
    --------
    >>> table = pd.DataFrame({"payee": ["ann"], "period": ["2026-01"], "component": ["new"], "earned": [100]})
    >>> rows = adjustments(table, table.assign(earned=80), open_period="2026-03", runs=("r1", "r2"))
    >>> rows[["period", "kind", "amount", "link"]].values.tolist()
    [['2026-03', 'reversal', -100, 'r1 new 2026-01'], ['2026-03', 'rebook', 80, 'r2 new 2026-01']]
    """
    old, new = _closed(before, open_period), _closed(after, open_period)
    both = old.index.union(new.index)
    was, now = (part.reindex(both, fill_value=0) for part in (old, new))
    differs = both[(was != now).to_numpy()]
    of = (
        differs.get_level_values("component").astype(str)
        + " "
        + differs.get_level_values("period").astype(str)
    )
    parts = [
        pd.DataFrame(
            {
                "payee": differs.get_level_values("payee"),
                "period": open_period,
                "kind": kind,
                "amount": amounts[differs].to_numpy(),
                "link": f"{run} " + of,
            }
        )
        for kind, amounts, run in ((REVERSAL, -was, runs[0]), (REBOOK, now, runs[1]))
    ]
    posted = pd.concat(parts).sort_index(kind="stable", ignore_index=True)
    return posted.loc[posted["amount"] != 0, list(COLUMNS)].reset_index(drop=True)


def _closed(earnings: pd.DataFrame, open_period: str) -> pd.Series:
    need(earnings, [*_KEY, "earned"], "earnings")
    amounts = pd.Series(checked_amounts(earnings, "earned", "earnings"), dtype=np.int64)
    keys = [earnings[name].reset_index(drop=True) for name in _KEY]
    closed = (keys[1] < open_period).to_numpy()
    return amounts[closed].groupby([key[closed] for key in keys], observed=True).sum()
