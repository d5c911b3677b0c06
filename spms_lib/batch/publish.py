"""What is kept of a notebook that ran: the notebook and its report, without anything private."""

from dataclasses import dataclass
from pathlib import Path
from textwrap import indent
from typing import Any

from spms_lib.batch.files import without_local_paths

PAPERMILL_MARK = "papermill-error-cell-tag"


@dataclass(frozen=True, slots=True)
class Page:
    """Where one edition of a notebook is kept.

    Attributes
    ----------
    folder
        Folder of the cycle's outputs.
    stem
        Name of the files, such as `10_review-dach`.
    """

    folder: Path
    stem: str
    title: str

    @property
    def running(self) -> Path:
        """File in which the notebook grows while it runs."""
        return self.folder / "notebooks" / f".running-{self.stem}.ipynb"

    def notebook(self, *, failed: bool = False) -> Path:
        """File of the notebook."""
        return self.folder / "notebooks" / f"{self.stem}{'.failed' if failed else ''}.ipynb"

    def html(self, *, failed: bool = False) -> Path:
        """File of the report."""
        return self.folder / "html" / f"{self.stem}{'.failed' if failed else ''}.html"

    @property
    def good(self) -> bool:
        """True if a good notebook and its report are there."""
        return self.notebook().is_file() and self.html().is_file()


def publish(page: Page, about: dict[str, Any], *, root: Path, told: dict[str, Any]) -> tuple[str, str]:
    """Turn the notebook that ran into a kept notebook and a report.

    Both are written under other names first, so the last good pair is there until the next one
    is. A failed notebook goes beside it; a success removes an earlier failure.

    Parameters
    ----------
    about
        What to record in the notebook's metadata under `spms`.
    told
        The parameters that the notebook was given; `about` has them as they may be published.

    Returns
    -------
    tuple[str, str]
        Notebook and report, relative to the folder of the cycle.
    """
    import nbformat

    from spms_lib.report.html import export_html, strip_private

    failed = bool(about["error"])
    if page.running.is_file():
        notebook = nbformat.read(page.running, as_version=4)  # type: ignore[no-untyped-call]
    else:
        notebook = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    notebook = strip_private(_own_record(notebook, about, root, told))
    target, html = page.notebook(failed=failed), page.html(failed=failed)
    new_html = html.with_name(f".new-{html.name}")
    nbformat.write(notebook, page.running)  # type: ignore[no-untyped-call]
    try:
        export_html(page.running, new_html, title=page.title)
        new_html.replace(html)
        page.running.replace(target)
    finally:
        discard(new_html)
    if not failed:
        discard(page.notebook(failed=True), page.html(failed=True))
    return f"notebooks/{target.name}", f"html/{html.name}"


def discard(*paths: Path) -> None:
    """Remove files that may not be there."""
    for path in paths:
        path.unlink(missing_ok=True)


def _own_record(notebook: Any, about: dict[str, Any], root: Path, told: dict[str, Any]) -> Any:
    """Replace Papermill's record, which has local paths and states that may be wrong, with ours."""
    import nbformat

    notebook.cells = [cell for cell in notebook.cells if PAPERMILL_MARK not in cell.metadata.get("tags", [])]
    notebook.metadata["papermill"] = {"parameters": about["parameters"]}
    notebook.metadata["spms"] = {name: value for name, value in about.items() if name != "parameters"}
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.source = _as_published(cell.source, told, about["parameters"])
        for output in cell.get("outputs", []):
            _shorten(output, root)
    if about["error"]:
        # As a block of code, down to its last line: what failed may hold words from the data.
        error = indent(str(about["error"]), "    ", lambda _line: True)
        text = f"**This notebook failed; do not use its numbers.**\n\n{error}"
        cell = nbformat.v4.new_markdown_cell(text, metadata={"tags": ["summary"]})  # type: ignore[no-untyped-call]
        notebook.cells.insert(1, cell)  # behind the title; the report shows a summary on its first screen
    return notebook


def _as_published(source: str, told: dict[str, Any], shown: dict[str, Any]) -> str:
    """Write parameters that may not be published as they were given the way they may."""
    for name, value in told.items():
        if shown[name] != value:
            source = source.replace(str(value), str(shown[name]))
    return source


def _shorten(output: Any, root: Path) -> None:
    """Take local paths out of what was printed and out of tracebacks."""
    if output.output_type == "stream":
        output["text"] = without_local_paths(output.text, root)
    elif output.output_type == "error":
        output["evalue"] = without_local_paths(output.evalue, root)
        output["traceback"] = [without_local_paths(line, root) for line in output.traceback]
    else:
        data = output.get("data", {})
        for kind in [kind for kind in data if kind.startswith("text/") and isinstance(data[kind], str)]:
            data[kind] = without_local_paths(data[kind], root)
