"""What the field wrote: notes from forms, kept in the ledger, beside those of the company's table."""

import hashlib
import json
from typing import Any, Final

import pandas as pd

from spms_lib.collect.form import Answer
from spms_lib.cycle.desk import Desk
from spms_lib.findings import findings
from spms_lib.store.commits import Commit
from spms_lib.store.schema import ITEM, TEXT
from spms_lib.tables import MEASURE, NODE, PERIOD, VALUE, schema

NOTE: Final = "note"
FIELD_NOTE: Final = "field "
"""How the items of field notes start; other notes of the ledger are records of decisions."""


def field_notes(desk: Desk) -> pd.DataFrame:
    """List what the field wrote, in the company's table and on forms: the columns of the table `notes`."""
    rows, kept = desk.table("notes"), _kept(desk)
    told = pd.DataFrame(
        [{"note": item.removeprefix(FIELD_NOTE), NODE: node, **said} for (node, item), said in kept.items()],
        columns=schema("notes").names,
    )
    told["written_at"] = pd.to_datetime(told["written_at"])
    parts = [part for part in (rows, told[~told["note"].isin(rows["note"])]) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else rows


def checked_notes(desk: Desk, answer: Answer, *, when: pd.Timestamp) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Turn an answer's notes into cells of a commit, and findings for those on nodes that the plan does not know.

    A note without an identifier is named by its content, so the same words twice are one note.
    """
    rows = answer.notes.reindex(columns=answer.notes.columns.union([NODE]))
    unknown = ~rows[NODE].isin(desk.tree.nodes)
    found = findings(
        answer.origin, [number + 1 for number, bad in enumerate(unknown) if bad], NODE,
        "is no node of the plan's tree", rows.loc[unknown, NODE], "Correct the node.",
    )  # fmt: skip
    told: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows[~unknown].to_dict("records"):
        said = {"author": answer.person, "status": "open"}
        said |= {str(name): str(value) for name, value in row.items() if not pd.isna(value)}
        day = pd.Timestamp(said.pop("written_at", when)).strftime("%Y-%m-%d")
        node, name = said.pop(NODE), said.pop("note", "")
        name = name or hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:8]
        told[node, FIELD_NOTE + name] = {**said, "written_at": day}
    kept = _kept(desk)
    new = {key: said for key, said in told.items() if _words(said) != _words(kept.get(key, {}))}
    cells = pd.DataFrame([(*key, _json(said)) for key, said in new.items()], columns=[NODE, ITEM, TEXT])
    cells[[PERIOD, MEASURE]] = desk.cycle, desk.company.measure
    cells[VALUE] = pd.array([None] * len(cells), dtype="Int64")
    return cells, found


def enter_notes(desk: Desk, cells: pd.DataFrame, *, author: str, what: str) -> Commit | None:
    """Commit the cells of `checked_notes`; None if there are none."""
    if cells.empty:
        return None
    words = f"{desk.cycle}: {len(cells)} field {'notes' if len(cells) > 1 else 'note'} ({what})"
    return desk.ledger.commit(NOTE, cells, author=author, message=words)


def _kept(desk: Desk) -> dict[tuple[str, str], dict[str, Any]]:
    state = desk.ledger.state(NOTE)
    mine = state[state[ITEM].str.startswith(FIELD_NOTE)]
    return {
        (node, item): json.loads(text)
        for node, item, text in mine[[NODE, ITEM, TEXT]].itertuples(index=False)
    }


def _words(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if name != "written_at"}


def _json(said: dict[str, Any]) -> str:
    return json.dumps(said, sort_keys=True, ensure_ascii=False)
