"""State: the newest cell of every key, up to a moment."""

from typing import Final

import pandas as pd
from sqlalchemy import Connection, func, select

from spms_lib.store.cells import frame_of
from spms_lib.store.schema import AUTHOR, COMMIT, KEYS, PAYLOAD, SEQ, TIME, WITHDRAWN, cells, commits

COLUMNS: Final = (*KEYS, *PAYLOAD, COMMIT, AUTHOR, TIME)
_MANY_NODES: Final = 500


def fold(
    connection: Connection, kind: str, *, scenario: str, last: int, about: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return the newest cell of every key, withdrawn ones included.

    Parameters
    ----------
    last
        Number of the last commit that counts.
    about
        Cells that matter; other nodes may be left out of the answer, which saves time.

    Returns
    -------
    pd.DataFrame
        `KEYS`, `PAYLOAD`, seq, withdrawn, commit, author, time; sorted by key.
    """
    newest_first = func.row_number().over(
        partition_by=[cells.c[key] for key in KEYS], order_by=cells.c.seq.desc()
    )
    matching = (
        select(*(cells.c[name] for name in (*KEYS, *PAYLOAD, SEQ, WITHDRAWN)), newest_first.label("place"))
        .join(commits, cells.c.seq == commits.c.seq)
        .where(commits.c.scenario == scenario, commits.c.kind == kind, commits.c.seq <= last)
    )
    if about is not None:
        nodes = about["node"].unique().tolist()
        if len(nodes) <= _MANY_NODES:
            matching = matching.where(cells.c.node.in_(nodes))
    ranked = matching.subquery()
    columns = (*KEYS, *PAYLOAD, SEQ, WITHDRAWN)
    rows = connection.execute(select(*(ranked.c[name] for name in columns)).where(ranked.c.place == 1)).all()
    found = frame_of(rows, columns).sort_values(list(KEYS), kind="stable", ignore_index=True)
    return found.merge(_authors(connection, kind, scenario), on=SEQ, how="left")


def state(connection: Connection, kind: str, *, scenario: str, last: int) -> pd.DataFrame:
    """Return the cells that hold after commit number `last`, with the columns of `COLUMNS`."""
    newest = fold(connection, kind, scenario=scenario, last=last)
    return newest.loc[~newest[WITHDRAWN], list(COLUMNS)].reset_index(drop=True)


def _authors(connection: Connection, kind: str, scenario: str) -> pd.DataFrame:
    wanted = select(commits.c.seq, commits.c.id, commits.c.author, commits.c.time)
    rows = connection.execute(wanted.where(commits.c.kind == kind, commits.c.scenario == scenario)).all()
    return frame_of(rows, (SEQ, COMMIT, AUTHOR, TIME))
