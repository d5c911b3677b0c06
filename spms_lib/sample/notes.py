"""What the field wrote, and what it was told."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np
import pandas as pd
import yaml

from spms_lib.sample.company import Company
from spms_lib.sample.people import People
from spms_lib.sample.timeline import CURRENT, Floats, position, text_frame

NOTES_PER_SELLER: Final = 26 / 80
FEWEST_NOTES: Final = 8


@dataclass(frozen=True, slots=True)
class _Note:
    """One note; `about` is a region, or `team` or `seat` for any one of them."""

    written_at: str
    about: str
    topic: str
    text: str
    status: str = "open"
    answer: str = ""


@cache
def _written() -> tuple[_Note, ...]:
    text = files("spms_lib.sample").joinpath("notes.yaml").read_text(encoding="utf-8")
    return tuple(_Note(**fields) for fields in yaml.safe_load(text))


def notes(rng: np.random.Generator, company: Company, staff: People) -> pd.DataFrame:
    """List the field's notes, oldest first; a small company writes fewer."""
    everything = _written()
    wanted = min(len(everything), max(FEWEST_NOTES, round(NOTES_PER_SELLER * len(company.seats))))
    written = [
        everything[at] for at in np.linspace(0, len(everything) - 1, wanted).round().astype(int).tolist()
    ]
    nodes, authors = [], []
    for note in written:
        month = position(note.written_at[:7])
        if note.about == "seat":
            seat = int(rng.choice(np.flatnonzero(staff.occupant[:, month] >= 0)))
            nodes.append(company.seats[seat])
            authors.append(staff.person(seat, month))
        else:
            nodes.append(str(rng.choice(company.teams)) if note.about == "team" else note.about)
            authors.append(staff.managers[nodes[-1]])
    return text_frame(
        note=[f"N{number:03d}" for number in range(1, len(written) + 1)],
        node=nodes,
        topic=[note.topic for note in written],
        text=[note.text for note in written],
        author=authors,
        written_at=[note.written_at for note in written],
        status=[note.status for note in written],
        answer=[note.answer for note in written],
    )


def drivers(rng: np.random.Generator, company: Company, staff: People, potential: Floats) -> pd.DataFrame:
    """List what the seats have to sell with: market potential in units of money a year, accounts, capacity."""
    seats = len(company.seats)
    market = potential * 12 / 100 * 4 * rng.lognormal(0.0, 0.22, size=seats)
    accounts = np.maximum(
        np.rint(40 * (potential / potential.mean()) ** 0.6 * rng.lognormal(0, 0.25, seats)), 1
    )
    staffed = staff.occupant[:, position(CURRENT)] >= 0
    capacity = np.where(staffed, staff.productivity[:, position(CURRENT)], 0.0)
    values = [f"{round(value, -3):.0f}" for value in market.tolist()]
    values += [f"{value:.0f}" for value in accounts.tolist()]
    values += [f"{value:.2f}" for value in capacity.tolist()]
    names = ("market_potential", "accounts", "capacity")
    return text_frame(
        node=company.seats * len(names),
        driver=[name for name in names for _ in range(seats)],
        value=values,
    )
