"""Past targets against our cascade of the same amounts: nothing of the future, no level added to another."""

import numpy as np
import pandas as pd
import pytest

from spms_lib.cycle.hindsight import CASCADE, FROM_TOP, GIVEN, WITHIN, past_targets_against_cascade
from spms_lib.errors import ParamsError

from firms import sales, targets, transactions  # isort: skip

SOURCES = [GIVEN, CASCADE, WITHIN, FROM_TOP]


@pytest.fixture(scope="module")
def seen(acme):
    return past_targets_against_cascade(acme, 6)


def value(cells: pd.DataFrame, source: str, node: str, quarter: str) -> float:
    mine = cells[(cells["source"] == source) & (cells["node"] == node) & (cells["period"] == quarter)]
    return float(mine["value"].item())


def test_every_source_distributes_the_same_amount_over_the_same_nodes(seen) -> None:
    cells = seen.cells[seen.cells["source"] != FROM_TOP]
    sums = cells.groupby(["level", "period", "source"])["value"].agg(["sum", "count"])
    for _, one in sums.groupby(["level", "period"]):
        assert one["sum"].nunique() == one["count"].nunique() == 1
    by_parent = (
        cells[cells["source"].isin([GIVEN, WITHIN])].groupby(["parent", "period", "source"])["value"].sum()
    )
    sides = by_parent.unstack("source")
    assert sides[GIVEN].tolist() == sides[WITHIN].tolist()
    assert sorted(seen.levels["source"].unique()) == sorted(SOURCES)


def test_given_is_what_the_table_says_and_levels_are_never_added(seen) -> None:
    quarter = ["2025-07", "2025-08", "2025-09"]
    wide = targets().pivot_table(index="node", columns="period", values="value")
    for node in ("acme", "north", "anna", "ben"):
        expected = wide.loc[node, quarter].sum() * 100
        assert value(seen.cells, GIVEN, node, "2025Q3") == pytest.approx(expected, abs=1)
    levels = seen.levels.set_index(["level", "source"])
    company, region = (levels.loc[(level, GIVEN), "target"] for level in ("company", "region"))
    assert company == pytest.approx(region, abs=20)


def test_the_cascade_knows_only_what_was_known_on_the_day_before(opened, acme, seen) -> None:
    """Sales of the quarter itself, ten times over, change its actuals and nothing in its targets."""
    sold = transactions()
    boom = sold.assign(value=sold["value"].where(sold["date"] < "2026-01", sold["value"] * 10))
    desk = opened(transactions=boom)
    other = past_targets_against_cascade(desk, 6).cells
    keys = ["level", "node", "period", "source"]
    pd.testing.assert_frame_equal(other[[*keys, "value"]], seen.cells[[*keys, "value"]])
    last = other["period"] == "2026Q1"
    assert last.any()
    assert other.loc[last, "actual"].to_numpy() == pytest.approx(
        10 * seen.cells.loc[last, "actual"].to_numpy()
    )


def test_our_split_is_by_the_history_of_that_day(acme) -> None:
    """By history alone, a team's share is its last twelve months; Dora counts, though her seat is empty today."""
    cells = past_targets_against_cascade(acme, 2, wanted={"history": 1.0}).cells
    past = pd.DataFrame(sales()).T.loc[:, "2024-10":"2025-09"].sum(axis=1)
    seats = ["anna", "ben", "carl", "dora", "emil"]
    given = sum(value(cells, GIVEN, node, "2025Q4") for node in seats)
    for node in seats:
        expected = given * past[node] / past[seats].sum()
        assert value(cells, CASCADE, node, "2025Q4") == pytest.approx(expected, abs=1.5)
    south = sum(value(cells, GIVEN, node, "2025Q4") for node in seats[1:])
    assert value(cells, WITHIN, "ben", "2025Q4") == pytest.approx(
        south * past["ben"] / past[seats[1:]].sum(), abs=1.5
    )  # in that quarter ben still sat in the south


def test_the_measures_are_those_of_three_lines_of_pandas(seen) -> None:
    for _, row in seen.levels[seen.levels["level"] == "seller"].iterrows():
        mine = seen.cells[(seen.cells["level"] == "seller") & (seen.cells["source"] == row["source"])]
        complete = seen.cells.groupby(["node", "period"])["source"].transform("size")
        mine = mine[complete[mine.index] == 4]
        error = mine["value"] - mine["actual"]
        assert row["n"] == len(mine)
        assert row["wape"] == pytest.approx(error.abs().sum() / mine["actual"].sum())
        assert row["bias_ratio"] == pytest.approx(error.sum() / mine["actual"].sum())
        reached = mine["actual"] / mine["value"]
        assert row["at_or_above"] == pytest.approx((reached >= 1).mean())
        assert row["within_20"] == pytest.approx(reached.between(0.8, 1.2).mean())
        each = reached.groupby(mine["period"])
        assert row["cv"] == pytest.approx((each.std(ddof=0) / each.mean()).mean())
        assert row["iqr"] == pytest.approx((each.quantile(0.75) - each.quantile(0.25)).mean())


def test_targets_of_five_per_cent_too_much_for_everybody_are_even_and_out_of_reach(seen) -> None:
    given = seen.levels.set_index(["level", "source"]).loc[("seller", GIVEN)]
    assert given["wape"] == pytest.approx(0.05, abs=1e-3)
    assert given["cv"] == pytest.approx(0.0, abs=1e-3)
    assert given["at_or_above"] == 0.0
    assert given["within_20"] == 1.0
    assert given["misplaced"] == pytest.approx(0.0, abs=1e-4)


def test_quarters_without_a_target_or_a_past_are_listed_and_not_compared(acme) -> None:
    told = past_targets_against_cascade(acme, 10)
    reasons = told.left_out.groupby("reason")["period"].apply(list).to_dict()
    assert "2024Q1" in reasons["no result is known before it"]
    assert told.cells["period"].min() == "2024Q2"


def test_a_company_without_targets_has_an_empty_comparison(opened) -> None:
    told = past_targets_against_cascade(opened(targets=None), 3)
    assert told.cells.empty
    assert told.levels.empty
    assert set(told.left_out["reason"]) == {"no target was given"}


def test_targets_by_quarter_count_as_well_and_a_slip_can_be_left_out(opened) -> None:
    monthly = targets()
    slip = monthly.assign(
        value=monthly["value"].mask((monthly["node"] == "anna") & (monthly["period"] == "2025-08"), 1e5)
    )
    desk = opened(targets=slip)
    with_it, without = (past_targets_against_cascade(desk, 3, without_noted=flag) for flag in (False, True))
    assert "anna" in set(with_it.cells.query("period == '2025Q3'")["node"])
    assert "anna" not in set(without.cells.query("period == '2025Q3'")["node"])
    assert without.left_out["reason"].tolist() == ["target of 'anna' noted as unusually large"]
    whole = monthly.assign(period=pd.PeriodIndex(monthly["period"], freq="Q").astype(str))
    quarterly = whole.groupby(["node", "period"], as_index=False)["value"].sum()
    same = past_targets_against_cascade(opened(targets=quarterly), 1).cells
    plain = past_targets_against_cascade(opened(targets=monthly), 1).cells
    assert same["value"].to_numpy() == pytest.approx(plain["value"].to_numpy(), abs=2)
    assert np.array_equal(same["node"], plain["node"])


def test_a_driver_without_a_date_would_know_the_future_and_is_refused(acme) -> None:
    with pytest.raises(ParamsError, match="'market_potential' has no date"):
        past_targets_against_cascade(acme, 2, wanted={"market_potential": 1.0})
