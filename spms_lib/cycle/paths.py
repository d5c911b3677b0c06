"""Where things lie: the project's root and the folders below it. No notebook needs a path of its own."""

import hashlib
import os
import re
from pathlib import Path
from typing import Final

from spms_lib.errors import ParamsError

MARKS = ("params", "notebooks")
LONGEST_NODE: Final = 50


def project_root(start: Path | None = None) -> Path:
    """Find the project: the nearest folder upwards that holds `params` and `notebooks`.

    SPMS_ROOT overrides the search, so a scheduler may start anywhere.
    """
    if given := os.environ.get("SPMS_ROOT"):
        return Path(given)
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if all((folder / mark).is_dir() for mark in MARKS):
            return folder
    raise ParamsError(
        "No project was found here: no folder upwards holds 'params' and 'notebooks'.",
        remedy="Start in the project's folder, or set SPMS_ROOT to it.",
    )


def outputs_root(root: Path) -> Path:
    """Find the folder for outputs: SPMS_OUT if set, else `outputs` in the project."""
    return Path(os.environ.get("SPMS_OUT") or root / "outputs")


def cycle_file(root: Path, company: str, cycle: str) -> Path:
    """Name the parameter file of a cycle."""
    return root / "params" / company / f"{cycle}.yaml"


def edition_name(notebook: str, region: str) -> str:
    """Name the files of one edition: see `file_name`.

    Examples
    --------
    >>> edition_name("review", "dach"), edition_name("review", ""), edition_name("review", "a/b")
    ('review-dach', 'review', 'review-a-b-c14cdd')
    """
    return f"{notebook}-{file_name(region)}" if region else notebook


def file_name(node: str) -> str:
    """Name a file after a node; an id that is no safe file name on every system gets a short hash.

    Examples
    --------
    >>> file_name("dach"), file_name("a/b")
    ('dach', 'a-b-c14cdd')
    """
    safe = re.sub(r"[^\w.-]+", "-", node)[:LONGEST_NODE]
    if safe != node or node.startswith(".") or node.endswith("."):
        safe += "-" + hashlib.sha256(node.encode(errors="backslashreplace")).hexdigest()[:6]
    return safe
