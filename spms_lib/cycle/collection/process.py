"""The collection of forecasts: who is asked, what was heard, what managers changed, and what the plan takes from it."""

import datetime as dt
from typing import Final

import pandas as pd

from spms_lib.collect.board import status_board
from spms_lib.collect.overrides import DIRECT, with_overrides
from spms_lib.collect.pipeline import pipeline_forecast
from spms_lib.collect.reasons import changes_by_override, changes_of_submissions
from spms_lib.collect.submissions import (
    FORECAST_CATEGORIES,
    field_forecast,
    latest_overrides,
    latest_submissions,
)
from spms_lib.cycle.collection.answers import (
    AnswerRefusedError,
    Recorded,
    read_drop,
    read_table,
    record_answer,
    revert,
)
from spms_lib.cycle.collection.forms import (
    due_day,
    forms_of,
    issue_forms,
    issued_form,
    issued_forms,
    newest_issue,
)
from spms_lib.cycle.collection.freeze import Snapshot, call_days, freeze, freeze_calls, frozen, snapshots
from spms_lib.cycle.collection.heard import overrides_heard, speakers, submissions_heard
from spms_lib.cycle.collection.notes import field_notes
from spms_lib.cycle.desk import Desk
from spms_lib.cycle.outcome import dated_results
from spms_lib.deals import snapshot
from spms_lib.tables import CATEGORY, DATE, NODE, PERIOD, SOURCE, VALUE

__all__ = [
    "AnswerRefusedError",
    "Recorded",
    "Snapshot",
    "call_days",
    "changes",
    "collection_log",
    "due_day",
    "field_estimate",
    "field_notes",
    "field_submissions",
    "forms_of",
    "freeze",
    "freeze_calls",
    "frozen",
    "issue_forms",
    "issued_form",
    "issued_forms",
    "manager_estimates",
    "newest_issue",
    "overridden",
    "overrides_in_force",
    "past_manager_estimates",
    "read_drop",
    "read_table",
    "record_answer",
    "revert",
    "snapshots",
    "status",
    "submissions_of_cycle",
]

MANAGER: Final = "manager"


def submissions_of_cycle(desk: Desk) -> pd.DataFrame:
    """Return every version of every submission of the plan's leaves on the quarter, oldest first, late ones too."""
    heard = submissions_heard(desk)
    mine = heard[PERIOD].isin(desk.months) & heard[NODE].isin(desk.tree.leaves)
    return heard[mine].reset_index(drop=True)


def field_submissions(desk: Desk, *, as_of: dt.date | None = None) -> pd.DataFrame:
    """Return each leaf's last word on the quarter by a day, the cut-off where left out; empty where nobody submits."""
    return latest_submissions(submissions_of_cycle(desk), cut_off=as_of or desk.params.collect_as_of)


def overrides_in_force(desk: Desk, *, as_of: dt.date | None = None) -> pd.DataFrame:
    """Return the last override of each node, month and category by a day; one taken back has no value."""
    heard = overrides_heard(desk)
    mine = heard[heard[PERIOD].isin(desk.months) & heard[NODE].isin(desk.tree.nodes)]
    return latest_overrides(mine, cut_off=as_of or desk.params.collect_as_of)


def overridden(desk: Desk, *, as_of: dt.date | None = None) -> pd.DataFrame:
    """Lay the overrides in force over what was submitted, at every node: see `with_overrides`."""
    return with_overrides(
        desk.tree, field_submissions(desk, as_of=as_of), overrides_in_force(desk, as_of=as_of)
    )


def changes(desk: Desk, *, as_of: dt.date | None = None) -> pd.DataFrame:
    """List every change of a forecast by a day with its reason, or without one where one was required.

    Returns
    -------
    pd.DataFrame
        As `changes_of_submissions`, overrides in force below.
    """
    end = pd.Timestamp(as_of or desk.params.collect_as_of) + pd.Timedelta(days=1)
    heard = submissions_of_cycle(desk)
    steps = changes_of_submissions(
        heard[heard["submitted_at"] < end], reason_above=desk.params.collection.reason_above
    )
    parts = [part for part in (steps, changes_by_override(overridden(desk, as_of=as_of))) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else steps


def status(desk: Desk, *, as_of: dt.date | None = None, how: str = "the form you were sent") -> pd.DataFrame:
    """Show who has spoken, as of a day or the cut-off, against the last snapshot before it: see `status_board`."""
    day = as_of or desk.params.collect_as_of
    known = snapshots(desk)
    earlier = known[known["day"] < pd.Timestamp(day)]
    before = frozen(desk, str(earlier["name"].iloc[-1])).submissions if len(earlier) else None
    return status_board(
        desk.tree,
        submissions_of_cycle(desk),
        desk.months,
        asked=speakers(desk).of_leaves(day),
        due=due_day(desk),
        cut_off=day,
        before=before,
        how=how,
    )


def field_estimate(desk: Desk) -> tuple[pd.DataFrame, str]:
    """Find what the field expects of each leaf and month, and say how it was heard.

    Submissions where the company collects them; else what has closed plus the weighted
    open deals of the last snapshot by the cut-off; else nothing.

    Returns
    -------
    pd.DataFrame
        Columns node, period, source (`field`), value (minor units).
    str
        `submissions`, `pipeline` or `nobody`.
    """
    latest = field_submissions(desk)
    if len(latest):
        return field_forecast(latest), "submissions"
    deals = (
        snapshot(desk.table("opportunities"), as_of=desk.params.collect_as_of)
        if desk.has("opportunities")
        else None
    )
    if deals is not None and len(deals):
        sold = dated_results(desk)[[NODE, DATE, VALUE]]
        heard = pipeline_forecast(deals, sold, desk.months, desk.calendar, as_of=desk.params.collect_as_of)
        return heard[heard[NODE].isin(desk.tree.leaves)], "pipeline"
    return pd.DataFrame(columns=[NODE, PERIOD, SOURCE, VALUE]), "nobody"


def manager_estimates(desk: Desk) -> pd.DataFrame:
    """Return what managers expect where they changed a forecast: closed plus commit after their override.

    Returns
    -------
    pd.DataFrame
        Columns node, period, source (`manager`), value (minor units); rows only for nodes and months with an
        override of their own in force by the cut-off.
    """
    return _managers(overridden(desk))


def past_manager_estimates(desk: Desk, quarters: list[str]) -> pd.DataFrame:
    """Return the same for past quarters, each by the lead of this one: the record that managers are weighed by."""
    said, changed = submissions_heard(desk), overrides_heard(desk)
    lead = desk.params.collect_as_of - desk.calendar.start(desk.cycle)
    parts = []
    for quarter in quarters if len(changed) else []:
        day, months = desk.calendar.start(quarter) + lead, desk.calendar.months(quarter)
        sent = said[said[PERIOD].isin(months) & said[NODE].isin(desk.tree.leaves)]
        moved = changed[changed[PERIOD].isin(months) & changed[NODE].isin(desk.tree.nodes)]
        laid = with_overrides(
            desk.tree, latest_submissions(sent, cut_off=day), latest_overrides(moved, cut_off=day)
        )
        parts.append(_managers(laid))
    some = [part for part in parts if len(part)]
    return pd.concat(some, ignore_index=True) if some else pd.DataFrame(columns=[NODE, PERIOD, SOURCE, VALUE])


def collection_log(desk: Desk) -> pd.DataFrame:
    """List what happened in the collection, oldest first: forms, words, reverts, and snapshots with their names.

    Returns
    -------
    pd.DataFrame
        Columns seq, time (UTC), author, kind, cells, message, signed (names of snapshots), id.
    """
    kinds = ("form", "submission", "override", "note")
    branch = f"{desk.cycle} frozen"
    scenarios = ["main"] + ([branch] if desk.ledger.head(branch) else [])
    parts = [desk.ledger.log(scenario=scenario, kind=kind) for scenario in scenarios for kind in kinds]
    some = [part for part in parts if len(part)] or parts[:1]
    joined = pd.concat(some, ignore_index=True).rename(columns={"signoffs": "signed"})
    about = joined["message"].str.startswith(f"{desk.cycle}:") | joined["message"].str.startswith("Reverts ")
    ordered = joined[about].sort_values("seq", ignore_index=True)
    return ordered[["seq", "time", "author", "kind", "cells", "message", "signed", "id"]]


def _managers(laid: pd.DataFrame) -> pd.DataFrame:
    counted = laid[laid[CATEGORY].isin(FORECAST_CATEGORIES)]
    direct = (counted["how"] == DIRECT).groupby([counted[NODE], counted[PERIOD]]).transform("any")
    total = counted[direct].groupby([NODE, PERIOD])[VALUE].sum(min_count=1).dropna().reset_index()
    return total.assign(source=MANAGER).astype({VALUE: float})[[NODE, PERIOD, SOURCE, VALUE]]
