"""The one way in which this package writes CSV: a table that a spreadsheet opens without running anything."""

from pathlib import Path
from typing import Any, Final

import pandas as pd

from spms_lib.text import inert, visible

_MARK: Final = "'"


def csv_text(frame: pd.DataFrame, *, index: bool = False, date_format: str | None = None) -> str:
    r"""Write a frame as CSV; text that a spreadsheet would run as a formula gets an apostrophe in front.

    Numbers stay numbers. Control characters and marks that turn the direction of writing become `�`,
    every kind of line end within a cell becomes one. `read_back` takes the apostrophe away again, and only that one: text that had one already gets a second.

    Parameters
    ----------
    index
        Whether the row labels are written too; they and the headings are treated as the cells are.

    Examples
    --------
    >>> print(csv_text(pd.DataFrame({"node": ["=1+1", "north"], "change": [-5, 7]})), end="")
    node,change
    '=1+1,-5
    north,7
    """
    safe = frame.set_axis(_labels(frame.columns), axis=1)
    if index:
        safe = safe.set_axis(_labels(frame.index), axis=0)
    for place in range(safe.shape[1]):
        column = safe.iloc[:, place]
        if _holds_text(column.dtype):
            safe.isetitem(place, column.astype("object").map(_guarded).to_numpy())
    return safe.to_csv(index=index, date_format=date_format, lineterminator="\n")


def write_csv(
    frame: pd.DataFrame, path: Path, *, index: bool = False, date_format: str | None = None
) -> None:
    """Write a frame as `csv_text` does, so that a reader finds the old file or the new one, never a part."""
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(csv_text(frame, index=index, date_format=date_format), encoding="utf-8", newline="")
    partial.replace(path)


def read_back(path: Path) -> pd.DataFrame:
    """Read what `write_csv` wrote, with texts as they were."""
    frame = pd.read_csv(path)
    frame = frame.set_axis([_bare(name) for name in frame.columns], axis=1)
    for name in frame.columns[[_holds_text(kind) for kind in frame.dtypes]]:
        frame[name] = frame[name].map(_bare)
    return frame


def _holds_text(kind: Any) -> bool:
    return bool(
        pd.api.types.is_object_dtype(kind)
        or pd.api.types.is_string_dtype(kind)
        or isinstance(kind, pd.CategoricalDtype)
    )


def _labels(labels: pd.Index) -> pd.Index:
    names = [_guarded(name) for name in labels.names]
    if isinstance(labels, pd.MultiIndex):
        return pd.MultiIndex.from_tuples([tuple(map(_guarded, each)) for each in labels], names=names)
    return (labels.map(_guarded) if _holds_text(labels.dtype) else labels).set_names(names)


def _runs(text: str) -> bool:
    bare = text.lstrip(_MARK)
    return inert(bare) != bare


def _guarded(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    seen = visible(
        cell.replace("\r\n", "\n").replace("\r", "\n")
    )  # a spreadsheet breaks the row at a lone return
    return f"{_MARK}{seen}" if _runs(seen) else seen


def _bare(cell: Any) -> Any:
    return cell[1:] if isinstance(cell, str) and cell.startswith(_MARK) and _runs(cell) else cell
