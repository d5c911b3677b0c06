"""Laws of pay, on random plans, credits and quotas; amounts are held against a payee-by-payee computation with fractions."""

import datetime as dt
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.incentives.engine.run import Run, pay_run
from spms_lib.incentives.plan.model import CompensationPlan
from spms_lib.incentives.plan.read import plan_from_dict

MONTHS = [f"2026-{month:02d}" for month in range(1, 13)]
QUOTA, INCENTIVE = 120_000, 40_000  # of a month, in cents


def cents(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))


@dataclass(frozen=True)
class Terms:
    """A component in the words of the test, so that its reading is independent of the engine's."""

    tiers: tuple[tuple[Fraction, Fraction, str], ...]  # start, value, mode
    interval: int  # months
    tie: str
    pays: str
    threshold: Fraction | None
    cap: Fraction | None

    def document(self, **more: Any) -> dict[str, Any]:
        ends = [start for start, _, _ in self.tiers[1:]]
        tiers = [
            {"from": str(start), "to": None if end is None else str(end), "value": str(value), "mode": mode}
            for (start, value, mode), end in zip(self.tiers, [*ends, None], strict=True)
        ]
        part = {
            "component": "pay",
            "measure": "sales",
            "interval": {1: "month", 3: "quarter", 12: "year"}[self.interval],
            "unit": "attainment",
            "pays": self.pays,
            "tie": self.tie,
            "tiers": tiers,
        }
        part |= {} if self.threshold is None else {"threshold": str(self.threshold)}
        part |= {} if self.cap is None else {"cap": {"value": str(self.cap), "of": "target_incentive"}}
        part |= {"weight": 1} if self.pays == "target_incentive" else {}
        return part | more

    def due(self, sold: int, quota: int, incentive: int) -> int:
        """Read the plan aloud: what is due in an interval for what was sold in it."""
        at = Fraction(sold, quota)
        reached = lambda edge: at >= edge if self.tie == "upper" else at > edge  # noqa: E731
        pay, value = Fraction(0), Fraction(0)
        for number, (start, rate, mode) in enumerate(self.tiers):
            last = number + 1 == len(self.tiers)
            if number > 0 and not reached(start):
                break
            inside = at if last or not reached(self.tiers[number + 1][0]) else self.tiers[number + 1][0]
            if mode == "lump":
                pay = rate
                if number == 0 and not reached(start):
                    pay = Fraction(0)
            elif mode == "retroactive":
                pay = rate * inside
            else:
                pay = value + rate * (inside - start)
            value = pay
        if self.threshold is not None and self.threshold > 0 and not reached(self.threshold):
            pay = Fraction(0)
        owed = cents(pay * (incentive if self.pays == "target_incentive" else quota))
        return owed if self.cap is None else min(owed, cents(self.cap * incentive))


def percent(low: int, high: int) -> st.SearchStrategy[Fraction]:
    return st.integers(low, high).map(lambda number: Fraction(number, 100))


@st.composite
def terms(
    draw: st.DrawFn, modes: tuple[str, ...] = ("incremental", "retroactive", "lump"), rising: bool = False
) -> Terms:
    starts = [Fraction(0), *sorted(draw(st.sets(percent(1, 200), max_size=3)))]
    values = [draw(percent(0, 300)) for _ in starts]
    return Terms(
        tiers=tuple(
            (start, value, draw(st.sampled_from(modes)))
            for start, value in zip(starts, sorted(values) if rising else values, strict=True)
        ),
        interval=draw(st.sampled_from([1, 3, 12])),
        tie=draw(st.sampled_from(["upper", "lower"])),
        pays=draw(st.sampled_from(["target_incentive", "rate"])),
        threshold=draw(st.none() | percent(1, 120)),
        cap=draw(st.none() | percent(10, 300)),
    )


amounts = st.integers(-50_000, 400_000)
sales = st.lists(
    st.tuples(st.sampled_from(["ann", "bob"]), st.integers(0, 364), amounts), min_size=1, max_size=15
)


def plan_of(*parts: dict[str, Any]) -> CompensationPlan:
    return plan_from_dict(
        {
            "plan": "law",
            "currency": "EUR",
            "effective_from": "2026-01-01",
            "measures": {"sales": {"value": "amount"}},
            "components": list(parts),
        }
    )


def credited(sold: list[tuple[str, int, int]]) -> pd.DataFrame:
    frame = pd.DataFrame(sold, columns=["payee", "day", "amount"])
    days = pd.Timestamp(2026, 1, 1) + pd.to_timedelta(frame["day"], unit="D")
    return frame.assign(credit=[f"c{n}" for n in range(len(frame))], date=days).drop(columns="day")


def targets(scale: int = 1) -> pd.DataFrame:
    return pd.DataFrame(
        [
            ("pay", payee, month, QUOTA * scale, INCENTIVE * scale)
            for payee in ("ann", "bob")
            for month in MONTHS
        ],
        columns=["component", "payee", "period", "quota", "target_incentive"],
    )


def run(plan: CompensationPlan, credits: pd.DataFrame, scale: int = 1) -> Run:  # noqa: A002
    return pay_run(plan, credits, targets(scale), periods=MONTHS)


def earned(plan: CompensationPlan, credits: pd.DataFrame, scale: int = 1) -> list[list[int]]:  # noqa: A002
    return run(plan, credits, scale).total().tolist()


@given(term=terms(), sold=sales)
def test_every_month_is_what_the_clauses_say_read_aloud(
    term: Terms, sold: list[tuple[str, int, int]]
) -> None:
    seen = earned(plan_of(term.document()), credited(sold))
    for row, payee in enumerate(("ann", "bob")):
        paid = 0
        for month in range(12):
            if month % term.interval == 0:
                paid = 0
            first = month - month % term.interval
            to_date = sum(
                amount
                for who, day, amount in sold
                if who == payee and first <= (dt.date(2026, 1, 1) + dt.timedelta(day)).month - 1 <= month
            )
            due = term.due(to_date, QUOTA * term.interval, INCENTIVE * term.interval)
            assert seen[row][month] == due - paid, (payee, month)
            paid = due


@given(term=terms(), sold=sales, seed=st.integers(0, 9))
def test_the_order_of_credits_changes_nothing(
    term: Terms, sold: list[tuple[str, int, int]], seed: int
) -> None:
    credits = credited(sold)  # noqa: A001
    for more in (
        {},
        {"accumulate": "transaction"},
        {"deal_cap": 500},
        {"kickers": [{"where": [], "factor": "1.5", "first": 2}]},
    ):
        plan = plan_of(term.document(**more))
        shuffled = credits.sample(frac=1, random_state=seed)
        assert earned(plan, credits) == earned(plan, shuffled), more


@given(term=terms(), sold=sales, back=st.integers(0, 14))
def test_a_sale_that_is_reversed_leaves_nothing(
    term: Terms, sold: list[tuple[str, int, int]], back: int
) -> None:
    """In the totals, whatever the tiers; credit by credit, the reversal takes back what that sale was paid."""
    payee, day, amount = sold[back % len(sold)]
    credits = credited([*sold, (payee, day, abs(amount) + 1), (payee, day, -abs(amount) - 1)])  # noqa: A001
    last = len(credits) - 1
    plan = plan_of(term.document())
    assert earned(plan, credits) == earned(plan, credited(sold))
    credits["reverses"] = [f"c{last - 1}" if number == last else None for number in range(len(credits))]
    alone = plan_of(term.document(accumulate="transaction", cap=None, deal_cap=300))
    assert earned(alone, credits) == earned(alone, credited(sold))


@given(term=terms(), sold=sales, part=st.integers(-10_000, 10_000))
def test_a_credit_in_two_halves_pays_the_same(
    term: Terms, sold: list[tuple[str, int, int]], part: int
) -> None:
    payee, day, amount = sold[0]
    halves = [(payee, day, part), (payee, day, amount - part), *sold[1:]]
    plan = plan_of(term.document())
    assert earned(plan, credited(halves)) == earned(plan, credited(sold))


@given(term=terms(), sold=sales, scale=st.sampled_from([2, 7, 100]))
def test_another_currency_scales_pay_and_nothing_else(
    term: Terms, sold: list[tuple[str, int, int]], scale: int
) -> None:
    """To date, each amount is rounded once, so it scales to within a rounding of both sides."""
    plan = plan_of(term.document())
    small = np.array(earned(plan, credited(sold)))
    large = np.array(earned(plan, credited([(who, day, amount * scale) for who, day, amount in sold]), scale))
    assert (np.abs(large - small * scale) <= scale + 1).all()


@given(term=terms(modes=("incremental",)), sold=sales, more=st.integers(0, 200_000))
def test_selling_more_never_pays_less(term: Terms, sold: list[tuple[str, int, int]], more: int) -> None:
    payee, day, amount = sold[0]
    plan = plan_of(term.document())
    before = run(plan, credited(sold)).total().sum(axis=1)
    after = run(plan, credited([(payee, day, amount + more), *sold[1:]])).total().sum(axis=1)
    assert (after >= before).all()


@given(term=terms(modes=("incremental", "retroactive"), rising=True), sold=sales)
def test_where_rates_rise_all_of_it_pays_no_less_than_the_part_inside(
    term: Terms, sold: list[tuple[str, int, int]]
) -> None:
    modes = [
        plan_of(
            Terms(
                tuple((s, v, mode) for s, v, _ in term.tiers),
                term.interval,
                term.tie,
                term.pays,
                term.threshold,
                None,
            ).document()
        )
        for mode in ("retroactive", "incremental")
    ]
    positive = credited([(who, day, abs(amount)) for who, day, amount in sold])
    retroactive, incremental = (run(plan, positive).total().sum(axis=1) for plan in modes)
    assert (retroactive >= incremental - 12).all()  # each month is rounded once


@given(term=terms(), sold=sales)
def test_with_a_true_up_the_year_pays_what_the_year_earns(
    term: Terms, sold: list[tuple[str, int, int]]
) -> None:
    quarters = Terms(term.tiers, 3, term.tie, term.pays, term.threshold, term.cap)
    trued = run(plan_of(quarters.document(true_up="year")), credited(sold)).total().sum(axis=1)
    annual = Terms(term.tiers, 12, term.tie, term.pays, term.threshold, None)
    yearly = run(plan_of(annual.document()), credited(sold)).total().sum(axis=1)
    assert trued.tolist() == yearly.tolist()


@given(term=terms(), sold=sales)
def test_the_same_inputs_pay_the_same_and_carry_the_same_name(
    term: Terms, sold: list[tuple[str, int, int]]
) -> None:
    plan, credits = plan_of(term.document()), credited(sold)  # noqa: A001
    one, two = run(plan, credits), run(plan, credits.astype({"payee": "category"}))
    assert one.earnings()["earned"].tolist() == two.earnings()["earned"].tolist()
    assert one.run_hash() == two.run_hash()
    other = run(plan, credits.assign(amount=credits["amount"] + 1))
    assert other.run_hash() != one.run_hash()


@given(term=terms(), sold=sales, late=st.tuples(st.integers(0, 364), amounts))
def test_a_late_credit_changes_its_payee_as_a_new_run_would(
    term: Terms, sold: list[tuple[str, int, int]], late: tuple[int, int]
) -> None:
    plan = plan_of(term.document())
    everything = credited([*sold, ("bob", *late)])
    quick = run(plan, everything.iloc[:-1]).with_late(everything.iloc[-1:])
    assert quick.books.payees.tolist() == ["bob"]
    assert quick.total().tolist() == [run(plan, everything).total()[1].tolist()]
