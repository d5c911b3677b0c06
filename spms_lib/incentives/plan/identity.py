"""Which plan it is: a hash of its content, and the version that holds on a day."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from fractions import Fraction
from typing import Any

from spms_lib.errors import PlanError
from spms_lib.incentives.plan.model import CompensationPlan
from spms_lib.incentives.plan.numbers import exact


def plan_hash(plan: CompensationPlan) -> str:
    """Hash what a plan says, with SHA-256; comments, the order of names and how a number is written do not count.

    The further blocks of a plan (crediting, payment, ...) are hashed as they are written.
    """
    canonical = json.dumps(_plain(plan), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


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


def _plain(value: Any) -> Any:
    """Turn a value into what JSON can hold, each meaning in one way only."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, (Fraction, int, float)) and not isinstance(value, bool):
        return {"number": str(exact(value))}
    return value.isoformat() if isinstance(value, dt.date) else value
