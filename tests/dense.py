"""Textbook algebra on small structures, dense and slow, that the projection is compared with, and cases to draw."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from scipy import linalg

from spms_lib.hierarchy import Crossed, Hierarchy
from spms_lib.projection import Answer, Problem, Structure, WithCuts

Floats = np.ndarray
INF = np.inf


def column(*numbers: float) -> Floats:
    """Write one column by hand."""
    return np.array(numbers, dtype=float)[:, None]


def tree_of(parents: list[int]) -> Hierarchy:
    """Build a tree from the position of each node's parent, -1 for the root."""
    names = [f"n{i}" for i in range(len(parents))]
    above = [None if parent < 0 else names[parent] for parent in parents]
    return Hierarchy.from_parent_child(pd.DataFrame({"node": names, "parent": above}))


def grown(text: str) -> Hierarchy:
    """Read a tree written as 'parent: child child, parent: child'."""
    families = [family.split(":") for family in text.split(",")]
    rows: list[tuple[str, str | None]] = [(families[0][0].strip(), None)]
    rows += [(child, parent.strip()) for parent, children in families for child in children.split()]
    return Hierarchy.from_parent_child(pd.DataFrame(rows, columns=["node", "parent"]))


def summing(structure: Structure) -> Floats:
    """Write every cell, and every cut, as a sum of leaf cells: the S of the textbook."""
    if isinstance(structure, WithCuts):
        own = summing(structure.structure)
        return np.vstack([own, *(cut.weights @ own[cut.positions] for cut in structure.cuts)])
    return np.asarray(structure.roll_up_array(np.eye(int(structure.is_leaf.sum()))))


def each(array: Floats, h: int) -> Floats:
    """Take a column of an array in which one column may stand for all; shape (n_cells,)."""
    return array[:, min(h, array.shape[1] - 1)]


class Textbook(NamedTuple):
    """What the textbook says of one column; cells of which nothing is known may be anything."""

    values: Floats
    variance: Floats
    known: np.ndarray


def textbook(structure: Structure, problem: Problem, h: int = 0) -> Textbook:
    """Generalised least squares over the leaves, with held cells as equations.

    The minimum of (y - S b)' W^-1 (y - S b) over b with S_held b = limits, on the null space of the equations
    (Golub and Van Loan, 6.2); W = diag(variance) + F F' among the cells with an estimate.
    """
    s, said, variance = summing(structure), problem.estimates[:, h], each(problem.variance, h)
    held, fixed_at = each(problem.held, h), problem.at_holds()[:, h]
    heard = np.isfinite(variance) & ~held
    start, room = np.zeros(s.shape[1]), np.eye(s.shape[1])
    if held.any():
        start, room = linalg.lstsq(s[held], fixed_at[held])[0], linalg.null_space(s[held])
    w = np.diag(variance[heard])
    if problem.factors is not None:
        w += problem.factors[heard] @ problem.factors[heard].T
    root = linalg.cholesky(w, lower=True) if heard.any() else w
    moved = s @ room
    moved[np.abs(moved) < 1e-12] = 0.0  # what is held fixes it: its float noise is no direction to fit along
    design = linalg.solve_triangular(root, moved[heard], lower=True)
    right = linalg.solve_triangular(root, said[heard] - s[heard] @ start, lower=True)
    turn = np.linalg.pinv(design, rcond=1e-12)
    spread = moved @ turn
    open_ = linalg.null_space(s[heard | held])
    known = np.abs(s @ open_).max(axis=1, initial=0.0) < 1e-9
    return Textbook(s @ start + moved @ (turn @ right), np.where(known, (spread**2).sum(axis=1), INF), known)


def misfit(problem: Problem, values: Floats) -> Floats:
    """Weigh the misses by their variances alone, per column."""
    variance = np.broadcast_to(problem.variance, values.shape)
    heard = np.isfinite(variance) & (variance > 0)
    if problem.lower is not None:
        heard &= problem.lower != problem.upper
    misses = np.where(heard, values - np.where(heard, problem.estimates, 0.0), 0.0)
    return np.asarray((misses**2 / np.where(heard, variance, 1.0)).sum(axis=0))


def size_of(problem: Problem, values: Floats) -> Floats:
    """Find the largest number of each column among values, estimates and limits; shape (n_columns,)."""
    lower, upper = problem.limits()
    said = np.where(np.isinf(problem.variance), 0.0, problem.estimates)
    limits = [np.where(np.isfinite(limit), limit, 0.0) for limit in (lower, upper)]
    return np.asarray(np.abs(np.stack([values, said, *limits])).max(axis=(0, 1))) + 1e-300


class Proof(NamedTuple):
    """How far an answer is from optimal, reckoned from its values and prices alone."""

    coherence: float
    stationarity: float
    limits: float


def proof(structure: Structure, problem: Problem, answer: Answer) -> Proof:
    """Check the conditions of Karush, Kuhn and Tucker.

    With C the rows of the structure, W^-1 (x - y) + C' price is 0 where a cell is free, at least 0 on its lower and at
    most 0 on its upper limit; in standard errors of the cell, of a typical one where nobody has said anything.
    """
    x, (lower, upper) = answer.values, problem.limits()
    variance = np.broadcast_to(problem.variance, x.shape)
    heard = np.isfinite(variance) & (variance > 0)
    size = size_of(problem, x)
    own = np.where(heard, x - np.where(heard, problem.estimates, 0.0), 0.0) / np.where(heard, variance, 1.0)
    pull = own + structure.rows.T @ answer.prices
    error = np.sqrt(np.where(heard, variance, np.median(variance[heard]) if heard.any() else 1.0))
    rising, falling = np.maximum(pull, 0.0) * error, np.maximum(-pull, 0.0) * error
    on_lower, on_upper = x <= lower + 1e-12 * size, x >= upper - 1e-12 * size
    wrong = np.maximum(np.where(on_lower, 0.0, rising), np.where(on_upper, 0.0, falling))
    return Proof(
        float((np.abs(structure.rows @ x) / size).max(initial=0.0)),
        float(wrong.max(initial=0.0)),
        float((np.maximum(lower - x, x - upper) / size).max(initial=0.0)),
    )


def assert_optimal(structure: Structure, problem: Problem, answer: Answer, tolerance: float = 1e-8) -> None:
    """Reckon the proof here, and compare what the answer says of itself."""
    found = proof(structure, problem, answer)
    assert max(found) <= tolerance, found
    if (np.abs(answer.values).max(axis=0) > 1e-6 * size_of(problem, answer.values)).all():
        assert answer.certificate().holds(tolerance), answer.certificate()


# -- cases ---------------------------------------------------------------------------------------


@st.composite
def trees(draw: st.DrawFn, least: int = 1, most: int = 18) -> Hierarchy:
    """Draw a ragged tree: chains, bushes and what lies between."""
    size, reach = draw(st.integers(least, most)), draw(st.sampled_from([1, 3, most]))
    return tree_of([-1, *(draw(st.integers(max(0, i - reach), i - 1)) for i in range(1, size))])


@st.composite
def crossings(draw: st.DrawFn, most: int = 5, *, full: bool | None = None) -> Crossed:
    """Draw two or three crossed trees, some of whose leaf cells do not exist."""
    axes = draw(st.integers(2, 3))
    dimensions = {
        key: draw(trees(1, most if axes == 2 else 3)) for key in ["node", "product", "channel"][:axes]
    }
    if full or (full is None and draw(st.booleans())):
        return Crossed.of(dimensions)
    leaves = pd.MultiIndex.from_product([tree.leaves for tree in dimensions.values()], names=list(dimensions))
    there = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).random(len(leaves)) < 0.6
    there[0] = True
    return Crossed.of(dimensions, leaves=leaves[there].to_frame(index=False))


def structures() -> st.SearchStrategy[Structure]:
    """Draw a tree or a crossing."""
    return st.one_of(trees(), crossings())


class Recipe(NamedTuple):
    """What a drawn problem has in it: shares of cells."""

    silent: float = 0.0
    held: float = 0.0
    bounded: float = 0.0
    columns: int = 1
    shared: bool = True  # one variance for all columns
    spread: float = 2.0  # orders of magnitude between variances
    scale: float = 1.0


@st.composite
def recipes(draw: st.DrawFn, **fixed: float) -> Recipe:
    """Draw a recipe, but for what is fixed."""
    drawn = Recipe(
        silent=draw(st.sampled_from([0.0, 0.3, 0.7])),
        held=draw(st.sampled_from([0.0, 0.2])),
        bounded=draw(st.sampled_from([0.0, 0.3, 0.8])),
        columns=draw(st.integers(1, 3)),
        shared=draw(st.booleans()),
        spread=draw(st.sampled_from([0.0, 2.0, 5.0])),
        scale=10.0 ** draw(st.integers(0, 9)),
    )
    return drawn._replace(**fixed)


def cook(structure: Structure, recipe: Recipe, seed: int) -> Problem:
    """Make estimates around a coherent point that all holds and bounds allow.

    Holds are bounds that meet, or a variance of 0; where there is no estimate there may be NaN.
    """
    rng = np.random.default_rng(seed)
    s = summing(structure)
    shape = (len(structure), recipe.columns)
    leaves = rng.integers(1, 9, (s.shape[1], recipe.columns)) * rng.choice([-1, 1, 1], (s.shape[1], 1))
    point = s @ leaves * recipe.scale
    estimates = point + rng.normal(0, 4, shape) * rng.choice([0, 1], shape) * recipe.scale
    width = (shape[0], 1 if recipe.shared else shape[1])
    variance = 10.0 ** rng.uniform(-recipe.spread / 2, recipe.spread / 2, width) * recipe.scale**2
    variance[rng.random(width) < recipe.silent] = INF
    room = rng.choice([0.0, 0.5, 1.0, 4.0], (2, *shape)) * recipe.scale
    lower = np.where(rng.random(shape) < recipe.bounded, point - room[0], -INF)
    upper = np.where(rng.random(shape) < recipe.bounded, point + room[1], INF)
    held = rng.random(shape) < recipe.held
    if recipe.held and rng.random() < 0.5:  # certain from the start, in all columns
        stiff = rng.random(width) < recipe.held
        variance[stiff] = 0.0
        estimates = np.where(np.broadcast_to(stiff, shape), point, estimates)
    estimates[np.broadcast_to(np.isinf(variance), shape)] = 7.7e9
    lower, upper = np.where(held, point, lower), np.where(held, point, upper)
    if recipe.bounded or recipe.held:
        return Problem(estimates, variance, lower, upper)
    return Problem(estimates, variance)


@st.composite
def problems(
    draw: st.DrawFn, of: st.SearchStrategy[Structure] | None = None, **fixed: float
) -> tuple[Structure, Problem]:
    """Draw a structure and a problem on it."""
    structure = draw(structures() if of is None else of)
    return structure, cook(structure, draw(recipes(**fixed)), draw(st.integers(0, 2**32 - 1)))


def dot_gap(structure: Structure, answer: Answer, seed: int) -> float:
    """Compare w' f(a, b) with adjoint(w)' (a, b), for the linear map f of every column; a ratio of their size."""
    rng, s = np.random.default_rng(seed), summing(structure)
    worst, silent = 0.0, np.isinf(np.broadcast_to(answer.problem.variance, answer.values.shape))
    for linear in (answer.linear, answer.free):
        a = np.where(silent, 0.0, rng.normal(size=answer.values.shape))
        b = s @ rng.normal(size=(s.shape[1], a.shape[1]))  # what cells are fixed at must agree
        together = linear.respond(a, b)
        for h in range(a.shape[1]):
            w = rng.normal(size=len(structure))
            on_a, on_b = linear.adjoint(w, h)
            size = np.abs(w) @ np.abs(together[:, h]) + np.abs(on_a) @ np.abs(a[:, h]) + 1.0
            worst = max(worst, abs(w @ together[:, h] - on_a @ a[:, h] - on_b @ b[:, h]) / size)
            alone = linear.respond(a, b, h)[:, h]  # this column's map for all columns, its own among them
            worst = max(worst, float(np.abs(alone - together[:, h]).max()) / size)
    return worst
