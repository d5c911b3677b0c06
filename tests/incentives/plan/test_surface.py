"""What the shape of a plan invites, held against hand-computed pay and against the engine's own curve."""

from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.errors import PlanError
from spms_lib.incentives.engine.curve import compile_curve
from spms_lib.incentives.plan.model import INCREMENTAL, LUMP, RETROACTIVE, Curve, Tier
from spms_lib.incentives.plan.points import curve_points
from spms_lib.incentives.plan.read import plan_from_dict
from spms_lib.incentives.plan.shape import capped, paid_at, pieces
from spms_lib.incentives.plan.surface import surface
from spms_lib.report.figures.plan import gaming_surface

from plan_documents import SOUND  # isort: skip

YEAR: dict[str, Any] = {"quota": 100_000_000, "target_incentive": 4_000_000}  # a quarter: 250,000 and 10,000


def _plan(extra: str) -> Any:
    head = "{plan: p, currency: EUR, effective_from: 2026-01-01, components: [{component: c, measure: {value: amount},"
    return plan_from_dict(yaml.safe_load(f"{head} interval: quarter, tie: upper, {extra}}}]}}"))


def _rows(extra: str) -> pd.DataFrame:
    return surface(_plan(extra), **YEAR).set_index("kind")


RETRO = "unit: attainment, pays: rate, mode: retroactive, tiers: [[0, 1, 0.02], [1, null, 0.05]]"


def test_a_rate_back_to_the_first_sale_is_a_cliff_of_rate_difference_times_quota() -> None:
    rows = _rows(RETRO)
    assert (rows.loc["cliff", "at_from"], rows.loc["cliff", "size"]) == (1.0, 750_000)  # 3 % of 250,000.00
    assert rows.loc["cliff", "ratio"] == pytest.approx(0.75)
    assert "€7,500.00 more" in str(rows.loc["cliff", "sentence"])


def test_a_threshold_is_a_dead_zone_and_a_cliff_and_a_cap_a_dead_zone_without_end() -> None:
    tiers = 'unit: attainment, pays: target_incentive, threshold: "50 %", tiers: [[0, null, 1]], cap: 2'
    rows = surface(_plan(tiers), **YEAR)
    cliff, below, above = rows.itertuples()
    assert (cliff.kind, cliff.at_from, cliff.size) == ("cliff", 0.5, 500_000)
    assert (below.at_from, below.at_to) == (0.0, 0.5)
    assert above.at_from == 2.0
    assert np.isnan(float(str(above.at_to)))


def test_a_rate_that_falls_and_rises_is_an_inversion_and_one_that_only_falls_is_flatter() -> None:
    tiers = "unit: attainment, pays: target_incentive, tiers: [[0, 1, 2], [1, 1.2, 0.5], [1.2, null, 1]]"
    rows = _rows(tiers)
    assert tuple(rows.loc["inversion", ["at_from", "at_to", "ratio"]]) == (1.0, 1.2, 0.25)
    assert tuple(rows.loc["steeper", ["at_from", "ratio"]]) == (1.2, 2.0)
    only = _rows("unit: attainment, pays: target_incentive, tiers: [[0, 1, 2], [1, null, 0.5]]")
    assert tuple(only.loc["flatter", ["at_from", "ratio"]]) == (1.0, 0.25)


def test_a_straight_commission_invites_nothing() -> None:
    assert surface(
        _plan("unit: measure, pays: rate, tiers: [[0, 1000, 0.1], [1000, null, 0.1]]"), **YEAR
    ).empty


def test_pay_that_falls_at_a_start_is_a_drop() -> None:
    rows = _rows("unit: attainment, pays: money, mode: lump, tiers: [[0, 1, 500], [1, null, 200]]")
    assert rows.loc["drop", "size"] == -30_000


def test_a_repeating_step_is_a_cliff_at_each_step() -> None:
    rows = _rows("unit: measure, pays: money, step: {every: 1000, pays: 10}")
    assert tuple(rows.loc["cliff", ["at_from", "size"]]) == (1000.0, 1_000)
    points = curve_points(_plan("unit: measure, pays: money, step: {every: 1000, pays: 10}"), "c", **YEAR)
    assert points["pay"].iloc[1:4].tolist() == [0.0, 1000.0, 1000.0]


def test_gates_and_multipliers_are_sized_at_quota_and_a_matrix_is_said_to_have_no_curve() -> None:
    plan = plan_from_dict(yaml.safe_load(SOUND))
    rows = surface(plan, **YEAR)
    # 70 % of 10,000.00; closed, the first rate goes on: 0.8 instead of 1 at quota
    assert rows.loc[rows["kind"] == "gate", "size"].tolist() == [140_000]
    assert rows.loc[rows["kind"] == "multiplier", "size"].tolist() == [350_000, 175_000]
    assert rows.loc[rows["component"] == "services", "kind"].tolist() == ["unsaid"]
    with pytest.raises(PlanError, match="depends on another measure"):
        curve_points(plan, "services", **YEAR)
    with pytest.raises(PlanError, match="no component 'x'"):
        curve_points(plan, "x", **YEAR)
    with pytest.raises(PlanError, match="State both above 0"):
        surface(plan, quota=0, target_incentive=1)


def test_a_jump_is_two_points_at_one_place() -> None:
    points = curve_points(_plan(RETRO), "c", **YEAR)
    assert points["performance"].tolist() == [0.0, 1.0, 1.0, 1.5]
    assert points["pay"].tolist() == [0.0, 500_000.0, 1_250_000.0, 1_875_000.0]


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    edges = sorted(draw(st.sets(st.integers(1, 30), min_size=1, max_size=5)))
    starts = [Fraction(edge, 10) for edge in [0, *edges]]
    tiers = [
        Tier(
            start,
            end,
            Fraction(draw(st.integers(0, 40)), 10),
            draw(st.sampled_from([INCREMENTAL, RETROACTIVE, LUMP])),
        )
        for start, end in zip(starts, [*starts[1:], None], strict=True)
    ]
    threshold = draw(st.none() | st.integers(1, 20).map(lambda tenths: Fraction(tenths, 10)))
    return Curve("attainment", "target_incentive", "upper", tuple(tiers), threshold=threshold)


@given(curve=curves(), at=st.integers(0, 400), cap=st.none() | st.integers(1, 30))
def test_the_pieces_pay_what_the_engine_pays(curve: Curve, at: int, cap: int | None) -> None:
    performance = Fraction(at, 100) + Fraction(1, 1000)  # off the edges, where a float cannot say the side
    engine = float(compile_curve(curve).ratio(np.array([float(performance)]))[0])
    paid = paid_at(capped(pieces(curve), None if cap is None else Fraction(cap, 10)), performance)
    assert float(paid) == pytest.approx(engine if cap is None else min(engine, cap / 10))


def test_the_figure_writes_jumps_and_stretches_that_pay_nothing_more() -> None:
    plan = _plan('unit: attainment, pays: target_incentive, threshold: "50 %", tiers: [[0, null, 1]], cap: 2')
    axes = gaming_surface(curve_points(plan, "c", **YEAR), surface(plan, **YEAR), currency="EUR")
    words = " ".join(text.get_text().replace("\n", " ") for text in axes.texts)
    assert "Jump +€5K" in words
    assert words.count("More sales pay nothing more") == 2
