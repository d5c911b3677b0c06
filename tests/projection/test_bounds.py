"""Floors and caps at any node of a tree: the proof, and the laws of limits."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.errors import InfeasibleError
from spms_lib.projection import Problem, solve
from spms_lib.projection.on_tree import solve_with_bounds, solve_with_holds
from spms_lib.projection.problem import AT_LOWER, AT_UPPER, FREE, HELD

from dense import (  # isort: skip
    INF,
    assert_optimal,
    column,
    dot_gap,
    grown,
    misfit,
    problems,
    size_of,
    textbook,
    tree_of,
    trees,
)

seeds = st.integers(0, 2**32 - 1)
bounded_trees = problems(trees()).filter(lambda case: case[1].lower is not None)


@given(bounded_trees)
def test_the_answer_proves_itself(case: tuple) -> None:
    company, problem = case
    assert_optimal(company, problem, solve(company, problem))


@given(bounded_trees)
def test_the_curves_prove_themselves_also_where_every_limit_is_a_hold(case: tuple) -> None:
    company, problem = case
    assert_optimal(company, problem, solve_with_bounds(company, problem))


@given(problems(trees(), bounded=0.0, held=0.2))
def test_curves_and_passes_agree_where_both_apply(case: tuple) -> None:
    company, problem = case
    curves, passes = solve_with_bounds(company, problem), solve_with_holds(company, problem)
    gap = np.abs(curves.values - passes.values) / size_of(problem, passes.values)
    for h in range(gap.shape[1]):
        assert gap[textbook(company, problem, h).known, h].max(initial=0.0) <= 1e-9
    assert misfit(problem, curves.values) == pytest.approx(misfit(problem, passes.values), rel=1e-9, abs=1e-9)


@given(problems(trees(), bounded=0.0, held=0.0, silent=0.0), seeds)
def test_bounds_that_bind_nowhere_change_nothing(case: tuple, seed: int) -> None:
    company, problem = case
    plain = solve(company, problem)
    size = np.abs(plain.values).max() + 1e-300
    room = np.random.default_rng(seed).uniform(1e-6, 1.0, (2, *plain.values.shape)) * size
    limited = solve(company, replace(problem, lower=plain.values - room[0], upper=plain.values + room[1]))
    assert limited.values / size == pytest.approx(plain.values / size, rel=0, abs=1e-10)
    assert (limited.states == FREE).all()
    assert limited.variance == pytest.approx(plain.variance)


@given(bounded_trees, seeds)
def test_tightening_a_bound_never_lowers_the_misfit(case: tuple, seed: int) -> None:
    """Half of the floors and caps move towards another plan that they allow."""
    company, problem = case
    loose, (lower, upper) = solve(company, problem), problem.limits()
    rng = np.random.default_rng(seed)
    # another coherent point within the limits: if the new limits allow it too, they can be met
    said = np.where(np.isinf(problem.variance), 0.0, problem.estimates)
    mixed = np.where(problem.variance == 0, problem.estimates, rng.permuted(said, axis=0))
    other = solve(company, replace(problem, estimates=mixed)).values
    to_lower, to_upper = rng.random((2, *other.shape)) < 0.5
    room = np.abs(other) * 0.1
    lower = np.where(to_lower, np.minimum(np.maximum(lower, other - room), upper), lower)
    upper = np.where(to_upper, np.maximum(np.minimum(upper, other + room), lower), upper)
    tight = solve(company, replace(problem, lower=lower, upper=upper))
    before, after = misfit(problem, loose.values), misfit(problem, tight.values)
    assert (after >= before * (1 - 1e-9) - 1e-9).all()


@given(bounded_trees, seeds)
def test_the_map_and_its_adjoint_agree(case: tuple, seed: int) -> None:
    company, problem = case
    assert dot_gap(company, solve(company, problem), seed) < 1e-12


@given(problems(trees(), bounded=0.8, silent=0.0, scale=1.0))
def test_values_are_the_linear_map_of_estimates_and_of_limits_that_bind(case: tuple) -> None:
    company, problem = case
    found = solve(company, problem)
    again = found.linear.respond(problem.estimates, found.limits())
    assert again == pytest.approx(found.values, rel=1e-9, abs=1e-9)


@given(problems(trees(), bounded=0.8, scale=1.0))
def test_a_bound_does_not_make_a_number_more_certain_and_a_hold_does(case: tuple) -> None:
    company, problem = case
    lifted = np.where(problem.lower == problem.upper, problem.lower, -INF)
    without = replace(problem, lower=lifted, upper=np.where(np.isfinite(lifted), lifted, INF))
    found = solve(company, problem)
    assert (found.variance == solve(company, without).variance).all()
    assert (found.variance[np.broadcast_to(problem.held, found.variance.shape)] == 0.0).all()


@given(problems(trees(2), bounded=0.8, silent=0.0, held=0.0, columns=1, scale=1.0, spread=2.0), seeds)
def test_the_cost_of_a_limit_is_the_slope_of_the_misfit(case: tuple, seed: int) -> None:
    """Half the misfit is convex in a limit, so its cost lies between the slopes to both sides."""
    company, problem = case
    found = solve(company, problem)
    for state, name in ((AT_LOWER, "lower"), (AT_UPPER, "upper")):
        places = np.flatnonzero(found.states[:, 0] == state)
        for place in places[:2]:
            slopes = []
            for step in (-1e-4, 1e-4):
                moved = getattr(problem, name).copy()
                moved[place] += step
                asked = replace(problem, **{name: moved})
                try:
                    half = misfit(problem, solve(company, asked).values)[0] / 2
                except InfeasibleError:
                    half = INF
                slopes.append((half - misfit(problem, found.values)[0] / 2) / step)
            cost = found.pull[place, 0]
            # more than one set of prices may do where limits meet; a cost is one of the slopes in any case
            noise = 1e-3 * (1 + abs(cost)) + 1e-3 / problem.variance.min()
            assert slopes[0] - noise <= cost <= slopes[1] + noise


# -- worked examples -------------------------------------------------------------------------------


def test_what_stands_on_a_limit_says_so_and_what_it_costs() -> None:
    """South is capped at 30; north at 70 is free; both pull at a company of 130 with an error of 1 each."""
    found = solve(
        grown("all: north south"),
        Problem(column(130, 70, 40), column(1, 1, 1), column(0, 0, 0), column(INF, INF, 30)),
    )
    assert found.values[:, 0].tolist() == [115.0, 85.0, 30.0]
    assert found.states[:, 0].tolist() == [FREE, FREE, AT_UPPER]
    assert found.pull[:, 0].tolist() == pytest.approx([0.0, 0.0, -25.0])


def test_a_hold_among_bounds_is_told_from_them() -> None:
    found = solve(
        grown("all: north south"),
        Problem(column(130, 70, 40), column(1, 1, 1), column(-INF, 60, 45), column(INF, 60, INF)),
    )
    assert found.states[:, 0].tolist() == [FREE, HELD, FREE]
    assert found.values[:, 0].tolist() == [115.0, 60.0, 55.0]


@pytest.mark.parametrize("leaves", [3, 30])
def test_the_bounds_example_of_foreco(leaves: int) -> None:
    """Every leaf says less than its floor of 10: two teams of two, then (40, 20, 20, 10, 10, 10, 10).

    danigiro/FoReco, tests/testthat/test-cs.R, "Bounds"; the row does not depend on what the leaves say below 10.
    """
    company = grown("total: a b, a: c d, b: e f")
    said = np.random.default_rng(leaves).uniform(0, 9, (7, 1))
    said[0] = said[3:].sum()
    floors = column(-INF, -INF, -INF, 10, 10, 10, 10)
    for variance in (np.ones((7, 1)), column(4, 2, 2, 1, 1, 1, 1)):
        found = solve(company, Problem(said, variance, floors, np.full((7, 1), INF)))
        assert found.values[:, 0].tolist() == [40.0, 20.0, 20.0, 10.0, 10.0, 10.0, 10.0]


def test_bounds_that_cannot_be_met_are_refused_by_name() -> None:
    company = grown("all: north south")
    problem = Problem(
        column(130, 70, 40), column(1, 1, 1), column(0, 60, 50), column(100, INF, INF), columns=["2026-01"]
    )
    with pytest.raises(InfeasibleError, match=r"'all' may be at most 100.00 in 2026-01, .* at least 110.00"):
        solve(company, problem)


def test_a_chain_of_only_children_with_a_floor_and_a_silent_leaf() -> None:
    chain = tree_of([-1, 0, 1])
    problem = Problem(column(10, 20, 0), column(1, 1, INF), column(-INF, -INF, 18), column(INF, 19, INF))
    found = solve(chain, problem)
    assert found.values[:, 0].tolist() == [18.0, 18.0, 18.0]
    assert_optimal(chain, problem, found)
