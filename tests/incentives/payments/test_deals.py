"""Deals whose pay waits, is released, or is taken back."""

import pandas as pd
import pytest

from spms_lib.errors import TableError

from payments_desk import earned, euros, of_kind, paid, terms_of  # isort: skip


def deals(*rows: tuple) -> pd.DataFrame:
    """Rows of deal, month, euros, invoice, cancellation, months of the contract, months served."""
    names = ["deal", "period", "amount", "pay_date", "cancelled_on", "contract_months", "served_months"]
    table = pd.DataFrame(rows, columns=names).assign(payee="ann")
    days = {name: pd.to_datetime(table[name]) for name in ("pay_date", "cancelled_on")}
    return table.assign(amount=table["amount"] * 100, **days)


def test_a_deal_is_paid_with_its_invoice_and_the_rest_of_it_after_that() -> None:
    terms = terms_of("pay_on: invoice\nholdback: {upfront: 70 %, after: 2}")
    book = deals(
        ("A", "2026-01", 1000, "2026-02-20", None, None, None), ("B", "2026-02", 500, None, None, None, None)
    )
    ledger = paid(earned(1000, 500), terms, 5, deals=book)
    assert euros(ledger, "paid") == [0, 700, 0, 300, 0]
    assert euros(ledger, "held") == [1000, 800, 800, 500, 500]  # B has no invoice yet
    assert of_kind(ledger, "release") == [("2026-02", 70000, "deal A"), ("2026-04", 30000, "deal A")]


def test_the_parts_of_a_deal_are_the_deal_to_the_cent() -> None:
    book = deals(("A", "2026-01", 10, None, None, None, None)).assign(amount=[101])
    ledger = paid(earned(1.01), terms_of("holdback: {upfront: 1/3, after: 1}"), 2, deals=book)
    assert euros(ledger, "paid") == [0.34, 0.67]


def test_a_deal_cancelled_while_it_waits_costs_what_waits_and_the_share_of_what_was_paid() -> None:
    terms = terms_of("holdback: {upfront: 60 %, after: 3}\nclawback: {type: prorated}")
    book = deals(("A", "2026-01", 1000, None, "2026-03-05", 12, 3))
    ledger = paid(earned(1000, 0, 2000), terms, 4, deals=book)
    assert of_kind(ledger, "clawback") == [("2026-03", -40000, "deal A"), ("2026-03", -45000, "deal A")]
    assert euros(ledger, "paid") == [600, 0, 1550, 0]
    assert euros(ledger, "held") == [400, 400, 0, 0]


@pytest.mark.parametrize(("cancelled", "last"), [("2026-02-28", 0), ("2026-03-01", 300)])
def test_a_release_is_safe_once_its_period_is_over(cancelled: str, last: float) -> None:
    book = deals(("A", "2026-01", 1000, None, cancelled, None, None))
    ledger = paid(earned(1000), terms_of("holdback: {upfront: 70 %, after: 1}"), 3, deals=book)
    assert euros(ledger, "paid") == [700, last, 0]


def test_no_more_is_taken_back_than_was_paid() -> None:
    terms = terms_of("pay_on: invoice\nclawback: {type: fixed, share: 100 %}")
    book = deals(
        ("never invoiced", "2026-01", 1000, None, "2026-02-02", None, None),
        ("partly returned", "2026-01", 500, "2026-01-02", "2026-02-02", None, None),
        ("partly returned", "2026-01", -200, "2026-01-02", "2026-02-02", None, None),
        ("all returned", "2026-01", -200, "2026-01-02", "2026-02-02", None, None),
    )
    ledger = paid(earned(1100), terms, 2, deals=book)
    taken = of_kind(ledger, "clawback")
    assert taken == [("2026-02", -100000, "deal never invoiced"), ("2026-02", -30000, "deal partly returned")]
    assert euros(ledger, "held") == [1000, 0]
    assert euros(ledger, "paid") == [
        100,
        0,
    ]  # 500 less both returns, and then the balance of the clawback waits
    assert euros(ledger, "negative") == [0, 300]


def test_a_contract_that_was_served_costs_nothing_and_one_of_unknown_length_is_refused() -> None:
    terms = terms_of("clawback: {type: prorated}")
    served = deals(("A", "2026-01", 1000, None, "2026-02-02", 12, 14))
    assert of_kind(paid(earned(1000), terms, 2, deals=served), "clawback") == []
    with pytest.raises(TableError, match="months of the cancelled deal 'A' are not known"):
        paid(earned(1000), terms, 2, deals=served.assign(contract_months=float("nan")))
    with pytest.raises(TableError, match="served_months"):
        paid(earned(1000), terms, 2, deals=served.drop(columns="served_months"))
