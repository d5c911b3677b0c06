"""Crossed dimensions: what adds up to what, cells that do not exist, and one tree at a time against the joint answer."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.errors import HierarchyError
from spms_lib.hierarchy import Crossed, Hierarchy
from spms_lib.projection import Problem, solve
from spms_lib.projection.general import General, solve_general
from spms_lib.projection.separable import Separable, prices_of, split_variance

from dense import (  # isort: skip
    INF,
    assert_optimal,
    column,
    crossings,
    dot_gap,
    grown,
    problems,
    size_of,
    summing,
    textbook,
)

seeds = st.integers(0, 2**32 - 1)


def structural(crossed: Crossed) -> np.ndarray:
    """Count the leaf cells below each cell."""
    return crossed.roll_up_array(np.ones((int(crossed.is_leaf.sum()), 1)))


def close(problem: Problem, one: np.ndarray, other: np.ndarray, tolerance: float = 1e-9) -> bool:
    return bool((np.abs(one - other) <= tolerance * size_of(problem, other)).all())


# -- what adds up to what --------------------------------------------------------------------------


def test_the_grouped_example_of_darts() -> None:
    """Two by two: the literal S of unit8co/darts, test_reconciliation.py `test_summation_matrix`, in our order of cells.

    There: total, a, b, x, y, ax, ay, bx, by.
    """
    grid = Crossed.of({"letter": grown("total: a b"), "sign": grown("total: x y")})
    expected = {
        ("total", "total"): [1, 1, 1, 1],
        ("a", "total"): [1, 1, 0, 0],
        ("b", "total"): [0, 0, 1, 1],
        ("total", "x"): [1, 0, 1, 0],
        ("total", "y"): [0, 1, 0, 1],
        ("a", "x"): [1, 0, 0, 0],
        ("a", "y"): [0, 1, 0, 0],
        ("b", "x"): [0, 0, 1, 0],
        ("b", "y"): [0, 0, 0, 1],
    }
    assert dict(zip(grid.keys, summing(grid).tolist(), strict=True)) == expected


def test_the_seven_node_example_of_foreco() -> None:
    """A total of two teams of two: strc_mat and cons_mat of danigiro/FoReco, test-cs.R "Cross-sectional tools"."""
    company = grown("total: a b, a: aa ab, b: ba bb")
    strc_mat = [[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 1, 1], *np.eye(4).tolist()]
    assert summing(company).tolist() == strc_mat
    cons_mat = np.hstack([np.eye(3), -np.array(strc_mat)[:3]])
    rows = company.rows.toarray()
    assert rows.tolist() == [[1, -1, -1, 0, 0, 0, 0], [0, 1, 0, -1, -1, 0, 0], [0, 0, 1, 0, 0, -1, -1]]
    # immediate children and all leaves below are the same equations
    assert np.linalg.matrix_rank(np.vstack([rows, cons_mat])) == 3


@settings(max_examples=20)
@given(crossings())
def test_the_rows_are_the_sums_and_there_are_enough_of_them(crossed: Crossed) -> None:
    s, rows = summing(crossed), crossed.rows.toarray()
    assert (rows @ s == 0).all()
    assert np.linalg.matrix_rank(rows) == len(crossed) - s.shape[1] == rows.shape[0]
    # a cell is the sum of the leaf cells that lie below it in every dimension
    for cell in range(len(crossed)):
        below = [
            [node in tree.subtree(key).nodes for node in crossed.keys.get_level_values(axis)[crossed.is_leaf]]
            for axis, (tree, key) in enumerate(
                zip(crossed.dimensions.values(), crossed.keys[cell], strict=True)
            )
        ] if len(crossed) < 30 else None  # fmt: skip
        assert below is None or s[cell].tolist() == np.all(below, axis=0).astype(float).tolist()


@given(crossings(), seeds)
def test_a_roll_up_is_a_group_by_of_every_pair_of_ancestors(crossed: Crossed, seed: int) -> None:
    """Whole numbers stay whole, and each cell is found again by its keys."""
    leaves = np.random.default_rng(seed).integers(-(10**6), 10**6, (int(crossed.is_leaf.sum()), 2))
    total = crossed.roll_up_array(leaves)
    assert total.dtype == np.int64
    assert (total == np.rint(summing(crossed)) @ leaves).all()
    for cell in range(0, len(crossed), 7):
        assert crossed.position(*crossed.keys[cell]) == cell
        assert crossed.label(cell) == " x ".join(crossed.keys[cell])


def test_only_cells_above_a_leaf_that_exists_exist() -> None:
    """Anna sells boats, Ben cars; Carl nothing, so nobody answers for him."""
    sellers, products = grown("team: anna ben carl"), grown("all: boats cars, boats: sail motor")
    there = pd.DataFrame({"node": ["anna", "ben"], "product": ["sail", "cars"]})
    crossed = Crossed.of({"node": sellers, "product": products}, leaves=there)
    assert not crossed.is_full
    assert sorted(" ".join(key) for key in crossed.keys) == [
        "anna all", "anna boats", "anna sail", "ben all", "ben cars",
        "team all", "team boats", "team cars", "team sail",
    ]  # fmt: skip
    with pytest.raises(HierarchyError, match="There is no cell 'carl x sail'"):
        crossed.position("carl", "sail")
    with pytest.raises(HierarchyError, match="1 cells are not leaves, such as 'boats'"):
        Crossed.of({"node": sellers, "product": products}, leaves=there.replace("sail", "boats"))


# -- one tree at a time ------------------------------------------------------------------------------


@given(crossings(full=True), seeds, st.sampled_from(["ols", "wls_struct", "product"]))
def test_one_dimension_after_the_other_is_the_joint_answer(crossed: Crossed, seed: int, weights: str) -> None:
    """Girolimetto and Di Fonzo (2024): for separable covariances sequential and optimal reconciliation are the same."""
    rng = np.random.default_rng(seed)
    variance = {
        "ols": np.ones((len(crossed), 1)),
        "wls_struct": structural(crossed),
        "product": np.ones((len(crossed), 1)),
    }[weights]
    if weights == "product":
        for place, tree in zip(crossed.places, crossed.dimensions.values(), strict=True):
            variance = variance * rng.uniform(0.1, 10.0, len(tree))[place][:, None]
    problem = Problem(rng.normal(50, 30, (len(crossed), 2)), variance)
    found = solve(crossed, problem)
    assert isinstance(found.linear, Separable)
    general = solve_general(crossed, problem)
    assert isinstance(general.linear, General)
    expected = textbook(crossed, problem, 1)
    assert close(problem, found.values, general.values)
    assert found.values[:, 1] == pytest.approx(expected.values, rel=1e-9, abs=1e-8)
    assert found.variance[:, 1] == pytest.approx(expected.variance, rel=1e-9)
    assert general.variance[:, 1] == pytest.approx(expected.variance, rel=1e-7)
    assert_optimal(crossed, problem, found)
    assert dot_gap(crossed, found, seed) < 1e-12


@given(crossings(full=True), seeds)
def test_a_product_of_variances_is_found_and_nothing_else_is(crossed: Crossed, seed: int) -> None:
    rng = np.random.default_rng(seed)
    variance = np.full((len(crossed), 1), 7.0)
    for place, tree in zip(crossed.places, crossed.dimensions.values(), strict=True):
        variance = variance * 10.0 ** rng.uniform(-3, 3, len(tree))[place][:, None]
    parts = split_variance(crossed, variance)
    assert parts is not None
    again = np.ones((1,))
    for part in parts:
        again = np.multiply.outer(again, part[:, 0]).ravel()
    assert again == pytest.approx(variance[:, 0], rel=1e-12)
    off = variance.copy()
    off[-1] *= 1 + 1e-9
    alone = sum(len(tree) > 1 for tree in crossed.dimensions.values()) < 2
    assert (split_variance(crossed, off) is not None) == alone
    assert split_variance(crossed, np.where(np.arange(len(off))[:, None] == 0, INF, variance)) is None
    assert split_variance(crossed, variance.repeat(2, axis=1)) is None


# -- any variances, cells that do not exist ----------------------------------------------------------


@given(problems(crossings(), bounded=0.0, spread=2.0))
def test_it_is_the_textbook_with_holds_silence_and_missing_cells(case: tuple) -> None:
    crossed, problem = case
    found = solve(crossed, problem)
    for h in range(found.values.shape[1]):
        expected = textbook(crossed, problem, h)
        gap = np.abs(found.values[:, h] - expected.values) / size_of(problem, found.values)[h]
        assert gap[expected.known].max(initial=0.0) <= 1e-9
    assert_optimal(crossed, problem, found, 1e-6)


@given(problems(crossings(), shared=True))
def test_limits_anywhere_prove_themselves(case: tuple) -> None:
    crossed, problem = case
    assert_optimal(crossed, problem, solve(crossed, problem), 1e-6)


@given(problems(crossings(), bounded=0.0, held=0.0, silent=0.0, columns=1, spread=2.0), seeds)
def test_bounds_that_bind_nowhere_change_nothing(case: tuple, seed: int) -> None:
    crossed, problem = case
    plain = solve(crossed, problem)
    room = size_of(problem, plain.values) * np.random.default_rng(seed).uniform(1e-6, 1, (2, len(crossed), 1))
    limited = solve(crossed, replace(problem, lower=plain.values - room[0], upper=plain.values + room[1]))
    assert close(problem, limited.values, plain.values, 1e-9)
    assert not limited.states.any()


def test_a_crossing_of_one_dimension_is_its_tree() -> None:
    company = grown("all: north south, north: anna ben")
    problem = Problem(
        column(100, 40, 50, 15, 30), column(4, 2, 3, 1, 2), column(0, 0, 55, 0, 0), np.full((5, 1), INF)
    )
    one = solve(Crossed.of({"node": company}), problem)
    assert one.values == pytest.approx(solve(company, problem).values, rel=1e-9)


def test_sellers_by_product_with_a_cell_that_does_not_exist() -> None:
    """Ben sells no boats: what the team lacks of boats is Anna's alone, of cars it is shared one to one."""
    sellers, products = grown("team: anna ben"), grown("all: boats cars")
    there = pd.DataFrame({"node": ["anna", "anna", "ben"], "product": ["boats", "cars", "cars"]})
    crossed = Crossed.of({"node": sellers, "product": products}, leaves=there)
    said = {("anna", "boats"): 10, ("anna", "cars"): 20, ("ben", "cars"): 30}
    targets = {("team", "boats"): 14, ("team", "cars"): 60}
    estimates, variance = np.zeros((len(crossed), 1)), np.full((len(crossed), 1), INF)
    for keys, value in said.items():
        estimates[crossed.position(*keys)], variance[crossed.position(*keys)] = value, 1.0
    for keys, value in targets.items():
        estimates[crossed.position(*keys)], variance[crossed.position(*keys)] = value, 0.0
    found = solve(crossed, Problem(estimates, variance))
    values = {
        " ".join(key): round(float(value), 9)
        for key, value in zip(crossed.keys, found.values[:, 0], strict=True)
    }
    assert values == {
        "team all": 74.0, "team boats": 14.0, "team cars": 60.0, "anna all": 39.0, "anna boats": 14.0,
        "anna cars": 25.0, "ben all": 35.0, "ben cars": 35.0,
    }  # fmt: skip


def test_prices_balance_what_pulls_at_each_cell() -> None:
    crossed = Crossed.of({"node": grown("team: anna ben"), "product": grown("all: boats cars")})
    pull = np.random.default_rng(1).normal(size=(9, 2))
    balanced = pull - summing(crossed) @ np.linalg.lstsq(summing(crossed), pull, rcond=None)[0]
    assert pull + crossed.rows.T @ prices_of(crossed, pull) == pytest.approx(pull - balanced, abs=1e-12)


def test_months_quarters_and_years_are_a_dimension() -> None:
    """The cross-temporal bounds of danigiro/FoReco, test-ct.R: quarters of 3 at least, in a year of 12.

    Columns there: year, half-years, quarters of four-quarter data: (12, 6, 6, 3, 3, 3, 3).
    """
    time = grown("year: h1 h2, h1: q1 q2, h2: q3 q4")
    assert isinstance(time, Hierarchy)
    problem = Problem(
        column(9, 4, 5, 1, 2, 2, 3),
        column(1, 1, 1, 1, 1, 1, 1),
        column(*[-INF] * 3, 3, 3, 3, 3),
        np.full((7, 1), INF),
    )
    grid = Crossed.of({"node": grown("total: a b"), "period": time})
    assert solve(time, problem).values[:, 0].tolist() == [12.0, 6.0, 6.0, 3.0, 3.0, 3.0, 3.0]
    lower = np.where(grid.is_leaf[:, None], 3.0, -INF)
    said = grid.roll_up_array(np.full((8, 1), 2.0))
    found = solve(grid, Problem(said, structural(grid), lower, np.full((21, 1), INF)))
    for node in ("a", "b"):
        row = [found.values[grid.position(node, period), 0] for period in time.nodes]
        assert row == pytest.approx([12.0, 6.0, 6.0, 3.0, 3.0, 3.0, 3.0], abs=0)
