"""Gaps between target and field, and the decisions that they deserve, each typed, owned and dated."""

import datetime as dt
from collections.abc import Callable

import numpy as np
import pandas as pd

from spms_lib.hierarchy import Hierarchy
from spms_lib.reconcile.plan import Plan
from spms_lib.tables import NODE, PERIOD, SOURCE, VALUE

COLLECT, CLOSE, RAISE = "collect", "close_gap", "review_target"
LEAST_SAID = 0.8


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


def gap_decisions(
    gaps: pd.DataFrame,
    *,
    cycle: str,
    gap_ratio: float,
    owners: pd.Series,
    due: dt.date,
    money: Callable[[float | None], str],
) -> pd.DataFrame:
    """Propose one decision per node whose field and target are too far apart, or whose field is silent.

    Parameters
    ----------
    gaps
        Columns node, name, target, target_said, field, gap, said, as from `gap_table`.
    gap_ratio
        Smallest gap, as a ratio of the target of those who spoke, that needs a decision.
    owners
        Indexed by node: who answers for it; everybody named.

    Returns
    -------
    pd.DataFrame
        Columns of the table `decisions`, largest gap first. The expected effect of closing
        a gap is the gap; of the others it is missing, because nothing here computes it.
    """
    rows = []
    asked = gaps["said"].fillna(0.0).gt(0).any()  # where nobody is heard at all, nobody is chased
    for row in gaps.to_dict("records") if asked else []:
        ratio = row["gap"] / row["target_said"] if row["target_said"] and pd.notna(row["gap"]) else None
        if pd.isna(row["said"]):  # no target, so there is nothing to collect against
            continue
        said, name = float(row["said"]), row["name"]
        if said < LEAST_SAID:
            kind, effect = COLLECT, None
            text = f"{name}: only {said:.0%} of the target has a forecast from the field; collect the rest"
        elif ratio is None or abs(ratio) < gap_ratio:
            continue
        elif ratio > 0:
            kind, effect = CLOSE, round(row["gap"])
            text = f"{name}: the field expects {money(row['gap'])} ({ratio:.0%}) less than its target; agree how to close it"
        else:
            kind, effect = RAISE, None
            text = f"{name}: the field expects {money(-row['gap'])} ({-ratio:.0%}) more than its target; review the target"
        rows.append(
            (
                f"{cycle} {kind} {row[NODE]}",
                cycle,
                row[NODE],
                kind,
                text,
                owners[row[NODE]],
                due,
                effect,
                "open",
                None,
            )
        )
    columns = [
        "decision",
        "cycle",
        NODE,
        "type",
        "text",
        "owner",
        "due",
        "expected_effect",
        "status",
        "actual_effect",
    ]
    table = pd.DataFrame(rows, columns=columns)
    table["due"] = pd.to_datetime(table["due"])
    return table.astype({"expected_effect": "Int64", "actual_effect": "Int64"})
