import datetime as dt
from decimal import Decimal
from fractions import Fraction

import pytest

from spms_lib.errors import PlanError
from spms_lib.incentives.old_plan import CompensationPlan, Tier, exact, plan_from_dict

CLAUSES = {
    "name": "AE 2026",
    "currency": "EUR",
    "tie": "upper",
    "effective_from": dt.date(2026, 1, 1),
    "tiers": [{"start": 0, "rate": 1}, {"start": 1, "rate": 1.5}],
}


def changed(**clauses: object) -> dict[str, object]:
    return {**CLAUSES, **clauses}


def test_a_plan_is_read_into_exact_fractions() -> None:
    plan = plan_from_dict(changed(threshold="40 %", cap=Decimal("2.5"), pay_share="1/4"))
    assert plan == CompensationPlan(
        name="AE 2026",
        currency="EUR",
        tiers=(Tier(Fraction(0), Fraction(1)), Tier(Fraction(1), Fraction(3, 2))),
        tie="upper",
        effective_from=dt.date(2026, 1, 1),
        threshold=Fraction(2, 5),
        cap=Fraction(5, 2),
        pay_share=Fraction(1, 4),
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [(0.1, Fraction(1, 10)), ("0.1", Fraction(1, 10)), ("10 %", Fraction(1, 10)), (2, Fraction(2))],
)
def test_a_number_counts_as_what_was_written(written: object, meant: Fraction) -> None:
    assert exact(written) == meant


@pytest.mark.parametrize("wrong", ["ten", "1/0", True, None, float("nan"), float("inf"), [1]])
def test_what_is_no_number_is_refused(wrong: object) -> None:
    with pytest.raises(PlanError, match="is not a number"):
        exact(wrong)


@pytest.mark.parametrize(
    ("clauses", "message"),
    [
        ({"tiers": [[5, "0.2"]]}, "first tier starts at 5"),
        ({"tiers": []}, "tiers is not stated|no tier"),
        ({"tiers": [[0, 1], [1, 2], [1, 3]]}, "does not rise"),
        ({"tiers": [[0, 1], [2, 2], [1, 3]]}, "does not rise"),
        ({"tiers": [[0, 1], [1, -1]]}, "one is negative"),
        ({"tiers": [[0, 1, 2]]}, "is not a tier"),
        ({"tiers": "0: 1"}, "not a list"),
        ({"tie": "higher"}, "'upper' or the 'lower'"),
        ({"tie": None}, "tie is not stated"),
        ({"currency": ""}, "currency is not stated"),
        ({"name": "  "}, "no name"),
        ({"cap": 0}, "cap is not positive"),
        ({"threshold": -1}, "threshold is negative"),
        ({"pay_share": 0}, "Pay share"),
        ({"pay_share": 4}, "Pay share"),
        ({"effective_from": "January"}, "'January' is not a day"),
        ({"treshold": "0.5"}, "Did you mean 'threshold'"),
        ({"tiers": [{"start": 0, "rate": 1}, {"strat": 1, "rate": 2}]}, "Did you mean 'start'"),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(clauses: dict[str, object], message: str) -> None:
    with pytest.raises(PlanError, match=message):
        plan_from_dict(changed(**clauses))


def test_a_refusal_names_the_plan_and_the_tier() -> None:
    with pytest.raises(PlanError, match=r"plan 'AE 2026', tier 2, rate: 'fast' is not a number"):
        plan_from_dict(changed(tiers=[[0, 1], [1, "fast"]]))
