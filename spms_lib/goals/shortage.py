"""Shortage: by how many heads, and from which month, capacity falls short of every target; and whom to hire by when."""

import math
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.goals.capacity import Floats
from spms_lib.tables import NODE

SMALLEST_HEADS: Final = 0.1  # less than a tenth of a post is nobody


def shortage(target: pd.DataFrame, capacity: pd.DataFrame, per_head: pd.DataFrame) -> pd.DataFrame:
    """Set capacity beside every target, in money and in heads.

        heads short = (target - capacity) / what a full post sells, both summed from the first short month to the end

    Parameters
    ----------
    target, capacity
        Nodes x months, minor units; a node without capacity in any month is not judged.
    per_head
        Nodes x months: what one full post there sells in the month, minor units.

    Returns
    -------
    pd.DataFrame
        Columns node, target, capacity, gap (capacity - target over all months; minor units), months_short, from_month
        (missing where no month is short), short_heads (from that month on; 0 where later months make up for it, missing
        where nothing is known), says (the answer in words).
    """
    months = list(target.columns)
    known = capacity.reindex(index=target.index, columns=months)
    worth = per_head.reindex(index=target.index, columns=months)
    rows = [
        _judged(node, months, asked, can, each)
        for node, asked, can, each in zip(
            target.index, target.to_numpy(float), known.to_numpy(float), worth.to_numpy(float), strict=True
        )
    ]
    columns = [NODE, "target", "capacity", "gap", "months_short", "from_month", "short_heads", "says"]
    return pd.DataFrame(rows, columns=columns).astype({"months_short": "Int64", "from_month": "object"})


def _judged(node: object, months: list[str], asked: Floats, can: Floats, each: Floats) -> tuple[object, ...]:
    total = float(asked.sum())
    if np.isnan(can).any() or np.isnan(each).any() or not (each > 0).all():
        return node, total, np.nan, np.nan, None, None, np.nan, "nobody knows the capacity"
    missing = (asked - can) / each
    short = missing >= SMALLEST_HEADS
    gap = float(can.sum() - total)
    if not short.any():
        return node, total, float(can.sum()), gap, 0, None, 0.0, f"enough until {months[-1]}"
    first = int(np.argmax(short))
    heads = float((asked - can)[first:].sum() / each[first:].sum())
    if heads < SMALLEST_HEADS:
        when = ", ".join(month for month, is_short in zip(months, short, strict=True) if is_short)
        says = (
            f"enough until {months[-1]}; short by {missing[short].max():.1f} heads in {when}, made up later"
        )
        return node, total, float(can.sum()), gap, int(short.sum()), months[first], 0.0, says
    says = f"short by {heads:.1f} heads from {months[first]}"
    return node, total, float(can.sum()), gap, int(short.sum()), months[first], heads, says


def in_words(name: str, says: str) -> str:
    """Make one sentence of a row.

    Examples
    --------
    >>> in_words("DACH", "short by 3.2 heads from 2026-05")
    'DACH: capacity is short by 3.2 heads from 2026-05.'
    >>> in_words("Nordics", "nobody knows the capacity")
    'Nordics: nobody knows the capacity.'
    """
    return f"{name}: capacity is {says}." if says.startswith(("short", "enough")) else f"{name}: {says}."


def hires_needed(
    table: pd.DataFrame, per_head: pd.DataFrame, *, ramp: Floats, staying: int = 0
) -> pd.DataFrame:
    """Say how many heads would have to start now to close each gap in time, and when they should have started.

    Newcomers ramp, so more are needed than are short; those who start with the first month contribute
    ramp[0], ramp[1] ... of a full post.

    Parameters
    ----------
    table
        From `shortage`.
    per_head
        Nodes x months, as there.
    ramp
        Productivity of a newcomer in the first, second ... month; 1 after its end.
    staying
        Months that pass until anybody can start.

    Returns
    -------
    pd.DataFrame
        Columns node, short_heads, hire_now (whole heads that start after `staying` months; missing where they would
        come too late), ramped_if_hired_by (month in which as many as are short should have started, to be ramped when
        the shortage begins).
    """
    months = list(per_head.columns)
    short = table[table["short_heads"] >= SMALLEST_HEADS]
    pace = np.array([0.0] * staying + [ramp[i] if i < len(ramp) else 1.0 for i in range(len(months))])
    rows = []
    for row in short.to_dict("records"):
        first = months.index(row["from_month"])
        each = per_head.loc[row[NODE], months].to_numpy(float)
        missing = float(row["short_heads"]) * each[first:].sum()
        one = float((each * pace[: len(months)])[first:].sum())
        now = math.ceil(missing / one - 1e-9) if one > 0 else None
        ready = str(pd.Period(row["from_month"], "M") - len(ramp))
        rows.append((row[NODE], row["short_heads"], now, ready))
    columns = [NODE, "short_heads", "hire_now", "ramped_if_hired_by"]
    return pd.DataFrame(rows, columns=columns).astype({"hire_now": "Int64"})
