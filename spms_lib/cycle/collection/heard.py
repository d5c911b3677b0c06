"""What was heard in a cycle, whatever the route: submissions and overrides with all their versions.

The ledger is the truth of what was heard. The company's tables add what it does not hold yet: the past, and rows of
the running quarter that nobody has read in so far, as long as their senders may speak for the node.
"""

import pandas as pd

from spms_lib.collect.asked import DELEGATIONS, Speakers
from spms_lib.cycle.collection.words import AT, BY, KEY, OVERRIDE, SUBMISSION, TABLE_OF, kept_words, typed
from spms_lib.cycle.desk import Desk
from spms_lib.store.schema import COMMIT, SEQ
from spms_lib.tables import NODE, PERIOD, VALUE, LoadedTable


def submissions_heard(desk: Desk) -> pd.DataFrame:
    """Return every submission of every version, oldest first.

    Returns
    -------
    pd.DataFrame
        The columns of the table `submissions`, origin, template and commit (missing where the ledger does not hold
        the row). What was reverted is left out.
    """
    return _heard(desk, SUBMISSION)


def overrides_heard(desk: Desk) -> pd.DataFrame:
    """Return every override of every version, oldest first; a value that is missing takes the override back.

    Returns
    -------
    pd.DataFrame
        The columns of the table `overrides`, route, origin, template and commit. What was reverted is left out.
    """
    return _heard(desk, OVERRIDE)


def speakers(desk: Desk) -> Speakers:
    """Return who answers for which node of the plan's tree on which day: see `Speakers`."""
    told = desk.params.collection
    rows = [one.model_dump(include=set(DELEGATIONS)) for one in told.delegations]
    return Speakers(
        desk.tree, desk.table("roster"), pd.DataFrame(rows, columns=list(DELEGATIONS)), told.skip_level
    )


def may_speak(desk: Desk, kind: str, rows: pd.DataFrame) -> pd.Series:
    """Tell for each word whether its sender may say it; False for a node that the plan's tree does not have."""
    nodes = desk.tree.leaves if kind == SUBMISSION else desk.tree.nodes
    said = pd.DataFrame(
        {NODE: rows[NODE], "person": rows[BY[kind]], "day": pd.to_datetime(rows[AT[kind]]).dt.normalize()}
    )
    known = said[NODE].isin(nodes)
    who = speakers(desk)
    judge = who.may_submit if kind == SUBMISSION else who.may_override
    allowed = known.copy()
    allowed[known] = judge(said[known]) if known.any() else False
    return allowed


def unread(desk: Desk, kind: str, kept: pd.DataFrame, *, loaded: LoadedTable | None = None) -> pd.DataFrame:
    """Return rows of the company's table, or of another one, that the ledger does not hold; reverted ones it does.

    Parameters
    ----------
    kept
        From `kept_words`.
    """
    name = TABLE_OF[kind]
    found = loaded or desk.tables.get(name)
    rows, origin = (found.rows, found.origin) if found else (desk.table(name), "")
    rows = typed(kind, rows.assign(origin=origin)).assign(row=rows.index)
    same = [*KEY, AT[kind], VALUE]
    pairs = rows.merge(kept[same].drop_duplicates(), on=same, how="left", indicator="held")
    return rows[(pairs["held"] == "left_only").to_numpy()]


def _heard(desk: Desk, kind: str) -> pd.DataFrame:
    kept = kept_words(kind, desk.ledger.versions(kind))
    rest = unread(desk, kind, kept).drop(columns="row")
    mine = rest[PERIOD].isin(desk.months)
    allowed = ~mine
    allowed[mine] = may_speak(desk, kind, rest[mine])
    rest = rest[allowed]
    parts = [part for part in (rest.assign(**{SEQ: 0}), kept[kept["stands"]]) if len(part)] or [kept.head(0)]
    joined = pd.concat(parts, ignore_index=True)
    ordered = joined.sort_values([AT[kind], SEQ], kind="stable", ignore_index=True)
    shown = ordered.reindex(columns=[*typed(kind, kept.head(0)).columns, COMMIT]).astype({COMMIT: "str"})
    return shown.astype({VALUE: "int64"}) if kind == SUBMISSION else shown
