"""`spms edit`: change targets by a spread or a transfer, see first what it does, list such edits, take them back."""

from pathlib import Path
from typing import Annotated, Any

import typer

from spms_lib.cli.place import CycleFile, Data, amount_of, author_or_me, desk_of, needs_params
from spms_lib.cli.show import AsCsv, Author, show
from spms_lib.errors import ParamsError

app = typer.Typer(no_args_is_help=True, help="Change targets by spreads and transfers.")

Reason = Annotated[str, typer.Option("--reason", "-r", help="Why, in a planner's words.", show_default=False)]


@app.command("add")
def add(
    params: CycleFile,
    node: Annotated[str, typer.Argument(help="Node of the hierarchy.", show_default=False)],
    period: Annotated[str, typer.Argument(help="Month or quarter, such as 2026Q3.", show_default=False)],
    method: Annotated[
        str, typer.Argument(help="Such as proportional, equal or transfer.", show_default=False)
    ],
    *,
    amount: Annotated[str, typer.Option(help="In currency units.", show_default=False)] = "",
    action: Annotated[str, typer.Option(help="replace, add or subtract.")] = "replace",
    ratio: Annotated[float | None, typer.Option(help="1.1 is 110 %; for growth, 0.1 is 10 %.")] = None,
    last: Annotated[str, typer.Option(help="Last amount of a straight line.", show_default=False)] = "",
    pattern: Annotated[str, typer.Option(help="Such as 4-4-5.", show_default=False)] = "",
    reference: Annotated[str, typer.Option(help="last_year or baseline.", show_default=False)] = "",
    over: Annotated[str, typer.Option(help="said, all or nonzero.")] = "said",
    to: Annotated[str, typer.Option(help="Who receives a transfer.", show_default=False)] = "",
    reason: Reason = "",
    owner: Annotated[str, typer.Option(help="Who answers for it; the author if left out.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    author: Author = "",
    data: Data = "",
) -> None:
    """Change targets: show what the edit does, and keep it unless --dry-run; the next run makes it."""
    from spms_lib.cycle.edits import in_words, preview_edit, record_edit
    from spms_lib.goals.edits import Edit

    needs_params(params, "An edit needs the hierarchy and the currency")
    desk = desk_of(Path(params), data=data)
    said: dict[str, Any] = {"action": action, "ratio": ratio, "over": over}
    said |= {"amount": amount_of(amount, desk.currency)} if amount else {}
    said |= {"last": amount_of(last, desk.currency)} if last else {}
    said |= {
        name: given for name, given in (("pattern", pattern), ("reference", reference), ("to", to)) if given
    }
    edit = Edit.read({"method": method, "node": node, "period": desk.calendar.parse(period), **said})
    if not dry_run and not reason.strip():
        raise ParamsError("The edit has no reason.", where=str(edit), remedy="Say --reason, or --dry-run.")
    moved, proved = preview_edit(desk, edit)
    money = {"before", "after", "change"}
    show(moved, title=in_words(desk, edit), csv=False, money=money, currency=desk.currency)
    show(proved, title="Proof", csv=False)
    if dry_run:
        return
    me = author_or_me(author)
    made = record_edit(desk, edit, author=me, owner=owner or me, reason=reason)
    typer.echo(f"kept as {made.id[:8]}; the next run makes it")


@app.command("undo")
def undo(
    params: CycleFile,
    number: Annotated[str, typer.Argument(help="Number of the edit, from the list.", show_default=False)],
    *,
    reason: Reason,
    author: Author = "",
    data: Data = "",
) -> None:
    """Take an edit back; what was said stays in the ledger."""
    from spms_lib.cycle.edits import undo_edit

    needs_params(params, "An edit belongs to a cycle")
    desk = desk_of(Path(params), data=data)
    undo_edit(desk, number, author=author_or_me(author), reason=reason)
    typer.echo(f"edit {number} is taken back; the next run no longer makes it")


@app.command("list")
def list_edits(params: CycleFile, *, csv: AsCsv = False, data: Data = "") -> None:
    """List the edits in force: what was changed, who answers for it, and why."""
    from spms_lib.cycle.edits import edits_in_force, in_words

    needs_params(params, "An edit belongs to a cycle")
    desk = desk_of(Path(params), data=data)
    table = edits_in_force(desk)
    shown = table.assign(edit=[in_words(desk, edit) for edit in table["edit"]])[
        ["number", "edit", "owner", "reason", "author", "time"]
    ]
    show(shown, title="Edits", csv=csv, money=set(), currency=desk.currency)
