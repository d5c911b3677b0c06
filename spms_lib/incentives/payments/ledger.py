"""The payment ledger: every movement between what is earned and what is paid, one row each."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import MoneyError, TableError
from spms_lib.incentives.engine.exact import Ints
from spms_lib.incentives.payments.adjust import REBOOK, REVERSAL
from spms_lib.incentives.payments.deals import HOLDBACK, RELEASE, deal_entries
from spms_lib.incentives.payments.draws import draw_grid
from spms_lib.incentives.payments.entries import (
    COLUMNS,
    EARNING,
    PAYEE,
    PAYMENT,
    Block,
    Entries,
    checked_amounts,
    codes_of,
    frame,
    in_run,
    matrix,
)
from spms_lib.incentives.payments.months import PayPeriods, pay_periods
from spms_lib.incentives.payments.settle import (
    CAP_CARRY,
    DRAW,
    NEGATIVE_CARRY,
    RECOVERY,
    Settlement,
    settle,
)
from spms_lib.incentives.payments.terms import PaymentTerms
from spms_lib.tables import need

PAID_AT = ("end of period", "start of period")


def pay(
    earnings: pd.DataFrame,
    terms: PaymentTerms,
    *,
    periods: Sequence[str],
    calendar: FiscalCalendar,
    payees: Sequence[str] = (),
    draws: pd.DataFrame | None = None,
    deals: pd.DataFrame | None = None,
    adjusted: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Pay what was earned, and write down every movement in between.

    Parameters
    ----------
    earnings
        Columns payee, period (month), component, earned (int64 minor units), and currency where
        it has one.
    periods
        All months of the run, whole pay periods, in order.
    payees
        Who takes part although no table names them: a draw is paid to those who earn nothing, too.
    draws
        Payees whose draw is not the plan's; see `draw_grid`.
    deals
        What single deals earned (part of `earnings`), where the terms look at deals; see `deal_entries`.
    adjusted
        Reversals and rebookings of closed periods, from `adjustments`.

    Returns
    -------
    pd.DataFrame
        The ledger: payee, period (month in which it is paid), kind, amount (int64 minor units; adds
        to the payment of its period or takes from it), link (component and month, deal, run, or
        reason). Rows of kind `payment` state what is paid, the sum of all others: see `net`.

    Raises
    ------
    TableError, PeriodError
        If a table lacks a column, holds an amount that is not whole, or reaches outside of the run.
    MoneyError
        If amounts are not in the currency of the draw and the cap.

    Examples
    --------
    >>> from spms_lib.incentives.payments.terms import Draw
    >>> rows = [("ann", "2026-01", "new", 1500), ("ann", "2026-02", "new", 2375)]
    >>> table = pd.DataFrame(rows, columns=["payee", "period", "component", "earned"])
    >>> terms = PaymentTerms(currency="EUR", draw=Draw("recoverable", 2000))
    >>> ledger = pay(table, terms, periods=["2026-01", "2026-02"], calendar=FiscalCalendar())
    >>> ledger[["period", "kind", "amount"]].values.tolist()[:3]
    [['2026-01', 'earning', 1500], ['2026-01', 'draw', 500], ['2026-01', 'payment', 2000]]
    >>> balances(ledger)["owed"].tolist()
    [500, 125]
    """
    need(earnings, [PAYEE, "period", "component", "earned"], "earnings")
    _one_currency(earnings, terms)
    if terms.by_deal and deals is None:
        raise TableError("The plan pays by deals, but there are none.", where="deals", remedy="Pass `deals`.")
    run = pay_periods(periods, terms.paid, calendar)
    named = [table[PAYEE] for table in (earnings, draws, deals, adjusted) if table is not None]
    people = (
        pd.Index([*payees, *pd.concat([pd.Series(one.unique()) for one in named])]).unique().sort_values()
    )
    blocks: list[Block] = [_earned(earnings, people, run)]
    if deals is not None and terms.by_deal:
        blocks.append(deal_entries(deals, terms, people, run))
    if adjusted is not None:
        blocks.append(_adjusted(adjusted, people, run))
    due = matrix([part for entries, _ in blocks for part in entries], (len(people), len(run.names)))
    done = settle(due, terms, draw_grid(terms.draw, people, run, draws))
    return frame([*blocks, (_settled(done), PAID_AT)], people, run.names)


def net(ledger: pd.DataFrame, by: Sequence[str] = ("payee", "period")) -> pd.Series:
    """Add up all movements of a ledger: the pay that they come to, and that its payments must equal.

    Returns
    -------
    pd.Series
        int64 minor units, indexed by `by`.
    """
    return ledger[ledger["kind"] != PAYMENT].groupby(list(by), observed=True)["amount"].sum()


def balances(ledger: pd.DataFrame) -> pd.DataFrame:
    """Say what is open with each payee at the end of each pay period.

    Returns
    -------
    pd.DataFrame
        Columns payee, period, paid (in the period), owed (by the payee), carried (above a cap, paid when there is
        room), negative (earnings below zero not yet set off), held (of deals, waiting); int64
        minor units. One row for every payee in every pay period of the ledger.
    """
    by = [ledger[name].astype("category").cat for name in ("payee", "period")]
    payees, names = (one.categories for one in by)
    place = by[0].codes.to_numpy(dtype=np.int64) * len(names) + by[1].codes.to_numpy()

    def to_date(sign: int, *kinds: str) -> Ints:
        rows = ledger["kind"].isin(kinds).to_numpy()
        total = np.zeros(len(payees) * len(names), dtype=np.int64)
        np.add.at(total, place[rows], sign * ledger["amount"].to_numpy()[rows])
        return total.reshape(len(payees), len(names)).cumsum(axis=1)

    columns = {
        "paid": np.diff(to_date(1, PAYMENT), axis=1, prepend=0),
        "owed": to_date(1, DRAW, RECOVERY),
        "carried": to_date(-1, CAP_CARRY),
        "negative": to_date(1, NEGATIVE_CARRY),
        "held": to_date(-1, HOLDBACK, RELEASE),
    }
    index = pd.MultiIndex.from_product([payees, names], names=["payee", "period"])
    return pd.DataFrame({name: values.ravel() for name, values in columns.items()}, index=index).reset_index()


def _earned(earnings: pd.DataFrame, payees: pd.Index, run: PayPeriods) -> Block:
    component, components = pd.factorize(earnings["component"])
    month, months = pd.factorize(earnings["period"])
    amount = checked_amounts(earnings, "earned", "earnings")
    column = in_run(earnings["period"], run, "earnings")
    links = [f"{name} {label}" for name in components for label in months]
    who = codes_of(earnings[PAYEE], payees)
    return [Entries(EARNING, who, column, amount, component * len(months) + month)], links


def _adjusted(adjusted: pd.DataFrame, payees: pd.Index, run: PayPeriods) -> Block:
    need(adjusted, COLUMNS, "adjustments")
    link, links = pd.factorize(adjusted["link"])
    who = codes_of(adjusted[PAYEE], payees)
    column = in_run(adjusted["period"], run, "adjustments")
    amount, kinds = (
        checked_amounts(adjusted, "amount", "adjustments"),
        adjusted["kind"].to_numpy(dtype=object),
    )
    parts = [
        Entries(kind, *(x[kinds == kind] for x in (who, column, amount, link))) for kind in (REVERSAL, REBOOK)
    ]
    if sum(len(part.amount) for part in parts) < len(adjusted):
        raise TableError(
            "Something is no adjustment.", where="adjustments", remedy="Pass what `adjustments` returned."
        )
    return parts, list(links)


def _settled(done: Settlement) -> list[Entries]:
    found = []
    kinds = [*done.movements.items(), (PAYMENT, done.paid - done.at_start), (PAYMENT, done.at_start)]
    for kind, amounts in kinds:
        payee, column = np.nonzero(amounts)
        link = np.full(len(payee), int(amounts is done.at_start))
        found.append(Entries(kind, payee, column, amounts[payee, column], link))
    return found


def _one_currency(earnings: pd.DataFrame, terms: PaymentTerms) -> None:
    """Refuse amounts in another currency than the one in which the draw and the cap are stated."""
    if "currency" not in earnings:
        return
    other = earnings["currency"] != (terms.currency or earnings["currency"].iloc[0])
    if other.any():
        row = earnings[other].iloc[0]
        raise MoneyError(
            f"'{row[PAYEE]}' earned {row['currency']} under terms in {terms.currency or 'one currency'}.",
            where="earnings",
            remedy="Convert the amounts first, or state the terms in their currency.",
        )
