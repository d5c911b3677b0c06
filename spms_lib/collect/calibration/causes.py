"""Structural causes: what the plan itself gives people for forecasting low or high, before anybody is named."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pandas as pd

COLUMNS: Final = ("cause", "where", "size", "ratio", "towards", "text")


@dataclass(frozen=True, slots=True)
class Edge:
    """A place on the payout curve where something changes.

    Attributes
    ----------
    attainment
        Actual / quota.
    jump
        What is paid at once by reaching it, in units of target incentive.
    rate_below, rate_above
        Payout per further unit of attainment just below and just above, in units of target incentive.
    """

    attainment: float
    jump: float
    rate_below: float
    rate_above: float


@dataclass(frozen=True, slots=True)
class Setting:
    """What surrounds a forecast beside its maker; None where it is not known.

    Attributes
    ----------
    edges
        Of the compensation plan.
    incentive
        Target incentive that stands behind the period for a typical payee, minor units.
    ratchet, ratchet_low, ratchet_high
        By how much next year's target rose for 1 % more sold than was asked, as a ratio, with its interval.
    hardness
        Targets / what history alone gives for the same seats, minus 1.
    target_shown
        Whether forecasters see their target beside the empty cells.
    """

    edges: tuple[Edge, ...] = ()
    incentive: float | None = None
    ratchet: float | None = None
    ratchet_low: float | None = None
    ratchet_high: float | None = None
    hardness: float | None = None
    target_shown: bool = False


def structural_causes(
    setting: Setting, *, money: Callable[[float], str], least_ratio: float = 0.05
) -> pd.DataFrame:
    """List what the compensation plan and the way of setting targets pay for a forecast that is not one's best guess.

    Parameters
    ----------
    money
        Writes an amount of minor units.
    least_ratio
        Ratchets and hardness below it are not listed; a ratchet is listed only if its interval lies above 0.

    Returns
    -------
    pd.DataFrame
        Columns cause (cliff, steeper, flatter, cap, ratchet, hard targets, target shown), where, size (minor units; missing
        where it is not money), ratio (missing where it is money), towards (low or high: where the forecast is drawn), text.

    Examples
    --------
    >>> plan = Setting(edges=(Edge(0.8, 0.6, 0.0, 1.0),), incentive=20_000_00)
    >>> structural_causes(plan, money=lambda value: f"{value / 100:,.0f}")["text"].tolist()
    ['Reaching 80 % of quota pays 12,000 at once; whoever sees that it will be missed gains by moving sales to the next period.']
    """
    rows = [row for edge in setting.edges for row in _of_edge(edge, setting.incentive, money)]
    rows += _of_targets(setting, least_ratio)
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"size": "float64", "ratio": "float64"})


_Row = tuple[str, str, float | None, float | None, str, str]


def _of_edge(edge: Edge, incentive: float | None, money: Callable[[float], str]) -> list[_Row]:
    at = f"{edge.attainment:.0%} of quota".replace("%", " %")
    rows: list[_Row] = []

    def pays(units: float) -> tuple[float | None, str]:
        if incentive is None:
            return None, f"{units:.2f} target incentives"
        return units * incentive, money(units * incentive)

    if edge.jump > 0:
        size, text = pays(edge.jump)
        told = "at once; whoever sees that it will be missed gains by moving sales to the next period."
        rows.append(("cliff", at, size, None, "low", f"Reaching {at} pays {text} {told}"))
    if edge.rate_above == 0 < edge.rate_below:
        size, text = pays(edge.rate_below * 0.01)
        told = f"pay nothing, where 1 % of quota had paid {text}; what lies beyond is worth more in the next period."
        rows.append(("cap", at, size, None, "low", f"Sales beyond {at} {told}"))
    elif edge.rate_below > 0 and edge.rate_above != edge.rate_below:
        size, text = pays(abs(edge.rate_above - edge.rate_below) * 0.01)
        steeper = edge.rate_above > edge.rate_below
        more = "more" if steeper else "less"
        why = "one strong and one weak period pay more than two even ones" if steeper else "the rest is worth more in the next period"  # fmt: skip
        told = f"From {at} on 1 % of quota pays {text} {more} than below; {why}."
        rows.append(("steeper" if steeper else "flatter", at, size, None, "low", told))
    return rows


def _of_targets(setting: Setting, least: float) -> list[_Row]:
    rows: list[_Row] = []
    ratchet = setting.ratchet
    if ratchet is not None and ratchet >= least and (setting.ratchet_low or 0.0) > 0:
        told = (
            f"1 % more sold than was asked raised the target of a year later by {ratchet:.2f} % "
            f"(90 % interval {setting.ratchet_low:.2f} to {setting.ratchet_high:.2f} %)."
        )
        rows.append(("ratchet", "targets", None, ratchet, "low", told))
    hardness = setting.hardness
    if hardness is not None and abs(hardness) >= least:
        side, towards = ("above", "high") if hardness > 0 else ("below", "low")
        told = f"Targets lie {abs(hardness) * 100:.0f} % {side} what history alone gives; a forecast near the target lies {side} too."
        rows.append(
            ("hard targets" if hardness > 0 else "easy targets", "targets", None, hardness, towards, told)
        )
    if setting.target_shown:
        told = "The form prints the target beside the empty cells; people then tend to forecast the target."
        rows.append(("target shown", "form", None, None, "high", told))
    return rows
