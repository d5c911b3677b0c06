"""Printed tables: one frame, shown as HTML in a report and as aligned text everywhere else.

The HTML holds class names only; what they look like is in `template/parts.css`.
It carries no random ids, so the same frame prints the same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.errors import TableError
from spms_lib.report.cells import column_text, is_number, label_of, refuse_unknown
from spms_lib.text import visible

MARK: Final = "▸\N{NO-BREAK SPACE}"
_NO_MATHS: Final = "tex2jax_ignore mathjax_ignore"  # two dollar signs in a table are not a formula


LONG: Final = 60  # characters from which a column is set as sentences
SHORT: Final = 12  # up to here a text is kept on one line, such as a date


@dataclass(frozen=True, slots=True)
class Printed:
    """Something to show, as HTML and as text that says the same.

    Attributes
    ----------
    html
        Complete elements, every text in them escaped.
    text
        The same for a terminal, a diff and `nbval`.

    Both are without control characters and marks that turn the direction of writing.
    """

    html: str
    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "html", visible(self.html))
        object.__setattr__(self, "text", visible(self.text))

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


def show(
    frame: pd.DataFrame,
    *,
    title: str,
    note: str = "",
    money: Sequence[str] = (),
    ratios: Sequence[str] = (),
    signed: Sequence[str] = (),
    by_unit: Sequence[str] = (),
    currency: str = "EUR",
    cents: bool = True,
    labels: dict[str, str] | None = None,
    limit: int | None = None,
    highlight: pd.Series | None = None,
) -> Printed:
    """Print a frame as a table that an executive can read and a screen reader can speak.

    Numbers stand to the right with thousands separated, missing is a dash, yes and
    no are words. The first column names the row. An index that says something (it
    has a name, or is not a plain count) is printed as the first columns.

    Parameters
    ----------
    frame
        Computed rows in the order of printing; not changed.
    title
        Caption: what the rows are.
    note
        A sentence under the table: conventions, source, what to look for.
    money
        Columns of whole minor units (or estimates in minor units).
    ratios
        Columns where 1.0 is 100 %.
    signed
        Columns that print a plus before gains: differences and changes.
    by_unit
        Columns whose unit differs from row to row: the column `unit` says money, ratio or
        anything else (a plain number), and is not printed itself.
    cents
        False prints money in whole currency units.
    labels
        Headings that differ from the column names.
    limit
        Print the first rows only, and say how many there are.
    highlight
        Booleans, one per row of `frame`: rows to mark, such as totals or exceptions.

    Raises
    ------
    TableError
        If a named column is not there, or `highlight` has another length.

    Examples
    --------
    >>> frame = pd.DataFrame({"node": ["north", "south"], "quota": [1234500, None], "done": [0.95, None]})
    >>> show(frame, title="Quotas", money=["quota"], ratios=["done"])
    Quotas
    Node        Quota   Done
    ─────  ──────────  ─────
    north  €12,345.00  95.0%
    south           –      –
    """
    table = _with_index(frame)
    units = table["unit"] if by_unit else None
    table = table.drop(columns="unit") if by_unit else table
    names = list(table.columns)
    for chosen in (money, ratios, signed, by_unit, labels or {}):
        refuse_unknown(chosen, names, "column")
    marked = _marked(highlight, len(table))
    shown = table if limit is None else table.head(limit)
    heads = [(labels or {}).get(name, label_of(name)) for name in names]
    numeric: list[bool] = []
    columns: list[list[str]] = []
    for place, name in enumerate(names):
        values = shown.iloc[:, place]
        amount, share = name in money, name in ratios
        numeric.append(amount or share or is_number(values))
        if units is not None and name in by_unit:
            columns.append(_by_unit(values, units, currency=currency, cents=cents))
            continue
        columns.append(
            column_text(
                values, money=amount, ratio=share, signed=name in signed, currency=currency, cents=cents
            )
        )
    rows = [list(row) for row in zip(*columns, strict=True)]
    count = "" if len(shown) == len(table) else f"{len(shown):,} of {len(table):,} rows."
    notes = " ".join(part for part in (count, note.strip()) if part)
    return Printed(
        _html(title, heads, rows, numeric, marked, notes), _text(title, heads, rows, numeric, marked, notes)
    )


def _by_unit(values: pd.Series, units: pd.Series, *, currency: str, cents: bool) -> list[str]:
    """Write each number in its own row's unit."""
    return [
        column_text(
            pd.Series([value]), money=unit == "money", ratio=unit == "ratio", currency=currency, cents=cents
        )[0]
        for value, unit in zip(values, units, strict=False)
    ]


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    plain = isinstance(frame.index, pd.RangeIndex) or (
        frame.index.nlevels == 1 and frame.index.name is None and pd.api.types.is_integer_dtype(frame.index)
    )
    if plain and frame.index.name is None:
        return frame
    names = [str(name) if name is not None else "" for name in frame.index.names]
    if frame.index.nlevels == 1 and names[0] in frame.columns:
        return frame
    levels = [
        pd.Series(frame.index.get_level_values(i), index=frame.index, name=name)
        for i, name in enumerate(names)
    ]
    return pd.concat([*levels, frame], axis=1)


def _marked(highlight: pd.Series | None, rows: int) -> list[bool]:
    if highlight is None:
        return [False] * rows
    if len(highlight) != rows:
        raise TableError(
            f"The highlight has {len(highlight)} values for {rows} rows.", remedy="Give one boolean per row."
        )
    return [bool(value) for value in np.asarray(highlight.fillna(value=False), dtype=bool)]


def _html(
    title: str, heads: list[str], rows: list[list[str]], numeric: list[bool], marked: list[bool], notes: str
) -> str:
    kinds = [_kind([row[place] for row in rows], number=number) for place, number in enumerate(numeric)]
    head = "".join(
        f'<th scope="col"{kind}>{escape(text)}</th>' for text, kind in zip(heads, kinds, strict=True)
    )
    body = []
    for row, mark in zip(rows, marked, strict=False):
        first = f'<th scope="row"{kinds[0]}>{MARK if mark else ""}{escape(row[0])}</th>'
        rest = "".join(
            f"<td{kind}>{escape(text)}</td>" for text, kind in zip(row[1:], kinds[1:], strict=True)
        )
        row_class = ' class="marked"' if mark else ""
        body.append(f"<tr{row_class}>{first}{rest}</tr>")
    if not rows:
        body.append(f'<tr><td colspan="{max(len(heads), 1)}">No rows.</td></tr>')
    below = f'\n<p class="spms-note">{escape(notes)}</p>' if notes else ""
    return (
        f'<div class="spms-table {_NO_MATHS}" role="region" aria-label="{escape(title)}" tabindex="0">\n'
        f"<table>\n<caption>{escape(title)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n"
        + "\n".join(body)
        + f"\n</tbody>\n</table>{below}\n</div>"
    )


def _kind(texts: list[str], *, number: bool) -> str:
    """Choose how a column is set: numbers to the right, sentences with room, short texts unbroken."""
    if number:
        return ' class="num"'
    longest = max(map(len, texts), default=0)
    return ' class="long"' if longest > LONG else ' class="short"' if longest <= SHORT else ""


def _text(
    title: str, heads: list[str], rows: list[list[str]], numeric: list[bool], marked: list[bool], notes: str
) -> str:
    flat = [[" ".join(text.split()) for text in row] for row in rows]
    for row, mark in zip(flat, marked, strict=False):
        row[0] = f"{MARK if mark else ''}{row[0]}"
    widths = [max(len(row[i]) for row in [heads, *flat]) for i in range(len(heads))]

    def line(cells: list[str]) -> str:
        padded = (
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(cells, widths, numeric, strict=True)
        )
        return "  ".join(padded).rstrip()

    body = [line(row) for row in flat] or ["No rows."]
    return "\n".join(
        [title, line(heads), line(["─" * width for width in widths]), *body, *([notes] if notes else [])]
    )
