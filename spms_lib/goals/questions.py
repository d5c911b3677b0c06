"""Structured questions about culture, market, data and resources: what speaks for top-down, what for bottom-up."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

MOST: Final = 2  # scores run from -2 (bottom-up) to 2 (top-down)


@dataclass(frozen=True, slots=True)
class Question:
    """One question that every company should answer before it chooses an approach.

    Attributes
    ----------
    fact
        Name of the fact from data that belongs to it, empty where only people can know.
    top_down, bottom_up
        Which answer speaks for which approach.
    steps
        Four bounds of the fact, from the value that suggests -2 to the one that suggests 2: the score goes up at each.
        They are proposals of this package; a company that knows better answers otherwise.
    """

    topic: str
    question: str
    top_down: str
    bottom_up: str
    fact: str = ""
    steps: tuple[float, float, float, float] | None = None


QUESTIONS: Final = (
    Question(
        "culture",
        "How central are decisions?",
        "targets are set in one place, and one direction is wanted",
        "regions and teams decide for themselves",
    ),
    Question(
        "culture",
        "How far are forecasts trusted?",
        "forecasts are bent: held back, or too hopeful",
        "forecasts are honest, and people say what they know",
        "submission_bias",
        (0.03, 0.06, 0.12, 0.20),
    ),
    Question(
        "market",
        "How alike are the territories?",
        "territories are alike, so that shares are known",
        "potential differs widely, and depends on the individual",
        "potential_spread",
        (0.8, 0.6, 0.35, 0.2),
    ),
    Question(
        "market",
        "How fast does the market move?",
        "markets and products are stable and long known",
        "markets move and products are new, so that the past says little",
        "growth_spread",
        (0.30, 0.20, 0.10, 0.05),
    ),
    Question(
        "data",
        "How good are data and history?",
        "several years by seat and month",
        "little history, or none that fits the present organisation",
        "history_years",
        (1.0, 2.0, 3.0, 5.0),
    ),
    Question(
        "resources",
        "How much time is there to plan?",
        "little time, few analysts: one pass must do",
        "time for rounds with the field",
        "days_to_collect",
        (28.0, 21.0, 10.0, 5.0),
    ),
    Question(
        "resources",
        "How large is the sales force?",
        "so many sellers that nobody can hear them all",
        "few sellers, who can sit at one table",
        "sellers",
        (10.0, 30.0, 300.0, 1000.0),
    ),
)


def suggested_score(question: Question, fact: float | None) -> int | None:
    """Say which score a fact suggests by the question's bounds; None without a fact.

    Examples
    --------
    >>> [suggested_score(QUESTIONS[6], sellers) for sellers in (8, 80, 2000)]
    [-2, 0, 2]
    """
    if question.steps is None or fact is None or not np.isfinite(fact):
        return None
    falling = question.steps[0] > question.steps[-1]
    passed = sum(fact <= step if falling else fact > step for step in question.steps)
    return passed - MOST


def potential_spread(by_leaf: pd.DataFrame) -> float:
    """Measure how unlike territories are: standard deviation over mean of the last twelve months' sales by leaf.

    Missing with fewer than two leaves that have sold.

    Examples
    --------
    >>> potential_spread(pd.DataFrame({"2026-01": [90.0, 110.0]}, index=["a", "b"])).__round__(3)
    0.141
    """
    sold = by_leaf.iloc[:, -12:].sum(axis=1, min_count=1).dropna()
    return float(sold.std() / sold.mean()) if len(sold) > 1 and sold.mean() > 0 else float("nan")


def growth_spread(by_node: pd.DataFrame) -> float:
    """Measure how much the market moves: standard deviation of monthly sales over those of a year before, by node and month.

    Each node's own mean growth is taken out, so steady growth counts as calm. Missing with less than fourteen months.
    """
    sold = by_node.to_numpy(dtype=np.float64)
    if sold.shape[1] < 14:
        return float("nan")
    before = sold[:, :-12]
    ratio = np.divide(sold[:, 12:], before, out=np.full(before.shape, np.nan), where=before > 0)
    whole = ratio[(~np.isnan(ratio)).sum(axis=1) > 1]
    if not len(whole):
        return float("nan")
    gaps = whole - np.nanmean(whole, axis=1, keepdims=True)
    free = (~np.isnan(gaps)).sum() - len(gaps)
    return float(np.sqrt(np.nansum(gaps**2) / free))


def submission_bias(said: pd.DataFrame, came: pd.DataFrame) -> float:
    """Measure how bent forecasts are: the mean over forecasters of |sum said / sum came - 1|.

    Parameters
    ----------
    said, came
        Leaves x months; only cells that both have are compared. Missing where none has.

    Examples
    --------
    >>> said = pd.DataFrame({"2026-01": [90.0, 120.0]}, index=["a", "b"])
    >>> submission_bias(said, said * 0 + 100.0).__round__(3)
    0.15
    """
    both = came.reindex(index=said.index, columns=said.columns).where(said.notna())
    spoken = said.where(both.notna()).sum(axis=1, min_count=1)
    real = both.sum(axis=1, min_count=1)
    ratio = (spoken / real.where(real > 0) - 1).dropna()
    return float(ratio.abs().mean()) if len(ratio) else float("nan")
