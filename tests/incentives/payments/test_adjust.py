"""Prior-period adjustments: closed periods stay as they are, and the difference is paid in the open one."""

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.incentives.payments.adjust import adjustments
from spms_lib.incentives.payments.ledger import balances, net

from payments_desk import YEARS, earned, paid, terms_of  # isort: skip

MONTHS, OPEN = YEARS[:6], "2026-04"
rows = st.tuples(
    st.sampled_from(["ann", "bob"]),
    st.sampled_from(MONTHS),
    st.sampled_from(["new", "old"]),
    st.integers(-5000, 9000),
)
tables = st.lists(rows, min_size=1, max_size=12).map(
    lambda found: pd.DataFrame(found, columns=["payee", "period", "component", "earned"])
)


def closed(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["period"] < OPEN]


@settings(max_examples=25)
@given(before=tables, after=tables)
def test_the_postings_of_a_payee_sum_to_what_the_closed_months_were_off(before, after) -> None:
    posted = adjustments(before, after, open_period=OPEN)
    difference = pd.concat([closed(after), closed(before).assign(earned=-closed(before)["earned"])])
    off = difference.groupby("payee")["earned"].sum()
    assert posted.groupby("payee")["amount"].sum().to_dict() == {
        name: off[name] for name in posted["payee"].unique()
    }
    assert set(off[off != 0].index) <= set(posted["payee"])
    reversed_, old = (
        posted[posted["kind"] == "reversal"],
        closed(before).groupby(["payee", "period", "component"]),
    )
    booked = {(*key[:1], f"before {key[2]} {key[1]}"): -amount for key, amount in old["earned"].sum().items()}
    assert all(booked[row.payee, row.link] == row.amount for row in reversed_.itertuples())


@settings(max_examples=25)
@given(before=tables, after=tables)
def test_a_second_pass_posts_nothing(before, after) -> None:
    assert len(adjustments(after, after.sample(frac=1, random_state=1), open_period=OPEN)) == 0
    assert (
        len(adjustments(before, pd.concat([before, after.assign(period="2026-05")]), open_period=OPEN)) == 0
    )


@settings(max_examples=25)
@given(before=tables, after=tables)
def test_closed_payments_do_not_move_and_the_total_is_that_of_the_corrected_run(before, after) -> None:
    terms = terms_of(
        "draw: {type: recoverable, minimum: 10, recovery_pct: 50 %}\ncap: {per_period: 60, excess: carry}"
    )
    everybody = ["ann", "bob"]
    first = paid(before, terms, 6, payees=everybody)
    booked = pd.concat([closed(before), after[after["period"] >= OPEN]])
    second = paid(booked, terms, 6, payees=everybody, adjusted=adjustments(before, after, open_period=OPEN))

    def of_closed(ledger: pd.DataFrame) -> list:
        old = ledger[(ledger["period"] < OPEN)]
        return old.astype(dict.fromkeys(("payee", "period", "kind", "link"), object)).values.tolist()

    assert of_closed(first) == of_closed(second)
    kinds = second.groupby("kind", observed=True)["amount"].sum()
    assert sum(kinds.get(kind, 0) for kind in ("earning", "reversal", "rebook")) == after["earned"].sum()
    left = balances(second).groupby("payee", observed=True).last()
    open_ = left["carried"].sum() - left["owed"].sum() - left["negative"].sum()
    assert net(second).sum() + open_ == after["earned"].sum()


def test_a_late_deal_is_paid_in_the_open_month_with_a_link_to_its_own() -> None:
    posted = adjustments(earned(100, 200), earned(100, 350, 70), open_period="2026-03", runs=("r7", "r8"))
    assert posted.drop(columns=["payee", "period"]).values.tolist() == [
        ["reversal", -20000, "r7 new 2026-02"],
        ["rebook", 35000, "r8 new 2026-02"],
    ]
    ledger = paid(earned(100, 200, 70), terms_of("paid: month"), 3, adjusted=posted)
    assert balances(ledger)["paid"].tolist() == [10000, 20000, 22000]


def test_a_component_that_only_one_run_has_is_booked_or_reversed_alone() -> None:
    one, other = earned(10), earned(10).assign(component="old")
    kinds = adjustments(one, other, open_period="2026-02")[["kind", "amount"]].values.tolist()
    assert kinds == [["reversal", -1000], ["rebook", 1000]]
