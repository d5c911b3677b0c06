"""Words of the field as cells of the ledger and back: an amount, and who said it when, how and why as JSON."""

import json
from collections.abc import Hashable
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.store.schema import COMMIT, ITEM, KEYS, SEQ, TEXT, UNIT, WITHDRAWN
from spms_lib.tables import CATEGORY, MEASURE, NODE, PERIOD, VALUE, schema

SUBMISSION: Final = "submission"
OVERRIDE: Final = "override"
TABLE_OF: Final = {SUBMISSION: "submissions", OVERRIDE: "overrides"}
BY: Final = {SUBMISSION: "submitted_by", OVERRIDE: "overridden_by"}
AT: Final = {SUBMISSION: "submitted_at", OVERRIDE: "overridden_at"}
KEY: Final = [NODE, PERIOD, CATEGORY]
ORIGIN: Final = "origin"
TEMPLATE: Final = "template"
ROUTE: Final = "route"
_HOW: Final = (ROUTE, ORIGIN, TEMPLATE)
_TYPES: Final = {"text": "str", "category": "str", "period": "str", "money": "Int64", "ratio": "float64"}


def fields_of(kind: str) -> list[str]:
    """Name what a word holds beside its key and amount: sender, time, reason or comment, range, route, origin, form."""
    named = [name for name in schema(TABLE_OF[kind]).names if name not in {*KEY, VALUE}]
    return list(dict.fromkeys([*named, *_HOW]))


def typed(kind: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Give words the columns and types of their table, and route, origin and template; what is not there is missing."""
    columns = {column.name: column.type for column in schema(TABLE_OF[kind]).columns}
    columns |= dict.fromkeys((name for name in _HOW if name not in columns), "text")
    found = rows.reindex(columns=list(columns))
    kinds = {name: _TYPES.get(kind_of, "datetime64[us]") for name, kind_of in columns.items()}
    return found.astype(kinds)


def cells_of(kind: str, rows: pd.DataFrame, *, measure: str, unit: str) -> pd.DataFrame:
    """Turn words into cells of a commit: item is the category, text tells who, when, how and why as JSON."""
    said = typed(kind, rows)
    return pd.DataFrame(
        {
            NODE: said[NODE],
            PERIOD: said[PERIOD],
            MEASURE: measure,
            ITEM: said[CATEGORY],
            VALUE: said[VALUE],
            UNIT: unit,
            TEXT: pd.Series(_texts(said, fields_of(kind)), index=said.index, dtype="str"),
        }
    ).reset_index(drop=True)


def words_of(kind: str, cells: pd.DataFrame) -> pd.DataFrame:
    """Read words back from cells: see `typed`."""
    said = json.loads(f"[{','.join(cells[TEXT])}]")  # one call reads a million texts in half the time
    told = {name: [one.get(name) for one in said] for name in fields_of(kind)}
    key = {NODE: cells[NODE].to_numpy(), PERIOD: cells[PERIOD].to_numpy(), CATEGORY: cells[ITEM].to_numpy()}
    return typed(kind, pd.DataFrame({**key, VALUE: cells[VALUE].array, **told}))


def standing(versions: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which versions of cells stand, and which a later revert took out.

    A revert puts a cell back word for word, or withdraws it where there was none before: what lies between is
    undone, and the repetition itself is no word of its own. Nobody repeats a word exactly by sending it again,
    because its time would differ.

    Parameters
    ----------
    versions
        From `Ledger.versions`, oldest first.
    """
    keys = list(KEYS)
    stands = ~versions[WITHDRAWN].to_numpy(dtype=bool)
    again = versions.duplicated([*keys, VALUE, TEXT], keep=False) | versions[WITHDRAWN]
    moved = versions[again][keys].drop_duplicates()
    if moved.empty:
        return stands
    place = versions.reset_index(drop=True).reset_index(names="place")
    for _key, rows in place.merge(moved, on=keys).groupby(keys, sort=False):
        kept: list[dict[Hashable, Any]] = []
        for row in rows.to_dict("records"):
            same = [number for number, one in enumerate(kept) if _same(one, row)]
            kept = [] if row[WITHDRAWN] else kept[: same[-1] + 1] if same else [*kept, row]
        stands[rows["place"]] = rows["place"].isin([row["place"] for row in kept])
    return stands


def kept_words(kind: str, versions: pd.DataFrame) -> pd.DataFrame:
    """Read all versions as words with seq, commit and stands (bool: no revert took it out), oldest commit first.

    Cells without a text are no words: ledgers of before kept a copy of the amounts only.
    """
    spoken = ~versions[WITHDRAWN].to_numpy(dtype=bool) & versions[TEXT].notna().to_numpy()
    stands = standing(versions)
    told = words_of(kind, versions[spoken])
    return told.assign(
        seq=versions.loc[spoken, SEQ].to_numpy(),
        commit=versions.loc[spoken, COMMIT].to_numpy(),
        stands=stands[spoken],
    )


def _same(one: dict[Hashable, Any], other: dict[Hashable, Any]) -> bool:
    return all(
        one[name] == other[name] or (pd.isna(one[name]) and pd.isna(other[name])) for name in (VALUE, TEXT)
    )


def _texts(said: pd.DataFrame, names: list[str]) -> list[str]:
    """Write each row as JSON, its keys in order, without what is missing; each distinct value is written once."""
    parts = []
    for name in sorted(names):
        column = said[name]
        if column.dtype.kind == "M":
            column = column.dt.strftime("%Y-%m-%dT%H:%M:%S.%f").astype("str")
        codes, values = pd.factorize(column)
        told = [f"{json.dumps(name)}: {json.dumps(_plain(one), ensure_ascii=False)}" for one in values]
        parts.append([told[code] if code >= 0 else "" for code in codes.tolist()])
    return ["{" + ", ".join([part for part in row if part]) + "}" for row in zip(*parts, strict=True)]


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
