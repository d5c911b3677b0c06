"""Statistical baselines of a cycle, kept by content: the same history and settings are computed once."""

import hashlib
import json
import tempfile
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from spms_lib.calendar import FiscalCalendar
from spms_lib.cycle.desk import Desk
from spms_lib.cycle.paths import outputs_root
from spms_lib.goals.baseline import baseline
from spms_lib.goals.baselines import CANDIDATES, Baselines, statistical_baseline, statsforecast_version
from spms_lib.goals.baselines.candidates import checked
from spms_lib.goals.baselines.forecast import INTERVAL, MARGIN, PRIOR_WINDOWS, WINDOWS
from spms_lib.tables import NODE, PERIOD, SOURCE, VALUE, to_long

CONTENT_VERSION: Final = 1  # raise it when the same history is to give other numbers
AUTO = "auto"
GRIDS: Final = ("forecast", "deviation", "lower", "upper")
TABLES: Final = ("choice", "errors", "residuals")
PARTS: Final = ("grid.parquet", "choice.parquet", "errors.parquet", "residuals.parquet")
SUMS: Final = "sums.txt"


@dataclass(frozen=True, slots=True)
class Kept:
    """Baselines, and where they come from.

    Attributes
    ----------
    origin
        `computed` or `cache`.
    note
        What was wrong with files of the cache that were not used; empty if nothing was.
    """

    baselines: Baselines
    origin: str
    note: str = ""


def baseline_values(desk: Desk, **settings: Any) -> pd.DataFrame:
    """Forecast the planned quarter from history, as the cycle's params say: nodes x months, float minor units."""
    return forecast_from(desk, desk.history(), desk.cycle, **settings)


def forecast_from(desk: Desk, known: pd.DataFrame, quarter: str, **settings: Any) -> pd.DataFrame:
    """Forecast any quarter from what was known of it: nodes x months, float minor units.

    The params' `baseline: house` is the house's own at every node, `auto` the model that was nearest in each node's past.

    Parameters
    ----------
    known
        Nodes x months, all before the quarter.
    settings
        For `auto`, see `desk_baselines`.
    """
    if desk.params.baseline == AUTO:
        return _of_quarter(desk, known, quarter, settings).baselines.forecast
    return baseline(known, desk.calendar.months(quarter), desk.calendar)


def desk_baselines(desk: Desk, **settings: Any) -> Kept:
    """Return the statistical baselines of the planned quarter, for every node of the tree, by way of the cache.

    Parameters
    ----------
    settings
        models, windows, interval, prior_windows, margin, n_jobs, backend as in `statistical_baseline`; cache=False computes
        anew and keeps nothing.
    """
    return _of_quarter(desk, desk.history(), desk.cycle, settings)


def past_baselines(desk: Desk, quarters: list[str], **settings: Any) -> pd.DataFrame:
    """Return what the statistical baseline would have said of past quarters, knowing only what came before each.

    Returns
    -------
    pd.DataFrame
        Columns node, period (month), source (`auto`), value: beside `backtest`, the evidence for the choice.
    """
    history = desk.history()
    parts = [pd.DataFrame({NODE: [], PERIOD: [], VALUE: []})]
    for quarter in quarters:
        first = desk.calendar.months(quarter)[0]
        known = history.loc[:, [month for month in history.columns if month < first]]
        if known.shape[1]:
            parts.append(to_long(_of_quarter(desk, known, quarter, settings).baselines.forecast))
    joined = pd.concat(parts[1:] or parts, ignore_index=True).assign(**{SOURCE: AUTO})
    return joined[[NODE, PERIOD, SOURCE, VALUE]]


def _of_quarter(desk: Desk, history: pd.DataFrame, quarter: str, settings: dict[str, Any]) -> Kept:
    given = {"levels": desk.tree.level, "n_jobs": desk.params.baseline_jobs, **settings}
    folder = cache_folder(desk) if given.pop("cache", True) else None
    return kept_baselines(history, desk.calendar.months(quarter), desk.calendar, folder, **given)


def cache_folder(desk: Desk) -> Path:
    """Name the folder of a company's cache; it may be deleted at any time."""
    return outputs_root(desk.root) / desk.company.company / "cache"


def kept_baselines(
    history: pd.DataFrame,
    months: list[str],
    calendar: FiscalCalendar,
    folder: Path | None,
    *,
    levels: pd.Series | None = None,
    models: tuple[str, ...] = CANDIDATES,
    windows: int = WINDOWS,
    interval: float = INTERVAL,
    prior_windows: float = PRIOR_WINDOWS,
    margin: float = MARGIN,
    n_jobs: int = 1,
    backend: Any = None,
) -> Kept:
    """Read baselines from a folder if the same content was computed before; else compute and keep them.

    An entry's name is a hash over history, months, settings and versions, so changed content is never read by mistake;
    how the work was spread (`n_jobs`, `backend`) is not part of it, except that engines of Fugue compute in single
    precision. An entry that is damaged or of other content is not used but written anew, with a note.

    Parameters
    ----------
    folder
        Where to look and keep; None for neither.
    history, months, calendar, levels, models, windows, interval, prior_windows, margin, n_jobs, backend
        As in `statistical_baseline`.
    """
    counts: dict[str, Any] = {
        "models": checked(models),
        "windows": windows,
        "interval": interval,
        "prior_windows": prior_windows,
        "margin": margin,
    }
    key, note = "", ""
    if folder is not None:
        precision = "double" if backend is None or isinstance(backend, Executor) else "single"
        said = {**counts, "levels": _levels(history, levels), "precision": precision}
        key = content_key(history, months, calendar, said)
        found, note = _read(folder, key)
        if found is not None:
            return Kept(_unpacked(found, history.index, months), "cache", note)
    made = statistical_baseline(
        history, months, calendar, levels=levels, n_jobs=n_jobs, backend=backend, **counts
    )
    packed = _packed(made)
    if folder is not None:
        _write(folder, key, packed)
    return Kept(_unpacked(packed, history.index, months), "computed", note)


def content_key(
    history: pd.DataFrame, months: list[str], calendar: FiscalCalendar, settings: dict[str, Any]
) -> str:
    """Hash everything that the numbers depend on: same content, same key, on every machine."""
    libraries = {name: version(name) for name in ("coreforecast", "numpy", "scipy", "statsmodels")}
    said = {
        "content": CONTENT_VERSION,
        "statsforecast": statsforecast_version(),
        "libraries": libraries,
        "nodes": [str(node) for node in history.index],
        "known": [str(month) for month in history.columns],
        "months": months,
        "calendar": asdict(calendar),
        "settings": settings,
    }
    values = np.ascontiguousarray(history.to_numpy(dtype="<f8"))
    values = np.where(np.isnan(values), np.nan, values)  # one missing is like another
    text = json.dumps(said, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode() + b"\0" + values.tobytes()).hexdigest()


def _levels(history: pd.DataFrame, levels: pd.Series | None) -> list[str | None] | None:
    if levels is None:
        return None
    return [None if pd.isna(level) else str(level) for level in levels.reindex(history.index)]


def _packed(made: Baselines) -> dict[str, pa.Table]:
    """Turn an answer into tables: one of all grids, and the others as they are."""
    nodes, months = made.forecast.index, made.forecast.columns
    grid = pd.DataFrame(
        {NODE: nodes.repeat(len(months)).astype("str"), PERIOD: np.tile(months.astype("str"), len(nodes))}
    ).assign(**{name: getattr(made, name).to_numpy(dtype=np.float64).ravel() for name in GRIDS})
    frames = (grid, made.choice, made.errors, made.residuals)
    return {
        name: pa.Table.from_pandas(frame.astype({NODE: "str"}), preserve_index=False)
        for name, frame in zip(PARTS, frames, strict=True)
    }


def _unpacked(parts: dict[str, pa.Table], nodes: pd.Index, months: list[str]) -> Baselines:
    frames = {part.removesuffix(".parquet"): table.to_pandas() for part, table in parts.items()}
    shape = (len(nodes), len(months))
    grids = {
        name: pd.DataFrame(frames["grid"][name].to_numpy().reshape(shape), nodes, months) for name in GRIDS
    }
    return Baselines(**grids, **{name: frames[name] for name in TABLES})


def _file(folder: Path, key: str, part: str) -> Path:
    return folder / f"baselines-{key[:32]}-{part}"


def _sums(key: str, parts: dict[str, bytes]) -> bytes:
    """Say which content an entry is of, and the hash of each of its parts."""
    lines = [key, *(f"{hashlib.sha256(content).hexdigest()}  {part}" for part, content in parts.items())]
    return ("\n".join(lines) + "\n").encode()


def _read(folder: Path, key: str) -> tuple[dict[str, pa.Table] | None, str]:
    """Read all parts of an entry; none of them, and a note, if one is not what was written."""
    sums = _file(folder, key, SUMS)
    if not sums.is_file():
        return None, ""
    try:
        parts = {part: _file(folder, key, part).read_bytes() for part in PARTS}
    except OSError as problem:
        return None, f"{sums.name}: a part cannot be read, computed anew ({type(problem).__name__})."
    if sums.read_bytes() != _sums(key, parts):
        return None, f"{sums.name} does not fit its parts: damaged or of other content, computed anew."
    return {part: pq.read_table(pa.BufferReader(content)) for part, content in parts.items()}, ""


def _write(folder: Path, key: str, tables: dict[str, pa.Table]) -> None:
    """Keep all parts of an entry, each whole or not at all, and last of all the sums that make it one."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {}
    for part, table in tables.items():
        buffer = pa.BufferOutputStream()
        pq.write_table(table, buffer)
        parts[part] = buffer.getvalue().to_pybytes()
    for name, content in {**parts, SUMS: _sums(key, parts)}.items():
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as unfinished:
            try:
                unfinished.write(content)
                unfinished.flush()
            except BaseException:
                Path(unfinished.name).unlink()
                raise
        Path(unfinished.name).replace(_file(folder, key, name))
