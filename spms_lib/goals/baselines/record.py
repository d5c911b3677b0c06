"""Record: the choice of every node in one row, every comparison, and the misses, as tables."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.goals.baselines.candidates import HOUSE, SPARSE, reason
from spms_lib.goals.baselines.choice import TIE, Choice
from spms_lib.goals.baselines.windows import Windows
from spms_lib.tables import NODE, to_long


def choice_table(
    nodes: pd.Index, windows: Windows, choice: Choice, evidence: NDArray[np.str_]
) -> pd.DataFrame:
    """Put the choice of every node and its evidence into one row, see `Baselines`."""
    every = np.arange(len(nodes))
    at = np.maximum(choice.picked, 0)
    score = np.where(np.isfinite(choice.score), choice.score, np.inf)
    mine = score[at, every]
    score[at, every] = np.inf
    following = score.argmin(axis=0)
    alone = np.isinf(score.min(axis=0))
    kept = ~alone & (score.min(axis=0) + TIE < mine)
    compared = windows.counts.sum(axis=1)
    said = zip(windows.kind, compared, windows.zero_ratio, kept, strict=True)
    return pd.DataFrame(
        {
            NODE: nodes,
            "kind": windows.kind,
            "months": windows.known,
            "zero_ratio": windows.zero_ratio,
            "model": _names(choice, at, choice.picked < 0),
            "windows": compared,
            "measure": np.where(windows.kind == SPARSE, "rmse ratio", "wape"),
            "error": np.where(choice.picked < 0, np.nan, choice.error[at, every]),
            "house_error": choice.error[choice.models.index(HOUSE)],
            "next_model": _names(choice, following, alone),
            "next_error": np.where(alone, np.nan, choice.error[following, every]),
            "evidence": evidence,
            "reason": [reason(kind, seen, zeros, kept=better) for kind, seen, zeros, better in said],
        }
    )


def _names(choice: Choice, at: NDArray[np.int64], missing: NDArray[np.bool_]) -> pd.Series:
    names = pd.Series(np.array(choice.models, dtype=object)[at], dtype="str")
    return names.mask(missing)


def error_table(nodes: pd.Index, choice: Choice) -> pd.DataFrame:
    """List every comparison: rows of node, model, error, score."""
    at, model = np.nonzero(np.isfinite(choice.error.T))
    return pd.DataFrame(
        {
            NODE: nodes[at],
            "model": pd.Series(np.array(choice.models, dtype=object)[model], dtype="str"),
            "error": choice.error[model, at],
            "score": choice.score[model, at],
        }
    )


def residual_table(nodes: pd.Index, choice: Choice, periods: list[str]) -> pd.DataFrame:
    """Lay misses out as rows of node, period, value, in order of time; missing ones are left out."""
    grid = pd.DataFrame(choice.misses.reshape(len(nodes), len(periods)), nodes, periods)
    return to_long(grid[sorted(periods)])
