"""Outlook: what can be expected of each node in the quarter before anybody sets a target, and how sure that is."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from spms_lib.collect.pipeline import pipeline_by_month
from spms_lib.cycle.baselines import forecast_from
from spms_lib.cycle.capacity import expected_by_staff, lead_day
from spms_lib.cycle.desk import Desk
from spms_lib.cycle.evidence import past_quarters
from spms_lib.deals import snapshot
from spms_lib.goals.honesty import widening
from spms_lib.reconcile.plan import reconcile
from spms_lib.reconcile.trust import track_records, with_variance
from spms_lib.tables import LEVEL, NODE, PERIOD, SOURCE, VALUE, VARIANCE, to_long

BASELINE, STAFF, PIPELINE = "baseline", "capacity", "pipeline"
FEWEST_SNAPSHOTS = 2
FEWEST_QUARTERS, MONTHS_IN_YEAR = 3, 12
LARGEST_ERROR_RATIO, LEAST_DEGREES = 2.0, 2.0


class Outlook(NamedTuple):
    """What can be expected of every node, and how honest such expectations have been.

    Attributes
    ----------
    expected, spread
        Indexed by node, minor units of the quarter; missing where nobody can tell. The spread is the posterior one of
        the reconciliation, widened by level as past surprises ask.
    degrees
        Indexed by node: past cells of its level from which the widening was learnt, two at least; missing without any.
    quarters
        Past quarters that those cells come from.
    factors
        Indexed by level: by how much the spread was widened (below 1: narrowed).
    errors
        Columns source, level, nodes, error_ratio: how far each source was off, as a ratio of the node's baseline.
    past
        The same for past quarters, each as if standing before it: columns node, period (quarter), level, expected,
        spread (as it would have been widened then), degrees, actual.
    """

    expected: pd.Series
    spread: pd.Series
    degrees: pd.Series
    quarters: int
    factors: pd.Series
    errors: pd.DataFrame
    past: pd.DataFrame


class _Voices(NamedTuple):
    """Forecasts of quarters by source (nodes x quarters), what came, and the scale of errors (nodes x quarters)."""

    said: dict[str, pd.DataFrame]
    came: pd.DataFrame
    size: pd.DataFrame


def expected_quarter(desk: Desk, *, quarters: int = 8) -> Outlook:
    """Expect the quarter's sales of every node from what is known when the plan is made; targets have no voice.

    Sources: who sits where (`capacity`, where there is a roster) or else history alone (`baseline`), and the open deals
    of the last snapshot (`pipeline`, scaled by what a weighted euro used to bring). Each gets a variance from its own
    past errors on whole quarters, so months that err together are counted as they do; `reconcile` makes them coherent.
    Errors that nodes have in common are not in its posterior variance: `widening` learns them from the past.

    Parameters
    ----------
    quarters
        Past quarters that count as evidence.
    """
    when = _evidence(desk, quarters)
    voices = _voices(desk, [*when, desk.cycle])
    stood = [_standing(desk, voices, quarter) for quarter in when[1:]]
    past = pd.concat([one.rows for one in stood if one is not None] or [_nothing()], ignore_index=True)
    now = _standing(desk, voices, desk.cycle)
    if now is None:
        nobody = pd.Series(np.nan, index=desk.tree.nodes)
        return Outlook(nobody, nobody, nobody, 0, pd.Series(dtype="float64"), _errors(desk, voices), past)
    table = now.rows.set_index(NODE).reindex(desk.tree.nodes)
    factors = now.factors.reindex([name for name in desk.tree.level_names if name in now.factors.index])
    said = table["expected"], table["spread"], table["degrees"]
    return Outlook(*said, now.quarters, factors, _errors(desk, voices), past)


def _evidence(desk: Desk, count: int) -> list[str]:
    """List the past quarters before which a year was known; all of them where fewer than three would be left."""
    when = past_quarters(desk, count)
    months = desk.history().columns
    ripe = [
        quarter
        for quarter in when
        if sum(desk.calendar.end(month) <= lead_day(desk, quarter) for month in months) >= MONTHS_IN_YEAR
    ]
    return ripe if len(ripe) >= FEWEST_QUARTERS else when


def _voices(desk: Desk, quarters: list[str]) -> _Voices:
    history = desk.history()
    said: dict[str, dict[str, pd.Series]] = {BASELINE: {}, STAFF: {}, PIPELINE: {}}
    for quarter in quarters:
        day = desk.params.plan_as_of if quarter == desk.cycle else lead_day(desk, quarter)
        known = history[[month for month in history.columns if desk.calendar.end(month) <= day]]
        if known.shape[1]:
            own = forecast_from(desk, known, quarter)
            said[BASELINE][quarter] = own.sum(axis=1, min_count=own.shape[1])
        by_staff = expected_by_staff(desk, quarter, as_of=day, hires=quarter == desk.cycle)
        if by_staff is not None:
            said[STAFF][quarter] = by_staff
        deals = _weighted(desk, quarter)
        if deals is not None:
            said[PIPELINE][quarter] = deals
    came = _came(desk, history, quarters)
    said[PIPELINE] = _scaled(said[PIPELINE], came, desk.tree.root)
    tables = {name: pd.DataFrame(rows, index=desk.tree.nodes) for name, rows in said.items() if rows}
    size = tables.get(BASELINE, pd.DataFrame(index=desk.tree.nodes)).reindex(columns=quarters)
    if STAFF in tables:
        size = size.fillna(tables[STAFF].reindex(columns=quarters))
        heard = tables[STAFF].reindex(columns=tables[BASELINE].columns).notna()
        tables[BASELINE] = tables[BASELINE].where(~heard)  # who sits there says more than the past alone
    return _Voices(tables, came, size)


def _came(desk: Desk, history: pd.DataFrame, quarters: list[str]) -> pd.DataFrame:
    """Add up past quarters of which every month is known."""
    found = {
        quarter: history[desk.calendar.months(quarter)].sum(axis=1, min_count=1)
        for quarter in quarters
        if set(desk.calendar.months(quarter)) <= set(history.columns)
    }
    return pd.DataFrame(found, index=history.index)


def _weighted(desk: Desk, quarter: str) -> pd.Series | None:
    """Add up the weighted deals that were open before a quarter and close in it; None without a snapshot."""
    if not desk.has("opportunities"):
        return None
    day = desk.params.plan_as_of if quarter == desk.cycle else lead_day(desk, quarter)
    deals = snapshot(desk.table("opportunities"), as_of=day)
    if deals.empty:
        return None
    rows = pipeline_by_month(deals, desk.calendar)
    mine = rows[rows[PERIOD].isin(desk.calendar.months(quarter))]
    ever = desk.table("opportunities")[NODE].unique()
    by_leaf = mine.groupby(NODE)["weighted"].sum().reindex(ever).fillna(0.0)
    return desk.rolled_up(by_leaf.to_frame(quarter))[quarter]


def _scaled(weighted: dict[str, pd.Series], came: pd.DataFrame, root: str) -> dict[str, pd.Series]:
    """Scale weighted deals by what a weighted unit brought the company in earlier quarters, run-rate included."""
    scaled = {}
    for quarter, deals in weighted.items():
        before = [name for name in weighted if name < quarter and name in came.columns]
        open_then = sum(float(weighted[name][root]) for name in before)
        if len(before) >= FEWEST_SNAPSHOTS and open_then > 0:
            scaled[quarter] = deals * (float(came.loc[[root], before].to_numpy().sum()) / open_then)
    return scaled


class _Stood(NamedTuple):
    """What would have been expected of one quarter before it, and the widening learnt from the quarters before."""

    rows: pd.DataFrame
    factors: pd.Series
    quarters: int


def _standing(desk: Desk, voices: _Voices, at: str) -> _Stood | None:
    """Expect a quarter as if standing before it: rows node, period, level, expected, spread, actual, degrees.

    The quarters before are reconciled too, with the same variances: their surprises say how far the posterior spread
    has to grow. None where nobody has said anything about any leaf.
    """
    tree = desk.tree
    if not voices.said:
        return None
    heard = pd.concat([_estimates(desk, voices, source, at) for source in voices.said])
    at_leaves = heard[heard[NODE].isin(tree.leaves)]
    if not (at_leaves[PERIOD] == at).any():
        return None
    low = at_leaves.groupby([NODE, PERIOD])[VALUE].min()
    grid = low.unstack(PERIOD).reindex(tree.leaves)  # a silent leaf may not take what others leave over
    zero = to_long(grid.isna().astype(float).replace(0.0, np.nan))[[NODE, PERIOD]].assign(**{VALUE: 0})
    floor = low[low >= 0].reset_index()[[NODE, PERIOD]].assign(**{VALUE: 0})
    heard = heard[heard[PERIOD].isin(grid.columns)]
    plan = reconcile(tree, heard, holds=zero if len(zero) else None, lower=floor if len(floor) else None)
    known = tree.roll_up(grid.notna().astype(float).where(grid.notna())).notna()
    columns = list(plan.values.columns)
    table = {
        "expected": plan.values.where(known[columns]),
        "spread": plan.spread.where(known[columns]),
        "actual": voices.came.reindex(index=tree.nodes, columns=columns),
    }
    rows = pd.MultiIndex.from_product([columns, tree.nodes], names=[PERIOD, NODE]).to_frame(index=False)
    rows = rows[[NODE, PERIOD]].assign(**{name: wide.to_numpy().T.ravel() for name, wide in table.items()})
    rows.insert(2, LEVEL, rows[NODE].map(tree.level))
    before = rows[(rows[PERIOD] < at) & rows["actual"].notna() & rows["expected"].notna()]
    factors, quarters = widening(_surprises(before, voices)), before[PERIOD].nunique()
    mine = rows[rows[PERIOD] == at]
    wider = mine["spread"] * mine[LEVEL].map(factors).fillna(1.0)
    cells = mine[LEVEL].map(before.groupby(LEVEL).size()).astype("float64").clip(lower=LEAST_DEGREES)
    return _Stood(mine.assign(spread=wider, degrees=cells), factors, quarters)


def _estimates(desk: Desk, voices: _Voices, source: str, at: str) -> pd.DataFrame:
    """Give a source's words on a quarter and those before it their variance, from its errors in those before."""
    said = voices.said[source]
    now = to_long(said[[quarter for quarter in said.columns if quarter <= at]])
    scale = to_long(voices.size.where(voices.size > 0)).rename(columns={VALUE: "size"})
    sized = now.merge(scale, on=[NODE, PERIOD], how="left")
    size = sized["size"].fillna(sized.groupby(PERIOD)["size"].transform("mean"))
    told = sized.assign(source=source, said=sized[VALUE], value=size)[size.notna()]
    weighed = with_variance(told, _record(desk, voices, source, at), desk.tree.level)
    return weighed.assign(**{VALUE: weighed["said"]})[[NODE, PERIOD, SOURCE, VALUE, VARIANCE]]


def _record(desk: Desk, voices: _Voices, source: str, quarter: str) -> pd.DataFrame:
    """Learn a source's errors as ratios of the node's size, so that a seat that stood empty does not count as exact."""
    said = voices.said[source]
    before = [name for name in said.columns if name < quarter and name in voices.came][-8:]
    gap = said[before] - voices.came[before]
    size = voices.size[before].where(voices.size[before] > 0)
    as_size = to_long(size.where(gap.notna())).assign(source=source)
    return track_records(as_size, to_long(size - gap), desk.tree.level)


def _errors(desk: Desk, voices: _Voices) -> pd.DataFrame:
    records = [_record(desk, voices, source, desk.cycle) for source in voices.said]
    joined = pd.concat([one for one in records if len(one)] or [pd.DataFrame(columns=[SOURCE, NODE])])
    if joined.empty:
        return pd.DataFrame(columns=[SOURCE, LEVEL, "nodes", "error_ratio"])
    rows = joined.assign(**{LEVEL: joined[NODE].map(desk.tree.level)})
    grouped = rows.groupby([SOURCE, LEVEL], sort=False)
    table = grouped.agg(nodes=(NODE, "nunique"), error_ratio=("trust_error_ratio", "mean")).reset_index()
    place = table[LEVEL].map({name: number for number, name in enumerate(desk.tree.level_names)})
    return table.assign(place=place).sort_values([SOURCE, "place"], kind="stable").drop(columns="place").reset_index(drop=True)  # fmt: skip


def _surprises(rows: pd.DataFrame, voices: _Voices) -> pd.DataFrame:
    """Measure past errors in posterior spreads; as in track records, one counts at most twice the node's size."""
    size = to_long(voices.size).rename(columns={VALUE: "size"})
    most = rows.merge(size, on=[NODE, PERIOD], how="left")["size"].abs().to_numpy() * LARGEST_ERROR_RATIO
    error = (rows["actual"] - rows["expected"]).clip(-most, most)
    return rows[[LEVEL]].assign(surprise=error / rows["spread"].where(rows["spread"] > 0))


def _nothing() -> pd.DataFrame:
    text, number = pd.Series(dtype="object"), pd.Series(dtype="float64")
    return pd.DataFrame(
        {NODE: text, PERIOD: text, LEVEL: text, "expected": number, "spread": number, "actual": number,
         "degrees": number}
    )  # fmt: skip
