"""Versions of plans: which one holds on a day, and that no two do."""

import datetime as dt
from collections.abc import Sequence
from difflib import get_close_matches
from itertools import pairwise

from spms_lib.errors import PlanError
from spms_lib.incentives.plan.model import CompensationPlan
from spms_lib.incentives.plan.values import Problem


def check_versions(plans: Sequence[CompensationPlan]) -> list[Problem]:
    """Name every two versions of one plan that hold on the same day; a place is a position in `plans`.

    A version without an end holds until a later one starts.
    """
    found = []
    order = sorted(range(len(plans)), key=lambda one: (plans[one].name, plans[one].effective_from))
    for one, other in pairwise(order):
        earlier, later = plans[one], plans[other]
        both = later.effective_from == earlier.effective_from or (
            earlier.effective_to is not None and earlier.effective_to >= later.effective_from
        )
        if earlier.name == later.name and both:
            what = f"Versions '{earlier.version}' and '{later.version}' of '{later.name}' both hold on {later.effective_from}."
            found.append(Problem((other,), what, "End the earlier one the day before."))
    return found


def plan_at(plans: Sequence[CompensationPlan], name: str, day: dt.date) -> CompensationPlan:
    """Find the one version of a plan that holds on a day.

    A version without an end holds until a later one starts.

    Raises
    ------
    PlanError
        If there is no such plan, no version of it holds on that day, or two do.
    """
    versions = sorted((plan for plan in plans if plan.name == name), key=lambda plan: plan.effective_from)
    where = f"plan '{name}'"
    if not versions:
        near = get_close_matches(name, [plan.name for plan in plans], n=1)
        known = ", ".join(sorted({plan.name for plan in plans})) or "none"
        remedy = f"Did you mean '{near[0]}'?" if near else f"Known: {known}."
        raise PlanError("There is no such plan.", where=where, remedy=remedy)
    holding = [
        plan
        for plan in versions
        if plan.effective_from <= day and (plan.effective_to is None or day <= plan.effective_to)
    ]
    latest = holding[-1].effective_from if holding else None
    holding = [plan for plan in holding if plan.effective_to is not None or plan.effective_from == latest]
    if len(holding) == 1:
        return holding[0]
    shown = holding or [min(versions, key=lambda plan: _days_off(plan, day))]
    spans = "; ".join(
        f"'{plan.version}' holds {plan.effective_from} to {plan.effective_to or 'open'}" for plan in shown
    )
    what = f"Two versions hold on {day}" if holding else f"No version holds on {day}; the nearest"
    raise PlanError(f"{what}: {spans}.", where=where, remedy="Correct effective_from or effective_to.")


def _days_off(plan: CompensationPlan, day: dt.date) -> int:
    edges = [plan.effective_from, *([plan.effective_to] if plan.effective_to else [])]
    return min(abs((edge - day).days) for edge in edges)
