"""The evidence for the choice of approach, by level, segment and quarter, and its record in the ledger."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from spms_lib.cycle.backtest import BLEND, MEAN, METHOD_PREFIX, Walk
from spms_lib.cycle.desk import Desk
from spms_lib.cycle.evidence import BASELINE, BOTTOM_UP, NAIVE, TOP_DOWN
from spms_lib.cycle.past import Past
from spms_lib.goals.approach import APPROACHES, ENOUGH_QUARTERS, SEGMENT
from spms_lib.goals.questions import (
    QUESTIONS,
    growth_spread,
    potential_spread,
    submission_bias,
    suggested_score,
)
from spms_lib.review.scores import QUARTER, score, tally
from spms_lib.store.commits import Commit
from spms_lib.tables import LEVEL, MEASURE, NODE, PERIOD, SOURCE, VALUE

SOURCES: Final = (TOP_DOWN, BOTTOM_UP, BLEND, BASELINE, MEAN, NAIVE)
SOURCE_NAMES: Final = {**APPROACHES, BASELINE: "baseline", MEAN: "simple mean", NAIVE: "seasonal naive"}
SOURCE_MEANINGS: Final = {
    TOP_DOWN: "target", BOTTOM_UP: "field", BLEND: "plan", BASELINE: "baseline",
    MEAN: "projected", NAIVE: "last_year",
}  # fmt: skip
NAME_MEANINGS: Final = {SOURCE_NAMES[source]: meaning for source, meaning in SOURCE_MEANINGS.items()}
WHOLE_LEVEL: Final = "all"
LEAST_CELLS: Final = 3
_BY: Final = [LEVEL, SEGMENT]
_FACTS: Final[dict[str, str]] = {
    "submission_bias": "forecasters are off by {:.0%} on average, each over all past quarters",
    "potential_spread": "standard deviation of the seats' sales of a year is {:.0%} of their mean",
    "growth_spread": "sales scatter by {:.0%} around their growth over a year before",
    "history_years": "{:.1f} years of sales are known",
    "days_to_collect": "{:.0f} days from the plan's date to the cut-off of submissions",
    "sellers": "{:.0f} leaves",
}


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
    rows = walk.forecasts.assign(**{LEVEL: walk.forecasts[NODE].map(desk.tree.level), SEGMENT: WHOLE_LEVEL})
    at_level = {name: rows[rows[LEVEL] == name] for name in desk.tree.level_names}
    nodes = desk.tree.at_level(desk.review_level)
    own = rows[rows[NODE].isin(nodes)].assign(**{SEGMENT: lambda part: part[NODE]}) if len(nodes) > 1 else rows.head(0)
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
            parts.append(tally(rows[rows[SOURCE].isin(there)], actuals, desk.calendar.quarter_of, by=_BY, sources=there))
    columns = [*_BY, QUARTER, SOURCE, "n", "left_out", "miss", "error", "size", "crps", "inside", "known"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns), short


def wape_by_quarter(evidence: Evidence, level: str) -> pd.DataFrame:
    """Follow WAPE over the past quarters at one level: quarters x approaches, by their printed names."""
    mine = evidence.tallies[(evidence.tallies[LEVEL] == level) & (evidence.tallies["n"] > 0)]
    there = [one for one in SOURCES if one != MEAN and one in set(mine[SOURCE])]
    ratio = mine["miss"] / mine["size"].where(mine["size"] > 0)
    table = mine.assign(wape=ratio).pivot_table(index=QUARTER, columns=SOURCE, values="wape").sort_index()
    return table.reindex(columns=there).rename(columns=SOURCE_NAMES).rename_axis(index=None, columns=None)


def whisker_rows(levels: pd.DataFrame) -> pd.DataFrame:
    """Prepare the figure of WAPE by level: level, source, wape, wape_low, wape_high, mark (beside the best)."""
    best = (levels["behind"] == 0) & levels["chance_best"].notna()
    marks = [f"best, chance {chance:.0%}" if is_best else "" for is_best, chance in zip(best, levels["chance_best"])]
    return levels.assign(mark=marks)[[LEVEL, SOURCE, "wape", "wape_low", "wape_high", "mark"]]


def printed(scores: pd.DataFrame) -> pd.DataFrame:
    """Write the sources of a score table by their names, and count quarters won as whole numbers."""
    names = scores[SOURCE].map(lambda name: SOURCE_NAMES.get(name, name.removeprefix(METHOD_PREFIX).replace("_", " ")))
    return scores.assign(**{SOURCE: names, "won": scores["won"].astype("Int64")})


def facts(desk: Desk, past: Past) -> dict[str, float]:
    """Compute what data say to the structured questions, by the name of the fact; NaN where they say nothing."""
    leaves = past.sold.reindex(desk.tree.leaves)
    review = past.tree.roll_up(past.sold).reindex(desk.tree.at_level(desk.review_level))
    return {
        "submission_bias": submission_bias(past.said.reindex(desk.tree.leaves), leaves),
        "potential_spread": potential_spread(leaves),
        "growth_spread": growth_spread(review),
        "history_years": past.sold.shape[1] / 12,
        "days_to_collect": float((desk.params.collect_as_of - desk.params.plan_as_of).days),
        "sellers": float(len(desk.tree.leaves)),
    }


def questions_table(desk: Desk, past: Past) -> pd.DataFrame:
    """Put the standard questions, the facts that data hold and the people's answers beside each other.

    Returns
    -------
    pd.DataFrame
        Columns topic, question, top_down and bottom_up (what speaks for each), fact, suggests (-2 bottom-up to 2
        top-down; missing without a fact), score, weight, reason, decided_by, decided_on (missing where nobody has
        answered). Questions of the company's own follow the standard ones.
    """
    known = facts(desk, past)
    asked = {item.question: item for item in desk.params.criteria}
    standard = {question.question: question for question in QUESTIONS}
    rows: list[dict[str, Any]] = []
    for text in [*standard, *(text for text in asked if text not in standard)]:
        question, answer = standard.get(text), asked.get(text)
        fact = known.get(question.fact) if question else None
        rows.append(
            {
                "topic": question.topic if question else asked[text].topic,
                "question": text,
                "top_down": question.top_down if question else "",
                "bottom_up": question.bottom_up if question else "",
                "fact": _FACTS[question.fact].format(fact) if question and fact is not None and fact == fact else "",
                "suggests": suggested_score(question, fact) if question else None,
                **{
                    name: getattr(answer, name, None)
                    for name in ("score", "weight", "reason", "decided_by", "decided_on")
                },
            }
        )
    return pd.DataFrame(rows).astype({"suggests": "Int64", "score": "Int64", "weight": "Float64"})


def criteria_table(desk: Desk) -> pd.DataFrame:
    """Show the answers that were given: question, score, weight, reason, decided_by, topic, decided_on."""
    rows = [item.model_dump() for item in desk.params.criteria]
    columns = ["question", "score", "weight", "reason", "decided_by", "topic", "decided_on"]
    return pd.DataFrame(rows, columns=columns)


def sentences(desk: Desk, recommendation: pd.DataFrame) -> list[str]:
    """Say each recommendation in words: what, why, how sure, and what would overturn it."""
    name: Callable[[str], str] = lambda node: str(desk.tree.name.get(node, node))  # noqa: E731
    return [
        f"**{f'Level {row.level}' if row.segment == WHOLE_LEVEL else name(row.segment)}: {row.recommendation}.** "
        f"{row.because[:1].upper()}{row.because[1:]}. {row.how_sure[:1].upper()}{row.how_sure[1:]}. "
        f"It would change by: {row.would_change}."
        for row in recommendation.itertuples()
    ]


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
    texts = {name: json.dumps({k: str(v) for k, v in row.items()}, ensure_ascii=False) for name, row in items.items()}
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


def approach_headline(recommendation: pd.DataFrame) -> str:
    """Say in one line what is recommended by level."""
    whole = recommendation[recommendation[SEGMENT] == WHOLE_LEVEL]
    return "; ".join(f"{row.level}: {row.recommendation}" for row in whole.itertuples()) or "No past to judge by"
