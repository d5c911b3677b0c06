"""Edges of a plan: where the pay of a component jumps or changes its slope."""

from dataclasses import replace
from itertools import pairwise

import pandas as pd

from spms_lib.incentives.plan.model import ATTAINMENT, MONEY, TARGET_INCENTIVE, CompensationPlan, Component
from spms_lib.incentives.plan.points import Scale, line_of, merged, scale_of

_WHOLE = 10**9  # a quota and target incentive so large that no share of it is rounded away


def judged_component(plan: CompensationPlan) -> Component | None:
    """Find the component that most depends on a quota: the one of largest weight that is judged by attainment."""
    judged = [
        part
        for part in plan.components.values()
        if part.curve is not None and part.curve.unit == ATTAINMENT and part.curve.pays == TARGET_INCENTIVE
    ]
    return max(judged, key=lambda part: part.weight or 0, default=None)


def edges_of(plan: CompensationPlan, component: Component, scale: Scale | None = None) -> pd.DataFrame:
    """List the edges of a component that is judged by attainment.

    Parameters
    ----------
    scale
        A payee's quota and target incentive of one interval, for curves and caps in rates or money; not
        needed where all is stated in target incentives.

    Returns
    -------
    pd.DataFrame
        edge (attainment), jump (pay for crossing it, ratio of target incentive), slope_before and
        slope_after (payout ratio per attainment ratio), clause; in rising order. Without a scale a cap in money is
        left out (it lies at another attainment for every payee), and a curve in rates or money has no edges.

    Examples
    --------
    >>> from spms_lib.incentives.plan.read import plan_from_dict
    >>> plan = plan_from_dict({"plan": "AE", "currency": "EUR", "effective_from": "2026-01-01",
    ...     "components": [{"component": "new", "measure": {"value": "amount"}, "interval": "quarter", "weight": 1,
    ...         "unit": "attainment", "pays": "target_incentive", "tie": "upper", "threshold": "0.5",
    ...         "tiers": [[0, 1, 1], [1, None, 2]]}]})
    >>> edges_of(plan, plan.components["new"])[["edge", "jump", "slope_before", "slope_after"]].values.tolist()
    [[0.5, 0.5, 0.0, 1.0], [1.0, 0.0, 1.0, 2.0]]
    """
    if scale is None:
        if component.cap is not None and component.cap.of == MONEY:
            component = replace(component, cap=None)
        stated = component.curve is not None and component.curve.pays == TARGET_INCENTIVE
        component = component if stated else replace(component, curve=None)
        scale = scale_of(plan, component, _WHOLE, _WHOLE)
    line = line_of(plan, component, component.curve, scale)
    per = scale.target_incentive
    clause = component.clause.number or plan.clause.number
    rows = [
        (
            float(after.start),
            float((after.value - before.at(after.start)) / per),
            float(before.slope / per),
            float(after.slope / per),
            clause,
        )
        for before, after in pairwise(merged(line) if line else ())
    ]
    return pd.DataFrame(rows, columns=["edge", "jump", "slope_before", "slope_after", "clause"])
