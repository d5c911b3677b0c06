"""Roll-ups of deals: forecast categories and weighted pipeline by node and month, from one frame.

Conventions: *closed* is what was won, in the month of its closing day; *commit*, *most likely*,
*best case* and *pipeline* are open deals in the month in which they are expected to close. A
roll-up is cumulative as Salesforce shows it by default: commit forecast = closed + commit, and
each further category adds its own, so that closed 50, commit 100, best case 150 and pipeline 200
make 150, 300 and 500. Open pipeline leaves closed out: 450. Weighted pipeline = sum of
amount x probability of open deals. An open deal whose closing day has passed counts in the month
of the snapshot, as it can close there at the earliest. A deal without a category is in
none, and is shown beside them.
"""

from collections.abc import Sequence
from typing import Final

import pandas as pd

from spms_lib.calendar import FiscalCalendar
from spms_lib.collect.submissions import OPTIONAL, cumulative
from spms_lib.deals import open_deals
from spms_lib.hierarchy import Hierarchy
from spms_lib.tables import CATEGORIES, CATEGORY, NODE, PERIOD

UNSTATED: Final = "no_category"
OPEN_PIPELINE: Final = "open_pipeline"
COUNTED: Final = ("deals", "amount", "weighted", "unrated")


def deals_by_category(deals: pd.DataFrame, calendar: FiscalCalendar) -> pd.DataFrame:
    """Add up the deals of one snapshot by node, month and category: won ones as closed, lost ones nowhere.

    Parameters
    ----------
    deals
        Table `opportunities`, one snapshot.

    Returns
    -------
    pd.DataFrame
        Columns node, period, category (`no_category` for open deals that have none), deals,
        amount (int64 minor units), weighted (float minor units: amount x probability of open
        deals; a deal without a probability counts nothing), unrated (open deals without one).
    """
    live = open_deals(deals)
    won = deals[deals["status"] == "won"]
    still = _counted(live, calendar, live["closes"], live[CATEGORY].fillna(UNSTATED), live["weighted"])
    closed = _counted(won, calendar, won["close_date"], "closed", 0.0)
    return pd.concat([closed, still], ignore_index=True)


def _counted(
    rows: pd.DataFrame,
    calendar: FiscalCalendar,
    days: pd.Series,
    category: pd.Series | str,
    weighted: pd.Series | float,
) -> pd.DataFrame:
    frame = pd.DataFrame({NODE: rows[NODE], PERIOD: calendar.months_of(days), CATEGORY: category, "deals": 1})
    frame = frame.assign(amount=rows["amount"].astype("int64"), weighted=weighted)
    frame["unrated"] = frame["weighted"].isna().astype("int64")
    frame["weighted"] = frame["weighted"].astype("float64").fillna(0.0)
    total: pd.DataFrame = frame.groupby([NODE, PERIOD, CATEGORY], as_index=False, observed=True)[
        list(COUNTED)
    ].sum()
    return total


def roll_up_deals(
    hierarchy: Hierarchy,
    counted: pd.DataFrame,
    nodes: Sequence[str],
    *,
    months: Sequence[str],
    by_month: bool = True,
) -> pd.DataFrame:
    """Roll categories and weighted pipeline up to nodes of any level, for each month or for all together.

    Parameters
    ----------
    counted
        From `deals_by_category`; rows of nodes outside the tree or of other months are left out.
    nodes
        Nodes to report, of any level. Compare the root with `counted` for what lies outside the tree.
    months
        Months to report, such as those of a quarter.
    by_month
        True for one row per node and month, False for one per node.

    Returns
    -------
    pd.DataFrame
        Columns node, period (if by month), one column per category and one
        `<category>_cumulative` (minor units, see the module), open_pipeline, no_category, weighted,
        unrated. A node without deals has 0: the CRM was asked, and has none.
    """
    mine = counted[counted[PERIOD].isin(list(months)) & counted[NODE].isin(hierarchy.leaves)]
    spans = list(months) if by_month else [""]
    mine = mine if by_month else mine.assign(**{PERIOD: ""})
    told = [name for name in CATEGORIES if name != OPTIONAL or (mine[CATEGORY] == name).any()]
    what = [*told, UNSTATED, "weighted", "unrated"]
    here = mine[[NODE, PERIOD]]
    parts: list[pd.DataFrame] = [here.assign(kind=mine[CATEGORY], value=mine["amount"])]
    parts += [here.assign(kind=name, value=mine[name]) for name in ("weighted", "unrated")]
    rows = pd.concat(parts)
    cells = rows.groupby([NODE, PERIOD, "kind"])["value"].sum().unstack([PERIOD, "kind"])
    columns = pd.MultiIndex.from_product([spans, what])
    wide = cells.reindex(index=hierarchy.leaves, columns=columns).fillna(0.0)
    total = hierarchy.roll_up(wide).loc[list(nodes)]
    table: pd.DataFrame = pd.concat({span: total[span] for span in spans}, names=[PERIOD, NODE])
    table = table.swaplevel().loc[[(node, span) for node in nodes for span in spans]]
    table = table.join(cumulative(table[told]))
    table[OPEN_PIPELINE] = table["pipeline_cumulative"] - table["closed"]
    wanted = [*told, *(f"{name}_cumulative" for name in told), OPEN_PIPELINE, *what[-3:]]
    shown: pd.DataFrame = table[wanted].reset_index()
    return shown if by_month else shown.drop(columns=PERIOD)
