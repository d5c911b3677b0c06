import datetime as dt

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.errors import ParamsError, TableError
from spms_lib.review.pipeline import coverage, open_pipeline, win_rate

NOW = dt.date(2026, 2, 15)
Deal = tuple[str, str, str, int, float | None, str, str]


def deals(*rows: Deal) -> pd.DataFrame:
    columns = ["opportunity", "node", "status", "amount", "probability", "close_date", "as_of"]
    frame = pd.DataFrame(rows, columns=columns)
    days = dict.fromkeys(("close_date", "as_of"), "datetime64[us]")
    return frame.astype({"amount": "int64", "probability": "float64", **days})


def pipeline(node: str, amount: int | None, weighted: int | None = None) -> pd.DataFrame:
    return pd.DataFrame({"node": [node], "amount": [amount], "weighted": [weighted]}).astype(
        {"amount": "Int64", "weighted": "Int64"}
    )


def left(node: str, remaining: int | None) -> pd.DataFrame:
    return pd.DataFrame({"node": [node], "remaining": [remaining]}).astype({"remaining": "Int64"})


def test_three_times_the_quota_is_not_enough_at_a_win_rate_of_22_percent() -> None:
    """LANDSCAPE b8 J2 [WA1]: 4.8M / 1.6M = 3.0x, needs 4.5x, expected 1.06M = 66 % of need."""
    got = coverage(pipeline("a", 480_000_000), left("a", 160_000_000), 0.22).iloc[0]
    assert got["coverage_ratio"] == 3.0
    assert got["required_ratio"] == pytest.approx(4.5, abs=0.05)
    assert got["expected"] == 105_600_000
    assert got["expected_ratio"] == pytest.approx(0.66)
    assert (got["state"], got["denominator"]) == ("short", "remaining quota")


@pytest.mark.parametrize(("rate", "required"), [(1 / 3, 3), (0.25, 4), (0.18, 5.6), (0.12, 8.3)])
def test_required_coverage_is_one_over_the_win_rate(rate: float, required: float) -> None:
    """LANDSCAPE (c) [WA1][KP1]: 33 % -> 3x, 25 % -> 4x, 18 % -> 5.6x, 12 % -> 8.3x."""
    got = coverage(pipeline("a", 1), left("a", 1), rate).iloc[0]
    assert got["required_ratio"] == pytest.approx(required, abs=0.05)


def test_deals_that_slip_ask_for_more_pipeline() -> None:
    """LANDSCAPE b8 J2 [MK2]: required = 1 / win rate x (1 + slippage buffer)."""
    got = coverage(pipeline("a", 1), left("a", 1), 0.25, slippage_ratio=0.2).iloc[0]
    assert got["required_ratio"] == pytest.approx(4.8)


@pytest.mark.parametrize(
    ("amount", "remaining", "rate", "state"),
    [
        (400, 100, 0.25, "covered"),
        (399, 100, 0.25, "short"),
        (0, 0, 0.25, "quota met"),
        (0, -5, None, "quota met"),
        (400, None, 0.25, "no data"),
        (None, 100, 0.25, "no data"),
        (400, 100, None, "no data"),
        (400, 100, 0.0, "short"),
    ],
)
def test_every_node_is_in_one_state(
    amount: int | None, remaining: int | None, rate: float | None, state: str
) -> None:
    assert coverage(pipeline("a", amount), left("a", remaining), rate)["state"].iloc[0] == state


def test_a_node_without_open_deals_has_no_pipeline_rather_than_an_unknown_one() -> None:
    got = coverage(pipeline("b", 5), left("a", 100), 0.25).iloc[0]
    assert (got["amount"], got["coverage_ratio"], got["state"]) == (0, 0.0, "short")


def test_win_rates_may_differ_by_node() -> None:
    rates = pd.DataFrame({"node": ["a"], "win_rate": [0.5]})
    remaining = pd.concat([left("a", 10), left("b", 10)], ignore_index=True)
    got = coverage(pipeline("a", 20), remaining, rates)
    assert got["state"].tolist() == ["covered", "no data"]


@pytest.mark.parametrize("rate", [-0.1, 22.0])
def test_a_win_rate_is_a_share_of_one(rate: float) -> None:
    with pytest.raises(ParamsError, match=r"0\.22 is 22 %"):
        coverage(pipeline("a", 1), left("a", 1), rate)


def test_a_node_listed_twice_is_refused() -> None:
    with pytest.raises(TableError, match="listed twice"):
        coverage(pipeline("a", 1), pd.concat([left("a", 1), left("a", 1)]), 0.5)


def test_the_open_pipeline_is_the_last_snapshot_of_deals_that_close_in_the_period() -> None:
    table = deals(
        ("d1", "a", "open", 100, 0.5, "2026-03-01", "2026-02-01"),
        ("d1", "a", "open", 80, 0.5, "2026-03-01", "2026-02-15"),
        ("d2", "a", "open", 40, None, "2026-03-31", "2026-02-15"),
        ("d3", "a", "open", 999, 0.5, "2026-04-01", "2026-02-15"),
        ("d4", "a", "won", 999, 1.0, "2026-02-10", "2026-02-15"),
        ("d5", "b", "open", 10, None, "2026-02-16", "2026-02-15"),
        ("d1", "a", "open", 1, 0.5, "2026-03-01", "2026-02-16"),
    )
    got = open_pipeline(table, as_of=NOW, first_day=dt.date(2026, 1, 1), last_day=dt.date(2026, 3, 31))
    assert got[["node", "deals", "amount", "without_probability"]].values.tolist() == [
        ["a", 2, 120, 1],
        ["b", 1, 10, 1],
    ]
    assert got["weighted"].iloc[0] == 40
    assert pd.isna(got["weighted"].iloc[1])


def test_no_snapshot_yet_means_no_pipeline_rows() -> None:
    table = deals(("d1", "a", "open", 100, 0.5, "2026-03-01", "2026-02-16"))
    assert open_pipeline(table, as_of=NOW, first_day=NOW, last_day=dt.date(2026, 3, 31)).empty


def test_large_deals_lost_make_the_rate_by_amount_lower_than_by_count() -> None:
    table = deals(
        ("d1", "a", "open", 30, 0.5, "2026-01-10", "2026-01-01"),
        ("d1", "a", "won", 20, 1.0, "2026-01-10", "2026-02-01"),
        ("d2", "a", "lost", 60, 0.0, "2026-01-20", "2026-02-01"),
        ("d3", "b", "won", 20, 1.0, "2026-01-20", "2026-02-01"),
        ("d4", "b", "open", 999, 0.5, "2026-05-01", "2026-02-01"),
        ("d5", "b", "lost", 999, 0.0, "2026-02-18", "2026-02-20"),
    )
    got = win_rate(table, as_of=NOW).iloc[0]
    assert got[["won", "lost", "by_amount"]].tolist() == [2, 1, 0.4]
    assert got["by_count"] == pytest.approx(2 / 3)
    by_node = win_rate(table, as_of=NOW, by=["node"])
    assert by_node["by_amount"].tolist() == [0.25, 1.0]
    assert win_rate(table, as_of=NOW, first_day=dt.date(2026, 1, 15))["won"].iloc[0] == 1


def test_without_closed_deals_there_is_no_win_rate() -> None:
    got = win_rate(deals(("d", "a", "open", 1, 0.5, "2026-03-01", "2026-02-01")), as_of=NOW).iloc[0]
    assert (got["won"], got["lost"]) == (0, 0)
    assert pd.isna(got["by_count"])
    assert pd.isna(got["by_amount"])


@given(
    amounts=st.lists(st.integers(0, 10**10), min_size=1, max_size=6),
    rate=st.floats(0.01, 1),
    data=st.data(),
)
@settings(max_examples=40, deadline=None)
def test_covered_means_that_the_expected_wins_reach_what_remains(
    amounts: list[int], rate: float, data: st.DataObject
) -> None:
    nodes = [f"n{at}" for at in range(len(amounts))]
    open_deals = pd.DataFrame({"node": nodes, "amount": amounts, "weighted": 0})
    remaining = pd.DataFrame({"node": nodes, "remaining": 10**8})
    got = coverage(open_deals, remaining, rate)
    for row in got.itertuples():
        if abs(row.expected - 10**8) > 1:
            assert (row.state == "covered") == (row.expected > 10**8)
    shuffled = open_deals.iloc[data.draw(st.permutations(range(len(nodes))))]
    pd.testing.assert_frame_equal(got, coverage(shuffled, remaining, rate))
