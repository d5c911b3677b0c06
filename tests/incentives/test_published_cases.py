"""Cases that plan documents and vendors printed, where they are one incremental tier curve."""

import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from spms_lib.errors import PlanError
from spms_lib.incentives.payout import marginal_rate, payout_ratio, payouts
from spms_lib.incentives.old_plan import CompensationPlan, exact, plan_from_dict

FINE = 10**8  # minor units per unit, so that rounding stays far below every tolerance


def cases_file() -> Path:
    beside = Path(__file__).resolve().parents[3] / "shared"
    return Path(os.environ.get("SPMS_SHARED", beside)) / "examples" / "compensation-cases.yaml"


def all_cases() -> dict[str, dict[str, Any]]:
    path = cases_file()
    if not path.exists():
        return {}
    return {case["id"]: case for case in yaml.safe_load(path.read_text(encoding="utf-8"))["cases"]}


CASES = all_cases()
ABSENT = "the worked compensation cases are not here: set SPMS_SHARED to the folder that has examples/"
needs_cases = pytest.mark.skipif(not CASES, reason=ABSENT)


def of_calc(*calcs: str) -> list[Any]:
    found = [
        name
        for name, case in CASES.items()
        if case["calc"] in calcs
        and case["plan"].get("mode", "incremental") == "incremental"
        and all(len(row) == 3 for row in case["plan"]["tiers"])
    ]
    return found or [pytest.param("", marks=pytest.mark.skip(reason=ABSENT))]


def curve(case: dict[str, Any]) -> tuple[CompensationPlan, int]:
    """Write a table of money (or of attainment, where `ratio` is set) as a plan on attainment.

    The quota that turns money into attainment is also the target incentive, so the payout
    comes out in the table's own unit.
    """
    rows = case["plan"]["tiers"]
    ratio = case["plan"].get("ratio", False)
    quota = int(case["plan"].get("quota", 1000))
    per = 1 if ratio else quota
    tiers = [[exact(start) / per, rate] for start, _, rate in rows]
    plan = plan_from_dict(
        {
            "name": case["id"],
            "currency": "USD",
            "tie": case["plan"].get("tie", "upper"),
            "effective_from": "2026-01-01",
            "tiers": tiers,
        }
    )
    return plan, quota


def paid(plan: CompensationPlan, quota: int, amounts: list[float]) -> pd.DataFrame:
    fine = [int(exact(float(amount)) * FINE) for amount in amounts]
    frame = pd.DataFrame({"node": [str(row) for row in range(len(fine))], "actual": fine})
    return payouts(plan, frame.assign(quota=quota * FINE, target_incentive=quota * FINE))


def units(values: pd.Series) -> list[float]:
    return [float(Fraction(int(value), FINE)) for value in values]


@needs_cases
@pytest.mark.parametrize("name", of_calc("tiers", "tiers_compare"))
def test_single_amounts(name: str) -> None:
    case = CASES[name]
    result = paid(*curve(case), case["inputs"]["x"])
    expected = case["expected"].get("payouts", case["expected"].get("incremental"))
    tolerance = case.get("tol", 0) + 1e-7
    assert units(result["payout"]) == pytest.approx(expected, abs=tolerance)
    for row, parts in enumerate(case["expected"].get("parts", [])):
        seen = units(result.filter(regex=r"^tier_\d").iloc[row])
        assert seen == pytest.approx(parts, abs=tolerance)


@needs_cases
@pytest.mark.parametrize("name", of_calc("txn_tiers"))
def test_transactions_alone_or_as_differences_of_running_totals(name: str) -> None:
    case = CASES[name]
    amounts = case["inputs"]["amounts"]
    running = case["plan"]["accumulate"] == "running"
    result = paid(*curve(case), np.cumsum([0, *amounts]).tolist() if running else amounts)
    seen = units(result["payout"].diff().iloc[1:] if running else result["payout"])
    assert seen == pytest.approx(case["expected"]["payouts"], abs=case["tol"] + 1e-7)
    assert sum(seen) == pytest.approx(case["expected"]["total"], abs=case["tol"] + 1e-6)


@needs_cases
def test_a_curve_with_a_dead_zone_an_accelerator_and_a_cap() -> None:
    case = CASES["C01-bonuspaycalc-curve"]
    (zero, _), (full, _) = case["plan"]["anchors"]
    plan = plan_from_dict(
        {
            "name": case["id"],
            "currency": "USD",
            "tie": "upper",
            "effective_from": "2026-01-01",
            "tiers": [[0, 0], [zero, 1 / (exact(full) - exact(zero))], [full, case["plan"]["above_slope"]]],
            "cap": case["plan"]["cap"],
        }
    )
    seen = [
        payout_ratio(plan, exact(float(at))) * case["plan"]["target"] for at in case["inputs"]["attainment"]
    ]
    assert [float(value) for value in seen] == case["expected"]["payouts"]


@needs_cases
def test_a_soft_cap_halves_the_rate_above_twice_the_quota() -> None:
    case = CASES["D11-soft-cap-decelerator"]
    base, factor = exact(case["plan"]["base_rate"]), exact(case["plan"]["decelerator"])
    plan = plan_from_dict(
        {
            "name": case["id"],
            "currency": "USD",
            "tie": "upper",
            "effective_from": "2026-01-01",
            "tiers": [[0, base], [case["plan"]["above"], base * factor]],
        }
    )
    seen = [float(marginal_rate(plan, exact(at))) for at in case["inputs"]["attainment"]]
    assert seen == pytest.approx(case["expected"]["rates"], abs=case["tol"])


@needs_cases
def test_a_manager_paid_on_the_team_and_on_each_seat() -> None:
    case = CASES["G07-manager-collective-vs-individual"]
    rows = [[start, rate] for start, _, rate in case["plan"]["tiers"]]
    plan = plan_from_dict(
        {"name": "m", "currency": "USD", "tie": "upper", "effective_from": "2026-01-01", "tiers": rows}
    )
    quota, actual = case["inputs"]["quota"], case["inputs"]["actual"]
    team = payout_ratio(plan, Fraction(sum(actual), sum(quota))) * sum(quota)
    seats = sum(payout_ratio(plan, Fraction(a, q)) * q for a, q in zip(actual, quota, strict=True))
    assert (team, seats) == (case["expected"]["collective"], case["expected"]["individual_sum"])


@needs_cases
@pytest.mark.parametrize("name", ["K03-normal-accelerator-cost", "K05-threshold-cap-curve-normal"])
def test_the_payout_at_the_mean_attainment(name: str) -> None:
    case = CASES[name]
    rows = list(zip(case["plan"]["knots"], case["plan"]["slopes"], strict=True))
    plan = plan_from_dict(
        {
            "name": "k",
            "currency": "USD",
            "tie": "upper",
            "effective_from": "2026-01-01",
            "tiers": [list(row) for row in rows],
        }
    )
    at_mean = float(payout_ratio(plan, exact(case["inputs"]["mu"])))
    assert at_mean == pytest.approx(case["expected"]["at_mean"], abs=case["tol"])


@needs_cases
def test_a_table_that_does_not_start_at_zero_is_refused() -> None:
    """A29: the source's own test expects an inverted section to be an error."""
    rows = [[start, rate] for start, _, rate in CASES["A29-oca-wrong-section"]["plan"]["tiers"]]
    with pytest.raises(PlanError, match="first tier"):
        plan_from_dict(
            {"name": "w", "currency": "EUR", "tie": "upper", "effective_from": "2026-01-01", "tiers": rows}
        )


@needs_cases
def test_enough_cases_are_compared() -> None:
    assert len(of_calc("tiers", "tiers_compare")) >= 9
    assert len(of_calc("txn_tiers")) >= 4
