"""What a cycle may be told of its goals: objectives, layers, duties, answers, limits and gates, each with its unit."""

import datetime as dt
from typing import Literal

from pydantic import Field, model_validator

from spms_lib.params.block import Model, Share


class Goal(Model):
    """A goal of the whole organisation, which objectives serve."""

    goal: str
    """Short identifier."""
    statement: str
    """The goal in one sentence."""
    weight: Share
    """Importance; the weights of all goals sum to 1."""


class Objective(Model):
    """Something to reach: how much, by when, by whom, and which goal it serves."""

    objective: str
    """Short identifier."""
    statement: str
    """The objective in one sentence."""
    measure: str = ""
    """What is counted, such as revenue, units or new_customers; empty is a finding, not a default."""
    unit: str = ""
    """Unit of baseline and target, such as EUR, pieces, ratio or `ratio of last year`."""
    baseline: float | None = None
    """Value today, in the unit; of an amount by quarter, the same quarter last year."""
    target: float | None = None
    """Value to reach, in the unit."""
    due: dt.date | None = None
    """Day by which it is reached."""
    owner: str = ""
    """Person who answers for it."""
    serves: dict[str, Share] = {}
    """Goal: share of this objective that serves it; at most 1 together."""
    assumption: str = ""
    """What must hold for the target to make sense."""
    confidence: Share | None = None
    """Owner's probability of reaching it; 0.7 is 70 %."""
    direction: Literal["up", "down"] = "up"
    """Whether more of the measure is better, or less."""
    weight: float = Field(default=1.0, ge=0)
    """Importance relative to the other objectives."""


FULFILLED_BY = {
    "company target": "layers",
    "confidence layers": "layers",
    "approach": "approach",
    "approach choice": "approach",
    "cascade": "targets",
    "submissions": "submission",
    "forecast collection": "submission",
    "reconciliation": "plan",
    "sign-off": "sign-off",
    "publication": "sign-off",
}
"""Step of the cycle: what fulfils it where a duty does not say; any other step needs an approval."""

DoneWhen = Literal[
    "",
    "layers",
    "approach",
    "targets",
    "form",
    "submission",
    "override",
    "hold",
    "edit",
    "decision",
    "note",
    "approval",
    "plan",
    "pay",
    "sign-off",
]


class Duty(Model):
    """Who does a step of the cycle, by when (RACI)."""

    step: str
    """Step of the cycle."""
    responsible: str = ""
    """Who does it; several with commas. Empty is a finding, not a default."""
    accountable: str = ""
    """Who answers for it: exactly one."""
    consulted: str = ""
    """Who is asked."""
    informed: str = ""
    """Who is told."""
    due: dt.date | None = None
    """Day by which it is done."""
    done_when: DoneWhen = ""
    """What in the ledger fulfils it: a kind of commit, or layers, approach, sign-off; by the step's name if empty."""

    @property
    def fulfilled_by(self) -> str:
        """What fulfils the step: as stated, else by its name, else an approval of the step itself."""
        return self.done_when or FULFILLED_BY.get(self.step.strip().lower(), "approval")


class Layer(Model):
    """One version of the company's number, with how sure somebody is of it."""

    confidence: Share | None = None
    """Stated probability of reaching it; 0.9 is 90 %."""
    of_target: float | None = Field(default=None, gt=0)
    """Ratio of the company's target; 0.94 is 94 %."""
    amount: float | None = Field(default=None, gt=0)
    """Amount in units of the currency."""

    @model_validator(mode="after")
    def _one_amount(self) -> "Layer":
        if self.amount is not None and self.of_target is not None:
            raise ValueError("give either 'amount' or 'of_target'")
        return self


class Criterion(Model):
    """One structured question about the company that speaks for top-down or for bottom-up."""

    question: str
    """The question."""
    score: int = Field(ge=-2, le=2)
    """-2 speaks strongly for bottom-up, 0 for neither, 2 strongly for top-down."""
    weight: float = Field(default=1.0, ge=0)
    """Importance relative to the other questions."""
    reason: str
    """Why this score."""
    decided_by: str
    """Who gave it."""
    topic: Literal["", "culture", "market", "data", "resources"] = ""
    """What it is about; empty for a standard question, which knows its own."""
    decided_on: dt.date | None = None
    """When it was given."""


class Limit(Model):
    """What the plan of a node, or of several together, must not pass: a floor, a capacity cap, or both."""

    nodes: tuple[str, ...] = Field(min_length=1)
    """The node; or several, whose sum is limited."""
    name: str = ""
    """What to call the sum of several nodes; needed for them, and no node's name."""
    period: str = ""
    """A month of the quarter; the whole quarter if empty, which falls on its months as the target does."""
    at_least: float | None = None
    """Floor, in units of the currency."""
    at_most: float | None = None
    """Cap, in units of the currency."""
    owner: str
    """Who set it."""
    reason: str
    """Why."""

    @model_validator(mode="after")
    def _says_something(self) -> "Limit":
        if self.at_least is None and self.at_most is None:
            raise ValueError("a limit needs at_least or at_most")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least {self.at_least:g} is above at_most {self.at_most:g}")
        if len(self.nodes) > 1 and not self.name:
            raise ValueError("a limit on several nodes needs a name")
        return self


class Gate(Model):
    """A condition on leaves: those that fail it get no target, or less."""

    column: str
    """A driver, `seated` (1 where somebody sits, else 0) or `ramp` (share of full productivity)."""
    at_least: float | None = None
    """A leaf below it counts with `factor`; empty where the column is itself the gate, such as ramp."""
    factor: Share = 0.0
    """How a leaf below counts; 0 excludes it."""
    driver: str = ""
    """Driver that is gated; empty for the whole split."""
    missing: Share | None = None
    """How a leaf counts for which the column is missing; empty refuses it by name."""
