"""What a cycle says of pay beside the plans themselves."""

from pydantic import Field

from spms_lib.params.block import Model


class ManagerPlan(Model):
    """The plan of the people who answer for the nodes of one level."""

    plan: str
    """Plan in params/plans."""
    target_incentive: float | None = Field(default=None, gt=0)
    """Variable pay of a full year at 100 % attainment, in currency units; unknown if not given."""
