"""What a cycle may be told of people and means: hires, what is known of capacity, and what can be given out."""

from pydantic import Field, model_validator

from spms_lib.params.block import Model


class Hire(Model):
    """People who will start in a node, as decided when the plan is made."""

    node: str
    """Seat, or a node above seats where the seat is not known yet."""
    month: str = Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")
    """Fiscal month in which they start, such as 2026-08."""
    heads: float = Field(default=1.0, gt=0)
    """Full-time posts."""
    ramp_months: float = Field(default=0.0, ge=0)
    """Months until full productivity."""


class CapacityPlan(Model):
    """What is assumed about the people at hand, beside the roster; history speaks where nothing is given."""

    first_ratio: float = Field(default=0.0, ge=0, le=1)
    """Productivity of a newcomer on the first day; 0.3 is 30 % of a full post."""
    leave_ratio: float | None = Field(default=None, ge=0, lt=1)
    """Share of the people that leaves in a month; the roster's own record if not given."""
    backfill_months: int | None = Field(default=None, ge=0)
    """Months until a seat is filled again; the roster's own median if not given."""
    quarters: int = Field(default=4, ge=1, le=12)
    """Past quarters from which productivity is learnt."""
    hires: tuple[Hire, ...] = ()
    """Hires that are decided already."""


class Resource(Model):
    """Something that can be given to territories: heads, budget, tools. Each further unit brings less."""

    resource: str
    """What it is, such as heads."""
    cost: float = Field(ge=0)
    """Cost of a unit in the quarter, in units of the currency."""
    available: float | None = Field(default=None, ge=0)
    """Units that can be given out; no limit but the budget if not given."""
    whole: bool = True
    """False where a unit can be split."""
    elasticity: float | None = Field(default=None, gt=0, le=1)
    """Sales grow with heads to this power; for heads. 0.31 is the mean of a meta-analysis (Albers and others, 2010)."""
    saturation: float | None = Field(default=None, gt=0)
    """Most that the resource can add to a territory's sales, as a ratio of them; for anything but heads."""
    half_at: float | None = Field(default=None, gt=0)
    """Units per head at which half of the saturation is reached."""
    minimum: float = Field(default=0.0, ge=0)
    """Units that every territory gets."""
    maximum: float | None = Field(default=None, ge=0)
    """Most units that a territory can take; as many as are available if not given."""
    source: str
    """Where cost and response come from, or who estimated them."""

    @model_validator(mode="after")
    def _one_response(self) -> "Resource":
        if (self.elasticity is None) == (self.saturation is None):
            raise ValueError("give either 'elasticity' or 'saturation' with 'half_at'")
        if (self.saturation is None) != (self.half_at is None):
            raise ValueError("'saturation' and 'half_at' need each other")
        if self.maximum is not None and self.maximum < self.minimum:
            raise ValueError(f"maximum {self.maximum:g} is below minimum {self.minimum:g}")
        return self


class Resources(Model):
    """What can be added to the territories in this cycle, and the budget for it."""

    level: str = ""
    """Level of the territories; the review level if empty."""
    budget: float | None = Field(default=None, ge=0)
    """Budget of the quarter for everything together, in units of the currency; no limit if not given."""
    items: tuple[Resource, ...] = Field(min_length=1)
    """The resources."""

    @model_validator(mode="after")
    def _limited(self) -> "Resources":
        names = [item.resource for item in self.items]
        if len(set(names)) < len(names):
            raise ValueError("a resource is named twice")
        free = [item.resource for item in self.items if item.available is None and item.maximum is None]
        if free and (
            self.budget is None or any(item.cost == 0 for item in self.items if item.resource in free)
        ):
            raise ValueError(f"'{free[0]}' has no limit: give available, maximum, or a cost and a budget")
        return self
