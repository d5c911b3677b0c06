"""`spms ledger`: what was committed, by whom, what changed, and whether it is intact."""

from typing import Annotated

import typer

from spms_lib.cli.place import LedgerPlace, author_or_me, place_of
from spms_lib.cli.show import AsCsv, Author, show

app = typer.Typer(no_args_is_help=True, help="Read, undo and sign the ledger of a company.")

Kind = Annotated[
    str,
    typer.Argument(
        help="targets, form, submission, override, hold, edit, decision, note, approval, plan or pay."
    ),
]
OnlyKind = Annotated[str | None, typer.Option("--kind", help="Only commits of this kind.")]
Rows = Annotated[int, typer.Option(help="Rows to print; 0 prints all.", min=0)]
AsOf = Annotated[
    str | None, typer.Option("--as-of", help="A day, a time (UTC), a commit or a sign-off; now if left out.")
]


@app.command("log")
def log(place: LedgerPlace, *, kind: OnlyKind = None, limit: Rows = 20, csv: AsCsv = False) -> None:
    """List commits, newest first: who changed what, when and why."""
    with place_of(place).open() as ledger:
        show(ledger.log(kind=kind), title="Commits", csv=csv, limit=limit)


@app.command("state")
def state(
    place: LedgerPlace, kind: Kind = "plan", *, as_of: AsOf = None, limit: Rows = 50, csv: AsCsv = False
) -> None:
    """Show the numbers of one kind that hold now, or held on any day in the past."""
    where = place_of(place)
    with where.open() as ledger:
        cells = ledger.state(kind, as_of=as_of)
    show(cells, title=f"State of {kind}", csv=csv, limit=limit, money={"value"}, currency=where.currency)


@app.command("diff")
def diff(
    place: LedgerPlace,
    before: Annotated[str, typer.Argument(help="A day, a time (UTC), a commit or a sign-off.")],
    after: Annotated[str | None, typer.Argument(help="The same; now if left out.")] = None,
    *,
    kind: OnlyKind = None,
    limit: Rows = 50,
    csv: AsCsv = False,
) -> None:
    """Show which numbers changed between two moments, and by how much."""
    where = place_of(place)
    with where.open() as ledger:
        changes = ledger.diff(before, after, kind=kind)
    money = {"before", "after", "delta"}
    show(changes, title="Changes", csv=csv, limit=limit, money=money, currency=where.currency)


@app.command("revert")
def revert(
    place: LedgerPlace,
    commit: Annotated[str, typer.Argument(help="Id of the commit to undo; its first characters will do.")],
    *,
    message: Annotated[str, typer.Option("--message", "-m", help="Why it is undone.")] = "",
    author: Author = "",
) -> None:
    """Undo a commit by one more commit; nothing is ever removed.

    Refused where somebody has changed the same numbers since.
    """
    with place_of(place).open() as ledger:
        undone = ledger.revert(commit, author=author_or_me(author), message=message)
    typer.echo(f"reverted {commit} by {undone.id}")


@app.command("sign")
def sign(
    place: LedgerPlace,
    name: Annotated[str, typer.Argument(help="Name of the sign-off, such as plan-2026Q3.")],
    kind: Kind = "plan",
    *,
    note: Annotated[str, typer.Option(help="What is agreed with the signature.")] = "",
    author: Author = "",
) -> None:
    """Put your name to the state of one kind as it is now; later changes no longer match it."""
    with place_of(place).open() as ledger:
        signed = ledger.sign_off(name, kind=kind, author=author_or_me(author), note=note)
    typer.echo(f"{signed.name}: {kind} signed by {signed.author}, id {signed.id}")


@app.command("verify")
def verify(
    place: LedgerPlace,
    *,
    known: Annotated[
        list[str] | None,
        typer.Option(
            help="Id of a commit or sign-off that you noted and that must be there; may be repeated."
        ),
    ] = None,
    csv: AsCsv = False,
) -> None:
    """Check every row against its hash and every sign-off against its replay.

    Exit codes: 0 intact, 1 problems were found, 2 the ledger cannot be read.
    """
    with place_of(place).open() as ledger:
        problems = ledger.verify(known=known or ())
        commits = len(ledger.log())
    if problems.empty and not csv:
        typer.echo(f"intact: {commits} commits")
    else:
        show(problems, title="Problems", csv=csv)
    if len(problems):
        raise typer.Exit(1)
