"""Which stage of forecasting adds value: naive, statistical, rep, manager, executive, on the cells that all of them have."""

import datetime as dt
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.collect.overrides import with_overrides
from spms_lib.collect.submissions import latest_submissions
from spms_lib.cycle.calibration import cut_offs_of
from spms_lib.cycle.collection.heard import overrides_heard, submissions_heard
from spms_lib.cycle.desk import Desk
from spms_lib.cycle.evidence import BASELINE, NAIVE, past_forecasts, past_quarters, past_submissions
from spms_lib.hierarchy import Hierarchy
from spms_lib.review.accuracy import LEFT_OUT, USED, WAPE, accuracy, value_added
from spms_lib.review.scores import QUARTER, SPREAD, ratio_interval, tally
from spms_lib.tables import CATEGORY, LEVEL, NODE, PERIOD, SOURCE, VALUE, to_long, to_wide

REP, MANAGER, EXECUTIVE = "rep", "manager", "executive"
STAGES: Final = {NAIVE: "naive", BASELINE: "statistical", REP: REP, MANAGER: MANAGER, EXECUTIVE: EXECUTIVE}


def stage_forecasts(desk: Desk, *, quarters: int = 8) -> pd.DataFrame:
    """Lay every stage's past forecasts side by side, each quarter on the tree of its first day.

    The rep's is closed + commit by the cut-off. A manager's override stands in place of its node's commit, and the nodes
    above add it up; where nobody overrides, what was submitted goes on. Whoever answers for a node of the review level
    or above overrides as an executive, everybody else as a manager. Above the seats a silent seat counts with its
    baseline in the stages from the rep on; at the seats only those who spoke are compared.

    Returns
    -------
    pd.DataFrame
        Columns node, period, level, source (`seasonal_naive`, `baseline`, `rep`, `manager`, `executive`), value; a stage
        that nobody has ever used has no rows.
    """
    when = past_quarters(desk, quarters)
    walk = past_forecasts(desk, quarters=quarters)
    said, sent = past_submissions(desk, when), submissions_heard(desk)
    changed = overrides_heard(desk)
    above = desk.tree.depth <= desk.tree.depth[(desk.tree.level == desk.review_level).to_numpy()].max()
    heads = set(desk.tree.owner[above].dropna())
    by_head = changed["overridden_by"].isin(heads)
    grids = {name: walk[walk[SOURCE] == name] for name in (NAIVE, BASELINE)}
    parts = []
    for quarter in when:
        tree, months = _tree_of(desk, quarter), desk.calendar.months(quarter)
        alone = {name: _leaves(rows, tree, months) for name, rows in grids.items()}
        stages = {name: tree.roll_up(grid) for name, grid in alone.items()}
        own = _leaves(said, tree, months)
        if own.notna().any(axis=None):
            booked = _booked(sent, tree, months, cut_offs_of(desk, [quarter]))
            rows = _in_force(changed, tree, cut_offs_of(desk, [quarter]))
            counted = {REP: rows.head(0)}
            if not by_head.all():
                counted[MANAGER] = rows[~rows["overridden_by"].isin(heads)]
            if by_head.any():
                counted[EXECUTIVE] = rows
            filled, silent = own.fillna(alone[BASELINE]), own.index[own.isna().all(axis=1)]
            for name, mine in counted.items():
                stages[name] = _overlaid(tree, filled, mine, booked)
                stages[name].loc[silent] = np.nan
        parts += [_at_level(to_long(one), tree, name) for name, one in stages.items()]
    joined = pd.concat(parts, ignore_index=True)
    return joined[[NODE, PERIOD, LEVEL, SOURCE, VALUE]]


def stage_table(desk: Desk, forecasts: pd.DataFrame) -> pd.DataFrame:
    """Tell by level what each stage added, on common cells, with intervals over quarters.

    Returns
    -------
    pd.DataFrame
        Columns level, stage, n, left_out, wape, value_added (WAPE of the naive forecast - WAPE), step (WAPE of the stage
        before - WAPE: what this stage added), step_low, step_high (90 % interval over quarters); a stage that is absent
        has n 0 and nothing else.
    """
    there = [name for name in STAGES if (forecasts[SOURCE] == name).any()]
    came = _actuals(desk, forecasts)
    rows = forecasts.assign(**{SPREAD: np.nan})
    if came.empty or len(there) < 2 or NAIVE not in there:
        return pd.DataFrame(
            columns=["level", "stage", USED, LEFT_OUT, WAPE, "value_added", "step", "step_low", "step_high"]
        )
    measured = accuracy(rows, came, by=[LEVEL, SOURCE], sources=there)
    added = value_added(measured, naive=NAIVE, stages=there).rename(columns={"stage": SOURCE})
    sums = tally(rows, came, desk.calendar.quarter_of, by=[LEVEL], sources=there)
    found = measured.merge(added[[LEVEL, SOURCE, "value_added"]], on=[LEVEL, SOURCE])
    steps = [_steps(level, part, there) for level, part in sums.groupby(LEVEL, sort=False)]
    found = found.merge(pd.concat(steps), on=[LEVEL, SOURCE], how="left")
    every = pd.MultiIndex.from_product([desk.tree.level_names, STAGES], names=[LEVEL, SOURCE])
    laid = found.set_index([LEVEL, SOURCE]).reindex(every).reset_index()
    laid = laid.astype({SOURCE: str}).assign(stage=lambda table: table[SOURCE].map(STAGES))
    laid[[USED, LEFT_OUT]] = laid[[USED, LEFT_OUT]].fillna(0).astype("int64")
    return laid[[LEVEL, "stage", USED, LEFT_OUT, WAPE, "value_added", "step", "step_low", "step_high"]]


def absent_stages(forecasts: pd.DataFrame) -> list[str]:
    """Name the stages of which no past forecast is known."""
    return [name for key, name in STAGES.items() if not (forecasts[SOURCE] == key).any()]


def _steps(level: object, sums: pd.DataFrame, there: list[str]) -> pd.DataFrame:
    """Compare each stage with the one before it, quarter by quarter."""
    used = sums.pivot_table(index=QUARTER, columns=SOURCE, values=["miss", "size"], observed=True)
    size = used["size"][there[0]].to_numpy()
    miss = used["miss"][there].to_numpy()
    kept = size > 0
    gains = (miss[:, :-1] - miss[:, 1:])[kept]
    low, high = ratio_interval(gains, size[kept])
    step = gains.sum(axis=0) / size[kept].sum() if kept.any() else np.full(len(there) - 1, np.nan)
    return pd.DataFrame({LEVEL: level, SOURCE: there[1:], "step": step, "step_low": low, "step_high": high})


def _tree_of(desk: Desk, quarter: str) -> Hierarchy:
    return Hierarchy.from_parent_child(desk.table("hierarchy"), as_of=desk.calendar.start(quarter))


def _at_level(rows: pd.DataFrame, tree: Hierarchy, source: str) -> pd.DataFrame:
    return rows.assign(source=source, level=rows[NODE].map(tree.level))


def _leaves(rows: pd.DataFrame, tree: Hierarchy, months: list[str]) -> pd.DataFrame:
    mine = rows[rows[PERIOD].isin(months) & rows[NODE].isin(tree.leaves)]
    wide = to_wide(mine) if len(mine) else pd.DataFrame(dtype="float64")
    return wide.reindex(index=tree.leaves, columns=months).astype("float64")


def _booked(
    sent: pd.DataFrame, tree: Hierarchy, months: list[str], cut_offs: dict[str, dt.date]
) -> pd.DataFrame:
    """Add up what had closed by the cut-off: nodes x months, 0 where nothing had."""
    mine = sent[sent[PERIOD].isin(months) & (sent[CATEGORY] == "closed") & sent[NODE].isin(tree.leaves)]
    last = latest_submissions(mine, cut_off=cut_offs[months[0]])
    return tree.roll_up(_leaves(last, tree, months).fillna(0.0))


def _in_force(changed: pd.DataFrame, tree: Hierarchy, cut_offs: dict[str, dt.date]) -> pd.DataFrame:
    """Choose overrides of the commit by the cut-off, oldest first; only of nodes that the tree has."""
    due = pd.to_datetime(changed[PERIOD].map(cut_offs)) + pd.Timedelta(days=1)
    mine = changed[(changed[CATEGORY] == "commit") & changed[NODE].isin(tree.nodes)]
    return mine[pd.to_datetime(mine["overridden_at"]) < due[mine.index]]


def _overlaid(
    tree: Hierarchy, leaves: pd.DataFrame, rows: pd.DataFrame, booked: pd.DataFrame
) -> pd.DataFrame:
    """Lay overrides of the commit over what leaves said, what was booked on top of both: nodes x months."""
    commits = to_long((leaves - booked.loc[leaves.index]).round()).astype({VALUE: "int64"})
    last = rows.drop_duplicates([NODE, PERIOD], keep="last")
    laid = with_overrides(tree, commits.assign(**{CATEGORY: "commit"}), last).dropna(subset=VALUE)
    return to_wide(laid).astype("float64").reindex(index=tree.nodes, columns=leaves.columns) + booked


def _actuals(desk: Desk, forecasts: pd.DataFrame) -> pd.DataFrame:
    """Add up what came at every node of each quarter's own tree."""
    sold = desk.actuals(until=desk.params.plan_as_of)
    months = [month for month in sold.columns if (forecasts[PERIOD] == month).any()]
    parts = []
    for quarter in dict.fromkeys(map(desk.calendar.quarter_of, months)):
        tree = _tree_of(desk, quarter)
        mine = [month for month in months if desk.calendar.quarter_of(month) == quarter]
        parts.append(to_long(tree.roll_up(sold.reindex(tree.leaves)[mine])))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[NODE, PERIOD, VALUE])
