"""Decisions that were taken, with the effects that the sales then showed."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.sample.company import REGIONS, Company
from spms_lib.sample.people import People
from spms_lib.sample.sales import SHOCK_REGION, Sales
from spms_lib.sample.timeline import CURRENT, Ints, money_texts, position, round_to

COLUMNS: Final = (
    "decision",
    "cycle",
    "node",
    "type",
    "text",
    "owner",
    "due",
    "expected_effect",
    "status",
    "actual_effect",
)


@dataclass(frozen=True, slots=True)
class _Decision:
    """One decision; `before` and `after` name the quarters whose difference is its effect."""

    cycle: str
    node: str
    seats: Ints
    type: str
    text: str
    due: str
    expected_ratio: float
    status: str
    before: str = ""
    after: str = ""


def decisions(company: Company, staff: People, sales: Sales) -> pd.DataFrame:
    """List the decisions of the two cycles before the current one.

    An expected effect is a ratio of the node's sales that the owner believed in. An
    actual effect is the node's sales in a later quarter less those of an earlier one,
    the latter moved along with all other nodes: it includes whatever else happened.
    """
    team_now = dict(zip(company.seats, company.seat_team[:, position(CURRENT)].tolist(), strict=True))
    rows = []
    count: dict[str, int] = {}
    for taken in _taken(company, staff):
        count[taken.cycle] = count.get(taken.cycle, 0) + 1
        lead = company.teams[team_now[taken.node]] if taken.node in team_now else taken.node
        size = sales.potential[taken.seats].sum() * 3
        actual = _effect(sales, taken) if taken.status == "done" else ""
        rows.append(
            (
                f"D-{taken.cycle}-{count[taken.cycle]:02d}",
                taken.cycle,
                taken.node,
                taken.type,
                taken.text,
                staff.managers[lead],
                taken.due,
                money_texts([int(round_to(size * taken.expected_ratio, 1000))])[0],
                taken.status,
                actual,
            )
        )
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype="str")


def _effect(sales: Sales, taken: _Decision) -> str:
    before, after = (slice(position(month), position(month) + 3) for month in (taken.before, taken.after))
    others = np.setdiff1d(np.arange(len(sales.potential)), taken.seats)
    moved = sales.total[others, after].sum() / sales.total[others, before].sum()
    effect = sales.total[taken.seats, after].sum() - sales.total[taken.seats, before].sum() * moved
    return money_texts([int(round_to(effect, 100))])[0]


def _taken(company: Company, staff: People) -> list[_Decision]:
    empty, emptied, filled = (np.array([seat]) for seat in staff.vacated)
    moved = np.array(company.moved[-1:])
    node = {name: company.seats[seats[0]] for name, seats in (("empty", empty), ("emptied", emptied))}
    target = company.team_names[company.seat_team[moved[0], position(CURRENT)]]
    region = {area.node: np.flatnonzero(company.seat_region[:, -1] == at) for at, area in enumerate(REGIONS)}
    team = np.flatnonzero(company.seat_team[:, position("2026-04")] == 0)
    shocked = next(area.name for area in REGIONS if area.node == SHOCK_REGION)
    return [
        _Decision(
            cycle="2026Q1",
            node=company.seats[filled[0]],
            seats=filled,
            type="hire",
            text=f"Fill {company.seat_names[filled[0]]}, empty since the end of December, from 1 April.",
            due="2026-04-01",
            expected_ratio=0.55,
            status="done",
            before="2026-01",
            after="2026-04",
        ),
        _Decision(
            cycle="2026Q1",
            node=SHOCK_REGION,
            seats=region[SHOCK_REGION],
            type="pricing",
            text=f"Allow up to 8 % on device renewals in {shocked} until the market is back.",
            due="2026-02-15",
            expected_ratio=0.05,
            status="done",
            before="2025-10",
            after="2026-01",
        ),
        _Decision(
            cycle="2026Q2",
            node=node["empty"],
            seats=empty,
            type="hire",
            text=f"Fill {company.seat_names[empty[0]]}, empty since the end of May.",
            due="2026-09-30",
            expected_ratio=0.40,
            status="open",
        ),
        _Decision(
            cycle="2026Q2",
            node=company.seats[moved[0]],
            seats=moved,
            type="reassign",
            text=f"Move {company.seat_names[moved[0]]} to {target}, where two large accounts asked for cover.",
            due="2026-07-01",
            expected_ratio=0.06,
            status="done",
            before="2025-07",
            after="2026-07",
        ),
        _Decision(
            cycle="2026Q2",
            node="nordics",
            seats=region["nordics"],
            type="enablement",
            text="Train all Nordic sellers on the service contracts before the summer.",
            due="2026-06-15",
            expected_ratio=0.02,
            status="done",
            before="2025-07",
            after="2026-07",
        ),
        _Decision(
            cycle="2026Q2",
            node=company.teams[0],
            seats=team,
            type="accept_risk",
            text="Accept that the delayed hospital programme moves to next year; no replacement is planned.",
            due="2026-06-30",
            expected_ratio=-0.03,
            status="done",
            before="2025-04",
            after="2026-04",
        ),
        _Decision(
            cycle="2026Q2",
            node="uk_ireland",
            seats=region["uk_ireland"],
            type="pricing",
            text="Raise the list price of devices by 3 %; dropped after two competitors kept theirs.",
            due="2026-07-15",
            expected_ratio=0.015,
            status="dropped",
        ),
        _Decision(
            cycle="2026Q2",
            node=node["emptied"],
            seats=emptied,
            type="reassign",
            text=f"Let the neighbouring seats serve the ten largest accounts of {company.seat_names[emptied[0]]}.",
            due="2026-08-31",
            expected_ratio=0.15,
            status="open",
        ),
    ]
