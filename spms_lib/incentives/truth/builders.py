"""The forecast incentives that a plan can name, built from their parameters."""

from decimal import Decimal
from fractions import Fraction

from spms_lib.errors import PlanError
from spms_lib.incentives.truth.incentive import ForecastIncentive
from spms_lib.incentives.truth.schemes import Linear, Menu, Score
from spms_lib.incentives.truth.statistic import WHERE, Statistic, exact, statistic

Number = str | int | float | Decimal | Fraction


def weitzman(alpha: Number, beta: Number, gamma: Number, *, base: Number = 0) -> Linear:
    """Pay beta for each unit forecast, alpha for each sold above it; each unit short costs gamma.

    Asks for the quantile (beta - alpha) / (gamma - alpha).

    Parameters
    ----------
    base
        Bonus at a forecast of zero; `-beta y0` for a tentative target of y0.

    Raises
    ------
    PlanError
        Unless 0 < alpha < beta < gamma.

    References
    ----------
    Weitzman (1976), The new Soviet incentive model.

    Examples
    --------
    >>> weitzman(70, 100, 150).bonus([20, 24], [22, 22]).tolist()
    [2140.0, 2100.0]
    >>> weitzman("0.7", 1, "1.3").elicits.name
    'median'
    """
    low, middle, high = exact(alpha, "alpha"), exact(beta, "beta"), exact(gamma, "gamma")
    refuse_unless(
        0 < low < middle < high,
        f"alpha {alpha}, beta {beta}, gamma {gamma} are out of order.",
        "Use 0 < alpha < beta < gamma: else a low or a boundless forecast pays best, whatever is believed.",
    )
    return Linear(scheme="weitzman", alpha=low, beta=middle, gamma=high, base=exact(base, "base"))


def weitzman_design(*, beta: Number, tau: Number, spread: Number, base: Number = 0) -> Linear:
    """Design a Weitzman incentive for a quantile: alpha = beta - tau spread, gamma = beta + (1 - tau) spread.

    Parameters
    ----------
    spread
        gamma - alpha: how much a wrong forecast costs. Small ones leave little reason to hold sales back.

    Raises
    ------
    PlanError
        If tau is not inside 0 to 1, or the spread is not inside 0 to beta / tau.

    Examples
    --------
    >>> commit = weitzman_design(beta=1, tau="0.2", spread="0.6")
    >>> float(commit.alpha), float(commit.gamma), commit.elicits.name
    (0.88, 1.48, 'commit_80')
    """
    rate, chance, wide = exact(beta, "beta"), exact(tau, "tau"), exact(spread, "spread")
    refuse_unless(0 < chance < 1, f"tau is {tau}.", "Use a chance between 0 and 1.")
    refuse_unless(
        wide > 0 and wide * chance < rate,
        f"A spread of {spread} at tau {float(chance):g} leaves alpha at {float(rate - chance * wide):g}.",
        f"Use a spread above 0 and below beta / tau = {float(rate / chance):g}.",
    )
    return weitzman(rate - chance * wide, rate, rate + (1 - chance) * wide, base=base)


def gonik(objective: Number, *, standard: Number = 100) -> Linear:
    """Pay by objective, forecast and actual, as IBM Brazil did: 60 (A + F) / O, or 60 (3 A - F) / O if A < F.

    It is the Weitzman incentive (60, 120, 180) per objective and asks for the median.

    Parameters
    ----------
    standard
        Bonus that 100 stands for; A = F = O pays 120 % of it.

    References
    ----------
    Gonik (1978), Tie salesmen's bonuses to their forecasts. The formula is as commonly cited.

    Examples
    --------
    >>> gonik(100).bonus([100, 50, 150], 100).tolist()
    [120.0, 90.0, 90.0]
    """
    goal, full = exact(objective, "objective"), exact(standard, "standard")
    refuse_unless(goal > 0 and full > 0, "Objective or standard is not positive.", "Use amounts above 0.")
    alpha, beta, gamma = (full * Fraction(percent, 100) for percent in (60, 120, 180))
    return Linear(scheme="gonik", alpha=alpha, beta=beta, gamma=gamma, objective=goal)


def convex_menu(objective: Number, *, rate: Number, spread: Number, base: Number = 0) -> Menu:
    """Let sellers choose their rate by their forecast: rate + spread forecast / objective, on a base that falls.

    Asks for the mean.

    Examples
    --------
    >>> menu = convex_menu(100, rate=1, spread=2)
    >>> menu.bonus([80, 100, 120], 100).tolist()
    [196.0, 200.0, 196.0]
    """
    goal, steep, start = exact(objective, "objective"), exact(spread, "spread"), exact(rate, "rate")
    refuse_unless(
        goal > 0 and steep > 0 and start >= 0,
        f"Objective {objective}, spread {spread}, rate {rate}: the menu is not convex and rising.",
        "Use an objective and a spread above 0, and a rate of 0 or more.",
    )
    return Menu(scheme="convex_menu", rate=start, spread=steep, base=exact(base, "base"), objective=goal)


def scoring_rule(asked: str | Statistic, *, amount: Number, rate: Number) -> ForecastIncentive:
    """Pay a fixed amount less a rate times the score: pinball for a quantile, CRPS for a distribution.

    It pays nothing for sales, so it belongs beside a plan that does.

    Parameters
    ----------
    asked
        The statistic: `median`, `commit_80`, ..., or `distribution`.
    rate
        What a unit of score costs.

    Examples
    --------
    >>> scoring_rule("commit_80", amount=50, rate=1).bonus(100, [90, 100, 110]).tolist()
    [42.0, 50.0, 48.0]
    >>> scoring_rule("distribution", amount=50, rate=1).bonus([100, 20], 100).round(2).tolist()
    45.33
    """
    wanted = statistic(asked) if isinstance(asked, str) else asked
    fixed, cost = exact(amount, "amount"), exact(rate, "rate")
    refuse_unless(cost > 0, f"The rate is {rate}.", "A worse score must cost pay: use more than 0.")
    if wanted.tau is not None:
        low, high = -cost * wanted.tau, cost * (1 - wanted.tau)
        return Linear(scheme="scoring_rule", alpha=low, beta=Fraction(0), gamma=high, base=fixed)
    refuse_unless(
        len(wanted.parts) == 2, f"There is no score for '{wanted.name}'.", "Use convex_menu for the mean."
    )
    return Score(scheme="scoring_rule", amount=fixed, rate=cost)


def known_schemes(objective: Number, *, rate: Number = 1) -> dict[str, ForecastIncentive]:
    """Give the schemes of the literature side by side, on one scale, for a table or a figure.

    Parameters
    ----------
    objective
        About what is expected to be sold.
    rate
        Bonus per unit of sales at the objective; all other rates are in proportion.

    Examples
    --------
    >>> {name: one.elicits.name for name, one in known_schemes(100).items()}["Gonik (IBM Brazil)"]
    'median'
    """
    unit, goal = exact(rate, "rate"), exact(objective, "objective")
    part = goal * unit / 10
    return {
        "Weitzman, 30 % either side": weitzman(unit * 7 / 10, unit, unit * 13 / 10),
        "Weitzman, 70 : 100 : 150": weitzman(unit * 7 / 10, unit, unit * 3 / 2),
        "Weitzman, 80 % commit": weitzman_design(beta=unit, tau=Fraction(1, 5), spread=unit * 3 / 5),
        "Gonik (IBM Brazil)": gonik(goal, standard=goal * unit * 5 / 6),
        "Convex menu": convex_menu(goal, rate=unit * 7 / 10, spread=unit * 3 / 10),
        "Pinball score, 80 % commit": scoring_rule("commit_80", amount=part, rate=unit * 3 / 5),
        "CRPS score": scoring_rule("distribution", amount=part, rate=unit * 3 / 5),
    }


def refuse_unless(fine: bool, what: str, remedy: str) -> None:
    """Refuse parameters of a forecast incentive."""
    if not fine:
        raise PlanError(what, where=WHERE, remedy=remedy)
