"""Objectives of a cycle: judged by their own target, and supplied targets never added over levels."""

import datetime as dt

import pandas as pd
import pytest

from spms_lib.cycle.objectives import alignment_table, objective_checks, objective_table, supplied_targets
from spms_lib.cycle.targets import target_chance

from firms import CYCLE, everything, targets  # isort: skip

OBJECTIVE = CYCLE["objectives"][0]


def with_objective(opened, **changes: object):
    return opened(cycle={"objectives": [{**OBJECTIVE, **changes}]})


def reachable(desk, target: int = 200_000) -> str:
    rows = objective_checks(desk, target)
    return rows[rows["check"] == "reachable"]["detail"].item()


def test_an_objective_in_money_is_judged_by_its_own_target(opened) -> None:
    easy, hard = (with_objective(opened, target=euros) for euros in (100.0, 99_999.0))
    assert reachable(easy) == "100% from past growth alone"
    assert reachable(hard) == "0% from past growth alone"


def test_an_objective_in_another_unit_is_judged_by_the_companys_target(opened) -> None:
    desk = with_objective(opened, unit="ratio of last year", target=1.1)
    assert reachable(desk, 10_000) == "100% from past growth alone"
    chance = target_chance(desk, 160_000)
    assert reachable(desk, 160_000) == f"{chance:.0%} from past growth alone"


@pytest.mark.parametrize(
    "changes",
    [
        {"measure": "new customers"},
        {"due": dt.date(2026, 12, 31)},  # another quarter: nobody here knows its chance
        {"due": None},
    ],
)
def test_what_history_says_nothing_about_has_no_chance(opened, changes: dict) -> None:
    assert reachable(with_objective(opened, **changes)) == "not enough history to tell"


def test_every_objective_of_the_params_is_asked_every_question(acme) -> None:
    checks = objective_checks(acme, 200_000)
    assert len(checks) == 6 * len(objective_table(acme))
    assert list(alignment_table(acme)["gap"]) == [0.25, -0.25, 0.0]


def test_a_cycle_without_objectives_is_an_empty_table_and_uncovered_goals(opened) -> None:
    desk = opened(cycle={"objectives": []})
    assert objective_checks(desk, 1).empty
    assert alignment_table(desk).set_index("goal")["gap"].to_dict() == {
        "grow": -0.75,
        "keep": -0.25,
        "(no goal)": 0.0,
    }


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
