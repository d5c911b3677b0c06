import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.errors import TableError
from spms_lib.review.accuracy import accuracy, value_added


def forecasts(*rows: tuple[str, str, str, float | None]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["node", "period", "source", "value"])
    return frame.astype({"node": "str", "period": "str", "source": "str", "value": "float64"})


def actuals(*rows: tuple[str, str, int | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["node", "period", "value"]).astype({"value": "Int64"})


def test_bias_is_positive_where_the_forecast_was_too_high() -> None:
    """DESIGN 3: bias = forecast - actual; LANDSCAPE b8 [HY1]: WAPE = sum |A-F| / sum |A|."""
    got = accuracy(
        forecasts(("a", "2026-01", "commit", 130), ("b", "2026-01", "commit", 90)),
        actuals(("a", "2026-01", 100), ("b", "2026-01", 100)),
    ).iloc[0]
    assert (got["wape"], got["bias"], got["bias_ratio"], got["mae"], got["n"]) == (0.2, 20, 0.1, 20, 2)


def test_errors_of_actuals_that_are_all_zero_have_no_ratio() -> None:
    """LANDSCAPE b8 [LL1]: WAPE is undefined when the actuals sum to zero."""
    got = accuracy(forecasts(("a", "2026-01", "commit", 5)), actuals(("a", "2026-01", 0))).iloc[0]
    assert pd.isna(got["wape"])
    assert pd.isna(got["bias_ratio"])
    assert (got["bias"], got["mae"]) == (5, 5)


def test_a_source_that_stays_silent_does_not_look_better() -> None:
    got = accuracy(
        forecasts(
            ("a", "2026-01", "commit", 110),
            ("b", "2026-01", "commit", 500),
            ("c", "2026-01", "commit", None),
            ("a", "2026-01", "naive", 90),
            ("c", "2026-01", "naive", 90),
        ),
        actuals(("a", "2026-01", 100), ("b", "2026-01", 100), ("c", "2026-01", 100)),
    ).set_index("source")
    assert got["n"].tolist() == [1, 1]
    assert got["left_out"].tolist() == [2, 2]
    assert got["wape"].tolist() == [0.1, 0.1]


def test_a_month_that_is_not_over_is_left_out() -> None:
    got = accuracy(
        forecasts(("a", "2026-01", "commit", 1), ("a", "2026-02", "commit", 1)), actuals(("a", "2026-01", 1))
    )
    assert got[["n", "left_out"]].iloc[0].tolist() == [1, 1]


def test_nothing_to_compare_gives_no_number() -> None:
    got = accuracy(forecasts(("a", "2026-01", "commit", 1)), actuals(("a", "2026-01", None))).iloc[0]
    assert (got["n"], got["left_out"]) == (0, 1)
    assert got[["wape", "bias", "bias_ratio", "mae"]].isna().all()


def test_accuracy_can_be_reported_by_node_and_by_lead() -> None:
    rows = forecasts(
        ("a", "2026-01", "commit", 120), ("a", "2026-01", "commit", 110), ("b", "2026-01", "commit", 90)
    ).assign(lead=[2, 1, 1])
    truth = actuals(("a", "2026-01", 100), ("b", "2026-01", 100))
    got = accuracy(rows, truth, by=["lead", "node"])
    assert got[["lead", "node", "wape"]].values.tolist() == [[1, "a", 0.1], [1, "b", 0.1], [2, "a", 0.2]]


def test_sources_are_never_mixed() -> None:
    rows = forecasts(("a", "2026-01", "commit", 1), ("a", "2026-01", "naive", 1))
    with pytest.raises(TableError, match="commit, naive would be mixed"):
        accuracy(rows, actuals(("a", "2026-01", 1)), by=["node"])


def test_a_forecast_listed_twice_is_refused() -> None:
    rows = forecasts(("a", "2026-01", "commit", 1), ("a", "2026-01", "commit", 2))
    with pytest.raises(TableError, match="'a, 2026-01, commit' is listed twice"):
        accuracy(rows, actuals(("a", "2026-01", 1)))


grids = st.lists(
    st.tuples(
        st.sampled_from("abcd"),
        st.sampled_from(["x", "y"]),
        st.none() | st.floats(0, 1e9),
        st.integers(0, 10**9),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda row: row[:2],
)


@given(rows=grids, data=st.data())
@settings(max_examples=50, deadline=None)
def test_cells_are_used_or_counted_and_their_order_does_not_matter(rows: list, data: st.DataObject) -> None:
    truth = actuals(*{(node, "2026-01", 7 * ord(node)) for node, *_ in rows})
    frame = forecasts(*((node, "2026-01", source, value) for node, source, value, _ in rows))
    got = accuracy(frame, truth)
    assert ((got["n"] + got["left_out"]) == frame["node"].nunique()).all()
    shuffled = frame.iloc[data.draw(st.permutations(range(len(frame))))]
    pd.testing.assert_frame_equal(got, accuracy(shuffled, truth))


@given(errors=st.lists(st.integers(-50, 50), min_size=2, max_size=10))
@settings(max_examples=40, deadline=None)
def test_bias_is_never_larger_than_the_error(errors: list[int]) -> None:
    nodes = [str(number) for number in range(len(errors))]
    got = accuracy(
        forecasts(
            *((node, "2026-01", "s", 100.0 + error) for node, error in zip(nodes, errors, strict=True))
        ),
        actuals(*((node, "2026-01", 100) for node in nodes)),
    ).iloc[0]
    assert abs(got["bias_ratio"]) <= got["wape"] + 1e-12
    assert got["wape"] == pytest.approx(np.abs(errors).sum() / (100 * len(errors)))


def test_a_stage_adds_value_where_it_beats_the_naive_forecast() -> None:
    """LANDSCAPE b8 [DI1][IP1]: FVA of a stage = error of the baseline - error of the stage."""
    rows = forecasts(
        ("a", "2026-01", "seasonal_naive", 80),
        ("a", "2026-01", "rep", 110),
        ("a", "2026-01", "manager", 130),
    )
    measured = accuracy(rows, actuals(("a", "2026-01", 100)))
    got = value_added(measured, stages=["rep", "manager"])
    assert got["stage"].tolist() == ["rep", "manager"]
    assert got["value_added"].tolist() == pytest.approx([0.1, -0.1])
    assert got["n"].tolist() == [1, 1]


def test_value_added_is_told_group_by_group() -> None:
    rows = forecasts(
        *((node, "2026-01", source, value) for node in "ab" for source, value in (("naive", 80), ("rep", 90)))
    )
    truth = actuals(("a", "2026-01", 100), ("b", "2026-01", 80))
    got = value_added(accuracy(rows, truth, by=["node", "source"]), naive="naive")
    assert got["node"].tolist() == ["a", "b"]
    assert got["value_added"].tolist() == pytest.approx([0.1, -0.125])


def test_stages_measured_on_different_cells_are_refused() -> None:
    rows = forecasts(("a", "2026-01", "naive", 80), ("a", "2026-01", "rep", 80), ("b", "2026-01", "rep", 80))
    truth = actuals(("a", "2026-01", 100), ("b", "2026-01", 100))
    apart = [accuracy(rows, truth, sources=[name]) for name in ("naive", "rep")]
    with pytest.raises(TableError, match="different cells"):
        value_added(pd.concat(apart, ignore_index=True), naive="naive")


def test_an_unknown_stage_is_refused_with_the_known_ones() -> None:
    measured = accuracy(forecasts(("a", "2026-01", "naive", 80)), actuals(("a", "2026-01", 100)))
    with pytest.raises(TableError, match=r"no forecast of rep.*Known: naive"):
        value_added(measured, naive="naive", stages=["rep"])
