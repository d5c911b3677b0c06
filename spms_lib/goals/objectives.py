"""Objectives: clear, measurable, owned, reachable, honestly stated or not, and which goal they serve."""

import datetime as dt
from collections.abc import Hashable
from typing import Any, Final

import pandas as pd

from spms_lib.errors import ParamsError
from spms_lib.goals.chances import DOWN, UP

MEASURABLE = ("measure", "unit", "baseline", "target")
CHECKS: Final = (
    "clear",
    "measurable",
    "forward",
    "baseline known",
    "time-bound",
    "owned",
    "aligned",
    "reachable",
    "calibrated",
)
NO_GOAL: Final = "(no goal)"


def check_objectives(
    objectives: pd.DataFrame,
    *,
    as_of: dt.date,
    probability: pd.Series | None = None,
    known: pd.Series | None = None,
    least: float = 0.2,
    margin: float = 0.2,
    tolerance: float = 0.01,
) -> pd.DataFrame:
    """Check every objective against the questions a planner would ask of it.

    Parameters
    ----------
    objectives
        Columns objective, statement, measure, unit, baseline, target, due, owner,
        assumption, serves (goal: share), and optionally direction (`up`, the default, or `down`)
        and confidence (the owner's probability of reaching the target).
    as_of
        Day of the check; an objective due before it is late.
    probability
        Indexed by objective: chance of reaching the target, from `chance_from_history`.
        Missing means that there is no history to tell, and says so.
    known
        Indexed by objective: the baseline as the data have it, in the objective's unit;
        missing where the data do not know it.
    least
        Smallest chance, as a ratio, at which a target still counts as reachable.
    margin
        Largest difference between stated confidence and computed chance, as a ratio.
    tolerance
        Largest difference of the stated baseline from the data's, as a ratio of the latter.

    Returns
    -------
    pd.DataFrame
        Columns objective, check (one of `CHECKS`, in that order), passed (True, False, or
        missing where nobody can tell), detail.
    """
    nothing = pd.Series(dtype=float)
    chances = nothing if probability is None else probability
    baselines = nothing if known is None else known
    rows: list[tuple[str, str, bool | None, str]] = []
    for row in objectives.to_dict("records"):
        name = str(row["objective"])
        chance = chances.get(name)
        answers = (
            _clear(row),
            _measurable(row),
            _forward(row),
            _baseline_known(row, baselines.get(name), tolerance),
            _due(row["due"], as_of),
            (False, "nobody") if _empty(row["owner"]) else (True, str(row["owner"])),
            (any(share > 0 for share in row["serves"].values()), _served(row["serves"])),
            _reachable(chance, least),
            _calibrated(row.get("confidence"), chance, margin),
        )
        rows += [(name, check, *answer) for check, answer in zip(CHECKS, answers, strict=True)]
    return pd.DataFrame(rows, columns=["objective", "check", "passed", "detail"]).astype({"passed": "object"})


def serving(goals: pd.DataFrame, objectives: pd.DataFrame) -> pd.DataFrame:
    """Show which goals each objective serves, and what it contributes to them.

    An objective's effort is its weight over the weights of all; a share of it goes to each goal.

    Parameters
    ----------
    goals
        Columns goal, statement, weight (ratios that sum to 1).
    objectives
        Columns objective, serves (goal: share of the objective that serves it), and
        optionally weight (importance; 1 where missing).

    Returns
    -------
    pd.DataFrame
        Columns objective, effort (ratio; sums to 1 over objectives), goal, goal_weight, share
        (of the objective), contributes (effort x share; sums to 1). A goal `(no goal)` takes
        the share of an objective that serves nothing named.

    Raises
    ------
    ParamsError
        If the weights are negative or all zero.
    """
    effort = _effort(objectives)
    importance = dict(zip(goals["goal"], goals["weight"], strict=True))
    rows = []
    for name, serves, part in zip(objectives["objective"], objectives["serves"], effort, strict=True):
        shares = {goal: share for goal, share in dict(serves).items() if share > 0}
        idle = 1.0 - sum(shares.values())
        if idle > 1e-9:
            shares[NO_GOAL] = idle
        rows += [
            (name, part, goal, importance.get(goal, 0.0), share, part * share)
            for goal, share in shares.items()
        ]
    return pd.DataFrame(rows, columns=["objective", "effort", "goal", "goal_weight", "share", "contributes"])


def alignment(goals: pd.DataFrame, objectives: pd.DataFrame) -> pd.DataFrame:
    """Show how far each goal is covered by objectives: `serving`, added up by goal.

    Parameters
    ----------
    goals, objectives
        As for `serving`.

    Returns
    -------
    pd.DataFrame
        Columns goal, statement, weight, objectives (names), share (effort of all
        objectives that goes to the goal; sums to 1 with the last row), gap (share
        minus weight). A goal that nobody serves has share 0. A last row `(no goal)` holds the
        effort that serves none, and the names of objectives that serve nothing at all.
    """
    table = serving(goals, objectives)
    share = table.groupby("goal")["contributes"].sum()
    who = table.groupby("goal")["objective"].agg(", ".join)
    free = table[(table["goal"] == NO_GOAL) & (table["share"] > 1.0 - 1e-9)]["objective"]
    rows = [
        (row["goal"], row["statement"], row["weight"], who.get(row["goal"], ""), share.get(row["goal"], 0.0))
        for row in goals.to_dict("records")
    ]
    rows.append((NO_GOAL, "Effort that serves no goal", 0.0, ", ".join(free), share.get(NO_GOAL, 0.0)))
    found = pd.DataFrame(rows, columns=["goal", "statement", "weight", "objectives", "share"])
    return found.assign(gap=found["share"] - found["weight"])


def check_matrix(checks: pd.DataFrame) -> pd.DataFrame:
    """Lay checks out with one row per objective and one column per question: objective, then `CHECKS`."""
    wide = checks.pivot(index="objective", columns="check", values="passed")
    order = list(dict.fromkeys(checks["objective"]))
    return wide.reindex(index=order, columns=list(CHECKS)).rename_axis(columns=None).reset_index()


def unsound(checks: pd.DataFrame) -> list[str]:
    """Say of every objective that fails a question, which ones, and why.

    Examples
    --------
    >>> checks = pd.DataFrame(
    ...     [("sales", "owned", False, "nobody"), ("sales", "clear", True, "")],
    ...     columns=["objective", "check", "passed", "detail"],
    ... )
    >>> unsound(checks)
    ['**sales**: owned (nobody).']
    """
    failed = checks[checks["passed"].eq(other=False)]
    return [
        f"**{name}**: "
        + "; ".join(f"{row['check']} ({row['detail']})" for row in rows.to_dict("records"))
        + "."
        for name, rows in failed.groupby("objective", sort=False)
    ]


def _effort(objectives: pd.DataFrame) -> list[float]:
    given = objectives["weight"] if "weight" in objectives else pd.Series(1.0, index=objectives.index)
    weight = given.astype(float).fillna(1.0)
    if (weight < 0).any() or (len(weight) and weight.sum() == 0):
        raise ParamsError(
            "The weights of the objectives are negative or all zero.",
            where="objectives",
            remedy="Give each a weight of zero or more, and at least one above zero.",
        )
    return [float(part) for part in weight / weight.sum()]


def _measurable(row: dict[Hashable, Any]) -> tuple[bool, str]:
    missing = [field for field in MEASURABLE if _empty(row[field])]
    return (False, f"no {', '.join(missing)}") if missing else (True, f"{row['measure']} in {row['unit']}")


def _forward(row: dict[Hashable, Any]) -> tuple[bool | None, str]:
    """Tell whether the target lies on the better side of the baseline."""
    baseline, target = row["baseline"], row["target"]
    if _empty(baseline) or _empty(target):
        return None, "no baseline or no target"
    way = UP if _empty(row.get("direction")) else str(row["direction"])
    step = f"{_plain(baseline)} to {_plain(target)}"
    if baseline == target:
        return False, f"{step}: nothing to reach"
    passed = bool(target < baseline) if way == DOWN else bool(target > baseline)
    return passed, step if passed else f"{step}, but {'less' if way == DOWN else 'more'} is better"


def _baseline_known(
    row: dict[Hashable, Any], known: float | None, tolerance: float
) -> tuple[bool | None, str]:
    baseline = row["baseline"]
    if _empty(known) or _empty(baseline) or known is None:
        return None, "the data do not know it"
    agrees = bool(abs(baseline - known) <= tolerance * abs(known) + 1e-9)
    return agrees, f"{_plain(baseline)} stated, {_plain(known)} in the data"


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
    return bool(chance >= least), f"{chance:.0%} from past growth alone"


def _calibrated(stated: Any, chance: float | None, margin: float) -> tuple[bool | None, str]:
    if _empty(stated):
        return None, "the owner states no confidence"
    if chance is None or pd.isna(chance):
        return None, f"{stated:.0%} stated, and nothing to compare it with"
    gap = stated - chance
    near = bool(abs(gap) <= margin + 1e-9)  # 0.8 - 0.6 is a little more than 0.2
    word = "" if near else ": too confident" if gap > 0 else ": too careful"
    return near, f"{stated:.0%} stated, {chance:.0%} computed{word}"


def _plain(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:,.4g}"


def _empty(value: Any) -> bool:
    return value is None or value == "" or bool(pd.isna(value))
