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
    desk: Desk,
    level: str,
    *,
    months: list[str],
    default_target_incentive: float = 0.0,
    everywhere: bool = False,
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
    everywhere
        True for the whole company, where the edition is of one region.

    Returns
    -------
    pd.DataFrame
        payee (unique), person, node, start, end (days; missing where open), tenure_from,
        target_incentive (Int64 minor units of a year; missing where nobody has said).
    """
    rows = (
        _sellers(desk, months, default_target_incentive) if level == LEAVES else _managers(desk, level)
    ).assign(**{TARGET_INCENTIVE: lambda made: made[TARGET_INCENTIVE].astype("Int64")})
    return rows if everywhere else rows[rows[NODE].isin(desk.scope.nodes)].reset_index(drop=True)


def _sellers(desk: Desk, months: list[str], default: float) -> pd.DataFrame:
    roster, leaves = desk.table("roster"), desk.tree.leaves
    if roster.empty:
        seats = leaves.difference(list(vacant_leaves(desk)), sort=False)
        rows = _open_ended(pd.DataFrame({PERSON: seats, NODE: seats, TARGET_INCENTIVE: pd.NA}))
    else:
        first, last = desk.calendar.start(months[0]), desk.calendar.end(months[-1])
        here = roster[NODE].isin(leaves) & (roster[START] <= pd.Timestamp(last))
        here &= roster[END].isna() | (roster[END] >= pd.Timestamp(first))
        rows = roster.loc[here, [PERSON, NODE, START, END, TARGET_INCENTIVE]].reset_index(drop=True)
        rows = rows.assign(**{TENURE_FROM: rows[START]})
    if default:
        known = rows[TARGET_INCENTIVE].astype("Int64")
        rows[TARGET_INCENTIVE] = known.fillna(to_minor(default, desk.per_unit))
    return _named(rows)


def _managers(desk: Desk, level: str) -> pd.DataFrame:
    terms, nodes = desk.params.manager_plans[level], desk.tree.at_level(level)
    stated = to_minor(terms.target_incentive, desk.per_unit) if terms.target_incentive else pd.NA
    rows = pd.DataFrame({PERSON: desk.tree.owner.reindex(nodes).array, NODE: nodes, TARGET_INCENTIVE: stated})
    return _named(_open_ended(rows.dropna(subset=PERSON).reset_index(drop=True)))


def _open_ended(rows: pd.DataFrame) -> pd.DataFrame:
    never = pd.Series(pd.NaT, index=rows.index, dtype="datetime64[us]")
    return rows.assign(**dict.fromkeys((START, END, TENURE_FROM), never))


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    """Call each payee by the person, and by the seat and the stay in it as well where a person has several."""
    stays = rows.groupby(PERSON)[NODE].transform("size")
    stay = rows.groupby([PERSON, NODE]).cumcount() + 1
    person = rows[PERSON].astype(str)
    long = person + " (" + rows[NODE].astype(str) + ")" + (" " + stay.astype(str)).where(stay > 1, "")
    columns = [PAYEE, PERSON, NODE, START, END, TENURE_FROM, TARGET_INCENTIVE]
    return rows.assign(**{PAYEE: person.where(stays == 1, long)})[columns]
