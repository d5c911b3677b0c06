"""Which column of the source is which of ours."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import pandas as pd

from spms_lib.errors import TableError
from spms_lib.sources.spec import TableSource
from spms_lib.tables import Schema


def pick_columns(
    raw: pd.DataFrame,
    source: TableSource,
    schema: Schema,
    *,
    headers: Mapping[str, Sequence[str]] | None = None,
) -> "dict[str, pd.Series[Any]]":
    """Find the text of each of our columns in the source.

    A column comes from a constant, from the mapping, from the first of its `headers` that
    the source has, or from a column of the same name, capitals aside. Other columns of the
    source are ignored.

    Returns
    -------
    dict[str, pd.Series]
        Our name to the text, for the columns that the source has.

    Raises
    ------
    TableError
        If a name is not ours, a mapped column is not there, is there twice, or is given as
        a constant as well.
    """
    where = f"{schema.table} ({source.origin})"
    _check_names(source, schema, where)
    picked = {}
    for name in schema.names:
        if name in source.constants:
            picked[name] = pd.Series(source.constants[name], index=raw.index, dtype="str")
        elif name in source.columns:
            picked[name] = source_column(raw, source.columns[name], where=where)
        else:
            found = first_column(raw, [*(headers or {}).get(name, ()), name], where=where)
            picked |= {} if found is None else {name: found}
    return picked


def need_columns(picked: "Mapping[str, object]", raw: pd.DataFrame, schema: Schema, *, where: str) -> None:
    """Refuse a source that has no column for one that must be there, naming the nearest it has."""
    for name in schema.required:
        if name not in picked:
            raise TableError(
                f"The source has no column for '{name}'.",
                where=where,
                remedy=f"Add it to `columns` as '{name}: <name in the source>'. {_nearest(name, raw.columns)}",
            )


def _check_names(source: TableSource, schema: Schema, where: str) -> None:
    """Refuse names that are not ours, and columns with two origins."""
    for name in [*source.columns, *source.constants]:
        if name not in schema.names:
            raise TableError(
                f"The table has no column '{name}' to fill.", where=where, remedy=_nearest(name, schema.names)
            )
    for name in source.columns:
        if name in source.constants:
            raise TableError(
                f"'{name}' is mapped and given as a constant.", where=where, remedy="Keep one of the two."
            )


def source_column(raw: pd.DataFrame, name: str, *, where: str) -> "pd.Series[Any]":
    """Take one column of the source by its name; capitals and outer spaces do not matter.

    Raises
    ------
    TableError
        If there is none, naming the nearest; or more than one.
    """
    exact = [place for place, each in enumerate(raw.columns) if each == name]
    places = exact or _same(raw.columns, name)
    if not places:
        raise TableError(
            f"The source has no column '{name}'.", where=where, remedy=_nearest(name, raw.columns)
        )
    if len(places) > 1:
        raise TableError(
            f"The source has {len(places)} columns '{name}'.", where=where, remedy="Rename all but one."
        )
    return raw.iloc[:, places[0]]


def first_column(raw: pd.DataFrame, names: Sequence[str], *, where: str) -> "pd.Series[Any] | None":
    """Take the first of some columns that the source has; None if it has none of them."""
    there = next((name for name in names if _same(raw.columns, name)), None)
    return None if there is None else source_column(raw, there, where=where)


def _same(names: Iterable[str], name: str) -> list[int]:
    return [place for place, each in enumerate(names) if each.strip().casefold() == name.strip().casefold()]


def _nearest(name: str, known: Collection[str]) -> str:
    by_small = {each.casefold(): each for each in known if each}
    near = [by_small[each] for each in get_close_matches(name.casefold(), by_small, n=3, cutoff=0.4)]
    if near:
        return f"Nearest names: {', '.join(near)}."
    return f"Known names: {', '.join(by_small.values())}."
