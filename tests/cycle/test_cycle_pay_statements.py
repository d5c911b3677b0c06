"""Statements of a cycle: the payee asked for is found, the page is written, and steps sum to the pay."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from spms_lib.cycle import Desk
from spms_lib.cycle.pay import book
from spms_lib.cycle.pay.paid import Paid, pay_everybody
from spms_lib.cycle.pay.statements import adds_up, chosen_payee, nearest_step, statement_of, write_page
from spms_lib.errors import PlanError

from firms import Firm, PEOPLE, close, everything, roster, set_goals  # isort: skip
from toys import table  # isort: skip

END = dt.date(2026, 6, 30)
HOSTILE = '<script>alert("pay")</script> & Co'


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The company in which Ben's name and seat, as it were, attack the reader, and Anna sits on two seats."""
    rows = roster().replace({"person": {"Ben": HOSTILE}, "node": {"ben": "../../ben"}})
    rows = pd.concat([rows, rows.head(1).assign(node="dora")], ignore_index=True)
    made = everything() | {"roster": rows, "hierarchy": table(PEOPLE).replace({"node": {"ben": "../../ben"}})}
    for name in ("transactions", "targets"):
        made[name] = made[name].replace({"node": {"ben": "../../ben"}})
    made.pop("submissions")
    made.pop("opportunities")
    firm = Firm(tmp_path_factory.mktemp("odd"))
    plan = {"tiers": [[0, 1, 1], [1, None, 2]]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPMS_AUTHOR", "Tester")
        patch.delenv("SPMS_OUT", raising=False)
        desk = firm.write(made, plan=plan).desk()
        set_goals(desk)
        yield desk
    close(desk)


@pytest.fixture(scope="module")
def paid(odd: Desk) -> Paid:
    return pay_everybody(odd, until=END)[0]


@pytest.mark.parametrize(
    ("wanted", "payee"),
    [
        ("Carl", "Carl"),
        ("carl", "Carl"),
        ("Anna (dora)", "Anna (dora)"),
        ("Anna", "Anna (anna)"),
        ("dora", "Anna (dora)"),
        (HOSTILE, HOSTILE),
    ],
)
def test_a_payee_is_found_by_name_person_and_seat(paid: Paid, wanted: str, payee: str) -> None:
    assert chosen_payee(paid, wanted) == payee


def test_somebody_unknown_is_refused_by_name(paid: Paid) -> None:
    with pytest.raises(PlanError, match="Nobody is called 'Zoe'"):
        chosen_payee(paid, "Zoe")


def test_nobody_named_is_the_one_nearest_to_the_next_tier(odd: Desk, paid: Paid) -> None:
    rows = paid.table(odd).set_index("payee")
    missing = (rows["quota"] - rows["actual"])[rows["payout"].notna()]
    assert (missing > 0).all()
    assert chosen_payee(paid) == missing.idxmin()
    near = nearest_step(paid).set_index("payee")["further"].dropna()
    assert near.to_dict() == missing.to_dict()
    assert near.is_monotonic_increasing


def test_a_page_is_written_under_its_seat_and_carries_pay_number_and_contact(
    odd: Desk, paid: Paid, tmp_path: Path
) -> None:
    file = write_page(odd, paid, "Anna (dora)", tmp_path / "new" / "place", until=END)
    assert file == tmp_path / "new" / "place" / "dora.html"
    page = file.read_text(encoding="utf-8")
    assert page.count("Anna (dora)") >= 1
    assert "30 June 2026" in page
    assert paid.run.run_hash()[:12] in page
    assert "your sales operations team" in page


def test_a_hostile_name_is_text_and_a_hostile_seat_stays_in_the_folder(
    odd: Desk, paid: Paid, tmp_path: Path
) -> None:
    folder = tmp_path / "deep" / "down"
    file = write_page(odd, paid, HOSTILE, folder, until=END)
    assert file.resolve().parent == folder
    page = file.read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(" in page
    assert "&amp; Co" in page


def test_two_stays_on_one_seat_are_two_pages(opened, tmp_path: Path) -> None:
    twice = table("""
        node person start      end        fte target_incentive
        anna Anna   2020-01-01 2026-05-10 1   12000
        anna Ben    2026-05-11 -          1   12000
        """)
    desk = opened(roster=twice, submissions=None, opportunities=None)
    set_goals(desk)
    (both,) = pay_everybody(desk, until=END)
    names = [write_page(desk, both, who, tmp_path, until=END).name for who in ("Anna", "Ben")]
    assert names == ["anna.html", "anna-2.html"]


def test_the_steps_of_every_statement_sum_to_the_pay(odd: Desk, paid: Paid) -> None:
    payouts = paid.table(odd).set_index("payee")["payout"].dropna()
    assert len(payouts) == 3
    for payee, payout in payouts.items():
        told = statement_of(paid, payee)
        assert told.steps["amount"].sum() == payout
        assert adds_up(told, paid)
        largest = told.steps["amount"] == told.steps["amount"].max()
        assert not adds_up(replace(told, steps=told.steps[~largest]), paid)


def test_with_the_ledger_a_statement_says_what_is_paid(odd: Desk, paid: Paid, tmp_path: Path) -> None:
    movements = book.payment_ledger(odd, paid)
    file = write_page(odd, paid, "Anna (anna)", tmp_path, until=END, movements=movements)
    payout = int(paid.table(odd).set_index("payee").loc["Anna (anna)", "payout"])
    assert f"{payout // 100:,}.{payout % 100:02d}" in file.read_text(encoding="utf-8")
