"""Which words are accepted: known nodes and months, from those who may speak; the rest is told, row by row."""

import datetime as dt
from collections.abc import Callable, Collection

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.collect.asked import DAY, PERSON, Speakers
from spms_lib.findings import NOTED, findings, join
from spms_lib.tables import CATEGORIES, CATEGORY, NODE, PERIOD, VALUE


def accept_submissions(
    rows: pd.DataFrame, speakers: Speakers, months: Collection[str], *, cut_off: dt.date, where: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Divide submissions into those that are kept and findings for those that are not, or that need a look.

    Parameters
    ----------
    rows
        Columns of the table `submissions`; its index is the row number that findings name.
    months
        Months of the quarter.
    cut_off
        Last day that counts. What is later is kept and noted: it counts in a later snapshot only.
    where
        What findings name as their table, such as the name of a file.

    Returns
    -------
    pd.DataFrame
        The rows that are kept.
    pd.DataFrame
        See `spms_lib.findings`.
    """
    who = rows["submitted_by"], rows["submitted_at"]
    allowed = _allowed(rows, *who, rows[NODE].isin(speakers.hierarchy.leaves), speakers.may_submit)
    outside = (rows["low"] > rows[VALUE]) | (rows["high"] < rows[VALUE])
    rejected = [
        *_place(rows, speakers.hierarchy.leaves, months, where, "is no leaf of the plan's tree"),
        _found(where, rows[VALUE].isna(), VALUE, "there is no amount", rows[VALUE], "Type an amount; 0 if nothing is expected."),
        _found(where, ~allowed, "submitted_by", "may not speak for this node on this day", rows["submitted_by"] + " for " + rows[NODE],
               "Let the person in the seat send it, or their delegate; for an empty seat the manager above. Correct the name, the roster, or collection.delegations."),
    ]  # fmt: skip
    return _divided(
        rows,
        rejected,
        _late(where, who[1], cut_off, "submitted_at"),
        _found(where, outside.fillna(value=False).astype(bool), VALUE, "outside of its own range", rows[VALUE], "Check low and high.", noted=True),
    )  # fmt: skip


def accept_overrides(
    rows: pd.DataFrame, speakers: Speakers, months: Collection[str], *, cut_off: dt.date, where: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Divide overrides in the same way: see `accept_submissions`. An override without a reason is not kept."""
    who = rows["overridden_by"], rows["overridden_at"]
    allowed = _allowed(rows, *who, rows[NODE].isin(speakers.hierarchy.nodes), speakers.may_override)
    silent = rows["reason"].isna() | (rows["reason"].str.strip() == "")
    rejected = [
        *_place(rows, speakers.hierarchy.nodes, months, where, "is no node of the plan's tree"),
        _found(where, silent, "reason", "there is no reason", rows["reason"], "Say why the forecast is changed."),
        _found(where, ~allowed, "overridden_by", "may not override this node", rows["overridden_by"] + " on " + rows[NODE],
               "Let its owner or the one directly above do it, or their delegate; collection.skip_level lets those further up."),
    ]  # fmt: skip
    return _divided(rows, rejected, _late(where, who[1], cut_off, "overridden_at"))


def _place(
    rows: pd.DataFrame, nodes: pd.Index, months: Collection[str], where: str, rule: str
) -> list[pd.DataFrame]:
    other, strange = ~rows[PERIOD].isin(list(months)), ~rows[CATEGORY].isin(CATEGORIES)
    return [
        _found(where, ~rows[NODE].isin(nodes), NODE, rule, rows[NODE], "Correct the node."),
        _found(where, other, PERIOD, "is no month of this quarter", rows[PERIOD], f"Use {', '.join(months)}."),
        _found(where, strange, CATEGORY, "is no category", rows[CATEGORY], f"Use {', '.join(CATEGORIES)}."),
    ]  # fmt: skip


def _allowed(
    rows: pd.DataFrame,
    by: pd.Series,
    at: pd.Series,
    known: pd.Series,
    judge: Callable[[pd.DataFrame], NDArray[np.bool_]],
) -> pd.Series:
    said = pd.DataFrame({NODE: rows[NODE], PERSON: by, DAY: at.dt.normalize()})
    allowed = pd.Series(True, index=rows.index)  # an unknown node has a finding of its own
    allowed[known] = judge(said[known]) if known.any() else True
    return allowed


def _late(where: str, at: pd.Series, cut_off: dt.date, column: str) -> pd.DataFrame:
    late = at >= pd.Timestamp(cut_off) + pd.Timedelta(days=1)
    told = at.dt.strftime("%Y-%m-%d %H:%M")
    remedy = (
        f"It is kept, and counts in snapshots after {cut_off} only; move collect_as_of if it shall count."
    )
    return _found(where, late, column, "sent after the cut-off", told, remedy, noted=True)


def _found(
    where: str,
    wrong: pd.Series,
    column: str,
    rule: str,
    values: pd.Series,
    remedy: str,
    *,
    noted: bool = False,
) -> pd.DataFrame:
    places = np.flatnonzero(wrong)
    told = ["" if pd.isna(value) else value for value in values.iloc[places]]
    rows = wrong.index[places].tolist()
    return findings(where, rows, column, rule, told, remedy, **({"severity": NOTED} if noted else {}))


def _divided(
    rows: pd.DataFrame, rejected: list[pd.DataFrame], *noted: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    found = join(*rejected)
    kept = rows[~rows.index.isin(found["row"])]
    notes = join(*noted)
    return kept, join(found, notes[notes["row"].isin(kept.index)])
