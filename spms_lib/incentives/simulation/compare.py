"""Plans side by side, and one plan under several sets of quotas: cost, pay, and who wins and loses."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.incentives.engine.books import INCENTIVE, QUOTA
from spms_lib.incentives.plan.model import CompensationPlan
from spms_lib.incentives.simulation.factors import Factors
from spms_lib.incentives.simulation.metrics import (
    budget_at_100,
    cost_and_result,
    cost_of_sales,
    differentiation,
    pay_at_percentile,
    pay_for_performance,
    top_decile_share,
)
from spms_lib.incentives.simulation.run import Runs, Simulation
from spms_lib.incentives.simulation.simulate import Quotas, simulate_all, winners_losers

MONEY, RATIO, COUNT = "money", "ratio", "count"
METRICS: Final = (
    ("budget_at_100", MONEY, "sum of target incentives of the interval, prorated as the beliefs state them"),
    ("cost_at_100", MONEY, "pay if each payee sold exactly the quota"),
    ("expected_cost", MONEY, "mean cost over draws"),
    ("expected_against_100", RATIO, "expected_cost / cost_at_100"),
    ("cost_sd", MONEY, "standard deviation of cost over draws"),
    ("cost_p10", MONEY, "cost is below in one draw of ten"),
    ("cost_p90", MONEY, "cost is above in one draw of ten"),
    ("sensitivity", RATIO, "per cent of cost for one per cent of the company's result"),
    ("volatility", RATIO, "standard deviation of cost at a fixed result / expected_cost"),
    ("ccos_incentive_only", RATIO, "expected incentive pay / expected sales; without base salaries"),
    (
        "ccos_cash",
        RATIO,
        "(base salaries + expected incentive pay) / expected sales; missing where bases are unknown",
    ),
    ("leverage", RATIO, "pay in target incentives at the 90th percentile, over payees and draws"),
    ("differentiation", RATIO, "90th / 10th percentile of pay in target incentives, over payees and draws"),
    (
        "top_decile_share",
        RATIO,
        "share of all pay that goes to the best paid tenth of payees, mean over draws",
    ),
    ("share_at_or_above_quota", RATIO, "payees with attainment >= 1, mean over draws"),
    (
        "pay_performance",
        RATIO,
        "rank correlation of pay in target incentives with attainment, mean over draws",
    ),
    ("payees", COUNT, "payees whose pay can be simulated"),
    ("payees_unknown", COUNT, "payees without it; not in the cost, their sales are in the result"),
)


def compare(runs: Runs, *, base_pay: float = np.nan) -> pd.DataFrame:
    """Lay out what plans cost and whom they pay, on the same draws of performance.

    Parameters
    ----------
    base_pay
        Base salaries of the interval, minor units; only for cost of sales in cash.

    Returns
    -------
    pd.DataFrame
        One row per metric: metric, one column per plan (money in minor units), unit (money, ratio, count), convention.
    """
    found = {name: summary(one, base_pay=base_pay) for name, one in runs.simulations.items()}
    table = pd.DataFrame(found).rename_axis("metric").reset_index()
    units, words = ({name: one[place] for name, *one in METRICS} for place in (0, 1))
    return table.assign(unit=table["metric"].map(units), convention=table["metric"].map(words))


def summary(one: Simulation, *, base_pay: float = np.nan) -> dict[str, float]:
    """Compute every metric of `METRICS` for one simulation, by name; missing where pay of nobody is known."""
    known = one.payees["expected"].notna()
    payees, ratio = one.payees[known], one.pay_ratio_panel
    cost = one.cost if known.any() else np.full(one.draws, np.nan)
    low, high = np.quantile(cost, (0.1, 0.9))
    expected, at_100 = float(cost.mean()), float(payees["pay_at_100"].sum())
    sales = cost_of_sales(expected, float(one.result.mean()), base=base_pay)
    sensitivity, volatility = cost_and_result(cost, one.result)
    values = (
        budget_at_100(payees[INCENTIVE]),
        at_100,
        expected,
        expected / at_100 if at_100 > 0 else np.nan,
        float(cost.std(ddof=1)),
        float(low),
        float(high),
        sensitivity,
        volatility,
        sales.incentive_only,
        sales.cash,
        pay_at_percentile(ratio),
        differentiation(ratio),
        top_decile_share(one.pay_panel),
        float(one.payees["p_attain"].mean()),
        pay_for_performance(ratio, one.attainment_panel),
        float(known.sum()),
        float(one.unknown),
    )
    return {name: value for (name, _, _), value in zip(METRICS, values, strict=True)}


def sensitivity(
    plan: CompensationPlan,
    beliefs: pd.DataFrame,
    *,
    quotas: Mapping[str, Quotas],
    draws: int = 2000,
    seed: int,
    factors: Factors | None = None,
) -> pd.DataFrame:
    """Show how cost and chances move with quotas, such as a larger over-assignment, at the same performance.

    Parameters
    ----------
    quotas
        As for `simulate_all`; the first is the one that the others are compared with.

    Returns
    -------
    pd.DataFrame
        One row per set of quotas; see `sensitivity_table`.
    """
    runs = simulate_all({plan.name: plan}, beliefs, draws=draws, seed=seed, factors=factors, quotas=quotas)
    return sensitivity_table(runs)


def sensitivity_table(runs: Runs) -> pd.DataFrame:
    """Lay out simulations by quota: what moves from the first of them.

    Returns
    -------
    pd.DataFrame
        Columns quotas (name), quota (sum over payees, of the company's result), against_first (ratio of quotas to the
        first, minus 1), cost_at_100, expected_cost, cost_p10, cost_p90, cost_change, change_low, change_high (to the
        first, 95 % interval from the common draws), share_at_or_above_quota, p_attain_lowest, winners, losers (payees
        whose expected pay rises or falls by more than its interval).
    """
    first, moved, rows = runs[runs.first], winners_losers(runs), []
    for name, one in runs.simulations.items():
        known, mine = summary(one), moved[moved["plan"] == name]
        gap = one.cost - first.cost
        error = 1.96 * float(gap.std(ddof=1)) / np.sqrt(len(gap))
        quota, before = float(one.payees[QUOTA].sum()), float(first.payees[QUOTA].sum())
        row = {
            "quotas": name,
            "quota": quota,
            "against_first": quota / before - 1 if before else np.nan,
            **{key: known[key] for key in ("cost_at_100", "expected_cost", "cost_p10", "cost_p90")},
            "cost_change": float(gap.mean()),
            "change_low": float(gap.mean()) - error,
            "change_high": float(gap.mean()) + error,
            "share_at_or_above_quota": known["share_at_or_above_quota"],
            "p_attain_lowest": float(one.payees["p_attain"].min()),
            "winners": int((mine["low"] > 0).sum()),
            "losers": int((mine["high"] < 0).sum()),
        }
        rows.append(row)
    return pd.DataFrame(rows)
