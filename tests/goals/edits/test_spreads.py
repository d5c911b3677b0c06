"""Every spread method against the worked examples of the trade, null against zero, and holds."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import InfeasibleError, NoBasisError, ParamsError, TableError
from spms_lib.goals.edits import Draft, Edit, apply, changes, proof
from spms_lib.goals.edits.spreads import METHODS
from spms_lib.hierarchy import Hierarchy

CALENDAR = FiscalCalendar()
QUARTER = ["2026-01", "2026-02", "2026-03"]
ONE = Hierarchy.from_parent_child(pd.DataFrame({"node": ["acme"], "parent": [None]}))
TREE = Hierarchy.from_parent_child(
    pd.DataFrame(
        {
            "node": ["acme", "north", "south", "anna", "ben", "carl"],
            "parent": [None, "acme", "acme", "north", "north", "south"],
        }
    )
)


def months(*values: int | None) -> Draft:
    """One node with these months, from January on."""
    names = CALENDAR.range("2026-01", CALENDAR.shift("2026-01", len(values) - 1))
    return Draft.of(ONE, pd.DataFrame([values], index=["acme"], columns=names), CALENDAR)


def sellers(anna: list[int | None], ben: list[int | None], carl: list[int | None]) -> Draft:
    """Two sellers in the north and one in the south; January, or more months."""
    names = QUARTER[: len(anna)]
    return Draft.of(TREE, pd.DataFrame([anna, ben, carl], ["anna", "ben", "carl"], names), CALENDAR)


def shown(draft: Draft) -> list[int | None]:
    """Cells in order, null as None."""
    known, values = draft.known.ravel(), draft.values.ravel()
    return [int(value) if said else None for value, said in zip(values, known, strict=True)]


def edited(
    draft: Draft, method: str, node: str = "acme", period: str = "2026Q1", **said: Any
) -> list[int | None]:
    after = apply(draft, Edit(method, node, period, **said))
    assert (
        proof(draft, after)
        .set_index("check")
        .loc[["every parent equals its children", "every hold stands"], "passed"]
        .all()
    )
    return shown(after)


# -- the sources' own examples ---------------------------------------------------------------------


def test_breakback_around_a_held_month_as_anaplan_shows_it() -> None:
    draft = months(10, 20, 30).hold("acme", "2026-02")
    assert edited(draft, "proportional", amount=100) == [20, 20, 60]


def test_a_held_quarter_shares_what_january_leaves_and_march_is_24_where_the_help_page_prints_16() -> None:
    draft = months(10, 20, 30).hold("acme", "2026Q1")
    assert edited(draft, "proportional", period="2026-01", amount=20) == [20, 16, 24]


def test_proportional_and_relative_proportional_as_tm1_shows_them() -> None:
    assert edited(months(10, 30, 60), "proportional", amount=300) == [30, 90, 180]
    draft = sellers([5, 5, 5], [10, 20, 70], [0, 0, 0])
    after = apply(
        draft, Edit("relative_proportional", "anna", "2026Q1", amount=400, reference=("ben", "2026Q1"))
    )
    assert after.values[0].tolist() == [40, 80, 280]


@pytest.mark.parametrize(
    ("method", "said", "expected"),
    [
        ("proportional", {"amount": 60, "action": "add"}, [20, 40, 60]),
        ("proportional", {"amount": 30, "action": "subtract"}, [5, 10, 15]),
        ("equal", {"amount": 90}, [30, 30, 30]),
        ("equal", {"amount": 90, "action": "add"}, [40, 50, 60]),
        ("equal", {"amount": 30, "action": "subtract"}, [0, 10, 20]),
        ("repeat", {"amount": 7}, [7, 7, 7]),
        ("repeat", {"amount": 7, "action": "add"}, [17, 27, 37]),
        ("repeat_leaves", {"amount": 7}, [7, 7, 7]),
        ("percent_change", {"ratio": 1.1}, [11, 22, 33]),
        ("percent_change", {"ratio": 0.1, "action": "add"}, [11, 22, 33]),
        ("percent_change", {"ratio": 0.5, "action": "subtract"}, [5, 10, 15]),
        ("straight_line", {"amount": 100, "last": 200}, [100, 150, 200]),
        ("straight_line", {"amount": 1, "last": 3, "action": "add"}, [11, 22, 33]),
        ("growth", {"amount": 100, "ratio": 0.1}, [100, 110, 121]),
        ("pattern", {"amount": 13, "pattern": "4-4-5"}, [4, 4, 5]),
        ("pattern", {"amount": 100, "pattern": "bell"}, [25, 50, 25]),
        ("pattern", {"amount": 100, "pattern": (20, 30, 50)}, [20, 30, 50]),
        ("pattern", {"amount": 13, "pattern": "4-4-5", "action": "add"}, [14, 24, 35]),
        ("clear", {}, [None, None, None]),
    ],
)  # fmt: skip
def test_each_method_replaces_adds_and_subtracts_on_10_20_30(method: str, said: dict, expected: list) -> None:
    assert edited(months(10, 20, 30), method, **said) == expected


def test_relative_percent_adds_a_part_of_the_reference_to_each_cell() -> None:
    last_year = pd.DataFrame([[100, 200, 300]], index=["acme"], columns=QUARTER)
    edit = Edit("relative_percent", "acme", "2026Q1", ratio=0.1, reference="last_year", action="add")
    assert shown(apply(months(10, 20, 30), edit, references={"last_year": last_year})) == [20, 40, 60]


def test_a_cumulative_quota_of_25_50_75_100_falls_in_four_equal_parts() -> None:
    year = months(*[1] * 12)
    after = apply(year, Edit("pattern", "acme", "FY2026", amount=1200, pattern="even"))
    assert after.table(["2026Q1", "2026Q2", "2026Q3", "2026Q4"]).loc["acme"].tolist() == [300] * 4


# -- null and zero ---------------------------------------------------------------------------------


def test_zero_stays_zero_in_a_proportional_spread_unless_all_are_zero() -> None:
    assert edited(months(0, 10, 20), "proportional", amount=60) == [0, 20, 40]
    assert edited(months(0, 0, 0), "proportional", amount=60) == [20, 20, 20]


def test_null_survives_a_spread_over_those_who_have_a_number() -> None:
    assert edited(months(None, 10, 20), "proportional", amount=60) == [None, 20, 40]
    assert edited(months(None, 10, 20), "equal", amount=60) == [None, 30, 30]
    assert edited(months(None, 10, 20), "percent_change", ratio=2.0) == [None, 20, 40]
    assert edited(months(None, 0, 0), "proportional", amount=60) == [
        None,
        30,
        30,
    ]  # zero was said, null was not


def test_an_amount_for_nodes_of_which_nobody_has_spoken_is_shared_equally() -> None:
    assert edited(months(None, None, None), "proportional", amount=60) == [20, 20, 20]
    assert edited(months(None, None, None), "proportional", amount=0) == [0, 0, 0]  # zero is an answer


def test_fill_keeps_what_was_said_and_gives_the_rest_to_those_without_a_number() -> None:
    """Salesforce: bottom-up values stay, the rest of the target is shared over accounts without input."""
    assert edited(months(None, 10, None), "fill", amount=60) == [25, 10, 25]
    with pytest.raises(NoBasisError, match="adds up to 10, more than 5"):
        edited(months(None, 10, None), "fill", amount=5)
    with pytest.raises(NoBasisError, match="a number already"):
        edited(months(0, 10, 0), "fill", amount=60)


def test_equal_over_all_answers_the_nulls_and_over_nonzero_leaves_zeros() -> None:
    assert edited(months(None, 0, 20), "equal", amount=60, over="all") == [20, 20, 20]
    assert edited(months(None, 0, 20), "equal", amount=60, over="nonzero") == [None, 0, 60]


def test_a_table_shows_null_where_nobody_below_has_spoken_and_zero_where_they_said_so() -> None:
    table = sellers([None, 3], [None, None], [0, None]).table([*QUARTER[:2]])
    assert table.isna().to_numpy().tolist() == [
        [False, False],
        [True, False],
        [False, True],
        [True, False],
        [True, True],
        [False, True],
    ]
    assert table.loc["acme"].tolist() == [0, 3]


def test_a_preview_lists_a_zero_that_becomes_null_and_a_null_that_becomes_zero() -> None:
    before = months(0, None, 5)
    cleared = changes(before, apply(before, Edit("clear", "acme", "2026-01")))
    assert cleared[["period", "before", "change"]].values.tolist() == [["2026-01", 0, 0]]
    assert cleared["after"].isna().all()
    answered = changes(before, apply(before, Edit("repeat_leaves", "acme", "2026-02", amount=0)))
    assert answered[["period", "after", "change"]].values.tolist() == [["2026-02", 0, 0]]
    assert answered["before"].isna().all()


def test_clear_is_null_and_repeat_of_zero_is_zero() -> None:
    assert edited(months(5, 5, 5), "clear", period="2026-02") == [5, None, 5]
    assert edited(months(5, 5, 5), "repeat_leaves", period="2026-02", amount=0) == [5, 0, 5]
    assert months(None, 0).value("acme", "2026-01") is None
    assert months(None, 0).value("acme", "2026-02") == 0


# -- holds -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", sorted(METHODS))
def test_no_method_moves_a_held_leaf(method: str) -> None:
    said: dict[str, Any] = {
        "amount": 120, "ratio": 0.5, "last": 90, "pattern": "4-4-5", "reference": ("acme", "2026Q1"),
    }  # fmt: skip
    start = [10, 20, None] if method == "fill" else [10, 20, 30]
    draft = months(*start).hold("acme", "2026-02")
    after = edited(draft, method, **{name: said[name] for name in METHODS[method].needs})
    assert after[1] == 20
    assert after[0] != 10 or after[2] != start[2], "the others did move"


def test_a_held_team_keeps_its_cells_when_the_company_is_spread() -> None:
    draft = sellers([10], [90], [100]).hold("north", "2026-01")
    assert edited(draft, "equal", period="2026-01", amount=300) == [10, 90, 200]


def test_beside_an_edit_below_a_held_sum_the_other_leaves_absorb_in_proportion() -> None:
    draft = sellers([10], [30], [60]).hold("acme", "2026-01")
    assert edited(draft, "proportional", node="anna", period="2026-01", amount=37) == [37, 21, 42]
    tighter = draft.hold("north", "2026-01")
    assert edited(tighter, "proportional", node="anna", period="2026-01", amount=37) == [37, 3, 60]


def test_a_held_quarter_above_and_held_months_of_the_company_are_kept_together() -> None:
    draft = sellers([10, 20, 30], [40, 50, 60], [70, 80, 90]).hold("north", "2026Q1")
    for month in QUARTER:
        draft = draft.hold("acme", month)
    after = apply(draft, Edit("proportional", "anna", "2026-01", amount=25))
    assert after.value("north", "2026Q1") == 210
    assert after.table().loc["acme"].tolist() == [120, 150, 180]
    assert after.value("anna", "2026-01") == 25
    assert (after.values > 0).all()


def test_an_edit_below_nothing_that_is_held_moves_nothing_else() -> None:
    draft = sellers([10], [30], [60])
    assert edited(draft, "proportional", node="north", period="2026-01", amount=80) == [20, 60, 60]


def test_all_zero_leaves_absorb_equally() -> None:
    draft = sellers([50], [0], [0]).hold("acme", "2026-01")
    assert edited(draft, "proportional", node="anna", period="2026-01", amount=20) == [20, 15, 15]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (Edit("proportional", "acme", "2026Q1", amount=15), "cannot become 15 in 2026Q1: held are 'acme' 2026-02 at 20"),
        (Edit("proportional", "acme", "2026-02", amount=15), "'acme' is held in 2026-02 at 20"),
        (Edit("clear", "acme", "2026-02"), "held in 2026-02"),
    ],
)  # fmt: skip
def test_an_edit_that_a_hold_leaves_no_room_for_is_refused_by_name(edit: Edit, words: str) -> None:
    draft = months(10, 20, 30).hold("acme", "2026-02")
    with pytest.raises(InfeasibleError, match=words):
        apply(draft, edit)


def test_when_everything_beside_is_held_the_refusal_names_who() -> None:
    draft = sellers([10], [30], [60]).hold("acme", "2026-01").hold("ben", "2026-01").hold("carl", "2026-01")
    with pytest.raises(
        InfeasibleError, match="'anna' cannot be changed so in 2026-01: held are 'acme' 2026-01 at 100"
    ):
        apply(draft, Edit("proportional", "anna", "2026-01", amount=20))


def test_beside_an_edit_nobody_is_pushed_below_nothing() -> None:
    draft = sellers([10], [30], [60]).hold("north", "2026-01")
    with pytest.raises(InfeasibleError, match="'anna' cannot be changed so"):
        apply(draft, Edit("proportional", "anna", "2026-01", amount=50))


# -- transfers -------------------------------------------------------------------------------------


def test_a_transfer_moves_the_amount_in_the_givers_phasing_and_touches_nobody_else() -> None:
    draft = sellers([10, 20, 30], [40, 50, 60], [7, 7, 7]).hold("acme", "2026-02").hold("north", "2026Q1")
    after = apply(draft.lift("north", "2026Q1"), Edit("transfer", "anna", "2026Q1", amount=30, to="carl"))
    assert after.values.tolist() == [[5, 10, 15], [40, 50, 60], [12, 17, 22]]
    absorbed = apply(draft, Edit("transfer", "anna", "2026Q1", amount=30, to="carl"))
    assert absorbed.value("north", "2026Q1") == 210, "the held team made up for it"
    assert absorbed.value("carl", "2026Q1") == 51


@pytest.mark.parametrize(
    ("giver", "taker", "amount", "words"),
    [
        ("anna", "north", 5, "lie below each other"),
        ("anna", "carl", 500, "cannot become"),
        ("anna", "carl", -5, "negative amount"),
    ],
)
def test_a_transfer_that_makes_no_sense_is_refused(giver: str, taker: str, amount: int, words: str) -> None:
    with pytest.raises(InfeasibleError, match=words):
        apply(sellers([10], [30], [60]), Edit("transfer", giver, "2026-01", amount=amount, to=taker))


# -- saying it -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"method": "proportionl", "amount": 1}, "Did you mean 'proportional'"),
        ({"method": "proportional"}, "needs amount"),
        ({"method": "proportional", "amount": 1, "ratio": 2.0}, "does not use ratio"),
        ({"method": "proportional", "amount": 1.5}, "not whole"),
        ({"method": "equal", "amount": 1, "action": "plus"}, "no action 'plus'"),
        ({"method": "equal", "amount": 1, "colour": 2}, "no 'colour'"),
    ],
)
def test_an_edit_says_what_is_wrong_with_it(said: dict, words: str) -> None:
    with pytest.raises(ParamsError, match=words):
        Edit.read({"node": "acme", "period": "2026Q1", **said})


def test_an_edit_survives_being_written_down() -> None:
    edit = Edit("pattern", "acme", "2026Q1", amount=13, pattern=(20, 30, 50), action="add")
    assert Edit.read(edit.said()) == edit
    assert "pattern on acme in 2026Q1" in str(edit)


def test_small_shares_of_a_large_total_are_exact() -> None:
    draft = months(*[1, 1, 1])
    assert edited(draft, "proportional", amount=10**13 + 1) == [3333333333334, 3333333333334, 3333333333333]
    assert np.sum(edited(draft, "equal", amount=100)) == 100


def test_a_draft_refuses_what_it_cannot_start_from_by_name() -> None:
    said = pd.DataFrame({"2026-01": [10, 20, 30]}, ["anna", "ben", "carl"])
    with pytest.raises(TableError, match="holds"):
        Draft.of(TREE, said, CALENDAR, holds=pd.DataFrame({"node": ["anna"], "period": ["2026-01"]}))
    other = pd.DataFrame({"node": ["anna"], "period": ["2026-01"], "value": [11]})
    with pytest.raises(InfeasibleError, match="held at 11 in 2026-01, but the draft has 10"):
        Draft.of(TREE, said, CALENDAR, holds=other)
