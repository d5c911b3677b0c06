"""What a component pays at each performance, in money: scaled to a payee, capped, and as points of a line."""

from fractions import Fraction
from typing import Final, NamedTuple

import pandas as pd

from spms_lib.errors import PlanError
from spms_lib.incentives.plan.model import (
    ATTAINMENT,
    MONEY,
    MONEY_VALUES,
    MONTH,
    QUARTER,
    RATE,
    TARGET_INCENTIVE,
    YEAR,
    CompensationPlan,
    Component,
    Curve,
)
from spms_lib.incentives.plan.shape import Piece, capped, pieces
from spms_lib.money import format_money, minor_per_unit

_SHARE: Final = {MONTH: Fraction(1, 12), QUARTER: Fraction(1, 4), YEAR: Fraction(1)}
_STEPS: Final = 4  # of a repeating step are drawn


class Scale(NamedTuple):
    """One interval of a component: its quota and target incentive, and minor units in a currency unit."""

    quota: Fraction
    target_incentive: Fraction
    per_unit: int
    currency: str

    def money(self, minor: Fraction) -> str:
        """Write an amount of minor units."""
        return format_money(round(minor), self.currency)


def curve_points(
    plan: CompensationPlan, component: str, *, quota: int, target_incentive: int
) -> pd.DataFrame:
    """Compute the points of a component's pay that a straight line joins; a jump is two points at one place.

    Parameters
    ----------
    quota, target_incentive
        Of a year, as for `surface`.

    Returns
    -------
    pd.DataFrame
        performance (attainment ratio, or currency units or pieces), pay (minor units of one
        interval), ratio (pay by target incentive), marginal (ratio per unit of performance from
        here on). The last point lies a quarter beyond the last edge, and beyond 150 % of quota.

    Raises
    ------
    PlanError
        If the component does not exist, or its pay depends on another measure.
    """
    part = plan.components.get(component)
    if part is None:
        known = ", ".join(plan.components)
        raise PlanError(
            f"There is no component '{component}'.", where=f"plan '{plan.name}'", remedy=f"Known: {known}."
        )
    scale = scale_of(plan, part, quota, target_incentive)
    line = line_of(plan, part, part.curve, scale)
    if not line:
        raise PlanError(
            "What it pays depends on another measure.",
            where=f"component '{component}'",
            remedy="Simulate it.",
        )
    quota_at = quota_of(plan, part, scale)
    last = max(line[-1].start * Fraction(5, 4), quota_at * Fraction(3, 2))
    rows = [
        (
            float(at),
            float(piece.at(at)),
            float(piece.at(at) / scale.target_incentive),
            float(piece.slope / scale.target_incentive),
        )
        for piece in line
        for at in (piece.start, last if piece.end is None else piece.end)
    ]
    return pd.DataFrame(rows, columns=["performance", "pay", "ratio", "marginal"]).drop_duplicates(
        ["performance", "pay"], keep="last", ignore_index=True
    )


def line_of(
    plan: CompensationPlan, component: Component, curve: Curve | None, scale: Scale
) -> tuple[Piece, ...]:
    """Compute the pieces of a curve in minor units, cap included; none where pay depends on another measure."""
    measure = plan.measures[component.measure]
    apart = bool(component.base) and component.base != component.measure
    if curve is None or (curve.pays == RATE and curve.unit != ATTAINMENT and apart):
        return ()
    worth = {TARGET_INCENTIVE: scale.target_incentive, MONEY: Fraction(scale.per_unit)}
    money = scale.per_unit if measure.value in MONEY_VALUES else 1
    per = worth.get(curve.pays, scale.quota if curve.unit == ATTAINMENT else Fraction(money))
    if curve.step is not None:
        every, pays = curve.step.every, curve.step.pays * per
        line = tuple(Piece(n * every, (n + 1) * every, n * pays, Fraction(0)) for n in range(_STEPS))
    else:
        line = tuple(one._replace(value=one.value * per, slope=one.slope * per) for one in pieces(curve))
    cap = component.cap
    return capped(line, cap.value * worth[cap.of] if cap else None)


def merged(line: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """Join neighbours that lie on one line."""
    made = [line[0]]
    for piece in line[1:]:
        last = made[-1]
        if last.slope == piece.slope and last.at(piece.start) == piece.value:
            made[-1] = last._replace(end=piece.end)
        else:
            made.append(piece)
    return tuple(made)


def scale_of(plan: CompensationPlan, component: Component, quota: int, target_incentive: int) -> Scale:
    """Spread a year's quota and target incentive over one interval of a component."""
    if quota <= 0 or target_incentive <= 0:
        raise PlanError(
            "A surface needs a quota and a target incentive.",
            where=f"plan '{plan.name}'",
            remedy="State both above 0.",
        )
    share = _SHARE[component.interval]
    incentive = target_incentive * share * (component.weight if component.weight is not None else 1)
    return Scale(quota * share, incentive, minor_per_unit(plan.currency), plan.currency)


def quota_of(plan: CompensationPlan, component: Component, scale: Scale) -> Fraction:
    """Say where quota lies on the curve's own axis."""
    if component.curve is None or component.curve.unit == ATTAINMENT:
        return Fraction(1)
    money = plan.measures[component.measure].value in MONEY_VALUES
    return scale.quota / scale.per_unit if money else scale.quota
