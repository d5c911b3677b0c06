"""The block `crediting` of a plan document: what it says, and what is wrong with it by place."""

from fractions import Fraction

import pytest
import yaml

from spms_lib.incentives.crediting.rules import crediting_from_dict

GOOD = """
clause: "3"
credit_types:
  revenue: {description: Bookings}
  overlay: {kind: overlay}
  commission: {kind: overlay, owner: "50 %"}
roll_up:
  - {of: revenue, name: override, shares: ["2 %", 0.015], clause: "3.4"}
  - {of: revenue, name: team}
targets:
  quota_spread: [1, 1, 1, "3/2"]
  ramp: [0, "25 %", 0.5]
  mid_period: segments
"""


def test_a_whole_block_is_read_exactly() -> None:
    rules, problems = crediting_from_dict(yaml.safe_load(GOOD))
    assert problems == []
    assert rules is not None
    assert [(one.name, one.kind, one.owner) for one in rules.types] == [
        ("revenue", "split", 1), ("overlay", "overlay", 0), ("commission", "overlay", Fraction(1, 2)),
    ]  # fmt: skip
    assert [one.shares for one in rules.roll_ups] == [(Fraction(1, 50), Fraction(3, 200)), ()]
    assert rules.targets.quota_spread[3] == Fraction(3, 2)
    assert rules.targets.ramp == (0, Fraction(1, 4), Fraction(1, 2))
    assert (rules.clause.number, rules.roll_ups[0].clause.number) == ("3", "3.4")


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("{}", ("credit_types",), "not stated"),
        ("{credit_types: {}}", ("credit_types",), "No credit type"),
        ("{credit_types: {revenue: {kind: splitt}}}", ("credit_types", "revenue", "kind"), "not known"),
        ("{credit_types: {revenue: {owner: 0.5}}}", ("credit_types", "revenue", "owner"), "has what is not split"),
        ("{credit_types: {a: {}}, roll_up: [{of: b, name: x}]}", ("roll_up", 0, "of"), "no credit type 'b'"),
        ("{credit_types: {a: {}}, roll_up: [{of: a, name: a}]}", ("roll_up", 0, "name"), "is taken"),
        ("{credit_types: {a: {}}, roll_up: [{of: a, name: x, shares: [2]}]}", ("roll_up", 0, "shares", 0), "not a share"),
        ("{credit_types: {a: {}}, roll_up: [{of: a, name: x, shares: [1/3]}]}", ("roll_up", 0, "shares", 0), "nine digits"),
        ("{credit_types: {a: {}}, targets: {quota_spread: [1, 2]}}", ("targets", "quota_spread"), "weights of a year"),
        ("{credit_types: {a: {}}, targets: {ramp: [0.123456]}}", ("targets", "ramp", 0), "too fine"),
        ("{credit_types: {a: {}}, targets: {ramp: [half]}}", ("targets", "ramp", 0), "not a number"),
    ],
)  # fmt: skip
def test_each_mistake_is_named_at_its_place(text: str, place: tuple[str | int, ...], what: str) -> None:
    rules, problems = crediting_from_dict(yaml.safe_load(text))
    assert rules is None
    assert [(one.place, what in one.what) for one in problems] == [(("crediting", *place), True)]
