"""What a cycle may be told of the collection of forecasts: who is asked for what by when, and how far it is trusted."""

import datetime as dt
from typing import Literal

from pydantic import Field, model_validator

from spms_lib.params.block import Model, Share

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class Delegation(Model):
    """Somebody who may submit and override in another person's place for a time."""

    person: str
    """Who is replaced, as written in the hierarchy or roster."""
    delegate: str
    """Who speaks instead."""
    first_day: dt.date
    """First day on which the delegate may."""
    last_day: dt.date
    """Last day on which the delegate may."""
    reason: str
    """Why, such as parental leave."""

    @model_validator(mode="after")
    def _in_order(self) -> "Delegation":
        if self.first_day > self.last_day:
            raise ValueError("a delegation ends before it starts")
        return self


class Collection(Model):
    """How forecasts are collected in a cycle, and how their track record is read."""

    due: dt.date | None = None
    """Day until whose end a submission is in time; the cut-off (collect_as_of) if not given."""
    call_weekday: Weekday | None = None
    """Day of the weekly forecast call within the quarter, each a snapshot; none if not given."""
    categories: tuple[Literal["closed", "commit", "most_likely", "best_case", "pipeline"], ...] = (
        *("closed", "commit"),
        *("best_case", "pipeline"),
    )
    """Categories that forecasters are asked for; most_likely is optional."""
    show_target: bool = False
    """True prints the target beside the empty cells; people then tend to forecast the target (anchoring)."""
    ask_range: bool = True
    """True asks for a low and a high amount beside the commit."""
    range_share: float = Field(default=0.8, gt=0, lt=1)
    """How often the actual shall lie between low and high; 0.8 leaves one in ten on either side."""
    reason_above: float = Field(default=0.05, ge=0)
    """Change of a forecast, as a ratio of what it was, above which a reason is required."""
    skip_level: bool = False
    """True lets managers further up than the direct one override a forecast."""
    delegations: tuple[Delegation, ...] = ()
    """Who speaks for whom, and when."""
    least_history: int = Field(default=6, ge=2)
    """Past months that a forecaster needs before a bias is stated; the team's speaks until then."""
    half_life_quarters: float = Field(default=4.0, gt=0)
    """Age in quarters at which a past forecast counts half."""
    false_discovery: Share = 0.1
    """Largest expected share of wrong names among those listed as forecasting high or low."""
    material_bias: float = Field(default=0.05, gt=0, lt=1)
    """Bias, as a ratio of the actual, below which nobody is named as forecasting high or low."""
    hit_within: float = Field(default=0.1, gt=0)
    """A forecast within this ratio of the actual counts as a hit."""
    apply_correction: bool = False
    """True lets the plan use the corrected forecast; raw and corrected are shown side by side in any case."""
