"""From a source's headers and words to ours, before anything is read as a number or a day."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from spms_lib.errors import SourceError
from spms_lib.findings import NOTED, findings
from spms_lib.sources.crm import crm_export, derive
from spms_lib.sources.mapping import need_columns, pick_columns
from spms_lib.sources.numerals import is_missing
from spms_lib.sources.once import once, small
from spms_lib.sources.spec import TableSource
from spms_lib.tables import CATEGORY, Schema

OMITTED: Final = "omitted"
OMITTED_RULE: Final = "omitted from the forecast"
ANY_OTHER: Final = "*"

Texts = dict[str, "pd.Series[Any]"]


def pick_texts(raw: pd.DataFrame, source: TableSource, schema: Schema) -> tuple[Texts, pd.DataFrame]:
    """Find the text of each of our columns, in our words.

    Returns
    -------
    dict[str, pd.Series]
        Our column to its text, still to be read as numbers and days.
    pd.DataFrame
        Findings: open deals that the CRM leaves out of the forecast. They keep their row and
        have no category, whatever their stage.

    Raises
    ------
    SourceError
        If the source names a CRM, and the table is another than `opportunities`.
    TableError
        If a required column is not there: see `pick_columns`.
    """
    where = f"{schema.table} ({source.origin})"
    words = {name: dict(known) for name, known in source.words.items()}
    if source.crm is None:
        picked = pick_columns(raw, source, schema)
    else:
        if schema.table != "opportunities":
            raise SourceError(
                "A CRM's headers are known for opportunities only.",
                where=where,
                remedy="Leave `crm` out, and map the columns by `columns`.",
            )
        export = crm_export(source.crm)
        given = frozenset({*source.columns, *source.constants})
        picked = pick_columns(raw, source, schema, headers=export.columns)
        picked = derive(raw, picked, export, given=given, where=where)
        words = {
            name: {**export.words.get(name, {}), **words.get(name, {})} for name in {*export.words, *words}
        }
    need_columns(picked, raw, schema, where=where)
    picked |= {name: _translate(picked[name], known) for name, known in words.items() if name in picked}
    return _categories(picked, source, schema)


def _translate(text: "pd.Series[Any]", known: Mapping[str, str]) -> "pd.Series[Any]":
    """Replace whole words, each different one once."""
    table = {small(word): ours for word, ours in known.items()}
    other = table.pop(ANY_OTHER, None)
    return once(text, lambda word: table.get(small(word), word if other is None else other))


def _categories(picked: Texts, source: TableSource, schema: Schema) -> tuple[Texts, pd.DataFrame]:
    """Leave omitted deals without a category, and give the others that have none that of their stage."""
    nothing = findings(schema.table, [], CATEGORY, OMITTED_RULE, [], "")
    if schema.table != "opportunities":
        return picked, nothing
    status = once(picked["status"], small)
    text = picked.get(CATEGORY, pd.Series(pd.NA, index=status.index, dtype="str"))
    omitted = once(text, small) == OMITTED
    rows = (omitted & (status == "open")).to_numpy()
    told = findings(
        schema.table, text.index[rows].tolist(), CATEGORY, OMITTED_RULE, text[rows],
        "Used, but in no category of the forecast; correct its category in the CRM if it belongs there.",
        severity=NOTED,
    )  # fmt: skip
    if source.stage_categories and "stage" in picked:
        table = {small(stage): ours for stage, ours in source.stage_categories.items()}
        by_stage = once(picked["stage"], lambda stage: table.get(small(stage)))
        text = text.where(~(is_missing(text) & (status == "open")), by_stage)
    if CATEGORY in picked or source.stage_categories:
        picked = {**picked, CATEGORY: text.mask(omitted)}
    return picked, told
