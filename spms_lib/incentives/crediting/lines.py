"""Lines of credit: one per sale, credit type and payee, with amounts that sum to the sale to the cent."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spms_lib.incentives.crediting.dating import Ints
from spms_lib.incentives.crediting.organisation import Organisation
from spms_lib.incentives.crediting.rules import NANO, CreditingRules, CreditType
from spms_lib.incentives.crediting.sales import NODE, PAYEE, Sales, follow
from spms_lib.incentives.crediting.splits import Splits
from spms_lib.money import apportion_groups

Floats = NDArray[np.float64]


class Lines(NamedTuple):
    """Credits of one type, in the order of their sales.

    Attributes
    ----------
    sale
        Shape (n,), rising: position of the transaction.
    stated, payee, node
        Shape (n,): who or which seat was named, who that is on the day (-1 nobody), and the
        node it rolls up from.
    share
        Shape (n,): share of the sale.
    values
        Shape (n, columns): amount, units, margin, as in `Sales.values`.
    """

    sale: Ints
    stated: Ints
    payee: Ints
    node: Ints
    share: Floats
    values: Ints

    def keep(self, rows: NDArray[np.bool_] | Ints) -> "Lines":
        """Select some lines."""
        return Lines(*(part[rows] for part in self))  # type: ignore[arg-type]  # each of its own type


def direct_lines(
    sales: Sales, splits: Splits, rules: CreditingRules, organisation: Organisation
) -> list[Lines]:
    """Credit the sales themselves: the lines of each credit type, in the order of the rules."""
    nobody = np.full(len(sales.rows), -1, dtype=np.int64)
    node, payee = (
        organisation.number(sales.rows[name]) if name in sales.rows else nobody for name in (NODE, PAYEE)
    )
    owner = np.where(payee >= 0, payee, node)
    return [
        _lines(sales, splits.of_kind(number), kind, organisation, owner, node)
        for number, kind in enumerate(rules.types)
    ]


def _lines(
    sales: Sales, splits: Splits, kind: CreditType, organisation: Organisation, owner: Ints, node: Ints
) -> Lines:
    """Build the lines of one credit type; a reversal without splits of its own takes those of its sale."""
    count = np.bincount(splits.position, minlength=len(sales.rows))
    begin = np.cumsum(count) - count
    source = follow(np.where(count > 0, -1, sales.reverses))
    owners = int(kind.owner > 0)
    size = np.where(sales.usable, np.where(count[source] > 0, count[source], owners), 0)
    sale = np.repeat(np.arange(len(size)), size)
    within = np.arange(len(sale)) - np.repeat(np.cumsum(size) - size, size)
    home = source[sale]
    split = count[home] > 0
    row = (begin[home] + within)[split]
    stated, share = owner[home], np.full(len(sale), float(kind.owner))
    stated[split] = organisation.number(splits.payee)[row]
    share[split] = splits.share[row]
    payee, where = organisation.resolve(stated, np.where(split, -1, node[home]), sales.days[sale])
    starts = group_starts(sale)
    sums = np.rint(np.add.reduceat(share, starts) * NANO) if len(starts) else np.zeros(0)
    totals = scaled(sales.values[sale[starts]], sums.astype(np.int64)[:, None])
    return Lines(sale, stated, payee, where, share, shared(totals, share, starts))


def group_starts(groups: Ints) -> Ints:
    """Say where each run of equal numbers starts."""
    return np.flatnonzero(np.diff(groups, prepend=groups[:1] - 1))


def shared(totals: Ints, weights: Floats, starts: Ints) -> Ints:
    """Split each group's totals by weight, exactly; most groups have one member, who gets it all."""
    sizes = np.diff(np.append(starts, len(weights)))
    parts: Ints = np.repeat(totals, sizes, axis=0)
    several = sizes > 1
    if several.any():
        inside = np.repeat(several, sizes)
        begin = np.cumsum(sizes[several]) - sizes[several]
        spread = np.repeat(weights[inside, None], totals.shape[1], axis=1)
        parts[inside] = apportion_groups(totals[several], spread, begin)
    return parts


def scaled(values: Ints, share: Ints) -> Ints:
    """Take a share, in billionths, of whole amounts: exact, halves away from zero.

    Examples
    --------
    >>> scaled(np.array([101, -101, 10**13]), np.array([500_000_000, 500_000_000, 1_200_000_000]))
    array([            51,            -51, 12000000000000])
    """
    size: Ints = np.abs(values)
    low = (size % NANO) * (share % NANO)
    part = size * (share // NANO) + (size // NANO) * (share % NANO) + (low + NANO // 2) // NANO
    return np.asarray(np.sign(values) * part, dtype=np.int64)
