"""The front page of a run: the review first, then everything else, with what was found and checked."""

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

import pandas as pd
from markupsafe import Markup

from spms_lib.report.html import write_whole
from spms_lib.report.tables import show
from spms_lib.report.text import stylesheet, template
from spms_lib.text import visible

STATUSES: Final = {
    "done": "✓ done",
    "failed": "✗ failed",
    "skipped": "– skipped",
    "unchanged": "✓ unchanged",
    "running": "… running",
}
_TABLE_COLUMNS: Final = ("table", "origin", "rows_in", "rows_used", "rows_rejected", "sha256")
_FINDING_COLUMNS: Final = ("table", "column", "rule", "severity", "count", "example", "remedy")
_CHECK_COLUMNS: Final = ("notebook", "check", "passed", "detail")
_HASH_SHOWN: Final = 12


def write_index(folder: Path, manifest: Mapping[str, Any]) -> Path:
    """Write the front page of a run: links to every edition, and what the run found and checked.

    The review of the whole company stands first, then reviews by region, then the other
    notebooks in their order.

    Parameters
    ----------
    folder
        The run's folder; links are relative to it.
    manifest
        As `manifest.json` of the run: company, title, cycle, status, started, finished,
        tables, findings, notebooks, checks. Any key may be missing.

    Returns
    -------
    Path
        `index.html` in the folder.
    """
    editions = [_edition(folder, one) for one in _items(manifest, "notebooks")]
    reviews = [one for one in editions if "review" in one["name"].lower()]
    company = [one for one in reviews if not one["region"]]
    regions = [one for one in reviews if one["region"]]
    others = [one for one in editions if "review" not in one["name"].lower()]
    checks = _frame(manifest, "checks", _CHECK_COLUMNS)
    page = template("run.html.j2").render(
        css=Markup(stylesheet("parts.css", "page.css")),  # noqa: S704 our own file
        title=str(manifest.get("title") or manifest.get("company") or "Planning run"),
        manifest=manifest,
        chip=_chip(manifest.get("status")),
        took=_took(manifest.get("started"), manifest.get("finished")),
        main=company,
        groups=[("Reviews by region", regions), ("All notebooks of the cycle", others)],
        tables=_markup(_tables(manifest)),
        findings=_markup(_findings(manifest)),
        checks=_markup(_checks(checks)),
        failed=int((checks["passed"] == False).sum()) if len(checks) else 0,  # noqa: E712 passed may be missing
    )
    target = folder / "index.html"
    write_whole(target, visible(page))
    return target


def _edition(folder: Path, one: Mapping[str, Any]) -> dict[str, Any]:
    name = str(one.get("name") or "notebook")
    region = str(one.get("region") or "")
    title = str(one.get("title") or name)
    absent = one.get("status") == "skipped"
    return {
        "name": name,
        "region": region,
        "title": f"{title}: {region}" if region and ":" not in title else title,
        "chip": _chip(one.get("status")),
        "took": _duration(one.get("seconds")),
        "html": "" if absent else _link(folder, one.get("html")),
        "notebook": "" if absent else _link(folder, one.get("notebook")),
        "error": str(one.get("error") or ""),
        "headline": _headline(one.get("headline")),
    }


def _headline(value: Any) -> str:
    """Put a headline of any shape (a sentence, sentences, labelled numbers) into one line."""
    if not value:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        if "value" in value:
            parts = (value.get("label"), value.get("value"), value.get("note"))
            return " ".join(str(part) for part in parts if part)
        return " · ".join(f"{key} {part}" for key, part in value.items())
    if isinstance(value, Iterable):
        return " · ".join(_headline(part) for part in value)
    return str(value)


def _link(folder: Path, value: Any) -> str:
    """Give a link inside the run's folder, or none: a page never points out of the run."""
    if not value:
        return ""
    path = Path(str(value))
    if path.is_absolute():
        if not path.is_relative_to(folder.absolute()):
            return ""
        path = path.relative_to(folder.absolute())
    plain = PurePosixPath(path.as_posix())
    if ".." in plain.parts or ":" in str(plain):
        return ""
    from urllib.parse import quote

    return quote(str(plain))


def _chip(status: Any) -> tuple[str, str]:
    word = str(status or "unknown")
    kind = {"unchanged": "done"}.get(word, word if word in ("done", "failed", "skipped") else "unknown")
    return kind, STATUSES.get(word, word)


def _duration(seconds: Any) -> str:
    """Say how long something took.

    Examples
    --------
    >>> _duration(4.21), _duration(75), _duration(None)
    ('4.2 s', '1 min 15 s', '')
    """
    if seconds is None or pd.isna(seconds):
        return ""
    whole = float(seconds)
    return f"{whole:.1f} s" if whole < 60 else f"{int(whole // 60)} min {round(whole % 60)} s"


def _took(started: Any, finished: Any) -> str:
    if not started:
        return ""
    first = pd.to_datetime(str(started), errors="coerce", utc=True)
    last = pd.to_datetime(str(finished), errors="coerce", utc=True) if finished else pd.NaT
    if pd.isna(first):
        return str(started)
    text = f"{first:%Y-%m-%d %H:%M} UTC"
    return text if pd.isna(last) else f"{text}, {_duration((last - first).total_seconds())}"


def _items(manifest: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    return [item for item in manifest.get(name) or [] if isinstance(item, Mapping)]


def _frame(manifest: Mapping[str, Any], name: str, columns: tuple[str, ...]) -> pd.DataFrame:
    rows = [{column: item.get(column) for column in columns} for item in _items(manifest, name)]
    return pd.DataFrame(rows, columns=list(columns)).convert_dtypes()


def _tables(manifest: Mapping[str, Any]) -> str:
    frame = _frame(manifest, "tables", _TABLE_COLUMNS)
    if frame.empty:
        return ""
    frame["sha256"] = [str(value)[:_HASH_SHOWN] if pd.notna(value) else None for value in frame["sha256"]]
    return show(
        frame,
        title="Tables that were read",
        note=f"Rows in = rows used + rows rejected. The hash is that of the source, first {_HASH_SHOWN} characters.",
        labels={"sha256": "SHA-256"},
    ).html


def _findings(manifest: Mapping[str, Any]) -> str:
    frame = _frame(manifest, "findings", _FINDING_COLUMNS)
    if frame.empty:
        return ""
    return show(
        frame,
        title="Findings by rule",
        note="Rejected rows are left out; noted rows are used.",
        highlight=frame["severity"] == "rejected",
    ).html


def _checks(frame: pd.DataFrame) -> str:
    if frame.empty:
        return ""
    return show(frame, title="Checks", highlight=frame["passed"] == False).html  # noqa: E712 missing stays unmarked


def _markup(html: str) -> Markup:
    return Markup(html)  # noqa: S704 made by show(), which escapes every text
