"""An account that changes hands within the period: its quota moves with it, from the day on which it moved."""

import datetime as dt

import pandas as pd

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import InfeasibleError
from spms_lib.goals.edits.edit import TRANSFER, Edit
from spms_lib.money import apportion
from spms_lib.tables import PERIOD


def pro_rated(quota: pd.Series, effective: dt.date, calendar: FiscalCalendar) -> pd.DataFrame:
    """Split an account's quota between its old and its new owner by the days that each has it.

    Parameters
    ----------
    quota
        Indexed by month, whole minor units.
    effective
        First day with the new owner.

    Returns
    -------
    pd.DataFrame
        Columns period, quota, kept, moved (int64 minor units; kept + moved = quota), days_moved (ratio of the
        month's days). A month before the day stays whole, one after it moves whole.

    Examples
    --------
    >>> quota = pd.Series({"2026-06": 3000, "2026-07": 3100})
    >>> pro_rated(quota, dt.date(2026, 6, 16), FiscalCalendar())[["kept", "moved"]].values.tolist()
    [[1500, 1500], [0, 3100]]
    """
    rows = []
    for month, amount in quota.items():
        first, last = calendar.start(str(month)), calendar.end(str(month))
        days = (last - first).days + 1
        moved = min(max((last - effective).days + 1, 0), days)
        parts = apportion(int(amount), pd.Series({"kept": days - moved, "moved": moved}))
        rows.append((str(month), int(amount), int(parts["kept"]), int(parts["moved"]), moved / days))
    return pd.DataFrame(rows, columns=[PERIOD, "quota", "kept", "moved", "days_moved"])


def move_account(
    quota: pd.Series, *, giver: str, taker: str, effective: dt.date, calendar: FiscalCalendar
) -> list[Edit]:
    """Turn the move of an account into transfers between its owners, one per month that it touches.

    Parameters
    ----------
    quota
        Indexed by month: the part of the giver's target that rests on the account, whole minor units.
    giver, taker
        Nodes, such as two sellers.
    effective
        First day with the new owner.

    Raises
    ------
    InfeasibleError
        If nothing is left to move on that day.

    Examples
    --------
    >>> moves = move_account(
    ...     pd.Series({"2026-06": 3000, "2026-07": 3100}), giver="anna", taker="ben", effective=dt.date(2026, 7, 1), calendar=FiscalCalendar()
    ... )
    >>> [str(edit) for edit in moves]
    ['transfer on anna in 2026-07, amount 3,100, to ben']
    """
    table = pro_rated(quota, effective, calendar)
    moved = table[table["moved"] != 0]
    if moved.empty:
        raise InfeasibleError(
            f"Nothing of the account's quota lies on or after {effective}.",
            where=f"move from '{giver}' to '{taker}'",
            remedy="Check the day, or the account's quota by month.",
        )
    return [
        Edit(TRANSFER, giver, str(month), amount=int(amount), to=taker)
        for month, amount in zip(moved[PERIOD], moved["moved"], strict=True)
    ]
