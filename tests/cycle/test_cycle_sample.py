"""The sample company with fourteen sellers, from its raw files to its review, as the notebooks walk it."""

import shutil
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from spms_lib.collect.board import completeness
from spms_lib.collect.submissions import category_roll_up
from spms_lib.commitments import conservation_gaps
from spms_lib.cycle import Desk, facts, open_cycle, outcome, pages, planning
from spms_lib.cycle.approach import measure
from spms_lib.cycle.backtest import walk_forward
from spms_lib.cycle.collection import process as collection
from spms_lib.cycle.collection import tables as collection_tables
from spms_lib.cycle.objectives import objective_checks, supplied_targets
from spms_lib.cycle.past import past_of
from spms_lib.cycle.pay.paid import pay_everybody, pay_plan, quarter_cost
from spms_lib.cycle.pay.plans import LEAVES, seller_plan
from spms_lib.cycle.questions import criteria_table
from spms_lib.cycle.targets import BASE, QUOTA, holds_in_force, holds_stand, read_plan, read_targets
from spms_lib.goals.approach import recommend
from spms_lib.reconcile.gaps import gap_table
from spms_lib.sample import build_sample
from spms_lib.store.holds import Hold, place_hold

from firms import close, make_plan, set_goals  # isort: skip
from toys import ROOT  # isort: skip


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The company after goal setting, collection and reconciliation, with a hold on one seller."""
    root = tmp_path_factory.mktemp("sample")
    for name in ("sample", "plans"):
        shutil.copytree(ROOT / "params" / name, root / "params" / name)
    (root / "notebooks").mkdir()
    build_sample(root / "outputs/sample/data", sellers=14)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPMS_ROOT", str(root))
        patch.setenv("SPMS_AUTHOR", "Tester")
        patch.delenv("SPMS_OUT", raising=False)
        desk = open_cycle("sample", "2026Q3")
        seller = str(desk.tree.leaves[0])
        hold = Hold(seller, "2026-08", "revenue", 1_234_567, owner="Ada", reason="signed contract")
        place_hold(desk.ledger, hold, author="Ada")
        set_goals(desk, growth_ratio=0.08)
        collection.read_drop(desk)
        collection.freeze(desk)
        planning.publish_plan(desk, make_plan(desk)[0])
        yield desk
    close(desk)


def test_every_row_of_every_file_is_used_or_rejected(sample: Desk) -> None:
    data = sample.root / "outputs/sample/data"
    for row in sample.sources.to_dict("records"):
        assert row["rows_in"] == len(pd.read_csv(data / row["origin"], dtype=str, skip_blank_lines=False))
        assert row["rows_in"] == row["rows_used"] + row["rows_rejected"]
    assert sample.sources["rows_rejected"].sum() > 0  # the sample is dirty on purpose


def test_sales_as_earned_and_as_they_follow_the_seat_are_both_everything(sample: Desk) -> None:
    moved = sample.table("hierarchy").groupby("node")["parent"].nunique()
    assert (moved > 1).any()
    months = sorted(sample.results["period"].unique())
    assert int(sample.as_earned("team", months).to_numpy().sum()) == int(sample.results["value"].sum())
    history = sample.history()
    known = sample.results[sample.results["period"].isin(history.columns)]
    assert history.loc[sample.tree.root].sum() == known["value"].sum()


def test_targets_and_plan_add_up_and_the_hold_stands_in_both(sample: Desk) -> None:
    base, quota, plan = read_targets(sample), read_targets(sample, layer=QUOTA), read_plan(sample)
    held = holds_in_force(sample)
    assert len(held) == 1
    for values in (base, plan):
        assert not conservation_gaps(sample.tree, values.to_numpy(dtype=np.int64)).any()
        assert holds_stand(values, held)
    assert holds_stand(quota, held)
    assert base.iloc[0].equals(quota.iloc[0])
    assert quota.loc[sample.tree.leaves].sum().sum() > base.loc[sample.tree.leaves].sum().sum()
    assert BASE != QUOTA


def test_a_second_walk_through_the_cycle_commits_nothing(sample: Desk) -> None:
    again = replace(sample, _checks=[])
    head = sample.ledger.head()
    set_goals(again, growth_ratio=0.08)
    collection.read_drop(again)
    collection.freeze(again)
    assert planning.publish_plan(again, make_plan(again)[0]) == "2026Q3 plan v1"
    assert sample.ledger.head() == head
    close(again)


def test_the_field_is_collected_without_losing_a_word(sample: Desk) -> None:
    latest = collection.field_submissions(sample)
    nodes = [sample.tree.root, *sample.tree.at_level(sample.review_level)]
    assert collection_tables.nothing_lost(latest, category_roll_up(sample.tree, latest, nodes), sample)
    assert collection_tables.none_late(latest, sample)
    board = collection.status(sample)
    counts = completeness(sample.tree, board).loc[sample.tree.root]
    assert counts[["submitted", "incomplete", "missing", "vacant"]].sum() == 14
    field, heard = collection.field_estimate(sample)
    assert heard == "submissions"
    assert set(field["node"]) <= set(sample.tree.leaves)


def test_every_level_has_evidence_and_a_recommendation(sample: Desk) -> None:
    past = past_of(sample)
    measured = measure(sample, past, walk_forward(past, methods=())).scores
    assert measured["wape"].between(0, 1).all()
    found = recommend(measured, criteria_table(sample))
    assert found.loc[found["segment"] == "all", "level"].tolist() == sample.tree.level_names
    assert supplied_targets(sample)["rows"].sum() == len(sample.table("targets"))
    assert objective_checks(sample)["passed"].notna().sum() > 0


def test_the_plan_is_explained_and_its_gaps_become_decisions(sample: Desk) -> None:
    plan, weighed = make_plan(sample)
    assert planning.contributions_add_up(plan)
    assert (weighed["variance"] > 0).all()
    nodes = [sample.tree.root, *sample.tree.at_level(sample.review_level)]
    gaps = planning.named(sample, gap_table(sample.tree, plan, weighed, nodes, sample.months))
    proposed = planning.proposed_decisions(sample, gaps, gap_ratio=0.0)
    assert proposed["owner"].notna().all()
    steps = planning.why_moved(sample, plan, weighed)
    assert steps["value"].iloc[:-1].sum() == pytest.approx(steps["value"].iloc[-1])


def test_the_review_of_the_company_is_the_sum_of_its_regions(sample: Desk) -> None:
    as_of = sample.params.as_of
    company = facts.review_facts(sample, as_of=as_of)
    parts = []
    for region in sample.tree.at_level(sample.review_level):
        desk = replace(sample, region=str(region), _checks=[])
        part = facts.review_facts(desk, as_of=as_of)
        pages.review_checks(
            desk, part, outcome.paced(desk, read_plan(desk), as_of=as_of), pages.totals(desk, as_of=as_of)
        )
        assert desk.checks["passed"].all(), desk.checks
        parts.append(part)
        close(desk)
    for name in ("actual", "plan", "last_year"):
        assert sum(getattr(part, name) for part in parts) == getattr(company, name)


def test_pay_adds_up_by_component_and_every_payee_has_a_payout_or_a_reason(sample: Desk) -> None:
    as_of = sample.params.as_of
    everybody = pay_everybody(sample, until=as_of)
    assert {paid.level for paid in everybody} == {LEAVES, *sample.params.manager_plans}
    for paid in everybody:
        rows = paid.table(sample)
        assert set(rows["payee"]) == set(paid.payees["payee"])
        assert (rows[list(paid.plan.components)].sum(axis=1) == rows["payout"].fillna(0)).all()
        assert (rows["payout"].notna() | (rows["reason"] != "")).all()
        assert rows["payout"].gt(0).any()
        cost = quarter_cost(sample, paid, until=as_of).set_index("metric")["value"]
        assert cost["total_payout"] == rows["payout"].sum()
        assert cost["seats"] + cost["seats_not_payable"] == len(rows)


def test_every_sale_is_credited_to_who_sat_there_that_day_and_only_vacant_seats_credit_nobody(
    sample: Desk,
) -> None:
    as_of = sample.params.as_of
    paid = pay_plan(sample, seller_plan(sample), until=as_of)
    sold = outcome.quarter_results(sample, until=as_of).reset_index(drop=True)
    stays = sold.reset_index().merge(sample.table("roster"), on="node")
    there = (stays["start"] <= stays["date"]) & (stays["end"].isna() | (stays["date"] <= stays["end"]))
    seated = sold.index.isin(stays.loc[there, "index"]) & sold["node"].isin(sample.tree.leaves)
    credits = paid.run.books.credits  # noqa: A001
    assert credits["amount"].sum() == sold["value"][seated].sum()
    vacant = paid.findings[paid.findings["rule"] == "nobody is there to be credited"]["value"].str.split(":")
    counted = {seat: int(text.split()[0]) for seat, text in vacant}
    empty = sold[~seated & sold["node"].isin(sample.tree.leaves)]
    assert counted == empty["node"].value_counts().to_dict()
