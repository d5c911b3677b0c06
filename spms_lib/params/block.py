"""Blocks of parameters: frozen, and without unknown keys, so that a misspelt parameter never runs the default."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Plain = str | int | float | bool


class Model(BaseModel):
    """A block of parameters: frozen, and without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
