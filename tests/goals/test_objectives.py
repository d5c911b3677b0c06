"""Objectives: each question can fail on its own, and effort is fully accounted for, from both sides."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.errors import ParamsError
from spms_lib.goals.objectives import (
    CHECKS,
    NO_GOAL,
    alignment,
    check_matrix,
    check_objectives,
    serving,
    unsound,
)

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
    "confidence": 0.6,
}


def checked(
    *, chance: float | None = 0.6, known: float | None = 100.0, **changes: object
) -> dict[str, object]:
    answer = answers(chance=chance, known=known, **changes)
    return answer.set_index("check")["passed"].to_dict()


def answers(*, chance: float | None = 0.6, known: float | None = 100.0, **changes: object) -> pd.DataFrame:
    rows = pd.DataFrame([{**GOOD, **changes}])
    said = {"probability": chance, "known": known}
    return check_objectives(
        rows, as_of=DAY, **{name: pd.Series({"sales": x}, dtype=float) for name, x in said.items()}
    )


def detail(check: str, **changes: object) -> str:
    return answers(**changes).set_index("check").loc[check, "detail"]


def test_a_good_objective_passes_every_question() -> None:
    assert checked() == dict.fromkeys(CHECKS, True)
    assert (
        *("clear", "measurable", "forward", "baseline known", "time-bound"),
        *("owned", "aligned", "reachable", "calibrated"),
    ) == CHECKS


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
        ("forward", {"target": 100.0}),
        ("forward", {"target": 90.0}),
        ("forward", {"direction": "down"}),
        ("baseline known", {"known": 102.0}),
        ("baseline known", {"known": -100.0}),
        ("time-bound", {"due": None}),
        ("time-bound", {"due": DAY - dt.timedelta(days=1)}),
        ("owned", {"owner": ""}),
        ("owned", {"owner": None}),
        ("aligned", {"serves": {}}),
        ("aligned", {"serves": {"grow": 0.0}}),
        ("reachable", {"chance": 0.1, "confidence": 0.1}),
        ("calibrated", {"chance": 0.3}),
        ("calibrated", {"chance": 0.95}),
    ],
)
def test_each_question_fails_on_its_own(check: str, changes: dict) -> None:
    assert [name for name, passed in checked(**changes).items() if passed is False] == [check]


@pytest.mark.parametrize(
    ("check", "changes"),
    [
        ("forward", {"baseline": None}),
        ("forward", {"target": None}),
        ("baseline known", {"known": None}),
        ("baseline known", {"baseline": None}),
        ("reachable", {"chance": None}),
        ("calibrated", {"chance": None}),
        ("calibrated", {"confidence": None}),
    ],
)
def test_where_nobody_can_tell_the_answer_is_neither_yes_nor_no(check: str, changes: dict) -> None:
    assert checked(**changes)[check] is None


def test_less_can_be_better() -> None:
    assert checked(baseline=7.5, target=6.0, direction="down", known=7.5)["forward"] is True
    assert detail("forward", direction="down") == "100 to 110, but less is better"


def test_the_margin_of_confidence_counts_in_both_directions_and_says_which() -> None:
    assert detail("calibrated", confidence=0.9) == "90% stated, 60% computed: too confident"
    assert detail("calibrated", confidence=0.3) == "30% stated, 60% computed: too careful"
    assert [checked(confidence=stated)["calibrated"] for stated in (0.8, 0.81, 0.4, 0.39)] == [
        True,
        False,
        True,
        False,
    ]


def test_a_baseline_may_be_rounded_but_not_guessed() -> None:
    assert checked(baseline=101.0)["baseline known"] is True
    assert checked(baseline=101.1)["baseline known"] is False
    assert checked(baseline=0.0, known=0.0)["baseline known"] is True
    assert checked(baseline=-100.0, known=-100.5)["baseline known"] is True  # a loss


def test_the_matrix_has_every_objective_in_its_order_and_every_question() -> None:
    rows = pd.DataFrame([{**GOOD, "objective": "z"}, {**GOOD, "objective": "a", "owner": ""}])
    checks = check_objectives(rows, as_of=DAY)
    matrix = check_matrix(checks)
    assert matrix["objective"].tolist() == ["z", "a"]
    assert list(matrix.columns) == ["objective", *CHECKS]
    assert matrix["owned"].tolist() == [True, False]
    assert unsound(checks) == ["**a**: owned (nobody)."]


def test_a_baseline_of_zero_is_a_baseline_and_due_today_is_in_time() -> None:
    answers = checked(baseline=0.0, due=DAY, known=0.0)
    assert answers["measurable"] is True
    assert answers["time-bound"] is True


def test_without_history_nobody_says_whether_it_is_reachable() -> None:
    assert checked(chance=None)["reachable"] is None
    rows = check_objectives(pd.DataFrame([GOOD]), as_of=DAY)
    assert rows.set_index("check").loc["reachable", "detail"] == "not enough history to tell"


def test_a_nameless_owner_is_nobody_and_not_none() -> None:
    rows = check_objectives(pd.DataFrame([{**GOOD, "owner": None}]), as_of=DAY)
    assert rows.set_index("check").loc["owned", "detail"] == "nobody"


SERVES = st.dictionaries(st.sampled_from("ab"), st.floats(0, 0.5))
EFFORTS = st.lists(st.tuples(SERVES, st.floats(0.01, 10)), min_size=1, max_size=6)
TWO_GOALS = pd.DataFrame({"goal": ["a", "b"], "statement": ["A", "B"], "weight": [0.3, 0.7]})


def efforts(given: list[tuple[dict[str, float], float]]) -> pd.DataFrame:
    serves, weights = zip(*given, strict=True)
    names = [f"o{i}" for i in range(len(given))]
    return pd.DataFrame({"objective": names, "serves": serves, "weight": weights})


@given(EFFORTS)
def test_all_effort_is_accounted_for_and_gaps_cancel(given: list) -> None:
    table = alignment(TWO_GOALS, efforts(given))
    assert table["share"].sum() == pytest.approx(1.0)
    assert table["gap"].sum() == pytest.approx(0.0, abs=1e-9)


@given(EFFORTS)
def test_both_directions_tell_the_same_story(given: list) -> None:
    objectives = efforts(given)
    coverage = alignment(TWO_GOALS, objectives).set_index("goal")
    table = serving(TWO_GOALS, objectives)
    assert table["contributes"].sum() == pytest.approx(1.0)
    by_goal = table.groupby("goal")["contributes"].sum().reindex(coverage.index).fillna(0.0)
    assert by_goal.tolist() == pytest.approx(coverage["share"].tolist())
    whole = table.groupby("objective")["share"].sum()
    assert whole.tolist() == pytest.approx([1.0] * len(objectives))
    assert table.drop_duplicates("objective")["effort"].sum() == pytest.approx(1.0)


@given(EFFORTS, st.floats(0.1, 100))
def test_only_the_ratio_of_weights_matters(given: list, times: float) -> None:
    objectives = efforts(given)
    more = objectives.assign(weight=objectives["weight"] * times)
    assert alignment(TWO_GOALS, more)["share"].tolist() == pytest.approx(
        alignment(TWO_GOALS, objectives)["share"].tolist()
    )


def test_an_objective_of_three_times_the_weight_is_three_quarters_of_the_effort() -> None:
    objectives = efforts([({"a": 0.5}, 3.0), ({"b": 1.0}, 1.0)])
    assert alignment(TWO_GOALS, objectives)["share"].tolist() == [0.375, 0.25, 0.375]
    assert serving(TWO_GOALS, objectives).values.tolist() == [
        ["o0", 0.75, "a", 0.3, 0.5, 0.375],
        ["o0", 0.75, NO_GOAL, 0.0, 0.5, 0.375],
        ["o1", 0.25, "b", 0.7, 1.0, 0.25],
    ]


def test_without_weights_every_objective_counts_the_same() -> None:
    objectives = efforts([({"a": 1.0}, 1.0), ({"b": 1.0}, 1.0)])
    bare = objectives.drop(columns="weight")
    unsaid = objectives.assign(weight=[None, 1.0])
    for same in (bare, unsaid):
        assert alignment(TWO_GOALS, same)["share"].tolist() == [0.5, 0.5, 0.0]


@pytest.mark.parametrize("weights", [[0.0, 0.0], [-1.0, 2.0]])
def test_weights_that_say_nothing_are_refused(weights: list[float]) -> None:
    objectives = efforts([({"a": 1.0}, 1.0), ({"b": 1.0}, 1.0)]).assign(weight=weights)
    with pytest.raises(ParamsError, match="weights of the objectives"):
        serving(TWO_GOALS, objectives)


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
    assert serving(goals, pd.DataFrame({"objective": [], "serves": []})).empty
