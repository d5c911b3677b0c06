"""Points of forecast incentives for figures: over everything that could be said, and everything that could come."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from spms_lib.incentives.truth.beliefs import belief_of
from spms_lib.incentives.truth.incentive import ForecastIncentive
from spms_lib.incentives.truth.verify import LIE, best_report, expected_bonus, value_of

_POINTS = 121


def report_curves(
    incentives: Mapping[str, ForecastIncentive], belief: Any
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Trace the expected bonus over everything a seller could say, for a figure.

    Parameters
    ----------
    incentives
        Of single numbers: a distribution has two and is left to `verify_truthful`.

    Returns
    -------
    pd.DataFrame
        Columns scheme, report, expected_bonus, lost (expected bonus - that of the best report, at most 0).
    pd.DataFrame
        One row per scheme and mark: scheme, mark (`best`, `10 % lower`, `10 % higher`), report,
        expected_bonus, lost, cost_ratio
        (what is lost, of the expected bonus of the best report). Lies are about the declared statistic.
    """
    held = belief_of(belief)
    lines: list[pd.DataFrame] = []
    marks: list[pd.DataFrame] = []
    for name, incentive in incentives.items():
        if len(incentive.elicits.parts) > 1:
            continue
        value = expected_bonus(incentive, held)
        honest, best = incentive.elicits.of(held), best_report(value, held, 1)
        grid = np.linspace(held.mean - 1.5 * held.sd, held.mean + 1.5 * held.sd, _POINTS)
        said = np.array([best[0], honest[0] * (1 - LIE), honest[0] * (1 + LIE)])
        for kept, reports in ((lines, grid), (marks, said)):
            paid = value(reports)
            frame = pd.DataFrame({"scheme": name, "report": reports, "expected_bonus": paid})
            kept.append(frame.assign(lost=paid - value_of(value, best)))
        marks[-1]["cost_ratio"] = -marks[-1]["lost"] / value_of(value, best)
        marks[-1].insert(1, "mark", ["best", "10 % lower", "10 % higher"])
    return pd.concat(lines, ignore_index=True), pd.concat(marks, ignore_index=True)


def actual_curves(incentives: Mapping[str, ForecastIncentive], belief: Any) -> pd.DataFrame:
    """Trace what an honest forecast is paid over everything that could come, for a figure.

    Returns
    -------
    pd.DataFrame
        Columns scheme, statistic, forecast (what is said: the statistic, the mean for a distribution), actual, bonus.
    """
    held = belief_of(belief)
    frames = []
    for name, incentive in incentives.items():
        said = incentive.elicits.of(held)
        sold = np.sort(
            np.append(np.linspace(held.mean - 1.5 * held.sd, held.mean + 1.5 * held.sd, _POINTS), said[0])
        )
        frame = pd.DataFrame(
            {"scheme": name, "statistic": incentive.elicits.name, "forecast": said[0], "actual": sold}
        )
        frames.append(frame.assign(bonus=incentive.bonus(said, sold)))
    return pd.concat(frames, ignore_index=True)
