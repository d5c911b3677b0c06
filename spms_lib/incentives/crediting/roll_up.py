"""Indirect credit: managers are credited for the sales of those below them, as the tree stood on the day."""

import numpy as np

from spms_lib.errors import HierarchyError
from spms_lib.incentives.crediting.dating import Ints
from spms_lib.incentives.crediting.lines import Lines, group_starts, scaled, shared
from spms_lib.incentives.crediting.organisation import Organisation
from spms_lib.incentives.crediting.rules import NANO, RollUp

DEEPEST = 64


def rolled_up(rule: RollUp, base: Lines, days: Ints, organisation: Organisation) -> list[tuple[str, Lines]]:
    """Credit the managers above the lines of one type.

    An override is a share of the credit, level by level; the sale's overrides of a level are
    rounded together, so they sum to the share of the sale. Without shares each level is
    credited in full, and a person who manages several levels once.

    Parameters
    ----------
    base
        Lines of the credit type that rolls up, those to nobody included.
    days
        Shape (n_lines,): day on which the tree is asked.

    Returns
    -------
    list of (credit type, Lines)
        Manager's lines; payee -1 where a manager's seat is vacant.
    """
    found: list[tuple[str, Lines]] = []
    full, node = not rule.shares, base.node
    paid = np.zeros((0, len(node)), dtype=np.int64)
    for level in range(DEEPEST if full else len(rule.shares)):
        node = organisation.parent.at(node, days)
        there = node >= 0
        if not there.any():
            return found
        payee = organisation.sits(node, days, np.full(len(node), -1))
        name, values, share = rule.name, base.values, base.share
        if full:
            there = there & ~((paid == payee) & (payee >= 0)).any(axis=0)
            paid = np.vstack([paid, payee])
        else:
            name, rate = f"{rule.name}_{level + 1}", rule.shares[level]
            values, share = _overrides(base, int(rate * NANO)), share * float(rate)
        found.append((name, Lines(base.sale, node, payee, node, share, values).keep(there)))
    if full:
        raise HierarchyError(
            f"The tree is more than {DEEPEST} levels deep, or goes in a circle.",
            where="hierarchy",
            remedy="Check it with check_hierarchy.",
        )
    return found


def _overrides(base: Lines, rate: int) -> Ints:
    """Take a rate of each sale's credits as a whole, and split it as they were."""
    starts = group_starts(base.sale)
    totals = np.add.reduceat(base.values, starts, axis=0)
    return shared(scaled(totals, np.array(rate)), base.share, starts)
