"""What a form's workbook says in words: the lead of each sheet, and the instructions."""

import datetime as dt
from typing import Final

from spms_lib.collect.form import MANAGER, OVERRIDE, SUBMISSION, Form
from spms_lib.forms.layout import HIDDEN, category_title, kinds_of
from spms_lib.tables import CATEGORIES, CATEGORY

MEANING: Final = {
    "closed": "Already sold in that month: signed or invoiced. May be negative where credits exceed sales.",
    "commit": "What you will stand behind: not closed yet, and you expect to close it in that month.",
    "most_likely": "Not in your commit, but more likely to close in that month than not.",
    "best_case": "Closes in that month only if things go well.",
    "pipeline": "Open and possible in that month, nothing more.",
}


def day(date: dt.date) -> str:
    """Write a day so that nobody can misread it.

    Examples
    --------
    >>> day(dt.date(2026, 7, 10))
    'Friday 10 July 2026'
    """
    return f"{date:%A} {date.day} {date:%B %Y}"


def title(form: Form, what: str) -> str:
    """Title of a sheet."""
    return f"{what} {form.cycle} · {form.person}"


def lead(form: Form, kind: str) -> str:
    """Say in one line what to do on a sheet."""
    if kind == OVERRIDE:
        return f"Change only what you see differently: your number in {form.currency}, and why. Empty keeps what was submitted."
    return f"Fill in the yellow cells, in {form.currency}. Empty: you cannot say. 0: you expect nothing."


def deadline(form: Form) -> str:
    """Say until when."""
    return f"Due {day(form.due)}. Counts if it is here by {day(form.cut_off)}."


def instructions(form: Form) -> list[tuple[str, str]]:
    """Write the instructions of a form, as pairs of a term and what it means."""
    used = [each for each in CATEGORIES if (form.asked[CATEGORY] == each).any()]
    kinds = kinds_of(form)
    said = [("By when", deadline(form))]
    said += [("What to fill in", "Yellow cells. Everything else is there to help you and stays as it is.")]
    said += [("Empty and 0", "Empty means that nobody has said. 0 means that you expect nothing. They are not the same.")]  # fmt: skip
    said += [("Amounts", f"In {form.currency}, as plain numbers such as 12500. No formulas: paste values.")]
    said += [("Categories", "Each stands alone, none contains another. Your forecast is closed plus commit.")]
    said += [(f"   {category_title(each)}", MEANING[each]) for each in used]
    if SUBMISSION in kinds and form.ask_range:
        said += [("Low and high", _range(form))]
    if SUBMISSION in kinds:
        said += [("Confidence", "How likely it is that you reach your forecast, as a percentage: 80%.")]
        change = f"Needed where your forecast differs by more than {form.reason_above:.0%} from what you last said."
        said += [("Reason of a change", f"{change} The cell turns red until it is there.")]
    if OVERRIDE in kinds:
        said += [("Your number", "Stands in place of what was submitted below; what was submitted stays on record beside it.")]  # fmt: skip
        said += [("Reason", "Each number of yours needs one. A number without a reason is not used.")]
    if form.role == MANAGER and SUBMISSION in kinds:
        said += [("Forecast", "Seats without a person: you forecast for them.")]
    said += [
        ("Notes", "What the field should tell planning: choose a topic, write a sentence. Each gets an answer."),
        ("Sending it back", "Save it under any name and send it back the way it came. Do not add or move rows, columns or sheets."),
        ("Protection", "Sheets are locked against accidents only, without a password. Whether anything but the yellow cells was changed is checked when the form is read."),
        ("This form", f"{form.template}. The same name stands in the hidden sheet {HIDDEN}. If you get a newer form, use that one."),
    ]  # fmt: skip
    return said


def _range(form: Form) -> str:
    times = f"{form.range_share * 10:.3g} times out of 10"
    return (
        f"Beside the commit: two amounts between which the commit's outcome shall lie {times}. "
        "Low is not above your forecast, high not below it. Narrower is not better: right is."
    )
