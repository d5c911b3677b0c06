"""Measures: what single sales and deals let us count beside the planned amount, quarter by quarter."""

from collections.abc import Sequence
from typing import Final

import pandas as pd

from spms_lib.tables import MEASURE, PERIOD, VALUE

UNITS, MARGIN, NEW_CUSTOMERS = "units", "margin", "new_customers"
WON_DEALS, NEW_DEALS, SHARE_OF = "won_deals", "new_deals", "share of "
PIECES, CUSTOMERS, DEALS, RATIO = "pieces", "customers", "deals", "ratio"
MOST_UNKNOWN: Final = 0.01
"""Part of a quarter's sales, by amount, that may lack a field before the quarter counts as unknown."""
COLUMNS: Final = (MEASURE, "unit", PERIOD, VALUE)


def sales_measures(sales: pd.DataFrame, quarters: list[str], *, currency: str, year: int = 4) -> pd.DataFrame:
    """Count pieces, margin and new customers by quarter from single sales.

    Pieces are the sum of `quantity`, margin of value - cost. A customer is new in the
    quarter of the first sale above zero; the first `year` quarters of the data only tell who was
    there, so they count no new customers. A quarter of which more than `MOST_UNKNOWN` of the
    sales lack a field is unknown in its measure and left out; it is not zero.

    Parameters
    ----------
    sales
        Columns period (quarter), value (minor units), and where known quantity, cost
        (minor units) and account. Sales of the planned measure, of all time up to the last quarter.
    quarters
        Whole quarters in order of time, without a gap, from the first one of the data.

    Returns
    -------
    pd.DataFrame
        Columns measure (units, margin, new_customers), unit (pieces, the currency, customers),
        period, value (margin in minor units); only what the sales can tell.

    Examples
    --------
    >>> sales = pd.DataFrame({"period": ["2026Q1", "2026Q2"], "value": [500, 300], "cost": [200, 100]})
    >>> sales_measures(sales, ["2026Q1", "2026Q2"], currency="EUR").values.tolist()
    [['margin', 'EUR', '2026Q1', 300.0], ['margin', 'EUR', '2026Q2', 200.0]]
    """
    parts = []
    if _told(sales, "quantity"):
        parts.append(_series(_known_sum(sales, "quantity", sales["quantity"], quarters), UNITS, PIECES))
    if _told(sales, "cost"):
        gain = sales[VALUE].astype(float) - sales["cost"].astype(float)
        parts.append(_series(_known_sum(sales, "cost", gain, quarters), MARGIN, currency))
    if _told(sales, "account"):
        bought = sales[sales["account"].notna() & (sales[VALUE] > 0)]
        first = bought.groupby("account")[PERIOD].min().value_counts()
        known = _known_sum(sales, "account", pd.Series(0.0, index=sales.index), quarters)
        counted = known + first.reindex(quarters).fillna(0.0)
        parts.append(_series(counted.iloc[year:], NEW_CUSTOMERS, CUSTOMERS))
    return joined(parts)


def deal_measures(deals: pd.DataFrame, quarters: list[str]) -> pd.DataFrame:
    """Count deals that were opened and deals that were won, by quarter.

    Parameters
    ----------
    deals
        One row per deal, as last known: columns status, opened and closed (quarters; opened
        may be missing).
    quarters
        Whole quarters that the deals cover, in order of time.

    Returns
    -------
    pd.DataFrame
        Columns measure (new_deals, won_deals), unit (deals), period, value.

    Examples
    --------
    >>> deals = pd.DataFrame({"status": ["won", "open"], "opened": ["2026Q1"] * 2, "closed": ["2026Q2"] * 2})
    >>> deal_measures(deals, ["2026Q1", "2026Q2"])["value"].tolist()
    [2.0, 0.0, 0.0, 1.0]
    """
    opened = deals["opened"].value_counts()
    won = deals.loc[deals["status"] == "won", "closed"].value_counts()
    parts = [(won, WON_DEALS)]
    if deals["opened"].notna().all():
        parts.insert(0, (opened, NEW_DEALS))
    return joined([_series(counts.reindex(quarters).fillna(0.0), name, DEALS) for counts, name in parts])


def product_shares(sales: pd.DataFrame, quarters: list[str], products: Sequence[str]) -> pd.DataFrame:
    """Compute which part of all sales each of some product lines had, by quarter.

    Parameters
    ----------
    sales
        Columns period (quarter), product and value.
    products
        Names of product lines; one without sales has a share of 0.

    Returns
    -------
    pd.DataFrame
        Columns measure (`share of <product>`), unit (ratio), period, value; a quarter without
        sales has no share.

    Examples
    --------
    >>> sales = pd.DataFrame({"period": ["2026Q1"] * 2, "product": ["a", "b"], "value": [100, 300]})
    >>> product_shares(sales, ["2026Q1"], ["a"]).values.tolist()
    [['share of a', 'ratio', '2026Q1', 0.25]]
    """
    total = sales.groupby(PERIOD)[VALUE].sum().reindex(quarters).astype(float)
    parts = []
    for name in products:
        own = sales[sales["product"] == name].groupby(PERIOD)[VALUE].sum()
        share = own.reindex(quarters).fillna(0.0) / total.where(total > 0)
        parts.append(_series(share, f"{SHARE_OF}{name}", RATIO))
    return joined(parts)


def growth_on_last_year(history: pd.DataFrame, *, year: int = 4) -> pd.DataFrame:
    """Compare every quarter with the same one a year before: quarters x measures, growth as a ratio.

    Parameters
    ----------
    history
        Columns measure, period, value; quarters in order of time, without gaps.

    Returns
    -------
    pd.DataFrame
        Missing in the first year. A measure that was zero or negative in a quarter has no growth
        to speak of, and no column.

    Examples
    --------
    >>> past = pd.DataFrame({"measure": "units", "period": list("abcde"), "value": [10, 1, 1, 1, 12.0]})
    >>> growth_on_last_year(past)["units"].round(6).tolist()[-1]
    0.2
    """
    wide = history.pivot_table(index=PERIOD, columns=MEASURE, values=VALUE, sort=False)
    order = [name for name in dict.fromkeys(history[MEASURE]) if not (wide[name] <= 0).any()]
    wide = wide.sort_index().reindex(columns=order)
    return (wide / wide.shift(year) - 1.0).rename_axis(index=None, columns=None)


def joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put histories of measures under each other; no rows where there are none."""
    some = [part for part in parts if len(part)]
    if not some:
        return pd.DataFrame({name: pd.Series(dtype="str") for name in COLUMNS}).astype({VALUE: float})
    return pd.concat(some, ignore_index=True)


def _told(sales: pd.DataFrame, column: str) -> bool:
    return column in sales and bool(sales[column].notna().any())


def _known_sum(sales: pd.DataFrame, column: str, values: pd.Series, quarters: list[str]) -> pd.Series:
    """Sum values by quarter; missing where too much of the quarter's sales lacks the column."""
    size = sales[VALUE].abs().astype(float)
    by = sales[PERIOD]
    bare = size.where(sales[column].isna(), 0.0).groupby(by).sum().reindex(quarters).fillna(0.0)
    whole = size.groupby(by).sum().reindex(quarters).fillna(0.0)
    total: pd.Series = values.astype(float).groupby(by).sum().reindex(quarters).fillna(0.0)
    return total.where(bare <= MOST_UNKNOWN * whole)


def _series(values: pd.Series, measure: str, unit: str) -> pd.DataFrame:
    """Lay out one measure; quarters that are unknown are left out."""
    known = values.dropna()
    table = pd.DataFrame({MEASURE: measure, "unit": unit, PERIOD: known.index, VALUE: known.to_numpy(float)})
    return table[list(COLUMNS)]
