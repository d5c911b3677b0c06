"""A form that came back: refused as a whole where it is not ours as issued, read cell by cell where it is."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from spms_lib.collect.answers import NOTED_DOWN, SAID, answer_of
from spms_lib.collect.form import Answer, Form
from spms_lib.errors import FormError
from spms_lib.findings import join
from spms_lib.forms.layout import HEADER_ROW, MARK, TEMPLATE_LABEL, kinds_of
from spms_lib.forms.page import Page, pages_of
from spms_lib.forms.reading import Reading
from spms_lib.text import shown

FormOf = Callable[[str], Form | None]
NewestIssue = Callable[[Form], int]


def read_form(
    path: Path, *, form_of: FormOf, newest: NewestIssue, at: dt.datetime, origin: str | None = None
) -> Answer:
    """Read a workbook that came back, against the form as it was issued.

    Every cell that was asked for is a row, empty (nobody has said), or a finding that names sheet and cell.
    Formulas are never trusted, and amounts are read to the currency's smallest unit. Sheets may have been
    renamed and rows sorted: each is found by its hidden key, or by what it says where the key is gone.
    The sheets History, Targets and Instructions are there for people; nothing of them is read back.

    Parameters
    ----------
    form_of
        Gives the form with that template's name as it was issued; None if there was none.
    newest
        Gives the newest issue of the form's person in its cycle.
    at
        When it was sent; stands in every row.
    origin
        What findings call the file; its name if not given.

    Raises
    ------
    FormError
        If the workbook names no form, or one that was never issued, is no longer the newest, or was
        changed where nothing may be written: says in which sheet and cell, what stood there and what stands there.
    SourceError
        If it is no workbook, or (`UnsafeFileError`) one that should not be opened.
    """
    origin = shown(origin or path.name)
    pages = pages_of(path, where=origin)
    form = _form_of(pages, form_of, newest, origin)
    reading = Reading(form, pages, origin, path)
    for kind in kinds_of(form):
        reading.read_asked(kind)
    said = reading.frame(SAID)
    reading.read_notes()
    notes = reading.frame(NOTED_DOWN, since=len(said))
    reading.note_other_sheets()
    found = join(*reading.found)
    return answer_of(
        form, said, notes, origin=origin, at=at, route="workbook", found=found, place=reading.place
    )


def _form_of(pages: list[Page], form_of: FormOf, newest: NewestIssue, origin: str) -> Form:
    """Find the form that the workbook names, or refuse."""
    named = sorted({shown(name) for page in pages if (name := _template_in(page))})
    if len(named) != 1:
        both = " and ".join(f"'{name}'" for name in named[:2])
        what = f"names two forms: {both}" if named else "does not say which form it is"
        remedy = "Fill in the form as it was sent."
        raise FormError(f"The workbook {what}.", where=origin, remedy=remedy)
    form = form_of(named[0])
    if form is None or form.template != named[0]:
        raise FormError(
            f"The form '{named[0]}' was not issued here.",
            where=origin,
            remedy="Check company and cycle, and fill in the form that was sent.",
        )
    if (latest := newest(form)) > form.issue:
        raise FormError(
            f"The form is issue {form.issue} for {shown(form.person)}; issue {latest} has replaced it.",
            where=origin,
            remedy="Fill in the newest form.",
        )
    return form


def _template_in(page: Page) -> str:
    """Name of the form as a sheet says it: the hidden one, or the line above the header of one to fill in."""
    if page.value(1, 1) == MARK:
        return str(page.value(2, 1) or "")
    said, begins = page.value(HEADER_ROW - 1, 1), f"{TEMPLATE_LABEL} "
    return said.removeprefix(begins) if isinstance(said, str) and said.startswith(begins) else ""
