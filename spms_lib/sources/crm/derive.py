"""What a CRM's export says in more than one column: status, closing values, percentages, currencies."""

import re
from typing import Any, Final

import pandas as pd

from spms_lib.errors import TableError
from spms_lib.sources.crm.export import Export
from spms_lib.sources.mapping import first_column
from spms_lib.sources.once import once, small

Texts = dict[str, "pd.Series[Any]"]

TRUE: Final = frozenset({"1", "1.0", "true", "t", "yes", "y"})
FALSE: Final = frozenset({"0", "0.0", "false", "f", "no", "n", ""})
YES, NO = "yes", "no"
_BARE = re.compile(r"[0-9]+(?:[.,][0-9]*)?")
_CODE = re.compile("[A-Z]{3}")


def derive(raw: pd.DataFrame, picked: Texts, export: Export, *, given: frozenset[str], where: str) -> Texts:
    """Complete the columns that were picked by header; what the params map themselves is left alone.

    Parameters
    ----------
    picked
        Our column to its text.
    given
        Our columns that the params map or state: they are taken as they are.

    Returns
    -------
    dict[str, pd.Series]
        Our column to its text: status from flags where there is no column of it; of won deals
        the actual amount and of closed deals the actual closing day, where there are any;
        bare percentages with their sign; amounts of another currency than most with its code.

    Raises
    ------
    TableError
        If nothing says whether a deal is open, or on which day the export was made.
    """
    texts = dict(picked)
    if export.flags and "status" not in given:
        texts["status"] = _status(raw, export, where, other=picked.get("status"))
    if "as_of" not in texts:
        raise TableError(
            "Nothing says on which day the export was made.",
            where=where,
            remedy="Set `as_of_from: file name`, or give the day as `constants: {as_of: 2026-12-31}`.",
        )
    states = export.words.get("status", {})
    status = once(texts["status"], lambda word: small(states.get(small(word), word)))
    for later, headers in (
        (status == "won", export.when_won),
        (status.isin(["won", "lost"]), export.when_closed),
    ):
        for name in set(headers) - given:
            actual = first_column(raw, headers[name], where=where)
            if actual is not None and name in texts:
                texts[name] = actual.where(later & actual.notna(), texts[name])
    for name in set(export.percent) & set(texts) - given:
        texts[name] = once(
            texts[name], lambda word: f"{word.strip()}%" if _BARE.fullmatch(word.strip()) else word
        )
    if "amount" in texts and "amount" not in given:
        texts["amount"] = _with_currency(raw, texts["amount"], export, where)
    return texts


def _status(
    raw: pd.DataFrame, export: Export, where: str, *, other: "pd.Series[Any] | None"
) -> "pd.Series[Any]":
    """Read open, won or lost from columns that are true or false; another word stays, to be found."""
    cells = {name: first_column(raw, headers, where=where) for name, headers in export.flags.items()}
    known = {name: once(cell, _truth).fillna(NO) for name, cell in cells.items() if cell is not None}
    if "won" not in known or not {"lost", "closed"} & set(known):
        if other is not None:
            return other
        wanted = [headers[0] for headers in export.flags.values()]
        raise TableError(
            "Nothing says whether a deal is open, won or lost.",
            where=where,
            remedy=f"Export the columns {', '.join(wanted)}, or map `status` and translate its words by `words`.",
        )
    status = pd.Series("open", index=raw.index, dtype="str")
    for name, outcome in (("closed", "lost"), ("lost", "lost"), ("won", "won")):
        if name in known:
            status = status.mask(known[name] == YES, outcome)
    for cell in known.values():
        status = status.mask(~cell.isin([YES, NO]), cell)
    return status


def _truth(word: str) -> str:
    return YES if small(word) in TRUE else NO if small(word) in FALSE else word


def _with_currency(
    raw: pd.DataFrame, amount: "pd.Series[Any]", export: Export, where: str
) -> "pd.Series[Any]":
    """Put the code before amounts that are in another currency than most, for the reader to refuse."""
    codes = first_column(raw, export.currency, where=where)
    if codes is None or first_column(raw, export.converted, where=where) is not None:
        return amount
    codes = once(codes, lambda word: word.strip() if _CODE.fullmatch(word.strip()) else None)
    if codes.nunique() < 2:
        return amount
    return (codes + " " + amount).where(codes.notna(), amount)
