"""Entries of the payment ledger as arrays, before they become a frame, and the checks of the frames they come from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.errors import PeriodError, TableError
from spms_lib.incentives.engine.exact import Ints
from spms_lib.incentives.payments.months import PayPeriods

PAYEE: Final = "payee"
EARNING, PAYMENT = "earning", "payment"
COLUMNS: Final = ("payee", "period", "kind", "amount", "link")


@dataclass(frozen=True, slots=True)
class Entries:
    """Entries of one kind: numbers of payee and pay period, amounts, and numbers into a list of links."""

    kind: str
    payee: Ints
    column: Ints
    amount: Ints
    link: Ints


Block = tuple[Sequence[Entries], Sequence[str]]  # entries and the texts that their links count


def matrix(entries: Sequence[Entries], shape: tuple[int, int]) -> Ints:
    """Add entries up by payee and pay period."""
    total = np.zeros(shape[0] * shape[1], dtype=np.int64)
    for part in entries:
        np.add.at(total, part.payee * shape[1] + part.column, part.amount)
    return total.reshape(shape)


def frame(blocks: Sequence[Block], payees: pd.Index, names: Sequence[str]) -> pd.DataFrame:
    """Write entries as one ledger, in order of payee and pay period."""
    starts = np.cumsum([0, *(len(texts) for _, texts in blocks)])
    parts = [
        replace(part, link=part.link + start)
        for (entries, _), start in zip(blocks, starts[:-1], strict=True)
        for part in entries
    ]
    payee, column, amount, link = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("payee", "column", "amount", "link")
    )
    kinds = list(dict.fromkeys(part.kind for part in parts))
    kind = np.repeat([kinds.index(part.kind) for part in parts], [len(part.amount) for part in parts])
    links, texts = pd.factorize(np.concatenate([np.asarray(texts, dtype=object) for _, texts in blocks]))
    order = np.argsort(payee * len(names) + column, kind="stable")
    order = order[amount[order] != 0]
    return pd.DataFrame(
        {
            "payee": _named(payee[order], payees),
            "period": _named(column[order], pd.Index(names), ordered=True),
            "kind": _named(kind[order], pd.Index(kinds)),
            "amount": amount[order],
            "link": _named(links[link[order]], pd.Index(texts)),
        }
    )


def _named(codes: Ints, names: pd.Index, *, ordered: bool = False) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, names, ordered=ordered)  # type: ignore[call-overload,no-any-return]


def checked_amounts(table: pd.DataFrame, column: str, where: str) -> Ints:
    """Take a column of whole minor units; a fraction or a missing amount is refused."""
    if not pd.api.types.is_integer_dtype(table[column]) or table[column].isna().any():
        raise TableError(
            f"Column '{column}' does not hold whole minor units in every row.",
            where=where,
            remedy="Round the amounts and fill what is missing: nothing said is not zero.",
        )
    return table[column].to_numpy(dtype=np.int64)


def codes_of(values: pd.Series, index: pd.Index) -> Ints:
    """Find the numbers of values: their place in an index that has all of them."""
    codes, found = pd.factorize(values)
    return index.get_indexer(pd.Index(found))[codes].astype(np.int64)


def in_run(months: pd.Series, periods: PayPeriods, where: str) -> Ints:
    """Find the numbers of pay periods of months that must lie in the run."""
    columns = periods.of_months(months)
    outside = (columns < 0) | (columns >= len(periods.names))
    if outside.any():
        raise PeriodError(
            f"'{months[outside].iloc[0]}' lies outside of the run.",
            where=where,
            remedy=f"Pay from {periods.first} to {periods.names[-1]}, or leave the row out.",
        )
    return columns
