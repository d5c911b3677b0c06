"""Floors and caps of a cycle's params: laid out by month, kept by the plan, refused where they cannot be meant."""

import pytest

from spms_lib.cycle import planning
from spms_lib.cycle.limits import limit_table, limits_in_force
from spms_lib.cycle.targets import read_targets
from spms_lib.errors import ParamsError

from firms import make_plan, set_goals  # isort: skip

WHO = {"owner": "Ada", "reason": "capacity"}
LIMITS = [
    {"nodes": ["anna"], "at_most": 150, **WHO},
    {"nodes": ["north"], "period": "2026-05", "at_least": 260, **WHO},
    {"nodes": ["ben", "carl"], "name": "launch", "at_most": 500, **WHO},
]


@pytest.fixture
def limited(opened):
    desk = opened(cycle={"limits": LIMITS})
    set_goals(desk)
    return desk


def test_a_limit_on_the_quarter_falls_on_its_months_as_the_target_does(limited) -> None:
    targets = read_targets(limited)
    found = limits_in_force(limited, targets)
    cap = found.upper[found.upper["node"] == "anna"].set_index("period")["value"]
    assert cap.sum() == 15_000  # cents, all of it
    own = targets.loc["anna", limited.months]
    assert (cap / 15_000).to_numpy() == pytest.approx((own / own.sum()).to_numpy(), abs=1e-4)
    assert found.lower.to_dict("records") == [{"node": "north", "period": "2026-05", "value": 26_000}]
    assert found.cuts["node"].tolist() == ["ben", "carl"]


def test_the_plan_keeps_every_limit_and_says_what_each_costs(limited) -> None:
    plan, weighed = make_plan(limited)
    wide = plan.commitments
    assert wide.loc["anna"].sum() <= 15_000
    assert wide.loc["north", "2026-05"] >= 26_000
    assert wide.loc[["ben", "carl"]].to_numpy().sum() <= 50_000 + 6  # a cut holds but for rounding
    assert planning.contributions_add_up(plan)
    assert plan.certificate.holds()
    table = limit_table(limited, plan)
    assert set(table["name"]) <= {"Anna", "anna", "north", "launch", *limited.tree.name}
    anna = table[table["name"] == limited.tree.name["anna"]]
    assert (anna["without"] > anna["value"]).all()
    steps = planning.why_moved(limited, plan, weighed)
    assert steps.iloc[:-1]["value"].sum() == pytest.approx(steps["value"].iloc[-1])


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ({"nodes": ["nora"], "at_most": 1}, "names 'nora', which is no node"),
        ({"nodes": ["anna"], "period": "2026-09", "at_most": 1}, "on 2026-09, which is no month of 2026Q2"),
        ({"nodes": ["anna", "ben"], "name": "carl", "at_most": 1}, "'carl' is called like a node"),
        ({"nodes": ["anna"]}, "needs at_least or at_most"),
        ({"nodes": ["anna", "ben"], "at_most": 1}, "on several nodes needs a name"),
        ({"nodes": ["anna"], "at_least": 2, "at_most": 1}, "at_least 2 is above at_most 1"),
    ],
)
def test_a_limit_that_cannot_be_meant_is_refused_by_name(opened, limit: dict, message: str) -> None:
    def plan() -> None:
        desk = opened(cycle={"limits": [{**limit, **WHO}]})
        set_goals(desk)
        limits_in_force(desk, read_targets(desk))

    with pytest.raises(ParamsError, match=message):
        plan()
