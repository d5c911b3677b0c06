"""Booked pay: a closed quarter stays as it was paid, and what turns out different is posted to the month after it."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from spms_lib.cycle import Desk
from spms_lib.cycle.pay import book
from spms_lib.cycle.pay.paid import Paid, pay_everybody
from spms_lib.errors import PlanError
from spms_lib.store.ledger import Ledger

from firms import QUARTER, roster, set_goals, transactions  # isort: skip

END = dt.date(2026, 6, 30)
AFTER = "2026-07"


@pytest.fixture
def due(planned: Desk, tmp_path: Path) -> Iterator[Desk]:
    """The planned company with a ledger of pay of its own, so that every test books afresh."""
    desk = replace(planned)
    with Ledger.open(tmp_path / "ledger.sqlite") as vars(desk)["ledger"]:
        quotas = planned.ledger.state("targets")[["node", "period", "measure", "item", "value"]]
        desk.ledger.commit("targets", quotas, author="A", message="targets")
        yield desk


PAID: dict[
    tuple[tuple[str, float], ...], Paid
] = {}  # worked out once: the desks differ in their ledgers only


def paid_now(desk: Desk, **more: float) -> Paid:
    """Pay the sellers; `more` is what is sold late, by seat and in euros, on 15 June."""
    key = tuple(more.items())
    if key not in PAID:
        PAID[key] = _paid(desk, **more)
    return PAID[key]


def _paid(desk: Desk, **more: float) -> Paid:
    late = transactions(**more).assign(date=lambda rows: pd.to_datetime(rows["date"]))
    rows = desk.tables["transactions"].rows
    added = late.tail(len(more)).assign(value=lambda rows: (rows["value"] * 100).round().astype("int64"))
    added = added.reindex(columns=rows.columns).assign(measure=desk.company.measure)
    loaded = desk.tables["transactions"]
    loaded = replace(
        loaded, rows=pd.concat([rows, added], ignore_index=True), rows_in=loaded.rows_in + len(more)
    )
    return pay_everybody(at_the_same(desk, tables={**desk.tables, "transactions": loaded}), until=END)[0]


def at_the_same(desk: Desk, **changes: object) -> Desk:
    """The desk with changes, over the same ledger."""
    other = replace(desk, **changes)
    vars(other)["ledger"] = desk.ledger
    return other


def cells(desk: Desk) -> pd.DataFrame:
    return desk.ledger.state(book.KIND)[["node", "period", "measure", "item", "value"]]


def earned(desk: Desk, paid: Paid) -> dict[str, int]:
    return book.booked(desk, paid).groupby("payee")["earned"].sum().to_dict()


def test_the_first_booking_books_what_each_month_earned(due: Desk) -> None:
    paid = paid_now(due)
    commit, posted = book.book(due, paid, until=END)
    assert commit is not None
    assert posted.empty
    payouts = paid.table(due).set_index("payee")["payout"]
    assert earned(due, paid) == payouts.dropna().to_dict()
    assert sorted(cells(due)["period"].unique()) == QUARTER
    assert "Carl" not in set(book.booked(due, paid)["payee"])  # has no target incentive: unknown is not zero
    assert book.agrees(due, paid, until=END)


def test_nothing_is_booked_before_the_quarter_is_over(due: Desk) -> None:
    paid = paid_now(due)
    commit, posted = book.book(due, paid, until=END - dt.timedelta(days=1))
    assert (commit, len(posted), len(cells(due))) == (None, 0, 0)
    assert book.agrees(due, paid, until=END - dt.timedelta(days=1))
    assert not book.agrees(due, paid, until=END)  # over, and not yet booked


def test_the_same_run_again_books_nothing(due: Desk) -> None:
    book.book(due, paid_now(due), until=END)
    head = due.ledger.head()
    commit, posted = book.book(due, paid_now(due), until=END)
    assert (commit, len(posted), due.ledger.head()) == (None, 0, head)


def test_a_late_sale_is_reversed_and_booked_again_in_the_next_month_and_what_is_closed_stays(
    due: Desk,
) -> None:
    first, later = paid_now(due), paid_now(due, anna=100)
    book.book(due, first, until=END)
    closed = cells(due)
    assert not book.agrees(due, later, until=END)
    commit, posted = book.book(due, later, until=dt.date(2026, 7, 20))
    before, after = (one.table(due).set_index("payee")["payout"] for one in (first, later))
    assert commit.message.startswith("Adjustments")
    assert posted["payee"].unique().tolist() == ["Anna"]
    assert posted["period"].unique().tolist() == [AFTER]
    assert posted["kind"].tolist() == ["reversal", "rebook"]
    assert posted["amount"].sum() == after["Anna"] - before["Anna"] > 0
    now = cells(due)
    kept = now.merge(closed, how="inner")
    assert len(kept) == len(closed)
    (added,) = now[now["period"] == AFTER].to_dict("records")
    assert (added["node"], added["value"]) == ("anna", posted["amount"].sum())
    assert earned(due, later) == after.dropna().to_dict()
    assert book.agrees(due, later, until=END)
    assert book.book(due, later, until=END)[0] is None


def test_a_sale_that_comes_goes_and_comes_again_is_booked_each_time(due: Desk) -> None:
    without, with_it = paid_now(due), paid_now(due, anna=100)
    for paid in (without, with_it, without, with_it, without):
        assert book.book(due, paid, until=END)[0] is not None
        assert book.agrees(due, paid, until=END)
    assert cells(due).loc[lambda rows: rows["period"] == AFTER, "value"].sum() == 0


def test_who_should_have_been_paid_and_was_not_is_only_booked(due: Desk) -> None:
    paid = paid_now(due)
    nobody = book._earned(due, paid).query("payee != 'Ben'")
    rows = nobody.assign(item=nobody["payee"] + " | " + nobody["period"] + " | " + book.BOOKED)
    due.ledger.commit(book.KIND, book._cells(due, paid, rows), author="A", message="without Ben")
    posted = book.book(due, paid, until=END)[1]
    assert set(posted["payee"]) == {"Ben"}
    assert set(posted["kind"]) == {"rebook"}
    assert book.agrees(due, paid, until=END)


def test_who_should_not_have_been_paid_is_taken_back_at_the_seat(due: Desk) -> None:
    paid = paid_now(due)
    book.book(due, paid, until=END)
    loaded = due.tables["roster"]
    rows = loaded.rows[loaded.rows["person"] != "Anna"]
    without = at_the_same(due, tables={**due.tables, "roster": replace(loaded, rows=rows, rows_in=len(rows))})
    later = pay_everybody(without, until=END)[0]
    posted = book.book(without, later, until=END)[1]
    assert set(posted["kind"]) == {"reversal"}
    assert -posted["amount"].sum() == paid.table(due).set_index("payee").loc["Anna", "payout"]
    assert cells(due).loc[lambda rows: rows["period"] == AFTER, "node"].unique().tolist() == ["anna"]
    assert book.agrees(without, later, until=END)


def test_two_plans_are_booked_apart(due: Desk) -> None:
    paid = paid_now(due)
    other = replace(paid, plan=replace(paid.plan, name="simple two"))
    book.book(due, paid, until=END)
    assert book.booked(due, other).empty
    commit, posted = book.book(due, other, until=END)
    assert commit is not None
    assert posted.empty
    assert earned(due, paid) == earned(due, other)
    assert book.agrees(due, paid, until=END)


def test_everybody_s_pay_is_booked_plan_by_plan_and_told(due: Desk) -> None:
    sellers = paid_now(due)
    managers = replace(sellers, plan=replace(sellers.plan, name="simple two"))
    said, posted = book.book_everybody(due, [sellers, managers], until=END)
    assert [text.split(" by ")[1].split(",")[0] for text in said] == [sellers.plan.name, "simple two"]
    assert posted.empty
    assert book.agrees(due, managers, until=END)
    again, _ = book.book_everybody(due, [sellers, managers], until=END)
    assert again == [f"{sellers.plan.name}: nothing new to book.", "simple two: nothing new to book."]


def test_an_edition_of_one_region_leaves_what_others_were_paid(due: Desk) -> None:
    book.book(due, paid_now(due), until=END)
    south = at_the_same(due, region="south")
    paid = pay_everybody(south, until=END)[0]
    assert book.book(south, paid, until=END)[0] is None
    assert book.agrees(south, paid, until=END)


def test_a_name_may_hold_anything(opened) -> None:
    who = 'Anna | 2026-05 | booked "<b>"'
    desk = opened(roster=roster().replace({"person": {"Anna": who}}))
    set_goals(desk)
    (paid,) = pay_everybody(desk, until=END)
    book.book(desk, paid, until=END)
    assert earned(desk, paid)[who] == paid.table(desk).set_index("payee").loc[who, "payout"]
    assert book.agrees(desk, paid, until=END)


def test_a_quarter_pays_with_its_last_month_and_movements_sum_to_the_payout(planned: Desk) -> None:
    paid = paid_now(planned)
    movements = book.payment_ledger(planned, paid)
    assert movements["period"].unique().tolist() == [QUARTER[-1]]
    payments = movements[movements["kind"] == "payment"].groupby("payee", observed=True)["amount"].sum()
    assert payments.to_dict() == paid.table(planned).set_index("payee")["payout"].dropna().to_dict()


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"holdback": {"upfront": "50 %", "after": 3}}, "holds back"),
        ({"pay_on": "invoice"}, "invoice"),
        ({"paid": "weekly"}, "weekly"),
        ({"holdback": {"upfront": "150 %", "after": 3}}, "not a share"),
    ],
)
def test_a_plan_that_looks_at_deals_or_is_wrong_is_refused(planned: Desk, block: dict, message: str) -> None:
    paid = paid_now(planned)
    held = replace(paid, plan=replace(paid.plan, blocks={"payment": block}))
    with pytest.raises(PlanError, match=message) as refusal:
        book.payment_ledger(planned, held)
    assert "simple" in str(refusal.value)
