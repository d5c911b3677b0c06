"""From what was said to a signed plan: silence is not zero, and a version is one plan."""

from types import SimpleNamespace

import pandas as pd
import pytest

from spms_lib.collect.board import completeness
from spms_lib.collect.submissions import category_roll_up
from spms_lib.commitments import conservation_gaps
from spms_lib.cycle import planning
from spms_lib.cycle.collection import process as collection
from spms_lib.cycle.collection import tables as collection_tables
from spms_lib.cycle.pipeline import pipeline_by_category
from spms_lib.cycle.targets import holds_in_force, read_plan, read_targets
from spms_lib.errors import ParamsError
from spms_lib.reconcile.gaps import gap_table
from spms_lib.store.decisions import decisions
from spms_lib.store.holds import Hold, place_hold

from firms import everything, make_plan, opportunities, sales, set_goals, submissions  # isort: skip


def said_by(desk) -> tuple[dict, str]:
    field, heard = collection.field_estimate(desk)
    return field.set_index(["node", "period"])["value"].to_dict(), heard


# -- what the field said -----------------------------------------------------------------------------


def test_the_field_is_what_was_submitted_and_silent_seats_have_no_row(acme) -> None:
    said, heard = said_by(acme)
    assert heard == "submissions"
    assert {node for node, _ in said} == {"anna", "ben", "carl"}
    assert said["anna", "2026-06"] == pytest.approx(sales()["anna"]["2026-06"] * 90, abs=1)


def test_a_word_after_the_cut_off_changes_nothing(opened, acme) -> None:
    late = submissions()[lambda rows: rows["period"] == "2026-04"].assign(
        value=1e6, submitted_at="2026-04-11 00:00:00"
    )
    desk = opened(submissions=pd.concat([submissions(), late]))
    assert said_by(desk) == said_by(acme)
    in_time = late.assign(submitted_at="2026-04-10 23:59:59")
    changed, _ = said_by(opened(submissions=pd.concat([submissions(), in_time])))
    assert changed["anna", "2026-04"] == 200_000_000  # closed and commit


def test_without_submissions_the_pipeline_speaks_and_without_deals_nobody_does(opened) -> None:
    said, heard = said_by(opened(submissions=None))
    assert heard == "pipeline"
    closed = {(n, "2026-04"): round(sales()[n]["2026-04"] * 100) for n in ("anna", "ben", "carl", "dora")}
    assert said == pytest.approx(
        {
            **closed,
            ("anna", "2026-04"): closed["anna", "2026-04"] + 6000,
            ("carl", "2026-04"): closed["carl", "2026-04"] + 1000,
            ("ben", "2026-06"): 0,
        }
    )
    assert said_by(opened(submissions=None, opportunities=None)) == ({}, "nobody")


def test_the_pipeline_counts_money_only_and_also_where_results_come_by_month(opened) -> None:
    tables = everything()
    sold = tables["transactions"]
    pieces = pd.concat([sold.assign(measure="revenue"), sold.assign(measure="pieces", value=9999)])
    expected = said_by(opened(submissions=None))[0]
    assert said_by(opened(submissions=None, transactions=pieces))[0] == pytest.approx(expected)
    by_month = sold.assign(period=sold["date"].str[:7])[["node", "period", "value", "product"]]
    monthly, _ = said_by(opened(submissions=None, transactions=None, actuals=by_month))
    assert monthly["anna", "2026-04"] == 6000  # April has not ended by the cut-off, so nothing of it is known


def test_a_submission_freezes_once(fresh) -> None:
    desk = fresh()
    latest = collection.field_submissions(desk)
    name = collection.freeze(desk)
    assert len(collection.frozen(desk, name).submissions) == len(latest)
    head = desk.ledger.head()
    assert (collection.freeze(desk), desk.ledger.head()) == (name, head)
    assert collection_tables.nothing_lost(latest, category_roll_up(desk.tree, latest, ["acme"]), desk)
    assert collection_tables.none_late(latest, desk)


def test_the_field_is_compared_with_the_targets_of_those_who_spoke(planned) -> None:
    field, heard = collection.field_estimate(planned)
    gaps = collection_tables.field_against_target(planned, field, read_targets(planned)).set_index("node")
    base = read_targets(planned).sum(axis=1)
    assert gaps.loc["acme", "target_said"] == base[["anna", "ben", "carl"]].sum()  # Dora's seat is silent
    assert gaps.loc["acme", "field"] == pytest.approx(field["value"].sum())
    assert gaps.loc["south", "said"] == pytest.approx(base["carl"] / base["south"])
    assert collection_tables.field_headline(gaps.reset_index(), heard, planned).startswith(
        "The field expects"
    )


def test_where_nobody_speaks_every_table_says_so_without_a_zero(opened) -> None:
    desk = opened(submissions=None, opportunities=None, roster=None, cycle={"compensation_plan": ""})
    set_goals(desk)
    latest = collection.field_submissions(desk)
    field, heard = collection.field_estimate(desk)
    board = collection.status(desk)
    assert board["state"].value_counts().to_dict() == {"missing": 3, "vacant": 1}
    assert completeness(desk.tree, board).loc["acme", "share"] == 0.0
    gaps = collection_tables.field_against_target(desk, field, read_targets(desk))
    assert gaps["field"].isna().all()
    assert "Nobody has said anything" in collection_tables.field_headline(gaps, heard, desk)
    assert pipeline_by_category(desk).empty
    assert collection_tables.open_notes(desk).empty
    assert category_roll_up(desk.tree, latest, ["acme"]).isna().all(axis=None)
    plan, weighed = make_plan(desk)
    assert set(weighed["source"]) == {"target", "baseline"}
    assert not conservation_gaps(desk.tree, plan.commitments.to_numpy()).any()
    table = planning.named(desk, gap_table(desk.tree, plan, weighed, ["acme", "north", "south"], desk.months))
    assert planning.proposed_decisions(desk, table, gap_ratio=0.05).empty


# -- what is learnt ------------------------------------------------------------------------------------


def test_trust_is_learnt_from_what_each_said_and_what_came(acme) -> None:
    records = planning.learn_trust(acme).set_index(["source", "node"])
    assert records.loc[("field", "ben"), "bias_ratio"] == pytest.approx(0.0, abs=1e-6)
    assert records.loc[("field", "anna"), "bias_ratio"] == pytest.approx(-0.1, abs=1e-4)
    assert records.loc[("field", "carl"), "bias_ratio"] == pytest.approx(0.2, abs=1e-4)
    assert ("field", "dora") not in records.index
    assert records.loc[("target", "acme"), "bias_ratio"] == pytest.approx(0.05, abs=1e-3)
    assert records.loc[("field", "ben"), "periods"] == 15
    table = planning.trust_table(acme, records.reset_index()).set_index(["source", "level"])
    assert table.loc[("field", "seller"), "nodes"] == 3


def test_trust_knows_nothing_after_the_day_of_the_plan(opened, acme) -> None:
    sold = everything()["transactions"]
    later = sold.assign(value=sold["value"].where(sold["date"] < "2026-04", 1e6))
    pd.testing.assert_frame_equal(
        planning.learn_trust(opened(transactions=later)), planning.learn_trust(acme)
    )


def test_a_company_without_any_past_plans_on_its_targets(opened) -> None:
    sold = everything()["transactions"]
    desk = opened(
        transactions=sold[sold["date"] >= "2026-04"], targets=None, cycle={"plan_as_of": "2026-03-31"}
    )
    records = planning.learn_trust(desk)
    assert records.empty
    assert desk.history().shape[1] == 0


# -- the plan ------------------------------------------------------------------------------------------


def test_the_plan_lies_between_its_sources_and_every_part_is_accounted_for(planned) -> None:
    plan, weighed = make_plan(planned)
    company = weighed[weighed["node"] == "acme"].groupby("source")["value"].sum()
    assert company["baseline"] * 0.9 < plan.commitments.loc["acme"].sum() < company["target"]
    assert planning.contributions_add_up(plan)
    steps = planning.why_moved(planned, plan, weighed)
    inside = steps.iloc[:-1]["value"].sum()
    assert inside == pytest.approx(steps["value"].iloc[-1]) == plan.commitments.loc["acme"].sum()
    moves = planning.largest_moves(planned, plan, weighed)
    assert moves["moved"].abs().is_monotonic_decreasing
    assert (moves["plan"] - moves["target"] == moves["moved"]).all()


def test_the_attribution_check_can_fail(planned) -> None:
    plan, _ = make_plan(planned)
    rows = plan.contributions
    lost = rows.assign(value=rows["value"].where(rows["source"] != "field", 0.0))
    assert not planning.contributions_add_up(
        SimpleNamespace(commitments=plan.commitments, contributions=lost)
    )
    hidden = lost.copy()  # what a source lost is put into rounding, so that the sums are right
    gap = rows.loc[rows["source"] == "field", "value"].to_numpy()
    hidden.loc[hidden["source"] == "rounding", "value"] += gap
    assert not planning.contributions_add_up(
        SimpleNamespace(commitments=plan.commitments, contributions=hidden)
    )


def test_the_dial_reaches_both_ends(planned) -> None:
    targets_ = read_targets(planned)
    assert make_plan(planned, leadership=1.0)[0].commitments.equals(targets_)
    plan, weighed = make_plan(planned, leadership=0.0)
    assert weighed.loc[weighed["source"] == "target", "variance"].eq(float("inf")).all()
    assert not conservation_gaps(planned.tree, plan.commitments.to_numpy()).any()


def test_a_hold_stands_in_the_plan_at_every_stand_of_the_dial(fresh) -> None:
    desk = fresh()
    set_goals(desk)
    place_hold(
        desk.ledger, Hold("anna", "2026-05", "revenue", 777, owner="Ada", reason="contract"), author="Ada"
    )
    place_hold(
        desk.ledger, Hold("south", "2026Q2", "revenue", 20_001, owner="Ada", reason="contract"), author="Ada"
    )
    held = holds_in_force(desk)
    for leadership in (0.0, 0.5, 1.0):
        plan, _ = make_plan(desk, leadership=leadership)
        assert plan.commitments.loc["anna", "2026-05"] == 777
        assert plan.commitments.loc["south"].sum() == 20_001
        assert len(held) == 4


def test_publishing_twice_keeps_the_version_and_another_plan_gets_the_next(fresh) -> None:
    desk = fresh()
    set_goals(desk)
    plan, _ = make_plan(desk)
    assert planning.publish_plan(desk, plan) == "2026Q2 plan v1"
    head = desk.ledger.head()
    assert planning.publish_plan(desk, make_plan(fresh())[0]) == "2026Q2 plan v1"
    assert desk.ledger.head() == head
    other, _ = make_plan(desk, leadership=0.9)
    assert planning.publish_plan(desk, other) == "2026Q2 plan v2"
    assert read_plan(desk).equals(other.commitments)
    assert planning.publish_plan(desk, plan) == "2026Q2 plan v3"  # back again is a new decision
    assert len(desk.ledger.sign_offs()) == 3
    desk.ledger.assert_intact()


def test_a_plan_that_was_committed_but_not_signed_is_signed_by_the_next_run(fresh, monkeypatch) -> None:
    desk = fresh()
    set_goals(desk)
    planning.publish_plan(desk, make_plan(desk)[0])
    other, _ = make_plan(desk, leadership=0.9)
    with monkeypatch.context() as patch:
        patch.setattr(
            type(desk.ledger), "sign_off", lambda *_args, **_options: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        with pytest.raises(KeyboardInterrupt):
            planning.publish_plan(desk, other)
    assert planning.publish_plan(desk, other) == "2026Q2 plan v2"


def test_the_plan_of_another_quarter_makes_no_new_version_of_this_one(fresh) -> None:
    desk = fresh()
    set_goals(desk)
    plan, _ = make_plan(desk)
    planning.publish_plan(desk, plan)
    july = pd.DataFrame({"node": ["acme"], "period": ["2026-07"], "measure": ["revenue"], "value": [1]})
    desk.ledger.commit("plan", july, author="Ada", message="the next quarter")
    assert planning.publish_plan(desk, plan) == "2026Q2 plan v1"


def test_a_plan_before_the_targets_is_refused_with_the_notebook_to_run(fresh) -> None:
    desk = fresh()
    with pytest.raises(ParamsError, match="Run the notebook 03_goal_setting first"):
        planning.gather_estimates(desk)
    with pytest.raises(ParamsError, match="Run the notebook 07_reconciliation first"):
        read_plan(desk)


def test_proposed_decisions_are_owned_dated_and_recorded_once(fresh) -> None:
    desk = fresh()
    set_goals(desk)
    plan, weighed = make_plan(desk)
    gaps = planning.named(desk, gap_table(desk.tree, plan, weighed, ["acme", "north", "south"], desk.months))
    proposed = planning.proposed_decisions(desk, gaps, gap_ratio=0.01)
    assert set(proposed["node"]) <= {"north", "south"}
    assert set(proposed["owner"]) <= {"Nina", "Sven"}
    assert (proposed["due"] == pd.Timestamp(2026, 4, 30)).all()
    assert planning.record_proposals(desk, proposed).cells == len(proposed)
    done = decisions(desk.ledger).assign(status="done")
    from spms_lib.store.decisions import record_decisions

    record_decisions(desk.ledger, done, author="Nina")
    assert planning.record_proposals(desk, proposed) is None
    assert set(decisions(desk.ledger)["status"]) == {"done"}
    assert planning.plan_headline(gaps, desk).startswith("Plan €")


def test_a_vacant_node_is_answered_for_by_the_nearest_owner_above(acme, opened) -> None:
    assert planning.node_owners(acme)[["dora", "south", "anna"]].tolist() == ["Sven", "Sven", "Anna"]
    nobody = everything()["hierarchy"].drop(columns="owner")
    assert set(planning.node_owners(opened(hierarchy=nobody))) == {"Sales Operations"}


def test_deals_by_category_are_those_of_the_cut_off(acme, opened) -> None:
    shown = pipeline_by_category(acme)
    whole = shown.set_index("node").loc["acme"]
    assert whole["weighted"] == pytest.approx(7000)  # D2 is overdue, and counts in the snapshot's month
    earlier = opportunities()[lambda rows: rows["as_of"] <= "2026-04-10"]
    pd.testing.assert_frame_equal(shown, pipeline_by_category(opened(opportunities=earlier)))
