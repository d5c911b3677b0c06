"""The forecast bonus of many payees and periods, to the cent, and what it uses of its budget."""

import dataclasses
from fractions import Fraction
from math import lcm
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.errors import MoneyError, PlanError, TableError
from spms_lib.incentives.truth.incentive import ForecastIncentive
from spms_lib.incentives.truth.schemes import Score
from spms_lib.incentives.truth.statistic import WHERE
from spms_lib.tables import PERIOD, need

PAYEE: Final = "payee"
FORECAST: Final = "forecast"
ACTUAL: Final = "actual"
OBJECTIVE: Final = "objective"
SPREAD: Final = "forecast_sd"
BONUS: Final = "bonus"
REASON: Final = "reason"
TARGET_INCENTIVE: Final = "target_incentive"

_Whole = NDArray[np.object_]  # Python integers of any size, so no product overflows


def forecast_bonus(incentive: ForecastIncentive, frame: pd.DataFrame) -> pd.DataFrame:
    """Work out each payee's forecast bonus of each period, exactly, rounded half up to the cent.

    Parameters
    ----------
    frame
        payee, period, forecast, actual (whole minor units; null means nobody has said). Also forecast_sd
        (number) where a distribution is asked for, and objective where each payee has their own.

    Returns
    -------
    pd.DataFrame
        `frame` with bonus (Int64 minor units; null where it cannot be known) and reason (text: why
        there is none, else empty).

    Raises
    ------
    TableError
        If a column is missing, an amount is not whole, an objective or spread is below what it can be, or a
        payee and period stand twice.
    MoneyError
        If a bonus does not fit into 64 bits.

    Examples
    --------
    >>> from spms_lib.incentives.truth.builders import weitzman
    >>> said = pd.DataFrame({"payee": ["ann", "bob"], "period": "2026Q1", "forecast": [100_00, None], "actual": 110_05})
    >>> forecast_bonus(weitzman("0.7 %", "1 %", "1.3 %"), said)[["bonus", "reason"]].values.tolist()
    [[107, ''], [<NA>, 'no forecast']]
    """
    columns = [FORECAST, ACTUAL]
    columns += [SPREAD] if isinstance(incentive, Score) else []
    each = incentive.objective == 1  # a plan that states no objective has one for each payee
    columns += [OBJECTIVE] if each or (incentive.objective is not None and OBJECTIVE in frame) else []
    need(frame, [PAYEE, PERIOD, *columns], "forecasts")
    if frame.duplicated([PAYEE, PERIOD]).any():
        twice = frame[frame.duplicated([PAYEE, PERIOD])].iloc[0]
        raise TableError(
            f"'{twice[PAYEE]}' stands twice in {twice[PERIOD]}.",
            where="forecasts",
            remedy="Keep one forecast.",
        )
    reason = pd.Series("", index=frame.index, dtype="str")
    for name in columns[::-1]:
        reason = reason.mask(frame[name].isna(), f"no {name}")
    known = (reason == "").to_numpy()
    rows = frame.loc[known, columns]
    _refuse(OBJECTIVE in rows and (rows[OBJECTIVE] <= 0).any(), "An objective is not above zero.")
    _refuse(SPREAD in rows and (rows[SPREAD] < 0).any(), "A spread is below zero.")
    paid = _score(incentive, rows) if isinstance(incentive, Score) else _exact(incentive, rows)
    whole = np.zeros(len(frame), dtype=np.int64)
    try:
        whole[known] = paid
    except OverflowError:
        raise MoneyError(
            "A bonus does not fit into 64 bits.", where=WHERE, remedy="Check the rates."
        ) from None
    bonus = pd.Series(pd.arrays.IntegerArray(whole, ~known), index=frame.index)
    return frame.assign(**{BONUS: bonus, REASON: reason})


def budget_use(incentive: ForecastIncentive, paid: pd.DataFrame) -> pd.DataFrame:
    """Set the bonuses of each period against the budget the plan sets aside; nothing is scaled.

    Parameters
    ----------
    paid
        From `forecast_bonus`, with target_incentive (minor units, of the same period; null adds nothing).

    Returns
    -------
    pd.DataFrame
        One row per period: period, payees, unknown (without a bonus), bonus (Int64, of the others), budget
        (Int64: budget_share x target incentives, half up), used_ratio (float; null without a budget), over
        (Int64: what is paid beyond the budget).

    Raises
    ------
    PlanError
        If the plan states no budget share.
    """
    need(paid, [PERIOD, BONUS, TARGET_INCENTIVE], "forecast bonuses")
    share = incentive.budget_share
    if share is None:
        raise PlanError("No budget_share is stated.", where=WHERE, remedy="Add it to the plan.")
    whole = paid.astype({BONUS: "Int64", TARGET_INCENTIVE: "Int64"})
    table = whole.groupby(PERIOD, sort=True).agg(
        payees=(BONUS, "size"), known=(BONUS, "count"), bonus=(BONUS, "sum"), pool=(TARGET_INCENTIVE, "sum")
    )
    pool = np.array([int(amount) for amount in table["pool"]], dtype=object)
    budget = pd.Series(_half_up(pool * share.numerator, share.denominator), index=table.index, dtype="Int64")
    used = (table["bonus"] / budget.where(budget > 0)).astype("float64")
    return pd.DataFrame(
        {
            "payees": table["payees"],
            "unknown": table["payees"] - table["known"],
            BONUS: table["bonus"],
            "budget": budget,
            "used_ratio": used,
            "over": (table["bonus"] - budget).clip(lower=0),
        }
    ).reset_index()


def _score(incentive: Score, rows: pd.DataFrame) -> NDArray[np.int64]:
    said = rows[[FORECAST, SPREAD]].to_numpy(dtype=np.float64)
    return np.floor(incentive.bonus(said, rows[ACTUAL].to_numpy(dtype=np.float64)) + 0.5).astype(np.int64)


def _exact(incentive: ForecastIncentive, rows: pd.DataFrame) -> _Whole:
    """Compute in whole numbers over one common denominator, so only the result is rounded."""
    parameters = [getattr(incentive, field.name) for field in dataclasses.fields(incentive)]
    grain = 2 * lcm(
        *(one.denominator for one in parameters if isinstance(one, Fraction))
    )  # 2: halves of a spread
    per: Any = incentive.objective or Fraction(1)
    per = _whole(rows[OBJECTIVE]) if OBJECTIVE in rows else per.numerator if per.denominator == 1 else per

    def number(parameter: Fraction) -> int:
        return parameter.numerator * (grain // parameter.denominator)

    amount = incentive.unlimited(_whole(rows[FORECAST]), _whole(rows[ACTUAL]), per, number)
    return _half_up(incentive.limited(amount, per, number), per * grain)


def _whole(values: pd.Series) -> _Whole:
    try:
        return np.asarray(values.astype("Int64"), dtype=object)
    except (TypeError, ValueError):
        _refuse(True, f"Column '{values.name}' holds amounts that are not whole minor units.")
        raise


def _refuse(wrong: Any, what: str) -> None:
    if wrong:
        raise TableError(what, where="forecasts", remedy="Correct it; a payee without one has a null.")


def _half_up(numerator: _Whole, denominator: Any) -> _Whole:
    """Divide and round to the nearest whole number, a half upwards."""
    return np.asarray((numerator * 2 + denominator) // (denominator * 2), dtype=object)
