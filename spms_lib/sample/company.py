"""Who rolls up to whom: four regions, their teams, their seats, and the seats that move."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from spms_lib.errors import ParamsError
from spms_lib.sample.timeline import MONTHS, Ints, position

ROOT: Final = "nordlicht"
ROOT_NAME: Final = "Nordlicht Devices"
FEWEST_SELLERS: Final = 12
SEATS_PER_TEAM: Final = 6.7
SMALLEST_TEAM: Final = 5
LARGEST_TEAM: Final = 8
MOVE_MONTHS: Final = ("2024-10", "2025-04", "2026-01", "2026-07")
OPENING_MONTH: Final = "2025-02"


@dataclass(frozen=True, slots=True)
class Region:
    """One region of the company.

    Attributes
    ----------
    size_ratio
        Its share of the teams.
    potential_ratio
        Potential of a seat there against the average seat.
    growth_ratio
        Growth of device sales in a year; services grow faster everywhere.
    """

    node: str
    name: str
    size_ratio: float
    potential_ratio: float
    growth_ratio: float


REGIONS: Final = (
    Region("dach", "DACH", 0.34, 1.10, 0.055),
    Region("nordics", "Nordics", 0.18, 1.05, 0.085),
    Region("uk_ireland", "UK & Ireland", 0.24, 1.00, 0.040),
    Region("south_europe", "South Europe", 0.24, 0.85, 0.065),
)


@dataclass(frozen=True, slots=True)
class Company:
    """The nodes, and the team of every seat in every month.

    Attributes
    ----------
    team_region
        Shape (n_teams,): position of a team's region in `REGIONS`.
    seat_team
        Shape (n_seats, n_months): position of a seat's team, -1 before the seat was opened.
    """

    teams: list[str]
    team_names: list[str]
    team_region: Ints
    seats: list[str]
    seat_names: list[str]
    seat_team: Ints

    @property
    def seat_region(self) -> Ints:
        """Shape (n_seats, n_months): position of a seat's region, that of its first team before it opened."""
        opened = np.where(self.seat_team < 0, self.seat_team.max(axis=1, keepdims=True), self.seat_team)
        return np.take(self.team_region, opened)

    @property
    def opened(self) -> Ints:
        """Shape (n_seats,): position of the month in which a seat was opened."""
        first: Ints = np.argmax(self.seat_team >= 0, axis=1).astype("int64")
        return first

    @property
    def moved(self) -> list[int]:
        """Positions of the seats that changed team, in the order of their moves."""
        later, earlier = self.seat_team[:, 1:], self.seat_team[:, :-1]
        changed = (later != earlier) & (earlier >= 0)
        found = np.flatnonzero(changed.any(axis=1))
        return [int(seat) for seat in found[np.argsort(changed[found].argmax(axis=1), kind="stable")]]


def make_company(rng: np.random.Generator, sellers: int) -> Company:
    """Draw up a company with that many seats at present.

    Raises
    ------
    ParamsError
        If there are too few sellers for four regions.
    """
    if sellers < FEWEST_SELLERS:
        raise ParamsError(
            f"{sellers} sellers are too few for {len(REGIONS)} regions.",
            where="sellers",
            remedy=f"Ask for {FEWEST_SELLERS} or more.",
        )
    team_region = np.repeat(np.arange(len(REGIONS)), _teams_by_region(sellers))
    sizes = _team_sizes(rng, sellers, len(team_region))
    numbers = [int(np.sum(team_region[:team] == region)) + 1 for team, region in enumerate(team_region)]
    teams = [f"{REGIONS[region].node}_{number}" for region, number in zip(team_region, numbers, strict=True)]
    names = [f"{REGIONS[region].name} {number}" for region, number in zip(team_region, numbers, strict=True)]
    seat_team = np.repeat(np.arange(len(teams)), sizes)
    numbers_in_team = [seat for size in sizes for seat in range(1, size + 1)]
    seats = list(zip(seat_team.tolist(), numbers_in_team, strict=True))
    return Company(
        teams=teams,
        team_names=names,
        team_region=team_region.astype("int64"),
        seats=[f"{teams[team]}_{number:02d}" for team, number in seats],
        seat_names=[f"{names[team]} · seat {number:02d}" for team, number in seats],
        seat_team=_with_changes(rng, seat_team, team_region),
    )


def _teams_by_region(sellers: int) -> Ints:
    count = max(len(REGIONS), round(sellers / SEATS_PER_TEAM))
    teams = np.ones(len(REGIONS), dtype="int64")
    ratios = np.array([region.size_ratio for region in REGIONS])
    for _ in range(count - len(REGIONS)):
        teams[np.argmax(ratios / teams)] += 1
    return teams


def _team_sizes(rng: np.random.Generator, sellers: int, teams: int) -> Ints:
    sizes = np.array([len(part) for part in np.array_split(np.arange(sellers), teams)], dtype="int64")
    for _ in range(teams):
        larger, smaller = rng.permutation(teams)[:2]
        if sizes[larger] > SMALLEST_TEAM and sizes[smaller] < LARGEST_TEAM:
            sizes[larger] -= 1
            sizes[smaller] += 1
    return sizes


def _with_changes(rng: np.random.Generator, seat_team: Ints, team_region: Ints) -> Ints:
    """Spread the teams over the months: the last seat of the largest team opens late, a few seats move."""
    by_month = np.repeat(seat_team[:, None], len(MONTHS), axis=1)
    sizes = np.bincount(seat_team)
    opened = np.flatnonzero(seat_team == sizes.argmax())[-1]
    settled = {int(opened)}
    moves = MOVE_MONTHS[-max(1, round(len(seat_team) / 20)) :]
    for month in moves:
        source, target = _unequal_teams(sizes, team_region)
        choices = [seat for seat in np.flatnonzero(by_month[:, -1] == source).tolist() if seat not in settled]
        seat = int(rng.choice(choices))
        by_month[seat, position(month) :] = target
        sizes[source] -= 1
        sizes[target] += 1
        settled.add(seat)
    by_month[opened, : position(OPENING_MONTH)] = -1
    return by_month.astype("int64")


def _unequal_teams(sizes: Ints, team_region: Ints) -> tuple[int, int]:
    """Choose the largest and the smallest team of one region, or of all where regions have one team each."""
    pairs = [(a, b) for a in range(len(sizes)) for b in range(len(sizes)) if a != b]
    neighbours = [(a, b) for a, b in pairs if team_region[a] == team_region[b]] or pairs
    return max(neighbours, key=lambda pair: sizes[pair[0]] - sizes[pair[1]])
