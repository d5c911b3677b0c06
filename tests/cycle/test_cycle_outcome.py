"""What came of the plan: every cent of the quarter is traced, and nothing of another quarter."""

import datetime as dt

import pandas as pd
import pytest

from spms_lib.cycle import coverage, outcome
from spms_lib.cycle.pages import totals
from spms_lib.cycle.targets import read_plan

from firms import QUARTER, make_plan, opportunities, sales, set_goals, transactions  # isort: skip

MAY = dt.date(2026, 5, 31)
END = dt.date(2026, 6, 30)


def cents(*nodes: str, months: list[str] = QUARTER) -> int:
    return round(sum(sales()[node].get(month, 0) for node in nodes for month in months) * 100)


SEATS = ("anna", "ben", "carl", "dora")


def test_results_in_the_tree_and_outside_are_everything_that_was_sold(planned) -> None:
    rows = outcome.paced(planned, read_plan(planned), as_of=MAY).set_index("node")
    assert rows.loc["acme", "actual_to_date"] == cents(*SEATS, months=QUARTER[:2])
    assert outcome.outside_tree(planned, until=MAY) == cents("gina", months=QUARTER[:2]) > 0
    assert outcome.sold_in_quarter(planned, until=MAY) == cents(*SEATS, "gina", months=QUARTER[:2])
    for node in ("acme", "north", "south"):
        assert (
            rows.loc[planned.tree.children(node), "actual_to_date"].sum() == rows.loc[node, "actual_to_date"]
        )
    assert rows.index.tolist() == planned.tree.nodes.tolist()


def test_two_months_of_three_are_two_months_of_plan(planned) -> None:
    plan = read_plan(planned)
    rows = outcome.paced(planned, plan, as_of=MAY).set_index("node")
    assert rows.loc["anna", "plan_to_date"] == plan.loc["anna", QUARTER[:2]].sum()
    assert rows.loc["anna", "plan"] == plan.loc["anna"].sum()


def test_results_at_every_level_sum_to_the_same(acme) -> None:
    rows = outcome.dated_results(acme)
    booked = outcome.booked_at_all_levels(rows, acme.tree)
    inside = rows[rows["node"].isin(acme.tree.leaves)]["value"].sum()
    level = booked["node"].map(acme.tree.level)
    assert booked.groupby(level)["value"].sum().to_dict() == dict.fromkeys(
        ("company", "region", "seller"), inside
    )
    assert outcome.booked_at_all_levels(rows.head(0), acme.tree).empty


def test_a_sale_after_the_quarter_is_the_next_quarters_whenever_one_looks(opened) -> None:
    """The review is held in July; July's sales are in the data already."""
    july = pd.DataFrame([("anna", "2026-07-02", 1000.0, "device")], columns=transactions().columns)
    desk = opened(transactions=pd.concat([transactions(), july]), cycle={"as_of": "2026-07-15"})
    later = desk.params.as_of
    assert outcome.sold_in_quarter(desk, until=later) == cents(*SEATS, "gina")
    assert outcome.outside_tree(desk, until=later) == cents("gina")
    assert totals(desk, as_of=later)["value"].tolist() == [
        cents(*sales(), months=list(sales()["anna"])) + 100_000,
        cents(*sales(), months=list(sales()["anna"])) + 100_000,
        cents(*SEATS, "gina"),
        cents("gina"),
        cents(*SEATS),
    ]


def test_the_curve_ends_where_plan_and_sales_end_also_on_a_weekend(opened) -> None:
    """30 May 2026 is a Saturday: what is sold on it is on the curve by the end of May."""
    weekend = pd.DataFrame([("anna", "2026-05-30", 50.0, "device")], columns=transactions().columns)
    desk = opened(transactions=pd.concat([transactions(), weekend]))
    set_goals(desk)
    plan, _ = make_plan(desk)
    from spms_lib.cycle.planning import publish_plan

    publish_plan(desk, plan)
    curve = outcome.pace_curve(desk, as_of=MAY)
    assert curve["plan"].iloc[-1] == pytest.approx(plan.commitments.loc["acme"].sum())
    assert curve["actual"].dropna().iloc[-1] == cents(*SEATS, months=QUARTER[:2]) + 5_000
    assert curve["actual"].dropna().is_monotonic_increasing
    assert curve.loc[curve["date"] > pd.Timestamp(MAY), "actual"].isna().all()
    assert curve["date"].iloc[0] == pd.Timestamp(2026, 4, 1)


def test_a_company_that_knows_months_has_its_results_on_their_last_day(opened) -> None:
    by_month = transactions().assign(period=lambda rows: rows["date"].str[:7])[
        ["node", "period", "value", "product"]
    ]
    desk = opened(transactions=None, actuals=by_month)
    rows = outcome.dated_results(desk)
    assert rows["value"].sum() == desk.results["value"].sum()
    assert set(rows.loc[rows["date"] >= "2026-04-01", "date"].dt.strftime("%Y-%m-%d")) == {
        "2026-04-30", "2026-05-31", "2026-06-30",
    }  # fmt: skip
    assert outcome.sold_in_quarter(desk, until=dt.date(2026, 5, 30)) == cents(*SEATS, months=QUARTER[:1])


# -- open deals -----------------------------------------------------------------------------------------


def test_coverage_rolls_up_and_an_unrated_deal_is_no_zero(planned) -> None:
    rows = outcome.paced(planned, read_plan(planned), as_of=MAY)
    cover = coverage.covered(planned, rows, as_of=MAY).set_index("node")
    assert cover.loc[["acme", "north", "south"], "amount"].tolist() == [105_900, 6_000, 99_900]
    assert pd.isna(cover.loc["ben", "weighted"])  # nobody has rated his one deal
    assert cover.loc["anna", ["amount", "weighted"]].tolist() == [0, 0]  # she has none open
    assert cover.loc["dora", "weighted"] == 89_910
    assert cover.loc["acme", "remaining"] == rows["plan"].iloc[0] - rows["actual_to_date"].iloc[0]
    assert cover.loc["acme", "win_rate"] == pytest.approx(120 / 160)


def test_the_win_rate_knows_no_later_snapshot(acme) -> None:
    early = coverage.company_win_rate(acme, as_of=dt.date(2026, 4, 10)).iloc[0]
    assert early[["won", "lost"]].tolist() == [0, 0]
    assert pd.isna(early["by_amount"])
    assert coverage.company_win_rate(acme, as_of=MAY).iloc[0][["won", "lost"]].tolist() == [1, 1]


def test_without_opportunities_coverage_is_unknown_and_not_nought(fresh, opened) -> None:
    desk = opened(opportunities=None)
    set_goals(desk)
    rows = outcome.paced(desk, read_plan_of(desk), as_of=MAY)
    cover = coverage.covered(desk, rows, as_of=MAY)
    assert set(cover["state"]) == {"no data"}
    unknown = ["amount", "weighted", "coverage_ratio", "weighted_ratio", "expected", "expected_ratio"]
    assert cover[unknown].isna().all(axis=None)
    assert cover["remaining"].notna().all()


def read_plan_of(desk) -> pd.DataFrame:
    from spms_lib.cycle.targets import read_targets

    return read_targets(desk)


def test_months_are_attained_when_they_have_ended(planned) -> None:
    plan = read_plan(planned)
    shown = outcome.monthly_attainment(planned, plan, as_of=dt.date(2026, 5, 30))
    assert list(shown) == ["2026-04"]
    assert shown.loc["anna", "2026-04"] == pytest.approx(
        cents("anna", months=["2026-04"]) / plan.loc["anna", "2026-04"]
    )
    nothing = outcome.monthly_attainment(planned, plan * 0, as_of=MAY)
    assert nothing.isna().all(axis=None)  # no plan: no attainment, and no division by zero
    assert opportunities()["opportunity"].nunique() == 4
