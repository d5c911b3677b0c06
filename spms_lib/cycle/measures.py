"""Past quarters of every measure that a company's tables state or let us count."""

import pandas as pd

from spms_lib.cycle.desk import Desk
from spms_lib.errors import TableError
from spms_lib.goals.measures import (
    COLUMNS,
    SHARE_OF,
    deal_measures,
    joined,
    product_shares,
    sales_measures,
)
from spms_lib.tables import AS_OF, DATE, MEASURE, PERIOD, VALUE

UNIT = "unit"


def measure_history(desk: Desk) -> pd.DataFrame:
    """Add up every measure of the company by quarter, as far as the plan may know it.

    Measures come from the columns `measure` of transactions and actuals; from single sales
    come units, margin and new_customers, and `share of <product>` where an objective asks for it;
    from the opportunities new_deals and won_deals. What a table states wins over what is counted.
    Other counts, such as activities, are stated in the table `actuals` with their unit.

    Returns
    -------
    pd.DataFrame
        Columns measure, unit (the currency for money, else pieces, customers, deals, ratio or
        what the table says), period (whole quarters that had ended by `plan_as_of`, in order of
        time), value (float; minor units for money). The planned measure comes first.

    Raises
    ------
    TableError
        If a measure is stated in two units.
    """
    stated = _stated(desk)
    parts = [_by_quarter(desk, rows) for _, rows in stated.groupby(MEASURE, sort=False)]
    if desk.has("transactions"):
        parts += _from_sales(desk)
    if desk.has("opportunities"):
        parts.append(_from_deals(desk))
    seen: set[str] = set()
    kept = []
    for part in parts:
        new = part[~part[MEASURE].isin(seen)]
        seen |= set(new[MEASURE])
        kept.append(new)
    found = joined(kept)
    first = (found[MEASURE] != desk.company.measure).sort_values(kind="stable").index
    return found.loc[first].reset_index(drop=True)


def measure_table(desk: Desk, history: pd.DataFrame) -> pd.DataFrame:
    """Lay out each measure for reading: quarters known, the last two values of the same quarter.

    Returns
    -------
    pd.DataFrame
        Columns measure, quarters, last_year (the planned quarter a year before), before (two
        years before), growth (ratio, minus 1; missing where nothing positive stands before), unit
        (money, ratio, or the unit's own name), counted_in (the unit as stated).
    """
    once = desk.calendar.same_period_last_year(desk.cycle)
    twice = desk.calendar.same_period_last_year(once)
    rows = []
    for (name, unit), part in history.groupby([MEASURE, UNIT], sort=False):
        value = part.set_index(PERIOD)[VALUE]
        new, old = value.get(once), value.get(twice)
        growth = new / old - 1.0 if new is not None and old is not None and old > 0 else None
        kind = "money" if unit == desk.currency else unit
        rows.append((name, len(value), new, old, growth, kind, unit))
    columns = [MEASURE, "quarters", "last_year", "before", "growth", UNIT, "counted_in"]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(["last_year", "before", "growth"], float))


def _stated(desk: Desk) -> pd.DataFrame:
    """Put stated measures under each other: measure, unit, period (month), value."""
    parts = []
    if desk.has("transactions"):
        rows = desk.table("transactions")
        months = desk.calendar.months_of(rows[DATE])
        parts.append(rows[[MEASURE, VALUE]].assign(unit=desk.currency, period=months))
    if desk.has("actuals"):
        rows = desk.table("actuals")
        rows = rows[~rows[MEASURE].isin(parts[0][MEASURE])] if parts else rows
        unit = rows[UNIT].astype("object").where(rows[UNIT].notna(), desk.currency)
        value = rows[VALUE].astype(float).where(unit == desk.currency, rows[VALUE] / desk.per_unit)
        parts.append(rows[[MEASURE, PERIOD]].assign(unit=unit, value=value))
    joined_rows = pd.concat([part[list(COLUMNS)] for part in parts], ignore_index=True)
    several = joined_rows.groupby(MEASURE)[UNIT].nunique()
    if (several > 1).any():
        name = several.index[several > 1][0]
        told = sorted(joined_rows[joined_rows[MEASURE] == name][UNIT].unique())
        raise TableError(
            f"The measure '{name}' is stated in {' and '.join(told)}, which cannot be added up.",
            where="actuals",
            remedy="Give every row of a measure the same unit.",
        )
    return joined_rows


def _whole_quarters(desk: Desk, months: pd.Series) -> list[str]:
    """List quarters of which every month lies within the span of these months, ended by `plan_as_of`."""
    span = set(desk.calendar.range(str(months.min()), str(months.max())))
    first, last = (desk.calendar.quarter_of(str(month)) for month in (months.min(), months.max()))
    return [
        quarter
        for quarter in desk.calendar.range(first, last)
        if span.issuperset(desk.calendar.months(quarter))
        and desk.calendar.end(quarter) <= desk.params.plan_as_of
    ]


def _quarters_of(desk: Desk, months: pd.Series) -> pd.Series:
    """Name the quarter of each month; a missing month stays missing."""
    names = {month: desk.calendar.quarter_of(month) for month in months.dropna().unique()}
    return months.map(names)


def _by_quarter(desk: Desk, rows: pd.DataFrame) -> pd.DataFrame:
    quarters = _whole_quarters(desk, rows[PERIOD])
    total = rows.groupby(_quarters_of(desk, rows[PERIOD]))[VALUE].sum().reindex(quarters).fillna(0.0)
    return pd.DataFrame(
        {
            MEASURE: rows[MEASURE].iloc[0],
            UNIT: rows[UNIT].iloc[0],
            PERIOD: quarters,
            VALUE: total.to_numpy(float),
        }
    )


def _from_sales(desk: Desk) -> list[pd.DataFrame]:
    rows = desk.table("transactions")
    rows = rows[rows[MEASURE] == desk.company.measure]
    if rows.empty:
        return []
    months = desk.calendar.months_of(rows[DATE])
    quarters = _whole_quarters(desk, months)
    sales = rows.assign(period=_quarters_of(desk, months))
    known = sales[sales[PERIOD] <= quarters[-1]] if quarters else sales.head(0)
    asked = [
        item.measure.removeprefix(SHARE_OF)
        for item in desk.params.objectives
        if item.measure.startswith(SHARE_OF)
    ]
    wanted = [name for name in dict.fromkeys(asked) if (known["product"] == name).any()]
    return [
        sales_measures(known, quarters, currency=desk.currency),
        product_shares(known, quarters, wanted),
    ]


def _from_deals(desk: Desk) -> pd.DataFrame:
    """Count deals as last known by `plan_as_of`, in the quarters that the snapshots cover whole.

    Snapshots taken again and again cover what came after the first of them; a single export
    covers what came after its first deal that was won or lost.
    """
    rows = desk.table("opportunities")
    known = rows[rows[AS_OF] <= pd.Timestamp(desk.params.plan_as_of)]
    last = known.sort_values(AS_OF, kind="stable").drop_duplicates("opportunity", keep="last")
    ended = last[last["status"] != "open"]
    if ended.empty:
        return joined([])
    several = known[AS_OF].min() < known[AS_OF].max()
    first = known[AS_OF].min() if several else ended["close_date"].min()
    quarters = [
        quarter
        for quarter in desk.calendar.range(
            desk.calendar.quarter_of_day(first.date()), desk.calendar.shift(desk.cycle, -1)
        )
        if pd.Timestamp(desk.calendar.start(quarter)) > first
        and pd.Timestamp(desk.calendar.end(quarter)) <= known[AS_OF].max()
    ]
    when = {
        name: _quarters_of(desk, desk.calendar.months_of(last[column]))
        for name, column in (("opened", "created"), ("closed", "close_date"))
    }
    return deal_measures(last[["status"]].assign(**when), quarters)
