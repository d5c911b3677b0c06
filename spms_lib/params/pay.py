"""What a cycle says of pay beside the plans themselves: who is paid by which, and at what target incentive."""

from pydantic import Field

from spms_lib.params.block import Model


class ManagerPlan(Model):
    """The plan of the people who answer for the nodes of one level."""

    plan: str
    """Name of a plan in any file of params/plans; judged against the node's quota."""
    target_incentive: float | None = Field(default=None, gt=0)
    """Variable pay of a full year at 100 % attainment, in currency units; unknown if not given."""
