"""Several files of one kind as one table, such as dated exports of the same report."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pandas as pd

from spms_lib.errors import SourceError
from spms_lib.findings import ROW, join
from spms_lib.sources.folder import file_inside, missing_file
from spms_lib.sources.spec import TableSource
from spms_lib.tables import AS_OF

_DAY: Final = re.compile(r"(?<!\d)(\d{4})([-_.]?)(\d{2})\2(\d{2})(?!\d)")

Read = Callable[[TableSource, Path], tuple[pd.DataFrame, pd.DataFrame]]


def is_pattern(name: str) -> bool:
    """Tell whether a name stands for several files."""
    return "*" in name


def files_of(folder: Path, name: str) -> list[str]:
    """List the files of the data folder that a name stands for, in the order of their names.

    Raises
    ------
    SourceError
        If there is none, or one of them lies outside the folder.
    """
    if not is_pattern(name):
        file_inside(folder, name)
        return [name]
    if ".." in Path(name).parts or Path(name).is_absolute():
        file_inside(folder, name)  # refuses it
    found = sorted(path.relative_to(folder).as_posix() for path in folder.glob(name) if path.is_file())
    for each in found:
        file_inside(folder, each)
    if not found:
        raise missing_file(folder, name)
    return found


def read_files(source: TableSource, folder: Path, read: Read) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read all files of a source under each other; rows are numbered on from file to file.

    With `as_of_from` a column `as_of` holds the day in the name of each row's file.

    Raises
    ------
    SourceError
        If a file cannot be read, a name holds no day, or a table has a column `as_of` of its own.
    """
    frames, found, rows = [], [], 0
    for name in files_of(folder, source.file or ""):
        frame, unread = read(replace(source, file=name, as_of_from=None), folder)
        if source.as_of_from:
            frame = _dated(frame, name)
        last = max([0, *frame.index.tolist()[-1:], *unread[ROW].tolist()])
        frames.append(frame.set_axis(frame.index + rows, axis=0))
        found.append(unread.assign(**{ROW: unread[ROW] + rows}))
        rows += last
    return _under_each_other(frames, source.origin), join(*found)


def _dated(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    parts = [f"{year}-{month}-{day}" for year, _, month, day in _DAY.findall(Path(name).name)]
    days = set(pd.to_datetime(pd.Series(parts, dtype="str"), format="%Y-%m-%d", errors="coerce").dropna())
    if len(days) != 1:
        raise SourceError(
            f"The name of the file holds {'no' if not days else 'more than one'} day.",
            where=name,
            remedy="Put the day of the export into the name, such as opportunities_2026-12-31.csv.",
        )
    if any(str(column).strip().casefold() == AS_OF for column in frame.columns):
        raise SourceError(
            f"The file has a column '{AS_OF}' of its own.", where=name, remedy="Leave `as_of_from` out."
        )
    text = pd.Series(days.pop().strftime("%Y-%m-%d"), index=frame.index, dtype="str", name=AS_OF)
    return pd.concat([frame, text], axis=1)


def _under_each_other(frames: list[pd.DataFrame], where: str) -> pd.DataFrame:
    same = all(list(frame.columns) == list(frames[0].columns) for frame in frames)
    if not same and any(frame.columns.has_duplicates for frame in frames):
        raise SourceError(
            "The files have different columns, and a name occurs twice in one.",
            where=where,
            remedy="Export them again with the same columns.",
        )
    return frames[0] if len(frames) == 1 else pd.concat(frames)
