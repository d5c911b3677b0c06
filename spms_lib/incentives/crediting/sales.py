"""The sales to be credited: which can be used, and what each reversal goes back to."""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.findings import NOTED, REJECTED, findings, join, no_findings
from spms_lib.incentives.crediting.dating import Ints, day_numbers
from spms_lib.tables import need

TRANSACTION, PAYEE, NODE, DATE, REVERSES = "transaction", "payee", "node", "date", "reverses"
AMOUNT: Final = "amount"
COUNTED: Final = (AMOUNT, "units", "margin")

Mask = NDArray[np.bool_]


class Sales(NamedTuple):
    """Transactions as arrays, by position in the table.

    Attributes
    ----------
    rows
        The table.
    values
        Shape (n, columns): amount, and units and margin where stated, int64.
    usable
        False for a transaction that is not credited.
    reverses
        Position of the transaction that this one reverses, or -1.
    days
        Day that decides who is credited: that of the sale, also for its reversals.
    """

    rows: pd.DataFrame
    values: Ints
    usable: Mask
    reverses: Ints
    days: Ints

    @property
    def counted(self) -> list[str]:
        """Names of the columns of `values`."""
        return [name for name in COUNTED if name in self.rows]


def usable_sales(transactions: pd.DataFrame) -> tuple[Sales, pd.DataFrame]:
    """Check the table of transactions; every row that cannot be used is a finding."""
    need(transactions, [TRANSACTION, DATE, AMOUNT], "transactions")
    ids = pd.Index(transactions[TRANSACTION])
    again = ids.duplicated() & ~ids.isna()
    values, found = _values(transactions)
    reverses, root, reversal_findings = _reversals(transactions)
    circle = reverses[root] >= 0
    rules = (
        (TRANSACTION, "no transaction id", ids.isna(), "Give each transaction an id."),
        (TRANSACTION, "a transaction stands twice", again, "Keep one row."),
        (DATE, "no day", transactions[DATE].isna().to_numpy(), "State the day on which it counts."),
        (REVERSES, "reversals go in a circle", circle, "Correct `reverses`."),
    )
    usable = transactions[AMOUNT].notna().to_numpy()
    for column, rule, wrong, remedy in rules:
        found.append(about(transactions, wrong, column, rule, remedy))
        usable = usable & ~wrong
    days = day_numbers(transactions[DATE])[root]
    return Sales(transactions, values, usable, reverses, days), join(*found, reversal_findings)


def refuse(sales: Sales, wrong: Mask) -> tuple[Sales, pd.DataFrame]:
    """Take transactions out, and with them what reverses them."""
    lost, found = wrong | ~sales.usable, []
    while (new := (sales.reverses >= 0) & lost[sales.reverses] & ~lost).any():
        remedy = "Correct the sale first."
        found.append(about(sales.rows, new, REVERSES, "what it reverses is not credited", remedy))
        lost = lost | new
    return sales._replace(usable=~lost), join(*found)


def about(
    frame: pd.DataFrame, mask: Mask, column: str, rule: str, remedy: str, severity: str = REJECTED
) -> pd.DataFrame:
    rows = frame[mask]
    return findings(
        "transactions", rows.index.tolist(), column, rule, rows[TRANSACTION], remedy, severity=severity
    )


def _values(transactions: pd.DataFrame) -> tuple[Ints, list[pd.DataFrame]]:
    """Bring amounts, pieces and margins to whole numbers; missing pieces or margin count nothing, on record."""
    columns, found = [], []
    for name in [name for name in COUNTED if name in transactions]:
        column = transactions[name]
        missing = column.isna().to_numpy()
        remedy = "State it in minor units." if name == AMOUNT else "State it; it adds nothing to a measure."
        found.append(
            about(transactions, missing, name, f"no {name}", remedy, REJECTED if name == AMOUNT else NOTED)
        )
        columns.append(column.fillna(0).to_numpy(dtype=np.int64))
    return np.column_stack(columns), found


def _reversals(transactions: pd.DataFrame) -> tuple[Ints, Ints, pd.DataFrame]:
    """Find what each transaction reverses, and the sale at the start of it."""
    count = len(transactions)
    if REVERSES not in transactions or transactions[REVERSES].isna().all():
        return np.full(count, -1), np.arange(count), no_findings()
    reverses = locate(transactions[REVERSES], transactions[TRANSACTION])
    unknown = transactions[REVERSES].notna().to_numpy() & (reverses < 0)
    remedy = "Add the sale; until then it is credited by its own day and owner."
    rule = "what it reverses is not here"
    return (
        reverses,
        follow(reverses),
        about(transactions, unknown, REVERSES, rule, remedy, NOTED),
    )


def locate(names: pd.Series, ids: pd.Series) -> Ints:
    """Find the position of the first row with each id; -1 where there is none."""
    once = ~ids.duplicated().to_numpy() & ids.notna().to_numpy()
    found = pd.Index(ids[once]).get_indexer(pd.Index(names))
    return np.where(found >= 0, np.flatnonzero(once)[found], -1) if once.any() else found


def follow(pointer: Ints) -> Ints:
    """Follow pointers to their end; -1 points to itself."""
    end = np.where(pointer >= 0, pointer, np.arange(len(pointer)))
    for _ in range(len(end).bit_length()):
        further = end[end]
        if (further == end).all():
            break
        end = further
    return end
