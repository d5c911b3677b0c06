"""The payment block of a plan: what it may say, and what is said about its mistakes."""

import pytest

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import MoneyError, PeriodError, PlanError, TableError
from spms_lib.incentives.payments.ledger import pay

from payments_desk import YEARS, earned, paid, problems_of, terms_of  # isort: skip

EUR = "currency: EUR\n"


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("draw: {type: recoverable, minimum: 10}", "currency", "has no currency"),
        ("currency: USX", "currency", "'USX' is not a currency"),
        ("currency: JPY\ncap: {total: 5, excess: lost}", "currency", "not in JPY"),
        (EUR + "draw: {minimum: 10}", "draw.type", "'type' is not stated"),
        (EUR + "draw: {type: recovrable, minimum: 10}", "draw.type", "'recovrable' is not known"),
        (EUR + "draw: {type: advance, minimum: -1}", "draw.minimum", "below zero"),
        (EUR + "draw: {type: advance, minimum: 0.001}", "draw.minimum", "not whole cents"),
        (EUR + "draw: {type: advance, minimum: lots}", "draw.minimum", "'lots' is not a number"),
        (EUR + "draw: {type: forgiven, minimum: 1}", "draw", "not when"),
        (EUR + "draw: {type: advance, minimum: 1, periods: 2, to: 2026-02}", "draw", "ends twice"),
        (EUR + "draw: {type: advance, minimum: 1, recovery_pct: 0}", "draw", "ever recovered"),
        (EUR + "draw: {type: advance, minimum: 1, recovery_pct: 120 %}", "draw.recovery_pct", "not a share"),
        (EUR + "draw: {type: advance, minimum: 1, from: 2026-13}", "draw.from", "not a month"),
        (EUR + "cap: {excess: carry}", "cap", "has no amount"),
        (EUR + "cap: {per_period: 10}", "cap.excess", "'excess' is not stated"),
        (
            EUR + "cap: {total: 9, excess: lost}\ndraw: {type: advance, minimum: 10}",
            "draw.minimum",
            "above the",
        ),
        ("holdback: {upfront: 70 %}", "holdback.after", "'after' is not stated"),
        ("clawback: {type: fixed}", "clawback.share", "A share belongs to a fixed"),
        ("clawback: {type: prorated, share: 10 %}", "clawback.share", "A share belongs to a fixed"),
        ("pay_on: cash", "pay_on", "'cash' is not known"),
        ("paid: weekly", "paid", "'weekly' is not known"),
        ("negative: forget", "negative", "'forget' is not known"),
        (EUR + "drawn: {type: advance, minimum: 1}", "drawn", "Did you mean 'draw'"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, place: str, what: str) -> None:
    problems = problems_of(text)
    assert [".".join(map(str, problem.place)) for problem in problems] == [f"payment.{place}"]
    assert what in f"{problems[0].what} {problems[0].remedy}"


def test_all_mistakes_are_named_at_once() -> None:
    assert len(problems_of("paid: weekly\npay_on: cash\ncap: 10")) == 3


def test_the_cap_is_refused_for_earnings_in_two_currencies() -> None:
    terms = terms_of("cap: {per_period: 10, excess: carry}")
    mixed = earned(5, 6).assign(currency=["EUR", "USD"])
    with pytest.raises(MoneyError, match="'ann' earned USD under terms in EUR"):
        paid(mixed, terms, 2)
    assert len(paid(mixed.assign(currency="EUR"), terms, 2))


def test_what_cannot_be_paid_is_refused_by_name() -> None:
    plain = terms_of("paid: quarter")
    with pytest.raises(PeriodError, match="inside a quarter"):
        paid(earned(1), plain, 4)
    with pytest.raises(PeriodError, match="'2026-04' lies outside of the run"):
        paid(earned(1, 2, 3, 4), plain, 3)
    with pytest.raises(PeriodError, match="inside 2026Q1"):
        pay(earned(1), plain, periods=YEARS[1:4], calendar=FiscalCalendar())
    with pytest.raises(TableError, match="'earned' does not hold whole minor units"):
        paid(earned(1).assign(earned=[float("nan")]), plain, 3)
    with pytest.raises(TableError, match="pays by deals, but there are none"):
        paid(earned(1), terms_of("clawback: {type: prorated}"), 1)
    with pytest.raises(PlanError, match="the plan has none"):
        paid(earned(1), plain, 3, draws=earned(1))
    with pytest.raises(TableError, match="is no adjustment"):
        paid(earned(1), plain, 3, adjusted=paid(earned(1), plain, 3))
