"""The words of payment: when earnings are paid, what is advanced, capped, held back and taken back."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from spms_lib.incentives.plan.model import MONTH, Clause

RECOVERABLE, FORGIVEN, NON_RECOVERABLE = "recoverable", "forgiven", "non_recoverable"
ADVANCE, UPFRONT = "advance", "upfront"
DRAW_TYPES: Final = (RECOVERABLE, FORGIVEN, NON_RECOVERABLE, ADVANCE, UPFRONT)

CARRY, LOST, RECOVER = "carry", "lost", "recover"
EXCESSES: Final = (CARRY, LOST)
NEGATIVES: Final = (CARRY, RECOVER)

FIXED, PRORATED = "fixed", "prorated"
CLAWBACKS: Final = (FIXED, PRORATED)

UNSTATED: Final = Clause()

BOOKING, INVOICE = "booking", "invoice"
PAY_EVENTS: Final = (BOOKING, INVOICE)


@dataclass(frozen=True, slots=True)
class Draw:
    """Pay that does not wait for earnings, for a time. The trade means five things by it, so a plan names one.

    Attributes
    ----------
    type
        `recoverable`: a minimum. What earnings lack of it is paid and owed, and recovered from
        later earnings above the minimum; what is owed stays owed after the last period.
        `forgiven`: the same, and what is still owed in the last period need not be paid back.
        `non_recoverable`: a guarantee. What earnings lack of it is paid and never owed.
        `advance`: a loan, paid on top of earnings and deducted from those of later periods.
        `upfront`: a minimum paid when the period starts and set against its earnings when it
        ends; what earnings lack is owed as in `recoverable`.
    minimum
        Per pay period, minor units.
    first, last
        Months between which it is paid; empty for the run's first month, and for no end.
    periods
        Number of pay periods instead of a last month; None where `last` says it.
    recovery_from
        Pay period of the draw, its first being 1, from which on what is owed is deducted.
    recovery_share
        Largest part of the earnings above the minimum (of all earnings for an advance) that is deducted.
    """

    type: str
    minimum: int
    first: str = ""
    last: str = ""
    periods: int | None = None
    recovery_from: int = 1
    recovery_share: Fraction = Fraction(1)
    clause: Clause = UNSTATED


@dataclass(frozen=True, slots=True)
class PaymentCap:
    """The most that is paid, whatever was earned.

    Attributes
    ----------
    per_period, total
        In one pay period, and in all of them together, minor units; None for no such limit.
    excess
        What lies above is paid when there is room again (`carry`), or never (`lost`).
    """

    per_period: int | None
    total: int | None
    excess: str
    clause: Clause = UNSTATED


@dataclass(frozen=True, slots=True)
class Holdback:
    """A part of each deal's pay that waits.

    Attributes
    ----------
    upfront
        Share that is paid at once (with the invoice where the plan pays on it).
    after
        Pay periods after which the rest is paid, unless the deal was cancelled until then.
    """

    upfront: Fraction
    after: int
    clause: Clause = UNSTATED


@dataclass(frozen=True, slots=True)
class Clawback:
    """What a payee gives back of a deal that is cancelled, of what was paid for it.

    Attributes
    ----------
    type
        `fixed`: the share. `prorated`: unserved months / months of the contract.
    share
        For `fixed`; None for `prorated`.
    """

    type: str
    share: Fraction | None = None
    clause: Clause = UNSTATED


@dataclass(frozen=True, slots=True)
class PaymentTerms:
    """How earnings become payments: the `payment` block of a plan.

    Attributes
    ----------
    currency
        ISO 4217 code of the amounts below; empty where there are none.
    paid
        Pay period: `month`, `quarter` or `year`, paid with its last month.
    negative
        Earnings below zero (returns) are set off against the next earnings in full before
        anything is paid (`carry`), or are owed and deducted as a draw is (`recover`).
    pay_on
        A deal's pay is due with its `booking`, or with its `invoice` (the line's pay date).
    """

    currency: str = ""
    paid: str = MONTH
    negative: str = CARRY
    pay_on: str = BOOKING
    draw: Draw | None = None
    cap: PaymentCap | None = None
    holdback: Holdback | None = None
    clawback: Clawback | None = None
    clause: Clause = UNSTATED

    @property
    def by_deal(self) -> bool:
        """Whether payments depend on single deals."""
        return self.holdback is not None or self.clawback is not None or self.pay_on == INVOICE
