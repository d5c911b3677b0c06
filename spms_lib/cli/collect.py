"""`spms collect`: ask for forecasts, read what comes back, see who is missing, change, freeze, and look it all up."""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spms_lib.cli.place import CycleFile, Data, amount_of, author_or_me, day_of, desk_of, needs_params
from spms_lib.cli.show import AsCsv, Author, show, show_findings
from spms_lib.errors import ParamsError

if TYPE_CHECKING:
    from spms_lib.cycle import Desk
    from spms_lib.cycle.collection import Recorded

app = typer.Typer(no_args_is_help=True, help="Collect forecasts: ask, read, chase, override, freeze.")

NOTHING = "null"

AsOf = Annotated[
    str, typer.Option("--as-of", help="Day, such as 2026-07-15; the cut-off if left out.", show_default=False)
]
Node = Annotated[str, typer.Argument(help="Node of the hierarchy.", show_default=False)]
Month = Annotated[str, typer.Argument(help="Month of the quarter, such as 2026-07.", show_default=False)]
Category = Annotated[str, typer.Argument(help="Such as commit or best_case.", show_default=False)]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why, in a few words.", show_default=False)]
By = Annotated[
    str, typer.Option("--by", help="Who says it, if not the author of the commit.", show_default=False)
]
Said = Annotated[
    str, typer.Option("--said", help="When it was said, such as 2026-07-14T17:30; now if left out.")
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

    from spms_lib.cycle.collection import issue_forms
    from spms_lib.forms.workbook import write_workbook

    desk = _desk(params, data)
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
    show(table, title=f"Forms for {desk.cycle}, due {forms[0].due}" if forms else "Forms", limit=20)
    typer.echo(f"{len(forms)} forms in {folder}")


@app.command("read")
def read(
    params: CycleFile,
    inbox: Annotated[
        Path | None,
        typer.Argument(help="Folder with forms that came back; only the company's tables if left out."),
    ] = None,
    *,
    author: Author = "",
    data: Data = "",
) -> None:
    """Enter what came back: filled-in forms of a folder, then new rows of the company's tables."""
    from spms_lib.cycle.collection import Recorded, read_drop, record_answer
    from spms_lib.findings import count_by_rule, join

    desk = _desk(params, data)
    me = author_or_me(author)
    answers, found = _answers(desk, inbox) if inbox else ([], [])
    done = [record_answer(desk, answer, author=me) for answer in answers]
    done.append(read_drop(desk, author=me))
    whole = Recorded(
        tuple(commit for one in done for commit in one.commits),
        join(*found, *(one.findings for one in done)),
    )
    _told(whole)
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
    from spms_lib.cycle.collection import status as board

    table = board(_desk(params, data), as_of=day_of(as_of))
    if reminders and not csv:
        for text in table.loc[table["reminder"] != "", "reminder"]:
            typer.echo(text)
        return
    shown = table if csv else table.drop(columns=["reminder", "node"])
    show(shown, title="Forecasts", csv=csv)
    typer.echo(
        ", ".join(f"{count} {state}" for state, count in table["state"].value_counts().items()), err=csv
    )


@app.command("submit")
def submit(
    params: CycleFile,
    node: Node,
    period: Month,
    category: Category,
    amount: Annotated[str, typer.Argument(help="In currency units.", show_default=False)],
    *,
    comment: Annotated[str, typer.Option(help="Why it changed, or anything else.")] = "",
    by: By = "",
    said: Said = "",
    author: Author = "",
    data: Data = "",
) -> None:
    """Submit one amount for a seat, as the person who sits there or speaks for it."""
    desk, me = _desk(params, data), author_or_me(author)
    row = _row(desk, node, period, category) | {"value": amount_of(amount, desk.currency)}
    row |= {"submitted_by": by or me, "comment": comment or None}
    _told(_record(desk, "submissions", row, author=me, said=said))


@app.command("override")
def override(
    params: CycleFile,
    node: Node,
    period: Month,
    category: Category,
    amount: Annotated[
        str, typer.Argument(help="In currency units; null takes an override back.", show_default=False)
    ],
    *,
    reason: Reason,
    by: By = "",
    said: Said = "",
    author: Author = "",
    data: Data = "",
) -> None:
    """Change a forecast as its manager; what was submitted stays beside it."""
    desk, me = _desk(params, data), author_or_me(author)
    value = None if amount == NOTHING else amount_of(amount, desk.currency)
    row = _row(desk, node, period, category) | {"value": value}
    row |= {"overridden_by": by or me, "reason": reason}
    _told(_record(desk, "overrides", row, author=me, said=said))


@app.command("revert")
def revert(
    params: CycleFile,
    commit: Annotated[str, typer.Argument(help="First characters of its id.", show_default=False)],
    *,
    reason: Reason,
    author: Author = "",
    data: Data = "",
) -> None:
    """Take words out that should never have been entered; the log keeps them, and what was signed before."""
    from spms_lib.cycle.collection import revert as take_out

    made = take_out(_desk(params, data), commit, author=author_or_me(author), reason=reason)
    typer.echo(f"{made.id[:8]}  {made.message}")


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
    from spms_lib.cycle import collection

    desk, day = _desk(params, data), day_of(as_of)
    if calls:
        names = collection.freeze_calls(desk, until=day, author=author_or_me(author))
    else:
        names = [name for name in [collection.freeze(desk, as_of=day, author=author_or_me(author))] if name]
    typer.echo("\n".join(names) or "nobody has said anything yet")


@app.command("log")
def log(params: CycleFile, *, csv: AsCsv = False, data: Data = "") -> None:
    """Show what happened in the collection, oldest first: forms, words, reverts and snapshots."""
    from spms_lib.cycle.collection import collection_log

    show(collection_log(_desk(params, data)), title="Collection", csv=csv)


@app.command("changes")
def changes(params: CycleFile, *, as_of: AsOf = "", csv: AsCsv = False, data: Data = "") -> None:
    """List every change of a forecast and every override with its reason, or without one where one is required."""
    from spms_lib.cycle.collection import changes as listed

    desk = _desk(params, data)
    money = {"before", "after", "change"}
    table = listed(desk, as_of=day_of(as_of))
    show(table, title="Changes", csv=csv, money=money, currency=desk.currency)


def _desk(params: Path, data: str) -> "Desk":
    needs_params(params, "A collection belongs to a cycle")
    return desk_of(Path(params), data=data)


def _answers(desk: "Desk", inbox: Path) -> tuple[list[Any], list[Any]]:
    """Read the forms of a folder: answers, and findings on files that cannot be used."""
    from spms_lib.cycle.collection import issued_forms, newest_issue
    from spms_lib.forms.inbox import read_inbox

    read = read_inbox(inbox, form_of=issued_forms(desk).get, newest=lambda form: newest_issue(desk, form))
    return list(read.answers), [read.findings]


def _row(desk: "Desk", node: str, period: str, category: str) -> dict[str, Any]:
    desk.tree.position(node)
    return {"node": node, "period": desk.calendar.parse(period), "category": category}


def _record(desk: "Desk", table: str, row: dict[str, Any], *, author: str, said: str) -> "Recorded":
    """Enter one row as an answer that came by the command line."""
    import pandas as pd

    from spms_lib.collect.form import Answer
    from spms_lib.cycle.collection import record_answer
    from spms_lib.findings import no_findings

    nothing = pd.DataFrame()
    tables = {"submissions": nothing, "overrides": nothing, table: pd.DataFrame([row])}
    answer = Answer(
        "", row.get("submitted_by") or row["overridden_by"], "command line", **tables, notes=nothing,
        findings=no_findings(),
    )  # fmt: skip
    return record_answer(desk, answer, author=author, at=_time_of(said), strict=True)


def _time_of(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(text) if text else None
    except ValueError:
        raise ParamsError(f"'{text}' is not a time.", remedy="Write it as 2026-07-14T17:30.") from None


def _told(done: "Recorded") -> None:
    for commit in done.commits:
        typer.echo(f"{commit.id[:8]}  {commit.message}")
    if not done.commits:
        typer.echo("nothing new")
    for one in done.findings.head(20).to_dict("records"):
        typer.echo(
            f"{one['severity']}: {one['column']} {one['rule']} {one['value']}. {one['remedy']}", err=True
        )
