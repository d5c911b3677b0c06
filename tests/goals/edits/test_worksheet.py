"""Any sequence of edits, holds, transfers, undo and redo keeps the laws; and an edit is the projection of the whole tree."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import PlanError, SpmsError
from spms_lib.goals.edits import METHODS, Draft, Edit, Worksheet, apply, changes, move_account
from spms_lib.hierarchy import Hierarchy
from spms_lib.projection import Problem, solve

CALENDAR = FiscalCalendar()
MONTHS = CALENDAR.range("2026-01", "2026-06")
PERIODS = [*MONTHS, "2026Q1", "2026Q2"]


def random_draft(seed: int, size: int, *, gaps: bool = True) -> Draft:
    """A ragged tree, six months; zeros and nulls among its leaves, or none."""
    rng = np.random.default_rng(seed)
    parents = [None] + [f"n{rng.integers(0, number)}" for number in range(1, size)]
    tree = Hierarchy.from_parent_child(
        pd.DataFrame({"node": [f"n{i}" for i in range(size)], "parent": parents})
    )
    values = rng.integers(1, 10_000, (len(tree.leaves), len(MONTHS))).astype(float)
    if gaps:
        values[rng.random(values.shape) < 0.2] = 0
        values[rng.random(values.shape) < 0.2] = np.nan
    return Draft.of(tree, pd.DataFrame(values, tree.leaves, MONTHS), CALENDAR)


def same(one: Draft, other: Draft) -> bool:
    """The same bits: numbers, nulls and holds."""
    return (
        one.values.tobytes() == other.values.tobytes()
        and one.known.tobytes() == other.known.tobytes()
        and one.holds == other.holds
    )


@st.composite
def edits(draw: st.DrawFn, nodes: list[str]) -> Edit:
    method = draw(st.sampled_from([*METHODS, "transfer"]))
    node, period = draw(st.sampled_from(nodes)), draw(st.sampled_from(PERIODS))
    said: dict[str, Any] = {
        "amount": draw(st.integers(0, 50_000)),
        "ratio": draw(st.sampled_from([0.0, 0.5, 0.97, 1.1])),
        "last": draw(st.integers(0, 9_000)),
        "pattern": draw(st.sampled_from(["even", "bell", "4-4-5"])),
        "reference": (node, period),
        "to": draw(st.sampled_from(nodes)),
    }
    needs = ("amount", "to") if method == "transfer" else METHODS[method].needs
    takes = () if method == "transfer" else METHODS[method].takes
    action = {"action": draw(st.sampled_from(["replace", "add", "subtract"]))} if "action" in takes else {}
    return Edit(method, node, period, **{name: said[name] for name in needs}, **action)


class Planner(RuleBasedStateMachine):
    """An analyst who edits, holds, transfers, undoes and redoes at random; refused steps change nothing."""

    @initialize(seed=st.integers(0, 2**32 - 1), size=st.integers(1, 14))
    def start(self, seed: int, size: int) -> None:
        self.sheet = Worksheet(random_draft(seed, size))
        self.nodes = list(map(str, self.sheet.draft.grid.hierarchy.nodes))
        self.past, self.future = [self.sheet.draft], []

    def attempt(self, step: Any, *what: Any) -> None:
        before = self.sheet.draft
        try:
            step(*what)
        except SpmsError:
            assert self.sheet.draft is before, "a refused step changes nothing"
        else:
            self.past.append(self.sheet.draft)
            self.future = []

    @rule(data=st.data())
    def edit(self, data: st.DataObject) -> None:
        edit = data.draw(edits(self.nodes))
        before = self.sheet.draft
        self.attempt(self.sheet.edit, edit)
        after = self.sheet.draft
        if after is before:
            return
        total = None if edit.amount is None or edit.action != "replace" else edit.amount
        if total is not None and edit.method in {
            "proportional",
            "equal",
            "relative_proportional",
            "pattern",
            "fill",
        }:
            assert after.value(edit.node, edit.period) == total
        silent = ~before.known
        area = before.grid.area(edit.node, edit.period)
        silent[area] = False
        if edit.to:
            silent[before.grid.area(edit.to, edit.period)] = False
        assert not after.known[silent].any(), "null survives outside of the edit"
        if edit.method == "proportional" and before.known[area].any():
            assert (after.known[area] == before.known[area]).all(), "and inside a proportional one"

    @rule(data=st.data())
    def hold(self, data: st.DataObject) -> None:
        place = data.draw(st.sampled_from(self.nodes)), data.draw(st.sampled_from(PERIODS))
        self.attempt(self.sheet.hold, *place)

    @rule(data=st.data())
    def lift(self, data: st.DataObject) -> None:
        held = [(one.node, one.period) for one in self.sheet.draft.holds]
        if held:
            self.attempt(self.sheet.lift, *data.draw(st.sampled_from(held)))

    @precondition(lambda self: len(self.past) > 1)
    @rule()
    def undo(self) -> None:
        self.sheet.undo()
        self.future.append(self.past.pop())

    @precondition(lambda self: bool(self.future))
    @rule()
    def redo(self) -> None:
        self.sheet.redo()
        self.past.append(self.future.pop())

    @invariant()
    def laws_hold(self) -> None:
        draft = self.sheet.draft
        assert same(draft, self.past[-1]), "undo and redo restore bit for bit"
        assert (
            self.sheet.proof()["passed"]
            .where(self.sheet.proof()["check"] != "every hold stands", True)
            .where(self.sheet.proof()["check"] != "nothing fell below zero", True)
            .all()
        )
        for held in draft.holds:
            assert draft.value(held.node, held.period) == held.value, "a hold never moves"
        table = draft.table().astype("float64")
        rolled = draft.grid.hierarchy.roll_up(table.loc[draft.grid.hierarchy.leaves])
        pd.testing.assert_frame_equal(table, rolled.astype("float64"), check_names=False)
        assert not draft.values[~draft.known].any(), "null holds no amount"


Planner.TestCase.settings = settings(
    max_examples=40, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestPlanner = Planner.TestCase


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(2, 25), data=st.data())
def test_an_edit_is_the_projection_of_the_whole_tree_to_within_rounding(
    seed: int, size: int, data: st.DataObject
) -> None:
    """Oracle: no folding, every node of the month in one problem with the edit and all holds as limits."""
    draft = random_draft(seed, size, gaps=False)  # all zero, nobody moves: that rule has its own tests
    tree = draft.grid.hierarchy
    names = list(map(str, tree.nodes))
    for node in data.draw(st.lists(st.sampled_from(names), max_size=3)):
        if draft.value(node, "2026-01") is not None:
            draft = draft.hold(node, "2026-01")
    node = data.draw(st.sampled_from(names))
    before = draft.value(node, "2026-01")
    edit = Edit("proportional", node, "2026-01", amount=round((before or 0) * 1.05))
    try:
        after = apply(draft, edit)
    except SpmsError:
        return
    now = draft.table()["2026-01"].astype("float64").fillna(0.0)
    variance = np.full((len(tree), 1), np.inf)
    variance[tree.is_leaf, 0] = now[tree.leaves].to_numpy()
    below = [held.node for held in draft.holds if not set(tree.path(node)) & {held.node}]
    frozen = [leaf for leaf in tree.leaves if set(tree.path(str(leaf))) & set(below)]
    variance[tree.nodes.isin(frozen)] = 0.0
    limit = np.full((len(tree), 1), np.nan)
    for held in draft.holds:
        if held.node not in below:
            limit[tree.position(held.node)] = held.value
    limit[tree.position(node)] = edit.amount
    variance[~np.isnan(limit)] = np.inf
    lower, upper = np.where(np.isnan(limit), -np.inf, limit), np.where(np.isnan(limit), np.inf, limit)
    exact = solve(tree, Problem(now.to_numpy()[:, None], variance, lower, upper)).values[:, 0]
    ours = after.table()["2026-01"].astype("float64").fillna(0.0).to_numpy()
    assert np.abs(ours - exact).max() < 1.0


def test_undo_and_redo_stop_at_the_ends_and_a_new_step_forgets_what_was_undone() -> None:
    sheet = Worksheet(random_draft(1, 5))
    with pytest.raises(PlanError, match="nothing to undo"):
        sheet.undo()
    sheet.edit(Edit("equal", "n0", "2026Q1", amount=900))
    sheet.undo()
    sheet.edit(Edit("equal", "n0", "2026Q1", amount=600))
    with pytest.raises(PlanError, match="nothing to do again"):
        sheet.redo()
    assert [edit.amount for edit in sheet.edits] == [600]
    assert sheet.log == ["start", "equal on n0 in 2026Q1, amount 600"]


def test_a_preview_shows_what_an_edit_will_change_and_changes_nothing() -> None:
    sheet = Worksheet(random_draft(3, 8))
    before = sheet.draft
    edit = Edit("proportional", "n0", "2026-02", amount=777)
    seen = sheet.preview(edit)
    assert sheet.draft is before
    pd.testing.assert_frame_equal(seen, sheet.edit(edit))
    pd.testing.assert_frame_equal(seen, sheet.changes())
    assert seen.iloc[0]["node"] == "n0"
    assert (seen["after"].fillna(0) - seen["before"].fillna(0) == seen["change"]).all()


def test_a_moved_account_takes_its_quota_from_the_day_on_which_it_moved() -> None:
    import datetime as dt

    tree = Hierarchy.from_parent_child(pd.DataFrame({"node": ["t", "a", "b"], "parent": [None, "t", "t"]}))
    draft = Draft.of(tree, pd.DataFrame(3000, index=["a", "b"], columns=MONTHS), CALENDAR)
    quota = pd.Series(1200, index=MONTHS)
    after = draft
    for edit in move_account(quota, giver="a", taker="b", effective=dt.date(2026, 4, 16), calendar=CALENDAR):
        after = apply(after, edit)
    assert after.table().loc["a"].tolist() == [3000, 3000, 3000, 2400, 1800, 1800]
    assert after.table().loc["b"].tolist() == [3000, 3000, 3000, 3600, 4200, 4200]
    assert (after.table().loc["t"] == draft.table().loc["t"]).all()
    assert set(changes(draft, after)["node"]) == {"a", "b"}
