"""A run in short: each payee's pay in some months, and what the plan costs."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd

from spms_lib.incentives.engine.books import INCENTIVE, PAYEE, QUOTA
from spms_lib.incentives.engine.component import REASONS, by_line, stand
from spms_lib.incentives.engine.exact import Ints
from spms_lib.incentives.engine.figures import Measured
from spms_lib.incentives.engine.run import REASON, Run
from spms_lib.incentives.engine.spans import last_columns
from spms_lib.incentives.plan.model import ATTAINMENT, Component

PAYOUT: Final = "payout"
SOLD: Final = "actual"
TOTAL_PAYOUT: Final = "total_payout"
TOTAL_TARGET_INCENTIVE: Final = "total_target_incentive"
PAYOUT_RATIO: Final = "payout_ratio"
COST_OF_SALES_RATIO: Final = "cost_of_sales_ratio"
COST_AT_QUOTA: Final = "cost_at_quota"
SHARE_AT_OR_ABOVE_QUOTA: Final = "share_at_or_above_quota"
SEATS: Final = "seats"
SEATS_NOT_PAYABLE: Final = "seats_not_payable"


def payouts(run: Run, months: Sequence[str]) -> pd.DataFrame:
    """Sum up each payee's pay in some months, component by component.

    Returns
    -------
    pd.DataFrame
        One row per payee: payee; actual and quota of the first component that is judged by a
        quota (Int64, missing where there is none), attainment (actual / quota, float);
        target_incentive and payout (Int64 minor units, sums over components; missing where no
        component can be paid), one column per component with what it earned, and reason (why
        a component cannot be paid; empty where all can).

    Notes
    -----
    Components sum to the payout.
    """
    columns = [run.books.periods.index(month) for month in months]
    frame = pd.DataFrame({PAYEE: run.books.payees})
    judged = next((part for part in run.plan.components.values() if on_quota(part)), None)
    if judged is None:
        frame[SOLD] = frame[QUOTA] = pd.array([pd.NA] * len(frame), dtype="Int64")
    else:
        targets, own = run.figures.targets[judged.name], run.figures.own[judged.name]
        stated = targets.has_quota[:, columns].any(axis=1)
        frame[SOLD] = pd.array(own.value[:, columns].sum(axis=1), dtype="Int64")
        frame[QUOTA] = _where(targets.quota[:, columns].sum(axis=1), stated)
    frame[ATTAINMENT] = (frame[SOLD] / frame[QUOTA].where(frame[QUOTA] > 0)).astype("float64")
    incentives = [part.incentive[:, columns].sum(axis=1) for part in run.figures.targets.values()]
    told = [part.has_incentive[:, columns].any(axis=1) for part in run.figures.targets.values()]
    frame[INCENTIVE] = _where(np.sum(incentives, axis=0), np.array(told).any(axis=0))
    worst = {name: part[:, columns].max(axis=1) for name, part in run.reason.items()}
    known = (np.array(list(worst.values())) == 0).any(axis=0)
    earned = {name: part[:, columns].sum(axis=1) for name, part in run.earned.items()}
    frame[PAYOUT] = _where(np.sum(list(earned.values()), axis=0), known)
    for name, part in earned.items():
        frame[name] = _where(part, worst[name] == 0)
    frame[REASON] = pd.Series("", index=frame.index, dtype="str")
    for part in worst.values():
        texts = pd.Series(np.array(REASONS, dtype=object)[part], index=frame.index, dtype="str")
        frame[REASON] = frame[REASON].mask((frame[REASON] == "") & (texts != ""), texts)
    return frame


def on_quota(component: Component) -> bool:
    """Tell whether a component is judged by attainment of a quota."""
    return component.curve is not None and component.curve.unit == ATTAINMENT


def cost_summary(run: Run, months: Sequence[str], *, sales: int | None = None) -> pd.DataFrame:
    """Sum up what the plan costs in some months, and what it would cost at 100 %.

    Parameters
    ----------
    sales
        All sales of the months in minor units, paid for or not; those credited if None.

    Returns
    -------
    pd.DataFrame
        One row per metric: metric, value (float, null where it cannot be known; money in
        minor units), unit (money, ratio or count), convention (how it is counted).

    Notes
    -----
    The cost at 100 % is the sum of payouts if everybody sold exactly the quota. The cost of real,
    spread-out results is another number: with an accelerator it is higher at the same average.
    """
    paid = payouts(run, months)
    payable = paid[PAYOUT].notna().to_numpy()
    seats, total = int(payable.sum()), int(paid[PAYOUT].sum())
    incentive = int(paid[INCENTIVE][payable].sum())
    sold = int(paid[SOLD].sum()) if sales is None else sales
    judged = paid[(paid[QUOTA] > 0).fillna(value=False) & paid[SOLD].notna()]

    def known(value: float) -> float:
        return value if seats else np.nan

    rows: list[tuple[str, float, str, str]] = [
        (TOTAL_PAYOUT, known(total), "money", "sum of payouts of payable seats"),
        (TOTAL_TARGET_INCENTIVE, known(incentive), "money", "pay at 100 % of the period, payable seats"),
        (PAYOUT_RATIO, _ratio(total, incentive), "ratio", "payout / target incentive, payable seats"),
        (
            COST_OF_SALES_RATIO,
            known(_ratio(total, sold)),
            "ratio",
            "payout / all sales listed, paid for or not; incentive pay only",
        ),
        (
            COST_AT_QUOTA,
            known(int(at_quota(run, months)[payable].sum())),
            "money",
            "payout if each payable seat sold its quota",
        ),
        (
            SHARE_AT_OR_ABOVE_QUOTA,
            _ratio(int((judged[SOLD] >= judged[QUOTA]).sum()), len(judged)),
            "ratio",
            "seats with actual >= quota / seats with a quota and an actual",
        ),
        (SEATS, float(seats), "count", "seats whose payout can be worked out"),
        (SEATS_NOT_PAYABLE, float((~payable).sum()), "count", "seats left out, each with a reason"),
    ]
    return pd.DataFrame(rows, columns=["metric", "value", "unit", "convention"]).astype({"value": "float64"})


def at_quota(run: Run, months: Sequence[str]) -> Ints:
    """Pay everybody as if they had sold exactly their quotas; components without a quota as they stand."""
    columns = [run.books.periods.index(month) for month in months]
    judged = {
        name
        for name, setting in run.settings.items()
        if on_quota(setting.component) and not by_line(setting.component)
    }
    own = {
        name: Measured(run.figures.targets[name].quota, None) if name in judged else found
        for name, found in run.figures.own.items()
    }
    figures = replace(run.figures, own=own)
    paid = np.zeros(len(run.books.payees), dtype=np.int64)
    for name, setting in run.settings.items():
        earned = run.earned[name]
        if name in judged:
            longer = setting.component.true_up
            ends = last_columns(run.books.periods, longer.interval, run.books.calendar) if longer else []
            earned = stand(setting, figures, None, ends).earned
        paid = paid + earned[:, columns].sum(axis=1)
    return paid


def _where(amounts: Any, known: Any) -> pd.arrays.IntegerArray:
    """Keep whole numbers where they are known; missing elsewhere."""
    return pd.arrays.IntegerArray(np.asarray(amounts), ~np.asarray(known))


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
