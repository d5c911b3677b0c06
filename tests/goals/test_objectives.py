"""Objectives: each question can fail on its own, effort is fully accounted for, and chances come from growth."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.goals.objectives import alignment, chance_of_reaching, check_objectives

DAY = dt.date(2026, 3, 31)
GOOD = {
    "objective": "sales",
    "statement": "Sell more than last year",
    "measure": "revenue",
    "unit": "EUR",
    "baseline": 100.0,
    "target": 110.0,
    "due": dt.date(2026, 6, 30),
    "owner": "Ada",
    "serves": {"grow": 1.0},
    "assumption": "No shock",
}


def checked(*, chance: float | None = 0.6, **changes: object) -> dict[str, object]:
    rows = pd.DataFrame([{**GOOD, **changes}])
    answer = check_objectives(rows, as_of=DAY, probability=pd.Series({"sales": chance}, dtype=float))
    return answer.set_index("check")["passed"].to_dict()


def test_a_good_objective_passes_every_question() -> None:
    assert checked() == dict.fromkeys(
        ("clear", "measurable", "time-bound", "owned", "aligned", "reachable"), True
    )


@pytest.mark.parametrize(
    ("check", "changes"),
    [
        ("clear", {"statement": "Grow"}),
        ("clear", {"statement": None}),
        ("clear", {"assumption": ""}),
        ("measurable", {"measure": ""}),
        ("measurable", {"unit": None}),
        ("measurable", {"baseline": None}),
        ("measurable", {"target": float("nan")}),
        ("time-bound", {"due": None}),
        ("time-bound", {"due": DAY - dt.timedelta(days=1)}),
        ("owned", {"owner": ""}),
        ("owned", {"owner": None}),
        ("aligned", {"serves": {}}),
        ("aligned", {"serves": {"grow": 0.0}}),
        ("reachable", {"chance": 0.1}),
    ],
)
def test_each_question_fails_on_its_own(check: str, changes: dict) -> None:
    answers = checked(**changes)
    assert [name for name, passed in answers.items() if not passed] == [check]


def test_a_baseline_of_zero_is_a_baseline_and_due_today_is_in_time() -> None:
    answers = checked(baseline=0.0, due=DAY)
    assert answers["measurable"] is True
    assert answers["time-bound"] is True


def test_without_history_nobody_says_whether_it_is_reachable() -> None:
    assert checked(chance=None)["reachable"] is None
    rows = check_objectives(pd.DataFrame([GOOD]), as_of=DAY)
    assert rows.set_index("check").loc["reachable", "detail"] == "not enough history to tell"


def test_a_nameless_owner_is_nobody_and_not_none() -> None:
    rows = check_objectives(pd.DataFrame([{**GOOD, "owner": None}]), as_of=DAY)
    assert rows.set_index("check").loc["owned", "detail"] == "nobody"


@given(st.lists(st.dictionaries(st.sampled_from("ab"), st.floats(0, 0.5)), min_size=1, max_size=6))
def test_all_effort_is_accounted_for_and_gaps_cancel(serves: list[dict[str, float]]) -> None:
    goals = pd.DataFrame({"goal": ["a", "b"], "statement": ["A", "B"], "weight": [0.3, 0.7]})
    objectives = pd.DataFrame({"objective": [f"o{i}" for i in range(len(serves))], "serves": serves})
    table = alignment(goals, objectives)
    assert table["share"].sum() == pytest.approx(1.0)
    assert table["gap"].sum() == pytest.approx(0.0, abs=1e-12)


def test_a_goal_without_objectives_and_an_objective_without_a_goal_are_both_seen() -> None:
    goals = pd.DataFrame({"goal": ["grow", "keep"], "statement": ["", ""], "weight": [0.5, 0.5]})
    objectives = pd.DataFrame({"objective": ["sales", "tidy"], "serves": [{"grow": 1.0}, {}]})
    table = alignment(goals, objectives).set_index("goal")
    assert table.loc["keep", ["objectives", "share", "gap"]].tolist() == ["", 0.0, -0.5]
    assert table.loc["(no goal)", ["objectives", "share"]].tolist() == ["tidy", 0.5]


def test_no_objectives_at_all_leave_every_goal_uncovered() -> None:
    goals = pd.DataFrame({"goal": ["grow"], "statement": [""], "weight": [1.0]})
    table = alignment(goals, pd.DataFrame({"objective": [], "serves": []}))
    assert table["gap"].tolist() == [-1.0, 0.0]


PAST = pd.Series([100, 100, 100, 100, 110, 108, 112, 110.0])


def test_the_mean_of_past_growth_has_an_even_chance() -> None:
    growth = np.log(PAST.to_numpy()[4:] / PAST.to_numpy()[:-4]).mean()
    assert chance_of_reaching(PAST, 110.0 * np.exp(growth), steps=4) == pytest.approx(0.5, abs=0.02)


@given(st.floats(50, 300), st.floats(50, 300))
def test_a_higher_target_is_never_more_likely(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert chance_of_reaching(PAST, low, steps=4) >= chance_of_reaching(PAST, high, steps=4)


@given(st.floats(0.01, 1000))
def test_the_unit_of_money_does_not_matter(unit: float) -> None:
    assert chance_of_reaching(PAST * unit, 121 * unit, steps=4) == pytest.approx(
        chance_of_reaching(PAST, 121, steps=4)
    )


def test_the_comparison_is_with_the_same_quarter_of_last_year() -> None:
    """The next quarter is the second of a year: last year it was 200, and growth was 10 % in every quarter."""
    past = pd.Series([50, 200, 60, 70, 55, 220, 66, 77, 60.5])
    assert chance_of_reaching(past, 241.9, steps=4) == 1.0
    assert chance_of_reaching(past, 242.1, steps=4) == 0.0


@pytest.mark.parametrize(
    ("history", "target"),
    [
        (PAST.iloc[:6], 121.0),  # two growth rates
        (pd.Series([], dtype=float), 121.0),
        (PAST.where(PAST != 108, 0.0), 121.0),  # a quarter without sales
        (PAST.where(PAST != 108), 121.0),  # a quarter that nobody knows
        (PAST, 0.0),
        (PAST, float("nan")),
    ],
)
def test_too_little_history_gives_no_chance_rather_than_a_wrong_one(
    history: pd.Series, target: float
) -> None:
    assert chance_of_reaching(history, target, steps=4) is None
