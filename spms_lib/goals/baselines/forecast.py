"""The statistical baseline of every node: candidates compared on past quarters, the nearest taken."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import ParamsError, TableError
from spms_lib.goals.baselines.answer import Baselines
from spms_lib.goals.baselines.candidates import CANDIDATES, checked
from spms_lib.goals.baselines.choice import choose
from spms_lib.goals.baselines.record import choice_table, error_table, residual_table
from spms_lib.goals.baselines.spread import spread
from spms_lib.goals.baselines.windows import cut, predictions

WINDOWS = 8
INTERVAL = 0.8
PRIOR_WINDOWS = 4.0
MARGIN = 2.0


def statistical_baseline(
    history: pd.DataFrame,
    months: list[str],
    calendar: FiscalCalendar,
    *,
    levels: pd.Series | None = None,
    models: tuple[str, ...] = CANDIDATES,
    windows: int = WINDOWS,
    interval: float = INTERVAL,
    prior_windows: float = PRIOR_WINDOWS,
    margin: float = MARGIN,
    n_jobs: int = 1,
    backend: Any = None,
) -> Baselines:
    """Forecast every node by the model that would have been nearest in its past quarters.

    Every node has its own choice, above the leaves too; the forecasts do not add up, which is what reconciliation is
    for. Past quarters are seen as this one is now: as many months, after as long a gap, knowing only what came before.
    Which models a node is offered depends on how many months are known and how many of them are zero, see `OFFERED`.
    Of models that are equally good the simpler is taken.

    Parameters
    ----------
    history
        Nodes x consecutive months in order of time, minor units; missing where a node did not exist, which is not zero.
        Only months after a node's last missing one are used by models other than the house's.
    months
        Consecutive months to forecast, after the last known one; months in between are bridged.
    levels
        Indexed by node: name of its level. Nodes of a level share their evidence where a node has too little, and to
        the extent of `prior_windows`. None takes all nodes for one level.
    models
        Which of `CANDIDATES` to consider; the house's baseline always is.
    windows
        Most past windows to compare models on.
    interval
        Probability that the prediction interval is to hold, between 0 and 1.
    prior_windows
        In the choice a node counts with its windows, its level with so many; 0 lets every node decide for itself.
    margin
        The house's baseline is kept unless another model leads by so many standard errors, over windows, of the lead; 0
        takes the smallest error however small the lead.
    n_jobs
        Processes of this machine; -1 for one per core. The answer does not depend on it.
    backend
        None, an `Executor` of `concurrent.futures`, or an engine of Fugue, see `forecast_series`. For a Dask
        cluster, pass `client.get_executor()`.

    Returns
    -------
    Baselines
        Nodes in the order of `history`.

    Raises
    ------
    PeriodError
        If the history or the months are not consecutive, or a month is known already.
    TableError
        If a node is listed twice or a value is infinite.
    ParamsError
        If a model is unknown, a number out of range, or statsforecast is not installed.

    References
    ----------
    Tashman (2000), Out-of-sample tests of forecasting accuracy: rolling origin.
    Syntetos and Boylan (2005), The accuracy of intermittent demand estimates, for sparse sales.

    Examples
    --------
    >>> import numpy as np
    >>> year = FiscalCalendar()
    >>> season = np.array([5.0, 5, 6, 7, 7, 8, 9, 6, 7, 8, 9, 12]) * 1000
    >>> history = pd.DataFrame([np.tile(season, 3)], ["shop"], year.range("2023-01", "2025-12"))
    >>> found = statistical_baseline(history, ["2026-01", "2026-02"], year, models=("house",))
    >>> found.forecast.loc["shop"].round(3).tolist()
    [5000.0, 5000.0]
    >>> found.choice[["model", "windows", "error"]].round(9).values.tolist()
    [['house', 6, 0.0]]
    """
    if not 0 < interval < 1 or min(windows, prior_windows, margin) < 0:
        raise ParamsError(
            f"interval={interval}, windows={windows}, prior_windows={prior_windows}, margin={margin} cannot be used.",
            where="baseline",
            remedy="Use an interval between 0 and 1, and zero or more of the others.",
        )
    if not history.index.is_unique or np.isinf(history.to_numpy(dtype=np.float64)).any():
        raise TableError(
            "A node is listed twice, or a value is infinite.",
            where="history",
            remedy="Give one finite row per node.",
        )
    names = checked(models)
    frame = cut(history, months, calendar, windows)
    said = predictions(history, months, calendar, frame, names, n_jobs=n_jobs, backend=backend)
    groups = _groups(history.index, levels)
    choice = choose(frame, said, groups, prior_windows=prior_windows, margin=margin)
    wide = spread(frame, choice, groups, interval)
    parts = (choice.forecast, wide.deviation, wide.lower, wide.upper)
    forecast, deviation, lower, upper = (pd.DataFrame(part, history.index, months) for part in parts)
    periods = [str(month) for month in history.columns[frame.scored.ravel()]]
    return Baselines(
        forecast=forecast,
        deviation=deviation,
        lower=lower,
        upper=upper,
        choice=choice_table(history.index, frame, choice, wide.evidence),
        errors=error_table(history.index, choice),
        residuals=residual_table(history.index, choice, periods),
    )


def _groups(nodes: pd.Index, levels: pd.Series | None) -> NDArray[np.str_]:
    if levels is None:
        return np.full(len(nodes), "all")
    return levels.reindex(nodes).astype("object").fillna("(no level)").to_numpy(dtype=str)
