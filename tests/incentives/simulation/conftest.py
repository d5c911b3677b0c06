"""Plans and beliefs that are small enough to check by hand."""

import datetime as dt
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from spms_lib.incentives.plan.model import CompensationPlan, Component, Curve, MeasureRule, Tier


def number(value):
    return None if value is None else Fraction(str(value))


def curve(*rows, unit="attainment", pays="target_incentive", mode="incremental", threshold=None, step=None):
    tiers = tuple(Tier(number(r[0]), number(r[1]), number(r[2]), r[3] if len(r) > 3 else mode) for r in rows)
    return Curve(unit, pays, "upper", tiers, step=step, threshold=number(threshold))


def plan(*components, measures=("sold",), name="plan", values=None):
    rules = {measure: MeasureRule(measure, **(values or {}).get(measure, {})) for measure in measures}
    found = {one.name: one for one in components}
    return CompensationPlan(name, "EUR", dt.date(2026, 1, 1), rules, found)


def sales(curve, **more):
    return Component(more.pop("name", "sales"), more.pop("measure", "sold"), curve, "quarter", **more)


def team(size=40, *, areas=4, sd=0.25, quota=1.0, seed=5):
    """Sellers of different size in a few territories; quota as a ratio of their mean."""
    rng = np.random.default_rng(seed)
    mean = rng.lognormal(10, 0.5, size).round()
    return pd.DataFrame(
        {
            "payee": [f"p{n:03d}" for n in range(size)],
            "component": "sales",
            "mean": mean,
            "sd": mean * sd,
            "quota": mean * quota,
            "target_incentive": 10_000.0,
            "territory": [f"t{n % areas}" for n in range(size)],
        }
    )


@pytest.fixture
def make():
    """Builders: curve, plan, sales (a component), team (beliefs)."""
    from types import SimpleNamespace

    accelerator = curve((0, 1, 1), (1, None, 2))
    return SimpleNamespace(
        curve=curve,
        plan=plan,
        sales=sales,
        team=team,
        accelerated=plan(sales(accelerator), name="accelerated"),
    )
