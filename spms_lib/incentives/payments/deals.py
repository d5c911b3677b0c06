"""Pay that hangs on single deals: paid with the invoice, held back for a time, taken back on cancellation."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.errors import TableError
from spms_lib.incentives.engine.exact import Ints, rounded
from spms_lib.incentives.payments.entries import PAYEE, Entries, checked_amounts, codes_of, in_run
from spms_lib.incentives.payments.months import PayPeriods
from spms_lib.incentives.payments.settle import share_of
from spms_lib.incentives.payments.terms import INVOICE, Clawback, Holdback, PaymentTerms
from spms_lib.tables import need

HOLDBACK, RELEASE, CLAWBACK = "holdback", "release", "clawback"
MONTHS: Final = ["contract_months", "served_months"]


@dataclass(frozen=True, slots=True)
class _Lines:
    """Deal lines as arrays of one length; columns are pay periods, `never` (their number) lies after the run."""

    payee: Ints
    deal: Ints
    names: pd.Index
    at: Ints
    amount: Ints
    cancelled: Ints
    never: int

    def entries(self, kind: str, where: NDArray[np.bool_], column: Ints, amount: Ints) -> Entries:
        return Entries(kind, self.payee[where], column[where], amount[where], self.deal[where])


def deal_entries(
    deals: pd.DataFrame, terms: PaymentTerms, payees: pd.Index, periods: PayPeriods
) -> tuple[list[Entries], Sequence[str]]:
    """State what is held back, released and taken back for each deal, in the pay period in which it happens.

    A deal's pay is due when it is booked, or invoiced; a share of it some pay periods later. What
    is not yet due is held back. If the deal is cancelled in the pay period of the release or
    before, what was held is released and taken back at once, so nothing of it is paid; of what had
    been paid before, the clawback takes its share.

    Parameters
    ----------
    deals
        Columns payee, deal, period (month in which it was earned), amount (int64 minor units, part of the
        earnings), and where the terms ask for them: pay_date (day of the invoice; missing until
        there is one), cancelled_on (a day or missing), contract_months, served_months.

    Raises
    ------
    TableError
        If a column is missing, an amount is not whole, a month lies outside of the run, or the
        months of a cancelled contract are not known.
    """
    lines = _lines(deals, terms, payees, periods)
    due = np.maximum(lines.at, periods.of_months(deals["pay_date"])) if terms.pay_on == INVOICE else lines.at
    holdback = terms.holdback or Holdback(Fraction(1), 0)
    first = share_of(lines.amount, holdback.upfront)
    found, paid = [], np.zeros_like(first)
    for amount, due_in in (
        (first, due),
        (lines.amount - first, np.minimum(due + holdback.after, lines.never)),
    ):
        held = (due_in > lines.at) & (amount != 0)
        forfeited = held & (lines.cancelled <= due_in) & (lines.cancelled < lines.never)
        end = np.where(forfeited, lines.cancelled, due_in)
        found.append(lines.entries(HOLDBACK, held, lines.at, -amount))
        found.append(lines.entries(RELEASE, held & (end < lines.never), end, amount))
        found.append(lines.entries(CLAWBACK, forfeited, end, -amount))
        paid += np.where(forfeited, 0, amount)
    if terms.clawback:
        found.append(_clawback(deals, terms.clawback, lines, paid))
    return found, ("deal " + lines.names.astype(str)).tolist()


def _lines(deals: pd.DataFrame, terms: PaymentTerms, payees: pd.Index, periods: PayPeriods) -> _Lines:
    columns = [PAYEE, "deal", "period", "amount"]
    columns += ["pay_date"] if terms.pay_on == INVOICE else []
    columns += ["cancelled_on"] if terms.holdback or terms.clawback else []
    columns += MONTHS if terms.clawback and terms.clawback.share is None else []
    need(deals, columns, "deals")
    at, never = in_run(deals["period"], periods, "deals"), len(periods.names)
    if "cancelled_on" in deals:
        cancelled = np.maximum(periods.of_months(deals["cancelled_on"]), at)
    else:
        cancelled = np.full(len(deals), never)
    deal, names = pd.factorize(deals["deal"])
    return _Lines(
        codes_of(deals[PAYEE], payees),
        deal,
        names,
        at,
        checked_amounts(deals, "amount", "deals"),
        cancelled,
        never,
    )


def _clawback(deals: pd.DataFrame, clawback: Clawback, lines: _Lines, paid: Ints) -> Entries:
    """Take back a share of what was paid for each cancelled deal: never more than that, and nothing of a deal in debt."""
    gone = lines.cancelled < lines.never
    keys = {"payee": lines.payee[gone], "deal": lines.deal[gone], "column": lines.cancelled[gone]}
    if clawback.share is None:
        months = deals.loc[gone, MONTHS]
        unknown = (months.isna().any(axis=1) | ~(months["contract_months"] > 0)).to_numpy()
        if unknown.any():
            name = deals.loc[gone, "deal"][unknown].iloc[0]
            remedy = "Fill contract_months (above 0) and served_months."
            raise TableError(
                f"The months of the cancelled deal '{name}' are not known.", where="deals", remedy=remedy
            )
        keys |= {name: months[name].to_numpy(dtype=np.int64) for name in MONTHS}
    taken = pd.DataFrame({**keys, "paid": paid[gone]}).groupby(list(keys), as_index=False)["paid"].sum()
    amount = np.maximum(taken["paid"].to_numpy(), 0)
    if clawback.share is None:
        contract, served = (taken[name].to_numpy() for name in MONTHS)
        unserved = np.clip(contract - served, 0, contract)
        back = rounded(lambda a, left, whole: ([a * left], whole), [amount, unserved, contract])
    else:
        back = share_of(amount, clawback.share)
    payee, column, deal = (taken[name].to_numpy() for name in ("payee", "column", "deal"))
    return Entries(CLAWBACK, payee, column, -back, deal)
