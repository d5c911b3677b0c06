"""Objectives of a cycle: judged by the past of their own measure, and supplied targets never added over levels."""

import datetime as dt

import pandas as pd
import pytest

from spms_lib.cycle.measures import measure_history, measure_table
from spms_lib.cycle.objectives import (
    adds_up,
    alignment_table,
    decision_needed,
    objective_checks,
    objective_outlook,
    objective_table,
    objectives_headline,
    outlook_shown,
    serving_table,
    supplied_targets,
)
from spms_lib.cycle.targets import quarter_history, target_chance
from spms_lib.errors import TableError
from spms_lib.goals.objectives import CHECKS

from firms import CYCLE, FIRST, LAST, everything, sales, targets, transactions  # isort: skip
from toys import table  # isort: skip

OBJECTIVE = CYCLE["objectives"][0]
LAST_YEAR = sum(months.get(m, 0) for m in ("2025-04", "2025-05", "2025-06") for months in sales().values())


def with_objective(opened, *, tables: dict | None = None, **changes: object):
    return opened(cycle={"objectives": [{**OBJECTIVE, **changes}]}, **(tables or {}))


def told(desk, check: str = "reachable") -> str:
    rows = objective_checks(desk)
    return rows[rows["check"] == check]["detail"].item()


def answer(desk, check: str) -> object:
    rows = objective_checks(desk)
    return rows[rows["check"] == check]["passed"].item()


def values(desk, measure: str) -> dict[str, float]:
    rows = measure_history(desk)
    return rows[rows["measure"] == measure].set_index("period")["value"].to_dict()


def units(desk) -> dict[str, str]:
    return measure_history(desk).drop_duplicates("measure").set_index("measure")["unit"].to_dict()


# -- judged by their own measure -------------------------------------------------------------------


def test_an_objective_in_money_is_judged_by_its_own_target(opened) -> None:
    easy, hard = (with_objective(opened, target=euros) for euros in (100.0, 99_999.0))
    assert told(easy) == "100% from past growth alone"
    assert told(hard) == "0% from past growth alone"


@pytest.mark.parametrize("ratio", [1.0, 1.02, 1.08])
def test_a_ratio_of_last_year_is_judged_as_that_times_the_same_quarter(opened, ratio: float) -> None:
    desk = with_objective(opened, unit="ratio of last year", baseline=1.0, target=ratio)
    outlook = objective_outlook(desk, measure_history(desk)).iloc[0]
    assert outlook["target"] == pytest.approx(ratio * LAST_YEAR * 100)
    assert outlook["growth"] == pytest.approx(ratio - 1.0)
    assert outlook["chance"] == target_chance(desk, round(ratio * LAST_YEAR * 100))
    assert answer(desk, "baseline known") is True


@pytest.mark.parametrize(
    "changes",
    [
        {"measure": "new customers"},
        {"due": dt.date(2026, 12, 31)},  # another quarter: nobody here knows its chance
        {"due": None},
        {"unit": "USD"},  # another unit than the measure's cannot be compared
        {"target": None},
    ],
)
def test_what_history_says_nothing_about_has_no_chance(opened, changes: dict) -> None:
    assert told(with_objective(opened, **changes)) == "not enough history to tell"


def test_a_history_that_ends_before_the_last_quarter_says_nothing_about_this_one(opened) -> None:
    sold = transactions()
    old = sold[sold["date"] < "2025-12"]
    assert told(with_objective(opened, tables={"transactions": old})) == "not enough history to tell"


def test_the_baseline_is_held_to_the_same_quarter_of_last_year(opened) -> None:
    right = with_objective(opened, baseline=round(LAST_YEAR, 2), target=9_999)
    assert answer(right, "baseline known") is True
    assert answer(with_objective(opened), "baseline known") is False
    assert answer(with_objective(opened, due=None), "baseline known") is None


def test_an_objective_on_pieces_is_judged_by_pieces(opened) -> None:
    sold = transactions().assign(quantity=lambda rows: rows["value"] / 10)
    more = {"measure": "units", "unit": "pieces", "baseline": LAST_YEAR / 10, "target": LAST_YEAR / 20}
    desk = with_objective(opened, tables={"transactions": sold}, **more)
    assert told(desk) == "100% from past growth alone"
    assert answer(desk, "baseline known") is True
    assert answer(desk, "forward") is False
    fewer = with_objective(opened, tables={"transactions": sold}, direction="down", **more)
    assert told(fewer) == "0% from past growth alone"


def test_a_stated_confidence_is_held_to_the_computed_chance(opened) -> None:
    assert answer(with_objective(opened, target=100.0, confidence=0.9), "calibrated") is True
    assert told(with_objective(opened, target=100.0, confidence=0.3), "calibrated").endswith("too careful")


# -- measures --------------------------------------------------------------------------------------


def test_the_planned_measure_has_the_history_that_its_target_is_judged_by(acme) -> None:
    history = measure_history(acme)
    mine = history[history["measure"] == "revenue"]
    assert history["measure"].iloc[0] == "revenue"
    pd.testing.assert_series_equal(
        mine.set_index("period")["value"], quarter_history(acme), check_names=False, check_index_type=False
    )
    assert mine["period"].max() == "2026Q1"  # the plan knows nothing later


def test_margin_and_new_customers_come_from_the_sales_in_their_own_units(opened) -> None:
    sold = transactions().assign(cost=lambda rows: (rows["value"] / 4).round(2), account="old")
    sold.loc[sold["date"].between("2026-01", "2026-02"), "account"] = "eva"
    desk = opened(transactions=sold)
    assert units(desk) == {"revenue": "EUR", "margin": "EUR", "new_customers": "customers"}
    spring = sold[sold["date"].between("2025-04", "2025-06-99")]
    margin = round((spring["value"] - spring["cost"]).sum() * 100)
    assert values(desk, "margin")["2025Q2"] == pytest.approx(margin)
    assert values(desk, "new_customers") == {
        **dict.fromkeys(["2025Q1", "2025Q2", "2025Q3", "2025Q4"], 0.0),
        "2026Q1": 1.0,
    }


def test_shares_of_product_lines_are_computed_where_an_objective_asks(opened, acme) -> None:
    desk = with_objective(opened, measure="share of service", unit="ratio", baseline=0.3, target=0.4)
    spring = transactions()[lambda rows: rows["date"].between("2025-04", "2025-06-99")]
    share = spring[spring["product"] == "service"]["value"].sum() / spring["value"].sum()
    assert values(desk, "share of service")["2025Q2"] == pytest.approx(share)
    assert "share of service" not in units(acme)


def test_measures_of_the_actuals_keep_their_unit_and_stated_ones_win(opened) -> None:
    """Calls are stated as 12 a month; pieces are stated too, so the quantities of sales are not counted."""
    months = [str(month) for month in pd.period_range(FIRST, LAST, freq="M")]
    rows = [
        ("anna", m, name, unit, n)
        for m in months
        for name, unit, n in (("calls", "calls", 12), ("units", "pieces", 5))
    ]
    actuals = pd.DataFrame(rows, columns=["node", "period", "measure", "unit", "value"])
    desk = opened(actuals=actuals, transactions=transactions().assign(quantity=1))
    assert (units(desk)["calls"], units(desk)["units"]) == ("calls", "pieces")
    assert set(values(desk, "calls").values()) == {36.0}
    assert set(values(desk, "units").values()) == {15.0}
    assert len(values(desk, "calls")) == 9


def test_a_measure_in_two_units_is_refused(opened) -> None:
    rows = [("anna", "2026-01", "calls", "calls", 1), ("anna", "2026-02", "calls", "minutes", 1)]
    actuals = pd.DataFrame(rows, columns=["node", "period", "measure", "unit", "value"])
    with pytest.raises(TableError, match="'calls' is stated in calls and minutes"):
        measure_history(opened(actuals=actuals))


def test_deals_are_counted_in_quarters_that_the_snapshots_cover_whole(opened) -> None:
    """Snapshots from mid-2025 on: the third quarter is covered only from its end, so 2025Q4 is the first."""
    deals = table("""
        opportunity node  status amount created    close_date as_of
        D1          anna  open   100    2025-07-05 2025-10-20 2025-09-30
        D1          anna  won    120    2025-07-05 2025-10-20 2025-12-31
        D2          carl  open   40     2025-11-05 2026-02-20 2025-12-31
        D2          carl  won    40     2025-11-05 2026-02-20 2026-03-31
        D3          ben   lost   60     2026-01-01 2026-03-20 2026-03-31
        D4          ben   won    60     2026-04-01 2026-04-20 2026-04-30
        """).astype({"amount": float})
    desk = opened(opportunities=deals)
    assert values(desk, "won_deals") == {"2025Q4": 1.0, "2026Q1": 1.0}
    assert values(desk, "new_deals") == {"2025Q4": 1.0, "2026Q1": 1.0}
    one_export = deals[deals["as_of"] == "2026-03-31"]
    assert values(opened(opportunities=one_export), "won_deals") == {}


def test_measures_are_laid_out_with_growth_on_the_same_quarter(acme) -> None:
    row = measure_table(acme, measure_history(acme)).set_index("measure").loc["revenue"]
    year_before = sum(m.get(f"2024-0{n}", 0) for n in (4, 5, 6) for m in sales().values())
    assert row["last_year"] == pytest.approx(LAST_YEAR * 100)
    assert row["growth"] == pytest.approx(LAST_YEAR / year_before - 1)
    assert (row["unit"], row["counted_in"], row["quarters"]) == ("money", "EUR", 9)


# -- tables of the notebook ------------------------------------------------------------------------


def test_every_objective_of_the_params_is_asked_every_question(acme) -> None:
    checks = objective_checks(acme)
    assert len(checks) == len(CHECKS) * len(objective_table(acme))
    assert list(alignment_table(acme)["gap"]) == [0.25, -0.25, 0.0]
    assert adds_up(serving_table(acme), alignment_table(acme))


def test_a_cycle_without_objectives_is_an_empty_table_and_uncovered_goals(opened) -> None:
    desk = opened(cycle={"objectives": []})
    checks, coverage = objective_checks(desk), alignment_table(desk)
    assert checks.empty
    assert serving_table(desk).empty
    assert coverage.set_index("goal")["gap"].to_dict() == {"grow": -0.75, "keep": -0.25, "(no goal)": 0.0}
    assert adds_up(serving_table(desk), coverage)
    assert outlook_shown(desk, objective_outlook(desk, measure_history(desk))).empty
    nothing = pd.DataFrame({"passed": [], "severity": []})
    assert objectives_headline(checks, coverage, nothing).startswith("0 of 0 objectives")
    assert "nobody serves grow, keep" in objectives_headline(checks, coverage, nothing)


def test_effort_that_is_counted_twice_or_lost_does_not_add_up(acme) -> None:
    served, coverage = serving_table(acme), alignment_table(acme)
    assert not adds_up(served.assign(contributes=served["contributes"] * 2), coverage)
    assert not adds_up(served, coverage.head(0))


def test_the_decision_names_what_does_not_hold(acme) -> None:
    nothing = pd.DataFrame({"passed": pd.Series(dtype=object), "severity": []})
    checks = objective_checks(acme)
    assert decision_needed(checks, nothing).endswith("correct, drop or accept sales.")
    gap = pd.DataFrame({"passed": [False, False], "severity": ["finding", "warning"]})
    assert "settle who does what (open findings: 1)" in decision_needed(checks.head(0), gap)
    assert decision_needed(checks.head(0), nothing).startswith("Objectives hold")


def test_supplied_targets_are_summed_by_level_and_every_row_is_in_one(acme) -> None:
    given = targets()
    table = supplied_targets(acme)
    assert table["level"].tolist() == ["company", "region", "seller", "(left the tree)"]
    assert table["rows"].sum() == len(given)
    assert table["sum"].sum() == table["sum_of_all_rows"].iloc[0]
    company = given[given["node"] == "acme"]["value"].sum() * 100
    assert table["sum"].iloc[0] == pytest.approx(company)
    assert table["sum_of_all_rows"].iloc[1:].isna().all()


def test_a_hierarchy_without_levels_and_a_company_without_targets_are_no_reason_to_fail(opened) -> None:
    people = everything()["hierarchy"].drop(columns="level")
    desk = opened(hierarchy=people, cycle={"over_assignment": {}})
    assert supplied_targets(desk)["rows"].sum() == len(targets())
    assert supplied_targets(opened(targets=None)).empty


def test_pieces_are_not_added_to_money(opened, acme) -> None:
    mixed = pd.concat([targets().assign(measure="revenue"), targets().assign(measure="pieces", value=1.0)])
    pd.testing.assert_frame_equal(supplied_targets(opened(targets=mixed)), supplied_targets(acme))
