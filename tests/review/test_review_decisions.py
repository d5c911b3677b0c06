import datetime as dt

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.review.decisions import ProposalRules, decision_outcomes, open_decisions, propose_decisions
from spms_lib.tables import schema

REVIEW = dt.date(2026, 4, 10)
OWNERS = {"a": "Ann", "b": "Bob"}


def decisions(
    *rows: tuple[str, str, str | None, int | None, int | None],
) -> pd.DataFrame:
    columns = ["decision", "due", "status", "expected_effect", "actual_effect"]
    frame = pd.DataFrame(rows, columns=columns).assign(cycle="2026Q1", node="a", type="hire", owner="Ann")
    return frame.astype({"due": "datetime64[us]", "expected_effect": "Int64", "actual_effect": "Int64"})


@pytest.mark.parametrize(
    ("row", "verdict", "overdue"),
    [
        (("2026-04-09", None, 100, None), "overdue by 1 day", True),
        (("2026-03-31", "open", 100, None), "overdue by 10 days", True),
        (("2026-04-10", "", 100, None), "due today", False),
        (("2026-04-15", "open", 100, None), "due in 5 days", False),
        (("2026-03-31", "done", 100, 80), "done, 80 % of the expected effect", False),
        (("2026-03-31", "done", -100, -150), "done, 150 % of the expected effect", False),
        (("2026-03-31", "done", 100, None), "done, effect not measured", False),
        (
            ("2026-03-31", "done", None, 80),
            "done, effect measured but none had been expected in numbers",
            False,
        ),
        (("2026-03-31", "done", 0, 80), "done, no effect had been expected", False),
        (("2026-03-31", "dropped", 100, None), "dropped", False),
    ],
)
def test_every_decision_gets_a_verdict(row: tuple, verdict: str, overdue: bool) -> None:
    got = decision_outcomes(decisions(("d1", *row)), as_of=REVIEW).iloc[0]
    assert (got["verdict"], got["overdue"]) == (verdict, overdue)


def test_an_effect_nobody_stated_stays_unknown() -> None:
    got = decision_outcomes(decisions(("d1", "2026-03-31", "done", None, 80)), as_of=REVIEW).iloc[0]
    assert pd.isna(got["expected_effect"])
    assert pd.isna(got["outcome_ratio"])
    assert got["actual_effect"] == 80


def test_the_longest_overdue_decision_comes_first_and_done_ones_are_not_listed() -> None:
    table = decisions(
        ("d1", "2026-05-01", "open", None, None),
        ("d2", "2026-03-01", "done", None, None),
        ("d3", "2026-02-01", None, None, None),
    )
    assert open_decisions(table, as_of=REVIEW)["decision"].tolist() == ["d3", "d1"]
    assert table["status"].isna().sum() == 1


def gap(
    node: str = "a", landing: int | None = 800, pace: float | None = 0.95, coverage: float | None = 2.0
) -> pd.DataFrame:
    row = {
        "node": node,
        "plan": 1000,
        "landing": landing,
        "pace": pace,
        "remaining": 500,
        "coverage_ratio": coverage,
        "required_ratio": 4.0,
    }
    whole = dict.fromkeys(["plan", "landing", "remaining"], "Int64")
    part = dict.fromkeys(["pace", "coverage_ratio", "required_ratio"], "float64")
    return pd.DataFrame([row]).astype(whole | part)


def propose(frame: pd.DataFrame, rules: ProposalRules | None = None) -> pd.DataFrame:
    return propose_decisions(frame, as_of=REVIEW, cycle="2026Q2", owners=OWNERS, rules=rules)


@pytest.mark.parametrize(
    ("frame", "kind", "effect"),
    [
        (gap(landing=980), "accept_risk", 0),
        (gap(coverage=3.0), "coverage", 125),  # 500 remain, 1500 of 2000 pipeline: 125 uncovered
        (gap(coverage=1.0), "coverage", 200),  # 375 uncovered, but only 200 are missing
        (gap(coverage=4.0, pace=0.7), "enablement", None),
        (gap(coverage=4.0, pace=0.9), "phasing", 0),
        (gap(coverage=None), "find_cause", None),
        (gap(coverage=5.0, pace=None), "find_cause", None),
    ],
)
def test_a_gap_gets_the_first_lever_that_fits_and_only_a_computed_effect(
    frame: pd.DataFrame, kind: str, effect: int | None
) -> None:
    got = propose(frame).iloc[0]
    seen = got["expected_effect"]
    assert (got["type"], None if pd.isna(seen) else seen) == (kind, effect)
    assert got["rule"]


@pytest.mark.parametrize("landing", [1000, 1100, 995, None])
def test_no_gap_or_no_known_gap_gets_no_proposal(landing: int | None) -> None:
    assert propose(gap(landing=landing)).empty


def test_a_proposal_is_ready_for_the_decisions_table() -> None:
    got = propose(gap())
    assert got.columns.tolist() == [*schema("decisions").names, "shortfall", "rule"]
    assert got.iloc[0][["decision", "cycle", "owner", "status"]].tolist() == [
        "2026Q2-a-coverage",
        "2026Q2",
        "Ann",
        "open",
    ]
    assert got["due"].iloc[0] == pd.Timestamp("2026-04-24")
    assert got[schema("decisions").required].notna().all(axis=None)
    assert decision_outcomes(got, as_of=REVIEW)["verdict"].tolist() == ["due in 14 days"]


def test_a_node_without_owner_gets_a_proposal_without_owner() -> None:
    got = propose(pd.concat([gap("a"), gap("z", landing=100)], ignore_index=True))
    assert got["node"].tolist() == ["z", "a"]
    assert got["owner"].isna().tolist() == [True, False]


def test_gaps_without_pipeline_columns_ask_for_the_cause() -> None:
    got = propose(gap()[["node", "plan", "landing", "pace"]])
    assert got["type"].tolist() == ["find_cause"]


def test_thresholds_can_be_moved() -> None:
    assert propose(gap(), ProposalRules(accept_ratio=0.2))["type"].tolist() == ["accept_risk"]
    assert propose(gap(), ProposalRules(least_shortfall_ratio=0.21)).empty


def test_amounts_are_written_as_asked() -> None:
    got = propose_decisions(
        gap(), as_of=REVIEW, cycle="c", owners=pd.Series(OWNERS), money=lambda minor: f"<{minor:.0f}>"
    )
    assert got["text"].iloc[0] == "Build <1000> more pipeline to close a shortfall of <200> (20.0 % of plan)."


@given(
    landings=st.lists(st.integers(0, 1200), min_size=1, max_size=6),
    ratios=st.floats(0, 6),
    data=st.data(),
)
@settings(max_examples=40, deadline=None)
def test_no_proposal_promises_more_than_is_missing(
    landings: list[int], ratios: float, data: st.DataObject
) -> None:
    frame = pd.concat(
        [gap(f"n{at}", landing=landing, coverage=ratios) for at, landing in enumerate(landings)],
        ignore_index=True,
    )
    got = propose(frame)
    promised = got.dropna(subset="expected_effect")
    assert (promised["expected_effect"] <= promised["shortfall"]).all()
    assert got["shortfall"].tolist() == sorted(got["shortfall"], reverse=True)
    shuffled = frame.iloc[data.draw(st.permutations(range(len(frame))))]
    pd.testing.assert_frame_equal(got, propose(shuffled))
