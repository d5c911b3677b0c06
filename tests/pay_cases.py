"""Paying a plan written as YAML for a few credits, as tests of pay need it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import pandas as pd
import yaml

from spms_lib.incentives.engine.run import Run, pay_run
from spms_lib.incentives.plan.read import plan_from_dict

FINE = 10**8  # minor units per unit, so that rounding stays far below every tolerance
HEAD = "plan: worked case\ncurrency: USD\neffective_from: 2025-01-01\n"
YEAR = [f"2025-{month:02d}" for month in range(1, 13)]


def fine(amount: object, per_unit: int = FINE) -> int:
    """Turn an amount as it prints into minor units."""
    return round(Fraction(str(amount)) * per_unit)


def pay(
    text: str,
    credits: Sequence[Mapping[str, Any]],  # noqa: A002
    targets: Sequence[Mapping[str, Any]] = (),
    *,
    periods: Sequence[str] = YEAR,
    per_unit: int = FINE,
) -> Run:
    """Run a plan's YAML text over credits and targets whose amounts are currency units."""
    plan = plan_from_dict(yaml.safe_load(HEAD + text))
    rows = [
        {
            "credit": f"c{number}",
            "payee": "ann",
            "date": dt.date(2025, 1, 15),
            **{
                name: fine(value, per_unit) if name in {"amount", "margin"} else value
                for name, value in row.items()
            },
        }
        for number, row in enumerate(credits)
    ]
    frame = pd.DataFrame(rows)
    wanted = [
        {
            "payee": "ann",
            "component": "pay",
            "period": "2025-01",
            **{
                name: value if name not in {"quota", "target_incentive"} else fine(value, per_unit)
                for name, value in row.items()
            },
        }
        for row in targets
    ]
    columns = ["payee", "component", "period", "quota", "target_incentive"]
    return pay_run(
        plan,
        frame.assign(date=pd.to_datetime(frame["date"])),
        pd.DataFrame(wanted, columns=columns).astype({"quota": "Int64", "target_incentive": "Int64"}),
        periods=periods,
        per_unit=per_unit,
    )


def units(minor: Any, per_unit: int = FINE) -> float:
    """Turn minor units into currency units."""
    return float(Fraction(int(minor), per_unit))


def by_payee(run: Run) -> list[float]:
    """Sum up what each payee earned, in the order of payees."""
    return [units(amount) for amount in run.total().sum(axis=1)]
