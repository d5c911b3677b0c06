"""`spms plan`: compensation plans, checked before anybody is paid by them."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Check compensation plans.")


@app.callback()
def plan() -> None:
    """Check compensation plans."""


@app.command("check")
def check(
    files: Annotated[list[Path], typer.Argument(help="YAML files of plans.", show_default=False)],
) -> None:
    """Check plan files without any data; every mistake is named with its line. Ends with 1 if there is any."""
    from spms_lib.cli.show import refuse
    from spms_lib.errors import PlanError, SpmsError
    from spms_lib.incentives.plan.hashed import plan_hash
    from spms_lib.incentives.plan.versions import check_versions
    from spms_lib.params.plans import load_plan

    plans, wrong = [], False
    for path in files:
        try:
            one = load_plan(path)
        except SpmsError as refusal:
            refuse(refusal)
            wrong = True
        else:
            plans.append(one)
            typer.echo(f"{path}: no mistakes ({one.name} {one.version}, {plan_hash(one)[:12]})")
    for clash in check_versions(plans):
        refuse(PlanError(clash.what, where=plans[int(clash.place[0])].name, remedy=clash.remedy))
        wrong = True
    if wrong:
        raise typer.Exit(1)
