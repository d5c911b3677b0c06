"""How sales are split: rows of the table of splits that can be used, and the sums of their shares."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.findings import findings, join
from spms_lib.incentives.crediting.dating import Ints
from spms_lib.incentives.crediting.rules import SPLIT, CreditingRules
from spms_lib.incentives.crediting.sales import PAYEE, TRANSACTION, Sales, locate, refuse
from spms_lib.tables import need

CREDIT_TYPE, SHARE = "credit_type", "share"


class Splits(NamedTuple):
    """Usable rows of the table of splits, in the order of their transactions.

    Attributes
    ----------
    position, kind
        Shape (n,): position of the transaction, and of the credit type in the rules.
    payee
        Shape (n,): who gets it, as stated.
    share
        Shape (n,): 0 to 1.
    """

    position: Ints
    kind: Ints
    payee: pd.Series
    share: NDArray[np.float64]

    def of_kind(self, kind: int) -> "Splits":
        """Select the rows of one credit type."""
        return self.keep(self.kind == kind)

    def keep(self, rows: NDArray[np.bool_]) -> "Splits":
        """Select some rows."""
        return Splits(self.position[rows], self.kind[rows], self.payee[rows], self.share[rows])


def usable_splits(
    splits: pd.DataFrame | None, sales: Sales, rules: CreditingRules
) -> tuple[Splits, Sales, pd.DataFrame]:
    """Check the table of splits, and take out the sales whose shares do not sum to 100 %."""
    if splits is None:
        splits = pd.DataFrame(columns=[TRANSACTION, PAYEE, CREDIT_TYPE, SHARE])
    need(splits, [TRANSACTION, PAYEE, CREDIT_TYPE, SHARE], "splits")
    position = locate(splits[TRANSACTION], sales.rows[TRANSACTION])
    kind = pd.Index([one.name for one in rules.types]).get_indexer(pd.Index(splits[CREDIT_TYPE]))
    share = splits[SHARE].to_numpy(dtype=np.float64, na_value=np.nan)
    checks = (
        (TRANSACTION, "no such transaction", position < 0, "Correct its id."),
        (CREDIT_TYPE, "no such credit type", kind < 0, "Use one that the plan states."),
        (SHARE, "not a share", ~((share >= 0) & (share <= 1)), "Write 0.25 for 25 %."),
    )
    good, found = np.ones(len(splits), dtype=bool), []
    for column, rule, wrong, remedy in checks:
        rows = splits[good & wrong]
        found.append(findings("splits", rows.index.tolist(), column, rule, rows[column], remedy))
        good = good & ~wrong
    counted = np.where(good, share, 0.0)
    wrong_sums, sum_findings = _sums(Splits(position, kind, splits[PAYEE], counted), sales, rules)
    sales, reversal_findings = refuse(sales, wrong_sums)
    idle = good & ~np.append(sales.usable, False)[position]
    rows = splits[idle]
    rule, remedy = "its transaction is not credited", "Correct the transaction, or its other splits."
    found.append(findings("splits", rows.index.tolist(), TRANSACTION, rule, rows[TRANSACTION], remedy))
    used = np.flatnonzero(good & ~idle)
    used = used[np.argsort(position[used], kind="stable")]
    kept = Splits(position[used], kind[used], splits[PAYEE].iloc[used], share[used])
    return kept, sales, join(*found, sum_findings, reversal_findings)


def _sums(rows: Splits, sales: Sales, rules: CreditingRules) -> tuple[NDArray[np.bool_], pd.DataFrame]:
    """Find the transactions whose shares of a split type do not sum to 100 %, to nine digits."""
    must = np.array([one.kind == SPLIT for one in rules.types])
    rows = rows.keep((rows.position >= 0) & (rows.kind >= 0) & must[rows.kind])
    groups, group = np.unique(rows.position * len(must) + rows.kind, return_inverse=True)
    sums = np.bincount(group, rows.share, len(groups)).round(9)
    off = sums != 1
    where = groups[off] // len(must)
    names = sales.rows[TRANSACTION].iloc[where]
    said = [
        f"splits of {name} sum to {total:.9g} % ({rules.types[kind].name})"
        for name, kind, total in zip(names, groups[off] % len(must), sums[off] * 100, strict=True)
    ]
    wrong = np.zeros(len(sales.rows), dtype=bool)
    wrong[where] = True
    remedy = "Correct the shares; until then it is not credited to anybody."
    rule = "splits do not sum to 100 %"
    return wrong, findings("transactions", names.index.tolist(), SHARE, rule, said, remedy)
