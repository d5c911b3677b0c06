"""Setting targets: where the company's number comes from, how it is split, and what the ledger keeps."""

import datetime as dt

import pandas as pd
import pytest

from spms_lib.commitments import conservation_gaps
from spms_lib.cycle import split
from spms_lib.cycle import targets as steps
from spms_lib.errors import InfeasibleError, ParamsError
from spms_lib.store.holds import Hold, holds, place_hold

from firms import QUARTER, everything, opportunities, sales, set_goals, targets, transactions  # isort: skip
from toys import table  # isort: skip

LAST_YEAR = round(
    sum(sum(months.get(m, 0) for m in ("2025-04", "2025-05", "2025-06")) for months in sales().values()) * 100
)


def hold(desk, node: str, period: str, value: int, **more: object) -> None:
    place_hold(
        desk.ledger,
        Hold(node, period, "revenue", value, owner="Ada", reason="contract", **more),
        author="Ada",
    )


# -- the company's number --------------------------------------------------------------------------


def test_growth_is_on_everything_that_was_sold_last_year_also_by_a_seat_that_has_closed(acme) -> None:
    target, origin = steps.company_target(acme, target_from="growth", growth_ratio=0.1, stated_target=0.0)
    assert target == round(LAST_YEAR * 1.1)
    assert origin == "the same quarter last year +10.0%"


def test_a_stated_target_is_in_currency_units_and_must_be_stated(acme) -> None:
    assert (
        steps.company_target(acme, target_from="stated", growth_ratio=0.0, stated_target=1234.56)[0] == 123456
    )
    for nothing in (0.0, -5.0, float("nan")):
        with pytest.raises(ParamsError, match="No target is stated"):
            steps.company_target(acme, target_from="stated", growth_ratio=0.0, stated_target=nothing)


def ask_table(desk) -> int:
    return steps.company_target(desk, target_from="table", growth_ratio=0.0, stated_target=0.0)[0]


def test_a_target_from_the_table_is_the_companys_row_and_never_a_sum_over_levels(opened) -> None:
    given = [("acme", month, 1000.5) for month in QUARTER] + [("anna", QUARTER[0], 77.0)]
    desk = opened(targets=pd.DataFrame(given, columns=["node", "period", "value"]))
    assert ask_table(desk) == 300150


def test_a_target_for_the_whole_quarter_is_one_too(opened) -> None:
    desk = opened(targets=pd.DataFrame({"node": ["acme"], "period": ["2026 Q2"], "value": [3000]}))
    assert ask_table(desk) == 300000


def test_a_table_without_the_companys_quarter_is_refused_with_what_to_do(opened, acme) -> None:
    two = pd.DataFrame([("acme", month, 1.0) for month in QUARTER[:2]], columns=["node", "period", "value"])
    for desk in (acme, opened(targets=two)):
        with pytest.raises(ParamsError, match=r"no target of 'acme' for 2026Q2.*growth or stated"):
            ask_table(desk)


def test_growth_without_a_past_and_an_unknown_origin_are_refused(opened, acme) -> None:
    sold = transactions()
    young = opened(transactions=sold[sold["date"] >= "2025-05"], targets=None)
    with pytest.raises(ParamsError, match="no actuals for 2025Q2"):
        set_goals(young)
    with pytest.raises(ParamsError, match="'hope' is no origin"):
        steps.company_target(acme, target_from="hope", growth_ratio=0.0, stated_target=0.0)


def test_the_target_stands_beside_what_history_knows(acme) -> None:
    context = steps.target_context(acme, 2 * LAST_YEAR).set_index("what")
    assert context.loc["Same quarter last year", "value"] == pytest.approx(LAST_YEAR)
    assert context.loc["Same quarter last year", "against_target"] == pytest.approx(0.5)
    assert steps.target_context(acme, 0)["against_target"].isna().all()


def test_the_chance_of_a_target_needs_four_steps_and_three_growth_rates(acme, opened) -> None:
    assert len(steps.quarter_history(acme)) == 9
    assert 0.0 <= steps.target_chance(acme, LAST_YEAR) <= 1.0
    sold = transactions()
    assert steps.target_chance(opened(transactions=sold[sold["date"] >= "2025"], targets=None), 1) is None


# -- the split -------------------------------------------------------------------------------------


def test_drivers_are_what_the_company_has(acme, opened) -> None:
    assert list(split.leaf_drivers(acme)) == ["history", "growth", "capacity", "pipeline"]
    poor = opened(roster=None, opportunities=None, submissions=None, targets=None)
    assert list(split.leaf_drivers(poor)) == ["history", "growth"]


def test_history_is_a_year_of_each_leaf_and_capacity_counts_posts_and_ramp(acme) -> None:
    drivers = split.leaf_drivers(acme)
    year = pd.DataFrame(sales()).T.loc[["anna", "ben", "carl", "dora"], "2025-04":"2026-03"].sum(axis=1) * 100
    assert drivers["history"].to_dict() == pytest.approx(year.to_dict())
    capacity = drivers["capacity"]
    assert capacity[["anna", "ben", "dora"]].tolist() == [1.0, 0.5, 0.0]
    assert capacity["carl"] == pytest.approx(120 / 30.4375 / 8)  # four months into a ramp of eight


def test_a_leaf_whose_deals_are_all_closed_has_an_empty_pipeline_and_a_stranger_to_the_crm_an_unknown_one(
    opened,
) -> None:
    deals = opportunities()
    gone = deals[deals["opportunity"] == "D2"].assign(opportunity="D9", node="ben", status="lost")
    pipeline = split.leaf_drivers(opened(opportunities=pd.concat([deals, gone])))["pipeline"]
    assert pipeline[["anna", "carl", "ben"]].tolist() == [5000.0, 1000.0, 0.0]
    assert pd.isna(pipeline["dora"])


def test_the_pipeline_driver_is_the_snapshot_that_the_plan_may_know(opened, acme) -> None:
    past = opportunities()[lambda rows: rows["as_of"] <= "2026-03-31"]
    known = split.leaf_drivers(opened(opportunities=past))
    pd.testing.assert_frame_equal(known, split.leaf_drivers(acme))


def test_own_drivers_come_from_the_table(opened) -> None:
    own = table("node driver value\nanna potential 5\ncarl potential 0")
    drivers = split.leaf_drivers(opened(drivers=own))["potential"]
    assert drivers[["anna", "carl"]].tolist() == [5.0, 0.0]
    assert drivers[["ben", "dora"]].isna().all()


def test_a_leaf_follows_the_seasons_of_its_region(acme) -> None:
    shares = split.phasing(acme)
    assert shares.index.tolist() == acme.tree.leaves.tolist()
    assert shares.loc["anna"].tolist() == pytest.approx([0.25, 0.25, 0.5])


def test_the_quarter_falls_on_its_months_to_the_cent(acme) -> None:
    weights = pd.Series([0.4, 0.3, 0.2, 0.1], acme.tree.leaves)
    totals = split.month_totals(100_001, weights, split.phasing(acme))
    assert totals.sum() == 100_001
    assert list(totals.index) == QUARTER


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"dora"}),  # by the roster
        ({"roster": None}, {"dora"}),  # by the hierarchy's owners
        (
            {"roster": None, "hierarchy": everything()["hierarchy"].drop(columns="owner")},
            set(),
        ),  # nobody has said
    ],
)
def test_a_seat_is_vacant_where_somebody_says_so(opened, changes: dict, expected: set) -> None:
    assert split.vacant_leaves(opened(**changes)) == expected


# -- what is committed -------------------------------------------------------------------------------


def test_goals_are_set_from_end_to_end(planned) -> None:
    target = round(LAST_YEAR * 1.1)
    base, quota = steps.read_targets(planned), steps.read_targets(planned, layer=steps.QUOTA)
    assert base.iloc[0].sum() == quota.iloc[0].sum() == target
    assert not conservation_gaps(planned.tree, base.to_numpy()).any()
    leaves = planned.tree.leaves
    assert quota.loc[leaves].to_numpy().sum() == pytest.approx(1.05 * target, abs=6)
    assert base.loc["anna"].sum() / base.loc["carl"].sum() == pytest.approx(100 / 60, rel=1e-4)


def test_the_table_for_reading_adds_months_and_compares_with_last_year(planned) -> None:
    base, quota = steps.read_targets(planned), steps.read_targets(planned, layer=steps.QUOTA)
    read = steps.target_table(planned, base, quota).set_index("node")
    assert read.loc["acme", "growth"] == pytest.approx(0.1, abs=1e-6)
    assert read.loc["acme", "last_year"] == pytest.approx(LAST_YEAR)
    assert read.loc["ben", "parent"] == "north"
    assert pd.isna(read.loc["acme", "parent"])


def test_committing_twice_commits_once(fresh) -> None:
    desk = fresh()
    _, base, quota = set_goals(desk)
    head = desk.ledger.head()
    assert steps.commit_targets(desk, base, quota, message="again") is None
    assert desk.ledger.head() == head
    assert steps.read_targets(desk).equals(base)
    assert steps.read_targets(desk, layer=steps.QUOTA).equals(quota)


def test_targets_before_the_goal_notebook_ran_are_refused_with_its_name(fresh) -> None:
    desk = fresh()
    with pytest.raises(ParamsError, match=r"no targets of 7 nodes .*such as 'acme'.*03_goal_setting"):
        steps.read_targets(desk)


def test_a_ledger_with_a_month_missing_or_null_is_refused_by_name(fresh) -> None:
    desk = fresh()
    _, base, _ = set_goals(desk)
    cells = steps.cells(desk, base.loc[["dora"], ["2026-05"]])
    desk.ledger.commit(
        "targets", cells.assign(value=pd.array([None], dtype="Int64")), author="Ada", message="unknown"
    )
    with pytest.raises(ParamsError, match=r"no targets of 1 nodes for every month.*'dora'"):
        steps.read_targets(desk)


# -- holds -------------------------------------------------------------------------------------------


def test_a_hold_on_a_seller_survives_a_re_run_and_another_growth(fresh) -> None:
    """Held between two runs, read back from the ledger by a desk of its own each time."""
    desk = fresh()
    before = set_goals(desk)[1]
    hold(desk, "anna", "2026-05", 1_234)
    runs = [(growth, *set_goals(fresh(), growth_ratio=growth)) for growth in (0.1, 0.1, 0.25)]
    for growth, target, base, quota in runs:
        assert base.loc["anna", "2026-05"] == quota.loc["anna", "2026-05"] == 1_234
        assert base.iloc[0].sum() == target == round(LAST_YEAR * (1 + growth))
        assert not conservation_gaps(desk.tree, base.to_numpy()).any()
        assert steps.holds_stand(base, steps.holds_in_force(desk))
    assert not steps.holds_stand(before, steps.holds_in_force(desk))


def test_a_hold_on_the_quarter_stands_to_the_cent_around_months_held_on_their_own(fresh) -> None:
    desk = fresh()
    hold(desk, "north", "2026Q2", 50_001)
    hold(desk, "north", "2026-04", 7)
    hold(desk, "carl", "2026Q2", 10_001)
    _, base, _ = set_goals(desk)
    assert base.loc["north"].sum() == 50_001
    assert base.loc["north", "2026-04"] == 7
    assert base.loc["carl"].sum() == 10_001
    assert base.loc["carl", "2026-06"] == pytest.approx(2 * base.loc["carl", "2026-05"], abs=1)


def test_holds_that_a_quarters_plan_cannot_keep_are_refused_and_not_ignored(fresh) -> None:
    desk = fresh()
    hold(desk, "north", "2026Q2", 100)
    hold(desk, "north", "2026-04", 101)
    with pytest.raises(InfeasibleError, match="'north' is held at 100 in 2026Q2"):
        steps.holds_in_force(desk)
    hold(desk, "north", "2026-04", 100)
    hold(desk, "carl", "FY2026", 1)
    with pytest.raises(InfeasibleError, match=r"hold on 'carl' covers the whole of FY2026"):
        steps.holds_in_force(desk)


def test_holds_of_other_quarters_measures_and_expired_ones_do_not_count(fresh) -> None:
    desk = fresh()
    hold(desk, "anna", "2026Q3", 1)
    hold(desk, "anna", "2026-07", 1)
    hold(desk, "ben", "2026-05", 1, expires=dt.date(2026, 3, 31))
    place_hold(desk.ledger, Hold("carl", "2026-05", "pieces", 1, owner="Ada", reason="r"), author="Ada")
    assert steps.holds_in_force(desk).empty
    hold(desk, "ben", "2026-05", 1, expires=dt.date(2026, 4, 1))
    assert steps.holds_in_force(desk)[["node", "period", "value"]].values.tolist() == [["ben", "2026-05", 1]]
    assert len(holds(desk.ledger, on=dt.date(2026, 4, 1))) == 4


def test_a_hold_above_the_target_is_refused_by_name_and_nothing_is_committed(fresh) -> None:
    desk = fresh()
    hold(desk, "anna", "2026-05", 10**9)
    head = desk.ledger.head()
    with pytest.raises(InfeasibleError, match="exceed its target in 2026-05"):
        set_goals(desk)
    assert desk.ledger.head() == head


def test_the_past_targets_of_the_table_were_what_the_company_set() -> None:
    """The toy company's own data: parents equal their children in the table of past targets."""
    wide = targets().pivot_table(index="node", columns="period", values="value")
    assert (wide.loc["acme"] - wide.loc[["north", "south"]].sum()).abs().max() < 0.02
