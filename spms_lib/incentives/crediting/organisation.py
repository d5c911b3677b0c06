"""Who sits where on which day, and who is above: everything that crediting asks of the organisation."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.findings import NOTED, findings
from spms_lib.hierarchy.check import STILL, validity
from spms_lib.incentives.crediting.dating import InForce, Ints, day_numbers, overlapping
from spms_lib.incentives.crediting.participation import END, START, dates
from spms_lib.tables import NODE, OWNER, PARENT, need

PERSON = "person"


@dataclass(frozen=True, eq=False)
class Organisation:
    """Seats, the people in them and the nodes above them, by number and day.

    Attributes
    ----------
    names
        Every node, person and other payee; a number everywhere below is a position in it.
    is_node
        Shape (n_names + 1,): True for a node of the hierarchy or the roster; False for -1, nobody.
    occupant
        Who sits in a node; None where nodes are payees themselves.
    seat
        In which node a person sits.
    parent
        The node above a node.
    """

    names: pd.Index
    is_node: NDArray[np.bool_]
    occupant: InForce | None
    seat: InForce
    parent: InForce

    @classmethod
    def of(
        cls, hierarchy: pd.DataFrame | None, roster: pd.DataFrame | None, *others: pd.Series
    ) -> tuple[Self, pd.DataFrame]:
        """Give every name a number and sort the dated rows; `others` are names of payees in further tables."""
        tree = pd.DataFrame(columns=[NODE, PARENT]) if hierarchy is None else hierarchy
        need(tree, [NODE, PARENT], "hierarchy")
        seats, found = _seats(roster, tree)
        nodes = pd.concat([tree[NODE], tree[PARENT], seats[NODE]]).dropna()
        every = [nodes, seats[PERSON], *others]
        names = pd.Index(pd.unique(pd.concat(every).dropna().astype("str")), dtype="str")
        is_node = np.append(names.isin(nodes), [False])
        node, person = names.get_indexer(seats[NODE]), names.get_indexer(seats[PERSON])
        start, end = day_numbers(seats[START]), day_numbers(seats[END], STILL)
        below, above = names.get_indexer(tree[NODE]), names.get_indexer(tree[PARENT])
        spans = [day_numbers(days) for days in validity(tree)]
        return cls(
            names,
            is_node,
            None if roster is None else InForce.of(node, person, start, end),
            InForce.of(person, node, start, end),
            InForce.of(below, above, *spans),
        ), found

    def number(self, names: pd.Series) -> Ints:
        """Give the numbers of names; -1 for a missing one."""
        return np.asarray(self.names.get_indexer(pd.Index(names)), dtype=np.int64)

    def resolve(self, stated: Ints, node: Ints, days: Ints) -> tuple[Ints, Ints]:
        """Say who is meant by a name on a day, and from which node it rolls up.

        Parameters
        ----------
        stated
            A node (whoever sits there), a person, or another payee such as a pool; -1 for nobody.
        node
            Node of the sale where a person is stated beside it, else -1.
        """
        seated = self.is_node[stated]
        where = np.where(node >= 0, node, self.seat.at(np.where(seated, -1, stated), days))
        return self.sits(np.where(seated, stated, -1), days, stated), np.where(seated, stated, where)

    def sits(self, nodes: Ints, days: Ints, others: Ints) -> Ints:
        """Say who sits in each node on its day, -1 where it is vacant; `others` where no node is given."""
        here = nodes if self.occupant is None else self.occupant.at(nodes, days)
        return np.where(nodes >= 0, here, others)


def _seats(roster: pd.DataFrame | None, tree: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Join the roster and the owners of nodes that it does not speak of; note who shares a seat."""
    columns = [NODE, PERSON, START, END]
    if roster is None:
        return pd.DataFrame(columns=columns), findings("roster", [], NODE, "", [], "")
    need(roster, [NODE, PERSON, START], "roster")
    own = roster.assign(**{END: dates(roster, END)})[columns]
    spans = day_numbers(own[START]), day_numbers(own[END], STILL)
    twice = own[overlapping(pd.factorize(own[NODE])[0], *spans)]
    remedy = "End the earlier row, or state the shares in splits; the one who started last is credited."
    found = findings(
        "roster", twice.index.tolist(), NODE, "two people in a seat at the same time", twice[NODE],
        remedy, severity=NOTED,
    )  # fmt: skip
    if OWNER not in tree:
        return own, found
    start, end = validity(tree)
    owned = pd.DataFrame({NODE: tree[NODE], PERSON: tree[OWNER], START: start, END: end})
    owned = owned[tree[OWNER].notna() & (tree[OWNER] != "") & ~tree[NODE].isin(roster[NODE])]
    return pd.concat([own, owned], ignore_index=True), found
