"""From what a command was given to the ledger it means."""

import datetime as dt
import getpass
import os
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spms_lib.errors import LedgerError, MoneyError, ParamsError, RunError

if TYPE_CHECKING:
    from spms_lib.cycle import Desk
    from spms_lib.store.ledger import Ledger

LedgerPlace = Annotated[
    Path, typer.Argument(help="params/COMPANY/CYCLE.yaml, or the ledger's file.", show_default=False)
]
CycleFile = Annotated[Path, typer.Argument(help="params/COMPANY/CYCLE.yaml.", show_default=False)]
Data = Annotated[
    str,
    typer.Option(help="Folder with the company's files, if not the one of the params.", show_default=False),
]


@dataclass(frozen=True, slots=True)
class Place:
    """A ledger's file and, where the params say it, the currency of its amounts."""

    file: Path
    currency: str = ""

    def open(self, *, create: bool = False) -> "Ledger":
        """Open the ledger; a command that only reads does not make one."""
        from spms_lib.store.ledger import Ledger

        if create:
            self.file.parent.mkdir(parents=True, exist_ok=True)
        elif not self.file.is_file():
            raise LedgerError(
                "There is no ledger yet.",
                where=str(self.file),
                remedy="Run the cycle first, or correct the path.",
            )
        return Ledger.open(self.file, create=create)


def place_of(given: Path) -> Place:
    """Find the ledger that a params file or a path means."""
    if given.suffix not in {".yaml", ".yml"}:
        return Place(given)
    desk = desk_of(given, tables=False)
    return Place(desk.ledger_file, desk.currency)


def desk_of(params_path: Path, *, data: str = "", tables: bool = True) -> "Desk":
    """Open the desk of a cycle by its params file, with or without its tables."""
    from spms_lib.batch.files import root_of
    from spms_lib.cycle import Desk, load_inputs
    from spms_lib.params import load_company, load_cycle

    path = params_path.resolve()
    params = load_cycle(path)
    firm = load_company(path.parent / "company.yaml")
    root = root_of(path)
    folder = str(Path(data).resolve()) if data else ""
    return Desk(firm, params, root, load_inputs(firm, root, data=folder) if tables else {})


def author_or_me(author: str) -> str:
    """Return the author given, else SPMS_AUTHOR, else the user of this machine."""
    return author or os.environ.get("SPMS_AUTHOR") or getpass.getuser()


def amount_of(text: str, currency: str) -> int:
    """Read an amount in currency units, such as 125000.50, as whole minor units.

    Examples
    --------
    >>> amount_of("125000.50", "EUR"), amount_of("1500", "JPY")
    (12500050, 1500)
    """
    from spms_lib.money import minor_per_unit, to_minor

    per_unit = minor_per_unit(currency)
    try:
        exact = Decimal(text) * per_unit
    except InvalidOperation:
        raise MoneyError(
            f"'{text}' is not an amount.",
            remedy="Write it in currency units with a point, such as 125000.50.",
        ) from None
    if not exact.is_finite() or exact != exact.to_integral_value():
        raise MoneyError(
            f"'{text}' is not a whole number of the smallest unit of {currency}.",
            remedy="Leave out further digits.",
        )
    return to_minor(text, per_unit)


def day_of(text: str) -> dt.date | None:
    """Read a day such as 2026-09-30; None for no text."""
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise ParamsError(f"'{text}' is not a day.", remedy="Write it as 2026-09-30.") from None


def needs_params(given: Path, why: str) -> None:
    """Refuse a bare ledger where the params have to say something."""
    if given.suffix not in {".yaml", ".yml"}:
        raise RunError(
            f"{why}, which a ledger's file does not say.", where=str(given), remedy="Name the params file."
        )
