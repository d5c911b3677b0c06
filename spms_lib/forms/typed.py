"""What a person typed into a grid or a web page, cell by cell as text: read as files are, checked as every answer is."""

import datetime as dt
from typing import Final

import pandas as pd

from spms_lib.collect.answers import SAID, answer_of
from spms_lib.collect.form import Answer, Form
from spms_lib.findings import NOTED, REJECTED, findings, join
from spms_lib.money import minor_per_unit
from spms_lib.sources.coerce import REMEDIES, Coerced, to_money, to_ratio, to_text
from spms_lib.tables import VALUE

AMOUNTS: Final = (VALUE, "low", "high")


def typed_answer(
    form: Form,
    typed: pd.DataFrame,
    notes: pd.DataFrame,
    *,
    origin: str,
    at: dt.datetime,
    route: str,
    decimal: str = ".",
) -> Answer:
    """Read what was typed, and check it against the form; see `answer_of`.

    A cell that cannot be read leaves its row out and becomes a finding; an empty one means that nothing was said.

    Parameters
    ----------
    typed
        Columns `SAID` as text, in currency units, indexed by row number from 1.
    notes
        Columns node, topic, text, indexed by numbers that continue those of `typed`.
    decimal
        Decimal mark of amounts, `.` or `,`.
    """
    said, found = typed.reindex(columns=list(SAID)).astype("str"), []
    per_unit = minor_per_unit(form.currency)
    for column in (*AMOUNTS, "confidence"):
        text = to_text(said[column])[0]
        read: Coerced = (
            to_ratio(text, decimal) if column == "confidence" else to_money(text, per_unit, decimal)
        )
        said[column], reasons = read
        for reason in reasons.dropna().unique():
            for unread, severity in ((True, REJECTED), (False, NOTED)):
                here = (reasons == reason) & (said[column].isna() == unread)
                rows = said.index[here].tolist()
                found.append(
                    findings(origin, rows, column, reason, text[here], REMEDIES[reason], severity=severity)
                )
    for column in ("comment", "reason"):
        said[column] = to_text(said[column])[0]
    return answer_of(form, said, notes, origin=origin, at=at, route=route, found=join(*found))
