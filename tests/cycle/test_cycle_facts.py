"""The facts of a review: the quarter as it came, and no fact that nobody knows."""

import datetime as dt
from dataclasses import replace

import pandas as pd
import pytest

from spms_lib.cycle import coverage, outcome, pages, planning
from spms_lib.cycle import facts as gather
from spms_lib.cycle.collection import tables
from spms_lib.cycle.targets import QUOTA, read_plan, read_targets
from spms_lib.review.scorecard import scorecard
from spms_lib.review.summary import executive_summary

from firms import QUARTER, close, everything, make_plan, opportunities, sales, set_goals, transactions  # isort: skip
from toys import table  # isort: skip

END = dt.date(2026, 6, 30)
MAY = dt.date(2026, 5, 31)
SEATS = ("anna", "ben", "carl", "dora")


def cents(*nodes: str, months: list[str] = QUARTER) -> int:
    return round(sum(sales()[node].get(month, 0) for node in nodes for month in months) * 100)


def reviewed(desk, as_of: dt.date):
    """Facts and the tables around them, with every check of the review recorded."""
    facts = gather.review_facts(desk, as_of=as_of)
    rows = outcome.paced(desk, read_plan(desk), as_of=as_of)
    pages.review_checks(desk, facts, rows, pages.totals(desk, as_of=as_of))
    return facts


@pytest.fixture
def whole(planned):
    """A desk of the planned company with no checks recorded yet."""
    desk = replace(planned, _checks=[])
    yield desk
    close(desk)


def test_a_complete_quarter(whole) -> None:
    facts = reviewed(whole, END)
    assert facts.complete
    assert facts.actual == cents(*SEATS)
    assert facts.plan == read_plan(whole).loc["acme"].sum()
    assert facts.landing is None
    assert whole.checks["passed"].all(), whole.checks
    assert pages.review_headline(whole, facts).endswith("of plan")


def test_last_years_sales_include_seats_that_have_closed_since(whole) -> None:
    last_year = ["2025-04", "2025-05", "2025-06"]
    assert gather.review_facts(whole, as_of=END).last_year == cents(*SEATS, "emil", months=last_year)
    # to the end of May: the same days last year
    assert gather.review_facts(whole, as_of=MAY).last_year == cents(*SEATS, "emil", months=last_year[:2])


def test_an_edition_of_a_region_knows_its_own_and_the_editions_sum_to_the_company(planned) -> None:
    editions = [replace(planned, region=region, _checks=[]) for region in ("north", "south")]
    north, south = (reviewed(desk, END) for desk in editions)
    company = gather.review_facts(planned, as_of=END)
    assert north.actual == cents("anna", "ben")
    for name in ("actual", "plan", "last_year"):
        assert getattr(north, name) + getattr(south, name) == getattr(company, name)
    for desk in editions:
        assert desk.checks["passed"].all()
        close(desk)


def test_a_running_quarter_is_to_date_and_projects_a_landing(whole) -> None:
    facts = reviewed(whole, MAY)
    assert not facts.complete
    assert facts.actual == cents(*SEATS, months=QUARTER[:2])
    assert facts.plan_of_period == read_plan(whole).loc["acme"].sum()
    assert facts.landing > facts.actual
    assert whole.checks["passed"].all()


def test_a_review_held_after_the_quarter_sees_the_same_quarter(opened) -> None:
    july = pd.DataFrame([("anna", "2026-07-02", 1000.0, "device")], columns=transactions().columns)
    desk = opened(transactions=pd.concat([transactions(), july]), cycle={"as_of": "2026-07-15"})
    set_goals(desk)
    planning.publish_plan(desk, make_plan(desk)[0])
    facts = reviewed(desk, desk.params.as_of)
    assert facts.actual == cents(*SEATS)
    assert desk.checks["passed"].all(), desk.checks
    products = gather.product_variance(desk, facts.plan, as_of=desk.params.as_of)
    assert products["actual"].sum() == facts.actual


def test_the_bridge_from_plan_to_actual_leaves_nothing_out(whole) -> None:
    facts = gather.review_facts(whole, as_of=END)
    steps = pages.variance_steps(facts)
    inside = steps[steps["kind"] == "change"]["value"].sum()
    assert steps["value"].iloc[0] + inside == steps["value"].iloc[-1] == facts.actual
    shortened = pages.variance_steps(facts, most=1)
    assert shortened["value"].iloc[1:-1].sum() == inside
    assert any(label.endswith("others") for label in shortened["label"])


def test_totals_trace_every_cent_from_the_source_to_the_edition(whole) -> None:
    traced = pages.totals(whole, as_of=END).set_index("what")["value"]
    assert traced.iloc[0] == whole.results["value"].sum()
    assert traced.iloc[2] == traced.iloc[3] + traced.iloc[4]
    assert traced.iloc[3] == cents("gina")


def test_a_vacant_seat_has_nobody_to_attain_its_quota(whole) -> None:
    sellers = gather.seller_attainment(whole, as_of=END).set_index("node")
    assert sellers.index.tolist() == ["anna", "ben", "carl"]
    quota = read_targets(whole, layer=QUOTA).loc["anna"].sum()
    assert sellers.loc["anna", "plan"] == quota
    assert sellers.loc["anna", "attainment"] == pytest.approx(cents("anna") / quota)


def test_accuracy_compares_all_sources_on_seats_that_spoke(whole) -> None:
    measured = gather.quarter_accuracy(whole, as_of=END).set_index("source")
    assert set(measured["n"]) == {9}  # three seats that spoke, three months
    assert set(measured["left_out"]) == {3}
    assert set(measured.index) == {"target", "field", "baseline", "plan"}
    said = sum(
        sales()[node][month] * bend for node, bend in (("anna", -0.1), ("carl", 0.2)) for month in QUARTER
    )
    assert measured.loc["field", "bias"] == pytest.approx(said * 100, abs=5)
    assert gather.quarter_accuracy(whole, as_of=MAY)["n"].max() == 6


def test_submissions_are_counted_against_the_seats_that_have_somebody(whole, opened) -> None:
    assert gather.submission_counts(whole) == (3, 3)
    assert gather.submission_counts(opened(submissions=None)) == (None, None)


DECISIONS = table("""
    decision cycle  node  type    text   owner due        expected_effect status actual_effect
    d1       2026Q1 north hire    Hire   Nina  2026-03-01 100             done   80
    d2       2025Q4 emil  assign  Move   Sven  2026-12-31 -               open   -
    d3       2026Q2 south pricing Price  Sven  2026-05-01 50              open   -
""")


def test_decisions_of_earlier_cycles_are_those_of_the_scope_and_of_nodes_that_have_gone(opened) -> None:
    desk = opened(decisions=DECISIONS)
    assert gather.past_decisions(desk, as_of=END)["decision"].tolist() == ["d2", "d1"]
    assert gather.cycle_decisions(desk, as_of=END)["decision"].tolist() == ["d3"]
    north = replace(desk, region="north")
    assert gather.past_decisions(north, as_of=END)["decision"].tolist() == ["d1"]
    close(north)


def test_the_ledgers_word_on_a_decision_is_the_later_one(opened) -> None:
    from spms_lib.store.decisions import record_decisions

    desk = opened(decisions=DECISIONS)
    told = gather.all_decisions(desk)
    record_decisions(desk.ledger, told[told["decision"] == "d3"].assign(status="done"), author="Sven")
    assert gather.all_decisions(desk).set_index("decision")["status"].to_dict() == {
        "d1": "done",
        "d2": "open",
        "d3": "done",
    }


NOTES = table("""
    note node  topic   text   author written_at status answer
    n1   anna  quota   High   Anna   2026-04-05 open   -
    n2   carl  quota   Higher Carl   2026-05-05 closed Seen
    n3   north pricing Late   Nina   2026-06-30 open   -
    n4   emil  quota   Gone   Emil   2025-06-30 open   -
""")


def test_notes_are_counted_by_topic_as_they_stood(opened) -> None:
    desk = opened(notes=NOTES)
    counted = pages.notes_by_topic(desk, as_of=MAY).set_index("topic")
    assert counted.loc["quota", ["notes", "open", "answered", "latest"]].tolist() == [2, 1, 0.5, "Higher"]
    assert "pricing" not in counted.index
    assert tables.open_notes(desk)["text"].tolist() == ["High", "Gone"]
    assert pages.notes_by_topic(desk, as_of=dt.date(2020, 1, 1)).empty


def test_a_company_with_nothing_but_people_and_sales_still_gets_a_review(opened) -> None:
    by_month = transactions().assign(period=lambda rows: rows["date"].str[:7])[["node", "period", "value"]]
    people = everything()["hierarchy"][["node", "parent", "valid_from", "valid_to"]]
    desk = opened(
        hierarchy=people, transactions=None, actuals=by_month, targets=None, submissions=None,
        opportunities=None, roster=None, cycle={"over_assignment": {}, "compensation_plan": ""},
    )  # fmt: skip
    assert desk.tree.level_names == ["level 0", "level 1", "level 2"]
    set_goals(desk)
    planning.publish_plan(desk, make_plan(desk)[0])
    facts = reviewed(desk, END)
    assert facts.actual == cents(*SEATS)
    assert facts.covered is None
    assert facts.submissions_received is None
    assert desk.checks["passed"].all()
    assert gather.product_variance(desk, facts.plan, as_of=END) is None
    assert len(gather.seller_attainment(desk, as_of=END)) == 4  # nobody said that a seat is vacant
    assert not scorecard(facts).empty
    assert executive_summary(facts, money=desk.money)
    assert pages.tiles(desk, facts)


def test_a_company_of_two_levels_reviews_each_of_its_leaves(opened) -> None:
    flat = pd.DataFrame(
        [("acme", None, "company"), *((node, "acme", "seller") for node in sales())],
        columns=["node", "parent", "level"],
    )
    desk = opened(hierarchy=flat, targets=None, roster=None)
    set_goals(desk)
    planning.publish_plan(desk, make_plan(desk)[0])
    assert desk.review_level == "seller"
    edition = replace(desk, region="anna", _checks=[])
    facts = reviewed(edition, END)
    assert facts.actual == cents("anna")
    assert facts.plan == read_plan(desk).loc["anna"].sum()
    assert facts.children["node"].tolist() == ["anna"]
    assert pages.variance_steps(facts)["value"].iloc[-1] == facts.actual
    assert executive_summary(facts, money=desk.money)
    assert edition.checks["passed"].all()
    close(edition)


def test_proposals_of_the_review_are_for_children_that_miss_their_plan(whole) -> None:
    rows = outcome.paced(whole, read_plan(whole), as_of=MAY)
    cover = coverage.covered(whole, rows, as_of=MAY)
    proposed = gather.next_decisions(whole, rows, cover, as_of=MAY)
    assert set(proposed["node"]) <= {"north", "south"}
    assert opportunities()["node"].isin(whole.tree.leaves).all()
