"""Choice: which candidate was nearest in past windows, and how far the choice itself would have been off."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.goals.baselines.candidates import HOUSE, LEAST_WINDOWS, OFFERED, SPARSE
from spms_lib.goals.baselines.series import Floats
from spms_lib.goals.baselines.windows import Windows

TIE = 1e-9


@dataclass(frozen=True, slots=True)
class Choice:
    """The model of every node, and the evidence for it.

    Attributes
    ----------
    models
        Candidates, the simpler first.
    picked
        Shape (n_nodes,): position in `models`; -1 where no candidate has a forecast.
    error, score
        Shape (n_models, n_nodes): past error as a ratio of the actuals, own and shrunk towards the level's; missing
        where a model was not offered, failed, or there was nothing to compare it on.
    forecast
        Shape (n_nodes, length): of the picked model.
    misses
        Shape (n_nodes, n_windows, length): forecast minus actual of the model that the other windows would have
        picked; missing where a window does not count.
    """

    models: tuple[str, ...]
    picked: NDArray[np.int64]
    error: Floats
    score: Floats
    forecast: Floats
    misses: Floats


def choose(
    windows: Windows, said: dict[str, Floats], groups: NDArray[np.str_], prior_windows: float
) -> Choice:
    """Pick for every node the candidate with the smallest past error, on the same cells for all.

    Errors are absolute, for mostly zero nodes squared: the absolute error of rare sales is least for "nothing".

    Parameters
    ----------
    said
        From `predictions`.
    groups
        Shape (n_nodes,): nodes whose errors are pooled, such as those of a level; see `prior_windows`.
    prior_windows
        A node counts with its windows, its group with so many.
    """
    models = tuple(said)
    values = np.stack([said[name] for name in models])
    actual, past = windows.actual, values[:, :, 1:]
    squared = (windows.kind == SPARSE)[:, None, None]
    miss = past - actual
    loss = np.where(squared, miss**2, np.abs(miss)).sum(axis=3)
    size = np.where(squared, actual**2, np.abs(actual)).sum(axis=2)
    able = _able(windows, models, values)
    loss = np.where(windows.counts, loss, 0.0)
    size = np.where(windows.counts, size, 0.0)
    pools = pd.factorize(pd.Series(groups).astype("str") + "|" + pd.Series(windows.kind))[0]
    picked, score = _best(loss, size, able, pools, prior_windows, windows.counts)
    misses = np.full(actual.shape, np.nan)
    for window in range(actual.shape[1]):
        others = np.arange(actual.shape[1]) != window
        then, _ = _best(
            loss[:, :, others], size[:, others], able, pools, prior_windows, windows.counts[:, others]
        )
        misses[:, window] = _of(miss[:, :, window], then)
    total, whole = loss.sum(axis=2), size.sum(axis=1)
    error = np.where(able & (whole > 0), total / np.where(whole > 0, whole, 1.0), np.nan)
    error = np.where(squared[:, 0, 0], np.sqrt(error), error)
    score = np.where(np.isfinite(error), np.where(squared[:, 0, 0], np.sqrt(score), score), np.nan)
    return Choice(models, picked, error, score, _of(values[:, :, 0], picked), misses)


def _able(windows: Windows, models: tuple[str, ...], values: Floats) -> NDArray[np.bool_]:
    """Tell who was offered to whom and had a forecast for the future and every window that counts."""
    finite = np.isfinite(values).all(axis=3)
    able = finite[:, :, 0] & (finite[:, :, 1:] | ~windows.counts).all(axis=2)
    compared = windows.counts.sum(axis=1) >= LEAST_WINDOWS
    for at, name in enumerate(models):
        offered = np.isin(windows.kind, [kind for kind, names in OFFERED.items() if name in names])
        able[at] &= (offered & compared) | (name == HOUSE)
    return able


def _best(
    loss: Floats,
    size: Floats,
    able: NDArray[np.bool_],
    pools: NDArray[np.int64],
    prior: float,
    counts: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], Floats]:
    """Return the position of the best candidate by node, and all scores; of equals the first one."""
    total, whole = loss.sum(axis=2), size.sum(axis=1)
    own = total / np.where(whole > 0, whole, 1.0)
    ratio = np.where(able & (whole > 0), own, 0.0)
    pooled = np.full(ratio.shape, np.nan)
    for at in range(len(ratio)):  # a node counts in its pool by its size
        weight = np.where(able[at], whole, 0.0)
        sums = np.bincount(pools, ratio[at] * weight, pools.max(initial=-1) + 1)
        weights = np.bincount(pools, weight, pools.max(initial=-1) + 1)
        pooled[at] = (sums / np.where(weights > 0, weights, 1.0))[pools]
    seen = counts.sum(axis=1)
    shared = np.where(whole > 0, prior, 0.0)  # where nothing was sold there is no ratio to share
    parts = np.where(seen + shared > 0, seen + shared, 1.0)
    score = np.where(able, (seen * own + shared * pooled) / parts, np.inf)
    least = score.min(axis=0, initial=np.inf)
    near = able & (score <= least + TIE * np.maximum(least, 1.0))
    return np.where(near.any(axis=0), near.argmax(axis=0), -1), score


def _of(values: Floats, picked: NDArray[np.int64]) -> Floats:
    """Take the picked model's values, shape (n_nodes, length)."""
    taken = np.take_along_axis(values, np.maximum(picked, 0)[None, :, None], axis=0)[0]
    return np.where(picked[:, None] >= 0, taken, np.nan)
