"""Movement of deals: why the pipeline of a period is not what it was."""

import datetime as dt
from collections.abc import Collection
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.collect.movement.bridge import AMOUNT, PART, WON, Movement, whole
from spms_lib.deals import snapshot
from spms_lib.errors import TableError
from spms_lib.findings import NOTED, findings, join
from spms_lib.tables import AS_OF, CATEGORY, NODE, need

DEAL: Final = "opportunity"
NO_CATEGORY: Final = "(none)"
NEW, RETURNED, PULLED_IN, PUSHED_IN = "new", "returned", "pulled in", "pushed in"
UP, DOWN, OWNER, RESORTED = "up", "down", "owner change", "category change"
PULLED_OUT, PUSHED_OUT = "pulled out", "pushed out"
LOST, VANISHED = "lost", "vanished"
MEANING: Final = {
    NEW: "not in any snapshot up to the first",
    RETURNED: "open again after it was won, lost or missing",
    PULLED_IN: "closing day moved into the period from a later one",
    PUSHED_IN: "closing day moved into the period from an earlier one",
    UP: "amount rose, of deals counted both times",
    DOWN: "amount fell, of deals counted both times",
    OWNER: "from one node to another, at the amount it had",
    RESORTED: "from one forecast category to another, at the amount it had",
    PULLED_OUT: "closing day moved out of the period to an earlier one",
    PUSHED_OUT: "slipped: closing day moved out of the period to a later one",
    WON: "won in the period",
    LOST: "lost by the end of the period",
    VANISHED: "open in the first snapshot, missing from the second",
}
_INSIDE, _LATER = 0, 1


def deals_known(opportunities: pd.DataFrame, *, as_of: dt.date) -> pd.DataFrame:
    """Take what is known of every deal by the end of a day: the latest snapshot, and deals that closed before it.

    Exports often list a deal that is won or lost once and then no more; it stays won or lost. A deal that
    was open when it was last seen is not carried on: it has vanished, and that is shown.

    Parameters
    ----------
    opportunities
        The table of that name, any number of snapshots; later ones than `as_of` are not looked at.
    """
    now = snapshot(opportunities, as_of=as_of)
    if now.empty:
        return now
    earlier = opportunities[opportunities[AS_OF] < now[AS_OF].max()]
    gone = earlier[~earlier[DEAL].isin(now[DEAL])].sort_values(AS_OF, kind="stable")
    last = gone.drop_duplicates(DEAL, keep="last")
    closed = last[last["status"] != "open"]
    return pd.concat([now, closed]) if len(closed) else now


def deal_movement(
    before: pd.DataFrame,
    after: pd.DataFrame,
    *,
    first_day: dt.date,
    last_day: dt.date,
    with_won: bool = False,
    seen: Collection[str] = (),
) -> Movement:
    """Explain deal by deal how the pipeline of a period went from one snapshot to another.

    A deal is counted while it is open and can close in the period (an overdue one on the day of its
    snapshot at the earliest, as everywhere); with `with_won` also once it is won in the period, so that
    winning moves it to the category closed and changes no total. One that leaves goes with the amount
    it had, one that comes enters with the amount it has, and only those counted both times go up or
    down: first they change owner and category at the old amount, then the new owner and category take
    the difference. A deal that leaves does so at the node and category it had. Where several reasons hold, the
    day decides before the status: lost after the period has ended is pushed out.

    Parameters
    ----------
    before, after
        One row per deal each, as `deals_known` or `snapshot` gives them. Never pass a later day's.
    first_day, last_day
        The period, both days included.
    seen
        Deals in any snapshot older than `before`; one that is not in `before` but here is not new.

    Returns
    -------
    Movement
        Parts in the order of `MEANING`; item opportunity. Exchanging the snapshots turns every sign:
        up and down, pulled in and pushed out, pushed in and pulled out change places, and new with
        returned stands against won with lost and vanished. (By node only up to a deal that changes
        owner and amount at once.)

    Raises
    ------
    TableError
        If a deal is listed twice.

    References
    ----------
    In and out as Gong lists them; new = did not exist at the start of the window, as Clari has it.

    Examples
    --------
    >>> june = pd.DataFrame({"opportunity": ["D1", "D2"], "node": "anna", "status": "open", "amount": [100, 40],
    ...     "close_date": pd.to_datetime(["2026-08-01", "2026-09-01"]), "as_of": pd.Timestamp("2026-06-30")})
    >>> july = june.assign(amount=[90, 40], close_date=pd.to_datetime(["2026-08-15", "2026-10-02"]))
    >>> quarter = {"first_day": dt.date(2026, 7, 1), "last_day": dt.date(2026, 9, 30)}
    >>> moved = deal_movement(june, july.assign(as_of=pd.Timestamp("2026-07-31")), **quarter)
    >>> moved.by("node")[["opening", "down", "pushed out", "closing"]].values.tolist()
    [[140, -10, -40, 90]]
    """
    deals = _placed(before, "before", first_day, last_day, with_won=with_won)
    later = _placed(after, "after", first_day, last_day, with_won=with_won)
    every = deals.index.union(later.index)
    was, now = _on(deals, every), _on(later, every)
    known_before = pd.Series(every.isin(list(seen)), index=every)
    out, came = was["counted"] & ~now["counted"], now["counted"] & ~was["counted"]
    return Movement(
        opening=_rows(was[was["counted"]]),
        parts=pd.concat(
            [
                _rows(now[came], _why(was, known_before, coming=True)[came]),
                _rows(was[out], _why(now, known_before, coming=False)[out], sign=-1),
                *_stayed(was, now, was["counted"] & now["counted"]),
            ],
            ignore_index=True,
        ),
        closing=_rows(now[now["counted"]]),
        kinds=MEANING,
        item=(DEAL,),
        names=(_named(before, with_won=with_won), _named(after, with_won=with_won)),
    )


def snapshot_findings(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Note open deals that a later snapshot does not have, and later ones that an earlier one should have had.

    Returns
    -------
    pd.DataFrame
        See `spms_lib.findings`; row numbers are those of the table the snapshots were taken from.
    """
    gone = before[(before["status"] == "open") & ~before[DEAL].isin(after[DEAL])]
    fresh = after[~after[DEAL].isin(before[DEAL])]
    late = (
        fresh[fresh["created"] < before[AS_OF].max()] if "created" in fresh and len(before) else fresh.head(0)
    )
    return join(
        findings(
            "opportunities", gone.index.tolist(), DEAL, "open deal is missing from a later snapshot", gone[DEAL],
            "Find out whether it was deleted, merged or hidden; close it as won or lost.", severity=NOTED,
        ),
        findings(
            "opportunities", late.index.tolist(), "created", "created before a snapshot that does not have it",
            late[DEAL], "Find out when it was really entered.", severity=NOTED,
        ),
    )  # fmt: skip


def _named(deals: pd.DataFrame, *, with_won: bool) -> str:
    day = "no day" if deals.empty else deals[AS_OF].max().strftime("%Y-%m-%d")
    return f"Open and won at {day}" if with_won else f"Open at {day}"


def _placed(
    deals: pd.DataFrame, where: str, first_day: dt.date, last_day: dt.date, *, with_won: bool
) -> pd.DataFrame:
    """Tell of each deal its node, category, amount, status, whether it lies before, in or after the period, and whether it counts."""
    need(deals, [DEAL, NODE, "status", AMOUNT, "close_date", AS_OF], where)
    if deals[DEAL].duplicated().any():
        twice = deals.loc[deals[DEAL].duplicated(), DEAL].iloc[0]
        raise TableError(f"Deal '{twice}' is listed twice.", where=where, remedy="Pass one snapshot.")
    status, day = deals["status"], deals["close_date"]
    late, early = (status == "open") & (day < deals[AS_OF]), (status == "lost") & (day > deals[AS_OF])
    closes = day.mask(
        late | early, deals[AS_OF]
    )  # no open deal closes in the past, none is lost in the future
    place = np.select(
        [closes < pd.Timestamp(first_day), closes >= pd.Timestamp(last_day) + pd.Timedelta(days=1)],
        [-1, _LATER],
        _INSIDE,
    )
    category = deals[CATEGORY] if CATEGORY in deals else pd.Series(None, index=deals.index, dtype="object")
    return pd.DataFrame(
        {
            NODE: deals[NODE].astype("object"),
            CATEGORY: category.astype("object").where(category.notna(), NO_CATEGORY).mask(status == "won", "closed"),
            AMOUNT: whole(deals[AMOUNT], where),
            "status": status.astype("object"),
            "place": place,
            "counted": status.isin(["open", "won"] if with_won else ["open"]) & (place == _INSIDE),
        }
    ).set_axis(pd.Index(deals[DEAL], name=DEAL))  # fmt: skip


def _on(deals: pd.DataFrame, every: pd.Index) -> pd.DataFrame:
    """Put deals on a longer list; those that are not there have no status, and are not counted."""
    absent: dict[str, str | int | bool] = {
        NODE: "",
        CATEGORY: "",
        AMOUNT: 0,
        "status": "",
        "place": _INSIDE,
        "counted": False,
    }
    return pd.DataFrame(
        {name: deals[name].reindex(every, fill_value=empty) for name, empty in absent.items()}
    )


def _why(other: pd.DataFrame, known_before: pd.Series, *, coming: bool) -> "pd.Series[str]":
    """Say why deals that the other snapshot does not count are counted here."""
    absent, status, place = other["status"] == "", other["status"], other["place"]
    reasons = [RETURNED, NEW, PULLED_IN, RETURNED, RETURNED, PUSHED_IN]
    if not coming:
        reasons = [VANISHED, VANISHED, PUSHED_OUT, LOST, WON, PULLED_OUT]
    tests = [
        *(absent & known_before, absent, place == _LATER, status == "lost"),
        *((status == "won") & (place == _INSIDE), place < _INSIDE),
    ]
    return pd.Series(np.select(tests, reasons, ""), index=other.index)


def _stayed(was: pd.DataFrame, now: pd.DataFrame, both: pd.Series) -> list[pd.DataFrame]:
    """Rows of the deals counted both times: to another node, to another category, up or down."""
    old, new = was[both], now[both]
    moved = old[NODE] != new[NODE]
    carried = old.assign(node=new[NODE])
    sorted_anew = old[CATEGORY] != new[CATEGORY]
    turned = pd.Series(RESORTED, index=old.index)
    turned = turned.mask((old["status"] == "open") & (new["status"] == "won"), WON)
    turned = turned.mask((old["status"] == "won") & (new["status"] == "open"), RETURNED)
    change = new[AMOUNT] - old[AMOUNT]
    return [
        _rows(old[moved], OWNER, sign=-1),
        _rows(carried[moved], OWNER),
        _rows(carried[sorted_anew], turned[sorted_anew], sign=-1),
        _rows(carried.assign(category=new[CATEGORY])[sorted_anew], turned[sorted_anew]),
        _rows(new.assign(amount=change)[change > 0], UP),
        _rows(new.assign(amount=change)[change < 0], DOWN),
    ]


def _rows(deals: pd.DataFrame, part: "str | pd.Series[str] | None" = None, *, sign: int = 1) -> pd.DataFrame:
    rows = deals[[NODE, CATEGORY]].assign(amount=sign * deals[AMOUNT])
    return (rows if part is None else rows.assign(**{PART: part})).rename_axis(DEAL).reset_index()
