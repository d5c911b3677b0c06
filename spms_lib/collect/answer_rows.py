"""Checked answers as rows for the tables submissions, overrides and notes of the data dictionary."""

import datetime as dt
import hashlib

import pandas as pd

from spms_lib.collect.form import Form
from spms_lib.tables import CATEGORY, NODE, PERIOD, VALUE


def submission_rows(form: Form, said: pd.DataFrame, at: dt.datetime, route: str) -> pd.DataFrame:
    """Lay submissions out; a reason stands in the comment, since the table has no column of its own for it."""
    reason = "Reason: " + said["reason"].astype("str")
    both = (said["comment"].astype("str") + " / " + reason).where(said["comment"].notna(), reason)
    rows = said[[NODE, PERIOD, CATEGORY]].assign(
        value=said[VALUE].astype("int64"),
        submitted_by=form.person,
        submitted_at=pd.Timestamp(at).as_unit("us"),
        confidence=said["confidence"].astype("float64"),
        comment=both.where(said["reason"].notna(), said["comment"]).astype("str"),
        low=said["low"].astype("Int64"),
        high=said["high"].astype("Int64"),
        route=route,
    )
    return rows.astype(dict.fromkeys((NODE, PERIOD, CATEGORY, "submitted_by", "route"), "str"))


def override_rows(form: Form, said: pd.DataFrame, at: dt.datetime) -> pd.DataFrame:
    """Lay overrides out."""
    rows = said[[NODE, PERIOD, CATEGORY]].assign(
        value=said[VALUE].astype("Int64"),
        overridden_by=form.person,
        overridden_at=pd.Timestamp(at).as_unit("us"),
        reason=said["reason"].astype("str"),
    )
    return rows.astype(dict.fromkeys((NODE, PERIOD, CATEGORY, "overridden_by"), "str"))


def note_rows(form: Form, notes: pd.DataFrame, at: dt.datetime) -> pd.DataFrame:
    """Lay field notes out; the same words of the same person about the same node are the same note."""
    rows = [[*map(str, row), form.person] for row in notes[[NODE, "topic", "text"]].itertuples(index=False)]
    words = ["\x1f".join([form.cycle, *row]).encode() for row in rows]
    laid = pd.DataFrame(
        rows, columns=[NODE, "topic", "text", "author"], index=notes.index, dtype="str"
    ).assign(
        note=[f"{form.cycle}-{hashlib.sha256(text).hexdigest()[:10]}" for text in words],
        written_at=pd.Timestamp(at.date()).as_unit("us"),
        status="open",
        answer=None,
    )
    columns = ["note", NODE, "topic", "text", "author", "written_at", "status", "answer"]
    return laid[columns].astype(dict.fromkeys(("note", "status", "answer"), "str"))
