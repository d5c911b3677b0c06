"""Sales at the edges of the plan over the seats' past quarters: what was put there is found, and chance is not."""

import datetime as dt
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from spms_lib.cycle import Desk
from spms_lib.cycle.pay.behaviour import attained, edge_labels, games
from spms_lib.incentives.gaming import judge
from spms_lib.incentives.plan.edges import edges_of

from firms import plan_of  # isort: skip

DAY = dt.date(2026, 5, 31)  # the quarter is not over: only past ones count
SEATS, EDGE, MONTHLY = 70, 0.9, 1000
QUARTERS = [f"{quarter}" for quarter in pd.period_range("2024Q1", "2026Q1", freq="Q")]
PLAN = {"threshold": "0.9", "clause": "4.2"}


def tables(moved: int) -> dict[str, pd.DataFrame | None]:
    """Seventy seats over nine quarters; `moved` of those that would end just below the threshold end just above it."""
    rng = np.random.default_rng(11)
    seats = [f"s{number:02d}" for number in range(SEATS)]
    parts = rng.gamma(
        4.0, 0.02, (SEATS, len(QUARTERS), 3)
    )  # first and last day; and the middle of the quarter
    parts[:, :, 1] = rng.normal(0.79, 0.2, parts.shape[:2]).clip(0.05)
    at = parts.sum(axis=2)
    short = np.argwhere((at >= EDGE - 0.05) & (at < EDGE))
    for row, column in rng.permutation(short)[:moved]:
        parts[row, column, 1] += EDGE + rng.uniform(0.001, 0.019) - at[row, column]
    days = [(quarter.start_time, quarter.start_time + pd.Timedelta(days=40), quarter.end_time)
            for quarter in pd.PeriodIndex(QUARTERS, freq="Q")]  # fmt: skip
    sold = [
        (seats[row], days[column][number].date().isoformat(), round(3 * MONTHLY * part, 2))
        for (row, column, number), part in np.ndenumerate(parts)
    ]
    months = [str(month) for month in pd.period_range("2024-01", "2026-03", freq="M")]
    people = [("acme", None, "company", "Ada"), *((seat, "acme", "seller", seat) for seat in seats)]
    return {
        "hierarchy": pd.DataFrame(people, columns=["node", "parent", "level", "owner"]),
        "transactions": pd.DataFrame(sold, columns=["node", "date", "value"]),
        "targets": pd.DataFrame(
            [(seat, month, MONTHLY) for seat in seats for month in months],
            columns=["node", "period", "value"],
        ),
        **dict.fromkeys(["submissions", "opportunities", "roster"]),
    }


@pytest.fixture
def company(opened) -> Callable[..., Desk]:
    return lambda moved=0, **changes: opened(**{**tables(moved), **changes})


def rows_of(found: pd.DataFrame) -> pd.DataFrame:
    return found.set_index("detector")


def test_seats_that_were_moved_over_the_threshold_are_listed_with_its_clause(company) -> None:
    desk = company(moved=30)
    found = games(desk, plan_of(**PLAN), until=DAY)
    assert set(found.loc[found["listed"], "detector"]) == {"bunching", "just above"}
    row = rows_of(found).loc["bunching"]
    at = attained(desk, until=DAY)["attainment"]
    assert row["where"] == "edge 0.9"
    assert row["observed"] == ((at >= EDGE) & (at < EDGE + 0.02)).sum()
    assert row["low"] < 30 < row["high"]  # the interval of what is too much holds what was put there
    assert "4.2" in row["plan_feature"]
    (label,) = edge_labels(edges_of(plan_of(**PLAN), plan_of(**PLAN).components["sales"]), found)["label"]
    assert label == f"{row['observed']:.0f} seen, {row['expected_under_null']:.0f} expected"


def test_where_nothing_was_put_nothing_is_listed(company) -> None:
    found = games(company(), plan_of(**PLAN), until=DAY)
    assert found["p_value"].notna().sum() >= 2  # it could have been told
    assert not found["listed"].any()


def test_attainment_is_what_the_seat_sold_in_the_quarter_by_its_target_sales_of_the_last_day_included(
    company,
) -> None:
    desk, made = company(), tables(0)
    rows = attained(desk, until=DAY)
    assert len(rows) == SEATS * len(QUARTERS)
    sold = made["transactions"]
    mine = sold[(sold["node"] == "s03") & sold["date"].between("2025-07-01", "2025-09-30")]
    assert len(mine) == 3
    row = rows[(rows["payee"] == "s03") & (rows["interval"] == "2025Q3")]
    assert row["attainment"].item() == pytest.approx(mine["value"].sum() / (3 * MONTHLY))


def test_a_quarter_of_which_one_month_has_no_target_is_not_judged_and_no_sales_are_zero(company) -> None:
    made = tables(0)
    targets, sold = made["targets"], made["transactions"]
    gap = (targets["node"] == "s01") & (targets["period"] == "2025-02")
    none = (sold["node"] == "s02") & sold["date"].str.startswith("2025")
    desk = company(targets=targets[~gap], transactions=sold[~none])
    wide = attained(desk, until=DAY).pivot(index="payee", columns="interval", values="attainment")
    assert np.isnan(wide.loc["s01", "2025Q1"])
    assert wide.loc["s01"].notna().sum() == len(QUARTERS) - 1
    assert wide.loc["s02", ["2025Q1", "2025Q4"]].tolist() == [0, 0]


@pytest.mark.parametrize("changes", [{"targets": None}, {"targets": None, "transactions": None}])
def test_a_company_without_past_targets_is_told_that_nobody_can_tell(company, changes: dict) -> None:
    if "transactions" in changes:
        made = tables(0)["transactions"]
        months = (
            made.assign(period=made["date"].str[:7]).groupby(["node", "period"])["value"].sum().reset_index()
        )
        changes = {**changes, "actuals": months}
    found = games(company(**changes), plan_of(**PLAN), until=DAY)
    assert len(found) == 5
    assert not found["listed"].any()
    assert found["note"].str.contains("too few to tell").all()
    edges = edges_of(plan_of(**PLAN), plan_of(**PLAN).components["sales"])
    assert edge_labels(edges, found)["label"].tolist() == ["too few to tell"]


@pytest.mark.parametrize(
    "changes", [{}, {"unit": "measure", "pays": "rate", "tiers": [[0, 1, 0.02], [1, None, 0.05]]}]
)
def test_a_plan_without_edges_of_attainment_asks_nothing_in_the_columns_of_all_plans(
    planned, changes: dict
) -> None:
    found = games(planned, plan_of(**changes), until=DAY)
    assert found.empty
    assert list(found) == list(judge())


def test_the_quarter_itself_counts_once_it_is_over(planned) -> None:
    for day, names in ((dt.date(2026, 6, 29), {"2026Q1"}), (dt.date(2026, 6, 30), {"2026Q1", "2026Q2"})):
        assert set(attained(planned, until=day, quarters=1)["interval"]) == names
