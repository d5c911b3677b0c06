"""The evidence for the choice of approach, by level and by quarter, and its record in the ledger."""

import json

import pandas as pd

from spms_lib.cycle.desk import Desk
from spms_lib.cycle.evidence import BASELINE, BOTTOM_UP, NAIVE, TOP_DOWN, by_level, past_actuals
from spms_lib.review.accuracy import accuracy, value_added
from spms_lib.tables import LEVEL, NODE, PERIOD, SOURCE

SOURCES = (TOP_DOWN, BOTTOM_UP, "blend", BASELINE, NAIVE)
LEAST_CELLS = 3


def level_accuracy(desk: Desk, past: pd.DataFrame) -> pd.DataFrame:
    """Measure every source at every level, on the cells that all sources of the level have.

    Parameters
    ----------
    past
        From `past_forecasts`.

    Returns
    -------
    pd.DataFrame
        Columns level, source, n (node-months compared), left_out, quarters, wape, bias
        (forecast - actual, minor units), bias_ratio; sources without a past are absent.
    """
    actual = past_actuals(desk)
    rows = by_level(desk, past)
    parts = []
    for level in desk.tree.level_names:
        mine = rows[rows[LEVEL] == level]
        counts = mine.groupby(SOURCE).size()
        there = [source for source in SOURCES if counts.get(source, 0) >= LEAST_CELLS]
        if not there:
            continue
        measured = accuracy(mine[mine[SOURCE].isin(there)], actual, by=[SOURCE], sources=there)
        parts.append(measured.assign(level=level, quarters=_quarters(desk, mine, there, actual)))
    columns = [LEVEL, SOURCE, "n", "left_out", "quarters", "wape", "bias", "bias_ratio"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _quarters(desk: Desk, rows: pd.DataFrame, sources: list[str], actual: pd.DataFrame) -> int:
    """Count the quarters in which all sources and the actual are known."""
    cells = rows[rows[SOURCE].isin(sources)].merge(actual[[NODE, PERIOD]], on=[NODE, PERIOD])
    complete = cells.groupby([NODE, PERIOD])[SOURCE].nunique().eq(len(sources))
    months = complete[complete].reset_index()[PERIOD].unique()
    return len({desk.calendar.quarter_of(str(month)) for month in months})


def wape_by_level(measured: pd.DataFrame) -> pd.DataFrame:
    """Lay WAPE out with a row per level and a column per source; missing where a source has no past."""
    table = measured.pivot_table(index=LEVEL, columns=SOURCE, values="wape", sort=False)
    named = table.reindex(columns=[source for source in SOURCES if source in table])
    return named.rename_axis(columns=None).reset_index()


def wape_by_quarter(desk: Desk, past: pd.DataFrame, level: str) -> pd.DataFrame:
    """Follow WAPE over the past quarters at one level: quarters x sources."""
    rows = by_level(desk, past)
    mine = rows[rows[LEVEL] == level]
    if mine.empty:
        return pd.DataFrame()
    dated = mine.assign(quarter=mine[PERIOD].map(desk.calendar.quarter_of))
    there = [source for source in SOURCES if source in set(dated[SOURCE])]
    measured = accuracy(dated, past_actuals(desk), by=["quarter", SOURCE], sources=there)
    table = measured.pivot_table(index="quarter", columns=SOURCE, values="wape")
    return table.reindex(columns=[source for source in there if source in table]).rename_axis(
        index=None, columns=None
    )


def effort_worth(measured: pd.DataFrame, level: str) -> pd.DataFrame:
    """Compare each stage of a level with the naive forecast: see `value_added`; no rows without a naive one."""
    mine = measured[measured[LEVEL] == level]
    if not (mine[SOURCE] == NAIVE).any() or len(mine) < 2:
        return pd.DataFrame(
            columns=["quarters", "stage", "n", "left_out", "error", "naive_error", "value_added"]
        )
    return value_added(mine, naive=NAIVE).drop(columns=LEVEL, errors="ignore")


def criteria_table(desk: Desk) -> pd.DataFrame:
    """Show the answers to the structured questions: question, score, weight, reason, decided_by."""
    rows = [item.model_dump() for item in desk.params.criteria]
    return pd.DataFrame(rows, columns=["question", "score", "weight", "reason", "decided_by"])


def record_approach(desk: Desk, recommendation: pd.DataFrame) -> None:
    """Write the recommendation into the ledger, by level, with its reasons."""
    rows = recommendation.to_dict("records")
    cells = pd.DataFrame(
        {
            NODE: desk.tree.root,
            PERIOD: desk.cycle,
            "measure": desk.company.measure,
            "item": [f"approach {row['level']}" for row in rows],
            "value": pd.array([None] * len(rows), dtype="Int64"),
            "text": [
                json.dumps({str(k): str(v) for k, v in row.items()}, ensure_ascii=False) for row in rows
            ],
        }
    )
    if len(cells):
        desk.ledger.commit("note", cells, author=desk.author, message=f"{desk.cycle}: approach by level")
