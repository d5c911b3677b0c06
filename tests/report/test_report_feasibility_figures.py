"""Figures of feasibility, capacity and resources: what they draw, what they write, and what they leave out."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from spms_lib.errors import TableError
from spms_lib.report import figures

NODES = pd.DataFrame(
    {
        "name": ["Company", "North", "South", "West"],
        "target": [100.0, 60.0, 40.0, 10.0],
        "expected": [95.0, 30.0, 44.0, np.nan],
        "low": [80.0, 0.0, 30.0, np.nan],
        "high": [110.0, 300.0, 60.0, np.nan],
        "chance": [0.4, 0.05, 0.9, np.nan],
        "class": ["fair", "beyond reach", "too easy", "nobody can tell"],
        "top": [True, False, False, False],
    }
)
EFFORT = pd.DataFrame(
    {"group": ["n", "n", "n", "s", "w"], "difficulty": [1.0, 1.1, 9.0, 0.8, np.nan], "name": list("abcde")}
)
MONTHS = pd.DataFrame(
    {"period": ["2026-07", "2026-08"], "target": [100_00.0, 120_00.0], "capacity": [110_00.0, 100_00.0]}
)
UNITS = pd.DataFrame(
    {
        "name": ["North", "South"],
        "units": [2.0, 0.0],
        "proportional": [1.0, 1.0],
        "gain": [500_00.0, -200_00.0],
    }
)

DRAWN = {
    "chances": lambda ax=None: figures.chances(NODES, bold="top", ax=ax),
    "difficulty_strip": lambda ax=None: figures.difficulty_strip(EFFORT, name="name", ax=ax),
    "capacity_columns": lambda ax=None: figures.capacity_columns(MONTHS, ax=ax),
    "allocation_bars": lambda ax=None: figures.allocation_bars(UNITS, unit="Heads", ax=ax),
}


def texts(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def note(ax) -> str:
    return ax.get_figure().get_supxlabel()


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_draws_on_the_axes_it_is_given_and_the_same_bytes_each_time(name: str) -> None:
    given = Figure().add_subplot()
    assert DRAWN[name](given) is given
    first, second = (figures.figure_bundle(DRAWN[name](), "x")[0]["image/png"] for _ in range(2))
    assert first == second


@pytest.mark.parametrize("name", DRAWN)
def test_nothing_to_draw_is_refused(name: str) -> None:
    frames = {
        "chances": NODES,
        "difficulty_strip": EFFORT,
        "capacity_columns": MONTHS,
        "allocation_bars": UNITS,
    }
    with pytest.raises(TableError, match="no rows"):
        getattr(figures, name)(frames[name].head(0))


def test_every_chance_is_written_and_an_unknown_one_is_a_dash() -> None:
    ax = DRAWN["chances"]()
    assert texts(ax)[:4] == ["40%", "5%", "90%", "–"]
    assert [label.get_text() for label in ax.get_yticklabels()] == NODES["name"].tolist()
    assert ax.get_yticklabels()[0].get_fontweight() == "bold"
    assert "beyond the edge" in note(ax)  # North's interval ends at five times its target


def test_the_target_is_always_in_sight() -> None:
    for rows in (NODES.head(1), NODES.iloc[[2]], NODES.iloc[[3]]):
        left, right = figures.chances(rows).get_xlim()
        assert left < 1.0 < right


def test_the_legend_names_only_the_classes_that_are_there() -> None:
    ax = figures.chances(NODES.iloc[[0, 2]])
    assert [entry.get_text() for entry in ax.get_legend().get_texts()] == ["Fair", "Too easy"]


def test_more_nodes_than_fit_are_counted_in_the_note() -> None:
    many = pd.concat([NODES] * 20, ignore_index=True)
    assert "40 of 80 shown" in note(figures.chances(many))


def test_the_hardest_group_stands_first_and_an_unknown_one_last() -> None:
    ax = DRAWN["difficulty_strip"]()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["n", "s", "w"]
    assert texts(ax) == ["c", "d"]  # the hardest of each group
    assert "1 without an expectation" in note(ax)
    assert "beyond the edge" in note(ax)


def test_capacity_says_by_how_much_it_is_over_or_short() -> None:
    assert texts(DRAWN["capacity_columns"]()) == ["€10 over", "€20 short"]


def test_a_month_without_capacity_has_no_column_and_no_verdict() -> None:
    ax = figures.capacity_columns(MONTHS.assign(capacity=[np.nan, 100_00.0]))
    assert len(texts(ax)) == 1
    assert "Nobody knows" in note(ax)


def test_the_worth_of_each_difference_is_written_with_its_sign() -> None:
    assert texts(DRAWN["allocation_bars"]()) == ["Difference", "+€500", "−€200"]
