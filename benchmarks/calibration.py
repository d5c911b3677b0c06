"""Is the bias of every forecaster found, and does taking it out help? Sample companies of many seeds, whose truth is known.

For each seed a company lives through eight quarters of forecasts. From what was said and what came, every forecaster's bias
is learned and set against the truth:

- recovery: correlation, error, and how often the 90 % interval holds the true bias;
- names: who is listed as forecasting low or high; a name is wrong where the true bias is below the material size;
- correction: each quarter from the third on is corrected from the quarters before it, and set against the raw forecast and
  against the pooled ratio sum(actual) / sum(commit) per person of b2b-revenue-forecasting (CommitReconciler).

Two hundred companies take some three minutes of one core.

    python -m benchmarks.calibration --seeds 200
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from benchmarks.measure import Row
from spms_lib.calendar import FiscalCalendar
from spms_lib.collect.calibration.bias import OWN, learn_bias
from spms_lib.collect.calibration.correct import variance_of_sum, walk_forward
from spms_lib.collect.calibration.detect import forecasts_off
from spms_lib.sample.build import make_world
from spms_lib.sample.field import Field, belief
from spms_lib.sample.first_call import FIRST_QUARTER, LATE_RATIO, MISSING_RATIO
from spms_lib.sample.timeline import CURRENT, MONTHS, position

LEVELS = ("leaf", "team", "region", "company")
METHODS = ("raw", "corrected", "pooled")


def said_and_came(world: Field, seed: int, quarters: int) -> pd.DataFrame:
    """The record of one company: what each person said in time, and what came; rows as of `track_record`."""
    rng = np.random.default_rng([seed, 200])
    calendar, parts = FiscalCalendar(), []
    for first in range(position(FIRST_QUARTER), position(CURRENT), 3)[-quarters:]:
        months = range(first, first + 3)
        sitting = world.staff.occupant[:, months]
        spoke = (sitting[:, :1] >= 0) & (rng.random(len(sitting)) >= LATE_RATIO + MISSING_RATIO)[:, None]
        seat, month = np.nonzero(spoke & (sitting == sitting[:, :1]) & (world.sales.total[:, months] > 0))
        values = belief(rng, world, first)[seat, month]
        came = world.sales.total[seat, first + month].astype(float)
        period = [str(MONTHS[first + at]) for at in month]
        parts.append(
            pd.DataFrame(
                {
                    "forecaster": [f"p{world.staff.occupant[at, first]:04d}" for at in seat],
                    "node": np.array(world.company.seats)[seat],
                    "period": period,
                    "quarter": [calendar.quarter_of(one) for one in period],
                    "forecast": values,
                    "actual": came,
                    "log_ratio": np.log(values / came),
                    "seat": seat,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def study(
    seeds: int,
    *,
    first: int = 0,
    sellers: int = 40,
    quarters: int = 8,
    material: float = 0.05,
    rate: float = 0.1,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Learn, name and correct for every seed.

    Returns
    -------
    pd.DataFrame
        One row per seed: people, correlation, error (mean of estimate - truth, log scale), rmse, rmse_own (of the plain
        mean), covered, listed, wrong (share among those listed; missing where nobody is), power (share of those with a
        material bias that are listed), inside_leaf and inside_company (share of actuals in the 90 % range of corrected
        forecasts, by seat-month and company-quarter).
    pd.DataFrame
        Columns seed, level, and by method the sum of misses, and size (sum of actuals).
    """
    found, misses = [], []
    for seed in range(first, first + seeds):
        world = make_world(seed=seed, sellers=sellers)
        record = said_and_came(world, seed, quarters)
        company = world.company
        team = pd.Series(np.array(company.teams)[company.seat_team[:, position(CURRENT)]], company.seats)
        market = pd.Series(company.seat_region[:, position(CURRENT)].astype(str), company.seats)
        biases = learn_bias(record, team=team, market=market)
        walk = walk_forward(record, team=team, market=market)
        walk["pooled"] = walk["raw"] * pooled_ratio(record, walk)
        truth = true_bias(world, record, biases.people.index)
        found.append({"seed": seed, **recovery(biases, truth, material, rate), **inside(walk, market)})
        misses.append(missed(walk, team, market).assign(seed=seed))
    return pd.DataFrame(found), pd.concat(misses, ignore_index=True)


def true_bias(world: Field, record: pd.DataFrame, people: pd.Index) -> pd.Series:
    """ln(1 + bias ratio) of each person, who has the habit of the seat."""
    seat = record.groupby("forecaster")["seat"].last().reindex(people)
    return pd.Series(np.log1p(world.habit.bias_ratio[seat]), people)


def recovery(biases, truth: pd.Series, material: float, rate: float) -> dict[str, float]:
    """Set what was found against the truth, for those with an own record."""
    own = biases.people[biases.people["evidence"] == OWN]
    true = truth[own.index]
    names = forecasts_off(biases, material=material, false_discovery=rate)
    listed = names.index[names["listed"].astype(bool)]
    off = (np.expm1(truth) >= material) | (np.expm1(truth) <= -material)
    side = np.where(names.loc[listed, "direction"] == "high", 1, -1)
    wrong = ~off[listed] | (np.sign(truth[listed]) != side)
    gap = own["bias"] - true
    return {
        "people": len(own),
        "correlation": np.corrcoef(own["bias"], true)[0, 1],
        "error": gap.mean(),
        "rmse": np.sqrt((gap**2).mean()),
        "rmse_own": np.sqrt(((own["own"] - true) ** 2).mean()),
        "covered": ((own["low"] <= true) & (true <= own["high"])).mean(),
        "covered_new": covered_new(biases, truth),
        "listed": len(listed),
        "wrong": wrong.mean() if len(listed) else np.nan,
        "power": off[listed].sum() / max(off[own.index].sum(), 1),
    }


def covered_new(biases, truth: pd.Series) -> float:
    """How often the interval holds for people whose past is too short for an own bias."""
    new = biases.people[biases.people["evidence"] != OWN]
    true = truth[new.index]
    return ((new["low"] <= true) & (true <= new["high"])).mean() if len(new) else np.nan


def pooled_ratio(record: pd.DataFrame, walk: pd.DataFrame) -> np.ndarray:
    """Sum of actuals over sum of forecasts per person before each quarter, 1 for somebody new."""
    ratio = pd.Series(1.0, walk.index)
    for quarter, rows in walk.groupby("quarter"):
        sums = record[record["quarter"] < quarter].groupby("forecaster")[["actual", "forecast"]].sum()
        ratio[rows.index] = (
            (sums["actual"] / sums["forecast"]).reindex(rows["forecaster"]).fillna(1.0).to_numpy()
        )
    return ratio.to_numpy()


def theirs(record: pd.DataFrame, walk: pd.DataFrame) -> np.ndarray:
    """The same by b2b-revenue-forecasting: corrected forecasts, one quarter after the other."""
    from b2b_revenue_forecasting.commit_reconciler import CommitReconciler

    value = pd.Series(np.nan, walk.index)
    for quarter, rows in walk.groupby("quarter"):
        before = record[record["quarter"] < quarter].rename(
            columns={
                "forecaster": "Manager_ID",
                "forecast": "Historical_Commit",
                "actual": "Historical_Actual_Closed",
            }
        )
        asked = rows.rename(columns={"forecaster": "Manager_ID", "raw": "Current_Commit"})
        done = CommitReconciler(before).reconcile_all(asked[["Manager_ID", "Current_Commit"]])
        value[rows.index] = done["bias_adjusted_commit"].to_numpy()
    return value.to_numpy()


def inside(walk: pd.DataFrame, market: pd.Series) -> dict[str, float]:
    """How often actuals lie in the 90 % range of what was corrected, alone and summed over company and quarter."""
    leaf = walk["actual"].between(walk["low"], walk["high"]).mean()
    held = []
    for _, rows in walk.groupby("quarter"):
        whole = pd.Series("company", rows.index)
        sd = np.sqrt(variance_of_sum(rows, by=whole, market=market).iloc[0])
        alone = np.sqrt(rows["variance"].sum())
        gap = abs(rows["actual"].sum() - rows["corrected"].sum())
        held.append((gap <= 1.645 * sd, gap <= 1.645 * alone))
    together, alone = np.mean(held, axis=0)
    return {"inside_leaf": leaf, "inside_company": together, "inside_if_independent": alone}


def missed(walk: pd.DataFrame, team: pd.Series, market: pd.Series) -> pd.DataFrame:
    """Sum of |forecast - actual| by month at every level, for each method."""
    groups = {
        "leaf": walk["node"],
        "team": walk["node"].map(team),
        "region": walk["node"].map(market),
        "company": pd.Series("company", walk.index),
    }
    rows = []
    for level in LEVELS:
        sums = walk.groupby([groups[level], walk["period"]])[[*METHODS, "actual"]].sum()
        gaps = sums[list(METHODS)].sub(sums["actual"], axis=0).abs().sum()
        rows.append({"level": level, **gaps, "size": sums["actual"].sum()})
    return pd.DataFrame(rows)


def wape(misses: pd.DataFrame) -> pd.DataFrame:
    """WAPE by level and method, and how often the corrected forecast was nearer than each of the others."""
    sums = misses.groupby("level", sort=False)[[*METHODS, "size"]].sum()
    table = sums[list(METHODS)].div(sums["size"], axis=0)
    for other in ("raw", "pooled"):
        table[f"nearer_than_{other}"] = (misses["corrected"] < misses[other]).groupby(misses["level"]).mean()
        by_seed = (misses[other] - misses["corrected"]) / misses["size"]
        table[f"gain_on_{other}"] = by_seed.groupby(misses["level"]).mean()
        table[f"se_on_{other}"] = by_seed.groupby(misses["level"]).sem()
    return table


def rows(seeds: int = 200) -> list[Row]:
    """Run the study as a measurement: seconds a seed, and what came of it in the note."""
    start = time.perf_counter()
    with threadpool_limits(1):
        found, misses = study(seeds)
    seconds = (time.perf_counter() - start) / seeds
    mean, table = found.mean(), wape(misses)
    case = f"{seeds} companies"
    lines = [
        Row(
            case,
            "recovery",
            seconds,
            1,
            note=f"correlation {mean['correlation']:.3f}, 90 % intervals hold {mean['covered']:.1%}, "
            f"rmse {mean['rmse']:.3f} (plain mean {mean['rmse_own']:.3f})",
        ),
        Row(
            case,
            "names",
            seconds,
            1,
            note=f"{mean['listed']:.1f} listed, wrong {mean['wrong']:.1%} at a stated 10 %, power {mean['power']:.1%}",
        ),
    ]
    for level, one in table.iterrows():
        note = (
            f"WAPE raw {one['raw']:.2%}, corrected {one['corrected']:.2%}, pooled ratio {one['pooled']:.2%}"
        )
        lines.append(Row(case, f"correction, {level}", seconds, 1, note=note))
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--sellers", type=int, default=40)
    parser.add_argument("--quarters", type=int, default=8, help="quarters of forecasts, at most 8")
    parser.add_argument("--material", type=float, default=0.05, help="bias ratio below which a name is wrong")
    parser.add_argument("--rate", type=float, default=0.1, help="stated share of wrong names")
    parser.add_argument("--keep", type=Path, help="CSV file for the single seeds")
    asked = parser.parse_args()
    start = time.perf_counter()
    with threadpool_limits(1):
        found, misses = study(
            asked.seeds, first=asked.first, sellers=asked.sellers, quarters=asked.quarters,
            material=asked.material, rate=asked.rate,
        )  # fmt: skip
    console = Console(width=180)
    shown = Table("", "mean", "standard error", title="Recovery and names, over seeds", title_justify="left")
    for name in found.columns.drop("seed"):
        shown.add_row(name, f"{found[name].mean():.4f}", f"{found[name].sem():.4f}")
    console.print(shown)
    table = wape(misses)
    shown = Table("level", *table.columns, title="WAPE of held-out quarters, by month", title_justify="left")
    for level, one in table.iterrows():
        shown.add_row(str(level), *(f"{value:.4f}" for value in one))
    console.print(shown)
    console.print(f"{asked.seeds} seeds, {asked.sellers} sellers, {time.perf_counter() - start:.0f} s")
    if asked.keep:
        found.to_csv(asked.keep, index=False)


if __name__ == "__main__":
    main()
