"""Response: what a territory sells with more or fewer heads, budget or tools; every further unit brings less."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.errors import ParamsError, TableError
from spms_lib.tables import NODE, need

Floats = NDArray[np.float64]

SALES_FORCE_ELASTICITY: Final = 0.31
"""Mean elasticity of sales to personal selling; Albers, Mantrala and Sridhar (2010), a meta-analysis."""

RESOURCE, UNITS, SALES = "resource", "units", "sales"


@dataclass(frozen=True, slots=True)
class Response:
    """A concave curve: sales (minor units) by units of a resource, and its slope.

    Attributes
    ----------
    sales, slope
        Functions of an array of units; the slope may be infinite at 0.
    says
        The curve in words, with its numbers.
    """

    sales: Callable[[Floats], Floats]
    slope: Callable[[Floats], Floats]
    says: str


def power_response(now: float, units_now: float, elasticity: float = SALES_FORCE_ELASTICITY) -> Response:
    """Let sales grow with a power of the units: now x (units / units_now) ^ elasticity.

    Passes through what is sold today with the units of today, so only the elasticity has to be believed.
    """
    if not (now >= 0 and units_now > 0 and 0 < elasticity <= 1):
        raise ParamsError(
            f"Sales of {now:g} with {units_now:g} units and an elasticity of {elasticity:g} make no concave curve.",
            where="response",
            remedy="Give sales of zero or more, units above zero, and an elasticity above 0, at most 1.",
        )

    def slope(units: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            found: Floats = now * elasticity / units_now * (units / units_now) ** (elasticity - 1.0)
        return found

    return Response(
        lambda units: now * (units / units_now) ** elasticity,
        slope,
        f"sales x (units / {units_now:.4g}) ^ {elasticity:.2f}",
    )


def saturating_response(saturation: float, half_at: float) -> Response:
    """Let sales rise towards a limit, half of it at `half_at` units: saturation x units / (units + half_at)."""
    if not (saturation >= 0 and half_at > 0):
        raise ParamsError(
            f"A limit of {saturation:g} with half of it at {half_at:g} units makes no curve.",
            where="response",
            remedy="Give a limit of zero or more, and units above zero.",
        )
    return Response(
        lambda units: saturation * units / (units + half_at),
        lambda units: saturation * half_at / (units + half_at) ** 2,
        f"up to {saturation:.4g}, half of it at {half_at:.4g} units",
    )


def potential_response(potential: float, now: float, units_now: float) -> Response:
    """Let sales approach a territory's potential: potential x (1 - exp(-k x units)), k so that today is met."""
    if not (0 < now < potential and units_now > 0):
        raise ParamsError(
            f"Sales of {now:g} with {units_now:g} units do not lie below a potential of {potential:g}.",
            where="response",
            remedy="Give a potential above today's sales, and units above zero.",
        )
    rate = -np.log1p(-now / potential) / units_now
    return Response(
        lambda units: -potential * np.expm1(-rate * units),
        lambda units: potential * rate * np.exp(-rate * units),
        f"{potential:.4g} x (1 - exp(-{rate:.3g} x units))",
    )


def log_response(scale: float, unit: float) -> Response:
    """Let every doubling bring about the same: scale x log(1 + units / unit)."""
    if not (scale >= 0 and unit > 0):
        raise ParamsError(
            f"Scale {scale:g} and unit {unit:g} make no concave curve.",
            where="response",
            remedy="Give a scale of zero or more and a unit above zero.",
        )
    return Response(
        lambda units: scale * np.log1p(units / unit),
        lambda units: scale / (units + unit),
        f"{scale:.4g} x log(1 + units / {unit:.4g})",
    )


def moved(response: Response, by: float) -> Response:
    """Count units from today: the curve of units on top of `by`."""
    return Response(
        lambda units: response.sales(units + by),
        lambda units: response.slope(units + by),
        f"{response.says}, units on top of {by:.4g}",
    )


def breakpoints(
    response: Response, node: str, resource: str, *, lower: float, upper: float, whole: bool, pieces: int = 40
) -> tuple[pd.DataFrame, float]:
    """Turn a curve into straight pieces between points, and bound what that leaves out.

    Whole units get a point each, so nothing is left out. Otherwise the pieces are of equal length, or of lengths that
    grow by a tenth where the curve is steepest at its start.

    Returns
    -------
    pd.DataFrame
        Columns node, resource, units, sales.
    float
        No true value lies further above the pieces than this (minor units): the most that a tangent at either end of a
        piece rises above it; 0 for whole units.
    """
    if not (0 <= lower <= upper and pieces > 0):
        raise ParamsError(
            f"'{node}' cannot have from {lower:g} to {upper:g} units of '{resource}'.",
            where="resources",
            remedy="Give a minimum of zero or more and a maximum that is not below it.",
        )
    if whole:
        at = np.arange(np.ceil(lower - 1e-9), np.floor(upper + 1e-9) + 1.0)
    else:
        steps = 1.1 ** np.arange(pieces)
        at = lower + (upper - lower) * np.append(0.0, np.cumsum(steps) / steps.sum())
        at = np.unique(at)
    if not len(at):
        raise ParamsError(
            f"No whole number lies between {lower:g} and {upper:g}.",
            where=f"{node}, {resource}",
            remedy="Widen the limits.",
        )
    sales = response.sales(at)
    table = pd.DataFrame({NODE: node, RESOURCE: resource, UNITS: at, SALES: sales})
    return table, 0.0 if whole or len(at) < 2 else _left_out(at, sales, response.slope(at))


def _left_out(at: Floats, sales: Floats, slope: Floats) -> float:
    """Bound the curve by its tangents at both ends of each piece: the height of their crossing above the piece."""
    width, chord = np.diff(at), np.diff(sales) / np.diff(at)
    left, right = slope[:-1] - chord, chord - slope[1:]
    with np.errstate(invalid="ignore", divide="ignore"):
        height = np.where(np.isinf(left), right * width, width * left * right / (left + right))
    return float(np.nan_to_num(height).max())


def need_concave(curves: pd.DataFrame) -> None:
    """Refuse curves that bend upwards: their best allocation would not be found by marginal return.

    Raises
    ------
    TableError
        Naming the territory and the units where a further unit brings more than the one before.
    """
    need(curves, [NODE, RESOURCE, UNITS, SALES], "response curves")
    ordered = curves.sort_values([NODE, RESOURCE, UNITS], kind="stable")
    same = [ordered[NODE], ordered[RESOURCE]]
    gone = ordered.groupby([NODE, RESOURCE], sort=False)[[UNITS, SALES]].diff()
    if (gone[UNITS] == 0).any():
        raise TableError(
            f"A curve of '{ordered[NODE][gone[UNITS] == 0].iloc[0]}' has a point twice.",
            where="response curves",
            remedy="State each number of units once.",
        )
    slopes = gone[SALES] / gone[UNITS]
    before = slopes.groupby(same, sort=False).shift()
    tolerance = 1e-9 * slopes.abs().max()
    bent = slopes > before + tolerance
    if bent.any():
        row = ordered[bent].iloc[0]
        raise TableError(
            f"'{row[NODE]}' is said to gain more from a further unit of '{row[RESOURCE]}' at {row[UNITS]:g} than before.",
            where="response curves",
            remedy="Give a curve on which every further unit brings at most as much as the one before.",
        )


def sales_at(curves: pd.DataFrame, units: pd.DataFrame) -> pd.Series:
    """Read off the curves what given units bring: `units` has columns node, resource, units; minor units."""
    points = {key: rows.sort_values(UNITS) for key, rows in curves.groupby([NODE, RESOURCE], sort=False)}
    values = [
        float(np.interp(at, points[node, resource][UNITS], points[node, resource][SALES]))
        for node, resource, at in zip(units[NODE], units[RESOURCE], units[UNITS], strict=True)
    ]
    return pd.Series(values, index=units.index, dtype=float)


def value_of(curves: pd.DataFrame, units: pd.DataFrame) -> float:
    """Add up what given units bring on the curves: `units` has columns node, resource, units."""
    return float(sales_at(curves, units).sum())
