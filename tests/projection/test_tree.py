"""Trees without bounds: the textbook's answer and its variance, holds, silence, and the passes in both languages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.errors import InfeasibleError
from spms_lib.projection import Problem, solve, tree
from spms_lib.projection.on_tree import solve_with_holds

from dense import (  # isort: skip
    INF,
    Recipe,
    assert_optimal,
    column,
    cook,
    dot_gap,
    each,
    grown,
    problems,
    textbook,
    tree_of,
    trees,
)

on_trees = problems(trees(), bounded=0.0)
seeds = st.integers(0, 2**32 - 1)


@given(on_trees)
def test_it_is_the_textbook_answer_with_holds_and_silence_anywhere(case: tuple) -> None:
    company, problem = case
    found = solve(company, problem)
    for h in range(found.values.shape[1]):
        expected = textbook(company, problem, h)
        known, size = expected.known, np.abs(expected.values).max() + 1e-300
        assert found.values[known, h] / size == pytest.approx(expected.values[known] / size, rel=0, abs=1e-9)
    assert_optimal(company, problem, found, 1e-9)


def test_the_variance_of_a_number_that_follows_from_others_is_theirs() -> None:
    """Ben has said nothing, but he is what the team's 100 and Anna's 40 leave: 60, as uncertain as both."""
    found = solve(grown("team: anna ben"), Problem(column(100, 40, 0), column(1, 2, INF)))
    assert found.values[:, 0].tolist() == [100.0, 40.0, 60.0]
    assert found.variance[:, 0].tolist() == [1.0, 2.0, 3.0]


@given(on_trees)
def test_the_posterior_variance_is_the_textbooks(case: tuple) -> None:
    company, problem = case
    found = solve(company, problem)
    for h in range(found.values.shape[1]):
        expected = textbook(company, problem, h)
        typical = np.nanmax(
            np.where(np.isfinite(expected.variance), expected.variance, np.nan), initial=1e-300
        )
        mine = found.variance[:, h]
        assert (np.isinf(mine) == ~expected.known).all()
        assert mine[expected.known] / typical == pytest.approx(
            expected.variance[expected.known] / typical, rel=1e-7, abs=1e-10
        )


@given(problems(trees(), bounded=0.0, held=0.0))
def test_where_every_leaf_has_spoken_the_posterior_variance_is_the_textbooks(case: tuple) -> None:
    company, problem = case
    told = np.where(company.is_leaf[:, None] & np.isinf(problem.variance), 3.0, problem.variance)
    told = Problem(np.where(problem.estimates == 7.7e9, 1.0, problem.estimates), told)
    found = solve(company, told)
    for h in range(found.values.shape[1]):
        assert found.variance[:, h] == pytest.approx(textbook(company, told, h).variance, rel=1e-7)


@given(on_trees, seeds)
def test_the_map_and_its_adjoint_agree(case: tuple, seed: int) -> None:
    company, problem = case
    assert dot_gap(company, solve(company, problem), seed) < 1e-12


@given(problems(trees(), bounded=0.0, columns=3, shared=True))
def test_a_variance_for_all_columns_is_the_same_variance_in_each(case: tuple) -> None:
    company, problem = case
    wide = Problem(problem.estimates, problem.variance.repeat(3, axis=1), problem.lower, problem.upper)
    one, other = solve(company, problem), solve(company, wide)
    assert one.values == pytest.approx(other.values, rel=1e-14, abs=0)
    assert one.variance == pytest.approx(other.variance, rel=1e-14, abs=0)


@given(problems(trees(), bounded=0.0, columns=3))
def test_columns_do_not_touch_each_other(case: tuple) -> None:
    company, problem = case
    together = solve(company, problem).values
    for h in range(3):
        limits = (None, None) if problem.lower is None else (problem.lower[:, [h]], problem.upper[:, [h]])
        alone = Problem(problem.estimates[:, [h]], each(problem.variance, h)[:, None], *limits)
        assert (solve(company, alone).values[:, 0] == together[:, h]).all()


# -- holds and silence -----------------------------------------------------------------------------


def test_a_hold_stands_bit_for_bit_at_any_size() -> None:
    company = grown("all: north south, north: anna ben")
    for size in (0.1, 1 / 3, 1e15 / 7):
        held = column(np.nan, size, np.nan, np.nan, np.nan)
        lower, upper = np.where(np.isnan(held), -INF, held), np.where(np.isnan(held), INF, held)
        found = solve(company, Problem(column(5, 4, 3, 2, 1) * size, column(1, 2, 3, 4, 5), lower, upper))
        assert found.values[1, 0] == size
        assert found.variance[1, 0] == 0.0


def test_a_variance_of_zero_and_two_equal_bounds_are_the_same_hold() -> None:
    company = grown("all: north south")
    none = np.full((3, 1), INF)
    by_variance = solve(company, Problem(column(100, 40, 50), column(0, 1, 3)))
    by_bounds = solve(
        company, Problem(column(7, 40, 50), column(2, 1, 3), column(100, -INF, -INF), np.minimum(none, column(100, INF, INF)))
    )  # fmt: skip
    assert by_variance.values[:, 0].tolist() == by_bounds.values[:, 0].tolist() == [100.0, 42.5, 57.5]
    assert by_variance.states[:, 0].tolist() == by_bounds.states[:, 0].tolist() == [2, 0, 0]


def test_the_price_of_a_hold_is_the_slope_of_the_misfit() -> None:
    """North is held at 60 and says 50 +- 2; to meet it half-way the company goes from 90 to 95, south from 40 to 35."""
    found = solve(
        grown("all: north south"),
        Problem(column(90, 50, 40), column(1, 4, 1), column(-INF, 60, -INF), column(INF, 60, INF)),
    )
    assert found.values[:, 0].tolist() == [95.0, 60.0, 35.0]
    assert found.prices[0, 0] == pytest.approx(-5.0)
    assert found.pull[1, 0] == pytest.approx((60 - 50) / 4 + 5.0)


def test_an_estimate_nobody_made_has_no_weight() -> None:
    """What a silent seller "says" is ignored, so no number depends on it."""
    found = solve(grown("team: anna ben carl"), Problem(column(90, 0, 0, 30), column(1, INF, INF, 1)))
    on_estimates, _ = found.linear.adjoint(np.array([0.0, 1.0, 0.0, 0.0]), 0)
    assert on_estimates.tolist() == [0.5, 0.0, 0.0, -0.5]


def test_silent_siblings_share_what_is_left_equally() -> None:
    company = grown("all: a b c")
    found = solve(company, Problem(column(100, 40, 0, 0), column(1, 2, INF, INF)))
    assert found.values[:, 0].tolist() == [100.0, 40.0, 30.0, 30.0]
    assert found.variance[:, 0].tolist() == [1.0, 2.0, INF, INF]


def test_an_estimate_nobody_made_may_be_anything() -> None:
    company, variance = grown("all: a b"), column(1, 2, INF)
    said = [solve(company, Problem(column(100, 40, other), variance)).values for other in (0.0, 1e12, np.nan)]
    assert (said[0] == said[1]).all()
    assert (said[0] == said[2]).all()


def test_a_company_of_one() -> None:
    found = solve(tree_of([-1]), Problem(column(7), column(2)))
    assert (found.values[0, 0], found.variance[0, 0]) == (7.0, 2.0)
    assert found.certificate() == (0.0, 0.0, 0.0)


def test_holds_that_cannot_stand_together_are_refused_with_their_column() -> None:
    company = grown("all: a b")
    estimates = np.array([[10.0, 10.0], [4.0, 4.0], [6.0, 7.0]])
    with pytest.raises(InfeasibleError, match=r"'all' is held at 10.00, .* sum to 11.00 .*2026-02"):
        solve(company, Problem(estimates, np.zeros((3, 1)), columns=["2026-01", "2026-02"]))


def test_the_answer_can_be_written_where_the_caller_wants_it() -> None:
    company = grown("all: a b")
    problem, out = Problem(column(100, 40, 50), column(1, 1, 1)), np.empty((3, 1))
    found = solve_with_holds(company, problem, out=out)
    assert found.values is out
    assert (out == solve(company, problem).values).all()


def test_arguments_stay_as_they_were() -> None:
    company, problem = grown("all: a b, a: c d"), Problem(column(9, 8, 7, 6, 5), column(1, INF, 0, 2, 3))
    for part in (problem.estimates, problem.variance):
        part.setflags(write=False)
    found = solve(company, problem)
    assert np.isfinite(found.values).all()
    assert found.prices.shape == (2, 1)


# -- the same passes as loops, for the compiler -----------------------------------------------------


@given(st.integers(2, 300), seeds, st.sampled_from([1, 2, 5]), st.booleans())
def test_numpy_and_the_compiled_loops_agree(size: int, seed: int, columns: int, own: bool) -> None:
    """Both are the same sums; only the order of a product and a quotient differs, so the last bits may."""
    rng = np.random.default_rng(seed)
    company = tree_of([-1, *(int(rng.integers(max(0, i - 30), i)) for i in range(1, size))])
    recipe = Recipe(silent=0.3, held=0.1, columns=columns, shared=not own, spread=5.0)
    problem = cook(company, recipe, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tree, "MAY_COMPILE", False)
        by_numpy = solve(company, problem)
        patch.setattr(tree, "MAY_COMPILE", True)
        patch.setattr(tree, "WORTH_COMPILING", 0)
        by_loops = solve(company, problem)
        assert_optimal(company, problem, by_loops, 1e-9)
    said = np.where(np.isinf(problem.variance), 0.0, problem.estimates)
    size_of = np.abs(np.vstack([by_numpy.values, said])).max(axis=0)
    assert (np.abs(by_numpy.values - by_loops.values) <= 1e-13 * size_of).all()
    held = np.broadcast_to(problem.held, said.shape)
    assert np.array_equal(by_numpy.values[held], by_loops.values[held])


def test_a_tree_large_enough_to_be_compiled_proves_itself() -> None:
    """120,000 sellers: the halves of a level run in two threads, and shared and own variances take different loops."""
    rng = np.random.default_rng(2)
    regions, teams, sellers = 40, 2_000, 120_000
    above = [
        np.array([-1]),
        np.zeros(regions, dtype=int),
        1 + np.sort(rng.integers(0, regions, teams)),
        1 + regions + np.sort(rng.integers(0, teams, sellers)),
    ]
    company = tree_of(np.concatenate(above).tolist())
    estimates = rng.lognormal(4, 1, (len(company), 3))
    one = rng.uniform(1, 9, (len(company), 1))
    shared = solve(company, Problem(estimates, one))
    own = solve(company, Problem(estimates, one.repeat(3, axis=1)))
    assert_optimal(company, shared.problem, shared, 1e-9)
    assert shared.values == pytest.approx(own.values, rel=1e-12, abs=1e-9)
    w = rng.normal(size=len(company))
    on_estimates, _ = shared.linear.adjoint(w, 0)
    assert on_estimates @ estimates[:, 0] == pytest.approx(w @ shared.values[:, 0], rel=1e-9)
