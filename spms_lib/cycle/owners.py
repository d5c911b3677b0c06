"""Owners of deals as a CRM names them, brought to the seats of the hierarchy."""

from dataclasses import replace

import pandas as pd

from spms_lib.findings import findings, join
from spms_lib.hierarchy.check import validity
from spms_lib.tables import AS_OF, NODE, OWNER, PARENT, LoadedTable

SEVERAL = "owner has several seats"


def by_owner(deals: LoadedTable, hierarchy: pd.DataFrame, roster: pd.DataFrame | None = None) -> LoadedTable:
    """Bring deals from the name of their owner to the node where that person sat on the day of the snapshot.

    A deal whose node is in the hierarchy stays. Else its text is taken as a person: an owner of
    the hierarchy or a person of the roster, capitals and outer spaces aside. A leaf goes
    before a node with children.

    Parameters
    ----------
    deals
        Table `opportunities`; `node` holds a node or the name of a person.
    hierarchy, roster
        Tables of that name.

    Returns
    -------
    LoadedTable
        Deals of an owner with several seats on that day are rejected, by name; deals of an owner
        whom nobody knows keep the name, for the check of nodes to reject.
    """
    rows = deals.rows
    named = rows[~rows[NODE].isin(hierarchy[NODE])]
    if named.empty:
        return deals
    seats = _seats(hierarchy, roster)
    asked = pd.DataFrame({"who": named[NODE].str.casefold(), AS_OF: named[AS_OF]}).drop_duplicates()
    fits = asked.merge(seats, on="who")
    fits = fits[(fits[AS_OF] >= fits["start"]) & (fits[AS_OF] <= fits["end"])]
    fits = fits.drop_duplicates(["who", AS_OF, NODE])
    best = fits[fits["inner"] == fits.groupby(["who", AS_OF])["inner"].transform("min")]
    keys = ["who", AS_OF]
    found = best.groupby(keys)[NODE].agg(["first", "nunique"]).reset_index()
    mine = pd.DataFrame({"who": named[NODE].str.casefold(), AS_OF: named[AS_OF]}).merge(
        found, on=keys, how="left"
    )
    mine.index = named.index
    several = mine.index[mine["nunique"] > 1]
    told = findings(
        deals.table, several.tolist(), NODE, SEVERAL, named.loc[several, NODE],
        "Say which one is meant: `words: {node: {<owner>: <node>}}` of this table in the params.",
    )  # fmt: skip
    nodes = rows[NODE].copy()
    one = mine.index[mine["nunique"] == 1]
    nodes[one] = mine.loc[one, "first"].to_numpy()
    used = rows.assign(**{NODE: nodes}).drop(index=several)
    return replace(deals, rows=used, findings=join(deals.findings, told))


def _seats(hierarchy: pd.DataFrame, roster: pd.DataFrame | None) -> pd.DataFrame:
    """List who sat where from when to when: who (small letters), node, start, end, inner (has children)."""
    start, end = validity(hierarchy)
    parts = [pd.DataFrame({"who": hierarchy[OWNER], NODE: hierarchy[NODE], "start": start, "end": end})]
    if roster is not None and len(roster):
        last = roster["end"].fillna(end.max())
        parts.append(
            pd.DataFrame({"who": roster["person"], NODE: roster[NODE], "start": roster["start"], "end": last})
        )
    seats = pd.concat(parts, ignore_index=True).dropna(subset="who")
    return seats.assign(
        who=seats["who"].str.strip().str.casefold(), inner=seats[NODE].isin(hierarchy[PARENT])
    )
