"""The data folder: which files are in it, and nothing outside of it."""

from difflib import get_close_matches
from pathlib import Path
from typing import Final

from spms_lib.errors import SourceError

SHOWN_NAMES: Final = 3


def file_inside(folder: Path, name: str) -> Path:
    """Find a file of the data folder by the name that the params give.

    Raises
    ------
    SourceError
        If the name leads out of the folder, or there is no such file; names the nearest ones.
    """
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise SourceError(
            "The file is outside the data folder.",
            where=name,
            remedy="Put it into the data folder, and name it without '..' and without a leading '/'.",
        )
    if not path.is_file():
        raise missing_file(folder, name)
    return path


def missing_file(folder: Path, name: str) -> SourceError:
    """Say that the data folder has no such file, and which names are near."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    by_small = {each.lower(): each for each in names}
    near = get_close_matches(Path(name).name.lower(), by_small, n=SHOWN_NAMES, cutoff=0.5)
    shown = [by_small[each] for each in near] or names[:SHOWN_NAMES]
    return SourceError(
        f"There is no file '{name}' in the data folder.",
        where=name,
        remedy=f"{'Nearest names' if near else 'It holds'}: {', '.join(shown)}." if shown else "It is empty.",
    )
