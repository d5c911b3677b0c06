"""A statement: what one payee earns by month, and how every cent of it came about."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.errors import PlanError
from spms_lib.incentives.engine.books import COMPONENT, CREDIT, DATE, PAYEE
from spms_lib.incentives.engine.component import Stand
from spms_lib.incentives.engine.credit_pay import CreditPay, credit_pay
from spms_lib.incentives.engine.exact import Ints
from spms_lib.incentives.engine.run import Run
from spms_lib.incentives.engine.spans import differences
from spms_lib.incentives.statements.reasons import curve_points, part_rows, standing_rows
from spms_lib.incentives.statements.rules import clause_rows, component_rows, gate_rows, multiplier_rows
from spms_lib.tables import PERIOD

STEPS: Final = ("start", "credits", "kickers", "deal_cap", "gates", "multipliers", "cap", "true_up")
PRORATION: Final = "proration"


@dataclass(frozen=True)
class Statement:
    """Everything that explains the pay of one payee; amounts are whole minor units, rates and exact amounts fractions.

    Attributes
    ----------
    components
        component, description, clause, interval, measure, counts (kind of value), scale (raw
        units in one of its units), ratio (it is one), unit (of tiers and gates on it; empty for a matrix), pays.
    steps
        component, period, step (one of `STEPS`), amount. Steps of a component and month sum to
        what it earned. `start` is what changed without a credit: a quota to date that grew, a
        cell of a matrix that others moved, a lump paid for nothing sold.
    standing
        component, period, interval; to date in the interval: measure (raw units), quota,
        target_incentive, attainment (fraction of the quota, or of the measure's other half;
        None without), curve_pay, gated, factor, before_cap, limit (Int64), due; then
        paid_before (in the interval), earned, exact (due before rounding; None where credits
        are paid and rounded one by one), rounding (due - exact), reason (text).
    lines
        component, period, credit, date, value, before, after (raw units of the measure), plain,
        kicker, deal_cap, amount: what each credit paid before gates, multipliers and cap.
    tiers
        component, period, gate (0 is the component's own curve, n what the closed gate n pays
        instead), from, to, input, rate, amount, mode, to date; they sum to the pay before rounding.
    gates
        component, period, gate, looks_at, unit (`share` or a kind of value), value, test, level, passed, open (one of its tests passed), clause.
    multipliers
        component, period, looks_at, unit, value, factor, clause.
    clauses
        component (empty for the plan), rule, clause, description, source.
    curve
        component, at, pay: points of the last month's curve to date, floats, for a figure; none where credits are paid one by one.
    proration, rates, ledger
        As given: factors with their dates, exchange rates, payments; None where not given.
    """

    payee: str
    plan: str
    version: str
    currency: str
    per_unit: int
    periods: tuple[str, ...]
    components: pd.DataFrame
    steps: pd.DataFrame
    standing: pd.DataFrame
    lines: pd.DataFrame
    tiers: pd.DataFrame
    gates: pd.DataFrame
    multipliers: pd.DataFrame
    clauses: pd.DataFrame
    curve: pd.DataFrame
    proration: pd.DataFrame | None = None
    rates: pd.DataFrame | None = None
    ledger: pd.DataFrame | None = None

    def earned(self) -> pd.Series:
        """Sum the steps: minor units by component and period."""
        return self.steps.groupby([COMPONENT, PERIOD], sort=False)["amount"].sum()

    def to_dict(self) -> dict[str, Any]:
        """Write everything as plain values that JSON can hold: amounts stay whole minor units, fractions become text."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}


def explain(
    run: Run,
    payee: str,
    *,
    component: str | None = None,
    period: str | None = None,
    proration: pd.DataFrame | None = None,
    rates: pd.DataFrame | None = None,
    ledger: pd.DataFrame | None = None,
) -> Statement:
    """Explain what a run owes a payee, to the cent.

    Parameters
    ----------
    component, period
        One component or month only; all of them if None.
    proration, rates, ledger
        Frames of other steps that belong on the statement; rows of other payees are left out.
        The ledger has payee, period, kind, amount (int64 minor units) and link.

    Raises
    ------
    PlanError
        If there is no such payee, component or month in the run.

    Examples
    --------
    >>> from spms_lib.incentives.engine.run import pay_run
    >>> from spms_lib.incentives.plan.read import plan_from_dict
    >>> plan = plan_from_dict({"plan": "AE", "currency": "EUR", "effective_from": "2026-01-01",
    ...     "measures": {"sales": {"value": "amount"}},
    ...     "components": [{"component": "commission", "measure": "sales", "interval": "month",
    ...         "unit": "measure", "pays": "rate", "tie": "upper",
    ...         "tiers": [{"from": 0, "to": 1000, "value": "10 %"}, {"from": 1000, "value": "20 %"}]}]})
    >>> credits = pd.DataFrame({"credit": ["a", "b"], "payee": "ann", "amount": [800_00, 500_00],
    ...     "date": pd.to_datetime(["2026-01-15", "2026-01-20"])})
    >>> targets = pd.DataFrame(columns=["payee", "component", "period", "quota", "target_incentive"])
    >>> run = pay_run(plan, credits, targets, periods=["2026-01"])
    >>> explain(run, "ann").lines[["credit", "before", "after", "amount"]].values.tolist()
    [['a', 0, 80000, 8000], ['b', 80000, 130000, 8000]]
    """
    names = _chosen(component, list(run.plan.components), "component", run)
    periods = _chosen(period, list(run.books.periods), "month", run)
    one, stands = run.stand(payee)
    columns = [run.books.periods.index(name) for name in periods]
    pays = {name: credit_pay(one, name) for name in names}
    frames = {
        "steps": [step_rows(one, name, stands[name], pays[name], columns) for name in names],
        "standing": [standing_rows(one, name, stands[name], columns) for name in names],
        "lines": [line_rows(one, name, pays[name], columns) for name in names],
        "tiers": [part_rows(one, name, stands[name], columns) for name in names],
        "gates": [gate_rows(one, name, stands[name], columns) for name in names],
        "multipliers": [multiplier_rows(one, name, columns) for name in names],
        "curve": [curve_points(one, name, stands[name], columns[-1]) for name in names],
    }
    return Statement(
        payee=payee,
        plan=run.plan.name,
        version=run.plan.version,
        currency=run.plan.currency,
        per_unit=run.books.per_unit,
        periods=tuple(periods),
        components=component_rows(one, names),
        clauses=clause_rows(run.plan, names),
        **{name: pd.concat(rows, ignore_index=True) for name, rows in frames.items()},
        proration=_own(proration, payee),
        rates=rates,
        ledger=_own(ledger, payee),
    )


def step_rows(one: Run, name: str, stand: Stand, pay: CreditPay, columns: Sequence[int]) -> pd.DataFrame:
    """Take the pay of each month apart into steps, in the order in which a plan applies them."""
    starts = one.figures.starts[one.plan.components[name].interval]
    known = (stand.at.reason == 0).astype(np.int64)
    levels = [part * known for part in (stand.curve_pay, stand.gated, stand.before_cap, stand.due)]
    curve_pay, *later = (differences(level, starts)[0] for level in levels)
    lines = [_by_month(part, pay, len(starts)) for part in (pay.plain, pay.kicker, pay.deal_cap)]
    gates, multipliers, cap = np.diff(np.stack([curve_pay, *later]), axis=0)
    amounts = [curve_pay - sum(lines), *lines, gates, multipliers, cap, stand.true_up[0]]
    return pd.DataFrame(
        {
            COMPONENT: name,
            PERIOD: np.repeat([one.books.periods[column] for column in columns], len(STEPS)),
            "step": list(STEPS) * len(columns),
            "amount": np.stack(amounts)[:, columns].T.ravel().astype(np.int64),
        }
    )


def line_rows(one: Run, name: str, pay: CreditPay, columns: Sequence[int]) -> pd.DataFrame:
    """List what each credit of some months paid."""
    inside = np.isin(pay.month, columns)
    rows = pay.rows[inside]
    return pd.DataFrame(
        {
            COMPONENT: name,
            PERIOD: np.array(one.books.periods, dtype=object)[pay.month[inside]],
            CREDIT: one.books.credits[CREDIT].iloc[rows].astype(str).to_numpy(dtype=object),
            DATE: one.books.credits[DATE].iloc[rows].to_numpy(),
            **{part: getattr(pay, part)[inside] for part in ("value", "before", "after")},
            **{part: getattr(pay, part)[inside] for part in ("plain", "kicker", "deal_cap")},
            "amount": pay.pay[inside],
        }
    )


def _by_month(amounts: Ints, pay: CreditPay, months: int) -> Ints:
    total = np.zeros(months, dtype=np.int64)
    np.add.at(total, pay.month, amounts)
    return total


def _chosen(name: str | None, known: list[str], what: str, run: Run) -> list[str]:
    if name is None:
        return known
    if name not in known:
        raise PlanError(
            f"There is no {what} '{name}'.",
            where=f"run of plan '{run.plan.name}'",
            remedy=f"Use one of {', '.join(known)}.",
        )
    return [name]


def _own(frame: pd.DataFrame | None, payee: str) -> pd.DataFrame | None:
    if frame is None or PAYEE not in frame:
        return frame
    mine: NDArray[np.bool_] = (frame[PAYEE].astype(str) == payee).to_numpy()
    return frame[mine].reset_index(drop=True)


def _plain(value: Any) -> Any:
    if isinstance(value, pd.DataFrame):
        return [
            {str(name): _plain(cell) for name, cell in zip(value.columns, row, strict=True)}
            for row in value.astype(object).itertuples(index=False, name=None)
        ]
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, Fraction):
        return str(value)
    if value is None or pd.isna(value):
        return None
    if isinstance(value, dt.date):
        return value.isoformat()[: len("2026-01-01")]
    return value.item() if isinstance(value, np.generic) else value
