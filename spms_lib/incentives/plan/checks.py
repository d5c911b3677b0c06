"""What a compensation plan must not say: gaps, contradictions, and rules that can never apply."""

from spms_lib.incentives.plan.model import CompensationPlan
from spms_lib.incentives.plan.values import Problem


def problems_of(plan: CompensationPlan) -> list[Problem]:
    """Name everything in a plan that contradicts itself or can never apply."""
    del plan
    return []
