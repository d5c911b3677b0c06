"""The board: whose forecast is there, whole, in time and changed, and what to write to those who are awaited."""

import datetime as dt
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.collect.submissions import FORECAST_CATEGORIES, latest_submissions
from spms_lib.hierarchy import Hierarchy
from spms_lib.tables import CATEGORY, NAME, NODE, OWNER, PERIOD, VALUE

SUBMITTED, INCOMPLETE, MISSING = "submitted", "incomplete", "missing"
VACANT, COVERED = "vacant", "vacant, covered"
STATES: Final = (SUBMITTED, INCOMPLETE, MISSING, VACANT, COVERED)
COLUMNS: Final = (
    *(NODE, NAME, OWNER, "delegate", "state", "late", "after_cut_off", "changed"),
    *("versions", "last", "by", "route", "reminder"),
)


def status_board(
    hierarchy: Hierarchy,
    heard: pd.DataFrame,
    months: list[str],
    *,
    asked: pd.DataFrame,
    due: dt.date,
    cut_off: dt.date,
    before: pd.DataFrame | None = None,
    how: str = "the form you were sent",
) -> pd.DataFrame:
    """Show for every leaf whether its forecast is there, complete, in time and changed.

    Parameters
    ----------
    heard
        All versions of all submissions with the columns of the table `submissions`, later than the cut-off too.
    months
        Periods that must be forecast.
    asked
        From `Speakers.of_leaves`: node, person, vacant, delegate.
    due, cut_off
        Day until whose end a submission is in time, and day until whose end it counts.
    before
        Snapshot with which the last words are compared, such as that of the last call; None compares with nothing.
    how
        Where people are to write their forecast, as reminders say it.

    Returns
    -------
    pd.DataFrame
        Columns `COLUMNS`: owner (who is asked), delegate (who speaks for them), state (`submitted`, `incomplete`,
        `missing`, `vacant`: an empty seat that lacks a number from the manager, `vacant, covered`: one with it), late
        (its last word that counts came after the due day), after_cut_off (a word came that does not count), changed
        (since `before`; False where there is none), versions (how often it was sent), last (when), by, route,
        reminder (text to send, or empty).
    """
    mine = heard[
        heard[PERIOD].isin(months)
        & heard[CATEGORY].isin(FORECAST_CATEGORIES)
        & heard[NODE].isin(hierarchy.leaves)
    ]
    latest = latest_submissions(mine, cut_off=cut_off)
    newest = (
        latest.sort_values("submitted_at", kind="stable").drop_duplicates(NODE, keep="last").set_index(NODE)
    )
    spoken = latest.groupby(NODE)
    board = asked.set_index(NODE).reindex(hierarchy.leaves)
    board[NAME] = hierarchy.name.reindex(board.index)
    board[OWNER] = board["person"].astype("object")
    there = spoken[PERIOD].nunique().reindex(board.index).fillna(0).astype("int64")
    empty = board["vacant"].astype(bool)
    board["state"] = np.select(
        [(there == len(months)) & empty, empty, there == len(months), there > 0],
        [COVERED, VACANT, SUBMITTED, INCOMPLETE],
        MISSING,
    )
    board["last"] = newest["submitted_at"].reindex(board.index)
    board["late"] = (board["last"] >= _end_of(due)).fillna(value=False).astype(bool)
    board["after_cut_off"] = board.index.isin(mine.loc[mine["submitted_at"] >= _end_of(cut_off), NODE])
    board["changed"] = board.index.isin(_changed(latest, before))
    board["versions"] = spoken["version"].max().reindex(board.index).fillna(0).astype("int64")
    board["by"] = newest["submitted_by"].reindex(board.index)
    board["route"] = newest["route"].reindex(board.index) if "route" in newest else None
    board["reminder"] = _reminders(board, latest, months, due=due, cut_off=cut_off, how=how)
    return board.rename_axis(NODE).reset_index()[list(COLUMNS)]


def completeness(hierarchy: Hierarchy, board: pd.DataFrame) -> pd.DataFrame:
    """Count by node how many of its leaves have submitted.

    Returns
    -------
    pd.DataFrame
        Indexed by node: expected (leaves with a person), submitted, incomplete, missing, vacant (empty seats, with
        or without a number), covered (those with one), late, share (submitted / expected; missing where nobody is
        expected).
    """
    rows = board.set_index(NODE)
    flags = pd.DataFrame({name: rows["state"] == name for name in (SUBMITTED, INCOMPLETE, MISSING)})
    flags["vacant"] = rows["state"].isin([VACANT, COVERED])
    flags["covered"] = rows["state"] == COVERED
    flags["late"] = rows["late"]
    counts = hierarchy.roll_up(flags.astype("int64"))
    counts.insert(0, "expected", counts[SUBMITTED] + counts[INCOMPLETE] + counts[MISSING])
    counts["share"] = counts[SUBMITTED] / counts["expected"].where(counts["expected"] > 0)
    return counts


def _end_of(day: dt.date) -> pd.Timestamp:
    return pd.Timestamp(day) + pd.Timedelta(days=1)


def _changed(latest: pd.DataFrame, before: pd.DataFrame | None) -> set[str]:
    """Name the nodes whose last words differ from an earlier snapshot."""
    if before is None:
        return set()
    key = [NODE, PERIOD, CATEGORY]
    then = before.loc[
        before[NODE].isin(latest[NODE]) & before[CATEGORY].isin(FORECAST_CATEGORIES), [*key, VALUE]
    ]
    both = latest[[*key, VALUE]].merge(then, on=key, how="outer", suffixes=("", "_before"))
    same = both[VALUE].astype("Int64") == both[f"{VALUE}_before"].astype("Int64")
    return set(both.loc[~same.fillna(value=False).astype(bool), NODE])


def _reminders(
    board: pd.DataFrame, latest: pd.DataFrame, months: list[str], *, due: dt.date, cut_off: dt.date, how: str
) -> list[str]:
    """Write to the person who is asked, or to who speaks for them, what is awaited, by when and how."""
    said = latest.groupby(NODE)[PERIOD].agg(set).reindex(board.index)
    by = f"by the end of {due}"
    last = "" if due == cut_off else f" What comes after {cut_off} cannot be counted."
    texts = []
    for row, known in zip(board.to_dict("records"), said, strict=True):
        wanting = [month for month in months if not isinstance(known, set) or month not in known]
        owner = row[OWNER] if isinstance(row[OWNER], str) else "" if row["vacant"] else row[NAME]
        to = row["delegate"] if isinstance(row["delegate"], str) else owner
        if not wanting or not to:
            texts.append("")
            continue
        whose = "your forecast" if to == owner else f"the forecast of {owner}, for whom you speak,"
        seat = " The seat is empty, so we ask its manager." if row["vacant"] else ""
        texts.append(
            f"{to}: we do not have {whose} for {row[NAME]} in {', '.join(wanting)} yet. Please send it {by}, in {how}; "
            f"write 0 where you expect nothing.{seat}{last}"
        )
    return texts
