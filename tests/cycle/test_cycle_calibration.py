"""Calibration of a cycle: the record of the tiny company, what the plan counts, and which stage adds value."""

from fractions import Fraction

import pandas as pd
import pytest

from spms_lib.cycle import calibration_tables as tables
from spms_lib.cycle.calibration import calibrate, corrected_field, field_in_use, side_by_side, trial
from spms_lib.cycle.calibration_causes import causes, edges_of, ratchet, typical_scale
from spms_lib.cycle.calibration_stages import absent_stages, stage_forecasts, stage_table
from spms_lib.cycle.pay.plans import seller_plan
from spms_lib.cycle.planning import field_estimate, gather_estimates, learn_trust
from spms_lib.cycle.targets import QUOTA, read_targets
from spms_lib.incentives.plan.points import Scale

from firms import PART, everything, plan_of, set_goals  # isort: skip


def overrides(*rows: tuple[str, str, float, str, str]) -> pd.DataFrame:
    columns = ["node", "period", "value", "overridden_by", "overridden_at"]
    return pd.DataFrame(rows, columns=columns).assign(category="commit", reason="hears otherwise")


def test_each_seller_has_the_bias_that_was_built_in(opened) -> None:
    found = calibrate(opened(roster=None), quarters=4)
    people = found.biases.people
    assert people.loc["Anna", "own"] < -0.09
    assert people.loc["Ben", "own"] == pytest.approx(0.0, abs=0.01)
    assert people.loc["Carl", "own"] > 0.17
    assert people.loc["Anna", "bias"] < people.loc["Ben", "bias"] < people.loc["Carl", "bias"]


def test_the_plan_counts_raw_forecasts_unless_the_params_say_otherwise(opened) -> None:
    desk = opened(roster=None)
    raw = field_estimate(desk)[0]
    assert field_in_use(desk, raw) is raw
    told = opened(roster=None, cycle={"collection": {"apply_correction": True}})
    field = corrected_field(told, calibrate(told))
    used = field_in_use(told, raw).set_index(["node", "period"])["value"]
    assert used.to_dict() == pytest.approx(field.set_index(["node", "period"])["corrected"].to_dict())
    set_goals(told)
    assert tables.counted_as_told(told, field)
    mine = gather_estimates(told)
    assert mine.loc[mine["source"] == "field", "value"].sum() == pytest.approx(field["corrected"].sum())
    worse, better = (
        learn_trust(one, quarters=4).set_index(["source", "node"])["error_ratio"]["field"]["carl"]
        for one in (desk, told)
    )
    assert better < worse  # trust is learned from corrected forecasts too


def test_raw_and_corrected_add_up_to_the_company(opened) -> None:
    desk = opened(roster=None)
    found = calibrate(desk)
    field = corrected_field(desk, found)
    both = side_by_side(desk, found, field).set_index("node")
    assert both.loc["acme", ["raw", "corrected"]].tolist() == pytest.approx(
        field[["raw", "corrected"]].sum().tolist()
    )
    assert both.loc["acme", "raw"] == pytest.approx(both.drop("acme")["raw"].sum())
    assert (both["sd"].dropna() >= both["sd_alone"].dropna()).all()


def test_an_override_counts_in_its_stage_and_an_absent_stage_is_named(opened) -> None:
    desk = opened(roster=None)
    assert absent_stages(stage_forecasts(desk, quarters=4)) == ["manager", "executive"]
    right = {month: value for month, value in desk.actuals().loc["carl"].items() if month >= "2025-04"}
    carl = desk.table("submissions").query("node == 'carl'").set_index("period")["value"]
    rows = [
        ("carl", month, value / 100, "Nora", f"{_quarter(month)}-08 12:00")
        for month, value in right.items()
        if month in carl
    ]
    late = [("carl", "2025-07", 1.0, "Nora", "2025-09-30 12:00")]
    told = opened(roster=None, overrides=overrides(*rows, *late))
    found = stage_forecasts(told, quarters=4)
    assert absent_stages(found) == ["executive"]
    mine = found[(found["node"] == "carl") & found["period"].isin(["2025-07", "2025-10"])]
    manager, rep = (mine[mine["source"] == name].set_index("period")["value"] for name in ("manager", "rep"))
    assert manager.to_dict() == pytest.approx({month: right[month] for month in manager.index})
    assert (rep > manager).all()
    table = stage_table(told, found).set_index(["level", "stage"])
    leaf = told.tree.level_names[-1]
    assert table.loc[(leaf, "manager"), "step"] > 0
    assert table.loc[(leaf, "executive"), "n"] == 0
    assert tables.even_cells(table.reset_index())


def test_an_override_above_the_seats_stands_in_place_of_their_sum(opened) -> None:
    rows = [("south", "2025-10", 999.0, "Somebody", "2025-10-08 12:00")]
    desk = opened(roster=None, overrides=overrides(*rows))
    found = (
        stage_forecasts(desk, quarters=4)
        .query("period == '2025-10' and source == 'manager'")
        .set_index("node")["value"]
    )
    assert found["south"] == 999_00
    assert found["acme"] == pytest.approx(found["north"] + 999_00)


TIERS = [
    {"from": 0, "to": "0.9", "value": "0.8"},
    {"from": "0.9", "to": 1, "value": "2.8"},
    {"from": 1, "to": "1.2", "value": "1.5"},
    {"from": "1.2", "value": 2},
]


def test_the_cap_is_reached_where_the_tiers_have_paid_it() -> None:
    cap = {"value": "2.5", "of": "target_incentive"}
    plan = plan_of(tiers=TIERS, threshold="0.5", cap=cap)
    edges = {edge.attainment: edge for edge in edges_of(plan)}
    assert list(edges) == [0.5, 0.9, 1.0, 1.2, 1.8]
    assert edges[0.5].jump == pytest.approx(0.4)
    assert [edge.jump for at, edge in edges.items() if at > 0.5] == [0, 0, 0, 0]
    assert (edges[1.0].rate_below, edges[1.0].rate_above) == (2.8, 1.5)
    assert edges[1.8].rate_above == 0


def test_rates_on_sales_are_weighed_in_the_target_incentives_of_a_typical_payee() -> None:
    tiers = [{"from": 0, "to": 1, "value": "0.05"}, {"from": 1, "value": "0.08"}]
    plan = plan_of(tiers=tiers, pays="rate")
    assert edges_of(plan) == ()
    typical = Scale(Fraction(1_000_00), Fraction(50_00), 100, "EUR")  # quota and incentive of a quarter
    (edge,) = edges_of(plan, typical)
    assert (edge.attainment, edge.jump) == (1.0, 0.0)
    assert (edge.rate_below, edge.rate_above) == (1.0, 1.6)


def test_a_typical_incentive_is_the_median_of_those_seated_for_one_interval_and_the_part_s_weight(
    planned, opened
) -> None:
    plan = seller_plan(planned)  # Anna 12,000 and Ben 6,000 a year; Carl unknown, Gina not yet there
    assert typical_scale(planned, plan).target_incentive == 9_000_00 / 4
    parts = [{"component": "sales", "weight": "0.5", "interval": "month"}, {"component": "rest", "weight": "0.5"}]
    half = plan_of(components=[{**PART, **part} for part in parts])
    quota = read_targets(planned, layer=QUOTA).loc[planned.tree.leaves].sum(axis=1).median()
    assert typical_scale(planned, half) == (Fraction(round(quota * 4), 12), 375_00, 100, "EUR")
    assert typical_scale(opened(roster=None), plan) is None


def test_causes_are_listed_from_plan_and_targets(firm) -> None:
    desk = firm.write(everything(), plan={"tiers": TIERS, "threshold": "0.5"}).desk()
    set_goals(desk)
    found = causes(desk)
    assert found["text"].str.len().gt(0).all()
    cliff = found[found["cause"] == "cliff"]
    assert cliff["size"].tolist() == [pytest.approx(0.4 * 9_000_00 / 4)]
    assert found["cause"].value_counts()["steeper"] == 2
    slope, low, high = ratchet(desk)
    assert slope is None or low <= slope <= high


def test_a_company_without_submissions_says_so_everywhere(opened) -> None:
    desk = opened(submissions=None, roster=None)
    found = calibrate(desk)
    field = corrected_field(desk, found)
    assert found.biases is None
    assert field.empty
    assert tables.bias_table(desk, found).empty
    assert tables.lead_table(desk, found).empty
    assert tables.range_table(desk, found).empty
    assert tables.confidence_table(found).empty
    names = tables.names_table(desk, found)
    assert names.empty
    assert tables.whisker_rows(desk, found, names).empty
    tried = tables.trial_table(desk, trial(desk, found))
    assert tried.empty
    assert "nothing is known" in tables.calibration_headline(desk, found, names, tried)
    assert side_by_side(desk, found, field)["raw"].isna().all()


def test_ranges_and_confidence_are_set_against_what_came(opened) -> None:
    said = everything()["submissions"]
    commit = said["category"] == "commit"
    told = said.assign(
        low=(said["value"] * 0.95).where(commit), high=(said["value"] * 1.05).where(commit), confidence=0.9
    )
    desk = opened(roster=None, submissions=told)
    found = calibrate(desk, quarters=4)
    table = tables.range_table(desk, found).set_index("name")
    whole = table.iloc[0]
    assert whole["inside"] == pytest.approx(1 / 3)  # Ben's only
    assert whole["below"] == pytest.approx(1 / 3)  # Carl's actuals lie below his ranges
    assert tables.confidence_table(found)["reached"].iloc[-1] <= 1
    assert tables.places(desk, found).between(0, 1).all()


def _quarter(month: str) -> str:
    year, number = month.split("-")
    return f"{year}-{(int(number) - 1) // 3 * 3 + 1:02d}"
