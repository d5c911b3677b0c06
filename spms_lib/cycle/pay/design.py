"""What plans will cost and whom they move, before anything is promised; and what a forecast is worth saying honestly."""

from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from typing import Any, Final, NamedTuple

import pandas as pd

from spms_lib.cycle.desk import Desk
from spms_lib.cycle.pay.inputs import pay_targets
from spms_lib.cycle.pay.paid import Paid
from spms_lib.cycle.pay.plans import proposed_plan
from spms_lib.cycle.plan_cost import (
    Believed,
    beliefs_of,
    believable,
    fairness_drivers,
    fairness_table,
    quotas_by_hedge,
    quotas_of_payees,
)
from spms_lib.cycle.targets import QUOTA, read_targets
from spms_lib.incentives.plan.model import AMOUNT, CompensationPlan, MeasureRule, Reference
from spms_lib.incentives.simulation.compare import compare, sensitivity
from spms_lib.incentives.simulation.fairness import Fairness, fairness
from spms_lib.incentives.simulation.run import Runs
from spms_lib.incentives.simulation.simulate import simulate_all
from spms_lib.incentives.truth.beliefs import standard_beliefs
from spms_lib.incentives.truth.builders import known_schemes
from spms_lib.incentives.truth.declared import incentive_from_dict
from spms_lib.incentives.truth.incentive import ForecastIncentive
from spms_lib.incentives.truth.pay import forecast_bonus
from spms_lib.incentives.truth.verify import scheme_table

NOW, PROPOSED = "now", "proposed"
SOLD: Final = "all amounts sold"  # what beliefs are of, whatever a plan calls its measures and components


class Priced(NamedTuple):
    """Plans simulated on one set of draws.

    Attributes
    ----------
    believed
        What is believed of every payee's sales, with the whole target incentive, and where that comes from.
    runs
        Simulations by name: `now`, and `proposed` where the cycle names a proposal.
    """

    believed: Believed
    runs: Runs


def price(
    desk: Desk, paid: Paid, *, leadership: float, draws: int, seed: int, by_outlook: bool = False
) -> Priced | None:
    """Simulate the present plan, and the proposal beside it; None where the plan cannot be believed anything of.

    Parameters
    ----------
    leadership
        The dial with which the plan was reconciled.
    by_outlook
        Believe what can be expected without targets, rather than the reconciled plan.
    """
    if not believable(paid.plan) or int(paid.targets["target_incentive"].fillna(0).sum()) <= 0:
        return None
    plans, other = {NOW: fed_by_sales(paid.plan)}, proposed_plan(desk)
    believed = beliefs_of(
        desk, paid.plan, paid.payees, paid.targets, leadership=leadership, by_outlook=by_outlook
    )
    asked = [_whole(paid.plan, believed.beliefs)]
    if other is not None and believable(other):
        plans[PROPOSED] = fed_by_sales(other)
        asked.append(_whole(other, pay_targets(desk, other, paid.payees, months=desk.months)[0]))
    rows = believed.beliefs.drop_duplicates("payee", ignore_index=True).assign(component=SOLD)
    known = pd.concat(asked).groupby("payee").first()
    told = {name: rows["payee"].map(known[name]) for name in ("quota", "target_incentive")}
    believed = believed._replace(beliefs=rows.assign(**told))
    return Priced(
        believed, simulate_all(plans, believed.beliefs, draws=draws, seed=seed, factors=believed.factors)
    )


def costs(priced: Priced | None) -> pd.DataFrame:
    """List the cost of each draw: one column per plan, minor units; nothing where nothing could be priced."""
    if priced is None:
        return pd.DataFrame()
    return pd.DataFrame({name: one.cost for name, one in priced.runs.simulations.items()})


def budget(priced: Priced) -> float:
    """Cost of the present plan if everybody sold exactly the quota, minor units."""
    return float(priced.runs[NOW].payees["pay_at_100"].sum())


def told(by_plan: Priced | None, by_outlook: Priced | None) -> str:
    """Say what the simulation believes, and what it leaves out."""
    if by_plan is None:
        return "Nothing could be simulated: no component is paid by quarter on all amounts sold, or no target incentive is known."
    left = by_plan.runs[NOW].left_out
    rules = "; ".join(f"{row.component}: {row.rule} ({row.treatment})" for row in left.itertuples())
    beside = f" now_by_outlook: {by_outlook.believed.source}" if by_outlook is not None else ""
    return f"{by_plan.believed.source}{beside}" + (f" Left out or simplified: {rules}." if rules else "")


def side_by_side(by_plan: Priced | None, by_outlook: Priced | None) -> pd.DataFrame:
    """Lay plans side by side, and the present one also under what is expected without targets: see `compare`."""
    if by_plan is None:
        return pd.DataFrame(columns=["metric", NOW, "unit", "convention"])
    table = compare(by_plan.runs)
    if by_outlook is None:
        return table
    other = compare(by_outlook.runs).set_index("metric")[NOW]
    return table.assign(now_by_outlook=table["metric"].map(other))


def by_hedge(
    desk: Desk,
    priced: Priced | None,
    plan: CompensationPlan,
    *,
    steps: tuple[float, ...],
    draws: int,
    seed: int,
) -> pd.DataFrame:
    """Show how cost and chances move with over-assignment, its ratios made by the goal notebook's own code: see `sensitivity`.

    Parameters
    ----------
    steps
        Ratios added to every level's over-assignment of the cycle; 0 is the present one.
    """
    if priced is None:
        return pd.DataFrame(columns=["quotas"])
    ratios = dict(desk.params.over_assignment)
    lowest = desk.tree.level_names[-1]
    hedges = {
        f"{step:+.0%} on every {lowest}": ratios | {lowest: ratios.get(lowest, 0.0) + step}
        for step in (0.0, *steps)
    }
    made = quotas_by_hedge(desk, hedges)
    now = read_targets(desk, layer=QUOTA)
    quotas = {name: quotas_of_payees(priced.believed, table, now) for name, table in made.items()}
    believed = priced.believed
    return sensitivity(
        fed_by_sales(plan), believed.beliefs, quotas=quotas, draws=draws, seed=seed, factors=believed.factors
    )


def quota_fairness(
    desk: Desk, priced: Priced | None, plan: CompensationPlan, *, draws: int, seed: int
) -> tuple[Fairness | None, pd.DataFrame]:
    """Price uneven quotas, and relate chances and pay to what they should not depend on."""
    if priced is None:
        return None, pd.DataFrame(columns=["driver", "outcome", "n", "correlation", "low", "high"])
    believed = priced.believed
    found = fairness(fed_by_sales(plan), believed.beliefs, draws=draws, seed=seed, factors=believed.factors)
    return found, fairness_table(found, fairness_drivers(desk, believed))


def fairness_note(desk: Desk, found: Fairness | None) -> str:
    """Say what uneven quotas cost whom."""
    convention = (
        "Correlation of ranks with its 95 % interval; an interval that holds 0 cannot be told from chance."
    )
    if found is None:
        return f"Nothing could be simulated. {convention}"
    return (
        f"With the same sum of quotas everybody could have a chance of {found.chance:.0%}. Uneven quotas move "
        f"{desk.money(found.money)} of expected pay between people and cost {desk.money(found.cost)} in all. {convention}"
    )


def declared_incentive(plan: CompensationPlan) -> ForecastIncentive | None:
    """Read the plan's forecast incentive; None where it has none."""
    block = plan.blocks.get("forecast_incentive")
    return incentive_from_dict(block, currency=plan.currency) if isinstance(block, dict) else None


def honest_schemes(plan: CompensationPlan, *, mean: float, sd: float) -> pd.DataFrame:
    """Prove for each known scheme, and the plan's own, what it pays best to say: see `scheme_table`.

    Parameters
    ----------
    mean, sd
        Of a typical payee's quarter, in any unit.
    """
    beliefs = {"normal": standard_beliefs(mean, sd)["normal"]}
    schemes = known_schemes(mean)
    if (own := declared_incentive(plan)) is not None:
        schemes = {"this plan": own, **schemes}
    return scheme_table(schemes, beliefs)


def forecast_pay(
    plan: CompensationPlan, measures: pd.DataFrame, *, per_unit: int, period: str
) -> pd.DataFrame:
    """Work out the quarter's forecast bonus of everybody by the plan's own scheme: see `forecast_bonus`.

    Parameters
    ----------
    measures
        From `recognised.measures_of`: forecast and actual in currency units.
    """
    own = declared_incentive(plan)
    columns = ["payee", "period", "forecast", "actual", "bonus", "reason"]
    if own is None:
        return pd.DataFrame(columns=columns)
    mine = measures[(measures["period"] == period) & measures["measure"].isin(["forecast", "actual"])]
    wide = mine.pivot(index="payee", columns="measure", values="value").reset_index().assign(period=period)
    for name in ("forecast", "actual"):
        wide[name] = (wide[name] * per_unit).round().astype("Int64")
    return forecast_bonus(own, wide)[columns]


def fed_by_sales(plan: CompensationPlan) -> CompensationPlan:
    """Let all components that a quarter's posterior speaks of look at one measure, so that they share their draws."""
    names = believable(plan)
    measures = {plan.components[name].measure for name in names}

    def renamed(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(renamed(one) for one in value)
        if isinstance(value, Reference):
            return replace(value, measure=SOLD) if value.measure in measures else value
        if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{one.name: renamed(getattr(value, one.name)) for one in fields(value)})
        return value

    parts = {name: renamed(part) for name, part in plan.components.items()}
    for name in names:
        weight = parts[name].weight if parts[name].weight is not None else Fraction(0)
        base = SOLD if parts[name].base in measures else parts[name].base
        parts[name] = replace(parts[name], measure=SOLD, base=base, weight=weight)
    return replace(plan, measures={**plan.measures, SOLD: MeasureRule(SOLD, AMOUNT)}, components=parts)


def _whole(plan: CompensationPlan, asked: pd.DataFrame) -> pd.DataFrame:
    """Sum up a quarter's targets by payee and component, target incentives as of the whole payee; floats."""
    rows = asked[asked["component"].isin(believable(plan))].astype({"payee": str, "component": str})
    sums = rows.groupby(["payee", "component"])[["quota", "target_incentive"]].sum(min_count=1)
    sums = sums.astype("float64").reset_index()
    weights = {name: float(part.weight) for name, part in plan.components.items() if part.weight}
    return sums.assign(target_incentive=sums["target_incentive"] / sums["component"].map(weights))
