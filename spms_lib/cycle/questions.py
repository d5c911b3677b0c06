"""The structured questions of a cycle, with what its data say and what its people answered."""

from typing import Any, Final

import numpy as np
import pandas as pd

from spms_lib.cycle.desk import Desk
from spms_lib.cycle.past import Past
from spms_lib.goals.questions import (
    QUESTIONS,
    Question,
    growth_spread,
    potential_spread,
    submission_bias,
    suggested_score,
)

_FACTS: Final[dict[str, str]] = {
    "submission_bias": "forecasters are off by {:.0%} on average, each over all past quarters",
    "potential_spread": "standard deviation of the seats' sales of a year is {:.0%} of their mean",
    "growth_spread": "sales scatter by {:.0%} around their growth over a year before",
    "history_years": "{:.1f} years of sales are known",
    "days_to_collect": "{:.0f} days from the plan's date to the cut-off of submissions",
    "sellers": "{:.0f} leaves",
}


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
                "fact": _fact(question, fact),
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


def _fact(question: Question | None, fact: float | None) -> str | None:
    """Say a fact in words; missing where data hold none."""
    return _FACTS[question.fact].format(fact) if question and fact is not None and np.isfinite(fact) else None
