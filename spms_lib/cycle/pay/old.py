"""What the compensation plan pays for the quarter: its clauses from params, credits from results and quotas."""

import datetime as dt

import pandas as pd

from spms_lib.cycle.desk import Desk
from spms_lib.cycle.outcome import quarter_results
from spms_lib.cycle.split import vacant_leaves
from spms_lib.cycle.targets import QUOTA, read_targets
from spms_lib.errors import PlanError
from spms_lib.incentives.old_plan import CompensationPlan, plan_from_dict
from spms_lib.money import to_minor
from spms_lib.params.load import read_yaml
from spms_lib.tables import NODE, VALUE


def compensation_plan(desk: Desk) -> CompensationPlan | None:
    """Read the plan that the cycle names from params/plans; None if the cycle names none."""
    name = desk.params.compensation_plan
    if not name:
        return None
    path = desk.root / "params" / "plans" / f"{name}.yaml"
    data, _ = read_yaml(path)
    plan = plan_from_dict(data)
    if plan.currency != desk.currency:
        raise PlanError(
            f"The plan pays in {plan.currency}, but the company sells in {desk.currency}.",
            where=f"plan '{plan.name}'",
            remedy="State the plan in the company's currency.",
        )
    if plan.effective_from > desk.calendar.start(desk.cycle):
        raise PlanError(
            f"The plan holds from {plan.effective_from}, after {desk.cycle} starts.",
            where=f"plan '{plan.name}'",
            remedy="Name the plan that holds on the first day of the quarter.",
        )
    return plan


def proportional_plan(desk: Desk) -> CompensationPlan:
    """Stand in where the cycle names no plan: a quarter of the target incentive, in proportion to attainment."""
    return plan_from_dict(
        {
            "name": "proportional (no plan is named in the cycle)",
            "description": "Stands in until the cycle names a compensation_plan: pay in proportion to attainment",
            "currency": desk.currency,
            "tie": "upper",
            "effective_from": desk.calendar.start(desk.cycle),
            "pay_share": "1/4",
            "tiers": [{"start": 0, "rate": 1}],
        }
    )


def plan_terms(plan: CompensationPlan) -> pd.DataFrame:
    """Print the clauses of a plan: columns clause, value."""
    rows = [
        (f"From {float(tier.start):.0%} of quota", f"{float(tier.rate):g} x attainment")
        for tier in plan.tiers
    ]
    rows += [
        (
            "Nothing below",
            "no threshold" if plan.threshold is None else f"{float(plan.threshold):.0%} of quota",
        ),
        ("Never more than", "no cap" if plan.cap is None else f"{float(plan.cap):g} target incentives"),
        ("Exactly on a start", f"the {plan.tie} tier counts"),
        ("Paid in a quarter at 100 %", f"{float(plan.pay_share):.0%} of the year's target incentive"),
        ("Source", plan.source),
    ]
    return pd.DataFrame(rows, columns=["clause", "value"])


def quarter_credits(desk: Desk, *, until: dt.date, default_target_incentive: float) -> pd.DataFrame:
    """Credit each leaf with what it sold in the quarter, beside its quota and target incentive.

    Parameters
    ----------
    until
        Last day whose sales are credited; those after the quarter's end are the next one's.
    default_target_incentive
        Target incentive of a full year, in currency units, for a person whose roster row has
        none; 0 leaves it unknown.

    Returns
    -------
    pd.DataFrame
        Columns node, actual, quota, target_incentive (of a full year; missing for a vacant
        leaf or where nobody has said), Int64 minor units; one row per leaf of the edition's scope.
    """
    leaves = desk.scope.leaves
    sold = quarter_results(desk, until=until)
    actual = sold.groupby(NODE)[VALUE].sum().reindex(leaves).fillna(0).astype("Int64")
    quota = read_targets(desk, layer=QUOTA).loc[leaves].sum(axis=1).astype("Int64")
    return pd.DataFrame(
        {
            NODE: leaves,
            "actual": actual.array,
            "quota": quota.array,
            "target_incentive": _target_incentives(desk, leaves, default_target_incentive).array,
        }
    )


def _target_incentives(desk: Desk, leaves: pd.Index, default: float) -> pd.Series:
    day = pd.Timestamp(desk.calendar.start(desk.cycle))
    rows = desk.table("roster")
    if rows.empty:
        stated = pd.Series(pd.NA, index=leaves, dtype="Int64")
    else:
        seated = rows[(rows["start"] <= day) & (rows["end"].isna() | (rows["end"] >= day))]
        stated = seated.groupby(NODE)["target_incentive"].sum(min_count=1).reindex(leaves).astype("Int64")
    if default:
        stated = stated.fillna(to_minor(default, desk.per_unit))
    empty = leaves.isin(list(vacant_leaves(desk)))
    return stated.mask(pd.Series(empty, index=leaves), pd.NA)
