"""Pipeline: a snapshot knows nothing later, and an overdue deal is still in it."""

import datetime as dt

import pandas as pd
import pytest

from spms_lib.calendar import FiscalCalendar
from spms_lib.collect.pipeline import pipeline_by_month, pipeline_forecast
from spms_lib.deals import snapshot

from toys import table  # isort: skip

YEAR = FiscalCalendar()


def deals(text: str) -> pd.DataFrame:
    rows = table(text).astype({"amount": "int64", "probability": "float64"})
    return rows.assign(close_date=pd.to_datetime(rows["close_date"]), as_of=pd.to_datetime(rows["as_of"]))


DEALS = deals("""
    opportunity node status amount probability close_date as_of
    D1          anna open   100    0.5         2026-02-20 2026-01-31
    D2          anna open   40     0.25        2025-11-20 2026-01-31
    D3          ben  open   60     -           2026-03-31 2026-01-31
    D4          ben  won    80     1           2026-01-20 2026-01-31
    D5          ben  lost   80     0           2026-02-20 2026-01-31
    D1          anna open   900    0.9         2026-03-20 2026-02-28
""")


def test_a_snapshot_is_the_last_one_by_the_day_and_never_a_later_one() -> None:
    assert snapshot(DEALS, as_of=dt.date(2026, 2, 27))["as_of"].unique().tolist() == [
        pd.Timestamp(2026, 1, 31)
    ]
    assert snapshot(DEALS, as_of=dt.date(2026, 2, 28))["amount"].tolist() == [900]
    assert snapshot(DEALS, as_of=dt.date(2026, 1, 30)).empty


def test_deals_by_month_with_the_overdue_one_in_the_month_of_the_snapshot() -> None:
    known = pipeline_by_month(snapshot(DEALS, as_of=dt.date(2026, 1, 31)), YEAR)
    assert known.values.tolist() == [
        ["anna", "2026-01", 1, 40, 10.0, 0],  # expected last November, still open: January at the earliest
        ["anna", "2026-02", 1, 100, 50.0, 0],
        ["ben", "2026-03", 1, 60, 0.0, 1],  # nobody has rated it: it weighs nothing, and is counted
    ]


def test_a_company_without_probabilities_has_amounts_and_no_weight() -> None:
    known = pipeline_by_month(snapshot(DEALS, as_of=dt.date(2026, 1, 31)).drop(columns="probability"), YEAR)
    assert known["amount"].sum() == 200
    assert known["weighted"].sum() == 0
    assert known["unrated"].sum() == known["deals"].sum() == 3


def test_no_open_deal_is_an_empty_table_with_its_columns() -> None:
    closed = DEALS[DEALS["status"] != "open"]
    assert pipeline_by_month(closed, YEAR).empty
    assert "weighted" in pipeline_by_month(closed, YEAR)


SOLD = pd.DataFrame(
    {
        "node": ["anna", "anna", "ben"],
        "date": pd.to_datetime(["2026-01-10", "2026-02-01", "2025-12-31"]),
        "value": [7, 1000, 1000],
    }
)
QUARTER = YEAR.months("2026Q1")


def test_the_forecast_is_what_has_closed_by_the_day_plus_the_weighted_rest() -> None:
    day = dt.date(2026, 1, 31)
    answer = pipeline_forecast(snapshot(DEALS, as_of=day), SOLD, QUARTER, YEAR, as_of=day)
    assert answer.values.tolist() == [
        ["anna", "2026-01", "field", 17.0],
        ["anna", "2026-02", "field", 50.0],
        ["ben", "2026-03", "field", 0.0],
    ]


def test_later_snapshots_and_later_sales_change_nothing() -> None:
    day = dt.date(2026, 1, 31)
    past = DEALS[DEALS["as_of"] <= pd.Timestamp(day)]
    whole, known = (
        pipeline_forecast(snapshot(frame, as_of=day), sold, QUARTER, YEAR, as_of=day)
        for frame, sold in ((DEALS, SOLD), (past, SOLD[SOLD["date"] <= pd.Timestamp(day)]))
    )
    pd.testing.assert_frame_equal(whole, known)


@pytest.mark.real
def test_weighted_pipeline_of_a_real_crm_export_equals_an_independent_sum(shared) -> None:
    """20,000 opportunities of the Regional Sales sample, one snapshot on 2021-11-09."""
    raw = pd.read_csv(shared / "data/regional_sales/Opportunities.csv.gz")
    day = pd.Timestamp(2021, 11, 9)
    frame = pd.DataFrame(
        {
            "node": raw["SystemUserSeq"].astype(str),
            "status": raw["Status"].str.lower(),
            "amount": (raw["Value"].astype(float) * 100).round().astype("int64"),
            "probability": raw["Probability"].astype(float),
            "close_date": pd.to_datetime(raw["CloseDate"], format="mixed"),
            "as_of": day,
        }
    )
    answer = pipeline_by_month(snapshot(frame, as_of=day.date()), YEAR)
    open_ = frame[frame["status"] == "open"]
    assert answer["deals"].sum() == len(open_) == 5333
    assert answer["amount"].sum() == open_["amount"].sum()
    weighted = (open_["amount"] * open_["probability"]).groupby(open_["node"]).sum()
    assert answer.groupby("node")["weighted"].sum().to_dict() == pytest.approx(weighted.to_dict())
    expected = open_["close_date"].dt.strftime("%Y-%m").value_counts()  # none is overdue
    assert answer.groupby("period")["deals"].sum().to_dict() == expected.to_dict()
