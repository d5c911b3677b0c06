"""Single words of `spms collect`: submit an amount, override one, take a commit out again."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spms_lib.cli.place import CycleFile, Data, amount_of, author_or_me, desk_of, needs_params
from spms_lib.cli.show import Author
from spms_lib.errors import ParamsError

if TYPE_CHECKING:
    from spms_lib.cycle import Desk
    from spms_lib.cycle.collection.process import Recorded

NOTHING = "null"

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
    desk, me = cycle_desk(params, data), author_or_me(author)
    row = _row(desk, node, period, category) | {"value": amount_of(amount, desk.currency)}
    row |= {"submitted_by": by or me, "comment": comment or None}
    told(_record(desk, "submissions", row, author=me, said=said))


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
    desk, me = cycle_desk(params, data), author_or_me(author)
    value = None if amount == NOTHING else amount_of(amount, desk.currency)
    row = _row(desk, node, period, category) | {"value": value}
    row |= {"overridden_by": by or me, "reason": reason}
    told(_record(desk, "overrides", row, author=me, said=said))


def revert(
    params: CycleFile,
    commit: Annotated[str, typer.Argument(help="First characters of its id.", show_default=False)],
    *,
    reason: Reason,
    author: Author = "",
    data: Data = "",
) -> None:
    """Take words out that should never have been entered; the log keeps them, and what was signed before."""
    from spms_lib.cycle.collection.process import revert as take_out

    made = take_out(cycle_desk(params, data), commit, author=author_or_me(author), reason=reason)
    typer.echo(f"{made.id[:8]}  {made.message}")


def cycle_desk(params: Path, data: str) -> "Desk":
    """Open the desk of the cycle whose params are named."""
    needs_params(params, "A collection belongs to a cycle")
    return desk_of(Path(params), data=data)


def told(done: "Recorded") -> None:
    """Print the commits that were made, and what a planner has to know beside them."""
    for commit in done.commits:
        typer.echo(f"{commit.id[:8]}  {commit.message}")
    if not done.commits:
        typer.echo("nothing new")
    for one in done.findings.head(20).to_dict("records"):
        typer.echo(
            f"{one['severity']}: {one['column']} {one['rule']} {one['value']}. {one['remedy']}", err=True
        )


def _row(desk: "Desk", node: str, period: str, category: str) -> dict[str, Any]:
    desk.tree.position(node)
    return {"node": node, "period": desk.calendar.parse(period), "category": category}


def _record(desk: "Desk", table: str, row: dict[str, Any], *, author: str, said: str) -> "Recorded":
    """Enter one row as an answer that came by the command line."""
    import pandas as pd

    from spms_lib.collect.form import Answer
    from spms_lib.cycle.collection.process import record_answer
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
