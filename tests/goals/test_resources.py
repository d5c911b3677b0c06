"""Resources by marginal return: against every allocation there is, against greed, and against proportion in money."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.errors import InfeasibleError, NoBasisError, ParamsError, TableError
from spms_lib.goals.proportion import against_proportional, proportional
from spms_lib.goals.resources import allocate
from spms_lib.goals.response import (
    breakpoints,
    log_response,
    moved,
    potential_response,
    power_response,
    saturating_response,
    value_of,
)

HEADS = pd.DataFrame({"resource": ["heads"], "cost": [10.0], "available": [np.nan], "whole": [True]})


def kinds(available: float | None = None, cost: float = 10.0) -> pd.DataFrame:
    return HEADS.assign(available=np.nan if available is None else available, cost=cost)


def curves_of(gains: dict[str, list[float]], resource: str = "heads", start: int = 0) -> pd.DataFrame:
    """Curves from what the first, second ... further unit brings."""
    rows = [
        (node, resource, start + number, sales)
        for node, each in gains.items()
        for number, sales in enumerate(np.cumsum([0.0, *each]))
    ]
    return pd.DataFrame(rows, columns=["node", "resource", "units", "sales"])


def falling(values: list[float]) -> list[float]:
    return sorted(values, reverse=True)


territories = st.lists(
    st.lists(st.integers(0, 60).map(float), min_size=1, max_size=4), min_size=1, max_size=3
)


# -- optimality ----------------------------------------------------------------------------------


@settings(max_examples=25)
@given(
    heads=territories,
    days=territories,
    available=st.integers(0, 8),
    budget=st.integers(0, 90),
    cost=st.integers(1, 20),
)
def test_no_allocation_of_two_resources_under_one_budget_is_better(
    heads: list[list[float]], days: list[list[float]], available: int, budget: int, cost: int
) -> None:
    first = curves_of({f"t{i}": falling(gain) for i, gain in enumerate(heads)})
    second = curves_of({f"t{i}": falling(gain) for i, gain in enumerate(days)}, "days")
    curves = pd.concat([first, second], ignore_index=True)
    resources = pd.DataFrame(
        {
            "resource": ["heads", "days"],
            "cost": [float(cost), 7.0],
            "available": [available, np.nan],
            "whole": [True, True],
        }
    )
    best = allocate(curves, resources, budget=budget)
    assert best.sales == pytest.approx(_best_of_all(curves, resources, budget))
    assert best.sales <= best.bound + 1e-6
    assert best.spent <= budget + 1e-6


def _best_of_all(curves: pd.DataFrame, resources: pd.DataFrame, budget: float) -> float:
    """Try every allocation."""
    tables = [rows for _, rows in curves.groupby(["node", "resource"], sort=False)]
    cost = resources.set_index("resource")["cost"]
    available = resources.set_index("resource")["available"].fillna(np.inf)
    best = -np.inf
    for chosen in product(*(range(len(rows)) for rows in tables)):
        picked = [rows.iloc[number] for rows, number in zip(tables, chosen, strict=True)]
        used: dict[str, float] = {}
        for row in picked:
            used[row["resource"]] = used.get(row["resource"], 0.0) + row["units"]
        if sum(used[name] * cost[name] for name in used) <= budget and all(
            used[name] <= available[name] for name in used
        ):
            best = max(best, sum(row["sales"] for row in picked))
    return best


@settings(max_examples=30)
@given(gains=territories, available=st.integers(0, 12))
def test_heads_of_one_kind_go_where_the_next_one_brings_most(
    gains: list[list[float]], available: int
) -> None:
    ordered = [falling(gain) for gain in gains]
    best = allocate(curves_of({f"t{i}": gain for i, gain in enumerate(ordered)}), kinds(available))
    greedy = sorted((gain for each in ordered for gain in each), reverse=True)[:available]
    assert best.sales == pytest.approx(sum(greedy))
    assert best.bound == pytest.approx(best.sales)  # one kind of whole units: splitting them brings nothing


def test_money_is_not_money_when_heads_do_not_fit_the_budget() -> None:
    curves = pd.concat([curves_of({"a": [100.0]}), curves_of({"a": [30.0, 29.0]}, "days")], ignore_index=True)
    resources = pd.DataFrame(
        {"resource": ["heads", "days"], "cost": [10.0, 6.0], "available": np.nan, "whole": True}
    )
    best = allocate(curves, resources, budget=15)
    assert best.units("heads").to_dict() == {"a": 1.0}
    assert best.units("days").to_dict() == {"a": 0.0}
    assert best.bound == pytest.approx(125.0)  # five sixths of a day would still fit
    assert best.budget_price == pytest.approx(5.0)


def test_last_and_next_unit_show_where_the_allocation_stands() -> None:
    best = allocate(curves_of({"a": [50.0, 20.0, 5.0], "b": [40.0, 30.0, 1.0]}), kinds(3))
    table = best.table.set_index("node")
    assert table["units"].to_dict() == {"a": 1.0, "b": 2.0}
    assert table["last"].to_dict() == {"a": 50.0, "b": 30.0}
    assert table["next"].to_dict() == {"a": 20.0, "b": 1.0}
    assert table["last"].min() >= table["next"].max()  # no swap would gain
    assert best.resource_prices["heads"] == pytest.approx(20.0) or best.resource_prices[
        "heads"
    ] == pytest.approx(30.0)
    full = allocate(curves_of({"a": [50.0]}), kinds(9)).table.iloc[0]
    assert np.isnan(full["next"])
    none = allocate(curves_of({"a": [50.0]}), kinds(0)).table.iloc[0]
    assert np.isnan(none["last"])


def test_minimums_are_kept_where_they_bring_least() -> None:
    poor = curves_of({"poor": [1.0, 1.0]}, start=2)  # two units are promised
    rich = curves_of({"rich": [100.0, 90.0, 80.0]})
    best = allocate(pd.concat([poor, rich], ignore_index=True), kinds(4))
    assert best.units("heads").to_dict() == {"poor": 2.0, "rich": 2.0}


# -- refusals ------------------------------------------------------------------------------------


def test_minimums_beyond_what_there_is_are_refused_by_name_and_amount() -> None:
    curves = pd.concat(
        [curves_of({"north": [1.0]}, start=3), curves_of({"south": [1.0]}, start=2)], ignore_index=True
    )
    with pytest.raises(
        InfeasibleError, match=r"need 5 units, but 4 are available; the largest is 3 of 'north'.*by 1 units"
    ):
        allocate(curves, kinds(4))
    with pytest.raises(InfeasibleError, match=r"cost 50, but the budget is 45 .*by 5\."):
        allocate(curves, kinds(), budget=45)


def test_a_curve_that_bends_upwards_is_refused_by_name() -> None:
    with pytest.raises(TableError, match="'north' is said to gain more from a further unit of 'heads' at 2"):
        allocate(curves_of({"north": [1.0, 5.0]}), kinds(2))
    twice = pd.concat([curves_of({"north": [1.0]})] * 2, ignore_index=True)
    with pytest.raises(TableError, match="point twice"):
        allocate(twice, kinds(2))
    with pytest.raises(TableError, match="'cars', which is no resource"):
        allocate(curves_of({"north": [1.0]}, "cars"), kinds(2))
    halves = curves_of({"north": [1.0]}).assign(units=lambda rows: rows["units"] * 1.5)
    with pytest.raises(TableError, match=r"1\.5 units of 'heads' apart"):
        allocate(halves, kinds(2))


# -- responses -----------------------------------------------------------------------------------

CURVES = {
    "power": power_response(1000.0, 4.0, 0.31),
    "saturating": saturating_response(500.0, 3.0),
    "potential": potential_response(2000.0, 800.0, 4.0),
    "log": log_response(100.0, 2.0),
}


@pytest.mark.parametrize("name", CURVES)
def test_pieces_lie_below_the_curve_and_by_no_more_than_they_say(name: str) -> None:
    curve = CURVES[name]
    points, missed = breakpoints(curve, "t", "budget", lower=0.0, upper=12.0, whole=False)
    at = np.linspace(0.0, 12.0, 20_001)
    gap = curve.sales(at) - np.interp(at, points["units"], points["sales"])
    assert gap.min() > -1e-9
    assert gap.max() <= missed + 1e-9
    assert missed < (0.4 if name == "power" else 0.01) * curve.sales(np.array([12.0]))[0]
    exact, nothing = breakpoints(curve, "t", "heads", lower=1.0, upper=9.0, whole=True)
    assert exact["units"].tolist() == list(range(1, 10))
    assert nothing == 0.0


@pytest.mark.parametrize("name", CURVES)
def test_the_stated_slope_is_the_slope(name: str) -> None:
    at = np.array([0.5, 3.0, 10.0])
    step = 1e-5
    numeric = (CURVES[name].sales(at + step) - CURVES[name].sales(at - step)) / (2 * step)
    assert CURVES[name].slope(at) == pytest.approx(numeric, rel=1e-5)


def test_curves_pass_through_today() -> None:
    now = np.array([4.0])
    assert power_response(1000.0, 4.0).sales(now)[0] == pytest.approx(1000.0)
    assert potential_response(2000.0, 800.0, 4.0).sales(now)[0] == pytest.approx(800.0)
    assert saturating_response(500.0, 3.0).sales(np.array([3.0]))[0] == pytest.approx(250.0)
    assert moved(power_response(1000.0, 4.0), 4.0).sales(np.array([0.0]))[0] == pytest.approx(1000.0)


def test_ten_per_cent_more_heads_bring_three_per_cent_more_sales_at_the_published_elasticity() -> None:
    assert power_response(1000.0, 10.0).sales(np.array([11.0]))[0] == pytest.approx(1000 * 1.1**0.31)


@pytest.mark.parametrize(
    "make",
    [
        lambda: power_response(1.0, 0.0),
        lambda: power_response(1.0, 1.0, 1.5),
        lambda: saturating_response(1.0, 0.0),
        lambda: potential_response(1.0, 2.0, 1.0),
        lambda: log_response(-1.0, 1.0),
        lambda: breakpoints(CURVES["log"], "t", "r", lower=2.0, upper=1.0, whole=True),
        lambda: breakpoints(CURVES["log"], "t", "r", lower=1.2, upper=1.8, whole=True),
    ],
)
def test_numbers_that_make_no_concave_curve_are_refused(make) -> None:
    with pytest.raises(ParamsError):
        make()


def test_a_split_budget_comes_within_its_stated_error_of_the_calculus() -> None:
    # two territories, sales s x u / (u + h): at the optimum the slopes are equal, solved by bisection
    sizes, half, budget = np.array([500.0, 300.0]), np.array([3.0, 2.0]), 10.0
    low, high = 0.0, 10.0
    for _ in range(100):
        mine = (low + high) / 2
        other = budget - mine
        better = sizes[0] * half[0] / (mine + half[0]) ** 2 > sizes[1] * half[1] / (other + half[1]) ** 2
        low, high = (mine, high) if better else (low, mine)
    units = np.array([low, budget - low])
    true_best = float((sizes * units / (units + half)).sum())
    parts = [
        breakpoints(saturating_response(s, h), f"t{i}", "budget", lower=0.0, upper=10.0, whole=False)
        for i, (s, h) in enumerate(zip(sizes, half, strict=True))
    ]
    curves = pd.concat([points for points, _ in parts], ignore_index=True)
    money = pd.DataFrame({"resource": ["budget"], "cost": [1.0], "available": [np.nan], "whole": [False]})
    best = allocate(curves, money, budget=budget)
    assert true_best - sum(missed for _, missed in parts) <= best.sales <= true_best + 1e-9


# -- proportion ----------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(0, 3), st.integers(0, 6)), min_size=1, max_size=8),
    st.floats(0, 1),
    st.booleans(),
)
def test_a_split_in_proportion_adds_up_within_limits(
    rows: list[tuple[int, int, int]], share: float, whole: bool
) -> None:
    weights = pd.Series([float(row[0]) for row in rows])
    low = pd.Series([float(row[1]) for row in rows])
    high = low + pd.Series([float(row[2]) for row in rows])
    total = low.sum() + share * (high - low).sum()
    total = round(total) if whole else total
    found = proportional(total, weights, lower=low, upper=high, whole=whole)
    assert found.sum() == pytest.approx(total, abs=1e-6)
    assert ((found >= low - 1e-6) & (found <= high + 1e-6)).all()
    assert not whole or (found % 1 == 0).all()


def test_whole_units_go_by_largest_remainder() -> None:
    weights = pd.Series({"a": 53.0, "b": 24.0, "c": 23.0})
    found = proportional(7, weights, lower=weights * 0, upper=weights * 0 + 7)  # 3.71, 1.68, 1.61
    assert found.to_dict() == {"a": 4.0, "b": 2.0, "c": 1.0}
    with pytest.raises(NoBasisError):
        proportional(1, weights * 0, lower=weights * 0, upper=weights)
    with pytest.raises(InfeasibleError, match="allow 0 to 3"):
        proportional(7, weights, lower=weights * 0, upper=weights * 0 + 1)


@settings(max_examples=25)
@given(
    gains=territories,
    weights=st.lists(st.integers(1, 9).map(float), min_size=3, max_size=3),
    available=st.integers(0, 9),
)
def test_marginal_return_never_brings_less_than_proportion(
    gains: list[list[float]], weights: list[float], available: int
) -> None:
    curves = curves_of({f"t{i}": falling(gain) for i, gain in enumerate(gains)})
    best = allocate(curves, kinds(available))
    compared = against_proportional(
        curves, kinds(available), best, pd.Series(weights, index=["t0", "t1", "t2"])
    )
    assert compared["best"].sum() == compared["proportional"].sum()  # the same heads
    assert compared["gain"].sum() >= -1e-9
    assert compared["best_sales"].sum() == pytest.approx(best.sales)


@pytest.mark.parametrize("true_elasticity", [0.15, 0.31, 0.5])
def test_a_wrong_elasticity_still_sends_heads_to_better_places_than_proportion(
    true_elasticity: float,
) -> None:
    rng = np.random.default_rng(2)
    now, heads = rng.uniform(50, 400, 8), rng.integers(3, 9, 8).astype(float)
    targets = pd.Series(now * rng.uniform(0.8, 1.3, 8), index=[f"t{i}" for i in range(8)])

    def curves(elasticity: float) -> pd.DataFrame:
        parts = [
            breakpoints(
                moved(power_response(n, h, elasticity), h), f"t{i}", "heads", lower=0, upper=6, whole=True
            )[0]
            for i, (n, h) in enumerate(zip(now, heads, strict=True))
        ]
        return pd.concat(parts, ignore_index=True)

    believed, truth = curves(0.31), curves(true_elasticity)
    compared = against_proportional(believed, kinds(10), allocate(believed, kinds(10)), targets)
    gain = [value_of(truth, compared.assign(units=compared[column])) for column in ("best", "proportional")]
    assert gain[0] > gain[1]
