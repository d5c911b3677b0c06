"""Tables and sentences of the collection notebook: the field against the target, notes, checks, the headline."""

import numpy as np
import pandas as pd

from spms_lib.collect.overrides import DIRECT, topmost
from spms_lib.cycle.collection.freeze import frozen
from spms_lib.cycle.collection.notes import field_notes
from spms_lib.cycle.collection.process import changes, field_submissions, overrides_in_force
from spms_lib.cycle.desk import Desk
from spms_lib.cycle.planning import named
from spms_lib.tables import CATEGORY, NAME, NODE, PERIOD, VALUE, to_wide


def field_against_target(desk: Desk, field: pd.DataFrame, targets: pd.DataFrame) -> pd.DataFrame:
    """Set what the field expects against the targets of those who spoke for the whole quarter.

    Returns
    -------
    pd.DataFrame
        Columns node, name, target, target_said, field, gap (target_said - field), ratio
        (field / target_said), said (share of the target whose owners have spoken); the
        company first, then the review level; missing where nobody has spoken.
    """
    tree = desk.tree
    said = to_wide(field).reindex(index=tree.leaves, columns=desk.months) if len(field) else None
    whole = (
        said.sum(axis=1, min_count=len(desk.months)) if said is not None else pd.Series(np.nan, tree.leaves)
    )
    own = targets.loc[tree.leaves].sum(axis=1).astype(float)
    table = tree.roll_up(
        pd.DataFrame({"target": own, "target_said": own.where(whole.notna()), "field": whole.astype(float)})
    )
    rows = table.loc[[tree.root, *tree.at_level(desk.review_level)]]
    rows = rows.assign(
        gap=rows["target_said"] - rows["field"],
        ratio=rows["field"] / rows["target_said"].where(rows["target_said"] > 0),
        said=rows["target_said"].fillna(0.0) / rows["target"].where(rows["target"] > 0),
    )
    return named(desk, rows.reset_index(names=NODE))


def open_notes(desk: Desk) -> pd.DataFrame:
    """List field notes written by the cut-off that nobody has answered: written_at, name, topic, text, author."""
    rows = field_notes(desk)
    if rows.empty:
        return pd.DataFrame(columns=["written_at", "name", "topic", "text", "author"])
    known = rows[(rows["written_at"] <= pd.Timestamp(desk.params.collect_as_of)) & (rows["status"] == "open")]
    named_rows = known.assign(name=known[NODE].map(desk.tree.name)).sort_values("written_at", ascending=False)
    return named_rows[["written_at", "name", "topic", "text", "author"]]


def nothing_lost(latest: pd.DataFrame, categories: pd.DataFrame, desk: Desk) -> bool:
    """Tell whether the company's roll-up holds every amount that was said for the quarter."""
    said = latest[latest[PERIOD].isin(desk.months)]
    single = [name for name in categories.columns if name in set(said["category"])]
    return (
        int(said[VALUE].sum()) == round(float(categories.loc[[desk.tree.root], single].to_numpy().sum()))
        if len(said)
        else True
    )


def none_late(latest: pd.DataFrame, desk: Desk) -> bool:
    """Tell whether every submission was sent by the cut-off."""
    end = pd.Timestamp(desk.params.collect_as_of) + pd.Timedelta(days=1)
    return bool((latest["submitted_at"] < end).all()) if len(latest) else True


def field_headline(gaps: pd.DataFrame, heard_by: str, desk: Desk) -> str:
    """Say in one line what the field expects and how much of the target has been spoken for."""
    top = gaps.iloc[0]
    if pd.isna(top["field"]):
        return "Nobody has said anything: the plan will rest on targets and history"
    return (
        f"The field expects {desk.money(top['field'])}, {top['ratio']:.0%} of the target of those who spoke "
        f"({top['said']:.0%} of the target; heard from {heard_by})"
    )


def frozen_as_heard(desk: Desk, name: str) -> bool:
    """Tell whether a snapshot holds, cell by cell, the last words by the end of its day: nothing more, nothing less."""
    held = frozen(desk, name)
    key = [NODE, PERIOD, CATEGORY, VALUE]
    pairs = (
        (held.submissions, field_submissions(desk, as_of=held.day)),
        (held.overrides, overrides_in_force(desk, as_of=held.day)),
    )
    return all(_cells(one[key]).equals(_cells(other[key])) for one, other in pairs)


def unexplained(desk: Desk) -> pd.DataFrame:
    """List the changes of a forecast that needed a reason and have none: see `spms_lib.collect.reasons`."""
    rows = changes(desk)
    return rows[rows["required"] & rows["reason"].isna()].reset_index(drop=True)


def override_table(desk: Desk, layer: pd.DataFrame) -> pd.DataFrame:
    """List the overrides in force with what was said below, the largest change first.

    Parameters
    ----------
    layer
        From `overridden`.

    Returns
    -------
    pd.DataFrame
        Columns name, what (month and category), said, value, change (minor units), by, reason.
    """
    direct = layer[layer["how"] == DIRECT]
    order = direct["change"].astype("Float64").abs().sort_values(ascending=False, kind="stable").index
    rows = direct.loc[order].reset_index(drop=True)
    rows = rows.assign(name=rows[NODE].map(desk.tree.name), what=rows[PERIOD] + " " + rows[CATEGORY])
    return rows[[NAME, "what", "said", VALUE, "change", "by", "reason"]]


def overrides_add_up(desk: Desk, layer: pd.DataFrame) -> bool:
    """Tell whether the company's change is, for every month and category, the sum of the topmost overrides' changes."""
    key = [PERIOD, CATEGORY]
    whole = layer[layer[NODE] == desk.tree.root].set_index(key)["change"].fillna(0)
    parts = topmost(desk.tree, layer).groupby(key)["change"].sum()
    return bool((parts.reindex(whole.index).fillna(0) == whole).all())


def _cells(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.astype({VALUE: "Int64"}).sort_values([NODE, PERIOD, CATEGORY], ignore_index=True)
