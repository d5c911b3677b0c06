"""Credits and targets of a plan's payees: from the company's sales and quotas to what the engine reads."""

import datetime as dt

import pandas as pd

from spms_lib.cycle.desk import Desk
from spms_lib.cycle.outcome import dated_results
from spms_lib.cycle.pay.people import END, PAYEE, PERSON, START, payees_of
from spms_lib.cycle.pay.plans import LEAVES
from spms_lib.cycle.targets import QUOTA, read_targets
from spms_lib.errors import PlanError
from spms_lib.incentives.crediting.credit import credit
from spms_lib.incentives.crediting.rules import CreditingRules, CreditType, RollUp, crediting_from_dict
from spms_lib.incentives.crediting.targets import targets
from spms_lib.incentives.plan.model import AMOUNT, YEAR, CompensationPlan
from spms_lib.tables import DATE, NODE, PERIOD, VALUE, to_long, to_wide

REVENUE = "revenue"
ALWAYS = pd.Timestamp(1900, 1, 1)


def run_months(desk: Desk, plan: CompensationPlan) -> list[str]:
    """List the months that a run needs: the quarter's, the year's before them, or the whole year, as the plan asks.

    A limit on windfalls by the year's quota or target incentive asks for all of the year's targets.
    """
    year = desk.calendar.months(desk.calendar.year_of(desk.cycle))
    limits = [part.windfall for part in plan.components.values() if part.windfall is not None]
    if any(one.share_of_quota_over or one.share_of_target_incentive_over for one in limits):
        return year
    return (
        [month for month in year if month <= desk.months[-1]]
        if looks_at_the_year(plan)
        else list(desk.months)
    )


def looks_at_the_year(plan: CompensationPlan) -> bool:
    """Tell whether anything in a plan adds up over the fiscal year."""
    return any(
        part.interval == YEAR
        or (part.true_up is not None and part.true_up.interval == YEAR)
        or any(reference.over == YEAR for gate in part.gates for reference, _, _ in gate.any_of)
        or any(multiplier.reference.over == YEAR for multiplier in part.multipliers)
        for part in plan.components.values()
    )


def crediting_rules(plan: CompensationPlan, level: str = LEAVES) -> CreditingRules:
    """Read a plan's crediting block; without one a sale credits its owner, and managers all that is sold below them."""
    block = plan.blocks.get("crediting")
    if block is None:
        rolled = () if level == LEAVES else (RollUp(REVENUE, "team"),)
        return CreditingRules((CreditType(REVENUE),), rolled)
    rules, problems = crediting_from_dict(block)
    if rules is None:
        raise PlanError(
            "; ".join(f"{'.'.join(map(str, one.place))}: {one.what} {one.remedy}" for one in problems),
            where=f"plan '{plan.name}'",
        )
    return rules


def pay_credits(
    desk: Desk,
    plan: CompensationPlan,
    payees: pd.DataFrame,
    *,
    months: list[str],
    until: dt.date,
    level: str = LEAVES,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Credit the sales of some months to a plan's payees.

    Parameters
    ----------
    payees
        From `payees_of`.
    until
        Last day whose sales are credited.

    Returns
    -------
    credits
        As the engine reads them; those of the plan's payees only.
    findings
        What credits nobody, such as sales on vacant seats.
    """
    seats = payees if level == LEAVES else pd.concat([payees, payees_of(desk, LEAVES, months=months)])
    roster = seats.rename(columns={PERSON: "name", PAYEE: PERSON})[[NODE, PERSON, START, END]]
    credits, found = credit(  # noqa: A001
        _sales(desk, months, min(until, desk.calendar.end(months[-1]))),
        crediting_rules(plan, level),
        splits=desk.table("splits") if desk.has("splits") else None,
        hierarchy=desk.table("hierarchy"),
        roster=roster.assign(**{START: roster[START].fillna(ALWAYS)}),
    )
    return credits[credits[PAYEE].isin(payees[PAYEE])].reset_index(drop=True), found


def pay_targets(
    desk: Desk, plan: CompensationPlan, payees: pd.DataFrame, *, months: list[str], level: str = LEAVES
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Set the payees' quotas and target incentives by component and month, prorated by days in the seat.

    A measure that counts all amounts is judged against the quotas of the ledger (before this
    quarter, of the table `targets`); any other one against rows of that table under its name.
    """
    rules = crediting_rules(plan, level).targets
    seats = payees[[PAYEE, NODE]]
    parts = []
    for name, rule in plan.measures.items():
        if rule.value == AMOUNT and not rule.per and not rule.where:
            wide = _quotas(desk, months)
        else:
            rows = desk.table("targets")
            wide = to_wide(rows[(rows["measure"] == name) & rows[PERIOD].isin(months)])
        long = to_long(wide).dropna(subset=VALUE).rename(columns={VALUE: "quota"})
        parts.append(seats.merge(long, on=NODE).assign(measure=name))
    quotas = pd.concat(parts, ignore_index=True)
    found, problems = targets(
        payees.drop(columns=[PERSON, NODE]).assign(**{START: payees[START].fillna(ALWAYS)}),
        plan,
        desk.calendar,
        desk.calendar.year_of(desk.cycle),
        quotas=quotas[[PAYEE, "measure", PERIOD, "quota"]],
        leave=desk.table("leave") if desk.has("leave") else None,
        rules=rules,
    )
    return found[found[PERIOD].isin(months)].reset_index(drop=True), problems


def _quotas(desk: Desk, months: list[str]) -> pd.DataFrame:
    """Lay out the company's quotas: nodes x months, Int64; missing where nobody has said."""
    now = read_targets(desk, layer=QUOTA).astype("Int64")
    earlier = [month for month in months if month not in now]
    rows = desk.table("targets")
    past = rows[rows[PERIOD].isin(earlier) & (rows["measure"] == desk.company.measure)]
    wide = (
        to_wide(past).reindex(index=now.index, columns=earlier).astype("Int64")
        if len(past)
        else pd.DataFrame()
    )
    return pd.concat([wide, now], axis=1)


def _sales(desk: Desk, months: list[str], until: dt.date) -> pd.DataFrame:
    """List the sales of some months as transactions of the crediting stage."""
    first = pd.Timestamp(desk.calendar.start(months[0]))
    if not desk.has("transactions"):
        rows = dated_results(desk, until=until)
        rows = rows[rows[DATE] >= first].reset_index(drop=True)
        return rows.rename(columns={VALUE: AMOUNT}).assign(
            transaction=[f"result {n + 1}" for n in rows.index]
        )
    rows = desk.table("transactions")
    rows = rows[(rows["measure"] == desk.company.measure) & rows[DATE].between(first, pd.Timestamp(until))]
    rows = rows.reset_index(drop=True)
    numbered = pd.Series([f"row {number + 1}" for number in rows.index], dtype="str")
    sales = rows.assign(transaction=rows["transaction"].fillna(numbered)).rename(columns={VALUE: AMOUNT})
    if "quantity" in sales and sales["quantity"].notna().all():
        sales = sales.assign(units=sales["quantity"].round().astype("int64"))
    if "cost" in sales and sales["cost"].notna().all():
        sales = sales.assign(margin=(sales[AMOUNT] - sales["cost"]).astype("int64"))
    return sales
