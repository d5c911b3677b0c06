"""What an edit changed, and the proof that nothing else did."""

import numpy as np
import pandas as pd

from spms_lib.goals.edits.draft import Draft
from spms_lib.tables import NODE, PERIOD


def changes(before: Draft, after: Draft) -> pd.DataFrame:
    """List every node and month that differs between two drafts, largest change first: the preview of an edit.

    Returns
    -------
    pd.DataFrame
        Columns node, period, before, after, change (Int64 minor units). Null where nobody has spoken; the change
        from or to null counts null as nothing.
    """
    grid = before.grid
    differs = (before.values != after.values) | (before.known != after.known)
    columns = np.flatnonzero(differs.any(axis=0))
    total = [grid.totals(draft.values[:, columns]) for draft in (before, after)]
    heard = [grid.totals(draft.known[:, columns].astype(np.int64)) > 0 for draft in (before, after)]
    place = np.flatnonzero((total[0] != total[1]) | (heard[0] != heard[1]))
    change = (total[1] - total[0]).reshape(-1)[place]
    order = np.argsort(-np.abs(change), kind="stable")
    place, change = place[order], change[order]
    node, month = np.divmod(place, max(len(columns), 1))
    table = pd.DataFrame(
        {NODE: grid.hierarchy.nodes.take(node), PERIOD: np.array(grid.months)[columns[month]]}
    )
    for name, values, said in zip(("before", "after"), total, heard, strict=True):
        table[name] = pd.arrays.IntegerArray(values.reshape(-1)[place], ~said.reshape(-1)[place])
    return table.assign(change=pd.array(change, dtype="Int64"))


def proof(before: Draft, after: Draft) -> pd.DataFrame:
    """Prove an edit: what adds up, what is held, what moved, and who got a first number.

    Returns
    -------
    pd.DataFrame
        Columns check, passed, detail. Amounts in minor units.
    """
    tree = before.grid.hierarchy
    total = before.grid.totals(after.values)
    gaps = np.abs(tree.rows.astype(np.int64) @ total).max(initial=0)
    broken = [held.node for held in after.holds if after.value(held.node, held.period) != held.value]
    lost = [held.node for held in before.holds if held not in after.holds]
    moved = after.values.sum() - before.values.sum()
    answered, silenced = int((after.known & ~before.known).sum()), int((before.known & ~after.known).sum())
    below = int(((after.values < 0) & (before.values >= 0)).sum())
    rows = [
        ("every parent equals its children", gaps == 0, f"largest gap {gaps:,}"),
        (
            "every hold stands",
            not broken and not lost,
            ", ".join(broken + lost) or f"{len(after.holds)} holds",
        ),
        (
            "null is no number",
            not after.values[~after.known].any(),
            f"{answered} first spoken of, {silenced} cleared",
        ),
        ("nothing fell below zero", below == 0, f"{below} cells"),
        ("the whole", True, f"{tree.root} changes by {moved:+,}"),
    ]
    return pd.DataFrame(rows, columns=["check", "passed", "detail"])
