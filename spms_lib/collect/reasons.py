"""Reasons: every change of a forecast as a row, with the reason that was given, or the fact that none was."""

from collections.abc import Collection
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.collect.overrides import DIRECT
from spms_lib.tables import CATEGORY, NODE, PERIOD, VALUE

COLUMNS: Final = (
    *(NODE, PERIOD, CATEGORY, "before", "after", "change", "change_ratio"),
    *("required", "reason", "by", "at", "kind"),
)
JUDGED: Final = ("commit",)
_KEY: Final = [NODE, PERIOD, CATEGORY]


def changes_of_submissions(
    heard: pd.DataFrame, *, reason_above: float, categories: Collection[str] = JUDGED
) -> pd.DataFrame:
    """List every step from one version of a submission to the next, with its reason.

    Parameters
    ----------
    heard
        All versions with the columns of the table `submissions`, oldest first; the comment is the reason.
    reason_above
        Change as a ratio of what was said before, above which a reason is required.
    categories
        Categories in which a reason is asked for; the others move as deals do.

    Returns
    -------
    pd.DataFrame
        Columns `COLUMNS`: before, after and change in minor units (Int64); change_ratio (change / before, infinite
        from 0); required (bool: the change is larger than it may be without a reason); reason (missing where none
        was given), by, at, kind (`submission`). First words are no change. Oldest first.
    """
    before = heard.groupby(_KEY)[VALUE].shift()
    told = pd.DataFrame({"before": before, "by": heard["submitted_by"], "at": heard["submitted_at"]})
    rows = heard[_KEY].assign(**told, after=heard[VALUE], reason=heard["comment"], kind="submission")
    return _judged(rows[rows["before"].notna()], reason_above, categories)


def changes_between(
    before: pd.DataFrame, after: pd.DataFrame, *, reason_above: float, categories: Collection[str] = JUDGED
) -> pd.DataFrame:
    """List what differs between two snapshots of submissions, with the reason that stood beside the later word.

    Parameters
    ----------
    before, after
        One row per node, period and category; a word that only one of them has is no change.
    """
    both = after.merge(before[[*_KEY, VALUE]], on=_KEY, suffixes=("", "_before"))
    rows = both[_KEY].assign(
        before=both[f"{VALUE}_before"], after=both[VALUE], reason=both["comment"],
        by=both["submitted_by"], at=both["submitted_at"], kind="submission",
    )  # fmt: skip
    return _judged(rows, reason_above, categories)


def changes_by_override(table: pd.DataFrame) -> pd.DataFrame:
    """List the overrides in force as changes of what was submitted; each has a reason, or it would not be there.

    Parameters
    ----------
    table
        From `spms_lib.collect.overrides.with_overrides`.
    """
    rows = table[table["how"] == DIRECT].rename(columns={"said": "before", VALUE: "after"})
    return _judged(rows.assign(kind="override"), -1.0, set(rows[CATEGORY]))


def _judged(rows: pd.DataFrame, reason_above: float, categories: Collection[str]) -> pd.DataFrame:
    told = rows.astype({"before": "Int64", "after": "Int64"})
    change = told["after"] - told["before"]
    base = told["before"].abs().to_numpy(dtype=float, na_value=np.nan)
    moved = change.to_numpy(dtype=float, na_value=np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(moved == 0, 0.0, moved / base)
    required = told[CATEGORY].isin(list(categories)) & (
        np.nan_to_num(np.abs(ratio), nan=np.inf) > reason_above
    )
    reason = told["reason"].astype("object").where(told["reason"].notna(), None)
    found = told.assign(change=change, change_ratio=ratio, required=required, reason=reason)
    return found[(change != 0).fillna(value=True).astype(bool)][list(COLUMNS)].reset_index(drop=True)
