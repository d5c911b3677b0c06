"""The evidence for the choice of approach, by level and segment, and its record in the ledger."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from spms_lib.cycle.backtest import BLEND, MEAN, METHOD_PREFIX, Walk
from spms_lib.cycle.desk import Desk
from spms_lib.cycle.evidence import BASELINE, BOTTOM_UP, NAIVE, TOP_DOWN
from spms_lib.cycle.past import Past
from spms_lib.goals.approach import APPROACHES, ENOUGH_QUARTERS, SEGMENT
from spms_lib.review.scores import QUARTER, score, tally
from spms_lib.store.commits import Commit
from spms_lib.tables import LEVEL, MEASURE, NODE, PERIOD, SOURCE, VALUE

SOURCES: Final = (TOP_DOWN, BOTTOM_UP, BLEND, BASELINE, MEAN, NAIVE)
WHOLE_LEVEL: Final = "all"
LEAST_CELLS: Final = 3
_BY: Final = [LEVEL, SEGMENT]


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the walk through the past says, measured.

    Attributes
    ----------
    scores
        From `score`, by level and segment: `all` is the whole level, else a node of the review level.
    tallies
        What the scores of whole levels are made of, by quarter.
    methods
        From `score`, by level: the baseline as it is and as each method reconciles it.
    not_compared
        Columns level, segment, source, quarters: sources with a past too short to be compared with the others.
    """

    scores: pd.DataFrame
    tallies: pd.DataFrame
    methods: pd.DataFrame
    not_compared: pd.DataFrame

    @property
    def levels(self) -> pd.DataFrame:
        """Scores of whole levels."""
        return self.scores[self.scores[SEGMENT] == WHOLE_LEVEL].drop(columns=SEGMENT).reset_index(drop=True)

    @property
    def segments(self) -> pd.DataFrame:
        """Scores of the review level's nodes."""
        return self.scores[self.scores[SEGMENT] != WHOLE_LEVEL].reset_index(drop=True)


def measure(desk: Desk, past: Past, walk: Walk, *, seed: int = 0) -> Evidence:
    """Score every approach by level and for each node of the review level, and every method by level.

    Parameters
    ----------
    past, walk
        From `past_of` and `walk_forward`.
    seed
        Of the draws behind the chance of being best.
    """
    rows = walk.forecasts.assign(level=walk.forecasts[NODE].map(desk.tree.level), segment=WHOLE_LEVEL)
    at_level = {name: rows[rows[LEVEL] == name] for name in desk.tree.level_names}
    nodes = desk.tree.at_level(desk.review_level)
    own = (
        rows[rows[NODE].isin(nodes)].assign(segment=lambda part: part[NODE])
        if len(nodes) > 1
        else rows.head(0)
    )
    groups = [*at_level.values(), *(own[own[NODE] == node] for node in nodes)]
    further = [name for name in dict.fromkeys(rows[SOURCE]) if not name.startswith(METHOD_PREFIX)]
    sources = [*SOURCES, *(name for name in further if name not in SOURCES)]
    tallies, short = _tallied(desk, past, groups, sources)
    methods = [BASELINE, *(name for name in dict.fromkeys(rows[SOURCE]) if name.startswith(METHOD_PREFIX))]
    tried, too_short = _tallied(desk, past, list(at_level.values()), methods)
    return Evidence(
        scores=score(tallies, by=_BY, judged=list(APPROACHES), naive=NAIVE, seed=seed),
        tallies=tallies[tallies[SEGMENT] == WHOLE_LEVEL].drop(columns=SEGMENT),
        methods=score(tried, by=_BY, judged=methods, naive=BASELINE, seed=seed).drop(columns=SEGMENT),
        not_compared=pd.DataFrame([*short, *too_short], columns=[*_BY, SOURCE, "quarters"]),
    )


def _tallied(
    desk: Desk, past: Past, groups: list[pd.DataFrame], sources: Sequence[str]
) -> tuple[pd.DataFrame, list[tuple[str, str, str, int]]]:
    """Tally each group on the cells that its sources share; a source with a short past does not shorten the others'."""
    parts, short, actuals = [], [], past.actuals
    for rows in groups:
        if rows.empty:
            continue
        mine = rows[rows[SOURCE].isin(sources)].merge(actuals[[NODE, PERIOD]], on=[NODE, PERIOD])
        quarter = mine[PERIOD].map({name: desk.calendar.quarter_of(name) for name in mine[PERIOD].unique()})
        known = quarter.groupby(mine[SOURCE]).nunique()
        cells = mine.groupby(SOURCE).size()
        least = min(ENOUGH_QUARTERS, int(known.max())) if len(known) else 0
        there = [one for one in sources if known.get(one, 0) >= least and cells.get(one, 0) >= LEAST_CELLS]
        place = (str(rows[LEVEL].iloc[0]), str(rows[SEGMENT].iloc[0]))
        short += [(*place, one, int(known[one])) for one in sources if one in known and one not in there]
        if there:
            parts.append(
                tally(
                    rows[rows[SOURCE].isin(there)], actuals, desk.calendar.quarter_of, by=_BY, sources=there
                )
            )
    columns = [*_BY, QUARTER, SOURCE, "n", "left_out", "miss", "error", "size", "crps", "inside", "known"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns), short


def record_approach(desk: Desk, recommendation: pd.DataFrame, answers: pd.DataFrame) -> Commit | None:
    """Write the recommendations and the answers behind them into the ledger, under the author's name.

    Returns
    -------
    Commit or None
        None where the ledger says the same already.
    """
    items = {
        f"approach {row[LEVEL]}" + ("" if row[SEGMENT] == WHOLE_LEVEL else f" {row[SEGMENT]}"): row
        for row in recommendation.to_dict("records")
    }
    said = answers.to_dict("records")
    texts = {
        name: json.dumps({k: str(v) for k, v in row.items()}, ensure_ascii=False)
        for name, row in items.items()
    }
    if said:
        texts["approach answers"] = json.dumps(
            [{str(k): str(v) for k, v in row.items()} for row in said], ensure_ascii=False
        )
    if not texts:
        return None
    cells = pd.DataFrame(
        {
            NODE: desk.tree.root,
            PERIOD: desk.cycle,
            MEASURE: desk.company.measure,
            "item": list(texts),
            VALUE: pd.array([None] * len(texts), dtype="Int64"),
            "text": list(texts.values()),
        }
    )
    return desk.ledger.commit(
        "note", cells, author=desk.author, message=f"{desk.cycle}: approach by level and segment"
    )
