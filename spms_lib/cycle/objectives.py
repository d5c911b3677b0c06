"""Objectives, alignment and supplied targets of a cycle, as tables for the goal notebook."""

import pandas as pd

from spms_lib.cycle.desk import Desk
from spms_lib.cycle.targets import target_chance
from spms_lib.goals.objectives import alignment, check_objectives
from spms_lib.money import to_minor
from spms_lib.params.models import Objective
from spms_lib.tables import LEVEL, NODE, VALUE


def objective_table(desk: Desk) -> pd.DataFrame:
    """Return the cycle's objectives, one row each, with every field of the params."""
    rows = [item.model_dump() for item in desk.params.objectives]
    return pd.DataFrame(rows, columns=list(Objective.model_fields))


def objective_checks(desk: Desk, target: int) -> pd.DataFrame:
    """Check every objective; reachability is known for those on the planned measure of this quarter.

    An objective in the company's currency is judged by its own target; one in another unit,
    such as a ratio of last year, by the company's target of the quarter.
    """
    objectives = objective_table(desk)
    first, last = desk.calendar.start(desk.cycle), desk.calendar.end(desk.cycle)
    chances = {
        item.objective: target_chance(
            desk,
            to_minor(item.target, desk.per_unit)
            if item.unit == desk.currency and item.target is not None
            else target,
        )
        for item in desk.params.objectives
        if item.measure == desk.company.measure and item.due is not None and first <= item.due <= last
    }
    return check_objectives(
        objectives, as_of=desk.params.plan_as_of, probability=pd.Series(chances, dtype=float)
    )


def alignment_table(desk: Desk) -> pd.DataFrame:
    """Show how the effort of all objectives lies over the organisation's goals."""
    goals = pd.DataFrame(
        [goal.model_dump() for goal in desk.params.goals], columns=["goal", "statement", "weight"]
    )
    return alignment(goals, objective_table(desk))


def supplied_targets(desk: Desk) -> pd.DataFrame:
    """Add up the table `targets` by level, and show what adding all levels would have said.

    Returns
    -------
    pd.DataFrame
        Columns level, nodes, rows, first, last (period), sum (minor units), sum_of_all_rows
        (the whole table, every level counted again; on the first row only). Targets of the
        planned measure; nodes that have left the tree have a row of their own.
    """
    rows = desk.table("targets")
    rows = rows[rows["measure"] == desk.company.measure]
    columns = [LEVEL, "nodes", "rows", "first", "last", "sum", "sum_of_all_rows"]
    if rows.empty:
        return pd.DataFrame(columns=columns)
    level = rows[NODE].map(desk.tree.level).fillna("(left the tree)")
    grouped = rows.assign(level=level).groupby(LEVEL, sort=False)
    table = grouped.agg(
        nodes=(NODE, "nunique"),
        rows=(NODE, "size"),
        first=("period", "min"),
        last=("period", "max"),
        sum=(VALUE, "sum"),
    ).reindex([name for name in [*desk.tree.level_names, "(left the tree)"] if name in grouped.groups])
    table["sum_of_all_rows"] = pd.array([None] * len(table), dtype="Int64")
    table.iloc[0, -1] = int(rows[VALUE].sum())
    return table.reset_index()[columns]
