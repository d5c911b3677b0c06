"""Reconciliation against copying the same numbers, against hierarchicalforecast, and against general solvers."""

import os
import statistics
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from benchmarks.company import PERIODS, company, ids, parent_child, parents_of
from benchmarks.measure import Row, measure
from spms_lib.calendar import FiscalCalendar
from spms_lib.hierarchy import Crossed, Hierarchy
from spms_lib.projection import Answer, Problem, Structure, solve, tree
from spms_lib.projection.curves import solve_bounded
from spms_lib.reconcile.grid import Heard, Layout
from spms_lib.reconcile.methods import MinT
from spms_lib.reconcile.plan import reconcile
from spms_lib.tables import NODE, PARENT, PERIOD, PRODUCT, SOURCE, VALUE, VARIANCE

Floats = NDArray[np.float64]

FULL = os.environ.get("SPMS_BENCH_FULL") == "1"  # peers that take minutes are measured in full
PAST = 60  # periods whose errors a covariance is learned from
SCALED = 100.0  # piqp calls the plain cost unbounded


def rows(sellers: int = 100_000, many: int = 1_000_000) -> list[Row]:
    return [
        *on_a_tree(sellers, repeat=15),
        *on_a_tree(many, repeat=5),
        *against_hierarchicalforecast(sellers),
        *common_errors(sellers),
        *within_bounds(sellers),
        *sellers_by_product(),
        *sellers_by_month(sellers),
        *long_frames(sellers),
    ]


# -- made-up numbers -----------------------------------------------------------------------------------


class Made(NamedTuple):
    """Estimates that do not add up, shape (n_cells, n_columns), and a variance per cell, shape (n_cells, 1)."""

    estimates: Floats
    variance: Floats


def company_tree(sellers: int) -> Hierarchy:
    return Hierarchy.from_parent_child(parent_child(company(sellers)))


def tree_of(counts: dict[str, int], seed: int) -> Hierarchy:
    """Build a tree with so many nodes per level, from the root down."""
    rng = np.random.default_rng(seed)
    tables, above = [], np.array([None], dtype=object)
    for level, count in counts.items():
        named = ids(level, count)
        parents = above[parents_of(count, len(above), rng)] if tables else above
        tables.append(pd.DataFrame({NODE: named, PARENT: parents}))
        above = named
    return Hierarchy.from_parent_child(pd.concat(tables, ignore_index=True))


def made_up(structure: Hierarchy | Crossed, columns: int = len(PERIODS), seed: int = 3) -> Made:
    """Let every cell have its own estimate, 15 % off what its leaves really do."""
    rng = np.random.default_rng(seed)
    leaves = rng.lognormal(4.0, 1.0, (int(structure.is_leaf.sum()), 1))
    leaves = leaves * (1.0 + 0.2 * rng.standard_normal((len(leaves), columns)))
    real = structure.roll_up_array(leaves)
    size = np.abs(real).mean(axis=1, keepdims=True)
    variance = (0.15 * size) ** 2 * rng.lognormal(0.0, 0.5, size.shape) + 1e-3
    return Made(real * (1.0 + 0.15 * rng.standard_normal(real.shape)), variance)


def by_period(variance: Floats, columns: int, seed: int = 4) -> Floats:
    """Let the variance of a node differ from period to period."""
    return variance * np.random.default_rng(seed).lognormal(0.0, 0.2, (len(variance), columns))


def long_frame(nodes: pd.Index, periods: list[str], values: Floats) -> pd.DataFrame:
    """Lay a grid out as node, period and value."""
    named = {NODE: nodes.repeat(len(periods)), PERIOD: np.tile(periods, len(nodes))}
    return pd.DataFrame({**named, VALUE: values.ravel()})


def estimates_frame(nodes: pd.Index, made: Made) -> pd.DataFrame:
    """Write estimates as an export has them: cents, with source and variance, in random order."""
    columns = made.estimates.shape[1]
    frame = long_frame(nodes, PERIODS[:columns], np.rint(made.estimates * 100))
    variance = np.repeat(made.variance[:, 0] * 100**2, columns)
    return frame.assign(**{SOURCE: "forecast", VARIANCE: variance}).sample(
        frac=1.0, random_state=5, ignore_index=True
    )


def copying(array: Floats, case: str, repeat: int = 30) -> Row:
    """Measure the least that any method could take: reading and writing every number once."""
    target = np.empty_like(array)
    seconds = measure(lambda: np.copyto(target, array), repeat)
    columns = array.shape[1]
    return Row(case, f"numpy.copyto of nodes x {columns} float64", seconds, repeat, note=f"floor; {busy()}")


def busy() -> str:
    """Say how many programs have lately wanted a core: on a busy machine read ratios, and those with care."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


# -- trees ---------------------------------------------------------------------------------------------


@contextmanager
def compiler(*, on: bool) -> Iterator[None]:
    """Run the two passes compiled, or in NumPy as where there is no compiler."""
    with patch.object(tree, "MAY_COMPILE", on and tree.MAY_COMPILE):
        yield


def two_passes(hierarchy: Hierarchy, made: Made, out: Floats) -> Floats:
    """Reconcile arrays in as few steps as the library has."""
    return tree.pass_through(hierarchy, made.variance, made.estimates, out=out)[0]


def on_a_tree(sellers: int, *, repeat: int) -> list[Row]:
    hierarchy = company_tree(sellers)
    made = made_up(hierarchy)
    own = Made(made.estimates, by_period(made.variance, made.estimates.shape[1]))
    out = np.empty_like(made.estimates)
    case = f"tree of {sellers:,} leaves, {len(hierarchy):,} nodes x {len(PERIODS)}"
    floor, quickest = copying(made.estimates, case), min(timed(lambda: np.copyto(out, made.estimates), 30))
    found = [floor]
    for on, how, aim in ((True, "compiled", 4), (False, "NumPy", 12)):
        for asked, whose in ((made, "variance per node"), (own, "variance per node and period")):
            for call, which in (
                (partial(two_passes, hierarchy, asked, out), "two passes"),
                (solving(hierarchy, asked), "solve"),
            ):
                with compiler(on=on):
                    times = timed(call, repeat)
                note = f"aim <= {aim}; quickest call over quickest copy {min(times) / quickest:.2g}"
                what = f"{how}, {whose}: {which}"
                found.append(against(floor, what, statistics.median(times), repeat, note=note))
    return found


def timed(call: Callable[[], object], repeat: int) -> list[float]:
    """Take the wall time of every call but the first; the quickest says what other programs do not take away."""
    return [measure(call, 1) for _ in range(repeat + 1)][1:]


def against(
    yardstick: Row, what: str, seconds: float, repeat: int, whose: str = "copy", note: str = ""
) -> Row:
    """State seconds as a multiple of a yardstick's."""
    return Row(yardstick.case, what, seconds, repeat, seconds / yardstick.seconds, whose, note)


# -- hierarchicalforecast ------------------------------------------------------------------------------


def against_hierarchicalforecast(sellers: int) -> list[Row]:
    hierarchy = company_tree(sellers)
    made = made_up(hierarchy)
    columns = len(PERIODS)
    summing = summing_matrix(hierarchy)
    case = f"hierarchicalforecast, {sellers:,} leaves, {len(hierarchy):,} nodes x {columns}"
    leaves = Made(made.estimates, hierarchy.roll_up_array(np.ones((sellers, 1))))
    found = peer_rows(hierarchy, summing, leaves, case, "wls_struct", columns, aim=100)
    return found + peer_rows(hierarchy, summing, made, case, "wls_var", columns if FULL else 1, aim=10_000)


def peer_rows(
    hierarchy: Hierarchy,
    summing: sparse.csr_matrix,
    made: Made,
    case: str,
    method: str,
    columns: int,
    aim: int,
) -> list[Row]:
    """Measure one method of the peer on some columns, and ours on all of them."""
    out = np.empty_like(made.estimates)
    ours = measure(lambda: two_passes(hierarchy, made, out), 15)
    kept: list[Floats] = []
    some = made.estimates[:, :columns].copy()
    repeat = 3 if method == "wls_struct" else 1
    peer = measure(lambda: kept.append(peer_values(summing, some, made.variance, method)), repeat)
    part = len(PERIODS) / columns
    gap = np.abs(kept[-1] - out[:, :columns])
    leaf = out[hierarchy.is_leaf, :columns]
    note = "12 x one measured period; SPMS_BENCH_FULL=1 for all" if columns == 1 else "arrays in and out"
    wrong = f"peer is off by up to {gap[hierarchy.is_leaf].max() / np.median(leaf):.1e} of the median leaf"
    rms = np.sqrt((gap[hierarchy.is_leaf] ** 2).mean() / (leaf**2).mean())
    return [
        Row(case, f"peer: MinTraceSparse {method}", peer * part, repeat, note=note),
        Row(case, f"ours: {method}", ours, 15, note="two passes, compiled"),
        Row(
            case,
            f"peer over ours, {method}",
            ours,
            15,
            peer * part / ours,
            "ours",
            f"aim >= {aim:,} x; {wrong}, RMS {rms:.1e}",
        ),
    ]


def peer_values(summing: sparse.csr_matrix, estimates: Floats, variance: Floats, method: str) -> Floats:
    from hierarchicalforecast.methods import MinTraceSparse
    from threadpoolctl import threadpool_limits

    past: dict[str, Floats] = {}
    if method == "wls_var":  # two past errors whose sample variance is the one asked for
        errors = 1.0 + np.sqrt(variance / 2.0) * np.array([[1.0, -1.0]])
        past = {"y_insample": errors, "y_hat_insample": np.zeros_like(errors)}
    with warnings.catch_warnings(), threadpool_limits(1):  # its small products only wait for a second thread
        warnings.simplefilter("ignore")  # what the peer advises does not concern a speed test
        values: Floats = MinTraceSparse(method).fit_predict(S=summing, y_hat=estimates, **past)["mean"]
    return values


def summing_matrix(hierarchy: Hierarchy) -> sparse.csr_matrix:
    """Say which leaves each node is the sum of, as the peer takes it; every leaf lies at the deepest level."""
    here = np.flatnonzero(hierarchy.is_leaf)
    column = np.arange(len(here))
    lines = [here]
    for _ in range(len(hierarchy.offsets) - 2):
        lines.append(hierarchy.parent[lines[-1]])
    where = np.concatenate(lines), np.tile(column, len(lines))
    return sparse.csr_matrix((np.ones(len(where[0])), where), shape=(len(hierarchy), len(here)))


# -- errors in common ----------------------------------------------------------------------------------


def common_errors(sellers: int) -> list[Row]:
    hierarchy = company_tree(sellers)
    made = made_up(hierarchy)
    rng = np.random.default_rng(6)
    shared = rng.standard_normal((len(hierarchy), 3)) @ rng.standard_normal((3, PAST)) * 0.3
    errors = np.sqrt(made.variance) * (rng.standard_normal((len(hierarchy), PAST)) + shared)
    case = (
        f"mint_shrink, {sellers:,} leaves, {len(hierarchy):,} nodes x {len(PERIODS)}, {PAST} past errors each"
    )
    floor = copying(made.estimates, case)

    layout = Layout.of(hierarchy, PERIODS)
    said = np.ones(made.estimates.shape, dtype=bool)
    heard = Heard(layout, [], said, made.estimates, np.ones(made.estimates.shape))
    with patch("spms_lib.reconcile.methods.past_grid", return_value=errors):
        weigh = measure(lambda: MinT(pd.DataFrame()).weigh(layout, heard), 5)
        arrays = measure(lambda: shrunk(layout, heard), 5)
    past = [f"{year}-{month:02d}" for year in range(2021, 2026) for month in range(1, 13)]
    residuals = long_frame(hierarchy.nodes, past, errors * 100)
    frame = estimates_frame(hierarchy.nodes, made)
    public = measure(lambda: reconcile(hierarchy, frame, method=MinT(residuals)), 1)
    return [
        floor,
        against(floor, "MinT.weigh, residuals as an array", weigh, 5),
        against(floor, "MinT.weigh and solve, residuals as an array", arrays, 5, note="aim <= 300 ms"),
        against(floor, f"reconcile, {len(residuals):,} residuals in a long frame", public, 1),
    ]


def shrunk(layout: Layout, heard: Heard) -> Answer:
    weighed = MinT(pd.DataFrame()).weigh(layout, heard)
    asked = Problem(weighed.estimates(layout, heard.value), weighed.variance, factors=weighed.factors)
    return solve(layout.structure, asked)


# -- bounds --------------------------------------------------------------------------------------------


def within_bounds(sellers: int) -> list[Row]:
    hierarchy = company_tree(sellers)
    made = made_up(hierarchy)
    rng = np.random.default_rng(7)
    estimates = np.where(rng.random(made.estimates.shape) < 0.1, -0.5, 1.0) * made.estimates
    none = np.full(estimates.shape, np.inf)
    caps = np.where(rng.random(estimates.shape) < 0.3, 0.9 * np.abs(estimates), np.inf)
    found = []
    for upper, what in ((none, "floor 0 everywhere"), (caps, "floor 0, caps on 30 % of the nodes")):
        asked = Problem(estimates, made.variance, np.zeros(estimates.shape), upper)
        found += bounded_rows(hierarchy, asked, f"{what}, {sellers:,} leaves x {len(PERIODS)}")
    return found


def bounded_rows(hierarchy: Hierarchy, asked: Problem, case: str) -> list[Row]:
    assert asked.lower is not None
    assert asked.upper is not None
    floor = copying(asked.estimates, case)
    limits = asked.lower, asked.upper
    arrays = measure(lambda: solve_bounded(hierarchy, asked.estimates, asked.variance, *limits), 3)
    ours = measure(lambda: solve(hierarchy, asked), 3)
    exact = solve(hierarchy, asked).values[:, 0]
    found = [
        floor,
        against(floor, "ours: curves only", arrays, 3, note="aim <= 300 ms"),
        against(floor, "ours: solve", ours, 3, note="aim <= 300 ms; contradictions looked for, too"),
    ]
    for name, peer in (("piqp", by_piqp), ("clarabel", by_clarabel)):
        kept: list[Floats] = []
        one = measure(lambda peer=peer, kept=kept: kept.append(peer(hierarchy.rows, asked)), 2)
        wrong = np.abs(kept[-1] - exact).max() / np.abs(exact).max()
        note = (
            f"aim >= 10 x the best; 12 x one measured period; off by up to {wrong:.0e} of the largest value"
        )
        all_periods = one * len(PERIODS)
        found.append(Row(case, f"{name}, over ours", all_periods, 2, all_periods / ours, "ours: solve", note))
    return found


def by_piqp(sums: sparse.csr_array, asked: Problem) -> Floats:
    """Solve the first period with PIQP."""
    import piqp

    solver = piqp.SparseSolver()
    weight = SCALED / asked.variance[:, 0]
    solver.setup(
        sparse.diags(weight, format="csc"),
        -weight * asked.estimates[:, 0],
        sparse.csc_matrix(sums),
        np.zeros(sums.shape[0]),
        x_l=asked.lower[:, 0],
        x_u=asked.upper[:, 0],
    )
    status = solver.solve()
    assert status == piqp.PIQP_SOLVED, status
    return np.array(solver.result.x)


def by_clarabel(sums: sparse.csr_array, asked: Problem) -> Floats:
    """Solve the first period with Clarabel."""
    import clarabel

    lower, upper = asked.lower[:, 0], asked.upper[:, 0]
    weight, each = 1.0 / asked.variance[:, 0], sparse.identity(len(lower), format="csr")
    low, high = np.isfinite(lower), np.isfinite(upper)
    lines = sparse.vstack([sparse.csr_matrix(sums), -each[low], each[high]], format="csc")
    right = np.concatenate([np.zeros(sums.shape[0]), -lower[low], upper[high]])
    cones = [
        clarabel.ZeroConeT(sums.shape[0]),
        clarabel.NonnegativeConeT(int(low.sum() + high.sum())),
    ]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    cost = -weight * asked.estimates[:, 0]
    solver = clarabel.DefaultSolver(sparse.diags(weight, format="csc"), cost, lines, right, cones, settings)
    return np.array(solver.solve().x)


# -- crossed -------------------------------------------------------------------------------------------


def sellers_by_product() -> list[Row]:
    sellers = tree_of({"company": 1, "region": 5, "team": 50, "seller": 1_000}, seed=0)
    products = tree_of({"all": 1, "category": 8, "product": 50}, seed=7)
    grid = Crossed.of({NODE: sellers, PRODUCT: products})
    made = made_up(grid)
    case = f"1,000 sellers x 50 products, {len(grid):,} cells x {len(PERIODS)}"
    floor = copying(made.estimates, case)
    leaves = grid.roll_up_array(np.ones((int(grid.is_leaf.sum()), 1)))
    kinds = (
        ("any weights", made, "aim <= 200 ms; sums laid out before"),
        ("separable weights", Made(made.estimates, leaves), "aim <= 5 ms"),
    )
    first = measure(lambda: solve(Crossed(grid.dimensions, grid.codes), Problem(*made)), 3)
    found = [floor, against(floor, "any weights: solve, sums laid out in it", first, 3)]
    for what, asked, aim in kinds:
        seconds = measure(solving(grid, asked), 5)
        found.append(against(floor, f"{what}: solve", seconds, 5, note=aim))
    return found


def solving(structure: Structure, asked: Made) -> Callable[[], Answer]:
    return lambda: solve(structure, Problem(*asked))


def sellers_by_month(sellers: int) -> list[Row]:
    hierarchy = company_tree(sellers)
    months = Hierarchy.from_periods(PERIODS, FiscalCalendar())
    grid = Crossed.of({NODE: hierarchy, PERIOD: months})
    made = made_up(grid, columns=1)
    case = f"{sellers:,} sellers x months > quarters > year, {len(grid):,} cells, one vector"
    floor = copying(made.estimates, case)
    sums = measure(lambda: Crossed(grid.dimensions, grid.codes).rows, 1)
    seconds = measure(solving(grid, made), 1)  # the roll-up of `made_up` has laid the sums out
    return [
        floor,
        against(floor, "laying the sums out", sums, 1),
        against(floor, "any weights: solve", seconds, 1, note="aim <= 5 s; sums laid out before"),
    ]


# -- long frames ---------------------------------------------------------------------------------------


def long_frames(sellers: int) -> list[Row]:
    hierarchy = company_tree(sellers)
    frame = estimates_frame(hierarchy.nodes, made_up(hierarchy))
    case = f"long frame of {len(frame):,} rows, {sellers:,} leaves"
    repeat = 3
    floor = Row(
        case,
        "factorize node, factorize period, sort by both",
        measure(lambda: sorted_frame(frame), repeat),
        repeat,
        note=f"floor: what the frame itself takes; {busy()}",
    )
    planned = measure(lambda: reconcile(hierarchy, frame), repeat)
    melted = measure(lambda: melted_plan(hierarchy, frame), repeat)
    return [
        floor,
        against(floor, "reconcile, to a plan", planned, repeat, "floor"),
        against(floor, "reconcile, to a long frame", melted, repeat, "floor", "aim <= 3"),
    ]


def sorted_frame(frame: pd.DataFrame) -> pd.DataFrame:
    pd.factorize(frame[NODE])
    pd.factorize(frame[PERIOD])
    return frame.sort_values([NODE, PERIOD])


def melted_plan(hierarchy: Hierarchy, frame: pd.DataFrame) -> pd.DataFrame:
    wide = reconcile(hierarchy, frame).values
    return wide.rename_axis(NODE).reset_index().melt(NODE, var_name=PERIOD, value_name=VALUE)


if __name__ == "__main__":
    for row in rows():
        print(row)
