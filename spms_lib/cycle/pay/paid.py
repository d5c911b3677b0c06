"""Pay of the quarter: every plan of the cycle run over its payees' credits and targets."""

import datetime as dt
from dataclasses import dataclass

import pandas as pd

from spms_lib.cycle.desk import Desk
from spms_lib.cycle.outcome import quarter_results
from spms_lib.cycle.pay.inputs import crediting_rules, owners_type, pay_credits, pay_targets, run_months
from spms_lib.cycle.pay.people import PAYEE, PERSON, payees_of
from spms_lib.cycle.pay.plans import LEAVES, plans_of, proportional_plan
from spms_lib.findings import join
from spms_lib.incentives.engine.run import Run, pay_run
from spms_lib.incentives.engine.summary import cost_summary, payouts
from spms_lib.incentives.plan.model import CompensationPlan
from spms_lib.tables import NODE, VALUE


@dataclass(frozen=True)
class Paid:
    """One plan of the cycle carried out.

    Attributes
    ----------
    level
        Level whose people it pays; `LEAVES` for sellers.
    payees
        Who is paid for which seat: see `people.payees_of`.
    targets
        Quotas and target incentives by payee, component and month.
    uncredited
        Sales that the payees are not credited with in full: see `inputs.pay_credits`.
    findings
        What credits nobody, and who has no quota.
    """

    plan: CompensationPlan
    level: str
    run: Run
    payees: pd.DataFrame
    targets: pd.DataFrame
    uncredited: pd.DataFrame
    findings: pd.DataFrame

    def table(self, desk: Desk) -> pd.DataFrame:
        """List the quarter's pay: node and person in front of the columns of `payouts`."""
        rows = payouts(self.run, desk.months)
        return self.payees[[PAYEE, PERSON, NODE]].merge(rows, on=PAYEE, how="inner")


def pay_plan(
    desk: Desk,
    plan: CompensationPlan,
    *,
    until: dt.date,
    level: str = LEAVES,
    default_target_incentive: float = 0.0,
) -> Paid:
    """Run a plan over the cycle's sales to a day.

    Parameters
    ----------
    until
        Last day whose sales are credited; those after the quarter's end are the next one's.
    default_target_incentive
        Target incentive of a full year, in currency units, for a seller whose roster row has
        none; 0 leaves it unknown.
    """
    months = run_months(desk, plan)
    payees = payees_of(desk, level, months=months, default_target_incentive=default_target_incentive)
    credits, gaps, found = pay_credits(desk, plan, payees, months=months, until=until, level=level)  # noqa: A001
    targets, problems = pay_targets(desk, plan, payees, months=months, level=level)
    run = pay_run(plan, credits, targets, periods=months, calendar=desk.calendar, per_unit=desk.per_unit)
    return Paid(plan, level, run, payees, targets, gaps, join(found, problems))


def pay_everybody(desk: Desk, *, until: dt.date, default_target_incentive: float = 0.0) -> list[Paid]:
    """Run all plans of the cycle; sellers by proportional pay where it names none."""
    plans = plans_of(desk) or {LEAVES: proportional_plan(desk)}
    return [
        pay_plan(desk, plan, until=until, level=level, default_target_incentive=default_target_incentive)
        for level, plan in plans.items()
    ]


def quarter_cost(desk: Desk, paid: Paid, *, until: dt.date) -> pd.DataFrame:
    """Sum up what a plan costs in the quarter, against all that was sold in it: see `cost_summary`."""
    sold = quarter_results(desk, until=until)
    return cost_summary(
        paid.run, desk.months, sales=int(sold[sold[NODE].isin(desk.scope.leaves)][VALUE].sum())
    )


def managers_table(desk: Desk, managers: list[Paid]) -> pd.DataFrame:
    """List the quarter's pay of managers, all their plans together: the columns that every plan has, and the plan."""
    columns = [PERSON, NODE, "actual", "quota", "attainment", "target_incentive", "payout", "reason"]
    rows = [one.table(desk)[columns].assign(plan=one.plan.name) for one in managers]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=[*columns, "plan"])


def typical_year(desk: Desk, paid: Paid) -> dict[str, int]:
    """Find the median payee's quota and target incentive of a year (four such quarters); 1 where nobody has one."""
    rows = paid.table(desk)
    found = {}
    for name in ("quota", "target_incentive"):
        known = rows[name].dropna().astype("float64")
        known = known[known > 0]
        found[name] = round(4 * float(known.median())) if len(known) else 1
    return found


def all_credited(desk: Desk, paid: Paid, *, until: dt.date) -> tuple[bool, str]:
    """Tell whether every cent sold in the quarter is credited to a payee or listed as uncredited, and how much is.

    Held against the results that the review counts, not against what crediting was given.
    """
    wanted = owners_type(crediting_rules(paid.plan, paid.level))
    sold = quarter_results(desk, until=until)
    sold = sold[sold[NODE].isin(desk.scope.leaves)]
    first = pd.Timestamp(desk.calendar.start(desk.cycle))
    credits, gaps = paid.run.books.credits, paid.uncredited  # noqa: A001
    own = credits[
        (credits["date"] >= first)
        & (credits["credit_type"] == wanted)
        & credits[NODE].isin(desk.scope.leaves)
    ]
    credited, gap = int(own["amount"].sum()), int(gaps.loc[gaps["date"] >= first, "gap"].sum())
    told = f"{desk.money(credited)} credited, {desk.money(gap)} listed as credited to no payee"
    return not wanted or int(sold[VALUE].sum()) == credited + gap, told
