"""Gates: who takes no part in a split, or only in part, by rules that are stated and shown."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from spms_lib.errors import NoBasisError
from spms_lib.goals.drivers import EQUAL, fill_newcomers
from spms_lib.hierarchy import Hierarchy
from spms_lib.tables import NODE, need

COLUMNS = [NODE, "driver", "gate", "rule"]


@dataclass(frozen=True, slots=True)
class GateRule:
    """One condition on leaves.

    Attributes
    ----------
    column
        What is looked at: a driver, or `seated` (1 where somebody sits) or `ramp` (0 to 1).
    at_least
        A leaf below it counts with `factor`. None: the column is itself the gate, such as `ramp`.
    factor
        0 excludes, 1 changes nothing.
    driver
        Driver that is gated; empty for the whole split.
    missing
        Gate of a leaf for which the column is missing; None refuses it by name.
    """

    column: str
    at_least: float | None = None
    factor: float = 0.0
    driver: str = ""
    missing: float | None = None

    def __str__(self) -> str:
        whom = f" ({self.driver} only)" if self.driver else ""
        if self.at_least is None:
            return f"counts with its {self.column}{whom}"
        effect = "excluded" if self.factor == 0 else f"counts with {self.factor:g}"
        return f"{self.column} below {self.at_least:g}: {effect}{whom}"


def gates_by_rule(columns: pd.DataFrame, rules: Sequence[GateRule]) -> pd.DataFrame:
    """Turn rules into a gate for every leaf that they touch.

    Parameters
    ----------
    columns
        Leaves x columns, as numbers; missing where not measured.

    Returns
    -------
    pd.DataFrame
        Columns node, driver, gate (0 to 1), rule (in words): one row per leaf and rule whose gate is not 1.

    Raises
    ------
    NoBasisError
        If a column is unknown, not a number, or missing for a leaf and the rule does not say what
        then; a leaf about which nothing is known is never excluded by accident.

    Examples
    --------
    >>> market = pd.DataFrame({"market_potential": [5.0, 80.0]}, index=["anna", "ben"])
    >>> gates_by_rule(market, [GateRule("market_potential", at_least=10.0)]).values.tolist()
    [['anna', '', 0.0, 'market_potential below 10: excluded']]
    """
    parts = [_one_rule(columns, rule) for rule in rules]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)


def _one_rule(columns: pd.DataFrame, rule: GateRule) -> pd.DataFrame:
    if rule.column not in columns:
        raise NoBasisError(
            f"There is no column '{rule.column}'.",
            where="gates",
            remedy=f"Known: {', '.join(map(str, columns))}.",
        )
    given = columns[rule.column]
    values = pd.to_numeric(given, errors="coerce").astype(float)
    unknown = values.isna() & (given.notna() | (rule.missing is None))
    if unknown.any():
        raise NoBasisError(
            f"'{rule.column}' is not known as a number for {int(unknown.sum())} leaves, such as "
            f"'{values.index[unknown][0]}' ({given[unknown].iloc[0]}).",
            where="gates",
            remedy="Complete it, or say with 'missing' how such a leaf counts.",
        )
    gate = (
        values
        if rule.at_least is None
        else pd.Series(1.0, values.index).mask(values < rule.at_least, rule.factor)
    )
    gate = gate.mask(values.isna(), rule.missing)
    table = pd.DataFrame(
        {NODE: gate.index, "driver": rule.driver, "gate": gate.to_numpy(), "rule": str(rule)}
    )
    return table[table["gate"] != 1.0]


def leaf_gates(hierarchy: Hierarchy, gates: pd.DataFrame, *, driver: str = "") -> pd.Series:
    """Find each leaf's gate: the product of all gates on it and above it.

    Parameters
    ----------
    gates
        Columns node (leaf or not), gate (0 excludes, 1 counts in full); optionally driver.
    driver
        Whose gates; empty for those of the whole split.

    Returns
    -------
    pd.Series
        Indexed by every leaf, 0 to 1.

    Raises
    ------
    HierarchyError
        If a node is unknown.
    NoBasisError
        If a gate is missing, not a number or outside 0 to 1. It is not read as 0: that
        would take a branch out of the plan without a word.

    Examples
    --------
    >>> tree = Hierarchy.from_parent_child(pd.DataFrame({"node": ["t", "a", "b"], "parent": [None, "t", "t"]}))
    >>> leaf_gates(tree, pd.DataFrame({"node": ["a"], "gate": [0.5]})).to_dict()
    {'a': 0.5, 'b': 1.0}
    """
    need(gates, [NODE, "gate"], "gates")
    whose = gates["driver"].fillna("") if "driver" in gates else pd.Series("", gates.index)
    mine = gates[whose == driver]
    values = pd.to_numeric(mine["gate"], errors="coerce").astype(float)
    wrong = ~((values >= 0) & (values <= 1))
    if wrong.any():
        row = mine[wrong].iloc[0]
        raise NoBasisError(
            f"{int(wrong.sum())} gates are no ratio from 0 to 1, such as '{row['gate']}' of '{row[NODE]}'.",
            where="gates",
            remedy="0 excludes, 1 counts in full, 0.5 counts half.",
        )
    own = np.ones(len(hierarchy))
    for node, value in values.groupby(mine[NODE]).prod().items():
        own[hierarchy.position(str(node))] = value
    for depth in range(1, len(hierarchy.offsets) - 1):
        here = slice(hierarchy.offsets[depth], hierarchy.offsets[depth + 1])
        own[here] *= own[hierarchy.parent[here]]
    return pd.Series(own[hierarchy.is_leaf], hierarchy.leaves)


def gated_drivers(hierarchy: Hierarchy, drivers: pd.DataFrame, gates: pd.DataFrame) -> pd.DataFrame:
    """Apply gates that concern one driver only, after its missing values have been filled.

    Parameters
    ----------
    drivers
        Leaves x drivers.
    gates
        As from `gates_by_rule`; rows without a driver are for `cascade`.

    Returns
    -------
    pd.DataFrame
        Leaves x drivers; drivers without gates as they were. `equal` becomes a column if it is gated.
    """
    changed = {}
    for name in pd.unique(gates["driver"].fillna("")) if "driver" in gates else []:
        if name and name != EQUAL and name not in drivers:
            raise NoBasisError(
                f"There is a gate on the driver '{name}', which there is not.",
                where="gates",
                remedy=f"Known: {', '.join([EQUAL, *map(str, drivers)])}.",
            )
        if name:
            raw = drivers[name] if name in drivers else pd.Series(1.0, hierarchy.leaves)
            changed[name] = fill_newcomers(hierarchy, raw)[0] * leaf_gates(hierarchy, gates, driver=name)
    return drivers.assign(**changed) if changed else drivers


def gate_effects(hierarchy: Hierarchy, weights: pd.Series, gates: pd.Series) -> pd.DataFrame:
    """Show where the share of the gated goes: up to their siblings, or with a whole branch to its neighbours.

    Parameters
    ----------
    weights, gates
        Indexed by leaf, as `cascade` takes them.

    Returns
    -------
    pd.DataFrame
        Columns level, node, leaves, excluded (leaves with gate 0), before, after (share of the
        company without and with gates), change: every node, in the order of the tree.
    """
    kept = weights * gates.reindex(weights.index).fillna(1.0)
    columns = {"leaves": 1.0, "excluded": (gates == 0).astype(float).reindex(weights.index).fillna(0.0)}
    frame = pd.DataFrame({**columns, "before": weights / weights.sum(), "after": kept / kept.sum()})
    table = hierarchy.roll_up(frame).astype({"leaves": "int64", "excluded": "int64"})
    table.insert(0, "level", hierarchy.level)
    return table.assign(change=table["after"] - table["before"]).rename_axis(NODE).reset_index()
