"""A bridge of movement: what did not move is named and not drawn, and what was won is no loss."""

import pandas as pd
import pytest
from matplotlib.colors import to_hex

from spms_lib.errors import CheckError, TableError
from spms_lib.report import figures

STEPS = pd.DataFrame(
    {
        "label": ["Open at 30 June", "New", "Vanished", "Won", "Lost", "Open at 31 July"],
        "value": [100_00, 50_00, 0, -60_00, -10_00, 80_00],
        "kind": ["total", "change", "change", "settled", "change", "total"],
    }
)


def test_steps_of_zero_are_left_out_and_named() -> None:
    ax = figures.bridge(STEPS, leave_out_zero=True, note="In euros.")
    assert len(ax.patches) == 5
    assert "Vanished" not in [text.get_text() for text in ax.get_yticklabels()]
    assert ax.figure.get_supxlabel() == "In euros. Not drawn, as 0: vanished."
    assert len(figures.bridge(STEPS).patches) == 6


def test_a_total_of_zero_is_drawn_all_the_same() -> None:
    empty = STEPS.assign(value=[0, 80_00, 0, 0, 0, 80_00])
    ax = figures.bridge(empty, leave_out_zero=True)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["Open at 30 June", "New", "Open at 31 July"]


def test_what_was_won_has_the_colour_of_actuals_and_not_of_a_loss() -> None:
    colours = [to_hex(bar.get_facecolor()).upper() for bar in figures.bridge(STEPS).patches]
    assert colours[3] == figures.MEANINGS["actual"].colour
    assert colours[4] == figures.MEANINGS["bad"].colour


def test_a_bridge_still_has_to_add_up_and_to_know_its_steps() -> None:
    with pytest.raises(CheckError, match="add up to"):
        figures.bridge(STEPS.assign(value=[100_00, 50_00, 0, -60_00, -10_00, 79_00]), leave_out_zero=True)
    with pytest.raises(TableError, match="'gone' is not a kind"):
        figures.bridge(STEPS.assign(kind="gone"))


def test_a_long_note_is_broken_into_lines_that_stay_in_the_picture() -> None:
    ax = figures.bridge(STEPS, note="One more word, as re-categorised ones are, too. " * 6)
    note = ax.figure._supxlabel
    assert note.get_text().count("\n") >= 2
    ax.figure.canvas.draw()
    assert note.get_window_extent().x1 <= ax.figure.bbox.x1
    assert not any(line.endswith("-") for line in note.get_text().split("\n"))
