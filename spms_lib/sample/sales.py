"""What a seat should sell, and what it sold: potential, growth, season, ramp, market and chance."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from spms_lib.sample.company import REGIONS, Company
from spms_lib.sample.people import People
from spms_lib.sample.timeline import MONTHS, Floats, Ints, month_of_year, position

PRODUCTS: Final = ("devices", "services")
#: January to December; sums to 12. Quarters end strongly, August is weak, December is best.
SEASON: Final = (0.84, 0.88, 1.12, 0.90, 0.95, 1.15, 0.88, 0.70, 1.15, 0.97, 1.05, 1.41)
SERVICE_SEASON_RATIO: Final = 0.5  # services swing half as much
SERVICE_GROWTH_RATIO: Final = 0.07  # on top of the region's growth
POTENTIAL_CENTS: Final = 60_000_00  # of the average seat in a month of 2023
POTENTIAL_SPREAD: Final = 0.4
SHOCK_REGION: Final = "south_europe"
SHOCK: Final = {"2025-07": 0.82, "2025-10": 0.82, "2026-01": 0.95}  # by quarter, named by its first month
MARKET_MEMORY: Final = 0.6
MARKET_SIGMA: Final = 0.03


@dataclass(frozen=True, slots=True)
class Sales:
    """Expected and realised sales of every seat and month, in cents.

    Attributes
    ----------
    potential
        Shape (n_seats,): expected sales in an average month of 2023 with a full-time person.
    expected
        Shape (n_seats, n_months): potential x growth x season x ramp or vacancy.
    market_ratio
        Shape (n_seats, n_months): what the region's market did to all its seats.
    own_ratio
        Shape (n_seats, n_months): the seat's own luck, 1.0 on average.
    sigma
        Shape (n_seats,): spread of the own luck.
    realised
        Shape (n_products, n_seats, n_months): whole cents sold.
    """

    potential: Floats
    expected: Floats
    market_ratio: Floats
    own_ratio: Floats
    sigma: Floats
    realised: Ints

    @property
    def total(self) -> Ints:
        """Shape (n_seats, n_months): whole cents sold of all products."""
        total: Ints = self.realised.sum(axis=0)
        return total


def make_sales(rng: np.random.Generator, company: Company, staff: People) -> Sales:
    """Sell for as long as the time axis runs."""
    seats = len(company.seats)
    region = company.seat_region
    level = np.array([area.potential_ratio for area in REGIONS])[region[:, 0]]
    potential = POTENTIAL_CENTS * level * _luck(rng, np.full(seats, POTENTIAL_SPREAD))
    service_share = rng.beta(12, 28, size=seats)
    mix = np.stack([1 - service_share, service_share])[:, :, None]
    by_product = potential[None, :, None] * mix * _growth(region) * _season()[:, None, :] * staff.productivity
    expected = by_product.sum(axis=0)
    market = _market(rng)[region, np.arange(len(MONTHS))]
    sigma = rng.uniform(0.15, 0.20, size=seats)
    own = _luck(rng, np.repeat(sigma[:, None], len(MONTHS), axis=1))
    tilted = by_product * _luck(rng, np.full(by_product.shape, 0.08))
    weight = tilted / np.where(expected > 0, tilted.sum(axis=0), 1.0)
    realised = np.rint(weight * expected * market * own).astype("int64")
    return Sales(potential, expected, market, own, sigma, realised)


def _luck(rng: np.random.Generator, sigma: Floats) -> Floats:
    """Draw lognormal ratios that are 1.0 on average."""
    drawn: Floats = np.exp(sigma * rng.standard_normal(sigma.shape) - sigma**2 / 2)
    return drawn


def _growth(region: Ints) -> Floats:
    """Shape (n_products, n_seats, n_months): sales against those of the first month, season aside."""
    rate = np.array([area.growth_ratio for area in REGIONS])[region[:, :1]]
    years = np.arange(len(MONTHS)) / 12
    return np.stack([(1 + rate) ** years, (1 + rate + SERVICE_GROWTH_RATIO) ** years])


def _season() -> Floats:
    """Shape (n_products, n_months): sales against those of an average month."""
    devices = np.array(SEASON)[month_of_year(MONTHS)]
    return np.stack([devices, 1 + SERVICE_SEASON_RATIO * (devices - 1)])


def relive(rng: np.random.Generator, company: Company, sales: Sales, *, since: int) -> Sales:
    """Let market and luck fall anew from a month on; what a seat should sell stays, and products are not told apart.

    Parameters
    ----------
    since
        Position of the first month that is lived again; the market drifts on from the month before.
    """
    region = company.seat_region
    seat = np.argmax(region[:, :since] == np.arange(len(REGIONS))[:, None, None], axis=1)
    known = np.log(sales.market_ratio[seat, np.arange(since)] / _shocks()[:, :since])
    market = (np.exp(_drift(rng, known)) * _shocks())[region, np.arange(len(MONTHS))]
    own = _luck(rng, np.repeat(sales.sigma[:, None], len(MONTHS), axis=1))
    own[:, :since] = sales.own_ratio[:, :since]
    realised = np.rint(sales.expected * market * own).astype("int64")
    realised[:, :since] = sales.total[:, :since]
    return replace(sales, market_ratio=market, own_ratio=own, realised=realised[None])


def _market(rng: np.random.Generator) -> Floats:
    """Shape (n_regions, n_months): markets that drift, and one that is shocked."""
    ratio: Floats = np.exp(_drift(rng, np.empty((len(REGIONS), 0)))) * _shocks()
    return ratio


def _drift(rng: np.random.Generator, known: Floats) -> Floats:
    """Shape (n_regions, n_months): logarithm of how markets drift on from what is known."""
    news = rng.standard_normal((len(REGIONS), len(MONTHS))) * MARKET_SIGMA
    drift = news.copy()
    since = known.shape[1]
    drift[:, :since] = known
    for month in range(max(since, 1), len(MONTHS)):
        fresh = np.sqrt(1 - MARKET_MEMORY**2) * news[:, month]
        drift[:, month] = MARKET_MEMORY * drift[:, month - 1] + fresh
    return drift


def _shocks() -> Floats:
    """Shape (n_regions, n_months): what is left of sales under the shock, 1.0 elsewhere."""
    ratio = np.ones((len(REGIONS), len(MONTHS)))
    shocked = [area.node for area in REGIONS].index(SHOCK_REGION)
    for first, hit in SHOCK.items():
        ratio[shocked, position(first) : position(first) + 3] *= hit
    return ratio
