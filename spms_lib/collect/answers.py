"""What was said on a form, checked the same way whatever it came by: a workbook, the notebook's grid or a web page."""

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

import numpy as np
import pandas as pd

from spms_lib.collect.answer_rows import note_rows, override_rows, submission_rows
from spms_lib.collect.form import OVERRIDE, SUBMISSION, Answer, Form
from spms_lib.findings import COLUMN as FOUND_COLUMN
from spms_lib.findings import NOTED, REJECTED, ROW, SEVERITY, findings, join, no_findings
from spms_lib.tables import CATEGORY, NODE, PERIOD, VALUE

SAID: Final = (NODE, PERIOD, CATEGORY, "kind", VALUE, "low", "high", "confidence", "comment", "reason")
NOTED_DOWN: Final = (NODE, "topic", "text")
LONGEST: Final = 2000
"""Characters of a comment, reason or note that are kept."""
LARGEST: Final = 10**15
"""Largest amount in minor units; a spreadsheet holds no more digits than these."""

NOT_ASKED: Final = "not asked for on this form"
TWICE: Final = "said twice"
BESIDE_NOTHING: Final = "filled in beside an empty amount"
NEGATIVE: Final = "negative amount"
CREDITS: Final = "closed is negative"
NO_REASON: Final = "override without a reason"
CHANGE_UNEXPLAINED: Final = "large change without a reason"
RANGE_ELSEWHERE: Final = "range beside another category than commit; left out"
RANGE_ORDER: Final = "range does not hold the forecast; range left out"
NOT_A_SHARE: Final = "confidence is not between 0 and 100 %; left empty"
TOO_LONG: Final = f"longer than {LONGEST} characters; cut"
NO_NODE: Final = "note without a node of this form"
NO_TEXT: Final = "note without text"
NOTE_TWICE: Final = "note written twice; kept once"
OTHER_TOPIC: Final = "topic is not in the list; filed under other"
NOT_A_NUMBER: Final = "not a number"
TOO_LARGE: Final = "number is too large"
ROUNDED: Final = "more decimals than the currency has; rounded"

Place = Callable[[int, str], str]
_KEY: Final = [NODE, PERIOD, CATEGORY, "kind"]
_TEXTS: Final = ("comment", "reason")
_ABOUT: Final = ("low", "high", "confidence", *_TEXTS)


def to_amount(number: object, per_unit: int) -> tuple[int | None, str]:
    """Read one number in currency units as whole minor units, half to even.

    Floats count to 15 digits, which is what a spreadsheet shows: the noise behind them is not a decimal.

    Returns
    -------
    tuple[int | None, str]
        Minor units, and a reason (empty, or `ROUNDED` beside an amount); no amount where there is a finding.

    Examples
    --------
    >>> to_amount(0.1 + 0.2, 100), to_amount(12.345, 100), to_amount(True, 100)
    ((30, ''), (1234, 'more decimals than the currency has; rounded'), (None, 'not a number'))
    """
    if isinstance(number, bool) or not isinstance(number, (int, float, Decimal)):
        return None, NOT_A_NUMBER
    exact = Decimal(f"{number:.15g}") if isinstance(number, float) else Decimal(number)
    if not exact.is_finite():
        return None, NOT_A_NUMBER
    if exact.copy_abs() * per_unit > LARGEST:
        return None, TOO_LARGE
    minor = int((exact * per_unit).to_integral_value(ROUND_HALF_EVEN))
    return minor, "" if minor == exact * per_unit else ROUNDED


def answer_of(
    form: Form,
    said: pd.DataFrame,
    notes: pd.DataFrame,
    *,
    origin: str,
    at: dt.datetime,
    route: str,
    found: pd.DataFrame | None = None,
    place: Place | None = None,
) -> Answer:
    """Check what a person said against the form, and lay it out as rows for the tables of the data dictionary.

    An empty amount is no row; 0 is a word. An override needs a reason. A submission that changes by more than the
    form's `reason_above` without one is kept and noted; its reason stands in the comment. A range that does not hold
    the forecast is left out, and the forecast is kept.

    Parameters
    ----------
    said
        Columns `SAID`, indexed by row number from 1: value, low, high (Int64 minor units), confidence (ratio),
        texts; missing where left empty.
    notes
        Columns `NOTED_DOWN`, indexed by row numbers that continue those of `said`.
    at
        When it was sent; stands in every row.
    route
        workbook, notebook or form.
    found
        Findings that reading it has made already; rows that they reject are left out.
    place
        What a finding says for a row number and column, such as `Forecast!F7`; the column if not given.
    """
    check = _Check(form, origin, place or (lambda _row, column: column), found)
    said, notes = said[list(SAID)], notes[list(NOTED_DOWN)]
    said = check.without_rejected(said)
    check.reject(said, ~_asked(form, said), VALUE, NOT_ASKED, "Ask for a form that has this row.")
    check.reject(said, said.duplicated(_KEY, keep=False), VALUE, TWICE, "Keep one of the rows.")
    said = check.without_rejected(said)
    for column in _ABOUT:
        beside = said[VALUE].isna() & said[column].notna()
        remedy = "Fill in the amount, 0 if you expect nothing; write a remark on the sheet Notes."
        check.reject(said, beside, column, BESIDE_NOTHING, remedy)
    said = check.without_rejected(said[said[VALUE].notna()])
    said = _texts_cut(check, said, _TEXTS)
    said = _ranged(check, _signed(check, said))
    wrong = ~said["confidence"].between(0, 1) & said["confidence"].notna()
    check.note(said, wrong, "confidence", NOT_A_SHARE, "Write 80% or 0.8.")
    said = said.assign(confidence=said["confidence"].mask(wrong))
    said = _reasoned(check, said)
    given, changed = (said[said["kind"] == kind] for kind in (SUBMISSION, OVERRIDE))
    return Answer(
        form.template,
        form.person,
        origin,
        submission_rows(form, given, at, route),
        override_rows(form, changed, at),
        note_rows(form, _noted(check, check.without_rejected(notes)), at),
        join(*check.found),
    )


class _Check:
    """Findings of one answer as they are made."""

    def __init__(self, form: Form, origin: str, place: Place, found: pd.DataFrame | None) -> None:
        self.form, self.origin, self.place = form, origin, place
        self.found = [no_findings() if found is None else found]

    def note(self, rows: pd.DataFrame, where: "pd.Series[bool]", column: str, rule: str, remedy: str) -> None:
        self._find(rows, where, column, rule, remedy, NOTED)

    def reject(
        self, rows: pd.DataFrame, where: "pd.Series[bool]", column: str, rule: str, remedy: str
    ) -> None:
        self._find(rows, where, column, rule, remedy, REJECTED)

    def _find(
        self, rows: pd.DataFrame, where: "pd.Series[bool]", column: str, rule: str, remedy: str, severity: str
    ) -> None:
        chosen = where.to_numpy(dtype=bool)
        if chosen.any():
            numbers = rows.index[chosen].tolist()
            values = [_shown(cell, column, self.form) for cell in rows[column][chosen]]
            found = findings(self.origin, numbers, column, rule, values, remedy, severity=severity)
            places = [self.place(number, column) for number in numbers]
            self.found.append(found.assign(**{FOUND_COLUMN: places}))

    def without_rejected(self, rows: pd.DataFrame) -> pd.DataFrame:
        lost = [row for part in self.found for row in part.loc[part[SEVERITY] == REJECTED, ROW]]
        return rows[~rows.index.isin(lost)] if lost else rows


def _shown(cell: Any, column: str, form: Form) -> str:
    from spms_lib.money import format_money

    if pd.isna(cell):
        return ""
    return format_money(cell, form.currency) if column in {VALUE, "low", "high"} else str(cell)[:200]


def _asked(form: Form, said: pd.DataFrame) -> "pd.Series[bool]":
    asked = pd.MultiIndex.from_frame(form.asked[_KEY])
    return pd.Series(pd.MultiIndex.from_frame(said[_KEY]).isin(asked), index=said.index)


def _texts_cut(check: _Check, rows: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    for column in columns:
        check.note(rows, rows[column].str.len().fillna(0) > LONGEST, column, TOO_LONG, "Say it shorter.")
    return rows.assign(**{column: rows[column].str.slice(0, LONGEST) for column in columns})


def _signed(check: _Check, said: pd.DataFrame) -> pd.DataFrame:
    """Reject negative amounts but for closed, where credits may exceed sales."""
    negative, closed = said[VALUE] < 0, said[CATEGORY] == "closed"
    check.note(said, negative & closed, VALUE, CREDITS, "Check that credits exceed sales.")
    check.reject(said, negative & ~closed, VALUE, NEGATIVE, "Write 0 or more; only closed may be negative.")
    return check.without_rejected(said)


def _ranged(check: _Check, said: pd.DataFrame) -> pd.DataFrame:
    some = said["low"].notna() | said["high"].notna()
    elsewhere = some & (
        (said[CATEGORY] != "commit") | (said["kind"] == OVERRIDE) | (not check.form.ask_range)
    )
    check.note(
        said, elsewhere, "low", RANGE_ELSEWHERE, "Give a range beside the commit only, where it is asked for."
    )
    low, high, value = (said[name].astype("Float64") for name in ("low", "high", VALUE))
    below, above = ((low > value).fillna(False), (high < value).fillna(False))
    remedy = "low must not be above the forecast, high not below it."
    check.note(said, below & ~elsewhere, "low", RANGE_ORDER, remedy)
    check.note(said, above & ~below & ~elsewhere, "high", RANGE_ORDER, remedy)
    wrong = elsewhere | below | above
    return said.assign(low=said["low"].mask(wrong), high=said["high"].mask(wrong))


def _reasoned(check: _Check, said: pd.DataFrame) -> pd.DataFrame:
    """Reject overrides without a reason; note submissions that change much without one."""
    silent = said["reason"].isna()
    override = said["kind"] == OVERRIDE
    check.reject(said, silent & override, "reason", NO_REASON, "Say why the number differs, in a few words.")
    before = said[_KEY].merge(check.form.asked, on=_KEY, how="left")["said"].set_axis(said.index)
    change = (said[VALUE].astype("Float64") - before.astype("Float64")).abs()
    large = (change > check.form.reason_above * before.astype("Float64").abs()).fillna(False)
    above = f"Say why; a change of more than {check.form.reason_above:.0%} needs a reason."
    check.note(said, large & silent & ~override, "reason", CHANGE_UNEXPLAINED, above)
    return check.without_rejected(said)


def _noted(check: _Check, notes: pd.DataFrame) -> pd.DataFrame:
    form = check.form
    nodes = form.asked[NODE].unique().tolist()
    if len(nodes) == 1:
        notes = notes.assign(**{NODE: notes[NODE].fillna(nodes[0])})
    check.reject(
        notes, notes["text"].isna(), "text", NO_TEXT, "Write what you want to say, or empty the row."
    )
    notes = check.without_rejected(notes)
    check.reject(notes, ~notes[NODE].isin(nodes), NODE, NO_NODE, f"Choose one of {', '.join(nodes[:8])}.")
    notes = _texts_cut(check, check.without_rejected(notes), ("text",))
    other = ~notes["topic"].isin(form.topics)
    check.note(notes, other, "topic", OTHER_TOPIC, f"Choose one of {', '.join(form.topics)}.")
    notes = notes.assign(topic=np.where(other, "other", notes["topic"]))
    twice = notes.duplicated()
    check.note(notes, twice, "text", NOTE_TWICE, "Write it once.")
    return notes[~twice]
