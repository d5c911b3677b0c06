"""Files of a run: written whole or not at all, hashed, and free of local paths."""

import hashlib
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spms_lib.errors import RunError

SOURCES = ("*.py", "*.csv", "*.j2", "*.css", "*.json", "*.yaml", "*.js")


def write_whole(path: Path, text: str) -> None:
    """Write a text file so that a reader sees the old one or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(text, encoding="utf-8", newline="\n")
    partial.replace(path)


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file; empty if there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def hash_folder(folder: Path, *patterns: str) -> str:
    """Return one SHA-256 over names and contents of the files in a folder that match any pattern."""
    found = sorted({path for pattern in patterns for path in folder.rglob(pattern) if path.is_file()})
    lines = [f"{path.relative_to(folder).as_posix()} {hash_file(path)}" for path in found]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest() if lines else ""


def hash_package() -> str:
    """Return one SHA-256 over the sources of this package: what computed the numbers."""
    return hash_folder(Path(__file__).parents[1], *SOURCES)


def without_local_paths(text: str, root: Path) -> str:
    """Shorten the project's, the interpreter's and the home folder, so that text can be published.

    Examples
    --------
    >>> without_local_paths("no file /srv/plan/data/a.csv", Path("/srv/plan"))
    'no file data/a.csv'
    """
    for place, shown in ((str(root), "."), (sys.prefix, "python"), (str(Path.home()), "~")):
        if len(place) > 1:  # a home of "/" would match everything
            inside = "" if shown == "." else f"{shown}/"
            text = re.sub(rf"{re.escape(place)}[/\\]", inside, text)
            text = re.sub(rf"{re.escape(place)}(?![\w.-])", shown, text)
    return text


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder of outputs; the lock goes with the process that holds it.

    Raises
    ------
    RunError
        If another run is at work there.
    """
    try:
        import fcntl
    except ImportError:  # no such locks on this platform
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RunError(
                "Another run of this cycle is under way.",
                where=f"{folder.parent.name}/{folder.name}",
                remedy="Wait for it to end, or write elsewhere with --out.",
            ) from None
        yield
    finally:
        os.close(handle)


def root_of(params: Path) -> Path:
    """Find the project that a params file belongs to: the nearest folder above it with notebooks.

    SPMS_ROOT overrides the search.
    """
    if given := os.environ.get("SPMS_ROOT"):
        return Path(given).resolve()
    for folder in params.parents:
        if (folder / "notebooks").is_dir() or (folder / "pyproject.toml").is_file():
            return folder
    raise RunError(
        "This params file does not lie in a project: no folder above it holds 'notebooks'.",
        where=params.name,
        remedy="Keep it in params/<company>/ of the project, or set SPMS_ROOT.",
    )


def shown_from(path: Path, base: Path) -> str:
    """Write a path as seen from a folder; whole if it lies elsewhere."""
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else str(path)
