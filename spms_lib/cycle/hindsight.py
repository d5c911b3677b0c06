"""Hindsight: targets that were given in past quarters against what our cascade would have made of the same amounts."""

from dataclasses import replace
from typing import Final, NamedTuple

import pandas as pd

from spms_lib.cycle.desk import Desk
from spms_lib.cycle.difficulty import compare_levels
from spms_lib.cycle.evidence import past_quarters
from spms_lib.cycle.split import leaf_drivers
from spms_lib.errors import ParamsError
from spms_lib.goals.cascade import cascade
from spms_lib.goals.drivers import EQUAL, blend_drivers
from spms_lib.hierarchy import Hierarchy
from spms_lib.sources.checks import UNUSUAL
from spms_lib.tables import LEVEL, NODE, PARENT, PERIOD, SOURCE, VALUE, to_wide

GIVEN: Final = "given"
CASCADE: Final = "cascade"
WITHIN: Final = "cascade within parents"
FROM_TOP: Final = "cascade of the company's target"
DATED: Final = (
    "history",
    "growth",
    "capacity",
    "pipeline",
    EQUAL,
)  # drivers that a past day can be asked for
WANTED: Final = {"history": 0.7, "growth": 0.3}


class Hindsight(NamedTuple):
    """What was given and what our cascade would have given, on the same nodes and quarters.

    Attributes
    ----------
    cells
        Columns level, node, parent, period (quarter), source, value (target), actual, attainment;
        minor units. Sources: `given`; `cascade`, which splits the sum of the given targets of a
        level and quarter among the level's nodes; `cascade within parents`, which splits the sum
        of each parent's children among them; `cascade of the company's target`, where the company
        was given one: it distributes that amount over everybody who was there, and so differs in
        its sum where the levels were given other amounts.
    levels
        One row per level and source: see `compare_levels`.
    quarters
        The same by level, quarter and source.
    left_out
        Columns period, level, nodes, reason: what was not compared.
    """

    cells: pd.DataFrame
    levels: pd.DataFrame
    quarters: pd.DataFrame
    left_out: pd.DataFrame


def past_targets_against_cascade(
    desk: Desk, quarters: int = 8, *, wanted: dict[str, float] | None = None, without_noted: bool = False
) -> Hindsight:
    """Compare the targets that were given in past quarters with our cascade of the same amounts.

    For each quarter the cascade stands on the day before it: tree, history and drivers of
    that day, no holds, no gates. A node takes part where it was given a target for every
    month (or the quarter) and every month's result is known. Targets of a level are compared
    within the level and never added to those of another.

    Parameters
    ----------
    quarters
        How many past quarters to look at, counted back from the day on which the plan was made.
    wanted
        Driver: weight, as in `blend_drivers`; only drivers that a past day can be asked for:
        history, growth, capacity, pipeline, equal.
    without_noted
        True leaves out targets that the findings note as unusually large, which may be slips.

    Raises
    ------
    ParamsError
        If a driver has no date, so that the past would know the future.
    """
    weights = dict(WANTED if wanted is None else wanted)
    undated = [name for name in weights if name not in DATED]
    if undated:
        raise ParamsError(
            f"The driver '{undated[0]}' has no date: the past would know today's value.",
            where="hindsight",
            remedy=f"Use {', '.join(DATED)}.",
        )
    given, noted = _given(desk), _noted(desk)
    sold = desk.actuals(until=desk.params.plan_as_of)
    parts: list[pd.DataFrame] = []
    left: list[tuple[str, str, int, str]] = []
    for quarter in past_quarters(desk, quarters):
        then = _on_the_day_before(desk, quarter)
        if then is None:
            left.append((quarter, "", 0, "no result is known before it"))
            continue
        actual = then.rolled_up(sold)[desk.calendar.months(quarter)].sum(axis=1, min_count=3)
        asked = given[quarter].reindex(then.tree.nodes) if quarter in given else pd.Series(dtype=float)
        slips = [node for node in noted.get(quarter, []) if without_noted and node in asked.dropna()]
        left += [
            (quarter, then.tree.level[node], 1, f"target of '{node}' noted as unusually large")
            for node in slips
        ]
        if asked.isna().all():
            left.append((quarter, "", 0, "no target was given"))
            continue
        share = _shares(then, asked, weights)
        asked = asked.mask(asked.index.isin(slips))
        top = _from_top(then, asked, share)
        for level in then.tree.level_names:
            nodes = then.tree.at_level(level)
            there = nodes[asked[nodes].notna()]
            known = there[actual[there].notna()]
            if len(there) > len(known):
                left.append((quarter, level, len(there) - len(known), "a target, but no result"))
            if len(known):
                parts.append(
                    _one_level(then.tree, level, quarter, asked[known], actual[known], share[known], top)
                )
    cells = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_CELLS)
    return Hindsight(
        cells,
        compare_levels(cells),
        compare_levels(cells, by_quarter=True),
        pd.DataFrame(left, columns=[PERIOD, LEVEL, "nodes", "reason"]),
    )


_CELLS = [LEVEL, NODE, PARENT, PERIOD, SOURCE, VALUE, "actual", "attainment"]


def _given(desk: Desk) -> pd.DataFrame:
    """Targets of the table by node and quarter, minor units; missing unless every month has one."""
    rows = desk.table("targets")
    mine = rows[rows["measure"] == desk.company.measure]
    monthly = mine[mine[PERIOD].str.len() == len("2026-01")]
    quarter = monthly[PERIOD].map(
        {month: desk.calendar.quarter_of(month) for month in monthly[PERIOD].unique()}
    )
    by_quarter = monthly.astype({VALUE: float}).groupby([NODE, quarter])[VALUE].agg(["sum", "count"])
    whole = by_quarter["sum"].where(by_quarter["count"] == 3).unstack()
    stated = to_wide(mine[mine[PERIOD].str.contains("Q")].astype({VALUE: float}))
    return stated.combine_first(whole) if len(stated) else whole


def _noted(desk: Desk) -> dict[str, list[str]]:
    """Nodes by quarter of whose targets a finding says that they are unusually large."""
    found = desk.findings
    rows = found[(found["table"] == "targets") & (found["rule"] == UNUSUAL)]["row"]
    named = desk.table("targets").reindex(rows).dropna(subset=NODE)
    quarter = named[PERIOD].map(lambda name: name if "Q" in name else desk.calendar.quarter_of(name))
    return {str(key): list(group.unique()) for key, group in named[NODE].groupby(quarter)}


def _on_the_day_before(desk: Desk, quarter: str) -> Desk | None:
    """Sit down at the desk as it stood before a quarter; None where nothing had been sold by then."""
    before = desk.calendar.end(desk.calendar.months(desk.calendar.shift(quarter, -1))[-1])
    plain = {"cycle": quarter, "plan_as_of": before, "phasing": "history", "gates": ()}
    then = replace(desk, params=desk.params.model_copy(update=plain))
    return then if then.actuals(until=before).shape[1] else None


def _shares(then: Desk, asked: pd.Series, wanted: dict[str, float]) -> pd.Series:
    """Weight of every node from what was known: a seat with neither a past nor a target was not there yet."""
    drivers = leaf_drivers(then)
    there = drivers.index[drivers["history"].notna() | asked[drivers.index].notna()]
    wanted = {name: weight for name, weight in wanted.items() if name == EQUAL or name in drivers}
    weights, _ = blend_drivers(then.tree, drivers, wanted)
    kept = weights.where(weights.index.isin(there), 0.0)
    return then.tree.roll_up(kept.to_frame("weight"))["weight"]


def _one_level(
    tree: Hierarchy,
    level: str,
    quarter: str,
    asked: pd.Series,
    actual: pd.Series,
    share: pd.Series,
    top: pd.Series | None,
) -> pd.DataFrame:
    """Split what the nodes of a level were given together, and what each parent's children were given."""
    parent = tree.parents[asked.index].fillna("")
    units = asked.round().astype("int64")
    family = Hierarchy.from_parent_child(_family(parent))
    total = pd.Series({quarter: int(units.sum())})
    sums = units.groupby(parent).sum()
    holds = pd.DataFrame({NODE: "above " + sums.index, PERIOD: quarter, VALUE: sums.to_numpy()})
    values = {
        GIVEN: units,
        CASCADE: cascade(family, total, share)[quarter][asked.index],
        WITHIN: cascade(family, total, share, holds=holds)[quarter][asked.index],
    }
    if top is not None:
        values[FROM_TOP] = top[asked.index]
    frames = [
        pd.DataFrame(
            {
                LEVEL: level,
                NODE: asked.index,
                PARENT: parent.to_numpy(),
                PERIOD: quarter,
                SOURCE: source,
                VALUE: value.to_numpy(),
                "actual": actual.to_numpy(),
                "attainment": (actual / value.where(value > 0)).to_numpy(),
            }
        )
        for source, value in values.items()
    ]
    return pd.concat(frames, ignore_index=True)


def _from_top(then: Desk, asked: pd.Series, share: pd.Series) -> pd.Series | None:
    """Cascade the company's own target over everybody who was there; None where none was given."""
    root = then.tree.root
    if pd.isna(asked[root]):
        return None
    total = pd.Series({then.cycle: round(asked[root])})
    return cascade(then.tree, total, share[then.tree.leaves])[then.cycle]


def _family(parent: pd.Series) -> pd.DataFrame:
    """Build a tree of three levels: everything, the parents, the nodes."""
    above = ("above " + parent).to_numpy()
    rows = [("everything", None), *((name, "everything") for name in pd.unique(above))]
    rows += list(zip(parent.index, above, strict=True))
    return pd.DataFrame(rows, columns=[NODE, PARENT])
