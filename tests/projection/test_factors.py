"""Errors that cells have in common: the dense covariance, never formed; the sample's own; holds and bounds with them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.errors import InfeasibleError
from spms_lib.projection import Answer, Problem, Structure, solve

from dense import (  # isort: skip
    INF,
    column,
    dot_gap,
    each,
    grown,
    problems,
    size_of,
    structures,
    summing,
    textbook,
    trees,
)

seeds = st.integers(0, 2**32 - 1)


def with_factors(problem: Problem, seed: int) -> Problem:
    """Add one to three errors in common, about as large as the cells' own."""
    rng = np.random.default_rng(seed)
    heard = problem.variance[np.isfinite(problem.variance) & (problem.variance > 0)]
    typical = np.sqrt(np.median(heard)) if heard.size else 1.0
    return replace(problem, factors=rng.normal(0, typical, (len(problem.estimates), int(rng.integers(1, 4)))))


def dense_pull(problem: Problem, values: np.ndarray, h: int) -> np.ndarray:
    """W^-1 (x - y) with W formed; 0 where nobody is heard. Who is held tells nothing."""
    heard = np.isfinite(each(problem.variance, h)) & ~each(problem.held, h)
    w = np.diag(each(problem.variance, h)[heard]) + problem.factors[heard] @ problem.factors[heard].T
    pull = np.zeros(len(values))
    pull[heard] = np.linalg.solve(w, values[heard, h] - problem.estimates[heard, h])
    return pull


def wrongness(structure: Structure, problem: Problem, answer: Answer) -> float:
    """Measure stationarity against the dense covariance: S' pull must vanish but for cells on a limit."""
    worst, (lower, upper) = 0.0, problem.limits()
    for h in range(answer.values.shape[1]):
        x, size = answer.values[:, h], size_of(problem, answer.values)[h]
        pull = dense_pull(problem, answer.values, h) + structure.rows.T @ answer.prices[:, h]
        on_lower, on_upper = x <= lower[:, h] + 1e-12 * size, x >= upper[:, h] - 1e-12 * size
        wrong = np.where(on_lower, 0.0, np.maximum(pull, 0)) + np.where(on_upper, 0.0, np.maximum(-pull, 0))
        heard = np.isfinite(problem.variance) & (problem.variance > 0)
        typical = np.sqrt(np.median(problem.variance[heard])) if heard.any() else 1.0
        worst = max(worst, float((wrong * typical).max(initial=0.0)))
    return worst


modest = {"shared": True, "spread": 2.0}


@given(problems(structures(), bounded=0.0, held=0.0, **modest), seeds)
def test_it_is_the_textbook_with_the_covariance_written_out(case: tuple, seed: int) -> None:
    structure, problem = case[0], with_factors(case[1], seed)
    found = solve(structure, problem)
    for h in range(found.values.shape[1]):
        expected = textbook(structure, problem, h)
        gap = np.abs(found.values[:, h] - expected.values) / size_of(problem, found.values)[h]
        assert gap[expected.known].max(initial=0.0) <= 1e-8


@given(problems(structures(), bounded=0.0, silent=0.0, **modest), seeds)
def test_holds_with_errors_in_common_are_the_textbooks(case: tuple, seed: int) -> None:
    """All columns hold the same cells."""
    structure, problem = case[0], with_factors(case[1], seed)
    if problem.lower is not None:
        held = np.broadcast_to(problem.held[:, :1], problem.lower.shape)
        at = np.where(np.isfinite(problem.lower), problem.lower, problem.estimates)[:, :1]
        at = np.where(held, np.broadcast_to(at, held.shape), -INF)
        estimates = np.where(problem.variance == 0, problem.estimates[:, :1], problem.estimates)
        problem = replace(problem, estimates=estimates, lower=at, upper=np.where(np.isfinite(at), at, INF))
    found = solve(structure, problem)
    for h in range(found.values.shape[1]):
        expected = textbook(structure, problem, h)
        size = size_of(problem, found.values)[h]
        assert found.values[:, h] / size == pytest.approx(expected.values / size, rel=0, abs=1e-8)
    assert dot_gap(structure, found, seed) < 1e-8


@given(problems(trees(), bounded=0.0, held=0.0, silent=0.0, **modest), seeds)
def test_the_posterior_variance_is_the_textbooks(case: tuple, seed: int) -> None:
    company, problem = case[0], with_factors(case[1], seed)
    assert solve(company, problem).variance[:, 0] == pytest.approx(
        textbook(company, problem).variance, rel=1e-7
    )


@given(problems(structures(), bounded=0.5, held=0.0, silent=0.0, columns=1, **modest), seeds)
def test_bounds_with_errors_in_common_prove_themselves(case: tuple, seed: int) -> None:
    structure, problem = case[0], with_factors(case[1], seed)
    found = solve(structure, problem)
    size = size_of(problem, found.values)
    assert (np.abs(structure.rows @ found.values) <= 1e-9 * size).all()
    assert (found.values >= problem.lower - 1e-12 * size).all()
    assert (found.values <= problem.upper + 1e-12 * size).all()
    assert wrongness(structure, problem, found) <= 1e-6
    assert found.certificate().stationarity <= 1e-6


@given(problems(structures(), bounded=0.0, held=0.0, silent=0.0, **modest), seeds)
def test_factors_of_nothing_change_nothing(case: tuple, seed: int) -> None:
    structure, problem = case
    none = replace(problem, factors=np.zeros((len(structure), 2)))
    size = size_of(problem, problem.estimates)
    gap = np.abs(solve(structure, none).values - solve(structure, problem).values) / size
    assert gap.max() <= 1e-12


def test_a_common_error_moves_those_who_share_it_together() -> None:
    """North's two sellers were always wrong together. The company wants 30 more: Ben's record says as much of Anna.

    W = diag(1, 1, 1, 1, 1) + f f' with f = 3 at Anna and Ben: of 110 against 80 they take far more than Carl.
    """
    company = grown("all: anna ben carl")
    problem = Problem(column(110, 30, 30, 20), column(0, 1, 1, 1), factors=column(0, 3, 3, 0))
    found = solve(company, problem).values[:, 0]
    w = np.eye(3) + np.outer([3, 3, 0], [3, 3, 0])
    share = w @ np.ones(3) / (np.ones(3) @ w @ np.ones(3))
    assert found[1:] == pytest.approx(np.array([30, 30, 20]) + 30 * share)
    assert found[1] - 30 == pytest.approx(30 * 19 / 39)


def test_a_hold_in_january_says_nothing_about_february() -> None:
    """Columns are problems of their own: Anna's hold in one month must not silence her estimate in the next."""
    company = grown("all: anna ben")
    said = np.array([[100.0, 100.0], [40.0, 40.0], [50.0, 50.0]])
    variance, factors = column(1, 1, 1), column(1, 0.5, 0.2)
    lower = np.array([[-INF, -INF], [30.0, -INF], [-INF, -INF]])
    both = Problem(said, variance, lower, np.where(np.isfinite(lower), lower, INF), factors=factors)
    february = Problem(said[:, [1]], variance, factors=factors)
    assert solve(company, both).values[:, 1] == pytest.approx(solve(company, february).values[:, 0])


# -- the sample's own covariance ----------------------------------------------------------------------


def sampled(structure: Structure, seed: int, columns: int = 2, spare: int = 3) -> Problem:
    rng = np.random.default_rng(seed)
    periods = structure.rows.shape[0] + spare
    return Problem(
        rng.normal(50, 20, (len(structure), columns)),
        np.ones((len(structure), 1)),
        factors=rng.normal(0, 1, (len(structure), periods)) / np.sqrt(periods),
        sampled=True,
    )


@settings(max_examples=30)
@given(structures(), seeds)
def test_the_sample_covariance_is_the_dense_projection(structure: Structure, seed: int) -> None:
    """X = y - W C' (C W C')^-1 C y with W = F F', which is singular and need not be inverted."""
    problem = sampled(structure, seed)
    w, c = problem.factors @ problem.factors.T, structure.rows.toarray()
    turn = w @ c.T @ np.linalg.pinv(c @ w @ c.T)
    found = solve(structure, problem)
    expected = problem.estimates - turn @ (c @ problem.estimates)
    assert found.values == pytest.approx(expected, rel=1e-7, abs=1e-6)
    left = w - turn @ c @ w
    assert found.variance[:, 0] == pytest.approx(np.diag(left), rel=1e-6, abs=1e-9)
    assert dot_gap(structure, found, seed) < 1e-9
    assert found.certificate().coherence < 1e-9


def test_a_hold_with_a_sample_covariance_stands() -> None:
    company = grown("all: anna ben")
    problem = sampled(company, 3, columns=1, spare=4)
    lower = column(-INF, 30, -INF)
    found = solve(company, replace(problem, lower=lower, upper=np.where(lower > 0, lower, INF)))
    assert found.values[1, 0] == pytest.approx(30.0, rel=1e-12)
    assert np.abs(company.rows @ found.values).max() < 1e-9


def test_a_plan_by_fewer_periods_than_cells_is_proved() -> None:
    """Seven cells, three sums, four periods: the covariance has rank four, which is enough for the plan."""
    company = grown("all: a b, a: c d, b: e f")
    found = solve(company, sampled(company, 5, columns=1, spare=1))
    assert np.abs(company.rows @ found.values).max() < 1e-9
    assert found.certificate().holds()


def test_periods_that_repeat_each_other_cannot_tell_sums_apart() -> None:
    """Three centred periods know two directions, and three sums need three: the plan would not add up."""
    company = grown("all: a b, a: c d, b: e f")
    problem = sampled(company, 5, columns=1, spare=0)
    centred = problem.factors - problem.factors.mean(axis=1, keepdims=True)
    with pytest.raises(InfeasibleError, match="past periods cannot tell"):
        solve(company, replace(problem, factors=centred))


@pytest.mark.parametrize(
    "sample",
    [
        False,
        True,
    ],
)
def test_a_hold_is_a_decision_and_no_evidence(sample: bool) -> None:
    """What Anna said before she was held at 30 tells nothing of Ben's error, however much they have in common."""
    company = grown("all: anna ben")
    problem = replace(sampled(company, 3, columns=1, spare=4), sampled=sample)
    lower = column(-INF, 30, -INF)
    held = replace(problem, lower=lower, upper=np.where(lower > 0, lower, INF))
    other = replace(held, estimates=held.estimates + column(0, 500, 0))
    assert solve(company, other).values == pytest.approx(solve(company, held).values)


def test_what_a_sample_covariance_cannot_do_is_refused() -> None:
    company = grown("all: anna ben carl, anna: x y")
    problem = sampled(company, 1, spare=0)
    short = replace(problem, factors=problem.factors[:, :1])
    with pytest.raises(InfeasibleError, match="1 past periods cannot tell 2 sums apart, only 1"):
        solve(company, short)
    floor = np.full(problem.estimates.shape, 0.0)
    with pytest.raises(InfeasibleError, match="takes no bounds"):
        solve(company, replace(problem, lower=floor, upper=floor + INF))
    assert summing(company).shape == (6, 4)
