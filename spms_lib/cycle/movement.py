"""Movement of deals in a cycle: why the quarter's pipeline changed between two snapshots, what slipped, what came late."""

import datetime as dt

import pandas as pd

from spms_lib.collect.movement import slips as counting
from spms_lib.collect.movement.bridge import AMOUNT, CLOSING, OPENING, PART, Movement
from spms_lib.collect.movement.deals import DEAL, deal_movement, deals_known, snapshot_findings
from spms_lib.cycle.desk import Desk
from spms_lib.hierarchy import Hierarchy
from spms_lib.tables import AS_OF, NAME, NODE


def compared(desk: Desk, *, until: dt.date, since: dt.date | None = None) -> tuple[dt.date, dt.date] | None:
    """Find the two snapshots that are compared; None where there are no two different ones.

    Parameters
    ----------
    until
        The later one is the last snapshot by the end of this day.
    since
        The earlier one is the last by this day; the one before the later one if None.
    """
    if not desk.has("opportunities"):
        return None
    days = sorted(day.date() for day in desk.table("opportunities")[AS_OF].unique() if day.date() <= until)
    before = days[:-1] if since is None else [day for day in days if day <= since]
    return (before[-1], days[-1]) if before and before[-1] < days[-1] else None


def movement_between(
    desk: Desk, *, until: dt.date, since: dt.date | None = None, with_won: bool = False
) -> Movement:
    """Explain deal by deal how the quarter's pipeline went from one snapshot to another: see `deal_movement`.

    Parameters
    ----------
    until, since
        As for `compared`.
    with_won
        True counts won deals of the quarter too: the bridge of pipeline and closed business together.

    Returns
    -------
    Movement
        Of the edition's scope; nothing in it where there are no two snapshots.
    """
    before, after, seen = _two_states(desk, until, since)
    moved = deal_movement(before, after, **_quarter(desk), with_won=with_won, seen=seen)
    return moved.only(_inside(desk), of=NODE)


def movement_table(desk: Desk, movement: Movement, *, level: str = "") -> pd.DataFrame:
    """Add a movement up for the top of the scope and for the nodes of a level.

    Parameters
    ----------
    movement
        Of deals or of words.
    level
        A level of the tree; the review level if empty.

    Returns
    -------
    pd.DataFrame
        node, name, opening, the parts with anything in them at any of these nodes, closing (minor units); no rows
        where there is nothing to compare.
    """
    if movement.nothing:
        return pd.DataFrame(columns=[NODE, NAME, OPENING, CLOSING])
    table = _at_level(desk, movement.by(NODE), level)
    empty = [name for name in movement.kinds if not table[name].any()]
    return table.drop(columns=empty)


def largest_moves(desk: Desk, *, until: dt.date, since: dt.date | None = None) -> pd.DataFrame:
    """List the deals that moved the pipeline of the quarter, the largest amount first.

    Returns
    -------
    pd.DataFrame
        opportunity, account, name (of the seat), part, amount (signed, minor units), close_then and close_now (closing
        days in the two snapshots; missing where the deal is not there).
    """
    before, after, _ = _two_states(desk, until, since)
    rows = movement_between(desk, until=until, since=since).parts
    order = rows[AMOUNT].abs().sort_values(ascending=False, kind="stable").index
    table = rows.loc[order].reset_index(drop=True).assign(name=lambda found: _names(desk, found[NODE]))
    accounts = pd.concat([after, before]).drop_duplicates(DEAL).set_index(DEAL).reindex(columns=["account"])
    table = table.join(accounts, on=DEAL)
    for column, deals in (("close_then", before), ("close_now", after)):
        table = table.join(deals.set_index(DEAL)["close_date"].rename(column), on=DEAL)
    return table[[DEAL, "account", NAME, PART, AMOUNT, "close_then", "close_now"]]


def movement_findings(desk: Desk, *, until: dt.date, since: dt.date | None = None) -> pd.DataFrame:
    """Note open deals that the later snapshot does not have, and deals entered after the fact: see `snapshot_findings`."""
    before, after, _ = _two_states(desk, until, since)
    return snapshot_findings(before, after)


# -- slips and late deals ------------------------------------------------------------------------


def slips(desk: Desk, *, until: dt.date, since: dt.date | None = None, level: str = "") -> pd.DataFrame:
    """Tell which share of the quarter's pipeline slipped out of it, for the top of the scope and the nodes of a level.

    Parameters
    ----------
    since
        Day of the first snapshot; the last one before the quarter began if None, or the first of all.
    level
        A level of the tree; the review level if empty, the leaves' for a row per owner.

    Returns
    -------
    pd.DataFrame
        node, name, deals, amount, slipped, slipped_amount, decided, decided_amount and the rates of `slip_rates`; no
        rows where there are no two snapshots.
    """
    start = since or desk.calendar.start(desk.cycle) - dt.timedelta(days=1)
    if desk.has("opportunities"):
        start = max(start, desk.table("opportunities")[AS_OF].min().date())
    counts = counting.slip_counts(movement_between(desk, until=until, since=start))
    return counting.slip_rates(_at_level(desk, counts, level))


def late_new(desk: Desk, *, until: dt.date, weeks: float | None = None, level: str = "") -> pd.DataFrame:
    """Tell which share of what was won in the quarter nobody knew of before its last weeks.

    Parameters
    ----------
    until
        Nothing later is looked at.
    weeks, level
        As for `collect.movement.slips.late_new`; as for `slips`.

    Returns
    -------
    pd.DataFrame
        node, name, won, won_amount, late, late_amount, unknown, unknown_amount and the shares of
        `late_shares`; no rows where nothing was won. All shares are 0 until `late_from`: say that day.
    """
    won = counting.late_new(desk.table("opportunities"), as_of=until, **_quarter(desk), weeks=weeks)
    counts = counting.late_counts(won[won[NODE].isin(_inside(desk))])
    return counting.late_shares(_at_level(desk, counts, level))


def late_from(desk: Desk, *, weeks: float | None = None) -> dt.date:
    """Name the first day of the quarter's last weeks, before which no deal can be late."""
    return counting.late_from(**_quarter(desk), weeks=weeks)


def repeat_slips(desk: Desk, *, until: dt.date, least: int = 2) -> pd.DataFrame:
    """List open deals of the scope whose closing month moved later at least so often: see `collect.movement.slips`."""
    columns = [DEAL, NAME, AMOUNT, "slips", "first_close", "close_date"]
    found = counting.repeat_slips(desk.table("opportunities"), desk.calendar, as_of=until, least=least)
    mine = found[found[NODE].isin(_inside(desk))]
    return mine.assign(name=_names(desk, mine[NODE]))[columns].reset_index(drop=True)


# -- inside --------------------------------------------------------------------------------------


def _quarter(desk: Desk) -> dict[str, dt.date]:
    return {"first_day": desk.calendar.start(desk.cycle), "last_day": desk.calendar.end(desk.cycle)}


def _two_states(
    desk: Desk, until: dt.date, since: dt.date | None
) -> tuple[pd.DataFrame, pd.DataFrame, set[str]]:
    """Take what was known of every deal at the two snapshots, and which deals had been seen before the first."""
    rows = desk.table("opportunities")
    days = compared(desk, until=until, since=since)
    if days is None:
        return rows.head(0), rows.head(0), set()
    first, last = days
    seen = set(rows.loc[rows[AS_OF] < pd.Timestamp(first), DEAL])
    return deals_known(rows, as_of=first), deals_known(rows, as_of=last), seen


def _inside(desk: Desk) -> pd.Index:
    """List the nodes of the scope; one that has closed lies where its past is carried."""
    return desk.carrier.index[desk.carrier.isin(desk.scope.nodes)]


def _names(desk: Desk, nodes: pd.Series) -> pd.Series:
    return nodes.map(desk.tree.name).fillna(nodes)


def _at_level(desk: Desk, by_leaf: pd.DataFrame, level: str) -> pd.DataFrame:
    """Roll whole numbers up, and keep the top of the scope and the nodes of a level: node, name, the columns."""
    if by_leaf.empty:
        return pd.DataFrame(columns=[NODE, NAME, *by_leaf.columns])
    nodes = _chosen(desk.scope, level or desk.review_level)
    rolled = desk.rolled_up(by_leaf).loc[nodes].fillna(0).round().astype("int64")
    return (
        rolled.rename_axis(NODE)
        .reset_index()
        .assign(name=[desk.tree.name[node] for node in nodes])[[NODE, NAME, *by_leaf.columns]]
    )


def _chosen(scope: Hierarchy, level: str) -> list[str]:
    below = scope.at_level(level) if level in scope.level_names else scope.children(scope.root)
    below = scope.children(scope.root) if list(below) == [scope.root] else below
    return [scope.root, *below]
