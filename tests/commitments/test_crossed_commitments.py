"""Crossed commitments: every cell equals its children along every dimension, and stays near its exact value."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.commitments import commit_tree
from spms_lib.commitments.crossed import commit_crossed
from spms_lib.errors import CheckError
from spms_lib.hierarchy import Hierarchy
from spms_lib.hierarchy.crossed import Crossed


def tree(parents: list[int], prefix: str = "n") -> Hierarchy:
    """Node i + 1 reports to node parents[i]."""
    names = [f"{prefix}{number}" for number in range(len(parents) + 1)]
    return Hierarchy.from_parent_child(
        pd.DataFrame({"node": names, "parent": [None, *(names[parent] for parent in parents)]})
    )


def flat(count: int, prefix: str) -> Hierarchy:
    return tree([0] * count, prefix)


SELLERS, PRODUCTS = flat(2, "s"), flat(2, "p")
GRID = Crossed.of({"node": SELLERS, "product": PRODUCTS})  # cells: s0 x p0, p1, p2; s1 x ...; s2 x ...


@st.composite
def trees(draw: st.DrawFn, prefix: str, most: int = 9) -> Hierarchy:
    count = draw(st.integers(1, most))
    return tree([draw(st.integers(0, number)) for number in range(count)], prefix)


@st.composite
def grids(draw: st.DrawFn, dimensions: int = 2, most: int = 9) -> Crossed:
    crossing = {f"d{at}": draw(trees(f"d{at}_", most)) for at in range(dimensions)}
    cells = list(product(*(one.leaves for one in crossing.values())))
    kept = draw(st.lists(st.sampled_from(cells), min_size=1, unique=True)) if draw(st.booleans()) else cells
    return Crossed.of(crossing, leaves=pd.DataFrame(kept, columns=list(crossing)))


def values_of(crossed: Crossed, seed: int, size: float = 100.0, columns: int = 2) -> np.ndarray:
    """Negative and positive values, many of them halves and thirds, as coherent floats."""
    rng = np.random.default_rng(seed)
    shape = (int(crossed.is_leaf.sum()), columns)
    exact = rng.normal(0.0, size, shape)
    kind = rng.integers(0, 3)
    return crossed.roll_up_array(np.round(exact * (kind + 1)) / (kind + 1) if rng.random() < 0.5 else exact)


def gaps(crossed: Crossed, units: np.ndarray) -> int:
    """Count cells that differ from their existing children, asked cell by cell along every dimension."""
    grid = np.zeros((*crossed.shape, units.shape[1]), dtype=np.int64)
    exists = np.zeros(crossed.shape, dtype=bool)
    grid[tuple(crossed.places)], exists[tuple(crossed.places)] = units, True
    wrong = 0
    for axis, one in enumerate(crossed.dimensions.values()):
        moved, there = np.moveaxis(grid, axis, 0), np.moveaxis(exists, axis, 0)
        for parent in np.flatnonzero(~one.is_leaf):
            children = slice(one.first[parent], one.first[parent + 1])
            wrong += int(((moved[parent] != moved[children].sum(axis=0)).any(axis=-1) & there[parent]).sum())
    return wrong


def levels(crossed: Crossed) -> np.ndarray:
    depths = [one.depth[at] for one, at in zip(crossed.dimensions.values(), crossed.places, strict=True)]
    return np.maximum(np.sum(depths, axis=0), 1)[:, None]


def test_a_table_by_hand() -> None:
    exact = GRID.roll_up_array(np.array([[1.4], [2.4], [3.4], [4.8]]))
    # 1.4 2.4 | 3.8        1 3 | 4      2 2 | 4
    # 3.4 4.8 | 8.2   ->   4 4 | 8  or  3 5 | 8: the second is nearer
    # 4.8 7.2 | 12.0       5 7 | 12     5 7 | 12
    assert commit_crossed(GRID, exact).reshape(3, 3).tolist() == [[12, 5, 7], [4, 2, 2], [8, 3, 5]]


def test_of_equal_cells_the_first_gets_the_unit() -> None:
    exact = GRID.roll_up_array(np.full((4, 1), 0.5))
    assert commit_crossed(GRID, exact).reshape(3, 3).tolist() == [[2, 1, 1], [1, 1, 0], [1, 0, 1]]


@settings(max_examples=60, deadline=None)
@given(crossed=grids(), seed=st.integers(0, 10**6))
def test_two_dimensions_add_up_and_stay_below_one_unit_per_level(crossed: Crossed, seed: int) -> None:
    exact = values_of(crossed, seed)
    units = commit_crossed(crossed, exact)
    assert units.dtype == np.int64
    assert gaps(crossed, units) == 0
    assert not (crossed.rows.astype(np.int64) @ units).any()
    assert (np.abs(units - exact) < levels(crossed)).all()
    assert (np.abs(units - exact)[crossed.is_leaf] < 1).all()


@settings(max_examples=60, deadline=None)
@given(one=trees("s", 12), parts=st.integers(1, 5), seed=st.integers(0, 10**6), holds=st.booleans())
def test_beside_a_flat_dimension_no_cell_is_a_unit_away(
    one: Hierarchy, parts: int, seed: int, holds: bool
) -> None:
    crossed = Crossed.of({"node": one, "product": flat(parts, "p")})
    exact, held = values_of(crossed, seed), np.zeros((len(crossed), 2), dtype=bool)
    if holds:
        held = np.abs(exact - np.rint(exact)) < 1e-9  # whatever is whole may be held
    units = commit_crossed(crossed, exact, held=held)
    assert gaps(crossed, units) == 0
    assert (np.abs(units - exact) < 1).all()
    assert (units == np.rint(exact))[held].all()


@settings(max_examples=25, deadline=None)
@given(crossed=grids(3, 4), seed=st.integers(0, 10**6))
def test_three_dimensions_add_up_too(crossed: Crossed, seed: int) -> None:
    exact = values_of(crossed, seed, columns=1)
    units = commit_crossed(crossed, exact)
    assert gaps(crossed, units) == 0
    assert (np.abs(units - exact)[crossed.is_leaf] < 1).all()
    assert (np.abs(units - exact) < levels(crossed)).all()


@settings(max_examples=40, deadline=None)
@given(crossed=grids(), seed=st.integers(0, 10**6))
def test_holds_are_kept_wherever_they_are(crossed: Crossed, seed: int) -> None:
    """A whole plan exists, some of its cells are held, and the others drift between it and another plan."""
    rng = np.random.default_rng(seed)
    whole = crossed.roll_up_array(np.rint(values_of(crossed, seed))[crossed.is_leaf])
    held = rng.random(whole.shape) < 0.3
    exact = whole.copy()
    for column in range(2):  # move only along directions that no held cell notices
        sums = crossed.roll_up_array(np.eye(int(crossed.is_leaf.sum())))
        _, sizes, directions = np.linalg.svd(sums[held[:, column]], full_matrices=True)
        still = directions[int((sizes > 1e-9).sum()) :]
        exact[:, column] += sums @ (still.T @ rng.normal(size=len(still)))
    units = commit_crossed(crossed, exact, held=held)
    assert gaps(crossed, units) == 0
    assert (units == np.rint(whole))[held].all()
    assert (np.abs(units - exact)[crossed.is_leaf] < 2).all()


@settings(max_examples=60, deadline=None)
@given(one=trees("s", 15), seed=st.integers(0, 10**6))
def test_one_dimension_is_the_tree(one: Hierarchy, seed: int) -> None:
    crossed = Crossed.of({"node": one})
    exact = values_of(crossed, seed)
    assert (commit_crossed(crossed, exact) == commit_tree(one, exact)).all()


def test_one_dimension_with_missing_cells() -> None:
    crossed = Crossed.of({"node": flat(4, "s")}, leaves=pd.DataFrame({"node": ["s1", "s3", "s4"]}))
    exact = crossed.roll_up_array(np.full((3, 1), 100 / 3))
    assert commit_crossed(crossed, exact).ravel().tolist() == [100, 34, 33, 33]


@settings(max_examples=60, deadline=None)
@given(crossed=grids(), seed=st.integers(0, 10**6), power=st.integers(6, 14))
def test_huge_amounts_add_up(crossed: Crossed, seed: int, power: int) -> None:
    exact = values_of(crossed, seed, 10.0**power / len(crossed))
    exact += np.random.default_rng(seed).normal(0, 1e-16, exact.shape) * exact  # as a solver leaves it
    units = commit_crossed(crossed, exact)
    assert gaps(crossed, units) == 0
    assert (np.abs(units - exact) < levels(crossed) + 1e-14 * np.abs(exact).max()).all()


def test_whole_values_stay_whatever_their_size() -> None:
    exact = GRID.roll_up_array(np.array([[9e13], [-1e13], [3.0], [0.0]]))
    assert (commit_crossed(GRID, exact) == exact).all()


@settings(max_examples=20, deadline=None)
@given(crossed=grids(), seed=st.integers(0, 10**6))
def test_the_same_values_give_the_same_units(crossed: Crossed, seed: int) -> None:
    exact = values_of(crossed, seed)
    before = exact.copy()
    units = commit_crossed(crossed, exact)
    assert (units == commit_crossed(crossed, exact)).all()
    assert (exact == before).all()
    assert (units[:, [1]] == commit_crossed(crossed, exact[:, [1]])).all()  # columns do not notice each other


def test_a_hold_that_is_not_whole_is_refused_by_name() -> None:
    exact = GRID.roll_up_array(np.array([[1.4], [2.4], [3.4], [4.8]]))
    held = np.zeros(exact.shape, dtype=bool)
    held[GRID.position("s1", "p2")] = True
    with pytest.raises(CheckError, match="'s1 x p2' is held but not whole"):
        commit_crossed(GRID, exact, held=held)


def test_values_that_do_not_add_up_are_refused_by_name() -> None:
    exact = GRID.roll_up_array(np.array([[1.4], [2.4], [3.4], [4.8]]))
    exact[GRID.position("s2", "p0")] += 3
    with pytest.raises(CheckError, match="'s2 x p0' is not the sum"):
        commit_crossed(GRID, exact)


def test_holds_that_no_whole_numbers_keep_are_refused_by_name() -> None:
    """Three leaf cells of which every pair is held at 1: each must be a half."""
    three = {f"d{at}": tree([0, 0, 1, 1], "abc"[at]) for at in range(3)}  # 0 over 1 and 2; 1 over 3 and 4
    cells = pd.DataFrame({"d0": ["a3", "a4", "a2"], "d1": ["b2", "b3", "b4"], "d2": ["c3", "c2", "c4"]})
    crossed = Crossed.of(three, leaves=cells)
    exact = crossed.roll_up_array(np.full((3, 1), 0.5))
    held = np.zeros(exact.shape, dtype=bool)
    for pair in (("a1", "b0", "c0"), ("a0", "b1", "c0")):
        held[crossed.position(*pair)] = True
    assert (commit_crossed(crossed, exact, held=held)[held] == 1).all()  # two pairs can be kept
    held[crossed.position("a0", "b0", "c1")] = True
    with pytest.raises(CheckError, match="'a0 x b0 x c1' cannot be kept in whole numbers"):
        commit_crossed(crossed, exact, held=held)


def test_a_company_in_months_is_quick_and_within_two_units() -> None:
    sellers = tree([number // 8 for number in range(600)], "s")
    months = tree([0, 0, 0, 0, *(1 + number // 3 for number in range(12))], "m")
    crossed = Crossed.of({"node": sellers, "month": months})
    exact = values_of(crossed, 1, 1e6, columns=3)
    units = commit_crossed(crossed, exact)
    assert not (crossed.rows.astype(np.int64) @ units).any()
    assert np.abs(units - exact).max() < 2
