"""Movement of words: what forecasters said then and now, and what of it is a change of mind."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.collect.movement.bridge import AMOUNT, Movement, whole
from spms_lib.collect.submissions import FORECAST_CATEGORIES
from spms_lib.errors import TableError
from spms_lib.tables import CATEGORIES, CATEGORY, NODE, PERIOD, VALUE, need

FIRST_SAID, RAISED, LOWERED, WITHDRAWN = "first said", "raised", "lowered", "withdrawn"
CLOSED, RECATEGORISED, UNCHANGED = "closed", "re-categorised", "unchanged"
SAME_TOTAL: Final = "same total"
MEANING: Final = {
    FIRST_SAID: "nobody had said anything in this category",
    RAISED: "said again, higher",
    CLOSED: "business that closed: closed rose by what another category fell",
    RECATEGORISED: "from one category to another with the total kept",
    LOWERED: "said again, lower",
    WITHDRAWN: "no longer said",
    UNCHANGED: "the same amount as before",
}
_KEY: Final = [NODE, PERIOD, CATEGORY]


def submission_movement(
    before: pd.DataFrame, after: pd.DataFrame, *, names: tuple[str, str] = ("Said before", "Said now")
) -> Movement:
    """Explain how what the field said went from one day's latest words to another's.

    Within one node and period, what one category gained and another lost moved between them: the
    categories are matched in their order, closed and commit first, so commit that closes is never
    taken for a change of mind. Only what is left over was raised or lowered (or said for the first time, or
    withdrawn).

    Parameters
    ----------
    before, after
        node, period, category, value (minor units), one row each, as `latest_submissions` gives them.
    names
        What the two totals are called.

    Returns
    -------
    Movement
        Parts in the order of `MEANING`; item node and period. Over all categories what moved between
        them is zero; `only(FORECAST_CATEGORIES)` is the bridge of the forecast (closed + commit),
        in which commit that closed is zero and commit that became best case is a loss.

    Examples
    --------
    >>> june = pd.DataFrame({"node": "anna", "period": "2026-07", "category": ["closed", "commit"], "value": [0, 100]})
    >>> july = june.assign(value=[60, 50])
    >>> submission_movement(june, july).summary().query("count > 0")[["part", "amount"]].values.tolist()
    [['raised', 10], ['closed', 0]]
    """
    was, now = _words(before, "before"), _words(after, "after")
    pairs = pd.MultiIndex.from_frame(
        was.index.union(now.index).to_frame(index=False)[[NODE, PERIOD]].drop_duplicates()
    )
    then, had = _grid(was, pairs)
    here, has = _grid(now, pairs)
    gain, loss = np.maximum(here - then, 0), np.maximum(then - here, 0)
    flows = _flows(gain, loss)
    gain, loss = gain - flows.sum(axis=2), loss - flows.sum(axis=1)
    still = (here == then) & had & has
    rows = [
        _rows(pairs, gain, (gain > 0) & had, RAISED),
        _rows(pairs, gain, has & ~had & ((gain > 0) | (here == 0)), FIRST_SAID),
        _rows(pairs, -loss, (loss > 0) & has, LOWERED),
        _rows(pairs, -loss, had & ~has & ((loss > 0) | (then == 0)), WITHDRAWN),
        _rows(pairs, here - then, still, UNCHANGED),
    ]
    closed = CATEGORIES.index("closed")
    for to, come in ((i, j) for i in range(len(CATEGORIES)) for j in range(len(CATEGORIES))):
        both, amount = np.zeros_like(then), flows[:, to, come]
        both[:, to] += amount
        both[:, come] -= amount
        rows.append(_rows(pairs, both, both != 0, CLOSED if closed in {to, come} else RECATEGORISED))
    return Movement(
        opening=was.rename(AMOUNT).reset_index(),
        parts=pd.concat(rows, ignore_index=True),
        closing=now.rename(AMOUNT).reset_index(),
        kinds=MEANING,
        item=(NODE, PERIOD),
        names=names,
    )


def word_changes(
    before: pd.DataFrame, after: pd.DataFrame, *, by: tuple[str, ...] = (NODE, PERIOD), above: float = 0.05
) -> pd.DataFrame:
    """Set the forecast (closed + commit) of two days side by side, with the sender's reason, the largest change first.

    Parameters
    ----------
    by
        node and period, or node for the sum of all periods passed in.
    above
        Change, as a ratio of what was said, above which a reason is due.

    Returns
    -------
    pd.DataFrame
        The columns of `by`, before, after (Int64, null where nobody had spoken), change (Int64), change_ratio
        (change / before), state (first said, raised, lowered, withdrawn, unchanged, or same total where only the
        categories changed), comment (of what was sent in between), reason_due (above the
        threshold and no comment).
    """
    keys = list(by)
    counted = [rows[rows[CATEGORY].isin(FORECAST_CATEGORIES)] for rows in (before, after)]
    was, now = (_words(rows, where) for rows, where in zip(counted, ("before", "after"), strict=True))
    table = pd.DataFrame(
        {name: words.groupby(keys).sum().astype("Int64") for name, words in (("before", was), ("after", now))}
    )
    shuffled = was.reindex(was.index.union(now.index)) != now.reindex(was.index.union(now.index))
    table["change"] = table["after"] - table["before"]
    table["change_ratio"] = _ratio(table["change"], table["before"])
    change = table["change"].fillna(0)
    table["state"] = np.select(
        [table["before"].isna(), table["after"].isna(), change > 0, change < 0, shuffled.groupby(keys).any()],
        [FIRST_SAID, WITHDRAWN, RAISED, LOWERED, SAME_TOTAL],
        UNCHANGED,
    )
    table["comment"] = _comments(counted[0], counted[1], keys).reindex(table.index).fillna("")
    large = (change.abs() > above * table["before"].abs()).fillna(value=False).astype(bool)
    table["reason_due"] = large & (table["comment"] == "")
    order = (
        table["change"].abs().astype("float64").fillna(0.0).sort_values(ascending=False, kind="stable").index
    )
    return table.loc[order].reset_index()


def _words(rows: pd.DataFrame, where: str) -> "pd.Series[int]":
    need(rows, [*_KEY, VALUE], where)
    if rows.duplicated(_KEY).any():
        twice = ", ".join(str(key) for key in rows.loc[rows.duplicated(_KEY), _KEY].iloc[0])
        raise TableError(f"'{twice}' is said twice.", where=where, remedy="Pass the latest words only.")
    index = pd.MultiIndex.from_frame(rows[_KEY].astype("str"))
    return whole(rows[VALUE], where).set_axis(index).sort_index()


def _grid(words: "pd.Series[int]", pairs: pd.MultiIndex) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Lay words out as pairs x categories: amounts, 0 where nobody has spoken, and where somebody has."""
    shape = (len(pairs), len(CATEGORIES))
    cells = pairs.repeat(shape[1]).to_frame(index=False).assign(category=np.tile(CATEGORIES, shape[0]))
    index = pd.MultiIndex.from_frame(cells)
    amounts = np.asarray(words.reindex(index, fill_value=0), dtype=np.int64)
    return amounts.reshape(shape), np.asarray(index.isin(words.index), dtype=np.bool_).reshape(shape)


def _flows(gain: NDArray[np.int64], loss: NDArray[np.int64]) -> NDArray[np.int64]:
    """Match gains with losses in the order of categories: shape (pairs, to, from)."""
    edge = np.zeros((len(gain), 1), dtype=np.int64)
    most = np.minimum(gain.sum(axis=1), loss.sum(axis=1))[:, None]
    to, come = (np.minimum(np.hstack([edge, amounts.cumsum(axis=1)]), most) for amounts in (gain, loss))
    upper = np.minimum(to[:, 1:, None], come[:, None, 1:])
    lower = np.maximum(to[:, :-1, None], come[:, None, :-1])
    overlap: NDArray[np.int64] = np.maximum(upper - lower, 0)
    return overlap


def _rows(
    pairs: pd.MultiIndex, amounts: NDArray[np.int64], where: NDArray[np.bool_], part: str
) -> pd.DataFrame:
    row, column = np.nonzero(where)
    frame = pairs[row].to_frame(index=False)
    return frame.assign(
        category=np.array(CATEGORIES, dtype=object)[column], part=part, amount=amounts[row, column]
    )


def _comments(before: pd.DataFrame, after: pd.DataFrame, keys: list[str]) -> "pd.Series[str]":
    """Join what senders wrote since the first day, by key."""
    if "comment" not in after or after.empty:
        return pd.Series(dtype="str")
    mark = [*_KEY, *(["submitted_at"] if "submitted_at" in after and "submitted_at" in before else []), VALUE]
    fresh = ~pd.MultiIndex.from_frame(after[mark]).isin(pd.MultiIndex.from_frame(before[mark]))
    new = after[fresh & after["comment"].fillna("").astype("str").str.strip().ne("").to_numpy()]
    return new.groupby(keys)["comment"].agg(lambda words: "; ".join(dict.fromkeys(words.astype(str))))


def _ratio(part: pd.Series, of: pd.Series) -> "pd.Series[float]":
    below = of.astype("float64")
    return part.astype("float64") / below.where(below != 0)
