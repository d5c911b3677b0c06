"""The track record: what was said at a fixed lead, beside what came, and who said it."""

import datetime as dt
from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.calendar import FiscalCalendar
from spms_lib.collect.submissions import FORECAST_CATEGORIES, latest_submissions
from spms_lib.tables import CATEGORIES, CATEGORY, NODE, PERIOD, VALUE, need

FORECASTER: Final = "forecaster"
QUARTER: Final = "quarter"
LOG_RATIO: Final = "log_ratio"
COMMIT_FORECAST: Final = "commit_forecast"
USED: Final = "used"
STATES: Final = (
    USED,
    "no actual",
    "not in the seat",
    "both zero",
    "forecast zero",
    "actual zero",
    "negative",
)
COLUMNS: Final = (
    *(FORECASTER, "known_by", NODE, PERIOD, QUARTER, CATEGORY, "forecast", "low", "high", "confidence"),
    *("actual", "submitted_at", "lead", LOG_RATIO, "state"),
)


def track_record(
    submissions: pd.DataFrame,
    actuals: pd.DataFrame,
    calendar: FiscalCalendar,
    *,
    cut_offs: Mapping[str, dt.date],
    roster: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Set what each forecaster had said by a cut-off beside what came.

    A seat's forecaster may change: a record belongs to the person who sent it, and to the seat only where nobody is
    named. Every category is compared with what it speaks of:

    - `commit_forecast`, closed + commit, with the actual;
    - `commit` alone with what was still to come, actual - closed;
    - `best_case` and `pipeline` cumulative, with all that is surer, with the actual.

    Parameters
    ----------
    submissions
        Table `submissions` of the data dictionary, all versions.
    actuals
        Columns node, period, value (minor units).
    cut_offs
        Period: day until whose end a submission counts. Other periods are outside the question.
    roster
        Table `roster`; a month in which the sender no longer sat in the seat is set aside and counted.

    Returns
    -------
    pd.DataFrame
        One row per node, period and category: forecaster, known_by (person or node), node, period, quarter, category,
        forecast, low, high, actual (minor units; low and high of the commit forecast), confidence, submitted_at, lead
        (days from sending to the period's last day), log_ratio (ln forecast - ln actual: positive is over-forecast;
        missing unless used) and state, one of `STATES`. Nothing that was said is dropped: what has no ratio has a state.

    Raises
    ------
    TableError
        If a column is missing.

    Examples
    --------
    >>> from spms_lib.calendar import FiscalCalendar
    >>> said = pd.DataFrame({"node": "a", "period": "2026-01", "category": ["closed", "commit"], "value": [20, 100],
    ...     "submitted_by": "Ann", "submitted_at": pd.Timestamp("2026-01-10")})
    >>> came = pd.DataFrame({"node": ["a"], "period": ["2026-01"], "value": [100]})
    >>> record = track_record(said, came, FiscalCalendar(), cut_offs={"2026-01": dt.date(2026, 1, 15)})
    >>> record.set_index("category")[["forecast", "actual", "lead"]].loc["commit_forecast"].tolist()
    [120.0, 100.0, 21.0]
    """
    need(submissions, [NODE, PERIOD, CATEGORY, VALUE, "submitted_by", "submitted_at"], "submissions")
    need(actuals, [NODE, PERIOD, VALUE], "actuals")
    heard = _last_words(submissions, cut_offs)
    if heard.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    cells = _cells(heard)
    came = actuals.set_index([NODE, PERIOD])[VALUE].astype("float64")
    cells["actual"] = came.reindex(cells.index).to_numpy()
    rows = pd.concat(
        [_compared(cells, name) for name in (COMMIT_FORECAST, "commit", "best_case", "pipeline")]
    )
    rows = rows[rows["forecast"].notna()].reset_index()
    periods = rows[PERIOD].unique()
    ends = rows[PERIOD].map({one: pd.Timestamp(calendar.end(one)) for one in periods})
    rows[QUARTER] = rows[PERIOD].map({one: calendar.quarter_of(one) for one in periods})
    rows["lead"] = (ends - rows["submitted_at"].dt.normalize()).dt.days.astype("float64")
    gone = _gone(rows, roster, calendar) if roster is not None else pd.Series(data=False, index=rows.index)
    rows["state"] = _states(rows, gone)
    used = rows["state"] == USED
    rows[LOG_RATIO] = np.log((rows["forecast"] / rows["actual"]).where(used))
    order = [FORECASTER, NODE, PERIOD, CATEGORY]
    return rows[list(COLUMNS)].sort_values(order, kind="stable", ignore_index=True)


def left_out(record: pd.DataFrame) -> pd.DataFrame:
    """Count by category how many forecasts count and how many do not, and why: category, one column per state."""
    counted = pd.crosstab(record[CATEGORY], record["state"]).reindex(columns=list(STATES), fill_value=0)
    return counted.rename_axis(columns=None).reset_index()


def _last_words(submissions: pd.DataFrame, cut_offs: Mapping[str, dt.date]) -> pd.DataFrame:
    due = submissions[PERIOD].map(dict(cut_offs))
    days = sorted(due.dropna().unique())
    parts = [latest_submissions(submissions[due == day], cut_off=day) for day in days]
    return pd.concat(parts, ignore_index=True) if parts else submissions.head(0)


def _cells(heard: pd.DataFrame) -> pd.DataFrame:
    """Lay categories side by side: indexed by node and period, with who spoke, when, and the range of the commit."""
    key = [NODE, PERIOD]
    amounts = heard.pivot(index=key, columns=CATEGORY, values=VALUE).astype("float64")
    amounts = amounts.reindex(columns=list(CATEGORIES)).rename_axis(columns=None)
    rank = heard[CATEGORY].isin(FORECAST_CATEGORIES)
    ordered = heard.assign(counts=rank).sort_values(["counts", "submitted_at", CATEGORY], kind="stable")
    last = ordered.drop_duplicates(key, keep="last").set_index(key)
    sure = heard[heard[CATEGORY] == "commit"].set_index(key)
    named = last["submitted_by"].astype("object")
    known = named.notna() & (named.astype(str).str.strip() != "")
    nodes = pd.Series(last.index.get_level_values(NODE), last.index, dtype="object")
    who = pd.DataFrame(
        {
            FORECASTER: named.where(known, nodes),
            "known_by": np.where(known, "person", "node"),
            "submitted_at": last["submitted_at"],
        }
    )
    stated = sure.reindex(columns=["low", "high", "confidence"]).apply(pd.to_numeric).astype("float64")
    cells = amounts.join(who, how="inner").join(stated)
    booked = cells["closed"].fillna(0.0)
    return cells.assign(low=cells["low"] + booked, high=cells["high"] + booked)


def _compared(cells: pd.DataFrame, name: str) -> pd.DataFrame:
    """Set one category beside what it speaks of."""
    if name == "commit":
        forecast, actual = cells["commit"], cells["actual"] - cells["closed"].fillna(0.0)
    else:
        last = "commit" if name == COMMIT_FORECAST else name
        counted = list(CATEGORIES[: CATEGORIES.index(last) + 1])
        there = cells[counted].notna().any(axis=1) if name == COMMIT_FORECAST else cells[name].notna()
        forecast, actual = cells[counted].sum(axis=1).where(there), cells["actual"]
    stated = {} if name == COMMIT_FORECAST else {"low": np.nan, "high": np.nan, "confidence": np.nan}
    kept = cells[[FORECASTER, "known_by", "submitted_at", "low", "high", "confidence"]]
    return kept.assign(**{CATEGORY: name}, forecast=forecast, actual=actual, **stated)


def _states(rows: pd.DataFrame, gone: pd.Series) -> np.ndarray:
    said, came = rows["forecast"], rows["actual"]
    conditions = [
        *(came.isna(), gone, (said == 0) & (came == 0)),
        *((said < 0) | (came < 0), said == 0, came == 0),
    ]
    names = ["no actual", "not in the seat", "both zero", "negative", "forecast zero", "actual zero"]
    return np.select(conditions, names, USED)


def _gone(rows: pd.DataFrame, roster: pd.DataFrame, calendar: FiscalCalendar) -> pd.Series:
    """Tell where the roster knows the sender in this seat, but not through the whole period."""
    ends = {one: pd.Timestamp(calendar.end(one)) for one in rows[PERIOD].unique()}
    stints = roster.rename(columns={"person": FORECASTER, "start": "since", "end": "until"})
    cells = rows[[FORECASTER, NODE, PERIOD]].drop_duplicates()
    known = cells.merge(stints[[FORECASTER, NODE, "since", "until"]], on=[FORECASTER, NODE])
    last = pd.to_datetime(known["until"]).fillna(pd.Timestamp.max)
    seated = (pd.to_datetime(known["since"]) <= known[PERIOD].map(ends)) & (last >= known[PERIOD].map(ends))
    ever = known.assign(seated=seated).groupby([FORECASTER, NODE, PERIOD])["seated"].any()
    keys = pd.MultiIndex.from_frame(rows[[FORECASTER, NODE, PERIOD]])
    return pd.Series(ever.reindex(keys).eq(other=False).to_numpy(), index=rows.index)
