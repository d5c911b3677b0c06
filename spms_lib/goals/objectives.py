"""Objectives: clear, measurable, time-bound, owned and reachable or not, and which goal they serve."""

import datetime as dt
from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

MEASURABLE = ("measure", "unit", "baseline", "target")


def check_objectives(
    objectives: pd.DataFrame, *, as_of: dt.date, probability: pd.Series | None = None, least: float = 0.2
) -> pd.DataFrame:
    """Check every objective against the questions a planner would ask of it.

    Parameters
    ----------
    objectives
        Columns objective, statement, measure, unit, baseline, target, due, owner,
        assumption, serves (goal: share).
    as_of
        Day of the check; an objective due before it is late.
    probability
        Indexed by objective: chance of reaching the target, from `chance_of_reaching`.
        Missing means that there is no history to tell, and says so.
    least
        Smallest chance, as a ratio, at which a target still counts as reachable.

    Returns
    -------
    pd.DataFrame
        Columns objective, check (clear, measurable, time-bound, owned, aligned,
        reachable), passed (True, False, or missing where nobody can tell), detail.
    """
    chances = pd.Series(dtype=float) if probability is None else probability
    rows: list[tuple[str, str, bool | None, str]] = []
    for row in objectives.to_dict("records"):
        name = str(row["objective"])
        missing = [field for field in MEASURABLE if _empty(row[field])]
        rows += [
            (name, "clear", *_clear(row)),
            (
                name,
                "measurable",
                not missing,
                f"no {', '.join(missing)}" if missing else f"{row['measure']} in {row['unit']}",
            ),
            (name, "time-bound", *_due(row["due"], as_of)),
            (
                name,
                "owned",
                not _empty(row["owner"]),
                "nobody" if _empty(row["owner"]) else str(row["owner"]),
            ),
            (name, "aligned", any(share > 0 for share in row["serves"].values()), _served(row["serves"])),
            (name, "reachable", *_reachable(chances.get(name), least)),
        ]
    return pd.DataFrame(rows, columns=["objective", "check", "passed", "detail"]).astype({"passed": "object"})


def alignment(goals: pd.DataFrame, objectives: pd.DataFrame) -> pd.DataFrame:
    """Show how far each goal is covered by objectives, and which objectives serve no goal.

    Parameters
    ----------
    goals
        Columns goal, statement, weight (ratios that sum to 1).
    objectives
        Columns objective and serves (goal: share of the objective that serves it).

    Returns
    -------
    pd.DataFrame
        Columns goal, statement, weight, objectives (names), share (effort of all
        objectives that goes to the goal; sums to 1 with the last row), gap (share
        minus weight). A last row `(no goal)` holds the effort that serves none.
    """
    count = max(len(objectives), 1)
    serves = [dict(value) for value in objectives["serves"]]
    names = list(objectives["objective"])
    rows = []
    for goal in goals.to_dict("records"):
        name, weight = goal["goal"], goal["weight"]
        share = sum(value.get(name, 0.0) for value in serves) / count
        who = [objective for objective, value in zip(names, serves, strict=True) if value.get(name, 0.0) > 0]
        rows.append((name, goal["statement"], weight, ", ".join(who), share, share - weight))
    idle = sum(1.0 - sum(value.values()) for value in serves) / count
    free = [name for name, value in zip(names, serves, strict=True) if not value]
    rows.append(("(no goal)", "Effort that serves no goal", 0.0, ", ".join(free), idle, idle))
    return pd.DataFrame(rows, columns=["goal", "statement", "weight", "objectives", "share", "gap"])


def chance_of_reaching(history: pd.Series, target: float, *, steps: int) -> float | None:
    """Estimate the chance that the next value reaches a target, from past growth alone.

    Growth over `steps` periods is taken as log-normal with the mean and spread of the
    company's own past; a Student t carries the uncertainty of a short history.

    Parameters
    ----------
    history
        Totals in order of time, such as quarters.
    target
        In the same unit, for the period after the last one of `history`.
    steps
        Periods of growth compared: 4 for quarters against the year before.

    Returns
    -------
    float or None
        A ratio; None with fewer than three growth rates or values that are not positive.

    Examples
    --------
    >>> past = pd.Series([100, 100, 100, 100, 110, 108, 112, 110.0])
    >>> round(chance_of_reaching(past, 121.0, steps=4), 2)
    0.5
    """
    values = history.to_numpy(dtype=float)
    if len(values) < steps + 3 or not (values > 0).all() or not target > 0:
        return None
    growth = np.log(values[steps:] / values[:-steps])
    spread = growth.std(ddof=1) * np.sqrt(1 + 1 / len(growth))
    needed = np.log(target / values[-steps])
    if spread < 1e-12:  # the same growth every time, but for float noise
        return float(needed <= growth.mean() + 1e-12)
    return float(stats.t.sf((needed - growth.mean()) / spread, df=len(growth) - 1))


def _served(serves: dict[str, float]) -> str:
    return ", ".join(f"{goal} {share:.0%}" for goal, share in serves.items()) or "serves no goal"


def _clear(row: dict[Hashable, Any]) -> tuple[bool, str]:
    statement = str(row.get("statement") or "")
    if len(statement.split()) < 3:
        return False, "the statement says too little"
    if _empty(row.get("assumption")):
        return False, "no assumption: say what must hold for the number to make sense"
    return True, statement


def _due(due: Any, as_of: dt.date) -> tuple[bool, str]:
    if _empty(due):
        return False, "no due date"
    day = pd.Timestamp(due).date()
    return day >= as_of, f"due {day}" if day >= as_of else f"due {day}, before {as_of}"


def _reachable(chance: float | None, least: float) -> tuple[bool | None, str]:
    if chance is None or pd.isna(chance):
        return None, "not enough history to tell"
    return chance >= least, f"{chance:.0%} from past growth alone"


def _empty(value: Any) -> bool:
    return value is None or value == "" or bool(pd.isna(value))
