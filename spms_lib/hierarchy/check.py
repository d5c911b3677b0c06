"""What may be wrong with a table of nodes and parents, each found by name."""

import datetime as dt

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.findings import NOTED, findings, join
from spms_lib.tables import LEVEL, NODE, PARENT, VALID_FROM, VALID_TO

ALWAYS = pd.Timestamp(1900, 1, 1)
STILL = pd.Timestamp(2200, 1, 1)


def validity(frame: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Return from when to when each row holds, with open ends filled in."""
    start = frame[VALID_FROM] if VALID_FROM in frame else pd.Series(pd.NaT, index=frame.index)
    end = frame[VALID_TO] if VALID_TO in frame else pd.Series(pd.NaT, index=frame.index)
    return pd.to_datetime(start).fillna(ALWAYS), pd.to_datetime(end).fillna(STILL)


def rows_on(frame: pd.DataFrame, day: dt.date | None) -> pd.DataFrame:
    """Select the rows that hold on a day; all rows if no day is given."""
    if day is None:
        return frame
    start, end = validity(frame)
    stamp = pd.Timestamp(day)
    return frame[(start <= stamp) & (stamp <= end)]


def check_hierarchy(frame: pd.DataFrame, *, as_of: dt.date | None = None) -> pd.DataFrame:
    """Find what keeps rows from forming one tree, and what a planner should know about it.

    Parameters
    ----------
    frame
        Table `hierarchy` of the data dictionary.
    as_of
        Day whose rows are checked; every row is checked together if none is given.

    Returns
    -------
    pd.DataFrame
        Findings. Rejected: a node twice at one time, a parent that is not there, a
        second root, no root, a cycle (named). Noted: a level skipped between parent
        and child.

    Examples
    --------
    >>> table = pd.DataFrame({"node": ["a", "b"], "parent": ["b", "a"]})
    >>> check_hierarchy(table)["value"].tolist()
    ['', 'a > b > a']
    """
    rows = rows_on(frame, as_of)
    number = pd.Series(rows.index, index=rows.index)
    node, parent = rows[NODE], rows[PARENT]
    found = []

    repeated = _overlapping(rows) if as_of is None else node.duplicated(keep="first")
    found.append(
        findings(
            "hierarchy", number[repeated], NODE, "node stands twice at the same time", node[repeated],
            "End the earlier row with valid_to the day before the later one starts.",
        )
    )  # fmt: skip
    rootless = parent.isna() | (parent == "")
    orphan = ~rootless & ~parent.isin(node)
    found.append(
        findings(
            "hierarchy", number[orphan], PARENT, "parent is not a node", parent[orphan],
            "Add a row for the parent, or correct its spelling.",
        )
    )  # fmt: skip
    roots = rows[rootless].drop_duplicates(NODE)
    if len(roots) != 1:
        rule = "no root" if roots.empty else "a second root"
        extra = roots.iloc[1:]
        found.append(
            findings(
                "hierarchy", extra.index.tolist() or [0], PARENT, rule, extra[NODE].tolist() or [""],
                "Exactly one node, the whole company, has no parent.",
            )
        )  # fmt: skip
    once = rows[~node.duplicated(keep="last")]
    cycles = find_cycles(once[NODE].to_numpy(dtype=object), once[PARENT].to_numpy(dtype=object))
    found.append(
        findings(
            "hierarchy", [once.index[once[NODE] == cycle[0]][0] for cycle in cycles], PARENT, "nodes roll up in a circle",
            [" > ".join([*cycle, cycle[0]]) for cycle in cycles], "Correct the parent of one of these nodes.",
        )
    )  # fmt: skip
    found.append(_skipped_levels(once))
    return join(*found)


def _overlapping(rows: pd.DataFrame) -> pd.Series:
    """Tell which rows of a node start before an earlier row of it has ended."""
    start, end = validity(rows)
    spans = pd.DataFrame({"node": rows[NODE], "start": start, "end": end}).sort_values(
        ["node", "start"], kind="stable"
    )
    ended = spans.groupby("node")["end"].cummax().groupby(spans["node"]).shift()
    return (ended.notna() & (spans["start"] <= ended)).reindex(rows.index)


def _skipped_levels(rows: pd.DataFrame) -> pd.DataFrame:
    """Note parents and children that are not on neighbouring levels, where levels are named."""
    if LEVEL not in rows or rows[LEVEL].isna().all():
        return findings("hierarchy", [], LEVEL, "", [], "")
    level = rows.set_index(NODE)[LEVEL]
    above = rows[PARENT].map(level).to_numpy(dtype=object)
    pairs = pd.DataFrame({"above": above, "level": level.to_numpy(dtype=object)}, index=rows.index).dropna()
    usual = pairs.groupby("level")["above"].agg(lambda names: names.value_counts().index[0])
    odd = pairs[pairs["above"] != pairs["level"].map(usual)]
    return findings(
        "hierarchy", odd.index.tolist(), LEVEL, "a level is skipped or out of order",
        [f"{row.level} under {row.above}" for row in odd.itertuples()],
        "Check that the parent is right; the tree works either way.", severity=NOTED,
    )  # fmt: skip


def find_cycles(node: NDArray[np.object_], parent: NDArray[np.object_]) -> list[list[str]]:
    """List each circle of nodes once, from its first node in alphabetical order upwards.

    Examples
    --------
    >>> find_cycles(np.array(["a", "b", "c"], object), np.array(["b", "a", "a"], object))
    [['a', 'b']]
    """
    index = pd.Index(node)
    up = index.get_indexer(pd.Index(parent))
    # after n doublings every node that is not in or below a circle has fallen off the root
    reach = up.copy()
    for _ in range(max(1, len(up)).bit_length()):
        alive = reach >= 0
        reach[alive] = reach[reach[alive]]
    inside = np.unique(reach[reach >= 0])
    cycles, seen = [], set()
    for start in inside:
        if start in seen:
            continue
        circle, here = [], int(start)
        while here not in seen:
            seen.add(here)
            circle.append(str(node[here]))
            here = int(up[here])
        first = circle.index(min(circle))
        cycles.append(circle[first:] + circle[:first])
    return cycles
