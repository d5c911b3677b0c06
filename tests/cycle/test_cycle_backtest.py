"""The walk through the past: standing on the day before each quarter, knowing nothing of it, forgetting no source."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from spms_lib.cycle.approach import WHOLE_LEVEL, measure, record_approach
from spms_lib.cycle.approach_tables import (
    approach_headline,
    left_out_table,
    method_table,
    printed,
    recommendation_table,
    segment_table,
    sentences,
    wape_by_quarter,
    whisker_rows,
)
from spms_lib.cycle.backtest import BASELINE_METHODS, forecast_quarter, records_before, walk_forward
from spms_lib.cycle.past import doubtful_targets, handed_down, past_of
from spms_lib.cycle.questions import criteria_table, facts, questions_table
from spms_lib.errors import ParamsError
from spms_lib.goals.approach import recommend
from spms_lib.goals.baseline import baseline
from spms_lib.hierarchy import Hierarchy
from spms_lib.reconcile.plan import reconcile
from spms_lib.tables import to_long

from firms import everything, sales, submissions, targets  # isort: skip
from toys import TOY, table  # isort: skip

APPROACHES = {"top_down", "bottom_up", "blend", "baseline", "simple_mean", "seasonal_naive"}


@pytest.fixture(scope="module")
def past(acme):
    return past_of(acme, quarters=6)


@pytest.fixture(scope="module")
def walk(past):
    return walk_forward(past)


def wide(rows: pd.DataFrame, source: str) -> pd.DataFrame:
    return rows[rows["source"] == source].pivot_table(index="node", columns="period", values="value")


SOME = ("top_down_average_proportions", "wls_var", "mint_shrink")  # those that learn most from the past


def without_methods_but(walk, kept: tuple[str, ...]) -> pd.DataFrame:
    source = walk.forecasts["source"]
    wanted = ~source.str.startswith("baseline_") | source.isin([f"baseline_{name}" for name in kept])
    return walk.forecasts[wanted].reset_index(drop=True)


# -- the past on one tree -----------------------------------------------------------------------------


def test_the_past_adds_up_to_what_the_plan_knows_closed_seats_included(acme, past) -> None:
    came = past.actuals.pivot_table(index="node", columns="period", values="value")
    known = acme.history().reindex(index=came.index, columns=came.columns)
    pd.testing.assert_frame_equal(came, known, check_names=False)
    assert "emil" in past.tree.leaves  # closed since, and still heard
    assert "emil" not in past.nodes


def test_targets_are_handed_down_from_the_companys_own(past) -> None:
    """Every parent's target is the sum of its children's, and the company's is the one that was given."""
    up = past.tree.roll_up(past.targets.loc[past.tree.leaves])
    pd.testing.assert_frame_equal(up.loc[past.targets.index], past.targets, check_names=False)
    everyone = sum(months.get("2025-12", 0.0) for months in sales().values()) * 100
    assert past.targets.loc["acme", "2025-12"] == pytest.approx(1.05 * everyone, rel=1e-3)


def test_a_seat_that_moved_takes_its_part_of_the_regions_target_along(past) -> None:
    """Ben sat in the south in 2025 and sits in the north now; targets are five per cent above sales."""
    north = sum(sales()[node]["2025-12"] for node in ("anna", "ben")) * 105
    assert past.targets.loc["north", "2025-12"] == pytest.approx(north, rel=1e-3)


def test_children_share_what_their_parent_has_and_a_child_without_a_target_gets_none() -> None:
    tree = Hierarchy.from_parent_child(table(TOY))
    given = pd.DataFrame(
        {"m": {"toy": 100.0, "north": 90.0, "south": 30.0, "anna": 10.0, "ben": 30.0, "carl": 5.0}}
    )
    found = handed_down(tree, given)["m"]
    assert found[["toy", "north", "south"]].tolist() == [100.0, 75.0, 25.0]
    assert found[["anna", "ben", "carl"]].tolist() == [18.75, 56.25, 25.0]
    assert found[["dora", "emil"]].isna().all()
    rootless = handed_down(tree, given.drop("toy"))["m"]
    assert rootless[["north", "anna"]].tolist() == [90.0, 22.5]
    assert np.isnan(rootless["toy"])


def test_a_target_that_is_a_slip_is_reported_and_can_be_set_aside(opened) -> None:
    slip = targets()
    slip.loc[(slip["node"] == "acme") & (slip["period"] == "2025-11"), "value"] *= 10
    desk = opened(targets=slip)
    found = doubtful_targets(desk)
    assert found[["node", "period"]].values.tolist() == [["acme", "2025-11"]]
    assert found["ratio"].item() == pytest.approx(10 * found["usual_ratio"].item(), rel=0.01)
    assert "2025-11" in past_of(desk).targets
    assert "2025-11" not in past_of(desk, set_aside=["2025-11"]).targets
    with pytest.raises(ParamsError, match="'2031-01' is not a month of the past quarters"):
        past_of(desk, set_aside=["2031-01"])


def test_honest_targets_are_not_doubted(acme) -> None:
    assert doubtful_targets(acme).empty


# -- no leak ------------------------------------------------------------------------------------------


def test_nothing_of_a_quarter_or_after_it_enters_its_forecasts(past, walk) -> None:
    """Sales, targets and submissions from 2025Q3 on are made different: what was forecast before stays, to the bit."""
    cut = "2025-07"

    def bent(frame: pd.DataFrame, months: list[str]) -> pd.DataFrame:
        changed = frame.copy()
        changed[months] = changed[months] * 3.7 + 1234.5
        return changed

    later = {
        name: [month for month in getattr(past, name) if month >= cut] for name in ("sold", "targets", "said")
    }
    changed = replace(past, **{name: bent(getattr(past, name), months) for name, months in later.items()})
    after = walk_forward(changed, methods=SOME).forecasts
    before = without_methods_but(walk, SOME)
    earlier = before["period"] < cut
    assert earlier.sum() > 100
    pd.testing.assert_frame_equal(
        before[earlier].reset_index(drop=True), after[after["period"] < cut].reset_index(drop=True)
    )
    assert (
        not before[~earlier]
        .reset_index(drop=True)
        .equals(after[after["period"] >= cut].reset_index(drop=True))
    )


def test_sales_of_the_quarter_itself_enter_none_of_its_forecasts(past, walk) -> None:
    sold = past.sold.copy()
    sold.loc[:, "2026-01":] = 1.0
    after = walk_forward(replace(past, sold=sold), methods=SOME).forecasts
    pd.testing.assert_frame_equal(after, without_methods_but(walk, SOME))


def test_late_submissions_are_not_heard_from_raw_files_on(opened, past) -> None:
    """A revision sent after the lead of this cycle, and sales of later months, change nothing before them."""
    more = submissions()
    revised = more[more["period"] == "2025-02"].assign(value=9e6, submitted_at="2025-02-20 09:00")
    desk = opened(submissions=pd.concat([more, revised]))
    pd.testing.assert_frame_equal(past_of(desk, quarters=6).said, past.said)


# -- the forecasts ------------------------------------------------------------------------------------


def test_every_approach_and_method_speaks_of_every_quarter_that_its_evidence_allows(walk, past) -> None:
    made = walk.forecasts.groupby("source")["period"].nunique()
    assert set(made.index) >= APPROACHES
    assert {f"baseline_{name}" for name in BASELINE_METHODS} - set(made.index) <= {"baseline_mint_cov"}
    refused = set(walk.left_out["source"])
    for name in BASELINE_METHODS:
        source = f"baseline_{name}"
        count = len(walk.left_out[walk.left_out["source"] == source])
        assert made.get(source, 0) == 3 * (len(past.quarters) - count)
    assert refused <= {"baseline_mint_cov", "baseline_mint_shrink", "baseline_wls_var"}


def test_reconciled_forecasts_add_up(walk, past) -> None:
    for source in ("blend", "baseline_ols", "baseline_wls_struct", "baseline_bottom_up", "baseline_wls_var"):
        values = wide(walk.forecasts, source)
        below = values.loc[["north", "south"]].sum().to_numpy()
        assert below == pytest.approx(values.loc["acme"].to_numpy(), rel=1e-9), source


def test_baseline_of_a_quarter_is_that_of_the_history_known_then(walk, past, acme) -> None:
    months = ["2025-04", "2025-05", "2025-06"]
    known = past.tree.roll_up(past.sold).loc[:, :"2025-03"]
    pd.testing.assert_frame_equal(
        wide(walk.forecasts, "baseline").loc[["anna", "north"], months],
        baseline(known, months, acme.calendar).loc[["anna", "north"]],
        check_names=False,
    )


def test_a_silent_seat_counts_with_its_baseline_in_bottom_up(walk, past) -> None:
    said, own = past.said["2026-02"], wide(walk.forecasts, "baseline")["2026-02"]
    assert np.isnan(said["dora"])
    south = said["carl"] + own["dora"]
    emil = past.tree.roll_up(past.sold).loc[["emil"], :"2025-12"]
    assert wide(walk.forecasts, "bottom_up").loc["south", "2026-02"] > south
    assert emil.notna().any(axis=None)  # his baseline is the rest


def test_the_simple_mean_lies_halfway_between_top_down_and_bottom_up_and_needs_both(walk, past) -> None:
    mean, top, field = (wide(walk.forecasts, name) for name in ("simple_mean", "top_down", "bottom_up"))
    assert mean.loc["north", "2026-02"] == pytest.approx(
        (top.loc["north", "2026-02"] + field.loc["north", "2026-02"]) / 2
    )
    both = top.reindex_like(mean).notna() & field.reindex_like(mean).notna()
    assert (mean.notna() == both).all(axis=None)
    assert set(mean.index) == set(top.index) & set(field.index)


def test_the_blend_is_the_reconciliation_by_trust_that_the_plan_would_have_made(past, walk) -> None:
    from spms_lib.reconcile.methods import Trust

    months = ["2026-01", "2026-02", "2026-03"]
    before = walk.forecasts[walk.forecasts["period"] < months[0]]
    records = records_before(past, [before], months[0])
    history = past.tree.roll_up(past.sold).loc[:, :"2025-12"]
    estimates = pd.concat(
        [
            to_long(past.targets[months]).assign(source="target"),
            to_long(past.said[months]).assign(source="field"),
            to_long(baseline(history, months, past.calendar)).assign(source="baseline"),
        ]
    )
    there = past.tree if "gina" not in past.tree.leaves else Hierarchy.from_parent_child(
        pd.DataFrame({"node": past.tree.nodes, "parent": past.tree.parents.to_numpy(), "level": past.tree.level.to_numpy()})
        .query("node != 'gina'")
    )  # fmt: skip
    plan = reconcile(there, estimates, method=Trust(records))
    again = wide(forecast_quarter(past, "2026Q1", records), "blend")[months]
    assert again.to_numpy() == pytest.approx(plan.values.loc[again.index, months].to_numpy(), rel=1e-9)


def test_spreads_are_learned_and_the_first_quarter_has_the_prior(walk) -> None:
    rows = walk.forecasts[(walk.forecasts["source"] == "top_down") & (walk.forecasts["node"] == "acme")]
    ratio = (rows["sd"] / rows["value"]).to_numpy()
    assert ratio[:3] == pytest.approx(0.35)  # nothing was known yet
    assert ratio[-1] < 0.06  # targets have been five per cent too high ever since
    assert (walk.forecasts["sd"] > 0).all()


def test_further_baselines_walk_along(past) -> None:
    more = walk_forward(past, methods=(), further={"flat": lambda history, months, calendar: pd.DataFrame(
        dict.fromkeys(months, history.iloc[:, -1]), index=history.index
    )})  # fmt: skip
    flat = wide(more.forecasts, "flat")
    assert flat.loc["acme", "2026-02"] == pytest.approx(past.tree.roll_up(past.sold).loc["acme", "2025-12"])
    assert set(more.forecasts["source"]) == APPROACHES | {"flat"}


def test_a_past_without_submissions_or_targets_still_walks(opened) -> None:
    no_field = walk_forward(past_of(opened(submissions=None)), methods=())
    assert set(no_field.forecasts["source"]) == APPROACHES - {"bottom_up", "simple_mean"}
    alone = walk_forward(past_of(opened(submissions=None, targets=None)), methods=())
    assert set(alone.forecasts["source"]) == {"baseline", "seasonal_naive"}
    assert set(alone.left_out["source"]) == {"blend"}
    first = walk_forward(replace(past_of(opened()), quarters=["2024Q1", "2024Q2"]), methods=())
    assert first.left_out.iloc[0].tolist() == ["2024Q1", "all", "nothing had been sold before"]


# -- measured and recommended -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def evidence(acme, past, walk):
    return measure(acme, past, walk)


def test_scores_by_level_and_region_stand_on_the_same_cells(acme, evidence) -> None:
    levels = evidence.levels
    assert list(dict.fromkeys(levels["level"])) == acme.tree.level_names
    assert (levels.groupby("level")["n"].agg(lambda n: n.max() - n.min()) == 0).all()
    assert set(evidence.segments["segment"]) == {"north", "south"}
    top = levels.set_index(["level", "source"]).loc[("company", "top_down")]
    assert top["wape"] == pytest.approx(0.05, abs=1e-3)
    assert top["bias_ratio"] == pytest.approx(0.05, abs=1e-3)
    assert top["wape_low"] <= top["wape"] <= top["wape_high"]


def test_tables_and_sentences_of_the_notebook_say_what_was_measured(acme, evidence, walk) -> None:
    found = recommend(evidence.scores, criteria_table(acme))
    told = sentences(acme, found)
    assert len(told) == len(found) == len(recommendation_table(acme, found))
    assert told[0].startswith(f"**Level company: {found['recommendation'].iloc[0]}.**")
    assert all("What would overturn it:" in one for one in told)
    assert approach_headline(found).startswith(f"company: {found['recommendation'].iloc[0]}; region:")
    by_quarter = wape_by_quarter(evidence, "company")
    assert by_quarter["top-down"].to_numpy() == pytest.approx(0.05, abs=1e-3)
    assert whisker_rows(evidence.levels)["mark"].ne("").sum() == len(acme.tree.level_names)
    assert segment_table(acme, evidence)["quarters"].min() >= 4
    assert "as it is" in set(method_table(acme, evidence)["method"])
    assert len(printed(evidence.levels)) == len(evidence.levels)
    assert {"source", "where", "why"} == set(left_out_table(walk, evidence).columns)


def test_the_recommendation_and_its_answers_are_recorded_once_under_the_authors_name(fresh, evidence) -> None:
    desk = fresh()
    answered = replace(desk, params=desk.params.model_copy(update={"criteria": (criterion(),)}))
    answers = criteria_table(answered)
    found = recommend(evidence.scores, answers)
    commit = record_approach(answered, found, answers)
    assert commit is not None
    assert commit.author == "Tester"
    assert record_approach(answered, recommend(evidence.scores, answers), answers) is None
    notes = answered.ledger.state("note").set_index("item")["text"]
    assert {"approach company", "approach region", "approach region north", "approach answers"} <= set(
        notes.index
    )
    assert "2026-03-01" in notes["approach answers"]
    assert "Ada" in notes["approach answers"]
    changed = answers.assign(score=-2)
    assert record_approach(answered, recommend(evidence.scores, changed), changed) is not None
    answered.ledger.close()


def criterion():
    from spms_lib.params.goals import Criterion

    return Criterion(
        question="How fast does the market move?", score=1, weight=2.0, reason="calm", decided_by="Ada",
        decided_on="2026-03-01",
    )  # fmt: skip


def test_facts_stand_beside_the_standard_questions_and_own_questions_follow(acme, past) -> None:
    own = criterion().model_copy(update={"question": "Is there a new product?", "topic": "market"})
    desk = replace(acme, params=acme.params.model_copy(update={"criteria": (criterion(), own)}))
    asked = questions_table(desk, past).set_index("question")
    assert asked.loc["How fast does the market move?", ["score", "decided_by"]].tolist() == [1, "Ada"]
    assert asked.loc["How large is the sales force?", "fact"] == "4 leaves"
    assert asked.loc["How large is the sales force?", "suggests"] == -2
    assert pd.isna(asked.loc["How central are decisions?", "fact"])
    assert asked.index[-1] == "Is there a new product?"
    assert asked.loc["Is there a new product?", "topic"] == "market"
    known = facts(desk, past)
    assert known["submission_bias"] == pytest.approx(
        0.1, abs=0.01
    )  # Anna 10 % low, Ben exact, Carl 20 % high
    assert known["history_years"] == pytest.approx(27 / 12)


def test_a_company_without_a_past_has_no_evidence_and_no_crash(opened) -> None:
    sold = everything()["transactions"]
    desk = opened(transactions=sold[sold["date"] >= "2026-04"], targets=None, submissions=None)
    past = past_of(desk)
    walk = walk_forward(past)
    assert walk.forecasts.empty
    evidence = measure(desk, past, walk)
    found = recommend(evidence.scores, criteria_table(desk))
    assert found.empty
    assert wape_by_quarter(evidence, "region").empty
    assert segment_table(desk, evidence).empty
    assert method_table(desk, evidence).empty
    assert sentences(desk, found) == []
    assert record_approach(desk, found, criteria_table(desk)) is None
    assert len(questions_table(desk, past)) >= 7
    assert WHOLE_LEVEL not in set(evidence.not_compared["segment"])
