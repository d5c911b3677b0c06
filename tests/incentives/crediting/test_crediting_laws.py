"""Laws of crediting: every cent once per credit type, a reversal nets to zero, nothing is dropped silently."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.errors import HierarchyError, ParamsError
from spms_lib.findings import REJECTED
from spms_lib.incentives.crediting.credit import credit, uncredited
from spms_lib.incentives.crediting.dating import InForce
from spms_lib.incentives.crediting.rules import CreditingRules, CreditType, RollUp

from toys import table  # isort: skip

REVENUE = CreditingRules((CreditType("revenue"),))
BOTH = CreditingRules((CreditType("revenue"), CreditType("overlay", "overlay", Fraction(0))))
ROLLED = CreditingRules(
    REVENUE.types,
    (RollUp("revenue", "override", (Fraction(2, 100), Fraction(1, 100))), RollUp("revenue", "team")),
)

ROSTER = """
node  person start      end
s1    anna   2025-01-01 2026-03-31
s1    ben    2026-04-15 -
s2    carl   2025-01-01 -
"""
TREE = """
node  parent owner valid_from valid_to
all   -      eva   -          -
north all    nina  -          -
south all    sven  -          -
s1    north  -     -          2026-05-31
s1    south  -     2026-06-01 -
s2    south  -     -          -
"""


def dated(text: str) -> pd.DataFrame:
    frame = table(text)
    days = [name for name in frame if name in {"start", "end", "valid_from", "valid_to", "date"}]
    return frame.assign(**{name: pd.to_datetime(frame[name]) for name in days})


def sales(text: str) -> pd.DataFrame:
    return dated(text).astype({"amount": "int64"})


amounts = st.integers(-(10**12), 10**12)
portions = st.lists(st.integers(0, 50), min_size=1, max_size=5).filter(any)


@given(st.lists(st.tuples(amounts, amounts, st.integers(-5, 500), portions), min_size=1, max_size=25))
@settings(max_examples=15)
def test_every_cent_piece_and_margin_is_credited_once_per_credit_type(rows) -> None:
    sold = pd.DataFrame(
        [(f"T{i}", amount, margin, units) for i, (amount, margin, units, _) in enumerate(rows)],
        columns=["transaction", "amount", "margin", "units"],
    ).assign(payee="owner", date=pd.Timestamp(2026, 1, 1))
    shares = [
        (f"T{i}", f"p{j}", "revenue", portion / sum(portions))
        for i, (*_, portions) in enumerate(rows) for j, portion in enumerate(portions) if i % 3
    ]  # fmt: skip
    splits = pd.DataFrame(shares, columns=["transaction", "payee", "credit_type", "share"])
    got, found = credit(sold, REVENUE, splits=splits)
    assert found.empty
    assert uncredited(sold, got, REVENUE).empty
    for column in ("amount", "margin", "units"):
        assert got.groupby("transaction")[column].sum().to_dict() == dict(
            zip(sold["transaction"], sold[column], strict=True)
        )
        whole = got["transaction"].map(sold.set_index("transaction")[column])
        exact = [
            Fraction(share).limit_denominator(10**4) * int(one)
            for share, one in zip(got["share"], whole, strict=True)
        ]
        assert all(abs(part - one) < 1 for part, one in zip(got[column], exact, strict=True))


def test_who_sits_in_the_seat_on_the_day_is_credited() -> None:
    sold = sales("""
        transaction node date       amount
        T1          s1   2026-03-31 100
        T2          s1   2026-04-15 200
        T3          s2   2026-04-15 300
    """)
    got, found = credit(sold, REVENUE, roster=dated(ROSTER))
    assert got["payee"].tolist() == ["anna", "ben", "carl"]
    assert found.empty


def test_a_sale_on_a_vacant_seat_is_credited_to_nobody_and_listed_and_still_to_the_managers() -> None:
    sold = sales("transaction node date amount\nT1 s1 2026-04-10 1000")
    got, found = credit(sold, ROLLED, hierarchy=dated(TREE), roster=dated(ROSTER))
    assert dict(zip(got["credit_type"] + " " + got["payee"], got["amount"], strict=True)) == {
        "override_1 nina": 20, "override_2 eva": 10, "team nina": 1000, "team eva": 1000,
    }  # fmt: skip
    assert found["value"].tolist() == ["s1: 1 of revenue, first T1"]
    assert uncredited(sold, got, ROLLED)[["transaction", "gap"]].values.tolist() == [["T1", 1000]]


def test_a_seat_that_moves_rolls_up_to_the_manager_of_the_day() -> None:
    sold = sales("""
        transaction node date       amount
        T1          s1   2026-05-31 1000
        T2          s1   2026-06-01 1000
    """)
    got, _ = credit(sold, ROLLED, hierarchy=dated(TREE), roster=dated(ROSTER))
    first = got[got["credit_type"] == "override_1"]
    assert first["payee"].tolist() == ["nina", "sven"]


def test_a_seat_that_has_left_the_tree_rolls_up_to_nobody() -> None:
    closed = dated(TREE).drop(index=4)
    sold = sales("transaction node date amount\nT1 s1 2026-06-01 1000")
    got, _ = credit(sold, ROLLED, hierarchy=closed, roster=dated(ROSTER))
    assert got[["credit_type", "payee"]].values.tolist() == [["revenue", "ben"]]


def test_a_person_named_in_a_split_rolls_up_from_the_seat_of_the_day() -> None:
    sold = sales("transaction node date amount\nT1 s1 2026-02-01 1001")
    shares = pd.DataFrame(
        {"transaction": "T1", "payee": ["anna", "carl"], "credit_type": "revenue", "share": [0.5, 0.5]}
    )
    got, _ = credit(sold, ROLLED, splits=shares, hierarchy=dated(TREE), roster=dated(ROSTER))
    levels = got[got["credit_type"].str.startswith("override")]
    assert levels[["payee", "amount"]].values.tolist() == [["nina", 10], ["sven", 10], ["eva", 5], ["eva", 5]]


def test_overrides_of_a_level_sum_to_the_share_of_the_sale_however_it_is_split() -> None:
    sold = sales("transaction payee date amount\nT1 a 2026-02-01 1050")
    tree = pd.DataFrame({"node": ["top", "a", "b", "c"], "parent": [None, "top", "top", "top"]})
    shares = pd.DataFrame(
        {"transaction": "T1", "payee": ["a", "b", "c"], "credit_type": "revenue", "share": 1 / 3}
    )
    rules = CreditingRules(REVENUE.types, (RollUp("revenue", "override", (Fraction(1, 100),)),))
    got, _ = credit(sold, rules, splits=shares, hierarchy=tree)
    assert got.loc[got["credit_type"] == "override_1", "amount"].tolist() == [4, 4, 3]  # 10.50 becomes 11


def test_who_manages_two_levels_is_credited_with_the_team_once() -> None:
    tree = dated(TREE).assign(owner=[None, "nina", "sven", None, None, None])
    tree.loc[0, "owner"] = "nina"
    sold = sales("transaction node date amount\nT1 s1 2026-02-01 1000")
    got, _ = credit(sold, ROLLED, hierarchy=tree, roster=dated(ROSTER))
    assert got.loc[got["credit_type"] == "team", "payee"].tolist() == ["nina"]


RETURNS = """
transaction node date       amount reverses
T1          s1   2026-02-01 1001   -
R1          s1   2026-07-01 -1001  T1
R2          s2   2026-08-01 1001   R1
"""


@pytest.mark.parametrize("last", ["R1", "R2"])
def test_a_reversal_nets_to_zero_for_everybody_whoever_sits_there_now(last: str) -> None:
    sold = sales(RETURNS)
    shares = pd.DataFrame(
        {"transaction": "T1", "payee": ["s1", "carl", "s1"], "credit_type": ["revenue", "revenue", "overlay"],
         "share": [0.35, 0.65, 0.2]}
    )  # fmt: skip
    rules = CreditingRules(BOTH.types, ROLLED.roll_ups)
    got, found = credit(sold, rules, splits=shares, hierarchy=dated(TREE), roster=dated(ROSTER))
    pair = got[got["transaction"].isin({"R1": ["T1", "R1"], "R2": ["R1", "R2"]}[last])]
    assert found.empty
    assert (pair.groupby(["payee", "credit_type"])["amount"].sum() == 0).all()
    taken = got[got["transaction"] == last].merge(
        got, left_on="reverses", right_on="credit", suffixes=("", "_was")
    )
    assert len(taken) == (got["transaction"] == last).sum() == 11
    assert (taken["amount"] == -taken["amount_was"]).all()
    assert (taken["payee"] == taken["payee_was"]).all()
    assert got["credit"].is_unique


def test_a_partial_return_takes_back_in_the_shares_of_the_sale() -> None:
    sold = sales(RETURNS).iloc[:2].assign(amount=[1000, -100])
    shares = pd.DataFrame(
        {"transaction": "T1", "payee": ["anna", "carl"], "credit_type": "revenue", "share": [0.35, 0.65]}
    )
    got, _ = credit(sold, REVENUE, splits=shares, roster=dated(ROSTER))
    assert got["amount"].tolist() == [350, 650, -35, -65]
    assert got["reverses"].tolist()[2:] == ["T1/revenue/1", "T1/revenue/2"]


def test_a_return_of_a_sale_that_is_not_here_is_credited_by_its_own_day_and_noted() -> None:
    got, found = credit(sales(RETURNS).iloc[1:2], REVENUE, roster=dated(ROSTER))
    assert got[["payee", "amount"]].values.tolist() == [["ben", -1001]]
    assert found["rule"].tolist() == ["what it reverses is not here"]


def test_a_return_of_a_sale_that_is_not_credited_is_not_credited_either() -> None:
    shares = pd.DataFrame({"transaction": ["T1"], "payee": "anna", "credit_type": "revenue", "share": 0.9})
    got, found = credit(sales(RETURNS), REVENUE, splits=shares, roster=dated(ROSTER))
    assert got.empty
    rejected = found[(found["severity"] == REJECTED) & (found["table"] == "transactions")]
    assert sorted(rejected["row"]) == [0, 1, 2]


def test_reversals_in_a_circle_are_refused() -> None:
    sold = sales(RETURNS).assign(reverses=["R2", "T1", "R1"])
    got, found = credit(sold, REVENUE, roster=dated(ROSTER))
    assert got.empty
    assert found["rule"].tolist() == ["reversals go in a circle"] * 3


def test_the_revenue_split_and_the_pay_split_of_a_sale_may_differ() -> None:
    sold = sales("transaction payee date amount\nT1 anna 2026-02-01 1000")
    shares = pd.DataFrame(
        {"transaction": "T1", "payee": ["anna", "ben"], "credit_type": "pay", "share": [0.3, 0.7]}
    )
    rules = CreditingRules((CreditType("revenue"), CreditType("pay")))
    got, _ = credit(sold, rules, splits=shares)
    assert got[["credit_type", "payee", "amount"]].values.tolist() == [
        ["revenue", "anna", 1000], ["pay", "anna", 300], ["pay", "ben", 700],
    ]  # fmt: skip


def test_credits_keep_the_further_columns_of_the_sale() -> None:
    sold = sales("transaction payee date amount product pay_date\nT1 anna 2026-02-01 1000 boats 2026-04-01")
    got, _ = credit(sold, REVENUE)
    assert got[["product", "pay_date"]].values.tolist() == [["boats", "2026-04-01"]]


def test_a_reorganisation_in_retrospect_changes_payees_and_keeps_the_ids_of_credits() -> None:
    before, _ = credit(sales(RETURNS), REVENUE, roster=dated(ROSTER))
    later = dated(ROSTER).assign(person=["dora", "ben", "carl"])
    after, _ = credit(sales(RETURNS), REVENUE, roster=later)
    assert before["credit"].tolist() == after["credit"].tolist()
    assert (set(before["payee"]), set(after["payee"])) == ({"anna"}, {"dora"})


def test_the_order_of_rows_does_not_change_credits() -> None:
    sold = sales(RETURNS)
    one, _ = credit(sold, ROLLED, hierarchy=dated(TREE), roster=dated(ROSTER))
    other, _ = credit(
        sold.iloc[::-1], ROLLED, hierarchy=dated(TREE).iloc[::-1], roster=dated(ROSTER).iloc[::-1]
    )
    pd.testing.assert_frame_equal(
        one.sort_values("credit", ignore_index=True), other.sort_values("credit", ignore_index=True)
    )


def test_rows_in_are_rows_used_and_findings() -> None:
    sold = sales("""
        transaction node date       amount
        T1          s1   2026-01-01 100
        T1          s1   2026-01-01 100
        -           s1   2026-01-01 100
        T2          s1   -          100
        T3          s1   2026-01-01 100
        T5          s1   2026-01-01 100
    """)
    sold = sold.assign(amount=sold["amount"].astype("Int64").where(sold["transaction"] != "T3"))
    shares = table("""
        transaction payee credit_type share
        T1          anna  revenue     1
        T9          anna  revenue     1
        T5          anna  revenu      1
        T5          anna  overlay     1.5
        T2          anna  revenue     1
        T5          anna  overlay     0.1
    """).astype({"share": float})
    got, found = credit(sold, BOTH, splits=shares, roster=dated(ROSTER))
    assert sorted(got["transaction"].unique()) == ["T1", "T5"]
    rejected = found[found["severity"] == REJECTED].groupby("table")["row"].agg(sorted).to_dict()
    assert rejected == {"splits": [1, 2, 3, 4], "transactions": [1, 2, 3, 4]}


def test_missing_pieces_count_nothing_and_are_noted() -> None:
    sold = sales("transaction payee date amount\nT1 anna 2026-02-01 1000").assign(
        units=pd.array([None], "Int64")
    )
    got, found = credit(sold, REVENUE)
    assert got["units"].tolist() == [0]
    assert found[["rule", "severity"]].values.tolist() == [["no units", "noted"]]


def test_two_people_in_a_seat_at_once_are_noted_and_the_later_is_credited() -> None:
    roster = dated(ROSTER).assign(end=pd.NaT)
    sold = sales("transaction node date amount\nT1 s1 2026-05-01 1000")
    got, found = credit(sold, REVENUE, roster=roster)
    assert got["payee"].tolist() == ["ben"]
    assert found[["rule", "value"]].values.tolist() == [["two people in a seat at the same time", "s1"]]


def test_rules_that_roll_up_need_a_tree_without_circles() -> None:
    sold = sales("transaction payee date amount\nT1 a 2026-02-01 1000")
    with pytest.raises(ParamsError, match="no hierarchy"):
        credit(sold, ROLLED)
    circle = pd.DataFrame({"node": ["a", "b", "c"], "parent": ["b", "c", "b"]})
    with pytest.raises(HierarchyError, match="circle"):
        credit(sold, ROLLED, hierarchy=circle)


spans = st.tuples(st.integers(0, 2), st.integers(0, 30), st.integers(0, 30))


@given(
    st.lists(spans, max_size=8, unique_by=lambda span: span[:2]),
    st.lists(st.tuples(st.integers(-1, 3), st.integers(-5, 40)), min_size=1),
)
def test_the_row_in_force_is_the_one_that_started_last_and_still_holds(rows, asked) -> None:
    keys, starts, lengths = (np.array([row[part] for row in rows], dtype=np.int64) for part in range(3))
    held = InForce.of(keys, np.arange(len(rows)), starts, starts + lengths)
    got = held.at(*(np.array([one[part] for one in asked], dtype=np.int64) for part in range(2)))
    for (key, day), value in zip(asked, got, strict=True):
        holding = [i for i, (k, s, n) in enumerate(rows) if k == key and s <= day <= s + n]
        assert value == max(holding, key=lambda i: rows[i][1], default=-1)


def test_a_day_before_1970_is_a_day_like_any_other() -> None:
    held = InForce.of(np.array([0]), np.array([7]), np.array([-3]), np.array([3]))
    assert held.at(np.array([0, 0]), np.array([-4, -1])).tolist() == [-1, 7]
