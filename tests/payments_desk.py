"""What the tests of payment share: terms from the text of a plan, earnings as a frame, and books for the laws."""

from typing import Any

import pandas as pd
import yaml
from hypothesis import strategies as st

from spms_lib.calendar import FiscalCalendar
from spms_lib.incentives.payments.ledger import balances, pay
from spms_lib.incentives.payments.read import terms_from_dict
from spms_lib.incentives.payments.terms import DRAW_TYPES, PaymentTerms

CALENDAR = FiscalCalendar()
YEARS = CALENDAR.range("2026-01", "2030-12")


def terms_of(text: str) -> PaymentTerms:
    """Read the block as a plan's YAML states it, in euros unless it says otherwise."""
    terms, problems = terms_from_dict(yaml.safe_load("currency: EUR\n" + text), 100)
    assert terms is not None, problems
    return terms


def problems_of(text: str) -> list[Any]:
    terms, problems = terms_from_dict(yaml.safe_load(text), 100)
    assert (terms is None) == bool(problems)
    return problems


def earned(*amounts: float, payee: str = "ann") -> pd.DataFrame:
    """Earnings of one payee, one a month, given in euros."""
    rows = [(payee, month, "new", round(amount * 100)) for month, amount in zip(YEARS, amounts, strict=False)]
    return pd.DataFrame(rows, columns=["payee", "period", "component", "earned"])


def paid(earnings: pd.DataFrame, terms: PaymentTerms, months: int, **tables: Any) -> pd.DataFrame:
    return pay(earnings, terms, periods=YEARS[:months], calendar=CALENDAR, **tables)


def euros(ledger: pd.DataFrame, balance: str) -> list[float]:
    return (balances(ledger)[balance] / 100).tolist()


def of_kind(ledger: pd.DataFrame, kind: str) -> list[tuple[str, int, str]]:
    rows = ledger[ledger["kind"] == kind]
    return list(zip(rows["period"], rows["amount"], rows["link"], strict=True))


DEALS = "holdback: {upfront: 1/3, after: 2}\npay_on: invoice"
TERMS = [  # each with draws of single payees, holdback, and all that can happen to a deal
    f"draw: {{type: recoverable, minimum: 10, recovery_pct: 40 %}}\n{DEALS}\nclawback: {{type: prorated}}",
    f"draw: {{type: advance, minimum: 5, periods: 3}}\ncap: {{total: 150, excess: lost}}\n{DEALS}\nnegative: recover",
    f"draw: {{type: upfront, minimum: 0}}\ncap: {{per_period: 30, excess: carry}}\n{DEALS}\nclawback: {{type: fixed, share: 70 %}}",
    f"draw: {{type: forgiven, minimum: 7, from: 2026-02, to: 2026-05}}\npaid: quarter\n{DEALS}",
]
MONTHS = YEARS[:12]
DAYS = pd.date_range("2026-01-15", periods=14, freq="MS")
months, payees = st.sampled_from(MONTHS), st.sampled_from(["ann", "bob"])


@st.composite
def books(draw: st.DrawFn) -> dict[str, pd.DataFrame | None]:
    """A year of two payees: deals, other earnings with returns among them, and draws of their own."""
    day, amount = st.none() | st.sampled_from(list(DAYS)), st.integers(0, 9000)
    deal = st.tuples(payees, months, amount, day, day, st.integers(1, 24), st.integers(0, 30))
    deals = pd.DataFrame(
        draw(st.lists(deal, max_size=5)),
        columns=["payee", "period", "amount", "pay_date", "cancelled_on", "contract_months", "served_months"],
    ).astype({"amount": "int64", "pay_date": "datetime64[ns]", "cancelled_on": "datetime64[ns]"})
    deals["deal"] = [f"D{number}" for number in range(len(deals))]
    other = st.tuples(payees, months, st.integers(-4000, 6000))
    rest = pd.DataFrame(draw(st.lists(other, min_size=1, max_size=8)), columns=["payee", "period", "earned"])
    earnings = pd.concat(
        [
            rest.assign(component="rest"),
            deals[["payee", "period"]].assign(component="deal", earned=deals["amount"]),
        ]
    ).reset_index(drop=True)
    kind, start = draw(st.sampled_from(DRAW_TYPES)), draw(st.integers(0, 11))
    row = (
        "ann",
        kind,
        draw(st.integers(0, 3000)),
        MONTHS[start],
        draw(st.none() | st.sampled_from(MONTHS[start:])),
    )
    draws = pd.DataFrame([row], columns=["payee", "type", "minimum", "from", "to"])
    return {"earnings": earnings.astype({"earned": "int64"}), "deals": deals, "draws": draws}
