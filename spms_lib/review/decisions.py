"""Decisions: what came of the old ones, which are open, and which the numbers suggest.

Conventions: outcome_ratio = actual effect / expected effect. A decision is overdue from the day
after it was due.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.review._frames import cents, need_unique, percent, ratio
from spms_lib.review.monitoring import LANDING, PACE, PLAN
from spms_lib.review.pipeline import COVERAGE_RATIO, REMAINING, REQUIRED_RATIO
from spms_lib.tables import NODE, OWNER, need

OPEN: Final = "open"
DONE: Final = "done"
DROPPED: Final = "dropped"
EXPECTED: Final = "expected_effect"
ACTUAL: Final = "actual_effect"

COVERAGE: Final = "coverage"
ENABLEMENT: Final = "enablement"
PHASING: Final = "phasing"
ACCEPT_RISK: Final = "accept_risk"
FIND_CAUSE: Final = "find_cause"


def decision_outcomes(decisions: pd.DataFrame, *, as_of: dt.date) -> pd.DataFrame:
    """Say for each decision whether it was carried out in time, and whether it worked.

    Parameters
    ----------
    decisions
        The table of that name; an empty status means open.
    as_of
        Day of the review.

    Returns
    -------
    pd.DataFrame
        The same rows with status filled in, and overdue (bool), days_overdue (int64, 0 where not),
        outcome_ratio (float; null unless both effects are known and the expected one is not 0), and
        verdict (text). An effect that nobody has stated stays null.
    """
    need(decisions, ["decision", "due"], "decisions")
    rows = decisions.copy()
    for name in (EXPECTED, ACTUAL):
        rows[name] = (
            cents(rows[name], "decisions") if name in rows else pd.array([pd.NA] * len(rows), "Int64")
        )
    status = rows["status"] if "status" in rows else pd.Series(pd.NA, index=rows.index, dtype="str")
    rows["status"] = status.fillna(OPEN).replace("", OPEN).astype("str")
    late = (pd.Timestamp(as_of) - rows["due"]).dt.days
    rows["overdue"] = (rows["status"] == OPEN) & (late > 0)
    rows["days_overdue"] = late.where(rows["overdue"], 0).astype("int64")
    rows["outcome_ratio"] = ratio(rows[ACTUAL], rows[EXPECTED])
    rows["verdict"] = pd.Series(
        [
            _verdict(status, days, expected, actual, share)
            for status, days, expected, actual, share in zip(
                rows["status"], late, rows[EXPECTED], rows[ACTUAL], rows["outcome_ratio"], strict=True
            )
        ],
        index=rows.index,
        dtype="str",
    )
    return rows


def open_decisions(decisions: pd.DataFrame, *, as_of: dt.date) -> pd.DataFrame:
    """List the open decisions, the longest overdue first; columns as in `decision_outcomes`."""
    rows = decision_outcomes(decisions, as_of=as_of)
    return rows[rows["status"] == OPEN].sort_values(["due", "decision"], ignore_index=True)


@dataclass(frozen=True, slots=True)
class ProposalRules:
    """When a gap deserves a decision, and of which type.

    Attributes
    ----------
    least_shortfall_ratio
        Smallest expected shortfall, as a ratio of plan, that deserves a decision at all.
    accept_ratio
        Largest shortfall, as a ratio of plan, that is simply accepted.
    least_pace
        Pace below which covered nodes are thought to have trouble closing, not with timing.
    due_days
        Calendar days from the review until a decision is due.
    """

    least_shortfall_ratio: float = 0.01
    accept_ratio: float = 0.03
    least_pace: float = 0.9
    due_days: int = 14


def propose_decisions(
    gaps: pd.DataFrame,
    *,
    as_of: dt.date,
    cycle: str,
    owners: "pd.Series[str] | Mapping[str, str]",
    rules: ProposalRules | None = None,
    money: Callable[[float], str] | None = None,
) -> pd.DataFrame:
    """Propose at most one decision per node that is expected to miss its plan.

    The first rule that fits makes it: a small shortfall is accepted; too little open pipeline asks
    for coverage; enough pipeline with a low pace asks for enablement, and with a fair pace for
    another phasing; without known pipeline the cause is to be found first.

    Parameters
    ----------
    gaps
        node, plan, landing, pace (from `pace`), and where known remaining, coverage_ratio,
        required_ratio (from `coverage`). Money in minor units.
    owners
        Owner by node.
    rules
        Thresholds; the defaults of `ProposalRules` where None.
    money
        Writes an amount for people; plain minor units where None.

    Returns
    -------
    pd.DataFrame
        The columns of the decisions table, then shortfall (Int64) and rule (text: the rule and the
        numbers that made it), largest shortfall first. The owner is null where the node has none.
        expected_effect is what the numbers give, else null: coverage, the remaining quota that open
        deals do not cover, at most the shortfall; accepting and phasing, 0, as they change no total;
        other types, null. Nodes without plan or landing get no proposal.
    """
    need(gaps, [NODE, PLAN, LANDING, PACE], "gaps")
    need_unique(gaps, [NODE], "gaps")
    rules = rules or ProposalRules()
    write = money or _plain
    filled = gaps.reindex(columns=[NODE, PLAN, LANDING, PACE, REMAINING, COVERAGE_RATIO, REQUIRED_RATIO])
    filled = filled.astype({PACE: "float64", COVERAGE_RATIO: "float64", REQUIRED_RATIO: "float64"})
    for name in (PLAN, LANDING, REMAINING):
        filled[name] = cents(filled[name], "gaps")
    filled["shortfall"] = filled[PLAN] - filled[LANDING]
    large = (filled["shortfall"] > 0) & (filled["shortfall"] >= rules.least_shortfall_ratio * filled[PLAN])
    missed = filled[large.fillna(value=False)].sort_values(["shortfall", NODE], ascending=[False, True])
    made = [_proposal(_Gap(*row), rules, write) for row in missed.drop(columns=NODE).itertuples(index=False)]
    owner = missed[NODE].map(dict(owners))
    columns = ["type", "text", EXPECTED, "rule"]
    frame = pd.DataFrame(made, columns=columns, index=missed.index)
    frame = frame.assign(
        decision=[f"{cycle}-{node}-{kind}" for node, kind in zip(missed[NODE], frame["type"], strict=True)],
        cycle=cycle,
        node=missed[NODE],
        owner=owner.astype("str"),
        due=pd.Timestamp(as_of) + pd.Timedelta(days=rules.due_days),
        status=OPEN,
        shortfall=missed["shortfall"],
    )
    frame[EXPECTED] = frame[EXPECTED].astype("Int64")
    frame[ACTUAL] = pd.array([pd.NA] * len(frame), dtype="Int64")
    first = ["decision", "cycle", NODE, "type", "text", OWNER, "due", EXPECTED, "status", ACTUAL]
    text = dict.fromkeys(["decision", "cycle", NODE, "type", "text", "status", "rule"], "str")
    return frame[[*first, "shortfall", "rule"]].astype(text).reset_index(drop=True)


@dataclass(frozen=True, slots=True)
class _Gap:
    """One node's numbers, in the order of the columns that `propose_decisions` keeps."""

    plan: int
    landing: int
    pace: float
    remaining: int
    coverage: float
    required: float
    shortfall: int


def _proposal(
    gap: _Gap, rules: ProposalRules, money: Callable[[float], str]
) -> tuple[str, str, int | None, str]:
    """Return type, text, expected effect and rule of one proposal."""
    share = gap.shortfall / gap.plan if gap.plan else np.inf
    missing = f"{money(gap.shortfall)} ({percent(share)} of plan)"
    if share <= rules.accept_ratio:
        rule = f"shortfall {percent(share)} of plan <= {percent(rules.accept_ratio)}"
        return ACCEPT_RISK, f"Accept the expected shortfall of {missing}.", 0, rule
    known = not pd.isna(gap.remaining) and np.isfinite(gap.coverage) and np.isfinite(gap.required)
    if not known:
        text = f"Find out why {missing} is expected to be missing; no coverage is known."
        return FIND_CAUSE, text, None, f"shortfall {percent(share)} of plan, coverage unknown"
    against = f"coverage {gap.coverage:.1f} of {gap.required:.1f} required"
    if gap.coverage < gap.required:
        more = (gap.required - gap.coverage) * gap.remaining
        effect = min(round(more / gap.required), gap.shortfall)
        text = f"Build {money(round(more))} more pipeline to close a shortfall of {missing}."
        return COVERAGE, text, effect, f"{against}; effect: what that pipeline wins, at most the shortfall"
    if not np.isfinite(gap.pace):
        text = f"Find out why {missing} is expected to be missing; no pace is known."
        return FIND_CAUSE, text, None, f"{against}, pace unknown"
    paced = f"{against}, pace {percent(gap.pace, 0)}"
    if gap.pace < rules.least_pace:
        text = f"Help to close what is open: pipeline is there, yet {missing} is expected to be missing."
        return ENABLEMENT, text, None, f"{paced} < {percent(rules.least_pace, 0)}"
    text = f"Move plan to later months: pipeline covers the rest, yet pace leaves {missing} missing."
    return PHASING, text, 0, f"{paced} >= {percent(rules.least_pace, 0)}"


def _verdict(status: str, late: float, expected: float | None, actual: float | None, share: float) -> str:
    if status == OPEN:
        if pd.isna(late):
            return "open, no due day"
        days = f"{abs(int(late))} day{'' if abs(late) == 1 else 's'}"
        return f"overdue by {days}" if late > 0 else "due today" if late == 0 else f"due in {days}"
    if status == DROPPED:
        return DROPPED
    if pd.isna(actual):
        return f"{status}, effect not measured"
    if pd.isna(expected):
        return f"{status}, effect measured but none had been expected in numbers"
    if pd.isna(share):
        return f"{status}, no effect had been expected"
    return f"{status}, {percent(share, 0)} of the expected effect"


def _plain(minor: float) -> str:
    return f"{minor:,.0f} minor units"
