"""Walking through the past: what each approach would have forecast on the day before each quarter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import pandas as pd

from spms_lib.calendar import FiscalCalendar
from spms_lib.cycle.evidence import BASELINE, BOTTOM_UP, NAIVE, TOP_DOWN
from spms_lib.cycle.past import FIELD, TARGET, Past
from spms_lib.errors import SpmsError
from spms_lib.goals.baseline import baseline, seasonal_naive
from spms_lib.hierarchy import Hierarchy
from spms_lib.reconcile.methods import METHODS, Trust, method_named
from spms_lib.reconcile.plan import Plan, reconcile
from spms_lib.reconcile.trust import track_records, with_variance
from spms_lib.tables import LEVEL, NODE, PARENT, PERIOD, SOURCE, VALUE, VARIANCE, to_long

BLEND: Final = "blend"
MEAN: Final = "simple_mean"
SPREAD: Final = "sd"
METHOD_PREFIX: Final = "baseline_"
BASELINE_METHODS: Final = tuple(name for name in METHODS if name != "trust")
LEAST_ERRORS: Final = 6  # months of past errors before a method may rest on them
YEAR: Final = 12
_COLUMNS: Final = [NODE, PERIOD, SOURCE, VALUE, SPREAD]


class Forecast(Protocol):
    """A forecast from history alone, as `spms_lib.goals.baseline.baseline` is."""

    def __call__(self, history: pd.DataFrame, months: list[str], calendar: FiscalCalendar) -> pd.DataFrame:
        """Forecast months from what was known: nodes x months to nodes x months."""


@dataclass(frozen=True, eq=False)
class Walk:
    """What each approach would have said, quarter by quarter.

    Attributes
    ----------
    forecasts
        Columns node, period (month), source, value, sd (predictive standard deviation; minor units). Sources: top_down,
        bottom_up, blend (reconciled by trust, the dial in the middle), baseline, simple_mean (of top-down and bottom-up),
        seasonal_naive, any further ones, and `baseline_<method>` for the reconciled baseline.
    left_out
        Columns quarter, source, why: what could not be made from the evidence of the time.
    """

    forecasts: pd.DataFrame
    left_out: pd.DataFrame


def walk_forward(
    past: Past,
    *,
    methods: Sequence[str] = BASELINE_METHODS,
    further: Mapping[str, Forecast] | None = None,
) -> Walk:
    """Forecast every past quarter as if standing on the day before it, by every approach.

    Nothing from a quarter or after it enters its forecasts, except what the field submitted for it by the lead
    of this cycle. Track records and past errors are learned from the quarters before, so the first quarter has
    none and its spreads are the prior's. The tree is that of the plan, with the seats that were there then.

    Parameters
    ----------
    past
        From `past_of`.
    methods
        Reconciliation methods to try on the baseline of all levels; none makes the walk quicker.
    further
        Name to forecast from history: further baselines to be compared.

    Returns
    -------
    Walk
    """
    makers = {BASELINE: baseline, NAIVE: seasonal_naive, **(further or {})}
    errors = _early_errors(past, methods)
    done: list[pd.DataFrame] = []
    left_out: list[tuple[str, str, str]] = []
    for quarter in past.quarters:
        months = past.calendar.months(quarter)
        step = _Step(past, quarter, months, records_before(past, done, months[0]), left_out)
        if not len(step.known.columns):
            left_out.append((quarter, "all", "nothing had been sold before"))
            continue
        made = step.approaches(makers)
        if methods:
            made = [*made, *step.methods(made[0], methods, _joined(errors, past.came, months[0]))]
            errors = [*errors, made[0]]
        done = [*done, step.with_spread(made)]
    rows = pd.concat(done, ignore_index=True) if done else pd.DataFrame(columns=_COLUMNS)
    return Walk(
        rows[rows[NODE].isin(past.nodes)].reset_index(drop=True),
        pd.DataFrame(left_out, columns=["quarter", SOURCE, "why"]),
    )


def forecast_quarter(past: Past, quarter: str, records: pd.DataFrame) -> pd.DataFrame:
    """Forecast one quarter by every approach, with track records learned before it.

    Parameters
    ----------
    records
        From `records_before`.

    Returns
    -------
    pd.DataFrame
        As `Walk.forecasts`, without reconciled baselines.
    """
    step = _Step(past, quarter, past.calendar.months(quarter), records, [])
    rows = step.with_spread(step.approaches({BASELINE: baseline, NAIVE: seasonal_naive}))
    return rows[rows[NODE].isin(past.nodes)].reset_index(drop=True)


def records_before(past: Past, forecasts: Sequence[pd.DataFrame], month: str) -> pd.DataFrame:
    """Learn how far each source was off in the months before one: see `track_records`.

    Targets and field are learned under the names `target` and `field`; the field's record is of what each leaf said
    itself, never of a filled gap.

    Parameters
    ----------
    forecasts
        Forecasts of earlier quarters, columns node, period, source, value.
    """
    made = [part.loc[part[SOURCE] != TOP_DOWN, [NODE, PERIOD, SOURCE, VALUE]] for part in forecasts]
    rows = pd.concat([part for part in [past.told, *made] if len(part)] or [past.told], ignore_index=True)
    earlier = rows[rows[PERIOD] < month].astype({VALUE: float})
    return track_records(earlier, past.came, past.tree.level)


@dataclass(frozen=True, eq=False)
class _Step:
    """One quarter of the walk: what was known on the day before it."""

    past: Past
    quarter: str
    months: list[str]
    records: pd.DataFrame
    left_out: list[tuple[str, str, str]]

    @property
    def known(self) -> pd.DataFrame:
        """Leaves x months: what had been sold."""
        return _until(self.past.sold, self.months[0])

    @property
    def heard(self) -> list[pd.DataFrame]:
        """What leadership and field said, under the names that trust is learned by."""
        now = self.past.told[self.past.told[PERIOD].isin(self.months)]
        return [now[now[SOURCE] == TARGET], now[now[SOURCE] == FIELD]]

    def approaches(self, makers: Mapping[str, Forecast]) -> list[pd.DataFrame]:
        """Make every approach's forecast; the baseline comes first."""
        tree, past = self.past.tree, self.past
        history = tree.roll_up(self.known)
        made = [
            to_long(make(history, self.months, past.calendar).reindex(tree.nodes)).assign(source=name)
            for name, make in makers.items()
        ]
        target, said = self.heard
        made.append(target.assign(source=TOP_DOWN))
        if len(said):
            own = _wide(made[0], tree.leaves, self.months)
            spoken = tree.roll_up(past.said.reindex(columns=self.months).fillna(own))
            mean = (spoken + past.targets.reindex(columns=self.months)) / 2
            made += [to_long(spoken).assign(source=BOTTOM_UP), to_long(mean).assign(source=MEAN)]
        return [*made, self.blend([target, said, made[0]])]

    def blend(self, voices: list[pd.DataFrame]) -> pd.DataFrame:
        """Reconcile target, field and baseline by trust; no rows where only one of them has spoken."""
        estimates = pd.concat([voice for voice in voices if len(voice)], ignore_index=True)
        tree = _present(self.past.tree, estimates[NODE])
        if tree is None or estimates[SOURCE].nunique() < 2:
            self.left_out.append((self.quarter, BLEND, "fewer than two sources had spoken"))
            return pd.DataFrame(columns=_COLUMNS)
        return self._told(
            reconcile(tree, estimates[estimates[NODE].isin(tree.nodes)], method=Trust(self.records)), BLEND
        )

    def methods(self, base: pd.DataFrame, methods: Sequence[str], errors: pd.DataFrame) -> list[pd.DataFrame]:
        """Reconcile the baseline of all levels by every method that the evidence of the time allows."""
        tree = _present(self.past.tree, base[NODE])
        if tree is None:
            return []
        base = base[base[NODE].isin(tree.nodes)]
        weighed = with_variance(base, self.records, tree.level)
        enough = errors[PERIOD].nunique() >= LEAST_ERRORS
        residuals = _complete(errors, _wide(base, tree.nodes, self.months), tree) if enough else None
        recent = to_long(self.known.reindex(tree.leaves).iloc[:, -YEAR:].fillna(0.0))
        plans = []
        for name in methods:
            try:
                method = method_named(
                    name,
                    residuals=residuals,
                    history=recent,
                    level=self.past.review_level,
                    records=self.records,
                )
                plans.append(self._told(reconcile(tree, weighed, method=method), METHOD_PREFIX + name))
            except SpmsError as refusal:
                self.left_out.append((self.quarter, METHOD_PREFIX + name, refusal.what))
        return plans

    def _told(self, plan: Plan, name: str) -> pd.DataFrame:
        """Read a plan's values and, where the method states them, spreads; a value that nobody supports is missing."""
        spread = to_long(plan.spread, value=SPREAD)
        rows = to_long(plan.values).merge(spread, on=[NODE, PERIOD], how="left").assign(source=name)
        supported: pd.DataFrame = rows[~np.isinf(rows[SPREAD])]
        return supported

    def with_spread(self, made: list[pd.DataFrame]) -> pd.DataFrame:
        """Give a source without a spread of its own that of its track record, as known then."""
        some = [
            part.reindex(columns=_COLUMNS).astype({VALUE: float, SPREAD: float}) for part in made if len(part)
        ]
        rows = pd.concat(some, ignore_index=True)
        bare = rows[SPREAD].isna()
        named = rows[bare].replace({SOURCE: {TOP_DOWN: TARGET}})
        variance = with_variance(named, self.records, self.past.tree.level)[VARIANCE]
        rows.loc[bare, SPREAD] = np.sqrt(variance.to_numpy())
        return rows


def _until(by_month: pd.DataFrame, month: str) -> pd.DataFrame:
    """Keep the months before one."""
    return by_month[[name for name in by_month.columns if str(name) < month]]


def _present(tree: Hierarchy, nodes: pd.Series) -> Hierarchy | None:
    """Keep the leaves that anybody has an estimate of, and what is above them; None if there is none."""
    there = tree.leaves.isin(set(nodes))
    if there.all():
        return tree
    if not there.any():
        return None
    kept = tree.roll_up(pd.DataFrame({"there": there.astype(np.int64)}, tree.leaves))["there"].to_numpy() > 0
    table = pd.DataFrame({NODE: tree.nodes, PARENT: tree.parents.to_numpy(), LEVEL: tree.level.to_numpy()})
    return Hierarchy.from_parent_child(table[kept])


def _early_errors(past: Past, methods: Sequence[str]) -> list[pd.DataFrame]:
    """Forecast the quarters before the walk by the baseline, as far back as there is a quarter of history."""
    if not methods or not past.quarters or past.sold.empty:
        return []
    calendar, first = past.calendar, past.quarters[0]
    start = calendar.shift(calendar.quarter_of(past.sold.columns[0]), 1)
    history = past.tree.roll_up(past.sold)
    early = []
    while start < first:
        months = calendar.months(start)
        known = _until(history, months[0])
        early.append(
            to_long(baseline(known, months, calendar).reindex(past.tree.nodes)).assign(source=BASELINE)
        )
        start = calendar.shift(start, 1)
    return early


def _joined(forecasts: list[pd.DataFrame], actual: pd.DataFrame, before: str) -> pd.DataFrame:
    """Past errors of the baseline: columns node, period, value (forecast - actual)."""
    if not forecasts:
        return pd.DataFrame(columns=[NODE, PERIOD, VALUE])
    rows = pd.concat(forecasts, ignore_index=True)
    pairs = rows[rows[PERIOD] < before].merge(actual, on=[NODE, PERIOD], suffixes=("", "_actual"))
    return pairs.assign(**{VALUE: pairs[VALUE] - pairs["value_actual"]})[[NODE, PERIOD, VALUE]]


def _complete(errors: pd.DataFrame, now: pd.DataFrame, tree: Hierarchy) -> pd.DataFrame:
    """Give every node an error in every past month, as covariances need it.

    Before a node existed its error is 0, and those it has are raised so that their mean square stays; a node without
    any takes those of the node above, in proportion to what is expected of the two.
    """
    grid = errors.pivot_table(index=NODE, columns=PERIOD, values=VALUE).reindex(tree.nodes)
    found = grid.to_numpy(dtype=np.float64)
    known = (~np.isnan(found)).sum(axis=1)
    months = found.shape[1]
    filled = np.nan_to_num(found) * np.sqrt(months / np.maximum(known, 1))[:, None]
    size = now.abs().sum(axis=1).to_numpy()
    for node in np.flatnonzero(known == 0):
        above = tree.parent[node]
        if above >= 0 and size[above] > 0:
            filled[node] = filled[above] * size[node] / size[above]
    return to_long(pd.DataFrame(filled, tree.nodes, grid.columns))


def _wide(rows: pd.DataFrame, nodes: pd.Index, months: list[str]) -> pd.DataFrame:
    table = rows.pivot_table(index=NODE, columns=PERIOD, values=VALUE).reindex(index=nodes, columns=months)
    return table.astype(float)
