"""Layers of a cycle: each amount from what the params say, the board from history, and all of them in the ledger."""

import json

import pytest
from notebook_project import ROOT, read
from notebook_rules import parameters

from spms_lib.cycle import targets as steps
from spms_lib.cycle.layers import (
    GOAL_DEFAULTS,
    commit_layers,
    company_layers,
    current_history,
    likely_quarter,
    planned_target,
    read_layers,
)
from spms_lib.errors import ParamsError
from spms_lib.goals.chances import amount_reached_with
from spms_lib.params.goals import Layer

from firms import set_goals, transactions  # isort: skip


def amounts(desk, target: int = 200_000, **options: int) -> dict[str, int]:
    table = company_layers(desk, target, **options)
    return dict(zip(table["layer"], table["amount"], strict=True))


def with_layers(opened, **layers: dict):
    return opened(cycle={"layers": layers})


def test_without_a_word_in_the_params_there_is_the_plan_and_the_street_as_set(acme) -> None:
    assert amounts(acme) == {"plan": 200_000, "street": 210_000}  # sellers carry 5 % more
    assert amounts(acme, street=212_345)["street"] == 212_345


def test_each_layer_takes_its_amount_from_the_params(opened) -> None:
    desk = with_layers(opened, board={"of_target": 0.9}, plan={"amount": 2100.5}, street={"of_target": 1.2})
    assert amounts(desk) == {"board": 180_000, "plan": 210_050, "street": 240_000}


def test_a_board_with_only_a_confidence_is_what_past_growth_reaches_with_it(opened) -> None:
    desk = with_layers(opened, board={"confidence": 0.9})
    board = round(amount_reached_with(current_history(desk), 0.9, steps=4))
    table = company_layers(desk, 2 * board).set_index("layer")
    assert table.loc["board", "amount"] == board
    assert table.loc["board", "chance"] == pytest.approx(0.9, abs=0.02)
    assert table.loc["board", "origin"] == "reached with 90% by past growth"


def test_a_board_by_confidence_needs_a_history_up_to_the_last_quarter(opened) -> None:
    sold = transactions()
    desk = opened(
        transactions=sold[sold["date"] < "2025-12"], cycle={"layers": {"board": {"confidence": 0.9}}}
    )
    assert current_history(desk).empty
    assert likely_quarter(desk).empty
    with pytest.raises(ParamsError, match="too little history"):
        company_layers(desk, 200_000)


def test_layers_out_of_order_are_refused_by_name(opened) -> None:
    with pytest.raises(ParamsError, match=r"board layer .* above the plan layer"):
        company_layers(with_layers(opened, board={"of_target": 1.1}), 200_000)
    with pytest.raises(ParamsError, match=r"plan layer .* above the street layer"):
        company_layers(with_layers(opened), 200_000, street=199_999)


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ({"roof": {"amount": 1}}, "layers.roof"),
        ({"board": {"amount": 1, "of_target": 0.5}}, "either 'amount' or 'of_target'"),
        ({"board": {}}, "needs an amount, of_target or a confidence"),
        ({"plan": {"confidence": 1.5}}, "layers.plan.confidence"),
        ({"plan": {"amount": -1}}, "layers.plan.amount"),
    ],
)
def test_layers_that_cannot_be_meant_are_refused(opened, layers: dict, words: str) -> None:
    with pytest.raises(ParamsError, match=words):
        with_layers(opened, **layers)


def test_layers_are_versions_in_the_ledger_and_a_second_commit_adds_nothing(opened) -> None:
    desk = with_layers(opened, board={"of_target": 0.9, "confidence": 0.9}, plan={"confidence": 0.5})
    table = company_layers(desk, 200_000)
    first = commit_layers(desk, table)
    assert first.cells == 3
    assert commit_layers(desk, table) is None
    read = read_layers(desk)
    assert read["layer"].tolist() == ["board", "plan", "street"]
    assert read["amount"].tolist() == table["amount"].tolist()
    assert read["confidence"].tolist()[:2] == [0.9, 0.5]
    assert read["confidence"].isna().tolist() == [False, False, True]
    assert read["origin"].tolist() == table["origin"].tolist()
    assert set(read["author"]) == {"Tester"}


def test_a_changed_layer_is_a_new_version_the_old_one_stays_readable_and_a_dropped_one_is_withdrawn(
    opened,
) -> None:
    desk = with_layers(opened, board={"of_target": 0.9})
    before = commit_layers(desk, company_layers(desk, 200_000))
    table = company_layers(desk, 210_000)
    commit_layers(desk, table[table["layer"] != "board"].reset_index(drop=True))
    assert read_layers(desk)["amount"].tolist() == [210_000, 220_500]
    assert read_layers(desk, as_of=before.id)["amount"].tolist() == [180_000, 200_000, 210_000]


def test_layers_and_targets_of_the_same_quarter_do_not_touch_each_other(fresh) -> None:
    desk = fresh()
    target, base, quota = set_goals(desk)
    street = int(quota.loc[desk.tree.leaves].to_numpy().sum())
    commit_layers(desk, company_layers(desk, target, street=street))
    assert steps.read_targets(desk).equals(base)
    assert steps.read_targets(desk, layer=steps.QUOTA).equals(quota)
    assert steps.commit_targets(desk, base, quota, message="again") is None
    assert read_layers(desk)["amount"].tolist() == [target, street]
    assert json.loads(desk.ledger.state("targets")["text"].dropna().iloc[0])["confidence"] is None


def test_the_companys_target_is_the_one_that_the_goal_notebook_will_set(opened, acme) -> None:
    told = {"target_from": "stated", "stated_target": 1234.5, "history_weight": 1.0}
    desk = opened(cycle={"notebooks": {"goal_setting": told}})
    assert planned_target(desk) == (123_450, "stated in the params")
    growth = steps.company_target(acme, target_from="growth", growth_ratio=0.08, stated_target=0.0)
    assert planned_target(acme) == growth


def test_the_defaults_of_the_target_are_those_of_the_goal_notebook() -> None:
    shipped = parameters(read(ROOT / "notebooks" / "03_goal_setting.ipynb"))
    assert {name: shipped[name][1] for name in GOAL_DEFAULTS} == {
        name: json.dumps(value) for name, value in GOAL_DEFAULTS.items()
    }


def test_a_layer_without_a_word_has_no_confidence() -> None:
    assert Layer() == Layer(confidence=None, of_target=None, amount=None)
