"""Setting targets: the company's number, what is held, and the layers in the ledger."""

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd

from spms_lib.cycle.baselines import baseline_values
from spms_lib.cycle.desk import Desk
from spms_lib.cycle.evidence import past_quarters
from spms_lib.cycle.split import phasing
from spms_lib.errors import InfeasibleError, ParamsError
from spms_lib.goals.chances import chance_of_reaching
from spms_lib.money import apportion, to_minor
from spms_lib.store.commits import Commit
from spms_lib.store.holds import holds
from spms_lib.tables import NODE, PERIOD, VALUE, to_long, to_wide

GROWTH, STATED, TABLE = "growth", "stated", "table"
BASE, QUOTA = "", "quota"


def company_target(
    desk: Desk, *, target_from: str, growth_ratio: float, stated_target: float
) -> tuple[int, str]:
    """Find the company's target of the quarter, and say where it comes from.

    Parameters
    ----------
    target_from
        `growth`: the same quarter last year x (1 + growth_ratio); `stated`: the amount
        `stated_target` in currency units; `table`: the company's rows of the table `targets`.

    Returns
    -------
    int
        Minor units.
    str
        Its origin in words.
    """
    if target_from == STATED:
        if not stated_target > 0:
            raise ParamsError(
                "No target is stated.",
                where="target_from: stated",
                remedy="Give stated_target, in currency units.",
            )
        return to_minor(stated_target, desk.per_unit), "stated in the params"
    if target_from == TABLE:
        given = targets_from_table(desk)
        if desk.tree.root not in given.index or given.loc[desk.tree.root].isna().any():
            if (whole := _quarter_target(desk)) is not None:
                return whole, "table 'targets', for the whole quarter"
            raise ParamsError(
                f"The table 'targets' has no target of '{desk.tree.root}' for {desk.cycle} or every month of it.",
                where="target_from: table",
                remedy="Use target_from: growth or stated.",
            )
        return int(given.loc[[desk.tree.root]].to_numpy().sum()), "table 'targets'"
    if target_from != GROWTH:
        raise ParamsError(f"'{target_from}' is no origin of a target.", remedy="Use growth, stated or table.")
    last = desk.calendar.months(desk.calendar.same_period_last_year(desk.cycle))
    history = desk.history()
    known = [month for month in last if month in history.columns]
    if len(known) < len(last):
        raise ParamsError(
            f"There are no actuals for {desk.calendar.same_period_last_year(desk.cycle)}.",
            where="target_from: growth",
            remedy="Use target_from: stated with a stated_target.",
        )
    past = float(history.loc[[desk.tree.root], last].to_numpy().sum())
    return round(past * (1.0 + growth_ratio)), f"the same quarter last year {growth_ratio:+.1%}"


def targets_from_table(desk: Desk) -> pd.DataFrame:
    """Return supplied targets of the quarter: nodes x months, minor units; missing where none is given."""
    rows = desk.table("targets")
    mine = rows[rows[PERIOD].isin(desk.months) & (rows["measure"] == desk.company.measure)]
    return to_wide(mine).reindex(columns=desk.months) if len(mine) else pd.DataFrame(columns=desk.months)


def _quarter_target(desk: Desk) -> int | None:
    """Find the company's target for the quarter as one number; None if the table has none."""
    rows = desk.table("targets")
    mine = rows[
        (rows[NODE] == desk.tree.root)
        & (rows[PERIOD] == desk.cycle)
        & (rows["measure"] == desk.company.measure)
    ]
    return int(mine[VALUE].iloc[0]) if len(mine) else None


def target_context(desk: Desk, target: int) -> pd.DataFrame:
    """Set the company's target beside what history knows.

    Returns
    -------
    pd.DataFrame
        Columns what, value (minor units), against_target (ratio of the value to the target).
    """
    history = desk.history().loc[[desk.tree.root]]
    last_year = desk.calendar.months(desk.calendar.same_period_last_year(desk.cycle))
    forecast = baseline_values(desk).loc[[desk.tree.root]].to_numpy().sum()
    known = set(last_year) <= set(history.columns)
    rows = [
        ("Target", float(target)),
        ("Same quarter last year", float(history[last_year].to_numpy().sum()) if known else np.nan),
        ("Baseline (history alone)", float(forecast)),
    ]
    table = pd.DataFrame(rows, columns=["what", "value"])
    return table.assign(against_target=table["value"] / target if target else np.nan)


def quarter_history(desk: Desk, count: int = 40) -> pd.Series:
    """Return the company's total by past quarter, as far as every month is known."""
    total = desk.history().loc[desk.tree.root]
    known = {
        quarter: total[desk.calendar.months(quarter)].sum()
        for quarter in past_quarters(desk, count)
        if set(desk.calendar.months(quarter)) <= set(total.dropna().index)
    }
    return pd.Series(known, dtype=float)


def target_chance(desk: Desk, target: int) -> float | None:
    """Estimate the chance of the company's target from the growth of its past quarters alone."""
    history = quarter_history(desk)
    if len(history) and history.index[-1] != desk.calendar.shift(desk.cycle, -1):
        return None
    return chance_of_reaching(history, float(target), steps=4)


def holds_in_force(desk: Desk) -> pd.DataFrame:
    """List the holds on nodes of this plan that have not expired when the quarter starts, month by month.

    A hold on the whole quarter falls on its months by the node's phasing, around months
    that are held on their own.

    Returns
    -------
    pd.DataFrame
        Columns as `holds`, every period a month of the quarter; values in minor units.

    Raises
    ------
    InfeasibleError
        If a hold covers more than a quarter, which a quarter's plan cannot keep.
    """
    table = holds(desk.ledger, on=desk.calendar.start(desk.cycle))
    mine = table[(table["measure"] == desk.company.measure) & table[NODE].isin(desk.tree.nodes)]
    year = desk.calendar.year_of(desk.cycle)
    if (mine[PERIOD] == year).any():
        row = mine[mine[PERIOD] == year].iloc[0]
        raise InfeasibleError(
            f"The hold on '{row[NODE]}' covers the whole of {year}.",
            where="holds",
            remedy="Lift it, and hold the quarter or its months instead.",
        )
    monthly = mine[mine[PERIOD].isin(desk.months)]
    quarterly = mine[mine[PERIOD] == desk.cycle].to_dict("records")
    parts = [monthly, *(_hold_months(desk, row, monthly) for row in quarterly)]
    return pd.concat(parts, ignore_index=True)


def _hold_months(desk: Desk, row: dict[Hashable, Any], monthly: pd.DataFrame) -> pd.DataFrame:
    """Spread a quarter's hold over the months that are not held on their own."""
    own = monthly[monthly[NODE] == row[NODE]]
    free = [month for month in desk.months if month not in set(own[PERIOD])]
    left = int(row[VALUE]) - int(own[VALUE].sum())
    if left < 0 or not free:
        if left:
            raise InfeasibleError(
                f"'{row[NODE]}' is held at {int(row[VALUE]):,} in {desk.cycle}, but its months are held at "
                f"{int(own[VALUE].sum()):,} (minor units).",
                where="holds",
                remedy="Lift the hold on the quarter or one of the months.",
            )
        return monthly.head(0)
    shares = phasing(desk)
    below = desk.tree.subtree(str(row[NODE])).leaves
    parts = apportion(left, shares.loc[below, free].mean())
    return pd.DataFrame([{**row, PERIOD: month, VALUE: int(value)} for month, value in parts.items()]).astype(
        {VALUE: "Int64"}
    )


def lost_holds(desk: Desk) -> list[str]:
    """Name the nodes whose holds on this quarter lie outside the plan's tree, such as a seat that has closed."""
    table = holds(desk.ledger, on=desk.calendar.start(desk.cycle))
    mine = table[PERIOD].isin([*desk.months, desk.cycle]) & (table["measure"] == desk.company.measure)
    return sorted(set(table[mine][NODE]) - set(desk.tree.nodes))


def holds_stand(values: pd.DataFrame, table: pd.DataFrame) -> bool:
    """Tell whether every hold has its number in a table of nodes x months."""
    return all(values.loc[row[NODE], row[PERIOD]] == row[VALUE] for row in table.to_dict("records"))


def target_table(desk: Desk, base: pd.DataFrame, quota: pd.DataFrame) -> pd.DataFrame:
    """Lay out the quarter's targets for reading: one row per node, months added up.

    Returns
    -------
    pd.DataFrame
        Columns level, node, name, parent, value (base layer), quota, last_year (same
        quarter; missing where the node had no sales then), growth (ratio of base to last
        year, minus 1); minor units.
    """
    tree, history = desk.tree, desk.history()
    months = desk.calendar.months(desk.calendar.same_period_last_year(desk.cycle))
    past = history.reindex(columns=months).sum(axis=1, min_count=len(months))
    table = pd.DataFrame(
        {
            "level": tree.level,
            NODE: tree.nodes,
            "name": tree.name,
            "parent": tree.parents,
            "value": base.sum(axis=1),
            "quota": quota.sum(axis=1),
            "last_year": past,
        }
    ).reset_index(drop=True)
    return table.assign(growth=table["value"] / table["last_year"].where(table["last_year"] > 0) - 1.0)


def upper_nodes(desk: Desk, table: pd.DataFrame, *, most_leaves: int = 30) -> pd.DataFrame:
    """Keep the rows of a target table that a figure has room for: without leaves where there are many."""
    many = len(desk.tree.leaves) > most_leaves
    return table[~table[NODE].isin(desk.tree.leaves)] if many else table


def cells(desk: Desk, values: pd.DataFrame, *, item: str = "") -> pd.DataFrame:
    """Turn nodes x periods of whole minor units into cells of a commit."""
    rows = to_long(values)
    return rows.assign(
        measure=desk.company.measure, item=item, unit=desk.currency, value=rows[VALUE].astype("Int64")
    )


def commit_targets(desk: Desk, base: pd.DataFrame, quota: pd.DataFrame, *, message: str) -> Commit | None:
    """Commit both layers of the targets; None if the ledger holds them already."""
    both = pd.concat([cells(desk, base, item=BASE), cells(desk, quota, item=QUOTA)], ignore_index=True)
    return desk.ledger.commit("targets", both, author=desk.author, message=message)


def read_targets(desk: Desk, *, layer: str = BASE) -> pd.DataFrame:
    """Read a layer of the quarter's targets from the ledger: nodes x months, int64 minor units."""
    return _read(desk, "targets", layer, "the notebook 03_goal_setting")


def read_plan(desk: Desk) -> pd.DataFrame:
    """Read the quarter's plan from the ledger: nodes x months, int64 minor units."""
    return _read(desk, "plan", "", "the notebook 07_reconciliation")


def _read(desk: Desk, kind: str, item: str, maker: str) -> pd.DataFrame:
    state = desk.ledger.state(kind)
    mine = state[
        state[PERIOD].isin(desk.months) & (state["measure"] == desk.company.measure) & (state["item"] == item)
    ]
    known = to_wide(mine.dropna(subset=VALUE).astype({VALUE: "int64"}))
    table = known.reindex(index=desk.tree.nodes, columns=desk.months)
    missing = table.index[table.isna().any(axis=1)]
    if len(missing):
        raise ParamsError(
            f"The ledger has no {kind} of {len(missing)} nodes for every month of {desk.cycle}, "
            f"such as '{missing[0]}'.",
            where=desk.company.company,
            remedy=f"Run {maker} first.",
        )
    return table.astype("int64")
