"""Submissions of many sellers: a file validated, read into the ledger word by word, and looked up again."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.measure import Row, measure
from spms_lib.calendar import FiscalCalendar
from spms_lib.collect.submissions import latest_submissions
from spms_lib.cycle.collection.words import SUBMISSION, cells_of, kept_words
from spms_lib.sources.load import load_table
from spms_lib.sources.spec import TableSource
from spms_lib.store.ledger import Ledger

MONTHS = 12
SEED = 20261
YARDSTICK = "pandas.read_csv of the same file"


def rows(sellers: int = 100_000) -> list[Row]:
    with tempfile.TemporaryDirectory() as place:
        return measured(Path(place), sellers)


def measured(folder: Path, sellers: int) -> list[Row]:
    file = folder / "submissions.csv"
    made_up(sellers).to_csv(file, index=False)
    case = f"{sellers:,} sellers x {MONTHS} months, {file.stat().st_size / 1e6:,.0f} MB of CSV"
    yardstick = measure(lambda: pd.read_csv(file), 3)
    seconds: list[tuple[str, float, str]] = []

    def timed(what: str, call: Callable[[], Any], note: str = "") -> Any:
        start = time.perf_counter()
        result = call()
        seconds.append((what, time.perf_counter() - start, note))
        return result

    source = TableSource(file=file.name)
    loaded = timed(
        "validate: every cell typed, every bad one a finding",
        lambda: load_table("submissions", source, folder, calendar=FiscalCalendar(), per_unit=100),
    )
    assert len(loaded.rows) == sellers * MONTHS
    rows = loaded.rows.assign(origin=file.name)
    cells = timed(
        "write each word as a cell", lambda: cells_of(SUBMISSION, rows, measure="revenue", unit="EUR")
    )
    with Ledger.open(folder / "ledger.sqlite") as ledger:

        def commit() -> object:
            return ledger.commit(SUBMISSION, cells, author="bench", message="drop")

        assert timed("commit: hashed, chained, one transaction", commit, "SQLite on disk") is not None
        assert timed("commit the same again: nothing is stored", commit) is None
        kept = timed("read every version back", lambda: kept_words(SUBMISSION, ledger.versions(SUBMISSION)))
    last = timed("last words", lambda: latest_submissions(kept, cut_off=pd.Timestamp("2026-07-15").date()))
    assert int(last["value"].sum()) == int(rows["value"].sum())
    whole = sum(took for _, took, _ in seconds[:3])
    return [
        Row(case, YARDSTICK, yardstick, 3),
        *(Row(case, what, took, 1, took / yardstick, "read_csv", note) for what, took, note in seconds),
        Row(case, "validate and commit together", whole, 1, whole / yardstick, "read_csv"),
    ]


def made_up(sellers: int) -> pd.DataFrame:
    """One commit per seller and month, some with a confidence and a comment, as an export writes them."""
    rng = np.random.default_rng(SEED)
    count = sellers * MONTHS
    seller = np.repeat(np.arange(sellers), MONTHS)
    minutes = rng.integers(0, 14 * 24 * 60, size=sellers)
    sent = (pd.Timestamp("2026-07-01") + pd.to_timedelta(minutes, unit="min")).strftime("%Y-%m-%d %H:%M:%S")
    return pd.DataFrame(
        {
            "node": [f"seat_{number:06d}" for number in seller],
            "period": np.tile([f"2026-{month:02d}" for month in range(1, MONTHS + 1)], sellers),
            "category": "commit",
            "value": rng.integers(0, 10_000_000, size=count) / 100,
            "submitted_by": [f"Person {number}" for number in seller],
            "submitted_at": np.asarray(sent)[seller],
            "confidence": np.where(rng.random(count) < 0.3, rng.integers(50, 100, size=count) / 100, np.nan),
            "comment": np.where(rng.random(count) < 0.1, "depends on one signature", None),
        }
    )
