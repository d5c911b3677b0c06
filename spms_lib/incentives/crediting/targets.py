"""Targets: each payee's quota and target incentive by component and month, prorated by calendar days."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.calendar import FiscalCalendar
from spms_lib.findings import NOTED, findings, join
from spms_lib.hierarchy.check import STILL
from spms_lib.incentives.crediting.dating import Ints, version_ends
from spms_lib.incentives.crediting.participation import END, PAYEE, START, bounds, dates, days_taking_part
from spms_lib.incentives.crediting.pay_targets import split_ote
from spms_lib.incentives.crediting.placing import Span, placed, ramp_steps
from spms_lib.incentives.crediting.quotas import (
    COMPONENT,
    QUOTA,
    apportion_rows,
    quota_months,
    spread,
    summed,
    year_weights,
)
from spms_lib.incentives.crediting.rules import BASIS, EQUAL_MONTHS, SEGMENTS, TargetRules
from spms_lib.incentives.plan.model import ATTAINMENT, CompensationPlan, Component
from spms_lib.tables import PERIOD, need

BOTH = "both"
TARGET_INCENTIVE, OTE, TENURE_FROM, PLAN = "target_incentive", "ote", "tenure_from", "plan"
SEGMENT_START, SEGMENT_END = "segment_start", "segment_end"


def targets(
    assignments: pd.DataFrame,
    plan: CompensationPlan,
    calendar: FiscalCalendar,
    year: str,
    *,
    quotas: pd.DataFrame | None = None,
    leave: pd.DataFrame | None = None,
    rules: TargetRules = EQUAL_MONTHS,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Set each payee's quota and target incentive for the months of a fiscal year.

        quota = quota of the interval x days of participation / calendar days of the interval

    and the same for target incentive, as far as the component says that it is prorated; else the
    interval's full amount. Amounts are rounded once, per interval, and its months sum to it. Where something
    changes inside an interval the amounts are blended by calendar days in force.

    Parameters
    ----------
    assignments
        Columns payee, start, end (missing: still); target_incentive (int64 minor units a year) or ote;
        optionally plan (rows of other plans are left alone) and tenure_from, the day from which the
        ramp counts (missing: no ramp). A row holds until the payee's next one on this plan starts;
        who leaves for another plan has an end.
    plan
        One version of the plan; it counts only between effective_from and effective_to.
    year
        Fiscal year, such as `FY2026`.
    quotas
        See `quota_months`.
    leave
        Columns payee, start, end: days out.
    rules
        Spread over the year, ramp, and what a change inside an interval does.

    Returns
    -------
    targets
        Columns payee, component, period (month), quota, target_incentive (int64). With `segments` a row per
        stretch with the same quota and pay, and segment_start and segment_end. A component without a
        weight has a target incentive of 0, and one that needs no quota a quota of 0.
    findings
        Rows that cannot be used, and payees without a quota on a component that is paid by attainment.

    Raises
    ------
    MoneyError
        If an amount is too large to be prorated exactly.
    """
    rows, found = _stretches(assignments, plan, calendar, year)
    held, *months, quota_findings = quota_months(
        quotas, plan, rows[PAYEE], calendar, year, rules.quota_spread
    )
    apart = rules.mid_period == SEGMENTS
    rows = _cut(rows, held) if apart else rows
    payee, payees = pd.factorize(rows[PAYEE])
    key = np.arange(len(rows)) if apart else payee
    names = rows if apart else pd.DataFrame({PAYEE: payees})
    whose = payee if apart else np.arange(len(payees))
    span = Span(calendar.months(year), *bounds(calendar, calendar.months(year)), key, whose)
    ramp = ramp_steps(rows[TENURE_FROM], calendar, span.months, rules.ramp)
    raw = days_taking_part(rows, span.first, span.last, leave)
    parts, missing = [], []
    for (name, component), pay in zip(plan.components.items(), _annual_pay(rows, plan, rules), strict=True):
        own = (held[COMPONENT] == name).to_numpy()
        quota, stated = _quotas(rows, held[own], [one[own] for one in months], component, span, leave, ramp)
        prorated = component.prorate in {BOTH, TARGET_INCENTIVE}
        incentive = placed(pay, raw * BASIS, raw, component.interval, span, prorated=prorated)
        present = summed(span.key, raw, span.rows) > 0
        if component.curve is not None and component.curve.unit == ATTAINMENT:
            missing.append(_no_quota(names, name, present & ~stated))
            present &= stated
        parts.append(_table(names, name, span, present, quota, incentive))
    table = pd.concat(parts, ignore_index=True)
    table = table.sort_values([PAYEE, COMPONENT, PERIOD], kind="stable", ignore_index=True)
    return table, join(found, quota_findings, *missing)


def _no_quota(names: pd.DataFrame, component: str, lacking: NDArray[np.bool_]) -> pd.DataFrame:
    """Find the payees who have no quota in some months on a component that is paid by attainment."""
    some = np.flatnonzero(lacking.any(axis=1))
    count = lacking.sum(axis=1)
    said = [f"{who}: {count[row]} months" for row, who in zip(some, names[PAYEE].take(some), strict=True)]
    remedy = "State one; until then these months have no target. A missing quota is not zero."
    return findings("quotas", [0] * len(said), QUOTA, f"no quota for {component}", said, remedy)


def _stretches(
    assignments: pd.DataFrame, plan: CompensationPlan, calendar: FiscalCalendar, year: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Say from when to when each payee is on this version of the plan during the year, at which pay."""
    need(assignments, [PAYEE, START], "assignments")
    rows = assignments[assignments[PLAN] == plan.name] if PLAN in assignments else assignments
    rows = rows.assign(**{name: dates(rows, name) for name in (START, END, TENURE_FROM)})
    rows[TARGET_INCENTIVE] = _incentive(rows, plan)
    checks = (
        (PAYEE, "no payee", rows[PAYEE].isna(), "State who it is."),
        (START, "no first day", rows[START].isna(), "State it."),
        (START, "two assignments start on the same day", rows.duplicated([PAYEE, START]), "Keep one."),
        (TARGET_INCENTIVE, "no target incentive", rows[TARGET_INCENTIVE].isna(), "State it for a full year."),
    )
    found, good = [], np.ones(len(rows), dtype=bool)
    for column, rule, wrong, remedy in checks:
        now = good & wrong.to_numpy(dtype=bool)
        found.append(
            findings("assignments", rows.index[now].tolist(), column, rule, rows[PAYEE][now], remedy)
        )
        good = good & ~now
    rows = rows[good]
    closed = version_ends(rows[START], by=rows[PAYEE])
    late = rows[rows[END] > closed]
    found.append(
        findings(
            "assignments", late.index.tolist(), END, "runs into the payee's next assignment", late[PAYEE],
            "It was taken to end the day before.", severity=NOTED,
        )
    )  # fmt: skip
    ends = [rows[END], closed, pd.Series(pd.Timestamp(plan.effective_to or STILL), rows.index)]
    rows[END] = pd.concat(ends, axis=1).min(axis=1)
    begins = pd.Timestamp(plan.effective_from)
    rows[START] = rows[START].where(rows[START] >= begins, begins)
    first, last = pd.Timestamp(calendar.start(year)), pd.Timestamp(calendar.end(year))
    inside = (rows[START] <= rows[END]) & (rows[START] <= last) & (rows[END] >= first)
    return rows[inside].reset_index(drop=True), join(*found)


def _incentive(rows: pd.DataFrame, plan: CompensationPlan) -> pd.Series:
    """Find each row's annual target incentive: as stated, else from on-target earnings and the plan's pay mix."""
    stated = rows.get(TARGET_INCENTIVE, pd.Series(pd.NA, rows.index)).astype("Int64")
    if OTE in rows and plan.pay_mix is not None:
        stated = stated.fillna(split_ote(rows[OTE].astype("Int64"), plan.pay_mix)[1])
    weighted = any(one.weight for one in plan.components.values())
    return stated if weighted else stated.fillna(0)


def _cut(rows: pd.DataFrame, quota_rows: pd.DataFrame) -> pd.DataFrame:
    """Cut stretches where a quota starts or ends, so that each has the same quota and pay throughout."""
    after_end = quota_rows[END] + pd.Timedelta(days=1)
    cuts = pd.DataFrame(
        {PAYEE: pd.concat([quota_rows[PAYEE]] * 2), "cut": pd.concat([quota_rows[START], after_end])}
    )
    pairs = rows.assign(stretch=rows.index).merge(cuts.drop_duplicates())
    later = pairs[(pairs["cut"] > pairs[START]) & (pairs["cut"] <= pairs[END])]
    later = later.assign(**{START: later["cut"]}).drop(columns="cut")
    every = pd.concat([rows.assign(stretch=rows.index), later]).sort_values(
        ["stretch", START], ignore_index=True
    )
    ends = version_ends(every[START], by=every["stretch"])
    return every.assign(**{END: ends.fillna(every[END])})


def _annual_pay(rows: pd.DataFrame, plan: CompensationPlan, rules: TargetRules) -> list[Ints]:
    """Split annual target incentives over components, and each over the months of a year."""
    weights = np.array([float(one.weight or 0) for one in plan.components.values()])
    annual = rows[TARGET_INCENTIVE].to_numpy(dtype=np.int64)
    by_component = apportion_rows(annual, np.tile(weights, (len(rows), 1)))
    return [spread(one, year_weights(rules.incentive_spread)) for one in by_component.T]


def _quotas(
    rows: pd.DataFrame, held: pd.DataFrame, months: Sequence[Ints], component: Component, span: Span,
    leave: pd.DataFrame | None, ramp: Ints,
) -> tuple[Ints, NDArray[np.bool_]]:  # fmt: skip
    """Prorate and blend a component's quotas: shape (rows of the result, 12), and which months have any."""
    pairs = rows[[PAYEE]].assign(row=np.arange(len(rows))).merge(
        held[[PAYEE]].assign(held=np.arange(len(held)))
    )  # fmt: skip
    row, of = pairs["row"].to_numpy(), pairs["held"].to_numpy()
    both = pd.DataFrame(
        {
            PAYEE: pairs[PAYEE],
            START: np.maximum(rows[START].to_numpy()[row], held[START].to_numpy()[of]),
            END: np.minimum(rows[END].to_numpy()[row], held[END].to_numpy()[of]),
        }
    )
    raw = days_taking_part(both, span.first, span.last, leave)
    own = span._replace(key=span.key[row])
    prorated = component.prorate in {BOTH, QUOTA}
    quota = placed(months[0][of], raw * ramp[row], raw, component.interval, own, prorated=prorated)
    return quota, summed(own.key, months[1][of], span.rows) > 0


def _table(
    names: pd.DataFrame, component: str, span: Span, present: NDArray[np.bool_], quota: Ints, incentive: Ints
) -> pd.DataFrame:
    key, month = np.nonzero(present)
    rows = names.take(key)
    table = {
        PAYEE: rows[PAYEE].array, COMPONENT: component, PERIOD: pd.array(span.months, dtype="str").take(month),
        QUOTA: quota[key, month], TARGET_INCENTIVE: incentive[key, month],
    }  # fmt: skip
    if START in rows:
        table |= {SEGMENT_START: rows[START].array, SEGMENT_END: rows[END].array}
    return pd.DataFrame(table)
