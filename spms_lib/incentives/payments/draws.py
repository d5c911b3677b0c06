"""Who draws what and when: the plan's draw and the exceptions of single payees, laid out over pay periods."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.errors import PlanError, TableError
from spms_lib.incentives.engine.exact import Ints
from spms_lib.incentives.payments.entries import PAYEE, checked_amounts, codes_of
from spms_lib.incentives.payments.months import PayPeriods
from spms_lib.incentives.payments.terms import DRAW_TYPES, FORGIVEN, Draw
from spms_lib.tables import need

NO_DRAW: Final = -1


@dataclass(frozen=True, slots=True)
class DrawGrid:
    """Draws of all payees in all pay periods; every array has the shape (n_payees, n_periods).

    Attributes
    ----------
    kind
        Position in `DRAW_TYPES`, or `NO_DRAW`.
    minimum
        Minor units; 0 where there is no draw.
    recovers, forgives
        Whether what is owed is deducted in this period, and whether it is given up at its end.
    share
        Largest part of the earnings above the minimum that is deducted.
    """

    kind: NDArray[np.int8]
    minimum: Ints
    recovers: NDArray[np.bool_]
    forgives: NDArray[np.bool_]
    share: Fraction = Fraction(1)


def no_draws(shape: tuple[int, int]) -> DrawGrid:
    """Say that nobody draws; what is owed for other reasons is deducted in every period."""
    return DrawGrid(
        np.full(shape, NO_DRAW, dtype=np.int8),
        np.zeros(shape, dtype=np.int64),
        np.ones(shape, bool),
        np.zeros(shape, bool),
    )


def draw_grid(
    draw: Draw | None, payees: pd.Index, periods: PayPeriods, exceptions: pd.DataFrame | None = None
) -> DrawGrid:
    """Lay a plan's draw out over payees and pay periods.

    Parameters
    ----------
    payees
        Unique; the rows of the grid.
    exceptions
        Columns payee, type, minimum (minor units), from, to (months or days; missing for the
        run's start, and for no end). A payee in it draws by its rows only, one or several after
        each other; everybody else by the plan. Recovery is the plan's for all.

    Raises
    ------
    PlanError
        If there are exceptions and no draw in the plan to depart from.
    TableError
        If an exception has an unknown type, a minimum below zero, or meets another of its payee.
    """
    shape = (len(payees), len(periods.names))
    grid = no_draws(shape)
    if draw is None:
        if exceptions is not None and len(exceptions):
            remedy = "Add payment.draw; a minimum of 0 gives one only to the payees listed."
            raise PlanError(
                "Draws of payees are listed, but the plan has none.", where="draws", remedy=remedy
            )
        return grid
    rows = _of_plan(draw, len(payees), periods)
    if exceptions is not None and len(exceptions):
        listed = _of_payees(exceptions, payees, periods)
        rows = pd.concat([rows[~rows["payee"].isin(listed["payee"])], listed])
    who, kind, minimum, first, last = (rows[name].to_numpy() for name in rows)
    since = np.full(shape[0], shape[1])
    for column in range(shape[1]):
        now = (first <= column) & (last >= column)
        at = who[now]
        grid.kind[at, column], grid.minimum[at, column], since[at] = kind[now], minimum[now], first[now]
        grid.forgives[at, column] = (kind[now] == DRAW_TYPES.index(FORGIVEN)) & (last[now] == column)
        grid.recovers[:, column] = (column - since + 1 >= draw.recovery_from) | (since > column)
    return replace(grid, share=draw.recovery_share)


def _of_plan(draw: Draw, payees: int, periods: PayPeriods) -> pd.DataFrame:
    months = pd.Series([draw.first or periods.first, draw.last or None], dtype=object)
    first, last = periods.of_months(months).tolist()
    last = first + draw.periods - 1 if draw.periods else last
    kind = DRAW_TYPES.index(draw.type)
    return pd.DataFrame(
        {"payee": np.arange(payees), "kind": kind, "minimum": draw.minimum, "first": first, "last": last}
    )


def _of_payees(exceptions: pd.DataFrame, payees: pd.Index, periods: PayPeriods) -> pd.DataFrame:
    need(exceptions, [PAYEE, "type", "minimum", "from", "to"], "draws")
    amount = checked_amounts(exceptions, "minimum", "draws")
    who = codes_of(exceptions[PAYEE], payees)
    kind = codes_of(exceptions["type"], pd.Index(DRAW_TYPES))
    bad = (kind < 0) | (amount < 0) | (who < 0)
    if bad.any():
        remedy = f"Name a payee of this run, 0 or more, and one of {', '.join(DRAW_TYPES)}."
        name = exceptions.loc[bad, PAYEE].iloc[0]
        raise TableError(f"The draw of '{name}' cannot be used.", where="draws", remedy=remedy)
    first = np.where(exceptions["from"].isna(), 0, periods.of_months(exceptions["from"]))
    last = periods.of_months(exceptions["to"])
    rows = pd.DataFrame({"payee": who, "kind": kind, "minimum": amount, "first": first, "last": last})
    rows = rows.sort_values(["payee", "first"], kind="stable")
    meets = rows.duplicated("payee") & (rows["last"].shift() >= rows["first"])
    if meets.any():
        name = payees[rows.loc[meets, "payee"].iloc[0]]
        raise TableError(
            f"'{name}' has two draws at once.", where="draws", remedy="End the first before the second."
        )
    return rows
