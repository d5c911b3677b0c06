"""Ten million transactions of a hundred thousand payees paid by five components, exactly, and peers of it.

The year is run cold, then two territory reorganisations take effect back to its start: each is a run of
its own, whose differences are posted as adjustments. Amounts are whole cents throughout.
"""

import resource
from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.measure import Row, measure
from spms_lib.incentives.engine.run import Run, pay_run
from spms_lib.incentives.plan.model import CompensationPlan
from spms_lib.incentives.plan.read import plan_from_dict

PERIODS = [f"2026-{month:02d}" for month in range(1, 13)]
PRODUCTS = ["licence", "service", "renewal", "hardware"]


def rows(sizes: tuple[tuple[int, int], ...] = ((10_000_000, 100_000),)) -> list[Row]:
    return [row for size in sizes for row in one_size(*size)]


def one_size(transactions: int, payees: int) -> list[Row]:
    case = f"{transactions:,} transactions, {payees:,} payees, 5 components, 12 months"
    credits, targets = company(transactions, payees)
    found: list[Row] = []

    def add(what: str, call: Callable[[], object], repeat: int, against: Row | None = None, note: str = "") -> Row:
        seconds = measure(call, repeat)
        ratio = None if against is None else seconds / against.seconds
        found.append(Row(case, what, seconds, repeat, ratio, against.what if against else "", note))
        return found[-1]

    floor = add("sum amounts by payee and month (bincount)", lambda: floor_of(credits), 3, note="floor")
    plan = the_plan()
    kept: list[Run] = []
    add("pay_run, cold", lambda: kept.append(run(plan, credits, targets)), 1, floor)
    return found


def run(plan: CompensationPlan, credits: pd.DataFrame, targets: pd.DataFrame) -> Run:
    return pay_run(plan, credits, targets, periods=PERIODS)


def floor_of(credits: pd.DataFrame) -> np.ndarray:
    month = (credits["date"].to_numpy().astype("datetime64[M]").astype(int)) % 12
    return np.bincount(credits["payee"].cat.codes.to_numpy().astype(np.int64) * 12 + month, weights=credits["amount"])


def company(transactions: int, payees: int, seed: int = 11) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Credits with one reversal in a hundred, and targets of every payee, component and month."""
    rng = np.random.default_rng(seed)
    names = [f"p{number:06d}" for number in range(payees)]
    amount = rng.lognormal(10, 1.2, transactions).astype(np.int64)
    back = rng.random(transactions) < 0.01
    credits = pd.DataFrame(
        {
            "credit": np.arange(transactions),
            "payee": pd.Categorical.from_codes(rng.integers(0, payees, transactions), categories=names),
            "date": np.datetime64("2026-01-01") + rng.integers(0, 365, transactions).astype("timedelta64[D]"),
            "product": pd.Categorical.from_codes(
                rng.integers(0, len(PRODUCTS), transactions).astype(np.int8), categories=PRODUCTS
            ),
            "amount": np.where(back, -amount, amount),
            "margin": (np.where(back, -amount, amount) * 0.3).astype(np.int64),
            "units": np.where(back, -1, 1),
        }
    )
    per_month = transactions / payees / 12 * float(np.exp(10 + 1.2**2 / 2))
    components = list(the_plan().components)
    size = payees * len(components) * 12
    targets = pd.DataFrame(
        {
            "payee": pd.Categorical.from_codes(np.repeat(np.arange(payees), len(components) * 12), categories=names),
            "component": pd.Categorical.from_codes(
                np.tile(np.repeat(np.arange(len(components)), 12), payees), categories=components
            ),
            "period": pd.Categorical.from_codes(np.tile(np.arange(12), payees * len(components)), categories=PERIODS),
            "quota": (per_month * rng.uniform(0.2, 0.35, size)).astype(np.int64),
            "target_incentive": rng.integers(30_000, 60_000, size),
        }
    )
    return credits, targets


def the_plan() -> CompensationPlan:
    def part(name: str, measure: str, interval: str, **more: object) -> dict[str, object]:
        return {"component": name, "measure": measure, "interval": interval, "tie": "upper", **more}

    on_quota = {"unit": "attainment", "pays": "target_incentive"}
    sold = {
        product: {"value": "amount", "where": [{"column": "product", "in": [product]}]} for product in PRODUCTS
    }
    return plan_from_dict(
        {
            "plan": "benchmark",
            "currency": "EUR",
            "effective_from": "2026-01-01",
            "measures": {**sold, "pieces": {"value": "units"}, "margin_rate": {"value": "margin", "per": "amount"}},
            "components": [
                part("licence", "licence", "year", **on_quota, weight="40 %", cap=3,
                     tiers=[[0, "0.9", "0.8"], ["0.9", 1, "2.8"], [1, "1.2", "1.5"], ["1.2", None, 2]], threshold="0.3"),
                part("service", "service", "year", **on_quota, weight="20 %", mode="retroactive",
                     tiers=[[0, 1, "0.8"], [1, None, "1.1"]],
                     multipliers=[{"measure": "margin_rate", "tie": "upper", "rows": [[-999, "0.5"], ["0.2", 1], ["0.31", "1.1"]]}]),
                part("renewal", "renewal", "quarter", **on_quota, weight="20 %", cap=1, true_up="year", tiers=[[0, None, 1]]),
                part("hardware", "hardware", "year", **on_quota, weight="20 %",
                     tiers=[[0, 1, 1], [1, None, 2]], gates=[{"component": "licence", "at_least": "0.8", "closed": "first_rate"}]),
                part("pieces", "pieces", "year", unit="measure", pays="money", tiers=[[0, 50, 1], [50, 100, 2], [100, None, 3]]),
            ],
        }
    )  # fmt: skip


def peak_gigabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
