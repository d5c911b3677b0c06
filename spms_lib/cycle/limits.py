"""Floors and caps of a cycle, from its params to the tables that reconciliation takes."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from spms_lib.cycle.desk import Desk
from spms_lib.errors import ParamsError
from spms_lib.money import apportion, to_minor
from spms_lib.params.goals import Limit
from spms_lib.reconcile.plan import Plan, revise
from spms_lib.tables import NAME, NODE, PERIOD, VALUE


class Limits(NamedTuple):
    """Bounds and cuts as `reconcile` takes them.

    Attributes
    ----------
    lower, upper
        Columns node (a node, or the name of a cut), period (month), value (whole minor units).
    cuts
        Columns cut, node: which nodes a named limit adds up.
    """

    lower: pd.DataFrame
    upper: pd.DataFrame
    cuts: pd.DataFrame


def limits_in_force(desk: Desk, targets: pd.DataFrame) -> Limits:
    """Lay out the limits of the cycle's params.

    Parameters
    ----------
    targets
        Nodes x months, whole minor units: how a limit on the quarter falls on its months.

    Raises
    ------
    ParamsError
        If a limit names a node outside the tree, a month outside the quarter, or a node's name for a sum.
    """
    lower: list[tuple[str, str, int]] = []
    upper: list[tuple[str, str, int]] = []
    cuts: list[tuple[str, str]] = []
    for limit in desk.params.limits:
        _check(desk, limit)
        key = limit.nodes[0] if len(limit.nodes) == 1 else limit.name
        cuts += [(key, node) for node in limit.nodes] if len(limit.nodes) > 1 else []
        for amount, rows in ((limit.at_least, lower), (limit.at_most, upper)):
            if amount is not None:
                months = _by_month(desk, limit, to_minor(amount, desk.per_unit), targets)
                rows += [(key, month, value) for month, value in months.items()]
    columns = [NODE, PERIOD, VALUE]
    return Limits(
        pd.DataFrame(lower, columns=columns),
        pd.DataFrame(upper, columns=columns),
        pd.DataFrame(cuts, columns=["cut", NODE]),
    )


def limit_table(desk: Desk, plan: Plan, *, most: int = 12) -> pd.DataFrame:
    """Say what the holds, floors and caps that the plan stands on cost, the dearest first.

    Parameters
    ----------
    most
        Limits shown; each is lifted by itself to see what would come without it.

    Returns
    -------
    pd.DataFrame
        Columns name, period, kind, value, without (the number if this limit alone were lifted), moved (value -
        without), company (change of the company's plan if it were lifted); minor units.
    """
    costs = plan.multipliers
    weight = (costs["multiplier"] * costs[VALUE]).abs().to_numpy(dtype=float)
    shown = costs.iloc[np.argsort(-weight, kind="stable")[:most]].reset_index(drop=True)
    rows = []
    for row in shown.to_dict("records"):
        lifted = revise(plan, lift=pd.DataFrame([row])[[NODE, PERIOD]])
        column = plan.layout.periods.index(row[PERIOD])
        cell = int(plan.layout.cells(pd.DataFrame([row]), "limits")[0])
        rows.append((lifted.found[cell, column], lifted.units[0, column] - plan.units[0, column]))
    without = pd.DataFrame(rows, columns=["without", "company"], dtype=float)
    named = shown[NODE].map(desk.tree.name).fillna(shown[NODE])
    table = shown.assign(**{NAME: named}).join(without)
    table["moved"] = table[VALUE] - table["without"]
    return table[[NAME, PERIOD, "kind", VALUE, "without", "moved", "company"]]


def _check(desk: Desk, limit: Limit) -> None:
    for node in limit.nodes:
        if node not in desk.tree.nodes:
            raise ParamsError(
                f"A limit names '{node}', which is no node of the plan.",
                where="limits",
                remedy="Use a node of the planned quarter.",
            )
    if len(limit.nodes) > 1 and limit.name in desk.tree.nodes:
        raise ParamsError(
            f"The limit '{limit.name}' is called like a node.", where="limits", remedy="Rename the limit."
        )
    if limit.period and limit.period not in {*desk.months, desk.cycle}:
        raise ParamsError(
            f"A limit is on {limit.period}, which is no month of {desk.cycle}.",
            where="limits",
            remedy=f"Use one of {', '.join(desk.months)}, or leave it out for the quarter.",
        )


def _by_month(desk: Desk, limit: Limit, amount: int, targets: pd.DataFrame) -> dict[str, int]:
    """Let a limit on the quarter fall on its months as the targets of its nodes do."""
    if limit.period in desk.months:
        return {limit.period: amount}
    phasing = targets.loc[list(limit.nodes), desk.months].sum().clip(lower=0)
    weights = phasing if phasing.sum() else pd.Series(1, index=desk.months)
    return {str(month): int(value) for month, value in apportion(amount, weights).items()}
