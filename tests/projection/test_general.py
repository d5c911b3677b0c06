"""Any structure: the general method against the curves, dense algebra and an interior point solver; cuts."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from spms_lib.errors import InfeasibleError
from spms_lib.hierarchy import Crossed
from spms_lib.projection import Cut, Problem, Structure, WithCuts, solve
from spms_lib.projection.general import solve_general
from spms_lib.projection.problem import AT_LOWER, AT_UPPER, FREE, HELD

from dense import (  # isort: skip
    INF,
    assert_optimal,
    column,
    cook,
    dot_gap,
    grown,
    misfit,
    problems,
    proof,
    recipes,
    structures,
    summing,
    textbook,
    tree_of,
    trees,
)

seeds = st.integers(0, 2**32 - 1)
modest = {"spread": 2.0}  # variances within a factor of a hundred


@given(problems(trees(), bounded=0.0))
def test_on_a_tree_without_bounds_it_is_the_textbook(case: tuple) -> None:
    company, problem = case
    found = solve_general(company, problem)
    for h in range(found.values.shape[1]):
        expected = textbook(company, problem, h)
        size = np.abs(expected.values).max() + 1e-300
        gap = np.abs(found.values[:, h] - expected.values)[expected.known]
        assert gap.max(initial=0.0) <= 1e-9 * size
    assert_optimal(company, problem, found, 1e-5)  # prices of cells that nobody speaks of are the least exact


@given(problems(trees(), bounded=0.0, **modest))
def test_its_posterior_variance_is_the_textbooks(case: tuple) -> None:
    company, problem = case
    found = solve_general(company, problem).variance
    for h in range(found.shape[1]):
        expected = textbook(company, problem, h)
        assert (np.isinf(found[:, h]) == ~expected.known).all()
        typical = problem.variance[np.isfinite(problem.variance)].max(initial=0.0) or 1.0
        assert found[expected.known, h] / typical == pytest.approx(
            expected.variance[expected.known] / typical, rel=1e-6, abs=1e-9
        )


@given(problems(trees(), shared=True).filter(lambda case: case[1].lower is not None))
def test_curves_and_the_general_method_fit_equally_well(case: tuple) -> None:
    company, problem = case
    curves, general = solve(company, problem), solve_general(company, problem)
    one, other = misfit(problem, curves.values), misfit(problem, general.values)
    assert other == pytest.approx(one, rel=1e-9, abs=1e-9)
    found = proof(company, problem, general)
    assert found.coherence <= 1e-9
    assert found.limits == 0.0
    assert found.stationarity <= 1e-6  # where more limits meet than are needed the prices are only near


@given(problems(structures(), bounded=0.8, shared=True))
def test_any_structure_proves_itself(case: tuple) -> None:
    structure, problem = case
    found = solve(structure, problem)
    assert_optimal(structure, problem, found, 1e-6)


@given(problems(structures()), seeds)
def test_the_map_and_its_adjoint_agree(case: tuple, seed: int) -> None:
    structure, problem = case
    # cells of which nothing is known forget their first guess step by step, and are the least exact
    # (variances 1e5 apart, first guesses 1e4 wider, and 2e-16 of a float: 2e-7)
    assert dot_gap(structure, solve_general(structure, problem), seed) < 1e-6


def test_an_estimate_far_beyond_its_cap_does_not_make_sums_disagree() -> None:
    """Somebody typed 7.7 billion where 3 was meant: the caps hold, and every number still is its only child's."""
    chain = tree_of([-1, 0, 1, 2])
    problem = Problem(
        column(3, 3, 7.7e9, 3), column(1, 1, 1, 1), column(-INF, 3, -1, -1), column(3.5, 3.5, 3.5, 3)
    )
    assert solve(chain, problem).values[:, 0].tolist() == [3.0] * 4
    assert solve_general(chain, problem).values[:, 0] == pytest.approx([3.0] * 4)


# -- examples that once went wrong: a wrong scale, a step round in circles, a corner --------------------


def test_a_plan_of_zeros_is_not_measured_in_its_own_float_noise() -> None:
    """Both limits are 0; what is said adds up to nothing, and nothing is as large as its noise."""
    chain = tree_of([-1, 0, 1])
    caps = Problem(column(1000, -1000.3, 0), column(1, 3, INF), column(0, -INF, -INF), column(INF, 0, 0))
    assert solve_general(chain, caps).values == pytest.approx(0.0, abs=1e-9)
    noise = Problem(
        column(1e-20, -1e-20, 3e-20), column(1e16, 1e16, 3e16), column(-INF, 0, -INF), column(0, INF, INF)
    )
    assert solve_general(chain, noise).values == pytest.approx(0.0, abs=1e-9)


def test_a_cut_costs_nothing_where_all_that_speak_are_held() -> None:
    """Amounts are millions of cents: wide is wide in their unit, also in a column in which only held cells speak."""
    alone = WithCuts(
        tree_of([-1]), [Cut("half", np.array([0]), np.array([0.5])), Cut("less", np.array([0]), -np.ones(1))]
    )
    at = column(5e6, -INF, -INF)
    problem = Problem(
        column(4443330.0, -1943118.0, -5e6), column(7.4e11, INF, INF), at, np.where(at > 0, at, INF)
    )
    found = solve(alone, problem)
    assert found.values[:, 0].tolist() == [5e6, 2.5e6, -5e6]
    assert max(proof(alone, problem, found)) <= 1e-9
    two = Problem(
        np.hstack([problem.estimates, problem.estimates]),
        np.hstack([problem.variance, np.full((3, 1), INF)]),
        np.hstack([at, column(-INF, 2e6, -INF)]),
        np.hstack([np.where(at > 0, at, INF), column(INF, 2e6, INF)]),
    )
    found = solve(alone, two)
    assert found.values[:, 1] == pytest.approx([4e6, 2e6, -4e6])
    assert max(proof(alone, two, found)) <= 1e-9


def test_what_an_estimate_says_is_known_however_wide_silent_cells_are() -> None:
    """The bottom of a chain is held, so all of it is certain; the wide first guess between drifts by its own noise."""
    held = column(-INF, -INF, -70)
    problem = Problem(column(-53.27, 0, 0), column(37, INF, INF), held, np.where(held == -70, held, INF))
    assert solve_general(tree_of([-1, 0, 1]), problem).variance == pytest.approx(0.0, abs=1e-12)


def test_the_adjoint_knows_that_a_silent_sum_starts_from_its_parts() -> None:
    """Carl and the shop say nothing: one more from Anna is one more for the shop, and nothing for Carl."""
    shop = grown("shop: anna ben carl")
    found = solve_general(shop, Problem(column(0, 7, 2, 0), column(INF, 1, 1, INF)))
    assert found.linear.adjoint(np.array([1.0, 0.0, 0.0, 0.0]), 0)[0] == pytest.approx([0.0, 1.0, 1.0, 0.0])
    assert found.linear.adjoint(np.array([0.0, 0.0, 0.0, 1.0]), 0)[0] == pytest.approx([0.0, 0.0, 0.0, 0.0])


def test_what_a_cut_takes_off_is_not_its_sum() -> None:
    """Ben minus Anna, of which nobody has spoken, is what the two have said, and Anna stays the part of it."""
    less = WithCuts(grown("all: anna ben"), [Cut("less", np.array([1, 2]), np.array([-1.0, 1.0]))])
    silent = Problem(column(0, 0, 5, 0), column(INF, INF, 1, INF))
    found = solve(less, silent)
    assert found.values[:, 0] == pytest.approx([5.0, 0.0, 5.0, 5.0])


def test_limits_that_once_led_round_in_circles_are_met() -> None:
    """Steps towards these limits overshot and came back for ever; the plan is proved, whichever way it is reached."""
    pair, three = grown("all: a"), grown("all: a b")
    crossed = Crossed.of({"node": pair, "product": pair, "channel": three})
    variance = column(62607, INF, INF, INF, INF, 1016, INF, 4383, INF, 54956, 2367, 21838)
    lower = column(-INF, -INF, -INF, -INF, 400, -INF, 1100, -INF, -INF, -INF, -INF, -INF)
    upper = column(INF, 900, INF, 1200, INF, INF, INF, INF, INF, 1300, INF, INF)
    said = column(1334, 0, 0, 0, 0, 400, 0, 694, 0, 1200, 800, 400)
    problem = Problem(said, variance, lower, upper)
    assert_optimal(crossed, problem, solve(crossed, problem))


def test_a_limit_beside_a_cell_without_room_is_reached() -> None:
    """Held cells leave the ninth exactly its cap; the fifth still has to go down to its own limit, and does."""
    company = tree_of([-1, 0, 0, 0, 2, 4, 4, 5, 5, 7, 7])
    said = column(-50000, 0, 0, 30000, -133716, 0, 0, 0, 0, 20000, -50000)
    variance = column(578376, INF, INF, 91430814, 28941096472, INF, INF, INF, INF, 3348537, 32075400)
    lower, upper = np.full((11, 1), -INF), np.full((11, 1), INF)
    lower[[4, 5, 7, 10], 0] = -130000, -110000, -30000, -60000
    upper[[3, 5, 6, 7, 8], 0] = 35000, -110000, -15000, -30000, -80000
    problem = Problem(said, variance, lower, upper)
    found = solve_general(company, problem)
    assert found.values[[4, 8], 0] == pytest.approx([-130000.0, -80000.0])
    assert misfit(problem, found.values) == pytest.approx(misfit(problem, solve(company, problem).values))


# -- cuts ------------------------------------------------------------------------------------------


@st.composite
def cut_structures(draw: st.DrawFn) -> WithCuts:
    """Draw a structure with one to three sums of any of its cells, whole or weighed."""
    base = draw(structures())
    rng = np.random.default_rng(draw(seeds))
    cuts = []
    for number in range(draw(st.integers(1, 3))):
        places = np.sort(
            rng.choice(len(base), size=int(rng.integers(1, min(len(base), 6) + 1)), replace=False)
        )
        weights = rng.choice([1.0, 1.0, -1.0, 0.5], len(places))
        cuts.append(Cut(f"cut {number}", places, weights))
    return WithCuts(base, cuts)


def silent_cuts(structure: WithCuts, problem: Problem) -> Problem:
    """Nobody has an estimate of a cut."""
    variance = np.broadcast_to(problem.variance, (len(structure), problem.variance.shape[1])).copy()
    variance[len(structure.structure) :] = INF
    return replace(problem, variance=variance)


@st.composite
def cut_problems(draw: st.DrawFn, **fixed: float) -> tuple[Structure, Problem]:
    structure = draw(cut_structures())
    made = cook(structure, draw(recipes(**{**modest, **fixed})), draw(seeds))
    return structure, silent_cuts(structure, made)


@given(cut_problems(bounded=0.0, held=0.2))
def test_cuts_that_are_equations_are_the_textbooks(case: tuple) -> None:
    structure, problem = case
    found = solve(structure, problem)
    for h in range(found.values.shape[1]):
        expected = textbook(structure, problem, h)
        size = np.abs(expected.values).max() + 1e-300
        assert (np.abs(found.values[:, h] - expected.values) <= 1e-8 * size)[expected.known].all()
    assert max(proof(structure, problem, found)) <= 1e-6


@given(cut_problems(bounded=0.8))
def test_cuts_that_are_limits_prove_themselves(case: tuple) -> None:
    structure, problem = case
    found = solve(structure, problem)
    assert max(proof(structure, problem, found)) <= 1e-6


def clarabel_misfit(structure: Structure, problem: Problem, h: int) -> float:
    """Solve one column as a dense quadratic programme over the leaves with another program; infinite if it gives up."""
    clarabel = pytest.importorskip("clarabel")
    s, (lower, upper) = summing(structure), problem.limits()
    lower, upper = lower[:, h], upper[:, h]
    variance = problem.variance[:, min(h, problem.variance.shape[1] - 1)]
    heard = np.isfinite(variance) & (lower != upper)
    weight = np.where(heard, 1.0 / np.where(heard, variance, 1.0), 0.0)
    said = np.where(heard, problem.estimates[:, h], 0.0)
    size = float(np.abs(said).max(initial=1.0))
    held = lower == upper
    over, under = np.isfinite(upper) & ~held, np.isfinite(lower) & ~held
    rows = np.vstack([s[held], s[over], -s[under]])
    right = np.concatenate([lower[held], upper[over], -lower[under]]) / size
    cones = [clarabel.ZeroConeT(int(held.sum())), clarabel.NonnegativeConeT(int(over.sum() + under.sum()))]
    options = clarabel.DefaultSettings()
    options.verbose = False
    options.tol_gap_abs = options.tol_gap_rel = options.tol_feas = 1e-11
    weight_of = weight / (weight.max(initial=0.0) or 1.0)
    answer = clarabel.DefaultSolver(
        sparse.csc_matrix(np.triu(s.T @ (s * weight_of[:, None]))),
        -s.T @ (weight_of * said / size),
        sparse.csc_matrix(rows),
        right,
        cones,
        options,
    ).solve()
    if "Solved" not in str(answer.status):
        return INF
    gap = np.where(heard, s @ np.array(answer.x) * size - said, 0.0)
    return float((gap**2 * weight).sum())


@given(cut_problems(bounded=0.5, columns=1, spread=2.0))
def test_no_other_solver_does_better_with_limits_on_cuts(case: tuple) -> None:
    structure, problem = case
    ours, other = misfit(problem, solve(structure, problem).values)[0], clarabel_misfit(structure, problem, 0)
    assert ours <= other + 1e-6 * (1 + abs(other))


COMPANY = grown("all: north south, north: anna ben, south: carl dora emil")
SAID = column(200, 90, 120, 40, 50, 30, 45, 35)


def cut(name: str, *nodes: str) -> Cut:
    return Cut(name, np.array([COMPANY.position(node) for node in nodes]), np.ones(len(nodes)))


def test_a_key_account_team_across_regions_has_a_total_of_its_own() -> None:
    """Ben and Carl share a key account: 100 together. They say 80; the 20 are shared by their variance, 1 : 3."""
    team = WithCuts(COMPANY, [cut("key account", "ben", "carl")])
    leaves_only = column(INF, INF, INF, 4, 1, 3, 5, 6, INF)
    lower, upper = np.full((9, 1), -INF), np.full((9, 1), INF)
    lower[8] = upper[8] = 100.0
    found = solve(team, Problem(np.vstack([SAID, [[0.0]]]), leaves_only, lower, upper))
    assert found.values[:, 0] == pytest.approx([220.0, 95.0, 125.0, 40.0, 55.0, 45.0, 45.0, 35.0, 100.0])
    assert found.states[8, 0] == HELD
    assert found.pull[8, 0] == pytest.approx(20 / (1 + 3))
    assert team.label(8) == "key account"
    assert team.label(4) == "ben"


def test_two_overlapping_totals_on_one_team() -> None:
    """Boats: Anna and Ben make 100; cars: Ben and Carl make 100. Lagrange by hand, all variances 1.

    Anna 40 + a, Ben 50 + a + b, Carl 30 + b with 2 a + b = 10 and a + 2 b = 20: a is 0 and b is 10.
    """
    crossed = WithCuts(COMPANY, [cut("boats", "anna", "ben"), cut("cars", "ben", "carl")])
    variance = column(INF, INF, INF, 1, 1, 1, 1, 1, INF, INF)
    held = np.full((10, 1), -INF)
    held[8:] = 100.0
    problem = Problem(np.vstack([SAID, [[0.0], [0.0]]]), variance, held, np.where(held > 0, held, INF))
    found = solve(crossed, problem)
    assert found.values[3:8, 0] == pytest.approx([40.0, 60.0, 40.0, 45.0, 35.0])
    assert found.pull[8:, 0] == pytest.approx([0.0, 10.0], abs=1e-9)
    # the same as an upper and a lower limit: boats may have 100 at most, cars must have 100 at least
    limits = replace(
        problem, lower=column(*[-INF] * 9, 100), upper=np.where(np.arange(10)[:, None] == 8, 95.0, INF)
    )
    found = solve(crossed, limits)
    assert found.values[[8, 9], 0] == pytest.approx([95.0, 100.0])
    assert found.states[[8, 9], 0].tolist() == [AT_UPPER, AT_LOWER]


def test_a_cut_that_is_not_limited_changes_nothing() -> None:
    variance = column(9, 4, 4, 1, 1, 1, 1, 1)
    free = WithCuts(COMPANY, [cut("boats", "anna", "carl")])
    found = solve(free, Problem(np.vstack([SAID, [[0.0]]]), np.vstack([variance, [[INF]]])))
    assert found.values[:8] == pytest.approx(solve(COMPANY, Problem(SAID, variance)).values, rel=1e-12)
    assert found.values[8, 0] == pytest.approx(found.values[3, 0] + found.values[5, 0])
    assert (found.states == FREE).all()


def test_totals_that_contradict_each_other_are_refused_by_their_names() -> None:
    cuts = [cut("boats", "anna", "ben"), cut("cars", "ben", "carl")]
    lower = column(-INF, -INF, -INF, 60, -INF, 60, -INF, -INF, -INF, -INF)
    upper = column(INF, INF, INF, INF, INF, INF, INF, INF, 70, 70)
    lower[4] = 20.0
    problem = Problem(np.vstack([SAID, [[0.0], [0.0]]]), np.ones((10, 1)), lower, upper, columns=["p"])
    with pytest.raises(InfeasibleError, match=r"'ben' at least 20.00") as refusal:
        solve(WithCuts(COMPANY, cuts), problem)
    assert "at most 70.00" in str(refusal.value)
