"""A sound plan document as text, for tests that change one line of it."""

from typing import Any

import yaml

from spms_lib.incentives.plan.read import place_text, read_plan

SOUND = """
plan: account_executive
version: "2026.1"
currency: EUR
effective_from: 2026-01-01
effective_to: 2026-12-31
pay_mix: "50 %"
rounding: {to: "0.01", half: half_up}
measures:
  bookings: {value: amount, credit_types: [revenue], where: [{column: product, in: [hardware, software]}]}
  pieces: {value: units}
  margin_rate: {value: margin, per: amount}
components:
  - component: new_business
    weight: "70 %"
    measure: bookings
    interval: quarter
    unit: attainment
    pays: target_incentive
    tie: upper
    threshold: "50 %"
    tiers:
      - {from: 0, to: "90 %", value: 0.8}
      - {from: "90 %", to: "100 %", value: 2.8}
      - {from: "100 %", value: 1.5}
    gates:
      - {measure: margin_rate, at_least: "5 %", closed: first_rate}
    multipliers:
      - {measure: margin_rate, tie: upper, rows: [[-999, 0.5], [0.05, 1], [0.1, 1.25]]}
    kickers:
      - {where: [{column: term_months, at_least: 36}], factor: 1.25}
      - {where: [{column: term_months, less_than: 36}, {column: new, in: ["yes"]}], factor: 1.1}
    cap: {value: 2.5, of: target_incentive}
    deal_cap: 45000
    true_up: {interval: year, cap: 3}
    windfall: {deal_value_over: 1000000}
    pays_from: 2026-01-01
    pays_to: 2026-06-30
  - component: services
    weight: "30 %"
    measure: pieces
    base: bookings
    interval: quarter
    matrix:
      rows: {component: new_business, starts: [0, 1]}
      columns: {measure: margin_rate, starts: [-9, 0.2]}
      values: [["1 %", "2 %"], ["2 %", "3 %"]]
      pays: rate
      tie: upper
"""


def mistakes(document: str) -> list[str]:
    """Every mistake of a plan document, as one line each."""
    data: Any = yaml.safe_load(document)
    return [f"{place_text(one.place)}: {one.what} {one.remedy}" for one in read_plan(data)[1]]


def changed(old: str, new: str) -> str:
    """The sound plan with one text in it changed."""
    assert SOUND.count(old) >= 1, f"'{old}' is not in the plan"
    return SOUND.replace(old, new, 1)
