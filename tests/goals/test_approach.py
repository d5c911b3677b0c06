"""The choice of approach: evidence first, answers where it cannot tell, and saying so where neither can."""

from itertools import pairwise

import pandas as pd
import pytest

from spms_lib.goals.approach import APPROACHES, answer_for, opinion, recommend
from spms_lib.goals.questions import (
    QUESTIONS,
    growth_spread,
    potential_spread,
    submission_bias,
    suggested_score,
)

nan = float("nan")


def answers(*scores: tuple[int, float]) -> pd.DataFrame:
    rows = [(f"q{i}", score, weight, "because", "Ada") for i, (score, weight) in enumerate(scores)]
    return pd.DataFrame(rows, columns=["question", "score", "weight", "reason", "decided_by"])


def measured(
    quarters: int = 8, reach: float = 0.01, turns: tuple[str, str] = ("", ""), **wape: float
) -> pd.DataFrame:
    """Evidence in which every lead is known to within `reach` on both sides."""
    table = pd.DataFrame({"source": wape.keys(), "wape": wape.values()})
    judged = table[table["source"].isin(APPROACHES)]["wape"]
    behind = table["wape"] - judged.min()
    is_best = behind == 0
    return table.assign(
        level="region", segment="all", quarters=quarters, behind=behind,
        behind_low=(behind - reach).where(~is_best, 0.0), behind_high=(behind + reach).where(~is_best, 0.0),
        chance_best=0.9, turns_on=[turns[0] if best else "" for best in is_best],
        turns_to=[turns[1] if best else "" for best in is_best],
    )  # fmt: skip


NO_ANSWERS = answers()


@pytest.mark.parametrize(
    ("evidence", "criteria", "expected", "basis"),
    [
        (measured(top_down=0.10, bottom_up=0.15), NO_ANSWERS, "top-down", "evidence"),
        (measured(top_down=0.20, bottom_up=0.15), answers((2, 1)), "bottom-up", "evidence"),  # beats opinion
        (measured(top_down=0.20, bottom_up=0.16, blend=0.12), NO_ANSWERS, "blend", "evidence"),
        (measured(top_down=0.20, bottom_up=0.16, baseline=0.12), NO_ANSWERS, "baseline-led", "evidence"),
        (
            measured(top_down=0.10, bottom_up=0.15, quarters=3),
            NO_ANSWERS,
            "cannot tell",
            "neither",
        ),  # too short
        (
            measured(top_down=0.10, bottom_up=0.109),
            NO_ANSWERS,
            "cannot tell",
            "neither",
        ),  # the interval holds 0
        (
            measured(top_down=0.10, bottom_up=0.11, reach=nan),
            NO_ANSWERS,
            "cannot tell",
            "neither",
        ),  # none known
        (
            measured(top_down=0.10, bottom_up=0.101, reach=0.0),
            NO_ANSWERS,
            "cannot tell",
            "neither",
        ),  # not worth it
        (measured(top_down=0.10, bottom_up=0.109), answers((2, 1)), "top-down", "answers"),
        (measured(top_down=0.10, bottom_up=0.109), answers((-2, 1)), "bottom-up", "answers"),
        (
            measured(top_down=0.10, bottom_up=0.109, blend=0.105),
            answers((1, 1), (-1, 1)),
            "top-down",
            "leaning",
        ),  # neutral
        (
            measured(top_down=0.10, bottom_up=0.109, blend=0.105, quarters=3),
            answers((1, 1), (-1, 1)),
            "blend",
            "answers",
        ),  # neutral, and no leaning yet
        (measured(top_down=0.3, bottom_up=0.1, blend=0.105), answers((2, 1)), "cannot tell", "neither"),
        (measured(top_down=0.10), answers((-2, 1)), "bottom-up", "answers"),  # only one has a past
        (measured(top_down=nan, bottom_up=nan), NO_ANSWERS, "cannot tell", "neither"),
    ],
)
def test_evidence_first_then_answers_among_what_it_leaves_open_then_cannot_tell(
    evidence: pd.DataFrame, criteria: pd.DataFrame, expected: str, basis: str
) -> None:
    row = recommend(evidence, criteria).iloc[0]
    assert (row["recommendation"], row["basis"]) == (expected, basis)
    assert row["because"]
    assert row["how_sure"]
    assert row["would_change"]


def test_a_clear_case_says_what_each_missed_how_sure_it_is_and_what_would_overturn_it() -> None:
    row = recommend(measured(top_down=0.20, bottom_up=0.16, blend=0.12), NO_ANSWERS).iloc[0]
    assert row["because"] == "blend missed by 12.0%, bottom-up 16.0%, top-down 20.0%, over 8 quarters"
    assert row["how_sure"] == (
        "blend is the best with a chance of 90%; its lead over bottom-up is 4.0 points (90 % interval 3.0 to 5.0)"
    )
    assert row["would_change"] == (
        "bottom-up missing by 3.0 points less, so that the lead is not clear, "
        "or by more than 4.0 points less, so that bottom-up leads"
    )


def test_the_closest_rival_is_the_one_over_which_the_lead_is_least_certain_not_the_next_in_order() -> None:
    evidence = measured(top_down=0.10, blend=0.23, baseline=0.25)
    evidence.loc[2, ["behind_low", "behind_high"]] = [-0.02, 0.32]
    row = recommend(evidence, NO_ANSWERS).iloc[0]
    assert row["contenders"] == "top-down, baseline-led"
    assert row[["lead", "lead_low"]].tolist() == pytest.approx([0.15, -0.02])
    assert "a lead over baseline-led of more than 17.0 points, now 15.0 points" in row["would_change"]


def test_a_rival_that_is_far_behind_is_not_the_closest_because_it_was_erratic() -> None:
    evidence = measured(blend=0.23, baseline=0.24, top_down=0.63)
    evidence.loc[1:, "behind_low"] = [-0.13, -0.58]
    row = recommend(evidence, NO_ANSWERS).iloc[0]
    assert row["contenders"] == "blend, baseline-led, top-down"
    assert row["lead"] == pytest.approx(0.01)


def test_a_quarter_on_which_the_order_rests_is_said() -> None:
    row = recommend(measured(top_down=0.2, blend=0.1, turns=("2020Q1", "top_down")), NO_ANSWERS).iloc[0]
    assert row["would_change"].endswith("the order rests on 2020Q1, without which top-down leads")


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        (((1, 1), (0, 1)), "from +0.50 beyond +0.5, as by 'q0' from +1 to +2"),
        (((2, 1), (-2, 1)), "from +0.00 beyond +0.5, as by 'q1' from -2 to +0"),
        (((0, 1), (0, 9)), "from +0.00 beyond +0.5, as by 'q1' from +0 to +1"),  # a light one cannot
        (((-2, 1), (-2, 1), (1, 5)), "from +0.14 beyond +0.5, as by 'q2' from +1 to +2"),
        (((0, 1), (0, 1), (0, 1), (0, 1), (0, 1)), "from +0.00 beyond +0.5, which no single answer does"),
    ],
)
def test_the_smallest_change_of_one_answer_that_would_overturn_the_answers_is_named(scores, expected) -> None:
    row = recommend(measured(top_down=0.101, blend=0.10), answers(*scores)).iloc[0]
    assert row["recommendation"] == "blend"
    assert f"top-down if the answers' mean went {expected}" in row["would_change"]


def test_the_named_change_really_overturns_the_answers() -> None:
    evidence, said = measured(top_down=0.101, blend=0.10, bottom_up=0.102), answers((1, 2), (-1, 1), (0, 3))
    before = recommend(evidence, said).iloc[0]
    assert before["recommendation"] == "blend"
    assert (
        "top-down if the answers' mean went from +0.17 beyond +0.5, as by 'q2' from +0 to +1"
        in before["would_change"]
    )
    after = said.assign(score=[1, -1, 1])
    assert recommend(evidence, after).iloc[0]["recommendation"] == "top-down"


def test_a_yardstick_is_never_recommended() -> None:
    evidence = measured(top_down=0.20, bottom_up=0.15, seasonal_naive=0.01)
    assert recommend(evidence, NO_ANSWERS)["recommendation"].tolist() == ["bottom-up"]


def test_every_segment_gets_a_recommendation_of_its_own() -> None:
    both = pd.concat(
        [
            measured(top_down=0.1, bottom_up=0.2),
            measured(top_down=0.2, bottom_up=0.1).assign(segment="north"),
        ]
    )
    table = recommend(both, NO_ANSWERS)
    assert table[["level", "segment", "recommendation"]].values.tolist() == [
        ["region", "all", "top-down"],
        ["region", "north", "bottom-up"],
    ]


def test_an_opinion_is_the_weighted_mean_of_the_answers() -> None:
    assert opinion(answers((2, 1), (-1, 3))) == pytest.approx(-0.25)
    assert opinion(NO_ANSWERS) is None
    assert opinion(answers((2, 0))) is None
    assert [answer_for(mean) for mean in (-0.51, -0.5, 0.0, 0.51)] == [
        "bottom_up",
        "blend",
        "blend",
        "top_down",
    ]


def test_nothing_measured_gives_no_recommendation() -> None:
    assert recommend(measured(top_down=0.1).head(0), NO_ANSWERS).empty


# -- the questions and their facts --------------------------------------------------------------------


def test_every_fact_moves_its_score_through_all_five_steps_in_one_direction() -> None:
    for question in (one for one in QUESTIONS if one.steps):
        low, high = min(question.steps), max(question.steps)
        inner = sorted(question.steps)
        facts = [low / 2, *[(a + b) / 2 for a, b in pairwise(inner)], high * 2]
        scores = [suggested_score(question, fact) for fact in facts]
        assert sorted(scores) == [-2, -1, 0, 1, 2]
        assert scores in (sorted(scores), sorted(scores, reverse=True))
    assert suggested_score(QUESTIONS[0], 1.0) is None  # only people know
    assert suggested_score(QUESTIONS[1], nan) is None


def test_questions_cover_culture_market_data_and_resources() -> None:
    assert {question.topic for question in QUESTIONS} == {"culture", "market", "data", "resources"}
    assert len({question.question for question in QUESTIONS}) == len(QUESTIONS)


def test_alike_territories_have_no_spread_and_unlike_ones_their_coefficient_of_variation() -> None:
    months = [f"2025-{month:02d}" for month in range(1, 13)]
    alike = pd.DataFrame(10.0, ["a", "b", "c"], months)
    assert potential_spread(alike) == 0
    unlike = alike.mul([1.0, 2.0, 3.0], axis=0)
    assert potential_spread(unlike) == pytest.approx(0.5)  # sd of 1, 2, 3 is 1, their mean 2
    assert pd.isna(potential_spread(alike.head(1)))


def test_steady_growth_is_calm_and_a_shock_is_not() -> None:
    months = [str(month) for month in pd.period_range("2024-01", "2025-12", freq="M")]
    season = pd.Series([1.0 + month % 3 for month in range(12)] * 2, months)
    steady = pd.DataFrame([season * 10, season * 20], index=["a", "b"]).mul([1.0] * 12 + [1.3] * 12, axis=1)
    assert growth_spread(steady) == pytest.approx(0.0, abs=1e-12)
    shocked = steady.copy()
    shocked.loc["a", "2025-07":] *= 0.8
    assert growth_spread(shocked) == pytest.approx(
        0.094, abs=0.005
    )  # half of the months of one node 0.26 lower
    assert pd.isna(growth_spread(steady.iloc[:, :13]))


def test_a_forecaster_who_is_too_low_and_one_who_is_too_high_do_not_cancel() -> None:
    said = pd.DataFrame({"2026-01": [80.0, 120.0, nan]}, index=["low", "high", "silent"])
    came = pd.DataFrame({"2026-01": [100.0, 100.0, 100.0]}, index=said.index)
    assert submission_bias(said, came) == pytest.approx(0.2)
    assert pd.isna(submission_bias(said.head(0), came))
