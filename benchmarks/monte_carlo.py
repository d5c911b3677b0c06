"""A plan simulated for a whole company: payee-draws per second, beside a plain loop over payees and a copy of the draws."""

from fractions import Fraction

import numpy as np
import pandas as pd

from benchmarks.measure import Row, measure
from spms_lib.incentives.engine.curve import compile_curve
from spms_lib.incentives.plan.model import CompensationPlan
from spms_lib.incentives.plan.read import plan_from_dict
from spms_lib.incentives.simulation.closed import capped, expected_pay
from spms_lib.incentives.simulation.simulate import Simulation, simulate, simulate_all

PAYEES, DRAWS, SEED = 100_000, 1_000, 7
LOOP = 2_000  # payees of the plain loop; its time is scaled to all of them
CAP = "2.5"


def rows(payees: int = PAYEES) -> list[Row]:
    beliefs, plan, straight = (
        team(payees),
        tiers("accelerated", ACCELERATED),
        tiers("straight", [[0, None, 1]]),
    )
    case = f"{payees:,} payees x {DRAWS:,} draws"
    draws = np.random.default_rng(SEED).random((payees, DRAWS))
    out = np.empty_like(draws)
    floor = Row(
        case, "copy of the draws in memory", measure(lambda: np.copyto(out, draws), 5), 5, note="yardstick"
    )
    few = beliefs.head(LOOP)
    looped = measure(lambda: plain_loop(plan, few), 3) * payees / LOOP
    loop = Row(
        case, "plain loop over payees", looped, 3, looped / floor.seconds, "copy", speed(payees, looped)
    )
    found: list[Simulation] = []
    one = measure(lambda: found.append(simulate(plan, beliefs, draws=DRAWS, seed=SEED)), 1)
    two = measure(lambda: simulate_all({"a": plan, "b": straight}, beliefs, draws=DRAWS, seed=SEED), 1)
    lines = [floor, loop]
    for what, seconds, times in (
        ("simulate one plan", one, 1),
        ("simulate two plans on the same draws", two, 2),
    ):
        lines.append(
            Row(case, what, seconds, 1, seconds / floor.seconds, "copy", speed(payees * times, seconds))
        )
        lines.append(Row(case, what, seconds, 1, seconds / (looped * times), "plain loop", "same work"))
    exact = expected_pay(plan, beliefs)["expected"].sum()
    gap = found[0].payees["expected"].sum() / exact - 1
    closed = measure(lambda: expected_pay(plan, beliefs), 3)
    note = f"expected cost of the simulation is {gap:+.4%} off"
    return [*lines, Row(case, "closed form, no draws", closed, 3, closed / one, "simulate one plan", note)]


def copied(payees: int) -> float:
    draws = np.random.default_rng(SEED).random((payees, DRAWS))
    out = np.empty_like(draws)
    return measure(lambda: np.copyto(out, draws), 5)


ACCELERATED = [[0, "0.9", "0.8"], ["0.9", 1, "2.8"], [1, "1.2", "1.5"], ["1.2", None, 2]]


def tiers(name: str, rows: list[list[object]]) -> CompensationPlan:
    component = {
        "component": "sales",
        "measure": "sold",
        "interval": "quarter",
        "weight": 1,
        "unit": "attainment",
        "pays": "target_incentive",
        "tie": "upper",
        "threshold": "0.5",
        "tiers": rows,
        "cap": {"value": CAP, "of": "target_incentive"},
    }
    head = {
        "plan": name,
        "currency": "EUR",
        "effective_from": "2026-01-01",
        "measures": {"sold": {"value": "amount"}},
    }
    return plan_from_dict({**head, "components": [component]})


def team(payees: int) -> pd.DataFrame:
    rng = np.random.default_rng(SEED)
    mean = rng.lognormal(14, 0.5, payees)
    return pd.DataFrame(
        {
            "payee": [f"p{number:06d}" for number in range(payees)],
            "component": "sales",
            "mean": mean,
            "sd": mean * 0.25,
            "quota": mean * rng.normal(1.0, 0.1, payees),
            "target_incentive": 2_000_000.0,
            "territory": [f"t{number // 20}" for number in range(payees)],
        }
    )


def plain_loop(plan: CompensationPlan, beliefs: pd.DataFrame) -> np.ndarray:
    """What an analyst would write: payee by payee, the same draws, curve, cap and percentiles, with numpy."""
    rng, cost = np.random.default_rng(SEED), np.zeros(DRAWS)
    curve = plan.components["sales"].curve
    assert curve is not None
    bands = capped(compile_curve(curve), Fraction(CAP))
    starts = np.array([float(band.start or 0) for band in bands.bands])
    values, slopes = (
        np.array([float(getattr(band, name)) for band in bands.bands]) for name in ("value", "slope")
    )
    market, territory = rng.standard_normal(DRAWS), {}
    for row in beliefs.itertuples():
        if row.territory not in territory:
            territory[row.territory] = rng.standard_normal(DRAWS)
        steps = (
            0.2**0.5 * market + 0.1**0.5 * territory[row.territory] + 0.7**0.5 * rng.standard_normal(DRAWS)
        )
        attained = (row.mean + row.sd * steps) / row.quota
        band = np.searchsorted(starts[1:], attained, side="right")
        paid = row.target_incentive * (values[band] + slopes[band] * (attained - starts[band]))
        cost += paid
        np.quantile(paid, (0.1, 0.5, 0.9)), paid.mean(), paid.std(), (attained >= 1).mean(), attained.mean()
    return cost


def speed(evaluations: int, seconds: float) -> str:
    return f"{evaluations * DRAWS / seconds / 1e6:,.1f} million payee-draws a second"
