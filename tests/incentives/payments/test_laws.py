"""Laws of payment: no cent appears or vanishes, and closed forms that know no loop over periods agree."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.incentives.payments.draws import DrawGrid
from spms_lib.incentives.payments.ledger import balances, net
from spms_lib.incentives.payments.settle import Settlement, settle
from spms_lib.incentives.payments.terms import DRAW_TYPES, PaymentCap, PaymentTerms

from payments_desk import TERMS, YEARS, books, paid, terms_of  # isort: skip

amounts = st.integers(-3000, 5000)
limits = st.none() | st.integers(0, 4000)
caps = st.builds(PaymentCap, limits, st.none() | st.integers(0, 12000), st.sampled_from(["carry", "lost"]))
any_terms = st.builds(
    PaymentTerms,
    currency=st.just("EUR"),
    negative=st.sampled_from(["carry", "recover"]),
    cap=st.booleans().flatmap(lambda capped: caps if capped else st.none()),
)


@st.composite
def matrices(draw: st.DrawFn, elements: st.SearchStrategy[int], rows: int, columns: int) -> np.ndarray:
    return np.array(draw(st.lists(elements, min_size=rows * columns, max_size=rows * columns))).reshape(
        rows, columns
    )


@st.composite
def runs(draw: st.DrawFn) -> tuple[np.ndarray, PaymentTerms, DrawGrid]:
    """Thirty payees in anything at all: each changes the type of draw from one period to the next."""
    any_run = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = (30, draw(st.integers(1, 6)))
    grid = DrawGrid(
        any_run.integers(-1, len(DRAW_TYPES), shape),
        any_run.integers(0, 3000, shape),
        any_run.random(shape) < 0.7,
        any_run.random(shape) < 0.2,
        draw(st.sampled_from([Fraction(1), Fraction(1, 3), Fraction(1, 2)])),
    )
    grid.minimum[grid.kind < 0] = 0
    return any_run.integers(-3000, 5000, shape), draw(any_terms), grid


def parts(done: Settlement) -> list[list[list[int]]]:
    return [
        done.paid.tolist(),
        done.owed.tolist(),
        done.carried.tolist(),
        done.negative.tolist(),
        done.at_start.tolist(),
    ]


@given(runs())
def test_what_is_due_and_every_movement_are_what_is_paid(
    run: tuple[np.ndarray, PaymentTerms, DrawGrid],
) -> None:
    due, terms, draws = run
    done = settle(due, terms, draws)
    moved = {kind: amounts.cumsum(axis=1) for kind, amounts in done.movements.items()}
    assert (due + sum(done.movements.values()) == done.paid).all()
    assert (moved["draw"] + moved["recovery"] == done.owed).all()
    assert (-moved["cap_carry"] == done.carried).all()
    assert (moved["negative_carry"] == done.negative).all()
    given_away = moved["guarantee"] + moved["forgiven"] + moved["cap_lost"]
    still_open = done.owed - done.carried + done.negative
    assert (due.cumsum(axis=1) + given_away == done.paid.cumsum(axis=1) - still_open).all()


@given(runs())
def test_nobody_pays_in_no_balance_is_negative_and_no_cap_is_broken(
    run: tuple[np.ndarray, PaymentTerms, DrawGrid],
) -> None:
    done = settle(*run)
    for amounts_ in (
        done.paid,
        done.owed,
        done.carried,
        done.negative,
        done.at_start,
        done.paid - done.at_start,
    ):
        assert amounts_.min() >= 0
    for kind, sign in {"draw": 1, "forgiven": 1, "guarantee": 1, "recovery": -1, "cap_lost": -1}.items():
        assert (sign * done.movements[kind]).min() >= 0
    cap = run[1].cap or PaymentCap(None, None, "lost")
    assert cap.per_period is None or done.paid.max() <= cap.per_period
    assert cap.total is None or done.paid.sum(axis=1).max() <= cap.total


@given(runs())
def test_a_payee_and_a_closed_period_do_not_depend_on_others_or_on_what_follows(
    run: tuple[np.ndarray, PaymentTerms, DrawGrid],
) -> None:
    due, terms, draws = run

    def cut(rows: slice, columns: slice) -> list[list[list[int]]]:
        names = ("kind", "minimum", "recovers", "forgives")
        grid = DrawGrid(*(getattr(draws, name)[rows, columns] for name in names), draws.share)
        return parts(settle(due[rows, columns], terms, grid))

    whole = parts(settle(due, terms, draws))
    first, some = slice(0, 1), slice(0, due.shape[1] // 2 + 1)
    assert cut(first, slice(None)) == [one[:1] for one in whole]
    assert cut(slice(None), some) == [[row[some] for row in one] for one in whole]


def worst_stretch(gains: np.ndarray) -> np.ndarray:
    """Largest sum of any stretch that ends in each period, or 0: what piles up where a balance cannot fall below zero."""
    sums = np.concatenate([np.zeros((len(gains), 1), dtype=np.int64), gains.cumsum(axis=1)], axis=1)
    return (sums - np.minimum.accumulate(sums, axis=1))[:, 1:]


@given(st.integers(0, 3000), matrices(st.integers(0, 5000), 2, 8))
def test_a_recoverable_draw_owes_the_worst_stretch_of_shortfalls(minimum: int, due: np.ndarray) -> None:
    shape = due.shape
    grid = DrawGrid(
        np.zeros(shape, np.int8), np.full(shape, minimum), np.ones(shape, bool), np.zeros(shape, bool)
    )
    done = settle(due, PaymentTerms("EUR"), grid)
    owed = worst_stretch(minimum - due)
    assert (done.owed == owed).all()
    assert (done.paid == due + np.diff(owed, axis=1, prepend=0)).all()


@given(st.integers(1, 4000), matrices(st.integers(0, 5000), 2, 8))
def test_a_cap_that_pays_later_keeps_the_worst_stretch_of_excess(most: int, due: np.ndarray) -> None:
    done = settle(due, PaymentTerms("EUR", cap=PaymentCap(most, None, "carry")))
    assert (done.carried == worst_stretch(due - most)).all()


@given(matrices(amounts, 2, 8))
def test_returns_that_are_carried_leave_paid_to_date_at_its_best_day(due: np.ndarray) -> None:
    done = settle(due, PaymentTerms())
    best = np.maximum(np.maximum.accumulate(due.cumsum(axis=1), axis=1), 0)
    assert (done.paid.cumsum(axis=1) == best).all()


@pytest.mark.parametrize("text", TERMS)
@settings(max_examples=20)
@given(book=books())
def test_the_ledger_pays_what_its_movements_come_to(text: str, book: dict) -> None:
    ledger = paid(book["earnings"], terms_of(text), 12, draws=book["draws"], deals=book["deals"])
    payments = ledger[ledger["kind"] == "payment"].groupby(["payee", "period"], observed=True)["amount"].sum()
    come_to = net(ledger)
    assert come_to[come_to != 0].to_dict() == payments.to_dict()
    table = balances(ledger)
    assert table[["paid", "owed", "carried", "negative", "held"]].min().min() >= 0
    assert len(table) == table["payee"].nunique() * table["period"].nunique()
    by_kind = ledger.groupby("kind", observed=False)["amount"].sum()
    at_end = table[table["period"] == table["period"].iloc[-1]][["owed", "carried", "negative", "held"]].sum()
    ends = ("earning", "clawback", "guarantee", "forgiven", "cap_lost")
    paid_out = by_kind.get("payment", 0)
    left = paid_out - at_end["owed"] + at_end["carried"] - at_end["negative"] + at_end["held"]
    assert sum(by_kind.get(kind, 0) for kind in ends) == left
    assert by_kind["earning"] == book["earnings"]["earned"].sum()


@settings(max_examples=15)
@given(book=books(), seed=st.integers(0, 99))
def test_the_order_of_rows_changes_no_payment(book: dict, seed: int) -> None:
    terms = terms_of(TERMS[0])
    mixed = {
        name: None if table is None else table.sample(frac=1, random_state=seed)
        for name, table in book.items()
    }
    one, other = (paid(b["earnings"], terms, 12, draws=b["draws"], deals=b["deals"]) for b in (book, mixed))
    assert balances(one).equals(balances(other))
    assert YEARS[0] in set(one["period"].cat.categories)
