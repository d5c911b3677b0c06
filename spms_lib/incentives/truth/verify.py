"""Proof by numbers: the report that pays best, found by quadrature and search, against the statistic declared."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize

from spms_lib.incentives.truth.beliefs import Belief, Floats, belief_of
from spms_lib.incentives.truth.incentive import ForecastIncentive

LIE: Final = 0.1
TOLERANCE: Final = 1e-3  # of the belief's standard deviation
_ROUNDING: Final = 1e-12  # of the bonus: a loss below it is none

Value = Callable[[Floats], Floats]  # of reports, shape (m,) or (m, 2)


def verify_truthful(
    incentive: ForecastIncentive, beliefs: Mapping[str, Any], *, tolerance: float = TOLERANCE
) -> pd.DataFrame:
    """Prove by numbers that saying the declared statistic pays best, and show what a lie costs.

    The best report comes from the expected bonus alone (quadrature, then a search over the whole
    range); the statistic comes from the belief alone. A distribution is said as a normal one, so
    only a normal belief can be told in full.

    Parameters
    ----------
    beliefs
        Name to belief: a frozen scipy distribution, samples, or (points, weights).
    tolerance
        Largest difference that counts as truthful, in standard deviations of the belief.

    Returns
    -------
    pd.DataFrame
        One row per belief and number said: belief, statistic, declared (its value under the belief),
        report (the one that pays best), difference (report - declared), expected_bonus (of the best
        report), cost_10_down, cost_10_up (bonus lost by saying 10 % less or more than declared; negative
        where the lie pays), cost_10_down_ratio, cost_10_up_ratio (of the expected bonus of honesty; null
        where that is not positive), truthful.

    Examples
    --------
    >>> from scipy import stats
    >>> from spms_lib.incentives.truth.builders import weitzman
    >>> proof = verify_truthful(weitzman(70, 100, 150), {"normal": stats.norm(22, 2)})
    >>> proof[["statistic", "declared", "report", "expected_bonus", "truthful"]].round(3).values.tolist()
    [['quantile_0.375', 21.363, 21.363, 2139.329, True]]
    """
    rows = []
    for name, given in beliefs.items():
        belief = belief_of(given)
        value = expected_bonus(incentive, belief)
        honest = incentive.elicits.of(belief)
        best = best_report(value, belief, len(honest))
        most, base = value_of(value, best), value_of(value, honest)
        for number, part in enumerate(incentive.elicits.parts):
            gap = float(best[number] - honest[number])
            lies = [base - value_of(value, _bent(honest, number, 1 + lie)) for lie in (-LIE, LIE)]
            ratios = [lie / base if base > 0 else np.nan for lie in lies]
            truthful = abs(gap) <= tolerance * belief.sd or not gains(value, best, honest)
            rows.append((name, part, honest[number], best[number], gap, most, *lies, *ratios, truthful))
    columns = ["belief", "statistic", "declared", "report", "difference", "expected_bonus"]
    columns += ["cost_10_down", "cost_10_up", "cost_10_down_ratio", "cost_10_up_ratio", "truthful"]
    return pd.DataFrame(rows, columns=columns)


def scheme_table(incentives: Mapping[str, ForecastIncentive], beliefs: Mapping[str, Any]) -> pd.DataFrame:
    """Set several schemes side by side: what each asks for, and what it pays best to say.

    Parameters
    ----------
    incentives
        Printed name to incentive.
    beliefs
        As in `verify_truthful`.

    Returns
    -------
    pd.DataFrame
        The columns of `verify_truthful` after the column scheme.
    """
    tables = [verify_truthful(one, beliefs).assign(scheme=name) for name, one in incentives.items()]
    table = pd.concat(tables, ignore_index=True)
    return table[["scheme", *table.columns.drop("scheme")]]


def expected_bonus(incentive: ForecastIncentive, belief: Belief) -> Value:
    """Give the function from reports to their expected bonus."""
    return lambda reports: belief.expect(incentive.bonus, reports, incentive.breaks(reports))


def best_report(value: Value, belief: Belief, numbers: int, *, points: int = 129) -> NDArray[np.float64]:
    """Find the report with the highest value: a grid over the whole range, then a search around its best.

    Parameters
    ----------
    numbers
        How many a report holds: 1, or 2 for (mean, sd).
    points
        Size of the grid, for single numbers.
    """
    low, high = belief.reach
    reach = high - low
    if numbers == 2:
        return _best_pair(value, [(low, high), (reach / 400, reach)])
    picked = belief.points[:: max(1, len(belief.points) // (4 * points))]
    grid = np.unique(np.concatenate([np.linspace(low, high, points), picked]))
    paid = value(grid)
    top = int(np.argmax(paid))
    around = (grid[max(top - 1, 0)], grid[min(top + 1, len(grid) - 1)])
    found = optimize.minimize_scalar(
        lambda said: -value_of(value, np.array([said])),
        bounds=around,
        method="bounded",
        options={"xatol": reach * 1e-9},
    )
    return np.array([found.x if -found.fun > paid[top] else grid[top]])


def _best_pair(value: Value, bounds: list[tuple[float, float]]) -> NDArray[np.float64]:
    (low, high), (tight, wide) = bounds
    means, sds = np.linspace(low, high, 33), np.geomspace(tight, wide, 17)
    grid = np.stack(np.meshgrid(means, sds), axis=-1).reshape(-1, 2)
    start = grid[int(np.argmax(value(grid)))]
    found = optimize.minimize(
        lambda said: -value_of(value, said),
        start,
        method="Nelder-Mead",
        bounds=bounds,
        options={"xatol": 1e-9 * wide, "fatol": 0.0},
    )
    return np.asarray(found.x)


def gains(value: Value, best: Floats, honest: Floats) -> bool:
    """Tell whether a report pays more than honesty; where a belief has gaps, many may pay the same."""
    most, base = value_of(value, best), value_of(value, honest)
    return most - base > _ROUNDING * max(abs(most), abs(base))


def value_of(value: Value, report: Floats) -> float:
    """Give the value of one report, shape (1,) or (2,)."""
    return float(value(report if len(report) == 1 else report[None])[0])


def _bent(honest: Floats, number: int, factor: float) -> Floats:
    bent = honest.copy()
    bent[number] *= factor
    return bent
