"""Methods by their names in the field, against independent programs: hts and FoReco (R), hierarchicalforecast."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import InfeasibleError, ParamsError, TableError
from spms_lib.hierarchy import Crossed, Hierarchy
from spms_lib.projection.general import General, solve_general
from spms_lib.projection.separable import Separable
from spms_lib.reconcile.methods import (
    METHODS,
    BottomUp,
    MiddleOut,
    MinT,
    TopDown,
    WlsStruct,
    WlsVar,
    method_named,
    shrinkage_intensity,
)
from spms_lib.reconcile.plan import reconcile

from dense import grown, summing, trees  # isort: skip
from toys import TOY, table  # isort: skip

TREE = Hierarchy.from_parent_child(table(TOY))
EXACT = 1e-12  # ratio of the largest value: what rounding leaves


def told(
    base: Hierarchy | Crossed, values: np.ndarray, variance: np.ndarray | None = None, source: str = "base"
) -> pd.DataFrame:
    """Write a grid of numbers as the long table that `reconcile` reads."""
    index = base.nodes if isinstance(base, Hierarchy) else base.keys
    periods = [f"p{number:02d}" for number in range(values.shape[1])]
    long = pd.DataFrame(values, index, periods).melt(
        ignore_index=False, var_name="period", value_name="value"
    )
    if "period" in index.names:
        long = long.drop(columns="period")
    long = long.reset_index().assign(source=source)
    if variance is not None:
        long["variance"] = np.broadcast_to(variance, values.shape).ravel(order="F")
    return long


def past(base: Hierarchy | Crossed, values: np.ndarray) -> pd.DataFrame:
    """Write past errors, or a history, as a long table."""
    return told(base, values).drop(columns="source")


def close(found: pd.DataFrame | np.ndarray, expected: object, tolerance: float = EXACT) -> bool:
    found, expected = np.asarray(found), np.asarray(expected)
    return bool(np.abs(found - expected).max() <= tolerance * np.abs(expected).max())


# -- hts and FoReco -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def oracle(shared):
    """Numbers of FoReco and hts (R), computed on another machine."""
    path = shared / "examples/reconciliation-oracle.json"
    if not path.is_file():
        pytest.skip("no frozen numbers of FoReco and hts beside the data")
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def sales(oracle) -> tuple[Hierarchy, dict, dict]:
    """The tree of 72 nodes, numbered level by level as the R packages do; its inputs and what R made of them."""
    parents, front = [None], ["0"]
    for sizes in oracle["tree"]["children_counts"]:
        below = []
        for parent, size in zip(front, sizes, strict=True):
            for _ in range(int(size)):
                below.append(str(len(parents)))
                parents.append(parent)
        front = below
    tree = Hierarchy.from_parent_child(
        pd.DataFrame({"node": [str(number) for number in range(len(parents))], "parent": parents})
    )
    assert tree.nodes.tolist() == [str(number) for number in range(72)]
    return tree, oracle["tree"], oracle["expected_tree"]


@pytest.mark.real
@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("ols", ["foreco_ols", "hts_ols_lu"]),
        ("wls_struct", ["foreco_struct"]),
        ("trust", ["foreco_wls", "hts_wls_lu"]),
    ],
)
def test_least_squares_of_foreco_and_hts(sales, method: str, expected: list[str]) -> None:
    tree, given_, frozen = sales
    variance = np.array(given_["var"])[:, None] if method == "trust" else None
    plan = reconcile(tree, told(tree, np.array(given_["y"]), variance), method=method)
    for name in expected:
        assert close(plan.values, frozen[name])
    assert plan.certificate.holds(1e-12)


@pytest.mark.real
def test_the_variances_of_past_errors_are_those_of_foreco(sales) -> None:
    """wls_var: their mean of squares, errors not centred."""
    tree, given_, frozen = sales
    residuals = np.array(given_["residuals"])
    own = reconcile(tree, told(tree, np.array(given_["y"])), method=WlsVar(past(tree, residuals)))
    stated = told(tree, np.array(given_["y"]), (residuals**2).mean(axis=1, keepdims=True))
    assert close(own.values, reconcile(tree, stated).values)
    if np.allclose(given_["var"], (residuals**2).mean(axis=1)):
        assert close(own.values, frozen["foreco_wls"])


@pytest.mark.real
@pytest.mark.parametrize("expected", ["hts_shr", "foreco_shr"])
def test_minimum_trace_with_shrinkage_of_hts_and_foreco(sales, expected: str) -> None:
    """Both take raw second moments over T; hierarchicalforecast centres, which MinT(centred=True) does."""
    tree, given_, frozen = sales
    method = MinT(past(tree, np.array(given_["residuals"])))
    plan = reconcile(tree, told(tree, np.array(given_["y"])), method=method)
    assert close(plan.values, frozen[expected])
    other = reconcile(tree, told(tree, np.array(given_["y"])), method=MinT(method.residuals, centred=True))
    assert not close(other.values, frozen[expected], 1e-4)


@pytest.mark.real
def test_the_shrinkage_intensity_of_foreco(oracle, sales) -> None:
    residuals = np.array(sales[1]["residuals"])
    assert shrinkage_intensity(residuals) == pytest.approx(
        oracle["foreco_shrink_lambda_uncentred"], rel=1e-12
    )


@pytest.mark.real
def test_immutable_rows_of_foreco_are_holds(sales) -> None:
    """A variance of 0 holds a node at its estimate."""
    tree, given_, frozen = sales
    variance = np.array(given_["var"])[:, None].copy()
    variance[given_["immutable_rows_0based"]] = 0.0
    plan = reconcile(tree, told(tree, np.array(given_["y"]), variance))
    assert close(plan.values, frozen["foreco_imm"])
    held = plan.values.to_numpy()[given_["immutable_rows_0based"]]
    assert (held == np.array(given_["y"])[given_["immutable_rows_0based"]]).all()


def not_below_zero(tree: Hierarchy, periods: int) -> pd.DataFrame:
    return past(tree, np.zeros((len(tree), periods)))


@pytest.mark.real
@pytest.mark.parametrize("expected", ["foreco_nn_bpv", "foreco_nn_nnic"])
def test_non_negative_plans_of_foreco(sales, expected: str) -> None:
    tree, given_, frozen = sales
    base = told(tree, np.array(given_["y_with_negatives"]), np.array(given_["var"])[:, None])
    plan = reconcile(tree, base, lower=not_below_zero(tree, 4))
    assert (plan.values >= 0).all(axis=None)
    assert close(plan.values, frozen[expected])
    assert plan.certificate.holds()
    leaves_only = not_below_zero(tree, 4)
    leaves_only = leaves_only[leaves_only["node"].isin(tree.leaves)]
    assert close(reconcile(tree, base, lower=leaves_only).values, frozen[expected])


@pytest.mark.real
def test_hts_sets_negative_base_forecasts_to_zero_first(sales) -> None:
    """With that done to the input we agree; without it the plan is another one, and fits the forecasts better."""
    tree, given_, frozen = sales
    base, variance = np.array(given_["y_with_negatives"]), np.array(given_["var"])[:, None]
    clipped = reconcile(tree, told(tree, np.maximum(base, 0), variance), lower=not_below_zero(tree, 4))
    assert close(clipped.values, frozen["hts_nn"])
    plan = reconcile(tree, told(tree, base, variance), lower=not_below_zero(tree, 4))
    assert not close(plan.values, frozen["hts_nn"], 0.01)


@pytest.mark.real
def test_setting_negatives_to_zero_is_a_rule_of_thumb(sales) -> None:
    """FoReco "sntz" sets negative leaves to 0 after reconciling and sums up: some 3 % off, and a larger misfit."""
    tree, given_, frozen = sales
    base, variance = np.array(given_["y_with_negatives"]), np.array(given_["var"])[:, None]
    thumb = np.array(frozen["foreco_nn_sntz"])
    free = reconcile(tree, told(tree, base, variance)).values.to_numpy()
    assert close(tree.roll_up_array(np.maximum(free[tree.is_leaf], 0)), thumb)
    plan = reconcile(tree, told(tree, base, variance), lower=not_below_zero(tree, 4)).values.to_numpy()
    assert 0.02 < np.abs(plan - thumb).max() / np.abs(plan).max() < 0.04
    best, other = (((values - base) ** 2 / variance).sum(axis=0) for values in (plan, thumb))
    assert (best < other).all()


def tree_of_sums(sums: np.ndarray, names: list[str]) -> Hierarchy:
    """Build the tree of which the given rows are sums of its leaves, each row before what it contains."""
    rows = np.vstack([sums, np.eye(sums.shape[1])])
    parents: list[str | None] = [None]
    for place in range(1, len(rows)):
        above = [other for other in range(min(place, len(sums))) if (rows[other] >= rows[place]).all()]
        parents.append(names[above[-1]])
    tree = Hierarchy.from_parent_child(pd.DataFrame({"node": names, "parent": parents}))
    assert tree.nodes.tolist() == names
    assert (summing(tree) == rows).all()
    return tree


@pytest.mark.real
@pytest.mark.parametrize("expected", ["ols", "str", "var"])
def test_cross_temporal_plans_of_foreco(oracle, expected: str) -> None:
    """18 nodes by 17 periods (a year, its quarters, its months): `ctrec` of FoReco, ols, str and variances of our own."""
    frozen = oracle["cross_temporal"]
    org = tree_of_sums(np.array(frozen["agg_mat"]), [f"n{number:02d}" for number in range(18)])
    months = [f"2026-{month:02d}" for month in range(1, 13)]
    time = Hierarchy.from_periods(months, FiscalCalendar())
    assert frozen["agg_order"] == [12, 3, 1]
    assert len(time) == 17
    grid = Crossed.of({"node": org, "period": time})
    variance = np.array(frozen["var"]).reshape(-1, 1) if expected == "var" else None
    base = told(grid, np.array(frozen["base"]).reshape(-1, 1), variance)
    method = {"ols": "ols", "str": "wls_struct", "var": "trust"}[expected]
    plan = reconcile(grid, base, method=method)
    assert isinstance(plan.answer.linear, General if expected == "var" else Separable)
    assert plan.values.index.tolist() == org.nodes.tolist()
    assert plan.values.columns.tolist() == time.nodes.tolist()
    assert close(plan.values, frozen["expected"][expected])
    assert plan.certificate.holds()
    whole = plan.commitments
    assert (whole["FY2026"] == whole[months].sum(axis=1)).all()
    assert (whole.loc[org.leaves].sum() == whole.loc[org.root]).all()


def grouped_structure(sums: np.ndarray) -> tuple[Crossed, list[tuple[str, str]]]:
    """Read 78 sums of 30 cells as 18 nodes of an organisation by 6 of a range of products, and their order."""
    org = tree_of_sums(sums[[*range(0, 48, 6)]][:, ::3] > 0, [f"g{number:02d}" for number in range(18)])
    products = grown("all: a b, a: a1 a2, b: b1")
    order = [(node, product) for node in org.nodes[:8] for product in products.nodes]
    order += [(node, product) for node in org.leaves for product in ("all", "a", "b")]
    order += [(node, product) for node in org.leaves for product in products.leaves]
    return Crossed.of({"node": org, "product": products}), order


@pytest.mark.real
def test_grouped_plans_of_foreco(oracle) -> None:
    """108 series that are sums of 30, by organisation and by product: two crossed trees with variances of their own."""
    frozen = oracle["grouped"]
    sums = np.array(frozen["agg_mat"])
    grid, order = grouped_structure(sums)
    places = [grid.position(*keys) for keys in order]
    assert (summing(grid)[places] == np.vstack([sums, np.eye(30)])).all()
    base, variance = np.empty((108, 3)), np.empty((108, 1))
    base[places], variance[places, 0] = frozen["base"], frozen["var"]
    plan = reconcile(grid, told(grid, base, variance))
    assert close(plan.values.to_numpy()[places], frozen["expected_wls"])
    assert plan.certificate.holds()


@pytest.mark.real
def test_groups_can_be_cuts_over_a_tree(oracle) -> None:
    """The same by hand: a tree of the organisation over its cells, and products as cuts without estimates."""
    sums = np.array(oracle["grouped"]["agg_mat"])
    grid, order = grouped_structure(sums)
    base, variance = np.array(oracle["grouped"]["base"])[:, :1], np.array(oracle["grouped"]["var"])
    org = grid.dimensions["node"]
    rows = [(node, parent) for node, parent in zip(org.nodes, org.parents, strict=True)]
    rows += [(f"{node}/{product}", node) for node in org.leaves for product in ("a1", "a2", "b1")]
    tree = Hierarchy.from_parent_child(pd.DataFrame(rows, columns=["node", "parent"]))
    of_tree = {keys: keys[0] for keys in order if keys[1] == "all"}
    of_tree |= {keys: "/".join(keys) for keys in order[78:]}
    numbers = dict(zip(order, zip(base[:, 0], variance, strict=True), strict=True))
    estimates = pd.DataFrame(
        [(name, "p", "base", *numbers[keys]) for keys, name in of_tree.items()],
        columns=["node", "period", "source", "value", "variance"],
    )
    # total by product, held at a whole number, on the tree and on the crossing
    cells = [(f"product {product}", f"{node}/{product}") for product in ("a1", "b1") for node in org.leaves]
    cuts = pd.DataFrame(cells, columns=["cut", "node"])
    holds = pd.DataFrame({"node": ["product a1", "product b1"], "period": ["p", "p"], "value": [700, 600]})
    by_cuts = reconcile(tree, estimates, cuts=cuts, holds=holds)
    spoken = pd.DataFrame([(*keys, "p", "base", *numbers[keys]) for keys in of_tree],
                          columns=["node", "product", "period", "source", "value", "variance"])  # fmt: skip
    at = pd.DataFrame(
        {"node": [org.root] * 2, "product": ["a1", "b1"], "period": ["p", "p"], "value": [700, 600]}
    )
    by_crossing = reconcile(grid, spoken, holds=at)
    names = list(of_tree.values())
    assert close(by_cuts.values.loc[names, "p"], [by_crossing.values["p"][keys] for keys in of_tree], 1e-9)
    assert by_cuts.multipliers["multiplier"].to_numpy() == pytest.approx(
        by_crossing.multipliers["multiplier"].to_numpy(), rel=1e-7
    )


# -- literal examples -------------------------------------------------------------------------------------


def test_structural_weights_are_the_numbers_of_leaves() -> None:
    """earowang/hts, test-smatrix.R: InvS4h is 1 / rowSums(S)."""
    heard = told(TREE, np.full((8, 1), 7.0))
    plan = reconcile(TREE, heard, method="wls_struct")
    assert (
        plan.weighed.variance[:, 0].tolist() == summing(TREE).sum(axis=1).tolist() == [5, 2, 3, 1, 1, 1, 1, 1]
    )


def test_floors_of_ten_in_the_example_of_foreco() -> None:
    """danigiro/FoReco, test-cs.R "Bounds": (40, 20, 20, 10, 10, 10, 10), whatever leaves say below their floors."""
    tree = grown("total: a b, a: aa ab, b: ba bb")
    said = tree.roll_up_array(np.array([[1.0], [5.0], [9.0], [-3.0]]))
    floors = pd.DataFrame({"node": tree.leaves, "period": "p00", "value": 10})
    for method in ("ols", "wls_struct"):
        plan = reconcile(tree, told(tree, said), lower=floors, method=method)
        assert plan.commitments["p00"].tolist() == [40, 20, 20, 10, 10, 10, 10]
        assert set(plan.multipliers["kind"]) == {"lower"}
        assert (plan.multipliers["multiplier"] > 0).all()


def test_cross_temporal_floors_in_the_example_of_foreco() -> None:
    """danigiro/FoReco, test-ct.R: each row that is bounded reads (12, 6, 6, 3, 3, 3, 3)."""
    time = grown("year: h1 h2, h1: q1 q2, h2: q3 q4")
    grid = Crossed.of({"node": grown("total: a b"), "period": time})
    base = told(grid, grid.roll_up_array(np.full((8, 1), 1.5)))
    leaves = grid.keys[grid.is_leaf].to_frame(index=False)
    for method in ("ols", "wls_struct"):
        plan = reconcile(grid, base, lower=leaves.assign(value=3), method=method)
        assert (
            plan.commitments.loc[["a", "b"], time.nodes].to_numpy().tolist() == [[12, 6, 6, 3, 3, 3, 3]] * 2
        )
        assert plan.certificate.holds()


def test_a_rule_of_thumb_for_negatives_against_the_best_plan() -> None:
    """FoReco's clip variants of (40, 35, -5, 10) all end with the leaf at 0; three share what is taken differently.

    danigiro/FoReco, test-cs.R "sntz-variants": the parent kept and the rest scaled gives (40, 31.11, 0, 8.89).
    """
    tree = grown("t: a b c")
    floor = pd.DataFrame({"node": ["b"], "period": ["p00"], "value": [0]})
    base = np.array([[40.0], [35.0], [-5.0], [10.0]])
    kept = pd.DataFrame({"node": ["t"], "period": ["p00"], "value": [40]})
    plan = reconcile(tree, told(tree, base), lower=floor, holds=kept, method="ols")
    assert plan.values["p00"].tolist() == pytest.approx([40.0, 32.5, 0.0, 7.5])
    weighed = np.array([[1.0], [64.0], [1.0], [16.0]])  # the weights of the last variant: (40, 31, 0, 9)
    plan = reconcile(tree, told(tree, base, weighed), lower=floor, holds=kept)
    assert plan.values["p00"].tolist() == pytest.approx([40.0, 31.0, 0.0, 9.0])
    by_size = np.array([[1.0], [35.0], [1.0], [10.0]])
    plan = reconcile(tree, told(tree, base, by_size), lower=floor, holds=kept)
    assert plan.values["p00"].round(2).tolist() == [40.0, 31.11, 0.0, 8.89]


# -- hierarchicalforecast ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nixtla():
    """The package, where the benchmark group is installed."""
    return pytest.importorskip("hierarchicalforecast.methods")


LEVELS = {"toy": [0], "region": [1, 2], "seller": [3, 4, 5, 6, 7]}
TAGS = {name: np.array(places) for name, places in LEVELS.items()}
RNG = np.random.default_rng(8)
BASE = RNG.lognormal(4, 0.5, (8, 3)) * summing(TREE).sum(axis=1, keepdims=True)
HISTORY = TREE.roll_up_array(RNG.lognormal(4, 0.3, (5, 40)))  # the company as it was
RESIDUALS = RNG.normal(0, 5, (8, 3)) @ RNG.normal(size=(3, 40)) + RNG.normal(2, 8, (8, 40))


def errors_as_fits() -> dict[str, np.ndarray]:
    """hierarchicalforecast takes actuals and fitted values; only their difference counts."""
    return {"y_insample": HISTORY, "y_hat_insample": HISTORY - RESIDUALS}


@pytest.mark.parametrize("method", ["ols", "wls_struct"])
def test_minimum_trace_by_structure_of_hierarchicalforecast(nixtla, method: str) -> None:
    theirs = nixtla.MinTrace(method=method).fit_predict(S=summing(TREE), y_hat=BASE)["mean"]
    assert close(reconcile(TREE, told(TREE, BASE), method=method).values, theirs)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        # a mean of squares plus 2e-8
        ("wls_var", WlsVar(past(TREE, RESIDUALS))),
        # centred, T - 1, and an intensity that may be kept above 2e-8
        ("mint_shrink", MinT(past(TREE, RESIDUALS), centred=True)),
        # centred, T - 1
        ("mint_cov", MinT(past(TREE, RESIDUALS), shrink=False, centred=True)),
    ],
)
def test_minimum_trace_by_past_errors_of_hierarchicalforecast(nixtla, theirs: str, ours: object) -> None:
    found = nixtla.MinTrace(method=theirs).fit_predict(S=summing(TREE), y_hat=BASE, **errors_as_fits())[
        "mean"
    ]
    plan = reconcile(TREE, told(TREE, BASE), method=ours)
    assert close(plan.values, found, 1e-9)  # their ridge of 2e-8 against errors of some 100
    assert close(plan.values, TREE.roll_up_array(plan.values.to_numpy()[TREE.is_leaf]))


@pytest.mark.filterwarnings("ignore")  # that it clips, and that it converts a matrix
def test_non_negative_minimum_trace_of_hierarchicalforecast_clips_its_input(nixtla) -> None:
    """As hts does; ours agrees on clipped base forecasts, as far as their interior point solver goes."""
    base = BASE.copy()
    base[[4, 6]] -= 150.0
    program = nixtla.MinTrace(method="wls_struct", nonnegative=True)
    theirs = program.fit_predict(S=summing(TREE), y_hat=base)["mean"]
    plan = reconcile(
        TREE, told(TREE, np.maximum(base, 0)), lower=not_below_zero(TREE, 3), method="wls_struct"
    )
    assert close(plan.values, theirs, 1e-5)


def test_bottom_up_of_hierarchicalforecast(nixtla) -> None:
    theirs = nixtla.BottomUp().fit_predict(S=summing(TREE), y_hat=BASE)["mean"]
    assert close(reconcile(TREE, told(TREE, BASE), method="bottom_up").values, theirs)


@pytest.mark.parametrize(
    "proportions", ["average_proportions", "proportion_averages", "forecast_proportions"]
)
def test_top_down_of_hierarchicalforecast(nixtla, proportions: str) -> None:
    theirs = nixtla.TopDown(method=proportions).fit_predict(
        S=summing(TREE), y_hat=BASE, tags=TAGS, y_insample=HISTORY
    )["mean"]
    leaves = past(TREE, HISTORY)
    method = TopDown(proportions, leaves[leaves["node"].isin(TREE.leaves)])
    plan = reconcile(TREE, told(TREE, BASE), method=method)
    assert close(plan.values, theirs)
    assert (plan.values.loc["toy"] == BASE[0]).all()


@pytest.mark.parametrize(
    "proportions", ["average_proportions", "proportion_averages", "forecast_proportions"]
)
def test_middle_out_of_hierarchicalforecast(nixtla, proportions: str) -> None:
    theirs = nixtla.MiddleOut(middle_level="region", top_down_method=proportions).fit_predict(
        S=summing(TREE), y_hat=BASE, tags=TAGS, y_insample=HISTORY
    )["mean"]
    leaves = past(TREE, HISTORY)
    method = MiddleOut("region", proportions, leaves[leaves["node"].isin(TREE.leaves)])
    plan = reconcile(TREE, told(TREE, BASE), method=method)
    assert close(plan.values, theirs)


def test_the_sparse_solver_of_hierarchicalforecast_stops_early(nixtla) -> None:
    """At a thousand sellers its ols leaves are off by more than a ten-thousandth of a typical one; ours are not.

    It solves the normal equations by BiCGSTAB to a relative tolerance of 1e-5 and does not look at the result.
    """
    from scipy import sparse

    rng = np.random.default_rng(1)
    teams = np.sort(rng.integers(0, 100, 1000))
    tree = Hierarchy.from_parent_child(
        pd.DataFrame(
            {
                "node": ["all"]
                + [f"t{team}" for team in range(100)]
                + [f"s{seller}" for seller in range(1000)],
                "parent": [None] + ["all"] * 100 + [f"t{team}" for team in teams],
            }
        )
    )
    s = sparse.csr_matrix(summing(tree))
    base = tree.roll_up_array(rng.lognormal(4, 1, (len(tree.leaves), 1)))
    base = base * (1 + 0.15 * rng.standard_normal(base.shape))
    theirs = nixtla.MinTraceSparse(method="ols").fit_predict(S=s, y_hat=base)["mean"]
    plan = reconcile(tree, told(tree, base), method="ols")
    assert plan.certificate.holds(1e-10)
    leaf = tree.is_leaf
    ours = plan.values.to_numpy()[leaf]
    off = np.median(np.abs(theirs[leaf] - ours) / np.abs(ours))
    assert 1e-4 < off < 1
    exact = nixtla.MinTrace(method="ols").fit_predict(S=s.toarray(), y_hat=base)["mean"]
    assert close(plan.values, exact, 1e-11)


# -- laws of every method -----------------------------------------------------------------------------------

COHERENT = TREE.roll_up_array(RNG.lognormal(4, 0.5, (5, 3)))
EVIDENCE = {
    "residuals": past(TREE, RESIDUALS),
    "history": past(TREE, HISTORY)[lambda rows: rows["node"].isin(TREE.leaves)],
    "level": "region",
}


def every_method():
    return [method_named(name, **EVIDENCE) for name in METHODS]


@pytest.mark.parametrize("name", [name for name in METHODS if "average" not in name])
def test_perfect_forecasts_stay_as_they_are(name: str) -> None:
    """Nixtla, test_methods.py `*_forecast_recovery`. Proportions of the past know nothing of the forecast's."""
    plan = reconcile(TREE, told(TREE, COHERENT, np.full((8, 1), 9.0)), method=method_named(name, **EVIDENCE))
    assert close(plan.values, COHERENT)
    assert (plan.commitments - plan.values).abs().max(axis=None) < 1


@pytest.mark.parametrize("name", METHODS)
def test_every_method_adds_up_explains_itself_and_proves_itself(name: str) -> None:
    plan = reconcile(
        TREE, told(TREE, BASE * 100, np.full((8, 1), 9.0)), method=method_named(name, **EVIDENCE)
    )
    assert close(plan.values, TREE.roll_up_array(plan.values.to_numpy()[TREE.is_leaf]))
    assert plan.certificate.holds()
    sums = plan.contributions.groupby(["node", "period"])["value"].sum().unstack().loc[TREE.nodes]
    assert close(sums, plan.commitments, 1e-9)
    assert plan.variance.isna().all(axis=None) == (not plan.weighed.in_money)


@pytest.mark.parametrize("method", ["ols", "wls_struct"])
def test_a_plan_of_billions_by_weights_is_proved_as_well(method: str) -> None:
    """A company of 4 billion euros in cents; the numbers are as near to the best as numbers of this size can be."""
    assert reconcile(TREE, told(TREE, BASE * 4e8), method=method).certificate.holds()


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("unit", [0.01, 1e6])
def test_the_unit_of_money_does_not_matter(name: str, unit: float) -> None:
    scaled = {
        "residuals": EVIDENCE["residuals"].assign(value=lambda rows: rows["value"] * unit),
        "history": EVIDENCE["history"].assign(value=lambda rows: rows["value"] * unit),
        "level": "region",
    }
    variance = np.arange(1.0, 9.0)[:, None]
    one = reconcile(TREE, told(TREE, BASE, variance), method=method_named(name, **EVIDENCE))
    other = reconcile(TREE, told(TREE, BASE * unit, variance * unit**2), method=method_named(name, **scaled))
    assert close(other.values, one.values * unit)
    if one.weighed.in_money:
        assert close(
            other.variance.replace(np.inf, -1.0), (one.variance * unit**2).replace(np.inf, -1.0), 1e-9
        )


@pytest.mark.parametrize("name", METHODS)
def test_the_order_of_rows_does_not_matter(name: str) -> None:
    base = told(TREE, BASE, np.arange(1.0, 9.0)[:, None])
    shuffled = {**EVIDENCE, "residuals": EVIDENCE["residuals"][::-1], "history": EVIDENCE["history"][::-1]}
    one = reconcile(TREE, base, method=method_named(name, **EVIDENCE))
    other = reconcile(TREE, base.sample(frac=1, random_state=3), method=method_named(name, **shuffled))
    pd.testing.assert_frame_equal(one.values, other.values, rtol=1e-12)


@pytest.mark.parametrize("name", METHODS)
def test_evidence_is_not_changed(name: str) -> None:
    base = told(TREE, BASE, np.full((8, 1), 9.0))
    before = [base.copy(), EVIDENCE["residuals"].copy(), EVIDENCE["history"].copy()]
    reconcile(TREE, base, method=method_named(name, **EVIDENCE))
    for was, now in zip(before, [base, EVIDENCE["residuals"], EVIDENCE["history"]], strict=True):
        pd.testing.assert_frame_equal(was, now)


@settings(max_examples=30)
@given(trees(2), st.integers(0, 2**32 - 1))
def test_bottom_up_leaves_the_leaves_alone(tree: Hierarchy, seed: int) -> None:
    base = np.random.default_rng(seed).normal(100, 40, (len(tree), 2))
    plan = reconcile(tree, told(tree, base), method="bottom_up")
    assert (plan.values.to_numpy()[tree.is_leaf] == base[tree.is_leaf]).all()


def test_a_hold_on_one_node_is_kept_by_every_method() -> None:
    holds = pd.DataFrame({"node": ["anna"] * 3, "period": ["p00", "p01", "p02"], "value": [77, 0, -5]})
    for name in METHODS:
        base = told(TREE, BASE, np.full((8, 1), 9.0))
        plan = reconcile(TREE, base, holds=holds, method=method_named(name, **EVIDENCE))
        assert plan.commitments.loc["anna"].tolist() == [77, 0, -5]
        assert close(plan.values, TREE.roll_up_array(plan.values.to_numpy()[TREE.is_leaf]))


@pytest.mark.parametrize("centred", [True, False])
def test_mint_is_the_dense_formula(centred: bool) -> None:
    """x = y - W C' (C W C')^-1 C y, with the shrunk covariance written out."""
    errors = RESIDUALS - RESIDUALS.mean(axis=1, keepdims=True) if centred else RESIDUALS
    moment = errors @ errors.T / (40 - centred)
    intensity = shrinkage_intensity(errors)
    w = intensity * np.diag(np.diag(moment)) + (1 - intensity) * moment
    c = TREE.rows.toarray()
    expected = BASE - w @ c.T @ np.linalg.solve(c @ w @ c.T, c @ BASE)
    plan = reconcile(TREE, told(TREE, BASE), method=MinT(past(TREE, RESIDUALS), centred=centred))
    assert close(plan.values, expected)
    left = w - w @ c.T @ np.linalg.solve(c @ w @ c.T, c @ w)
    assert close(plan.variance, np.diag(left)[:, None].repeat(3, axis=1), 1e-10)


def test_the_shrinkage_intensity_is_the_sum_over_pairs() -> None:
    """Schaefer and Strimmer (2005), equation 10, pair by pair, on standardised errors."""
    unit = RESIDUALS / np.sqrt((RESIDUALS**2).mean(axis=1, keepdims=True))
    periods = unit.shape[1]
    noise = together = 0.0
    for i in range(8):
        for j in range(8):
            if i != j:
                products = unit[i] * unit[j]
                r = products.mean()
                noise += ((products - r) ** 2).sum() * periods / (periods * (periods - 1)) / periods
                together += r**2
    assert shrinkage_intensity(RESIDUALS) == pytest.approx(noise / together * periods / periods, rel=1e-10)


def test_a_cell_a_hair_above_its_floor_is_rounded() -> None:
    """Anna sold nothing and is sure of it; of the 30 million that Ben's billion lacks she carries a millionth of a cent."""
    grid = Crossed.of({"node": grown("team: anna ben"), "product": grown("all: boats")})
    keys = ["node", "product", "period"]
    base = pd.DataFrame(
        [("anna", "boats", "p", "field", 0.0, 1.0), ("ben", "boats", "p", "field", 1e9, 1e13)],
        columns=[*keys, "source", "value", "variance"],
    )
    floor = pd.DataFrame([("anna", "boats", "p", 0)], columns=[*keys, "value"])
    total = pd.DataFrame([("team", "all", "p", 1_030_000_000)], columns=[*keys, "value"])
    plan = reconcile(grid, base, lower=floor, holds=total)
    assert plan.commitments["p"][("anna", "boats")] == 0
    assert plan.commitments["p"][("team", "all")] == 1_030_000_000


# -- top-down and middle-out ----------------------------------------------------------------------------------


def test_top_down_by_forecasts_splits_level_by_level() -> None:
    """200 at the top: regions say 60 and 90, so 80 and 120; Anna and Ben 10 and 30, so 20 and 60."""
    base = told(TREE, np.array([[200, 60, 90, 10, 30, 20, 20, 80]], dtype=float).T)
    assert reconcile(TREE, base, method="top_down_forecast_proportions").commitments["p00"].to_dict() == {
        "toy": 200, "north": 80, "south": 120, "anna": 20, "ben": 60, "carl": 20, "dora": 20, "emil": 80,
    }  # fmt: skip


def test_top_down_by_the_past_takes_shares_of_means_or_means_of_shares() -> None:
    """Two sellers of 10 : 30 and 30 : 10 in years of 40, then 10 : 90: by means 50 : 130, by shares 0.367 : 0.633."""
    tree = grown("all: a b")
    history = past(tree, np.array([[40.0, 40.0, 100.0], [10.0, 30.0, 10.0], [30.0, 10.0, 90.0]]))
    history = history[history["node"] != "all"]
    base = told(tree, np.array([[180.0], [1.0], [2.0]]))
    by_means = reconcile(tree, base, method=TopDown("proportion_averages", history)).values["p00"]
    assert by_means.tolist() == pytest.approx([180.0, 50.0, 130.0])
    by_shares = reconcile(tree, base, method=TopDown("average_proportions", history)).values["p00"]
    assert by_shares.tolist() == pytest.approx(
        [180.0, 180 * (0.25 + 0.75 + 0.1) / 3, 180 * (0.75 + 0.25 + 0.9) / 3]
    )


def test_middle_out_keeps_its_level_sums_above_and_splits_below() -> None:
    base = told(TREE, np.array([[999, 60, 90, 10, 30, 20, 20, 80]], dtype=float).T)
    plan = reconcile(TREE, base, method=MiddleOut("region"))
    assert plan.commitments["p00"].to_dict() == {
        "toy": 150, "north": 60, "south": 90, "anna": 15, "ben": 45, "carl": 15, "dora": 15, "emil": 60,
    }  # fmt: skip
    assert (plan.values.loc[["north", "south"], "p00"] == [60.0, 90.0]).all()


def test_holds_below_the_kept_level_are_absorbed_by_the_others_in_proportion() -> None:
    """Emil is held at 30 of South's 120; Carl and Dora share the other 90 as they would have shared 40: one to one."""
    base = told(TREE, np.array([[200, 60, 90, 10, 30, 20, 20, 80]], dtype=float).T)
    hold = pd.DataFrame({"node": ["emil"], "period": ["p00"], "value": [30]})
    top = reconcile(TREE, base, holds=hold, method="top_down_forecast_proportions").values["p00"]
    assert top["toy"] == 200.0
    others = ["anna", "ben", "carl", "dora"]
    assert (top[others] / [20, 60, 20, 20]).to_numpy() == pytest.approx(170 / 120)  # 50 more for all others
    middle = reconcile(TREE, base, holds=hold, method=MiddleOut("region")).values["p00"]
    assert middle[["toy", "north", "south"]].tolist() == [150.0, 60.0, 90.0]
    assert middle[["anna", "ben", "carl", "dora", "emil"]].tolist() == pytest.approx(
        [15.0, 45.0, 30.0, 30.0, 30.0]
    )


def test_caps_below_the_kept_level_are_absorbed_too() -> None:
    base = told(TREE, np.array([[200, 60, 90, 10, 30, 20, 20, 80]], dtype=float).T)
    cap = pd.DataFrame({"node": ["emil"], "period": ["p00"], "value": [30]})
    plan = reconcile(TREE, base, upper=cap, method="top_down_forecast_proportions")
    assert plan.values["p00"].tolist() == pytest.approx(
        [200.0, 80 * 170 / 120, 30 + 40 * 170 / 120, *(np.array([20, 60, 20, 20]) * 170 / 120), 30.0]
    )


def test_a_crossed_plan_is_split_from_the_top_by_its_past() -> None:
    grid = Crossed.of({"node": grown("team: anna ben"), "product": grown("all: boats cars")})
    history = past(grid, grid.roll_up_array(np.array([[1.0], [2.0], [3.0], [4.0]])))
    leaves = history[history["node"].isin(["anna", "ben"]) & history["product"].isin(["boats", "cars"])]
    base = told(grid, np.full((9, 1), 50.0))
    plan = reconcile(grid, base, method=TopDown("proportion_averages", leaves))
    assert [
        plan.values["p00"][cell] for cell in [("team", "all"), ("anna", "boats"), ("ben", "cars")]
    ] == pytest.approx([50.0, 5.0, 20.0])
    with pytest.raises(ParamsError, match="middle_out needs one tree"):
        reconcile(grid, base, method=MiddleOut("level 0"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("wls_var", "wls_var needs residuals"),
        ("mint_shrink", "mint_shrink needs residuals"),
        ("top_down_average_proportions", "needs history"),
        ("middle_out", "needs a level"),
        ("wls", "no method 'wls'"),
        ("top_downwards", "no method 'top_downwards'"),
    ],
)
def test_a_method_without_its_evidence_is_refused(name: str, message: str) -> None:
    with pytest.raises(ParamsError, match=message):
        method_named(name)


def test_evidence_that_cannot_be_used_is_refused_by_name() -> None:
    base = told(TREE, BASE)
    residuals, history = EVIDENCE["residuals"], EVIDENCE["history"]
    gappy = residuals.drop(residuals.index[-1])
    with pytest.raises(TableError, match="Past errors of 'emil' are missing"):
        reconcile(TREE, base, method=MinT(gappy))
    headless = base[(base["node"] != "toy") | (base["period"] != "p01")]
    with pytest.raises(TableError, match="needs an estimate of 'toy' in p01"):
        reconcile(TREE, headless, method="top_down_forecast_proportions")
    with pytest.raises(TableError, match="forecast of every child of 'north'"):
        reconcile(TREE, base[base["node"] != "ben"], method="top_down_forecast_proportions")
    nothing = history.assign(value=0.0)
    with pytest.raises(TableError, match="History below 'toy' sums to zero"):
        reconcile(TREE, base, method=TopDown("proportion_averages", nothing))
    short = residuals[residuals["period"] < "p02"]
    with pytest.raises(InfeasibleError, match="cannot tell"):
        reconcile(TREE, base, method=MinT(short, shrink=False))


# -- Australian trips: State > Region by purpose --------------------------------------------------------------


@pytest.fixture(scope="module")
def trips(shared) -> tuple[Crossed, pd.DataFrame, pd.DataFrame]:
    """Geography by purpose, the raw table, and whole trips per leaf cell and quarter."""
    raw = pd.read_csv(shared / "data/tourism/australia_tourism.csv.gz")
    raw["node"] = raw["State"] + "/" + raw["Region"]
    raw["units"] = (raw["Trips"] * 1000).round().astype("int64")
    places = Hierarchy.from_paths(
        raw[["State", "Region"]].drop_duplicates(), ["State", "Region"], root="Australia"
    )
    purposes = grown("any: Business Holiday Other Visiting")
    grid = Crossed.of({"node": places, "product": purposes})
    wide = raw.pivot_table(index=["node", "Purpose"], columns="date_time", values="units", aggfunc="sum")
    leaves = wide.reindex(grid.keys[grid.is_leaf]).astype("int64")
    assert leaves.size == len(raw) == 24_320
    return grid, raw, leaves


@pytest.mark.real
def test_trips_roll_up_as_pandas_groups_them(trips) -> None:
    grid, raw, leaves = trips
    whole = pd.DataFrame(grid.roll_up_array(leaves.to_numpy()), grid.keys, leaves.columns)
    assert len(grid) == (1 + 8 + 76) * 5
    by_quarter = raw.groupby("date_time")["units"].sum()
    assert whole.loc[("Australia", "any")].tolist() == by_quarter.tolist()
    for keys, columns in {("State", "date_time"): "any", ("Purpose", "date_time"): "Australia"}.items():
        expected = raw.groupby(list(keys))["units"].sum().unstack()
        level = "product" if columns == "any" else "node"
        found = whole.xs(columns, level=level).loc[expected.index]
        assert (found.to_numpy() == expected.to_numpy()).all()
    both = raw.groupby(["State", "Purpose", "date_time"])["units"].sum().unstack()
    assert (whole.loc[both.index.to_list()].to_numpy() == both.to_numpy()).all()
    regions = raw.groupby(["node", "date_time"])["units"].sum().unstack()
    assert (whole.xs("any", level="product").loc[regions.index].to_numpy() == regions.to_numpy()).all()


@pytest.mark.real
def test_trips_of_last_year_are_coherent_and_each_cells_own_growth_is_not(trips) -> None:
    grid, _, leaves = trips
    whole = grid.roll_up_array(leaves.to_numpy()).astype(float)
    naive, years = whole[:, -4:], whole.reshape(len(grid), -1, 4).sum(axis=2)
    plan = reconcile(grid, told(grid, naive), method="wls_struct")
    assert isinstance(plan.answer.linear, Separable)
    assert close(plan.values, naive)
    growth = np.where(years[:, [-2]] > 0, years[:, [-1]] / np.maximum(years[:, [-2]], 1.0), 1.0)
    base = naive * growth
    struct = reconcile(grid, told(grid, base), method=WlsStruct())
    assert struct.certificate.holds()
    assert not close(struct.values, base, 1e-3)
    general = solve_general(grid, struct.problem)
    assert isinstance(general.linear, General)
    assert close(general.values, struct.values, 1e-11)
    errors = past(grid, (whole[:, 4:] - whole[:, :-4])[:, -40:])
    own = reconcile(grid, told(grid, base), method=WlsVar(errors))
    assert isinstance(own.answer.linear, General)
    assert own.certificate.holds()
    assert (own.commitments - own.values).abs().max(axis=None) < 1.0 + 1e-6
    bottom = reconcile(grid, told(grid, base), method=BottomUp())
    assert close(bottom.values.to_numpy()[grid.is_leaf], base[grid.is_leaf])
    assert np.abs(bottom.values.iloc[0] - base[0]).max() > np.abs(own.values.iloc[0] - base[0]).max()


@pytest.mark.real
def test_trips_with_caps_and_a_total_by_purpose_prove_themselves(trips) -> None:
    """Nobody below 0, Sydney capped at last year's, holidays held: one quarter of 425 cells."""
    grid, _, leaves = trips
    whole = grid.roll_up_array(leaves.to_numpy())
    base = told(grid, whole[:, [-1]] * 1.1, np.maximum(whole[:, [-5]] * 0.2, 1000) ** 2)
    cells = grid.keys.to_frame(index=False).assign(period="p00")
    sydney = grid.position("New South Wales/Sydney", "any")
    holiday = grid.position("Australia", "Holiday")
    plan = reconcile(
        grid,
        base,
        lower=cells.assign(value=0),
        upper=cells.iloc[[sydney]].assign(value=whole[sydney, -1]),
        holds=cells.iloc[[holiday]].assign(value=whole[holiday, -1]),
    )
    assert plan.certificate.holds()
    assert plan.commitments["p00"].iloc[[sydney, holiday]].tolist() == whole[[sydney, holiday], -1].tolist()
    assert (plan.commitments["p00"] >= 0).all()
    assert (
        plan.multipliers.set_index(["node", "product"])["multiplier"].loc["New South Wales/Sydney"] < 0
    ).all()
