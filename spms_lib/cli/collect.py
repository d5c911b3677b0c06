"""`spms collect`: ask for forecasts, read what comes back, see who is missing, change, freeze, and look it all up."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spms_lib.cli import collect_words
from spms_lib.cli.collect_words import cycle_desk, told
from spms_lib.cli.place import CycleFile, Data, author_or_me, day_of
from spms_lib.cli.show import AsCsv, Author, show, show_findings
from spms_lib.errors import ParamsError

if TYPE_CHECKING:
    from spms_lib.cycle import Desk

app = typer.Typer(no_args_is_help=True, help="Collect forecasts: ask, read, chase, override, freeze.")
app.command("submit")(collect_words.submit)
app.command("override")(collect_words.override)
app.command("revert")(collect_words.revert)

AsOf = Annotated[
    str, typer.Option("--as-of", help="Day, such as 2026-07-15; the cut-off if left out.", show_default=False)
]


@app.command("prepare")
def prepare(
    params: CycleFile,
    *,
    to: Annotated[Path | None, typer.Option(help="Folder; the cycle's outputs if left out.")] = None,
    person: Annotated[list[str] | None, typer.Option(help="Only this person; may be repeated.")] = None,
    author: Author = "",
    data: Data = "",
) -> None:
    """Issue a form to everybody who is asked, and write each as a workbook that opens anywhere."""
    import pandas as pd

    from spms_lib.cycle.collection.process import issue_forms
    from spms_lib.forms.workbook import write_workbook

    desk = cycle_desk(params, data)
    folder = to or desk.folder.parent.parent / "forms"
    forms = issue_forms(desk, people=person, author=author_or_me(author))
    if person and (unknown := set(person) - {form.person for form in forms}):
        raise ParamsError(
            f"Nobody asks {', '.join(sorted(unknown))} for a forecast.",
            where=str(params),
            remedy="Write the name as the roster or the hierarchy does.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    for form in forms:
        write_workbook(form, folder / f"{form.template}.xlsx")
    rows = [(form.person, form.role, form.issue, len(form.asked), f"{form.template}.xlsx") for form in forms]
    table = pd.DataFrame(rows, columns=["person", "role", "issue", "cells", "file"])
    show(table, title=f"Forms for {desk.cycle}, due {forms[0].due}" if forms else "Forms")
    typer.echo(f"{len(forms)} forms in {folder}")


@app.command("read")
def read(
    params: CycleFile,
    inbox: Annotated[
        Path | None,
        typer.Argument(help="Folder with what came back; only the company's tables if left out."),
    ] = None,
    *,
    author: Author = "",
    data: Data = "",
) -> None:
    """Enter what came back: forms and tables (submissions*.csv, overrides*.csv) of a folder, then the company's own."""
    from spms_lib.cycle.collection.process import Recorded, read_drop, read_table, record_answer
    from spms_lib.findings import count_by_rule, join

    desk = cycle_desk(params, data)
    me = author_or_me(author)
    done, found = [], []
    if inbox:
        held = _inbox(desk, inbox)
        found.append(held.findings)
        done += [record_answer(desk, answer, author=me) for answer in held.answers]
        done += [read_table(desk, loaded, author=me) for loaded in held.loaded]
    done.append(read_drop(desk, author=me))
    whole = Recorded(
        tuple(commit for one in done for commit in one.commits),
        join(*found, *(one.findings for one in done)),
    )
    told(replace(whole, findings=whole.findings.head(0)))
    show_findings(count_by_rule(whole.findings))
    place = replace(desk, notebook="collect")
    place.keep(findings=whole.findings)
    typer.echo(f"findings row by row: {place.folder / 'findings.csv'}")


@app.command("status")
def status(
    params: CycleFile,
    *,
    as_of: AsOf = "",
    reminders: Annotated[bool, typer.Option("--reminders", help="Print the texts to send.")] = False,
    csv: AsCsv = False,
    data: Data = "",
) -> None:
    """Show who has sent a forecast, who is awaited, and what to write to them."""
    from spms_lib.cycle.collection.process import status as board

    table = board(cycle_desk(params, data), as_of=day_of(as_of))
    if reminders and not csv:
        for text in table.loc[table["reminder"] != "", "reminder"]:
            typer.echo(text)
        return
    shown = table if csv else table.drop(columns=["reminder", "node"])
    show(shown, title="Forecasts", csv=csv)
    typer.echo(
        ", ".join(f"{count} {state}" for state, count in table["state"].value_counts().items()), err=csv
    )


@app.command("freeze")
def freeze(
    params: CycleFile,
    *,
    as_of: AsOf = "",
    calls: Annotated[bool, typer.Option("--calls", help="Every forecast call up to the day.")] = False,
    author: Author = "",
    data: Data = "",
) -> None:
    """Sign what counts by the end of a day; frozen again without a change, it keeps its name."""
    from spms_lib.cycle.collection import process as collection

    desk, day = cycle_desk(params, data), day_of(as_of)
    if calls:
        names = collection.freeze_calls(desk, until=day, author=author_or_me(author))
    else:
        names = [name for name in [collection.freeze(desk, as_of=day, author=author_or_me(author))] if name]
    typer.echo("\n".join(names) or "nobody has said anything yet")


@app.command("log")
def log(params: CycleFile, *, csv: AsCsv = False, data: Data = "") -> None:
    """Show what happened in the collection, oldest first: forms, words, reverts and snapshots."""
    from spms_lib.cycle.collection.process import collection_log

    show(collection_log(cycle_desk(params, data)), title="Collection", csv=csv)


@app.command("changes")
def changes(params: CycleFile, *, as_of: AsOf = "", csv: AsCsv = False, data: Data = "") -> None:
    """List every change of a forecast and every override with its reason, or without one where one is required."""
    from spms_lib.cycle.collection.process import changes as listed

    desk = cycle_desk(params, data)
    money = {"before", "after", "change"}
    table = listed(desk, as_of=day_of(as_of)).round({"change_ratio": 3})
    show(table, title="Changes", csv=csv, money=money, currency=desk.currency)


def _inbox(desk: "Desk", inbox: Path) -> Any:
    """Read what lies in a folder: workbooks as forms, tables by their names as submissions or overrides."""
    from spms_lib.cycle.collection.process import issued_forms
    from spms_lib.forms.inbox import read_inbox
    from spms_lib.sources.load import load_table
    from spms_lib.sources.spec import TableSource

    issued = issued_forms(desk)
    newest = {form.person: form.issue for form in issued.values()}

    def table(name: str) -> Any:
        what = "overrides" if name.startswith("overrides") else "submissions"
        source = TableSource(file=name)
        return load_table(what, source, inbox, calendar=desk.calendar, per_unit=desk.per_unit)

    return read_inbox(
        inbox, form_of=issued.get, newest=lambda form: newest.get(form.person, 0), read_table=table
    )
