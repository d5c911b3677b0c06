"""Laws that hold whatever method answers, and which method does."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.hierarchy import Crossed, Hierarchy
from spms_lib.projection import Certificate, Cut, Problem, Structure, WithCuts, curves, solve, tree
from spms_lib.projection.factors import WithFactors
from spms_lib.projection.general import General, solve_general
from spms_lib.projection.on_tree import OnTree, solve_with_holds
from spms_lib.projection.problem import FREE, HELD
from spms_lib.projection.separable import Separable

from dense import (  # isort: skip
    INF,
    Recipe,
    assert_optimal,
    column,
    cook,
    grown,
    misfit,
    problems,
    size_of,
    structures,
    summing,
    tree_of,
    trees,
)

seeds = st.integers(0, 2**32 - 1)
settled = {"silent": 0.0, "spread": 2.0, "shared": True}  # every value is determined


def close(problem: Problem, one: np.ndarray, other: np.ndarray, tolerance: float = 1e-9) -> bool:
    return bool((np.abs(one - other) <= tolerance * size_of(problem, other)).all())


# -- laws ------------------------------------------------------------------------------------------


@given(problems(structures(), bounded=0.0, held=0.0), seeds)
def test_coherent_estimates_stay_put(case: tuple, seed: int) -> None:
    structure, problem = case
    s = summing(structure)
    coherent = s @ np.random.default_rng(seed).normal(100, 40, (s.shape[1], problem.estimates.shape[1]))
    told = np.where(structure.is_leaf[:, None] & np.isinf(problem.variance), 1.0, problem.variance)
    asked = Problem(coherent, told)
    assert close(asked, solve(structure, asked).values, coherent)


@given(problems(structures(), **settled))
def test_solving_twice_changes_nothing(case: tuple) -> None:
    """Also with limits: the answer lies within them, and is its own nearest point."""
    structure, problem = case
    once = solve(structure, problem).values
    certain = np.where(problem.variance == 0, problem.estimates, once)
    assert close(problem, solve(structure, replace(problem, estimates=certain)).values, once, 1e-8)


@given(problems(structures(), **settled), seeds)
def test_errors_that_the_sums_cannot_see_are_forgotten(case: tuple, seed: int) -> None:
    """x(y + W C' a) = x(y) for any a.

    sktime/sktime, test_full_hierarchy.py `test_mint_kills_weighted_rowspace_perturbation`; with holds, only where
    W is 0 nothing moves.
    """
    structure, problem = case
    lower, upper = problem.limits()
    at = np.where(lower == upper, lower, np.nan)
    held = np.where(np.isnan(at), -INF, at)
    asked = replace(problem, lower=held, upper=np.where(np.isnan(at), INF, at))
    rng = np.random.default_rng(seed)
    push = structure.rows.T @ rng.normal(size=(structure.rows.shape[0], problem.estimates.shape[1]))
    typical = (
        np.sqrt(np.median(problem.variance[problem.variance > 0], axis=None))
        if (problem.variance > 0).any()
        else 1.0
    )
    moved = replace(asked, estimates=asked.estimates + problem.variance * push / typical)
    if problem.lower is None:
        asked, moved = replace(asked, lower=None, upper=None), replace(moved, lower=None, upper=None)
    assert close(moved, solve(structure, moved).values, solve(structure, asked).values, 1e-8)


@given(problems(structures(), **settled), st.sampled_from([1e-6, 0.01, 1000.0, 1e7]))
def test_the_unit_does_not_matter(case: tuple, unit: float) -> None:
    """Cents or euros: values scale with the unit, variances with its square."""
    structure, problem = case
    limits = (None, None) if problem.lower is None else (problem.lower * unit, problem.upper * unit)
    scaled = Problem(problem.estimates * unit, problem.variance * unit**2, *limits)
    one, other = solve(structure, problem), solve(structure, scaled)
    assert close(scaled, other.values, one.values * unit, 1e-8)
    finite = np.isfinite(one.variance) & (one.variance > 1e-9 * problem.variance.max())
    assert other.variance[finite] == pytest.approx((one.variance * unit**2)[finite], rel=1e-6)


@given(problems(trees(2), **settled), seeds)
def test_names_and_the_order_of_rows_do_not_matter(case: tuple, seed: int) -> None:
    company, problem = case
    rng = np.random.default_rng(seed)
    names = {node: f"x{number}" for number, node in enumerate(rng.permutation(company.nodes))}
    table = pd.DataFrame({"node": company.nodes, "parent": company.parents.to_numpy()}).map(names.get)
    other = Hierarchy.from_parent_child(table.sample(frac=1.0, random_state=seed % 2**31))
    order = company.nodes.map(names).get_indexer(other.nodes)  # where each node of the other tree was
    limits = (None, None) if problem.lower is None else (problem.lower[order], problem.upper[order])
    asked = Problem(problem.estimates[order], problem.variance[order], *limits)
    assert close(asked, solve(other, asked).values, solve(company, problem).values[order], 1e-8)


@given(problems(trees(2), **settled), seeds)
def test_an_only_child_that_says_nothing_changes_nothing(case: tuple, seed: int) -> None:
    """A team lead over one seller: the lead's row is chained between, and is the seller's number."""
    company, problem = case
    above = int(np.random.default_rng(seed).integers(1, len(company)))
    names, parents = list(company.nodes), company.parents.to_numpy().copy()
    lead, node = "lead", names[above]
    rows = [(lead, parents[above])] + [
        (name, lead if name == node else parent) for name, parent in zip(names, parents, strict=True)
    ]
    longer = Hierarchy.from_parent_child(pd.DataFrame(rows, columns=["node", "parent"]))
    order = company.nodes.get_indexer(longer.nodes)

    def laid_out(array: np.ndarray | None, new: float) -> np.ndarray | None:
        return None if array is None else np.where((order < 0)[:, None], new, array[order])

    asked = Problem(
        laid_out(problem.estimates, 0.0), laid_out(problem.variance, INF), laid_out(problem.lower, -INF), laid_out(problem.upper, INF)
    )  # fmt: skip
    found, plain = solve(longer, asked).values, solve(company, problem).values
    expected = np.where((order < 0)[:, None], plain[above], plain[order])
    assert close(asked, found, expected, 1e-8)


@given(problems(structures(), bounded=0.0, held=0.0, silent=0.0, columns=1, spread=2.0), seeds)
def test_an_estimate_that_becomes_certain_becomes_a_hold(case: tuple, seed: int) -> None:
    structure, problem = case
    one = int(np.random.default_rng(seed).integers(len(structure)))
    at = np.arange(len(structure))[:, None] == one
    typical = np.median(problem.variance)
    nearly = solve(structure, replace(problem, variance=np.where(at, 1e-10 * typical, problem.variance)))
    held = solve(structure, replace(problem, variance=np.where(at, 0.0, problem.variance)))
    assert close(problem, nearly.values, held.values, 1e-6)


@given(problems(trees(2), bounded=0.0, held=0.0, silent=0.0, columns=2, spread=2.0))
def test_leaves_alone_are_bottom_up(case: tuple) -> None:
    company, problem = case
    leaves_only = replace(problem, variance=np.where(company.is_leaf[:, None], problem.variance, INF))
    expected = company.roll_up_array(problem.estimates[company.is_leaf])
    assert close(problem, solve(company, leaves_only).values, expected, 1e-12)


@given(trees(2), seeds)
def test_a_certain_company_over_proportional_sellers_is_top_down(company: Hierarchy, seed: int) -> None:
    """Sellers who say 0 with a variance of p, and a company held at 1000, split it by p."""
    rng = np.random.default_rng(seed)
    part = rng.dirichlet(np.ones(len(company.leaves)))
    variance = np.full((len(company), 1), INF)
    variance[company.is_leaf, 0], variance[0] = part, 0.0
    estimates = np.zeros((len(company), 1))
    estimates[0] = 1000.0
    found = solve(company, Problem(estimates, variance)).values
    assert found == pytest.approx(company.roll_up_array(1000.0 * part[:, None]), rel=1e-9, abs=1e-9)


@given(problems(structures(), silent=0.0, spread=2.0, columns=1), seeds)
def test_nothing_within_the_limits_fits_better(case: tuple, seed: int) -> None:
    """Against other coherent points: any point between the answer and another plan within the limits is worse."""
    structure, problem = case
    found = solve(structure, problem)
    rng = np.random.default_rng(seed)
    said = np.where(np.isinf(problem.variance), 0.0, problem.estimates)
    mixed = np.where(problem.variance == 0, problem.estimates, rng.permuted(said, axis=0))
    other = solve(structure, replace(problem, estimates=mixed)).values
    best = misfit(problem, found.values)
    for step in (1e-4, 0.1, 1.0):
        assert (
            misfit(problem, found.values + step * (other - found.values)) >= best * (1 - 1e-9) - 1e-9
        ).all()


# -- which method --------------------------------------------------------------------------------------


def test_each_problem_is_given_to_the_method_that_is_exact_for_it() -> None:
    company = grown("all: a b")
    crossed = Crossed.of({"node": company, "product": company})
    ones, none = np.ones((3, 1)), np.full((9, 1), INF)
    assert isinstance(solve(company, Problem(ones, ones)).linear, OnTree)
    assert isinstance(solve(crossed, Problem(np.ones((9, 1)), np.ones((9, 1)))).linear, Separable)
    uneven = np.arange(1.0, 10.0)[:, None] ** 2
    assert isinstance(solve(crossed, Problem(np.ones((9, 1)), uneven)).linear, General)
    limited = Problem(np.ones((9, 1)), np.ones((9, 1)), np.zeros((9, 1)), none)
    assert isinstance(solve(crossed, limited).linear, General)
    both = WithCuts(company, [Cut("both", np.array([1, 2]), np.ones(2))])
    assert isinstance(solve(both, Problem(np.ones((4, 1)), column(1, 1, 1, INF))).linear, General)
    assert isinstance(solve(company, Problem(ones, ones, factors=ones)).linear, WithFactors)


@given(problems(trees(2, 60), columns=2))
def test_compiled_loops_from_the_first_number_on_prove_themselves(case: tuple) -> None:
    company, problem = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tree, "WORTH_COMPILING", 0)
        patch.setattr(curves, "WORTH_THREADS", 0)
        quick = solve(company, problem)
        assert_optimal(company, problem, quick)
    assert (quick.values == solve(company, problem).values).all() or close(
        problem, quick.values, solve(company, problem).values, 1e-13
    )


@given(problems(trees(2), bounded=0.0))
def test_without_a_compiler_the_answer_is_the_same(case: tuple) -> None:
    company, problem = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tree, "MAY_COMPILE", False)
        slow = solve(company, problem)
        assert_optimal(company, problem, slow)
    assert close(problem, slow.values, solve(company, problem).values, 1e-13)


# -- what an answer says of itself -------------------------------------------------------------------


def test_a_certificate_tells_a_wrong_answer_from_a_right_one() -> None:
    """Each part of the proof sees its own kind of error, in its own unit."""
    company = grown("all: a b")
    problem = Problem(column(100, 40, 50), column(4, 1, 1), column(0, 0, 0), column(INF, INF, 45))
    right = solve(company, problem)
    assert right.certificate().holds(1e-12)
    incoherent = replace(right, values=right.values + column(0, 1, 0))
    assert incoherent.certificate().coherence == pytest.approx(1 / 100)  # of the company's estimate
    outside = replace(right, values=right.values + column(1, 0, 1))
    assert outside.certificate().limits == pytest.approx(1 / 100)
    # a coherent plan within its limits that is half an error away from where it should be
    idle = replace(right, values=right.values + column(-0.5, -0.5, 0))
    assert idle.certificate().coherence == idle.certificate().limits == 0.0
    assert idle.certificate().stationarity == pytest.approx(0.5)
    # a limit that is said to bind although the plan would rather stay away from it
    low = Problem(problem.estimates, problem.variance, column(0, 0, 45), np.full((3, 1), INF))
    assert (
        replace(right, problem=low, states=np.array([[0], [0], [-1]], dtype=np.int8))
        .certificate()
        .stationarity
        > 1
    )
    assert not Certificate(0.0, 1e-7, 0.0).holds()
    assert Certificate(0.0, 1e-7, 0.0).holds(1e-6)


def test_limits_and_holds_are_told_from_the_problem() -> None:
    problem = Problem(column(5, 6, 7), column(1, 0, 1), column(-INF, -INF, 7), column(8, INF, 7))
    assert problem.held[:, 0].tolist() == [False, True, True]
    assert problem.bounded
    assert [limit[:, 0].tolist() for limit in problem.limits()] == [[-INF, 6, 7], [8, 6, 7]]
    assert problem.states(column(8, 6, 7))[:, 0].tolist() == [1, HELD, HELD]
    assert problem.states(column(8 - 1e-6, 6, 7))[0, 0] == FREE
    assert not Problem(column(5), column(0)).bounded


# -- plans of zeros and silence -----------------------------------------------------------------------


def zeros_by(method: str, structure: Structure, problem: Problem):
    return {"solve": solve, "general": solve_general, "passes": solve_with_holds}[method](structure, problem)


@pytest.mark.parametrize("method", ["solve", "passes", pytest.param("general")])
def test_a_month_in_which_everything_is_zero_is_a_plan(method: str) -> None:
    """A shop that is closed in January: both sellers are held at 0, whatever the target says."""
    company = grown("shop: anna ben")
    held = column(-INF, 0, 0)
    problem = Problem(column(50, 3, 4), column(1, 1, 1), held, np.where(held == 0, 0.0, INF))
    found = zeros_by(method, company, problem)
    assert np.abs(found.values).max() <= 1e-9
    assert found.certificate().holds()


def test_a_cut_whose_total_must_be_zero_is_a_plan() -> None:
    company = grown("shop: anna")
    cut = WithCuts(company, [Cut("account", np.array([1]), np.ones(1))])
    held = column(-INF, -INF, 0)
    problem = Problem(column(5, 3, 0), column(1, 1, INF), held, np.where(held == 0, 0.0, INF))
    assert np.abs(solve(cut, problem).values).max() <= 1e-9


@pytest.mark.parametrize("method", ["solve", "general"])
def test_a_plan_of_zeros_far_from_its_bounds_is_proved(method: str) -> None:
    wide = np.full((3, 1), 1e9)
    problem = Problem(column(0, 0, 0), column(1, 1, 1), -wide, wide)
    assert zeros_by(method, grown("shop: anna ben"), problem).certificate().holds()


@pytest.mark.parametrize("cap", [INF, 100.0])
def test_a_cap_that_binds_nowhere_leaves_silent_sellers_where_they_are(cap: float) -> None:
    """Carl and the shop have said nothing: he is planned at 0 and not at minus what the others sell."""
    company = grown("shop: anna ben carl")
    problem = Problem(
        column(0, 7, 2, 0), column(INF, 1, 1, INF), np.full((4, 1), -INF), column(INF, cap, INF, INF)
    )
    assert solve(company, problem).values[:, 0].tolist() == [9.0, 7.0, 2.0, 0.0]


def test_trees_and_other_structures_agree_on_what_nobody_has_said() -> None:
    company = grown("shop: anna ben carl")
    problem = Problem(column(0, 7, 2, 0), column(INF, 1, 1, INF))
    assert solve_general(company, problem).values == pytest.approx(solve(company, problem).values)


def test_forty_larger_companies_with_everything_at_once() -> None:
    rng = np.random.default_rng(11)
    for seed in range(40):
        size = int(rng.integers(2, 120))
        company = tree_of([-1, *(int(rng.integers(max(0, i - 9), i)) for i in range(1, size))])
        problem = cook(company, Recipe(0.3, 0.1, 0.4, 2, shared=False, spread=4.0), seed)
        assert_optimal(company, problem, solve(company, problem))
