"""Submissions: what forecasters sent, who has not, and what it adds up to."""

import datetime as dt

import numpy as np
import pandas as pd

from spms_lib.hierarchy import Hierarchy
from spms_lib.tables import CATEGORIES, CATEGORY, NODE, PERIOD, SOURCE, VALUE, to_wide

FORECAST_CATEGORIES = ("closed", "commit")
OPTIONAL = "most_likely"


def latest_submissions(submissions: pd.DataFrame, *, cut_off: dt.date) -> pd.DataFrame:
    """Take each forecaster's last word up to the end of the cut-off day.

    Parameters
    ----------
    submissions
        Table `submissions` of the data dictionary; a later row replaces an earlier one
        of the same node, period and category.

    Returns
    -------
    pd.DataFrame
        The same columns and `version` (1 for the first of its kind), one row per node,
        period and category.
    """
    end = pd.Timestamp(cut_off) + pd.Timedelta(days=1)
    heard = submissions[submissions["submitted_at"] < end].sort_values("submitted_at", kind="stable")
    key = [NODE, PERIOD, CATEGORY]
    version = heard.groupby(key).cumcount() + 1
    return heard.assign(version=version).drop_duplicates(key, keep="last").sort_values(key, ignore_index=True)


def field_forecast(latest: pd.DataFrame) -> pd.DataFrame:
    """Compute the forecast that a forecaster stands behind: closed plus commit.

    Returns
    -------
    pd.DataFrame
        Columns node, period, source (`field`), value in minor units. A node without a
        submission has no row: nobody has said is not zero.
    """
    counted = latest[latest[CATEGORY].isin(FORECAST_CATEGORIES)]
    total = counted.groupby([NODE, PERIOD])[VALUE].sum().reset_index()
    return total.assign(source="field")[[NODE, PERIOD, SOURCE, VALUE]]


def category_roll_up(hierarchy: Hierarchy, latest: pd.DataFrame, nodes: list[str]) -> pd.DataFrame:
    """Roll categories up, each alone and cumulative.

    Cumulative: commit forecast = closed + commit; most likely, where anybody uses it, best case
    and pipeline each add their own. Closed 50, commit 100, best case 150 and pipeline 200 make
    150, 300 and 500; an *open* pipeline, as a CRM may show it, leaves closed out and is 450.

    Returns
    -------
    pd.DataFrame
        Indexed by node: one column per category and one `<category>_cumulative`, minor
        units; missing where nobody below has said anything.
    """
    by_leaf = to_wide(latest[latest[NODE].isin(hierarchy.leaves)], columns=CATEGORY)
    told = [name for name in CATEGORIES if name in by_leaf or name != OPTIONAL]
    single = hierarchy.roll_up(by_leaf.reindex(columns=told)).loc[nodes]
    return single.join(cumulative(single))


def cumulative(single: pd.DataFrame) -> pd.DataFrame:
    """Add categories up from closed to pipeline: `<category>_cumulative`; missing where nothing is said at all."""
    running = single.fillna(0.0).cumsum(axis=1).where(single.notna().any(axis=1), other=np.nan)
    return running.add_suffix("_cumulative")


def status_board(
    hierarchy: Hierarchy, latest: pd.DataFrame, months: list[str], *, due: dt.date, vacant: set[str]
) -> pd.DataFrame:
    """Show for every leaf whether its forecast is there, complete, in time and changed.

    Parameters
    ----------
    months
        Periods that must be forecast.
    due
        Day until whose end a submission is in time.
    vacant
        Leaves without a person.

    Returns
    -------
    pd.DataFrame
        Columns node, name, owner, state (submitted, incomplete, missing, vacant), late
        (bool), versions (how often it was sent), last (when), reminder (text to send, or empty).
    """
    asked = latest[latest[PERIOD].isin(months) & latest[CATEGORY].isin(FORECAST_CATEGORIES)]
    seen = asked.groupby(NODE).agg(
        months=(PERIOD, "nunique"), last=("submitted_at", "max"), versions=("version", "max")
    )
    board = pd.DataFrame({NODE: hierarchy.leaves}).join(seen, on=NODE)
    board["name"] = board[NODE].map(hierarchy.name)
    board["owner"] = board[NODE].map(hierarchy.owner).astype("object")
    empty = board["months"].isna()
    board["state"] = np.select(
        [~empty & (board["months"] == len(months)), ~empty, board[NODE].isin(vacant)],
        ["submitted", "incomplete", "vacant"],
        "missing",
    )
    board["late"] = board["last"] >= pd.Timestamp(due) + pd.Timedelta(days=1)
    board["versions"] = board["versions"].fillna(0).astype("int64")
    wanting = board["state"].isin(["missing", "incomplete"])
    who = board["owner"].where(board["owner"].notna(), board["name"]).astype("str")
    text = (
        who
        + ": your forecast for "
        + ", ".join(months)
        + " is "
        + board["state"]
        + f"; please send it by {due}."
    )
    board["reminder"] = text.where(wanting, "")
    return board[[NODE, "name", "owner", "state", "late", "versions", "last", "reminder"]]


def completeness(hierarchy: Hierarchy, board: pd.DataFrame) -> pd.DataFrame:
    """Count by node how many of its leaves have submitted.

    Returns
    -------
    pd.DataFrame
        Indexed by node: expected (leaves with a person), submitted, incomplete, missing,
        vacant, late, share (submitted / expected; missing where nobody is expected).
    """
    state = board.set_index(NODE)["state"]
    flags = pd.DataFrame(
        {name: (state == name).astype("int64") for name in ("submitted", "incomplete", "missing", "vacant")}
    )
    flags["late"] = board.set_index(NODE)["late"].astype("int64")
    counts = hierarchy.roll_up(flags)
    counts.insert(0, "expected", counts["submitted"] + counts["incomplete"] + counts["missing"])
    counts["share"] = counts["submitted"] / counts["expected"].where(counts["expected"] > 0)
    return counts
