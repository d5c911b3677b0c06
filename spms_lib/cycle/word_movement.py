"""Movement of words in a cycle: whose forecast of the quarter changed between two calls, by how much and why."""

import datetime as dt

import pandas as pd

from spms_lib.collect.movement.bridge import Movement
from spms_lib.collect.movement.words import submission_movement, word_changes
from spms_lib.collect.submissions import FORECAST_CATEGORIES, latest_submissions
from spms_lib.cycle.collection.freeze import call_days
from spms_lib.cycle.collection.heard import submissions_heard
from spms_lib.cycle.desk import Desk
from spms_lib.tables import NAME, NODE, PERIOD


def previous_call(desk: Desk, *, until: dt.date) -> dt.date:
    """Find the last call of the quarter before a day: see `call_days`; a week earlier where there was none."""
    before = [day for day in call_days(desk) if day < until]
    return before[-1] if before else until - dt.timedelta(days=7)


def word_movement(desk: Desk, *, until: dt.date, since: dt.date | None = None) -> Movement:
    """Explain how the forecast of the quarter (closed + commit) changed between two calls: see `submission_movement`.

    Parameters
    ----------
    until, since
        Last words by the end of these days; the previous call if `since` is None.
    """
    before, after, first = _two_words(desk, until, since)
    names = (f"Said by {first}", f"Said by {until}")
    return submission_movement(before, after, names=names).only(FORECAST_CATEGORIES)


def changed_words(desk: Desk, *, until: dt.date, since: dt.date | None = None) -> pd.DataFrame:
    """List whose forecast of the quarter changed between two calls, with the reason given, the largest first.

    Returns
    -------
    pd.DataFrame
        node, name and the columns of `word_changes`, without those that are unchanged; the threshold is
        `reason_above` of the collection's params.
    """
    before, after, _ = _two_words(desk, until, since)
    changes = word_changes(before, after, by=(NODE,), above=desk.params.collection.reason_above)
    moved = changes[changes["state"] != "unchanged"].reset_index(drop=True)
    moved.insert(1, NAME, moved[NODE].map(desk.tree.name))
    return moved


def _two_words(
    desk: Desk, until: dt.date, since: dt.date | None
) -> tuple[pd.DataFrame, pd.DataFrame, dt.date]:
    first = since or previous_call(desk, until=until)
    rows = submissions_heard(desk)
    mine = rows[rows[PERIOD].isin(desk.months) & rows[NODE].isin(desk.scope.leaves)]
    if mine.empty:
        return mine, mine, first
    return latest_submissions(mine, cut_off=first), latest_submissions(mine, cut_off=until), first
