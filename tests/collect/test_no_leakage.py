"""Nothing that became known after a day changes what is said of that day (metamorphic tests)."""

import datetime as dt
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.calendar import FiscalCalendar
from spms_lib.collect.outcomes import as_known
from spms_lib.collect.pipeline import pipeline_forecast
from spms_lib.collect.roll_ups import deals_by_category
from spms_lib.collect.win_rate_trials import past_outcomes, try_win_rates
from spms_lib.collect.win_rates import learn_win_rates
from spms_lib.deals import known_on, snapshot
from spms_lib.review.pipeline import open_pipeline, win_rate
from spms_lib.sample import build_sample
from spms_lib.sources.load import load_table
from spms_lib.sources.spec import TableSource

YEAR = FiscalCalendar()
QUARTERS = {
    name: (YEAR.start(name), YEAR.end(name)) for name in ["2025Q2", "2025Q3", "2025Q4", "2026Q1", "2026Q2"]
}
CATEGORIES = ["commit", "best_case", "pipeline", None]


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Month-end snapshots of the sample company with twelve sellers."""
    folder = tmp_path_factory.mktemp("sample")
    build_sample(folder / "data", sellers=12)
    source = TableSource(file="opportunities.csv")
    return load_table("opportunities", source, folder / "data", calendar=YEAR, per_unit=100).rows


def muddled(rng: np.random.Generator, rows: pd.DataFrame, after: pd.Timestamp) -> pd.DataFrame:
    """Other amounts, outcomes, stages, owners and days after the given one; some rows are gone."""
    count = len(rows)
    days = after + pd.to_timedelta(rng.integers(1, 200, size=count), unit="D")
    return rows.assign(
        amount=rng.integers(1, 10**8, size=count),
        status=rng.choice(["open", "won", "lost"], size=count),
        stage=rng.choice(["qualify", "close", "else"], size=count),
        category=rng.choice(CATEGORIES, size=count),
        probability=rng.random(count),
        close_date=days.astype("datetime64[us]"),
    )[rng.random(count) < 0.7]


def altered_snapshots(rng: np.random.Generator, table: pd.DataFrame, day: dt.date) -> pd.DataFrame:
    late = table["as_of"] > pd.Timestamp(day)
    return pd.concat([table[~late], muddled(rng, table[late], pd.Timestamp(day))])


def altered_export(rng: np.random.Generator, table: pd.DataFrame, day: dt.date) -> pd.DataFrame:
    """Deals created later are others or gone; deals not closed by then went another way, or are open."""
    moment = pd.Timestamp(day)
    closed = (table["status"] != "open") & (table["close_date"] <= moment)
    later = table["created"] > moment
    going_on = table[~closed & ~later]
    other = muddled(rng, going_on, moment).reindex(going_on.index)
    kept = other.where(other["opportunity"].notna(), going_on).astype(going_on.dtypes.to_dict())
    fresh = muddled(rng, table[later], moment)
    return pd.concat([table[closed & ~later], kept, fresh]).sort_index()


def answers(table: pd.DataFrame, day: dt.date) -> list[pd.DataFrame]:
    """Everything that is said of deals on a day."""
    deals, known = snapshot(table, as_of=day), as_known(table, by=day)
    quarter = {
        "first_day": YEAR.start(YEAR.quarter_of_day(day)),
        "last_day": YEAR.end(YEAR.quarter_of_day(day)),
    }
    found = [known, win_rate(known, as_of=day), win_rate(known, as_of=day, by=["node"])]
    if len(deals):
        actuals = pd.DataFrame({"node": [], "date": pd.to_datetime([]), "value": []})
        months = YEAR.months(YEAR.quarter_of_day(day))
        found += [deals, deals_by_category(deals, YEAR), open_pipeline(table, as_of=day, **quarter)]
        found.append(pipeline_forecast(deals, actuals, months, YEAR, as_of=day))
    past = past_outcomes(table, QUARTERS, days_left=45, known_by=day)
    if len(past):
        found += [past, *learn_win_rates(past, keys=["stage", "age", "segment"]).levels]
        tried = {"days_left": 45, "known_by": day, "one_rate": lambda _: (0.3, 0.3), "keys": ["stage"]}
        found.append(try_win_rates(table, dict(list(QUARTERS.items())[-3:]), **tried))
    return found


def assert_same(first: list[pd.DataFrame], second: list[pd.DataFrame]) -> None:
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        pd.testing.assert_frame_equal(
            one.reset_index(drop=True), other.reset_index(drop=True), check_dtype=False
        )


DAYS = st.dates(dt.date(2025, 9, 1), dt.date(2026, 9, 29))
Alter = Callable[[np.random.Generator, pd.DataFrame, dt.date], pd.DataFrame]


@settings(max_examples=6, deadline=None)
@given(day=DAYS, seed=st.integers(0, 2**32))
def test_snapshots_after_the_day_change_nothing(snapshots: pd.DataFrame, day: dt.date, seed: int) -> None:
    rng = np.random.default_rng(seed)
    altered = altered_snapshots(rng, snapshots, day)
    assert not altered.equals(snapshots)
    said = answers(snapshots, day)
    assert_same(said, answers(altered, day))
    assert_same(said, answers(snapshots[snapshots["as_of"] <= pd.Timestamp(day)], day))


@settings(max_examples=6, deadline=None)
@given(day=st.dates(dt.date(2025, 9, 1), dt.date(2026, 8, 31)), seed=st.integers(0, 2**32))
def test_what_came_after_the_day_changes_nothing_in_an_export_of_today(day: dt.date, seed: int) -> None:
    rng = np.random.default_rng(seed)
    export = made_up_export(rng)
    altered = altered_export(rng, export, day)
    assert not altered.equals(export)
    assert_same(answers(export, day), answers(altered, day))
    gone = export[(export["created"] <= pd.Timestamp(day))]
    pd.testing.assert_frame_equal(known_on(export, day=day), known_on(gone, day=day))


def made_up_export(rng: np.random.Generator, count: int = 400) -> pd.DataFrame:
    created = pd.Timestamp(2024, 10, 1) + pd.to_timedelta(rng.integers(0, 720, size=count), unit="D")
    export = pd.DataFrame(
        {
            "opportunity": [f"d{i}" for i in range(count)],
            "created": created,
            "as_of": pd.Timestamp(2026, 9, 30),
        }
    )
    export = export.assign(
        node=rng.choice(["a", "b"], size=count), product=rng.choice(["x", "y"], size=count),
        status=rng.choice(["open", "won", "lost"], size=count), stage="s", category="pipeline",
        amount=rng.integers(1, 10**6, size=count), probability=0.5,
        close_date=created + pd.to_timedelta(rng.integers(1, 200, size=count), unit="D"),
    )  # fmt: skip
    late = (export["close_date"] > export["as_of"]) & (export["status"] != "open")
    days = ["created", "close_date", "as_of"]
    return export[~late].astype(dict.fromkeys(days, "datetime64[us]"))
