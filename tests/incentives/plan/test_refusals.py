"""Every mistake that a plan document can hold is refused, each by its own words, at its own place."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
import yaml

from spms_lib.errors import PlanError
from spms_lib.incentives.plan.read import plan_from_dict, read_plan
from spms_lib.incentives.plan.versions import check_versions

from compensation_cases import CASES, of_calc  # isort: skip
from plan_documents import SOUND, changed, mistakes  # isort: skip

TIERS = """    tiers:
      - {from: 0, to: "90 %", value: 0.8}
      - {from: "90 %", to: "100 %", value: 2.8}
      - {from: "100 %", value: 1.5}
"""
GATED = (
    TIERS
    + """    gates:
      - {measure: margin_rate, at_least: "5 %", closed: first_rate}
"""
)
SECOND = '{from: "90 %", to: "100 %", value: 2.8}'
LAST = '{from: "100 %", value: 1.5}'
KICKER = "where: [{column: term_months, less_than: 36}, "

WRONG = {
    # the document
    "an unknown name": ("deal_cap:", "deal_kap:", "components 1.deal_kap", "Did you mean 'deal_cap'?"),
    "no currency": ("currency: EUR\n", "", "currency", "'currency' is not stated"),
    "an unknown currency": ("EUR", "EUX", "currency", "EUX"),
    "a bare clause number": ("weight:", "clause: 4.10\n    weight:", "components 1.clause", "quotes"),
    "yes for a text": ('in: ["yes"]', "in: [yes]", "components 1.kickers 2.where 2.in 1", "quotes"),
    "no number": ("value: 2.8", "value: much", "components 1.tiers 2.value", "'much' is not a number"),
    "no day": ("effective_from: 2026-01-01", "effective_from: soon", "effective_from", "'soon' is not a day"),
    "an end before the start": (
        "effective_to: 2026",
        "effective_to: 2025",
        "effective_to",
        "ends before it starts",
    ),
    "a base share of 5,000 %": ('"50 %"\nrounding', "50\nrounding", "pay_mix", "50 means 5,000 %"),
    "a negative base share": ('"50 %"\nrounding', "-0.5\nrounding", "pay_mix", "negative"),
    "multiples of nothing": ('to: "0.01"', "to: 0", "rounding.to", "multiple of 0"),
    "an unknown rounding": ("half_up", "half_down", "rounding.half", "Did you mean 'half_even'?"),
    # measures
    "an unknown value": ("{value: units}", "{value: unit}", "measures.pieces.value", "Did you mean 'units'?"),
    "a ratio of itself": ("per: amount", "per: margin", "measures.margin_rate.per", "always 1"),
    "an empty list": (
        "in: [hardware, software]",
        "in: []",
        "measures.bookings.where 1.in",
        "no credit passes",
    ),
    "two tests in one": (
        "in: [hardware, software]",
        "in: [hardware], not_in: [software]",
        "measures.bookings.where 1",
        "It has 2 tests",
    ),
    "a text in order": (
        "at_least: 36",
        "at_least: long",
        "components 1.kickers 1.where 1.at_least",
        "no order",
    ),
    "conditions that exclude each other": (
        "[{column: product, in: [hardware, software]}]",
        "[{column: product, in: [hardware]}, {column: product, not_in: [hardware]}]",
        "measures.bookings.where 2",
        "No credit passes both conditions on 'product'",
    ),
    # components
    "two of one name": (
        "component: services",
        "component: new_business",
        "components 2.component",
        "two components",
    ),
    "weights below 100 %": (
        '"30 %"',
        '"20 %"',
        "components 2.weight",
        "Weights sum to 90 %: new_business 70 %",
    ),
    "weights above 100 %": ('"30 %"', '"40 %"', "components 2.weight", "Weights sum to 110 %"),
    "a weight of 7,000 %": ('"70 %"', "70", "components 1.weight", "70 means 7,000 %"),
    "a weight of nothing": ('"30 %"', "0", "components 2.weight", "not positive"),
    "an unknown measure": ("measure: pieces", "measure: piece", "components 2.measure", "no measure 'piece'"),
    "an unknown base": ("base: bookings", "base: booking", "components 2.base", "no measure 'booking'"),
    "a rate of pieces": ("    base: bookings\n", "", "components 2.base", "'pieces' is not money"),
    "an unknown interval": (
        "interval: quarter",
        "interval: week",
        "components 1.interval",
        "'week' is not known",
    ),
    "an unknown prorate": ("deal_cap", "prorate: days\n    deal_cap", "components 1.prorate", "Known: both"),
    "nothing that it pays": (TIERS, "", "components 1.tiers", "Nothing says what it pays"),
    "two shapes": (
        "    deal_cap",
        "    step: {every: 1, pays: 1}\n    deal_cap",
        "components 1.step",
        "tiers and step",
    ),
    "a window the wrong way round": (
        "pays_to: 2026-06",
        "pays_to: 2025-06",
        "components 1.pays_to",
        "before it starts",
    ),
    "a window before the plan": (
        "pays_from: 2026",
        "pays_from: 2025",
        "components 1.pays_from",
        "outside the plan",
    ),
    "a window after the plan": ("pays_to: 2026", "pays_to: 2027", "components 1.pays_to", "outside the plan"),
    # tiers
    "no unit": ("    unit: attainment\n", "", "components 1.unit", "'unit' is not stated"),
    "no pays": ("    pays: target_incentive\n", "", "components 1.pays", "'pays' is not stated"),
    "no tie": (
        "    tie: upper\n    threshold",
        "    threshold",
        "components 1.tie",
        "Write one of upper, lower",
    ),
    "a clause where none is held": (
        "value: 0.8}",
        'value: 0.8, clause: "4"}',
        "components 1.tiers 1.clause",
        "not known here",
    ),
    "no tiers": (TIERS, "    tiers: []\n", "components 1.tiers", "There is no tier"),
    "a gap": ('{from: "90 %"', '{from: "95 %"', "components 1.tiers 2.from", "a gap from 90 % to 95 %"),
    "an overlap": (
        '{from: "90 %"',
        '{from: "85 %"',
        "components 1.tiers 2.from",
        "overlap from 85 % to 90 %",
    ),
    "an inverted tier": (SECOND, '["90 %", "80 %", 2.8]', "components 1.tiers 2.to", "from 90 % to 80 %"),
    "an empty tier": (SECOND, '["90 %", "90 %", 2.8]', "components 1.tiers 2.to", "empty"),
    "tiers that fall": (LAST, '["90 %", null, 1.5]', "components 1.tiers 3.from", "do not rise"),
    "an open tier in the middle": (SECOND, '["90 %", null, 2.8]', "components 1.tiers 3", "without an end"),
    "no first tier": ("{from: 0,", '{from: "10 %",', "components 1.tiers 1", "The first tier starts at 10 %"),
    "a negative rate": ("value: 0.8", "value: -0.8", "components 1.tiers 1.value", "negative"),
    "80 target incentives": (
        "value: 2.8",
        "value: 280",
        "components 1.tiers 2.value",
        '280 means 28,000 %. Write "280 %"',
    ),
    "a start at 9,000 %": (
        '{from: "100 %",',
        "{from: 100,",
        "components 1.tiers 3.from",
        "100 means 10,000 %",
    ),
    "an open interpolation": (
        LAST,
        '["100 %", null, 1.5, interpolated]',
        "components 1.tiers 3.to",
        "no end to be earned up to",
    ),
    "a part of a ratio": (
        "measure: bookings\n",
        "measure: margin_rate\n",
        "components 1.mode",
        "retroactive or lump",
    ),
    "a threshold above a tier": (
        '"50 %"\n    tiers',
        '"95 %"\n    mode: retroactive\n    tiers',
        "components 1.threshold",
        "not below the end of tier 1, 90 %",
    ),
    "a threshold of 5,000 %": (
        '"50 %"\n    tiers',
        "50\n    tiers",
        "components 1.threshold",
        "50 means 5,000 %",
    ),
    "a negative threshold": ('"50 %"\n    tiers', "-1\n    tiers", "components 1.threshold", "negative"),
    "a step of nothing": (
        GATED,
        "    step: {every: 0, pays: 10}\n",
        "components 1.step.every",
        "The step is 0",
    ),
    "a step that pays nothing": (GATED, "    step: {every: 1, pays: 0}\n", "components 1.step.pays", "is 0"),
    "points that fall": (
        TIERS,
        '    curve: {anchors: [["70 %", 1], ["100 %", 0.5]]}\n',
        "components 1.curve.anchors 2",
        "pay must not fall",
    ),
    "a single point": (TIERS, "    average: [[0, 0]]\n", "components 1.average", "There are 1 points"),
    "a jump from a part payment": (
        TIERS,
        '    curve: {anchors: [["70 %", 0.5], ["100 %", 1]], below: 0.2}\n',
        "components 1.curve.below",
        "mode: lump",
    ),
    # what stands around a curve
    "a gate on nothing": (
        "measure: margin_rate, at_least",
        "at_least",
        "components 1.gates 1.component",
        "nothing to look at",
    ),
    "a gate without a level": (' at_least: "5 %",', "", "components 1.gates 1.at_least", "needs one level"),
    "a gate on no component": (
        "{measure: margin_rate, at_least",
        "{component: services_c, at_least",
        "components 1.gates 1.component",
        "no component 'services_c'",
    ),
    "a gate that never opens": (
        'at_least: "5 %"',
        "at_least: 5",
        "components 1.gates 1.at_least",
        "never reaches 500 %",
    ),
    "a gate at 9,500 % of quota": (
        '{measure: margin_rate, at_least: "5 %"',
        "{component: services, at_least: 95",
        "components 1.gates 1.at_least",
        "95 means 9,500 %",
    ),
    "a gate that never closes": (
        'at_least: "5 %"',
        "at_least: 0",
        "components 1.gates 1.at_least",
        "always open",
    ),
    "a closed gate that pays a negative rate": (
        "closed: first_rate",
        "closed: {rate: -0.02}",
        "components 1.gates 1.closed.tiers 1.value",
        "negative",
    ),
    "a gate with both": (
        "measure: margin_rate, at_least",
        "any: [{measure: pieces, at_least: 1}], at_least",
        "components 1.gates 1",
        "both 'any' and a test",
    ),
    "a gate that does not say": (
        "closed: first_rate",
        "closed: {}",
        "components 1.gates 1.closed",
        "first_rate",
    ),
    "no first tier that goes on": (
        TIERS,
        "    step: {every: 1, pays: 1}\n",
        "components 1.gates 1.closed",
        "no first tier that could go on",
    ),
    "factors that do not cover": (
        "[-999, 0.5]",
        "[0.01, 0.5]",
        "components 1.multipliers 1.rows 1",
        "below 0.01",
    ),
    "factors out of order": (
        "[0.05, 1]",
        "[0.2, 1]",
        "components 1.multipliers 1.rows 3",
        "0.1 comes after 0.2",
    ),
    "a negative factor": ("[0.05, 1]", "[0.05, -1]", "components 1.multipliers 1.rows 2", "negative"),
    "a factor of 10,000 %": ("[0.05, 1]", "[0.05, 100]", "components 1.multipliers 1.rows 2", "10,000 %"),
    "a factor on nothing known": (
        "{measure: margin_rate, tie",
        "{measure: margin, tie",
        "components 1.multipliers 1.measure",
        "no measure 'margin'",
    ),
    "no factors": (
        "rows: [[-999, 0.5], [0.05, 1], [0.1, 1.25]]",
        "rows: []",
        "components 1.multipliers 1.rows",
        "no rows",
    ),
    "half a pair": ("[0.05, 1]", "[0.05]", "components 1.multipliers 1.rows 2", "not a pair"),
    "kickers that both match": (
        KICKER,
        "where: [",
        "components 1.kickers 2.where",
        "pass this kicker and kicker 1",
    ),
    "kickers that meet at one value": (
        "less_than: 36",
        "at_most: 36",
        "components 1.kickers 2.where",
        "count both factors",
    ),
    "a negative kicker": ("factor: 1.1", "factor: -1", "components 1.kickers 2.factor", "negative"),
    "the first no deals": (
        "factor: 1.1",
        "factor: 1.1, first: 0",
        "components 1.kickers 2.first",
        "1 or more",
    ),
    "a matrix of another size": (
        '["2 %", "3 %"]]',
        '["2 %"]]',
        "components 2.matrix.values",
        "ask for [2, 2]",
    ),
    "a matrix that does not cover": (
        "starts: [-9, 0.2]",
        "starts: [0.1, 0.2]",
        "components 2.matrix.columns.starts 1",
        "0.1",
    ),
    "a matrix of 300 %": ('"3 %"', "3", "components 2.matrix.values 2 2", "3 means 300 %"),
    "a negative matrix": ('"3 %"', "-0.03", "components 2.matrix.values 2 2", "negative"),
    "a matrix on nothing known": (
        "rows: {component: new_b",
        "rows: {component: b",
        "components 2.matrix.rows.component",
        "no component",
    ),
    "a cap below quota": (
        "cap: {value: 2.5",
        "cap: {value: 0.9",
        "components 1.cap",
        "below what quota pays, 1",
    ),
    "a cap of nothing": ("cap: {value: 2.5", "cap: {value: 0", "components 1.cap", "not positive"),
    "a cap of nothing known": (
        "of: target_incentive}\n",
        "of: salary}\n",
        "components 1.cap.of",
        "'salary' is not known",
    ),
    "a deal cap of nothing": ("deal_cap: 45000", "deal_cap: 0", "components 1.deal_cap", "not positive"),
    "a true-up that is not longer": (
        "{interval: year,",
        "{interval: quarter,",
        "components 1.true_up.interval",
        "not longer",
    ),
    "a true-up cap below quota": (
        "cap: 3}",
        "cap: 0.5}",
        "components 1.true_up.cap",
        "below what quota pays",
    ),
    "a true-up of single deals": (
        "    deal_cap",
        "    accumulate: transaction\n    deal_cap",
        "components 1.true_up",
        "nothing to true up",
    ),
    "a windfall of nothing": ("_over: 1000000", "_over: 0", "components 1.windfall.deal_value_over", "is 0"),
}


def test_the_sound_plan_has_no_mistake() -> None:
    assert mistakes(SOUND) == []


@pytest.mark.parametrize("name", WRONG)
def test_a_plan_is_refused_for(name: str) -> None:
    old, new, place, words = WRONG[name]
    found = mistakes(changed(old, new))
    assert len(found) == 1, found
    assert found[0].startswith(f"{place}: ")
    assert words in found[0]


@pytest.mark.parametrize("case", of_calc("validate"))
def test_published_plans_that_must_be_refused(case: str) -> None:
    rows = CASES[case]["plan"]["tiers"]
    data: dict[str, Any] = yaml.safe_load(SOUND)
    data["components"][0] |= {
        "tiers": rows,
        "unit": "measure",
        "threshold": None,
        "cap": None,
        "true_up": None,
    }
    words = CASES[case]["expected"]["error"].replace("_tier", "")
    assert words in " ".join(problem.what for problem in read_plan(data)[1])


def test_a_refusal_names_all_mistakes_and_where_they_are() -> None:
    data: dict[str, Any] = yaml.safe_load(changed("value: 2.8", "value: much"))
    data["currency"] = "EUX"
    with pytest.raises(PlanError, match="2 mistakes") as refusal:
        plan_from_dict(data)
    assert "components 1.tiers 2.value: 'much' is not a number" in str(refusal.value)
    assert "currency: " in str(refusal.value)


@pytest.mark.parametrize(
    "data", [{}, {"components": [1, None, "x", [], {}]}, {"components": 3}, {"measures": 4}]
)
def test_what_is_no_plan_at_all_is_refused_and_not_a_crash(data: dict[str, object]) -> None:
    plan, found = read_plan(data)
    assert plan is None
    assert len(found) >= 4


def test_two_versions_that_hold_on_one_day_are_named() -> None:
    first = plan_from_dict(yaml.safe_load(SOUND))
    second = replace(first, version="2026.2", effective_from=dt.date(2026, 12, 31), effective_to=None)
    (problem,) = check_versions([second, first])
    assert problem.place == (0,)
    assert "'2026.1' and '2026.2'" in problem.what
    assert check_versions([first, replace(second, effective_from=dt.date(2027, 1, 1))]) == []
    assert check_versions([first, replace(second, name="another")]) == []
    until_the_next = replace(first, effective_to=None)
    assert check_versions([until_the_next, second]) == []
    assert len(check_versions([until_the_next, until_the_next])) == 1
