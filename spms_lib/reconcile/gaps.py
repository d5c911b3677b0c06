"""Gaps between target and field that deserve a decision, each typed, owned and dated."""

import datetime as dt
from collections.abc import Callable

import pandas as pd

from spms_lib.tables import NODE

COLLECT, CLOSE, RAISE = "collect", "close_gap", "review_target"
LEAST_SAID = 0.8


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
