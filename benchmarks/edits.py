"""One number of a plan changed by hand: how long until the new plan and its differences are there."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.company import PERIODS
from benchmarks.measure import Row, measure
from benchmarks.reconcile import Made, busy, company_tree, estimates_frame, long_frame, made_up, two_passes
from spms_lib.reconcile.plan import Plan, changes, reconcile, revise
from spms_lib.tables import NODE, PERIOD, SOURCE, VALUE

SELLERS = 9_049  # 10,000 nodes with their teams and regions
EDITS = 200
AIM = 20  # milliseconds

Edit = Callable[[Plan, pd.DataFrame], Plan]


def rows(sellers: int = SELLERS) -> list[Row]:
    hierarchy = company_tree(sellers)
    made = made_up(hierarchy)
    frame = estimates_frame(hierarchy.nodes, made)
    out = np.empty_like(made.estimates)
    passes = measure(lambda: two_passes(hierarchy, made, out), 30)
    case = f"{len(hierarchy):,} nodes x {len(PERIODS)}, {EDITS} single edits"
    floor = Row(case, "two passes over all nodes and periods", passes, 30, note=f"yardstick; {busy()}")
    zeros = long_frame(hierarchy.nodes, PERIODS, np.zeros(made.estimates.shape))
    free, floored = reconcile(hierarchy, frame), reconcile(hierarchy, frame, lower=zeros)
    found = [floor]
    for plan, where in ((free, "no limits"), (floored, "floor 0 everywhere")):
        for edit, what in ((hold, "hold one number"), (say_other, "change one estimate")):
            found += edit_rows(plan, edit, floor, f"{what}, {where}", made)
    return found


def hold(plan: Plan, cell: pd.DataFrame) -> Plan:
    return revise(plan, holds=cell[[NODE, PERIOD, VALUE]])


def say_other(plan: Plan, cell: pd.DataFrame) -> Plan:
    return revise(plan, values=cell)


def edit_rows(plan: Plan, edit: Edit, floor: Row, what: str, made: Made) -> list[Row]:
    """Edit random cells of one plan, each by itself, and list what changed."""
    rng = np.random.default_rng(8)
    nodes, columns = made.estimates.shape
    flat = rng.choice(nodes * columns, EDITS + 1, replace=False)
    seconds = [one_edit(plan, edit, one_cell(plan, int(place))) for place in flat][1:]  # the first warms up
    return [
        Row(floor.case, f"{what}: {name}", found, EDITS, found / floor.seconds, "two passes", note)
        for name, found, note in (
            ("median", float(np.median(seconds)), f"aim <= {AIM} ms, differences listed"),
            ("95th percentile", float(np.percentile(seconds, 95)), f"aim <= {AIM} ms"),
        )
    ]


def one_cell(plan: Plan, flat: int) -> pd.DataFrame:
    """Write one cell of a plan, moved up by 7 %, as a person would hand it in."""
    node, column = divmod(flat, plan.units.shape[1])
    moved = round(float(plan.units[node, column]) * 1.07)
    name, period = plan.layout.index[node], plan.layout.periods[column]
    return pd.DataFrame({NODE: [name], PERIOD: [period], SOURCE: ["forecast"], VALUE: [moved]})


def one_edit(plan: Plan, edit: Edit, cell: pd.DataFrame) -> float:
    found: list[pd.DataFrame] = []
    seconds = measure(lambda: found.append(changes(plan, edit(plan, cell))), 1)
    assert len(found[0]), "an edit of 7 % changes something"
    return seconds
