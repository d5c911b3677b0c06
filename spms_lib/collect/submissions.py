"""Submissions: what forecasters sent, their last words, and what it adds up to."""

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
    return latest_words(submissions, "submitted_at", cut_off=cut_off)


def latest_overrides(overrides: pd.DataFrame, *, cut_off: dt.date) -> pd.DataFrame:
    """Take the last override of each node, period and category up to the end of a day: see `latest_submissions`.

    One that was taken back is there, without a value.
    """
    return latest_words(overrides, "overridden_at", cut_off=cut_off)


def latest_words(words: pd.DataFrame, at: str, *, cut_off: dt.date) -> pd.DataFrame:
    """Take the last row of each node, period and category whose time `at` lies before the end of the cut-off day."""
    end = pd.Timestamp(cut_off) + pd.Timedelta(days=1)
    heard = words[words[at] < end].sort_values(at, kind="stable")
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
