"""The choice of approach: evidence first, answers where it cannot tell, and saying so where neither can."""

import pandas as pd
import pytest

from spms_lib.goals.approach import blend_sources, opinion, recommend

nan = float("nan")


def answers(*scores: tuple[int, float]) -> pd.DataFrame:
    rows = [(f"q{i}", score, weight, "because", "Ada") for i, (score, weight) in enumerate(scores)]
    return pd.DataFrame(rows, columns=["question", "score", "weight", "reason", "decided_by"])


def measured(quarters: int = 8, **wape: float) -> pd.DataFrame:
    return pd.DataFrame(
        {"level": "region", "source": wape.keys(), "wape": wape.values(), "quarters": quarters}
    )


NO_ANSWERS = answers()


@pytest.mark.parametrize(
    ("accuracy", "criteria", "expected"),
    [
        (measured(top_down=0.10, bottom_up=0.15), NO_ANSWERS, "top-down"),
        (measured(top_down=0.20, bottom_up=0.15), answers((2, 1)), "bottom-up"),  # evidence beats opinion
        (measured(top_down=0.20, bottom_up=0.16, blend=0.12), NO_ANSWERS, "blend"),
        (measured(top_down=0.10, bottom_up=0.15, quarters=3), NO_ANSWERS, "cannot tell"),  # too short
        (measured(top_down=0.10, bottom_up=0.115), NO_ANSWERS, "cannot tell"),  # too close
        (measured(top_down=0.10, bottom_up=0.115), answers((2, 1)), "top-down"),
        (measured(top_down=0.10, bottom_up=0.115), answers((-2, 1)), "bottom-up"),
        (measured(top_down=0.10, bottom_up=0.115), answers((1, 1), (-1, 1)), "blend"),
        (measured(top_down=0.10), answers((-2, 1)), "bottom-up"),  # only one has a past
        (measured(top_down=nan, bottom_up=nan), NO_ANSWERS, "cannot tell"),
    ],
)
def test_evidence_first_then_answers_then_cannot_tell(
    accuracy: pd.DataFrame, criteria: pd.DataFrame, expected: str
) -> None:
    row = recommend(accuracy, criteria).iloc[0]
    assert row["recommendation"] == expected
    assert row["because"]
    assert row["would_change"]


def test_a_yardstick_is_never_recommended() -> None:
    accuracy = measured(top_down=0.20, bottom_up=0.15, seasonal_naive=0.01)
    assert recommend(accuracy, NO_ANSWERS)["recommendation"].tolist() == ["bottom-up"]


def test_every_level_gets_a_recommendation_of_its_own() -> None:
    both = pd.concat(
        [
            measured(top_down=0.1, bottom_up=0.2),
            measured(top_down=0.2, bottom_up=0.1).assign(level="seller"),
        ]
    )
    table = recommend(both, NO_ANSWERS)
    assert table[["level", "recommendation"]].values.tolist() == [
        ["region", "top-down"],
        ["seller", "bottom-up"],
    ]
    assert table["lead"].tolist() == pytest.approx([0.1, 0.1])


def test_an_opinion_is_the_weighted_mean_of_the_answers() -> None:
    assert opinion(answers((2, 1), (-1, 3))) == pytest.approx(-0.25)
    assert opinion(NO_ANSWERS) is None
    assert opinion(answers((2, 0))) is None


def test_a_blend_exists_only_where_both_have_spoken() -> None:
    rows = pd.DataFrame(
        [("a", "p", "top_down", 10.0), ("a", "p", "bottom_up", 20.0), ("b", "p", "top_down", 10.0)],
        columns=["node", "period", "source", "value"],
    )
    blended = blend_sources(rows, "top_down", "bottom_up")
    new = blended[blended["source"] == "blend"]
    assert new[["node", "period", "value"]].values.tolist() == [["a", "p", 15.0]]
    assert blend_sources(rows, "top_down", "silent").equals(rows)
    assert blend_sources(rows.head(0), "top_down", "bottom_up").empty


def test_nothing_measured_gives_no_recommendation() -> None:
    assert recommend(measured().head(0), NO_ANSWERS).empty
