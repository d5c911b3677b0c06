"""Named contradictions: messages an analyst can act on, and laws checked by an independent program."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import linprog

from spms_lib.errors import InfeasibleError, TableError
from spms_lib.hierarchy import Hierarchy
from spms_lib.projection.contradictions import (
    Contradiction,
    Limit,
    anywhere,
    general_contradiction,
    refuse,
    tree_contradictions,
)

from dense import INF, grown, trees  # isort: skip

PERIODS = ["2026-01", "2026-02", "2026-03"]

NORTH = "toy: north south, north: anna ben, south: carl dora emil"


class Limits(NamedTuple):
    """A tree and its bounds."""

    tree: Hierarchy
    lower: np.ndarray
    upper: np.ndarray


def limited(text: str, *columns: str) -> Limits:
    """Write limits as 'anna = 40, ben >= 20, north <= 50', a text per column."""
    tree = grown(text)
    lower = np.full((len(tree), len(columns)), -INF)
    upper = -lower
    for column, limits in enumerate(columns):
        for limit in filter(None, limits.split(",")):
            name, sign, value = limit.split()
            here = tree.position(name)
            if sign in {"=", ">="}:
                lower[here, column] = float(value)
            if sign in {"=", "<="}:
                upper[here, column] = float(value)
    return Limits(tree, lower, upper)


def said(case: Limits, found: Contradiction) -> set[str]:
    signs = {"hold": "=", "lower": ">=", "upper": "<="}
    return {
        f"{case.tree.nodes[limit.position]} {signs[limit.kind]} {limit.value:g}" for limit in found.members
    }


def message(case: Limits) -> tuple[str, str]:
    with pytest.raises(InfeasibleError) as refusal:
        refuse(tree_contradictions(*case), list(case.tree.nodes), PERIODS)
    return refusal.value.what, refusal.value.remedy


def possible(rows: sparse.csr_array, right: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> bool:
    """Ask the solver, with no help from the module."""
    if (lower > upper).any():
        return False
    if rows.shape[0] == 0:
        return True
    bounds = np.column_stack([lower, upper])
    answer = linprog(np.zeros(len(lower)), A_eq=rows, b_eq=right, bounds=bounds, method="highs")
    assert answer.status in {0, 2}
    return bool(answer.status == 0)


def meets(rows: sparse.csr_array, right: np.ndarray, members: list[Limit], shift: float = 0.0) -> bool:
    """Ask whether these limits alone can be met, each of them moved by `shift` to help."""
    lower = np.full(rows.shape[1], -INF)
    upper = -lower
    for limit in members:
        if limit.kind in {"hold", "lower"}:
            lower[limit.position] = limit.value - shift
        if limit.kind in {"hold", "upper"}:
            upper[limit.position] = limit.value + shift
    return possible(rows, right, lower, upper)


def assert_irreducible(rows: sparse.csr_array, right: np.ndarray, found: Contradiction) -> None:
    members = list(found.members)
    assert not meets(rows, right, members)
    for left_out in range(len(members)):
        assert meets(rows, right, members[:left_out] + members[left_out + 1 :])


# -- a cap or floor against what lies below it -------------------------------------------------------


def test_a_cap_below_what_is_fixed_under_it() -> None:
    case = limited(NORTH, "north <= 50, anna = 40, ben >= 20")
    assert message(case) == (
        (
            "'north' may be at most 50.00 in 2026-01, but below it at least 60.00 is fixed: "
            "'anna' held at 40.00, 'ben' at least 20.00 (minor units)."
        ),
        "Raise the cap of 'north' to 60.00, or lower the others by 10.00 in all, or lift one of them.",
    )
    [found] = tree_contradictions(*case)
    assert (found.excess, found.node) == (10.0, case.tree.position("north"))


def test_a_floor_above_what_is_possible_under_it() -> None:
    case = limited(NORTH, "north >= 80, anna = 40, ben <= 20")
    assert message(case) == (
        (
            "'north' must be at least 80.00 in 2026-01, but below it at most 60.00 is possible: "
            "'anna' held at 40.00, 'ben' at most 20.00 (minor units)."
        ),
        "Lower the floor of 'north' to 60.00, or raise the others by 20.00 in all, or lift one of them.",
    )


def test_a_hold_against_floors() -> None:
    assert message(limited(NORTH, "north = 50, anna >= 40, ben >= 20")) == (
        (
            "'north' is held at 50.00 in 2026-01, but below it at least 60.00 is fixed: "
            "'anna' at least 40.00, 'ben' at least 20.00 (minor units)."
        ),
        "Raise the hold of 'north' to 60.00, or lower the others by 10.00 in all, or lift one of them.",
    )


def test_a_parent_and_all_its_children_held_read_as_they_always_did() -> None:
    what, remedy = message(limited(NORTH, "north = 50, anna = 30, ben = 10"))
    assert what == (
        "'north' is held at 50.00, but its children are all held and sum to 40.00 (minor units, 2026-01)."
    )
    assert remedy == "Change one of these holds by -10.00, or lift one."


def test_holds_further_down_are_not_called_children() -> None:
    what, remedy = message(limited(NORTH, "toy = 9, anna = 1, ben = 2, south = 4"))
    assert what == (
        "'toy' is held at 9.00 in 2026-01, but below it at most 7.00 is possible: "
        "'south' held at 4.00, 'ben' held at 2.00, 'anna' held at 1.00 (minor units)."
    )
    assert (
        remedy == "Lower the hold of 'toy' to 7.00, or raise the others by 2.00 in all, or lift one of them."
    )


def test_one_limit_below_is_told_where_to_go() -> None:
    assert message(limited("top: only", "top <= 5, only = 7")) == (
        (
            "'top' may be at most 5.00 in 2026-01, but below it at least 7.00 is fixed: "
            "'only' held at 7.00 (minor units)."
        ),
        "Raise the cap of 'top' to 7.00, or lower the hold of 'only' to 5.00, or lift one of them.",
    )


def test_a_node_at_odds_with_itself() -> None:
    assert message(limited(NORTH, "north >= 50, north <= 40, anna = 90, ben = 1")) == (
        (
            "'north' must be at least 50.00 and at most 40.00 in 2026-01: "
            "its own hold or bounds exclude each other (minor units)."
        ),
        (
            "Raise the cap of 'north' to 50.00, or lower its floor to 40.00, or lift one of them; "
            "a hold must lie within the bounds of its own node."
        ),
    )


def test_many_limits_are_summed_up() -> None:
    sellers = " ".join(f"s{i}" for i in range(20))
    floors = ", ".join(f"s{i} >= {i}" for i in range(20))
    what, _ = message(limited(f"all: {sellers}", f"all <= 100, {floors}"))
    assert what == (
        "'all' may be at most 100.00 in 2026-01, but below it at least 190.00 is fixed: "
        "'s19' at least 19.00, 's18' at least 18.00, 's17' at least 17.00, 's16' at least 16.00, "
        "'s15' at least 15.00, 's14' at least 14.00 and 14 more lower bounds summing to 91.00 (minor units)."
    )


def test_several_contradictions_are_counted_and_placed() -> None:
    crossed = "anna >= 2, anna <= 1"
    case = limited(NORTH, f"north <= 50, anna = 40, ben >= 20, {'south = 1, carl = 1, dora = 1, emil = 1'}",
                   crossed, crossed)  # fmt: skip
    what, _ = message(case)
    assert what.startswith("'north' may be at most 50.00 in 2026-01, but")
    assert what.endswith(
        "(minor units). 3 more contradictions: at 'south' (2026-01), 'anna' (2026-02 and 1 more)."
    )


def test_one_more_contradiction_is_singular() -> None:
    what, _ = message(limited(NORTH, "anna >= 2, anna <= 1", "ben >= 2, ben <= 1"))
    assert what.endswith("(minor units). 1 more contradiction: at 'ben' (2026-02).")


def test_the_place_of_the_refusal_says_whether_bounds_are_involved() -> None:
    for limits, place in {"top = 5, only = 7": "holds", "top <= 5, only = 7": "holds and bounds"}.items():
        case = limited("top: only", limits)
        with pytest.raises(InfeasibleError) as refusal:
            refuse(tree_contradictions(*case), list(case.tree.nodes), PERIODS)
        assert refusal.value.where == place


def test_a_difference_too_small_for_two_digits_is_still_shown() -> None:
    _, remedy = message(limited("top: one two", "top <= 1, one >= 0.5, two >= 0.501"))
    assert "by 1.0e-03 in all" in remedy


# -- which limits are members ------------------------------------------------------------------------


def test_a_nodes_own_floor_speaks_for_its_children_while_it_suffices() -> None:
    case = limited(NORTH, "toy <= 100, north >= 70, anna >= 40, ben >= 40, south >= 40")
    [found] = tree_contradictions(*case)
    assert said(case, found) == {"toy <= 100", "north >= 70", "south >= 40"}
    assert found.excess == 10


def test_children_speak_where_the_floor_of_their_node_is_too_low() -> None:
    case = limited(NORTH, "toy <= 100, north >= 50, anna >= 40, ben >= 40, south >= 40")
    [found] = tree_contradictions(*case)
    assert said(case, found) == {"toy <= 100", "anna >= 40", "ben >= 40", "south >= 40"}


def test_of_two_floors_that_do_not_both_suffice_the_one_that_saves_more_is_used() -> None:
    case = limited(
        NORTH,
        "toy <= 99, north >= 70, anna >= 40, ben >= 40, south >= 20, carl >= 10, dora >= 10, emil >= 10",
    )
    [found] = tree_contradictions(*case)
    assert said(case, found) == {"toy <= 99", "anna >= 40", "ben >= 40", "south >= 20"}


def test_what_one_level_gives_away_the_next_cannot() -> None:
    """The caps leave 3 to spare: speaking for a's children costs 2, for c's another 2."""
    case = limited(
        "all: a b, a: a1 a2, b: c d, c: c1 c2",
        "all <= 97, a >= 38, a1 >= 20, a2 >= 20, c >= 38, c1 >= 20, c2 >= 20, d >= 20",
    )
    [found] = tree_contradictions(*case)
    assert said(case, found) == {"all <= 97", "a >= 38", "c1 >= 20", "c2 >= 20", "d >= 20"}
    assert found.excess == 1


def test_only_the_deepest_contradiction_is_reported() -> None:
    case = limited(NORTH, "toy = 1, north <= 50, anna = 40, ben >= 20, south = 7")
    assert [said(case, found) for found in tree_contradictions(*case)] == [
        {"north <= 50", "anna = 40", "ben >= 20"}
    ]


def test_siblings_and_columns_are_reported_each() -> None:
    case = limited(
        NORTH, "north <= 1, anna = 1, ben >= 1, south >= 9, carl = 1, dora = 1, emil = 1", "", "toy = 1"
    )
    found = tree_contradictions(*case)
    north, south = case.tree.position("north"), case.tree.position("south")
    assert [(each.node, each.column) for each in found] == [(north, 0), (south, 0)]


def test_one_child_without_a_floor_leaves_room_for_any_cap() -> None:
    assert tree_contradictions(*limited(NORTH, "north <= -1000, anna >= 40")) == []
    assert tree_contradictions(*limited(NORTH, "north >= 1000, anna <= 40")) == []


def test_limits_may_miss_each_other_by_rounding() -> None:
    assert tree_contradictions(*limited("top: one two", "top = 0.3, one = 0.1, two = 0.2")) == []
    # a millionth of a cent, and the rounding of trillions of euros; never a whole cent
    assert (
        tree_contradictions(*limited("top: one two", "top = 3e15, one = 1e15, two = 2000000000000001")) == []
    )
    assert len(tree_contradictions(*limited("top: one two", "top = 3e9, one = 1e9, two = 2000000001"))) == 1


def test_rounding_in_many_nodes_is_not_a_contradiction_above_them() -> None:
    tree = grown("top: " + " ".join(f"s{i}" for i in range(1000)))
    lower = np.full((len(tree), 1), 5e-7)
    upper = np.zeros((len(tree), 1))
    lower[0], upper[0] = -INF, INF
    assert tree_contradictions(tree, lower, upper) == []


def test_bounds_that_are_not_numbers_are_refused() -> None:
    case = limited(NORTH, "")
    with pytest.raises(TableError, match="NaN"):
        tree_contradictions(case.tree, np.full_like(case.lower, np.nan), case.upper)
    with pytest.raises(TableError, match="shape"):
        tree_contradictions(case.tree, case.lower[1:], case.upper)


def test_the_arguments_stay_as_they_were() -> None:
    case = limited(NORTH, "north <= 50, anna = 40, ben >= 20")
    before = case.lower.copy(), case.upper.copy()
    tree_contradictions(*case)
    assert (case.lower == before[0]).all()
    assert (case.upper == before[1]).all()


# -- laws --------------------------------------------------------------------------------------------


@st.composite
def cases(draw: st.DrawFn) -> Limits:
    """Draw a ragged tree with whole-numbered holds and bounds in three columns, many near a plan."""
    tree = draw(trees(1, 16))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    plan = tree.roll_up_array(rng.integers(-5, 20, (len(tree.leaves), 3))).astype(np.float64)
    width = draw(st.sampled_from([0, 2, 6]))
    lower = plan - rng.integers(-1 if width else 0, width + 1, plan.shape)
    upper = plan + rng.integers(-1 if width else 0, width + 1, plan.shape)
    share = draw(st.sampled_from([0.2, 0.5, 0.9]))
    hold = rng.random(plan.shape) < 0.3
    upper = np.where(hold, lower, upper)
    silent = rng.random(plan.shape) > share
    lower = np.where(silent | (~hold & (rng.random(plan.shape) < 0.3)), -INF, lower)
    upper = np.where(silent | (~hold & (rng.random(plan.shape) < 0.3)), INF, upper)
    return Limits(tree, lower, upper)


@given(cases())
def test_the_verdict_is_the_solvers(case: Limits) -> None:
    rows = case.tree.rows
    right = np.zeros(rows.shape[0])
    contradicted = {found.column for found in tree_contradictions(*case)}
    for column in range(3):
        solvable = possible(rows, right, case.lower[:, column], case.upper[:, column])
        assert solvable == (column not in contradicted)


@given(cases())
def test_every_set_is_contradictory_by_itself_and_irreducible(case: Limits) -> None:
    rows = case.tree.rows
    right = np.zeros(rows.shape[0])
    for found in tree_contradictions(*case):
        assert_irreducible(rows, right, found)
        for limit in found.members:
            low = case.lower[limit.position, found.column]
            high = case.upper[limit.position, found.column]
            assert limit.value == (high if limit.kind == "upper" else low)
            assert (limit.kind == "hold") == (low == high)


@given(cases())
def test_the_excess_is_the_change_that_reconciles(case: Limits) -> None:
    rows = case.tree.rows
    right = np.zeros(rows.shape[0])
    for found in tree_contradictions(*case):
        enough = found.excess / len(found.members)
        members = list(found.members)
        assert meets(rows, right, members, enough + 1e-6)
        assert not meets(rows, right, members, enough - 1e-3)


@given(cases())
def test_reported_nodes_do_not_lie_above_each_other(case: Limits) -> None:
    found = tree_contradictions(*case)
    places = {(each.node, each.column) for each in found}
    assert len(places) == len(found)
    for node, column in places:
        above = case.tree.parent[node]
        while above >= 0:
            assert (int(above), column) not in places
            above = case.tree.parent[above]


@given(cases())
def test_tree_and_general_agree(case: Limits) -> None:
    rows = case.tree.rows
    right = np.zeros(rows.shape[0])
    contradicted = {found.column for found in tree_contradictions(*case)}
    for column in range(3):
        found = general_contradiction(
            rows, right, case.lower[:, column], case.upper[:, column], column=column
        )
        assert (found is not None) == (column in contradicted)
        if found is not None:
            assert_irreducible(rows, right, found)


# -- any structure -----------------------------------------------------------------------------------


def crossed(regions: int, products: int) -> sparse.csr_array:
    """Build totals of regions and of products over the same cells, and the total of both.

    Variables: cells (region by region), regions, products, all.
    """
    by_region = sparse.kron(sparse.eye_array(regions), np.ones((1, products)))
    by_product = sparse.kron(np.ones((1, regions)), sparse.eye_array(products))
    empty = sparse.csr_array((1, regions * products))
    blocks = [
        [by_region, -sparse.eye_array(regions), None, None],
        [by_product, None, -sparse.eye_array(products), None],
        [empty, np.ones((1, regions)), None, -np.ones((1, 1))],
        [empty, None, np.ones((1, products)), -np.ones((1, 1))],
    ]
    return sparse.csr_array(sparse.block_array(blocks))


def test_regions_and_products_contradict_each_other() -> None:
    rows = crossed(2, 2)
    names = ["n/tea", "n/rum", "s/tea", "s/rum", "north", "south", "tea", "rum", "all"]
    lower, upper = np.full(9, -INF), np.full(9, INF)
    lower[[4, 5]] = [60, 50]
    lower[8] = upper[8] = 200
    upper[[6, 7]] = [40, 45]
    lower[0] = 0
    found = general_contradiction(rows, np.zeros(6), lower, upper, column=1)
    assert found is not None
    assert {names[limit.position] for limit in found.members} in (
        {"north", "south", "tea", "rum"},
        {"all", "tea", "rum"},
    )
    assert_irreducible(rows, np.zeros(6), found)


def test_any_structure_has_its_message() -> None:
    rows = crossed(2, 2)
    names = ["n/tea", "n/rum", "s/tea", "s/rum", "north", "south", "tea", "rum", "all"]
    lower, upper = np.full(9, -INF), np.full(9, INF)
    lower[[4, 5]] = [60, 50]
    upper[[6, 7]] = [40, 45]
    found = general_contradiction(rows, np.zeros(6), lower, upper, column=1)
    assert found is not None
    with pytest.raises(InfeasibleError) as refusal:
        refuse([found], names, PERIODS)
    assert refusal.value.what == (
        "No plan meets all of these in 2026-02: 'north' at least 60.00, 'south' at least 50.00, "
        "'rum' at most 45.00, 'tea' at most 40.00; they miss each other by 25.00 (minor units)."
    )
    assert refusal.value.remedy == (
        "Lower floors or raise caps among them by 25.00 in all, or lift one of them."
    )


def test_the_right_side_counts() -> None:
    """Shared by two, 100 in all, of whom neither may have more than 40."""
    rows, right = sparse.csr_array(np.ones((1, 2))), np.array([100.0])
    found = general_contradiction(rows, right, np.full(2, -INF), np.full(2, 40.0))
    assert found is not None
    assert found.members == (Limit(0, "upper", 40.0), Limit(1, "upper", 40.0))
    assert found.excess == pytest.approx(20)
    assert general_contradiction(rows, right, np.full(2, -INF), np.full(2, 50.0)) is None


def test_a_variable_at_odds_with_itself() -> None:
    rows = sparse.csr_array(np.ones((1, 2)))
    found = general_contradiction(rows, np.zeros(1), np.array([-INF, 5.0]), np.array([INF, 3.0]))
    assert found == Contradiction(0, (Limit(1, "lower", 5.0), Limit(1, "upper", 3.0)), 2.0, None)


def test_rows_at_odds_with_each_other_are_not_blamed_on_bounds() -> None:
    rows = sparse.csr_array(np.ones((2, 2)))
    with pytest.raises(InfeasibleError, match="whatever the bounds"):
        general_contradiction(rows, np.array([1.0, 2.0]), np.zeros(2), np.full(2, 9.0))


def test_of_contradictions_that_do_not_touch_the_one_that_misses_by_most_is_named() -> None:
    rows = sparse.block_diag([np.array([[1.0, -1.0, -1.0]])] * 3, format="csr")
    floors, caps = np.tile([-INF, 40.0, 20.0], 3), np.tile([50.0, INF, INF], 3)
    floors[4] = 400.0
    found = general_contradiction(rows, np.zeros(3), floors, caps)
    assert found is not None
    assert [limit.position for limit in found.members] == [3, 4, 5]


@st.composite
def crossings(draw: st.DrawFn) -> tuple[sparse.csr_array, np.ndarray, np.ndarray]:
    """Draw bounds on cells, regions, products and all, near a plan."""
    regions, products = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    cells = rng.integers(0, 20, (regions, products)).astype(float)
    plan = np.concatenate([cells.ravel(), cells.sum(axis=1), cells.sum(axis=0), [cells.sum()]])
    width = draw(st.sampled_from([1, 4]))
    lower, upper = plan - rng.integers(-1, width, len(plan)), plan + rng.integers(0, width, len(plan))
    upper = np.where(rng.random(len(plan)) < 0.3, lower, upper)
    silent = rng.random(len(plan)) < draw(st.sampled_from([0.1, 0.5]))
    return crossed(regions, products), np.where(silent, -INF, lower), np.where(silent, INF, upper)


@given(crossings())
def test_crossed_structures_are_judged_like_the_solver_does(
    case: tuple[sparse.csr_array, np.ndarray, np.ndarray],
) -> None:
    rows, lower, upper = case
    right = np.zeros(rows.shape[0])
    found = general_contradiction(rows, right, lower, upper)
    assert (found is None) == possible(rows, right, lower, upper)
    if found is not None:
        assert found.excess > 0
        assert_irreducible(rows, right, found)
        assert meets(rows, right, list(found.members), found.excess + 1e-6)


@given(crossings())
@settings(max_examples=40)
def test_lifting_bounds_one_by_one_is_an_answer_too(
    case: tuple[sparse.csr_array, np.ndarray, np.ndarray],
) -> None:
    """What is done where no proof is a corner and no row is short: slower, and as right."""
    rows, lower, upper = case
    right = np.zeros(rows.shape[0])
    nothing = np.zeros(rows.shape[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(anywhere, "_price_of_one_row", lambda _: nothing)
        patch.setattr(anywhere, "_price_of_giving_alike", lambda part: np.zeros(len(part.place)))
        patch.setattr(anywhere, "_is_irreducible", lambda _: False)
        found = general_contradiction(rows, right, lower, upper)
    assert (found is None) == possible(rows, right, lower, upper)
    if found is not None:
        assert_irreducible(rows, right, found)


@pytest.mark.parametrize(("last", "irreducible"), [(INF, True), (9.0, False)])
def test_an_idle_bound_is_noticed(last: float, irreducible: bool) -> None:
    """Two parts below a cap, and a third number with a total of its own."""
    rows = sparse.csr_array(np.array([[1.0, -1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0, -1.0]]))
    lower = np.array([-INF, 40.0, 20.0, -INF, -INF])
    upper = np.array([50.0, INF, INF, last, last])
    problem = anywhere._scaled(rows, np.zeros(2), lower, upper)
    assert anywhere._is_irreducible(problem) == irreducible


def test_amounts_of_any_size_are_told_apart() -> None:
    rows = sparse.csr_array([[1.0, -1.0, -1.0]])
    for size in (1e-2, 1.0, 1e6, 1e12):
        held = np.array([50.0, 40.0, 20.0]) * size
        found = general_contradiction(rows, np.zeros(1), held, held)
        assert found is not None
        assert found.excess == pytest.approx(10.0 * size)
        held[0] = 60.0 * size
        assert general_contradiction(rows, np.zeros(1), held, held) is None


def test_a_right_side_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(TableError, match="right side"):
        general_contradiction(
            sparse.csr_array(np.ones((1, 2))), np.zeros(2), np.full(2, -INF), np.full(2, INF)
        )
