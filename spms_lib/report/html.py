"""An executed notebook as one page to read: self-contained, without code, without scripts.

The page asks the network for nothing, and says so to the browser as well (a
content security policy), so whatever a cell printed cannot fetch or run anything.
"""

import ast
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pandas as pd

from spms_lib.errors import SourceError
from spms_lib.report.private import SECRET, strip_private
from spms_lib.report.tables import show
from spms_lib.report.text import stylesheet
from spms_lib.text import visible

__all__ = ["HIDDEN_TAGS", "SUMMARY_TAG", "export_html", "render_html", "strip_private", "write_whole"]

HIDDEN_TAGS: Final = frozenset(
    {"parameters", "injected-parameters", "remove-cell", "setup", "papermill-error-cell-tag"}
)
SUMMARY_TAG: Final = "summary"
_READABLE: Final = ("text/html", "text/markdown", "image/png", "image/jpeg", "image/svg+xml", "text/plain")
_WIDGET: Final = "application/vnd.jupyter.widget-view+json"
_PLACE: Final = re.compile(
    r"(^|_)(path|file|folder|dir|directory|url|dsn|data|ledger|outputs?|interactive)$", re.IGNORECASE
)
_ADDRESS: Final = re.compile(r"^(?:/|~|[A-Za-z]:[\\/]|[a-z][a-z0-9+.-]*://)")
_TITLE: Final = re.compile(r"\A\s*# [^\n]*\n?")


def export_html(notebook: Path, target: Path, *, title: str) -> Path:
    """Write an executed notebook as one HTML page that an executive reads.

    Cells tagged as in `HIDDEN_TAGS` are left out; cells tagged `summary` come right after
    the first text, so that the first screen has the headline numbers. The page has one
    first heading (`title`); the notebook's own title line is dropped. Parameters stand in
    a table at the foot, without paths and secrets. The file appears whole or not at all.

    Parameters
    ----------
    notebook
        Executed `.ipynb`; not changed.
    target
        The page to write; its folder is made where missing.
    title
        Heading of the page.

    Returns
    -------
    Path
        `target`. The same notebook gives the same bytes.

    Raises
    ------
    SourceError
        If the notebook cannot be read.
    """
    page = render_html(_read(notebook), title=title)
    write_whole(target, page)
    return target


def render_html(nb: Any, *, title: str) -> str:
    """Turn a notebook object into the page's text; see `export_html`."""
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    config = Config({"NbConvertBase": {"display_data_priority": list(_READABLE)}})
    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        config=config,
        template_name="template",
        extra_template_basedirs=[str(Path(__file__).parent)],
        exclude_anchor_links=True,
        exclude_input=True,
        filters={"one_h1": _one_h1},
    )
    public = strip_private(nb)
    told = _told(public)
    prepared = _arranged(public)
    resources = {
        "metadata": {"name": title},
        "spms": {
            "title": title,
            "lang": prepared.metadata.get("language", "en"),
            "css": stylesheet("parts.css", "page.css"),
            "context": " · ".join(
                str(told[name]) for name in ("company", "cycle", "region") if told.get(name)
            ),
            "foot": _parameters(told),
            "failed": any(
                output.output_type == "error" for cell in prepared.cells for output in cell.get("outputs", [])
            ),
        },
    }
    body, _ = exporter.from_notebook_node(prepared, resources=resources)
    return visible(str(body))


def write_whole(target: Path, text: str) -> None:
    """Write a file so that a reader finds the old one or the new one, never a part."""
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        half.write_text(text, encoding="utf-8", newline="\n")
        half.replace(target)
    finally:
        half.unlink(missing_ok=True)


def _read(notebook: Path) -> Any:
    import nbformat
    from nbformat.reader import NotJSONError

    try:
        return nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    except (OSError, NotJSONError, nbformat.ValidationError) as problem:
        raise SourceError(
            f"The notebook cannot be read ({type(problem).__name__}).",
            where=notebook.name,
            remedy="Run it again; the export takes an executed notebook.",
        ) from problem


def _arranged(nb: Any) -> Any:
    """Put the summary after the first text, drop hidden cells, and leave no title line behind."""
    cells = [cell for cell in nb.cells if not HIDDEN_TAGS & set(cell.metadata.get("tags", []))]
    for cell in cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if _WIDGET not in output.get("data", {})]
    first: list[Any] = []
    if cells and cells[0].cell_type == "markdown":
        opening = cells.pop(0)
        opening.source = _TITLE.sub("", opening.source, count=1).strip()
        opening.metadata["spms_role"] = "lead"
        first = [opening] if opening.source else []
    summary = [cell for cell in cells if SUMMARY_TAG in cell.metadata.get("tags", [])]
    for cell in summary:
        if cell.cell_type == "markdown":
            cell.metadata["spms_role"] = "summary"
    rest = [cell for cell in cells if SUMMARY_TAG not in cell.metadata.get("tags", [])]
    nb.cells = [*first, *summary, *rest]
    return nb


def _told(nb: Any) -> dict[str, Any]:
    """Collect the parameters a run had: the notebook's defaults, then what it was told."""
    told: dict[str, Any] = {}
    for cell in nb.cells:
        if "parameters" in cell.metadata.get("tags", []):
            told |= _literals(cell.source)
    return told | dict(nb.metadata.get("papermill", {}).get("parameters", {}))


def _literals(source: str) -> dict[str, Any]:
    try:
        lines = ast.parse(source).body
    except SyntaxError:
        return {}
    found = {}
    for line in lines:
        target = line.targets[0] if isinstance(line, ast.Assign) else getattr(line, "target", None)
        value = getattr(line, "value", None)
        if isinstance(target, ast.Name) and isinstance(value, ast.expr):
            with suppress(ValueError):
                found[target.id] = ast.literal_eval(value)
    return found


def _parameters(told: dict[str, Any]) -> str:
    shown = {
        str(name): value
        for name, value in sorted(told.items())
        if not SECRET.search(str(name))
        and not _PLACE.search(str(name))
        and not (isinstance(value, str) and (not value or _ADDRESS.match(value)))
    }
    if not shown:
        return "<p>Run with the notebook's own parameters.</p>"
    frame = pd.DataFrame({"parameter": list(shown), "value": pd.Series(list(shown.values()), dtype=object)})
    return show(frame, title="Parameters of this run").html


def _one_h1(html: str) -> str:
    """Turn first headings inside cells into second ones: a page has one."""
    return re.sub(r"<(/?)h1(?=[\s>])", r"<\1h2", html)
