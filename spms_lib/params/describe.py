"""Parameters as tables: what there is, what is set, and what differs between two files."""

from typing import Any

import pandas as pd
from pydantic import BaseModel
from pydantic_core import PydanticUndefined


def flatten(model: BaseModel) -> dict[str, Any]:
    """List every parameter of a file by its dotted name."""
    flat: dict[str, Any] = {}
    _flatten(model.model_dump(mode="json"), "", flat)
    return flat


def _flatten(value: Any, name: str, flat: dict[str, Any]) -> None:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            _flatten(inner, f"{name}.{key}" if name else str(key), flat)
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value, start=1):
            label = next(iter(inner.values())) if isinstance(inner, dict) else number
            _flatten(inner, f"{name}[{label}]", flat)
    else:
        flat[name] = value


def describe(model: BaseModel) -> pd.DataFrame:
    """Show every top-level parameter with its value, default and meaning.

    Returns
    -------
    pd.DataFrame
        Columns name, value, default, help.
    """
    rows = []
    for name, field in type(model).model_fields.items():
        required = field.default is PydanticUndefined and field.default_factory is None
        value = model.model_dump(mode="json")[name]
        shown = f"{len(value)} entries" if isinstance(value, (dict, list)) and len(str(value)) > 60 else value
        rows.append((name, shown, "required" if required else field.get_default(), field.description or ""))
    return pd.DataFrame(rows, columns=["name", "value", "default", "help"]).astype("str")


def compare(before: BaseModel, after: BaseModel) -> pd.DataFrame:
    """List the parameters that differ between two files.

    Returns
    -------
    pd.DataFrame
        Columns name, before, after; missing where a file does not have the parameter.
    """
    one, two = flatten(before), flatten(after)
    names = [name for name in dict.fromkeys([*one, *two]) if one.get(name) != two.get(name)]
    return pd.DataFrame(
        [(name, one.get(name), two.get(name)) for name in names],
        columns=["name", "before", "after"],
        dtype="object",
    )
