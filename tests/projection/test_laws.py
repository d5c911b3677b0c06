"""The tree projection against dense algebra, and the laws of holds and missing estimates."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.commitments import check_conservation, commit_tree, conservation_gaps
from spms_lib.errors import CheckError, InfeasibleError
from spms_lib.hierarchy import Hierarchy
from spms_lib.projection import Problem, solve


@st.composite
def cases(draw: st.DrawFn) -> tuple[Hierarchy, np.ndarray, np.ndarray]:
    """Draw a ragged tree with an estimate and a variance per node; inner nodes may have none."""
    size = draw(st.integers(2, 18))
    parents = [None] + [f"n{draw(st.integers(0, i - 1))}" for i in range(1, size)]
    tree = Hierarchy.from_parent_child(
        pd.DataFrame({"node": [f"n{i}" for i in range(size)], "parent": parents})
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    estimates, variance = rng.normal(100, 40, (size, 1)), rng.uniform(0.5, 20, (size, 1))
    silent = ~tree.is_leaf & (rng.random(size) < 0.4)
    variance[silent] = np.inf
    return tree, estimates, variance


def summing(tree: Hierarchy) -> np.ndarray:
    return tree.roll_up_array(np.eye(len(tree.leaves)))


def dense(tree: Hierarchy, estimates: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Generalised least squares by the textbook: S (S' W^-1 S)^-1 S' W^-1 y."""
    s, heard = summing(tree), np.isfinite(variance[:, 0])
    weight = np.diag(1 / variance[heard, 0])
    return s @ np.linalg.solve(s[heard].T @ weight @ s[heard], s[heard].T @ weight @ estimates[heard])


@given(cases())
def test_it_is_the_textbook_answer(case: tuple) -> None:
    tree, estimates, variance = case
    assert solve(tree, Problem(estimates, variance)).values == pytest.approx(
        dense(tree, estimates, variance), rel=1e-9
    )


@given(cases())
def test_the_posterior_variance_is_the_textbook_one(case: tuple) -> None:
    tree, estimates, variance = case
    s, heard = summing(tree), np.isfinite(variance[:, 0])
    cover = s @ np.linalg.inv(s[heard].T @ np.diag(1 / variance[heard, 0]) @ s[heard]) @ s.T
    assert solve(tree, Problem(estimates, variance)).variance[:, 0] == pytest.approx(np.diag(cover), rel=1e-7)


@given(cases(), st.integers(0, 10**6))
def test_a_held_node_stands_and_the_rest_is_optimal(case: tuple, pick: int) -> None:
    """Against the equality-constrained least squares of the textbook, by its KKT system."""
    tree, estimates, variance = case
    held = pick % len(tree)
    estimates, variance = estimates.copy(), variance.copy()
    estimates[held], variance[held] = 123.0, 0.0
    values = solve(tree, Problem(estimates, variance)).values
    assert values[held, 0] == pytest.approx(123.0, abs=1e-9)
    s = summing(tree)
    heard = np.isfinite(variance[:, 0]) & (variance[:, 0] > 0)
    a = s[heard].T @ np.diag(1 / variance[heard, 0]) @ s[heard]
    kkt = np.block([[a, s[[held]].T], [s[[held]], np.zeros((1, 1))]])
    right = np.concatenate([s[heard].T @ np.diag(1 / variance[heard, 0]) @ estimates[heard], [[123.0]]])
    answer = s @ np.linalg.lstsq(kkt, right, rcond=None)[0][: s.shape[1]]
    assert values == pytest.approx(answer, rel=1e-6, abs=1e-6)


@given(cases())
def test_coherent_estimates_stay_put(case: tuple) -> None:
    tree, estimates, variance = case
    coherent = tree.roll_up_array(estimates[tree.is_leaf])
    assert solve(tree, Problem(coherent, variance)).values == pytest.approx(coherent, rel=1e-9)


@given(cases())
def test_projecting_twice_changes_nothing(case: tuple) -> None:
    tree, estimates, variance = case
    once = solve(tree, Problem(estimates, variance)).values
    assert solve(tree, Problem(once, variance)).values == pytest.approx(once, rel=1e-9)


def test_nodes_of_which_nothing_is_known_share_the_gap_equally(toy: Hierarchy) -> None:
    estimates, variance = np.zeros((8, 1)), np.full((8, 1), np.inf)
    estimates[0], variance[0] = 100.0, 4.0
    answer = solve(toy, Problem(estimates, variance))
    assert answer.values[:3, 0].tolist() == [100.0, 50.0, 50.0]
    assert answer.values[-1, 0] == pytest.approx(50 / 3)


def test_contradicting_holds_are_refused_with_both_numbers(toy: Hierarchy) -> None:
    estimates, variance = np.full((8, 1), 10.0), np.ones((8, 1))
    for node, value in (("north", 50.0), ("anna", 20.0), ("ben", 20.0)):
        estimates[toy.position(node)], variance[toy.position(node)] = value, 0.0
    with pytest.raises(InfeasibleError, match=r"'north' is held at 50.00, .* sum to 40.00"):
        solve(toy, Problem(estimates, variance))


@given(cases())
def test_commitments_add_up_and_stay_within_one_unit(case: tuple) -> None:
    tree, estimates, variance = case
    values = solve(tree, Problem(estimates, variance)).values
    units = commit_tree(tree, values)
    assert not conservation_gaps(tree, units).any()
    assert (np.abs(units - values) < 1 + 1e-6).all()


def test_a_parent_that_differs_from_its_children_is_refused_by_name(toy: Hierarchy) -> None:
    units = toy.roll_up_array(np.arange(5)[:, None])
    units[toy.position("south")] += 1
    with pytest.raises(CheckError, match="'toy' differs from the sum of its children by -1"):
        check_conservation(toy, units)
