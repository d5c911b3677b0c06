"""Where truth-telling ends: limits, ratchets, sales held back, dislike of risk, rankings; each measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from spms_lib.errors import ParamsError
from spms_lib.incentives.truth.beliefs import Belief, Floats, belief_of
from spms_lib.incentives.truth.incentive import ForecastIncentive
from spms_lib.incentives.truth.schemes import Linear
from spms_lib.incentives.truth.verify import TOLERANCE, Value, best_report, expected_bonus, gains, value_of

_RANKS: Final = 8001  # points from which the losses of rivals are known
HELD_BACK: Final = "holding back"
RATCHET: Final = "ratchet"


@dataclass(frozen=True, slots=True)
class _Case:
    incentive: ForecastIncentive
    belief: Belief
    honest: Floats
    discount: float
    ratchet: float
    risk_aversion: float
    rivals: int


def warnings(
    incentive: ForecastIncentive,
    beliefs: Mapping[str, Any],
    *,
    discount: float = 0.95,
    ratchet: float = 0.0,
    risk_aversion: float = 0.0,
    rivals: int = 0,
) -> pd.DataFrame:
    """Measure how far each thing that breaks truth-telling would move what a seller says.

    Parameters
    ----------
    beliefs
        As in `verify_truthful`.
    discount
        What a bonus of the next period is worth today, 0 to 1.
    ratchet
        How much the next objective rises for each unit said now; 0 if the report does not feed it.
        The search is over both periods: today's bonus and the best one of the next period.
    risk_aversion
        Relative risk aversion at the expected bonus of honesty, 0 for none; exponential utility.
    rivals
        Number of others, with the same belief and honest, if the best forecast alone were to win a prize.

    Returns
    -------
    pd.DataFrame
        One row per belief, rule that applies and number said: belief, rule (`holding back`, `floor or
        cap`, `ratchet`, `risk aversion`, `ranking`), statistic, breaks, size, unit (`of the honest report`, negative
        for lower, infinite where nothing holds it; or bonus per unit of sales held back), what, remedy (empty where it
        holds).

    Raises
    ------
    ParamsError
        If the discount or the ratchet is not between 0 and 1, or another is negative.

    Examples
    --------
    >>> from scipy import stats
    >>> from spms_lib.incentives.truth.builders import weitzman
    >>> table = warnings(weitzman("0.7", 1, "1.3"), {"normal": stats.norm(100, 20)}, discount=0.9, ratchet=0.2)
    >>> table[["rule", "breaks", "size"]].round(3).values.tolist()
    [['holding back', True, 0.2], ['ratchet', True, -0.168]]
    """
    fine = 0 <= discount <= 1 and 0 <= ratchet <= 1 and risk_aversion >= 0 and rivals >= 0
    if not fine:
        raise ParamsError(
            f"discount {discount}, ratchet {ratchet}, risk_aversion {risk_aversion}, rivals {rivals}: out of range.",
            where="warnings",
            remedy="Use 0 to 1 for discount and ratchet, and 0 or more for the others.",
        )
    rows: list[tuple[object, ...]] = []
    for name, given in beliefs.items():
        belief = belief_of(given)
        honest = incentive.elicits.of(belief)
        case = _Case(incentive, belief, honest, discount, ratchet, risk_aversion, rivals)
        rows.append((name, HELD_BACK, *_held_back(case)))
        for rule, (applies, value, remedy) in _SHIFTS.items():
            if applies(case):
                rows += [
                    (name, rule, *row) for row in _shifted(case, value(case), remedy, nested=rule == RATCHET)
                ]
    return pd.DataFrame(
        rows, columns=["belief", "rule", "statistic", "breaks", "size", "unit", "what", "remedy"]
    )


def _shifted(case: _Case, value: Value, remedy: str, *, nested: bool) -> list[tuple[object, ...]]:
    """Find the report that pays best under a changed value, and say how far it is from honesty."""
    parts, (low, high) = case.incentive.elicits.parts, case.belief.reach
    best = best_report(value, case.belief, len(parts), points=33 if nested else 129)
    better = gains(value, best, case.honest)
    rows: list[tuple[object, ...]] = []
    for part, honest, said in zip(parts, case.honest, best, strict=True):
        breaks = bool(better and abs(said - honest) > TOLERANCE * case.belief.sd)
        size = (said - honest) / abs(honest) if better and honest else np.nan if better else 0.0
        what = f"Saying {said:,.6g} pays best where {honest:,.6g} is believed."
        if better and min(said - low, high - said) < 1e-4 * (high - low) and part != "sd":
            size = np.inf if said > honest else -np.inf
            what = f"The {'higher' if said > honest else 'lower'} the report, the better: nothing holds it."
        what = what if breaks else "Honesty still pays best."
        rows.append((part, breaks, size, "of the honest report", what, remedy if breaks else ""))
    return rows


def _limited(case: _Case) -> Value:
    return expected_bonus(case.incentive, case.belief)


def _over_two_periods(case: _Case) -> Value:
    """Today's bonus, and the best one of a next period whose objective today's report has moved."""
    earned = expected_bonus(case.incentive, case.belief)
    numbers = len(case.honest)
    start = case.honest[0] if case.incentive.objective is None else float(case.incentive.objective)

    def value(reports: Floats) -> Floats:
        later = []
        for said in reports.reshape(len(reports), -1)[:, 0]:
            following = case.incentive.raised(case.ratchet * (said - start))
            then = expected_bonus(following, case.belief)
            later.append(value_of(then, best_report(then, case.belief, numbers, points=33)))
        return earned(reports) + case.discount * np.array(later)

    return value


def _averse(case: _Case) -> Value:
    """Give the expected exponential utility of the bonus."""
    scale = abs(value_of(expected_bonus(case.incentive, case.belief), case.honest)) or 1.0
    rate = case.risk_aversion / scale

    def utility(said: Floats, came: Floats) -> Floats:
        return np.asarray(-np.expm1(-rate * case.incentive.bonus(said, came)) / rate)

    return lambda reports: case.belief.expect(utility, reports, case.incentive.breaks(reports))


def _ranked(case: _Case) -> Value:
    """Chance that no honest rival, with luck of their own, is nearer."""
    chances = (np.arange(_RANKS) + 0.5) / _RANKS
    theirs = np.sort(case.incentive.loss(case.honest, case.belief.quantile(chances)))

    def wins(said: Floats, came: Floats) -> Floats:
        own = case.incentive.loss(said, came)
        if case.belief.law is None:  # rivals as near as oneself count half
            worse = 1 - (np.searchsorted(theirs, own) + np.searchsorted(theirs, own, side="right")) / (
                2 * _RANKS
            )
        else:
            worse = 1 - np.interp(own, theirs, chances)
        return np.asarray(worse**case.rivals)

    return lambda reports: case.belief.expect(wins, reports, case.incentive.breaks(reports))


def _held_back(case: _Case) -> tuple[object, ...]:
    """Compare what one more unit pays once sales are above the forecast with what it would pay next period."""
    incentive, belief, step = case.incentive, case.belief, case.belief.sd * 1e-6
    said = case.honest if len(case.honest) == 1 else case.honest[None]
    high = np.array([belief.quantile(max(0.9, (1 + float(incentive.elicits.tau or 0)) / 2))])
    now = float((incentive.bonus(said, high + step) - incentive.bonus(said, high))[0]) / step

    def marginal(report: Floats, came: Floats) -> Floats:
        return np.asarray((incentive.bonus(report, came + step) - incentive.bonus(report, came)) / step)

    later = float(belief.expect(marginal, said, incentive.breaks(said))[0])
    scale = max(abs(now), abs(later)) or 1.0
    now, later = (round(rate / scale, 6) * scale for rate in (now, later))  # steps are not exact
    gain = case.discount * later - now
    breaks = gain > 1e-6 * scale
    what = f"Above the forecast a unit pays {now:.4g} now, and {case.discount:g} x {later:.4g} if kept for the next period."
    remedy = _keep_selling(incentive, now, case.discount) if breaks else ""
    return ("sales", bool(breaks), gain, "bonus per unit held back", what, remedy)


def _keep_selling(incentive: ForecastIncentive, now: float, discount: float) -> str:
    if now < 0:
        return f"Pay sales at least {-now:.4g} a unit by another part of the plan."
    if now > 0 and isinstance(incentive, Linear):
        wide = float(incentive.gamma - incentive.alpha)
        least = (1 - discount) * float(incentive.beta) / float(incentive.elicits.tau or 1)
        return f"Narrow the spread (gamma - alpha) from {wide:.4g} to {least:.4g}; let forecasts change until a cut-off."
    return "Lift the cap, or pay above it nearly what is paid below."


_SHIFTS: dict[str, tuple[Callable[[_Case], bool], Callable[[_Case], Value], str]] = {
    "floor or cap": (
        lambda case: case.incentive.floor is not None or case.incentive.cap is not None,
        _limited,
        "Move the limit to where it is hardly ever met, or raise the base by as much.",
    ),
    RATCHET: (
        lambda case: case.ratchet > 0 and case.incentive.raised(1.0) != case.incentive,
        _over_two_periods,
        "Never set the next objective by formula from the report; use actuals and the market.",
    ),
    "risk aversion": (
        lambda case: case.risk_aversion > 0,
        _averse,
        "Keep this part small beside other pay, or pay it on the average of several periods.",
    ),
    "ranking": (
        lambda case: case.rivals > 0,
        _ranked,
        "Pay each forecast by its own score; a prize for the best one asks for something else.",
    ),
}
