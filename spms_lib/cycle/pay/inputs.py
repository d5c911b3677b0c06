"""Credits and targets of a plan's payees: from the company's sales and quotas to what the engine reads."""

import datetime as dt

import pandas as pd

from spms_lib.cycle.desk import Desk
from spms_lib.cycle.outcome import dated_results
from spms_lib.cycle.pay.people import END, PAYEE, PERSON, START, TARGET_INCENTIVE, payees_of
from spms_lib.cycle.pay.plans import LEAVES
from spms_lib.cycle.targets import QUOTA, read_targets
from spms_lib.findings import NOTED, findings, join, no_findings
from spms_lib.incentives.crediting.credit import credit, uncredited
from spms_lib.incentives.crediting.rules import SPLIT, CreditingRules, CreditType, RollUp, crediting_from_dict
from spms_lib.incentives.crediting.sales import TRANSACTION
from spms_lib.incentives.crediting.splits import CREDIT_TYPE, SHARE
from spms_lib.incentives.crediting.targets import targets
from spms_lib.incentives.plan.model import AMOUNT, YEAR, CompensationPlan
from spms_lib.incentives.plan.read import place_text, refusal_of
from spms_lib.tables import DATE, NODE, PERIOD, VALUE, to_long, to_wide

REVENUE, TEAM = "revenue", "team"
ORDER = "order"
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
        rolled = () if level == LEAVES else (RollUp(REVENUE, TEAM),)
        return CreditingRules((CreditType(REVENUE),), rolled)
    rules, problems = crediting_from_dict(block)
    if rules is None:
        raise refusal_of(problems, f"plan '{plan.name}'", place_text)
    return rules


def pay_credits(
    desk: Desk,
    plan: CompensationPlan,
    payees: pd.DataFrame,
    *,
    months: list[str],
    until: dt.date,
    level: str = LEAVES,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
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
    uncredited
        Sales of the edition's seats that the plan's payees are not credited with in full: transaction,
        date, node, amount, credited, gap (minor units), by the plan's first split type; managers' plans list none.
    findings
        What credits nobody, such as sales on vacant seats, and what credits somebody whom no plan pays.
    """
    rules, sellers = crediting_rules(plan, level), payees_of(desk, LEAVES, months=months, everywhere=True)
    people = sellers if level == LEAVES else pd.concat([payees, sellers])
    roster = people.rename(columns={PERSON: "name", PAYEE: PERSON})[[NODE, PERSON, START, END]]
    sales = _sales(desk, months, min(until, desk.calendar.end(months[-1])))
    credits, found = credit(  # noqa: A001
        sales.drop(columns=ORDER),
        rules,
        splits=_splits(desk, sales, sellers) if desk.has("splits") else None,
        hierarchy=desk.table("hierarchy"),
        roster=roster.assign(**{START: roster[START].fillna(ALWAYS)}),
    )
    if level != LEAVES and "crediting" not in plan.blocks:
        credits = credits[credits[CREDIT_TYPE] == TEAM]  # noqa: A001  # a manager's own sales are the team's too
    unpaid = _unpaid(credits, sellers, rules) if level == LEAVES else no_findings()
    mine = credits[PAYEE].isin(payees[PAYEE])
    own = sales[sales[NODE].isin(desk.scope.leaves) & (level == LEAVES)]
    gaps = uncredited(own, credits[mine], rules)
    gaps = gaps[gaps[CREDIT_TYPE] == owners_type(rules)].merge(own[[TRANSACTION, DATE, NODE]], on=TRANSACTION)
    return credits[mine].reset_index(drop=True), gaps, join(found, unpaid)


def owners_type(rules: CreditingRules) -> str:
    """Name the first split type: what the owner of a sale is credited with, once per cent sold; empty if there is none."""
    return next((one.name for one in rules.types if one.kind == SPLIT), "")


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
        _assignments(desk, plan, payees, months),
        plan,
        desk.calendar,
        desk.calendar.year_of(desk.cycle),
        quotas=quotas[[PAYEE, "measure", PERIOD, "quota"]],
        leave=_leave(desk, payees) if desk.has("leave") else None,
        rules=rules,
    )
    weighted = [name for name, part in plan.components.items() if part.weight is not None]
    unsaid = payees.loc[payees[TARGET_INCENTIVE].isna() if weighted else [False] * len(payees), PAYEE]
    found[TARGET_INCENTIVE] = (
        found[TARGET_INCENTIVE]
        .astype("Int64")
        .mask(found[PAYEE].isin(unsaid) & found["component"].isin(weighted))
    )
    remedy = "State it for a full year; until then attainment is known, and pay is not."
    noted = findings(
        "roster", [0] * len(unsaid), TARGET_INCENTIVE, "no target incentive", unsaid, remedy, severity=NOTED
    )
    return found[found[PERIOD].isin(months)].reset_index(drop=True), join(problems, noted)


def _assignments(desk: Desk, plan: CompensationPlan, payees: pd.DataFrame, months: list[str]) -> pd.DataFrame:
    """Say from when to when each payee is held to targets; an unknown target incentive counts as 0 here."""
    first, last = pd.Timestamp(desk.calendar.start(months[0])), pd.Timestamp(desk.calendar.end(months[-1]))
    rows = payees.drop(columns=[PERSON, NODE]).assign(
        **{
            START: payees[START].fillna(first).where(lambda days: days >= first, first),
            TARGET_INCENTIVE: payees[TARGET_INCENTIVE].fillna(0),
        }
    )
    if any(part.interval == YEAR for part in plan.components.values()):
        return rows  # what remains of the year belongs to the interval
    return rows.assign(**{END: payees[END].fillna(last).where(lambda days: days <= last, last)})


def _leave(desk: Desk, payees: pd.DataFrame) -> pd.DataFrame:
    """Give a person's leave to each seat that the person is paid for."""
    rows = desk.table("leave").rename(columns={PAYEE: PERSON})
    return rows.merge(payees[[PERSON, PAYEE]], on=PERSON)[[PAYEE, START, END]]


def _splits(desk: Desk, sales: pd.DataFrame, sellers: pd.DataFrame) -> pd.DataFrame:
    """Bring the splits of some sales to their lines, and persons to the one seat they sat in that day."""
    rows = desk.table("splits").merge(
        sales[[ORDER, TRANSACTION, DATE]], left_on=TRANSACTION, right_on=ORDER, suffixes=("_said", "")
    )
    stays = sellers.rename(columns={PAYEE: "seat"})[[PERSON, "seat", START, END]]
    pairs = rows.assign(row=rows.index).merge(stays, left_on=PAYEE, right_on=PERSON)
    there = pairs[START].isna() | (pairs[START] <= pairs[DATE])
    there &= pairs[END].isna() | (pairs[DATE] <= pairs[END])
    seats = pairs[there].groupby("row")["seat"].agg(["first", "size"])
    only = seats["first"].where(seats["size"] == 1).reindex(rows.index)
    return rows.assign(**{PAYEE: only.fillna(rows[PAYEE])})[[TRANSACTION, PAYEE, CREDIT_TYPE, SHARE]]


def _unpaid(credits: pd.DataFrame, sellers: pd.DataFrame, rules: CreditingRules) -> pd.DataFrame:  # noqa: A002
    """Note direct credits of people who are no payees, such as owners of seats that open later."""
    direct = credits[CREDIT_TYPE].isin([one.name for one in rules.types])
    rows = credits[direct & ~credits[PAYEE].isin(sellers[PAYEE])].groupby(PAYEE, observed=True)[TRANSACTION]
    said = [f"{who}: {len(ids)}, first {ids.iloc[0]}" for who, ids in rows]
    remedy = "Add the person to the roster, or name in the split which of the person's seats is meant."
    rule = "credited to somebody whom the plan does not pay"
    return findings("transactions", [0] * len(said), PAYEE, rule, said, remedy, severity=NOTED)


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
    """List the sales of some months as transactions of the crediting stage.

    An order of several lines is several transactions; ORDER is the id that they share.
    """
    first = pd.Timestamp(desk.calendar.start(months[0]))
    if not desk.has("transactions"):
        rows = dated_results(desk, until=until)
        rows = rows[rows[DATE] >= first].reset_index(drop=True)
        ids = "result " + (rows.index.to_series() + 1).astype("str")
        return rows.rename(columns={VALUE: AMOUNT}).assign(**{TRANSACTION: ids, ORDER: ids})
    rows = desk.table("transactions")
    rows = rows[(rows["measure"] == desk.company.measure) & rows[DATE].between(first, pd.Timestamp(until))]
    order = rows[TRANSACTION].fillna("row " + rows.index.to_series().astype("str"))
    line = order.groupby(order).cumcount() + 1
    ids = order + (" line " + line.astype("str")).where(order.duplicated(keep=False), "")
    sales = rows.assign(**{TRANSACTION: ids, ORDER: order}).rename(columns={VALUE: AMOUNT})
    sales = sales.reset_index(drop=True)
    if "quantity" in sales and sales["quantity"].notna().all():
        sales = sales.assign(units=sales["quantity"].round().astype("int64"))
    if "cost" in sales and sales["cost"].notna().all():
        sales = sales.assign(margin=(sales[AMOUNT] - sales["cost"]).astype("int64"))
    return sales
