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
    windows: Windows,
    said: dict[str, Floats],
    groups: NDArray[np.str_],
    *,
    prior_windows: float,
    margin: float,
) -> Choice:
    """Pick for every node the candidate with the smallest past error, on the same cells for all.

    Errors are absolute, for mostly zero nodes squared: the absolute error of rare sales is least for "nothing".

    Parameters
    ----------
    said
        From `predictions`.
    groups
        Shape (n_nodes,): nodes whose errors are pooled, such as those of a level.
    prior_windows, margin
        See `statistical_baseline`.
    """
    models = tuple(said)
    values = np.stack([said[name] for name in models])
    actual = windows.actual
    squared = (windows.kind == SPARSE)[:, None, None]
    miss = values[:, :, 1:] - actual
    loss = np.where(squared, miss**2, np.abs(miss)).sum(axis=3)
    size = np.where(squared, actual**2, np.abs(actual)).sum(axis=2)
    pools = pd.factorize(pd.Series(groups).astype("str") + "|" + pd.Series(windows.kind))[0]
    ranking = _Ranking(
        loss=np.where(windows.counts, loss, 0.0),
        size=np.where(windows.counts, size, 0.0),
        counts=windows.counts,
        able=_able(windows, models, values),
        pools=pools,
        house=models.index(HOUSE),
        prior=prior_windows,
        margin=margin,
    )
    every = np.ones(actual.shape[1], dtype=np.bool_)
    picked, own, score = ranking.best(every)
    misses = np.full(actual.shape, np.nan)
    for window in range(len(every)):
        then, *_ = ranking.best(np.arange(len(every)) != window)
        misses[:, window] = _of(miss[:, :, window], then)
    error, score = (
        np.where(squared[:, 0, 0], np.sqrt(ratio), ratio)
        for ratio in (own, np.where(np.isnan(own), np.nan, score))
    )
    return Choice(models, picked, error, score, _of(values[:, :, 0], picked), misses)


def _able(windows: Windows, models: tuple[str, ...], values: Floats) -> NDArray[np.bool_]:
    """Tell who was offered to whom and had a forecast for the future and every window that counts."""
    finite = np.all(np.isfinite(values), axis=3)
    able: NDArray[np.bool_] = finite[:, :, 0] & (finite[:, :, 1:] | ~windows.counts).all(axis=2)
    compared = windows.counts.sum(axis=1) >= LEAST_WINDOWS
    for at, name in enumerate(models):
        offered = np.isin(windows.kind, [kind for kind, names in OFFERED.items() if name in names])
        able[at] &= (offered & compared) | (name == HOUSE)
    return able


@dataclass(frozen=True, slots=True)
class _Ranking:
    """Losses by model, node and window, and the sizes that they are ratios of."""

    loss: Floats
    size: Floats
    counts: NDArray[np.bool_]
    able: NDArray[np.bool_]
    pools: NDArray[np.int64]
    house: int
    prior: float
    margin: float

    def best(self, used: NDArray[np.bool_]) -> tuple[NDArray[np.int64], Floats, Floats]:
        """Rank on some windows: position of the best by node (-1 for none), own error ratios, and scores."""
        loss, whole = self.loss[:, :, used], self.size[:, used].sum(axis=1)
        seen = self.counts[:, used].sum(axis=1)
        sold = whole > 0
        own = loss.sum(axis=2) / np.where(sold, whole, 1.0)
        shared = np.where(sold, self.prior, 0.0)  # where nothing was sold there is no ratio to share
        weight = seen / np.where(seen + shared > 0, seen + shared, 1.0)
        score = weight * own + (1.0 - weight) * self._pooled(own, np.where(sold, whole, 0.0))
        score = np.where(self.able, score, np.inf)
        least = score.min(axis=0)
        near = self.able & (score <= least + TIE * np.maximum(least, 1.0))
        picked = np.where(near.any(axis=0), near.argmax(axis=0), -1)
        doubted = (
            self._doubted(score, least, weight * self._doubt(loss, whole, picked, seen)) & ~near[self.house]
        )
        return np.where(doubted, self.house, picked), np.where(self.able & sold, own, np.nan), score

    def _doubted(self, score: Floats, least: Floats, doubt: Floats) -> NDArray[np.bool_]:
        """Tell where the lead over the house is within the margin."""
        if not self.margin:
            return np.zeros(len(least), dtype=np.bool_)
        lead = np.where(self.able[self.house], score[self.house], np.inf) - np.where(
            np.isfinite(least), least, 0.0
        )
        doubted: NDArray[np.bool_] = self.able[self.house] & (lead <= self.margin * doubt)
        return doubted

    def _pooled(self, own: Floats, weight: Floats) -> Floats:
        """Average error ratios over each node's pool, by size."""
        pooled = np.zeros(own.shape)
        count = int(self.pools.max(initial=-1)) + 1
        for at in range(len(own)):
            weights = np.where(self.able[at], weight, 0.0)
            sums = np.bincount(self.pools, np.where(self.able[at], own[at], 0.0) * weights, count)
            whole = np.bincount(self.pools, weights, count)
            pooled[at] = (sums / np.where(whole > 0, whole, 1.0))[self.pools]
        return pooled

    def _doubt(
        self, loss: Floats, whole: Floats, picked: NDArray[np.int64], seen: NDArray[np.int64]
    ) -> Floats:
        """Compute the standard error of the lead over the house; infinite where one window cannot tell."""
        lead = loss[self.house] - _of(loss, np.maximum(picked, 0))
        squares = (lead**2).sum(axis=1) - lead.sum(axis=1) ** 2 / np.maximum(seen, 1)
        error = np.sqrt(np.maximum(squares, 0.0) * seen / np.maximum(seen - 1, 1)) / np.where(
            whole > 0, whole, 1.0
        )
        return np.where(seen > 1, error, np.finfo(np.float64).max / 1e6)


def _of(values: Floats, picked: NDArray[np.int64]) -> Floats:
    """Take the picked model's values, shape (n_nodes, length)."""
    taken = np.take_along_axis(values, np.maximum(picked, 0)[None, :, None], axis=0)[0]
    return np.where(picked[:, None] >= 0, taken, np.nan)
