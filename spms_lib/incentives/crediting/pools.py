"""Pools: money earned together, shared among those who were in the pool."""

import numpy as np
import pandas as pd

from spms_lib.calendar import FiscalCalendar
from spms_lib.incentives.crediting.lines import group_starts
from spms_lib.incentives.crediting.participation import PAYEE, START, bounds, days_taking_part
from spms_lib.incentives.crediting.sales import AMOUNT
from spms_lib.money import apportion_groups, check_weights
from spms_lib.tables import PERIOD, need

POOL, WEIGHT = "pool", "weight"


def share_pool(
    amounts: pd.DataFrame, members: pd.DataFrame, calendar: FiscalCalendar
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Share what pools earned among their members, to the cent.

    A member's part is in proportion to weight x days in the pool during the period. In a pool without
    members nobody gets anything, and the amount stays listed.

    Parameters
    ----------
    amounts
        Columns pool, period, amount (int64 minor units, negative for what is taken back);
        further columns, such as component, are handed on.
    members
        Columns pool, payee, start, end (missing: still), and weight where members are not equal.

    Returns
    -------
    shares
        A row per amount and member: payee and the columns of `amounts`. They sum to the amount.
    undistributed
        Rows of `amounts` for which there was no member, or none with a weight.

    Examples
    --------
    >>> earned = pd.DataFrame({"pool": ["desk"], "period": ["2026-01"], "amount": [100]})
    >>> team = pd.DataFrame({"pool": "desk", "payee": ["anna", "ben", "carl"], "start": pd.Timestamp(2025, 1, 1)})
    >>> share_pool(earned, team, FiscalCalendar())[0]["amount"].tolist()
    [34, 33, 33]
    """
    need(amounts, [POOL, PERIOD, AMOUNT], "amounts")
    need(members, [POOL, PAYEE, START], "members")
    weight = members[WEIGHT].to_numpy(dtype=np.float64) if WEIGHT in members else np.ones(len(members))
    check_weights(weight, pd.Index(members[PAYEE]))
    periods = sorted(amounts[PERIOD].unique())
    days = days_taking_part(members, *bounds(calendar, periods), None)
    table = amounts.reset_index(drop=True)
    pairs = pd.DataFrame({POOL: table[POOL], "row": table.index}).merge(
        pd.DataFrame({POOL: members[POOL].to_numpy(), "member": np.arange(len(members))})
    )
    pairs = pairs.sort_values(["row", "member"], kind="stable")
    row, member = pairs["row"].to_numpy(), pairs["member"].to_numpy()
    part = weight[member] * days[member, np.searchsorted(periods, table[PERIOD].to_numpy()[row])]
    row, member, part = row[part > 0], member[part > 0], part[part > 0]
    starts = group_starts(row)
    total = table[AMOUNT].to_numpy(dtype=np.int64)[row[starts]]
    cents = apportion_groups(total[:, None], part[:, None], starts)[:, 0] if len(row) else total
    shares = table.take(row).assign(**{PAYEE: members[PAYEE].to_numpy()[member], AMOUNT: cents})
    return shares.reset_index(drop=True), table[~table.index.isin(row)].reset_index(drop=True)
