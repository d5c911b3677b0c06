"""The reconciled plan: closest to all estimates by trust, coherent, holds kept, every number explained."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.commitments import commit_tree
from spms_lib.errors import InfeasibleError, TableError
from spms_lib.hierarchy import Hierarchy
from spms_lib.projection import gains, project, solve
from spms_lib.tables import NODE, PERIOD, SOURCE, VALUE, VARIANCE

HOLD = "hold"
ROUNDING = "rounding"


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A coherent plan and where each of its numbers comes from.

    Attributes
    ----------
    values
        Nodes x periods, float minor units: the reconciled estimate.
    spread
        Nodes x periods: its standard deviation, minor units; infinite where nobody has said anything.
    commitments
        Nodes x periods, int64 minor units: every parent equals its children to the cent.
    contributions
        Columns node, period, source, value: for each node and period the rows sum to
        its commitment; sources are those of the estimates, `hold` and `rounding`.
    """

    values: pd.DataFrame
    spread: pd.DataFrame
    commitments: pd.DataFrame
    contributions: pd.DataFrame


def reconcile(hierarchy: Hierarchy, estimates: pd.DataFrame, *, holds: pd.DataFrame | None = None) -> Plan:
    """Find the coherent plan closest to all estimates, each counted by its variance.

    Sources of one node are first combined by precision (1 / variance), then the tree
    projection makes them coherent. Missing estimates are no estimates, not zeros.

    Parameters
    ----------
    hierarchy
        The tree of the planned period.
    estimates
        Columns node, period, source, value (minor units), variance (minor units squared;
        0 holds the node, inf leaves the row out). Any subset of nodes.
    holds
        Columns node, period, value (whole minor units): numbers that must stand.

    Returns
    -------
    Plan

    Raises
    ------
    TableError
        If an estimate's node is not in the tree, a value is missing, or a variance is
        negative or missing.
    InfeasibleError
        If holds contradict each other, or leave no free leaf to carry a total.

    Examples
    --------
    >>> tree = Hierarchy.from_parent_child(pd.DataFrame({"node": ["t", "a", "b"], "parent": [None, "t", "t"]}))
    >>> heard = pd.DataFrame(
    ...     [("t", "2026-01", "target", 100.0, 25.0), ("a", "2026-01", "field", 60.0, 10.0), ("b", "2026-01", "field", 50.0, 15.0)],
    ...     columns=["node", "period", "source", "value", "variance"],
    ... )
    >>> reconcile(tree, heard).commitments["2026-01"].to_dict()
    {'t': 105, 'a': 58, 'b': 47}
    """
    _check_estimates(hierarchy, estimates)
    periods = sorted(estimates[PERIOD].unique())
    sources = list(dict.fromkeys(estimates[SOURCE]))
    value, precision = _grids(hierarchy, estimates, sources, periods)
    total = precision.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(total > 0, precision / total, 0.0)
        share = np.where(np.isinf(precision), 1.0, np.where(np.isinf(total), 0.0, share))
        share /= np.maximum(share.sum(axis=0), 1.0)  # several sources that all hold: their mean
        variance = 1.0 / total
    held, fixed = _hold_grid(hierarchy, holds, periods)
    variance = np.where(held, 0.0, variance)
    per_source = np.where(held, 0.0, share * value)
    combined = np.where(held, fixed, per_source.sum(axis=0))
    answer = project(hierarchy, combined, variance)
    commitments = commit_tree(hierarchy, answer.values, held=held)
    parts = _attribute(hierarchy, variance, per_source, np.where(held, fixed, 0.0))
    parts = [*parts, commitments - np.sum(parts, axis=0)]
    names = [*sources, HOLD, ROUNDING]
    rows = [
        pd.DataFrame(part, hierarchy.nodes, periods).assign(**{SOURCE: name})
        for name, part in zip(names, parts, strict=True)
    ]
    contributions = (
        pd.concat(rows).reset_index(names=NODE).melt([NODE, SOURCE], var_name=PERIOD, value_name=VALUE)
    )
    return Plan(
        pd.DataFrame(answer.values, hierarchy.nodes, periods),
        pd.DataFrame(np.sqrt(answer.variance), hierarchy.nodes, periods),
        pd.DataFrame(commitments, hierarchy.nodes, periods),
        contributions[[NODE, PERIOD, SOURCE, VALUE]],
    )


def _attribute(
    hierarchy: Hierarchy,
    variance: NDArray[np.float64],
    per_source: NDArray[np.float64],
    fixed: NDArray[np.float64],
) -> list[NDArray[np.float64]]:
    """Solve once per source with the others silent: the answer is linear, so the parts add up to it.

    Holds that contradict the tree were refused before; a part alone may not be coherent at
    nodes that are all held, and its gap there is nobody's but the holds'.
    """
    learned = gains(hierarchy, variance)
    open_variance = np.where(variance == 0, np.finfo(float).tiny, variance)
    return [solve(hierarchy, learned, part, open_variance) for part in [*per_source, fixed]]


def _check_estimates(hierarchy: Hierarchy, estimates: pd.DataFrame) -> None:
    if estimates.empty:
        raise TableError(
            "There is no estimate to reconcile.",
            where="estimates",
            remedy="Set targets or collect submissions first.",
        )
    strange = estimates.loc[~estimates[NODE].isin(hierarchy.nodes), NODE]
    if len(strange):
        raise TableError(
            f"{len(strange)} estimates are for nodes outside the tree, such as '{strange.iloc[0]}'.",
            where="estimates",
            remedy="Use the hierarchy of the planned period.",
        )
    if estimates[VALUE].isna().any() or not (estimates[VARIANCE] >= 0).all():
        wrong = estimates[estimates[VALUE].isna() | ~(estimates[VARIANCE] >= 0)].iloc[0]
        raise TableError(
            f"The {wrong[SOURCE]} of '{wrong[NODE]}' in {wrong[PERIOD]} has no value or no variance.",
            where="estimates",
            remedy="Leave the row out where nobody has said anything.",
        )


def _grids(
    hierarchy: Hierarchy, estimates: pd.DataFrame, sources: list[str], periods: list[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lay estimates out as sources x nodes x periods: values and precisions (0 where not said)."""
    shape = (len(sources), len(hierarchy), len(periods))
    value, precision = np.zeros(shape), np.zeros(shape)
    place = (
        pd.Index(sources).get_indexer(pd.Index(estimates[SOURCE])),
        hierarchy.nodes.get_indexer(pd.Index(estimates[NODE])),
        pd.Index(periods).get_indexer(pd.Index(estimates[PERIOD])),
    )
    if estimates.duplicated([SOURCE, NODE, PERIOD]).any():
        twice = estimates[estimates.duplicated([SOURCE, NODE, PERIOD])].iloc[0]
        raise TableError(
            f"The {twice[SOURCE]} of '{twice[NODE]}' in {twice[PERIOD]} stands twice.",
            where="estimates",
            remedy="Name the two sources differently.",
        )
    value[place] = estimates[VALUE].to_numpy(dtype=float)
    with np.errstate(divide="ignore"):
        precision[place] = 1.0 / estimates[VARIANCE].to_numpy(dtype=float)
    return value, precision


def _hold_grid(
    hierarchy: Hierarchy, holds: pd.DataFrame | None, periods: list[str]
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    held = np.zeros((len(hierarchy), len(periods)), dtype=bool)
    fixed = np.zeros(held.shape)
    if holds is not None:
        for row in holds[holds[PERIOD].isin(periods)].to_dict("records"):
            place = hierarchy.position(row[NODE]), periods.index(row[PERIOD])
            if row[VALUE] != int(row[VALUE]):
                raise InfeasibleError(
                    f"The hold on '{row[NODE]}' in {row[PERIOD]} is not a whole number of minor units.",
                    where="holds",
                    remedy="Round it.",
                )
            held[place], fixed[place] = True, float(row[VALUE])
    return held, fixed


def gap_table(
    hierarchy: Hierarchy, plan: Plan, estimates: pd.DataFrame, nodes: list[str], periods: list[str]
) -> pd.DataFrame:
    """Show target, field, baseline and plan side by side, largest gap between target and field first.

    The gap compares like with like: the targets of the leaves that have said something
    against what they said. A leaf counts once it has said something for every period.

    Parameters
    ----------
    estimates
        Columns node, period, source, value, at least at the leaves.

    Returns
    -------
    pd.DataFrame
        Columns node, target, field, baseline, plan (commitment), target_said (of the
        leaves that have said something), gap (target_said - field), moved (plan -
        target), said (share of the target whose owners have spoken); minor units, missing
        where there is no such source.
    """
    wanted = estimates[estimates[NODE].isin(hierarchy.leaves) & estimates[PERIOD].isin(periods)]
    grouped = wanted.groupby([NODE, SOURCE])[VALUE].agg(["sum", "count"])
    by_leaf = grouped["sum"].where(grouped["count"] == len(periods)).unstack(SOURCE)
    by_leaf = by_leaf.reindex(index=hierarchy.leaves, columns=["target", "field", "baseline"]).astype(float)
    by_leaf["target_said"] = by_leaf["target"].where(by_leaf["field"].notna())
    table = hierarchy.roll_up(by_leaf).loc[nodes].rename_axis(columns=None)
    table["plan"] = plan.commitments.loc[nodes, periods].sum(axis=1)
    table["gap"] = table["target_said"] - table["field"]
    table["moved"] = table["plan"] - table["target"]
    table["said"] = table["target_said"].fillna(0.0) / table["target"].where(table["target"] != 0)
    order = table["gap"].abs().fillna(table["moved"].abs()).fillna(0.0)
    ranked = table.iloc[np.argsort(-order.to_numpy(), kind="stable")]
    columns = [NODE, "target", "field", "baseline", "plan", "target_said", "gap", "moved", "said"]
    return ranked.reset_index(names=NODE)[columns]


def explain(plan: Plan, node: str, periods: list[str]) -> pd.DataFrame:
    """Say how much of a node's number came from whom.

    Returns
    -------
    pd.DataFrame
        Columns source, value (minor units), share (of the number; missing where it is 0);
        the values sum to the commitment.
    """
    rows = plan.contributions
    mine = rows[(rows[NODE] == node) & rows[PERIOD].isin(periods)]
    table = mine.groupby(SOURCE, sort=False)[VALUE].sum().reset_index()
    total = float(table[VALUE].sum())
    return table.assign(share=table[VALUE] / total if total else np.nan)
