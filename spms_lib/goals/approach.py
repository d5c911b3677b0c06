"""Top-down, bottom-up or a blend: what the company's own past and its people's answers say."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.goals.questions import MOST
from spms_lib.tables import LEVEL, SOURCE, need

APPROACHES: Final = {
    "top_down": "top-down",
    "bottom_up": "bottom-up",
    "blend": "blend",
    "baseline": "baseline-led",
}
CANNOT_TELL: Final = "cannot tell"
SEGMENT: Final = "segment"
LEAST_LEAD: Final = 0.002  # a fifth of a WAPE point: less is not worth an argument
ENOUGH_QUARTERS: Final = 4
CLEAR_ANSWER: Final = 0.5


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What is recommended for one segment, on what ground, and what would overturn it.

    Attributes
    ----------
    recommendation
        An approach, or `cannot tell`.
    basis
        `evidence`, `answers`, `leaning` where both leave it open, or `neither`.
    leaning
        The approach that missed by least, however little by; empty without a past.
    contenders
        Approaches that the evidence does not rule out.
    lead, lead_low, lead_high
        WAPE between the leaning and its closest rival, over which the lead is least certain: clear where lead_low is
        above 0; missing with fewer than two approaches.
    chance_best
        Of the leaning.
    """

    recommendation: str
    basis: str
    leaning: str
    contenders: str
    lead: float | None
    lead_low: float | None
    lead_high: float | None
    chance_best: float | None
    quarters: int
    because: str
    how_sure: str
    would_change: str


def recommend(evidence: pd.DataFrame, criteria: pd.DataFrame) -> pd.DataFrame:
    """Recommend an approach per segment from past accuracy, and say how sure that is and what would overturn it.

    Evidence comes first: an approach that missed by least is recommended where at least four quarters are known and the
    interval of its lead over every other approach is above 0. Those that it does not lead clearly are contenders, and
    the answers to the structured questions choose among them; answers that speak for neither side leave it to the
    leaning. Where nobody has answered, or the past rules out what the answers want, it says that it cannot tell.

    Parameters
    ----------
    evidence
        Columns level, segment, source, quarters, wape, behind, behind_low, behind_high, chance_best, and turns_on,
        turns_to: as from `spms_lib.review.scores.score`. Sources other than `APPROACHES` are yardsticks and left out.
    criteria
        Columns question, score (-2 bottom-up to 2 top-down), weight, reason, decided_by.

    Returns
    -------
    pd.DataFrame
        Columns level, segment and those of `Recommendation`.

    Raises
    ------
    TableError
        If a column is missing.
    """
    wanted = [
        "quarters",
        "wape",
        "behind",
        "behind_low",
        "behind_high",
        "chance_best",
        "turns_on",
        "turns_to",
    ]
    need(evidence, [LEVEL, SEGMENT, SOURCE, *wanted], "evidence")
    rows = []
    for (level, segment), group in evidence.groupby([LEVEL, SEGMENT], sort=False):
        eligible = group[group[SOURCE].isin(APPROACHES)].dropna(subset="wape")
        found = _choose(eligible.sort_values("wape", kind="stable"), criteria)
        rows.append((level, segment, *(getattr(found, field.name) for field in fields(found))))
    return pd.DataFrame(rows, columns=[LEVEL, SEGMENT, *(field.name for field in fields(Recommendation))])


def opinion(criteria: pd.DataFrame) -> float | None:
    """Average the answers: negative speaks for bottom-up, positive for top-down; None without answers."""
    if criteria.empty:
        return None
    said = criteria.dropna(subset="score")
    weight = float(said["weight"].sum())
    return float((said["score"] * said["weight"]).sum()) / weight if weight else None


def certainty(others: pd.DataFrame) -> pd.Series:
    """Say how certain the lead over each is: the lead over half the width of its interval; above 1 it is clear.

    Parameters
    ----------
    others
        Columns behind, behind_low; an unknown interval is the least certain.
    """
    reach = others["behind"] - others["behind_low"]
    known = others["behind"] / reach.where(reach > 0, 1e-12)
    return known.where(reach.notna(), -np.inf)


def answer_for(opinion: float) -> str:
    """Say which approach the answers' mean speaks for: beyond half a point for one side, else the blend.

    Examples
    --------
    >>> [answer_for(mean) for mean in (-1.0, 0.5, 0.6)]
    ['bottom_up', 'blend', 'top_down']
    """
    return "top_down" if opinion > CLEAR_ANSWER else "bottom_up" if opinion < -CLEAR_ANSWER else "blend"


def _choose(ranked: pd.DataFrame, criteria: pd.DataFrame) -> Recommendation:
    """Decide one segment; `ranked` has its approaches, the best first."""
    if len(ranked) < 2:
        return _without_comparison(ranked, criteria)
    quarters = int(ranked["quarters"].min())
    best, others = ranked.iloc[0], ranked.iloc[1:]
    rival = others.iloc[int(certainty(others).to_numpy().argmin())]
    open_ones = others[
        (quarters < ENOUGH_QUARTERS) | ~(others["behind_low"] > 0) | (others["behind"] < LEAST_LEAD)
    ]
    contenders = [str(best[SOURCE]), *open_ones[SOURCE]]
    facts = f"{_misses(ranked)}, over {quarters} quarters"
    if open_ones.empty:
        name, basis, change = str(best[SOURCE]), "evidence", _evidence_change(rival)
    else:
        leaning = str(best[SOURCE]) if quarters >= ENOUGH_QUARTERS else ""
        name, basis, facts, change = _ask(contenders, criteria, facts, leaning)
        change = f"{change}; or {_missing_lead(rival, quarters)}"
    return Recommendation(
        APPROACHES.get(name, name), basis, APPROACHES[str(best[SOURCE])],
        ", ".join(APPROACHES[one] for one in contenders),
        float(rival["behind"]), float(rival["behind_low"]), float(rival["behind_high"]),
        float(best["chance_best"]), quarters, facts, _how_sure(best, rival, quarters), change + _turning(best),
    )  # fmt: skip


def _without_comparison(ranked: pd.DataFrame, criteria: pd.DataFrame) -> Recommendation:
    """Decide where fewer than two approaches have a past: the evidence rules nothing out."""
    leaning = APPROACHES[str(ranked.iloc[0][SOURCE])] if len(ranked) else ""
    why = f"only {leaning} has a past to compare" if len(ranked) else "no past forecast or target to compare"
    name, basis, facts, change = _ask(list(APPROACHES), criteria, why)
    return Recommendation(
        APPROACHES.get(name, name), basis, leaning, ", ".join(APPROACHES.values()), None, None, None, None,
        int(ranked["quarters"].min()) if len(ranked) else 0, facts, "the past says nothing",
        f"{change}; or {ENOUGH_QUARTERS} quarters of targets and submissions on record",
    )  # fmt: skip


def _misses(ranked: pd.DataFrame) -> str:
    named = zip(ranked[SOURCE].map(APPROACHES), ranked["wape"], strict=True)
    first, *others = [f"{name} {wape:.1%}" for name, wape in named]
    return ", ".join([first.replace(" ", " missed by ", 1), *others])


def _how_sure(best: pd.Series, rival: pd.Series, quarters: int) -> str:
    name, other = APPROACHES[str(best[SOURCE])], APPROACHES[str(rival[SOURCE])]
    if pd.isna(rival["behind_low"]):
        return f"{name} led {other} by {_points(rival['behind'])} in the one quarter that is known"
    short = f"; {quarters} quarters are too few to tell" if quarters < ENOUGH_QUARTERS else ""
    return (
        f"{name} is the best with a chance of {best['chance_best']:.0%}; its lead over {other} is "
        f"{_points(rival['behind'])} (90 % interval {_points(rival['behind_low'], unit='')} to "
        f"{_points(rival['behind_high'], unit='')}){short}"
    )


def _points(ratio: float, *, unit: str = " points") -> str:
    """Write a difference of ratios in percentage points."""
    return f"{100 * ratio + 0.0:.1f}{unit}"


def _missing_lead(rival: pd.Series, quarters: int) -> str:
    """Say which lead the evidence would need to decide alone: beyond what its interval reaches to one side."""
    if quarters < ENOUGH_QUARTERS:
        return f"at least {ENOUGH_QUARTERS} quarters, now {quarters}"
    needed = max(float(rival["behind"] - rival["behind_low"]), LEAST_LEAD)
    return (
        f"a lead over {APPROACHES[str(rival[SOURCE])]} of more than {_points(needed)}, "
        f"now {_points(rival['behind'])}"
    )


def _evidence_change(rival: pd.Series) -> str:
    name = APPROACHES[str(rival[SOURCE])]
    return (
        f"{name} missing by {_points(rival['behind_low'])} less, so that the lead is not clear, "
        f"or by more than {_points(rival['behind'])} less, so that {name} leads"
    )


def _turning(best: pd.Series) -> str:
    """Name the quarter that the order rests on, if there is one."""
    if not best["turns_on"]:
        return ""
    return f"; the order rests on {best['turns_on']}, without which {APPROACHES[best['turns_to']]} leads"


def _ask(
    contenders: Sequence[str], criteria: pd.DataFrame, facts: str, leaning: str = ""
) -> tuple[str, str, str, str]:
    """Let the answers choose among contenders: approach or `cannot tell`, basis, because, what would change it.

    Answers that speak for neither side leave it to the leaning, where the history is long enough to have one: lived
    again, the sample company lost 0.1 points of WAPE by following it and 0.6 by blending instead.
    """
    mean = opinion(criteria)
    among = " or ".join(APPROACHES[one] for one in contenders)
    if mean is None:
        return CANNOT_TELL, "neither", f"{facts}: not clear between {among}, and the questions are not answered", (
            "answers to the questions"
        )  # fmt: skip
    wanted = answer_for(mean)
    said = f"the answers average {mean:+.2f} (-2 bottom-up, +2 top-down)"
    others = [
        one
        for one in ("bottom_up", "blend", "top_down")
        if one in contenders and one not in {wanted, leaning}
    ]
    change = "; ".join(_flip(criteria, mean, one) for one in others) or "other evidence"
    if wanted == "blend" and leaning:
        neither = f"{said}, for neither side, so the leaning stands"
        return leaning, "leaning", f"{facts}: not clear between {among}; {neither}", change
    if wanted in contenders:
        return wanted, "answers", f"{facts}: not clear between {among}; {said}", change
    refused = f"{facts}: not clear between {among}; {said}, but the past rules {APPROACHES[wanted]} out"
    return CANNOT_TELL, "neither", refused, change


def _flip(criteria: pd.DataFrame, mean: float, towards: str) -> str:
    """Say how far the answers' mean is from speaking for another approach, and which one answer would do it."""
    aim = {"top_down": CLEAR_ANSWER, "bottom_up": -CLEAR_ANSWER}.get(
        towards, CLEAR_ANSWER if mean > 0 else -CLEAR_ANSWER
    )
    beyond = "to" if towards == "blend" else "beyond"
    text = f"{APPROACHES[towards]} if the answers' mean went from {mean:+.2f} {beyond} {aim:+.1f}"
    upwards = towards == "top_down" or (towards == "blend" and mean < 0)
    said = criteria.dropna(subset="score")
    total = float(said["weight"].sum())
    for step in range(1, 2 * MOST + 1):  # the smallest change of one answer that does it
        for answer in said.to_dict("records"):
            new = int(answer["score"]) + (step if upwards else -step)
            moved = mean + (new - answer["score"]) * answer["weight"] / total
            if abs(new) <= MOST and answer_for(moved) == towards:
                return f"{text}, as by '{answer['question']}' from {answer['score']:+d} to {new:+d}"
    return f"{text}, which no single answer does"
