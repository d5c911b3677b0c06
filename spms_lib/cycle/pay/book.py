"""Booked pay: what a closed quarter paid stays as it is; what turns out different is posted to the next one."""

import datetime as dt
from typing import Final

import pandas as pd

from spms_lib.cycle.desk import Desk
from spms_lib.cycle.pay.paid import Paid
from spms_lib.errors import PlanError
from spms_lib.incentives.payments.adjust import adjustments
from spms_lib.incentives.payments.ledger import pay
from spms_lib.incentives.payments.read import terms_from_dict
from spms_lib.incentives.payments.terms import PaymentTerms
from spms_lib.incentives.plan.read import place_text, refusal_of
from spms_lib.store.commits import Commit
from spms_lib.tables import MEASURE, NODE, PERIOD, VALUE

KIND: Final = "pay"
BOOKED: Final = "booked"
_SPLIT: Final = " | "
_EARNED: Final = ["payee", PERIOD, "component", "earned"]


def payment_terms(desk: Desk, paid: Paid) -> PaymentTerms:
    """Read how a plan pays out; a plan without a block pays what is earned with the last month of the quarter.

    Raises
    ------
    PlanError
        If the block is wrong; every mistake is named.
    """
    block = paid.plan.blocks.get("payment")
    if not isinstance(block, dict):
        return PaymentTerms(currency=desk.currency, paid="quarter")
    terms, problems = terms_from_dict(block, desk.per_unit)
    if terms is None:
        raise refusal_of(problems, f"plan '{paid.plan.name}'", place_text)
    return terms


def payment_ledger(desk: Desk, paid: Paid) -> pd.DataFrame:
    """Pay out what the quarter's months earned, with every movement in between: see `payments.ledger.pay`.

    Terms that look at single deals (holdback, clawback, pay on invoice) need a list of deals with
    their invoices, which the company's tables do not have; such a plan is refused.
    """
    terms = payment_terms(desk, paid)
    if terms.by_deal:
        raise PlanError(
            "The plan holds back, claws back or pays on invoices, and no table says when deals are paid or cancelled.",
            where=f"plan '{paid.plan.name}', payment",
            remedy="Pay such a plan with payments.ledger.pay and a frame of deals.",
        )
    return pay(_earned(desk, paid), terms, periods=desk.months, calendar=desk.calendar)


def book(desk: Desk, paid: Paid, *, until: dt.date) -> tuple[Commit | None, pd.DataFrame]:
    """Close the quarter's pay in the ledger, or post what has changed since to the month after it.

    Parameters
    ----------
    until
        Day to which sales are credited; before the quarter's last day nothing is booked.

    Returns
    -------
    Commit or None
        None where there is nothing to book.
    adjustments
        Reversals and rebookings that were posted now: payee, period (month they are posted to),
        kind, amount, link; no rows at the first booking.
    """
    nothing = adjustments(_nobody(), _nobody(), open_period=_open_month(desk))
    if until < desk.calendar.end(desk.cycle):
        return None, nothing
    now, before = _earned(desk, paid), booked(desk, paid)
    name = paid.run.run_hash()[:12]
    if before.empty:
        cells = _cells(desk, paid, now.assign(item=now["payee"] + _SPLIT + now[PERIOD] + _SPLIT + BOOKED))
        return desk.ledger.commit(
            KIND, cells, author=desk.author, message=f"Pay of {desk.cycle} by {paid.plan.name}, run {name}"
        ), nothing
    posted = adjustments(before, now, open_period=_open_month(desk), runs=(BOOKED, name))
    if posted.empty:
        return None, posted
    differs = before.merge(now, on=_EARNED[:3], how="outer", suffixes=("_before", "_now")).fillna(0)
    differs["earned"] = (differs["earned_now"] - differs["earned_before"]).astype("int64")
    differs = differs[differs["earned"] != 0]
    posting = f"{name} {len(desk.ledger.state(KIND))}"  # a run may come back to what it had been before
    item = differs["payee"] + _SPLIT + differs[PERIOD] + _SPLIT + posting
    cells = _cells(desk, paid, differs.assign(item=item, **{PERIOD: _open_month(desk)}))
    message = f"Adjustments to pay of {desk.cycle} by {paid.plan.name}, run {name}"
    return desk.ledger.commit(KIND, cells, author=desk.author, message=message), posted


def book_everybody(desk: Desk, everybody: list[Paid], *, until: dt.date) -> tuple[list[str], pd.DataFrame]:
    """Book the pay of every plan: what was booked, in words, and all adjustments that were posted now."""
    done = [(one.plan.name, *book(desk, one, until=until)) for one in everybody]
    said = [
        f"Booked: {commit.message}." if commit else f"{name}: nothing new to book."
        for name, commit, _ in done
    ]
    return said, pd.concat([posted for _, _, posted in done], ignore_index=True)


def agrees(desk: Desk, paid: Paid, *, until: dt.date) -> bool:
    """Tell whether what is booked, adjustments included, equals this run; true before the quarter is over."""
    if until < desk.calendar.end(desk.cycle):
        return True
    then, now = (rows.set_index(_EARNED[:3])["earned"] for rows in (booked(desk, paid), _earned(desk, paid)))
    return bool((then.sub(now, fill_value=0) == 0).all())


def booked(desk: Desk, paid: Paid) -> pd.DataFrame:
    """Read what has been booked for the quarter, adjustments included: payee, period, component, earned."""
    return _entries(desk, paid).groupby(_EARNED[:3])["earned"].sum().reset_index()


def _entries(desk: Desk, paid: Paid) -> pd.DataFrame:
    """List the ledger's cells of the quarter: payee, node, period that was worked in, component, earned."""
    state, plan = desk.ledger.state(KIND), f"{paid.plan.name}{_SPLIT}"
    state = state[state[MEASURE].str.startswith(plan).astype(bool)]
    if desk.region:
        state = state[state[NODE].isin(desk.scope.nodes)]
    parts = state["item"].str.rsplit(_SPLIT, n=2)  # a payee's name may hold anything
    frame = pd.DataFrame(
        {
            "payee": parts.str[0],
            NODE: state[NODE],
            PERIOD: parts.str[1],
            "component": state[MEASURE].str.removeprefix(plan),
            "earned": state[VALUE].astype("int64"),
        }
    )
    return frame[frame[PERIOD].isin(desk.months)]


def _earned(desk: Desk, paid: Paid) -> pd.DataFrame:
    """List what the months of the quarter earned; what cannot be known is not paid and not listed."""
    rows = paid.run.earnings().astype({"payee": str, "component": str, PERIOD: str})
    mine = rows[rows[PERIOD].isin(desk.months) & rows["earned"].notna()]
    return mine.astype({"earned": "int64"})[_EARNED].reset_index(drop=True)


def _cells(desk: Desk, paid: Paid, rows: pd.DataFrame) -> pd.DataFrame:
    seats = pd.concat([paid.payees, _entries(desk, paid)])  # who is no payee any more was one when booked
    nodes = seats.drop_duplicates("payee").set_index("payee")[NODE]
    return pd.DataFrame(
        {
            NODE: rows["payee"].map(nodes),
            PERIOD: rows[PERIOD],
            MEASURE: paid.plan.name + _SPLIT + rows["component"],
            "item": rows["item"],
            VALUE: rows["earned"].astype("Int64"),
        }
    )


def _open_month(desk: Desk) -> str:
    return desk.calendar.shift(desk.months[-1], 1)


def _nobody() -> pd.DataFrame:
    return pd.DataFrame({"payee": [], PERIOD: [], "component": [], "earned": []}).astype(
        {"payee": "str", PERIOD: "str", "component": "str", "earned": "int64"}
    )
