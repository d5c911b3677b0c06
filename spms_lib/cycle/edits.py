"""Edits of the quarter's targets: kept in the ledger with owner and reason, and made again on every new cascade."""

import json
from typing import Any

import pandas as pd

from spms_lib.cycle.baselines import baseline_values
from spms_lib.cycle.desk import Desk
from spms_lib.cycle.targets import holds_in_force, read_targets
from spms_lib.errors import LedgerError, SpmsError
from spms_lib.goals.edits import Draft, Edit, apply, changes, proof
from spms_lib.money import format_money
from spms_lib.store.commits import Commit
from spms_lib.store.schema import AUTHOR, COMMIT, ITEM, TEXT, TIME
from spms_lib.tables import MEASURE, NODE, OWNER, PERIOD, VALUE

KIND = "edit"
COLUMNS = ("number", NODE, PERIOD, "edit", VALUE, OWNER, "reason", AUTHOR, TIME, COMMIT)


def start_draft(desk: Desk, base: pd.DataFrame, holds: pd.DataFrame) -> Draft:
    """Start a draft of the quarter's targets: what is held stays, and so does the company's number of each month.

    Parameters
    ----------
    base
        Nodes x months, whole minor units: a cascade, or the targets of the ledger.
    holds
        From `holds_in_force`.
    """
    draft = Draft.of(desk.tree, base, desk.calendar)
    for month in desk.months:
        draft = draft.hold(desk.tree.root, month)
    for row in holds.to_dict("records"):
        node, period, value = str(row[NODE]), str(row[PERIOD]), int(row[VALUE])
        if draft.value(node, period) != value:  # placed since the targets were committed
            draft = apply(draft, Edit("proportional", node, period, amount=value))
        draft = draft.hold(node, period)
    return draft


def references(desk: Desk) -> dict[str, pd.DataFrame]:
    """Return the tables that a relative edit may name: `last_year` and `baseline`, leaves x months of the quarter."""
    history = desk.history().loc[desk.tree.leaves]
    last = {month: desk.calendar.same_period_last_year(month) for month in desk.months}
    return {
        "last_year": history.reindex(columns=list(last.values())).set_axis(list(last), axis=1),
        "baseline": baseline_values(desk).loc[desk.tree.leaves],
    }


def edits_in_force(desk: Desk) -> pd.DataFrame:
    """List the edits of the quarter in the order in which they were made.

    Returns
    -------
    pd.DataFrame
        Columns number, node, period, edit (an `Edit`), value (minor units, null for a ratio), owner, reason,
        author, time, commit.
    """
    state = desk.ledger.state(KIND)
    mine = state[
        state[PERIOD].isin([*desk.months, desk.cycle]) & (state[MEASURE] == desk.company.measure)
    ].sort_values(ITEM, kind="stable")
    said = [json.loads(text) for text in mine[TEXT]]
    table = mine[[NODE, PERIOD, VALUE, AUTHOR, TIME, COMMIT]].assign(
        number=mine[ITEM],
        edit=pd.Series([Edit.read(one["edit"]) for one in said], index=mine.index, dtype="object"),
        owner=[one[OWNER] for one in said],
        reason=[one["reason"] for one in said],
    )
    return table[list(COLUMNS)].reset_index(drop=True)


def in_words(desk: Desk, edit: Edit) -> str:
    """Say an edit in a line, amounts in the company's currency to the cent."""
    return edit.words(lambda amount: format_money(amount, desk.currency))


def preview_edit(desk: Desk, edit: Edit) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Show what an edit would change in the targets of the ledger, and its proof: see `changes` and `proof`. Nothing is kept."""
    before = start_draft(desk, read_targets(desk), holds_in_force(desk))
    known = references(desk) if edit.reference else {}
    after = apply(before, edit, references=known)
    return changes(before, after), proof(before, after)


def record_edit(desk: Desk, edit: Edit, *, author: str, owner: str, reason: str) -> Commit:
    """Keep an edit in the ledger; the next cascade makes it again, after those before it.

    Raises
    ------
    LedgerError
        If owner or reason is missing, or somebody recorded an edit at the same moment.
    SpmsError
        If the edit cannot be made on today's targets.
    """
    for name, given in ((OWNER, owner), ("reason", reason)):
        if not given.strip():
            raise LedgerError(f"The edit has no {name}.", where=str(edit), remedy=f"Say {name}.")
    head = desk.ledger.head() or ""
    preview_edit(desk, edit)
    numbers = desk.ledger.state(KIND)[ITEM]
    number = f"{max((int(one) for one in numbers), default=0) + 1:04d}"
    said: dict[str, Any] = {"edit": edit.said(), OWNER: owner, "reason": reason}
    cell = pd.DataFrame(
        {
            NODE: [edit.node],
            PERIOD: [edit.period],
            MEASURE: [desk.company.measure],
            ITEM: [number],
            VALUE: pd.array([edit.amount], dtype="Int64"),
            "unit": [desk.currency],
            TEXT: [json.dumps(said, sort_keys=True, ensure_ascii=False)],
        }
    )
    made = desk.ledger.commit(
        KIND, cell, author=author, message=f"{in_words(desk, edit)}: {reason}", base=head
    )
    assert made is not None
    return made


def undo_edit(desk: Desk, number: str, *, author: str, reason: str) -> Commit:
    """Take an edit back by a reverting commit; the next cascade no longer makes it.

    Raises
    ------
    LedgerError
        If there is no such edit, or no reason is given.
    """
    table = edits_in_force(desk)
    mine = table[table["number"] == number.zfill(4)]
    if mine.empty or not reason.strip():
        raise LedgerError(
            f"There is no edit {number}." if mine.empty else "An edit is taken back without a reason.",
            where=desk.cycle,
            remedy=f"In force: {', '.join(table['number']) or 'none'}." if mine.empty else "Say why.",
        )
    return desk.ledger.revert(str(mine[COMMIT].iloc[0]), author=author, message=reason)


def make_edits(desk: Desk, base: pd.DataFrame, holds: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make all edits in force on a new cascade, one after the other.

    Returns
    -------
    pd.DataFrame
        The targets with the edits: nodes x months, int64 minor units.
    pd.DataFrame
        The edits: number, edit (in words), owner, reason, made, proved (True or False: see `proof`), cells (how many
        nodes and months it changed), detail (why it could not be made, such as a seat that has gone or a hold in the
        way, or what the proof found).
    """
    draft, rows = start_draft(desk, base, holds), []
    in_force = edits_in_force(desk)
    known = references(desk) if any(edit.reference for edit in in_force["edit"]) else {}
    for row in in_force.to_dict("records"):
        before, made, detail = draft, True, ""
        try:
            draft = apply(draft, row["edit"], references=known)
        except SpmsError as refusal:
            made, detail = False, str(refusal)
        failed = proof(before, draft).query("not passed")
        if len(failed):
            detail = "; ".join(f"not so: {one.check} ({one.detail})" for one in failed.itertuples())
        cells = len(changes(before, draft))
        said = row["number"], in_words(desk, row["edit"]), row[OWNER], row["reason"]
        rows.append((*said, made, made and failed.empty, cells, detail))
    table = pd.DataFrame(
        rows, columns=["number", "edit", OWNER, "reason", "made", "proved", "cells", "detail"]
    )
    return draft.table().astype("int64"), table
