"""Draws in time: windows, deferred recovery, forgiveness, exceptions of single payees, quarters."""

import pandas as pd
import pytest

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import TableError
from spms_lib.incentives.payments.ledger import pay

from payments_desk import YEARS, earned, euros, of_kind, paid, terms_of  # isort: skip

COLUMNS = ["payee", "type", "minimum", "from", "to"]


def test_recovery_that_starts_later_still_leaves_the_minimum() -> None:
    # 500 and 300 and 600 lacking are owed; 2,000 leaves 1,000 above the minimum, 1,700 leaves 700
    terms = terms_of("draw: {type: recoverable, minimum: 1000, recovery_from: 4}")
    ledger = paid(earned(500, 700, 400, 2000, 1700), terms, 5)
    assert euros(ledger, "owed") == [500, 800, 1400, 400, 0]
    assert euros(ledger, "paid") == [1000, 1000, 1000, 1000, 1300]


def test_before_its_recovery_starts_good_earnings_are_left_alone() -> None:
    terms = terms_of("draw: {type: recoverable, minimum: 1000, recovery_from: 3}")
    assert euros(paid(earned(500, 3000, 3000), terms, 3), "owed") == [500, 500, 0]


def test_a_share_of_the_earnings_above_the_minimum_is_recovered() -> None:
    terms = terms_of("draw: {type: recoverable, minimum: 1000, recovery_pct: 50 %}")
    ledger = paid(earned(0, 1500), terms, 2)
    assert euros(ledger, "owed") == [1000, 750]
    assert of_kind(ledger, "recovery") == [("2026-02", -25000, "end of period")]


def test_what_is_still_owed_when_the_window_ends_is_forgiven_or_stays() -> None:
    window = "minimum: 1000, from: 2026-02-01, to: 2026-03"
    gone = paid(earned(0, 400, 1200, 5000), terms_of(f"draw: {{type: forgiven, {window}}}"), 4)
    assert euros(gone, "owed") == [0, 600, 0, 0]
    assert of_kind(gone, "forgiven") == [("2026-03", 40000, "end of period")]
    assert euros(gone, "paid") == [0, 1000, 1000, 5000]
    stays = paid(earned(0, 400, 1200, 5000), terms_of(f"draw: {{type: recoverable, {window}}}"), 4)
    assert euros(stays, "paid") == [0, 1000, 1000, 4600]


def test_an_advance_is_not_deducted_from_the_earnings_that_it_comes_with() -> None:
    terms = terms_of("draw: {type: advance, minimum: 100, periods: 2}")
    ledger = paid(earned(500, 50, 80, 300), terms, 4)
    assert euros(ledger, "owed") == [100, 150, 70, 0]
    assert euros(ledger, "paid") == [600, 100, 0, 230]


def test_a_draw_above_the_room_of_the_cap_is_cut_and_only_what_was_paid_is_owed() -> None:
    terms = terms_of("draw: {type: recoverable, minimum: 80}\ncap: {total: 100, excess: lost}")
    ledger = paid(earned(0, 0, 500), terms, 3)
    assert euros(ledger, "paid") == [80, 20, 0]
    assert euros(ledger, "owed") == [80, 100, 0]
    assert of_kind(ledger, "cap_lost") == [("2026-03", -40000, "end of period")]  # 500 less 100 recovered


def test_returns_wait_for_the_next_earnings_or_are_owed_under_the_terms_of_the_draw() -> None:
    carried = paid(earned(100, -300, 200, 500), terms_of("negative: carry"), 4)
    assert euros(carried, "paid") == [100, 0, 0, 400]
    assert euros(carried, "negative") == [0, 300, 100, 0]
    half = terms_of("negative: recover\ndraw: {type: non_recoverable, minimum: 0, recovery_pct: 50 %}")
    owed = paid(earned(100, -300, 200, 500), half, 4)
    assert euros(owed, "owed") == [0, 300, 200, 0]
    assert euros(owed, "paid") == [100, 0, 100, 300]


def test_returns_are_deducted_before_a_draw_starts_and_its_recovery_waits() -> None:
    terms = terms_of(
        "negative: recover\ndraw: {type: recoverable, minimum: 50, from: 2026-03, recovery_from: 2}"
    )
    ledger = paid(earned(-300, 200, 200, 200), terms, 4)
    assert euros(ledger, "owed") == [300, 100, 100, 0]
    assert euros(ledger, "paid") == [0, 0, 200, 100]


def test_payees_have_draws_of_their_own_one_after_the_other() -> None:
    rows = [
        ("bob", "non_recoverable", 50000, pd.Timestamp("2026-01-10"), pd.Timestamp("2026-01-31")),
        ("bob", "recoverable", 30000, pd.Timestamp("2026-02-01"), None),
    ]
    terms = terms_of("draw: {type: recoverable, minimum: 100}")
    table = pd.concat([earned(0, 0, 0), earned(0, 100, 400, payee="bob")])
    ledger = paid(table, terms, 3, draws=pd.DataFrame(rows, columns=COLUMNS))
    assert euros(ledger, "paid") == [100, 100, 100, 500, 300, 300]
    assert euros(ledger, "owed") == [100, 200, 300, 0, 200, 100]


def test_somebody_who_earned_nothing_at_all_still_draws() -> None:
    draws = pd.DataFrame([("eve", "recoverable", 10000, "2026-02", None)], columns=COLUMNS)
    ledger = paid(earned(5), terms_of("draw: {type: recoverable, minimum: 0}"), 2, draws=draws)
    assert euros(ledger, "paid") == [5, 0, 0, 100]
    everybody = terms_of("draw: {type: non_recoverable, minimum: 100}")
    assert euros(paid(earned(5), everybody, 1, payees=["ann", "zoe"]), "paid") == [100, 100]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("ann", "advance", 5, None, None), ("ann", "advance", 5, "2026-02", None)], "'ann' has two draws"),
        (
            [("ann", "advance", 5, None, "2026-02"), ("ann", "advance", 5, "2026-02", None)],
            "'ann' has two draws",
        ),
        ([("ann", "loan", 5, None, None)], "draw of 'ann' cannot be used"),
        ([("ann", "advance", -5, None, None)], "draw of 'ann' cannot be used"),
    ],
)
def test_a_draw_that_makes_no_sense_is_refused_by_name(rows: list[tuple], message: str) -> None:
    with pytest.raises(TableError, match=message):
        paid(
            earned(5),
            terms_of("draw: {type: recoverable, minimum: 0}"),
            2,
            draws=pd.DataFrame(rows, columns=COLUMNS),
        )


def test_a_quarter_is_paid_with_its_last_month_and_its_minimum_is_of_the_quarter() -> None:
    july = FiscalCalendar(start_month=2)  # quarters end in April, July, October, January
    terms = terms_of("paid: quarter\ndraw: {type: recoverable, minimum: 600}")
    table = earned(9, 100, 200, 150, 1000)[1:]
    ledger = pay(table, terms, periods=YEARS[1:7], calendar=july)
    assert ledger["period"].unique().tolist() == ["2026-04", "2026-07"]
    assert euros(ledger, "paid") == [600, 850]
    assert euros(ledger, "owed") == [150, 0]
    assert of_kind(ledger, "earning")[0] == ("2026-04", 10000, "new 2026-02")
