"""Simulation of a plan: chances, pay of every payee, and the cost of the company, on draws that all plans share."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from spms_lib.incentives.engine.books import PAYEE
from spms_lib.incentives.plan.model import CompensationPlan
from spms_lib.incentives.simulation.beliefs import TERRITORY, Laid, lay_out
from spms_lib.incentives.simulation.draws import Performance
from spms_lib.incentives.simulation.factors import Factors
from spms_lib.incentives.simulation.fed import evaluator
from spms_lib.incentives.simulation.run import Runs, Simulation, run

Quotas = float | pd.Series | pd.DataFrame


def simulate(
    plan: CompensationPlan,
    beliefs: pd.DataFrame,
    *,
    draws: int = 2000,
    seed: int,
    factors: Factors | None = None,
) -> Simulation:
    """Simulate one interval of a plan: what it may cost, and what it may pay whom.

    Parameters
    ----------
    beliefs
        Columns payee, component (or the name of a measure), mean and sd of the interval's performance (floats; money
        in minor units, pieces, a score as a ratio); optional quota, target_incentive (minor units, of the interval:
        the component's in a row of a component, the payee's in a row of a measure) and territory. The first name is
        the one that adds up to the company's result.
    draws
        Possible intervals.
    seed
        The same seed draws the same performance, whatever the plan, the quotas and the target incentives.

    Raises
    ------
    PlanError
        If beliefs feed no component of the plan.
    TableError
        If beliefs contradict themselves.

    Examples
    --------
    >>> import datetime as dt
    >>> from fractions import Fraction
    >>> from spms_lib.incentives.plan.model import Component, Curve, MeasureRule, Tier
    >>> curve = Curve("attainment", "target_incentive", "upper", (Tier(Fraction(0), None, Fraction(1)),))
    >>> plan = CompensationPlan("straight", "EUR", dt.date(2026, 1, 1), {"sold": MeasureRule("sold")},
    ...     {"sales": Component("sales", "sold", curve, "quarter")})
    >>> beliefs = pd.DataFrame({"payee": ["anna", "ben"], "component": "sales", "mean": [100.0, 90.0],
    ...     "sd": 20.0, "quota": 100.0, "target_incentive": 50.0, "territory": "north"})
    >>> found = simulate(plan, beliefs, draws=20_000, seed=1).payees
    >>> found[["p_attain", "expected"]].round(1).values.tolist()
    [[0.5, 50.0], [0.3, 45.0]]
    """
    return simulate_all({plan.name: plan}, beliefs, draws=draws, seed=seed, factors=factors)[plan.name]


def simulate_all(
    plans: Mapping[str, CompensationPlan],
    beliefs: pd.DataFrame,
    *,
    draws: int = 2000,
    seed: int,
    factors: Factors | None = None,
    quotas: Mapping[str, Quotas] | None = None,
) -> Runs:
    """Simulate several plans, or one plan under several sets of quotas, on the same draws.

    Parameters
    ----------
    plans
        By the name to print; the first is the one that the others are compared with.
    quotas
        By name: a factor on all quotas of the beliefs, or quotas by payee (Series in minor units, or nodes x periods as
        over-assignment makes them, summed over periods) for the rows that make the company's result. Every plan is
        simulated under each; names are joined where both are several.
    """
    factors = factors or Factors()
    laid = lay_out(beliefs, factors.marginal)
    asked = quotas or {"": 1.0}
    cases = {
        _joined(name, label, len(plans), len(asked)): evaluator(plan, with_quotas(laid, wanted))
        for name, plan in plans.items()
        for label, wanted in asked.items()
    }
    fed = {one.row_of(component) for one in cases.values() for component in one.components}
    return run(cases, Performance(_at_the_mean(laid, fed), factors, draws, seed))


def with_quotas(laid: Laid, wanted: Quotas) -> Laid:
    """Change quotas: all by a factor, or those of the company's result to amounts by payee; payees not named keep theirs."""
    if isinstance(wanted, int | float):
        return replace(laid, quotas={name: values * wanted for name, values in laid.quotas.items()})
    given = wanted.sum(axis=1, min_count=wanted.shape[1]) if isinstance(wanted, pd.DataFrame) else wanted
    found = given.astype("float64").reindex(laid.payees).to_numpy()
    kept = np.where(np.isfinite(found), found, laid.quotas[laid.result])
    return replace(laid, quotas={**laid.quotas, laid.result: kept})


def winners_losers(runs: Runs) -> pd.DataFrame:
    """Compare every payee's expected pay between plans (or sets of quotas), those who lose most first.

    Returns
    -------
    pd.DataFrame
        Columns plan (compared with the first), payee, territory, before, after (expected pay, minor units),
        difference, low, high (95 % interval from the common draws), p_better, p_worse (shares of draws).
    """
    before = runs[runs.first].payees
    parts = []
    for name, table in runs.differences.items():
        after = runs[name].payees["expected"]
        part = table.assign(plan=name, territory=before[TERRITORY], before=before["expected"], after=after)
        parts.append(part.sort_values("difference", kind="stable"))
    columns = [
        "plan",
        PAYEE,
        TERRITORY,
        "before",
        "after",
        "difference",
        "low",
        "high",
        "p_better",
        "p_worse",
    ]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _at_the_mean(laid: Laid, fed: set[str | None]) -> Laid:
    """Let measures that only gates, multipliers and matrices look at stand at their mean where no spread is known."""
    sds = {
        name: values
        if name in fed
        else np.where(np.isfinite(laid.means[name]), np.nan_to_num(values), np.nan)
        for name, values in laid.sds.items()
    }
    return replace(laid, sds=sds)


def _joined(plan: str, label: str, plans: int, labels: int) -> str:
    return label if plans == 1 and label else f"{plan}, {label}" if label and labels > 1 else plan
