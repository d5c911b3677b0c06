"""Forecast accuracy, always on the same cells for everything that is compared.

Conventions: bias = forecast - actual, positive where the forecast was too high.
WAPE = sum |actual - forecast| / sum |actual|, null when the actuals are all zero.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.errors import TableError
from spms_lib.review._frames import need_unique
from spms_lib.tables import NODE, PERIOD, SOURCE, VALUE, need

USED: Final = "n"
LEFT_OUT: Final = "left_out"
WAPE: Final = "wape"
BIAS: Final = "bias"
BIAS_RATIO: Final = "bias_ratio"
MAE: Final = "mae"


def accuracy(
    forecasts: pd.DataFrame,
    actuals: pd.DataFrame,
    *,
    by: Sequence[str] = (SOURCE,),
    sources: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Measure how far forecasts were from what happened, and in which direction.

    A cell (a node and period, and any other column in `by`) counts only where the actual and
    every compared source have a value, so that no source looks good by staying silent. Cells for
    which no compared source has a row are outside the question.

    Parameters
    ----------
    forecasts
        node, period, source, value, and further columns named in `by` (such as region or lead),
        which are part of the cell.
    actuals
        node, period, value.
    by
        Columns of `forecasts` to report by; with several sources, `source` is one of them.
    sources
        Which sources to compare; all of `forecasts` where None.

    Returns
    -------
    pd.DataFrame
        The columns of `by`, then n (cells used), left_out (cells not used), wape, bias (sum, in
        the unit of the values), bias_ratio (bias / sum |actual|), mae (mean |error|). Sources in
        the order asked for, else in order of name.

    Raises
    ------
    TableError
        If columns are missing, a cell is listed twice, or sources would be mixed.

    Examples
    --------
    >>> forecasts = pd.DataFrame({"node": "a", "period": ["2026-01", "2026-02"],
    ...     "source": "commit", "value": [110.0, 90.0]})
    >>> actuals = pd.DataFrame({"node": "a", "period": ["2026-01", "2026-02"], "value": [100, 100]})
    >>> accuracy(forecasts, actuals)[["n", "wape", "bias"]].iloc[0].tolist()
    [2.0, 0.1, 0.0]
    """
    by = list(by)
    need(forecasts, [*dict.fromkeys([NODE, PERIOD, SOURCE, VALUE, *by])], "forecasts")
    need(actuals, [NODE, PERIOD, VALUE], "actuals")
    need_unique(actuals, [NODE, PERIOD], "actuals")
    sources = sorted(forecasts[SOURCE].unique()) if sources is None else list(sources)
    if len(sources) > 1 and SOURCE not in by:
        raise TableError(
            f"Forecasts of {', '.join(sources)} would be mixed.",
            where="accuracy",
            remedy="Report by source too, or compare one source.",
        )
    used = common_cells(forecasts, actuals, by, sources)
    error = used[VALUE] - used["actual"]
    measured = used[[*by, "used"]].assign(
        error=error, miss=error.abs(), size=used["actual"].abs(), unused=~used["used"]
    )
    measured.loc[measured["unused"], ["error", "miss", "size"]] = 0.0
    order = measured.groupby(by, observed=True, sort=True, dropna=False)
    sums = order[["used", "unused", "error", "miss", "size"]].sum()
    size = sums["size"].where(sums["size"] > 0)
    count = sums["used"].where(sums["used"] > 0)
    result = pd.DataFrame(
        {
            USED: sums["used"].astype("int64"),
            LEFT_OUT: sums["unused"].astype("int64"),
            WAPE: sums["miss"] / size,
            BIAS: sums["error"].where(sums["used"] > 0),
            BIAS_RATIO: sums["error"] / size,
            MAE: sums["miss"] / count,
        }
    ).reset_index()
    if SOURCE in result:
        result[SOURCE] = result[SOURCE].astype("str")
    return result


def value_added(
    measured: pd.DataFrame,
    *,
    naive: str = "seasonal_naive",
    stages: Sequence[str] | None = None,
    error: str = WAPE,
) -> pd.DataFrame:
    """Tell whether each forecasting stage was worth its effort, against a naive forecast.

    value_added = error of the naive forecast - error of the stage: positive where the stage helped.

    Parameters
    ----------
    measured
        The result of `accuracy`, reported by source and perhaps more.
    naive, stages
        Source to beat, and sources to judge in order of the process; all others where None.
    error
        Which measure: wape or mae.

    Returns
    -------
    pd.DataFrame
        The other columns reported by, stage, n, left_out, error, naive_error, value_added.

    Raises
    ------
    TableError
        If a source is missing, or the sources were measured on different cells.

    References
    ----------
    Gilliland (2010), The Business Forecasting Deal: forecast value added.
    """
    need(measured, [SOURCE, USED, LEFT_OUT, error], "accuracy")
    known = list(measured[SOURCE].unique())
    stages = [name for name in known if name != naive] if stages is None else list(stages)
    missing = [name for name in [naive, *stages] if name not in known]
    if missing:
        raise TableError(
            f"There is no forecast of {', '.join(missing)}.",
            where="value added",
            remedy=f"Known: {', '.join(known)}.",
        )
    others = [
        name for name in measured.columns if name not in {SOURCE, USED, LEFT_OUT, WAPE, BIAS, BIAS_RATIO, MAE}
    ]
    base = measured[measured[SOURCE] == naive][[*others, USED, LEFT_OUT, error]]
    judged = measured[measured[SOURCE].isin(stages)][[*others, SOURCE, USED, LEFT_OUT, error]]
    if others:
        joined = judged.merge(base, on=others, how="left", suffixes=("", "_naive"))
    else:
        joined = judged.merge(base, how="cross", suffixes=("", "_naive"))
    uneven = (joined[USED] != joined[f"{USED}_naive"]) | (joined[LEFT_OUT] != joined[f"{LEFT_OUT}_naive"])
    if uneven.any():
        raise TableError(
            f"'{joined[SOURCE][uneven].iloc[0]}' and '{naive}' were measured on different cells.",
            where="value added",
            remedy="Measure all compared sources in one call of accuracy().",
        )
    rank = pd.Series(range(len(stages)), index=stages)
    result = joined.assign(rank=joined[SOURCE].map(rank)).sort_values([*others, "rank"], ignore_index=True)
    naive_error = f"{error}_naive"
    return pd.DataFrame(
        {
            **{name: result[name] for name in others},
            "stage": result[SOURCE],
            USED: result[USED],
            LEFT_OUT: result[LEFT_OUT],
            "error": result[error],
            "naive_error": result[naive_error],
            "value_added": result[naive_error] - result[error],
        }
    )


def common_cells(
    forecasts: pd.DataFrame, actuals: pd.DataFrame, by: Sequence[str], sources: Sequence[str]
) -> pd.DataFrame:
    """Lay out every cell for every compared source, with actual, forecast and whether it counts."""
    keys = list(dict.fromkeys([NODE, PERIOD, *(name for name in by if name != SOURCE)]))
    compared = forecasts[forecasts[SOURCE].isin(sources)]
    need_unique(compared, [*keys, SOURCE], "forecasts")
    cells = compared[keys].drop_duplicates()
    grid = cells.merge(pd.DataFrame({SOURCE: sources}), how="cross")
    grid = grid.merge(compared[[*keys, SOURCE, VALUE]], on=[*keys, SOURCE], how="left")
    truth = actuals[[NODE, PERIOD, VALUE]].rename(columns={VALUE: "actual"})
    grid = grid.merge(truth, on=[NODE, PERIOD], how="left")
    grid = grid.astype({VALUE: "float64", "actual": "float64"})
    known = np.isfinite(grid[[VALUE, "actual"]].to_numpy()).all(axis=1)
    by_cell = pd.Series(known).groupby([grid[key] for key in keys], dropna=False).transform("all")
    grid[SOURCE] = grid[SOURCE].astype(pd.CategoricalDtype(list(sources), ordered=True))
    return grid.assign(used=by_cell.to_numpy()).sort_values([*keys, SOURCE], ignore_index=True)
