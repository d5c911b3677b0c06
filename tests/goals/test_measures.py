"""Measures: what sales and deals let us count, against counts by hand, and unknown is never zero."""

import pandas as pd
import pytest

from spms_lib.goals.measures import (
    deal_measures,
    growth_on_last_year,
    joined,
    product_shares,
    sales_measures,
)

from toys import table  # isort: skip

QUARTERS = ["2025Q1", "2025Q2", "2025Q3", "2025Q4", "2026Q1", "2026Q2"]

SALES = table("""
    period value quantity cost account product
    2024Q4 10    1        4    old     a
    2025Q1 100   2        60   ann     a
    2025Q1 50    1        40   ben     b
    2025Q3 -20   -1       -10  ann     a
    2026Q1 80    4        50   ann     a
    2026Q1 70    3        30   eva     b
    2026Q1 -5    -1       -2   fay     b
    2026Q2 40    2        20   old     b
    2026Q2 60    2        20   fay     a
    """).astype({"value": int, "quantity": float, "cost": float})


def counted(sales: pd.DataFrame, measure: str, **options: object) -> dict[str, float]:
    rows = sales_measures(sales, QUARTERS, currency="EUR", **options)
    return rows[rows["measure"] == measure].set_index("period")["value"].to_dict()


def test_pieces_and_margin_are_summed_returns_taken_off_and_a_quiet_quarter_is_zero() -> None:
    assert counted(SALES, "units") == dict(zip(QUARTERS, [3, 0, -1, 0, 6, 4], strict=True))
    assert counted(SALES, "margin") == dict(zip(QUARTERS, [50, 0, -10, 0, 67, 60], strict=True))


def test_a_customer_is_new_once_and_the_first_year_only_tells_who_was_there() -> None:
    """Eva is new in 2026Q1; Fay's return is no purchase; old and ann bought before."""
    assert counted(SALES, "new_customers") == {"2026Q1": 1.0, "2026Q2": 1.0}
    assert counted(SALES, "new_customers", year=0)["2025Q1"] == 2.0


@pytest.mark.parametrize(
    ("column", "measure"), [("quantity", "units"), ("cost", "margin"), ("account", "new_customers")]
)
def test_a_quarter_that_lacks_the_field_is_unknown_and_not_zero(column: str, measure: str) -> None:
    gaps = SALES.copy()
    gaps.loc[gaps["value"] == 60, column] = None
    assert "2026Q2" not in counted(gaps, measure)
    assert counted(gaps, measure)["2026Q1"] == counted(SALES, measure)["2026Q1"]


def test_a_gap_of_less_than_a_hundredth_of_the_quarter_is_borne() -> None:
    small = pd.DataFrame({"period": "2025Q1", "value": [1, 999], "quantity": [None, 7.0]})
    assert counted(small, "units")["2025Q1"] == 7.0
    assert "2025Q1" not in counted(small.assign(value=[20, 980]), "units")


def test_what_no_sale_tells_is_no_measure() -> None:
    assert sales_measures(SALES[["period", "value"]], QUARTERS, currency="EUR").empty
    assert counted(SALES.assign(quantity=None), "units") == {}
    assert list(joined([]).columns) == ["measure", "unit", "period", "value"]


def test_shares_of_all_product_lines_sum_to_one_where_anything_was_sold() -> None:
    rows = product_shares(SALES, QUARTERS, ["a", "b"])
    assert rows["measure"].unique().tolist() == ["share of a", "share of b"]
    assert rows.groupby("period")["value"].sum().to_dict() == {"2025Q1": 1.0, "2026Q1": 1.0, "2026Q2": 1.0}
    assert rows["value"].iloc[0] == pytest.approx(100 / 150)


def test_deals_are_counted_where_they_were_opened_and_where_they_were_won() -> None:
    deals = table("""
        status opened closed
        won    2025Q1 2025Q2
        won    2024Q4 2025Q2
        lost   2025Q1 2025Q2
        open   2025Q2 2025Q3
        """)
    rows = deal_measures(deals, QUARTERS[:3])
    wide = rows.pivot_table(index="period", columns="measure", values="value")
    assert wide["new_deals"].tolist() == [2, 1, 0]
    assert wide["won_deals"].tolist() == [0, 2, 0]


def test_deals_whose_opening_nobody_noted_tell_only_what_was_won() -> None:
    deals = pd.DataFrame({"status": ["won"], "opened": [None], "closed": ["2025Q1"]})
    assert deal_measures(deals, QUARTERS[:1])["measure"].tolist() == ["won_deals"]


def test_growth_is_on_the_same_quarter_and_needs_a_positive_past() -> None:
    past = pd.concat(
        [
            pd.DataFrame({"measure": "pieces", "period": QUARTERS, "value": [10, 20, 30, 40, 11, 24.0]}),
            pd.DataFrame({"measure": "customers", "period": QUARTERS, "value": [1, 0, 3, 4, 1, 2.0]}),
        ]
    )
    table = growth_on_last_year(past)
    assert list(table.columns) == ["pieces"]
    assert table["pieces"].iloc[4:].tolist() == pytest.approx([0.1, 0.2])
    assert table["pieces"].iloc[:4].isna().all()
