"""A two-way mixed model: what a forecaster does, apart from what a quarter did to all of them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize, sparse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TEAM, PERSON, QUARTER, MARKET, NOISE = range(5)
COMPONENTS: Final = ("team", "person", "quarter", "market", "noise")
LEAST: Final = 1e-3  # of the spread of the data: a standard deviation below it cannot be told from none
START: Final = (0.3, 0.7, 0.3, 0.3, 0.6)


@dataclass(frozen=True, eq=False)
class Design:
    """Who was how far off when, as positions.

    Attributes
    ----------
    y
        Shape (n,): mean log ratio of a person in a quarter.
    person, quarter, market
        Shape (n,): position of each; a market is a group of nodes that share their luck within a quarter.
    team
        Shape (n_persons,): position of each person's team.
    """

    y: Floats
    person: Ints
    quarter: Ints
    market: Ints
    team: Ints

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Numbers of teams, quarters and market-quarters."""
        quarters = int(self.quarter.max()) + 1
        return int(self.team.max()) + 1, quarters, quarters * (int(self.market.max()) + 1)

    @property
    def levels(self) -> tuple[int, int, int, int]:
        """How many teams, persons, quarters and markets there are to tell a component from."""
        return (
            *(len(np.unique(self.team)), len(self.team)),
            *(len(np.unique(self.quarter)), len(np.unique(self.market))),
        )

    @cached_property
    def shared(self) -> sparse.csr_array:
        """Shape (n, 1 + teams + quarters + market-quarters): the effects that several persons may share."""
        teams, quarters, cells = self.sizes
        rows = np.arange(len(self.y))
        first = (0, 1, 1 + teams, 1 + teams + quarters)
        effects = (0 * rows, self.team[self.person], self.quarter, self.market * quarters + self.quarter)
        columns = np.concatenate([at + start for at, start in zip(effects, first, strict=True)])
        ones = np.ones(len(columns))
        return sparse.csr_array(
            (ones, (np.tile(rows, 4), columns)), shape=(len(rows), 1 + teams + quarters + cells)
        )

    def prior(self, sd: Floats) -> Floats:
        """Precision of the shared effects before anything is known: none of the mean, 1 / variance of the others."""
        parts = zip(self.sizes, (TEAM, QUARTER, MARKET), strict=True)
        return np.concatenate([[0.0], *(np.full(count, sd[at] ** -2.0) for count, at in parts)])


@dataclass(frozen=True, eq=False)
class Solution:
    """What is known of every effect, given the components.

    Attributes
    ----------
    mean, own_variance
        Shape (n_persons,): bias (mean + team + person), and the part of its variance that no other person shares.
    pull
        Shape (n_persons, n_shared): how an error in each shared effect passes into each bias.
    weight
        Shape (n_persons,): weight of the own record against the team's, 0 to 1.
    shared, covariance
        The company's mean, teams, quarters and market-quarters, in the order of `Design.shared`.
    likelihood, slopes
        Logarithm of the restricted likelihood, up to a constant, and its derivatives by the logarithm of each `sd`.
    """

    mean: Floats
    own_variance: Floats
    pull: Floats
    weight: Floats
    shared: Floats
    covariance: Floats
    likelihood: float
    slopes: Floats


def solve(design: Design, sd: Floats, precision: Floats) -> Solution:
    """Compute best linear unbiased predictions of every bias.

    Persons are eliminated in closed form, so that what must be factorised grows with teams and quarters only.

    Parameters
    ----------
    sd
        Shape (5,): standard deviations in the order of `COMPONENTS`; that of the noise where the precision is 1.
    precision
        Shape (n,): relative precision of each observation.

    References
    ----------
    Henderson (1975), Best linear unbiased estimation and prediction under a selection model.
    """
    persons, tall = len(design.team), design.shared
    weight = precision / sd[NOISE] ** 2
    places = (design.person, np.arange(len(weight)))
    sums = sparse.csr_array((weight, places), shape=(persons, len(weight)))
    known, own, rows = sums.sum(axis=1), sums @ design.y, sums @ tall
    spread = sd[PERSON] ** 2 / (1.0 + sd[PERSON] ** 2 * known)
    weighed, absorbed = tall.T @ (tall * weight[:, None]), rows.T @ (rows * spread[:, None])
    inner = (weighed - absorbed).toarray()
    prior = design.prior(sd)
    inner[np.diag_indices_from(inner)] += prior
    factor = linalg.cho_factor(inner, lower=True)
    right = tall.T @ (weight * design.y) - rows.T @ (spread * own)
    shared = linalg.cho_solve(factor, right)
    covariance = linalg.cho_solve(factor, np.eye(len(inner)))
    pull = -(rows * spread[:, None]).toarray()
    pull[:, 0] += 1.0
    pull[np.arange(persons), 1 + design.team] += 1.0
    misfit = weight @ design.y**2 - spread @ own**2 - right @ shared
    volume = (
        -np.log(weight).sum()
        + np.log1p(sd[PERSON] ** 2 * known).sum()
        - np.log(prior[1:]).sum()
        + 2 * np.log(np.diag(factor[0])).sum()
    )
    single = spread * (own - rows @ shared)  # the person's own effect
    rest = design.y - tall @ shared - single[design.person]
    twice = rows.T @ (rows * (spread**2)[:, None])
    thrice = rows.T @ (rows * (spread**2 * known)[:, None])
    person_sum = single @ single + spread.sum() + _trace(covariance, twice)
    noise_sum = weight @ rest**2 + spread @ known + _trace(covariance, weighed - 2 * absorbed + thrice)
    return Solution(
        mean=spread * own + pull @ shared,
        own_variance=spread,
        pull=pull,
        weight=spread * known,
        shared=shared,
        covariance=covariance,
        likelihood=float(-0.5 * (volume + misfit)),
        slopes=_slopes(design, sd, shared, covariance, float(person_sum), float(noise_sum)),
    )


def _slopes(
    design: Design, sd: Floats, shared: Floats, covariance: Floats, person_sum: float, noise_sum: float
) -> Floats:
    """Derive the likelihood: what each source is expected to have done, against what its size lets expect."""
    edges = 1 + np.concatenate([[0], np.cumsum(design.sizes)])
    squares = shared**2 + np.diag(covariance)
    slopes = np.empty(5)
    for at, start, end in zip((TEAM, QUARTER, MARKET), edges[:-1], edges[1:], strict=True):
        slopes[at] = squares[start:end].sum() / sd[at] ** 2 - (end - start)
    slopes[PERSON] = person_sum / sd[PERSON] ** 2 - len(design.team)
    slopes[NOISE] = noise_sum - len(design.y)
    return slopes


def _trace(covariance: Floats, squares: sparse.csr_array) -> float:
    """Return the trace of a product of two symmetric matrices."""
    return float(squares.multiply(covariance).sum())


def components(design: Design, precision: Floats, *, penalty: float = 1.0) -> Floats:
    """Estimate the five standard deviations by restricted likelihood, held off zero by a weak prior.

    A component of which there is only one level (one team, one market) cannot be told apart and counts as none.

    Parameters
    ----------
    penalty
        1 adds the logarithm of each standard deviation but that of the noise, 0 is plain REML, whose zeros would make
        forecasters with few quarters look alike, and their intervals too narrow.

    Returns
    -------
    ndarray
        Shape (5,): in the order of `COMPONENTS`.

    References
    ----------
    Chung, Rabe-Hesketh, Dorie, Gelman and Liu (2013), A nondegenerate penalized likelihood estimator for variance
    parameters in multilevel models.
    """
    scale = float(np.std(design.y)) or 1e-6
    free = np.array([*(count > 1 for count in design.levels), True])

    held_off = penalty * (free & (np.arange(5) != NOISE))

    def loss(logs: Floats) -> tuple[float, Floats]:
        found = solve(design, np.exp(logs) * scale, precision)
        return -found.likelihood - float(held_off @ logs), -found.slopes - held_off

    lowest = float(np.log(LEAST))
    start = np.where(free, np.log(START), lowest)
    bounds = [(lowest, 2.0 if one else lowest) for one in free]
    best = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    found: Floats = np.exp(best.x) * scale
    return found
