"""What a run may be told of one planning quarter: its dates, goals, duties, and the parameters of its notebooks."""

import datetime as dt
from typing import Literal

from pydantic import Field, field_validator, model_validator

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import ParamsError, PeriodError
from spms_lib.goals.seasonality import pattern_shares
from spms_lib.params.block import Model, Plain, Share
from spms_lib.params.collection import Collection
from spms_lib.params.goals import Criterion, Duty, Gate, Goal, Layer, Limit, Objective
from spms_lib.params.pay import ManagerPlan
from spms_lib.params.resources import CapacityPlan, Resources

Pattern = str | tuple[float, ...]


class Cycle(Model):
    """One planning quarter: its dates, goals, duties and the parameters of its notebooks."""

    company: str
    """Short name of the company."""
    cycle: str
    """Fiscal quarter that is planned, such as 2026Q3."""
    plan_as_of: dt.date
    """Last day whose actuals the plan may know; before the quarter starts."""
    collect_as_of: dt.date
    """Cut-off of submissions and of the pipeline snapshot."""
    monitor_as_of: dt.date
    """Day of the monitoring run."""
    as_of: dt.date
    """Day of the review."""
    review_level: str = ""
    """Level whose nodes each get a review of their own; the one below the company if empty."""
    compensation_plan: str = ""
    """Name of the plan, in any file of params/plans, that pays the sellers; empty if none is paid from this workbench."""
    manager_plans: dict[str, ManagerPlan] = {}
    """Level: the plan that pays the owners of its nodes on what is sold below them."""
    proposed_plan: str = ""
    """Plan that the incentives notebook weighs against the sellers' present one."""
    pay_contact: str = ""
    """Whom a payee writes to about a statement, such as an address."""
    leaderboard: tuple[str, ...] = ()
    """People who agreed to be named on leaderboards; everybody else is counted without a name."""
    over_assignment: dict[str, float] = {}
    """Level: ratio by which quotas of its nodes exceed their parent's; 0.05 is 5 %."""
    over_assignment_by_node: dict[str, float] = {}
    """Manager's node: ratio for the nodes below it, in place of their level's."""
    gates: tuple[Gate, ...] = ()
    """Who takes no part in the split of the target, or only in part."""
    driver_floor: Share = 0.0
    """Least history of a leaf, as a share of the mean of its positive siblings; 0 leaves zero as it is."""
    phasing: Pattern | dict[str, Pattern] = "history"
    """How the quarter falls on its months: history, even, bell, 4-4-5, 25/50/100 or percentages; or by node."""
    baseline: Literal["house", "auto"] = "house"
    """What history alone forecasts: `house` is quick and the same for every node, `auto` takes the model that was nearest."""
    baseline_jobs: int = Field(default=1, ge=1)
    """Processes that compute `auto` baselines. The numbers do not depend on it."""
    goals: tuple[Goal, ...] = ()
    """Goals of the organisation."""
    objectives: tuple[Objective, ...] = ()
    """Objectives of the cycle."""
    layers: dict[Literal["board", "plan", "street"], Layer] = {}
    """Layer: its amount and confidence. A board without an amount is what past growth reaches with its confidence; \
a plan without one is the company's target; a street without one is the sum of quotas."""
    duties: tuple[Duty, ...] = ()
    """Who does what by when."""
    criteria: tuple[Criterion, ...] = ()
    """Answers to the questions on culture, market and resources."""
    limits: tuple[Limit, ...] = ()
    """Floors and capacity caps that the reconciled plan respects."""
    collection: Collection = Collection()
    """How forecasts are collected, and how far they are trusted."""
    capacity: CapacityPlan = CapacityPlan()
    """What is assumed about the people at hand: ramp, leaving, hires."""
    resources: Resources | None = None
    """Heads, budget and tools that can be added; none if not given."""
    notebooks: dict[str, dict[str, Plain]] = {}
    """Notebook: parameters that differ from its defaults."""

    @model_validator(mode="after")
    def _in_order(self) -> "Cycle":
        if not self.plan_as_of <= self.collect_as_of <= self.as_of:
            raise ValueError("dates must run plan_as_of <= collect_as_of <= as_of")
        if not self.plan_as_of <= self.monitor_as_of <= self.as_of:
            raise ValueError("dates must run plan_as_of <= monitor_as_of <= as_of")
        due = self.collection.due
        if due is not None and not self.plan_as_of <= due <= self.collect_as_of:
            raise ValueError("dates must run plan_as_of <= collection.due <= collect_as_of")
        board = self.layers.get("board")
        if board and board.amount is None and board.of_target is None and board.confidence is None:
            raise ValueError("the board layer needs an amount, of_target or a confidence")
        weight = sum(goal.weight for goal in self.goals)
        if self.goals and abs(weight - 1) > 1e-9:
            raise ValueError(f"the weights of the goals sum to {weight:g}, not to 1")
        known = {goal.goal for goal in self.goals}
        for objective in self.objectives:
            strange = set(objective.serves) - known
            if strange:
                raise ValueError(
                    f"objective '{objective.objective}' serves the unknown goal '{min(strange)}'"
                )
            if sum(objective.serves.values()) > 1 + 1e-9:
                raise ValueError(f"objective '{objective.objective}' serves goals by more than 1 together")
        return self

    @field_validator("phasing")
    @classmethod
    def _patterns(cls, value: Pattern | dict[str, Pattern]) -> Pattern | dict[str, Pattern]:
        for pattern in value.values() if isinstance(value, dict) else [value]:
            try:
                pattern_shares("even" if pattern == "history" else pattern, 3)
            except ParamsError as refusal:
                raise ValueError(str(refusal)) from None
        return value

    @field_validator("cycle")
    @classmethod
    def _a_quarter(cls, value: str) -> str:
        try:
            name = FiscalCalendar().parse(value)
        except PeriodError as refusal:
            raise ValueError(str(refusal)) from None
        if "Q" not in name:
            raise ValueError(f"'{value}' is not a quarter; write it as 2026Q3")
        return name
