"""Tables, series and sentences of the approach notebook."""

from typing import Final

import numpy as np
import pandas as pd

from spms_lib.cycle.approach import SOURCES, WHOLE_LEVEL, Evidence
from spms_lib.cycle.backtest import BLEND, MEAN, METHOD_PREFIX, Walk
from spms_lib.cycle.desk import Desk
from spms_lib.cycle.evidence import BASELINE, BOTTOM_UP, NAIVE, TOP_DOWN
from spms_lib.goals.approach import APPROACHES, SEGMENT, certainty
from spms_lib.review.scores import QUARTER
from spms_lib.tables import LEVEL, SOURCE

SOURCE_NAMES: Final = {**APPROACHES, BASELINE: "baseline", MEAN: "simple mean", NAIVE: "seasonal naive"}
SOURCE_MEANINGS: Final = {
    TOP_DOWN: "target", BOTTOM_UP: "field", BLEND: "plan", BASELINE: "baseline",
    MEAN: "projected", NAIVE: "last_year",
}  # fmt: skip
NAME_MEANINGS: Final = {SOURCE_NAMES[source]: meaning for source, meaning in SOURCE_MEANINGS.items()}
WHISKERS: Final = {
    "group": LEVEL, "row": SOURCE, "value": "wape", "low": "wape_low", "high": "wape_high", "mark": "mark",
}  # fmt: skip
LEVEL_NOTE: Final = (
    "WAPE = sum |actual - forecast| / sum |actual|, with a 90 % interval over whole quarters. "
    "value_added = WAPE of seasonal naive - WAPE. chance_best: that it is the best of the approaches."
)
SPREAD_NOTE: Final = (
    "n: node-months compared. bias = forecast - actual. CRPS, in relation to actuals, also scores the stated spread. "
    "inside: share of actuals within the forecast's own 90 %."
)
_SHOWN: Final = (
    *(
        LEVEL,
        SOURCE,
        "n",
        "quarters",
        "wape",
        "wape_low",
        "wape_high",
        "bias",
        "bias_ratio",
        "crps",
        "inside",
    ),
    *("value_added", "chance_best", "won"),
)
_LEAD: Final = ("lead", "lead_low", "lead_high", "chance_best")


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
    marks = [
        f"best, chance {chance:.0%}" if is_best else ""
        for is_best, chance in zip(best, levels["chance_best"], strict=True)
    ]
    return levels.assign(mark=marks)[[LEVEL, SOURCE, "wape", "wape_low", "wape_high", "mark"]]


def printed(levels: pd.DataFrame) -> pd.DataFrame:
    """Choose what the table by level shows, sources by their names; see `LEVEL_NOTE` and `SPREAD_NOTE`."""
    return levels.assign(**{SOURCE: levels[SOURCE].map(_method), "won": levels["won"].astype("Int64")})[
        list(_SHOWN)
    ]


def segment_table(desk: Desk, evidence: Evidence) -> pd.DataFrame:
    """Lay the review level's nodes out: name, WAPE by approach, quarters, and the best with its lead over the closest rival."""
    columns = ["name", *(SOURCE_NAMES[one] for one in APPROACHES), "quarters", "best", *_LEAD]
    rows = evidence.segments.dropna(subset="wape")
    if rows.empty:
        return pd.DataFrame(columns=columns)
    wape = rows.pivot_table(index=SEGMENT, columns=SOURCE, values="wape", sort=False).rename(
        columns=SOURCE_NAMES
    )
    found = rows[rows[SOURCE].isin(APPROACHES)].sort_values("wape", kind="stable")
    best = found.drop_duplicates(SEGMENT).set_index(SEGMENT)
    others = found[found.duplicated(SEGMENT)]
    rival = (
        others.iloc[np.argsort(certainty(others), kind="stable")].drop_duplicates(SEGMENT).set_index(SEGMENT)
    )
    lead = rival[["behind", "behind_low", "behind_high"]].set_axis(list(_LEAD[:3]), axis=1)
    table = wape.join(lead).assign(
        name=lambda part: desk.tree.name.reindex(part.index),
        best=best[SOURCE].map(SOURCE_NAMES),
        quarters=best["quarters"],
        chance_best=best["chance_best"],
    )
    return table.reindex(columns=columns).reset_index(drop=True)


def method_table(desk: Desk, evidence: Evidence) -> pd.DataFrame:
    """Lay WAPE of the reconciled baselines out: a row per method, a column per level, the best first."""
    named = evidence.methods.assign(
        method=evidence.methods[SOURCE].map(lambda name: "as it is" if name == BASELINE else _method(name))
    )
    table = named.pivot_table(index="method", columns=LEVEL, values="wape", sort=False)
    levels = list(desk.tree.level_names)
    order = table.mean(axis=1).sort_values(kind="stable").index
    return table.reindex(index=order, columns=levels).rename_axis(columns=None).reset_index()


def left_out_table(walk: Walk, evidence: Evidence) -> pd.DataFrame:
    """List what could not be made in some quarters (and the last reason), and what has too short a past: source, where, why."""
    grouped = walk.left_out.groupby(SOURCE, sort=False)
    made = grouped["quarter"].agg(["count", "min", "max"]).assign(why=grouped["why"].last()).reset_index()
    spans = [
        str(first) if count == 1 else f"{count} quarters, {first} to {last}"
        for count, first, last in made[["count", "min", "max"]].itertuples(index=False)
    ]
    first = pd.DataFrame({SOURCE: made[SOURCE].map(_method), "where": spans, "why": made["why"]})
    short = evidence.not_compared
    place = short[LEVEL].where(short[SEGMENT] == WHOLE_LEVEL, short[SEGMENT])
    words = [
        "known in one quarter" if count == 1 else f"known in {count} quarters" for count in short["quarters"]
    ]
    second = pd.DataFrame({SOURCE: short[SOURCE].map(_method), "where": place, "why": words})
    return pd.concat([first, second], ignore_index=True)


def recommendation_table(desk: Desk, recommendation: pd.DataFrame) -> pd.DataFrame:
    """Choose what a table of recommendations shows; what is said in sentences stays out."""
    columns = ["recommendation", "basis", "leaning", *_LEAD, "quarters"]
    return recommendation[columns].assign(segment=_places(desk, recommendation))[["segment", *columns]]


def _method(name: str) -> str:
    """Print a source by its name."""
    return SOURCE_NAMES.get(name, name.removeprefix(METHOD_PREFIX).replace("_", " "))


def sentences(desk: Desk, recommendation: pd.DataFrame) -> list[str]:
    """Say each recommendation in words: what, why, how sure, and what would overturn it."""
    places = _places(desk, recommendation)
    told = recommendation[["recommendation", "because", "how_sure", "would_change"]].astype(str)
    return [
        f"**{place[:1].upper()}{place[1:]}: {choice}.** {why[:1].upper()}{why[1:]}. {sure[:1].upper()}{sure[1:]}. "
        f"What would overturn it: {change}."
        for place, (choice, why, sure, change) in zip(places, told.itertuples(index=False), strict=True)
    ]


def _places(desk: Desk, recommendation: pd.DataFrame) -> list[str]:
    """Name each segment: its level, or the printed name of its node."""
    own = recommendation[SEGMENT].map(desk.tree.name).astype("object")
    whole = recommendation[SEGMENT] == WHOLE_LEVEL
    return [str(name) for name in own.where(~whole, "level " + recommendation[LEVEL].astype(str))]


def approach_headline(recommendation: pd.DataFrame) -> str:
    """Say in one line what is recommended by level."""
    whole = recommendation[recommendation[SEGMENT] == WHOLE_LEVEL]
    return (
        "; ".join(f"{row.level}: {row.recommendation}" for row in whole.itertuples()) or "No past to judge by"
    )
