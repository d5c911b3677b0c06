"""Statistical baselines against statsforecast alone with the same models, and reading them against computing them."""

import os
import tempfile
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.company import ids
from benchmarks.measure import Row, measure
from spms_lib.calendar import FiscalCalendar
from spms_lib.cycle.baselines import Kept, kept_baselines
from spms_lib.goals.baselines import statsforecast_version
from spms_lib.goals.baselines.candidates import HOUSE, OFFERED, REGULAR, model_of

YEAR = FiscalCalendar()
MODELS = OFFERED[REGULAR]
FULL = (
    os.environ.get("SPMS_BENCH_FULL") == "1"
)  # a thousand series take minutes, nearly all of them in AutoETS
AHEAD, WINDOWS = 3, 4  # three years allow four quarters with two years before each


def rows(series: int = 1000 if FULL else 100, months: int = 36) -> list[Row]:
    history = made_up(series, months)
    asked = YEAR.range(*(YEAR.shift(history.columns[-1], step) for step in (1, AHEAD)))
    case = f"{series:,} series x {months} months, {WINDOWS} windows of {AHEAD} and the future"
    compute = partial(kept_baselines, history, asked, YEAR, windows=WINDOWS)
    alone(history.iloc[:2])  # the first call compiles
    plain = measure(partial(alone, history), 1)
    with tempfile.TemporaryDirectory() as name:
        one, two = Path(name) / "one", Path(name) / "two"
        ours = measure(partial(compute, folder=one), 1)
        spread = measure(partial(compute, folder=two, n_jobs=-1), 1)
        read = measure(partial(hit, partial(compute, folder=one)), 5)
        size = sum(path.stat().st_size for path in one.iterdir()) / 1e6
        same = [path.read_bytes() for path in sorted(one.iterdir())] == [
            path.read_bytes() for path in sorted(two.iterdir())
        ]
    models = ", ".join(model for model in MODELS if model != HOUSE)
    busy = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    return [
        Row(
            case,
            "statsforecast: cross-validation and forecast",
            plain,
            1,
            note=f"{statsforecast_version()}: {models}",
        ),
        Row(case, "ours: same models and the house's, chosen, kept", ours, 1, ours / plain, "alone", busy),
        Row(
            case,
            "ours, a process per core",
            spread,
            1,
            spread / ours,
            "one",
            "same files" if same else "OTHER FILES",
        ),
        Row(case, "ours, read from the cache", read, 5, read / ours, "computing", f"{size:.2f} MB"),
    ]


def made_up(series: int, months: int, seed: int = 8) -> pd.DataFrame:
    """Let every series have its own size, season, growth and noise, in cents."""
    rng = np.random.default_rng(seed)
    time = np.arange(months)
    season = 1.0 + rng.uniform(0.0, 0.4, (series, 1)) * np.sin(
        2 * np.pi * (time / 12 + rng.random((series, 1)))
    )
    growth = rng.normal(1.005, 0.005, (series, 1)) ** time
    noise = rng.lognormal(0.0, rng.uniform(0.02, 0.3, (series, 1)), (series, months))
    size = rng.lognormal(12.0, 1.0, (series, 1))
    names = YEAR.range("2023-01", YEAR.shift("2023-01", months - 1))
    return pd.DataFrame(size * season * growth * noise, ids("seller", series), names)


def alone(history: pd.DataFrame) -> pd.DataFrame:
    """Do with statsforecast what its manual says: cross-validate, then forecast."""
    from statsforecast import StatsForecast

    nodes, months = history.shape
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(nodes), months),
            "ds": np.tile(np.arange(months), nodes),
            "y": history.to_numpy().ravel(),
        }
    )
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        engine = StatsForecast(models=[model_of(name) for name in MODELS if name != HOUSE], freq=1)
        engine.cross_validation(df=frame, h=AHEAD, n_windows=WINDOWS, step_size=AHEAD)
        forecast: pd.DataFrame = engine.forecast(df=frame, h=AHEAD)
    return forecast


def hit(ask: partial[Kept]) -> None:
    """Ask for what is kept, and make sure that it was read."""
    if ask().origin != "cache":
        raise RuntimeError("the cache was not used")
