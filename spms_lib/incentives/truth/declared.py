"""The forecast incentive that a plan declares, held to the statistic that it says it asks for."""

import dataclasses
import difflib
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Final

from spms_lib.incentives.truth.builders import (
    convex_menu,
    gonik,
    refuse_unless,
    scoring_rule,
    weitzman,
    weitzman_design,
)
from spms_lib.incentives.truth.incentive import ForecastIncentive
from spms_lib.incentives.truth.statistic import Statistic, exact, statistic
from spms_lib.money import minor_per_unit

_MONEY: Final = ("base", "standard", "amount", "objective", "floor", "cap")  # in currency units in a plan


def incentive_from_dict(data: Mapping[str, object], *, currency: str | None = None) -> ForecastIncentive:
    """Read the forecast incentive that a plan declares, and hold it to the statistic it claims to ask for.

    Parameters
    ----------
    data
        `scheme` and `statistic`, and by scheme: weitzman (`beta`, `spread`, or `alpha`, `beta`, `gamma`;
        `base`), gonik (`standard`, `objective`), convex_menu (`objective`, `rate`, `spread`, `base`),
        scoring_rule (`amount`, `rate`). `objective` may be left out where each payee has one. Also `floor`,
        `cap`, `budget_share`. Rates may be text (`"12.5 %"`).
    currency
        Of the amounts (base, standard, amount, objective, floor, cap), which are in currency units in a plan
        and become minor units; None leaves them as they are.

    Raises
    ------
    PlanError
        If a name is unknown or missing, parameters are out of order, or the scheme elicits
        another statistic than the plan declares.

    Examples
    --------
    >>> incentive_from_dict({"scheme": "weitzman", "statistic": "commit_80", "beta": 1, "spread": 0.6}).elicits.name
    'commit_80'
    """
    scheme, declared = str(data.get("scheme")), statistic(str(data.get("statistic")))
    per_unit = 1 if currency is None else minor_per_unit(currency)
    numbers = {
        str(name): exact(value, str(name)) * (per_unit if name in _MONEY else 1)
        for name, value in data.items()
        if name not in {"scheme", "statistic"} and value is not None
    }
    floor, cap, share = (numbers.pop(name, None) for name in ("floor", "cap", "budget_share"))
    refuse_unless(
        share is None or 0 < share <= 1, f"budget_share is {share}.", "Use more than 0 and at most 1 (100 %)."
    )
    build = _builder(scheme, declared, numbers)
    incentive = build(**numbers).with_limits(floor=floor, cap=cap)
    elicited = incentive.elicits
    refuse_unless(
        elicited == declared,
        f"The plan declares the statistic '{declared.name}', but scheme '{scheme}' with these numbers "
        f"elicits '{elicited.name}'.",
        f"Declare '{elicited.name}', or choose a scheme that elicits '{declared.name}'"
        + (" (weitzman by beta and spread)." if declared.tau is not None else "."),
    )
    return dataclasses.replace(incentive, budget_share=share)


def _builder(
    scheme: str, declared: Statistic, numbers: Mapping[str, Fraction]
) -> Callable[..., ForecastIncentive]:
    """Choose the builder and refuse parameters that it does not know or lacks."""

    def by_spread(beta: Fraction, spread: Fraction, base: Fraction = Fraction(0)) -> ForecastIncentive:
        # a statistic without tau is refused by the comparison that follows: any tau will do
        return weitzman_design(beta=beta, tau=declared.tau or Fraction(1, 2), spread=spread, base=base)

    def score(amount: Fraction, rate: Fraction) -> ForecastIncentive:
        return scoring_rule(declared, amount=amount, rate=rate)

    def per_payee(build: Callable[..., ForecastIncentive]) -> Callable[..., ForecastIncentive]:
        return lambda objective=Fraction(1), **others: build(objective, **others)

    known: dict[str, tuple[Callable[..., ForecastIncentive], str, str]] = {
        "weitzman": (weitzman, "alpha beta gamma", "base"),
        "gonik": (per_payee(gonik), "standard", "objective"),
        "convex_menu": (per_payee(convex_menu), "rate spread", "objective base"),
        "scoring_rule": (score, "amount rate", ""),
    }
    refuse_unless(scheme in known, f"'{scheme}' is not a scheme.", f"Known: {', '.join(known)}.")
    build, needed, further = known[scheme]
    if scheme == "weitzman" and "spread" in numbers:
        build, needed = by_spread, "beta spread"
    for name in numbers:
        near = difflib.get_close_matches(
            name, f"{needed} {further} spread floor cap budget_share".split(), n=1
        )
        hint = f"Did you mean '{near[0]}'?" if near else f"It takes {needed} {further}".rstrip() + "."
        refuse_unless(name in f"{needed} {further}".split(), f"Scheme '{scheme}' has no '{name}'.", hint)
    lacking = [name for name in needed.split() if name not in numbers]
    refuse_unless(not lacking, f"Scheme '{scheme}' lacks {', '.join(lacking)}.", "State it in the plan.")
    return build
