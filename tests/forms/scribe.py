"""A person at a keyboard: fills made-up forms in, by a seeded mixture of care and mishap, and writes down what it did.

Where things stand in the workbook is said here once more, by hand, and not asked of the package.
"""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from spms_lib.collect.form import OVERRIDE, Form
from spms_lib.forms.workbook import form_book

FIRST = 6
COLUMNS = {
    "submission": {"value": "F", "low": "G", "high": "H", "confidence": "I", "comment": "J", "reason": "K"},
    "override": {"value": "F", "reason": "G"},
}
SHEETS = {"submission": "Forecast", "override": "Overrides"}
SPOILT = {  # what lands in a cell for an amount, and what must be said of it
    "text": ("about 12k", "text where a number belongs"),
    "formula": ("=E6*1.05", "formula; its result is not trusted"),
    "date": (dt.datetime(2026, 7, 1), "date or time where a number belongs"),
    "yes": (True, "true or false where a number belongs"),
    "error": ("#REF!", "error value of a spreadsheet"),
    "huge": (1e22, "number is too large"),
}
SLIPS = ("renamed", "deleted", "altered", "stale", "foreign", "unnamed", "added", "extra")


@dataclass
class Filled:
    """A workbook, and what its writer knows of it.

    `rows` are the good ones: (kind, node, period, category) to value, low, high, confidence and words.
    `faults` are (cell, rule, severity) that must be found, no more and no fewer. `refused` is a part of the refusal.
    """

    form: Form
    book: Any
    rows: dict[tuple[str, ...], tuple[Any, ...]] = field(default_factory=dict)
    faults: set[tuple[str, str, str]] = field(default_factory=set)
    notes: list[tuple[str, str, str]] = field(default_factory=list)
    refused: str = ""


def fill_in(form: Form, seed: int, *, slip: str = "") -> Filled:
    """Fill a form in, with one slip about the whole file."""
    rng = np.random.default_rng(seed)
    filled = Filled(form, form_book(form))
    places = {"submission": FIRST, "override": FIRST}
    for row in form.asked.to_dict("records"):
        _fill_row(filled, row, places[row["kind"]], rng)
        places[row["kind"]] += 1
    if rng.random() < 0.6:
        topic = str(rng.choice(form.topics))
        words = str(
            rng.choice(
                ["Prices fall in the north", "=cmd|' /C calc'!A0", "-10 % asked for", "Lieferung zu spät"]
            )
        )
        sheet = filled.book["Notes"]
        sheet["A7"], sheet["B7"] = form.asked["node"].iloc[0], topic
        _say(sheet, "C7", words)
        filled.notes.append((form.asked["node"].iloc[0], topic, words))
    if slip:
        globals()[f"_{slip}"](filled, places)
    return filled


def _fill_row(filled: Filled, row: dict[str, Any], at: int, rng: np.random.Generator) -> None:
    kind, form = row["kind"], filled.form
    columns, title = COLUMNS[kind], SHEETS[kind]
    sheet = filled.book[title]
    fate = str(rng.choice(["blank", "zero", "value", "spoilt"], p=[0.25, 0.1, 0.5, 0.15]))
    if fate == "blank":
        return
    if fate == "spoilt":
        scrap, rule = SPOILT[str(rng.choice(list(SPOILT)))]
        sheet[f"{columns['value']}{at}"] = scrap
        filled.faults.add((f"{title}!{columns['value']}{at}", rule, "rejected"))
        return
    value = 0 if fate == "zero" else int(rng.integers(1, 10**9))
    sheet[f"{columns['value']}{at}"] = value / 100
    if fate == "value" and rng.random() < 0.1:
        value = 1234  # 12.345, half to even
        sheet[f"{columns['value']}{at}"] = 12.345
        rule = "more decimals than the currency has; rounded"
        filled.faults.add((f"{title}!{columns['value']}{at}", rule, "noted"))
    reason = str(rng.choice(["", "price rise", "+2 deals", "=lost Kappa"]))
    if reason:
        _say(sheet, f"{columns['reason']}{at}", reason)
    key = (kind, row["node"], row["period"], row["category"])
    if kind == OVERRIDE:
        if reason:
            filled.rows[key] = (value, None, None, None, reason)
        else:
            filled.faults.add((f"{title}!{columns['reason']}{at}", "override without a reason", "rejected"))
        return
    said = row["said"]
    if said is not None and said == said and not reason and abs(value - said) > form.reason_above * abs(said):
        filled.faults.add((f"{title}!{columns['reason']}{at}", "large change without a reason", "noted"))
    low = high = None
    if row["category"] == "commit" and rng.random() < 0.7:
        low, high = value // 2, value * 2 + 100
        if rng.random() < 0.3:
            low, high = value + 100, None
            rule = "range does not hold the forecast; range left out"
            filled.faults.add((f"{title}!{columns['low']}{at}", rule, "noted"))
        sheet[f"{columns['low']}{at}"] = low / 100
        sheet[f"{columns['high']}{at}"] = None if high is None else high / 100
        low = None if high is None else low
    share = [None, 0.8, 0.0, 1.0, 80, 101, -0.1][int(rng.integers(7))]
    sheet[f"{columns['confidence']}{at}"] = share
    if share == 80:
        filled.faults.add(
            (f"{title}!{columns['confidence']}{at}", "number of percent; read as a percentage", "noted")
        )
    if share in {101, -0.1}:
        rule = "confidence is not between 0 and 100 %; left empty"
        filled.faults.add((f"{title}!{columns['confidence']}{at}", rule, "noted"))
    share = {80: 0.8, 101: None, -0.1: None}.get(share, share)
    comment = str(rng.choice(["", "steady", "@all see mail", "x" * 2001]))
    if comment:
        _say(sheet, f"{columns['comment']}{at}", comment)
    if len(comment) > 2000:
        filled.faults.add((f"{title}!{columns['comment']}{at}", "longer than 2000 characters; cut", "noted"))
    words = " / ".join(part for part in (comment[:2000], f"Reason: {reason}" if reason else "") if part)
    filled.rows[key] = (value, low, high, share, words or None)


def _say(sheet: Any, place: str, words: str) -> None:
    sheet[place] = words
    sheet[place].data_type = "s"


def _first(filled: Filled) -> Any:
    return filled.book.worksheets[0]


def _renamed(filled: Filled, places: dict[str, int]) -> None:
    sheet = _first(filled)
    old, sheet.title = sheet.title, "My numbers"
    filled.faults = {(place.replace(f"{old}!", "My numbers!"), *rest) for place, *rest in filled.faults}
    filled.faults.add(("My numbers", "sheet was renamed", "noted"))


def _deleted(filled: Filled, places: dict[str, int]) -> None:
    """Delete the second row of the first sheet; all below moves up by one."""
    sheet, gone = _first(filled), FIRST + 1
    kind = "override" if sheet.title == "Overrides" else "submission"
    row = filled.form.asked[filled.form.asked["kind"] == kind].iloc[1]
    sheet.delete_rows(gone)
    filled.rows.pop((kind, row["node"], row["period"], row["category"]), None)
    moved = set()
    for place, *rest in filled.faults:
        title, _, cell = place.partition("!")
        letter, number = cell[0], int(cell[1:])
        if title != sheet.title:
            moved.add((place, *rest))
        elif number != gone:
            moved.add((f"{title}!{letter}{number - (number > gone)}", *rest))
    rule = "row of the form is missing; read as nobody has said"
    filled.faults = moved | {(f"{sheet.title}!A{gone}", rule, "rejected")}


def _altered(filled: Filled, places: dict[str, int]) -> None:
    sheet = _first(filled)
    sheet["E7"] = 1.0
    filled.refused = f"The cell {sheet.title}!E7 was changed"


def _stale(filled: Filled, places: dict[str, int]) -> None:
    filled.refused = "issue 2 has replaced it"


def _foreign(filled: Filled, places: dict[str, int]) -> None:
    filled.refused = "was not issued here"


def _unnamed(filled: Filled, places: dict[str, int]) -> None:
    del filled.book["_form"]
    for sheet in filled.book.worksheets:
        sheet["A4"] = None
    filled.refused = "does not say which form it is"


def _added(filled: Filled, places: dict[str, int]) -> None:
    """Write a row of one's own below the totals."""
    sheet = _first(filled)
    at = sheet.max_row + 3
    sheet[f"A{at}"], sheet[f"F{at}"] = "another seat", 500
    filled.faults.add((f"{sheet.title}!F{at}", "row that is not part of the form", "rejected"))


def _extra(filled: Filled, places: dict[str, int]) -> None:
    filled.book.create_sheet("Scratch")["B2"] = 7
    filled.faults.add(("Scratch", "sheet that is not part of the form; not read", "noted"))
