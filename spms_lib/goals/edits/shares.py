"""One total shared by variance: the projection on a flat tree, in closed form, and its rounding.

    x_i = wanted_i + variance_i * (total - sum of wanted) / (sum of variances)

Variance in proportion to value is a proportional spread, equal variance an equal one, and no variance leaves a cell
as it is.
"""

import numpy as np

from spms_lib.goals.edits.draft import Bools, Floats, Ints
from spms_lib.money import whole_shares


def share(totals: Ints, wanted: Floats, variance: Floats) -> Ints:
    """Share one whole total per column among rows, exactly, by largest remainder.

    Parameters
    ----------
    totals
        Shape (n_columns,), minor units.
    wanted
        Shape (n_rows, n_columns): what each row would be if the total left it alone.
    variance
        Same shape: how much of the difference falls on it; a row without variance keeps what is wanted, which
        is then whole. A column without any variance needs no change.

    Returns
    -------
    Ints
        Shape (n_rows, n_columns), int64; each column sums to its total.
    """
    gap, width = totals - wanted.sum(axis=0), variance.sum(axis=0)
    rate = np.divide(gap, width, out=np.zeros(len(gap)), where=width > 0)
    exact = wanted + variance * rate
    return whole_shares(exact, totals[None, :], np.array([0]), variance == 0)


def opened(variance: Floats, stuck: Bools, known: Bools, free: Bools) -> Floats:
    """Let cells without variance share equally where a total must change and no cell could.

    Parameters
    ----------
    variance, known, free
        Shape (n_rows, n_columns): how far cells may move, where somebody has spoken, and what is not held.
    stuck
        Shape (n_columns,), or () for all columns together: where a total must change though no cell has variance.

    Returns
    -------
    Floats
        `variance`, with 1 for the free cells that somebody spoke of where it is stuck; if there is none, for all free
        cells: an amount given to nodes of which nobody has spoken is shared equally among them.
    """
    spoken = free & known
    chosen = np.where(spoken.any(axis=0 if stuck.ndim else None), spoken, free)
    wider: Floats = np.where(chosen & stuck, 1.0, variance)
    return wider
