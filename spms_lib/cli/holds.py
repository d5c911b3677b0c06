"""`spms hold`: fix a number that planning must not move, list such numbers, and let them go."""

import datetime as dt
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer

from spms_lib.cli.place import (
    CycleFile,
    Data,
    LedgerPlace,
    Place,
    amount_of,
    author_or_me,
    day_of,
    desk_of,
    needs_params,
    place_of,
)
from spms_lib.cli.show import AsCsv, Author, show
from spms_lib.errors import HierarchyError

app = typer.Typer(no_args_is_help=True, help="Fix numbers that planning must not move.")

Node = Annotated[str, typer.Argument(help="Node of the hierarchy.", show_default=False)]
Period = Annotated[
    str, typer.Argument(help="Fiscal month, quarter or year, such as 2026Q3.", show_default=False)
]
Measure = Annotated[
    str, typer.Option(help="Measure; the one the company plans if left out.", show_default=False)
]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why, in a planner's words.", show_default=False)]


@app.command("set")
def set_hold(
    params: CycleFile,
    node: Node,
    period: Period,
    amount: Annotated[
        str, typer.Argument(help="Amount in currency units, such as 125000.50.", show_default=False)
    ],
    *,
    reason: Reason,
    owner: Annotated[
        str, typer.Option(help="Who answers for it; the author if left out.", show_default=False)
    ] = "",
    expires: Annotated[
        str, typer.Option(help="Last day on which it holds, such as 2026-09-30.", show_default=False)
    ] = "",
    measure: Measure = "",
    author: Author = "",
    data: Data = "",
) -> None:
    """Hold a number: the next plan keeps it to the cent and moves the others around it."""
    from spms_lib.store.holds import Hold, place_hold

    needs_params(params, "A hold needs the hierarchy and the currency")
    desk = desk_of(Path(params), data=data)
    if node not in desk.tree.nodes:
        near = get_close_matches(node, [str(one) for one in desk.tree.nodes], n=1)
        raise HierarchyError(
            f"There is no node '{node}' in the hierarchy of {desk.cycle}.",
            remedy=f"Did you mean '{near[0]}'?" if near else "See the table 'hierarchy'.",
        )
    me = author_or_me(author)
    hold = Hold(
        node,
        desk.calendar.parse(period),
        measure or desk.company.measure,
        amount_of(amount, desk.currency),
        owner=owner or me,
        reason=reason,
        expires=day_of(expires),
    )
    with Place(desk.ledger_file, desk.currency).open(create=True) as ledger:
        made = place_hold(ledger, hold, author=me, unit=desk.currency)
    typer.echo(f"held {hold.place}" if made else f"{hold.place} is held at this amount already")


@app.command("lift")
def lift(
    params: CycleFile,
    node: Node,
    period: Period,
    *,
    reason: Reason,
    measure: Measure = "",
    author: Author = "",
) -> None:
    """Lift a hold before it expires; the reason is kept."""
    from spms_lib.store.holds import lift_hold

    needs_params(params, "The company's calendar says how to read a period")
    desk = desk_of(Path(params), tables=False)
    what = measure or desk.company.measure
    month = desk.calendar.parse(period)
    with Place(desk.ledger_file, desk.currency).open() as ledger:
        lift_hold(ledger, node, month, what, author=author_or_me(author), reason=reason)
    typer.echo(f"lifted {node} {month} {what}")


@app.command("list")
def list_holds(
    place: LedgerPlace,
    *,
    on: Annotated[
        str, typer.Option(help="Day on which they are in force; today if left out.", show_default=False)
    ] = "",
    csv: AsCsv = False,
) -> None:
    """List the holds in force: who fixed what, why, and until when."""
    from spms_lib.store.holds import holds

    where = place_of(place)
    with where.open() as ledger:
        found = holds(ledger, on=day_of(on) or dt.date.today())
    show(found, title="Holds", csv=csv, money={"value"}, currency=where.currency)
