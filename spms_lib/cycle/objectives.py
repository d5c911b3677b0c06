"""Objectives of a cycle: the measures that judge them, their checks, their goals, and supplied targets."""

import pandas as pd

from spms_lib.cycle.desk import Desk
from spms_lib.cycle.measures import measure_history
from spms_lib.goals.chances import chance_from_history
from spms_lib.goals.duties import FINDING
from spms_lib.goals.objectives import alignment, check_objectives, serving
from spms_lib.money import to_minor
from spms_lib.params.goals import Objective
from spms_lib.tables import LEVEL, MEASURE, NODE, PERIOD, VALUE

OF_LAST_YEAR = "ratio of last year"
__all__ = [
    "adds_up",
    "alignment_table",
    "decision_needed",
    "measure_history",
    "objective_checks",
    "objective_outlook",
    "objective_table",
    "objectives_headline",
    "outlook_shown",
    "serving_table",
    "supplied_targets",
]


def objective_table(desk: Desk) -> pd.DataFrame:
    """Return the cycle's objectives, one row each, with every field of the params."""
    rows = [item.model_dump() for item in desk.params.objectives]
    return pd.DataFrame(rows, columns=list(Objective.model_fields))


def objective_outlook(desk: Desk, history: pd.DataFrame) -> pd.DataFrame:
    """Set every objective against the past of its own measure.

    An objective in the unit of its measure is judged by its own target; one in `ratio of last
    year` by target x the same quarter last year; one in another unit by nothing. A chance is
    known for objectives that are due in the planned quarter, with the quarter before known.

    Parameters
    ----------
    history
        From `measure_history`.

    Returns
    -------
    pd.DataFrame
        Columns objective, measure, unit (of the measure), last_year (same quarter as the due
        day's, a year before), target (both in minor units for money), growth (target against
        last year, minus 1), chance (ratio), known (the baseline as the data have it, in the
        objective's own unit); missing where nobody can tell.
    """
    series = {name: rows.set_index(PERIOD)[VALUE] for name, rows in history.groupby(MEASURE)}
    units = history.drop_duplicates(MEASURE).set_index(MEASURE)["unit"]
    rows = []
    for item in desk.params.objectives:
        past, unit = series.get(item.measure), units.get(item.measure, "")
        quarter = desk.calendar.quarter_of_day(item.due) if item.due else ""
        before = desk.calendar.same_period_last_year(quarter) if quarter else ""
        last_year = None if past is None else past.get(before)
        target = _target_in(desk, item, unit, last_year)
        chance = None
        if past is not None and target is not None and quarter == desk.cycle and _up_to_date(desk, past):
            chance = chance_from_history(past, target, steps=4, direction=item.direction)
        growth = target / last_year - 1.0 if target is not None and last_year and last_year > 0 else None
        known = _in_own_unit(desk, item, unit, last_year)
        rows.append((item.objective, item.measure, unit, last_year, target, growth, chance, known))
    columns = ["objective", MEASURE, "unit", "last_year", "target", "growth", "chance", "known"]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[3:], float))


def objective_checks(desk: Desk, history: pd.DataFrame | None = None) -> pd.DataFrame:
    """Check every objective against the past of its own measure: see `check_objectives`."""
    past = measure_history(desk) if history is None else history
    outlook = objective_outlook(desk, past).set_index("objective")
    return check_objectives(
        objective_table(desk),
        as_of=desk.params.plan_as_of,
        probability=outlook["chance"],
        known=outlook["known"],
    )


def outlook_shown(desk: Desk, outlook: pd.DataFrame) -> pd.DataFrame:
    """Lay out `objective_outlook` for reading: with the owner's confidence, and units as `show` takes them."""
    stated = {item.objective: item.confidence for item in desk.params.objectives}
    table = outlook.drop(columns="known").assign(
        unit=outlook["unit"].where(outlook["unit"] != desk.currency, "money"),
        counted_in=outlook["unit"],
        confidence=outlook["objective"].map(stated).astype(float),
    )
    columns = [
        "objective",
        MEASURE,
        "counted_in",
        "last_year",
        "target",
        "growth",
        "confidence",
        "chance",
        "unit",
    ]
    return table[columns]


def alignment_table(desk: Desk) -> pd.DataFrame:
    """Show how the effort of all objectives lies over the organisation's goals."""
    return alignment(_goals(desk), objective_table(desk))


def serving_table(desk: Desk) -> pd.DataFrame:
    """Show which goals each objective serves, and what it contributes to them."""
    return serving(_goals(desk), objective_table(desk))


def _goals(desk: Desk) -> pd.DataFrame:
    rows = [goal.model_dump() for goal in desk.params.goals]
    return pd.DataFrame(rows, columns=["goal", "statement", "weight"])


def _target_in(desk: Desk, item: Objective, unit: str, last_year: float | None) -> float | None:
    """Return an objective's target in the unit of its measure's history; None where they cannot be compared."""
    if item.target is None or not unit:
        return None
    if item.unit == OF_LAST_YEAR:
        return None if last_year is None else item.target * last_year
    if item.unit != unit:
        return None
    return float(to_minor(item.target, desk.per_unit)) if unit == desk.currency else item.target


def _in_own_unit(desk: Desk, item: Objective, unit: str, last_year: float | None) -> float | None:
    if last_year is None:
        return None
    if item.unit == OF_LAST_YEAR:
        return 1.0
    if item.unit != unit:
        return None
    return last_year / desk.per_unit if unit == desk.currency else last_year


def _up_to_date(desk: Desk, past: pd.Series) -> bool:
    """Tell whether a history has every quarter up to the one before the planned."""
    last = desk.calendar.shift(desk.cycle, -1)
    return list(past.index) == desk.calendar.range(past.index[0], last)


def adds_up(served: pd.DataFrame, coverage: pd.DataFrame) -> bool:
    """Tell whether all effort is in both tables of alignment, once; no objectives, no effort."""
    whole = 1.0 if len(served) else 0.0
    return all(abs(total - whole) < 1e-9 for total in (served["contributes"].sum(), coverage["share"].sum()))


def decision_needed(checks: pd.DataFrame, shared: pd.DataFrame) -> str:
    """Ask for what has to be decided before the quarter is planned."""
    names = list(dict.fromkeys(checks[checks["passed"].eq(other=False)]["objective"]))
    gaps = int((shared["passed"].eq(other=False) & (shared["severity"] == FINDING)).sum())
    if not names and not gaps:
        return "Objectives hold and every step is shared out: approve them as they are."
    parts = [f"correct, drop or accept {', '.join(names)}"] if names else []
    parts += [f"settle who does what (open findings: {gaps})"] if gaps else []
    return f"Before the quarter is planned: {'; '.join(parts)}."


def objectives_headline(checks: pd.DataFrame, coverage: pd.DataFrame, shared: pd.DataFrame) -> str:
    """Say in one line how many objectives hold, which goal nobody serves, and what is open in the duties."""
    failed = checks[checks["passed"].eq(other=False)]["objective"].nunique()
    every = checks["objective"].nunique()
    alone = coverage[(coverage["share"] == 0.0) & (coverage["weight"] > 0)]["goal"].tolist()
    gaps = int((shared["passed"].eq(other=False) & (shared["severity"] == FINDING)).sum())
    served = f"nobody serves {', '.join(alone)}" if alone else "every goal is served"
    hold = f"{every - failed} of {every} objectives hold as far as the data can tell"
    return f"{hold}; {served}; open findings on duties: {gaps}"


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
