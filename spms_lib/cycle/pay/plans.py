"""Which plans pay whom in this cycle: read from params/plans, checked against the company."""

import datetime as dt
from dataclasses import replace
from typing import Final

from spms_lib.cycle.desk import Desk
from spms_lib.errors import PlanError
from spms_lib.incentives.plan.model import CompensationPlan
from spms_lib.incentives.plan.read import plan_from_dict
from spms_lib.incentives.plan.versions import plan_at
from spms_lib.params.plans import load_plans

LEAVES: Final = ""  # stands for the level of the leaves, whatever it is called


def plans_of(desk: Desk) -> dict[str, CompensationPlan]:
    """Read the plans that pay in this cycle, by level of the hierarchy; `LEAVES` for the sellers'.

    Returns
    -------
    dict
        Empty where the cycle names none.

    Raises
    ------
    PlanError
        If a file is wrong, no version holds on the quarter's first day, or it pays in another currency.
    """
    named = {LEAVES: desk.params.compensation_plan} if desk.params.compensation_plan else {}
    named |= {level: managers.plan for level, managers in desk.params.manager_plans.items()}
    return {
        level: _checked(desk, plan_at(_all(desk), name, _first_day(desk))) for level, name in named.items()
    }


def seller_plan(desk: Desk) -> CompensationPlan:
    """Read the plan that pays the leaves, or stand in with pay in proportion to attainment."""
    return plans_of(desk).get(LEAVES) or proportional_plan(desk)


def proposed_plan(desk: Desk) -> CompensationPlan | None:
    """Read the newest version of the plan that is weighed against the sellers' present one, as if it held now.

    None if the cycle names none.
    """
    name = desk.params.proposed_plan
    if not name:
        return None
    versions = [plan for plan in _all(desk) if plan.name == name]
    if not versions:
        return plan_at(_all(desk), name, _first_day(desk))  # refuses, and names the nearest
    newest = _checked(desk, max(versions, key=lambda plan: plan.effective_from))
    year = desk.calendar.start(desk.calendar.year_of(desk.cycle))
    return replace(newest, effective_from=min(year, newest.effective_from), effective_to=None)


def proportional_plan(desk: Desk) -> CompensationPlan:
    """Stand in where the cycle names no plan: pay in proportion to attainment of the quarter's quota."""
    return plan_from_dict(
        {
            "plan": "proportional (no plan is named in the cycle)",
            "description": "Stands in until the cycle names a compensation_plan",
            "currency": desk.currency,
            "effective_from": desk.calendar.start(desk.cycle),
            "components": [
                {
                    "component": "sales",
                    "measure": {"value": "amount"},
                    "interval": "quarter",
                    "weight": 1,
                    "unit": "attainment",
                    "pays": "target_incentive",
                    "tie": "upper",
                    "tiers": [{"from": 0, "value": 1}],
                }
            ],
        }
    )


def _all(desk: Desk) -> tuple[CompensationPlan, ...]:
    return load_plans(desk.root / "params" / "plans")


def _first_day(desk: Desk) -> dt.date:
    return desk.calendar.start(desk.cycle)


def _checked(desk: Desk, plan: CompensationPlan) -> CompensationPlan:
    if plan.currency != desk.currency:
        raise PlanError(
            f"The plan pays in {plan.currency}, but the company sells in {desk.currency}.",
            where=f"plan '{plan.name}'",
            remedy="State the plan in the company's currency.",
        )
    return plan
