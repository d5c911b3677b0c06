"""Awards: who earned which in which period, by the rule of that day, and where nobody can tell."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

import pandas as pd

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import TableError
from spms_lib.incentives.recognition.kinds import Look, change, verdict
from spms_lib.incentives.recognition.rules import LENGTHS, AwardRule
from spms_lib.tables import MEASURE, PERIOD, VALUE, need

AWARDED: Final = "awarded"
UNKNOWN: Final = "not known"
_COLUMNS: Final = ("payee", "award", PERIOD, "status", "evidence", "clause", "rule_version")
_MONTHS: Final = dict(zip((1, 3, 12), LENGTHS, strict=True))


def awards(
    rules: Sequence[AwardRule], measures: pd.DataFrame, *, calendar: FiscalCalendar, as_of: dt.date
) -> pd.DataFrame:
    """List every award that was earned, with the numbers that earned it, and those that nobody can judge yet.

    Each period that is over is judged by the version of a rule that holds on the period's last day,
    for every payee with a measure in it. Rules are absolute: what others do takes no award from
    anybody, except that `most_improved` has a number of winners. A streak is awarded in
    every period that completes it. Who did not earn an award is not listed.

    Parameters
    ----------
    rules
        From `award_rules_from_dict`.
    measures
        Columns payee, period, measure, value (any unit; true is 1). Missing is not known. Periods of
        several lengths may stand together; a rule sees only those of its own.
    as_of
        Periods that end later are not judged.

    Returns
    -------
    pd.DataFrame
        Columns payee, award, period, status (`awarded`, or `not known`: not awarded, for the evidence says
        what is missing), evidence, clause, rule_version (first day of the version).

    Raises
    ------
    TableError
        If a payee has a measure twice in a period.

    Examples
    --------
    >>> from spms_lib.incentives.recognition.rules import award_rules_from_dict
    >>> club = award_rules_from_dict([{"award": "club", "kind": "club", "clause": "2026, 3", "per": "quarter",
    ...     "valid_from": "2026-01-01", "all": {"attainment": 1.15, "sales": 500}}])
    >>> rows = [("ada", 1.2, 520), ("ben", 1.3, None), ("cyd", 1.1, None)]
    >>> wide = pd.DataFrame(rows, columns=["payee", "attainment", "sales"]).assign(period="2026Q1")
    >>> long = wide.melt(["payee", "period"], var_name="measure")
    >>> found = awards(club, long, calendar=FiscalCalendar(), as_of=dt.date(2026, 4, 1))
    >>> found[["payee", "status", "evidence"]].values.tolist()  # doctest: +NORMALIZE_WHITESPACE
    [['ada', 'awarded', 'attainment 1.2 (at least 1.15), sales 520 (at least 500)'],
     ['ben', 'not known', 'attainment 1.3 (at least 1.15), sales not known (at least 500)']]
    """
    need(measures, ["payee", PERIOD, MEASURE, VALUE], "measures")
    told = measures.assign(**{PERIOD: measures[PERIOD].map(calendar.parse)})
    twice = told[told.duplicated(["payee", PERIOD, MEASURE])]
    if len(twice):
        payee, period, measure = twice[["payee", PERIOD, MEASURE]].iloc[0]
        raise TableError(
            f"{payee} has '{measure}' twice in {period}.", where="measures", remedy="Keep one row of each."
        )
    known = told[told[VALUE].notna()]
    keys = zip(known["payee"], known[PERIOD], known[MEASURE], strict=True)
    values = dict(zip(keys, known[VALUE].astype("float64").tolist(), strict=True))
    seen = told[["payee", PERIOD]].drop_duplicates()
    lengths = {period: _MONTHS[len(calendar.months(period))] for period in seen[PERIOD].unique()}
    rows: list[tuple[object, ...]] = []
    for period in sorted(lengths, key=lambda name: (calendar.end(name), name)):
        mine = [r for r in rules if r.holds_on(calendar.end(period)) and r.per == lengths[period]]
        if calendar.end(period) > as_of or not mine:
            continue
        same = seen[seen[PERIOD].map(lengths) == lengths[period]]
        first = same.groupby("payee")[PERIOD].min()
        present = sorted(same.loc[same[PERIOD] == period, "payee"])
        pasts = {payee: calendar.range(first[payee], period) for payee in present}
        for rule in mine:
            rows += _judged(rule, values, pasts)
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype("str")


def _judged(
    rule: AwardRule, values: dict[tuple[str, str, str], float], pasts: dict[str, list[str]]
) -> list[tuple[object, ...]]:
    """Judge all payees of one period by one rule; `pasts` are their periods up to this one."""
    verdicts, order = {}, {}
    for payee, periods in pasts.items():
        value = _look(values, payee)
        verdicts[payee] = verdict(rule.kind, rule.asks, value, periods)
        if verdicts[payee][0] and rule.kind == "most_improved":
            second = value(periods[-1], rule.asks["second"]) if rule.asks["ties"] == "second" else None
            order[payee] = (change(rule.asks, value, periods), second or 0.0)
    if order:
        last_winner = sorted(order.values(), reverse=True)[: int(rule.asks["winners"])][-1]
        verdicts |= {payee: (False, "") for payee, place in order.items() if place < last_winner}
    version = rule.valid_from.isoformat()
    return [
        (payee, rule.award, pasts[payee][-1], AWARDED if met else UNKNOWN, words, rule.clause, version)
        for payee, (met, words) in verdicts.items()
        if met is not False
    ]


def _look(values: dict[tuple[str, str, str], float], payee: str) -> Look:
    return lambda period, measure: values.get((payee, period, measure))
