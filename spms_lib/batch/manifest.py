"""The manifest of a cycle: what ran, on which inputs, with which result. JSON, for people and machines."""

import datetime as dt
import json
from pathlib import Path
from typing import Any, Final

from spms_lib.batch.execute import DONE, FAILED, TaskResult
from spms_lib.batch.files import write_whole
from spms_lib.batch.prepare import Prepared
from spms_lib.batch.publish import Page, discard
from spms_lib.batch.schedule import UNCHANGED
from spms_lib.batch.tasks import PER_REGION, Task
from spms_lib.csv_out import csv_text
from spms_lib.errors import RunError
from spms_lib.findings import count_by_rule

NAME: Final = "manifest.json"
NOT_RUN: Final = "not run"


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of the last run; empty if there was none.

    Raises
    ------
    RunError
        If the file is not the manifest of a run.
    """
    path = folder / NAME
    if not path.is_file():
        return {}
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        return {**manifest, "notebooks": [dict(entry) for entry in manifest["notebooks"]]}
    except (ValueError, TypeError, KeyError):
        raise RunError(
            "The manifest of the last run cannot be read.",
            where=NAME,
            remedy="Remove it; everything is run anew.",
        ) from None


def entries_of(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the entries of a manifest by the id of their task."""
    return {_id(entry): entry for entry in manifest.get("notebooks", [])}


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest, whole or not at all."""
    text = json.dumps(manifest, indent=1, ensure_ascii=False, allow_nan=False, default=str)
    write_whole(folder / NAME, text + "\n")


def write_findings(folder: Path, prepared: Prepared) -> None:
    """Write every finding of every table as CSV."""
    write_whole(folder / "findings.csv", csv_text(prepared.findings))


def new_manifest(prepared: Prepared, versions: dict[str, str]) -> dict[str, Any]:
    """Start the manifest of a run: its inputs, and no notebook yet."""
    return {
        "company": prepared.company,
        "title": prepared.title,
        "cycle": prepared.cycle,
        "status": "running",
        "started": now(),
        "finished": "",
        "versions": versions,
        "inputs": prepared.fingerprint,
        "tables": prepared.tables,
        "findings": json.loads(count_by_rule(prepared.findings).to_json(orient="records")),
        "notebooks": [],
        "checks": [],
    }


def new_entry(task: Task, earlier: dict[str, Any] | None = None) -> dict[str, Any]:
    """Start the entry of a task, or take over the one of an earlier run."""
    blank = {
        "name": task.name,
        "region": task.region,
        "title": title_of(task),
        "status": NOT_RUN,
        "seconds": 0.0,
        "finished": "",
        "html": "",
        "notebook": "",
        "last_good": "",
        "error": "",
        "headline": "",
        "parameters": task.shown_parameters,
        "key": "",
    }
    return {**blank, **{name: value for name, value in (earlier or {}).items() if name in blank}}


def settled_entry(task: Task, folder: Path, result: TaskResult, *, key: str) -> dict[str, Any]:
    """Fill the entry of a task that ended; one that failed still names the last good report."""
    page = Page(folder, task.stem, "")
    good = f"html/{page.html().name}" if page.good else ""
    return {
        **new_entry(task),
        "status": result.status,
        "seconds": result.seconds,
        "finished": now(),
        "html": result.html,
        "notebook": result.notebook,
        "last_good": good if good != result.html else "",
        "error": result.error,
        "headline": _headline(folder, task) if result.status in {DONE, FAILED} else "",
        "key": key if result.status == DONE else "",
    }


def title_of(task: Task) -> str:
    """Read the title from the notebook's first heading, and add the region's name."""
    try:
        cells = json.loads(task.notebook.read_text(encoding="utf-8"))["cells"]
        lines = [
            line
            for cell in cells
            if cell["cell_type"] == "markdown"
            for line in "".join(cell["source"]).splitlines()
        ]
    except (OSError, ValueError, KeyError, TypeError):
        lines = []
    heading = next((line[2:].strip() for line in lines if line.startswith("# ")), "")
    title = heading or task.name.replace("_", " ").capitalize()
    if task.name == PER_REGION and task.region:
        return f"{title}: {task.region_name or task.region}"
    return title


def checks_of(folder: Path, task: Task, entry: dict[str, Any]) -> list[dict[str, Any]]:
    """Collect the checks that a task's notebook recorded when it last ran; none if it was passed over."""
    if entry["status"] not in {DONE, UNCHANGED, FAILED}:
        return []
    found = _read(folder / "tables" / task.edition / "checks.json")
    if not isinstance(found, list):
        return []
    return [
        {
            "notebook": task.id,
            "check": str(one.get("check", "")),
            "passed": bool(one.get("passed")),
            "detail": str(one.get("detail", "")),
        }
        for one in found
        if isinstance(one, dict)
    ]


def forget_checks(folder: Path, task: Task) -> None:
    """Remove checks and headline of an earlier run, so that they are not taken for this one's."""
    place = folder / "tables" / task.edition
    discard(place / "checks.json", place / "headline.json")


def now() -> str:
    """Say what time it is, UTC."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def _headline(folder: Path, task: Task) -> str:
    found = _read(folder / "tables" / task.edition / "headline.json")
    return str(found.get("headline", "")) if isinstance(found, dict) else ""


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _id(entry: dict[str, Any]) -> str:
    return f"{entry['name']}:{entry['region']}" if entry.get("region") else str(entry["name"])
