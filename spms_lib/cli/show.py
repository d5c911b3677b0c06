"""How commands print: tables for people, CSV for programs, refusals for both."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from spms_lib.errors import SpmsError

if TYPE_CHECKING:
    import pandas as pd

ID = 8

AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV, amounts in minor units, for another program.")]
Author = Annotated[
    str,
    typer.Option(
        help="Who signs this commit; SPMS_AUTHOR or your user name if left out.", show_default=False
    ),
]


def refuse(error: SpmsError) -> None:
    """Print a refusal on the error stream: what, where, and what to do next."""
    from spms_lib.text import visible

    console = Console(stderr=True)
    lines = [f"[bold red]error:[/] {escape(error.what)}"]
    if error.where:
        lines.append(f"[dim]where:[/] {escape(error.where)}")
    if error.remedy:
        lines.append(f"[dim]do:[/]    {escape(error.remedy)}")
    text = visible("\n".join(lines))
    if console.is_terminal:
        console.print(Panel(text, border_style="red", expand=False))
    else:
        console.print(text, soft_wrap=True, highlight=False)


def show(
    frame: "pd.DataFrame",
    *,
    title: str,
    csv: bool = False,
    money: Collection[str] = (),
    currency: str = "",
    limit: int = 0,
) -> None:
    """Print a table.

    Parameters
    ----------
    money
        Columns with minor units of the currency; printed as they are if no currency is known.
    limit
        Rows to print; all if 0. CSV always has all.
    """
    if csv:
        from spms_lib.csv_out import csv_text

        typer.echo(csv_text(frame), nl=False)
        return
    console = Console()
    if frame.empty:
        console.print(f"{title}: none", markup=False)
        return
    shown = frame.head(limit) if limit else frame
    ids = {name: frame[name].astype("str").str[:ID] for name in ("id", "commit") if name in frame}
    shown = shown.assign(**ids)  # the first characters name a commit; --csv has them all
    table = Table(title=escape(title), title_justify="left")
    for name in shown.columns:
        numeric = name in money or shown[name].dtype.kind in "iuf"
        table.add_column(str(name).replace("_", " "), justify="right" if numeric else "left", overflow="fold")
    for row in shown.to_dict("records"):
        table.add_row(
            *(escape(_cell(value, currency if name in money else "")) for name, value in row.items())
        )
    console.print(table)
    if len(frame) > len(shown):
        console.print(f"… and {len(frame) - len(shown)} more rows; --csv prints all.", markup=False)


def show_findings(counts: "pd.DataFrame") -> None:
    """Print findings by rule, as `spms_lib.findings.count_by_rule` counts them: what, how often, what to do."""
    from spms_lib.text import visible

    console = Console()
    if counts.empty:
        console.print("No findings.")
        return
    console.print("Findings by rule", style="italic")
    for one in counts.to_dict("records"):
        place = ".".join(part for part in (one["table"], one["column"]) if part)
        colour = "red" if one["severity"] == "rejected" else "yellow"
        example = f", such as '{one['example']}'" if one["example"] else ""
        console.print(
            f"[{colour}]{one['count']:>7,} {one['severity']}[/]  [bold]{escape(place)}[/]: "
            f"{escape(visible(one['rule'] + example))}",
            highlight=False,
            soft_wrap=True,
        )
        console.print(f"{'':>17} {escape(one['remedy'])}", style="dim", highlight=False, soft_wrap=True)


def _cell(value: Any, currency: str) -> str:
    import pandas as pd

    from spms_lib.money import MISSING, format_money
    from spms_lib.text import visible

    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return MISSING
    if currency:
        return format_money(int(value), currency)
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}" if value == value.normalize() else f"{value:%Y-%m-%d %H:%M}"
    return visible(str(value))
