"""Draws of performance: the same seed gives the same numbers, whatever plan or quota they are judged by."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from spms_lib.errors import ParamsError
from spms_lib.incentives.simulation.beliefs import LOGNORMAL, Floats, Laid
from spms_lib.incentives.simulation.factors import Factors

BLOCK_CELLS: Final = 2**18  # payees x draws held at once: what fits into a processor's cache
MOST_ROWS: Final = 4096
_MARKET, _TERRITORY, _OWN = 1, 2, 3


@dataclass(frozen=True)
class Performance:
    """Performance of all payees in `draws` possible intervals, made block by block of payees.

    The market's draws are stratified: each of `draws` equally likely slices of its distribution is met once, so the
    company's expected cost carries next to no sampling error from the market.
    """

    laid: Laid
    factors: Factors
    draws: int
    seed: int

    def __post_init__(self) -> None:
        if self.draws < 2:
            raise ParamsError(
                f"{self.draws} draws show no spread.", where="draws", remedy="Ask for 1,000 or more."
            )

    def blocks(self) -> Iterator[slice]:
        """List the blocks of payees, few enough at once that memory stays bounded."""
        rows = min(max(BLOCK_CELLS // self.draws, 1), MOST_ROWS)
        return (slice(first, first + rows) for first in range(0, len(self.laid.payees), rows))

    def drawn(self) -> Iterator[tuple[slice, dict[str, Floats]]]:
        """Draw block by block: the block, and by row name the performance, shape (n_payees, draws)."""
        market, held = self._market(), self._held()
        for block in self.blocks():
            common = self._common(block, market)
            yield block, {name: self._performance(name, block, common, held) for name in self.laid.names}

    def _rng(self, *keys: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, *keys])

    def _market(self) -> Floats:
        rng = self._rng(_MARKET)
        inside = (rng.permutation(self.draws) + rng.random(self.draws)) / self.draws
        found: Floats = ndtri(np.clip(inside, 1e-16, 1 - 1e-16))
        return found

    def _common(self, block: slice, market: Floats) -> Floats:
        """Add up what territories and the market move, shape (n_payees, draws) or (1, draws)."""
        moved: Floats = np.sqrt(self.factors.market) * market[None, :]
        if not self.factors.territory:
            return moved
        codes, back = np.unique(self.laid.territory[block], return_inverse=True)
        names = self.laid.territories[codes]
        areas = np.stack(
            [self._rng(_TERRITORY, crc32(name.encode())).standard_normal(self.draws) for name in names]
        )
        together: Floats = moved + (np.sqrt(self.factors.territory) * areas)[back]
        return together

    def _own(self, name: str, block: slice) -> Floats:
        rows = len(self.laid.payees[block])
        return self._rng(_OWN, crc32(name.encode()), block.start).standard_normal((rows, self.draws))

    def _held(self) -> Floats | None:
        """Sum what moves the company's result, where a part of it has to be taken out."""
        if not self.factors.pull:
            return None
        name = self.laid.result
        return sum(  # type: ignore[return-value]
            (self._unit()[block] @ self._own(name, block) for block in self.blocks()), np.zeros(self.draws)
        )

    def _unit(self) -> Floats:
        spread = np.nan_to_num(self.laid.sds[self.laid.result])
        unit: Floats = spread / np.sqrt((spread**2).sum())
        return unit

    def _performance(self, name: str, block: slice, common: Floats, held: Floats | None) -> Floats:
        factors, own = self.factors, self._own(name, block)
        if held is not None and name == self.laid.result:
            unit = self._unit()[block, None]
            own -= (1 - np.sqrt(1 - factors.pull)) * unit * held
            own /= np.sqrt(1 - factors.pull * unit**2)
        own *= np.sqrt(max(1 - factors.market - factors.territory, 0.0))
        own += common
        return spread_by(
            own, self.laid.means[name][block, None], self.laid.sds[name][block, None], factors.marginal
        )


def spread_by(steps: Floats, mean: Floats, sd: Floats, marginal: str) -> Floats:
    """Turn standard normal steps into performance of a given mean and spread, in place."""
    if marginal == LOGNORMAL:
        mu, scale = log_terms(mean, sd)
        steps *= scale
        steps += mu
        return np.exp(steps, out=steps)
    steps *= sd
    steps += mean
    return steps


def log_terms(mean: NDArray[np.float64], sd: NDArray[np.float64]) -> tuple[Floats, Floats]:
    """Find mean and standard deviation of the logarithm of a lognormal number.

    Examples
    --------
    >>> mu, scale = log_terms(np.array([1.0]), np.array([0.35]))
    >>> mu.round(4).tolist(), scale.round(4).tolist()
    ([-0.0578], [0.3399])
    """
    scale = np.sqrt(np.log1p((sd / mean) ** 2))
    return np.log(mean) - scale**2 / 2, scale
