"""Who is paid by a plan in this cycle, and for which seat: one payee for each person and seat."""

import pandas as pd

from spms_lib.cycle.desk import Desk
from spms_lib.cycle.pay.plans import LEAVES
from spms_lib.cycle.split import vacant_leaves
from spms_lib.money import to_minor
from spms_lib.tables import NODE

PAYEE, PERSON, START, END = "payee", "person", "start", "end"
TARGET_INCENTIVE, TENURE_FROM = "target_incentive", "tenure_from"


def payees_of(
    desk: Desk, level: str, *, months: list[str], default_target_incentive: float = 0.0
) -> pd.DataFrame:
    """List who is paid for which seat in some months.

    A seat is judged by its own quota, so a person who changes seats is one payee in each. Where
    no roster says who sits in the seats, each seat that is not vacant is a payee by its name.

    Parameters
    ----------
    level
        `LEAVES` for sellers; else the level whose owners the plan pays.
    default_target_incentive
        Of a full year, in currency units, for a seller whose roster row has none; 0 leaves it unknown.

    Returns
    -------
    pd.DataFrame
        payee (unique), person, node, start, end (days; missing where open), tenure_from,
        target_incentive (Int64 minor units of a year; missing where nobody has said).
    """
    if level != LEAVES:
        return _managers(desk, level)
    first, last = desk.calendar.start(months[0]), desk.calendar.end(months[-1])
    roster = desk.table("roster")
    if roster.empty:
        seats = desk.scope.leaves.difference(list(vacant_leaves(desk)), sort=False)
        rows = pd.DataFrame({PERSON: seats, NODE: seats, START: pd.NaT, END: pd.NaT, TARGET_INCENTIVE: pd.NA})
    else:
        here = roster[NODE].isin(desk.scope.leaves) & (roster["start"] <= pd.Timestamp(last))
        here &= roster["end"].isna() | (roster["end"] >= pd.Timestamp(first))
        rows = roster.loc[here, [PERSON, NODE, START, END, TARGET_INCENTIVE]].reset_index(drop=True)
    rows = rows.assign(**{TARGET_INCENTIVE: rows[TARGET_INCENTIVE].astype("Int64"), TENURE_FROM: rows[START]})
    if default_target_incentive:
        rows[TARGET_INCENTIVE] = rows[TARGET_INCENTIVE].fillna(
            to_minor(default_target_incentive, desk.per_unit)
        )
    return _named(rows)


def _managers(desk: Desk, level: str) -> pd.DataFrame:
    terms = desk.params.manager_plans[level]
    nodes = desk.scope.at_level(level)
    owners = desk.tree.owner.reindex(nodes)
    rows = pd.DataFrame({PERSON: owners.array, NODE: nodes}).dropna(subset=PERSON).reset_index(drop=True)
    for name in (START, END, TENURE_FROM):
        rows[name] = pd.Series(pd.NaT, index=rows.index, dtype="datetime64[us]")
    stated = to_minor(terms.target_incentive, desk.per_unit) if terms.target_incentive else pd.NA
    return _named(rows.assign(**{TARGET_INCENTIVE: pd.array([stated] * len(rows), dtype="Int64")}))


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    """Call each payee by the person, and by the seat as well where a person has several."""
    seats = rows.groupby(PERSON)[NODE].transform("nunique")
    both = rows[PERSON].astype(str) + " (" + rows[NODE].astype(str) + ")"
    stay = rows.groupby([PERSON, NODE]).cumcount()
    again = both + (stay + 1).astype(str).radd(" ").where(stay > 0, "")
    payee = (
        rows[PERSON]
        .astype(str)
        .where((seats == 1) & (rows.groupby(PERSON)[NODE].transform("size") == 1), again)
    )
    columns = [PAYEE, PERSON, NODE, START, END, TENURE_FROM, TARGET_INCENTIVE]
    return rows.assign(**{PAYEE: payee})[columns]
