"""The further blocks of a plan document, each read by the room that carries it out, and all their mistakes at once."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from spms_lib.errors import PlanError
from spms_lib.incentives.crediting.rules import crediting_from_dict
from spms_lib.incentives.payments.read import terms_from_dict
from spms_lib.incentives.plan.model import CompensationPlan
from spms_lib.incentives.plan.values import Problem
from spms_lib.incentives.recognition.rules import award_rules_from_dict
from spms_lib.incentives.truth.declared import incentive_from_dict
from spms_lib.money import minor_per_unit

_READERS: Final[Mapping[str, Callable[[Any, CompensationPlan], list[Problem]]]] = {
    "crediting": lambda block, _: crediting_from_dict(block)[1],
    "payment": lambda block, plan: terms_from_dict(block, minor_per_unit(plan.currency))[1],
    "forecast_incentive": lambda block, plan: _refused(
        "forecast_incentive", lambda: incentive_from_dict(block, currency=plan.currency)
    ),
    "awards": lambda block, _: _refused("awards", lambda: award_rules_from_dict(block)),
}
_SHAPES: Final[Mapping[str, type]] = {"awards": list}  # the others are mappings


def block_problems(plan: CompensationPlan) -> list[Problem]:
    """List what is wrong with a plan's crediting, payment, forecast incentive and awards.

    Examples
    --------
    >>> from spms_lib.incentives.plan.read import plan_from_dict
    >>> plan = plan_from_dict({"plan": "AE", "currency": "EUR", "effective_from": "2026-01-01",
    ...     "components": [{"component": "new", "measure": {"value": "amount"}, "interval": "month",
    ...         "unit": "measure", "pays": "rate", "tie": "upper", "tiers": [[0, None, "1 %"]]}],
    ...     "payment": {"paid": "weekly"}})
    >>> block_problems(plan)[0].place
    ('payment', 'paid')
    """
    found: list[Problem] = []
    for name, block in plan.blocks.items():
        shape = _SHAPES.get(name, dict)
        if isinstance(block, shape):
            found += _READERS[name](block, plan)
        else:
            kind = "a list" if shape is list else "a block of names and values"
            found.append(Problem((name,), f"'{name}' is not {kind}.", f"Write {kind} under it."))
    return found


def _refused(name: str, read: Callable[[], object]) -> list[Problem]:
    """Turn the refusal of a reader that stops at its first mistake into a problem of its block."""
    try:
        read()
    except PlanError as refusal:
        place = f"{refusal.where}: " if refusal.where and refusal.where != name else ""
        return [Problem((name,), f"{place}{refusal.what}", refusal.remedy)]
    return []
