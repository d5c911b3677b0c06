"""Series: pieces of history handed to statsforecast in one call, here, in processes or on a cluster."""

import warnings
from collections.abc import Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.errors import ParamsError
from spms_lib.goals.baselines.candidates import model_of

Floats = NDArray[np.float64]

BLOCK: Final = 500  # series per task of an executor
DECIMALS: Final = 10
ID, STEP, Y = "unique_id", "ds", "y"


def statsforecast_version() -> str:
    """Name the installed version of statsforecast.

    Raises
    ------
    ParamsError
        If it is not installed.
    """
    try:
        import statsforecast
    except ImportError:
        raise ParamsError(
            "statsforecast is not installed, and the statistical baselines come from it.",
            where="baseline",
            remedy="Install it (it exists for Python 3.11 and 3.12), or use the house's baseline.",
        ) from None
    return str(statsforecast.__version__)


def forecast_series(
    pieces: Sequence[Floats], names: Sequence[str], ahead: int, *, n_jobs: int = 1, backend: Any = None
) -> dict[str, Floats]:
    """Forecast every piece of history by every named model.

    Each piece is divided by its mean size first, so that no result depends on the currency's unit, and forecasts
    are kept to `DECIMALS` of that size: the last bits of some models differ with where a series lies in memory.

    Parameters
    ----------
    pieces
        Values in order of time, one array per series, none empty.
    names
        Names of models, see `model_of`.
    ahead
        Number of steps to forecast after the end of each piece.
    n_jobs
        Processes of this machine, started by statsforecast; -1 for one per core.
    backend
        None for this machine; an `Executor` of `concurrent.futures` (a Dask client gives one by
        `client.get_executor()`), which is handed blocks of series; anything else is taken for an engine
        of Fugue ("native", "dask", "ray", a SparkSession, ...) and handed to statsforecast's FugueBackend,
        which computes in single precision.

    Returns
    -------
    dict[str, np.ndarray]
        Model: shape (n_series, ahead); missing where the model could not forecast the series.
    """
    if not len(pieces) or not names:
        return {name: np.full((len(pieces), ahead), np.nan) for name in names}
    statsforecast_version()
    size = np.array([np.abs(piece).mean() for piece in pieces])
    size = np.where(size > 0, size, 1.0)
    even = [piece / by for piece, by in zip(pieces, size, strict=True)]
    if isinstance(backend, Executor):
        blocks = [even[first : first + BLOCK] for first in range(0, len(even), BLOCK)]
        parts = list(backend.map(partial(_of_block, names=tuple(names), ahead=ahead), blocks))
        found = {name: np.vstack([part[name] for part in parts]) for name in names}
    elif backend is not None:
        found = _by_fugue(_stacked(even), names, ahead, backend)
    else:
        found = _of_block(even, names, ahead, n_jobs)
    return {name: np.round(found[name], DECIMALS) * size[:, None] for name in names}


def _of_block(
    pieces: Sequence[Floats], names: Sequence[str], ahead: int, n_jobs: int = 1
) -> dict[str, Floats]:
    from statsforecast import StatsForecast

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # a model that fails is missing, and so on record
        models = [model_of(name) for name in names]
        engine = StatsForecast(models=models, freq=1, n_jobs=n_jobs, fallback_model=_silent())
        frame = engine.forecast(df=_stacked(pieces), h=ahead)
    return _unstacked(frame, names, ahead)


def _by_fugue(stacked: pd.DataFrame, names: Sequence[str], ahead: int, engine: Any) -> dict[str, Floats]:
    from fugue.dataframe.api import as_pandas
    from statsforecast.distributed.fugue import FugueBackend

    question = {
        "models": [model_of(name) for name in names], "freq": 1, "h": ahead, "fallback_model": _silent(), "X_df": None,
        "level": None, "fitted": False, "prediction_intervals": None, "id_col": ID, "time_col": STEP, "target_col": Y,
    }  # fmt: skip
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            frame = as_pandas(FugueBackend(engine).forecast(df=stacked, **question))
    except Exception as problem:
        raise ParamsError(
            f"The engine {engine!r} did not answer: {type(problem).__name__}: {problem}",
            where="backend",
            remedy="Hand over an executor instead, such as client.get_executor() of a Dask client.",
        ) from problem
    return _unstacked(frame, names, ahead)


def _silent() -> Any:
    """Make a model that says nothing, for series on which another one fails."""
    from statsforecast.models import WindowAverage

    return WindowAverage(window_size=2**31)


def _stacked(pieces: Sequence[Floats]) -> pd.DataFrame:
    """Put series under each other, all ending at step 0, so that every forecast starts at step 1."""
    length = np.array([len(piece) for piece in pieces])
    last = np.cumsum(length) - 1
    steps = np.arange(length.sum()) - np.repeat(last, length)
    return pd.DataFrame(
        {ID: np.repeat(np.arange(len(pieces)), length), STEP: steps, Y: np.concatenate(pieces)}
    )


def _unstacked(frame: pd.DataFrame, names: Sequence[str], ahead: int) -> dict[str, Floats]:
    ordered = frame.sort_values([ID, STEP])
    return {
        name: ordered[name].to_numpy(dtype=np.float64, na_value=np.nan).reshape(-1, ahead) for name in names
    }
