"""Overrides: what managers changed, beside what was submitted, which stays as it was."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.errors import HierarchyError
from spms_lib.hierarchy import Hierarchy
from spms_lib.tables import CATEGORY, NODE, PERIOD, VALUE

SAID, CALCULATED, DIRECT, PROPAGATED, SILENT = "said", "calculated", "direct", "propagated", "silent"
COLUMNS: Final = (NODE, PERIOD, CATEGORY, "said", VALUE, "how", "by", "at", "reason", "change")
_KEY: Final = [NODE, PERIOD, CATEGORY]
_COLUMN: Final = [PERIOD, CATEGORY]


def with_overrides(hierarchy: Hierarchy, submissions: pd.DataFrame, overrides: pd.DataFrame) -> pd.DataFrame:
    """Lay managers' overrides over what was submitted, at every node, month and category.

    An override stands in place of its node's number, and the nodes above add it up; nothing below it moves, because
    it is one more estimate and no new word of those below. Of two overrides on one path the upper one counts for all
    above it. The submitted amounts are shown beside it and never change.

    Parameters
    ----------
    submissions
        From `latest_submissions`: of leaves, one row per node, period and category.
    overrides
        From `latest_overrides`: of any node; a missing value has been taken back and changes nothing.

    Returns
    -------
    pd.DataFrame
        Columns `COLUMNS`, a row per node of the tree, period and category that anybody spoke of: said (sum of what
        was submitted below) and value (after overrides), Int64 minor units, missing where nobody has said; how
        (`said`: a leaf as sent, `calculated`: the sum of what is below, `direct`: overridden here, `propagated`:
        changed by an override below, `silent`: nobody has said); by, at, reason of a direct override; change (what
        the overrides add here: value - said, where nobody has said counting nothing; missing where both are).

    Raises
    ------
    HierarchyError
        If a row names a node that the tree does not have, or a submission is of a node with children.

    Examples
    --------
    >>> nodes = {"node": ["all", "north", "south"], "parent": [None, "all", "all"]}
    >>> tree = Hierarchy.from_parent_child(pd.DataFrame(nodes))
    >>> row = {"period": "2026-07", "category": "commit"}
    >>> sent = pd.DataFrame([{"node": "north", "value": 100, **row}, {"node": "south", "value": 50, **row}])
    >>> who = {"overridden_by": "Ada", "overridden_at": pd.Timestamp("2026-07-03"), "reason": "framework signed"}
    >>> changed = pd.DataFrame([{"node": "south", "value": 80, **row, **who}])
    >>> with_overrides(tree, sent, changed)[["node", "said", "value", "how", "change"]].values.tolist()
    [['all', 150, 180, 'propagated', 30], ['north', 100, 100, 'said', 0], ['south', 50, 80, 'direct', 30]]
    """
    changed = overrides[overrides[VALUE].notna()]
    columns = pd.MultiIndex.from_frame(
        pd.concat([submissions[_COLUMN], changed[_COLUMN]], ignore_index=True).drop_duplicates()
    ).sort_values()
    nodes = hierarchy.nodes.get_indexer(pd.Index(submissions[NODE]))
    _refuse_strangers(submissions, (nodes < 0) | ~hierarchy.is_leaf[nodes], "leaves")
    at = hierarchy.nodes.get_indexer(pd.Index(changed[NODE]))
    _refuse_strangers(changed, at < 0, "nodes")
    said, known = _grid(hierarchy, nodes, submissions, columns)
    value, there = said.copy(), known.copy()
    direct = np.zeros(said.shape, dtype=bool)
    place = at, columns.get_indexer(pd.MultiIndex.from_frame(changed[_COLUMN]))
    direct[place] = True
    said, known = _added_up(hierarchy, said, known, np.zeros_like(direct))
    value[place], there[place] = changed[VALUE].to_numpy(dtype="int64"), True
    value, there = _added_up(hierarchy, value, there, direct)
    below = _added_up(hierarchy, direct.astype("int64"), direct, direct)[0] > 0
    leaf = hierarchy.is_leaf[:, None]
    how = np.select(
        [direct, ~there, below, np.broadcast_to(leaf, direct.shape)],
        [DIRECT, SILENT, PROPAGATED, SAID],
        CALCULATED,
    )
    return _long(hierarchy, columns, (said, known), (value, there), how).merge(
        _who(changed), on=_KEY, how="left"
    )[list(COLUMNS)]


def topmost(hierarchy: Hierarchy, table: pd.DataFrame) -> pd.DataFrame:
    """Choose the direct overrides that no other one stands above: their changes add up to the company's.

    Parameters
    ----------
    table
        From `with_overrides`.
    """
    rows = table[table["how"] == DIRECT]
    held = set(zip(rows[NODE], rows[PERIOD], rows[CATEGORY], strict=True))
    under = [
        any((above, period, category) in held for above in hierarchy.path(node)[:-1])
        for node, period, category in rows[_KEY].itertuples(index=False)
    ]
    return rows[~np.array(under, dtype=bool)]


def _grid(
    hierarchy: Hierarchy, nodes: NDArray[np.int64], rows: pd.DataFrame, columns: pd.MultiIndex
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    amounts = np.zeros((len(hierarchy), len(columns)), dtype=np.int64)
    known = np.zeros(amounts.shape, dtype=bool)
    place = nodes, columns.get_indexer(pd.MultiIndex.from_frame(rows[_COLUMN]))
    amounts[place] = rows[VALUE].to_numpy(dtype="int64")
    known[place] = True
    return amounts, known


def _added_up(
    hierarchy: Hierarchy, amounts: NDArray[np.int64], known: NDArray[np.bool_], fixed: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Add children up level by level, except where a number is fixed."""
    amounts, known = amounts.copy(), known.copy()
    for depth in range(len(hierarchy.offsets) - 3, -1, -1):
        here = slice(hierarchy.offsets[depth], hierarchy.offsets[depth + 1])
        below = slice(hierarchy.offsets[depth + 1], hierarchy.offsets[depth + 2])
        step = hierarchy.sums[depth].astype(np.int64)
        free = ~fixed[here] & ~hierarchy.is_leaf[here][:, None]
        amounts[here] = np.where(free, step @ np.where(known[below], amounts[below], 0), amounts[here])
        known[here] = np.where(free, step @ known[below].astype(np.int64) > 0, known[here])
    return amounts, known


def _long(
    hierarchy: Hierarchy,
    columns: pd.MultiIndex,
    said: tuple[NDArray[np.int64], NDArray[np.bool_]],
    value: tuple[NDArray[np.int64], NDArray[np.bool_]],
    how: NDArray[np.str_],
) -> pd.DataFrame:
    count = len(columns)
    spoken, stands = (
        pd.Series(pd.array(amounts.ravel(), dtype="Int64")).mask(~known.ravel())
        for amounts, known in (said, value)
    )
    return pd.DataFrame(
        {
            NODE: np.repeat(hierarchy.nodes.to_numpy(), count),
            PERIOD: np.tile(columns.get_level_values(PERIOD).to_numpy(), len(hierarchy)),
            CATEGORY: np.tile(columns.get_level_values(CATEGORY).to_numpy(), len(hierarchy)),
            "said": spoken,
            VALUE: stands,
            "how": how.ravel(),
            "change": stands - spoken.fillna(0),
        }
    )


def _who(changed: pd.DataFrame) -> pd.DataFrame:
    names = {"overridden_by": "by", "overridden_at": "at"}
    types = {"by": "str", "at": "datetime64[us]", "reason": "str"}
    return changed.rename(columns=names).reindex(columns=[*_KEY, *types]).astype(types)


def _refuse_strangers(rows: pd.DataFrame, wrong: NDArray[np.bool_], what: str) -> None:
    if wrong.any():
        raise HierarchyError(
            f"{int(wrong.sum())} rows are not of {what} of this tree, such as '{rows[NODE][wrong].iloc[0]}'.",
            remedy="Use the hierarchy of the day of the values (as_of), or leave those rows out.",
        )
