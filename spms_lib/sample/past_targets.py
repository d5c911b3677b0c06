"""Targets that leadership set in the past: last year and an ambition, spread down by history."""

from typing import Final

import numpy as np
import pandas as pd

from spms_lib.sample.company import REGIONS, ROOT, Company
from spms_lib.sample.sales import Sales
from spms_lib.sample.timeline import MONTHS, Floats, Ints, money_texts, position, round_to, text_frame

FIRST_TARGET: Final = "2024-07"
LAST_TARGET: Final = "2026-06"
LEAST_AMBITION_RATIO: Final = 0.10
MOST_AMBITION_RATIO: Final = 0.12
OVER_ASSIGNMENT_RATIO: Final = 0.03  # added at every level below the company
EVEN_RATIO: Final = 0.25  # part of a seat's share that is equal for all seats of the team


def targets(
    rng: np.random.Generator, company: Company, sales: Sales, *, last: str = LAST_TARGET
) -> pd.DataFrame:
    """List monthly targets of all nodes up to a month; children sum to about 3 % above their parent."""
    ambition = {year: rng.uniform(LEAST_AMBITION_RATIO, MOST_AMBITION_RATIO) for year in (2024, 2025, 2026)}
    judgement = {area.node: rng.normal(1.0, 0.01) for area in REGIONS}
    frames = []
    for month in range(position(FIRST_TARGET), position(last) + 1):
        year = int(str(MONTHS[month])[:4])
        goal = round_to(sales.total[:, month - 12].sum() * (1 + ambition[year]), 1000)
        frames.append(_cascaded(company, sales, month, goal, np.array(list(judgement.values()))))
    return pd.concat(frames, ignore_index=True)


def _cascaded(company: Company, sales: Sales, month: int, goal: Ints, judgement: Floats) -> pd.DataFrame:
    """Spread one month's goal by the sales of the twelve months before the quarter."""
    quarter = month - month % 3
    history = sales.total[:, quarter - 12 : quarter].sum(axis=1).astype(float)
    open_seats = np.flatnonzero(company.seat_team[:, month] >= 0)
    team = company.seat_team[open_seats, month]
    team_sales = np.bincount(team, weights=history[open_seats], minlength=len(company.teams))
    mean = team_sales / np.bincount(team, minlength=len(company.teams))
    share = (1 - EVEN_RATIO) * history[open_seats] + EVEN_RATIO * mean[team]
    region_sales = np.bincount(company.team_region, weights=team_sales) * judgement
    up = 1 + OVER_ASSIGNMENT_RATIO
    of_region = round_to(goal * up * region_sales / region_sales.sum(), 1000)
    team_basis = team_sales / np.bincount(company.team_region, weights=team_sales)[company.team_region]
    of_team = round_to(of_region[company.team_region] * up * team_basis, 500)
    seat_basis = share / np.bincount(team, weights=share, minlength=len(company.teams))[team]
    of_seat = round_to(of_team[team] * up * seat_basis, 100)
    nodes = [
        ROOT,
        *(area.node for area in REGIONS),
        *company.teams,
        *(company.seats[i] for i in open_seats.tolist()),
    ]
    return text_frame(
        node=nodes,
        period=[str(MONTHS[month])] * len(nodes),
        measure=["revenue"] * len(nodes),
        value=money_texts(np.concatenate([np.atleast_1d(goal), of_region, of_team, of_seat])),
    )
