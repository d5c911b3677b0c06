"""What changed since an earlier statement: amounts of months that were closed, and the credits that did it."""

import pandas as pd

from spms_lib.errors import TableError
from spms_lib.incentives.engine.books import COMPONENT, CREDIT
from spms_lib.incentives.statements.statement import Statement
from spms_lib.tables import PERIOD


def changes(now: Statement, before: Statement) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare two statements of a payee, month by month of the earlier one.

    Returns
    -------
    amounts
        component, period, before, now, difference (int64 minor units): what was earned, where it differs.
    credits
        component, period, credit, value_before, value_now (Int64 raw units; null where it was
        not there): credits of those months that are new, gone or have another value.

    Raises
    ------
    TableError
        If the statements are of two payees.
    """
    if now.payee != before.payee:
        raise TableError(
            f"One statement is of {now.payee}, the other of {before.payee}.",
            where="statements",
            remedy="Compare statements of one payee.",
        )
    earned = pd.concat({"before": before.earned(), "now": now.earned()}, axis=1).reset_index()
    earned = earned[earned[PERIOD].isin(before.periods)].fillna({"before": 0, "now": 0})
    earned = earned.astype({"before": "int64", "now": "int64"})
    amounts = earned.assign(difference=earned["now"] - earned["before"])
    old, new = (
        told.lines[told.lines[PERIOD].isin(before.periods)][[COMPONENT, PERIOD, CREDIT, "value"]]
        for told in (before, now)
    )
    lines = old.merge(new, how="outer", on=[COMPONENT, PERIOD, CREDIT], suffixes=("_before", "_now"))
    lines = lines.astype({"value_before": "Int64", "value_now": "Int64"})
    same = (lines["value_before"] == lines["value_now"]).fillna(value=False)
    return amounts[amounts["difference"] != 0].reset_index(drop=True), lines[~same].reset_index(drop=True)
