"""The recurrence of payment: pay period after pay period, for all payees at once, in whole cents."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from spms_lib.incentives.engine.exact import Ints, rounded
from spms_lib.incentives.payments.draws import DrawGrid, no_draws
from spms_lib.incentives.payments.terms import (
    ADVANCE,
    CARRY,
    DRAW_TYPES,
    NON_RECOVERABLE,
    RECOVER,
    UPFRONT,
    PaymentTerms,
)

DRAW, RECOVERY, FORGIVEN, GUARANTEE = "draw", "recovery", "forgiven", "guarantee"
CAP_CARRY, CAP_LOST, NEGATIVE_CARRY = "cap_carry", "cap_lost", "negative_carry"
MOVEMENTS: Final = (DRAW, RECOVERY, FORGIVEN, GUARANTEE, CAP_CARRY, CAP_LOST, NEGATIVE_CARRY)

_NO_LIMIT: Final = 2**62


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of amounts due; every array has the shape (n_payees, n_periods), int64 minor units.

    Attributes
    ----------
    movements
        What stands between due and paid, by kind (`MOVEMENTS`): positive adds to the payment
        of its period, negative takes from it. Due plus all of them is paid, in every period.
    paid
        Never negative, never above the cap.
    at_start
        The part of `paid` that was paid when the period started (an upfront draw).
    owed, carried, negative
        At the end of each period: what the payee owes; what a cap keeps for later; earnings
        below zero that wait to be set off. None is ever negative.
    """

    movements: Mapping[str, Ints]
    paid: Ints
    at_start: Ints
    owed: Ints
    carried: Ints
    negative: Ints


def share_of(amounts: Ints, share: Fraction) -> Ints:
    """Take a share of whole amounts, exactly, halves up.

    Examples
    --------
    >>> share_of(np.array([1000, 5]), Fraction(1, 2)).tolist()
    [500, 3]
    """
    if share == 1:
        return amounts
    return rounded(lambda a: ([a * share.numerator], a * 0 + share.denominator), [amounts])


def settle(due: Ints, terms: PaymentTerms, draws: DrawGrid | None = None) -> Settlement:
    """Turn what is due in each pay period into what is paid in it.

    In each period, in this order: the balance carried over is added; earnings below zero are
    carried or owed; what is owed is deducted from earnings above the minimum; the cap cuts the
    rest; a draw tops up, as far as the cap leaves room. So a cap never cuts what is recovered,
    and nobody owes what was not paid.

    Parameters
    ----------
    due
        Shape (n_payees, n_periods), int64 minor units; negative for returns and clawbacks.
    draws
        From `draw_grid`; None where nobody draws (the plan's own draw is not looked at).

    References
    ----------
    Recoverable draws as an incentive product of 2008 describes them; payment caps with a flag for
    excess that is paid later, as the pay plan tables of another do.

    Examples
    --------
    >>> from spms_lib.incentives.payments.terms import PaymentCap
    >>> done = settle(np.array([[14000, 3000, 12000]]), PaymentTerms("EUR", cap=PaymentCap(10000, None, "carry")))
    >>> done.paid.tolist(), done.carried.tolist()
    ([[10000, 7000, 10000]], [[4000, 0, 2000]])
    """
    due = np.asarray(due, dtype=np.int64)
    draws = no_draws(due.shape) if draws is None else draws
    names = (*MOVEMENTS, "paid", "at_start", "owed", "carried", "negative")
    book = {name: np.zeros(due.shape[::-1], dtype=np.int64) for name in names}
    state = {name: np.zeros(len(due), dtype=np.int64) for name in ("owed", "balance", "paid")}
    for column in range(due.shape[1]):
        for name, values in _one_period(due[:, column], terms, draws, column, state).items():
            book[name][column] = values
    turned = {name: values.T for name, values in book.items()}
    return Settlement({name: turned.pop(name) for name in MOVEMENTS}, **turned)


def _one_period(
    due: Ints, terms: PaymentTerms, draws: DrawGrid, column: int, state: dict[str, Ints]
) -> dict[str, Ints]:
    """Settle one pay period. The state goes on: owed, a balance carried (below zero to be set off), paid to date."""
    kind, minimum = draws.kind[:, column], draws.minimum[:, column]
    is_type = {name: kind == DRAW_TYPES.index(name) for name in (ADVANCE, NON_RECOVERABLE, UPFRONT)}
    nothing = np.zeros_like(due)
    balance, owed = state["balance"], state["owed"]

    gross = due + balance
    earned = np.maximum(gross, 0)
    below = earned - gross
    owed_anew, carried_below = (below, nothing) if terms.negative == RECOVER else (nothing, below)

    kept = np.where(is_type[ADVANCE], 0, minimum)
    open_to = share_of(np.maximum(earned - kept, 0), draws.share)
    recovery = np.where(draws.recovers[:, column], np.minimum(owed, open_to), 0)

    room = _room(terms, state["paid"])
    left = earned - recovery
    excess = np.maximum(left - room, 0)
    wanted = np.where(is_type[ADVANCE], minimum, np.maximum(minimum - earned, 0))
    extra = np.minimum(wanted, np.maximum(room - left, 0))
    paid = left - excess + extra

    guarantee = np.where(is_type[NON_RECOVERABLE], extra, 0)
    at_start = np.where(is_type[UPFRONT], np.minimum(minimum, room), 0)
    drawn_ahead = np.where(
        is_type[UPFRONT], at_start - extra, 0
    )  # paid when the period starts, deducted when it ends
    owed = owed + owed_anew + (extra - guarantee) - recovery
    forgiven = np.where(draws.forgives[:, column], owed, 0)
    carries = terms.cap is not None and terms.cap.excess == CARRY
    later = excess if carries else nothing
    state.update(owed=owed - forgiven, balance=later - carried_below, paid=state["paid"] + paid)
    return {
        DRAW: extra - guarantee + drawn_ahead + owed_anew,
        RECOVERY: -recovery - drawn_ahead - forgiven,
        FORGIVEN: forgiven,
        GUARANTEE: guarantee,
        CAP_CARRY: np.maximum(balance, 0) - later,
        CAP_LOST: later - excess,
        NEGATIVE_CARRY: np.minimum(balance, 0) + carried_below,
        "paid": paid,
        "at_start": at_start,
        "owed": state["owed"],
        "carried": later,
        "negative": carried_below,
    }


def _room(terms: PaymentTerms, paid: Ints) -> Ints:
    """Say how much the cap lets through in this period."""
    cap = terms.cap
    if cap is None:
        return np.full_like(paid, _NO_LIMIT)
    per_period = _NO_LIMIT if cap.per_period is None else cap.per_period
    return np.minimum(per_period, paid * 0 + _NO_LIMIT if cap.total is None else cap.total - paid)
