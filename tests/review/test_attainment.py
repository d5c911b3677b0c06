import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.errors import MoneyError, TableError
from spms_lib.review.attainment import (
    attainment,
    attainment_shape,
    fairness,
    shape_summary,
    t_quantile,
)


def table(*rows: tuple[str, str, int | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["node", "period", "value"]).astype({"value": "Int64"})


def test_variance_is_actual_minus_plan_and_attainment_their_ratio() -> None:
    """LANDSCAPE b8 J1: variance = achieved - target."""
    got = attainment(
        table(("a", "2026-01", 60), ("a", "2026-02", 30)), table(("a", "2026-01", 50), ("a", "2026-02", 70))
    )
    assert got.iloc[0].tolist() == ["a", 90, 120, -30, 0.75]


def test_nobody_has_set_a_plan_stays_unknown() -> None:
    got = attainment(
        table(("a", "2026-01", 60), ("b", "2026-01", 5)), table(("a", "2026-01", None))
    ).set_index("node")
    assert got[["plan", "variance", "attainment"]].isna().all(axis=None)
    assert got["actual"].tolist() == [60, 5]


def test_one_month_without_a_plan_leaves_the_quarter_without_one() -> None:
    got = attainment(table(("a", "2026-01", 60), ("a", "2026-02", 60)), table(("a", "2026-01", 50)))
    assert pd.isna(got["plan"].iloc[0])
    assert got["actual"].iloc[0] == 120


def test_a_zero_plan_has_a_variance_but_no_attainment() -> None:
    got = attainment(table(("a", "2026-01", 60)), table(("a", "2026-01", 0))).iloc[0]
    assert got["variance"] == 60
    assert pd.isna(got["attainment"])


@pytest.mark.parametrize(("closed", "actual"), [(True, 0), (False, None)])
def test_no_row_means_nothing_sold_only_once_the_books_are_closed(closed: bool, actual: int | None) -> None:
    got = attainment(table(), table(("a", "2026-01", 100)), books_closed=closed)["actual"].iloc[0]
    assert (None if pd.isna(got) else got) == actual


def test_an_actual_that_is_null_stays_null_in_closed_books() -> None:
    got = attainment(table(("a", "2026-01", None)), table(("a", "2026-01", 100)), books_closed=True)
    assert pd.isna(got["actual"].iloc[0])


cells = st.lists(
    st.tuples(
        st.sampled_from("abc"), st.sampled_from(["2026-01", "2026-02"]), st.none() | st.integers(0, 10**9)
    ),
    max_size=8,
)


@given(actuals=cells, plan=cells, data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_order_of_rows_changes_nothing(actuals: list, plan: list, data: st.DataObject) -> None:
    shuffled = attainment(
        table(*data.draw(st.permutations(actuals))), table(*data.draw(st.permutations(plan)))
    )
    pd.testing.assert_frame_equal(attainment(table(*actuals), table(*plan)), shuffled)


@given(actuals=cells, plan=cells)
@settings(max_examples=60, deadline=None)
def test_a_number_appears_only_where_every_part_of_it_is_known(actuals: list, plan: list) -> None:
    got = attainment(table(*actuals), table(*plan)).set_index("node")
    for node, row in got.iterrows():
        periods = {period for name, period, _ in [*actuals, *plan] if name == node}
        parts = [
            [value for name, at, value in plan if (name, at) == (node, period)] for period in sorted(periods)
        ]
        complete = all(part and None not in part for part in parts)
        assert pd.notna(row["plan"]) == complete
        if complete:
            assert row["plan"] == sum(sum(part) for part in parts)


def test_part_cents_are_refused() -> None:
    part = pd.DataFrame({"node": ["a"], "period": ["2026-01"], "value": [0.5]})
    with pytest.raises(MoneyError, match="not whole"):
        attainment(part, part)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(TableError, match="period"):
        attainment(pd.DataFrame({"node": ["a"], "value": [1]}), table())


def test_every_node_is_in_one_band() -> None:
    """LANDSCAPE b8 J4 [CO1]: bands < 50, 50-80, 80-100, 100-120, > 120 %."""
    shape = attainment_shape(pd.Series([0.49, 0.5, 0.79, 0.8, 0.99, 1.0, 1.2, 1.21, None]))
    assert shape["count"].tolist() == [1, 2, 2, 2, 1, 1]
    assert shape["share"].sum() == pytest.approx(1.0)


@given(st.lists(st.none() | st.floats(-2, 5), max_size=30))
@settings(max_examples=50, deadline=None)
def test_bands_count_every_node_once(values: list[float | None]) -> None:
    assert attainment_shape(pd.Series(values, dtype="float64"))["count"].sum() == len(values)


def test_the_shape_in_numbers() -> None:
    got = shape_summary(pd.Series([0.5, 0.8, 1.0, 1.2, 2.0, None]))
    assert got["share_at_or_above_quota"] == 0.6
    assert got["share_within_20"] == 0.6
    assert (got["median"], got["nodes"], got["unknown"]) == (1.0, 5, 1)
    assert got["p10"] == pytest.approx(0.62)
    assert got["p90"] == pytest.approx(1.68)


def test_no_attainment_at_all_gives_no_ratio() -> None:
    got = shape_summary(pd.Series([None, None], dtype="float64"))
    assert got.drop(["nodes", "unknown"]).isna().all()
    assert attainment_shape(pd.Series([None], dtype="float64"))["share"].isna().all()


def test_fair_quotas_show_no_slope() -> None:
    """LANDSCAPE b8, fairness tests [AU1]: attainment should not depend on size."""
    got = fairness(pd.Series([0.9, 1.1] * 6), pd.Series(np.repeat(np.arange(1, 7), 2) * 1000)).iloc[0]
    assert got["slope"] == pytest.approx(0.0, abs=1e-12)
    assert got["low"] < 0 < got["high"]
    assert got["verdict"].startswith("no dependence")


@pytest.mark.parametrize(("sign", "word"), [(1, "larger"), (-1, "smaller")])
def test_quotas_that_favour_a_size_are_named(sign: int, word: str) -> None:
    size = pd.Series(np.arange(1, 13) * 100.0)
    noise = np.array([0.01, -0.01] * 6)
    got = fairness(1 + sign * 0.05 * size / size.mean() + noise, size).iloc[0]
    assert got["slope"] == pytest.approx(sign * 0.05, abs=0.01)
    assert got["verdict"] == f"{word} nodes attained more"
    assert np.sign(got["correlation"]) == sign


def test_the_interval_is_that_of_a_textbook_regression() -> None:
    """Anscombe (1973), first set: slope 0.500, standard error 0.1179, n = 11; t(9) = 2.262."""
    x = pd.Series([10.0, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5])
    y = pd.Series([8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68])
    got = fairness(y, x).iloc[0]
    assert got["slope"] / x.mean() == pytest.approx(0.5001, abs=1e-4)
    assert (got["high"] - got["low"]) / 2 / x.mean() == pytest.approx(2.262 * 0.1179, abs=2e-4)
    assert got["correlation"] == pytest.approx(0.8164, abs=1e-4)


def test_the_unit_of_size_does_not_matter() -> None:
    size, reached = pd.Series(np.arange(1.0, 11)), pd.Series(np.sqrt(np.arange(1.0, 11)))
    pd.testing.assert_frame_equal(fairness(reached, size), fairness(reached, size * 100))


@pytest.mark.parametrize(
    ("nodes", "size", "word"), [(7, range(7), "too few nodes"), (9, [5] * 9, "same size")]
)
def test_fairness_says_when_it_cannot_tell(nodes: int, size: list[int], word: str) -> None:
    got = fairness(pd.Series(np.linspace(0.5, 1.5, nodes)), pd.Series(list(size))).iloc[0]
    assert word in got["verdict"]
    assert pd.isna(got["slope"])


def test_nodes_without_attainment_are_left_out_and_counted() -> None:
    got = fairness(pd.Series([*np.linspace(0.5, 1.5, 9), None]), pd.Series(range(10))).iloc[0]
    assert (got["nodes"], got["left_out"]) == (9, 1)


@pytest.mark.parametrize(("degrees", "printed"), [(6, 2.447), (10, 2.228), (30, 2.042), (120, 1.980)])
def test_student_quantiles_agree_with_the_printed_table(degrees: int, printed: float) -> None:
    assert t_quantile(degrees) == pytest.approx(printed, abs=1.1e-3)
