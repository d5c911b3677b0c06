"""History: the list of commits, every version of a cell, and what changed between two moments."""

from collections.abc import Collection
from typing import Any, Final

import numpy as np
import pandas as pd
from sqlalchemy import Connection, select

from spms_lib.store.cells import equal_payload, frame_of
from spms_lib.store.schema import (
    AUTHOR,
    COMMIT,
    ID,
    KEYS,
    KIND,
    KINDS,
    MESSAGE,
    PAYLOAD,
    SEQ,
    TIME,
    UNIT,
    WITHDRAWN,
    cells,
    commits,
    signoffs,
)
from spms_lib.store.state import state
from spms_lib.tables import PERIOD, VALUE

LOG_COLUMNS: Final = (SEQ, ID, TIME, AUTHOR, KIND, MESSAGE, "cells", "signoffs")
DIFF_COLUMNS: Final = (
    KIND,
    *KEYS,
    "change",
    "before",
    "after",
    "delta",
    "unit_before",
    "unit_after",
    "text_before",
    "text_after",
)
VERSION_COLUMNS: Final = (SEQ, COMMIT, AUTHOR, TIME, MESSAGE, *KEYS, *PAYLOAD, WITHDRAWN)


def log(connection: Connection, *, scenario: str, kind: str | None, limit: int | None) -> pd.DataFrame:
    """List commits, newest first, with the names of their sign-offs; columns `LOG_COLUMNS`."""
    plain = [name for name in LOG_COLUMNS if name != "signoffs"]
    wanted = select(*(commits.c[name] for name in plain)).where(commits.c.scenario == scenario)
    if kind is not None:
        wanted = wanted.where(commits.c.kind == kind)
    rows = connection.execute(wanted.order_by(commits.c.seq.desc()).limit(limit)).all()
    found = frame_of(rows, plain)
    names: dict[str, list[str]] = {}
    for row in connection.execute(select(signoffs.c.commit_id, signoffs.c.name).order_by(signoffs.c.name)):
        names.setdefault(row.commit_id, []).append(row.name)
    signed = [", ".join(names.get(commit_id, [])) for commit_id in found[ID]]
    return found.assign(signoffs=pd.Series(signed, dtype="str"))


def versions(
    connection: Connection, kind: str, *, scenario: str, last: int, periods: Collection[str] | None
) -> pd.DataFrame:
    """List the cells of every commit of a kind, oldest first; columns `VERSION_COLUMNS`."""
    about = [commits.c[name] for name in (SEQ, ID, AUTHOR, TIME, MESSAGE)]
    wanted = (
        select(*about, *(cells.c[name] for name in (*KEYS, *PAYLOAD, WITHDRAWN)))
        .join(cells, cells.c[SEQ] == commits.c[SEQ])
        .where(commits.c.scenario == scenario, commits.c.kind == kind, commits.c.seq <= last)
    )
    if periods is not None:
        wanted = wanted.where(cells.c[PERIOD].in_(list(periods)))
    rows = connection.execute(wanted).all()
    return frame_of(rows, VERSION_COLUMNS).sort_values([SEQ, *KEYS], kind="stable", ignore_index=True)


def diff(connection: Connection, *, kind: str | None, scenario: str, before: int, after: int) -> pd.DataFrame:
    """Compare the states after two commits, given by number; columns `DIFF_COLUMNS`."""
    kinds = KINDS if kind is None else (kind,)
    parts = [_diff_of_kind(connection, one, scenario, before, after) for one in kinds]
    some = [part for part in parts if len(part)] or parts[:1]
    return pd.concat(some, ignore_index=True)


def _diff_of_kind(connection: Connection, kind: str, scenario: str, before: int, after: int) -> pd.DataFrame:
    keys = list(KEYS)
    old, new = (
        state(connection, kind, scenario=scenario, last=last)[[*KEYS, *PAYLOAD]] for last in (before, after)
    )
    both = old.merge(new, on=keys, how="outer", suffixes=("_before", "_after"), indicator="there")
    sides = [
        both[[f"{name}_{when}" for name in PAYLOAD]].set_axis(list(PAYLOAD), axis=1)
        for when in ("before", "after")
    ]
    there = both["there"].to_numpy(dtype=object)
    changed = ~((there == "both") & equal_payload(sides[0], sides[1]))
    both = both.assign(change=_change(there))[changed].reset_index(drop=True)
    same_unit = (both[f"{UNIT}_before"] == both[f"{UNIT}_after"]).to_numpy(dtype=bool)
    delta = (both[f"{VALUE}_after"] - both[f"{VALUE}_before"]).where(same_unit, pd.NA)
    both = both.assign(kind=pd.Series(kind, index=both.index, dtype="str"), delta=delta.astype("Int64"))
    named: pd.DataFrame = both.rename(columns={f"{VALUE}_before": "before", f"{VALUE}_after": "after"})
    return named.loc[:, list(DIFF_COLUMNS)].sort_values(keys, kind="stable", ignore_index=True)


def _change(there: "np.ndarray[Any, Any]") -> "pd.Series[str]":
    words = np.select(
        [there == "left_only", there == "right_only"], ["withdrawn", "added"], default="changed"
    )
    return pd.Series(words, dtype="str")
