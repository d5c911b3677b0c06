"""Structural causes: what plan and targets pay for a forecast that is not one's best guess."""

import pytest

from spms_lib.collect.calibration.causes import Edge, Setting, structural_causes


def listed(**known):
    return structural_causes(Setting(**known), money=lambda value: f"{value / 100:,.0f} EUR").set_index(
        "cause"
    )


def test_a_cliff_pays_its_jump_for_the_last_euro() -> None:
    cliff = listed(edges=(Edge(0.8, 0.6, 0.0, 1.0),), incentive=20_000_00).loc["cliff"]
    assert cliff["size"] == 0.6 * 20_000_00
    assert "Reaching 80 % of quota pays 12,000 EUR at once" in cliff["text"]


def test_rates_that_rise_fall_or_end_are_told_apart_with_what_one_per_cent_of_quota_is_worth() -> None:
    edges = (Edge(0.9, 0.0, 0.8, 2.8), Edge(1.0, 0.0, 2.8, 1.5), Edge(1.8, 0.0, 2.0, 0.0))
    found = listed(edges=edges, incentive=10_000_00)
    assert found["size"].to_dict() == pytest.approx({"steeper": 200_00, "flatter": 130_00, "cap": 200_00})


def test_a_ratchet_counts_only_where_its_interval_lies_above_zero() -> None:
    sure = listed(ratchet=0.4, ratchet_low=0.2, ratchet_high=0.6)
    assert sure.loc["ratchet", "towards"] == "low"
    assert "0.40 % (90 % interval 0.20 to 0.60 %)" in sure.loc["ratchet", "text"]
    assert listed(ratchet=0.4, ratchet_low=-0.1, ratchet_high=0.9).empty


def test_targets_above_history_and_a_printed_target_draw_forecasts_up() -> None:
    found = listed(hardness=0.12, target_shown=True)
    assert found["towards"].to_dict() == {"hard targets": "high", "target shown": "high"}
    assert listed(hardness=0.01).empty
    assert listed(hardness=-0.12).loc["easy targets", "towards"] == "low"


def test_a_plan_in_proportion_has_no_cause_and_nothing_known_is_an_empty_list() -> None:
    assert listed(edges=(Edge(1.0, 0.0, 1.0, 1.0),), incentive=10_000_00).empty
    assert listed().empty
