"""Who sits where and since when: hires that ramp, leavers, vacancies; and the frames that tell of it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.sample.company import REGIONS, ROOT, ROOT_NAME, Company
from spms_lib.sample.timeline import (
    HISTORY,
    MONTHS,
    PRESENT,
    Days,
    Floats,
    Ints,
    day_texts,
    last_day,
    money_texts,
    position,
    text_frame,
)
from spms_lib.sample.words import people

RAMP_MONTHS: Final = 6
FIRST_MONTH_RATIO: Final = 0.3  # productivity of a new hire in the first month
VACANT_RATIO: Final = 0.06  # what the house still sells from an empty seat
LEAVE_RATIO: Final = 0.013  # chance of leaving in a month
EARLIEST_LEAVE: Final = "2023-10"
LATEST_LEAVE: Final = "2026-03"
ROLES: Final = {
    "account executive": 40_000,
    "senior account executive": 48_000,
    "key account manager": 60_000,
}
FORCED: Final = (
    ("2026-05", 4),
    ("2026-06", 4),
    ("2025-12", 3),
)  # last month of a leaver, months without a successor


@dataclass(frozen=True, slots=True)
class Stint:
    """One person's time in one seat; months are positions, the last one may lie beyond the axis."""

    seat: int
    person: str
    start: int
    last: int
    role: str
    fte: float


@dataclass(frozen=True, slots=True)
class People:
    """The people of the company over time.

    Attributes
    ----------
    managers
        Person who leads each node above the seats.
    occupant
        Shape (n_seats, n_months): position in `stints`, -1 where the seat is empty.
    productivity
        Shape (n_seats, n_months): 1.0 for a full-time person with full productivity.
    vacated
        Seats that are empty at present (two), then the seat that was filled in 2026-04.
    """

    stints: list[Stint]
    managers: dict[str, str]
    occupant: Ints
    productivity: Floats
    vacated: list[int]

    def person(self, seat: int, month: int) -> str:
        """Name the person in a seat, empty where there is none."""
        stint = self.occupant[seat, month]
        return self.stints[stint].person if stint >= 0 else ""


def make_people(rng: np.random.Generator, company: Company) -> People:
    """Let people come, ramp, leave and be replaced."""
    names = people(rng)
    above = [ROOT, *(region.node for region in REGIONS), *company.teams]
    managers = {node: next(names) for node in above}
    quiet = sorted(
        set(range(len(company.seats))) - set(company.moved) - set(np.flatnonzero(company.opened).tolist())
    )
    vacated = rng.choice(quiet, size=len(FORCED), replace=False).tolist()
    stints: list[Stint] = []
    for seat in range(len(company.seats)):
        forced = FORCED[vacated.index(seat)] if seat in vacated else None
        for start, last in _spells(rng, int(company.opened[seat]), forced):
            role = str(rng.choice(list(ROLES), p=[0.5, 0.35, 0.15]))
            stints.append(Stint(seat, next(names), start, last, role, 0.8 if rng.random() < 0.08 else 1.0))
    occupant = np.full((len(company.seats), len(MONTHS)), -1, dtype="int64")
    productivity = np.full(occupant.shape, VACANT_RATIO)
    for number, stint in enumerate(stints):
        months = np.arange(max(stint.start, 0), min(stint.last, len(MONTHS) - 1) + 1)
        occupant[stint.seat, months] = number
        ramp = np.minimum((months - stint.start) / RAMP_MONTHS, 1.0)
        productivity[stint.seat, months] = stint.fte * (FIRST_MONTH_RATIO + (1 - FIRST_MONTH_RATIO) * ramp)
    productivity[company.seat_team < 0] = 0.0
    return People(stints, managers, occupant, productivity, vacated)


def _spells(rng: np.random.Generator, opened: int, forced: tuple[str, int] | None) -> list[tuple[int, int]]:
    """Draw the first and last month of each person in one seat."""
    start = opened or -int(rng.integers(1, 90))
    endless = len(MONTHS)
    if forced:
        last, gap = position(forced[0]), forced[1]
        return [(start, last), (last + gap + 1, endless)]
    spells: list[tuple[int, int]] = []
    earliest = max(position(EARLIEST_LEAVE), start + 9)
    last = earliest + int(rng.geometric(LEAVE_RATIO)) - 1
    while last <= position(LATEST_LEAVE):
        spells.append((start, last))
        start = last + 1 + int(rng.integers(2, 5))
        last = start + 9 + int(rng.geometric(LEAVE_RATIO)) - 1
    return [*spells, (start, endless)]


def _first_day(months: list[int]) -> Days:
    first: Days = np.add(MONTHS[0], np.array(months, dtype="timedelta64[M]")).astype("datetime64[D]")
    return first


def roster(company: Company, staff: People) -> pd.DataFrame:
    """List who has sat where, up to the present."""
    stints = [stint for stint in staff.stints if stint.start < HISTORY]
    ends = last_day(_first_day([stint.last for stint in stints]))
    ends[ends > PRESENT] = np.datetime64("NaT")
    return text_frame(
        node=[company.seats[stint.seat] for stint in stints],
        person=[stint.person for stint in stints],
        start=day_texts(_first_day([stint.start for stint in stints])),
        end=day_texts(ends),
        role=[stint.role for stint in stints],
        fte=[f"{stint.fte:.1f}" for stint in stints],
        ramp_months=[str(RAMP_MONTHS)] * len(stints),
        target_incentive=money_texts([round(ROLES[stint.role] * stint.fte) * 100 for stint in stints]),
    )


def hierarchy(company: Company, staff: People) -> pd.DataFrame:
    """List the nodes, top down; a seat that moved has one row per team.

    The owner of a seat is whoever sits there on the last day of the row, at the latest at present.
    """
    rows = [(ROOT, "", "company", ROOT_NAME, staff.managers[ROOT], "", "")]
    rows += [(area.node, ROOT, "region", area.name, staff.managers[area.node], "", "") for area in REGIONS]
    for team, name, region in zip(
        company.teams, company.team_names, company.team_region.tolist(), strict=True
    ):
        rows.append((team, REGIONS[region].node, "team", name, staff.managers[team], "", ""))
    for seat, node in enumerate(company.seats):
        teams = company.seat_team[seat]
        starts = [0, *(np.flatnonzero(np.diff(teams)) + 1).tolist()]
        for start, end in zip(starts, [*starts[1:], len(MONTHS)], strict=True):
            if teams[start] < 0:
                continue
            first = day_texts(_first_day([start]))[0] if start else ""
            last = day_texts(last_day(_first_day([end - 1])))[0] if end < len(MONTHS) else ""
            owner = staff.person(seat, min(end, HISTORY) - 1)
            rows.append(
                (node, company.teams[teams[start]], "seller", company.seat_names[seat], owner, first, last)
            )
    names = ["node", "parent", "level", "name", "owner", "valid_from", "valid_to"]
    return pd.DataFrame(rows, columns=names, dtype="str")
