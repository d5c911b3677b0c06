"""What leaves the house: a notebook without the paths and secrets of the place where it ran."""

import re
from copy import deepcopy
from typing import Any, Final

SECRET: Final = re.compile(r"secret|token|passw|credential|api_?key|private", re.IGNORECASE)
_ABSOLUTE: Final = re.compile(
    r"(?P<before>^|file://|\x1b\[[\d;]*m|[^\w/:.<~+])"  # not inside a word, an address, a tag or base64
    r"(?:/(?:[\w.+@ -]*[\w.+@-]/){2,}|[A-Za-z]:\\(?:[^\\\s:\"']+\\)+)"
)
_TEXTS: Final = ("text/plain", "text/markdown", "text/html")
_PARAMETERS: Final = frozenset({"parameters", "injected-parameters"})


def strip_private(nb: Any) -> Any:
    """Take out of a notebook what says where it ran: paths of this machine, and secrets.

    Papermill's input and output path and secret-looking parameters go. Any other
    absolute path, in outputs, in Papermill's metadata and in the cells that hold
    parameters, keeps its last part only. The notebook given is not changed.

    Examples
    --------
    >>> import nbformat
    >>> nb = nbformat.v4.new_notebook(metadata={"papermill": {"input_path": "/home/me/a.ipynb", "version": "2"}})
    >>> dict(strip_private(nb).metadata["papermill"])
    {'version': '2'}
    """
    clean = deepcopy(nb)
    papermill = clean.metadata.get("papermill", {})
    for name in ("input_path", "output_path"):
        papermill.pop(name, None)
    told = papermill.get("parameters", {})
    for name in [name for name in told if SECRET.search(str(name))]:
        del told[name]
    _shorten(papermill)
    for cell in clean.cells:
        if _PARAMETERS & set(cell.metadata.get("tags", [])):
            cell.source = _public_source(cell.source)
        for output in cell.get("outputs", []):
            _shorten(output, only=("text", "evalue", "traceback"))
            _shorten(output.get("data", {}), only=_TEXTS)
    return clean


def short_paths(text: str) -> str:
    r"""Keep only the last part of every absolute path.

    Examples
    --------
    >>> short_paths("read /home/me/data/sales.csv and C:\\Users\\me\\plan.xlsx, not https://a.example/b/c/d")
    'read …/sales.csv and …/plan.xlsx, not https://a.example/b/c/d'
    """
    return _ABSOLUTE.sub(r"\g<before>…/", text)


def _public_source(source: str) -> str:
    lines = short_paths(source).split("\n")
    return "\n".join(line for line in lines if not SECRET.search(line.split("=")[0]))


def _shorten(value: Any, only: tuple[str, ...] | None = None) -> Any:
    """Shorten the paths in every text of a nested value, in place."""
    if isinstance(value, str):
        return short_paths(value)
    if isinstance(value, list):
        value[:] = [_shorten(item) for item in value]
    elif isinstance(value, dict):
        for name in value:
            if only is None or name in only:
                value[name] = _shorten(value[name])
    return value
