"""From coherent floats to commitments: whole minor units in which every parent equals its children."""

import numpy as np
from numpy.typing import NDArray

from spms_lib.commitments.crossed import commit_crossed
from spms_lib.commitments.on_tree import check_conservation, commit_tree, conservation_gaps
from spms_lib.hierarchy import Crossed, Hierarchy

__all__ = ["check_conservation", "commit", "commit_crossed", "commit_tree", "conservation_gaps"]


def commit(
    structure: Hierarchy | Crossed, values: NDArray[np.float64], *, held: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """Round coherent values to whole minor units: see `commit_tree` and `commit_crossed`."""
    if isinstance(structure, Hierarchy):
        return commit_tree(structure, values, held=held)
    return commit_crossed(structure, values, held=held)
