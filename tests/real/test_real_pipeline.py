"""Deals of two data sets that nobody here wrote: weighted pipeline to the cent, and no look into the future."""

import csv
import datetime as dt
import gzip
from collections import Counter
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import ROOT

from spms_lib.calendar import FiscalCalendar
from spms_lib.collect.outcomes import as_known
from spms_lib.collect.pipeline import pipeline_by_month
from spms_lib.collect.roll_ups import deals_by_category, roll_up_deals
from spms_lib.collect.win_rate_trials import ONE_RATE, OWN, past_outcomes, summed_up, try_win_rates
from spms_lib.collect.win_rates import learn_win_rates
from spms_lib.cycle.inputs import load_inputs
from spms_lib.deals import known_on
from spms_lib.hierarchy import Hierarchy
from spms_lib.params.load import load_company
from spms_lib.review.pipeline import win_rate
from spms_lib.sources.load import load_table
from spms_lib.sources.spec import TableSource

pytestmark = pytest.mark.real

YEAR = FiscalCalendar()
TODAY = dt.date(2021, 11, 9)
NAMES = ("2020Q1", "2020Q2", "2020Q3", "2020Q4", "2021Q1", "2021Q2", "2021Q3")
QUARTERS = {name: (YEAR.start(name), YEAR.end(name)) for name in NAMES}


@pytest.fixture(scope="module")
def regional(shared: Path) -> dict[str, pd.DataFrame]:
    company = load_company(ROOT / "params" / "regional_sales" / "company.yaml")
    tables = load_inputs(company, ROOT, data=str(shared / "data" / "regional_sales"))
    return {name: loaded.rows for name, loaded in tables.items()}


def test_weighted_pipeline_equals_the_raw_file_by_owner_month_and_in_total_to_the_cent(
    regional, shared
) -> None:
    """Held to the csv module and decimal numbers; a deal whose day has passed is in November, when the file was made."""
    exact: Counter[tuple[str, str]] = Counter()
    with gzip.open(shared / "data" / "regional_sales" / "Opportunities.csv.gz", "rt") as file:
        for deal in csv.DictReader(file):
            if deal["Status"] == "Open":
                month = max(deal["CloseDate"], TODAY.isoformat())[:7]
                cents = Decimal(deal["Value"]) * Decimal(deal["Probability"]) * 100
                exact["owner_" + deal["SystemUserSeq"], month] += cents
    counted = deals_by_category(regional["opportunities"], YEAR)
    by_owner = pipeline_by_month(regional["opportunities"], YEAR).set_index(["node", "period"])["weighted"]
    assert {key: Decimal(round(value)) for key, value in by_owner.items()} == dict(exact)
    tree = Hierarchy.from_parent_child(regional["hierarchy"], as_of=TODAY)
    months = sorted({month for _, month in exact})
    rolled = roll_up_deals(tree, counted, tree.nodes, months=months).set_index(["node", "period"])["weighted"]
    for node in tree.nodes:
        leaves = {leaf for leaf in tree.leaves if node in tree.path(leaf)}
        for month in months:
            expected = sum(
                (value for (owner, when), value in exact.items() if owner in leaves and when == month),
                Decimal(),
            )
            assert Decimal(round(rolled[node, month])) == expected, (node, month)
    whole = roll_up_deals(tree, counted, [tree.root], months=months, by_month=False)["weighted"].item()
    assert Decimal(round(whole)) == sum(exact.values())
    assert len(exact) > 60


def test_what_came_after_a_day_changes_nothing_that_is_said_of_it(regional) -> None:
    export = regional["opportunities"]

    @settings(max_examples=8, deadline=None)
    @given(day=st.dates(dt.date(2020, 6, 1), dt.date(2021, 10, 31)), seed=st.integers(0, 2**32))
    def holds(day: dt.date, seed: int) -> None:
        rng, moment = np.random.default_rng(seed), pd.Timestamp(day)
        closed = (export["status"] != "open") & (export["close_date"] <= moment)
        later = export["created"] > moment
        other = export.assign(
            status=rng.choice(["open", "won", "lost"], size=len(export)),
            amount=rng.integers(1, 10**8, size=len(export)),
            stage="another",
            probability=rng.random(len(export)),
            close_date=(moment + pd.to_timedelta(rng.integers(1, 300, size=len(export)), unit="D")).astype(
                "datetime64[us]"
            ),
        )
        altered = pd.concat(
            [export[closed], other[~closed & ~later], other[later].sample(frac=0.5, random_state=1)]
        )
        altered = altered.sort_index()
        assert (altered["amount"] != export.loc[altered.index, "amount"]).sum() > 1000
        same = {"check_dtype": False}
        pd.testing.assert_frame_equal(known_on(export, day=day), known_on(altered, day=day), **same)
        said, again = (
            [win_rate(as_known(table, by=day), as_of=day, by=["node"]), *learnt(table, day)]
            for table in (export, altered)
        )
        for one, two in zip(said, again, strict=True):
            pd.testing.assert_frame_equal(one, two, **same)

    holds()


def learnt(table: pd.DataFrame, day: dt.date) -> tuple[pd.DataFrame, ...]:
    past = past_outcomes(table, QUARTERS, days_left=50, known_by=day)
    return learn_win_rates(past).levels if len(past) else ()


def test_own_win_rates_by_age_and_product_come_nearer_than_one_rate(regional) -> None:
    """One export knows no stage of the past; the age of a deal alone halves the mean square error."""

    def one_rate(day: dt.date) -> tuple[float, float]:
        known = as_known(regional["opportunities"], by=day)
        row = win_rate(known, as_of=day, first_day=day - dt.timedelta(days=365)).iloc[0]
        return float(row["by_count"]), float(row["by_amount"]) if pd.notna(row["by_amount"]) else float("nan")

    tried = try_win_rates(
        regional["opportunities"], QUARTERS, days_left=52, known_by=TODAY, one_rate=one_rate
    )
    brier = summed_up(tried).set_index("rule")["brier"]
    assert brier[OWN] < 0.14
    assert brier[ONE_RATE] > 0.24


def test_factored_revenue_of_every_opportunity_is_the_one_of_the_data_set(shared: Path) -> None:
    """458 opportunities; the data set rounds half a unit, so each is within half a unit and the sum within 229."""
    folder = shared / "data" / "revenue_opportunities"
    source = TableSource(
        sql="""
            select fact."Opportunity ID" || '-' || fact."Product ID" as opportunity,
                   account.Region as node, account.Segment as segment, stage."Sales Stage" as stage,
                   'open' as status, ProductRevenue as amount, stage.Probability as probability,
                   EstimatedCloseDate as close_date, '2015-01-01' as as_of
            from read_csv('Fact.csv', all_varchar = true) fact
            join read_csv('SalesStage.csv', all_varchar = true) stage using ("Sales Stage ID")
            join read_csv('Account.csv', all_varchar = true) account using ("Account ID")
        """,
    )
    loaded = load_table("opportunities", source, folder, calendar=YEAR, per_unit=1)
    assert len(loaded.rows) == loaded.rows_in == 458
    with (folder / "Fact.csv").open() as file:
        theirs = {
            f"{row['Opportunity ID']}-{row['Product ID']}": int(row["FactoredProductRevenue"])
            for row in csv.DictReader(file)
        }
    ours = (loaded.rows["amount"] * loaded.rows["probability"]).set_axis(loaded.rows["opportunity"])
    assert len(theirs) == 458
    assert max(abs(ours[name] - factored) for name, factored in theirs.items()) <= 0.5 + 1e-6
    total = pipeline_by_month(loaded.rows, YEAR)["weighted"].sum()
    assert abs(total - sum(theirs.values())) <= 229
