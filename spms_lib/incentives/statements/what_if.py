"""What would have been paid: without one credit, or by another plan."""

import pandas as pd

from spms_lib.incentives.engine.books import COMPONENT, PAYEE
from spms_lib.incentives.engine.run import EARNED, Run
from spms_lib.incentives.plan.model import CompensationPlan
from spms_lib.tables import PERIOD

_KEY = [PAYEE, COMPONENT, PERIOD]


def what_it_cost(run: Run, credit: str) -> pd.DataFrame:
    """Say what a credit changed: through every component, gate, multiplier and true-up of all it was credited to.

    Returns
    -------
    pd.DataFrame
        payee, component, period, with_it, without_it (Int64 minor units, null where unknown),
        difference (with it, less without it: negative for a return); months that differ only.

    Raises
    ------
    PlanError
        If the run has no such credit.
    """
    without = run.without(credit)
    with_it = run.only(without.books.payees.tolist())
    found = _side_by_side(with_it, without, "with_it", "without_it")
    return found[(found["difference"] != 0).fillna(value=True)].reset_index(drop=True)


def other_plan(run: Run, plan: CompensationPlan, payee: str) -> pd.DataFrame:
    """Say what another plan would have paid a payee for the same credits against the same targets.

    Returns
    -------
    pd.DataFrame
        payee, component, period, earned, other (Int64 minor units; null where a component is
        not in the plan, or has no target), difference (the other plan less this one; a missing
        component pays nothing, an unknown amount is unknown).
    """
    one = run.only([payee])
    found = _side_by_side(one, one.under(plan), EARNED, "other")
    here, there = (~found[COMPONENT].isin(list(names)) for names in (run.plan.components, plan.components))
    earned, other = found[EARNED].mask(here, 0), found["other"].mask(there, 0)
    return found.assign(difference=other - earned)


def _side_by_side(one: Run, other: Run, name: str, other_name: str) -> pd.DataFrame:
    left, right = (
        run.earnings()[[*_KEY, EARNED]].astype(dict.fromkeys(_KEY, object)) for run in (one, other)
    )
    found = left.rename(columns={EARNED: name}).merge(
        right.rename(columns={EARNED: other_name}), on=_KEY, how="outer", sort=False
    )
    return found.assign(difference=found[name] - found[other_name])
