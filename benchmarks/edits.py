"""One number changed by hand, of a plan or of a draft: how long until the new numbers and their differences are there."""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.company import PERIODS
from benchmarks.measure import Row, measure
from benchmarks.reconcile import Made, busy, company_tree, estimates_frame, long_frame, made_up, two_passes
from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import SpmsError
from spms_lib.goals import edits as drafts
from spms_lib.hierarchy import Hierarchy
from spms_lib.reconcile.plan import Plan, changes, reconcile, revise
from spms_lib.tables import NODE, PERIOD, SOURCE, VALUE

SELLERS = 9_049  # 10,000 nodes with their teams and regions
EDITS = 200
AIM = 20  # milliseconds
DRAFT_EDITS = 1_000

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
    return found + draft_rows(hierarchy, made, floor)


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


def draft_rows(hierarchy: Hierarchy, made: Made, floor: Row) -> list[Row]:
    """Make a thousand random edits of a draft, one after the other, each with its preview."""
    rng = np.random.default_rng(9)
    targets = np.rint(made.estimates[hierarchy.is_leaf])
    start = drafts.Draft.of(hierarchy, pd.DataFrame(targets, hierarchy.leaves, PERIODS), FiscalCalendar())
    for node in rng.choice(hierarchy.nodes[1:], 60, replace=False):
        start = start.hold(str(node), str(rng.choice(PERIODS)))
    held = start
    for month in PERIODS:
        held = held.hold(hierarchy.root, month)
    found = []
    for draft, where in ((start, "60 holds"), (held, "60 holds and every month of the company")):
        seconds, refused = thousand(draft, rng)
        found += [
            Row(
                floor.case,
                f"spread a draft, {where}: {name}",
                value,
                len(seconds),
                value / floor.seconds,
                "two passes",
                note,
            )
            for name, value, note in (
                (
                    "median",
                    float(np.median(seconds)),
                    f"with preview; {refused} of {DRAFT_EDITS:,} refused by name",
                ),
                ("99th percentile", float(np.percentile(seconds, 99)), ""),
            )
        ]
    return found


def thousand(draft: drafts.Draft, rng: np.random.Generator) -> tuple[list[float], int]:
    """Edit a draft step by step; return the seconds of each step, and how many edits holds refused."""
    tree, calendar = draft.grid.hierarchy, draft.grid.calendar
    periods = [*PERIODS, *dict.fromkeys(calendar.quarter_of(month) for month in PERIODS)]
    seconds, refused = [], 0
    for _ in range(DRAFT_EDITS + 1):
        node, period = str(rng.choice(tree.nodes[1:])), str(rng.choice(periods))
        now = draft.value(node, period) or 0
        method = str(rng.choice(["proportional", "equal", "percent_change", "repeat", "pattern", "transfer"]))
        amount = {"amount": max(round(now * rng.uniform(0.95, 1.05)), 1)}
        said = {
            "percent_change": {"ratio": float(rng.uniform(0.95, 1.05))},
            "repeat": {"amount": max(now // len(calendar.months(period)), 1)},
            "pattern": {**amount, "pattern": "4-4-5"},
            "transfer": {"amount": max(now // 50, 1), "to": str(rng.choice(tree.leaves))},
        }.get(method, amount)
        begin = time.perf_counter()
        try:
            after = drafts.apply(draft, drafts.Edit(method, node, period, **said))
            drafts.changes(draft, after)
        except SpmsError:
            refused += 1
        else:
            draft = after
        seconds.append(time.perf_counter() - begin)
    return seconds[1:], refused
