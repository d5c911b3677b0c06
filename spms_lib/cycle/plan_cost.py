"""What plans may cost in this cycle: beliefs from the reconciled plan, quotas by hedge, and fairness beside its drivers."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from spms_lib.cycle import planning
from spms_lib.cycle.desk import Desk
from spms_lib.cycle.evidence import past_quarters, past_targets
from spms_lib.cycle.outlook import expected_quarter
from spms_lib.cycle.split import POTENTIAL
from spms_lib.cycle.targets import QUOTA, holds_in_force, read_plan, read_targets
from spms_lib.errors import ParamsError, PlanError
from spms_lib.goals.effort import depends_on_size
from spms_lib.goals.over_assignment import over_assign
from spms_lib.incentives.plan.model import AMOUNT, QUARTER, CompensationPlan
from spms_lib.incentives.simulation.factors import FEWEST_PERIODS, Factors, factor_shares
from spms_lib.incentives.simulation.fairness import Fairness
from spms_lib.tables import NODE, PERIOD, to_wide


class Believed(NamedTuple):
    """What is believed of a plan's payees in the quarter, and where that comes from.

    Attributes
    ----------
    beliefs
        Columns payee, node, component, mean, sd, quota, target_incentive (float minor units of the quarter), territory.
    factors
        What payees have in common: the company's spread is reproduced, in the mix that past attainments show.
    expected, spread
        Of the whole company, seats without a payee included; minor units.
    source
        One sentence for the reader: which estimates, which conventions, what is not covered.
    """

    beliefs: pd.DataFrame
    factors: Factors
    expected: float
    spread: float
    source: str


def beliefs_of(
    desk: Desk,
    plan: CompensationPlan,
    payees: pd.DataFrame,
    targets: pd.DataFrame,
    *,
    leadership: float = 0.5,
    quarters: int = 8,
    by_outlook: bool = False,
) -> Believed:
    """Believe of every payee what the reconciled plan says of the payee's node; the outlook where nobody has reconciled.

    The plan's mean is the commitment of the ledger; its spread is the posterior one, months added up as erring together.
    A payee whose quota is a part of the node's (part of the quarter) is believed to sell that part.

    Parameters
    ----------
    payees
        Columns payee and node.
    targets
        Columns payee, component, period (months of the quarter), quota, target_incentive (minor units, prorated).
    leadership, quarters
        The dial and the evidence with which the plan was reconciled.
    by_outlook
        Take the outlook even where a plan is reconciled: targets have no voice in it.

    Raises
    ------
    PlanError
        If no component is paid by quarter on all amounts sold, which is what a quarter's posterior speaks of.
    """
    names = believable(plan)
    if not names:
        raise PlanError(
            "No component is paid by quarter on all amounts sold, and the posterior is of those.",
            where=f"plan '{plan.name}'",
            remedy="Give beliefs of its measures to the simulation directly.",
        )
    mean, sd, source = _posterior(desk, leadership, quarters, by_outlook=by_outlook)
    mine = targets[targets["component"].isin(names) & targets[PERIOD].isin(desk.months)]
    asked = mine.groupby(["payee", "component"], observed=True)[["quota", "target_incentive"]]
    rows = asked.sum(min_count=1).astype("float64").reset_index().astype({"payee": str, "component": str})
    rows = payees[["payee", NODE]].merge(rows, on="payee")
    whole = rows[NODE].map(read_targets(desk, layer=QUOTA).sum(axis=1).astype("float64"))
    part = (rows["quota"] / whole.where(whole > 0)).clip(upper=1.0).fillna(1.0)
    place = {name: number for number, name in enumerate(names)}
    beliefs = rows.assign(
        mean=rows[NODE].map(mean) * part,
        sd=rows[NODE].map(sd) * part,
        territory=rows[NODE].map(_territory(desk)),
    ).sort_values("component", key=lambda column: column.map(place), kind="stable", ignore_index=True)
    everybody = _level_of(desk, rows[NODE])
    company = pd.DataFrame(
        {"payee": everybody, "component": names[0], "territory": _territory(desk)[everybody]}
    )
    company = company.assign(mean=mean[everybody].to_numpy(), sd=sd[everybody].to_numpy())
    root, mix = desk.tree.root, _mix(desk, everybody, quarters)
    factors = mix.reproducing(company, min(float(sd[root]), float(company["sd"].sum())))
    covered = float(beliefs.loc[beliefs["component"] == names[0], "mean"].sum())
    left = f" {desk.money(mean[root] - covered)} is expected of seats without a payee and not simulated."
    source += f" Factors: {factors.convention}." + (left if mean[root] - covered > 0.5 else "")
    return Believed(beliefs, factors, float(mean[root]), float(sd[root]), source)


def believable(plan: CompensationPlan) -> list[str]:
    """Name the components that a quarter's posterior speaks of: paid by quarter, on all amounts sold."""
    return [
        name
        for name, part in plan.components.items()
        if part.interval == QUARTER and _all_amounts(plan, part.measure)
    ]


def quotas_by_hedge(desk: Desk, hedges: dict[str, dict[str, float]]) -> dict[str, pd.DataFrame]:
    """Make the quarter's quotas for several over-assignments of the same base, as the goal notebook makes them.

    Parameters
    ----------
    hedges
        By the name to print: level to ratio.
    """
    base, holds, own = read_targets(desk), holds_in_force(desk), dict(desk.params.over_assignment_by_node)
    return {
        name: over_assign(desk.tree, base, ratios, by_node=own, holds=holds)
        for name, ratios in hedges.items()
    }


def quotas_of_payees(believed: Believed, quotas: pd.DataFrame, now: pd.DataFrame) -> pd.Series:
    """Bring quotas of nodes (nodes x months) to payees: each payee's moves as its node's does from `now`.

    Returns
    -------
    pd.Series
        Float minor units, indexed by payee.
    """
    rows = believed.beliefs.drop_duplicates("payee").set_index("payee")
    before = now.sum(axis=1).astype("float64")
    moved = quotas.sum(axis=1).astype("float64") / before.where(before > 0)
    return rows["quota"] * rows[NODE].map(moved)


def fairness_drivers(desk: Desk, believed: Believed) -> pd.DataFrame:
    """Gather what a quota's difficulty should not depend on, by payee.

    Returns
    -------
    pd.DataFrame
        Indexed by payee: size (sales of the last twelve months), growth_asked (quota / same quarter last year, minus 1)
        and, where the company states potentials, quota_to_potential.
    """
    rows = believed.beliefs.drop_duplicates("payee").set_index("payee")
    history = desk.history()
    months = desk.calendar.months(desk.calendar.same_period_last_year(desk.cycle))
    before = history.reindex(columns=months).sum(axis=1, min_count=len(months))
    found = pd.DataFrame({"size": rows[NODE].map(history.iloc[:, -12:].sum(axis=1, min_count=1))})
    found["growth_asked"] = rows["quota"] / rows[NODE].map(before.where(before > 0)) - 1
    if desk.has("drivers"):
        table = to_wide(desk.table("drivers"), columns="driver")
        if POTENTIAL in table:
            potential = rows[NODE].map(table[POTENTIAL])
            found["quota_to_potential"] = rows["quota"] / potential.where(potential > 0)
    return found


def fairness_table(fair: Fairness, drivers: pd.DataFrame) -> pd.DataFrame:
    """Relate chances and pay to each driver: columns driver, outcome, n, correlation, low, high (see `depends_on_size`).

    A fair quota's chance and pay depend on none of them: an interval that holds 0 cannot be told from chance.
    """
    payees = fair.payees.set_index("payee")
    rows = [
        {"driver": driver, "outcome": outcome, **depends_on_size(payees[outcome], drivers[driver])}
        for driver in drivers
        for outcome in ("p_attain", "pay_ratio")
    ]
    table = pd.DataFrame(rows, columns=["driver", "outcome", "n", "correlation", "low", "high"])
    return table.astype({"n": "int64"})


def past_attainments(desk: Desk, nodes: pd.Index, quarters: int) -> pd.DataFrame:
    """Divide past sales by past targets, by quarter: columns payee (node), territory, period, attainment; known cells only."""
    when, history = past_quarters(desk, quarters), desk.history()
    asked = to_wide(past_targets(desk, when))
    parts = []
    for quarter in when:
        months = desk.calendar.months(quarter)
        sums = [
            table.reindex(index=nodes, columns=months).sum(axis=1, min_count=len(months))
            for table in (history, asked)
        ]
        attained = sums[0] / sums[1].where(sums[1] > 0)
        parts.append(pd.DataFrame({"payee": nodes, PERIOD: quarter, "attainment": attained.to_numpy()}))
    rows = pd.concat(parts, ignore_index=True).dropna(subset="attainment")
    return rows.assign(territory=rows["payee"].map(_territory(desk)))


def _mix(desk: Desk, nodes: pd.Index, quarters: int) -> Factors:
    past = past_attainments(desk, nodes, quarters)
    several = past.groupby("payee")[PERIOD].transform("nunique") > 1
    return factor_shares(past) if past[several][PERIOD].nunique() >= FEWEST_PERIODS else Factors()


def _posterior(
    desk: Desk, leadership: float, quarters: int, *, by_outlook: bool
) -> tuple[pd.Series, pd.Series, str]:
    """Mean and spread of the quarter by node, and a sentence on where they come from."""
    committed = None if by_outlook else _plan_if_any(desk)
    if committed is None:
        outlook = expected_quarter(desk, quarters=quarters)
        why = "as asked" if by_outlook else "no reconciled plan is in the ledger"
        return (
            outlook.expected,
            outlook.spread,
            f"Beliefs are the outlook, in which targets have no voice ({why}).",
        )
    records = planning.learn_trust(desk, quarters=quarters)
    weighed = planning.weigh(desk, planning.gather_estimates(desk), records, leadership=leadership)
    spread = planning.reconcile_quarter(desk, weighed).spread[desk.months].sum(axis=1)
    words = (
        "Beliefs are the reconciled plan of the ledger with its posterior spread "
        "(targets have a voice in it; months of a quarter err together)."
    )
    return committed.sum(axis=1).astype("float64"), spread.where(np.isfinite(spread)), words


def _plan_if_any(desk: Desk) -> pd.DataFrame | None:
    try:
        return read_plan(desk)
    except ParamsError:
        return None


def _all_amounts(plan: CompensationPlan, measure: str) -> bool:
    rule = plan.measures[measure]
    return rule.value == AMOUNT and not rule.per and not rule.where


def _level_of(desk: Desk, nodes: pd.Series) -> pd.Index:
    """All nodes that add up to the company on the payees' level."""
    if nodes.isin(desk.tree.leaves).all():
        return desk.tree.leaves
    return desk.tree.at_level(str(desk.tree.level[nodes.iloc[0]]))


def _territory(desk: Desk) -> pd.Series:
    return pd.Series(desk.tree.parents, dtype="object").reindex(desk.tree.nodes).fillna("")
