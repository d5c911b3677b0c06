"""What a detector says: one row per question, with its null model, or why nobody can tell."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from spms_lib.errors import ParamsError

COLUMNS: Final = (
    "detector", "where", "statistic", "observed", "expected_under_null", "size", "low", "high", "p_value",
    "money", "plan_feature", "note", "convention",
)  # fmt: skip
_NUMBERS: Final = ("observed", "expected_under_null", "size", "low", "high", "p_value", "money")


def found(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Bring rows of detectors into the common frame; a number that is not given is missing."""
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    texts = [name for name in COLUMNS if name not in _NUMBERS]
    return frame.astype(dict.fromkeys(_NUMBERS, "float64")).astype(dict.fromkeys(texts, "str"))


def judge(*findings: pd.DataFrame, false_discovery: float = 0.1) -> pd.DataFrame:
    """Say which of all findings stand out, so that few of those listed are chance.

    Every question that could be answered counts as one test, listed or not; questions that
    could not be answered do not count. The expected share of chance among the listed is at
    most `false_discovery`, for tests that are independent or move together.

    Parameters
    ----------
    findings
        Frames of the detectors; give all that are shown together, in one call.
    false_discovery
        Largest expected share of listed rows that are chance alone.

    Returns
    -------
    pd.DataFrame
        The rows of all frames with q_value (smallest rate at which the row is listed; missing
        where nobody can tell) and listed (bool), surest first.

    Raises
    ------
    ParamsError
        If the rate is not between 0 and 1.

    References
    ----------
    Benjamini and Hochberg (1995), Controlling the false discovery rate.

    Examples
    --------
    >>> rows = [{"where": name, "p_value": p} for name, p in [("a", 0.2), ("b", 0.001), ("c", None)]]
    >>> judge(found(rows))[["where", "q_value", "listed"]].values.tolist()
    [['b', 0.002, True], ['a', 0.2, False], ['c', nan, False]]
    """
    if not 0 < false_discovery < 1:
        raise ParamsError(
            f"A share of {false_discovery} cannot be chance.", where="false_discovery", remedy="Use 0.1."
        )
    every = pd.concat([found([]), *findings], ignore_index=True)
    told = every["p_value"].notna().to_numpy()
    q = np.full(len(every), np.nan)
    if told.any():
        q[told] = false_discovery_control(every.loc[told, "p_value"])
    every = every.assign(q_value=q, listed=q <= false_discovery)
    return every.sort_values(["q_value", "p_value"], kind="stable", ignore_index=True)
