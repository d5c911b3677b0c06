"""Leaderboards: ranks inside peer groups, with names only of those who want it, frozen when the period closes."""

import datetime as dt
import hashlib
import json
from collections.abc import Collection
from typing import Final, Literal

import numpy as np
import pandas as pd

from spms_lib.calendar import same_length
from spms_lib.errors import CheckError, ParamsError, TableError
from spms_lib.tables import MEASURE, PERIOD, VALUE, need

TIES: Final = ("shared", "dense", "second")
HASH: Final = "content_hash"
_COLUMNS: Final = ("group", "payee", "rank", "value", "named", "best", "best_period", "note")


def leaderboard(
    measures: pd.DataFrame,
    *,
    measure: str,
    period: str,
    groups: pd.Series,
    opted_in: Collection[str],
    ties: str,
    second: str | None = None,
    least_group: int = 5,
) -> pd.DataFrame:
    """Rank payees inside their peer groups by one measure, more being better.

    The frame is for the record, with everybody in it. Show `shown` to all and `own_view` to a payee.

    Parameters
    ----------
    measures
        Columns payee, period, measure, value.
    groups
        Indexed by payee: peer group, such as a role and tenure; missing for none.
    opted_in
        Payees who agreed to be named.
    ties
        `shared`: equal values 1, 1, 3; `dense`: 1, 1, 2; `second`: the measure named in `second`
        decides, and who ties on that as well shares.
    least_group
        Groups with fewer known values are not ranked.

    Returns
    -------
    pd.DataFrame
        Columns group, payee, rank (missing where not ranked), value, named (bool), best and best_period
        (personal best up to this period, earliest if repeated), note (why there is no rank).
        Sorted by group, rank and payee.

    Raises
    ------
    ParamsError
        If the rule for ties is unknown, or `second` is missing or not needed.
    TableError
        If a payee has a measure twice in a period.

    Examples
    --------
    >>> sold = pd.DataFrame({"payee": list("abcde"), "period": "2026Q1", "measure": "deals", "value": [3, 9, 9, 1, 2]})
    >>> board = leaderboard(sold, measure="deals", period="2026Q1", groups=pd.Series("hunters", list("abcde")),
    ...     opted_in={"b", "d"}, ties="shared")
    >>> board[["payee", "rank"]].values.tolist()
    [['b', 1], ['c', 1], ['a', 3], ['e', 4], ['d', 5]]
    >>> shown(board)[["rank", "payee", "others"]].values.tolist()
    [[1, 'b', 3], [5, 'd', 3]]
    """
    need(measures, ["payee", PERIOD, MEASURE, VALUE], "measures")
    if ties not in TIES or (ties == "second") != (second is not None):
        raise ParamsError(
            f"Ties '{ties}' with second measure '{second}' decide nothing.", where="ties",
            remedy="Use shared, dense, or second with the measure that decides.",
        )  # fmt: skip
    alike = {one: same_length([one, period]) and one <= period for one in measures[PERIOD].unique()}
    past = measures[measures[PERIOD].map(alike).astype(bool)]
    if past.duplicated(["payee", PERIOD, MEASURE]).any():
        raise TableError("A payee has a measure twice.", where="measures", remedy="Keep one row of each.")
    now = past[past[PERIOD] == period].pivot(index="payee", columns=MEASURE, values=VALUE)
    who = now.index.union(groups.index).rename("payee")
    now = now.reindex(index=who, columns=[name for name in (measure, second) if name]).astype("float64")
    board = pd.DataFrame(
        {"group": groups.reindex(who), "value": now[measure], "named": who.isin(list(opted_in))}
    )
    known = now.notna().all(axis=1)
    small = known.groupby(board["group"]).transform("sum") < least_group
    board["note"] = np.select(
        [board["group"].isna(), ~known, small],
        ["no peer group", "not known", f"peer group below {least_group}: not ranked"],
        "",
    )
    place = now[board["note"] == ""].groupby(list(now.columns)).ngroup()
    method: Literal["dense", "min"] = "dense" if ties == "dense" else "min"
    board["rank"] = place.groupby(board["group"]).rank(method=method, ascending=False).astype("Int64")
    board[["best", "best_period"]] = _best(past[past[MEASURE] == measure])
    return board.reset_index().sort_values(["group", "rank", "payee"], ignore_index=True)[list(_COLUMNS)]


def _best(rows: pd.DataFrame) -> pd.DataFrame:
    """Find each payee's highest value and the first period that had it."""
    known = rows[rows[VALUE].notna()].sort_values(PERIOD, kind="stable", ignore_index=True)
    best = known.loc[known.groupby("payee")[VALUE].idxmax()].set_index("payee")
    return best[[VALUE, PERIOD]].set_axis(["best", "best_period"], axis=1)


def shown(board: pd.DataFrame) -> pd.DataFrame:
    """Show what everybody may see: ranked payees who agreed to be named, and how many others there are.

    Where exactly one payee of a group is without a name, ranks are left out, since the gap would tell whose it is.

    Returns
    -------
    pd.DataFrame
        Columns group, rank, payee, value, others (ranked payees of the group without a name).
    """
    ranked = board[board["rank"].notna()]
    others = (~ranked["named"].astype(bool)).groupby(ranked["group"]).transform("sum")
    rank = ranked["rank"].mask(others == 1)
    named = ranked.assign(rank=rank, others=others)[ranked["named"].astype(bool)]
    return named[["group", "rank", "payee", "value", "others"]].reset_index(drop=True)


def own_view(board: pd.DataFrame, payee: str) -> pd.DataFrame:
    """Show a payee the own place, the nearest above and below, and the own best; names only with consent.

    Returns
    -------
    pd.DataFrame
        Columns place (above, you, below), rank, payee and value (both missing for a neighbour who is not
        named), best, best_period and note (of the own row only).

    Raises
    ------
    TableError
        If the payee is not on the board.
    """
    mine = board.index[board["payee"] == payee]
    if not len(mine):
        raise TableError(f"{payee} is not on the board.", where="leaderboard", remedy="Look at its payees.")
    own = board.loc[mine[0]]
    peers = board[(board["group"] == own["group"]) & board["rank"].notna()].reset_index(drop=True)
    at = peers.index[peers["payee"] == payee]
    near = board.loc[mine].assign(place="you")
    if len(at):
        near = peers.loc[max(at[0] - 1, 0) : at[0] + 1]
        near = near.assign(
            place=["you" if p == at[0] else "above" if p < at[0] else "below" for p in near.index]
        )
    is_own = near["place"] == "you"
    told = near["named"].astype(bool) | is_own
    near = near.assign(
        payee=near["payee"].where(told),
        value=near["value"].where(told),
        best=near["best"].where(is_own),
        best_period=near["best_period"].where(is_own),
        note=near["note"].where(is_own, ""),
    )
    return near[["place", "rank", "payee", "value", "best", "best_period", "note"]].reset_index(drop=True)


def freeze(board: pd.DataFrame, closed_on: dt.date) -> pd.DataFrame:
    """Keep a board as it stands at the close: a copy with the day and a hash over all its content.

    Keep the hash in the ledger too: whoever could change the copy could also make a new hash for it.

    Returns
    -------
    pd.DataFrame
        The board with closed_on (text) and content_hash, the same in every row.

    Raises
    ------
    TableError
        If the board is empty.
    """
    if board.empty:
        raise TableError("An empty board cannot be frozen.", where="leaderboard", remedy="Check the period.")
    closed = board.assign(closed_on=closed_on.isoformat())
    return closed.assign(**{HASH: _hash(closed)})


def check_frozen(frozen: pd.DataFrame) -> None:
    """Refuse a frozen board of which anything was changed; the order of rows and columns does not count.

    Raises
    ------
    CheckError
        If the content is not what was frozen.
    """
    need(frozen, ["closed_on", HASH], "frozen leaderboard")
    if frozen.empty or set(frozen[HASH]) != {_hash(frozen.drop(columns=HASH))}:
        raise CheckError(
            "The board is not as it was frozen.", where="leaderboard", remedy="Take the copy from the ledger."
        )


def _hash(board: pd.DataFrame) -> str:
    """Hash the rows as sorted JSON: numbers as floats, missing as null, so that types may change on the way, not values."""
    columns = sorted(board.columns)
    rows = sorted(
        json.dumps([_plain(value) for value in row]) for row in board[columns].itertuples(index=False)
    )
    return hashlib.sha256(json.dumps(["leaderboard", columns, rows]).encode("ascii")).hexdigest()


def _plain(value: object) -> object:
    if value is None or pd.isna(value) or value == "":  # type: ignore[call-overload]  # any scalar
        return None
    return str(value) if isinstance(value, str) else float(value)  # type: ignore[arg-type]  # the rest are numbers
