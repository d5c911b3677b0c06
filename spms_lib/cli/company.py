"""`spms init`, `spms params` and `spms sample`: companies, what they are told, and one to try things on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spms_lib.cli.show import AsCsv, show

if TYPE_CHECKING:
    from spms_lib.params import Company, Cycle

params_app = typer.Typer(no_args_is_help=True, help="Check, show and compare params files.")
sample_app = typer.Typer(no_args_is_help=True, help="A made-up company to try things on.")

ParamsFile = Annotated[Path, typer.Argument(help="A cycle's file, or a company.yaml.", show_default=False)]


def init(
    name: Annotated[
        str, typer.Argument(help="Short name: lower-case letters, digits and '_'.", show_default=False)
    ],
    *,
    params_folder: Annotated[Path, typer.Option(help="Folder that holds the companies.")] = Path("params"),
) -> None:
    """Start a new company: params files with every entry explained, to be filled in."""
    from spms_lib.params.scaffold import scaffold_company

    made = scaffold_company(name, params_folder)
    for path in [made] if isinstance(made, Path) else list(made or [params_folder / name]):
        typer.echo(f"wrote {path}")
    typer.echo("Fill in company.yaml, then look at your data with: spms check PARAMS")


@params_app.command("check")
def check_params(path: ParamsFile) -> None:
    """Check a params file without reading any data; every mistake is named with its line."""
    _load(path)
    typer.echo(f"{path}: no mistakes")


@params_app.command("show")
def show_params(path: ParamsFile, *, csv: AsCsv = False) -> None:
    """Show every parameter with its value, its default and what it means."""
    from spms_lib.params import describe

    show(describe(_load(path)), title=str(path), csv=csv)


@params_app.command("diff")
def diff_params(before: ParamsFile, after: ParamsFile, *, csv: AsCsv = False) -> None:
    """Show what differs between two params files, such as last quarter's and this one's."""
    from spms_lib.params import compare

    show(compare(_load(before), _load(after)), title=f"{before.name} to {after.name}", csv=csv)


@sample_app.command("build")
def build(
    *,
    folder: Annotated[Path, typer.Option(help="Where the exports go.")] = Path("outputs/sample/data"),
    seed: Annotated[int, typer.Option(help="Another seed gives another company.")] = 7,
) -> None:
    """Write the exports of a made-up company, dirt included, to learn and test on.

    The same seed gives the same files, byte for byte.
    """
    from spms_lib.sample import build_sample

    for name, rows in build_sample(folder, seed=seed).items():
        typer.echo(f"{rows:>8,} rows  {name}")
    typer.echo(f"in {folder}")


def _load(path: Path) -> "Company | Cycle":
    from spms_lib.params import load_company, load_cycle

    return load_company(path) if path.name == "company.yaml" else load_cycle(path)
