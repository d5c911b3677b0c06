"""Who is asked for what, and who may say it: people in seats, managers of empty ones, and those who speak for others."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.collect.form import OVERRIDE, SUBMISSION
from spms_lib.hierarchy import Hierarchy
from spms_lib.tables import NODE

PERSON: Final = "person"
DELEGATE: Final = "delegate"
DAY: Final = "day"
DELEGATIONS: Final = (PERSON, DELEGATE, "first_day", "last_day")
ROSTER: Final = (NODE, PERSON, "start", "end")


@dataclass(frozen=True, eq=False)
class Speakers:
    """Who answers for which node on which day. Names are compared without regard to case and spaces.

    A leaf is answered for by the people whom the roster has in it on the day; one that the roster never names, by
    its owner in the hierarchy. Where nobody sits, the nearest owner above answers. A node above the leaves is
    answered for by its owner. Where no seat at all is named, none is known to be empty. A delegate may whatever the person they replace may, on the days agreed.

    Attributes
    ----------
    roster
        Columns `ROSTER`: node, person, start, end (missing: still). May have no rows.
    delegations
        Columns `DELEGATIONS`: person, delegate, first_day, last_day. May have no rows.
    skip_level
        True lets every owner further up override as well.

    Examples
    --------
    >>> nodes = {"node": ["all", "north", "south"], "parent": [None, "all", "all"], "owner": ["Ada", "Nina", None]}
    >>> tree = Hierarchy.from_parent_child(pd.DataFrame(nodes))
    >>> speakers = Speakers(tree, pd.DataFrame(columns=ROSTER), pd.DataFrame(columns=DELEGATIONS))
    >>> speakers.of_leaves(dt.date(2026, 7, 1))[["node", "person", "vacant"]].values.tolist()
    [['north', 'Nina', False], ['south', 'Ada', True]]
    """

    hierarchy: Hierarchy
    roster: pd.DataFrame
    delegations: pd.DataFrame
    skip_level: bool = False

    # -- who is asked ----------------------------------------------------------------------------

    def of_leaves(self, day: dt.date) -> pd.DataFrame:
        """Say who answers for each leaf on a day.

        Returns
        -------
        pd.DataFrame
            Columns node, person (missing where nobody sits there and nobody above is named), vacant (bool),
            delegate (who speaks for the person on that day; missing where they speak themselves); leaves in the
            order of the hierarchy. Of several people in one seat, the one who came last is asked.
        """
        there = self.seats[_covers(self.seats, "start", "end", pd.Timestamp(day))]
        person = there.drop_duplicates(NODE, keep="last").set_index(NODE)[PERSON]
        leaves = self.hierarchy.leaves
        found = person.reindex(leaves).astype("object")
        vacant = found.isna().to_numpy() & (len(self.seats) > 0)
        asked = found.where(found.notna(), self._owner_above.reindex(leaves))
        table = pd.DataFrame({NODE: leaves, PERSON: asked.to_numpy(), "vacant": vacant})
        return table.assign(**{DELEGATE: self._delegate_of(table[PERSON], day)})

    def duties(self, day: dt.date) -> pd.DataFrame:
        """Say for which nodes each person is asked on a day, and whether for a submission or an override.

        People in seats are asked for their leaves; owners for overrides of their own node and of those who report
        to them (with `skip_level` also of those one level further down), and for submissions of empty seats.

        Returns
        -------
        pd.DataFrame
            Columns person, node, kind (`submission` or `override`); people in the order in which the tree first
            names them from the top, their nodes in the order of the tree.
        """
        leaves = self.of_leaves(day).dropna(subset=PERSON)
        tree, owner = self.hierarchy, self.hierarchy.owner.to_numpy(dtype=object)
        own = np.flatnonzero(~pd.isna(owner) & ~tree.is_leaf)
        pairs = [(owner[own], own)]
        above = self._boss
        for _level in range(1 + self.skip_level):
            report = np.flatnonzero(above >= 0)
            pairs.append((owner[above[report]], report))
            above = np.where(above >= 0, self._boss[above], -1)
        overrides = pd.DataFrame(
            {
                PERSON: np.concatenate([people for people, _ in pairs]),
                NODE: tree.nodes.to_numpy()[np.concatenate([nodes for _, nodes in pairs])],
            }
        )
        asked = pd.concat(
            [leaves[[PERSON, NODE]].assign(kind=SUBMISSION), overrides.assign(kind=OVERRIDE)],
            ignore_index=True,
        ).drop_duplicates([PERSON, NODE])
        place = tree.nodes.get_indexer(pd.Index(asked[NODE]))
        ordered = asked.iloc[np.argsort(place, kind="stable")]
        first = {name: number for number, name in enumerate(dict.fromkeys(ordered[PERSON]))}
        return ordered.sort_values(
            PERSON, key=lambda names: names.map(first), kind="stable", ignore_index=True
        )

    # -- who may ---------------------------------------------------------------------------------

    def may_submit(self, said: pd.DataFrame) -> NDArray[np.bool_]:
        """Tell for each word whether its sender may submit for the node on the day.

        Where no seat of the company is named, or nobody in the seat or above it, there is nothing to judge by, and
        anybody may.

        Parameters
        ----------
        said
            Columns node (a leaf), person, day.
        """
        asked, back = _distinct(said)
        voices = self._voices(asked)
        pairs = voices.merge(self.seats.assign(seat=_plain(self.seats[PERSON])), on=NODE)
        pairs = pairs[_covers(pairs, "start", "end", pairs[DAY])]
        taken = np.isin(asked.index, pairs["row"])
        right = np.isin(asked.index, pairs.loc[pairs["voice"] == pairs["seat"], "row"])
        above = asked[NODE].map(self._owner_above)
        leads = voices["voice"] == _plain(voices[NODE].map(self._owner_above))
        manager = np.isin(asked.index, voices.loc[leads, "row"])
        free = above.isna().to_numpy() | (len(self.seats) == 0)
        found: NDArray[np.bool_] = np.where(taken, right, manager | free)[back]
        return found

    def may_override(self, said: pd.DataFrame) -> NDArray[np.bool_]:
        """Tell for each override whether its sender may change the node on the day; `said` as in `may_submit`.

        The owner of the node (for a leaf, whoever sits there) and the nearest owner above may; with `skip_level`,
        every owner above. Where nobody is named, anybody may.
        """
        asked, back = _distinct(said)
        voices = self._voices(asked)
        owner = _plain(self.hierarchy.owner).to_numpy(dtype=object)
        place = self.hierarchy.nodes.get_indexer(pd.Index(voices[NODE]))
        voice, right = voices["voice"].to_numpy(dtype=object), np.zeros(len(voices), dtype=bool)
        named = np.zeros(len(voices), dtype=bool)
        levels = len(self.hierarchy.offsets) if self.skip_level else 1
        for step in range(1 + levels):
            there = (place >= 0) & ~pd.isna(owner[place])
            right |= there & (owner[place] == voice)
            named |= there
            place = np.where(place >= 0, self._boss[place], -1) if step < levels else place
        allowed = np.isin(asked.index, voices.loc[right | ~named, "row"])
        found: NDArray[np.bool_] = (allowed | self._sits(asked, voices))[back]
        return found

    def _sits(self, asked: pd.DataFrame, voices: pd.DataFrame) -> NDArray[np.bool_]:
        pairs = voices.merge(self.seats.assign(seat=_plain(self.seats[PERSON])), on=NODE)
        pairs = pairs[_covers(pairs, "start", "end", pairs[DAY]) & (pairs["voice"] == pairs["seat"])]
        return np.isin(asked.index, pairs["row"])

    # -- what both rest on -----------------------------------------------------------------------

    @cached_property
    def seats(self) -> pd.DataFrame:
        """Who sits in which leaf from when to when: columns `ROSTER`, oldest first."""
        tree = self.hierarchy
        known = self.roster[self.roster[NODE].isin(tree.leaves)]
        rest = tree.owner[tree.leaves[~tree.leaves.isin(known[NODE])]].dropna()
        owned = pd.DataFrame({NODE: rest.index, PERSON: rest.to_numpy(), "start": pd.NaT, "end": pd.NaT})
        days = {"start": "datetime64[us]", "end": "datetime64[us]"}
        parts = [part.astype(days) for part in (owned, known[list(ROSTER)]) if len(part)]
        seats = pd.concat(parts) if parts else owned.astype(days)
        return seats.sort_values("start", kind="stable", na_position="first", ignore_index=True)

    @cached_property
    def _boss(self) -> NDArray[np.int64]:
        """Position of the nearest node above that has an owner; -1 where there is none."""
        tree = self.hierarchy
        owned = tree.owner.notna().to_numpy()
        boss = np.full(len(tree), -1, dtype=np.int64)
        for depth in range(1, len(tree.offsets) - 1):
            here = slice(tree.offsets[depth], tree.offsets[depth + 1])
            above = tree.parent[here]
            boss[here] = np.where(owned[above], above, boss[above])
        return boss

    @cached_property
    def _owner_above(self) -> pd.Series:
        owner = self.hierarchy.owner.to_numpy(dtype=object)
        found = pd.Series(owner[self._boss], index=self.hierarchy.nodes, dtype="object")
        return found.where(self._boss >= 0)

    def _delegate_of(self, people: pd.Series, day: dt.date) -> pd.Series:
        rows = self.delegations
        now = rows[_covers(rows, "first_day", "last_day", pd.Timestamp(day))]
        known = dict(zip(_plain(now[PERSON]), now[DELEGATE], strict=True))
        return _plain(people).map(known).astype("object")

    def _voices(self, asked: pd.DataFrame) -> pd.DataFrame:
        """Put under each word everybody in whose name it may be meant: the sender, and those they replace that day."""
        own = asked.assign(row=asked.index, voice=_plain(asked[PERSON]))
        parts = [own]
        for one in self.delegations.to_dict("records"):
            first, last = pd.Timestamp(one["first_day"]), pd.Timestamp(one["last_day"])
            in_place = (own["voice"] == _name(one[DELEGATE])) & own[DAY].between(first, last)
            parts.append(own[in_place].assign(voice=_name(one[PERSON])))
        return pd.concat(parts, ignore_index=True)


def same_person(one: str, other: str) -> bool:
    """Tell whether two names mean the same person.

    Examples
    --------
    >>> same_person("Anna  Berg", "anna berg ")
    True
    """
    return _name(one) == _name(other)


def _name(name: Any) -> str:
    return " ".join(str(name).split()).casefold()


def _plain(names: pd.Series) -> pd.Series:
    known = {name: _name(name) for name in names.dropna().unique()}
    return names.map(known).astype("object")


def _covers(rows: pd.DataFrame, first: str, last: str, day: Any) -> pd.Series:
    started = rows[first].isna() | (pd.to_datetime(rows[first]) <= day)
    covers: pd.Series = started & (rows[last].isna() | (pd.to_datetime(rows[last]) >= day))
    return covers


def _distinct(said: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Return the distinct words, and for each row the number of its word: a person sends many at a time."""
    keys = said[[NODE, PERSON, DAY]].reset_index(drop=True)
    number = keys.groupby([NODE, PERSON, DAY], sort=False, dropna=False).ngroup().to_numpy()
    return keys.drop_duplicates(ignore_index=True), number.astype(np.int64)
