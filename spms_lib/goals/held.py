"""Held cells: where a table of holds stands among nodes and periods, with nothing dropped on the way."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.errors import InfeasibleError
from spms_lib.hierarchy import Hierarchy
from spms_lib.tables import NODE, PERIOD, VALUE, need


class HeldCells(NamedTuple):
    """Cells that are fixed.

    Attributes
    ----------
    mask
        Shape (n_nodes, n_periods): True where held.
    values
        Same shape, minor units; 0 where not held.
    """

    mask: NDArray[np.bool_]
    values: NDArray[np.int64]


def held_cells(hierarchy: Hierarchy, holds: pd.DataFrame | None, periods: Sequence[str]) -> HeldCells:
    """Place holds in a grid of nodes x periods.

    Parameters
    ----------
    holds
        Columns node, period, value (whole minor units), or None.

    Raises
    ------
    HierarchyError
        If a node is unknown.
    InfeasibleError
        If a period is not planned, a value is missing or not whole, or a cell is held at two values.
    """
    mask = np.zeros((len(hierarchy), len(periods)), dtype=bool)
    values = np.zeros(mask.shape, dtype=np.int64)
    if holds is None or holds.empty:
        return HeldCells(mask, values)
    need(holds, [NODE, PERIOD, VALUE], "holds")
    rows = hierarchy.nodes.get_indexer(pd.Index(holds[NODE]))
    if (rows < 0).any():
        hierarchy.position(str(holds[NODE].to_numpy()[rows < 0][0]))
    columns = pd.Index(list(periods)).get_indexer(pd.Index(holds[PERIOD]))
    amounts = pd.to_numeric(holds[VALUE], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    _refuse_first(
        holds, columns < 0, "is for a period that is not planned", f"Planned: {', '.join(periods)}."
    )
    broken = ~(np.isfinite(amounts) & (amounts == np.rint(amounts)))
    _refuse_first(holds, broken, "is not a whole amount", "Give it in whole minor units.")
    units = holds[VALUE].astype("int64").to_numpy()
    mask[rows, columns], values[rows, columns] = True, units
    twice = values[rows, columns] != units
    _refuse_first(holds, twice, "contradicts another hold on the same cell", "Lift one of them.")
    return HeldCells(mask, values)


def _refuse_first(holds: pd.DataFrame, wrong: NDArray[np.bool_], what: str, remedy: str) -> None:
    if wrong.any():
        row = holds[wrong].iloc[0]
        raise InfeasibleError(
            f"The hold on '{row[NODE]}' in {row[PERIOD]} ({row[VALUE]}) {what}.", where="holds", remedy=remedy
        )
