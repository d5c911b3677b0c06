"""The command `spms`: the verbs of the library, for terminals, schedulers and Makefiles.

Each command says what it is for, prints a refusal as one block that says what to do
next, and ends with an exit code that a scheduler can act on.
"""

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from spms_lib.cli import collect, company, edits, holds, ledger, plan, run
from spms_lib.cli.show import refuse
from spms_lib.errors import SpmsError


class PlainErrors(TyperGroup):
    """A group of commands whose refusals are printed without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; print a refusal and exit with 2, an interrupt with 130."""
        try:
            return super().invoke(ctx)
        except SpmsError as error:
            if ctx.params.get("debug"):
                raise
            refuse(error)
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None


app = typer.Typer(
    cls=PlainErrors,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,  # its tracebacks print local values
    help="Sales planning: goals, forecasts, reconciliation, pay and review of one quarter, run as notebooks.",
    epilog="Start with: spms sample build, then: spms run params/sample/2026Q3.yaml",
)
app.command("run")(run.run)
app.command("check")(run.check)
app.command("init")(company.init)
app.add_typer(company.params_app, name="params")
app.add_typer(company.sample_app, name="sample")
app.add_typer(ledger.app, name="ledger")
app.add_typer(holds.app, name="hold")
app.add_typer(edits.app, name="edit")
app.add_typer(collect.app, name="collect")
app.add_typer(plan.app, name="plan")


@app.callback()
def options(
    *,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show where in the code a refusal comes from.")
    ] = False,
) -> None:
    """Sales planning: goals, forecasts, reconciliation, pay and review of one quarter, run as notebooks."""
    del debug  # read by PlainErrors


def main() -> None:
    """Run the command line."""
    # nbformat imports jsonschema's format checkers, and one of them builds a grammar for 0.8 s that no
    # notebook needs; jsonschema does without where it is absent. Here only: a library must not do this.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    app()
