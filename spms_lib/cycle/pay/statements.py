"""Statements of a cycle: one payee explained, what the next sale earns, and the pages that are handed out."""

import datetime as dt
from pathlib import Path

import pandas as pd

from spms_lib.cycle.desk import Desk
from spms_lib.cycle.paths import file_name
from spms_lib.cycle.pay.paid import Paid
from spms_lib.errors import PlanError
from spms_lib.incentives.statements.ahead import next_step
from spms_lib.incentives.statements.statement import Statement, explain
from spms_lib.report.statement import statement_page


def statement_of(paid: Paid, payee: str, *, movements: pd.DataFrame | None = None) -> Statement:
    """Explain the quarter's pay of one payee, by component and month, to the cent.

    Parameters
    ----------
    movements
        The payment ledger, from `book.payment_ledger`.
    """
    return explain(paid.run, payee, ledger=movements)


def nearest_step(paid: Paid) -> pd.DataFrame:
    """List what one more sale earns everybody, those nearest to their next tier first: see `next_step`."""
    rows = next_step(paid.run)
    return rows.sort_values("further", kind="stable", na_position="last", ignore_index=True)


def chosen_payee(paid: Paid, wanted: str = "") -> str:
    """Find a payee by name or seat; without a name the one nearest to the next tier, whom a statement serves most."""
    if not wanted:
        near = nearest_step(paid)
        return str(near["payee"].iloc[0]) if len(near) else str(paid.run.books.payees[0])
    rows = paid.payees
    for column in ("payee", "person", "node"):
        found = rows.loc[rows[column] == wanted, "payee"]
        if len(found):
            return str(found.iloc[0])
    raise PlanError(
        f"Nobody is called '{wanted}'.",
        where=f"plan '{paid.plan.name}'",
        remedy="Use a payee, person or seat of the table of pay.",
    )


def write_page(
    desk: Desk, paid: Paid, payee: str, folder: Path, *, until: dt.date, movements: pd.DataFrame | None = None
) -> Path:
    """Write a payee's statement as a page into a folder, and return its file."""
    page = statement_page(
        statement_of(paid, payee, movements=movements),
        as_of=until,
        run_hash=paid.run.run_hash(),
        contact=desk.params.pay_contact or "your sales operations team",
        ahead=next_step(paid.run.only([payee])),
    )
    folder.mkdir(parents=True, exist_ok=True)
    node = str(paid.payees.set_index("payee").loc[payee, "node"])
    number = int((paid.payees.loc[paid.payees["node"] == node, "payee"] == payee).to_numpy().argmax())
    name = file_name(node)
    file = folder / (f"{name}.html" if number == 0 else f"{name}-{number + 1}.html")
    file.write_text(page, encoding="utf-8")
    return file


def adds_up(told: Statement, paid: Paid) -> bool:
    """Tell whether a statement's steps sum to what the run says was earned."""
    row = paid.run.books.payees.get_loc(told.payee)
    return int(told.steps["amount"].sum()) == int(paid.run.total()[row].sum())
