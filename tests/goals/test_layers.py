"""Layers: board <= plan <= street by name, chances from history, and the published factors."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.errors import ParamsError
from spms_lib.goals.chances import amount_reached_with, chance_of_reaching
from spms_lib.goals.layers import disagreements, layer_table

PAST = pd.Series([100, 100, 100, 100, 110, 108, 112, 110.0]) * 1000
NO_PAST = pd.Series(dtype=float)


def layers(past: pd.Series = PAST, said: dict | None = None, **amounts: int) -> pd.DataFrame:
    return layer_table(amounts, said or {}, past, steps=4)


def test_the_published_example_of_a_street_quota_of_a_million_for_a_plan_of_eight_hundred_thousand() -> None:
    """Revcast, capacity planning: attainment factor 80 %, over-assignment 125 %."""
    table = layers(NO_PAST, plan=800_000_00, street=1_000_000_00).set_index("layer")
    assert table.loc["street", ["attainment_factor", "over_assignment"]].tolist() == [0.8, 1.25]
    assert table.loc["plan", ["attainment_factor", "over_assignment"]].tolist() == [1.0, 1.0]


AMOUNTS = st.lists(st.integers(1, 10**12), min_size=3, max_size=3).map(sorted)


@given(AMOUNTS)
def test_the_two_factors_are_each_others_inverse_and_chances_fall(amounts: list[int]) -> None:
    table = layers(**dict(zip(("board", "plan", "street"), amounts, strict=True)))
    assert (table["attainment_factor"] * table["over_assignment"]).tolist() == pytest.approx([1.0] * 3)
    assert table["chance"].is_monotonic_decreasing
    assert table["amount"].tolist() == amounts
    assert table["amount"].dtype == "int64"


def test_a_board_by_its_confidence_has_that_chance() -> None:
    board = round(amount_reached_with(PAST, 0.9, steps=4))
    table = layers(board=board, plan=121_000, said={"board": 0.9, "plan": 0.5}).set_index("layer")
    assert table.loc["board", "chance"] == pytest.approx(0.9, abs=1e-3)
    assert table.loc["plan", "chance"] == chance_of_reaching(PAST, 121_000, steps=4)
    assert table["confidence"].tolist() == [0.9, 0.5]


@pytest.mark.parametrize(
    ("amounts", "words"),
    [
        ({"board": 11, "plan": 10}, r"board layer \(11\) lies above the plan layer \(10\)"),
        ({"plan": 10, "street": 9}, r"plan layer \(10\) lies above the street layer \(9\)"),
        ({"board": 1, "plan": 10, "street": 9}, "plan layer .* above the street layer"),
        ({"street": 9}, "no positive plan"),
        ({"plan": 0}, "no positive plan"),
        ({"plan": 1, "roof": 2}, "no layer 'roof'"),
    ],
)
def test_disorder_is_refused_by_name(amounts: dict[str, int], words: str) -> None:
    with pytest.raises(ParamsError, match=words):
        layers(**amounts)


def test_layers_of_the_same_amount_are_in_order() -> None:
    assert layers(board=5, plan=5, street=5)["over_assignment"].tolist() == [1.0] * 3


def test_the_larger_amount_cannot_be_the_more_likely_one() -> None:
    with pytest.raises(ParamsError, match="board layer is stated at 40%, below the plan layer's 50%"):
        layers(board=1, plan=2, said={"board": 0.4, "plan": 0.5})
    with pytest.raises(ParamsError, match="board layer is stated at 40%, below the street layer's 50%"):
        layers(board=1, plan=2, street=3, said={"board": 0.4, "street": 0.5})


def test_without_history_there_is_no_chance_and_no_quarrel_about_it() -> None:
    table = layers(NO_PAST, plan=5, said={"plan": 0.5})
    assert table["chance"].isna().all()
    assert disagreements(table) == []


def test_a_confidence_far_from_the_chance_is_said_in_a_sentence_and_in_which_direction() -> None:
    table = pd.DataFrame(
        {"layer": ["board", "plan", "street"], "confidence": [0.9, 0.5, 0.1], "chance": [0.6, 0.4, 0.5]}
    )
    assert disagreements(table, margin=0.15) == [
        "The board layer is stated at 90%, but past growth gives it 60%: too confident by 30 points.",
        "The street layer is stated at 10%, but past growth gives it 50%: too careful by 40 points.",
    ]
    assert len(disagreements(table, margin=0.05)) == 3
    assert disagreements(table.assign(confidence=None)) == []
