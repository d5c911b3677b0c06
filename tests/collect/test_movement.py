"""Movement of deals: every cent of the difference between two snapshots has one reason."""

import datetime as dt
import itertools
from collections import defaultdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.collect.movement.bridge import Movement
from spms_lib.collect.movement.deals import MEANING, deal_movement, deals_known, snapshot_findings
from spms_lib.errors import MoneyError, TableError
from spms_lib.hierarchy import Hierarchy
from spms_lib.sample import build_sample

from toys import table  # isort: skip

QUARTER = {"first_day": dt.date(2026, 7, 1), "last_day": dt.date(2026, 9, 30)}
JUNE, JULY = "2026-06-30", "2026-07-31"


def deals(text: str, as_of: str) -> pd.DataFrame:
    """A snapshot; a column `category` of dashes says that nobody has sorted the deal."""
    rows = table("opportunity node status category amount close_date\n" + text)
    return rows.assign(
        amount=rows["amount"].astype("int64"),
        close_date=pd.to_datetime(rows["close_date"]),
        as_of=pd.Timestamp(as_of),
    )


def parts(moved: Movement) -> dict[str, int]:
    """Parts with anything in them."""
    return {row["part"]: row["amount"] for row in moved.summary().to_dict("records") if row["count"]}


# -- worked examples: one deal, one reason ---------------------------------------------------------

CLASSES = {
    # Clari: "New" did not exist at the start of the window. Gong: in = new.
    "new": ("", "D anna open commit 70 2026-08-10", 0, 70),
    # Gong: in = pulled in, here from October.
    "pulled in": ("D anna open commit 70 2026-10-05", "D anna open commit 70 2026-09-28", 0, 70),
    # Gong: in = pushed in. It should have closed in June, and slipped into the quarter.
    "pushed in": ("D anna open commit 70 2026-06-30", "D anna open commit 70 2026-07-31", 0, 70),
    # Gong: out = pushed out (slipped).
    "pushed out": ("D anna open commit 70 2026-09-28", "D anna open commit 70 2026-10-05", 70, 0),
    # Gong: in = amount up; out = amount down.
    "up": ("D anna open commit 70 2026-08-10", "D anna open commit 90 2026-08-10", 70, 90),
    "down": ("D anna open commit 70 2026-08-10", "D anna open commit 50 2026-08-10", 70, 50),
    # Gong: out = lost; won leaves the open pipeline.
    "lost": ("D anna open commit 70 2026-08-10", "D anna lost - 70 2026-07-20", 70, 0),
    "won": ("D anna open commit 70 2026-08-10", "D anna won closed 80 2026-07-20", 70, 0),
    # Ours: neither won nor lost, and not there any more.
    "vanished": ("D anna open commit 70 2026-08-10", "", 70, 0),
    "returned": ("D anna lost - 70 2026-06-20", "D anna open commit 70 2026-08-10", 0, 70),
}


@pytest.mark.parametrize("name", CLASSES)
def test_one_deal_has_one_reason(name: str) -> None:
    first, second, opening, closing = CLASSES[name]
    moved = deal_movement(deals(first, JUNE), deals(second, JULY), **QUARTER)
    assert parts(moved) == {name: closing - opening}
    assert (moved.opening["amount"].sum(), moved.closing["amount"].sum()) == (opening, closing)


def test_before_the_quarter_begins_a_deal_can_be_pulled_out_to_an_earlier_one() -> None:
    first, second = (
        deals("D anna open commit 70 2026-07-02", "2026-05-31"),
        deals("D anna open commit 70 2026-06-29", "2026-06-15"),
    )
    assert parts(deal_movement(first, second, **QUARTER)) == {"pulled out": -70}
    won = deals("D anna won closed 70 2026-06-12", "2026-06-15")
    assert parts(deal_movement(first, won, **QUARTER)) == {"pulled out": -70}


def test_an_owner_change_nets_to_zero_at_the_top_and_shows_at_the_nodes(toy: Hierarchy) -> None:
    """Gong lists owner change and team change both as in and as out."""
    moved = deal_movement(
        deals("D anna open commit 70 2026-08-10\nE ben open commit 5 2026-08-10", JUNE),
        deals("D carl open commit 90 2026-08-10\nE anna open commit 5 2026-08-10", JULY),
        **QUARTER,
    )
    total = toy.roll_up(moved.by("node"))
    assert total.loc["toy", ["opening", "owner change", "up", "closing"]].tolist() == [75, 0, 20, 95]
    assert total.loc["north", ["opening", "owner change", "up", "closing"]].tolist() == [75, -70, 0, 5]
    assert total.loc["south", ["opening", "owner change", "up", "closing"]].tolist() == [0, 70, 20, 90]


def test_a_change_of_category_nets_to_zero_over_all_and_shows_in_each() -> None:
    """Gong: in = moved into category, out = moved out; here at the amount it had, the rest is up."""
    moved = deal_movement(
        deals("D anna open best_case 70 2026-08-10", JUNE),
        deals("D anna open commit 90 2026-08-10", JULY),
        **QUARTER,
    )
    assert parts(moved) == {"category change": 0, "up": 20}
    table_ = moved.by("category")
    assert table_.loc["best_case", ["opening", "category change", "up", "closing"]].tolist() == [
        70,
        -70,
        0,
        0,
    ]
    assert table_.loc["commit", ["opening", "category change", "up", "closing"]].tolist() == [0, 70, 20, 90]
    assert parts(moved.only(["commit"])) == {"category change": 70, "up": 20}


def test_a_deal_that_leaves_takes_the_amount_it_had_and_one_that_comes_brings_what_it_has() -> None:
    moved = deal_movement(
        deals("D anna open commit 70 2026-08-10\nE anna open commit 10 2026-11-11", JUNE),
        deals("D ben open best_case 999 2026-10-10\nE ben open commit 15 2026-09-11", JULY),
        **QUARTER,
    )
    assert parts(moved) == {"pulled in": 15, "pushed out": -70}
    assert moved.by("node")[["opening", "pulled in", "pushed out", "closing"]].values.tolist() == [
        [70, 0, -70, 0],
        [0, 15, 0, 15],
    ]


def test_with_won_deals_winning_moves_to_closed_and_changes_no_total() -> None:
    first = deals("D anna open commit 70 2026-08-10\nE anna open commit 30 2026-08-10", JUNE)
    second = deals("D anna won closed 75 2026-07-20\nE anna open commit 30 2026-08-10", JULY)
    moved = deal_movement(first, second, **QUARTER, with_won=True)
    assert parts(moved) == {"up": 5, "won": 0}
    assert moved.by("category")[["opening", "up", "won", "closing"]].values.tolist() == [
        [0, 5, 70, 75],
        [100, 0, -70, 30],
    ]
    assert parts(deal_movement(first, second, **QUARTER)) == {"won": -70}


def test_a_deal_that_nobody_had_seen_and_that_is_won_already_is_new_only_where_won_deals_count() -> None:
    won = deals("D anna won closed 75 2026-07-20", JULY)
    assert parts(deal_movement(won.head(0), won, **QUARTER, with_won=True)) == {"new": 75}
    assert parts(deal_movement(won.head(0), won, **QUARTER)) == {}


def test_a_deal_seen_in_an_older_snapshot_is_not_new_again() -> None:
    now = deals("D anna open commit 70 2026-08-10\nE anna open commit 1 2026-08-10", JULY)
    moved = deal_movement(now.head(0), now, **QUARTER, seen={"D"})
    assert parts(moved) == {"new": 1, "returned": 70}


@pytest.mark.parametrize(
    ("day", "counted"),
    [
        ("2026-06-30", 0),
        ("2026-07-01", 1),
        ("2026-09-30", 1),
        ("2026-10-01", 0),
    ],
)
def test_the_first_and_the_last_day_belong_to_the_period(day: str, counted: int) -> None:
    known = deals("D anna open commit 70 2026-08-10", "2026-06-15")
    there = known.assign(close_date=pd.Timestamp(day))
    moved = deal_movement(there, there, **QUARTER)
    assert len(moved.opening) == len(moved.closing) == counted


def test_a_won_deal_is_in_closed_whatever_the_crm_says_and_every_deal_is_counted_once() -> None:
    first = deals("D anna open commit 70 2026-08-10\nE ben open commit 30 2026-08-10", JUNE)
    second = deals("D anna won - 70 2026-07-20\nE ben won commit 30 2026-07-20", JULY)
    moved = deal_movement(first, second, **QUARTER, with_won=True)
    assert moved.by("category")["won"].to_dict() == {"closed": 100, "commit": -100}
    assert moved.summary().set_index("part").loc["won", ["count", "amount"]].tolist() == [2, 0]


def test_an_overdue_deal_stays_in_the_quarter_and_slips_only_when_the_quarter_is_over() -> None:
    first = deals("D anna open commit 70 2026-07-10", "2026-07-31")
    assert parts(deal_movement(first, first.assign(as_of=pd.Timestamp("2026-08-31")), **QUARTER)) == {}
    later = first.assign(as_of=pd.Timestamp("2026-10-05"))
    assert parts(deal_movement(first, later, **QUARTER)) == {"pushed out": -70}


def test_lost_after_the_quarter_is_slipped_and_a_lost_deal_with_an_old_promise_is_lost() -> None:
    first = deals("D anna open commit 70 2026-09-10", "2026-08-31")
    after = deals("D anna lost - 70 2026-10-04", "2026-10-31")
    assert parts(deal_movement(first, after, **QUARTER)) == {"pushed out": -70}
    promised = deals("D anna lost - 70 2026-12-24", "2026-09-15")  # its day was never corrected
    assert parts(deal_movement(first, promised, **QUARTER)) == {"lost": -70}


# -- laws, against plain loops ---------------------------------------------------------------------

DAYS = pd.date_range("2026-05-01", "2026-12-31", freq="7D")
rows = st.fixed_dictionaries(
    {
        "node": st.sampled_from(["anna", "ben", "carl"]),
        "status": st.sampled_from(["open", "open", "open", "won", "lost"]),
        "category": st.sampled_from(["commit", "best_case", "pipeline", None]),
        "amount": st.integers(-5, 10**17),
        "close_date": st.sampled_from(list(DAYS)),
    }
)
snapshots = st.tuples(
    st.dictionaries(st.sampled_from("ABCDEFGH"), rows), st.sampled_from([JUNE, JULY, "2026-09-30", "2026-10-31"])
).map(lambda made: snapshot_of(*made))  # fmt: skip


def snapshot_of(made: dict, day: str) -> pd.DataFrame:
    columns = ["node", "status", "category", "amount", "close_date"]
    frame = pd.DataFrame(list(made.values()), columns=columns).astype({"amount": "int64", "node": "object"})
    return frame.assign(
        opportunity=list(made),
        close_date=pd.to_datetime(frame["close_date"]),
        as_of=pd.Timestamp(day),
    )


def oracle(before: pd.DataFrame, after: pd.DataFrame, *, with_won: bool) -> dict[tuple, int]:
    """The same question answered deal by deal in plain loops: (node, category, part) to amount."""
    first, last = pd.Timestamp(QUARTER["first_day"]), pd.Timestamp(QUARTER["last_day"])

    def read(frame: pd.DataFrame) -> dict[str, dict]:
        found = {}
        for deal in frame.to_dict("records"):
            closes = deal["close_date"]
            if deal["status"] == "open":
                closes = max(closes, deal["as_of"])
            if deal["status"] == "lost":
                closes = min(closes, deal["as_of"])
            deal["when"] = "earlier" if closes < first else "later" if closes > last else "inside"
            deal["in"] = deal["when"] == "inside" and (
                deal["status"] == "open" or (with_won and deal["status"] == "won")
            )
            sorted_ = deal["category"] if isinstance(deal["category"], str) else "(none)"
            deal["category"] = "closed" if deal["status"] == "won" else sorted_
            found[deal["opportunity"]] = deal
        return found

    was, now, found = read(before), read(after), defaultdict(int)
    for name in sorted({*was, *now}):
        old, new = was.get(name), now.get(name)
        if old and old["in"] and new and new["in"]:
            at = (old["node"], old["category"])
            if old["node"] != new["node"]:
                found[*at, "owner change"] -= old["amount"]
                at = (new["node"], old["category"])
                found[*at, "owner change"] += old["amount"]
            if old["category"] != new["category"]:
                part = {("open", "won"): "won", ("won", "open"): "returned"}.get(
                    (old["status"], new["status"]), "category change"
                )
                found[*at, part] -= old["amount"]
                at = (new["node"], new["category"])
                found[*at, part] += old["amount"]
            change = new["amount"] - old["amount"]
            found[*at, "up" if change > 0 else "down"] += change
        elif old and old["in"]:
            if new is None:
                part = "vanished"
            elif new["when"] == "later":
                part = "pushed out"
            elif new["status"] == "lost":
                part = "lost"
            else:
                part = "won" if new["status"] == "won" and new["when"] == "inside" else "pulled out"
            found[old["node"], old["category"], part] -= old["amount"]
        elif new and new["in"]:
            if old is None:
                part = "new"
            elif old["when"] == "later":
                part = "pulled in"
            elif old["status"] == "lost" or (old["status"] == "won" and old["when"] == "inside"):
                part = "returned"
            else:
                part = "pushed in"
            found[new["node"], new["category"], part] += new["amount"]
    return {key: amount for key, amount in found.items() if amount}


def as_dict(moved: Movement) -> dict[tuple, int]:
    sums = moved.parts.groupby(["node", "category", "part"])["amount"].sum()
    return {key: int(amount) for key, amount in sums.items() if amount}


@given(before=snapshots, after=snapshots, with_won=st.booleans())
def test_opening_and_all_parts_are_the_closing_for_every_node_and_category(before, after, with_won) -> None:
    moved = deal_movement(before, after, **QUARTER, with_won=with_won)
    for keys in (["node"], ["category"], ["node", "category"]):
        sums = moved.by(*keys)
        np.testing.assert_array_equal(sums[["opening", *MEANING]].sum(axis=1), sums["closing"])
    assert as_dict(moved) == oracle(before, after, with_won=with_won)


def test_every_month_of_the_sample_company_equals_the_count_by_hand(tmp_path) -> None:
    build_sample(tmp_path / "data", sellers=12)
    days = ["created", "close_date", "as_of"]
    raw = pd.read_csv(tmp_path / "data/opportunities.csv", parse_dates=days)
    rows_ = raw.assign(amount=(raw["amount"] * 100).round().astype("int64"))
    ends = [day.date() for day in sorted(rows_["as_of"].unique())][-8:]
    slipped = 0
    for first, last in itertools.pairwise(ends):
        before, after = (deals_known(rows_, as_of=day) for day in (first, last))
        for with_won in (False, True):
            moved = deal_movement(before, after, **QUARTER, with_won=with_won)
            assert as_dict(moved) == oracle(before, after, with_won=with_won)
            slipped += moved.summary().set_index("part")["count"]["pushed out"]
        gone = set(before.loc[before["status"] == "open", "opportunity"]) - set(after["opportunity"])
        assert len(snapshot_findings(before, after)) == len(gone)
    assert slipped > 0


@settings(max_examples=25)
@given(before=snapshots, after=snapshots, with_won=st.booleans())
def test_every_deal_leaves_or_comes_or_stays_and_never_two_of_them(before, after, with_won) -> None:
    moved = deal_movement(before, after, **QUARTER, with_won=with_won)
    both = set(moved.opening["opportunity"]) & set(moved.closing["opportunity"])
    others = moved.parts[~moved.parts["opportunity"].isin(both)]
    counted = set(moved.opening["opportunity"]) ^ set(moved.closing["opportunity"])
    assert sorted(others["opportunity"]) == sorted(counted)  # exactly one row each
    staying = moved.parts[moved.parts["opportunity"].isin(both)]
    assert set(staying["part"]) <= {"owner change", "category change", "won", "returned", "up", "down"}


@settings(max_examples=25)
@given(before=snapshots, after=snapshots, with_won=st.booleans())
def test_time_run_backwards_turns_every_sign(before, after, with_won) -> None:
    there, back = (
        deal_movement(*pair, **QUARTER, with_won=with_won).summary().set_index("part")["amount"]
        for pair in ((before, after), (after, before))
    )
    for one, other in (("up", "down"), ("pulled in", "pushed out"), ("pushed in", "pulled out")):
        assert there[one] == -back[other]
        assert there[other] == -back[one]
    come, gone = ["new", "returned"], ["won", "lost", "vanished"]
    assert there[come].sum() == -back[gone].sum()
    assert there[["owner change", "category change"]].tolist() == [0, 0]


@settings(max_examples=25)
@given(first=snapshots, second=snapshots, third=snapshots)
def test_two_steps_add_up_to_the_whole_way_though_not_part_by_part(first, second, third) -> None:
    def changes(*pairs: tuple) -> dict[str, int]:
        found: dict[str, int] = defaultdict(int)
        for before, after in pairs:
            for row in deal_movement(before, after, **QUARTER).parts.to_dict("records"):
                found[row["node"]] += row["amount"]
        return {node: amount for node, amount in found.items() if amount}

    assert changes((first, second), (second, third)) == changes((first, third))


def test_what_came_and_went_is_in_both_halves_and_not_in_the_whole() -> None:
    june, july = deals("", JUNE), deals("D anna open commit 70 2026-08-10", JULY)
    august = deals("D anna lost - 70 2026-08-10", "2026-08-31")
    assert parts(deal_movement(june, july, **QUARTER)) == {"new": 70}
    assert parts(deal_movement(july, august, **QUARTER)) == {"lost": -70}
    assert parts(deal_movement(june, august, **QUARTER)) == {}


# -- what is known ---------------------------------------------------------------------------------


def test_a_deal_listed_once_when_it_closed_stays_closed_and_an_open_one_is_not_carried() -> None:
    rows_ = pd.concat(
        [
            deals("D anna open commit 70 2026-08-10\nE anna open commit 5 2026-08-10", JUNE),
            deals("D anna won closed 75 2026-07-20\nE anna open commit 5 2026-08-10", JULY),
            deals("F ben open commit 9 2026-09-10", "2026-08-31"),
            deals("G ben open commit 9 2026-09-10", "2026-09-30"),
        ],
        ignore_index=True,
    )
    known = deals_known(rows_, as_of=dt.date(2026, 9, 1))
    assert known[["opportunity", "status", "amount"]].values.tolist() == [["F", "open", 9], ["D", "won", 75]]
    june = deals_known(rows_, as_of=dt.date(2026, 7, 1))
    assert parts(deal_movement(june, known, **QUARTER)) == {"new": 9, "won": -70, "vanished": -5}
    assert deals_known(rows_, as_of=dt.date(2026, 1, 1)).empty


def test_vanished_and_backdated_deals_are_findings_with_the_row_of_their_table() -> None:
    before = deals("D anna open commit 70 2026-12-10\nE anna lost - 5 2026-06-10", JUNE).set_axis([7, 8])
    after = deals("F ben open commit 9 2026-09-10\nG ben open commit 9 2026-09-10", JULY).set_axis([9, 10])
    created = pd.to_datetime(pd.Series(["2026-06-01", "2026-07-05"], index=[9, 10]))
    found = snapshot_findings(before, after.assign(created=created))
    assert found[["row", "column", "value", "severity"]].values.tolist() == [
        [7, "opportunity", "D", "noted"],
        [9, "created", "F", "noted"],
    ]
    assert snapshot_findings(before, before).empty


def test_a_deal_listed_twice_or_without_an_amount_is_refused_by_name() -> None:
    one = deals("D anna open commit 70 2026-08-10", JUNE)
    with pytest.raises(TableError, match="'D' is listed twice"):
        deal_movement(pd.concat([one, one]), one, **QUARTER)
    with pytest.raises(MoneyError, match="after: An amount is missing"):
        deal_movement(one, one.assign(amount=pd.array([None], dtype="Int64")), **QUARTER)


def test_no_snapshot_at_all_is_an_empty_movement_with_its_columns() -> None:
    nothing = deals("", JUNE)
    moved = deal_movement(nothing, nothing, **QUARTER)
    assert moved.by("node").empty
    assert list(moved.by("node")) == ["opening", *MEANING, "closing"]
    assert moved.summary()["amount"].sum() == 0
    assert moved.steps().empty


def test_a_company_without_categories_has_one_called_none() -> None:
    one = deals("D anna open commit 70 2026-08-10", JUNE).drop(columns="category")
    assert deal_movement(one, one, **QUARTER).by("category")["closing"].to_dict() == {"(none)": 70}


def test_steps_of_a_bridge_are_in_the_order_of_the_parts() -> None:
    moved = deal_movement(
        deals("D anna open commit 70 2026-08-10", JUNE), deals("E anna open commit 9 2026-08-10", JULY), **QUARTER
    )  # fmt: skip
    laid = moved.steps()
    assert laid[laid["value"] != 0].values.tolist() == [
        ["Open at 2026-06-30", 70, "total"],
        ["New", 9, "change"],
        ["Vanished", -70, "change"],
        ["Open at 2026-07-31", 9, "total"],
    ]
