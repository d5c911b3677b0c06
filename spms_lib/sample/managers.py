"""What managers made of their people's forecasts: some know them, some guess, one always takes a tenth off."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.sample.company import REGIONS
from spms_lib.sample.field import Field
from spms_lib.sample.rounds import CLOSED, COMMIT, Round, moment_texts
from spms_lib.sample.timeline import MONTHS, Floats, Ints, money_texts, position, round_to, text_frame

CUT_OFF_DAY: Final = 15  # of the quarter; managers speak that evening, region heads after them
KNOWS, GUESSES, SHADES, LIFTS = "corrects bias", "adds noise", "shades down", "lifts"
TEAM_TYPES: Final = (SHADES, KNOWS, GUESSES)  # the first once, the others in turn
CORRECTED_RATIO: Final = 0.5  # of a seat's bias, by who knows
NOTICED_BIAS_RATIO: Final = 0.05
GUESS_SIGMA: Final = 0.18
SHADE_RATIO: Final = -0.10
LIFT_RATIO: Final = 0.05
TOUCHED_RATIO: Final = {KNOWS: 0.85, GUESSES: 0.45, SHADES: 0.35}  # of seats that are overridden
TEAM_RATIO: Final = {KNOWS: 0.8, GUESSES: 0.7, SHADES: 1.0}  # of quarters in which the team is overridden
EXECUTIVE_RATIO: Final = 0.3  # of teams that the region's head overrides in a quarter
WITHDRAWN_RATIO: Final = 0.03
REASONS: Final = {
    KNOWS: (
        "Moved half of the way to what this territory usually delivers against its call.",
        "Record of the last quarters says otherwise.",
    ),
    GUESSES: ("Talked to two customers myself.", "Does not fit what I hear from the market.", "Gut feeling."),
    SHADES: ("Caution for deals that may slip.", "Safety margin for the quarter."),
    LIFTS: ("Stretch agreed with the region.", "Region needs this number to reach its plan."),
}
AWAY: Final = "2026-07"  # quarter in which the head of the second team signs for the first
WITHDRAWN: Final = "Taken back after talking to the seller."


@dataclass(frozen=True, slots=True)
class Manager:
    """How the head of a node overrides, and whose numbers.

    Attributes
    ----------
    stage
        `manager` (of a team: own seats and the team) or `executive` (of a region: its teams).
    manager_type
        `corrects bias`, `adds noise`, `shades down` or `lifts`.
    corrected_ratio
        Share of a seat's bias that is taken out.
    noise_sigma
        Spread that the manager adds.
    shift_ratio
        What the manager adds or takes off on average, as a ratio of the forecast.
    """

    node: str
    person: str
    stage: str
    manager_type: str
    corrected_ratio: float = 0.0
    noise_sigma: float = 0.0
    shift_ratio: float = 0.0


@dataclass(frozen=True, slots=True)
class _Override:
    node: str
    period: str
    cents: int | None
    person: str
    at: str
    reason: str


def make_managers(rng: np.random.Generator, field: Field) -> list[Manager]:
    """Give the heads of teams and regions a way of overriding; heads of regions lift or guess."""
    teams = field.company.teams
    kinds = [TEAM_TYPES[min(at, 1) + (at % 2 == 0 and at > 0)] for at in range(len(teams))]
    kinds = [kinds[at] for at in rng.permutation(len(teams)).tolist()]
    heads = [(node, "manager", kind) for node, kind in zip(teams, kinds, strict=True)]
    heads += [(area.node, "executive", (LIFTS, GUESSES)[at % 2]) for at, area in enumerate(REGIONS)]
    return [_manager(node, field.staff.managers[node], stage, kind) for node, stage, kind in heads]


def _manager(node: str, person: str, stage: str, kind: str) -> Manager:
    return Manager(
        node,
        person,
        stage,
        kind,
        corrected_ratio=CORRECTED_RATIO if kind == KNOWS else 0.0,
        noise_sigma=GUESS_SIGMA if kind == GUESSES else 0.0,
        shift_ratio={SHADES: SHADE_RATIO, LIFTS: LIFT_RATIO}.get(kind, 0.0),
    )


def overrides(
    rng: np.random.Generator, field: Field, managers: list[Manager], first: list[Round]
) -> pd.DataFrame:
    """List the overrides of the commit that followed the first call of every quarter, oldest first.

    Parameters
    ----------
    first
        The first calls of all quarters, two rounds each; what came by the cut-off day is overridden.
    """
    rows: list[_Override] = []
    for early in range(0, len(first), 2):
        quarter = first[early].quarter
        closed, commit = _heard(field, first[early : early + 2])
        team = field.company.seat_team[:, quarter]
        views = np.full((len(field.company.teams), 3), np.nan)
        for at, head in enumerate(managers[: len(views)]):
            mine = np.flatnonzero(team == at)
            away = at == 0 and quarter == position(AWAY)
            signs = replace(head, person=managers[1].person) if away else head
            seats, views[at] = _of_team(rng, field, signs, quarter, mine, closed[mine], commit[mine])
            rows += seats
        for head in managers[len(views) :]:
            rows += _of_region(rng, field, head, quarter, closed, views, team)
    sent = sorted(rows, key=lambda row: (row.at, row.node, row.period))
    return text_frame(
        node=[row.node for row in sent],
        period=[row.period for row in sent],
        category=["commit"] * len(sent),
        value=["" if row.cents is None else money_texts([row.cents])[0] for row in sent],
        overridden_by=[row.person for row in sent],
        overridden_at=[row.at for row in sent],
        reason=[row.reason for row in sent],
    )


def truth_of_managers(managers: list[Manager]) -> pd.DataFrame:
    """State how each manager overrides."""
    return text_frame(
        node=[head.node for head in managers],
        person=[head.person for head in managers],
        stage=[head.stage for head in managers],
        manager_type=[head.manager_type for head in managers],
        corrected_ratio=[f"{head.corrected_ratio:.6f}" for head in managers],
        noise_sigma=[f"{head.noise_sigma:.6f}" for head in managers],
        shift_ratio=[f"{head.shift_ratio:.6f}" for head in managers],
    )


def _heard(field: Field, rounds: list[Round]) -> tuple[Floats, Floats]:
    """Shape (n_seats, 3) each: closed and commit as last heard by the cut-off, missing where nothing was."""
    closed = np.full((len(field.company.seats), 3), np.nan)
    commit = closed.copy()
    for one in rounds:
        known = one.day <= CUT_OFF_DAY
        closed[one.seats[known]] = one.value[known][:, :, CLOSED]
        commit[one.seats[known]] = one.value[known][:, :, COMMIT]
    return closed, commit


def _of_team(
    rng: np.random.Generator,
    field: Field,
    head: Manager,
    quarter: int,
    seats: Ints,
    closed: Floats,
    commit: Floats,
) -> tuple[list[_Override], Floats]:
    """Let a team's head override seats and the team; return the rows, and the team's commit as it then stands."""
    bias = field.habit.bias_ratio[seats]
    seen = (
        np.abs(bias) > NOTICED_BIAS_RATIO if head.manager_type == KNOWS else np.ones(len(seats), dtype=bool)
    )
    touched = seen & (rng.random(len(seats)) < TOUCHED_RATIO[head.manager_type]) & ~np.isnan(commit[:, 0])
    unbent = (1 + bias) ** -head.corrected_ratio
    guess = np.exp(head.noise_sigma * rng.standard_normal(commit.shape))
    own = np.maximum((closed + commit) * unbent[:, None] * guess * (1 + head.shift_ratio) - closed, 0)
    rows = [
        row
        for at in np.flatnonzero(touched).tolist()
        for row in _rows(rng, head, field.company.seats[seats[at]], quarter, own[at], hour=18)
    ]
    # Of seats that have said nothing the head knows what they usually sell.
    view = np.where(touched[:, None], own, commit)
    view = np.where(np.isnan(view), field.sales.expected[seats, quarter : quarter + 3], view)
    total = (view * np.where(touched[:, None], 1.0, 1 + head.shift_ratio)).sum(axis=0)
    total *= np.exp(head.noise_sigma / 2 * rng.standard_normal(3))
    if rng.random() >= TEAM_RATIO[head.manager_type]:
        return rows, view.sum(axis=0)
    return [*rows, *_rows(rng, head, head.node, quarter, total, hour=19)], total


def _of_region(
    rng: np.random.Generator,
    field: Field,
    head: Manager,
    quarter: int,
    closed: Floats,
    views: Floats,
    team: Ints,
) -> list[_Override]:
    """Let a region's head override the commit of some teams, after their heads have spoken."""
    region = [area.node for area in REGIONS].index(head.node)
    rows = []
    for at in np.flatnonzero(field.company.team_region == region).tolist():
        chosen = rng.random() < EXECUTIVE_RATIO
        guess = np.exp(head.noise_sigma / 2 * rng.standard_normal(3))
        booked = np.nansum(closed[team == at], axis=0)
        own = np.maximum((booked + views[at]) * guess * (1 + head.shift_ratio) - booked, 0)
        if chosen:
            rows += _rows(rng, head, field.company.teams[at], quarter, own, hour=20)
    return rows


def _rows(
    rng: np.random.Generator, head: Manager, node: str, quarter: int, cents: Floats, *, hour: int
) -> list[_Override]:
    """Write one override of three months; few are taken back the next day."""
    minute = np.array([hour * 60 + int(rng.integers(0, 60))])
    at = moment_texts(quarter, np.array([CUT_OFF_DAY]), minute)[0]
    after = moment_texts(quarter, np.array([CUT_OFF_DAY + 1]), minute)[0]
    reason = str(rng.choice(REASONS[head.manager_type]))
    months = [str(MONTHS[quarter + step]) for step in range(3)]
    amounts = round_to(cents, 100).tolist()
    rows = [
        _Override(node, month, amount, head.person, at, reason)
        for month, amount in zip(months, amounts, strict=True)
    ]
    if rng.random() < WITHDRAWN_RATIO:
        rows += [_Override(node, month, None, head.person, after, WITHDRAWN) for month in months]
    return rows
