"""The bridge: how one total became another, every part of the difference by its reason and to the minor unit."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.errors import MoneyError
from spms_lib.tables import CATEGORY

PART: Final = "part"
AMOUNT: Final = "amount"
OPENING: Final = "opening"
CLOSING: Final = "closing"
WON: Final = "won"


@dataclass(frozen=True, eq=False)
class Movement:
    """Two states of the same amounts, and the parts that lead from the first to the second.

    Opening + sum of parts = closing, for every node and category and all together. Parts of a period
    that is cut in two add up to the same difference, but not part by part: a deal that came and went
    is in both halves and in neither part of the whole, and one that fell and rose again is in "down"
    and "up" of the halves and only its balance is in the whole.

    Attributes
    ----------
    opening, closing
        Columns of `item`, node, category, amount (int64 minor units).
    parts
        The same columns and part. An item may have several rows, such as one that leaves a node and
        one that enters another.
    kinds
        Name of each part, in the order of printing, with what it means.
    item
        Columns that tell one item from another, such as opportunity.
    names
        What the two totals are called, such as "Open at 2026-06-30".
    """

    opening: pd.DataFrame
    parts: pd.DataFrame
    closing: pd.DataFrame
    kinds: Mapping[str, str]
    item: tuple[str, ...]
    names: tuple[str, str] = (OPENING, CLOSING)

    def by(self, *keys: str) -> pd.DataFrame:
        """Add up by node, category or both: opening, every part, closing (int64), indexed by the keys."""
        rows = pd.concat(
            [
                self.opening[[*keys, AMOUNT]].assign(part=OPENING),
                self.parts[[*keys, AMOUNT, PART]],
                self.closing[[*keys, AMOUNT]].assign(part=CLOSING),
            ]
        )
        sums = rows.groupby([*keys, PART])[AMOUNT].sum().astype("int64").unstack(PART, fill_value=0)
        columns = [OPENING, *self.kinds, CLOSING]
        return sums.reindex(columns=columns, fill_value=0).rename_axis(columns=None)

    def summary(self) -> pd.DataFrame:
        """Count and add up every part, those with nothing in them too: part, count, amount, meaning."""
        rows = self.parts.groupby(PART)
        counts = self.parts.drop_duplicates([*self.item, PART]).groupby(PART).size()
        names = pd.Index(list(self.kinds))
        return pd.DataFrame(
            {
                PART: names,
                "count": counts.reindex(names, fill_value=0).to_numpy(dtype=np.int64),
                AMOUNT: rows[AMOUNT].sum().reindex(names, fill_value=0).to_numpy(dtype=np.int64),
                "meaning": list(self.kinds.values()),
            }
        )

    def steps(self, amounts: pd.Series | None = None) -> pd.DataFrame:
        """Lay the movement out as the steps of a bridge figure.

        Parameters
        ----------
        amounts
            One row of `by`, for one node or category; everything added up if None.

        Returns
        -------
        pd.DataFrame
            label, value (minor units), kind (total, change, or settled for what was won), a part with
            nothing in it too; no rows where there is nothing to compare.
        """
        if amounts is None:
            amounts = self.by(self.item[0]).sum()
        parts = [] if self.nothing else list(self.kinds)
        totals = [] if self.nothing else list(zip(self.names, (OPENING, CLOSING), strict=True))
        rows = [(name, amounts[key], "total") for name, key in totals]
        rows[1:1] = [
            (name.capitalize(), amounts[name], "settled" if name == WON else "change") for name in parts
        ]
        return pd.DataFrame(rows, columns=["label", "value", "kind"])

    @property
    def nothing(self) -> bool:
        """True where neither state holds anything."""
        return self.opening.empty and self.closing.empty

    def only(self, values: Collection[str], *, of: str = CATEGORY) -> "Movement":
        """Keep some categories, or nodes: what moved between one of them and another one shows as in or out."""
        kept = [frame[frame[of].isin(list(values))] for frame in (self.opening, self.parts, self.closing)]
        return replace(self, opening=kept[0], parts=kept[1], closing=kept[2])


def whole(amounts: pd.Series, where: str) -> "pd.Series[int]":
    """Hold amounts as int64; refuse part units and amounts that nobody has stated."""
    try:
        return amounts.astype("Int64").astype("int64")
    except (TypeError, ValueError):
        raise MoneyError(
            "An amount is missing or not in whole minor units.",
            where=where,
            remedy="Leave out the row, which nobody has said, or round the estimate.",
        ) from None
