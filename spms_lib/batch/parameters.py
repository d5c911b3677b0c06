"""Parameters of notebooks, read from their source and checked before anything starts.

Papermill runs a misspelt parameter with a line in its log and the default value; a run
must not. Nothing is executed here: the cell tagged `parameters` is parsed.
"""

import ast
import datetime as dt
import json
import math
import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, NamedTuple

from spms_lib.batch.tasks import Task
from spms_lib.errors import ParamsError

SECRET_NAME: Final = re.compile(
    r"passw(or)?d|passphrase|secret|token|api_?key|credential|private_?key", re.IGNORECASE
)
SECRET_VALUE: Final = re.compile(r"\w+://[^/\s:@]+:[^/\s@]+@")
_SCALARS: Final[dict[str, tuple[type, ...]]] = {
    "str": (str,), "int": (int,), "float": (float, int), "bool": (bool,), "list": (list,), "dict": (dict,),
}  # fmt: skip


class Parameter(NamedTuple):
    """One line of a parameters cell: `name: type = default  # help`."""

    type: str
    default: Any
    help: str


def notebook_parameters(path: Path) -> dict[str, Parameter]:
    """Read what a notebook may be told, without running it.

    Returns
    -------
    dict[str, Parameter]
        Name: type as written, default, and the comment behind it; empty if no cell is tagged.

    Raises
    ------
    ParamsError
        If the notebook cannot be read, or a line is not `name: type = literal`.
    """
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ParamsError(
            "This is not a notebook that can be read.",
            where=path.name,
            remedy="Restore it from the repository.",
        ) from None
    tagged = [cell for cell in cells if "parameters" in cell.get("metadata", {}).get("tags", [])]
    if len(tagged) > 1:
        raise ParamsError(
            f"{len(tagged)} cells are tagged 'parameters'.",
            where=path.name,
            remedy="Papermill reads only one.",
        )
    return _parse("".join(tagged[0]["source"]), path.name) if tagged else {}


def _parse(source: str, where: str) -> dict[str, Parameter]:
    try:
        lines = ast.parse(source).body
    except SyntaxError as refusal:
        raise ParamsError(
            f"The parameters cell is not Python: {refusal.msg}.",
            where=f"{where}, line {refusal.lineno} of the cell",
        ) from None
    text = source.splitlines()
    found: dict[str, Parameter] = {}
    for line in lines:
        try:
            found.update([_parameter(line, text)])
        except ValueError:
            raise ParamsError(
                f"'{ast.unparse(line)}' cannot be read as a parameter.",
                where=f"{where}, line {line.lineno} of the parameters cell",
                remedy="Write `name: type = literal  # help`, with a plain type such as str, float or list[str].",
            ) from None
    return found


def _parameter(line: ast.stmt, text: list[str]) -> tuple[str, Parameter]:
    if not (isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.value is not None):
        raise ValueError
    if not _is_plain(line.annotation):
        raise ValueError
    after = text[(line.end_lineno or 1) - 1].encode()[line.end_col_offset :].decode()
    comment = after.partition("#")[2].strip()
    return line.target.id, Parameter(ast.unparse(line.annotation), ast.literal_eval(line.value), comment)


def _is_plain(kind: ast.expr) -> bool:
    """Tell whether a type is one that Papermill's inspector reads and this module can check."""
    if isinstance(kind, ast.Name):
        return kind.id in _SCALARS
    if not (isinstance(kind, ast.Subscript) and isinstance(kind.value, ast.Name)):
        return False
    if kind.value.id == "list":
        return _is_plain(kind.slice)
    inner = kind.slice.elts if isinstance(kind.slice, ast.Tuple) else []
    return (
        kind.value.id == "dict" and len(inner) == 2 and ast.unparse(inner[0]) == "str" and _is_plain(inner[1])
    )


def check_parameters(task: Task) -> None:
    """Refuse a task whose parameters its notebook does not have, or has with another type.

    Raises
    ------
    ParamsError
        With every mistake, each with the nearest known name or the type that is wanted.
    """
    check_tasks([task])


def check_tasks(tasks: Iterable[Task]) -> None:
    """Check every task of a run, and refuse all mistakes of all of them at once; see `check_parameters`."""
    mistakes: list[str] = []
    declared: dict[Path, dict[str, Parameter]] = {}
    for task in tasks:
        if task.notebook not in declared:
            declared[task.notebook] = notebook_parameters(task.notebook)
        mistakes += _mistakes(task, declared[task.notebook])
    if mistakes:
        raise ParamsError(
            "; ".join(dict.fromkeys(mistakes)) + ".",
            where="parameters of notebooks",
            remedy="Correct the params file, under 'notebooks', or the parameters cell. Nothing was started.",
        )


def _mistakes(task: Task, declared: dict[str, Parameter]) -> list[str]:
    mistakes = [
        f"{task.name}: '{name}' looks like a secret, which would be kept in the report; use the environment"
        for name in dict.fromkeys([*declared, *task.parameters])
        if SECRET_NAME.search(name)
    ]
    for name, value in task.parameters.items():
        if name not in declared:
            near = get_close_matches(name, declared, n=1, cutoff=0.5)
            advice = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(declared) or 'none'}"
            mistakes.append(f"{task.name}: unknown parameter '{name}', {advice}")
        elif not fits(value, declared[name].type):
            mistakes.append(f"{task.name}: '{name}' must be {declared[name].type}, not {_said(value)}")
        if SECRET_VALUE.search(str(value)):
            mistakes.append(f"{task.name}: '{name}' holds an address with a password; use the environment")
    return mistakes


def fits(value: object, kind: str) -> bool:
    """Tell whether a value may be handed to a parameter of a type, as plain JSON.

    A whole number will do for a float; True is no number; NaN and infinity are no values.

    Examples
    --------
    >>> fits(1, "float"), fits(1.0, "int"), fits(True, "int"), fits({"a": [1]}, "dict[str, list[int]]")
    (True, False, False, True)
    """
    return _fits(value, ast.parse(kind, mode="eval").body)


def _fits(value: object, kind: ast.expr) -> bool:
    outer = kind.value if isinstance(kind, ast.Subscript) else kind
    name = ast.unparse(outer)
    if not isinstance(value, _SCALARS[name]) or (isinstance(value, bool) and name != "bool"):
        return False
    if isinstance(value, list):
        return all(
            _fits(one, kind.slice) if isinstance(kind, ast.Subscript) else _is_json(one) for one in value
        )
    if isinstance(value, dict):
        inner = (
            kind.slice.elts[1]
            if isinstance(kind, ast.Subscript) and isinstance(kind.slice, ast.Tuple)
            else None
        )
        return all(
            isinstance(key, str) and (_is_json(one) if inner is None else _fits(one, inner))
            for key, one in value.items()
        )
    return not isinstance(value, float) or math.isfinite(value)


def _is_json(value: object) -> bool:
    if isinstance(value, list):
        return all(_is_json(one) for one in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(one) for key, one in value.items())
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, (str, int))


def _said(value: object) -> str:
    if isinstance(value, (dt.date, dt.datetime)):
        return f"a date; write it in quotes, '{value.isoformat()}'"
    return f"{value!r} ({type(value).__name__})"
