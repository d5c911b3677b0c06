"""The response curves of a tree with floors, caps and holds: worked examples, and answers that prove themselves."""

import hashlib
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.hierarchy import Hierarchy
from spms_lib.projection import curves
from spms_lib.projection.curves import Bounded, solve_bounded
from spms_lib.projection.curves.both_ways import LOOPS

from dense import INF, Floats, summing, tree_of  # isort: skip
from toys import ROOT  # isort: skip


class Case(NamedTuple):
    """One problem."""

    tree: Hierarchy
    estimates: Floats
    variance: Floats
    lower: Floats
    upper: Floats

    def solve(self) -> Bounded:
        return solve_bounded(*self)


def case(parents: list[int], nodes: list[tuple[float, float, float, float]]) -> Case:
    """Write a case by hand: for each node an estimate, a variance, a floor and a cap."""
    table = np.array(nodes, dtype=float)
    tree = tree_of(parents)
    order = [int(name[1:]) for name in tree.nodes]
    return Case(tree, *(table[order, i : i + 1] for i in range(4)))


def assert_coherent(case: Case, values: Floats) -> None:
    leaves = case.tree.is_leaf
    sums = np.array(
        [values[case.tree.first[i] : case.tree.first[i + 1]].sum(axis=0) for i in np.flatnonzero(~leaves)]
    ).reshape(-1, values.shape[1])
    largest = np.abs(values).max(axis=0)
    assert (np.abs(sums - values[~leaves]) <= 1e-12 * largest).all()


def assert_optimal(case: Case, found: Bounded) -> None:
    """Check the certificate: coherent, within bounds, and every margin has the right sign."""
    x, prices = found
    assert np.isfinite(x).all()
    assert np.isfinite(prices).all()
    assert_coherent(case, x)
    assert (x >= case.lower).all()
    assert (x <= case.upper).all()
    assert (prices[case.tree.is_leaf] == 0.0).all()
    variance = np.broadcast_to(case.variance, x.shape)
    silent = np.isinf(variance)
    credit = np.where((case.tree.parent >= 0)[:, None], prices[case.tree.parent], 0.0)
    own = np.where(silent, 0.0, (x - case.estimates) / variance)
    margin = own + prices - credit
    error = np.sqrt(np.where(silent, 1.0, variance))
    terms = np.abs(own) + np.abs(prices) + np.abs(credit)
    largest = np.fmax(np.abs(x), np.where(silent, 0.0, np.abs(case.estimates))).max(axis=0)
    ulp = 1e-15 * largest  # no value is known more closely, so no price is either
    finest = np.where(silent, np.inf, variance).min(axis=0)
    allowed = 1e-14 * terms + np.where(silent, ulp / finest, ulp / variance)
    allowed += np.where(silent, 1e-7 * terms, 1e-7 * (1 + np.abs(x) / error) / error)
    held = case.lower == case.upper
    assert ((margin >= -allowed) | (x == case.upper) | held).all()
    assert ((margin <= allowed) | (x == case.lower) | held).all()


# -- worked examples -----------------------------------------------------------------------------


def test_a_cap_pushes_the_rest_to_the_other_region() -> None:
    found = case([-1, 0, 0], [(100, 1, 0, INF), (40, 1, 0, 30), (50, 1, 0, INF)]).solve()
    assert found.values[:, 0].tolist() == [90.0, 30.0, 60.0]
    assert found.prices[:, 0].tolist() == [10.0, 0.0, 0.0]


def test_silent_sellers_share_the_remainder_equally() -> None:
    silent = (np.nan, INF, 0, INF)
    found = case([-1, 0, 0, 0, 0], [(100, 1, 0, INF), (40, 4, 0, INF), silent, silent, silent]).solve()
    assert found.values[:, 0].tolist() == [100.0, 40.0, 20.0, 20.0, 20.0]
    assert found.prices[0, 0] == 0.0


def test_silent_sellers_share_no_further_than_their_caps() -> None:
    silent = [(np.nan, INF, 0, 5), (np.nan, INF, 0, INF), (np.nan, INF, 30, INF)]
    found = case([-1, 0, 0, 0, 0], [(100, 1, 0, INF), (40, 4, 0, INF), *silent]).solve()
    assert found.values[:, 0].tolist() == [100.0, 40.0, 5.0, 25.0, 30.0]


def test_silent_sellers_stay_at_their_floor_when_others_promise_enough() -> None:
    found = case([-1, 0, 0], [(100, 1, 0, INF), (140, 1, 0, INF), (np.nan, INF, 0, INF)]).solve()
    assert found.values[:, 0].tolist() == [120.0, 120.0, 0.0]
    assert found.prices[0, 0] == -20.0


def test_caps_bind_at_every_level() -> None:
    one = case(
        [-1, 0, 0, 1, 1, 2],
        [(100, 1, 0, 80), (60, 1, 0, 45), (60, 1, 0, 50), (40, 1, 0, 25), (40, 1, 0, 25), (60, 1, 0, 55)],
    )
    found = one.solve()
    assert found.values[0, 0] == 80.0
    assert_optimal(one, found)


def test_a_total_that_takes_all_caps_leaves_no_choice() -> None:
    one = case([-1, 0, 0], [(100, 1, 30, 30), (5, 1, 0, 10), (50, 1, 0, 20)])
    found = one.solve()
    assert found.values[:, 0].tolist() == [30.0, 10.0, 20.0]
    assert_optimal(one, found)


def test_all_children_at_their_caps_hold_their_parent_back() -> None:
    one = case([-1, 0, 0], [(100, 1, 0, INF), (50, 1, 0, 10), (50, 1, 0, 20)])
    found = one.solve()
    assert found.values[:, 0].tolist() == [30.0, 10.0, 20.0]
    assert found.prices[0, 0] == 70.0
    assert_optimal(one, found)


def test_a_hold_in_the_middle_stands_bit_for_bit() -> None:
    one = case(
        [-1, 0, 0, 1, 1], [(1, 1, -INF, INF), (9, 1, 0.1, 0.1), (1, 3, 0, INF), (7, 1e-6, -INF, INF), (5, 1e6, -INF, INF)]
    )  # fmt: skip
    found = one.solve()
    assert found.values[1, 0] == 0.1
    assert_optimal(one, found)


@pytest.mark.parametrize(
    ("node", "value"),
    [
        ((7, 2, -INF, INF), 7.0),
        ((7, 2, 0, 5), 5.0),
        ((7, 2, 9, INF), 9.0),
        ((np.nan, INF, 3, INF), 3.0),
        ((np.nan, INF, -INF, INF), 0.0),
        ((np.nan, INF, 4, 4), 4.0),
    ],
)
def test_a_company_of_one(node: tuple[float, float, float, float], value: float) -> None:
    found = case([-1], [node]).solve()
    assert found.values.tolist() == [[value]]
    assert found.prices.tolist() == [[0.0]]


def test_a_chain_of_only_children_agrees_on_one_value() -> None:
    one = case([-1, 0, 1, 2], [(10, 1, 0, INF), (np.nan, INF, 0, 14), (20, 1, 0, INF), (30, 1, 0, 25)])
    found = one.solve()
    assert found.values[:, 0].tolist() == [14.0] * 4
    assert_optimal(one, found)


def test_a_chain_of_a_thousand() -> None:
    rng = np.random.default_rng(1)
    nodes = [(float(y), 1.0, float(y) - 3, float(y) + 3) for y in rng.normal(size=1000) / 4]
    one = case([-1, *range(999)], nodes)
    assert_optimal(one, one.solve())


def test_a_silent_team_under_a_known_region_passes_the_choice_on() -> None:
    silent = (np.nan, INF, 0, INF)
    one = case([-1, 0, 0, 1, 1, 2], [(60, 1, 0, INF), silent, silent, silent, (np.nan, INF, 0, 10), silent])
    found = one.solve()
    assert found.values[:, 0].tolist() == [60.0, 30.0, 30.0, 20.0, 10.0, 30.0]


def test_arguments_are_left_alone_and_read_only_ones_will_do() -> None:
    one = case([-1, 0, 0], [(100, 1, 0, INF), (40, 1, 0, 30), (50, 1, 0, INF)])
    for part in one[1:]:
        part.setflags(write=False)
    one.solve()


def test_shapes_that_do_not_fit_are_refused() -> None:
    one = case([-1, 0], [(1, 1, 0, 1), (1, 1, 0, 1)])
    with pytest.raises(ValueError, match=r"must have the shape"):
        one._replace(lower=one.lower[:1]).solve()
    with pytest.raises(ValueError, match=r"not \(1, 1\)"):
        one._replace(variance=one.variance[:1]).solve()


# -- laws ----------------------------------------------------------------------------------------


class Recipe(NamedTuple):
    """How to draw a case."""

    parents: list[int]
    columns: int
    scale: float = 1.0  # size of the values
    grain: float = 1.0  # 1/3 makes sums that rounding cannot keep
    spread: float = 8.0  # orders of magnitude between variances
    silent: float = 0.2  # share of nodes without an estimate
    bounded: float = 0.6  # share of nodes with a floor; likewise with a cap
    tied: float = 0.3  # share of bounded nodes whose estimate is the floor
    in_money: bool = True  # variances in squares of the scale


def draw_case(recipe: Recipe, seed: int) -> Case:
    """Draw estimates, and bounds around a coherent point."""
    rng = np.random.default_rng(seed)
    tree = tree_of(recipe.parents)
    shape = (len(tree), recipe.columns)
    unit = recipe.grain * recipe.scale
    point = rng.integers(-3, 9, shape) * unit
    for node in np.flatnonzero(~tree.is_leaf)[::-1]:
        point[node] = point[tree.first[node] : tree.first[node + 1]].sum(axis=0)
    estimates = point + rng.integers(-6, 7, shape) * unit * rng.choice([0, 1, 0.37], shape)
    per_column = (shape[0], rng.choice([1, shape[1]]))
    variance = 10.0 ** rng.uniform(-recipe.spread / 2, recipe.spread / 2, per_column)
    variance *= recipe.scale**2 if recipe.in_money else 1.0
    variance[rng.random(per_column) < recipe.silent] = INF
    room = rng.choice([0, 0, 0.5, 1, 4], (2, *shape)) * unit
    lower = np.where(rng.random(shape) < recipe.bounded, point - room[0], -INF)
    upper = np.where(rng.random(shape) < recipe.bounded, point + room[1], INF)
    estimates = np.where((rng.random(shape) < recipe.tied) & np.isfinite(lower), lower, estimates)
    estimates[np.broadcast_to(np.isinf(variance), shape) & (rng.random(shape) < 0.5)] = np.nan
    return Case(tree, estimates, variance, lower, upper)


@st.composite
def cases(draw: st.DrawFn, most: int = 40, **fixed: float) -> Case:
    """Draw a ragged tree, then a case on it."""
    count, reach = draw(st.integers(1, most)), draw(st.sampled_from([1, 3, most]))
    recipe = Recipe(
        parents=[-1, *(draw(st.integers(max(0, node - reach), node - 1)) for node in range(1, count))],
        columns=draw(st.integers(1, 3)),
        scale=10.0 ** draw(st.integers(0, 12)),
        grain=draw(st.sampled_from([1.0, 1 / 3, 0.001])),
        spread=draw(st.sampled_from([0.0, 8.0])),
        silent=draw(st.sampled_from([0.0, 0.2, 0.6])),
        bounded=draw(st.sampled_from([0.2, 0.6, 1.0])),
        tied=draw(st.sampled_from([0.0, 0.3])),
        in_money=draw(st.booleans()),
    )
    return draw_case(recipe._replace(**fixed), draw(st.integers(0, 2**32)))


@given(one=cases())
def test_the_answer_proves_itself(one: Case) -> None:
    assert_optimal(one, one.solve())


@given(one=cases(bounded=0.0, spread=4.0))
def test_without_bounds_it_is_generalised_least_squares(one: Case) -> None:
    variance = np.broadcast_to(one.variance, one.estimates.shape)
    found = one.solve()
    s = summing(one.tree)
    for h in range(one.estimates.shape[1]):
        known = np.isfinite(variance[:, h])
        error = np.sqrt(variance[known, h])
        design = s[known] / error[:, None]
        leaves = np.linalg.lstsq(design, one.estimates[known, h] / error, rcond=1e-13)[0]
        fitted = design @ leaves
        ours = found.values[known, h] / error
        assert np.allclose(fitted, ours, rtol=1e-7, atol=1e-7 * (1 + np.abs(ours).max(initial=0)))


@given(one=cases())
def test_columns_do_not_touch_each_other(one: Case) -> None:
    found = one.solve()
    for h in range(one.estimates.shape[1]):
        variance = one.variance[:, [h if one.variance.shape[1] > 1 else 0]]
        alone = Case(one.tree, one.estimates[:, [h]], variance, one.lower[:, [h]], one.upper[:, [h]]).solve()
        assert (alone.values[:, 0] == found.values[:, h]).all()
        assert (alone.prices[:, 0] == found.prices[:, h]).all()


def test_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    one = big_case(3_000, columns=4)
    monkeypatch.setattr(curves, "WORTH_THREADS", 0)
    alone, together = solve_bounded(*one, threads=1), solve_bounded(*one, threads=2)
    assert (alone.values == together.values).all()
    assert (alone.prices == together.prices).all()
    assert_optimal(one, together)


def big_case(leaves: int, columns: int) -> Case:
    """Make a company of teams of ten, regions of twenty teams: floors at 0, caps on 30 % of the nodes."""
    rng = np.random.default_rng(3)
    regions, teams = max(2, leaves // 200), max(2, leaves // 10)
    parents = np.concatenate(
        [[-1], np.zeros(regions, int), 1 + np.sort(rng.integers(0, regions, teams)),
         1 + regions + np.sort(rng.integers(0, teams, leaves))]
    )  # fmt: skip
    tree = tree_of(parents.tolist())
    truth = rng.lognormal(4, 1, (len(tree.leaves), 1)) * (
        1 + 0.2 * rng.standard_normal((len(tree.leaves), columns))
    )
    truth = tree.roll_up_array(truth)
    estimates = truth * (1 + 0.15 * rng.standard_normal(truth.shape))
    variance = (0.15 * np.abs(truth).mean(axis=1)) ** 2 * rng.lognormal(0, 0.5, len(tree)) + 1e-3
    capped = rng.random(truth.shape) < 0.3
    upper = np.where(capped, np.maximum(0.9 * estimates, 0), INF)
    return Case(tree, estimates, variance[:, None], np.zeros_like(estimates), upper)


def test_a_change_of_a_loop_makes_the_compiler_start_anew() -> None:
    """Machine code is cached by the file that is called; this mark in it changes with the loops that it calls."""
    folder = ROOT / "spms_lib/projection/curves"
    loops = [folder / f"{name}.py" for name in ("slots", "sorting", "adding", "bending", "reading")]
    assert {path.name for path in folder.glob("*.py")} == {
        *(path.name for path in loops),
        "__init__.py",
        "both_ways.py",
    }
    mark = hashlib.sha256(b"".join(path.read_bytes() for path in loops)).hexdigest()[:12]
    assert mark == LOOPS, f"write LOOPS = {mark!r} into both_ways.py"
