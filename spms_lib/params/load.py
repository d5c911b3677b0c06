"""Reading parameter files: YAML with line numbers in every refusal."""

import typing
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from spms_lib.errors import ParamsError
from spms_lib.params.company import Company
from spms_lib.params.cycle import Cycle

_M = TypeVar("_M", bound=BaseModel)


class _Days(yaml.SafeLoader):
    """Reads YAML, and leaves a day that no calendar has as text, so that it is refused with its line."""

    def construct_yaml_timestamp(self, node: yaml.ScalarNode) -> Any:
        """Read a day, or leave it as it is written."""
        try:
            return super().construct_yaml_timestamp(node)
        except ValueError:
            return node.value


_Days.add_constructor("tag:yaml.org,2002:timestamp", _Days.construct_yaml_timestamp)


def read_yaml(path: Path) -> tuple[dict[str, Any], dict[tuple[str | int, ...], int]]:
    """Read a YAML file and the line on which each key stands.

    Raises
    ------
    ParamsError
        If the file is missing, is not YAML (a tab in the indentation is named as
        such), is not a mapping, or has a key twice.
    """
    if not path.is_file():
        near = get_close_matches(path.name, [other.name for other in path.parent.glob("*.yaml")], n=2)
        raise ParamsError(
            "There is no such file.",
            where=path.as_posix(),
            remedy=f"Did you mean {' or '.join(near)}?"
            if near
            else "Start a new company with: spms init NAME",
        )
    text = path.read_text(encoding="utf-8-sig")
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.load(text, Loader=_Days)  # noqa: S506 - a safe loader
    except yaml.YAMLError as refusal:
        raise _not_yaml(path, text, refusal) from None
    if not isinstance(data, dict):
        raise ParamsError(
            "The file holds no parameters.",
            where=path.as_posix(),
            remedy="Write lines such as 'company: acme'.",
        )
    lines: dict[tuple[str | int, ...], int] = {}
    if node is not None:
        _collect_lines(node, (), lines, path)
    return data, lines


def _not_yaml(path: Path, text: str, refusal: yaml.YAMLError) -> ParamsError:
    mark = getattr(refusal, "problem_mark", None)
    line = mark.line + 1 if mark else 1
    content = text.splitlines()[line - 1] if line <= len(text.splitlines()) else ""
    indent = content[: len(content) - len(content.lstrip())]
    if "\t" in indent or "\\t" in str(getattr(refusal, "problem", "")):
        return ParamsError(
            "A tab stands in the indentation, which YAML does not allow.",
            where=f"{path.as_posix()}, line {line}",
            remedy="Replace it with spaces.",
        )
    return ParamsError(
        f"This is not valid YAML: {getattr(refusal, 'problem', refusal)}.",
        where=f"{path.as_posix()}, line {line}",
        remedy="Check indentation, colons and quotes on this line and the one before.",
    )


def _collect_lines(
    node: yaml.Node, place: tuple[str | int, ...], lines: dict[tuple[str | int, ...], int], path: Path
) -> None:
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*place, str(key.value))
            if inner in lines:
                raise ParamsError(
                    f"'{key.value}' stands twice.",
                    where=f"{path.as_posix()}, line {key.start_mark.line + 1}",
                    remedy=f"Remove one; the other is on line {lines[inner]}.",
                )
            lines[inner] = key.start_mark.line + 1
            _collect_lines(value, inner, lines, path)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            _collect_lines(value, (*place, number), lines, path)


def load(model: type[_M], path: Path) -> _M:
    """Read one parameter file into its model, or refuse every mistake in it at once."""
    data, lines = read_yaml(path)
    try:
        return model.model_validate(data)
    except ValidationError as refusal:
        mistakes = [_mistake(model, error, lines) for error in refusal.errors()]
        raise ParamsError(
            _sentence("; ".join(mistakes)),
            where=path.as_posix(),
            remedy="See all parameters with: spms params show " + path.as_posix(),
        ) from None


def _sentence(text: str) -> str:
    return text if text.endswith("?") else f"{text}."


def _mistake(model: type[BaseModel], error: Any, lines: dict[tuple[str | int, ...], int]) -> str:
    place = tuple(error["loc"])
    known = place
    while known and known not in lines:
        known = known[:-1]
    where = f"line {lines.get(known, 1)}: "
    name = ".".join(str(part) for part in place) or "the file"
    if error["type"] == "extra_forbidden":
        keys = _keys_at(model, place[:-1])
        near = get_close_matches(str(place[-1]), keys, n=1, cutoff=0.5)
        advice = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(keys)}"
        return f"{where}unknown parameter '{name}', {advice}"
    if error["type"] == "missing":
        return f"{where}'{name}' is missing"
    text = str(error["msg"]).removeprefix("Value error, ")
    return f"{where}'{name}': {text[:1].lower()}{text[1:]}"


def _keys_at(model: type[BaseModel], place: tuple[Any, ...]) -> list[str]:
    """Name the keys known at a place inside nested blocks; numbers and map keys lead into a list or map."""
    here: Any = model
    for part in place:
        if isinstance(here, type) and issubclass(here, BaseModel):
            here = here.model_fields[str(part)].annotation if part in here.model_fields else None
        elif typing.get_origin(here) in {tuple, list, dict}:
            here = next(
                (
                    kind
                    for kind in typing.get_args(here)
                    if isinstance(kind, type) and issubclass(kind, BaseModel)
                ),
                None,
            )
    return list(here.model_fields) if isinstance(here, type) and issubclass(here, BaseModel) else []


def load_company(path: Path | str) -> Company:
    """Read params/<company>/company.yaml."""
    return load(Company, Path(path))


def load_cycle(path: Path | str) -> Cycle:
    """Read params/<company>/<cycle>.yaml."""
    return load(Cycle, Path(path))
