"""`spms run` and `spms check`: run a cycle, and look at what it would read."""

from pathlib import Path
from typing import Annotated

import typer

from spms_lib.cli.place import CycleFile, Data, desk_of
from spms_lib.cli.show import AsCsv, show, show_findings

Only = Annotated[
    list[str] | None,
    typer.Option("--only", help="Only this notebook (review) or edition (review:dach); may be repeated."),
]


def run(
    params: CycleFile,
    *,
    only: Only = None,
    from_: Annotated[
        str | None, typer.Option("--from", help="This notebook and everything that builds on it.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Run also what is unchanged since the last run.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(help="Notebooks at the same time; one per processor if left out.", min=1)
    ] = None,
    timeout: Annotated[
        int, typer.Option(help="Seconds that one cell may take before it is ended.", min=1)
    ] = 600,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the plan; start and write nothing.")
    ] = False,
    data: Data = "",
    out: Annotated[
        str,
        typer.Option(
            help="Folder for outputs and ledger, if not `outputs` of the project. SPMS_OUT says so to all commands.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """Run the notebooks of a quarter and write the review, with an index page that links everything.

    Wrong parameters are refused before anything starts. What is unchanged since the last run is
    not run again. A notebook that fails is kept as *.failed.ipynb beside the last good one, what
    builds on it is skipped, and the rest goes on.

    Exit codes: 0 done, 1 a notebook failed, 2 refused before the start, 3 done but a check did not
    hold, 130 interrupted.
    """
    from spms_lib.batch.run import run_cycle

    result = run_cycle(
        params,
        only=only or (),
        from_=from_,
        force=force,
        jobs=jobs,
        timeout=timeout,
        dry_run=dry_run,
        data=data,
        out=out,
    )
    raise typer.Exit(result.exit_code)


def check(params: CycleFile, *, data: Data = "", csv: AsCsv = False) -> None:
    """Read all inputs of a quarter and say what is wrong with them, before anybody plans on them.

    Prints the rows of each table that were read, used and rejected, and every finding by rule
    with an example and what to do. --csv prints every single finding instead.

    Exit codes: 0 nothing rejected, 1 rows were rejected, 2 the inputs cannot be read at all.
    """
    from spms_lib.findings import REJECTED, SEVERITY, count_by_rule, join
    from spms_lib.hierarchy.check import check_hierarchy

    desk = desk_of(Path(params), data=data)
    tree = check_hierarchy(desk.table("hierarchy"), as_of=desk.calendar.start(desk.cycle))
    found = join(desk.findings, tree)
    if csv:
        show(found, title="Findings", csv=True)
    else:
        show(desk.sources.drop(columns="adds_up"), title=f"{desk.company.title}: tables")
        show_findings(count_by_rule(found))
    raise typer.Exit(1 if (found[SEVERITY] == REJECTED).any() else 0)
