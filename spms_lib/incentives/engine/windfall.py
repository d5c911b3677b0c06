"""Windfalls: single deals so large, or paid so much, that a person looks at them before they are paid."""

from fractions import Fraction
from math import floor
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.incentives.engine.books import COMPONENT, CREDIT, DATE, PAYEE
from spms_lib.incentives.engine.credit_pay import credit_pay
from spms_lib.incentives.engine.curve import difference
from spms_lib.incentives.engine.exact import Ints
from spms_lib.incentives.engine.run import Run
from spms_lib.incentives.engine.spans import span_starts, whole
from spms_lib.incentives.plan.model import YEAR

FLAGS: Final = ("deal_value", "commission", "ti_share", "quota_share")
COLUMNS: Final = (
    *(COMPONENT, CREDIT, PAYEE, DATE, "value", "commission"),
    *("share_of_target_incentive", "share_of_quota", "flags", "clause"),
)


def windfalls(run: Run) -> pd.DataFrame:
    """Hold every credit of a component with a windfall clause against the clause's limits.

    Returns
    -------
    pd.DataFrame
        component, credit, payee, date, value (raw units of the measure), commission (the
        credit's own line, minor units, before gates, multipliers and cap),
        share_of_target_incentive (commission by the year's), share_of_quota (value by the
        year's; both NaN where there is none or no limit asks for it, floats), flags (tuple of `FLAGS`, empty for a
        usual deal), clause (number). A year's targets are those of the run's months in it.

    Raises
    ------
    PeriodError
        If a limit is a share of the year and the run does not begin with a fiscal year.
    """
    found = [_of(run, name) for name, part in run.plan.components.items() if part.windfall]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=list(COLUMNS))


def _of(run: Run, name: str) -> pd.DataFrame:
    rule, setting, targets = run.plan.components[name].windfall, run.settings[name], run.figures.targets[name]
    assert rule is not None
    pay = credit_pay(run, name)
    by_year = rule.share_of_target_incentive_over is not None or rule.share_of_quota_over is not None
    year = span_starts(run.books.periods, YEAR, run.books.calendar) if by_year else None
    incentive, quota = (
        np.zeros_like(pay.value) if year is None else whole(part, year)[pay.payee, pay.month]
        for part in (targets.incentive, targets.quota)
    )
    scale = setting.scales[setting.component.measure]
    over = (
        _more(pay.value, rule.deal_value_over, scale),
        _more(pay.pay, rule.commission_over, setting.per_unit),
        _more_of(pay.pay, rule.share_of_target_incentive_over, incentive),
        _more_of(pay.value, rule.share_of_quota_over, quota),
    )
    credits = run.books.credits.iloc[pay.rows]  # noqa: A001
    frame = pd.DataFrame(
        {
            COMPONENT: name,
            CREDIT: credits[CREDIT].to_numpy(),
            PAYEE: run.books.payees.to_numpy()[pay.payee],
            DATE: credits[DATE].to_numpy(),
            "value": pay.value,
            "commission": pay.pay,
            "share_of_target_incentive": pay.pay / np.where(incentive > 0, incentive, np.nan),
            "share_of_quota": pay.value / np.where(quota > 0, quota, np.nan),
        }
    )
    kinds = np.empty(2 ** len(FLAGS), dtype=object)
    for number in range(len(kinds)):
        kinds[number] = tuple(flag for place, flag in enumerate(FLAGS) if number >> place & 1)
    codes = sum(part.astype(np.int64) << place for place, part in enumerate(over))
    return frame.assign(flags=kinds[codes], clause=rule.clause.number)


def _more(amount: Ints, limit: Fraction | None, scale: int) -> NDArray[np.bool_]:
    if limit is None:
        return np.zeros(len(amount), dtype=bool)
    return np.asarray(amount > floor(limit * scale))


def _more_of(amount: Ints, share: Fraction | None, of: Ints) -> NDArray[np.bool_]:
    """Tell which amounts are more than a share of something; of nothing, none is."""
    if share is None:
        return np.zeros(len(amount), dtype=bool)
    return np.asarray(difference(amount, share.denominator, of, share.numerator) > 0) & (of > 0)
