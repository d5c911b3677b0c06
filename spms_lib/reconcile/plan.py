"""The reconciled plan: closest to all estimates by trust, coherent, limits kept, every number explained."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.commitments import commit
from spms_lib.errors import TableError
from spms_lib.hierarchy import Crossed, Hierarchy
from spms_lib.projection import Answer, Certificate, Problem, solve
from spms_lib.projection.problem import AT_LOWER, AT_UPPER, FREE, HELD
from spms_lib.reconcile.grid import ONLY, Heard, Layout, limit_grids
from spms_lib.reconcile.methods import Trust, method_named
from spms_lib.reconcile.weighed import Method, Weighed
from spms_lib.tables import PERIOD, SOURCE, VALUE, VARIANCE, need

Floats = NDArray[np.float64]

HOLD: Final = "hold"
BOUND: Final = "bound"
CUT: Final = "cut"
ROUNDING: Final = "rounding"
KINDS: Final = {AT_LOWER: "lower", AT_UPPER: "upper", HELD: HOLD}


@dataclass(frozen=True, eq=False)
class Plan:
    """A coherent plan and where each of its numbers comes from.

    Tables are made when they are first asked for. Rows are the nodes of the hierarchy (or the cells of a crossed one),
    columns are periods; where periods are a dimension, months, quarters and years stand side by side.
    """

    layout: Layout
    heard: Heard
    weighed: Weighed
    problem: Problem
    found: Floats
    units: NDArray[np.int64]
    solved: Answer | None = None

    def __repr__(self) -> str:
        sources = ", ".join(voice.name for voice in self.heard.voices)
        return f"Plan({len(self.layout.base)} nodes x {len(self.layout.periods)} periods from {sources})"

    @cached_property
    def answer(self) -> Answer:
        """The values with what they depend on; solved again where only a few periods were, and somebody asks why."""
        return self.solved or solve(self.layout.structure, self.problem)

    @cached_property
    def values(self) -> pd.DataFrame:
        """The reconciled estimates, float minor units."""
        return self.layout.frame(self.found)

    @cached_property
    def variance(self) -> pd.DataFrame:
        """Posterior variance, minor units squared: 0 where held, infinite where nobody has said anything.

        Missing where the method states weights and no variances, such as `ols`. Bounds do not change it.
        """
        known = self.answer.variance if self.weighed.in_money else np.full(self.found.shape, np.nan)
        return self.layout.frame(known)

    @cached_property
    def spread(self) -> pd.DataFrame:
        """Posterior standard deviation, minor units: the root of `variance`."""
        return self.variance**0.5

    @cached_property
    def commitments(self) -> pd.DataFrame:
        """Whole minor units, int64: every parent equals its children to the cent."""
        return self.layout.frame(self.units)

    @cached_property
    def contributions(self) -> pd.DataFrame:
        """How much of each number came from whom: columns node (or the keys of a cell), period, source, value.

        For each cell and period the rows sum to its commitment. Sources are those of the estimates, then `hold`,
        `bound` and `cut` where there are any, and `rounding`.
        """
        layout = self.layout
        rows = [
            layout.frame(part).assign(**{SOURCE: name}).rename_axis(index=self._index_names())
            for name, part in self.parts().items()
        ]
        names = self._index_names()
        long = pd.concat(rows).reset_index().melt([*names, SOURCE], var_name=PERIOD, value_name=VALUE)
        return long[[*names, PERIOD, SOURCE, VALUE]].dropna(subset=[VALUE], ignore_index=True)

    def _index_names(self) -> list[str]:
        return [key for key in self.layout.keys if key != PERIOD]

    def parts(self) -> dict[str, Floats]:
        """Split every number by source, hold, bound, cut and rounding; shape (n_cells, n_periods) each.

        The values are linear in the estimates and in the limits that they stand on, so each part is the answer with
        everything else silent.
        """
        answer, problem = self.answer, self.answer.problem
        linear, nothing = answer.linear, np.zeros(answer.values.shape)
        certain = problem.variance == 0  # estimates that are kept as they are
        parts = {}
        for voice in self.heard.voices:
            own = self.weighed.estimates(self.layout, self.heard.part(voice))
            parts[voice.name] = linear.respond(own, np.where(certain, own, 0.0))
        limits = np.where(certain, 0.0, answer.limits())
        is_cut = np.arange(len(limits))[:, None] >= len(self.layout.base)
        held = answer.states == HELD
        parts[HOLD] = linear.respond(nothing, np.where(held & ~is_cut, limits, 0.0))
        if self.layout.cuts:
            parts[CUT] = linear.respond(nothing, np.where(is_cut, limits, 0.0))
        if problem.bounded:
            # what is left, so that it also holds where bounds decide among answers that the estimates leave open
            parts[BOUND] = answer.values - np.sum(list(parts.values()), axis=0)
        own_cells = slice(None, len(self.layout.base))
        parts = {name: part[own_cells] for name, part in parts.items()}
        parts[ROUNDING] = self.units - np.sum(list(parts.values()), axis=0)
        return parts

    @cached_property
    def multipliers(self) -> pd.DataFrame:
        """What each hold, bound and cut that the plan stands on costs.

        Columns: the keys of the cell (a cut by its name), period, kind (hold, lower, upper), value (minor units) and
        multiplier: how half the misfit, in squared standard errors, grows per minor unit of the limit. Positive means
        that a lower limit would fit better, negative a higher one.
        """
        answer = self.answer
        stands = (answer.states != FREE) & ~(answer.problem.variance == 0)
        flat = np.flatnonzero(stands)
        table = self.layout.long(flat)
        kinds = np.array([KINDS[int(state)] for state in answer.states[stands]], dtype=object)
        return table.assign(kind=kinds, value=answer.values[stands], multiplier=answer.pull[stands])

    @cached_property
    def certificate(self) -> Certificate:
        """Proof that the values are the optimum; see `Certificate`."""
        return self.answer.certificate()


def reconcile(
    hierarchy: Hierarchy | Crossed,
    estimates: pd.DataFrame,
    *,
    holds: pd.DataFrame | None = None,
    lower: pd.DataFrame | None = None,
    upper: pd.DataFrame | None = None,
    cuts: pd.DataFrame | None = None,
    method: Method | str = "trust",
) -> Plan:
    """Find the coherent plan closest to all estimates, each counted by its variance, within all limits.

    Sources of one node are first combined by precision (1 / variance), then the projection makes them coherent.
    Missing estimates are no estimates, not zeros.

    Parameters
    ----------
    hierarchy
        The tree of the planned period, or trees crossed with each other.
    estimates
        Columns node, period, source, value (minor units) and, for `trust` and `bottom_up`, variance (minor units
        squared; 0 holds the node, inf leaves the row out). Any subset of nodes. A crossed hierarchy has a column per
        dimension instead of node; if one of them is the period, quarters and years may be stated too.
    holds
        The same keys and value (whole minor units): numbers that must stand.
    lower, upper
        The same: numbers that must not be passed, at any node.
    cuts
        Columns cut (a name), the keys of a cell without period, optionally weight: sums of any cells. A cut is limited
        as a node is: by rows of `holds`, `lower` or `upper` that name it in the column node (or the first key).
    method
        Which variances to use: a name that needs no further evidence, or a method with its evidence such as
        `MinT(residuals)`; see `spms_lib.reconcile.methods`.

    Returns
    -------
    Plan

    Raises
    ------
    TableError
        If a row is outside the tree, a value is missing, or a variance is negative or missing.
    InfeasibleError
        If holds and bounds contradict each other, naming a smallest set of them and the numbers to change.

    Examples
    --------
    >>> tree = Hierarchy.from_parent_child(pd.DataFrame({"node": ["t", "a", "b"], "parent": [None, "t", "t"]}))
    >>> heard = pd.DataFrame(
    ...     [("t", "2026-01", "target", 100.0, 25.0), ("a", "2026-01", "field", 60.0, 10.0), ("b", "2026-01", "field", 50.0, 15.0)],
    ...     columns=["node", "period", "source", "value", "variance"],
    ... )
    >>> reconcile(tree, heard).commitments["2026-01"].to_dict()
    {'t': 105, 'a': 58, 'b': 47}
    >>> cap = pd.DataFrame({"node": ["a"], "period": ["2026-01"], "value": [50]})
    >>> reconcile(tree, heard, upper=cap).commitments["2026-01"].to_dict()
    {'t': 100, 'a': 50, 'b': 50}
    """
    chosen = method_named(method) if isinstance(method, str) else method
    told = chosen.prepare(hierarchy, estimates)
    if isinstance(chosen, Trust) and VARIANCE not in told:
        raise TableError(
            "The estimates have no variance.",
            where="estimates",
            remedy="Weigh them by track records (Trust(records)), or choose a method that does without.",
        )
    crossed_periods = isinstance(hierarchy, Crossed) and PERIOD in hierarchy.dimensions
    if not crossed_periods:
        need(told, [PERIOD], "estimates")
    periods = [ONLY] if crossed_periods or told.empty else sorted(told[PERIOD].unique())
    layout = Layout.of(hierarchy, periods, cuts)
    heard = Heard.of(layout, told)
    low, high = limit_grids(layout, holds, lower, upper)
    return _plan(layout, heard, chosen.weigh(layout, heard), low, high)


def _plan(layout: Layout, heard: Heard, weighed: Weighed, lower: Floats | None, upper: Floats | None) -> Plan:
    problem = Problem(
        weighed.estimates(layout, heard.value),
        weighed.variance,
        lower,
        upper,
        factors=weighed.factors,
        sampled=weighed.sampled,
        columns=layout.periods,
    )
    answer = solve(layout.structure, problem)
    return Plan(layout, heard, weighed, problem, answer.values, _committed(layout, answer), answer)


def _committed(layout: Layout, answer: Answer) -> NDArray[np.int64]:
    """Round the values to whole minor units; limits are whole already and stay."""
    own = slice(None, len(layout.base))
    stands = (answer.states != FREE) & ~(answer.problem.variance == 0)
    held = stands[own] if stands.any() else None
    return commit(layout.base, answer.values[own], held=held)


def revise(
    plan: Plan,
    *,
    holds: pd.DataFrame | None = None,
    lift: pd.DataFrame | None = None,
    values: pd.DataFrame | None = None,
) -> Plan:
    """Change a few numbers of a plan and reconcile again, only in the periods that they touch.

    Parameters
    ----------
    holds
        Keys, period and value: numbers that must now stand.
    lift
        Keys and period: holds and bounds to take away.
    values
        Keys, period, source and value: what a source now says where it has spoken before; its variance stays.

    Returns
    -------
    Plan
        A new plan; the one given is unchanged.

    Raises
    ------
    InfeasibleError
        As in `reconcile`.
    """
    layout, shape = plan.layout, plan.found.shape
    low, high = (grid.copy() for grid in plan.problem.limits())
    touched: set[int] = set()
    if lift is not None and len(lift):
        flat = layout.flat(lift, "lift")
        low.reshape(-1)[flat], high.reshape(-1)[flat] = -np.inf, np.inf
        touched |= set((flat % shape[1]).tolist())
    if holds is not None and len(holds):
        layout.flat(holds, "holds")  # unlike a plan's holds, an edit must meet the plan
        new, _ = limit_grids(layout, holds, None, None)
        assert new is not None
        placed = np.isfinite(new)
        low[placed] = high[placed] = new[placed]
        touched |= set(np.flatnonzero(placed.any(axis=0)).tolist())
    heard = plan.heard
    if values is not None and len(values):
        heard = heard.with_values(values)
        touched |= set((layout.flat(values, "values") % shape[1]).tolist())
    return _spliced(plan, heard, low, high, sorted(touched))


def _spliced(plan: Plan, heard: Heard, low: Floats, high: Floats, columns: list[int]) -> Plan:
    """Solve some columns anew and keep the others."""
    layout, weighed = plan.layout, plan.weighed
    problem = replace(plan.problem, estimates=weighed.estimates(layout, heard.value), lower=low, upper=high)
    if not columns:
        return plan
    shared = problem.variance.shape[1] == 1
    part = replace(
        problem,
        estimates=problem.estimates[:, columns],
        variance=problem.variance if shared else problem.variance[:, columns],
        lower=low[:, columns],
        upper=high[:, columns],
        columns=[layout.periods[column] for column in columns],
    )
    solved = solve(layout.structure, part)
    found, units = plan.found.copy(), plan.units.copy()
    found[:, columns] = solved.values
    units[:, columns] = _committed(layout, solved)
    return Plan(layout, heard, weighed, problem, found, units)


def changes(before: Plan, after: Plan) -> pd.DataFrame:
    """List what differs between two plans of the same structure and periods, largest change first.

    Returns
    -------
    pd.DataFrame
        The keys of a cell, period, before, after, change (whole minor units).
    """
    moved = after.units - before.units
    flat = np.flatnonzero(moved)
    order = flat[np.argsort(-np.abs(moved.reshape(-1)[flat]), kind="stable")]
    return before.layout.long(order).assign(
        before=before.units.reshape(-1)[order],
        after=after.units.reshape(-1)[order],
        change=moved.reshape(-1)[order],
    )
