"""Forms of a cycle: made for everybody who is asked, numbered, and kept in the ledger, so that what comes back is known."""

import datetime as dt
import json
from collections.abc import Collection
from typing import Any, Final

import pandas as pd

from spms_lib.collect.asked import PERSON
from spms_lib.collect.form import ASKED, HISTORY, MANAGER, SELLER, TARGETS, Form
from spms_lib.collect.overrides import with_overrides
from spms_lib.collect.submissions import latest_submissions
from spms_lib.cycle.collection.heard import speakers, submissions_heard
from spms_lib.cycle.collection.words import KEY, OVERRIDE
from spms_lib.cycle.desk import Desk
from spms_lib.cycle.evidence import past_submissions
from spms_lib.cycle.targets import read_targets
from spms_lib.store.schema import ITEM, TEXT
from spms_lib.tables import CATEGORY, MEASURE, NAME, NODE, PERIOD, VALUE, to_long, to_wide

KIND: Final = "form"
HISTORY_MONTHS: Final = 12


def due_day(desk: Desk) -> dt.date:
    """Last day on which a submission is in time."""
    return desk.params.collection.due or desk.params.collect_as_of


def forms_of(desk: Desk, *, people: Collection[str] | None = None) -> list[Form]:
    """Make the form of everybody who is asked on the due day, or of some people; nothing is kept.

    Its issue is that of the person's newest form in the ledger if the content is the same, else the next number.
    """
    who = speakers(desk)
    duties = who.duties(due_day(desk))
    if people is not None:
        duties = duties[duties[PERSON].isin(list(people))]
    asked, history, targets = _asked(desk, duties), _history(desk), _targets(desk)
    kept = _newest(desk)
    return [
        _numbered(_form(desk, str(person), rows, asked, history, targets), kept.get(str(person)))
        for person, rows in duties.groupby(PERSON, sort=False)
    ]


def issue_forms(desk: Desk, *, people: Collection[str] | None = None, author: str = "") -> list[Form]:
    """Make forms as `forms_of` does, and keep those that are new or changed in the ledger; return all of them.

    A form whose content has changed since it was issued, such as by a new word that it shows as said, gets the next
    issue number, which makes the earlier one stale. Running it again with the same words keeps nothing new.
    """
    forms = forms_of(desk, people=people)
    cells = pd.DataFrame(
        {
            NODE: desk.tree.root,
            PERIOD: desk.cycle,
            MEASURE: desk.company.measure,
            ITEM: [form.person for form in forms],
            VALUE: pd.array([form.issue for form in forms], dtype="Int64"),
            TEXT: [json.dumps(form.said(), sort_keys=True, ensure_ascii=False) for form in forms],
        }
    )
    if len(cells):
        words = f"{desk.cycle}: forms for {len(cells)} people, due {due_day(desk)}"
        desk.ledger.commit(KIND, cells, author=author or desk.author, message=words)
    return forms


def issued_forms(desk: Desk) -> dict[str, Form]:
    """Return every form that was ever issued in the cycle, by its template."""
    versions = desk.ledger.versions(KIND, periods=[desk.cycle])
    forms = [Form.read(json.loads(text)) for text in versions[TEXT].dropna()]
    return {form.template: form for form in forms}


def issued_form(desk: Desk, template: str) -> Form | None:
    """Return the form with this template as it was issued; None if the ledger does not know it."""
    return issued_forms(desk).get(template)


def newest_issue(desk: Desk, form: Form) -> int:
    """Return the number of the newest form of the same person; 0 where none was issued."""
    kept = _newest(desk).get(form.person)
    return kept.issue if kept else 0


def _newest(desk: Desk) -> dict[str, Form]:
    state = desk.ledger.state(KIND)
    mine = state[state[PERIOD] == desk.cycle]
    return {
        str(person): Form.read(json.loads(text)) for person, text in zip(mine[ITEM], mine[TEXT], strict=True)
    }


def _form(
    desk: Desk,
    person: str,
    rows: pd.DataFrame,
    asked: pd.DataFrame,
    history: pd.DataFrame,
    targets: pd.DataFrame,
) -> dict[str, Any]:
    told = desk.params.collection
    nodes = list(rows[NODE])
    mine = asked[asked[PERSON] == person][list(ASKED)].reset_index(drop=True)
    return {
        "company": desk.company.company,
        "cycle": desk.cycle,
        "person": person,
        "role": MANAGER if (rows["kind"] == OVERRIDE).any() else SELLER,
        "currency": desk.currency,
        "due": due_day(desk),
        "cut_off": desk.params.collect_as_of,
        "asked": mine,
        "history": history[history[NODE].isin(nodes)].reset_index(drop=True),
        "targets": targets[targets[NODE].isin(nodes)].reset_index(drop=True),
        "ask_range": told.ask_range,
        "range_share": told.range_share,
        "reason_above": told.reason_above,
    }


def _numbered(parts: dict[str, Any], kept: Form | None) -> Form:
    if kept is None:
        return Form(**parts, issue=1)
    same = Form(**parts, issue=kept.issue)
    return same if same.said() == kept.said() else Form(**parts, issue=kept.issue + 1)


def _asked(desk: Desk, duties: pd.DataFrame) -> pd.DataFrame:
    """Put months and categories under each person's nodes, and what was last said there."""
    told = list(desk.params.collection.categories)
    grid = pd.MultiIndex.from_product([desk.months, told], names=[PERIOD, CATEGORY]).to_frame(index=False)
    rows = duties.merge(grid, how="cross")
    heard = submissions_heard(desk)
    mine = heard[heard[PERIOD].isin(desk.months) & heard[NODE].isin(desk.tree.leaves)]
    latest = latest_submissions(mine, cut_off=desk.params.collect_as_of)
    nothing = pd.DataFrame(columns=[*KEY, VALUE, "overridden_by", "overridden_at", "reason"])
    spoken = with_overrides(desk.tree, latest, nothing)[[*KEY, "said"]]
    rows = rows.merge(spoken, on=KEY, how="left").astype({"said": "Int64"})
    return rows.assign(**{NAME: rows[NODE].map(desk.tree.name)})


def _history(desk: Desk) -> pd.DataFrame:
    """Lay actual and forecast of the last twelve months side by side, at every node.

    The forecast of a node above the leaves is missing in a month in which a leaf sold something and said nothing.
    """
    past = desk.history()
    months = list(past.columns)[-HISTORY_MONTHS:]
    quarters = list(dict.fromkeys(desk.calendar.quarter_of(month) for month in months))
    said = past_submissions(desk, quarters)
    leaves = desk.tree.leaves
    wide = to_wide(said[said[NODE].isin(leaves)]).reindex(index=leaves, columns=months).astype(float)
    silent = wide.isna() & (past.loc[leaves, months].fillna(0.0) != 0)
    forecast = desk.tree.roll_up(wide).where(desk.tree.roll_up(silent.astype("int64")) == 0)
    rows = to_long(past[months], value="actual").merge(
        to_long(forecast, value="forecast"), on=[NODE, PERIOD], how="outer"
    )
    whole = rows.assign(actual=rows["actual"].round(), forecast=rows["forecast"].round())
    place = whole[NODE].map({node: number for number, node in enumerate(desk.tree.nodes)})
    ordered = whole.assign(place=place).sort_values(["place", PERIOD], kind="stable", ignore_index=True)
    return ordered[list(HISTORY)].astype({"actual": "Int64", "forecast": "Int64"})


def _targets(desk: Desk) -> pd.DataFrame:
    if not desk.params.collection.show_target:
        return pd.DataFrame({NODE: [], PERIOD: [], VALUE: []}).astype({VALUE: "Int64"})[list(TARGETS)]
    return to_long(read_targets(desk)).astype({VALUE: "Int64"})[list(TARGETS)]
